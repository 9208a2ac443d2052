//! What associations do at the events of their owner: defaults, parents, members. What the others of
//! [`Act`] do stands in rooms of their own: counters, touch, dependents.
//!
//! Invariant: an act decides which record comes next and what becomes of its failure; the pipeline does it.

use super::frame::{Frame, Task};
use super::keys::Keys;
use super::pipeline::{Pipeline, Verb, aside, lacks_keys_only, write_keys};
use super::replace::detach;
use super::{counters, dependent, through, touch};
use crate::association::{self, Association};
use crate::callback::{Abort, Event};
use crate::deprecation::{self, Why};
use crate::error::{Error, ErrorKind, Result};
use crate::loading;
use crate::record::{Linked, Record};
use crate::reflection::Act;

/// Does what an association does, up to the next record that must be done first.
pub(super) async fn perform(
    pipeline: &mut Pipeline,
    frame: &mut Frame,
    event: Event,
    association: &Association,
    act: Act,
    outcome: Option<Result<()>>,
) -> Result<Option<Task>> {
    match act {
        Act::TakeDefault => aside(|| take_default(frame, association)).await,
        Act::SaveParent => save_parent(pipeline, frame, association, outcome),
        Act::SaveMembers if association.is_through() => {
            aside(|| through::save_members(pipeline, frame, association, outcome)).await
        }
        Act::SaveMembers => save_members(pipeline, frame, association, outcome).await,
        Act::MoveCount => counters::follow(association).await,
        Act::Touch => aside(|| touch::perform(pipeline, frame, event, association, outcome)).await,
        Act::TellDependent => tell(association, Why::Dependent),
        Act::TellTouch => tell(association, Why::Touch),
        Act::Dependent => aside(|| dependent::perform(frame, association, outcome)).await,
    }
}

fn tell(association: &Association, why: Why<'_>) -> Result<Option<Task>> {
    deprecation::affected(association.owner().db(), association.resolved(), why)?;
    Ok(None)
}

async fn take_default(frame: &mut Frame, association: &Association) -> Result<Option<Task>> {
    let Some(default) = association.reflection().default else {
        return Ok(None);
    };
    if loading::load_one(association).await?.is_none() {
        frame.asks_again = true;
        let target = default(association.owner()).await?;
        association.assign(target.as_ref())?;
    }
    Ok(None)
}

/// A new parent is saved first, and with `autosave` a changed one; then its key is taken.
fn save_parent(
    pipeline: &mut Pipeline,
    frame: &mut Frame,
    association: &Association,
    outcome: Option<Result<()>>,
) -> Result<Option<Task>> {
    let autosave = association.reflection().autosave == Some(true);
    let first = outcome.is_none();
    match outcome {
        Some(Err(error)) if !is_soft(&error) => return Err(error),
        Some(Err(error)) if autosave => {
            return Err(<Abort as Into<Error>>::into(Abort).with_source(error));
        }
        // Rails saves the record without the parent, where its key may be null.
        Some(Err(error)) if !association.may_be_missing() => return Err(error),
        _ => {}
    }
    let Linked::Known(Some(parent)) = association.peek_one() else {
        return Ok(None);
    };
    refuse_stranger(association, &parent)?;
    if parent.is_destroyed() {
        return Ok(None);
    }
    if first {
        if autosave && parent.is_marked_for_destruction() {
            association.assign(None)?;
            frame.let_go.push(parent);
            return Ok(None);
        }
        if parent.is_new_record() || (autosave && parent.is_changed_for_autosave()) {
            if !pipeline.is_active(&parent, Verb::Save, frame) {
                let options = frame.options().validate(!autosave);
                return Ok(Some(Task::new(Verb::Save, &parent, options)));
            }
            if parent.is_new_record() {
                refuse_required_cycle(association, &parent)?;
                leave_key(&mut pipeline.keys, association)?;
                pipeline.close_later(association.clone(), &parent);
                return Ok(None);
            }
        }
    }
    if parent.is_new_record() {
        leave_key(&mut pipeline.keys, association)?;
    } else if !association.is_key_of(&parent) {
        take_key(&mut pipeline.keys, association, Some(&parent))?;
    }
    Ok(None)
}

