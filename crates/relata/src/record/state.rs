//! What one touched record remembers: its row now, as saved, and before the last save.
//!
//! An untouched record has none of this; its row is the batch's.
//!
//! Invariants: words of text columns point into the arena of the record's own batch, so they stay valid for as
//! long as the record does; text equal to what the column holds already is not stored again; `saved` becomes
//! exactly the words that were bound, never what was set since.

use std::any::Any;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{
    Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};

use super::Record;
use super::batch::{Batch, StrictLoading, bit, set_bit};
use super::link::Override;
use crate::attribute::value::Value;
use crate::reflection::Slot;

/// Where a record is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// Not in the database.
    New,
    /// In the database.
    Persisted,
    /// Deleted from the database.
    Destroyed,
}

pub(crate) struct State {
    values: RwLock<Values>,
    overrides: Mutex<Box<[Option<Override>]>>,
    marks: AtomicU8,
    extension: OnceLock<Box<dyn Any + Send + Sync>>,
}

/// The rows of a record. See the module's documentation.
pub(crate) struct Values {
    pub(super) current: Box<[u64]>,
    pub(super) saved: Box<[u64]>,
    pub(super) before: Option<Box<[u64]>>,
    pub(crate) life: Life,
    /// Whether the last save inserted the row.
    pub(crate) was_new: bool,
    /// Whether a commit's answer was lost: what is in the database is not known.
    pub(crate) in_doubt: bool,
}

/// Which of a record's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Current,
    Saved,
    /// Before the last save; the saved row when there was none.
    Before,
}

/// What a savepoint remembers of a record.
#[derive(Clone)]
pub(crate) struct Snapshot {
    /// Keeps the arena that the words point into.
    pub(super) record: Record,
    saved: Box<[u64]>,
    before: Option<Box<[u64]>>,
    life: Life,
    was_new: bool,
    /// The row as it was, for the columns that a save fills in by itself.
    current: Box<[u64]>,
}

/// A copy of a record's row, taken when its values were bound to a statement.
pub(crate) struct Bound {
    /// Keeps the arena that the words point into.
    pub(super) record: Record,
    pub(super) words: Box<[u64]>,
}

const READONLY: u8 = 1;
const STRICT_SET: u8 = 2;
const STRICT_ALL: u8 = 4;
const STRICT_N_PLUS_ONE: u8 = 8;
const MARKED_FOR_DESTRUCTION: u8 = 16;

impl State {
    pub(super) fn new(row: &[u64], new: bool, associations: usize) -> Self {
        Self {
            values: RwLock::new(Values {
                current: row.into(),
                saved: row.into(),
                before: None,
                life: if new { Life::New } else { Life::Persisted },
                was_new: false,
                in_doubt: false,
            }),
            overrides: Mutex::new((0..associations).map(|_| None).collect()),
            marks: AtomicU8::new(0),
            extension: OnceLock::new(),
        }
    }

    pub(super) fn values(&self) -> RwLockReadGuard<'_, Values> {
        self.values.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn values_mut(&self) -> RwLockWriteGuard<'_, Values> {
        self.values.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn overrides(&self) -> MutexGuard<'_, Box<[Option<Override>]>> {
        self.overrides
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What another room keeps for this record; one type for all.
    pub(super) fn extension<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Option<&T> {
        self.extension
            .get_or_init(|| Box::new(make()))
            .downcast_ref()
    }

    pub(super) fn existing_extension<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.extension.get()?.downcast_ref()
    }

    fn mark(&self, mark: u8, on: bool) {
        if on {
            self.marks.fetch_or(mark, Ordering::AcqRel);
        } else {
            self.marks.fetch_and(!mark, Ordering::AcqRel);
        }
    }

    fn is_marked(&self, mark: u8) -> bool {
        self.marks.load(Ordering::Acquire) & mark != 0
    }

    pub(super) fn set_readonly(&self) {
        self.mark(READONLY, true);
    }

    pub(super) fn is_readonly(&self) -> bool {
        self.is_marked(READONLY)
    }

    pub(super) fn set_marked_for_destruction(&self, on: bool) {
        self.mark(MARKED_FOR_DESTRUCTION, on);
    }

    pub(super) fn is_marked_for_destruction(&self) -> bool {
        self.is_marked(MARKED_FOR_DESTRUCTION)
    }

    pub(super) fn set_strict(&self, mode: Option<StrictLoading>) {
        self.mark(STRICT_ALL | STRICT_N_PLUS_ONE, false);
        match mode {
            Some(StrictLoading::All) => self.mark(STRICT_SET | STRICT_ALL, true),
            Some(StrictLoading::NPlusOneOnly) => self.mark(STRICT_SET | STRICT_N_PLUS_ONE, true),
            None => self.mark(STRICT_SET, true),
        }
    }

    /// The record's own mode; the outer `None` leaves it to the batch.
    pub(super) fn strict(&self) -> Option<Option<StrictLoading>> {
        self.is_marked(STRICT_SET).then(|| {
            if self.is_marked(STRICT_ALL) {
                Some(StrictLoading::All)
            } else if self.is_marked(STRICT_N_PLUS_ONE) {
                Some(StrictLoading::NPlusOneOnly)
            } else {
                None
            }
        })
    }
}

