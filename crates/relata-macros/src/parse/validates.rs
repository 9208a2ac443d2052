//! `#[validates(...)]`: what a valid record keeps.

use syn::{Attribute, Expr, ExprLit, ExprUnary, Lit, UnOp};

use super::options::{Entry, Known, Value, entries, of_attribute};
use crate::errors::Errors;
use crate::model::{Condition, Limit, Only, Rule, Validation, plain};

const RULES: &[&str] = &[
    "presence",
    "absence",
    "length",
    "numericality",
    "comparison",
    "format",
    "inclusion",
    "exclusion",
    "confirmation",
    "acceptance",
    "uniqueness",
    "associated",
    "custom",
];

/// What narrows a rule, of one or of all of the attribute.
const ONLY: &[&str] = &[
    "message",
    "allow_null",
    "allow_blank",
    "strict",
    "on",
    "if",
    "unless",
];

const COMPARISONS: &[(&str, &str)] = &[
    ("greater_than", "GreaterThan"),
    ("greater_than_or_equal_to", "GreaterThanOrEqualTo"),
    ("equal_to", "EqualTo"),
    ("less_than", "LessThan"),
    ("less_than_or_equal_to", "LessThanOrEqualTo"),
    ("other_than", "OtherThan"),
];

const INSTEAD: &[(&str, &str)] = &[
    (
        "required",
        "the validation is called `presence`: `#[validates(presence)]`",
    ),
    (
        "allow_nil",
        "Rust has no nil: the option is called `allow_null`",
    ),
    ("minimum", "the option is called `min`: `length(min = 2)`"),
    ("maximum", "the option is called `max`: `length(max = 80)`"),
    (
        "within",
        "write the limits: `length(min = 2, max = 80)`, `numericality(greater_than = 0)`",
    ),
    (
        "validate",
        "a function that validates is marked `#[validate]` in `#[callbacks] impl`; of one value it is `custom = function`",
    ),
];

/// What one attribute asks for.
pub(crate) fn validations(attribute: &Attribute, errors: &mut Errors) -> Vec<Validation> {
    if matches!(attribute.meta, syn::Meta::Path(_)) {
        errors.on(
            attribute,
            "`#[validates]` says what to validate: `#[validates(presence)]`",
        );
        return Vec::new();
    }
    let now: Vec<&str> = RULES.iter().chain(ONLY).copied().collect();
    let known = Known {
        attribute: "#[validates]",
        now: &now,
        later: &[],
        instead: INSTEAD,
    };
    let before = errors.count();
    let all = of_attribute(attribute, &known, errors);
    let (rules, only): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|entry| RULES.contains(&entry.name().as_str()));
    let mut common = Only::default();
    for entry in &only {
        errors.take(narrow(entry, &mut common));
    }
    let mut found = Vec::new();
    for entry in &rules {
        found.extend(rule(entry, &common, errors));
    }
    if found.is_empty() && errors.count() == before {
        errors.on(
            attribute,
            "`#[validates]` says what to validate: `#[validates(presence)]`",
        );
    }
    found
}

/// One rule with its own options; a comparison may be several.
fn rule(entry: &Entry, common: &Only, errors: &mut Errors) -> Vec<Validation> {
    let name = entry.name();
    let mut only = common.clone();
    let own: &[&str] = match name.as_str() {
        "length" => &["min", "max", "is"],
        "numericality" => &["only_integer", "odd", "even"],
        "format" => &["with", "without"],
        "inclusion" | "exclusion" => &["in"],
        "confirmation" => &["case_sensitive"],
        "uniqueness" => &["scope", "case_sensitive", "conditions"],
        _ => &[],
    };
    let compares = matches!(name.as_str(), "numericality" | "comparison");
    let comparisons = COMPARISONS.iter().map(|(name, _)| *name);
    let now: Vec<&str> = own
        .iter()
        .copied()
        .chain(comparisons.filter(|_| compares))
        .chain(ONLY.iter().copied())
        .collect();
    if name == "custom" {
        let function = entry.value("is_isbn");
        return match errors.take(function.cloned()) {
            Some(function) => one(Rule::Custom(function), only),
            None => Vec::new(),
        };
    }
    let before = errors.count();
    let options = match &entry.value {
        Value::List(group) => {
            let known = Known {
                attribute: &format!("`{name}`"),
                now: &now,
                later: &[],
                instead: INSTEAD,
            };
            entries(group.stream(), &known, errors)
        }
        Value::None => Vec::new(),
        Value::Expr(_) => match entry.flag() {
            Ok(true) => {
                let message = format!("leave the value out: `#[validates({name})]`");
                errors.at(entry.span(), message);
                return Vec::new();
            }
            Ok(false) => {
                let message = format!("leave `{name}` out where it is not to be validated");
                errors.at(entry.span(), message);
                return Vec::new();
            }
            Err(error) => {
                errors.push(error);
                return Vec::new();
            }
        },
    };
    if errors.count() > before {
        return Vec::new();
    }
    let mut found = Found::default();
    for option in &options {
        let taken = if ONLY.contains(&option.name().as_str()) {
            narrow(option, &mut only)
        } else {
            found.take(option)
        };
        if errors.take(taken).is_none() {
            return Vec::new();
        }
    }
    match errors.take(found.rules(entry)) {
        Some(rules) => rules
            .into_iter()
            .flat_map(|rule| one(rule, only.clone()))
            .collect(),
        None => Vec::new(),
    }
}

