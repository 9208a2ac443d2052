//! An association, as it was declared.

use super::Validation;
use proc_macro2::{Ident, Span};
use syn::{Attribute, Expr, ExprClosure, LitInt, Type, Visibility};

/// Which macro declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Macro {
    BelongsTo,
    HasOne,
    HasMany,
    HasAndBelongsToMany,
}

impl Macro {
    /// The macro of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [
            Self::BelongsTo,
            Self::HasOne,
            Self::HasMany,
            Self::HasAndBelongsToMany,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }

    /// The macro as it is written.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::BelongsTo => "belongs_to",
            Self::HasOne => "has_one",
            Self::HasMany => "has_many",
            Self::HasAndBelongsToMany => "has_and_belongs_to_many",
        }
    }

    /// Whether it has any number of targets.
    pub(crate) const fn is_collection(self) -> bool {
        matches!(self, Self::HasMany | Self::HasAndBelongsToMany)
    }
}

/// What was written for `inverse_of`.
pub(crate) enum Inverse {
    Automatic,
    Off,
    Named(Ident),
}

/// The scope, as it was written.
pub(crate) struct Scope {
    pub(crate) closure: ExprClosure,
}

/// `counter_cache`, as it was written.
pub(crate) struct Counter {
    /// The column, where it was named.
    pub(crate) column: Option<Ident>,
    /// Where the column was named, or the option.
    pub(crate) at: Span,
    /// Whether `size` may trust it.
    pub(crate) active: bool,
}

/// `reject_if`, as it was written.
pub(crate) enum RejectIf {
    AllBlank,
    When(Expr),
}

/// `limit`, as it was written.
pub(crate) enum MemberLimit {
    Number(LitInt),
    Of(Expr),
}

/// What `accepts_nested_attributes_for` says of an association.
#[derive(Default)]
pub(crate) struct Nested {
    pub(crate) allow_destroy: bool,
    pub(crate) update_only: bool,
    pub(crate) reject_if: Option<RejectIf>,
    pub(crate) limit: Option<MemberLimit>,
}

/// One field that is an association.
pub(crate) struct Association {
    pub(crate) kind: Macro,
    pub(crate) ident: Ident,
    /// The association's name, without `r#`.
    pub(crate) name: String,
    pub(crate) vis: Option<Visibility>,
    /// The target model, out of its `Option`.
    pub(crate) target: Type,
    /// Where the target's name stands.
    pub(crate) span: Span,
    /// Whether the field is an `Option`, or the macro is `has_many`.
    pub(crate) optional: bool,
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) foreign_key: Vec<Ident>,
    pub(crate) primary_key: Vec<Ident>,
    /// Whether it leads to an enum of models.
    pub(crate) polymorphic: bool,
    /// `as`.
    pub(crate) interface: Option<Ident>,
    pub(crate) foreign_type: Option<Ident>,
    /// `types` of a delegated type.
    pub(crate) delegates: Vec<Ident>,
    pub(crate) inverse_of: Inverse,
    /// The association of the same model that it goes through.
    pub(crate) through: Option<Ident>,
    /// The association of what that leads to.
    pub(crate) source: Option<Ident>,
    /// The model behind a polymorphic source.
    pub(crate) source_type: Option<Ident>,
    /// `disable_joins`, where it was written.
    pub(crate) disable_joins: Option<Ident>,
    /// The table between, of a `has_and_belongs_to_many`.
    pub(crate) join_table: Option<Ident>,
    /// Its column that refers to the target.
    pub(crate) association_foreign_key: Option<Ident>,
    pub(crate) strict_loading: Option<bool>,
    pub(crate) autosave: Option<bool>,
    pub(crate) validate: Option<bool>,
    /// The column that counts.
    pub(crate) counter_cache: Option<Counter>,
    /// `touch`, and the column that it names beside the usual ones.
    pub(crate) touch: Option<Option<Ident>>,
    /// The variant of `Dependent`.
    pub(crate) dependent: Option<&'static str>,
    /// `ensuring_owner_was`: as it was written, and the function.
    pub(crate) ensuring_owner_was: Option<(String, Expr)>,
    pub(crate) default: Option<Expr>,
    /// The variant of `IndexErrors`.
    pub(crate) index_errors: Option<&'static str>,
    pub(crate) nested: Option<Nested>,
    /// `before_add` and the like: the variant of `MemberEvent`, and the function.
    pub(crate) callbacks: Vec<(&'static str, Expr)>,
    pub(crate) scope: Option<Scope>,
    /// The order that holds where no other is given.
    pub(crate) default_order: Option<ExprClosure>,
    /// Whether who uses it is told not to.
    pub(crate) deprecated: bool,
    /// `#[validates(...)]`.
    pub(crate) validations: Vec<Validation>,
    /// The options as they were written.
    pub(crate) options: Vec<(String, String)>,
    /// Whether its own attribute has a mistake: what follows from it is not told too.
    pub(crate) faulty: bool,
    /// The field's place among the fields.
    pub(crate) order: usize,
}

impl Association {
    /// The columns of a `belongs_to`'s key, by name: what was written, or `author_id`.
    pub(crate) fn key_names(&self) -> Vec<String> {
        if self.foreign_key.is_empty() {
            vec![format!("{}_id", self.name)]
        } else {
            self.foreign_key.iter().map(super::naming::plain).collect()
        }
    }

    /// The names that the source of a through may have: what was written, or its own in the singular or as it is.
    pub(crate) fn source_names(&self) -> Vec<String> {
        if let Some(source) = &self.source {
            return vec![super::naming::plain(source)];
        }
        let mut names = vec![relata_inflect::singularize(&self.name), self.name.clone()];
        names.dedup();
        names
    }

    /// The column that says of which model the target of a polymorphic association is.
    pub(crate) fn type_name(&self) -> String {
        let conventional = || format!("{}_type", self.name);
        self.foreign_type
            .as_ref()
            .map_or_else(conventional, super::naming::plain)
    }

    /// Where the foreign key is named: the option, or the association.
    pub(crate) fn key_span(&self) -> Span {
        self.foreign_key.first().unwrap_or(&self.ident).span()
    }
}
