//! A singular association of a record: `post.author()`, `user.profile()`.
//!
//! Invariant: awaiting it asks the database only when memory does not know the target.

use std::future::IntoFuture;
use std::marker::PhantomData;

use super::members::{built, built_or_plain};
use crate::association::{Association, known_one};
use crate::error::{Error, ErrorKind, Result};
use crate::loading;
use crate::model::{FromRecord, Model};
use crate::pending::Pending;
use crate::record::{Linked, Record};
use crate::relation::{Path, Relation};

/// What a singular association gives: a model where it is required, an `Option` of one where it is not.
pub trait Target: Send + Sized + 'static {
    /// The model, or the enum of models.
    type One: FromRecord;

    /// The target as this type.
    ///
    /// # Errors
    /// `missing` when there is none and one is required.
    fn from_found(found: Option<Record>, missing: impl FnOnce() -> Error) -> Result<Self>;
}

impl<M: FromRecord> Target for M {
    type One = M;

    #[inline]
    fn from_found(found: Option<Record>, missing: impl FnOnce() -> Error) -> Result<Self> {
        match found {
            Some(record) => M::cast(record),
            None => Err(missing()),
        }
    }
}

impl<M: FromRecord> Target for Option<M> {
    type One = M;

    #[inline]
    fn from_found(found: Option<Record>, _missing: impl FnOnce() -> Error) -> Result<Self> {
        found.map(M::cast).transpose()
    }
}

/// There is no target, and one is required.
fn missing(association: &Association) -> Error {
    let why = if association.has_key() {
        "its key leads to no row"
    } else {
        "its key is null"
    };
    let message = format!(
        "{association:?} has no target: {why}. If it may be missing, declare `Option<{}>`",
        association.resolved().target.name()
    );
    association.error(ErrorKind::RecordNotFound, message)
}

/// A singular association of one record. Await it for its target.
#[must_use = "nothing is read until it is awaited"]
pub struct Singular<'a, T> {
    owner: &'a Record,
    position: usize,
    target: PhantomData<fn() -> T>,
}

impl<'a, T> Singular<'a, T> {
    /// The association at a position of the owner's model. Called by generated code.
    pub fn new(owner: &'a Record, position: usize) -> Self {
        Self {
            owner,
            position,
            target: PhantomData,
        }
    }

    /// The association, without types.
    ///
    /// # Errors
    /// What is wrong with its declaration.
    pub fn erased(&self) -> Result<Association> {
        Association::at(self.owner, self.position)
    }

    /// Whether memory knows the target, or that there is none. Rails: `association(:author).loaded?`.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.erased()
            .is_ok_and(|association| association.is_loaded())
    }

    /// The SQL that loading it would run. Never touches the database.
    #[must_use]
    pub fn to_sql(&self) -> String {
        self.erased().map_or_else(
            |error| format!("/* {error} */"),
            |association| association.to_sql(),
        )
    }

    /// Forgets the target. Never touches the database. Rails: `reset_author`.
    pub fn reset(&self) {
        if let Ok(association) = self.erased() {
            association.reset();
        }
    }

    /// Whether the owner leads to another target than when it was saved. Rails: `author_changed?`.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.erased()
            .is_ok_and(|association| association.is_changed())
    }

    /// Whether the last save made the owner lead to another target. Rails: `author_previously_changed?`.
    #[must_use]
    pub fn was_changed(&self) -> bool {
        self.erased()
            .is_ok_and(|association| association.was_changed())
    }
}

