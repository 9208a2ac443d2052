//! Saving: validate, plan, write.
//!
//! Invariants: nothing is written before everything that is to be written is valid; several statements are one
//! transaction (a savepoint inside another); a single one is sent as it is.

use super::plan::{Step, plan};
use super::snapshot::{Before, Keys};
use super::validate::validate;
use crate::association::Association;
use crate::attribute::value::{Kind, Value};
use crate::db::adapter::{Purpose, Statement};
use crate::error::{Error, ErrorKind, Result};
use crate::pending::Pending;
use crate::record::{Bound, Life, Linked, Record};
use crate::reflection::ModelReflection;
use crate::sql::statements;

/// The timestamp columns of a model, by Rails' names.
#[derive(Default)]
pub(super) struct Timestamps {
    pub(super) created: Vec<usize>,
    pub(super) updated: Vec<usize>,
}

pub(super) fn timestamps(model: &'static ModelReflection) -> Timestamps {
    let mut found = Timestamps::default();
    for (position, column) in model.columns().iter().enumerate() {
        if !matches!(
            column.attribute_type().kind,
            Kind::Timestamp | Kind::DateTime
        ) {
            continue;
        }
        match column.name() {
            "created_at" | "created_on" => found.created.push(position),
            "updated_at" | "updated_on" => found.updated.push(position),
            _ => {}
        }
    }
    found
}

impl Record {
    /// Saves the record: INSERT if it is new, UPDATE of the changed columns if it is not, nothing if nothing changed.
    /// New parents are saved before it, new members of its collections after it, all in one transaction.
    /// Rails: `save!`.
    ///
    /// Errors: `RecordInvalid` when a validation fails; `ReadOnlyRecord`; what the database says.
    #[track_caller]
    pub fn save(&self) -> Pending<()> {
        let record = self.clone();
        Pending::new(async move { save(&record).await })
    }
}

/// Saves a new record and gives it back as its model.
#[track_caller]
pub(crate) fn create<M: Send + 'static>(record: Record, model: M) -> Pending<M> {
    Pending::new(async move {
        save(&record).await?;
        Ok(model)
    })
}

pub(super) async fn save(record: &Record) -> Result<()> {
    refuse(record)?;
    let steps = plan(record)?;
    let writes: Vec<&Record> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Write(record) => Some(record),
            _ => None,
        })
        .collect();
    // Members before owners, so that an owner knows of its invalid members.
    for written in writes.iter().rev() {
        let looked_at = written.is(record) || written.is_new_record();
        if looked_at && !validate(written).await? && written.is(record) {
            return Err(record.invalid());
        }
    }
    if let Some(parent) = writes
        .iter()
        .find(|written| written.is_new_record() && written.has_errors())
    {
        return Err(parent.invalid());
    }
    if writes.len() == 1 && !steps.iter().any(|step| matches!(step, Step::CloseCycle(_))) {
        return perform(steps).await;
    }
    let db = record.db().clone();
    db.transaction(async || perform(steps).await).await
}

fn refuse(record: &Record) -> Result<()> {
    let model = record.reflection().name();
    if record.is_destroyed() {
        let message = format!("{model} was destroyed and cannot be saved");
        return Err(Error::new(ErrorKind::RecordNotSaved, message).with_record(record.clone()));
    }
    if record.is_readonly() {
        return Err(Error::new(
            ErrorKind::ReadOnlyRecord,
            format!("{model} is marked as readonly"),
        )
        .with_record(record.clone()));
    }
    if record.is_in_doubt() {
        let message = format!(
            "the outcome of a commit of this {model} is not known: reload it before saving it again"
        );
        return Err(
            Error::new(ErrorKind::CommitOutcomeUnknown, message).with_record(record.clone())
        );
    }
    Ok(())
}

async fn perform(steps: Vec<Step>) -> Result<()> {
    let mut keys = Keys::default();
    for step in steps {
        match step {
            Step::Write(record) => write(&record).await?,
            Step::TakeKey(association) => {
                if let Linked::Known(Some(target)) = association.peek_one()
                    && target.is_persisted()
                    && !association.is_key_of(&target)
                {
                    take_key(&mut keys, &association, Some(&target))?;
                }
            }
            Step::GiveKey(association, member) => {
                let columns = &association.resolved().target_key;
                keys.filling(&member, columns, association.inverse_of(&member), || {
                    association.give_key_to(&member)?;
                    // With its new key the way back would count as stale.
                    association.own(&member);
                    Ok(())
                })?;
            }
            Step::LeaveKey(association) => {
                // A key is left of a target whose row was rolled back.
                if association.has_key() {
                    leave_key(&mut keys, &association)?;
                }
            }
            Step::CloseCycle(association) => {
                let target = association.target();
                take_key(&mut keys, &association, target.first())?;
                write(association.owner()).await?;
            }
        }
    }
    keys.keep();
    Ok(())
}

