//! What one touched record remembers: its row now, as saved, and before the last save.
//!
//! An untouched record has none of this; its row is the batch's.
//!
//! Invariants: words of text columns point into the arena of the record's own batch, so they stay valid for as
//! long as the record does; text equal to what the column holds already is not stored again; `saved` becomes
//! exactly the words that were bound, never what was set since. Rows that are saved are shared, never written: a
//! snapshot for a rollback costs no copy.

use std::any::Any;

use super::Record;
use super::batch::{Batch, StrictLoading, bit, set_bit};
use super::link::Override;
use super::sync::{
    Arc, AtomicU8, Mutex, MutexGuard, OnceLock, Ordering, PoisonError, RwLock, RwLockReadGuard,
    RwLockWriteGuard,
};
use super::watch::Watch;
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
    /// Destroyed, and was never in the database.
    Dropped,
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
    pub(super) saved: Arc<[u64]>,
    pub(super) before: Option<Arc<[u64]>>,
    /// Columns that were set to null, of a new record and of one that lacks some: null is what they shall be, whatever the
    /// table's default is, or the row has.
    nulls: Columns,
    /// Columns of the row that nobody read yet: those that the query did not select, as long as no statement gave or
    /// wrote them.
    unread: Option<Box<[u64]>>,
    /// What was set and is no value of its column, which is null instead.
    refused: Option<Box<Refused>>,
    /// Who is told of the next change.
    pub(super) watch: Option<Watch>,
    pub(crate) life: Life,
    /// Whether the last save inserted the row.
    pub(crate) was_new: bool,
    /// Whether a commit's answer was lost: what is in the database is not known.
    pub(crate) in_doubt: bool,
}

/// Texts by column.
#[derive(Default)]
struct Refused(Vec<(usize, String)>);

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
    saved: Arc<[u64]>,
    unread: Option<Box<[u64]>>,
    life: Life,
    was_new: bool,
    /// The columns whose values the database made since.
    generated: Columns,
}

/// Some columns, a bit each: without an allocation where there are not more than 64.
#[derive(Clone, Default)]
struct Columns {
    first: u64,
    more: Vec<u64>,
}

impl Columns {
    fn contains(&self, column: usize) -> bool {
        match column.checked_sub(64) {
            None => self.first >> column & 1 == 1,
            Some(rest) => bit(&self.more, rest),
        }
    }

    fn insert(&mut self, column: usize) {
        match column.checked_sub(64) {
            None => self.first |= 1 << column,
            Some(rest) => {
                self.more.resize(self.more.len().max(rest / 64 + 1), 0);
                set_bit(&mut self.more, rest, true);
            }
        }
    }

    fn remove(&mut self, column: usize) {
        match column.checked_sub(64) {
            None => self.first &= !(1 << column),
            Some(rest) => set_bit(&mut self.more, rest, false),
        }
    }
}

/// A copy of a record's row, taken when its values were bound to a statement.
pub(crate) struct Bound {
    /// Keeps the arena that the words point into.
    pub(super) record: Record,
    pub(super) words: Arc<[u64]>,
    /// What counted as saved then.
    saved: Arc<[u64]>,
}

const READONLY: u8 = 1;
const STRICT_SET: u8 = 2;
const STRICT_ALL: u8 = 4;
const STRICT_N_PLUS_ONE: u8 = 8;
const MARKED_FOR_DESTRUCTION: u8 = 16;
const WRITING: u8 = 32;
const REFUSAL: u8 = 64;

