//! Writing through a collection: `post.comments().push(...)`.
//!
//! Invariant: what is done to an owner that is not saved is done in memory, and saved with it.

use super::Collection;
use super::collection::all;
use crate::association::{Association, Removal};
use crate::attribute::value::Value;
use crate::error::Result;
use crate::model::{Key, Model, typed};
use crate::pending::Pending;
use crate::persistence::InsertAll;
use crate::record::Record;
use crate::reflection::allowed_position;
use crate::sql::Expr;

fn records<'m, M: Model>(members: impl IntoIterator<Item = &'m M>) -> Vec<Record> {
    let members = members.into_iter();
    members.map(|member| (**member).clone()).collect()
}

fn keys<M: Model, K: Into<M::Key>>(keys: impl IntoIterator<Item = K>) -> Vec<Vec<Value<'static>>> {
    keys.into_iter().map(|key| key.into().values()).collect()
}

/// A new target with values.
pub(super) fn built<M: Model>(association: &Association, set: impl FnOnce(&M) -> &M) -> Result<M> {
    let record = association.build_target(|record| {
        set(&typed(record.clone()));
    });
    record.map(typed)
}

/// The same; without what the scope says, where that is impossible: the owner's next save says why.
pub(super) fn built_or_plain<M: Model>(association: &Association, set: impl FnOnce(&M) -> &M) -> M {
    let (mut set, db) = (Some(set), association.owner().db());
    let built = built(association, |model: &M| match set.take() {
        Some(set) => set(model),
        None => model,
    });
    let error = match built {
        Ok(model) => return model,
        Err(error) => error,
    };
    association.owner().refuse_at_save(error);
    match set {
        Some(set) => M::build(db, set),
        None => M::new(db),
    }
}

