//! An association as a model knows it: the declaration, and whose it is.
//!
//! A declaration stands in a table of its model and does not know it; what follows from it depends on both.

use std::fmt;
use std::ops::Deref;

use super::{AssociationReflection, ModelReflection, Resolved};
use crate::error::Result;

/// An association of a model. It derefs to the declaration. Given by `Post::reflect_on_association("author")`.
#[derive(Clone, Copy)]
pub struct Reflected {
    model: &'static ModelReflection,
    position: usize,
    declaration: &'static AssociationReflection,
}

impl Reflected {
    pub(crate) fn new(
        model: &'static ModelReflection,
        position: usize,
        declaration: &'static AssociationReflection,
    ) -> Self {
        Self {
            model,
            position,
            declaration,
        }
    }

    /// The model that it is asked of. Rails: `active_record`.
    #[must_use]
    pub fn model(&self) -> &'static ModelReflection {
        self.model
    }

    /// Its place among the associations of the model.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// The declaration, as it was written.
    #[must_use]
    pub fn declaration(&self) -> &'static AssociationReflection {
        self.declaration
    }

    /// The names of the methods that `#[model]` gives a record for it. What goes through one that goes through another is
    /// only read: it has none that set.
    #[must_use]
    pub fn methods(&self) -> Vec<String> {
        let mut methods = self.declaration.methods();
        let way = self.declaration.through;
        let mut all = self.model.reflections().iter();
        if way.is_some_and(|way| all.any(|one| one.name == way && one.through.is_some())) {
            let sets = ["set", "build", "create"].map(|verb| format!("{verb}_{}", self.name));
            methods.retain(|method| !sets.contains(method));
        }
        methods
    }

    /// Keys, target and inverse, worked out once. Never touches the database.
    ///
    /// # Errors
    /// What is wrong with the declaration. Rails: `check_validity!`.
    pub fn resolve(&self) -> Result<&'static Resolved> {
        self.model.resolve(self.position)
    }
}

impl Deref for Reflected {
    type Target = AssociationReflection;

    fn deref(&self) -> &AssociationReflection {
        self.declaration
    }
}

impl fmt::Debug for Reflected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.model.name(), self.declaration.name())
    }
}