/// Copies the key of its target into the owner of a `belongs_to`.
fn take_key(keys: &mut Keys, association: &Association, target: Option<&Record>) -> Result<()> {
    let (owner, columns) = (association.owner(), &association.resolved().owner_key);
    keys.filling(owner, columns, Some(association.clone()), || {
        association.copy_key_from(target)?;
        association.link(target);
        Ok(())
    })
}

/// Empties the key of the owner of a `belongs_to`, which keeps its target.
fn leave_key(keys: &mut Keys, association: &Association) -> Result<()> {
    let (owner, columns) = (association.owner(), &association.resolved().owner_key);
    let target = association.unsaved_target();
    keys.leaving(owner, columns, Some(association.clone()), || {
        association.copy_key_from(None)?;
        association.link(target.as_ref());
        Ok(())
    })
}

/// Writes one record. A second write of the same record waits for the first, and then writes what is still dirty.
async fn write(record: &Record) -> Result<()> {
    let Some(keeping) = record.keeping() else {
        return Ok(());
    };
    let _one_at_a_time = keeping.gate.lock().await;
    refuse(record)?;
    let before = Before::of(record);
    let written = match record.life() {
        Life::New => insert(record).await,
        Life::Persisted => update(record).await,
        Life::Destroyed => Ok(()),
    };
    match written {
        Ok(()) => before.enlist(),
        Err(_) => before.restore(),
    }
    written
}

async fn insert(record: &Record) -> Result<()> {
    let (model, db) = (record.reflection(), record.db());
    let stamps = timestamps(model);
    let now = db.now();
    for &column in stamps.created.iter().chain(&stamps.updated) {
        if record.value(column).is_null() {
            record.set_value(column, stamp(model, column, now))?;
        }
    }
    // What has no value is left out: the database's default applies, or it says that there must be one.
    let columns: Vec<usize> = (0..model.columns().len())
        .filter(|&column| !record.value(column).is_null())
        .collect();
    let bound = record.bind();
    let statement = Statement {
        text: statements::insert(model, db.dialect(), &columns),
        binds: accepted(record, &bound, &columns)?,
        reuse: true,
        writes: true,
        purpose: Purpose::Create,
        model: Some(model.name()),
    };
    let outcome = db
        .execute(statement)
        .await
        .map_err(|error| error.with_record(record.clone()))?;
    db.written(model.table());
    if let (&[key], Some(generated)) = (model.primary_key(), outcome.generated)
        && record.value(key).is_null()
    {
        let ty = model.columns()[key].attribute_type();
        let value = ty.cast(Value::Int(generated)).map_err(|problem| {
            let message = format!(
                "{}.{}: the database's key {problem}",
                model.name(),
                model.columns()[key].name()
            );
            Error::new(ErrorKind::RangeError, message).with_record(record.clone())
        })?;
        record.saved(&bound, &columns);
        record.fill(key, &value);
    } else {
        record.saved(&bound, &columns);
    }
    Ok(())
}

async fn update(record: &Record) -> Result<()> {
    let (model, db) = (record.reflection(), record.db());
    let mut columns = record.changed_columns();
    if columns.is_empty() {
        return Ok(());
    }
    let stamps = timestamps(model);
    for &column in &stamps.updated {
        if !columns.contains(&column) {
            record.set_value(column, stamp(model, column, db.now()))?;
            if record.column_changed(column) {
                columns.push(column);
            }
        }
    }
    columns.sort_unstable();
    let bound = record.bind();
    let key = record.saved_key();
    if key.is_empty() || key.iter().any(Value::is_null) {
        let message = format!(
            "Unknown primary key for table {} in model {}",
            model.table(),
            model.name()
        );
        return Err(Error::new(ErrorKind::UnknownPrimaryKey, message).with_record(record.clone()));
    }
    let values = accepted(record, &bound, &columns)?.into_iter();
    let statement = Statement {
        text: statements::update(model, db.dialect(), &columns),
        binds: values
            .chain(key.into_iter().map(Value::into_owned))
            .collect(),
        reuse: true,
        writes: true,
        purpose: Purpose::Update,
        model: Some(model.name()),
    };
    db.execute(statement)
        .await
        .map_err(|error| error.with_record(record.clone()))?;
    db.written(model.table());
    record.saved(&bound, &columns);
    Ok(())
}

/// The values of a statement. A typed setter cannot fail: what it was given is held against the column's type here,
/// before it is stored where no reader would accept it.
fn accepted(record: &Record, bound: &Bound, columns: &[usize]) -> Result<Vec<Value<'static>>> {
    let model = record.reflection();
    let mut values = Vec::with_capacity(columns.len());
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

fn stamp(model: &'static ModelReflection, column: usize, micros: i64) -> Value<'static> {
    match model
        .columns()
        .get(column)
        .map(|column| column.attribute_type().kind)
    {
        Some(Kind::DateTime) => Value::DateTime(micros),
        _ => Value::Timestamp(micros),
    }
}
