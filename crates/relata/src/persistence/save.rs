//! Saving: validate, plan, write.
//!
//! Invariants: nothing is written before everything that is to be written is valid; several statements are one
//! transaction (a savepoint inside another); a single one is sent as it is.

use super::destroy::destroy;
use super::keys::Keys;
use super::plan::{Set, Step, Through, is_alone, plan};
use super::replace::detach;
use super::validate::{judge, validate};
use super::write::{refuse, write};
use crate::association::Association;
use crate::error::Result;
use crate::pending::Pending;
use crate::record::{Linked, Record};

/// How a record is saved. Rails: the arguments of `save`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SaveOptions {
    validate: bool,
    touch: bool,
}

impl Default for SaveOptions {
    fn default() -> Self {
        Self {
            validate: true,
            touch: true,
        }
    }
}

impl SaveOptions {
    /// Validated, and with the time of change.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the record must be valid. New members of its collections must be all the same, as in Rails.
    #[must_use]
    pub fn validate(mut self, validate: bool) -> Self {
        self.validate = validate;
        self
    }

    /// Whether an UPDATE sets the time of the last change.
    #[must_use]
    pub fn touch(mut self, touch: bool) -> Self {
        self.touch = touch;
        self
    }
}

impl Record {
    /// Saves the record: INSERT if it is new, UPDATE of the changed columns if it is not, nothing if nothing changed.
    /// New parents are saved before it, new members of its collections and a new `has_one` after it, all in one
    /// transaction; what `autosave` of an association says comes on top. Rails: `save!`.
    ///
    /// A new parent, or a new target of a `has_one`, that is not valid is left out and keeps its errors, as in Rails;
    /// where the record could not be without that parent, saving fails instead.
    ///
    /// Errors: `RecordInvalid` when a validation fails; `RecordNotSaved` when the record was destroyed, or its row is
    /// gone; `ReadOnlyRecord`; what the database says.
    #[track_caller]
    pub fn save(&self) -> Pending<()> {
        self.save_with(SaveOptions::default())
    }

    /// Saves the record with options. Rails: `save!(validate: false, touch: false)`.
    ///
    /// Errors: as [`save`](Self::save).
    #[track_caller]
    pub fn save_with(&self, options: SaveOptions) -> Pending<()> {
        let record = self.clone();
        Pending::new(async move { save_with(&record, options).await })
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
    save_with(record, SaveOptions::default()).await
}

async fn save_with(record: &Record, options: SaveOptions) -> Result<()> {
    refuse(record)?;
    if is_alone(record)? {
        if options.validate && !judge(record).await? {
            return Err(record.invalid());
        }
        return write(record, options.touch).await;
    }
    save_graph(record, options).await
}

async fn save_graph(record: &Record, options: SaveOptions) -> Result<()> {
    let steps = valid_plan(record, options).await?;
    let writes = |step: &Step| match step {
        Step::Write(record, _) => record.is_new_record() || record.is_changed(),
        // The key is what changes the record.
        Step::GiveKey(_, member) => member.is_persisted() && !member.is_changed(),
        _ => true,
    };
    if steps.iter().filter(|step| writes(step)).count() < 2 {
        return perform(steps, record, options).await;
    }
    let db = record.db().clone();
    db.transaction(async || perform(steps, record, options).await)
        .await
}

/// The plan, once everything in it is valid. New targets that are not, and that the save does not depend on, are left
/// out of it, with what hangs off them.
async fn valid_plan(record: &Record, options: SaveOptions) -> Result<Vec<Step>> {
    let (mut seen, mut left_out) = (Set::default(), Set::default());
    if options.validate && !validate(record, &mut seen).await? {
        return Err(record.invalid());
    }
    loop {
        let steps = plan(record, &left_out)?;
        let before = left_out.len();
        for step in &steps {
            let Step::Write(written, through) = step else {
                continue;
            };
            if matches!(through, Through::Root | Through::Autosave)
                || seen.contains(&written.identity())
                || validate(written, &mut seen).await?
            {
                continue;
            }
            refuse_without(written, through)?;
            left_out.insert(written.identity());
        }
        if left_out.len() == before {
            return Ok(steps);
        }
    }
}

/// Fails if a record that is not valid cannot be left out.
fn refuse_without(written: &Record, through: &Through) -> Result<()> {
    match through {
        Through::Parent(association) if !association.may_be_missing() => Err(written.invalid()),
        Through::Member(association)
            if association.reflection().is_collection()
                && association.reflection().validate != Some(false) =>
        {
            let owner = association.owner();
            let errors = owner.errors();
            errors.add(association.reflection().name(), "invalid", "is invalid");
            Err(owner.invalid())
        }
        _ => Ok(()),
    }
}

async fn perform(steps: Vec<Step>, root: &Record, options: SaveOptions) -> Result<()> {
    let mut keys = Keys::default();
    for step in steps {
        match step {
            Step::Write(record, _) => {
                let touch = options.touch || !record.is(root);
                write(&record, touch).await?;
            }
            Step::LetGo(association) => association.assign(None)?,
            Step::Destroy(association, target) => destroy_marked(&association, &target).await?,
            Step::Detach(association) => detach(&association).await?,
            Step::TakeKey(association) => {
                if let Linked::Known(Some(target)) = association.peek_one()
                    && target.is_persisted()
                    && !association.is_key_of(&target)
                {
                    take_key(&mut keys, &association, Some(&target))?;
                }
            }
            Step::LeaveKey(association) => leave_key(&mut keys, &association)?,
            Step::GiveKey(association, member) => {
                let columns = &association.resolved().target_key;
                keys.filling(&member, columns, association.inverse_of(&member), || {
                    association.give_key_to(&member)?;
                    // With its new key the way back would count as stale.
                    association.own(&member);
                    Ok(())
                })?;
            }
            Step::CloseCycle(association) => {
                let target = association.peek_target();
                take_key(&mut keys, &association, target.first())?;
                write(association.owner(), true).await?;
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

async fn destroy_marked(association: &Association, target: &Record) -> Result<()> {
    destroy(target).await?;
    if association.is_belongs_to() {
        return Ok(());
    }
    if association.reflection().is_collection() {
        association.forget(|member| member.is(target));
    } else {
        association.link(None);
    }
    Ok(())
}
