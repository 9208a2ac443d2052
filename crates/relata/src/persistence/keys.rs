//! The foreign keys that a save fills in, because their targets get theirs.
//!
//! Invariant: a save that fails, or is rolled back, takes them back, and what they led to, unless another was set since.

use std::sync::Arc;

use crate::association::Association;
use crate::attribute::value::Value;
use crate::db::{Handover, Participant};
use crate::error::Result;
use crate::record::{Linked, Record};

/// A foreign key that a save filled in because its target had got one.
struct Filled {
    record: Record,
    columns: &'static [usize],
    /// The `belongs_to` that the key is of, if the model has one.
    association: Option<Association>,
    /// What that led to in memory.
    led_to: Linked<Option<Record>>,
    before: Vec<Value<'static>>,
    filled: Vec<Value<'static>>,
}

fn values(record: &Record, columns: &[usize]) -> Vec<Value<'static>> {
    let value = |&column| record.value(column).into_owned();
    columns.iter().map(value).collect()
}

impl Filled {
    /// Takes the key back, and what it led to, unless another was set since.
    fn take_back(&self) {
        if values(&self.record, self.columns) != self.filled {
            return;
        }
        for (&column, value) in self.columns.iter().zip(&self.before) {
            // It was in this column before.
            let _ = self.record.set_value(column, value.clone());
        }
        match (&self.association, &self.led_to) {
            (Some(association), Linked::Known(target)) => association.link(target.as_ref()),
            (Some(association), Linked::Unknown) => association.reset(),
            (None, _) => {}
        }
    }
}

impl Participant for Filled {
    fn rolled_back(&self) {
        self.take_back();
    }

    fn committed(&self, _left: &mut Handover) {}

    fn in_doubt(&self) {}
}

/// The keys that one save filled in. They are taken back when this is dropped, unless the save succeeded.
#[derive(Default)]
pub(super) struct Keys {
    filled: Vec<Filled>,
    /// Those of a cycle that were left null and will be filled in once more.
    left: Vec<usize>,
}

impl Keys {
    /// Runs what fills in the foreign key of a record: these columns, of this `belongs_to` if there is one.
    pub(super) fn filling(
        &mut self,
        record: &Record,
        columns: &'static [usize],
        association: Option<Association>,
        fill: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let before = values(record, columns);
        let led_to = association
            .as_ref()
            .map_or(Linked::Unknown, Association::peek_one);
        // What the library fills in makes no valid record invalid: nobody is told.
        let watch = record.unwatch();
        let filled = fill();
        if let Some(watch) = watch {
            record.watch(&watch);
        }
        filled?;
        let filled = values(record, columns);
        // Filled in twice, it is one change: what it was before the first is what it goes back to.
        for &at in &self.left {
            if let Some(left) = self.filled.get_mut(at)
                && left.record.is(record)
                && left.columns == columns
            {
                left.filled = filled;
                return Ok(());
            }
        }
        self.filled.push(Filled {
            record: record.clone(),
            columns,
            association,
            led_to,
            before,
            filled,
        });
        Ok(())
    }

    /// As [`filling`](Self::filling), for a key that will be filled in again.
    pub(super) fn leaving(
        &mut self,
        record: &Record,
        columns: &'static [usize],
        association: Option<Association>,
        fill: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        self.filling(record, columns, association, fill)?;
        self.left.push(self.filled.len() - 1);
        Ok(())
    }

    /// The save succeeded: from now on it is for the open transaction to take them back, if there is one.
    pub(super) fn keep(mut self) {
        for filled in self.filled.drain(..) {
            let db = filled.record.db().clone();
            db.enlist(|| Arc::new(filled));
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.filled.iter().rev().for_each(Filled::take_back);
    }
}
