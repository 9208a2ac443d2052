//! What a valid record keeps, as declared.
//!
//! Invariant: data. A reflection keeps validations and never runs them; persistence does.

use std::fmt;

use crate::attribute::value::Value;
use crate::callback::{Body, Condition, Run, RunLater};
use crate::record::Record;
use crate::relation::Scope;

/// One declared rule. Built in a `const` by `#[validates]` and `#[validate]`, or for
/// [`ModelBuilder`](crate::reflection::ModelBuilder).
///
/// ```
/// use relata::validation::{Length, Validation};
///
/// const TITLE: Validation = Validation::length("title", Length { max: Some(80), ..Length::ANY }).allow_blank();
/// assert_eq!(TITLE.attribute(), "title");
/// ```
#[derive(Clone, Copy)]
pub struct Validation {
    pub(crate) attribute: &'static str,
    pub(crate) rule: Rule,
    pub(crate) on: &'static [&'static str],
    pub(crate) condition: Option<Condition>,
    pub(crate) message: Option<&'static str>,
    pub(crate) allow_null: bool,
    pub(crate) allow_blank: bool,
    pub(crate) strict: bool,
    /// How many associations of the model were declared before it.
    pub(crate) below: usize,
}

/// How long a text is, in characters, or a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    /// At least so many. Rails: `minimum`.
    pub min: Option<usize>,
    /// At most so many. Rails: `maximum`.
    pub max: Option<usize>,
    /// Exactly so many. Rails: `is`.
    pub is: Option<usize>,
}

impl Length {
    /// No limit.
    pub const ANY: Self = Self {
        min: None,
        max: None,
        is: None,
    };
}

/// What else a number is.
#[derive(Clone, Copy)]
pub struct Numericality {
    /// A whole number. Rails: `only_integer`.
    pub only_integer: bool,
    /// Not divisible by two.
    pub odd: bool,
    /// Divisible by two.
    pub even: bool,
    /// How it compares. Rails: `greater_than` and the like.
    pub limits: &'static [(Comparison, Limit)],
}

impl Numericality {
    /// Any number.
    pub const ANY: Self = Self {
        only_integer: false,
        odd: false,
        even: false,
        limits: &[],
    };
}

/// How an attribute compares with its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Comparison {
    /// `>`
    GreaterThan,
    /// `>=`
    GreaterThanOrEqualTo,
    /// `=`
    EqualTo,
    /// `<`
    LessThan,
    /// `<=`
    LessThanOrEqualTo,
    /// `!=`
    OtherThan,
}

impl Comparison {
    /// Rails' name, which is also the kind of the error: `greater_than`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GreaterThan => "greater_than",
            Self::GreaterThanOrEqualTo => "greater_than_or_equal_to",
            Self::EqualTo => "equal_to",
            Self::LessThan => "less_than",
            Self::LessThanOrEqualTo => "less_than_or_equal_to",
            Self::OtherThan => "other_than",
        }
    }
}

/// What an attribute is held against.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Limit {
    /// An integer.
    Int(i64),
    /// Floating point.
    Float(f64),
    /// Text; for a date or time, in its text form.
    Text(&'static str),
    /// A truth value.
    Bool(bool),
    /// Another attribute of the record.
    Other(&'static str),
    /// What a function gives for the record.
    Computed(&'static (dyn Fn(&Record) -> Value<'static> + Send + Sync)),
}

/// What makes a value taken.
#[derive(Clone, Copy)]
pub struct Uniqueness {
    /// Attributes that must be the same too. Rails: `scope`.
    pub scope: &'static [&'static str],
    /// Whether `A` and `a` are different. Rails: `case_sensitive`.
    pub case_sensitive: bool,
    /// Narrows the rows that are looked at. Rails: `conditions`.
    pub conditions: Option<&'static Scope>,
}

impl Uniqueness {
    /// In the whole table, minding case.
    pub const ANYWHERE: Self = Self {
        scope: &[],
        case_sensitive: true,
        conditions: None,
    };
}

/// Whether a text is as it should be.
pub type Form = &'static (dyn Fn(&str) -> bool + Send + Sync);

/// What is wrong with a value, to follow the attribute's name.
pub type Check = &'static (dyn Fn(&Record) -> Result<(), String> + Send + Sync);

/// What a function that validates a value gives.
#[diagnostic::on_unimplemented(
    message = "a function that validates a value gives a `Result`, not `{Self}`",
    label = "not a `Result` that says what is wrong",
    note = "write `fn is_isbn(isbn: &str) -> Result<(), String>`: `Err(\"is no ISBN\".into())` where it is wrong"
)]
pub trait Verdict {
    /// What is wrong with the value, to follow the attribute's name.
    ///
    /// # Errors
    /// That.
    fn verdict(self) -> Result<(), String>;
}