impl State {
    pub(super) fn new(
        row: &[u64],
        saved: Arc<[u64]>,
        unread: Option<Box<[u64]>>,
        new: bool,
        associations: usize,
    ) -> Self {
        Self {
            values: RwLock::new(Values {
                current: row.into(),
                saved,
                before: None,
                nulls: Columns::default(),
                unread,
                refused: None,
                watch: None,
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

    /// Takes the turn to write the record; false if another has it.
    pub(super) fn begin_writing(&self) -> bool {
        self.marks.fetch_or(WRITING, Ordering::AcqRel) & WRITING == 0
    }

    pub(super) fn end_writing(&self) {
        self.mark(WRITING, false);
    }

    pub(super) fn set_readonly(&self) {
        self.mark(READONLY, true);
    }

    pub(super) fn is_readonly(&self) -> bool {
        self.is_marked(READONLY)
    }

    pub(super) fn set_refusal(&self, on: bool) {
        self.mark(REFUSAL, on);
    }

    pub(super) fn has_refusal(&self) -> bool {
        self.is_marked(REFUSAL)
    }

    pub(super) fn is_barred(&self) -> bool {
        self.is_marked(READONLY | REFUSAL)
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

    /// Is readonly and strict as another is, beside what it is already.
    pub(super) fn take_terms(&self, other: &Self) {
        if other.is_readonly() {
            self.set_readonly();
        }
        if let Some(mode) = other.strict() {
            self.set_strict(mode);
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
        if self.watch.is_some() {
            self.tell();
        }
        if value.is_null() {
            put(&mut self.current, column, slot, None);
            if self.life == Life::New || self.unread.is_some() {
                self.nulls.insert(column);
            }
            self.accept(column);
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
        self.nulls.remove(column);
    }

    /// Puts null in place of what is no value of the column, and keeps its text.
    pub(super) fn refuse(&mut self, batch: &Batch, column: usize, slot: Slot, text: String) {
        self.set(batch, column, slot, &Value::Null);
        self.refused.get_or_insert_default().0.push((column, text));
    }

    /// Forgets what was refused of a column.
    fn accept(&mut self, column: usize) {
        if let Some(refused) = &mut self.refused {
            refused.0.retain(|(known, _)| *known != column);
        }
    }

    /// What was set of a column and is no value of it, as long as nothing else is.
    pub(super) fn refused(&self, column: usize) -> Option<&str> {
        let refused = self.refused.as_ref()?;
        let (_, text) = refused.0.iter().find(|(known, _)| *known == column)?;
        bit(&self.current, column).then_some(text)
    }

    /// Whether null was set, and is not only the lack of a value.
    pub(super) fn is_set_to_null(&self, column: usize) -> bool {
        self.nulls.contains(column) && bit(&self.current, column)
    }

    /// Whether nobody read what the row has in a column.
    pub(super) fn is_unread(&self, column: usize) -> bool {
        self.unread
            .as_ref()
            .is_some_and(|unread| bit(unread, column))
    }

    /// Whether null was set where nobody knows what the row has: a change, though both are held as null.
    fn is_unread_and_null(&self, column: usize) -> bool {
        self.is_unread(column) && self.is_set_to_null(column)
    }

    /// Whether the current value of a column is not the saved one.
    pub(super) fn is_changed(&self, column: usize, slot: Slot) -> bool {
        self.differs(column, slot, Version::Current, Version::Saved)
            || self.is_unread_and_null(column)
    }

    /// The columns whose current value is not the saved one.
    pub(super) fn changed(&self, slots: &[Slot]) -> Vec<usize> {
        let differs =
            |&column: &usize| self.differs(column, slots[column], Version::Current, Version::Saved);
        let mut changed: Vec<usize> = (0..slots.len()).filter(differs).collect();
        if self.unread.is_some() {
            changed.extend((0..slots.len()).filter(|&column| self.is_unread_and_null(column)));
            changed.sort_unstable();
        }
        changed
    }

    /// The columns that the last save changed.
    pub(super) fn was_changed(&self, slots: &[Slot]) -> Vec<usize> {
        let differs =
            |&column: &usize| self.differs(column, slots[column], Version::Before, Version::Saved);
        (0..slots.len()).filter(differs).collect()
    }

    /// The row has what these columns are saved as.
    fn read(&mut self, columns: &[usize]) {
        if let Some(unread) = &mut self.unread {
            for &column in columns {
                set_bit(unread, column, false);
                self.nulls.remove(column);
            }
        }
    }

    pub(super) fn differs(&self, column: usize, slot: Slot, one: Version, other: Version) -> bool {
        differ(self.row(one), self.row(other), column, slot)
    }

    pub(super) fn bind(&self, record: &Record) -> Bound {
        Bound {
            record: record.clone(),
            words: Arc::from(&*self.current),
            saved: Arc::clone(&self.saved),
        }
    }

    /// Makes the bound values of `columns` the saved ones.
    pub(super) fn saved(&mut self, bound: Bound, columns: &[usize], slots: &[Slot]) {
        // What no statement wrote is as it was, unless somebody told the record otherwise meanwhile.
        let rest = |column: &usize| {
            let slot = slots.get(*column).copied();
            slot.is_some_and(|slot| differ(&bound.words, &bound.saved, *column, slot))
                && !columns.contains(column)
        };
        let whole =
            Arc::ptr_eq(&self.saved, &bound.saved) && !(0..slots.len()).any(|column| rest(&column));
        let saved = if whole {
            bound.words
        } else {
            let mut saved = Box::<[u64]>::from(&*self.saved);
            for &column in columns {
                if let Some(&slot) = slots.get(column) {
                    copy(&bound.words, &mut saved, column, slot);
                }
            }
            saved.into()
        };
        self.before = Some(std::mem::replace(&mut self.saved, saved));
        self.read(columns);
        self.was_new = self.life == Life::New;
        self.life = Life::Persisted;
    }

    /// The last save changed nothing.
    pub(super) fn saved_nothing(&mut self) {
        self.before = None;
        self.was_new = false;
    }

    /// Takes the current and the saved value of a column from the database's answer.
    pub(super) fn fill(&mut self, batch: &Batch, column: usize, slot: Slot, value: &Value<'_>) {
        self.set(batch, column, slot, value);
        copy(&self.current, Arc::make_mut(&mut self.saved), column, slot);
        self.read(&[column]);
    }

    pub(super) fn revert(&mut self, column: usize, slot: Slot) {
        self.tell();
        self.accept(column);
        if self.is_unread(column) {
            self.nulls.remove(column);
        }
        copy(&self.saved, &mut self.current, column, slot);
    }

    pub(super) fn snapshot(&self, record: &Record) -> Snapshot {
        Snapshot {
            record: record.clone(),
            saved: Arc::clone(&self.saved),
            unread: self.unread.clone(),
            life: self.life,
            was_new: self.was_new,
            generated: Columns::default(),
        }
    }

    /// Goes back to what a snapshot remembers. What was set stays set; a generated key goes, unless another was set
    /// since.
    pub(super) fn restore(&mut self, snapshot: &Snapshot, slots: &[Slot]) {
        self.tell();
        for (column, &slot) in slots.iter().enumerate() {
            if snapshot.generated.contains(column)
                && !self.differs(column, slot, Version::Current, Version::Saved)
            {
                copy(&snapshot.saved, &mut self.current, column, slot);
            }
        }
        self.saved = Arc::clone(&snapshot.saved);
        self.unread.clone_from(&snapshot.unread);
        // As in Rails, nothing counts as changed by the last save: it is not known any more which that was.
        self.before = None;
        self.life = snapshot.life;
        self.was_new = snapshot.was_new;
    }
}

impl Bound {
    /// Whether a column is null, or has no value.
    pub(crate) fn is_null(&self, column: usize) -> bool {
        bit(&self.words, column)
    }
}

impl Snapshot {
    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    /// Notes that the value of a column is not the user's, and goes back with the saved one.
    pub(crate) fn generated(&mut self, column: usize) {
        self.generated.insert(column);
    }
}

fn differ(one: &[u64], other: &[u64], column: usize, slot: Slot) -> bool {
    let nulls = (bit(one, column), bit(other, column));
    if nulls.0 || nulls.1 {
        return nulls.0 != nulls.1;
    }
    super::words(one, slot) != super::words(other, slot)
        && super::stored(one, column, slot).value() != super::stored(other, column, slot).value()
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
