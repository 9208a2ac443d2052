//! What becomes of an association's targets when their owner is destroyed.
//!
//! Invariant: nothing is left pointing at a row that is gone, unless the declaration says nothing of it; what refuses
//! keeps the owner, and the transaction puts back what went before it.

use super::acts::{is_soft, not_destroyed};
use super::collection::remove_rows;
use super::destroy::{delete_row, destroy};
use super::errors::Keeping;
use super::frame::{Frame, Task};
use super::pipeline::Verb;
use super::through::{self, Leaving};
use crate::association::{Association, Removal};
use crate::attribute::value::Value;
use crate::callback::Abort;
use crate::error::{ErrorKind, Result};
use crate::job::DestroyJob;
use crate::loading;
use crate::record::Record;
use crate::reflection::{AssociationReflection, Dependent, Resolved};

impl Record {
    /// The association of its owner that is destroying the record, or has. Never touches the database.
    /// Rails: `destroyed_by_association`.
    #[must_use]
    pub fn destroyed_by_association(&self) -> Option<&'static AssociationReflection> {
        destroyed_by(self).map(Resolved::declaration)
    }
}

pub(super) fn destroyed_by(record: &Record) -> Option<&'static Resolved> {
    record.existing_extension::<Keeping>()?.destroyed_by()
}

/// Does what `dependent` says, up to the next target that must be destroyed first.
pub(super) async fn perform(
    frame: &mut Frame,
    association: &Association,
    outcome: Option<Result<()>>,
) -> Result<Option<Task>> {
    let Some(dependent) = association.reflection().dependent else {
        return Ok(None);
    };
    match dependent {
        // The rows between depend, and not what they lead to.
        Dependent::Destroy | Dependent::DeleteAll | Dependent::Nullify
            if association.is_through() =>
        {
            let leaving = Leaving::of(association);
            Box::pin(through::empty(association, leaving)).await?;
        }
        Dependent::Destroy => return destroy_each(frame, association, outcome).await,
        Dependent::DestroyAsync => leave_for_later(association).await?,
        Dependent::RestrictWithException | Dependent::RestrictWithError => {
            restrict(association, dependent).await?;
        }
        Dependent::Delete | Dependent::DeleteAll | Dependent::Nullify
            if association.reflection().is_collection() =>
        {
            let removal = match dependent {
                Dependent::Nullify => Removal::Nullify,
                _ => Removal::Delete,
            };
            if association.owner().is_persisted() {
                remove_rows(association, association.relation(), removal).await?;
            }
            empty(association);
        }
        Dependent::Delete | Dependent::DeleteAll => {
            if let Some(target) = loading::load_one(association).await? {
                delete_row(&target).await?;
            }
        }
        Dependent::Nullify => {
            if let Some(target) = loading::load_one(association).await?
                && target.is_persisted()
            {
                association.check_nullable()?;
                let key = association.resolved().target_columns.iter();
                let names = key.filter_map(|&column| target.reflection().columns().get(column));
                let nulls: Vec<_> = names.map(|column| (column.name(), Value::Null)).collect();
                target.update_columns(nulls).await?;
            }
        }
    }
    Ok(None)
}

async fn destroy_each(
    frame: &mut Frame,
    association: &Association,
    outcome: Option<Result<()>>,
) -> Result<Option<Task>> {
    // A target that refuses keeps the owner too: a member is told of, and a `has_one` halts, as in Rails.
    let collection = association.reflection().is_collection();
    outcome.unwrap_or(Ok(())).map_err(|error| {
        match is_soft(&error) && association.reflection().is_has_one() {
            true => not_destroyed(frame.record(), Some(error.to_string())).with_source(error),
            false => error,
        }
    })?;
    let mut todo = match frame.todo.take() {
        Some(mut todo) => {
            todo.pop();
            todo
        }
        None => {
            let mut targets = if collection {
                loading::load_many(association).await?
            } else {
                loading::load_one(association).await?.into_iter().collect()
            };
            targets.reverse();
            targets
        }
    };
    while let Some(target) = todo.last() {
        if target.is_destroyed() || (!collection && target.is_new_record()) {
            todo.pop();
            continue;
        }
        if let Some(keeping) = target.keeping().filter(|_| !association.is_belongs_to()) {
            keeping.set_destroyed_by(Some(association.resolved()));
        }
        let task = Task::new(Verb::Destroy, target, frame.options());
        frame.todo = Some(todo);
        return Ok(Some(task));
    }
    if collection {
        empty(association);
    }
    Ok(None)
}

/// Gives jobs to destroy the targets to the database's queue, in the transaction that destroys the owner.
async fn leave_for_later(association: &Association) -> Result<()> {
    let targets = if association.reflection().is_collection() {
        loading::load_many(association).await?
    } else {
        loading::load_one(association).await?.into_iter().collect()
    };
    let owner = association.owner();
    let saved = targets.iter().filter(|target| target.is_persisted());
    let keys: Vec<Vec<Value<'static>>> = saved.map(key_of).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let queue = owner
        .db()
        .jobs()
        .get()
        .map_err(|error| error.with_record(owner.clone()))?;
    for batch in keys.chunks(queue.batch_size().unwrap_or(keys.len()).max(1)) {
        let job = DestroyJob::new(
            owner.reflection().name(),
            key_of(owner),
            association.reflection().name(),
            association.resolved().target.name(),
            batch.to_vec(),
        );
        queue.enqueue(owner.db(), job).await?;
    }
    Ok(())
}

fn key_of(record: &Record) -> Vec<Value<'static>> {
    let key = record.reflection().primary_key().iter();
    key.map(|&column| record.saved_value(column).into_owned())
        .collect()
}

/// Destroys a target that leaves its owner.
pub(super) async fn destroy_as_dependent(association: &Association, target: &Record) -> Result<()> {
    if let Some(keeping) = target.keeping() {
        keeping.set_destroyed_by(Some(association.resolved()));
    }
    destroy(target).await
}

/// The collection is loaded, and empty.
fn empty(association: &Association) {
    association.forget(|_| true);
    association.complete();
}

async fn restrict(association: &Association, dependent: Dependent) -> Result<()> {
    let reflection = association.reflection();
    let collection = reflection.is_collection();
    let there = if collection {
        let known = association.known_many();
        if known.loaded || !known.records.is_empty() {
            !known.records.is_empty()
        } else {
            association.owner().is_persisted() && association.relation().exists().await?
        }
    } else {
        loading::load_one(association).await?.is_some()
    };
    if !there {
        return Ok(());
    }
    if dependent == Dependent::RestrictWithException {
        let message = format!(
            "Cannot delete record because of dependent {}",
            reflection.name()
        );
        return Err(association.error(ErrorKind::DeleteRestriction, message));
    }
    let owner = association.owner();
    let texts = owner.db().messages();
    let name = texts.attribute_name(owner.reflection().name(), reflection.name());
    let kind = if collection {
        "restrict_dependent_destroy.has_many"
    } else {
        "restrict_dependent_destroy.has_one"
    };
    let details = vec![("record", Value::from(name.to_lowercase()))];
    owner.errors().push_again("base".to_owned(), kind, details);
    Err(Abort.into())
}
