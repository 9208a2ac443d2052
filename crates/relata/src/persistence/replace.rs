//! Replacing what an association leads to: a collection's members, a `has_one`'s target.
//!
//! Invariant: on a saved owner what leaves goes before what comes, in one transaction; if something cannot be saved,
//! rows and memory are as they were. A `belongs_to` is the owner's own column: assigned, and not saved, it stays assigned.

use std::collections::HashMap;

use super::acts::is_soft;
use super::collection::{check_all, delete, save_each};
use super::dependent::destroy_as_dependent;
use super::destroy::delete_row;
use super::memory::Memory;
use super::save::save;
use super::through;
use super::unread::unread_if_rolled_back;
use crate::association::{Association, Key};
use crate::attribute::value::Value;
use crate::callback::MemberEvent;
use crate::db::adapter::Purpose;
use crate::error::{Error, ErrorKind, Result};
use crate::loading;
use crate::pending::Pending;
use crate::record::{Linked, Record};
use crate::reflection::Dependent;
use crate::relation::Relation;

impl Association {
    /// Makes these records the members of the collection, which is loaded for it. On a saved owner, members that are
    /// missing leave, and those that are new are saved, all or none; nothing is written where nothing changes. On a new
    /// owner all of it waits in memory. Rails: `posts=`, `replace`.
    ///
    /// SQL, in one transaction: `SELECT` of the members that are not in memory; for those that leave one `UPDATE
    /// "posts" SET "author_id" = NULL WHERE ...`, or what `dependent` says; an `INSERT` or `UPDATE` for each that
    /// is new. Of a through it is rows between that are deleted and inserted.
    ///
    /// Errors: `AssociationTypeMismatch`; `RecordNotSaved` when a new member is not valid; `NotNullViolation` when the
    /// key of one that leaves cannot be null; what the database says.
    #[track_caller]
    pub fn replace_many(&self, members: impl IntoIterator<Item = Record>) -> Pending<()> {
        let (association, members) = (self.clone(), members.into_iter().collect::<Vec<_>>());
        Pending::new(async move {
            association.must_be_collection()?;
            replace_many(&association, &members).await
        })
    }

    /// Makes the records with these keys the members of the collection: one SELECT for the records, then as
    /// [`replace_many`](Self::replace_many). Rails: `post_ids=`.
    ///
    /// Errors: `RecordNotFound` naming those that are missing; else as [`replace_many`](Self::replace_many).
    #[track_caller]
    pub fn replace_ids(&self, keys: Vec<Vec<Value<'static>>>) -> Pending<()> {
        let association = self.clone();
        Pending::new(async move {
            association.must_be_collection()?;
            let members = found(&association, keys).await?;
            replace_many(&association, &members).await
        })
    }

    /// Makes a record the target of a singular association, and saves. Of a `has_one` on a saved owner, the target that
    /// was there leaves with its key set to null, and the new one is saved, both or none; on a new owner it waits in
    /// memory. Of a `belongs_to`, the owner is saved; where that fails, the target stays set and unsaved, as after any save
    /// that fails. Rails: `profile=`.
    ///
    /// SQL, in one transaction: of a `has_one` a `SELECT` of the target that is not in memory, an `UPDATE` of its
    /// key or what `dependent` says, and an `INSERT` or `UPDATE` of the new one; of a `belongs_to` what
    /// [`Record::save`] of the owner sends.
    ///
    /// Errors: `AssociationTypeMismatch`; `RecordNotSaved` when the old target cannot be without its owner, or the new
    /// one is not valid; what the database says.
    #[track_caller]
    pub fn replace_one(&self, target: Option<&Record>) -> Pending<()> {
        let (association, target) = (self.clone(), target.cloned());
        Pending::new(async move { replace_one(&association, target.as_ref()).await })
    }
}

