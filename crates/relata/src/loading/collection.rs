//! Questions to one collection: how many, whether any, which first. Each asks memory where memory knows, and the
//! database as little as Rails does where it does not.
//!
//! Invariant: an answer counts what is in memory and not saved, except `count`, which asks the database alone.

use std::collections::{HashMap, HashSet};

use super::finders::held_key;
use super::load_many;
use crate::association::{Association, Key};
use crate::attribute::value::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::hashing::Hashing;
use crate::pending::Pending;
use crate::record::{Members, Record, StrictLoading};
use crate::relation::Relation;

impl Association {
    /// How many members: those in memory when they are loaded; else a count of the rows, plus those in memory that are
    /// not saved. A count of 0 makes the collection loaded. Rails: `size`.
    ///
    /// `SELECT COUNT(*) FROM "posts" WHERE "posts"."person_id" = ?`
    ///
    /// Errors: `Argument` for a singular association; `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn size(&self) -> Pending<u64> {
        let association = self.clone();
        Pending::new(async move {
            association.must_be_collection()?;
            size(&association).await
        })
    }

    /// How many members; loads them. Rails: `length`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ?`, where they are not loaded.
    ///
    /// Errors: `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn len(&self) -> Pending<usize> {
        let members = self.load_many();
        Pending::new(async move { Ok(members.await?.len()) })
    }

    /// How many rows the database has. Always asks, but on an owner without a key. Rails: `count`.
    ///
    /// `SELECT COUNT(*) FROM "posts" WHERE "posts"."person_id" = ?`
    ///
    /// Errors: `Argument` for a singular association; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn count(&self) -> Pending<u64> {
        match self.must_be_collection() {
            Ok(()) => self.relation().count(),
            Err(error) => Pending::ready(Err(error)),
        }
    }

    /// Whether there are no members, in memory or in the database. Rails: `empty?`, `none?`.
    ///
    /// `SELECT 1 AS one FROM "posts" WHERE "posts"."person_id" = ? LIMIT 1`
    ///
    /// Errors: `Argument` for a singular association; `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn is_empty(&self) -> Pending<bool> {
        let any = self.any();
        Pending::new(async move { Ok(!any.await?) })
    }

    /// Whether there are members, in memory or in the database. Rails: `any?`.
    ///
    /// `SELECT 1 AS one FROM "posts" WHERE "posts"."person_id" = ? LIMIT 1`
    ///
    /// Errors: `Argument` for a singular association; `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn any(&self) -> Pending<bool> {
        let association = self.clone();
        Pending::new(async move {
            association.must_be_collection()?;
            let members = association.peek_many();
            if !members.records.is_empty() || association.is_answered(&members) {
                return Ok(!members.records.is_empty());
            }
            if let Some(keys) = association.owner().member_keys(association.position()) {
                return Ok(!keys.is_empty());
            }
            if association.counted().is_some() {
                return Ok(size(&association).await? > 0);
            }
            association.relation().exists().await
        })
    }

    /// Whether there is more than one member. Rails: `many?`.
    ///
    /// `SELECT COUNT(*) FROM (SELECT 1 AS one FROM "posts" WHERE ... LIMIT 2) "subquery_for_count"`
    ///
    /// Errors: `Argument` for a singular association; `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn many(&self) -> Pending<bool> {
        let association = self.clone();
        Pending::new(async move { Ok(up_to_two(&association).await? > 1) })
    }

    /// Whether there is exactly one member. Rails: `one?`.
    ///
    /// `SELECT COUNT(*) FROM (SELECT 1 AS one FROM "posts" WHERE ... LIMIT 2) "subquery_for_count"`
    ///
    /// Errors: `Argument` for a singular association; `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn one(&self) -> Pending<bool> {
        let association = self.clone();
        Pending::new(async move { Ok(up_to_two(&association).await? == 1) })
    }

    /// Whether a record is a member: one that is not saved, in memory; else by its key, which is asked for unless the
    /// members are loaded. A record of another model is none. Rails: `include?`.
    ///
    /// `SELECT 1 AS one FROM "posts" WHERE "posts"."person_id" = ? AND "posts"."id" = ? LIMIT 1`
    ///
    /// Errors: `Argument` for a singular association; `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn contains(&self, record: &Record) -> Pending<bool> {
        let (association, record) = (self.clone(), record.clone());
        Pending::new(async move {
            association.must_be_collection()?;
            if !record.reflection().is_a(association.resolved().target) {
                return Ok(false);
            }
            let members = association.peek_many();
            if record.is_new_record() || association.is_answered(&members) {
                return Ok(members.records.contains(&record));
            }
            association.of_rows(&[record])?.exists().await
        })
    }

    /// The member with that key. The database is asked, unless the members are loaded and the inverse was named.
    /// Rails: `find`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ? AND "posts"."id" = ? LIMIT 1`
    ///
    /// Errors: `RecordNotFound`; `Argument` for a singular association, or a key of another number of columns.
    #[track_caller]
    pub fn find_key(&self, wanted: impl IntoIterator<Item = Value<'static>>) -> Pending<Record> {
        let (association, wanted) = (self.clone(), wanted.into_iter().collect::<Vec<_>>());
        Pending::new(async move {
            association.must_be_collection()?;
            let members = association.peek_many();
            if members.loaded && association.has_named_inverse() {
                let wanted = held_key(association.resolved().target, wanted);
                let found = members
                    .records
                    .into_iter()
                    .find(|member| key(member) == wanted);
                if let Some(found) = found {
                    return Ok(found);
                }
                // Asking says the same, and how it was asked.
                let missing = association.relation().none().find_key(wanted).await;
                return missing.map_err(|error| association.asked(error));
            }
            let found = association.relation().find_key(wanted).await;
            found.map_err(|error| association.asked(error))
        })
    }

    /// The members with these keys, in the order of the keys, asked for as by [`find_key`](Self::find_key).
    /// Rails: `find([1, 2])`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ? AND "posts"."id" IN (?, ?)`
    ///
    /// Errors: `RecordNotFound` names those that are missing; `Argument` as for [`find_key`](Self::find_key).
    #[track_caller]
    pub fn find_keys(&self, wanted: Vec<Vec<Value<'static>>>) -> Pending<Vec<Record>> {
        let association = self.clone();
        Pending::new(async move {
            association.must_be_collection()?;
            let members = association.known_many();
            if members.loaded && association.has_named_inverse() {
                let of = |key: &Vec<Value<'static>>| Key::of_values(key);
                let target = association.resolved().target;
                let by = target.primary_key();
                let wanted = wanted.into_iter().map(|key| held_key(target, key));
                let wanted: Vec<_> = wanted.collect();
                let mut known: HashMap<_, &Record, Hashing> = HashMap::default();
                for member in &members.records {
                    known.entry(Key::of(member, by)).or_insert(member);
                }
                let mut once: HashSet<_, Hashing> = HashSet::default();
                let found: Option<Vec<Record>> = wanted
                    .iter()
                    .map(of)
                    .filter(|key| once.insert(key.clone()))
                    .map(|key| key.as_ref().and_then(|_| known.get(&key)))
                    .map(|found| found.map(|&member| member.clone()))
                    .collect();
                if let Some(found) = found {
                    return Ok(found);
                }
                let missing = association.relation().none().find_keys(wanted).await;
                return missing.map_err(|error| association.asked(error));
            }
            let found = association.relation().find_keys(wanted).await;
            found.map_err(|error| association.asked(error))
        })
    }

    /// The first member: in memory where that is to be asked, else by the key. Rails: `first`.
    ///
    /// Memory is asked when the members are loaded, the owner is new or strict, or a member in memory is new or changed;
    /// what is not loaded then is loaded first.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ? ORDER BY "posts"."id" ASC LIMIT 1`
    ///
    /// Errors: `Argument` for a singular association; `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn first(&self) -> Pending<Option<Record>> {
        let association = self.clone();
        Pending::new(async move {
            if association.is_found_in_memory()? {
                return Ok(load_many(&association).await?.into_iter().next());
            }
            association.relation().first().await
        })
    }

    /// The last member, as [`first`](Self::first). Rails: `last`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ? ORDER BY "posts"."id" DESC LIMIT 1`
    ///
    /// Errors: `Argument` for a singular association; `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn last(&self) -> Pending<Option<Record>> {
        let association = self.clone();
        Pending::new(async move {
            if association.is_found_in_memory()? {
                return Ok(load_many(&association).await?.pop());
            }
            association.relation().last().await
        })
    }

    /// Any member, as [`first`](Self::first) without an order. Rails: `take`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ? LIMIT 1`
    ///
    /// Errors: `Argument` for a singular association; `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn take(&self) -> Pending<Option<Record>> {
        let association = self.clone();
        Pending::new(async move {
            if association.is_found_in_memory()? {
                return Ok(load_many(&association).await?.into_iter().next());
            }
            association.relation().take().await
        })
    }

    /// The first members, as [`first`](Self::first). Rails: `first(3)`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ? ORDER BY "posts"."id" ASC LIMIT 3`
    ///
    /// Errors: `Argument` for a singular association; `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn first_n(&self, rows: u64) -> Pending<Vec<Record>> {
        let association = self.clone();
        Pending::new(async move {
            if association.is_found_in_memory()? {
                return first_of(&association, rows).await;
            }
            association.relation().first_n(rows).await
        })
    }

    /// Any members, as [`first`](Self::first) without an order. Rails: `take(3)`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ? LIMIT 3`
    ///
    /// Errors: `Argument` for a singular association; `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn take_n(&self, rows: u64) -> Pending<Vec<Record>> {
        let association = self.clone();
        Pending::new(async move {
            if association.is_found_in_memory()? {
                return first_of(&association, rows).await;
            }
            association.relation().take_n(rows).await
        })
    }

    /// The last members in their order, as [`first`](Self::first). Rails: `last(3)`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."person_id" = ? ORDER BY "posts"."id" DESC LIMIT 3`
    ///
    /// Errors: `Argument` for a singular association; `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn last_n(&self, rows: u64) -> Pending<Vec<Record>> {
        let association = self.clone();
        Pending::new(async move {
            if association.is_found_in_memory()? {
                let members = load_many(&association).await?;
                let rows = usize::try_from(rows).unwrap_or(usize::MAX);
                let from = members.len().saturating_sub(rows);
                return Ok(members.into_iter().skip(from).collect());
            }
            association.relation().last_n(rows).await
        })
    }

    /// The keys of the members: from memory when some are there, which loads the rest; else they are read alone, and
    /// remembered until the collection changes in memory. Members that are not saved have none. Rails: `post_ids`.
    ///
    /// `SELECT "posts"."id" FROM "posts" WHERE "posts"."person_id" = ?`
    ///
    /// Errors: `StrictLoadingViolation`, where it loads; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn ids(&self) -> Pending<Vec<Vec<Value<'static>>>> {
        let association = self.clone();
        Pending::new(async move {
            association.must_be_collection()?;
            let members = association.peek_many();
            if !members.records.is_empty() || association.is_answered(&members) {
                let members = load_many(&association).await?;
                let saved = members.iter().filter(|member| !member.is_new_record());
                return Ok(saved.map(key).collect());
            }
            let (owner, position) = (association.owner(), association.position());
            if let Some(keys) = owner.member_keys(position) {
                return Ok(keys);
            }
            let keys = association.relation().keys().await?;
            owner.keep_member_keys(position, keys.clone());
            Ok(keys)
        })
    }

    /// Whether memory alone says what the members are.
    fn is_answered(&self, members: &Members) -> bool {
        members.loaded || !self.can_query()
    }

    /// Whether one member is looked for among all of them. Rails: `find_from_target?`.
    fn is_found_in_memory(&self) -> Result<bool> {
        self.must_be_collection()?;
        let members = self.peek_many();
        Ok(self.is_answered(&members)
            || self.owner().is_new_record()
            || self.reflection().strict_loading == Some(true)
            || self.owner().strict_loading_mode() == Some(StrictLoading::All)
                && self.reflection().strict_loading.is_none()
            || members
                .records
                .iter()
                .any(|member| member.is_new_record() || member.is_changed()))
    }

    pub(crate) fn must_be_collection(&self) -> Result<()> {
        if self.reflection().is_collection() {
            return Ok(());
        }
        Err(self.error(
            ErrorKind::Argument,
            format!("{self:?} is singular: it has no members"),
        ))
    }

    /// Those of these records that are members, as a relation.
    pub(crate) fn of_rows(&self, records: &[Record]) -> Result<Relation> {
        let relation = self.relation();
        let model = relation.reflection();
        if model.query_constraints().is_empty() {
            let message = format!(
                "Unknown primary key for table {} in model {}",
                model.table(),
                model.name()
            );
            return Err(Error::new(ErrorKind::UnknownPrimaryKey, message).with_model(model.name()));
        }
        let owned = |record: &Record| {
            record
                .saved_key()
                .into_iter()
                .map(Value::into_owned)
                .collect()
        };
        Ok(relation.with_rows(records.iter().map(owned).collect()))
    }
}