impl<T: Target> Singular<'_, T> {
    /// The target, if memory knows it. Never touches the database.
    #[must_use]
    pub fn loaded(&self) -> Option<T::One> {
        match self.erased().ok()?.known_one() {
            Linked::Known(Some(record)) => T::One::cast(record).ok(),
            _ => None,
        }
    }

    /// Reads the target again. Rails: `reload_author`.
    ///
    /// `SELECT "people".* FROM "people" WHERE "people"."id" = ? LIMIT 1`
    ///
    /// Errors: `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn reload(&self) -> Pending<T> {
        self.reset();
        self.load()
    }

    /// The target, from memory or from the database.
    ///
    /// `SELECT "people".* FROM "people" WHERE "people"."id" = ? LIMIT 1`
    ///
    /// Errors: `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn load(&self) -> Pending<T> {
        match known_one(self.owner, self.position) {
            Linked::Known(found) => Pending::ready(T::from_found(found, || self.missing())),
            Linked::Unknown => self.ask(),
        }
    }

    #[track_caller]
    #[inline(never)]
    fn ask(&self) -> Pending<T> {
        let association = match self.erased() {
            Ok(association) => association,
            Err(error) => return Pending::ready(Err(error)),
        };
        Pending::new(async move {
            let found = loading::load_one(&association).await?;
            T::from_found(found, || missing(&association))
        })
    }

    #[cold]
    fn missing(&self) -> Error {
        self.erased()
            .map_or_else(|error| error, |association| missing(&association))
    }

    /// Makes a record the target, in memory. A `belongs_to`'s owner takes its key; a `has_one` is saved with its owner,
    /// and what it led to before is removed then. Where it cannot be set, as what goes through others that are only read,
    /// the owner's next save says so. Never touches the database. Rails: `author=`.
    pub fn set(&self, target: Option<&T::One>) {
        let target = target.map(FromRecord::as_record);
        let put = self
            .erased()
            .and_then(|association| association.put(target));
        if let Err(error) = put {
            self.owner.refuse_at_save(error);
        }
    }

    /// Makes a record the target, and saves. Of a `has_one`, the target that was there leaves with its key set to null
    /// and the new one is saved, both or none; of a new owner it waits in memory. Of a `belongs_to`, the owner is saved; where
    /// that fails, the target stays set and unsaved. Rails: `profile=`.
    ///
    /// `UPDATE "profiles" SET "person_id" = ? WHERE "profiles"."id" = ?` for who leaves and for who comes.
    ///
    /// Errors: `RecordNotSaved` when the old target cannot be without its owner, or the new one is not valid; what the
    /// database says.
    #[track_caller]
    pub fn replace<'m>(&self, target: impl Into<Option<&'m T::One>>) -> Pending<()> {
        let target = target.into().map(FromRecord::as_record);
        match self.erased() {
            Ok(association) => association.replace_one(target),
            Err(error) => Pending::ready(Err(error)),
        }
    }
}

impl<T: Target> Singular<'_, T>
where
    T::One: Model,
{
    /// The target and what an association leads to from it, to any depth, as a relation: all that is above a record of a tree,
    /// as `category.parent().with_recursive(|c| c.parent)`. It asks the database each time. See
    /// [`Relation::with_recursive`]. Rails: `with_recursive`.
    pub fn with_recursive(
        &self,
        over: impl FnOnce(&'static <T::One as Model>::Columns) -> Path<T::One>,
    ) -> Relation<T::One> {
        match self.erased() {
            Ok(one) => Relation::from_core(one.relation().into_core()).with_recursive(over),
            // A wrong declaration gives its error where the relation is run.
            Err(error) => T::One::all(self.owner.db()).refuse(error),
        }
    }

    /// A new target with values, linked and not saved. A `belongs_to`'s owner loses its key until the target is saved;
    /// what a `has_one` of a saved owner led to before is removed when the owner is saved. Where it cannot be linked, the
    /// owner's next save says so. Never touches the database. Rails: `build_author`.
    pub fn build(&self, set: impl FnOnce(&T::One) -> &T::One) -> T::One {
        let association = match self.erased() {
            Ok(association) => association,
            // The record is made all the same, for this gives no error.
            Err(error) => {
                self.owner.refuse_at_save(error);
                return T::One::build(self.owner.db(), set);
            }
        };
        let target: T::One = built_or_plain(&association, set);
        if let Err(error) = association.put(Some(&target)) {
            self.owner.refuse_at_save(error);
        }
        target
    }

    /// A new target with values, saved and linked. What a `has_one` led to before leaves, with its key set to null.
    /// Rails: `create_author!`.
    ///
    /// `INSERT INTO "profiles" ("person_id") VALUES (?)`
    ///
    /// Errors: `RecordNotSaved` on a new owner of a `has_one`; `RecordInvalid`, in which case it is linked all the same.
    #[track_caller]
    pub fn create(&self, set: impl FnOnce(&T::One) -> &T::One) -> Pending<T::One> {
        let built = self
            .erased()
            .and_then(|association| Ok((built::<T::One>(&association, set)?, association)));
        Pending::new(async move {
            let (target, association) = built?;
            association.create_one(&target).await?;
            Ok(target)
        })
    }
}

impl<T: Target> IntoFuture for Singular<'_, T> {
    type Output = Result<T>;
    type IntoFuture = Pending<T>;

    #[track_caller]
    fn into_future(self) -> Pending<T> {
        self.load()
    }
}

impl<T: Target> std::fmt::Debug for Singular<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.erased() {
            Ok(association) => write!(
                f,
                "{association:?} ({})",
                if association.is_loaded() {
                    "loaded"
                } else {
                    "not loaded"
                }
            ),
            Err(error) => write!(f, "{error}"),
        }
    }
}
