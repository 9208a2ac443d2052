//! Making records through a relation, if need be: they are what its conditions say.
//!
//! Invariant: a record that was found is given as it is; the values for a new one are taken before it is known whether
//! it is needed, so nothing of the caller's is kept.

use super::save::save;
use crate::association::Association;
use crate::attribute::value::Value;
use crate::db::adapter::Purpose;
use crate::error::{Error, Result};
use crate::loading;
use crate::model::{FromRecord, Model};
use crate::pending::Pending;
use crate::record::Record;
use crate::relation::{Core, Relation};
use crate::sql::Expr;

impl<M> Relation<M> {
    /// A new record that is what the relation's conditions say by equality, and `create_with`. Of a relation chained from
    /// a collection, it knows its owner, and is not a member yet. Never touches the database.
    ///
    /// # Errors
    /// `InvalidValue` for a value that the column cannot hold.
    pub fn build_record(&self) -> Result<Record> {
        self.initialized(|_| {})
    }

    /// A new record with what the conditions say and with values, not saved. Of a relation chained from a collection it is
    /// a member in memory, and is saved with the owner. Never touches the database. Rails: `build`.
    ///
    /// # Errors
    /// As [`build_record`](Self::build_record); a `before_add`'s own.
    pub fn build_member(&self, set: impl FnOnce(&Record)) -> Result<Record> {
        let record = self.initialized(set)?;
        if let Some(association) = collection(self.core())? {
            association.add(&record)?;
        }
        Ok(record)
    }

    /// A new record with what the conditions say, then what `set` says; then what runs after initializing runs.
    fn initialized(&self, set: impl FnOnce(&Record)) -> Result<Record> {
        let record = Record::blank(self.reflection(), self.db()).with_defaults();
        self.give_values_to(&record)?;
        if let Some(association) = collection(self.core())? {
            association.give_key_to(&record)?;
            association.own(&record);
        }
        set(&record);
        Ok(record.initialized())
    }

    /// Saves a record that was built for the relation; of a relation chained from a collection, it becomes a member.
    /// Rails: `create!`.
    ///
    /// `INSERT INTO "posts" ("title") VALUES (?)`
    ///
    /// Errors: what saving says; `RecordNotSaved` on a collection of a new owner.
    #[track_caller]
    pub fn create_record(&self, record: &Record) -> Pending<()> {
        let (core, record) = (self.core().clone(), record.clone());
        Pending::new(async move { create(&core, &record).await })
    }
}

impl<M: Model> Relation<M> {
    /// A new record that is what the conditions say by equality, with values. Of a relation chained from a collection it
    /// is a member, saved with its owner. Where it cannot be what the conditions say, its next save says so; where it cannot
    /// be a member, its owner's. Never touches the database. Rails: `where(kind: 1).new`.
    pub fn build(&self, set: impl FnOnce(&M) -> &M) -> M {
        let member = self.made(set).unwrap_or_else(|error| {
            let plain = M::new(self.db());
            plain.refuse_at_save(error);
            plain
        });
        match collection(self.core()) {
            Ok(Some(association)) => {
                if let Err(error) = association.add(&member) {
                    association.owner().refuse_at_save(error);
                }
            }
            Ok(None) => {}
            Err(error) => member.refuse_at_save(error),
        }
        member
    }

    /// A new record that is what the conditions say by equality, with values, saved. Rails: `where(kind: 1).create!`.
    ///
    /// `INSERT INTO "posts" ("title") VALUES (?)`
    ///
    /// Errors: what saving says.
    #[track_caller]
    pub fn create(&self, set: impl FnOnce(&M) -> &M) -> Pending<M> {
        let made = self.made(set);
        let core = self.core().clone();
        Pending::new(async move {
            let made = made?;
            create(&core, &made).await?;
            Ok(made)
        })
    }

