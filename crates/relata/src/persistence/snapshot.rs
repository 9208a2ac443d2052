//! What a transaction keeps of the records that were written in it.
//!
//! Invariant: a level that rolls back gives every record the row, life and changes that it had when the level first
//! wrote it; what the user set stays set, and is unsaved again.

use std::sync::Arc;

use crate::db::Participant;
use crate::record::{Record, Snapshot};
use crate::reflection::ModelReflection;

/// A record as it was before a write.
pub(super) struct Before {
    record: Record,
    snapshot: Snapshot,
}

impl Before {
    pub(super) fn of(record: &Record) -> Self {
        Self {
            record: record.clone(),
            snapshot: record.snapshot(),
        }
    }

    /// Puts the record back.
    pub(super) fn restore(&self) {
        self.record
            .restore(&self.snapshot, &own_columns(self.record.reflection()));
        let table = self.record.reflection().table();
        self.record.db().written(table);
    }

    /// Leaves it to the open transaction to put the record back, if there is one.
    pub(super) fn enlist(self) {
        let db = self.record.db().clone();
        db.enlist(Arc::new(self));
    }
}

impl Participant for Before {
    fn rolled_back(&self) {
        self.restore();
    }

    fn committed(&self) {}

    fn in_doubt(&self) {
        self.record.set_in_doubt();
    }
}

/// The columns that saving fills in by itself.
fn own_columns(model: &'static ModelReflection) -> Vec<usize> {
    let timestamps = super::save::timestamps(model);
    model
        .primary_key()
        .iter()
        .copied()
        .chain(timestamps.created)
        .chain(timestamps.updated)
        .collect()
}
