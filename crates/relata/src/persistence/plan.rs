//! The plan of a save: which records are written, in which order, and when which key is copied.
//!
//! New parents come before the record, for it needs their keys; new members of its collections come after it, for
//! they need its. A new parent that is itself waiting for this record closes a cycle: the record is written without
//! that key, and once the parent has one, the key column alone is updated.
//!
//! Invariants: made in memory, by a loop over explicit frames; each record is in it once; an edge that closes a
//! cycle over a column that cannot be null is refused before anything is written.

use std::collections::HashMap;

use crate::association::{self, Association};
use crate::error::{ErrorKind, Result};
use crate::hashing::Hashing;
use crate::record::Record;

/// One step of a save.
pub(super) enum Step {
    /// INSERT or UPDATE the record, whatever it needs.
    Write(Record),
    /// Copy a saved parent's key into the association's owner.
    TakeKey(Association),
    /// Copy the owner's key into a member.
    GiveKey(Association, Record),
    /// Leave the key of the association's owner null, for its target has none yet: the cycle is closed later.
    LeaveKey(Association),
    /// As `TakeKey`, for an owner that is written already: UPDATE the key.
    CloseCycle(Association),
}

#[derive(Clone, Copy, PartialEq)]
enum Progress {
    Waiting,
    Written,
}

enum Frame {
    Enter(Record),
    Write(Record),
    Step(Step),
}

/// The plan for saving one record and what hangs off it.
pub(super) fn plan(root: &Record) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    let mut progress: HashMap<(usize, u32), Progress, Hashing> = HashMap::default();
    // Edges that wait for their parent to be written.
    let mut open: HashMap<(usize, u32), Vec<Association>, Hashing> = HashMap::default();
    let mut frames = vec![Frame::Enter(root.clone())];
    while let Some(frame) = frames.pop() {
        match frame {
            Frame::Enter(record) => {
                if progress.contains_key(&record.identity()) {
                    continue;
                }
                progress.insert(record.identity(), Progress::Waiting);
                frames.push(Frame::Write(record.clone()));
                for association in association::all(&record) {
                    let association = association?;
                    if !association.is_belongs_to()
                        || association.reflection().autosave == Some(false)
                    {
                        continue;
                    }
                    let Some(parent) = association.unsaved_target() else {
                        frames.push(Frame::Step(Step::TakeKey(association)));
                        continue;
                    };
                    if progress.get(&parent.identity()) == Some(&Progress::Waiting) {
                        refuse_required_cycle(&association, &parent)?;
                        frames.push(Frame::Step(Step::LeaveKey(association.clone())));
                        open.entry(parent.identity()).or_default().push(association);
                    } else {
                        frames.push(Frame::Step(Step::TakeKey(association)));
                        frames.push(Frame::Enter(parent));
                    }
                }
            }
            Frame::Write(record) => {
                progress.insert(record.identity(), Progress::Written);
                steps.push(Step::Write(record.clone()));
                steps.extend(
                    open.remove(&record.identity())
                        .into_iter()
                        .flatten()
                        .map(Step::CloseCycle),
                );
                let mut members = Vec::new();
                for association in association::all(&record) {
                    let association = association?;
                    if association.is_belongs_to()
                        || association.reflection().autosave == Some(false)
                    {
                        continue;
                    }
                    for member in association.new_members() {
                        members.push(Frame::Step(Step::GiveKey(
                            association.clone(),
                            member.clone(),
                        )));
                        members.push(Frame::Enter(member));
                    }
                }
                frames.extend(members.into_iter().rev());
            }
            Frame::Step(step) => steps.push(step),
        }
    }
    Ok(steps)
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