async fn size(association: &Association) -> Result<u64> {
    let members = association.peek_many();
    if association.is_answered(&members) {
        return Ok(members.records.len() as u64);
    }
    let (owner, position) = (association.owner(), association.position());
    if let Some(keys) = owner.member_keys(position) {
        return Ok(keys.len() as u64);
    }
    let relation = association.relation();
    if !relation.select().groups.is_empty() {
        return Ok(load_many(association).await?.len() as u64);
    }
    let rows = match association.counted() {
        Some(counted) => counted.min(relation.select().limit.unwrap_or(u64::MAX)),
        None => relation.count().await?,
    };
    if rows == 0 {
        association.forget(|member| !member.is_new_record());
        association.complete();
    }
    if relation.select().distinct {
        return Ok(rows);
    }
    let unsaved = members
        .records
        .iter()
        .filter(|member| member.is_new_record());
    Ok(rows + unsaved.count() as u64)
}

/// The first members, all of which are loaded.
async fn first_of(association: &Association, rows: u64) -> Result<Vec<Record>> {
    let mut members = load_many(association).await?;
    members.truncate(usize::try_from(rows).unwrap_or(usize::MAX));
    Ok(members)
}

/// 0, 1, or 2 for more.
async fn up_to_two(association: &Association) -> Result<u64> {
    association.must_be_collection()?;
    let members = association.peek_many();
    if association.is_answered(&members) {
        return Ok(members.records.len() as u64);
    }
    let relation = association.relation();
    if relation.select().limit.is_some() {
        return relation.count().await;
    }
    relation.limit(2).count().await
}

fn key(record: &Record) -> Vec<Value<'static>> {
    record.key().into_iter().map(Value::into_owned).collect()
}
