//! Writing one record: INSERT, or UPDATE of what changed.
//!
//! Invariants: what is bound is what counts as saved; a statement that failed leaves the record as it was; an UPDATE
//! that finds no row is an error.

use std::sync::Arc;

use super::errors::unknown_key;
use super::locking::{self, Lock};
use super::snapshot::Before;
use super::turn::{Turn, in_turn};
use super::{counters, uniqueness, witness};
use crate::attribute::value::{Kind, Value};
use crate::db::adapter::{Purpose, Statement};
use crate::error::{Error, ErrorKind, Result, Spot};
use crate::record::{Bound, Life, Record};
use crate::reflection::ModelReflection;
use crate::sql::statements::{self, Guard};

/// Refuses what no save may write, and says what a setter could not do that gives no error.
pub(super) fn refuse(record: &Record) -> Result<()> {
    if record.is_destroyed() {
        let message = format!(
            "{} was destroyed and cannot be saved",
            record.reflection().name()
        );
        return Err(Error::new(ErrorKind::RecordNotSaved, message).with_record(record.clone()));
    }
    if !record.is_barred() {
        return Ok(());
    }
    refuse_readonly(record)?;
    record.take_refusal().map_or(Ok(()), Err)
}

/// Refuses a record whose last write may have happened or not. To be asked by who has the turn to write it: while
/// another save is under way, its outcome is not known either.
pub(super) fn refuse_doubt(record: &Record) -> Result<()> {
    if !record.is_in_doubt() {
        return Ok(());
    }
    let message = format!(
        "whether the last write of this {} happened is not known: reload it before saving it again",
        record.reflection().name()
    );
    Err(Error::new(ErrorKind::CommitOutcomeUnknown, message).with_record(record.clone()))
}

/// Refuses a record that is marked as readonly.
pub(super) fn refuse_readonly(record: &Record) -> Result<()> {
    if !record.is_readonly() {
        return Ok(());
    }
    let message = format!("{} is marked as readonly", record.reflection().name());
    Err(Error::new(ErrorKind::ReadOnlyRecord, message).with_record(record.clone()))
}

/// Writes one record. A second write of the same record waits for the first, and then writes what is still dirty.
/// Without `touch` an UPDATE leaves the time of the last change.
pub(super) async fn write(record: &Record, touch: bool) -> Result<()> {
    in_turn!(record, turn => write_in(turn, record, touch))
}

async fn write_in(turn: &Turn<'_>, record: &Record, touch: bool) -> Result<()> {
    refuse(record)?;
    refuse_doubt(record)?;
    #[cfg(feature = "password")]
    let secured = !record.reflection().secure_passwords().is_empty();
    #[cfg(feature = "password")]
    if secured {
        Box::pin(super::password::complete(record)).await?;
    }
    let written = match record.life() {
        Life::New => insert(turn, record).await,
        Life::Persisted => {
            if touch {
                stamp_change(record)?;
            }
            update(turn, record).await
        }
        Life::Destroyed | Life::Dropped => Ok(()),
    };
    #[cfg(feature = "password")]
    if secured && written.is_ok() {
        super::password::saved(record);
    }
    written.map_err(|error| uniqueness::as_validation(record, error))
}

/// Runs a statement of a record whose values of `columns` are bound, and tells the record what became of it.
async fn run(
    turn: &Turn<'_>,
    record: &Record,
    bound: Bound,
    columns: &[usize],
    statement: Statement,
    lock: Option<Lock>,
) -> Result<()> {
    let mut before = Before::of(record);
    let model = record.reflection();
    let outcome = witness::run(record, statement, Some(turn))
        .await
        .map_err(|error| match error.spot() {
            Some(Spot::Bind(bind)) => named(model, columns.get(bind), error),
            _ => error,
        })?;
    if record.is_persisted() && outcome.affected == 0 {
        return Err(match lock {
            Some(_) => locking::stale(record, "update"),
            None => gone(record),
        });
    }
    let generated = match (model.primary_key(), outcome.generated) {
        (&[key], Some(generated)) if record.is_new_record() && record.value(key).is_null() => {
            Some((key, generated_key(record, key, generated)?))
        }
        _ => None,
    };
    record.saved(bound, columns);
    if let Some(lock) = lock {
        lock.keep(record, &mut before);
    }
    if let Some((key, value)) = generated {
        before.generated(key);
        record.fill(key, &value);
    }
    before.enlist();
    Ok(())
}

/// The error of a value that the database cannot hold, with the name of its column.
#[cold]
fn named(model: &'static ModelReflection, column: Option<&usize>, error: Error) -> Error {
    match column.and_then(|&column| model.columns().get(column)) {
        Some(column) => error.of_attribute(model.name(), column.name()),
        None => error,
    }
}

fn generated_key(record: &Record, key: usize, generated: i64) -> Result<Value<'static>> {
    let model = record.reflection();
    let Some(column) = model.columns().get(key) else {
        return Ok(Value::Int(generated));
    };
    column
        .attribute_type()
        .cast(Value::Int(generated))
        .map_err(|problem| {
            let message = format!(
                "{}.{}: the database's key {problem}",
                model.name(),
                column.name()
            );
            Error::new(ErrorKind::RangeError, message).with_record(record.clone())
        })
}

