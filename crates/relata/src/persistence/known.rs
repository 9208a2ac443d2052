//! What a run knows of the records that it validated: whom it need not look at again.
//!
//! Invariants: what was found holds until a record that was looked at changes, whoever changes it; a record whose own
//! functions, or queries, had a part in it is looked at once more before it is written, as in Rails. So validating a graph
//! whose functions change nothing but their own record is linear in its records.

use std::collections::HashMap;

use crate::hashing::Hashing;
use crate::record::{Record, Watch};

/// What was found of one record.
struct Found {
    /// Kept, so that no other record gets its identity meanwhile.
    record: Record,
    valid: bool,
    /// Whether what it calls or asks may answer otherwise the next time.
    asks_again: bool,
    /// How many changes there had been when the look began.
    at: u64,
    /// Whether it is being written, or was: what is set by then is not validated.
    passed: bool,
}

/// What was found of the records of a run.
#[derive(Default)]
pub(super) struct Known {
    found: HashMap<(usize, u32), Found, Hashing>,
    watch: Watch,
}

impl Known {
    /// Forgets what was found of a record: it is looked at anew.
    pub(super) fn forget(&mut self, record: &Record) {
        if let Some(found) = self.found.remove(&record.identity()) {
            found.record.unwatch();
        }
    }

    /// How many changes there were so far of what was looked at.
    pub(super) fn changes(&self) -> u64 {
        self.watch.changes()
    }

    /// Notes what was found of a record, and of what is looked at with it, which began after so many changes.
    pub(super) fn found(&mut self, record: &Record, asks_again: bool, at: u64) {
        let found = Found {
            record: record.clone(),
            valid: !record.has_errors(),
            asks_again,
            at,
            passed: false,
        };
        self.found.insert(record.identity(), found);
        record.watch(&self.watch);
    }

    /// Notes that a record is about to be written: what is set from now on is its own matter.
    pub(super) fn pass(&mut self, record: &Record) {
        if let Some(found) = self.found.get_mut(&record.identity()) {
            found.passed = true;
            found.record.unwatch();
        }
    }

    /// What was found of a member, if it need not be looked at again: whether it is valid.
    pub(super) fn of(&self, member: &Record, is_saving: bool) -> Option<bool> {
        let found = self.found.get(&member.identity())?;
        let holds = match found.passed {
            true => is_saving,
            false => found.at == self.watch.changes(),
        };
        holds.then_some(found.valid)
    }

    /// Whether a record can be written without a look at it.
    pub(super) fn is_ready(&self, record: &Record) -> bool {
        let found = self.found.get(&record.identity());
        found.is_some_and(|found| {
            found.valid && !found.asks_again && !found.passed && found.at == self.watch.changes()
        })
    }
}
