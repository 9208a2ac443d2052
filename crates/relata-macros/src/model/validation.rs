//! A validation of a field, as it was declared.

use proc_macro2::{Ident, TokenStream};
use syn::{Expr, ExprClosure, LitStr};

/// One rule of `#[validates(...)]`, with what narrows it.
#[derive(Clone)]
pub(crate) struct Validation {
    pub(crate) rule: Rule,
    pub(crate) only: Only,
}

/// When a rule or callback applies, and what it says. Of one rule, or of all of an attribute.
#[derive(Clone, Default)]
pub(crate) struct Only {
    pub(crate) message: Option<LitStr>,
    pub(crate) allow_null: bool,
    pub(crate) allow_blank: bool,
    pub(crate) strict: bool,
    pub(crate) on: Vec<Ident>,
    pub(crate) conditions: Vec<Condition>,
}

/// `if = ...` or `unless = ...`.
#[derive(Clone)]
pub(crate) struct Condition {
    pub(crate) function: Expr,
    pub(crate) holds: bool,
}

/// What a rule asks for.
#[derive(Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "a declaration has a handful of them, for as long as it is expanded"
)]
pub(crate) enum Rule {
    Presence,
    Absence,
    Length {
        min: Option<Expr>,
        max: Option<Expr>,
        is: Option<Expr>,
    },
    Numericality {
        only_integer: bool,
        odd: bool,
        even: bool,
        limits: Vec<(&'static str, Limit)>,
    },
    Comparison(&'static str, Limit),
    Format {
        form: Expr,
        without: bool,
    },
    Inclusion(Vec<Limit>),
    Exclusion(Vec<Limit>),
    Confirmation {
        case_sensitive: bool,
    },
    Acceptance,
    Uniqueness {
        scope: Vec<Ident>,
        case_sensitive: bool,
        conditions: Option<ExprClosure>,
    },
    Associated,
    Custom(Expr),
}

/// What a value is held against.
#[derive(Clone)]
pub(crate) enum Limit {
    /// A literal: the variant of `Limit`, and the value.
    Literal(&'static str, TokenStream),
    /// Another attribute.
    Attribute(Ident),
    /// A function of the record.
    Computed(Expr),
}

impl Validation {
    /// The other attributes that it names.
    pub(crate) fn names(&self) -> Vec<&Ident> {
        match &self.rule {
            Rule::Uniqueness { scope, .. } => scope.iter().collect(),
            Rule::Comparison(_, Limit::Attribute(name)) => vec![name],
            Rule::Numericality { limits, .. } => limits
                .iter()
                .filter_map(|(_, limit)| match limit {
                    Limit::Attribute(name) => Some(name),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Whether it can be asked of an association.
    pub(crate) fn suits_association(&self) -> bool {
        matches!(
            self.rule,
            Rule::Presence | Rule::Absence | Rule::Length { .. } | Rule::Associated
        )
    }

    /// The rule as it is written.
    pub(crate) fn name(&self) -> &'static str {
        match self.rule {
            Rule::Presence => "presence",
            Rule::Absence => "absence",
            Rule::Length { .. } => "length",
            Rule::Numericality { .. } => "numericality",
            Rule::Comparison(..) => "comparison",
            Rule::Format { .. } => "format",
            Rule::Inclusion(_) => "inclusion",
            Rule::Exclusion(_) => "exclusion",
            Rule::Confirmation { .. } => "confirmation",
            Rule::Acceptance => "acceptance",
            Rule::Uniqueness { .. } => "uniqueness",
            Rule::Associated => "associated",
            Rule::Custom(_) => "custom",
        }
    }
}