pub(super) fn gone(record: &Record) -> Error {
    let model = record.reflection();
    let message = format!(
        "Failed to save {} with {}: its row is gone from \"{}\"",
        model.name(),
        super::errors::key_of(record),
        model.table()
    );
    Error::new(ErrorKind::RecordNotSaved, message).with_record(record.clone())
}

async fn insert(turn: &Turn<'_>, record: &Record) -> Result<()> {
    let (model, db) = (record.reflection(), record.db());
    stamp_creation(record)?;
    if let Some(version) = model.locking_position()
        && record.value(version).is_null()
    {
        record.set_value(version, Value::Int(0))?;
    }
    let bound = record.bind();
    // What has no value is left out: the database's default applies, or it says that there must be one.
    let columns: Vec<usize> = (0..model.columns().len())
        .filter(|&column| !bound.is_null(column) || record.is_set_to_null(column))
        .collect();
    let statement = Statement {
        text: statements::insert(model, db.dialect(), &columns),
        binds: accepted(record, &bound, &columns, 0)?,
        reuse: true,
        writes: true,
        purpose: Purpose::Create,
        model: Some(model.name()),
    };
    run(turn, record, bound, &columns, statement, None).await
}

/// A save without anything to write takes part in the open transaction like any other, as in Rails: what the record
/// reads in it later may be rolled back.
fn wrote_nothing(record: &Record) -> Result<()> {
    record.db().enlist(|| Arc::new(Before::of(record)));
    record.saved_nothing();
    Ok(())
}

/// UPDATE of what changed.
async fn update(turn: &Turn<'_>, record: &Record) -> Result<()> {
    let (model, db) = (record.reflection(), record.db());
    if !record.is_changed() {
        return wrote_nothing(record);
    }
    let (bound, mut columns) = record.bind_changed();
    // A counter is only ever counted: a value that was set, or is out of date, never overwrites it.
    let counters = counters::columns(model);
    columns.retain(|column| !counters.contains(column));
    // A typed setter cannot fail: what it should not have set is refused here.
    if let Some(&column) = columns.iter().find(|&&column| record.keeps(column)) {
        return Err(record.kept(column));
    }
    if columns.is_empty() {
        return wrote_nothing(record);
    }
    let key = record.saved_key();
    if key.is_empty() || key.iter().any(Value::is_null) {
        return Err(unknown_key(record));
    }
    let lock = Lock::of(record)?;
    if let Some(lock) = &lock {
        columns.retain(|&column| column != lock.column);
    }
    let mut binds = accepted(record, &bound, &columns, key.len() + 2)?;
    if let Some(lock) = &lock {
        columns.push(lock.column);
        binds.push(lock.next());
    }
    binds.extend(key.into_iter().map(Value::into_owned));
    binds.extend(lock.as_ref().and_then(Lock::bind));
    let guard = lock.as_ref().map_or(Guard::None, Lock::guard);
    let statement = Statement {
        text: statements::update(model, db.dialect(), &columns, guard),
        binds,
        reuse: true,
        writes: true,
        purpose: Purpose::Update,
        model: Some(model.name()),
    };
    run(turn, record, bound, &columns, statement, lock).await
}

/// Sets the times of creation and change that have no value.
pub(super) fn stamp_creation(record: &Record) -> Result<()> {
    let model = record.reflection();
    let stamps = model.stamps();
    for &column in stamps.created.iter().chain(&stamps.updated) {
        if record.value(column).is_null() {
            record.set_value(column, stamp(model, column, record.db().now()))?;
        }
    }
    Ok(())
}

/// Sets the time of change of a record that changed, where it was not set.
fn stamp_change(record: &Record) -> Result<()> {
    let model = record.reflection();
    let updated = &model.stamps().updated;
    if updated.is_empty() || !record.is_changed() {
        return Ok(());
    }
    for &column in updated {
        if !record.column_changed(column) {
            record.set_value(column, stamp(model, column, record.db().now()))?;
        }
    }
    Ok(())
}

/// The time as a column holds it.
pub(super) fn stamp(model: &'static ModelReflection, column: usize, micros: i64) -> Value<'static> {
    let kind = model
        .columns()
        .get(column)
        .map(|column| column.attribute_type().kind);
    match kind {
        Some(Kind::DateTime) => Value::DateTime(micros),
        _ => Value::Timestamp(micros),
    }
}

/// The values of a statement, with room for `more`. A typed setter cannot fail: what it was given is held against the
/// column's type here, before it is stored where no reader would accept it.
fn accepted(
    record: &Record,
    bound: &Bound,
    columns: &[usize],
    more: usize,
) -> Result<Vec<Value<'static>>> {
    let model = record.reflection();
    let mut values = Vec::with_capacity(columns.len() + more);
    for &column in columns {
        let Some(reflection) = model.columns().get(column) else {
            continue;
        };
        let value = reflection
            .attribute_type()
            .cast(bound.value(column).into_owned())
            .map_err(|problem| model.refused(column, &problem).with_record(record.clone()))?;
        values.push(value);
    }
    Ok(values)
}
