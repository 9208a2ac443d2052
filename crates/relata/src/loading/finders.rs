//! The find family: one record, or the first few.
//!
//! Invariant: `find` and `*_or_fail` give an error when there is no row, the others `None`; the error says which
//! model and which key.

use std::collections::{HashMap, HashSet};
use std::future::IntoFuture;

use super::{load, run};
use crate::association;
use crate::attribute::Shown;
use crate::attribute::value::Value;
use crate::db::Db;
use crate::db::adapter::Purpose;
use crate::error::{Error, ErrorKind, Result};
use crate::hashing::Hashing;
use crate::model::{FromRecord, Key, Model};
use crate::pending::Pending;
use crate::record::Record;
use crate::reflection::ModelReflection;
use crate::relation::{Core, Relation, fitting, scoping};
use crate::sql::expr::Node;
use crate::sql::{Direction, Expr, Place, What, Writer};

/// `Post.find(1)`.
#[track_caller]
pub(crate) fn find<M: FromRecord>(
    model: &'static ModelReflection,
    db: &Db,
    key: Vec<Value<'static>>,
) -> Pending<M> {
    let db = db.clone();
    if model.is_narrowed() || scoping::is_used() {
        return Relation::from_core(Relation::of(model, &db).into_core()).find_key(key);
    }
    Pending::made(|| async move {
        check_key(model, &key)?;
        match run::fetch_by_key(model, &db, key, false).await? {
            Ok(record) => M::cast(record),
            Err(key) => Err(find_typed_error(model, &describe(model, &key))),
        }
    })
}

/// "Couldn't find Post with 'id'=1".
pub(crate) fn find_typed_error(model: &'static ModelReflection, what: &str) -> Error {
    Error::new(
        ErrorKind::RecordNotFound,
        format!("Couldn't find {}{what}", model.name()),
    )
    .with_model(model.name())
}

fn conditions_of(core: &Core) -> Option<String> {
    Writer::new(core.db.dialect()).conditions(&core.select)
}

/// The same, with the conditions of the relation that was asked, as Rails adds them.
fn missing(core: &Core, what: &str) -> Error {
    let model = core.select.model();
    match (conditions_of(core), what) {
        (None, what) => find_typed_error(model, what),
        (Some(conditions), "") => find_typed_error(model, &format!(" with [{conditions}]")),
        (Some(conditions), what) => find_typed_error(model, &format!("{what} [{conditions}]")),
    }
}

fn describe(model: &'static ModelReflection, key: &[Value<'static>]) -> String {
    let names: Vec<&str> = model.primary_key_names().collect();
    match (names.as_slice(), key) {
        ([name], [value]) => format!(" with '{name}'={:?}", Shown(value)),
        _ => {
            let shown: Vec<Shown<'_>> = key.iter().map(Shown).collect();
            format!(" with [{}]={shown:?}", names.join(", "))
        }
    }
}

/// Keys as a sentence names them: `1, 9`, and `[1, 2], [1, 3]` of several columns.
fn listed<'a>(keys: impl Iterator<Item = &'a Vec<Value<'static>>>) -> String {
    let one = |key: &Vec<Value<'static>>| match key.as_slice() {
        [value] => format!("{:?}", Shown(value)),
        key => format!("{:?}", key.iter().map(Shown).collect::<Vec<_>>()),
    };
    let mut keys = keys.map(one);
    let mut named: Vec<String> = keys.by_ref().take(NAMED).collect();
    match keys.count() {
        0 => {}
        more => named.push(format!("… and {more} more")),
    }
    named.join(", ")
}

/// So many keys are named in a sentence.
const NAMED: usize = 20;

#[inline]
pub(crate) fn check_key(model: &'static ModelReflection, key: &[Value<'static>]) -> Result<()> {
    if model.primary_key().is_empty() {
        return Err(model.unknown_key());
    }
    if key.len() != model.primary_key().len() {
        let message = format!(
            "{} has a key of {}, and {} given",
            model.name(),
            match model.primary_key().len() {
                1 => "1 column".to_owned(),
                several => format!("{several} columns"),
            },
            match key.len() {
                1 => "1 value was".to_owned(),
                several => format!("{several} values were"),
            }
        );
        return Err(Error::new(ErrorKind::Argument, message).with_model(model.name()));
    }
    Ok(())
}

