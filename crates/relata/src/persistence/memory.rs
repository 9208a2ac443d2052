//! Memory as it was before a replacement: put back when that fails, or is dropped and rolled back with it.
//!
//! Invariant: what is put back is what the association led to, and of each record that was moved the key and what that
//! led to; nothing is written.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::association::Association;
use crate::attribute::value::Value;
use crate::db::{Handover, Participant};
use crate::error::Result;
use crate::record::{Linked, Record};

pub(super) struct Memory<'a> {
    association: &'a Association,
    /// What the association led to.
    known: &'a [Record],
    moved: Vec<Moved<'a>>,
    put_back: bool,
    /// Whether it is known what became of the change.
    ended: bool,
    unheard: Option<Arc<Unheard>>,
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
            ended: false,
            unheard: None,
        }
    }

    /// Makes a change of one statement, or of several, which are all done or none.
    ///
    /// Dropped on its way, it may have been done all the same: what one statement alone was to write stays unsaved in
    /// memory, and where a singular association led is asked again.
    pub(super) async fn during<T>(
        mut self,
        several: bool,
        change: impl AsyncFnOnce() -> Result<T>,
    ) -> Result<T> {
        self.put_back = several;
        let changed = if several {
            let db = self.association.owner().db().clone();
            let unheard = Arc::new(Unheard::of(&self));
            self.unheard = Some(Arc::clone(&unheard));
            let change = async || {
                db.enlist(|| unheard);
                change().await
            };
            db.transaction(change).await
        } else {
            change().await
        };
        self.put_back = changed.is_err();
        self.ended = true;
        changed
    }
}

/// A change whose commit nobody was told of: then what would be put back is not what the rows are.
struct Unheard {
    association: Association,
    moved: Vec<Record>,
    fate: Mutex<Fate>,
}

/// What came first: the end of the commit, or that of who waited for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Open,
    /// Nobody waits any more, and memory is as before.
    Dropped,
    Committed,
}

impl Unheard {
    fn of(memory: &Memory<'_>) -> Self {
        Self {
            association: memory.association.clone(),
            moved: memory.moved.iter().map(|one| one.record.clone()).collect(),
            fate: Mutex::new(Fate::Open),
        }
    }

    fn fate(&self) -> MutexGuard<'_, Fate> {
        self.fate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self) {
        let mut fate = self.fate();
        if *fate == Fate::Dropped {
            self.forget();
        }
        *fate = Fate::Committed;
    }

    /// The records have the keys that were written, and what the association and they lead to is asked again.
    fn forget(&self) {
        let key = self.association.given_key();
        for record in &self.moved {
            record.restore_columns(key);
            if let Some(inverse) = self.association.inverse_of(record) {
                inverse.reset();
            }
        }
        self.association.reset();
    }
}

impl Participant for Unheard {
    fn rolled_back(&self) {}

    fn committed(&self, _left: &mut Handover) {
        self.ended();
    }

    fn in_doubt(&self) {
        self.ended();
    }
}

impl Drop for Memory<'_> {
    fn drop(&mut self) {
        let unheard = self.unheard.as_ref().filter(|_| !self.ended);
        // Held until memory is as before.
        let mut fate = unheard.map(|unheard| unheard.fate());
        match (unheard, fate.as_deref_mut()) {
            (Some(unheard), Some(Fate::Committed)) => return unheard.forget(),
            (_, Some(fate)) => *fate = Fate::Dropped,
            _ => {}
        }
        let association = self.association;
        let is_one = !association.reflection().is_collection();
        if !self.ended && is_one && self.known.is_empty() {
            association.reset();
        }
        if !self.put_back {
            return;
        }
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
        if !is_one {
            let owner = association.owner();
            owner.link_many(association.position(), self.known, true);
        } else if self.ended || !self.known.is_empty() {
            association.link(self.known.first());
        }
    }
}
