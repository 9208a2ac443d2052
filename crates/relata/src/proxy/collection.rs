//! A collection of a record: `post.comments()`.
//!
//! Invariant: awaiting it asks the database only when memory does not hold the members; what is chained from it is an
//! ordinary relation, and asks each time.

use std::future::IntoFuture;
use std::marker::PhantomData;

use crate::association::Association;
use crate::error::Result;
use crate::loading;
use crate::model::{Key, Model};
use crate::pending::Pending;
use crate::record::Record;
use crate::relation::{Orders, Path, Paths, Relation};
use crate::sql::Expr;

/// The members of one record's collection. Await it for all of them, as a `Vec`.
#[must_use = "nothing is read until it is awaited"]
pub struct Collection<'a, M> {
    pub(super) owner: &'a Record,
    position: usize,
    model: PhantomData<fn() -> M>,
}

pub(super) fn all<M: Model>(records: Vec<Record>) -> Result<Vec<M>> {
    records.into_iter().map(M::from_record).collect()
}

impl<'a, M> Collection<'a, M> {
    /// The association at a position of the owner's model. Called by generated code.
    pub fn new(owner: &'a Record, position: usize) -> Self {
        Self {
            owner,
            position,
            model: PhantomData,
        }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }
}

/// What a scope begins with.
impl<M: Model> From<Collection<'_, M>> for Relation<M> {
    fn from(collection: Collection<'_, M>) -> Self {
        collection.all()
    }
}