/// Copies the key of its target into the owner of a `belongs_to`.
pub(super) fn take_key(
    keys: &mut Keys,
    association: &Association,
    target: Option<&Record>,
) -> Result<()> {
    let (owner, columns) = (association.owner(), &association.resolved().owner_columns);
    keys.filling(owner, columns, Some(association.clone()), || {
        association.copy_key_from(target)?;
        association.link(target);
        Ok(())
    })
}

/// Empties the key of the owner of a `belongs_to` whose target has none, and keeps the target: an earlier save may have
/// filled it in and been rolled back.
fn leave_key(keys: &mut Keys, association: &Association) -> Result<()> {
    if !association.has_key() {
        return Ok(());
    }
    let (owner, columns) = (association.owner(), &association.resolved().owner_columns);
    let target = association.unsaved_target();
    keys.leaving(owner, columns, Some(association.clone()), || {
        association.copy_key_from(target.as_ref())?;
        association.link(target.as_ref());
        Ok(())
    })
}

/// Members are given the owner's key and saved: new ones, all of a new owner, with `autosave` changed ones too. Those
/// that are marked for destruction are destroyed first.
async fn save_members(
    pipeline: &mut Pipeline,
    frame: &mut Frame,
    association: &Association,
    outcome: Option<Result<()>>,
) -> Result<Option<Task>> {
    let autosave = association.reflection().autosave == Some(true);
    let mut todo = match frame.todo.take() {
        None => {
            if association.replaced() != Linked::Known(None) {
                // What leaves is saved by a run of its own.
                Box::pin(detach(association)).await?;
            }
            members_to_save(frame, association)
        }
        Some(mut todo) => {
            let member = todo.pop();
            if let (Some(member), Some(outcome)) = (member, outcome) {
                saved_member(frame, association, &member, outcome)?;
            }
            todo
        }
    };
    // A member that is being saved below comes before those that stand after it.
    let mut first: Option<Record> = None;
    while let Some(member) = todo.last() {
        refuse_stranger(association, member)?;
        let destroys = autosave && member.is_marked_for_destruction();
        let verb = if destroys { Verb::Destroy } else { Verb::Save };
        if member.is_destroyed() || pipeline.is_active(member, verb, frame) {
            if pipeline.is_saving(member) && member.is_new_record() {
                first = Some(member.clone());
            }
            todo.pop();
            continue;
        }
        if !destroys && !association.is_keyed(member) {
            give_key(&mut pipeline.keys, association, member)?;
        }
        if !destroys && pipeline.is_created(member) && lacks_keys_only(member)? {
            write_keys(member).await?;
            todo.pop();
            continue;
        }
        let task = Task::new(verb, member, frame.options().validate(!autosave));
        let first = first.clone().filter(|_| member.is_new_record());
        if let Some(other) = waited_for(pipeline, member).or(first).filter(|_| !destroys) {
            pipeline.put_off(task, &other);
            todo.pop();
            continue;
        }
        frame.todo = Some(todo);
        return Ok(Some(task));
    }
    Ok(None)
}

/// Copies the owner's key into a member.
pub(super) fn give_key(keys: &mut Keys, association: &Association, member: &Record) -> Result<()> {
    let columns = &association.resolved().target_columns;
    keys.filling(member, columns, association.inverse_of(member), || {
        association.give_key_to(member)?;
        // With its new key the way back would count as stale.
        association.own(member);
        Ok(())
    })
}

/// Another new record that a new member belongs to, if that is being saved below and not written yet.
fn waited_for(pipeline: &Pipeline, member: &Record) -> Option<Record> {
    if !member.is_new_record() {
        return None;
    }
    let mut known = association::known(member).flatten();
    known.find_map(|association| {
        let reflection = association.reflection();
        let parent = association.unsaved_target();
        parent.filter(|parent| {
            reflection.is_belongs_to()
                && reflection.autosave != Some(false)
                && pipeline.is_saving(parent)
        })
    })
}

/// The members that a save goes on to, last first.
fn members_to_save(frame: &Frame, association: &Association) -> Vec<Record> {
    let autosave = association.reflection().autosave == Some(true);
    let mut members = association.peek_target();
    let all = frame.is_creating();
    members.retain(|member| {
        member.is_new_record()
            || (autosave && (all || member.is_changed_for_autosave()))
            || (all && association.reflection().is_collection())
            || (association.reflection().is_has_one() && !association.is_keyed(member))
    });
    if autosave {
        // A stable sort: the marked ones come first, and otherwise the order stays.
        members.sort_by_key(|member| !member.is_marked_for_destruction());
    }
    members.reverse();
    members
}

