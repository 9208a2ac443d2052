//! Memory as it was before a replacement: put back when that fails, or is dropped and rolled back with it.
//!
//! Invariant: what is put back is what the association led to, and of each record that was moved the key and what that
//! led to; nothing is written.

use crate::association::Association;
use crate::attribute::value::Value;
use crate::error::Result;
use crate::record::{Linked, Record};

pub(super) struct Memory<'a> {
    association: &'a Association,
    /// What the association led to.
    known: &'a [Record],
    moved: Vec<Moved<'a>>,
    put_back: bool,
}

/// A record that comes or leaves: its key, and what that led to.
struct Moved<'a> {
    record: &'a Record,
    key: Vec<Value<'static>>,
    led_to: Linked<Option<Record>>,
}

impl<'a> Memory<'a> {
    /// Of an association that leads to these records, before those are moved.
    pub(super) fn of(
        association: &'a Association,
        known: &'a [Record],
        moving: impl IntoIterator<Item = &'a Record>,
    ) -> Self {
        let columns = association.given_key();
        let moved = |record: &'a Record| {
            let value = |&column| record.value(column).into_owned();
            let inverse = association.inverse_of(record);
            Moved {
                record,
                key: columns.iter().map(value).collect(),
                led_to: inverse.map_or(Linked::Unknown, |inverse| inverse.peek_one()),
            }
        };
        Self {
            association,
            known,
            moved: moving.into_iter().map(moved).collect(),
            put_back: false,
        }
    }

    /// Makes a change of one statement, or of several, which are all done or none.
    ///
    /// Dropped on its way, one statement alone may have been done: what it was to write stays unsaved in memory.
    pub(super) async fn during<T>(
        mut self,
        several: bool,
        change: impl AsyncFnOnce() -> Result<T>,
    ) -> Result<T> {
        self.put_back = several;
        let changed = if several {
            let db = self.association.owner().db().clone();
            db.transaction(change).await
        } else {
            change().await
        };
        self.put_back = changed.is_err();
        changed
    }
}

impl Drop for Memory<'_> {
    fn drop(&mut self) {
        if !self.put_back {
            return;
        }
        let association = self.association;
        let columns = association.given_key();
        for moved in &self.moved {
            for (&column, value) in columns.iter().zip(&moved.key) {
                // It was in this column before.
                let _ = moved.record.set_value(column, value.clone());
            }
            match (association.inverse_of(moved.record), &moved.led_to) {
                (Some(inverse), Linked::Known(target)) => inverse.link(target.as_ref()),
                (Some(inverse), Linked::Unknown) => inverse.reset(),
                (None, _) => {}
            }
        }
        if association.is_through() {
            let moved: Vec<Record> = self.moved.iter().map(|one| one.record.clone()).collect();
            // What cannot be changed has none.
            let _ = association.forget_joins(&moved, true);
        }
        if association.reflection().is_collection() {
            let owner = association.owner();
            owner.link_many(association.position(), self.known, true);
        } else {
            association.link(self.known.first());
        }
    }
}