impl<M: Model> Collection<'_, M> {
    /// The association, without types.
    ///
    /// # Errors
    /// What is wrong with its declaration.
    pub fn erased(&self) -> Result<Association> {
        Association::at(self.owner, self.position)
    }

    /// The members as a relation, to be narrowed. It asks the database each time. Rails: `scope`.
    pub fn all(&self) -> Relation<M> {
        match self.erased() {
            Ok(association) => Relation::from_core(association.relation().into_core()),
            // A wrong declaration gives its error where the relation is run.
            Err(error) => M::all(self.owner.db()).refuse(error),
        }
    }

    /// The members for which the condition holds, as a relation. Rails: `where`.
    #[doc(alias = "where")]
    pub fn filter<E: Into<Expr>>(
        &self,
        condition: impl FnOnce(&'static M::Columns) -> E,
    ) -> Relation<M> {
        self.all().filter(condition)
    }

    /// The members in an order, as a relation. Rails: `order`.
    pub fn order<O: Orders>(&self, orders: impl FnOnce(&'static M::Columns) -> O) -> Relation<M> {
        self.all().order(orders)
    }

    /// The members with associations of theirs, as a relation. Rails: `includes`.
    pub fn includes<P: Paths>(&self, paths: impl FnOnce(&'static M::Columns) -> P) -> Relation<M> {
        self.all().includes(paths)
    }

    /// The members and what an association leads to from them, to any depth, as a relation: all that is below a record of a
    /// tree. See [`Relation::with_recursive`]. Rails: `with_recursive`.
    pub fn with_recursive(&self, over: impl FnOnce(&'static M::Columns) -> Path<M>) -> Relation<M> {
        self.all().with_recursive(over)
    }

    /// At most that many members, as a relation. Rails: `limit`.
    pub fn limit(&self, rows: u64) -> Relation<M> {
        self.all().limit(rows)
    }

    /// The members, from memory or from the database; they stay in memory. Rails: `load`, `to_a`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ?`
    ///
    /// Errors: `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn load(&self) -> Pending<Vec<M>> {
        let association = match self.erased() {
            Ok(association) => association,
            Err(error) => return Pending::ready(Err(error)),
        };
        let members = association.known_many();
        if members.loaded || !association.can_query() {
            return Pending::ready(all(members.records));
        }
        Pending::new(async move { all(loading::load_many(&association).await?) })
    }

    /// The members, if all are in memory. Never touches the database.
    #[must_use]
    pub fn loaded(&self) -> Option<Vec<M>> {
        let association = self.erased().ok()?;
        let members = association.known_many();
        if members.loaded || !association.can_query() {
            all(members.records).ok()
        } else {
            None
        }
    }

    /// Whether all members are in memory. Rails: `loaded?`.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.erased()
            .is_ok_and(|association| association.is_loaded())
    }

    /// The members that are in memory, all or not. Never touches the database. Rails: `target`.
    #[must_use]
    pub fn target(&self) -> Vec<M> {
        self.erased()
            .and_then(|association| all(association.target()))
            .unwrap_or_default()
    }

    /// Forgets the members. Never touches the database. Rails: `reset`.
    pub fn reset(&self) {
        if let Ok(association) = self.erased() {
            association.reset();
        }
    }

    /// Reads the members again; unsaved ones are forgotten. Rails: `reload`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ?`
    ///
    /// Errors: `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn reload(&self) -> Pending<Vec<M>> {
        self.reset();
        self.load()
    }

    /// The SQL that loading it would run. Never touches the database.
    #[must_use]
    pub fn to_sql(&self) -> String {
        self.erased().map_or_else(
            |error| format!("/* {error} */"),
            |association| association.to_sql(),
        )
    }

    /// How many members: those in memory when they are loaded; else a count of the rows, plus those in memory that are
    /// not saved. A count of 0 makes the collection loaded. Rails: `size`.
    ///
    /// `SELECT COUNT(*) FROM "posts" WHERE "posts"."person_id" = ?`
    ///
    /// Errors: `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn size(&self) -> Pending<u64> {
        match self.erased() {
            Ok(association) => association.size(),
            Err(error) => Pending::ready(Err(error)),
        }
    }

    /// How many members; loads them. Rails: `length`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ?`, where they are not loaded.
    ///
    /// Errors: `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn len(&self) -> Pending<usize> {
        let members = self.load();
        Pending::new(async move { Ok(members.await?.len()) })
    }

    /// How many rows the database has. Always asks. Rails: `count`.
    ///
    /// `SELECT COUNT(*) FROM "posts" WHERE "posts"."person_id" = ?`
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn count(&self) -> Pending<u64> {
        self.all().count()
    }

    /// Whether there are no members, in memory or in the database. Rails: `empty?`, `none?`.
    ///
    /// `SELECT 1 AS one FROM "posts" WHERE "posts"."person_id" = ? LIMIT 1`
    ///
    /// Errors: `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn is_empty(&self) -> Pending<bool> {
        match self.erased() {
            Ok(association) => association.is_empty(),
            Err(error) => Pending::ready(Err(error)),
        }
    }

    /// Whether there are members, in memory or in the database. Rails: `any?`.
    ///
    /// `SELECT 1 AS one FROM "posts" WHERE "posts"."person_id" = ? LIMIT 1`
    ///
    /// Errors: `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn any(&self) -> Pending<bool> {
        match self.erased() {
            Ok(association) => association.any(),
            Err(error) => Pending::ready(Err(error)),
        }
    }

    /// Whether there is more than one member. Rails: `many?`.
    ///
    /// `SELECT COUNT(*) FROM (SELECT 1 AS one FROM "posts" WHERE ... LIMIT 2) "subquery_for_count"`
    ///
    /// Errors: `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn many(&self) -> Pending<bool> {
        match self.erased() {
            Ok(association) => association.many(),
            Err(error) => Pending::ready(Err(error)),
        }
    }

    /// Whether there is exactly one member. Rails: `one?`.
    ///
    /// `SELECT COUNT(*) FROM (SELECT 1 AS one FROM "posts" WHERE ... LIMIT 2) "subquery_for_count"`
    ///
    /// Errors: `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn one(&self) -> Pending<bool> {
        match self.erased() {
            Ok(association) => association.one(),
            Err(error) => Pending::ready(Err(error)),
        }
    }

    /// Whether a record is a member: one that is not saved, in memory; else by its key, which is asked for unless the
    /// members are loaded. Rails: `include?`.
    ///
    /// `SELECT 1 AS one FROM "posts" WHERE "posts"."person_id" = ? AND "posts"."id" = ? LIMIT 1`
    ///
    /// Errors: `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn contains(&self, record: &M) -> Pending<bool> {
        match self.erased() {
            Ok(association) => association.contains(record),
            Err(error) => Pending::ready(Err(error)),
        }
    }

    /// Whether the database has members. Always asks. Rails: `exists?`.
    ///
    /// `SELECT 1 AS one FROM "posts" WHERE "posts"."person_id" = ? LIMIT 1`
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn exists(&self) -> Pending<bool> {
        self.all().exists()
    }

    /// The member with that key. The database is asked, unless the members are loaded and `inverse_of` was written.
    /// Rails: `find`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ? AND "posts"."id" = ? LIMIT 1`
    ///
    /// Errors: `RecordNotFound`.
    #[track_caller]
    pub fn find(&self, key: impl Into<M::Key>) -> Pending<M> {
        let key = key.into().values();
        let association = self.erased();
        Pending::new(async move { M::from_record(association?.find_key(key).await?) })
    }

    /// The members with these keys, in the order of the keys, asked for as by [`find`](Self::find). Rails: `find([1, 2])`.
    ///
    /// SQL: `SELECT ... WHERE "posts"."author_id" = ? AND "posts"."id" IN (?, ?)`; none for members in memory.
    ///
    /// Errors: `RecordNotFound` names those that are missing.
    #[track_caller]
    pub fn find_many<K: Into<M::Key>>(&self, keys: impl IntoIterator<Item = K>) -> Pending<Vec<M>> {
        let keys = keys.into_iter().map(|key| key.into().values()).collect();
        let association = self.erased();
        Pending::new(async move { all(association?.find_keys(keys).await?) })
    }

    /// The first member for which the condition holds. Always asks. Rails: `find_by`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ? AND "posts"."title" = ? LIMIT 1`
    ///
    /// Errors: `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn find_by<E: Into<Expr>>(
        &self,
        condition: impl FnOnce(&'static M::Columns) -> E,
    ) -> Pending<Option<M>> {
        self.all().find_by(condition)
    }

    /// The first member. Memory is asked when the members are loaded, the owner is new or strict, or a member in memory
    /// is new or changed; else the database, by the key. Rails: `first`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ? ORDER BY "posts"."id" ASC LIMIT 1`
    ///
    /// Errors: `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn first(&self) -> Pending<Option<M>> {
        let association = self.erased();
        Pending::new(async move { association?.first().await?.map(M::from_record).transpose() })
    }

    /// The last member, as [`first`](Self::first). Rails: `last`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ? ORDER BY "posts"."id" DESC LIMIT 1`
    ///
    /// Errors: `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn last(&self) -> Pending<Option<M>> {
        let association = self.erased();
        Pending::new(async move { association?.last().await?.map(M::from_record).transpose() })
    }

    /// Any member, as [`first`](Self::first) without an order. Rails: `take`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ? LIMIT 1`
    ///
    /// Errors: `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn take(&self) -> Pending<Option<M>> {
        let association = self.erased();
        Pending::new(async move { association?.take().await?.map(M::from_record).transpose() })
    }

    /// The first members, as [`first`](Self::first). Rails: `first(3)`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ? ORDER BY "posts"."id" ASC LIMIT 3`
    ///
    /// Errors: `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn first_n(&self, rows: u64) -> Pending<Vec<M>> {
        let association = self.erased();
        Pending::new(async move { all(association?.first_n(rows).await?) })
    }

    /// Any members, as [`first`](Self::first) without an order. Rails: `take(3)`.
    ///
    /// SQL: `SELECT ... WHERE "posts"."author_id" = ? LIMIT 3`; none for members in memory.
    ///
    /// Errors: `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn take_n(&self, rows: u64) -> Pending<Vec<M>> {
        let association = self.erased();
        Pending::new(async move { all(association?.take_n(rows).await?) })
    }

    /// The last members in their order, as [`first`](Self::first). Rails: `last(3)`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ? ORDER BY "posts"."id" DESC LIMIT 3`
    ///
    /// Errors: `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn last_n(&self, rows: u64) -> Pending<Vec<M>> {
        let association = self.erased();
        Pending::new(async move { all(association?.last_n(rows).await?) })
    }

    /// The keys of the members: from memory when some are there, which loads the rest; else they are read alone, and
    /// remembered until the collection changes in memory. Rails: `comment_ids`.
    ///
    /// `SELECT "posts"."id" FROM "posts" WHERE "posts"."person_id" = ?`
    ///
    /// Errors: `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn ids(&self) -> Pending<Vec<M::Key>> {
        let association = self.erased();
        Pending::new(async move {
            let keys = association?.ids().await?;
            Ok(keys
                .iter()
                .filter_map(|key| M::Key::from_values(key))
                .collect())
        })
    }
}

impl<M: Model> IntoFuture for Collection<'_, M> {
    type Output = Result<Vec<M>>;
    type IntoFuture = Pending<Vec<M>>;

    #[track_caller]
    fn into_future(self) -> Pending<Vec<M>> {
        self.load()
    }
}

impl<M: Model> std::fmt::Debug for Collection<'_, M> {
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
