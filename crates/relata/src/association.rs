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
mod each;
mod explain;
mod scope;
mod target;
mod through;
mod write;

use std::panic::Location;

pub use change::Removal;
pub(crate) use each::cut_each;
pub(crate) use scope::{Key, asks_for_one, first_place, targets, targets_of};
pub(crate) use target::{known_one, tie_of};
pub(crate) use write::known;

use crate::deprecation::{self, Why};
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Record, Version};
use crate::reflection::{AssociationReflection, ModelReflection, Resolved};

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
    /// `DeprecatedAssociation`, where it is deprecated and a use is an error.
    #[track_caller]
    pub fn association(&self, name: &str) -> Result<Association> {
        let association = Association::of(self, name)?;
        if deprecation::is_any() {
            association.tell_used(name)?;
        }
        Ok(association)
    }
}

/// What is known of an association of a record. A polymorphic one is what the record's type column says now.
#[inline]
pub(crate) fn resolved_for(owner: &Record, position: usize) -> Result<&'static Resolved> {
    let resolved = owner.reflection().resolve(position)?;
    match resolved.owner_type {
        None => Ok(resolved),
        Some(ty) => resolved.of_name(owner.value(ty.column).as_str()),
    }
}

impl Association {
    /// The association of that name, without a word of it where it is deprecated: for tools that look and do not use it.
    ///
    /// # Errors
    /// `AssociationNotFound` with the nearest name; what is wrong with the declaration.
    pub fn of(owner: &Record, name: &str) -> Result<Self> {
        let position = owner.reflection().association(name);
        Self::at(
            owner,
            position.map_err(|error| error.with_record(owner.clone()))?,
        )
    }

    /// Tells, where it is deprecated or goes through one that is, that a method of it was called: for tools that make
    /// methods of names, as generated code does. Never touches the database.
    ///
    /// # Errors
    /// `DeprecatedAssociation`, where a use is to be one.
    #[track_caller]
    pub fn tell_used(&self, method: &str) -> Result<()> {
        let at = Location::caller();
        deprecation::used_at(at, self.owner.db(), self.resolved, Why::Method(method))
    }

    /// The association at a position of the record's model.
    pub(crate) fn at(owner: &Record, position: usize) -> Result<Self> {
        Ok(Self {
            owner: owner.clone(),
            position,
            resolved: resolved_for(owner, position)?,
        })
    }

    /// The association as it is where it leads to this record: a polymorphic one is another for each model.
    fn towards(&self, target: Option<&Record>) -> Result<Self> {
        let any = self.owner.reflection().resolve(self.position)?;
        let resolved = match target {
            Some(target) => any.of_class(target.reflection())?,
            None => any,
        };
        Ok(Self {
            resolved,
            ..self.clone()
        })
    }

    /// What was known of it when the owner's columns held what they did in a version.
    pub(crate) fn resolved_at(&self, version: Version) -> Result<&'static Resolved> {
        match self.resolved.owner_type {
            None => Ok(self.resolved),
            Some(ty) => {
                let any = self.owner.reflection().resolve(self.position)?;
                any.of_name(self.owner.value_of(ty.column, version).as_str())
            }
        }
    }

    /// The model that it leads to. A polymorphic `belongs_to` without type has none. Rails: `klass`.
    ///
    /// # Errors
    /// `UnknownModel` when the type column of a polymorphic one names no model that is known.
    pub fn klass(&self) -> Result<Option<&'static ModelReflection>> {
        if !self.resolved.is_nowhere() {
            return Ok(Some(self.resolved.target));
        }
        match self
            .resolved
            .owner_type
            .map(|ty| self.owner.value(ty.column))
        {
            Some(name) if name.as_str().is_some_and(|name| !name.is_empty()) => {
                let name = name.as_str().unwrap_or_default();
                Err(self
                    .resolved
                    .unknown_class(name)
                    .with_record(self.owner.clone()))
            }
            _ => Ok(None),
        }
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

    /// Its keys, target and inverse. Of a polymorphic `belongs_to`: those that its type column says now.
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
        if self.reflection().is_polymorphic() {
            let any = self.owner.reflection().resolve(self.position)?;
            return any
                .of_class(record.reflection())
                .map(drop)
                .map_err(|error| error.with_record(self.owner.clone()));
        }
        if record.reflection().is_a(self.resolved.target) {
            return Ok(());
        }
        let (wanted, got) = (self.resolved.target.name(), record.reflection().name());
        Err(self.error(
            ErrorKind::AssociationTypeMismatch,
            format!("{wanted} expected for {self:?}, got {record:?} which is an instance of {got}"),
        ))
    }

    /// Adds to what a search among the targets gave whose and which they are: the model stays the target's, as in Rails.
    pub(crate) fn asked(&self, error: Error) -> Error {
        if !error.is_record_not_found() {
            return error;
        }
        error
            .with_record(self.owner.clone())
            .with_model(self.resolved.target.name())
            .with_attribute(self.reflection().name())
    }

    /// An error about this association.
    pub(crate) fn error(&self, kind: ErrorKind, message: String) -> Error {
        Error::new(kind, message)
            .with_record(self.owner.clone())
            .with_attribute(self.reflection().name())
    }
}