    /// The first record for which the condition holds; else a new one that is what the condition says, with more values,
    /// saved. When another makes it meanwhile, theirs is found. Rails: `find_or_create_by!`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."title" = ? LIMIT 1`, and an INSERT where there is none.
    ///
    /// ```
    /// # use relata::{Db, Model, model};
    /// # #[model] pub struct Tag { id: i64, name: String, uses: i64 }
    /// # relata::run(async {
    /// # let db = Db::connect("sqlite::memory:").await?;
    /// # db.create_tables([Tag::reflection()]).await?;
    /// let rust = Tag::all(&db).find_or_create_by(|t| t.name.eq("rust"), |t| t.set_uses(0)).await?;
    /// assert!(Tag::all(&db).find_or_create_by(|t| t.name.eq("rust"), |t| t).await? == rust);
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// Errors: what saving says.
    #[track_caller]
    pub fn find_or_create_by<E: Into<Expr>>(
        &self,
        condition: impl FnOnce(&'static M::Columns) -> E,
        set: impl FnOnce(&M) -> &M,
    ) -> Pending<M> {
        self.clone().filter(condition).take_or_create(set)
    }

    /// The first record for which the condition holds; else a new one that is what the condition says, with more values,
    /// not saved. Rails: `find_or_initialize_by`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."title" = ? LIMIT 1`
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn find_or_initialize_by<E: Into<Expr>>(
        &self,
        condition: impl FnOnce(&'static M::Columns) -> E,
        set: impl FnOnce(&M) -> &M,
    ) -> Pending<M> {
        self.clone().filter(condition).take_or_initialize(set)
    }

    /// A new record that is what the condition says, with more values, saved; if a unique index refuses it, the one that
    /// is there. For where it is mostly new. Rails: `create_or_find_by!`.
    ///
    /// `INSERT INTO "posts" ("title") VALUES (?)`, and `SELECT "posts".* FROM "posts" WHERE "posts"."title" = ? LIMIT 1` where it is there.
    ///
    /// Errors: `RecordNotFound` when the row that was in the way does not meet the condition; what saving says.
    #[track_caller]
    pub fn create_or_find_by<E: Into<Expr>>(
        &self,
        condition: impl FnOnce(&'static M::Columns) -> E,
        set: impl FnOnce(&M) -> &M,
    ) -> Pending<M> {
        self.clone().filter(condition).create_or_take(set)
    }
}

impl<M: FromRecord> Relation<M> {
    /// The first record by the relation's order, or by the key; else a new one as [`build_record`](Self::build_record)
    /// makes it, with more values, saved. Rails: `first_or_create!`.
    ///
    /// `SELECT "posts".* FROM "posts" ORDER BY "posts"."id" ASC LIMIT 1`, and an INSERT where there is none.
    ///
    /// Errors: what saving says.
    #[track_caller]
    pub fn first_or_create(&self, set: impl FnOnce(&M) -> &M) -> Pending<M> {
        let found = self.first();
        self.or_create(found, set)
    }

    /// The first record by the relation's order, or by the key; else a new one with more values, not saved.
    /// Rails: `first_or_initialize`.
    ///
    /// `SELECT "posts".* FROM "posts" ORDER BY "posts"."id" ASC LIMIT 1`
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn first_or_initialize(&self, set: impl FnOnce(&M) -> &M) -> Pending<M> {
        let found = self.first();
        self.or_initialize(found, set)
    }

    /// Any record of the relation; else a new one with more values, saved. What `find_or_create_by` does once its
    /// condition is part of the relation.
    ///
    /// `SELECT "posts".* FROM "posts" LIMIT 1`, and an INSERT where there is none.
    ///
    /// Errors: what saving says.
    #[track_caller]
    pub fn take_or_create(&self, set: impl FnOnce(&M) -> &M) -> Pending<M> {
        let found = self.take();
        self.or_create(found, set)
    }

    /// Any record of the relation; else a new one with more values, not saved.
    ///
    /// `SELECT "posts".* FROM "posts" LIMIT 1`
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn take_or_initialize(&self, set: impl FnOnce(&M) -> &M) -> Pending<M> {
        let found = self.take();
        self.or_initialize(found, set)
    }

    /// A new record as [`build_record`](Self::build_record) makes it, with more values, saved; if a unique index refuses
    /// it, the relation's record that is there. What `create_or_find_by` does once its condition is part of the relation.
    ///
    /// `INSERT INTO "posts" ("title") VALUES (?)`, and `SELECT "posts".* FROM "posts" LIMIT 1` where it is there.
    ///
    /// Errors: `RecordNotFound` when the row that was in the way is not the relation's; what saving says.
    #[track_caller]
    pub fn create_or_take(&self, set: impl FnOnce(&M) -> &M) -> Pending<M> {
        let (relation, made) = (self.clone(), self.made(set));
        Pending::new(async move {
            let made = made?;
            match create_apart(relation.core(), made.as_record()).await {
                Ok(()) => Ok(made),
                Err(error) if is_taken(&error) => match relation.take().await? {
                    Some(found) => Ok(found),
                    None if error.is_record_invalid() => Err(error),
                    None => Err(loading::find_typed_error(relation.reflection(), "")),
                },
                Err(error) => Err(error),
            }
        })
    }

    /// What was found; else a new one, saved.
    #[track_caller]
    pub(crate) fn or_create(
        &self,
        found: Pending<Option<M>>,
        set: impl FnOnce(&M) -> &M,
    ) -> Pending<M> {
        let made = self.made(set);
        let core = self.core().clone();
        Pending::new(async move {
            if let Some(found) = found.await? {
                return Ok(found);
            }
            let model = made?;
            match create_apart(&core, model.as_record()).await {
                // Another was faster.
                Err(error) if is_taken(&error) => {
                    let mut core = core;
                    core.select.limit = Some(1);
                    let theirs = loading::load(&core, Purpose::Load).await?.pop();
                    theirs.map_or(Err(error), M::cast)
                }
                created => created.map(|()| model),
            }
        })
    }

    /// What was found; else a new one, a member of the collection that the relation was chained from.
    #[track_caller]
    pub(crate) fn or_initialize(
        &self,
        found: Pending<Option<M>>,
        set: impl FnOnce(&M) -> &M,
    ) -> Pending<M> {
        let (made, core) = (self.made(set), self.core().clone());
        Pending::new(async move {
            if let Some(found) = found.await? {
                return Ok(found);
            }
            let made = made?;
            if let Some(association) = collection(&core)? {
                association.add(made.as_record())?;
            }
            Ok(made)
        })
    }

    fn made(&self, set: impl FnOnce(&M) -> &M) -> Result<M> {
        let record = self.initialized(|record| {
            if let Ok(model) = M::cast(record.clone()) {
                set(&model);
            }
        });
        M::cast(record?)
    }
}

impl Relation {
    /// The first record with these attributes; else a new one that has them, saved. The erased form of
    /// `find_or_create_by`. Rails: `find_or_create_by!(name: "x")`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."title" = ? LIMIT 1`, and an INSERT where there is none.
    ///
    /// Errors: `UnknownAttribute` with the nearest name; `InvalidValue`; what saving says.
    #[track_caller]
    pub fn find_or_create_with<'a>(
        &self,
        attributes: impl IntoIterator<Item = (&'a str, Value<'static>)>,
    ) -> Pending<Record> {
        match self.with_all(attributes) {
            Ok(relation) => relation.take_or_create(|record| record),
            Err(error) => Pending::ready(Err(error)),
        }
    }

    /// The first record with these attributes; else a new one that has them, not saved.
    /// Rails: `find_or_initialize_by(name: "x")`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."title" = ? LIMIT 1`
    ///
    /// Errors: `UnknownAttribute` with the nearest name; `InvalidValue`.
    #[track_caller]
    pub fn find_or_initialize_with<'a>(
        &self,
        attributes: impl IntoIterator<Item = (&'a str, Value<'static>)>,
    ) -> Pending<Record> {
        match self.with_all(attributes) {
            Ok(relation) => relation.take_or_initialize(|record| record),
            Err(error) => Pending::ready(Err(error)),
        }
    }

    /// A new record that has these attributes, saved; if a unique index refuses it, the one that is there.
    /// Rails: `create_or_find_by!(name: "x")`.
    ///
    /// `INSERT INTO "posts" ("title") VALUES (?)`, and `SELECT "posts".* FROM "posts" WHERE "posts"."title" = ? LIMIT 1` where it is there.
    ///
    /// Errors: `UnknownAttribute` with the nearest name; `InvalidValue`; `RecordNotFound` when the row that was in the way
    /// has other attributes; what saving says.
    #[track_caller]
    pub fn create_or_find_with<'a>(
        &self,
        attributes: impl IntoIterator<Item = (&'a str, Value<'static>)>,
    ) -> Pending<Record> {
        match self.with_all(attributes) {
            Ok(relation) => relation.create_or_take(|record| record),
            Err(error) => Pending::ready(Err(error)),
        }
    }