/// A key as the columns hold it, by which it is asked for and compared: `7` is the same as `"7"`, and as the `7` of a `u64`.
/// What cannot be one of its column stays as it was given: it names no row, and the error tells it as it was written.
pub(crate) fn held_key(
    model: &'static ModelReflection,
    mut key: Vec<Value<'static>>,
) -> Vec<Value<'static>> {
    let place = Place::root(model);
    for (value, &column) in key.iter_mut().zip(model.primary_key()) {
        if let Ok(held) = fitting(place, column, value.clone()) {
            *value = held;
        }
    }
    key
}

/// The condition that the primary key is one of these.
fn by_key(model: &'static ModelReflection, keys: Vec<Vec<Value<'static>>>) -> Node {
    Node::key_among(Place::root(model), model.primary_key(), keys)
}

async fn some<M: FromRecord>(core: &Core) -> Result<Vec<M>> {
    load(core, Purpose::Load)
        .await?
        .into_iter()
        .map(M::cast)
        .collect()
}

/// The first rows by the relation's order, or by the key; the last ones with `Descending`.
fn at_end(mut core: Core, direction: Direction, rows: u64) -> Result<Core> {
    if core.select.orders.is_empty() {
        let key = core.select.model().query_constraints();
        core.select.order_by_key(key, direction)?;
    } else if direction == Direction::Descending {
        core.select.reverse();
    }
    core.select.limit_to(rows);
    Ok(core)
}

impl<M: FromRecord> IntoFuture for Relation<M> {
    type Output = Result<Vec<M>>;
    type IntoFuture = Pending<Vec<M>>;

    /// Runs the query: the records, with what the relation includes.
    #[track_caller]
    fn into_future(self) -> Pending<Vec<M>> {
        self.load()
    }
}

impl<M: FromRecord> IntoFuture for &Relation<M> {
    type Output = Result<Vec<M>>;
    type IntoFuture = Pending<Vec<M>>;

    #[track_caller]
    fn into_future(self) -> Pending<Vec<M>> {
        self.load()
    }
}

impl<M> Relation<M> {
    /// The rows with these primary keys.
    pub(crate) fn with_primary_keys(self, keys: Vec<Vec<Value<'static>>>) -> Self {
        let condition = Expr(by_key(self.reflection(), keys));
        self.map(|core| core.select.filter(condition))
    }

    /// The rows of records, by what `saved_key` says of them.
    pub(crate) fn with_rows(self, keys: Vec<Vec<Value<'static>>>) -> Self {
        let model = self.reflection();
        let condition = Expr(Node::key_among(
            Place::root(model),
            model.query_constraints(),
            keys,
        ));
        self.map(|core| core.select.filter(condition))
    }
}

impl<M: FromRecord> Relation<M> {
    /// Runs the query, as awaiting the relation does. Rails: `load`, `to_a`.
    ///
    /// `SELECT "posts".* FROM "posts"`, and one for each association that is included.
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn load(&self) -> Pending<Vec<M>> {
        let core = self.core().clone();
        Pending::new(async move { some(&core).await })
    }

    /// Any one row, without an order. It stands in the place of a limit of the relation. Rails: `take`.
    ///
    /// `SELECT "posts".* FROM "posts" LIMIT 1`
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn take(&self) -> Pending<Option<M>> {
        let mut core = self.core().clone();
        core.select.limit = Some(1);
        Pending::new(async move { Ok(some(&core).await?.pop()) })
    }