fn one(rule: Rule, only: Only) -> Vec<Validation> {
    vec![Validation { rule, only }]
}

/// The options of one rule.
#[derive(Default)]
struct Found {
    min: Option<Expr>,
    max: Option<Expr>,
    is: Option<Expr>,
    only_integer: bool,
    odd: bool,
    even: bool,
    limits: Vec<(&'static str, Limit)>,
    with: Option<Expr>,
    without: Option<Expr>,
    list: Option<Vec<Limit>>,
    case_insensitive: bool,
    scope: Vec<proc_macro2::Ident>,
    conditions: Option<syn::ExprClosure>,
}

impl Found {
    fn take(&mut self, option: &Entry) -> syn::Result<()> {
        let name = option.name();
        match name.as_str() {
            "min" => self.min = Some(count(option)?),
            "max" => self.max = Some(count(option)?),
            "is" => self.is = Some(count(option)?),
            "only_integer" => self.only_integer = option.flag()?,
            "odd" => self.odd = option.flag()?,
            "even" => self.even = option.flag()?,
            "with" => self.with = Some(option.value("is_slug")?.clone()),
            "without" => self.without = Some(option.value("has_spaces")?.clone()),
            "in" => self.list = Some(list(option)?),
            "case_sensitive" => self.case_insensitive = !option.flag()?,
            "scope" => self.scope = option.idents("account_id")?,
            "conditions" => self.conditions = Some(conditions(option)?),
            _ => {
                if let Some((_, variant)) = COMPARISONS.iter().find(|(known, _)| *known == name) {
                    self.limits.push((variant, limit(option.value("0")?)?));
                }
            }
        }
        Ok(())
    }

    fn rules(self, entry: &Entry) -> syn::Result<Vec<Rule>> {
        let missing = |message: &str| Err(syn::Error::new(entry.name.span(), message));
        Ok(vec![match entry.name().as_str() {
            "presence" => Rule::Presence,
            "absence" => Rule::Absence,
            "acceptance" => Rule::Acceptance,
            "associated" => Rule::Associated,
            "length" if self.min.is_none() && self.max.is_none() && self.is.is_none() => {
                return missing(
                    "`length` says how long: `length(min = 2, max = 80)` or `length(is = 4)`",
                );
            }
            "length" if exceeds(self.min.as_ref(), self.max.as_ref()) => {
                let message = "no length meets both limits: `max` is less than `min`";
                return Err(syn::Error::new_spanned(self.max, message));
            }
            "length" => Rule::Length {
                min: self.min,
                max: self.max,
                is: self.is,
            },
            "numericality" if self.odd && self.even => {
                return missing("no number is both odd and even: leave one of them out");
            }
            "numericality" => Rule::Numericality {
                only_integer: self.only_integer,
                odd: self.odd,
                even: self.even,
                limits: self.limits,
            },
            "comparison" if self.limits.is_empty() => {
                return missing(
                    "`comparison` says with what: `comparison(greater_than = starts_on)`",
                );
            }
            "comparison" => {
                let limits = self.limits.into_iter();
                return Ok(limits
                    .map(|(how, limit)| Rule::Comparison(how, limit))
                    .collect());
            }
            "format" => match (self.with, self.without) {
                (Some(form), None) => Rule::Format {
                    form,
                    without: false,
                },
                (None, Some(form)) => Rule::Format {
                    form,
                    without: true,
                },
                _ => {
                    return missing(
                        "`format` takes one function that says whether a text is right, or one that says whether it is \
                         wrong: `format(with = is_slug)`, `format(without = has_spaces)`",
                    );
                }
            },
            "inclusion" | "exclusion" => match self.list {
                Some(list) if entry.name() == "inclusion" => Rule::Inclusion(list),
                Some(list) => Rule::Exclusion(list),
                None => {
                    let name = entry.name();
                    let message =
                        format!("`{name}` names a list: `{name}(in = [\"draft\", \"live\"])`");
                    return missing(&message);
                }
            },
            "confirmation" => Rule::Confirmation {
                case_sensitive: !self.case_insensitive,
            },
            _ => Rule::Uniqueness {
                scope: self.scope,
                case_sensitive: !self.case_insensitive,
                conditions: self.conditions,
            },
        }])
    }
}

/// Whether a lower limit is above an upper one, where both are written as numbers.
fn exceeds(min: Option<&Expr>, max: Option<&Expr>) -> bool {
    let number = |limit: Option<&Expr>| match limit {
        Some(Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        })) => number.base10_parse::<u64>().ok(),
        _ => None,
    };
    number(min)
        .zip(number(max))
        .is_some_and(|(min, max)| min > max)
}