impl<P: Into<String>> Verdict for Result<(), P> {
    fn verdict(self) -> Result<(), String> {
        self.map_err(Into::into)
    }
}

/// A function that validates a value of this type.
#[diagnostic::on_unimplemented(
    message = "`custom` takes a function of the value, and `{Self}` is none of a `{V}`",
    label = "not a function from `{V}` to `Result<(), String>`",
    note = "write `fn is_isbn(isbn: &str) -> Result<(), String>`; a function of the record is marked `#[validate]` in \
            `#[callbacks] impl`"
)]
pub trait Judges<V> {
    /// What is wrong with the value.
    ///
    /// # Errors
    /// That.
    fn judge(&self, value: V) -> Result<(), String>;
}

impl<F, V, R> Judges<V> for F
where
    F: Fn(V) -> R,
    R: Verdict,
{
    fn judge(&self, value: V) -> Result<(), String> {
        self(value).verdict()
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Rule {
    Presence,
    Absence,
    Length(Length),
    Numericality(Numericality),
    Comparison(Comparison, Limit),
    Format { form: Form, without: bool },
    Inclusion(&'static [Limit]),
    Exclusion(&'static [Limit]),
    Confirmation { case_sensitive: bool },
    Acceptance,
    Uniqueness(Uniqueness),
    Associated,
    Check(Check),
    Custom(Body),
    Labels,
    Password,
}

#[rustfmt::skip] // the makers are one-liners that belong together
impl Validation {
    const fn new(attribute: &'static str, rule: Rule) -> Self {
        Self {
            attribute, rule, on: &[], condition: None, message: None,
            allow_null: false, allow_blank: false, strict: false, below: usize::MAX,
        }
    }

    /// Neither null nor blank text; of an association: there is a target. Rails: `presence`.
    #[must_use]
    pub const fn presence(attribute: &'static str) -> Self { Self::new(attribute, Rule::Presence) }

    /// Null or blank; of an association: there is no target. Rails: `absence`.
    #[must_use]
    pub const fn absence(attribute: &'static str) -> Self { Self::new(attribute, Rule::Absence) }

    /// So many characters, or members of a collection. Rails: `length`.
    #[must_use]
    pub const fn length(attribute: &'static str, length: Length) -> Self { Self::new(attribute, Rule::Length(length)) }

    /// A number; a text column holds one that can be read as one. Rails: `numericality`.
    #[must_use]
    pub const fn numericality(attribute: &'static str, what: Numericality) -> Self { Self::new(attribute, Rule::Numericality(what)) }

    /// Compares so with a limit. Rails: `comparison`, and the limits of `numericality`.
    #[must_use]
    pub const fn comparison(attribute: &'static str, how: Comparison, limit: Limit) -> Self { Self::new(attribute, Rule::Comparison(how, limit)) }

    /// Text for which the function says true. Rails: `format, with`.
    #[must_use]
    pub const fn format(attribute: &'static str, form: Form) -> Self { Self::new(attribute, Rule::Format { form, without: false }) }

    /// Text for which the function says false. Rails: `format, without`.
    #[must_use]
    pub const fn format_without(attribute: &'static str, form: Form) -> Self { Self::new(attribute, Rule::Format { form, without: true }) }

    /// One of these. Rails: `inclusion`.
    #[must_use]
    pub const fn inclusion(attribute: &'static str, list: &'static [Limit]) -> Self { Self::new(attribute, Rule::Inclusion(list)) }

    /// None of these. Rails: `exclusion`.
    #[must_use]
    pub const fn exclusion(attribute: &'static str, list: &'static [Limit]) -> Self { Self::new(attribute, Rule::Exclusion(list)) }

    /// The same as what [`Record::set_confirmation`] was given, if it was. Rails: `confirmation`.
    #[must_use]
    pub const fn confirmation(attribute: &'static str, case_sensitive: bool) -> Self { Self::new(attribute, Rule::Confirmation { case_sensitive }) }

    /// True, `1` or `"1"`, unless it is null. Rails: `acceptance`.
    #[must_use]
    pub const fn acceptance(attribute: &'static str) -> Self { Self::new(attribute, Rule::Acceptance) }

    /// No other row has this value: one query. Two that ask at once may both be told that it is free; only a unique index
    /// keeps the rule, and its error becomes the same error of the attribute. Rails: `uniqueness`.
    #[must_use]
    pub const fn uniqueness(attribute: &'static str, what: Uniqueness) -> Self { Self::new(attribute, Rule::Uniqueness(what)) }

    /// The association's target or members that are in memory are valid. Rails: `validates_associated`.
    #[must_use]
    pub const fn associated(association: &'static str) -> Self { Self::new(association, Rule::Associated) }

    /// A function says what is wrong with the attribute.
    #[must_use]
    pub const fn check(attribute: &'static str, check: Check) -> Self { Self::new(attribute, Rule::Check(check)) }

    /// A function on the record, which adds to its errors. The name is for people. Rails: `validate :name`.
    #[must_use]
    pub const fn custom(name: &'static str, run: Run) -> Self { Self::new(name, Rule::Custom(Body::Now(run))) }

    /// As [`custom`](Self::custom), for a function that may ask the database.
    #[must_use]
    pub const fn custom_later(name: &'static str, run: RunLater) -> Self { Self::new(name, Rule::Custom(Body::Later(run))) }

    /// A password is there, as long as its digest allows, and the same as what [`Record::set_confirmation`] was given, if
    /// it was. Rails: what `has_secure_password` validates.
    #[must_use]
    pub const fn secure_password(password: &'static str) -> Self { Self::new(password, Rule::Password) }

    /// The attribute, which is an enum's, has one of its labels: null is none, unless it is allowed. What is no label can be
    /// set where the enum is [`validated`](crate::reflection::Enumeration::validated). Rails: `enum ..., validate: true`.
    #[must_use]
    pub const fn labels(attribute: &'static str) -> Self { Self::new(attribute, Rule::Labels) }

    /// Only in these contexts: `create`, `update`, or one of your own. Rails: `on`.
    #[must_use]
    pub const fn on(mut self, contexts: &'static [&'static str]) -> Self { self.on = contexts; self }

    /// Only for these records. Rails: `if`.
    #[must_use]
    pub const fn only_if(mut self, condition: Condition) -> Self { self.condition = Some(condition); self }

    /// The message in place of the kind's own; `%{count}`, `%{value}` and the like are put in. Rails: `message`.
    #[must_use]
    pub const fn message(mut self, message: &'static str) -> Self { self.message = Some(message); self }

    /// Null is valid. Rails: `allow_nil`.
    #[must_use]
    pub const fn allow_null(mut self) -> Self { self.allow_null = true; self }

    /// Null and blank text are valid. Rails: `allow_blank`.
    #[must_use]
    pub const fn allow_blank(mut self) -> Self { self.allow_blank = true; self }

    /// What does not keep it is an error of the program: `StrictValidationFailed` at once. Rails: `strict`.
    #[must_use]
    pub const fn strict(mut self) -> Self { self.strict = true; self }

    /// Stands below the first so many associations. Without it a validation stands below all of them.
    #[must_use]
    pub const fn below(mut self, associations: usize) -> Self { self.below = associations; self }
}

impl Validation {
    /// The attribute or association that it is about; of a function on the record, its name.
    #[must_use]
    pub fn attribute(&self) -> &'static str {
        self.attribute
    }

    /// The rule as Rails calls it: `presence`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.rule {
            Rule::Presence => "presence",
            Rule::Absence => "absence",
            Rule::Length(_) => "length",
            Rule::Numericality(_) => "numericality",
            Rule::Comparison(..) => "comparison",
            Rule::Format { .. } => "format",
            Rule::Inclusion(_) => "inclusion",
            Rule::Exclusion(_) => "exclusion",
            Rule::Confirmation { .. } => "confirmation",
            Rule::Acceptance => "acceptance",
            Rule::Uniqueness(_) => "uniqueness",
            Rule::Associated => "associated",
            Rule::Check(_) => "check",
            Rule::Custom(_) => "validate",
            Rule::Labels => "inclusion",
            Rule::Password => "secure_password",
        }
    }

    pub(crate) fn is_of_password(&self) -> bool {
        matches!(self.rule, Rule::Password)
    }

    /// Whether it is checked for this record, in this context.
    pub(crate) fn applies(&self, record: &Record, context: &str) -> bool {
        (self.on.is_empty() || self.on.contains(&context))
            && self.condition.is_none_or(|condition| condition(record))
    }
}

impl fmt::Debug for Validation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name(), self.attribute)
    }
}

/// The value as a limit: a literal of a list.
macro_rules! limits {
    ($($type:ty => $variant:ident),*) => {$(
        impl From<$type> for Limit {
            fn from(value: $type) -> Self {
                Self::$variant(value)
            }
        }
    )*};
}

limits!(i64 => Int, f64 => Float, &'static str => Text, bool => Bool);