impl Values {
    pub(super) fn row(&self, version: Version) -> &[u64] {
        match version {
            Version::Current => &self.current,
            Version::Saved => &self.saved,
            Version::Before => self.before.as_deref().unwrap_or(&self.saved),
        }
    }

    /// Puts a value into the current row, keeping its text in the batch's arena if it is not there yet.
    pub(super) fn set(&mut self, batch: &Batch, column: usize, slot: Slot, value: &Value<'_>) {
        if value.is_null() {
            put(&mut self.current, column, slot, None);
            return;
        }
        // Words of another kind would be read as what they are not.
        if value.kind() != Some(slot.kind) {
            return;
        }
        let known = [
            Some(&*self.current),
            Some(&*self.saved),
            self.before.as_deref(),
        ];
        let known = known.into_iter().flatten().find(|row| {
            // Equality is decided on values, never on addresses.
            !bit(row, column) && super::stored(row, column, slot).value() == *value
        });
        let words = match known {
            Some(row) => Some(super::words(row, slot)),
            None => batch.keep(value),
        };
        put(&mut self.current, column, slot, words);
    }

    /// The columns whose current value is not the saved one.
    pub(super) fn changed(&self, slots: &[Slot]) -> Vec<usize> {
        (0..slots.len())
            .filter(|&column| self.differs(column, slots[column], Version::Current, Version::Saved))
            .collect()
    }

    pub(super) fn differs(&self, column: usize, slot: Slot, one: Version, other: Version) -> bool {
        let (one, other) = (self.row(one), self.row(other));
        if bit(one, column) != bit(other, column) {
            return true;
        }
        super::words(one, slot) != super::words(other, slot)
            && super::stored(one, column, slot).value()
                != super::stored(other, column, slot).value()
    }

    pub(super) fn bind(&self, record: &Record) -> Bound {
        Bound {
            record: record.clone(),
            words: self.current.clone(),
        }
    }

    /// Makes the bound values of `columns` the saved ones.
    pub(super) fn saved(&mut self, bound: &Bound, columns: &[usize], slots: &[Slot]) {
        self.before = Some(self.saved.clone());
        for &column in columns {
            if let Some(&slot) = slots.get(column) {
                copy(&bound.words, &mut self.saved, column, slot);
            }
        }
        self.was_new = self.life == Life::New;
        self.life = Life::Persisted;
    }

    /// Takes the current and the saved value of a column from the database's answer.
    pub(super) fn fill(&mut self, batch: &Batch, column: usize, slot: Slot, value: &Value<'_>) {
        self.set(batch, column, slot, value);
        copy(&self.current, &mut self.saved, column, slot);
    }

    pub(super) fn revert(&mut self, column: usize, slot: Slot) {
        copy(&self.saved, &mut self.current, column, slot);
    }

    pub(super) fn snapshot(&self, record: &Record) -> Snapshot {
        Snapshot {
            record: record.clone(),
            saved: self.saved.clone(),
            before: self.before.clone(),
            life: self.life,
            was_new: self.was_new,
            current: self.current.clone(),
        }
    }

    /// Goes back to what a savepoint remembers. What the user set stays set; `own` are the columns that saving
    /// filled in by itself, which go back too unless they were set to something else since.
    pub(super) fn restore(&mut self, snapshot: &Snapshot, own: &[usize], slots: &[Slot]) {
        for &column in own {
            if let Some(&slot) = slots.get(column)
                && !self.differs(column, slot, Version::Current, Version::Saved)
            {
                copy(&snapshot.current, &mut self.current, column, slot);
            }
        }
        self.saved.clone_from(&snapshot.saved);
        self.before.clone_from(&snapshot.before);
        self.life = snapshot.life;
        self.was_new = snapshot.was_new;
    }
}

fn put(row: &mut [u64], column: usize, slot: Slot, words: Option<[u64; 2]>) {
    set_bit(row, column, words.is_none());
    let words = words.unwrap_or_default();
    let start = slot.offset as usize;
    if let Some(place) = row.get_mut(start..start + slot.kind.words()) {
        place.copy_from_slice(&words[..slot.kind.words()]);
    }
}

fn copy(from: &[u64], to: &mut [u64], column: usize, slot: Slot) {
    put(
        to,
        column,
        slot,
        (!bit(from, column)).then(|| super::words(from, slot)),
    );
}