/// What becomes of the owner's save when a member's is over.
pub(super) fn saved_member(
    frame: &Frame,
    association: &Association,
    member: &Record,
    outcome: Result<()>,
) -> Result<()> {
    let (owner, reflection) = (frame.record(), association.reflection());
    let Err(error) = outcome else {
        // A has_one keeps its target, destroyed, as it does when that is destroyed by itself.
        if member.is_destroyed() && reflection.is_collection() {
            association.forget(|one| one.is(member));
        }
        return Ok(());
    };
    if !is_soft(&error) {
        return Err(error);
    }
    if reflection.autosave == Some(true) {
        return Err(owner.invalid().with_source(error));
    }
    // Rails goes on where the member is not looked at, and after a has_one that was not saved.
    if reflection.is_has_one() || !reflection.validates() {
        return Ok(());
    }
    let name = reflection.name().to_owned();
    owner.errors().push(name, "invalid", Vec::new(), None);
    Err(owner.invalid().with_source(error))
}

/// Whether an error says that a record was refused, and not that something is broken.
pub(super) fn is_soft(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::RecordInvalid | ErrorKind::RecordNotSaved | ErrorKind::RecordNotDestroyed
    )
}

/// Refuses a record of another database: a key that is copied from it says nothing here.
fn refuse_stranger(association: &Association, other: &Record) -> Result<()> {
    if association.owner().db() == other.db() {
        return Ok(());
    }
    let message = format!(
        "{association:?} leads to {other:?}, which is a record of another database: read it from, or make it in, the \
         `Db` of its owner"
    );
    Err(association.error(ErrorKind::AssociationTypeMismatch, message))
}

/// A column of the key that cannot be null.
fn required_key(association: &Association) -> Option<&'static str> {
    let owner = association.owner().reflection();
    let key = association.resolved().owner_key.iter();
    key.filter_map(|&column| owner.columns().get(column))
        .find(|column| !column.is_nullable())
        .map(crate::reflection::Column::name)
}

fn refuse_required_cycle(association: &Association, parent: &Record) -> Result<()> {
    let Some(column) = required_key(association) else {
        return Ok(());
    };
    let owner = association.owner().reflection().name();
    let message = format!(
        "{association:?} closes a cycle of new records: {owner} and {} each wait for the other's key, and \
         {owner}.{column} cannot be null. Save one of them first, or make the key an Option",
        parent.reflection().name(),
    );
    Err(association.error(ErrorKind::RecordNotSaved, message))
}

/// Whether nothing hangs off the record that a save would have to look at. Allocates nothing.
pub(super) fn is_alone(record: &Record) -> Result<bool> {
    for (position, reflection) in record.reflection().reflections().iter().enumerate() {
        let autosave = reflection.autosave;
        let told = record.has_own_link(position);
        // What was only loaded is saved, and leads nowhere new.
        if autosave == Some(false)
            || !(told || autosave == Some(true) && record.is_published(position))
        {
            continue;
        }
        let association = Association::at(record, position)?;
        let alone = if association.is_belongs_to() {
            match association.peek_one() {
                Linked::Known(Some(target)) => {
                    autosave.is_none()
                        && target.is_persisted()
                        && target.db() == record.db()
                        && association.is_key_of(&target)
                }
                _ => true,
            }
        } else {
            association.peek_target().is_empty() && association.replaced() == Linked::Known(None)
        };
        if !alone {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The error of a save that a callback halted. Rails: `RecordNotSaved`.
pub(super) fn not_saved(record: &Record) -> Error {
    Error::new(ErrorKind::RecordNotSaved, "Failed to save the record").with_record(record.clone())
}

/// The error of a destroy that a callback halted. Rails: `RecordNotDestroyed`.
pub(super) fn not_destroyed(record: &Record, by: Option<String>) -> Error {
    let model = record.reflection();
    let key: Vec<String> = model
        .primary_key_names()
        .zip(record.saved_key())
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    let why = by.map_or_else(String::new, |by| format!(": {by}"));
    let key = key.join(", ");
    let message = format!("Failed to destroy {} with {key}{why}", model.name());
    Error::new(ErrorKind::RecordNotDestroyed, message).with_record(record.clone())
}
