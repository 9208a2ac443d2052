//! What a transaction keeps of the records that were written in it.
//!
//! Invariant: a level that rolls back gives every record the row, life and changes that it had when the level first
//! wrote it; what was set stays set, and is unsaved again.

use std::sync::Arc;

use crate::db::{Handover, Participant};
use crate::record::{Record, Snapshot};

/// A record as it was before a write.
pub(super) struct Before(Snapshot);

impl Before {
    pub(super) fn of(record: &Record) -> Self {
        Self(record.snapshot())
    }

    /// Notes that the value of a column is not the user's: the database made the key, a counter or a time was
    /// filled in. It goes back too.
    pub(super) fn generated(&mut self, column: usize) {
        self.0.generated(column);
    }

    /// As [`of`](Self::of), before these columns are filled in.
    pub(super) fn with(record: &Record, columns: impl IntoIterator<Item = usize>) -> Self {
        let mut before = Self::of(record);
        columns
            .into_iter()
            .for_each(|column| before.generated(column));
        before
    }

    /// Puts the record back.
    pub(super) fn restore(&self) {
        Record::restore(&self.0);
    }

    /// Leaves it to the open transaction to put the record back, if there is one.
    pub(super) fn enlist(self) {
        let record = self.0.record().clone();
        record.db().enlist(|| Arc::new(self));
    }
}

impl Participant for Before {
    fn rolled_back(&self) {
        self.restore();
    }

    fn committed(&self, _left: &mut Handover) {}

    fn in_doubt(&self) {
        self.0.record().set_in_doubt(true);
    }
}