async fn replace_many(association: &Association, wanted: &[Record]) -> Result<()> {
    association.check_not_nested()?;
    check_all(association, wanted)?;
    let current = loading::load_to_replace(association).await?;
    let mut plan = if association.is_through() {
        Association::plan_recount(&current, wanted)
    } else {
        Association::plan_replacement(&current, wanted)
    };
    let (owner, position) = (association.owner(), association.position());
    let mut kept_by_callback = false;
    if owner.is_persisted() {
        let change = async || {
            kept_by_callback = !delete(association, &plan.removed).await?;
            save_each(association, &plan.added)
                .await
                .map_err(|error| unsaved_members(association, error))
        };
        let statements = plan.added.len() + usize::from(!plan.removed.is_empty());
        let before = Memory::of(association, &current, &plan.added);
        before
            .during(statements > 1 || association.is_through(), change)
            .await?;
    } else {
        kept_by_callback = !delete(association, &plan.removed).await?;
        plan.added = added_in_memory(association, plan.added)?;
    }
    // A callback that aborts keeps all that were to leave.
    if kept_by_callback {
        plan.kept = current;
    }
    let members: Vec<Record> = plan.kept.iter().chain(&plan.added).cloned().collect();
    owner.link_many(position, &members, true);
    for member in &members {
        if association.inverse().is_some() {
            association.give_key_to(member)?;
        }
        association.own(member);
    }
    if !plan.removed.is_empty() {
        unread_if_rolled_back(association);
    }
    Ok(())
}

/// The members that come to an owner that is not saved, without those that a callback keeps out.
fn added_in_memory(association: &Association, members: Vec<Record>) -> Result<Vec<Record>> {
    let mut added = Vec::with_capacity(members.len());
    for member in members {
        if !association.tell(MemberEvent::BeforeAdd, &member)? {
            continue;
        }
        association.give_key_to(&member)?;
        if association.is_through() {
            association.build_join(&member)?;
        }
        association.tell(MemberEvent::AfterAdd, &member)?;
        added.push(member);
    }
    Ok(added)
}

/// What saving said of a member, as Rails says it of a replacement. What is no matter of the member stays what it is.
fn unsaved_members(association: &Association, error: Error) -> Error {
    if !(error.is_record_invalid() || error.is_record_not_saved()) {
        return error;
    }
    let message = format!(
        "Failed to replace {} because one or more of the new records could not be saved.",
        association.reflection().name()
    );
    association
        .error(ErrorKind::RecordNotSaved, message)
        .with_source(error)
}

/// The records with these keys, in their order, whoever they belong to.
pub(super) async fn found(
    association: &Association,
    keys: Vec<Vec<Value<'static>>>,
) -> Result<Vec<Record>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let (target, db) = (association.resolved().target, association.owner().db());
    let keys = keys.into_iter().map(|key| loading::held_key(target, key));
    let keys: Vec<_> = keys.collect();
    let found = Relation::default_scoped(target, db)
        .find_keys(keys.clone())
        .await;
    let found = found.map_err(|error| association.asked(error))?;
    if !association.is_through() || found.len() == keys.len() {
        return Ok(found);
    }
    // What rows between lead to is a member as often as it is named. What hashes it is not ours, for keys come from outside.
    let by = target.primary_key();
    let by_key: HashMap<Key, &Record> = found
        .iter()
        .filter_map(|one| Some((Key::of(one, by)?, one)))
        .collect();
    let of_key = |key: &Vec<Value<'static>>| by_key.get(&Key::of_values(key)?).copied().cloned();
    Ok(keys.iter().filter_map(of_key).collect())
}

async fn replace_one(association: &Association, target: Option<&Record>) -> Result<()> {
    if association.reflection().is_collection() {
        let message = format!("{association:?} is a collection: call replace_many");
        return Err(association.error(ErrorKind::Argument, message));
    }
    association.check_not_nested()?;
    if let Some(target) = target {
        association.check_target(target)?;
    }
    let owner = association.owner();
    if association.is_belongs_to() {
        association.assign(target)?;
        return save(owner).await;
    }
    if owner.is_new_record() {
        return association.put(target);
    }
    if association.is_through() {
        let mut memory = Unsettled(Some(association));
        let db = owner.db().clone();
        db.transaction(async || through::settle(association, target, true).await)
            .await?;
        memory.0 = None;
        unread_if_rolled_back(association);
        if let Ok(joins) = association.way() {
            unread_if_rolled_back(&joins);
        }
        return Ok(());
    }
    let current = loading::load_one(association).await?;
    if let (Some(current), Some(target)) = (&current, target)
        && current.is(target)
        && target.is_persisted()
        && !target.is_changed()
        && association.is_keyed(target)
    {
        return Ok(());
    }
    put_in_place_of(association, current, target).await
}