impl<M: Model> Collection<'_, M> {
    /// A new member with values, not saved: it is saved with its owner. Where it cannot be one, for `before_add` gives an
    /// error or the association is only read, the owner's next save says so. Never touches the database. Rails: `build`.
    pub fn build(&self, set: impl FnOnce(&M) -> &M) -> M {
        // What is deprecated is built all the same, for this gives no error.
        let allowed = |_| Association::at(self.owner, allowed_position(self.position()));
        let association = match self.erased().or_else(allowed) {
            Ok(association) => association,
            Err(error) => {
                self.owner.refuse_at_save(error);
                return M::build(self.owner.db(), set);
            }
        };
        let member = built_or_plain(&association, set);
        if let Err(error) = association.add(&member) {
            self.owner.refuse_at_save(error);
        }
        member
    }

    /// A new member with values, saved. The owner must be saved. Rails: `create!`.
    ///
    /// `INSERT INTO "posts" ("title", "person_id") VALUES (?, ?)`
    ///
    /// Errors: `RecordNotSaved` on a new owner; what saving says, in which case it is no member.
    #[track_caller]
    pub fn create(&self, set: impl FnOnce(&M) -> &M) -> Pending<M> {
        let built = self
            .erased()
            .and_then(|association| Ok((built::<M>(&association, set)?, association)));
        Pending::new(async move {
            let (member, association) = built?;
            association.create_member(&member).await?;
            Ok(member)
        })
    }

    /// The first member for which the condition holds; else a new one that is what the condition says, with more values,
    /// saved. Rails: `find_or_create_by!`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ? AND "posts"."title" = ? LIMIT 1`, and an INSERT where there is none.
    ///
    /// Errors: as [`create`](Self::create).
    #[track_caller]
    pub fn find_or_create_by<E: Into<Expr>>(
        &self,
        condition: impl FnOnce(&'static M::Columns) -> E,
        set: impl FnOnce(&M) -> &M,
    ) -> Pending<M> {
        self.all().find_or_create_by(condition, set)
    }

    /// The first member for which the condition holds; else a new one that is what the condition says, with more values,
    /// not saved: a member that is saved with the owner. Rails: `find_or_initialize_by`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ? AND "posts"."title" = ? LIMIT 1`
    ///
    /// Errors: [those of reading](crate::Pending#errors); a `before_add`'s own.
    #[track_caller]
    pub fn find_or_initialize_by<E: Into<Expr>>(
        &self,
        condition: impl FnOnce(&'static M::Columns) -> E,
        set: impl FnOnce(&M) -> &M,
    ) -> Pending<M> {
        self.all().find_or_initialize_by(condition, set)
    }

    /// A new member that is what the condition says, with more values, saved; if a unique index refuses it, the member that
    /// is there. For where it is mostly new. Rails: `create_or_find_by!`.
    ///
    /// SQL: `INSERT`, between `SAVEPOINT` and `RELEASE`; where it is refused `SELECT ... WHERE "posts"."author_id"
    /// = ? AND ... LIMIT 1`.
    ///
    /// Errors: `RecordNotFound` when the row that was in the way is no member for which the condition holds; else as
    /// [`create`](Self::create).
    #[track_caller]
    pub fn create_or_find_by<E: Into<Expr>>(
        &self,
        condition: impl FnOnce(&'static M::Columns) -> E,
        set: impl FnOnce(&M) -> &M,
    ) -> Pending<M> {
        self.all().create_or_find_by(condition, set)
    }

    /// The first member, as [`first`](Self::first) gives it, those that are not saved among them; else a new one with
    /// values, saved. Rails: `first_or_create!`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ? ORDER BY "posts"."id" ASC LIMIT 1`, and an INSERT where
    /// there is none.
    ///
    /// Errors: as [`first`](Self::first) and [`create`](Self::create).
    #[track_caller]
    pub fn first_or_create(&self, set: impl FnOnce(&M) -> &M) -> Pending<M> {
        let first = self.first();
        self.all().or_create(first, set)
    }

    /// The first member, as [`first`](Self::first) gives it; else a new one with values, a member that is saved with the
    /// owner. Rails: `first_or_initialize`.
    ///
    /// SQL: as [`first`](Self::first).
    ///
    /// Errors: as [`first`](Self::first); a `before_add`'s own.
    #[track_caller]
    pub fn first_or_initialize(&self, set: impl FnOnce(&M) -> &M) -> Pending<M> {
        let first = self.first();
        self.all().or_initialize(first, set)
    }

    /// Adds a record. On a saved owner it is saved with its new key; on a new owner it waits for the owner.
    /// Rails: `<<`.
    ///
    /// `INSERT INTO "posts" ("title", "person_id") VALUES (?, ?)`, or an UPDATE of the key of what is saved.
    ///
    /// Errors: what saving says; the record stays in memory as a member then.
    #[track_caller]
    pub fn push(&self, member: &M) -> Pending<()> {
        self.concat([member])
    }

    /// Adds records, all or none. Rails: `concat`.
    ///
    /// The statement is that of [`push`](Self::push).
    ///
    /// Errors: what saving says of the first that cannot be saved; all stay in memory as members then.
    #[track_caller]
    pub fn concat<'m>(&self, members: impl IntoIterator<Item = &'m M>) -> Pending<()> {
        let members = records(members);
        self.writing(|association| association.concat(members))
    }

    /// Makes these the members. On a saved owner, those that are missing leave and new ones are saved, all or none, and
    /// nothing is written where nothing changes; on a new owner it waits for the owner. Rails: `comments=`, `replace`.
    ///
    /// The statements are those of [`delete`](Self::delete) for who leaves and of [`push`](Self::push) for who comes.
    ///
    /// Errors: `RecordNotSaved` when a new member is not valid; `NotNullViolation` when the key of one that leaves cannot
    /// be null; what the database says.
    #[track_caller]
    pub fn replace<'m>(&self, members: impl IntoIterator<Item = &'m M>) -> Pending<()> {
        let members = records(members);
        self.writing(|association| association.replace_many(members))
    }

    /// Makes the records with these keys the members: one SELECT for them, then as [`replace`](Self::replace).
    /// Rails: `comment_ids=`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."id" IN (?, ?)`
    ///
    /// Errors: `RecordNotFound` naming those that are missing; else as [`replace`](Self::replace).
    #[track_caller]
    pub fn replace_ids<K: Into<M::Key>>(&self, ids: impl IntoIterator<Item = K>) -> Pending<()> {
        let ids = keys::<M, K>(ids);
        self.writing(|association| association.replace_ids(ids))
    }

    /// Takes records out: one UPDATE sets their keys to null. Rails: `delete`.
    ///
    /// `UPDATE "posts" SET "person_id" = ? WHERE "posts"."person_id" = ? AND "posts"."id" IN (?, ?)`
    ///
    /// Errors: `NotNullViolation` when the key cannot be null; what the database says.
    #[track_caller]
    pub fn delete<'m>(&self, members: impl IntoIterator<Item = &'m M>) -> Pending<()> {
        let members = records(members);
        self.taking(|association| association.delete(members))
    }

    /// Takes the members with these keys out, and gives them. Rails: `delete(1, 2)`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ? AND "posts"."id" IN (?, ?)`, then as [`delete`](Self::delete).
    ///
    /// Errors: `RecordNotFound` for one that is not a member; else as [`delete`](Self::delete).
    #[track_caller]
    pub fn delete_ids<K: Into<M::Key>>(&self, ids: impl IntoIterator<Item = K>) -> Pending<Vec<M>> {
        let ids = keys::<M, K>(ids);
        let association = self.erased();
        Pending::new(async move { all(association?.delete_keys(ids).await?) })
    }

    /// Destroys records, all or none, and takes them out. Rails: `destroy`.
    ///
    /// `DELETE FROM "posts" WHERE "posts"."id" = ?` for each.
    ///
    /// Errors: what destroying says.
    #[track_caller]
    pub fn destroy<'m>(&self, members: impl IntoIterator<Item = &'m M>) -> Pending<()> {
        let members = records(members);
        self.taking(|association| association.destroy(members))
    }

    /// Destroys the members with these keys, all or none, and gives them. Rails: `destroy(1, 2)`.
    ///
    /// SQL: as [`find_many`](Self::find_many), then a `DELETE` for each and what its own callbacks and dependents
    /// send, in one transaction.
    ///
    /// Errors: `RecordNotFound` for one that is not a member; else as [`destroy`](Self::destroy).
    #[track_caller]
    pub fn destroy_ids<K: Into<M::Key>>(
        &self,
        ids: impl IntoIterator<Item = K>,
    ) -> Pending<Vec<M>> {
        let ids = keys::<M, K>(ids);
        let association = self.erased();
        Pending::new(async move { all(association?.destroy_keys(ids).await?) })
    }

    /// Takes all members out with one UPDATE that sets their keys to null, and loads none. The collection is loaded and
    /// empty then. Gives the number of rows. Rails: `delete_all`.
    ///
    /// `UPDATE "posts" SET "person_id" = ? WHERE "posts"."person_id" = ?`
    ///
    /// Errors: `NotNullViolation` when the key cannot be null; what the database says.
    #[track_caller]
    pub fn delete_all(&self) -> Pending<u64> {
        match self.erased() {
            Ok(association) => association.delete_all(),
            Err(error) => Pending::ready(Err(error)),
        }
    }

    /// Takes all members out in this way, whatever the association's own is. Rails: `delete_all(:delete_all)`.
    ///
    /// SQL: `UPDATE "posts" SET "author_id" = NULL WHERE "posts"."author_id" = ?`, or `DELETE FROM "posts" WHERE
    /// "posts"."author_id" = ?`; of a through, the `DELETE` of the rows between.
    ///
    /// Errors: as [`delete_all`](Self::delete_all).
    #[track_caller]
    pub fn delete_all_with(&self, removal: Removal) -> Pending<u64> {
        match self.erased() {
            Ok(association) => association.delete_all_with(removal),
            Err(error) => Pending::ready(Err(error)),
        }
    }

    /// Loads the members and destroys each, all or none. The collection is loaded and empty then. Gives the records.
    /// Rails: `destroy_all`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ?`, where they are not loaded; then `DELETE FROM "posts" WHERE "posts"."id" = ?` for each.
    ///
    /// Errors: what destroying says.
    #[track_caller]
    pub fn destroy_all(&self) -> Pending<Vec<M>> {
        let association = self.erased();
        Pending::new(async move { all(association?.destroy_all().await?) })
    }

    /// As [`delete_all`](Self::delete_all). Rails: `clear`.
    ///
    /// SQL: as [`delete_all`](Self::delete_all).
    ///
    /// Errors: as [`delete_all`](Self::delete_all).
    #[track_caller]
    pub fn clear(&self) -> Pending<()> {
        self.writing(|association| association.clear())
    }

    /// Inserts records' values as rows of this owner with one statement, without validating them; the members are read
    /// again when they are next asked for. Rails: `insert_all!`.
    pub fn insert_all<'m>(&self, rows: impl IntoIterator<Item = &'m M>) -> InsertAll<M> {
        self.all().insert_all(rows)
    }

    #[track_caller]
    fn writing(&self, write: impl FnOnce(Association) -> Pending<()>) -> Pending<()> {
        let written = self.erased().map(write);
        Pending::new(async move { written?.await })
    }

    #[track_caller]
    fn taking(&self, take: impl FnOnce(Association) -> Pending<Vec<Record>>) -> Pending<()> {
        let taken = self.erased().map(take);
        Pending::new(async move { taken?.await.map(drop) })
    }
}
