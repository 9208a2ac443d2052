//! The plan of a save: which records are written, in which order, and when which key is copied.
//!
//! New parents come before the record, for it needs their keys; new members of its collections come after it, for
//! they need its. A new parent that is itself waiting for this record closes a cycle: the record is written without
//! that key, and once the parent has one, the key column alone is updated.
//!
//! What `autosave` says of an association: absent, new targets are saved with the record (and all members of a record
//! that was new itself); true, changed ones too, and marked ones are destroyed; false, none.
//!
//! A member that also needs a parent which still waits is put off until that is written.
//!
//! Invariants: made in memory, by a loop over explicit frames; each record is in it once; an edge that closes a
//! cycle over a column that cannot be null is refused before anything is written.

use std::collections::{HashMap, HashSet};

use crate::association::{self, Association};
use crate::error::{ErrorKind, Result};
use crate::hashing::Hashing;
use crate::record::{Linked, Record};

/// Records, by what identifies them while they are alive.
pub(super) type Set = HashSet<(usize, u32), Hashing>;

/// One step of a save.
pub(super) enum Step {
    /// INSERT or UPDATE the record, whatever it needs.
    Write(Record, Through),
    /// Forget a parent that is marked to be destroyed.
    LetGo(Association),
    /// Destroy a target that is marked for it. A parent goes after its child, whose row refers to it.
    Destroy(Association, Record),
    /// Copy a saved parent's key into the association's owner.
    TakeKey(Association),
    /// Set the key to a parent that has none yet, or is left out, to null: an earlier save may have filled it in and been
    /// rolled back.
    LeaveKey(Association),
    /// Copy the owner's key into a member.
    GiveKey(Association, Record),
    /// Take the row that a `has_one` led to before out of it.
    Detach(Association),
    /// As `TakeKey`, for an owner that is written already: UPDATE the key.
    CloseCycle(Association),
}

/// Through which association a record came into the plan.
#[derive(Clone)]
pub(super) enum Through {
    /// It is the record that is saved.
    Root,
    /// One with `autosave`, which validates its targets with their owner.
    Autosave,
    /// A `belongs_to`.
    Parent(Association),
    /// A `has_one` or `has_many`.
    Member(Association),
}

#[derive(Clone, Copy, PartialEq)]
enum Progress {
    Waiting,
    Written,
}

enum Frame {
    Enter(Record, Through),
    Write(Record, Through),
    Step(Step),
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
                    autosave.is_none() && target.is_persisted() && association.is_key_of(&target)
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

/// The plan for saving one record and what hangs off it, without the records that are left out.
pub(super) fn plan(root: &Record, left_out: &Set) -> Result<Vec<Step>> {
    let mut plan = Plan {
        left_out,
        steps: Vec::new(),
        progress: HashMap::default(),
        open: HashMap::default(),
        put_off: HashMap::default(),
        frames: vec![Frame::Enter(root.clone(), Through::Root)],
    };
    while let Some(frame) = plan.frames.pop() {
        match frame {
            Frame::Enter(record, through) => plan.enter(record, through)?,
            Frame::Write(record, through) => plan.write(record, through)?,
            Frame::Step(step) => plan.steps.push(step),
        }
    }
    Ok(plan.steps)
}

struct Plan<'a> {
    left_out: &'a Set,
    steps: Vec<Step>,
    progress: HashMap<(usize, u32), Progress, Hashing>,
    /// Edges that wait for their parent to be written.
    open: HashMap<(usize, u32), Vec<Association>, Hashing>,
    /// Members that are put off until a parent is written.
    put_off: HashMap<(usize, u32), Vec<(Record, Through)>, Hashing>,
    frames: Vec<Frame>,
}