/// Whether a word is another with one letter too many, too few, wrong or out of its turn.
fn is_slip(word: &str, known: &str) -> bool {
    let (one, other) = (word.as_bytes(), known.as_bytes());
    let alike = one
        .iter()
        .zip(other)
        .take_while(|(one, other)| one == other);
    let start = alike.count();
    let (one, other) = (&one[start..], &other[start..]);
    match (one, other) {
        ([], []) => false,
        _ if one.get(1..) == Some(other) || Some(one) == other.get(1..) => true,
        _ if one.get(1..) == other.get(1..) => true,
        ([a, b, rest @ ..], [c, d, others @ ..]) => (a, b, rest) == (d, c, others),
        _ => false,
    }
}

/// The contexts of `on`. One of the user's own has any name, but one that is nearly `create` or `update` is a slip: what is
/// validated in it would never be.
fn contexts(entry: &Entry) -> syn::Result<Vec<proc_macro2::Ident>> {
    let contexts = entry.idents("create")?;
    for context in &contexts {
        let name = plain(context);
        let message = match ["create", "update"]
            .into_iter()
            .find(|known| is_slip(&name, known))
        {
            _ if name == "save" => String::from(
                "each save validates: leave `on` out, or write `on = create` or `on = update`",
            ),
            Some(near) => format!(
                "`{name}` is nearly `{near}`: write `on = {near}`, or give a context of your own another name"
            ),
            None => continue,
        };
        return Err(syn::Error::new(context.span(), message));
    }
    Ok(contexts)
}

/// An option that narrows a rule or a callback.
pub(crate) fn narrow(entry: &Entry, only: &mut Only) -> syn::Result<()> {
    match entry.name().as_str() {
        "message" => only.message = Some(entry.text_value("is no good")?),
        "allow_null" => only.allow_null = entry.flag()?,
        "allow_blank" => only.allow_blank = entry.flag()?,
        "strict" => only.strict = entry.flag()?,
        "on" => only.on = contexts(entry)?,
        name => only.conditions.push(Condition {
            function: entry.value("Post::is_live")?.clone(),
            holds: name == "if",
        }),
    }
    Ok(())
}

fn count(entry: &Entry) -> syn::Result<Expr> {
    match entry.value("80")? {
        value @ Expr::Lit(ExprLit {
            lit: Lit::Int(_), ..
        }) => Ok(value.clone()),
        value @ Expr::Path(_) => Ok(value.clone()),
        other => Err(syn::Error::new_spanned(
            other,
            format!("`{0}` is a number: `{0} = 80`", entry.name()),
        )),
    }
}

fn list(entry: &Entry) -> syn::Result<Vec<Limit>> {
    match entry.value("[\"draft\", \"live\"]")? {
        Expr::Array(array) => array.elems.iter().map(limit).collect(),
        other => Err(syn::Error::new_spanned(
            other,
            "a list of values: `in = [\"draft\", \"live\"]`",
        )),
    }
}

fn conditions(entry: &Entry) -> syn::Result<syn::ExprClosure> {
    const EXAMPLE: &str = "|users| users.filter(|u| u.active.eq(true))";
    match entry.value(EXAMPLE)? {
        Expr::Closure(closure) if closure.inputs.len() == 1 => Ok(closure.clone()),
        other => Err(syn::Error::new_spanned(
            other,
            format!("`conditions` is a closure: `conditions = {EXAMPLE}`"),
        )),
    }
}

/// A literal, the name of another attribute, or a function of the record.
fn limit(value: &Expr) -> syn::Result<Limit> {
    use quote::{ToTokens, quote};
    let (literal, minus) = match value {
        Expr::Lit(ExprLit { lit, .. }) => (lit, quote!()),
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => match &**expr {
            Expr::Lit(ExprLit {
                lit: lit @ (Lit::Int(_) | Lit::Float(_)),
                ..
            }) => (lit, quote!(-)),
            _ => return Ok(Limit::Computed(value.clone())),
        },
        Expr::Path(path) if path.path.is_ident("nil") => {
            let message = "Rust has no `nil`: `allow_null` is the option that lets null be";
            return Err(syn::Error::new_spanned(path, message));
        }
        Expr::Path(path) if path.path.get_ident().is_some() => {
            let name = path.path.get_ident().cloned();
            return Ok(name.map_or_else(|| Limit::Computed(value.clone()), Limit::Attribute));
        }
        Expr::Path(_) | Expr::Closure(_) => return Ok(Limit::Computed(value.clone())),
        other => {
            return Err(syn::Error::new_spanned(
                other,
                "a value is held against a literal, another field's name, or a function of the record",
            ));
        }
    };
    let variant = match literal {
        Lit::Int(_) => "Int",
        Lit::Float(_) => "Float",
        Lit::Str(_) => "Text",
        Lit::Bool(_) => "Bool",
        other => {
            return Err(syn::Error::new_spanned(
                other,
                "a limit is a number, a text, `true` or `false`",
            ));
        }
    };
    let literal = literal.to_token_stream();
    Ok(Limit::Literal(variant, quote!(#minus #literal)))
}