    /// Any one row, or `RecordNotFound`. Rails: `take!`, and `find_by!` after its conditions.
    ///
    /// The statement is that of [`take`](Self::take).
    ///
    /// Errors: `RecordNotFound`; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn take_or_fail(&self) -> Pending<M> {
        let (taken, core) = (self.take(), self.core().clone());
        Pending::new(async move { taken.await?.ok_or_else(|| missing(&core, "")) })
    }

    /// Up to `rows` rows, without an order. It stands in the place of a limit of the relation. Rails: `take(3)`.
    ///
    /// `SELECT "posts".* FROM "posts" LIMIT 3`
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn take_n(&self, rows: u64) -> Pending<Vec<M>> {
        let mut core = self.core().clone();
        core.select.limit = Some(rows);
        Pending::new(async move { some(&core).await })
    }

    /// The first row by the relation's order, or by the key. Rails: `first`.
    ///
    /// `SELECT "posts".* FROM "posts" ORDER BY "posts"."id" ASC LIMIT 1`
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn first(&self) -> Pending<Option<M>> {
        let core = at_end(self.core().clone(), Direction::Ascending, 1);
        Pending::new(async move { Ok(some(&core?).await?.pop()) })
    }

    /// The first row, or `RecordNotFound`. Rails: `first!`.
    ///
    /// The statement is that of [`first`](Self::first).
    ///
    /// Errors: `RecordNotFound`; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn first_or_fail(&self) -> Pending<M> {
        let (first, core) = (self.first(), self.core().clone());
        Pending::new(async move { first.await?.ok_or_else(|| missing(&core, "")) })
    }

    /// The first rows by the relation's order, or by the key. Rails: `first(3)`.
    ///
    /// `SELECT "posts".* FROM "posts" ORDER BY "posts"."id" ASC LIMIT 3`
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn first_n(&self, rows: u64) -> Pending<Vec<M>> {
        let core = at_end(self.core().clone(), Direction::Ascending, rows);
        Pending::new(async move { some(&core?).await })
    }

    /// The last row by the relation's order, or by the key. A limited relation is read whole first, for its last
    /// row is the last of those. Rails: `last`.
    ///
    /// `SELECT "posts".* FROM "posts" ORDER BY "posts"."id" DESC LIMIT 1`
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn last(&self) -> Pending<Option<M>> {
        let last = self.last_n(1);
        Pending::new(async move { Ok(last.await?.pop()) })
    }

    /// The last rows, in the relation's own order. Rails: `last(3)`.
    ///
    /// `SELECT "posts".* FROM "posts" ORDER BY "posts"."id" DESC LIMIT 3`
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn last_n(&self, rows: u64) -> Pending<Vec<M>> {
        let core = self.core().clone();
        Pending::new(async move {
            if core.select.is_cut() {
                let mut all = some::<M>(&core).await?;
                let start = all
                    .len()
                    .saturating_sub(usize::try_from(rows).unwrap_or(usize::MAX));
                return Ok(all.split_off(start));
            }
            let mut last = some(&at_end(core, Direction::Descending, rows)?).await?;
            last.reverse();
            Ok(last)
        })
    }

    /// The only row: `RecordNotFound` when there is none, `SoleRecordExceeded` when there are several.
    /// Rails: `sole`.
    ///
    /// `SELECT "posts".* FROM "posts" LIMIT 2`
    ///
    /// Errors: `RecordNotFound`, `SoleRecordExceeded`; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn sole(&self) -> Pending<M> {
        let (asked, model) = (self.core().clone(), self.reflection());
        let mut core = asked.clone();
        core.select.limit_to(2);
        Pending::new(async move {
            let mut found = some(&core).await?;
            match (found.pop(), found.pop()) {
                (Some(only), None) => Ok(only),
                (None, _) => Err(missing(&asked, "")),
                _ => {
                    let message = format!("Wanted only one {}", model.name());
                    Err(Error::new(ErrorKind::SoleRecordExceeded, message).with_model(model.name()))
                }
            }
        })
    }

    /// The row with that key among the relation's. The erased form of `find`. Rails: `find(1)`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."id" = ? LIMIT 1`
    ///
    /// Errors: `RecordNotFound`; `Argument` for a key of another number of columns; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn find_key(&self, key: impl IntoIterator<Item = Value<'static>>) -> Pending<M> {
        let model = self.reflection();
        let key = held_key(model, key.into_iter().collect());
        let condition = by_key(model, vec![key.clone()]);
        let asked = self.core().clone();
        let mut core = asked.clone();
        core.select.filter(Expr(condition));
        core.select.limit = Some(1);
        Pending::new(async move {
            check_key(model, &key)?;
            some(&core)
                .await?
                .pop()
                .ok_or_else(|| missing(&asked, &describe(model, &key)))
        })
    }

    /// The rows with these keys, in the order of the keys; `RecordNotFound` names those that are missing.
    /// Rails: `find([1, 2])`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."id" IN (?, ?)`
    ///
    /// Errors: `RecordNotFound` for a key that is not there; `Argument` for one of another number of columns; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn find_keys(&self, keys: Vec<Vec<Value<'static>>>) -> Pending<Vec<M>> {
        let model = self.reflection();
        let keys = keys.into_iter().map(|key| held_key(model, key));
        let mut keys: Vec<_> = keys.collect();
        let of = |key: &Vec<Value<'static>>| association::Key::of_values(key);
        let mut once: HashSet<_, Hashing> = HashSet::default();
        keys.retain(|key| once.insert(of(key)));
        let asked = self.core().clone();
        let mut core = asked.clone();
        core.select.filter(Expr(by_key(model, keys.clone())));
        Pending::new(async move {
            keys.iter().try_for_each(|key| check_key(model, key))?;
            let mut found: HashMap<_, Record, Hashing> = HashMap::default();
            for record in load(&core, Purpose::Load).await? {
                let key = association::Key::of(&record, model.primary_key());
                found.entry(key).or_insert(record);
            }
            let mut missing = Vec::new();
            let mut sorted: Vec<Record> = Vec::with_capacity(keys.len());
            for key in &keys {
                match found.get(&of(key)) {
                    Some(record) => sorted.push(record.clone()),
                    None => missing.push(key),
                }
            }
            if missing.is_empty() {
                return sorted.into_iter().map(M::cast).collect();
            }
            let (names, missed) = (model.primary_key_names().collect::<Vec<_>>(), missing.len());
            let count = |word: &str| match missed {
                1 => word.to_owned(),
                _ => relata_inflect::pluralize(word),
            };
            let message = format!(
                "Couldn't find all {} with '{}': ({}){} (found {} results, but was looking for {}). \
                 Couldn't find {} with {} {}.",
                relata_inflect::pluralize(model.name()),
                names.join(", "),
                listed(keys.iter()),
                conditions_of(&asked)
                    .map_or_else(String::new, |conditions| format!(" [{conditions}]")),
                sorted.len(),
                keys.len(),
                count(model.name()),
                count(&names.join(", ")),
                listed(missing.into_iter())
            );
            Err(Error::new(ErrorKind::RecordNotFound, message).with_model(model.name()))
        })
    }

    /// Whether some row is there. Of `limit(0)` there is none, and nothing is asked. Rails: `exists?`.
    ///
    /// `SELECT 1 AS one FROM "posts" LIMIT 1`
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn exists(&self) -> Pending<bool> {
        let mut core = self.core().clone();
        if core.select.limit == Some(0) {
            return Pending::ready(Ok(false));
        }
        core.select.orders.clear();
        core.select.limit = Some(1);
        Pending::new(async move {
            if !core.eager.is_empty() || !core.includes.is_empty() {
                let (select, joined) = core.with_joined_includes()?;
                core.select = select;
                // A record that several joined rows hold is passed over once.
                core.select.distinct |= !joined.is_empty();
            }
            // Of equal rows one is passed over and not all; without an offset one is as good as another.
            core.select.distinct &= core.select.offset.is_some();
            core.select.what = match core.select.distinct {
                true => core.select.what_is_distinct(),
                false => What::One,
            };
            Ok(!super::pluck::tuples(&core, Purpose::Exists, Vec::new())
                .await?
                .is_empty())
        })
    }
}