impl Plan<'_> {
    /// The record's parents, and then the record.
    fn enter(&mut self, record: Record, through: Through) -> Result<()> {
        if self.left_out.contains(&record.identity())
            || self.progress.contains_key(&record.identity())
        {
            return Ok(());
        }
        if let Some(parent) = self.has_to_wait_for(&record, &through)? {
            self.put_off
                .entry(parent.identity())
                .or_default()
                .push((record, through));
            return Ok(());
        }
        self.progress.insert(record.identity(), Progress::Waiting);
        let written = self.frames.len();
        self.frames.push(Frame::Write(record.clone(), through));
        for association in association::known(&record) {
            let association = association?;
            let autosave = association.reflection().autosave;
            if !association.is_belongs_to() || autosave == Some(false) {
                continue;
            }
            let Linked::Known(Some(parent)) = association.peek_one() else {
                continue;
            };
            if parent.is_destroyed() {
                continue;
            }
            if self.left_out.contains(&parent.identity()) {
                if association.has_key() {
                    self.frames.push(Frame::Step(Step::LeaveKey(association)));
                }
                continue;
            }
            if autosave == Some(true) && parent.is_marked_for_destruction() {
                let step = Step::Destroy(association.clone(), parent);
                self.frames.insert(written, Frame::Step(step));
                self.frames.push(Frame::Step(Step::LetGo(association)));
            } else if parent.is_persisted() && autosave.is_none() {
                if !association.is_key_of(&parent) {
                    self.frames.push(Frame::Step(Step::TakeKey(association)));
                }
            } else if parent.is_new_record()
                && self.progress.get(&parent.identity()) == Some(&Progress::Waiting)
            {
                refuse_required_cycle(&association, &parent)?;
                if association.has_key() {
                    let step = Step::LeaveKey(association.clone());
                    self.frames.push(Frame::Step(step));
                }
                self.open
                    .entry(parent.identity())
                    .or_default()
                    .push(association);
            } else {
                let through = match autosave {
                    Some(_) => Through::Autosave,
                    None => Through::Parent(association.clone()),
                };
                self.frames.push(Frame::Step(Step::TakeKey(association)));
                self.frames.push(Frame::Enter(parent, through));
            }
        }
        Ok(())
    }

    /// The parent without whose key a member cannot be written, if that waits itself.
    fn has_to_wait_for(&self, record: &Record, through: &Through) -> Result<Option<Record>> {
        if matches!(through, Through::Root | Through::Parent(_)) {
            return Ok(None);
        }
        for association in association::known(record) {
            let association = association?;
            if association.is_belongs_to()
                && association.reflection().autosave != Some(false)
                && let Some(parent) = association.unsaved_target()
                && self.progress.get(&parent.identity()) == Some(&Progress::Waiting)
                && !association.may_be_missing()
            {
                return Ok(Some(parent));
            }
        }
        Ok(None)
    }

    /// The record, and then what waits for its key: cycles, and its members.
    fn write(&mut self, record: Record, through: Through) -> Result<()> {
        self.progress.insert(record.identity(), Progress::Written);
        self.steps.push(Step::Write(record.clone(), through));
        let waiting = self.open.remove(&record.identity());
        self.steps
            .extend(waiting.into_iter().flatten().map(Step::CloseCycle));
        let mut frames = Vec::new();
        for association in association::known(&record) {
            let association = association?;
            if !association.is_belongs_to() && association.reflection().autosave != Some(false) {
                self.members(&record, &association, &mut frames);
            }
        }
        let put_off = self.put_off.remove(&record.identity());
        let put_off = put_off.into_iter().flatten();
        frames.extend(put_off.map(|(member, through)| Frame::Enter(member, through)));
        self.frames.extend(frames.into_iter().rev());
        Ok(())
    }

    fn members(&self, owner: &Record, association: &Association, frames: &mut Vec<Frame>) {
        let autosave = association.reflection().autosave == Some(true);
        let singular = association.reflection().is_has_one();
        if singular && association.replaced() != Linked::Known(None) {
            frames.push(Frame::Step(Step::Detach(association.clone())));
        }
        let (marked, members): (Vec<_>, Vec<_>) = association
            .peek_target()
            .into_iter()
            .partition(|member| autosave && member.is_marked_for_destruction());
        for member in marked {
            if !member.is_destroyed() {
                frames.push(Frame::Step(Step::Destroy(association.clone(), member)));
            }
        }
        for member in members {
            if member.is_destroyed() || self.left_out.contains(&member.identity()) {
                continue;
            }
            let keyed = owner.is_persisted() && association.is_keyed(&member);
            let comes = member.is_new_record() || owner.is_new_record() || singular && !keyed;
            if comes {
                let step = Step::GiveKey(association.clone(), member.clone());
                frames.push(Frame::Step(step));
            }
            if autosave {
                frames.push(Frame::Enter(member, Through::Autosave));
            } else if comes {
                frames.push(Frame::Enter(member, Through::Member(association.clone())));
            }
        }
    }
}

fn refuse_required_cycle(association: &Association, parent: &Record) -> Result<()> {
    let owner = association.owner().reflection();
    let required = association
        .resolved()
        .owner_key
        .iter()
        .filter_map(|&column| owner.columns().get(column))
        .find(|c| !c.is_nullable());
    let Some(column) = required else {
        return Ok(());
    };
    let message = format!(
        "{association:?} closes a cycle of new records: {} and {} each wait for the other's key, and {}.{} cannot be \
         null. Save one of them first, or make the key an Option",
        owner.name(),
        parent.reflection().name(),
        owner.name(),
        column.name()
    );
    Err(association.error(ErrorKind::RecordNotSaved, message))
}
