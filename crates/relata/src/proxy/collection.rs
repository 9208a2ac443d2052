//! A collection of a record: `post.comments()`.
//!
//! Invariant: awaiting it asks the database only when memory does not hold the members; what is chained from it is an
//! ordinary relation, and asks each time.

use std::future::IntoFuture;
use std::marker::PhantomData;

use crate::association::Association;
use crate::attribute::value::Value;
use crate::error::{Error, Result};
use crate::loading;
use crate::model::{Key, Model, typed};
use crate::pending::Pending;
use crate::record::Record;
use crate::relation::{Orders, Paths, Relation};
use crate::sql::Expr;

/// The members of one record's collection. Await it for all of them, as a `Vec`.
#[must_use = "nothing is read until it is awaited"]
pub struct Collection<'a, M> {
    owner: &'a Record,
    position: usize,
    model: PhantomData<fn() -> M>,
}

fn all<M: Model>(records: Vec<Record>) -> Result<Vec<M>> {
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
            // A wrong declaration gives no rows here, and its error where it is awaited through the association.
            Err(_) => M::all(self.owner.db()).none(),
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

    /// At most that many members, as a relation. Rails: `limit`.
    pub fn limit(&self, rows: u64) -> Relation<M> {
        self.all().limit(rows)
    }

    /// The members, from memory or from the database; they stay in memory. Rails: `load`, `to_a`.
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

    /// A new member with values, not saved: it is saved with its owner. Never touches the database. Rails: `build`.
    pub fn build(&self, set: impl FnOnce(&M) -> &M) -> M {
        let built = self
            .erased()
            .and_then(|association| Ok((association.build_target()?, association)));
        let Ok((record, association)) = built else {
            return M::build(self.owner.db(), set);
        };
        let member: M = typed(record);
        set(&member);
        // The types of both keys were checked when the program was compiled.
        let _: Result<(), Error> = association.add(&member);
        member
    }

    /// A new member with values, saved. The owner must be saved. Rails: `create!`.
    #[track_caller]
    pub fn create(&self, set: impl FnOnce(&M) -> &M) -> Pending<M> {
        let built = self.erased().and_then(|association| {
            let member: M = typed(association.build_target()?);
            set(&member);
            Ok((association, member))
        });
        Pending::new(async move {
            let (association, member) = built?;
            association.create((*member).clone()).await?;
            Ok(member)
        })
    }

    /// Adds a record. On a saved owner it is saved with its new key; on a new owner it waits for the owner.
    /// Rails: `<<`.
    #[track_caller]
    pub fn push(&self, member: &M) -> Pending<()> {
        self.concat([member])
    }

    /// Adds records, all or none. Rails: `concat`.
    #[track_caller]
    pub fn concat<'m>(&self, members: impl IntoIterator<Item = &'m M>) -> Pending<()> {
        let members: Vec<Record> = members
            .into_iter()
            .map(|member| (**member).clone())
            .collect();
        let association = self.erased();
        Pending::new(async move { association?.push(members).await })
    }

    /// How many members: those in memory when they are loaded, else a count plus those not saved. Rails: `size`.
    #[track_caller]
    pub fn size(&self) -> Pending<u64> {
        let members = self
            .erased()
            .map(|association| (association.peek_many(), association.can_query()));
        let count = self.all();
        Pending::new(async move {
            let (members, can_query) = members?;
            if members.loaded || !can_query {
                return Ok(members.records.len() as u64);
            }
            let unsaved = members
                .records
                .iter()
                .filter(|member| member.is_new_record())
                .count();
            Ok(count.count().await? + unsaved as u64)
        })
    }

    /// How many members; loads them. Rails: `length`.
    #[track_caller]
    pub fn len(&self) -> Pending<usize> {
        let members = self.load();
        Pending::new(async move { Ok(members.await?.len()) })
    }

    /// How many rows the database has. Always asks. Rails: `count`.
    #[track_caller]
    pub fn count(&self) -> Pending<u64> {
        self.all().count()
    }

    /// Whether there are no members, in memory or in the database. Rails: `empty?`.
    #[track_caller]
    pub fn is_empty(&self) -> Pending<bool> {
        let any = self.any();
        Pending::new(async move { Ok(!any.await?) })
    }

    /// Whether there are members, in memory or in the database. Rails: `any?`.
    #[track_caller]
    pub fn any(&self) -> Pending<bool> {
        let members = self
            .erased()
            .map(|association| (association.peek_many(), association.can_query()));
        let relation = self.all();
        Pending::new(async move {
            let (members, can_query) = members?;
            if members.loaded || !can_query || !members.records.is_empty() {
                return Ok(!members.records.is_empty());
            }
            relation.exists().await
        })
    }

    /// Whether a record is a member. Rails: `include?`.
    #[track_caller]
    pub fn contains(&self, record: &M) -> Pending<bool> {
        let members = self
            .erased()
            .map(|association| (association.peek_many(), association.can_query()));
        let key = record
            .key()
            .into_iter()
            .map(Value::into_owned)
            .collect::<Vec<_>>();
        let (relation, record) = (self.all(), (**record).clone());
        Pending::new(async move {
            let (members, can_query) = members?;
            if members.loaded || !can_query || record.is_new_record() {
                return Ok(members.records.contains(&record));
            }
            match relation.find_key(key).await {
                Ok(_) => Ok(true),
                Err(error) if error.is_record_not_found() => Ok(false),
                Err(error) => Err(error),
            }
        })
    }

    /// The member with that key. Rails: `find`.
    #[track_caller]
    pub fn find(&self, key: impl Into<M::Key>) -> Pending<M> {
        self.all().find(key)
    }

    /// The first member: in memory when they are loaded, else by the key. Rails: `first`.
    #[track_caller]
    pub fn first(&self) -> Pending<Option<M>> {
        match self.loaded() {
            Some(members) => Pending::ready(Ok(members.into_iter().next())),
            None => self.all().first(),
        }
    }

    /// The last member: in memory when they are loaded, else by the key. Rails: `last`.
    #[track_caller]
    pub fn last(&self) -> Pending<Option<M>> {
        match self.loaded() {
            Some(members) => Pending::ready(Ok(members.into_iter().next_back())),
            None => self.all().last(),
        }
    }

    /// The keys of the members: from memory when they are loaded. Rails: `comment_ids`.
    #[track_caller]
    pub fn ids(&self) -> Pending<Vec<M::Key>> {
        match self.loaded() {
            Some(members) => Pending::ready(Ok(members
                .iter()
                .filter_map(|member| M::Key::from_values(&member.key()))
                .collect())),
            None => self.all().ids(),
        }
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
