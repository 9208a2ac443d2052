//! What can be done with an association by name, on records without types.
//!
//! Invariant: the same lower rooms as the typed proxies, so the two cannot differ.

use crate::association::Association;
use crate::error::{ErrorKind, Result};
use crate::loading;
use crate::pending::Pending;
use crate::record::Record;

impl Association {
    /// The target of a singular association, from memory or from the database. Rails: `post.author`.
    ///
    /// `SELECT "people".* FROM "people" WHERE "people"."id" = ? LIMIT 1`
    ///
    /// Errors: `Argument` for a collection; `StrictLoadingViolation`; what the database says.
    #[track_caller]
    pub fn load_one(&self) -> Pending<Option<Record>> {
        let association = self.clone();
        Pending::new(async move {
            association.must_be(false, "load_many")?;
            loading::load_one(&association).await
        })
    }

    /// The members of a collection, from memory or from the database. Rails: `post.comments.load`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ?`
    ///
    /// Errors: `Argument` for a singular association; `StrictLoadingViolation`; what the database says.
    #[track_caller]
    pub fn load_many(&self) -> Pending<Vec<Record>> {
        let association = self.clone();
        Pending::new(async move {
            association.must_be(true, "load_one")?;
            loading::load_many(&association).await
        })
    }

    /// Makes a record the target of a singular association, in memory. What a `has_one` of a saved owner led to before is
    /// removed when the owner is saved. Never touches the database. Rails: `post.author = ann`.
    ///
    /// # Errors
    /// `AssociationTypeMismatch` for a record of another model; `Argument` for a collection; `ReadonlyAttribute` where a
    /// saved owner keeps its key.
    pub fn set_target(&self, target: Option<&Record>) -> Result<()> {
        self.must_be(false, "replace")?;
        if let Some(column) = self.kept_key(target) {
            return Err(self.owner().kept(column));
        }
        self.put(target)
    }

    /// A new member or target, linked and not saved. What a `has_one` of a saved owner led to before is removed when the
    /// owner is saved. Never touches the database. Rails: `build`.
    ///
    /// # Errors
    /// What the scope's values or the key make impossible.
    pub fn build(&self) -> Result<Record> {
        let target = self.build_target(|_| {})?;
        if self.reflection().is_collection() {
            self.add(&target)?;
        } else {
            self.put(Some(&target))?;
        }
        Ok(target)
    }

    /// The first member, those that are not saved among them; else a new one with values, saved. Rails: `first_or_create!`.
    ///
    /// SQL: as [`first`](Self::first), and where there is none, as [`create_member`](Self::create_member).
    ///
    /// Errors: as [`first`](Self::first) and [`create_member`](Self::create_member).
    #[track_caller]
    pub fn first_or_create(&self, set: impl FnOnce(&Record) -> &Record) -> Pending<Record> {
        let first = self.first();
        self.relation().or_create(first, set)
    }

    /// The first member, those that are not saved among them; else a new one with values, a member that is saved with the
    /// owner. Rails: `first_or_initialize`.
    ///
    /// SQL: as [`first`](Self::first).
    ///
    /// Errors: as [`first`](Self::first); a `before_add`'s own.
    #[track_caller]
    pub fn first_or_initialize(&self, set: impl FnOnce(&Record) -> &Record) -> Pending<Record> {
        let first = self.first();
        self.relation().or_initialize(first, set)
    }

    /// Forgets the target and reads it again. Rails: `reload_author`, `post.comments.reload`.
    ///
    /// The statement is that of [`load_one`](Self::load_one) or [`load_many`](Self::load_many).
    ///
    /// Errors: as [`load_many`](Self::load_many).
    #[track_caller]
    pub fn reload(&self) -> Pending<()> {
        self.reset();
        let association = self.clone();
        Pending::new(async move {
            if association.reflection().is_collection() {
                loading::load_many(&association).await.map(drop)
            } else {
                loading::load_one(&association).await.map(drop)
            }
        })
    }

    /// Adds a new record, made with `build_member`, to a collection, in memory: it is saved with its owner. Whether it
    /// was taken: a `before_add` may leave it out. Rails: what `build` does with it.
    ///
    /// # Errors
    /// `AssociationTypeMismatch`; `Argument` for a singular association; a callback's own.
    pub fn add_member(&self, member: &Record) -> Result<bool> {
        self.must_be(true, "set_target")?;
        self.add(member)
    }

    /// Adds a record to what memory knows of a collection, and nothing else: neither its key nor its row changes. Never
    /// touches the database. Rails: `add_to_target`.
    ///
    /// # Errors
    /// `AssociationTypeMismatch`; `Argument` for a singular association.
    pub fn add_to_target(&self, member: &Record) -> Result<()> {
        self.must_be(true, "set_target")?;
        self.check_target(member)?;
        self.own(member);
        self.remember(member);
        Ok(())
    }

    /// Whether the owner leads to another target than when it was saved. Of a `belongs_to`. Never touches the database.
    /// Rails: `author_changed?`.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        let moved = self
            .resolved()
            .owner_columns
            .iter()
            .any(|&column| self.owner().column_changed(column));
        self.is_belongs_to() && (moved || !self.has_key() && self.unsaved_target().is_some())
    }

    /// Whether the last save made the owner lead to another target. Of a `belongs_to`. Never touches the database.
    /// Rails: `author_previously_changed?`.
    #[must_use]
    pub fn was_changed(&self) -> bool {
        let columns = self.owner().reflection().columns();
        let saved = self.owner().saved_changes();
        let names = self.resolved().owner_columns.iter();
        let mut names = names.filter_map(|&column| columns.get(column));
        self.is_belongs_to()
            && names.any(|column| saved.iter().any(|(name, ..)| *name == column.name()))
    }

    /// Refuses an association of the other sort, with the method that is its own.
    pub(crate) fn must_be(&self, collection: bool, counterpart: &str) -> Result<()> {
        if self.reflection().is_collection() == collection {
            return Ok(());
        }
        let is = match collection {
            true => "is singular",
            false => "is a collection",
        };
        Err(self.error(
            ErrorKind::Argument,
            format!("{self:?} {is}: call {counterpart}"),
        ))
    }
}
