//! Numbers about the targets of many owners: one statement for all of them, and no target is loaded.
//!
//! Invariant: every owner has its number, in the owners' order, those without targets too.

use std::collections::HashMap;

use super::calculate::{Summable, total, type_of, typed};
use super::owners::{self, OwnerKeys};
use super::pluck::tuples;
use crate::association::{Association, Key, first_place, targets_of};
use crate::attribute::value::Value;
use crate::attribute::{Attribute, AttributeType};
use crate::db::adapter::Purpose;
use crate::error::{Error, ErrorKind, Result};
use crate::hashing::Hashing;
use crate::model::Model;
use crate::pending::Pending;
use crate::record::Record;
use crate::relation::{Column, Path, Scope, columns_at};
use crate::sql::expr::{Function, Node};
use crate::sql::{Place, What};

/// How many targets each of some records has, in the order of the records, without loading one.
///
/// `SELECT "posts"."person_id", COUNT(*) FROM "posts" WHERE "posts"."person_id" IN (?, ?) GROUP BY "posts"."person_id"`
///
/// ```
/// # use relata::prelude::*;
/// # #[model] struct Person { id: i64, #[has_many] posts: Post }
/// # #[model] struct Post { id: i64, stars: i64, person_id: i64, #[belongs_to] person: Person }
/// # relata::run(async {
/// # let db = Db::connect("sqlite::memory:").await?;
/// # db.create_tables([Person::reflection(), Post::reflection()]).await?;
/// let people = Person::all(&db).await?;
/// let counts: Vec<u64> = relata::loading::counts(&people, |p| p.posts).await?;
/// # Ok(()) }).unwrap();
/// ```
///
/// Errors: `Argument` for a `belongs_to`, a scope with a limit or one that differs by the owner;
/// `AssociationTypeMismatch` for records of several databases;
/// [those of reading](crate::Pending#errors).
#[track_caller]
pub fn counts<'m, M: Model, T: Model>(
    records: impl IntoIterator<Item = &'m M>,
    path: impl FnOnce(&'static M::Columns) -> Path<T>,
) -> Pending<Vec<u64>> {
    let place = path(columns_at::<M>(Place::root(M::reflection()))).place();
    let records = erased(records);
    Pending::new(async move {
        let counts = tally(&records, step(place)?, Function::Count, None).await?;
        Ok(counts
            .into_iter()
            .map(|one| typed(one).unwrap_or_default())
            .collect())
    })
}

/// The erased form of [`counts`].
///
/// SQL: as [`counts`].
///
/// Errors: as there; `AssociationNotFound` with the nearest name.
#[track_caller]
pub fn counts_named(records: &[Record], association: &str) -> Pending<Vec<u64>> {
    let (records, name) = (records.to_vec(), association.to_owned());
    Pending::new(async move {
        let counts = tally_named(&records, &name, Function::Count, None).await?;
        Ok(counts
            .into_iter()
            .map(|one| typed(one).unwrap_or_default())
            .collect())
    })
}

/// The sum of a column of the targets of each of some records: `|p| p.posts.stars`. 0 where there is none.
///
/// `SELECT "posts"."person_id", SUM("posts"."stars") FROM "posts" WHERE "posts"."person_id" IN (?, ?) GROUP BY ...`
///
/// Errors: as [`counts`]; `RangeError` when a sum does not fit its type.
#[track_caller]
pub fn sums<'m, M: Model, T: Summable>(
    records: impl IntoIterator<Item = &'m M>,
    column: impl FnOnce(&'static M::Columns) -> Column<T>,
) -> Pending<Vec<T::Sum>> {
    let column = column(columns_at::<M>(Place::root(M::reflection())));
    let (place, index) = (column.place(), column.index());
    let records = erased(records);
    Pending::new(async move {
        let sums = tally(&records, step(place)?, Function::Sum, Some(index)).await?;
        let sums = sums.into_iter().map(|one| total::<T>(place.model(), one));
        sums.collect()
    })
}

/// The least value of a column among the targets of each of some records; nothing where there is none.
///
/// SQL: as [`sums`], with `MIN`.
///
/// Errors: as [`counts`].
#[track_caller]
pub fn minimums<'m, M: Model, T: Attribute>(
    records: impl IntoIterator<Item = &'m M>,
    column: impl FnOnce(&'static M::Columns) -> Column<T>,
) -> Pending<Vec<Option<T>>> {
    extremes(records, column, Function::Minimum)
}

/// The greatest value of a column among the targets of each of some records; nothing where there is none.
///
/// SQL: as [`sums`], with `MAX`.
///
/// Errors: as [`counts`].
#[track_caller]
pub fn maximums<'m, M: Model, T: Attribute>(
    records: impl IntoIterator<Item = &'m M>,
    column: impl FnOnce(&'static M::Columns) -> Column<T>,
) -> Pending<Vec<Option<T>>> {
    extremes(records, column, Function::Maximum)
}