impl<M: Model> Relation<M> {
    /// The record with that key among the relation's. Rails: `find(1)`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."id" = ? LIMIT 1`
    ///
    /// Errors: `RecordNotFound`.
    #[track_caller]
    pub fn find(&self, key: impl Into<M::Key>) -> Pending<M> {
        self.find_key(key.into().values())
    }

    /// The records with these keys, in the order of the keys, each once. Rails: `find([1, 2])`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."id" IN (?, ?)`
    ///
    /// Errors: `RecordNotFound` names the keys that have no row among the relation's.
    #[track_caller]
    pub fn find_many<K: Into<M::Key>>(&self, keys: impl IntoIterator<Item = K>) -> Pending<Vec<M>> {
        self.find_keys(keys.into_iter().map(|key| key.into().values()).collect())
    }

    /// The first row for which the condition holds, without an order. Rails: `find_by`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."title" = ? LIMIT 1`
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn find_by<E: Into<Expr>>(
        &self,
        condition: impl FnOnce(&'static M::Columns) -> E,
    ) -> Pending<Option<M>> {
        self.clone().filter(condition).take()
    }

    /// The first row for which the condition holds, or `RecordNotFound`. Rails: `find_by!`.
    ///
    /// The statement is that of [`find_by`](Self::find_by).
    ///
    /// Errors: `RecordNotFound`; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn find_by_or_fail<E: Into<Expr>>(
        &self,
        condition: impl FnOnce(&'static M::Columns) -> E,
    ) -> Pending<M> {
        self.clone().filter(condition).take_or_fail()
    }
}