    fn with_all<'a>(
        &self,
        attributes: impl IntoIterator<Item = (&'a str, Value<'static>)>,
    ) -> Result<Self> {
        let each =
            |relation: Self, (name, value): (&str, Value<'static>)| relation.filter_by(name, value);
        attributes.into_iter().try_fold(self.clone(), each)
    }
}

/// Whether a row is there already: a unique index says so, or a validation that found nothing else.
fn is_taken(error: &Error) -> bool {
    let found_taken = |record: &Record| {
        let problems = record.errors().to_vec();
        !problems.is_empty() && problems.iter().all(|problem| problem.kind == "taken")
    };
    error.is_record_not_unique()
        || (error.is_record_invalid() && error.erased_record().is_some_and(found_taken))
}

/// The collection that the relation was chained from.
fn collection(core: &Core) -> Result<Option<Association>> {
    let Some((owner, position)) = &core.origin else {
        return Ok(None);
    };
    let association = Association::at(owner, *position)?;
    Ok(association
        .reflection()
        .is_collection()
        .then_some(association))
}

async fn create(core: &Core, record: &Record) -> Result<()> {
    match collection(core)? {
        Some(association) => association.create_member(record).await,
        None => save(record).await,
    }
}

/// Creates inside a savepoint where a transaction is open, so that a row that is refused does not spoil that.
async fn create_apart(core: &Core, record: &Record) -> Result<()> {
    if core.db.in_transaction() {
        return core
            .db
            .transaction(async || create(core, record).await)
            .await;
    }
    create(core, record).await
}