/// What [`sums`], [`minimums`] and [`maximums`] give, by names: `sum`, `average`, `minimum` or `maximum` of an attribute of
/// the targets; null where there is none.
///
/// SQL: as [`sums`], with the function in its place.
///
/// Errors: as [`counts`]; `AssociationNotFound` or `UnknownAttribute` with the nearest name; `Argument` for another function.
#[track_caller]
pub fn tallies_named(
    records: &[Record],
    association: &str,
    function: &str,
    attribute: &str,
) -> Pending<Vec<Value<'static>>> {
    let (records, name) = (records.to_vec(), association.to_owned());
    let function = match function {
        "sum" => Ok(Function::Sum),
        "average" => Ok(Function::Average),
        "minimum" => Ok(Function::Minimum),
        "maximum" => Ok(Function::Maximum),
        other => {
            let message =
                format!("unknown function `{other}`: it is one of sum average minimum maximum");
            Err(Error::new(ErrorKind::Argument, message))
        }
    };
    let attribute = attribute.to_owned();
    Pending::new(async move {
        let values = tally_named(&records, &name, function?, Some(&attribute)).await?;
        Ok(values
            .into_iter()
            .map(|one| one.unwrap_or(Value::Null))
            .collect())
    })
}

#[track_caller]
fn extremes<'m, M: Model, T: Attribute>(
    records: impl IntoIterator<Item = &'m M>,
    column: impl FnOnce(&'static M::Columns) -> Column<T>,
    function: Function,
) -> Pending<Vec<Option<T>>> {
    let column = column(columns_at::<M>(Place::root(M::reflection())));
    let (place, index) = (column.place(), column.index());
    let records = erased(records);
    Pending::new(async move {
        let values = tally(&records, step(place)?, function, Some(index)).await?;
        Ok(values.into_iter().map(typed).collect())
    })
}

fn erased<'m, M: Model>(records: impl IntoIterator<Item = &'m M>) -> Vec<Record> {
    records.into_iter().map(|one| (**one).clone()).collect()
}

/// The association that leads from the records to a place.
fn step(place: Place) -> Result<usize> {
    let above_is_root = place.above().is_some_and(|above| above.above().is_none());
    place.step().filter(|_| above_is_root).ok_or_else(|| {
        let message = format!("{place:?} is not what an association of the records leads to");
        Error::new(ErrorKind::Argument, message)
    })
}

async fn tally_named(
    records: &[Record],
    name: &str,
    function: Function,
    attribute: Option<&str>,
) -> Result<Vec<Option<Value<'static>>>> {
    let Some(first) = records.first() else {
        return Ok(Vec::new());
    };
    let position = first.reflection().association(name)?;
    let target = first.reflection().resolve(position)?.target;
    let column = attribute.map(|name| target.attribute(name)).transpose()?;
    tally(records, position, function, column).await
}

/// What a function comes to for the targets of each of some records; nothing where the database has no answer.
async fn tally(
    records: &[Record],
    position: usize,
    function: Function,
    column: Option<usize>,
) -> Result<Vec<Option<Value<'static>>>> {
    let Some(first) = records.first() else {
        return Ok(Vec::new());
    };
    let association = Association::at(first, position)?;
    if let Some(stranger) = records.iter().find(|record| record.db() != first.db()) {
        let message = format!(
            "the records are of several databases, {stranger:?} of another than {first:?}: ask about each database's \
             records apart"
        );
        return Err(association.error(ErrorKind::AssociationTypeMismatch, message));
    }
    let resolved = association.resolved();
    let refused = |why: &str| {
        let (model, name) = (first.reflection().name(), association.reflection().name());
        let message = format!("{model}.{name} {why}: its targets are not told apart by owner");
        Error::new(ErrorKind::Argument, message)
            .with_model(model)
            .with_attribute(name)
    };
    if association.is_belongs_to() {
        return Err(refused("is a belongs_to"));
    }
    if association
        .reflection()
        .scope()
        .is_some_and(Scope::is_of_owner)
    {
        return Err(refused("has a scope that differs by the owner"));
    }
    if let Some(end) = resolved.scope_of_owner() {
        return Err(resolved.has_no(end));
    }
    let mut keys = OwnerKeys::of(records, &resolved.owner_key);
    let values = keys.take_values();
    if values.is_empty() {
        return Ok(vec![None; records.len()]);
    }
    let mut core = targets_of(resolved, first.db(), None, values).into_core();
    if core.select.is_cut() {
        return Err(refused("has a scope with a limit"));
    }
    let (place, key) = first_place(resolved);
    let root = core.select.root;
    let counted = match (column, root.model().primary_key()) {
        (Some(column), _) => Node::Call(function, Box::new(Node::Column(root, column))),
        (None, &[key]) if core.select.distinct => {
            Node::Call(Function::CountDistinct, Box::new(Node::Column(root, key)))
        }
        (None, _) => Node::Call(Function::Count, Box::new(Node::Star)),
    };
    let answer = match column {
        Some(column) => type_of(function, root, column),
        None => Some(AttributeType::of::<u64>()),
    };
    let groups: Vec<Node> = key
        .iter()
        .map(|&column| Node::Column(place, column))
        .collect();
    let types = owners::types(first, resolved).chain([answer]).collect();
    core.select.groups = groups.clone();
    core.select.orders.clear();
    core.select.distinct = false;
    core.select.what = What::Values(groups.into_iter().chain([counted]).collect());
    let mut known = HashMap::<Key, Value<'static>, Hashing>::default();
    for mut row in tuples(&core, Purpose::Calculate, types).await? {
        let answer = row.pop().filter(|answer| !answer.is_null());
        if let (Some(key), Some(answer)) = (Key::of_values(&row), answer) {
            known.insert(key, answer);
        }
    }
    let of = |record: &Record| known.get(&Key::of(record, &resolved.owner_key)?).cloned();
    Ok(records.iter().map(of).collect())
}
