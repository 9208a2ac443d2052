//! That an association is not to be used any more.

use std::sync::atomic::{AtomicBool, Ordering};

use super::AssociationReflection;
use crate::error::{Error, ErrorKind};
use crate::reflection::ModelReflection;

/// Whether the program has a deprecated association: known once one was resolved, and none is used before.
static ANY: AtomicBool = AtomicBool::new(false);

/// Whether the program has a deprecated association.
#[inline]
pub(crate) fn is_any_deprecated() -> bool {
    ANY.load(Ordering::Relaxed)
}

/// Set in the position of an association whose use is an error: no model has so many, so nothing is found there.
const REFUSED: usize = 1 << (usize::BITS - 1);

/// The position at which a use of the association at that one is an error.
pub(crate) fn refused_position(position: usize) -> usize {
    position | REFUSED
}

/// The position of the association, whether or not its use is an error.
pub(crate) fn allowed_position(position: usize) -> usize {
    position & !REFUSED
}

/// The error at a position where nothing is.
#[cold]
pub(in crate::reflection) fn nothing_at(model: &ModelReflection, position: usize) -> Error {
    let refused = model.reflections().get(allowed_position(position));
    match refused.filter(|one| one.deprecated) {
        Some(one) => {
            let (owner, name) = (model.name(), one.name());
            let message = format!(
                "The association {owner}#{name} is deprecated, the method {name} was invoked"
            );
            Error::new(ErrorKind::DeprecatedAssociation, message)
                .with_model(owner)
                .with_attribute(name)
        }
        None => {
            let message = format!("{} has no association {position}", model.name());
            Error::new(ErrorKind::AssociationNotFound, message)
        }
    }
}

impl AssociationReflection {
    /// Whoever uses the association is told that it is deprecated. Rails: `deprecated: true`.
    #[must_use]
    pub const fn with_deprecated(mut self) -> Self {
        self.deprecated = true;
        self
    }

    /// Whether it is deprecated. Rails: `deprecated?`.
    #[must_use]
    pub fn is_deprecated(&self) -> bool {
        self.deprecated
    }

    /// Notes that it is going to be used.
    pub(in crate::reflection) fn note_deprecated(&self) {
        if self.deprecated {
            ANY.store(true, Ordering::Relaxed);
        }
    }

    /// Whether destroying its owner does something to what it leads to, and it is deprecated.
    pub(in crate::reflection) fn depends_deprecated(&self) -> bool {
        self.deprecated && self.dependent.is_some()
    }

    /// Whether it touches what it leads to, and is deprecated.
    pub(in crate::reflection) fn touches_deprecated(&self) -> bool {
        self.deprecated && self.touch.is_some()
    }
}
