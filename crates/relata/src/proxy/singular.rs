//! A singular association of a record: `post.author()`, `user.profile()`.
//!
//! Invariant: awaiting it asks the database only when memory does not know the target.

use std::future::IntoFuture;
use std::marker::PhantomData;

use crate::association::{Association, known_one};
use crate::error::{Error, ErrorKind, Result};
use crate::loading;
use crate::model::{Model, typed};
use crate::pending::Pending;
use crate::record::{Linked, Record};

/// What a singular association gives: a model where it is required, an `Option` of one where it is not.
pub trait Target: Send + Sized + 'static {
    /// The model.
    type Model: Model;

    /// The target as this type.
    ///
    /// # Errors
    /// `missing` when there is none and one is required.
    fn from_found(found: Option<Record>, missing: impl FnOnce() -> Error) -> Result<Self>;
}

impl<M: Model> Target for M {
    type Model = M;

    #[inline]
    fn from_found(found: Option<Record>, missing: impl FnOnce() -> Error) -> Result<Self> {
        match found {
            Some(record) => M::from_record(record),
            None => Err(missing()),
        }
    }
}

impl<M: Model> Target for Option<M> {
    type Model = M;

    #[inline]
    fn from_found(found: Option<Record>, _missing: impl FnOnce() -> Error) -> Result<Self> {
        found.map(M::from_record).transpose()
    }
}

/// There is no target, and one is required.
fn missing(association: &Association) -> Error {
    let message = format!(
        "{association:?} has no target: it is required by its declaration, and {} has none",
        if association.has_key() {
            "the row it refers to is not there; the table"
        } else {
            "its key is null; the record"
        }
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
        self.erased().is_ok_and(|association| {
            let moved = association
                .resolved()
                .owner_key
                .iter()
                .any(|&column| self.owner.column_changed(column));
            moved || (!association.has_key() && association.unsaved_target().is_some())
        })
    }

    /// Whether the last save made the owner lead to another target. Rails: `author_previously_changed?`.
    #[must_use]
    pub fn was_changed(&self) -> bool {
        self.erased().is_ok_and(|association| {
            let columns = self.owner.reflection().columns();
            let saved = self.owner.saved_changes();
            association.resolved().owner_key.iter().any(|&column| {
                saved
                    .iter()
                    .any(|(name, ..)| *name == columns[column].name())
            })
        })
    }
}

impl<T: Target> Singular<'_, T> {
    /// The target, if memory knows it. Never touches the database.
    #[must_use]
    pub fn loaded(&self) -> Option<T::Model> {
        match self.erased().ok()?.known_one() {
            Linked::Known(Some(record)) => T::Model::from_record(record).ok(),
            _ => None,
        }
    }

    /// Reads the target again. Rails: `reload_author`.
    #[track_caller]
    pub fn reload(&self) -> Pending<T> {
        self.reset();
        self.load()
    }

    /// The target, from memory or from the database.
    #[track_caller]
    pub fn load(&self) -> Pending<T> {
        match known_one(self.owner, self.position) {
            Linked::Known(found) => Pending::ready(T::from_found(found, || self.missing())),
            Linked::Unknown => self.ask(),
        }
    }

    #[track_caller]
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

    /// A new target with values, linked and not saved. A `belongs_to`'s owner loses its key until the target is
    /// saved. Never touches the database. Rails: `build_author`.
    pub fn build(&self, set: impl FnOnce(&T::Model) -> &T::Model) -> T::Model {
        let association = match self.erased() {
            Ok(association) => association,
            // The declaration is wrong: the record is made, and saving says what is wrong.
            Err(_) => return T::Model::build(self.owner.db(), set),
        };
        let record = association
            .build_target()
            .unwrap_or_else(|_| Record::new(T::Model::reflection(), self.owner.db()));
        let target: T::Model = typed(record);
        set(&target);
        let linked = if association.is_belongs_to() {
            association.assign(Some(&target))
        } else {
            association.link(Some(&target));
            association.own(&target);
            association.give_key_to(&target)
        };
        // A key that cannot be copied is found again when the record is saved.
        let _ = linked;
        target
    }

    /// A new target with values, saved and linked. Rails: `create_author!`.
    #[track_caller]
    pub fn create(&self, set: impl FnOnce(&T::Model) -> &T::Model) -> Pending<T::Model> {
        let built = self.erased().and_then(|association| {
            let target: T::Model = typed(association.build_target()?);
            set(&target);
            Ok((association, target))
        });
        Pending::new(async move {
            let (association, target) = built?;
            association.create_singular((*target).clone()).await?;
            Ok(target)
        })
    }

    /// Makes a record the target, in memory. A `belongs_to`'s owner takes its key. Nothing is saved.
    /// Rails: `author=`.
    pub fn set(&self, target: Option<&T::Model>) {
        let Ok(association) = self.erased() else {
            return;
        };
        let target = target.map(|target| &**target);
        let linked = if association.is_belongs_to() {
            association.assign(target)
        } else {
            association.link(target);
            match target {
                Some(target) => {
                    association.own(target);
                    association.give_key_to(target)
                }
                None => Ok(()),
            }
        };
        // The types of both keys were checked when the program was compiled.
        let _: Result<(), Error> = linked;
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
