//! The order of an association that holds as long as no other is given.

use super::AssociationReflection;
use crate::relation::Scope;

impl AssociationReflection {
    /// The order of the targets where neither the scope nor who reads them gives another, as a scope that says
    /// `default_order`. Of a `has_many`. Rails: `default_order`.
    #[must_use]
    pub const fn with_default_order(mut self, order: &'static Scope) -> Self {
        self.default_order = Some(order);
        self
    }

    /// What narrows and orders the targets, in this order.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &'static Scope> + use<> {
        self.scope.into_iter().chain(self.default_order)
    }

    /// The order that holds where no other is given, if one was declared. Rails: `options[:default_order]`.
    #[must_use]
    pub fn default_order(&self) -> Option<&'static Scope> {
        self.default_order
    }
}
