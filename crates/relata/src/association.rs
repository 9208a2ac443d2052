//! Associations: one declaration, on one record.
//!
//! An association answers a few questions, for every kind alike: which query finds the targets of these owners,
//! which of them belongs to which owner, what is known already, and what a write would do. It never asks the
//! database and never writes: loading and persistence do.
//!
//! Invariant: only here is (association, owners) turned into a query, and only here is it decided what linking two
//! records means for their keys and for the other side.

mod change;
mod counter;
mod scope;
mod target;
mod write;

pub use change::Removal;
pub(crate) use scope::{Key, targets, targets_of};
pub(crate) use target::{known_one, tie_of};
pub(crate) use write::known;

use crate::error::{Error, ErrorKind, Result};
use crate::record::Record;
use crate::reflection::{AssociationReflection, Resolved};

/// An association of one record, untyped. `post.association("author")`.
///
/// Cheap: a handle to the record, and a position.
#[derive(Clone)]
pub struct Association {
    owner: Record,
    position: usize,
    resolved: &'static Resolved,
}

impl std::fmt::Debug for Association {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}.{}",
            self.owner.reflection().name(),
            self.reflection().name()
        )
    }
}

impl Record {
    /// The association of that name. Never touches the database. Rails: `association(:author)`.
    ///
    /// # Errors
    /// `AssociationNotFound` with the nearest name; what is wrong with the declaration.
    pub fn association(&self, name: &str) -> Result<Association> {
        let position = self
            .reflection()
            .association(name)
            .map_err(|error| error.with_record(self.clone()))?;
        Association::at(self, position)
    }
}

impl Association {
    /// The association at a position of the record's model.
    pub(crate) fn at(owner: &Record, position: usize) -> Result<Self> {
        let resolved = owner.reflection().resolve(position)?;
        Ok(Self {
            owner: owner.clone(),
            position,
            resolved,
        })
    }

    /// The record it is on. Rails: `owner`.
    #[must_use]
    pub fn owner(&self) -> &Record {
        &self.owner
    }

    /// Its declaration. Rails: `reflection`.
    #[must_use]
    pub fn reflection(&self) -> &'static AssociationReflection {
        self.resolved.declaration()
    }

    /// Its keys, target and inverse.
    #[must_use]
    pub fn resolved(&self) -> &'static Resolved {
        self.resolved
    }

    pub(crate) fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn is_belongs_to(&self) -> bool {
        self.reflection().is_belongs_to()
    }

    /// Refuses a record that is not one of the target's model.
    pub(crate) fn check_target(&self, record: &Record) -> Result<()> {
        if record.reflection() == self.resolved.target {
            return Ok(());
        }
        let (wanted, got) = (self.resolved.target.name(), record.reflection().name());
        Err(Error::new(
            ErrorKind::AssociationTypeMismatch,
            format!("{wanted} expected for {self:?}, got {record:?} which is an instance of {got}"),
        )
        .with_model(self.owner.reflection().name())
        .with_attribute(self.reflection().name()))
    }

    /// An error about this association.
    pub(crate) fn error(&self, kind: ErrorKind, message: String) -> Error {
        Error::new(kind, message)
            .with_record(self.owner.clone())
            .with_attribute(self.reflection().name())
    }
}
