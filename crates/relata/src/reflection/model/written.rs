//! What a declaration says of its model, one part after the other, in a `const`.

use super::super::{AssociationReflection, Column, Enumeration, Locking, Timestamps};
use super::{Callbacks, ModelReflection};
use crate::relation::Scope;
use crate::validation::Validation;

impl ModelReflection {
    /// The columns, in the order of the fields.
    #[must_use]
    pub const fn with_columns(mut self, columns: &'static [Column]) -> Self {
        self.columns = columns;
        self
    }

    /// The positions of the primary key's columns; empty for a model without one.
    #[must_use]
    pub const fn with_primary_key(mut self, positions: &'static [usize]) -> Self {
        self.primary_key = positions;
        self
    }

    /// The positions of the columns that name a row in every statement made from a record.
    /// Rails: `query_constraints :shop_id, :id`.
    #[must_use]
    pub const fn with_query_constraints(mut self, positions: &'static [usize]) -> Self {
        self.query_constraints = positions;
        self
    }

    /// The associations, in the order of the fields.
    #[must_use]
    pub const fn with_associations(
        mut self,
        associations: &'static [AssociationReflection],
    ) -> Self {
        self.associations = associations;
        self
    }

    /// The validations, in the order of declaration.
    #[must_use]
    pub const fn with_validations(mut self, validations: &'static [Validation]) -> Self {
        self.validations = validations;
        self
    }

    /// The callbacks, and the validations that stand with them, in the order of declaration.
    #[must_use]
    pub const fn with_callbacks(mut self, callbacks: &Callbacks) -> Self {
        self.callbacks = callbacks.callbacks;
        self.more_validations = callbacks.validations;
        self.tokens = callbacks.tokens;
        self
    }

    /// The doc comment of the struct.
    #[must_use]
    pub const fn with_doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    /// Every record of the model refuses lazy loading. Rails: `strict_loading_by_default`.
    #[must_use]
    pub const fn with_strict_loading(mut self) -> Self {
        self.strict_loading = true;
        self
    }

    /// Every query for the model begins with this scope. Rails: `default_scope`.
    #[must_use]
    pub const fn with_default_scope(mut self, scope: &'static Scope) -> Self {
        self.default_scope = Some(scope);
        self
    }

    /// Scopes that are called by name. Rails: `scope`.
    #[must_use]
    pub const fn with_scopes(mut self, scopes: &'static [(&'static str, Scope)]) -> Self {
        self.scopes = scopes;
        self
    }

    /// The attributes whose values have labels, with what these are called. Rails: `enum`.
    #[must_use]
    pub const fn with_enumerations(mut self, enumerations: &'static [Enumeration]) -> Self {
        self.enumerations = enumerations;
        self
    }

    /// Where the times of creation and change are kept, where it is not in the columns of Rails' names.
    #[must_use]
    pub const fn with_timestamps(mut self, timestamps: Timestamps) -> Self {
        self.timestamps = timestamps;
        self
    }

    /// Where the version of a row is kept, where it is not in `lock_version`. Rails: `locking_column`.
    #[must_use]
    pub const fn with_locking(mut self, locking: Locking) -> Self {
        self.locking = locking;
        self
    }
}