/// What a `has_one` leads to through another, and the row between: both are read again where the change of them fails, or
/// is dropped and rolled back.
struct Unsettled<'a>(Option<&'a Association>);

impl Drop for Unsettled<'_> {
    fn drop(&mut self) {
        if let Some(association) = self.0 {
            association.reset();
            if let Ok(joins) = association.way() {
                joins.reset();
            }
        }
    }
}

/// Takes `current` out of a `has_one` of a saved owner, and saves `target` in its place.
async fn put_in_place_of(
    association: &Association,
    current: Option<Record>,
    target: Option<&Record>,
) -> Result<()> {
    let leaving = current
        .as_ref()
        .filter(|&current| target != Some(current) && !current.is_destroyed());
    let change = async || {
        if let Some(leaving) = leaving {
            remove(association, leaving).await?;
        }
        if let Some(target) = target {
            association.give_key_to(target)?;
            association.own(target);
            save(target)
                .await
                .map_err(|error| unsaved_target(association, target, error))?;
        }
        Ok(())
    };
    let before = Memory::of(
        association,
        current.as_slice(),
        leaving.into_iter().chain(target),
    );
    let several = leaving.is_some() && target.is_some();
    before.during(several, change).await?;
    association.link(target);
    if leaving.is_some() {
        unread_if_rolled_back(association);
    }
    Ok(())
}

fn unsaved_target(association: &Association, target: &Record, error: Error) -> Error {
    if !(error.is_record_invalid() || error.is_record_not_saved()) {
        return error;
    }
    let message = format!(
        "Failed to save the new associated {}.",
        association.reflection().name()
    );
    Error::new(ErrorKind::RecordNotSaved, message)
        .with_record(target.clone())
        .with_attribute(association.reflection().name())
        .with_source(error)
}

/// Takes a target out of a `has_one`: it is destroyed or deleted where `dependent` says so, else its key is set to null
/// and it is saved, with its validations and callbacks.
pub(super) async fn remove(association: &Association, target: &Record) -> Result<()> {
    if target.is_new_record() {
        return association.release(target);
    }
    match association.reflection().dependent {
        Some(Dependent::Destroy) => return destroy_as_dependent(association, target).await,
        Some(Dependent::Delete) => return delete_row(target).await.map(drop),
        _ => {}
    }
    association.release(target)?;
    let saved = match association.check_nullable() {
        Ok(()) => save(target).await,
        Err(error) => Err(error),
    };
    let Err(reason) = saved else {
        return Ok(());
    };
    if !(is_soft(&reason) || reason.is_not_null_violation()) {
        return Err(reason);
    }
    association.give_key_to(target)?;
    association.own(target);
    let message = format!(
        "Failed to remove the existing associated {}. The record failed to save after its foreign key was set to nil.",
        association.reflection().name()
    );
    Err(Error::new(ErrorKind::RecordNotSaved, message)
        .with_record(target.clone())
        .with_attribute(association.reflection().name())
        .with_source(reason))
}

/// Takes what a `has_one` led to, before its target took its place in memory, out of it.
pub(super) async fn detach(association: &Association) -> Result<()> {
    let target = association.peek_target().pop();
    let old = match association.replaced() {
        Linked::Known(old) => old,
        Linked::Unknown => stored(association).await?,
    };
    if let Some(old) = old.filter(|old| old.is_persisted() && target.as_ref() != Some(old)) {
        remove(association, &old).await?;
    }
    // It is done: nothing is to be taken out any more.
    association.link(target.as_ref());
    Ok(())
}

/// The target that the database has.
async fn stored(association: &Association) -> Result<Option<Record>> {
    let mut core = association.relation().limit(1).into_core();
    core.origin = None;
    Ok(loading::load(&core, Purpose::Load).await?.pop())
}

/// What a new target of a `has_one` will take the place of.
pub(super) async fn in_the_way(association: &Association) -> Result<Option<Record>> {
    match association.peek_one() {
        // One that was destroyed is in nobody's way.
        Linked::Known(known) => Ok(known.filter(|known| !known.is_destroyed())),
        Linked::Unknown => stored(association).await,
    }
}
