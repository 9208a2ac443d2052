//! A batch: the rows of one query (or one new record), as words, with one arena for their text.
//!
//! ```text
//! words   | nulls | id | title (address, length) | author_id |   row 0
//!         | nulls | id | title (address, length) | author_id |   row 1 ...
//! arena   "Hello""World"...
//! links   one table an association, for all rows       states   one for each record that was touched
//! ```
//!
//! Invariants: words never change after the batch is built (what is set goes into a record's state); the words
//! of a text column are 0 or point into this batch's arena, and are UTF-8; a batch owns no other batch, and
//! dropping it follows no link.

use super::arena::Arena;
use super::graph::Graph;
use super::state::State;
use super::sync::{Arc, AtomicBool, Mutex, MutexGuard, OnceLock, Ordering, PoisonError, Weak};
use super::table::Link;
use crate::attribute::Stored;
use crate::attribute::value::{Kind, Value};
use crate::db::Db;
use crate::reflection::{Layout, ModelReflection, Slot};

/// How the records of a batch were asked for; it holds for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Lazy loading is refused.
    pub(crate) strict: Option<StrictLoading>,
    /// Saving is refused.
    pub(crate) readonly: bool,
    /// Siblings are loaded together.
    pub(crate) batching: bool,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            strict: None,
            readonly: false,
            batching: true,
        }
    }
}

/// What a strict record refuses. Rails: the modes of `strict_loading!`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StrictLoading {
    /// Every lazy load.
    All,
    /// Only loads that would repeat for each member of a collection: its own associations are allowed, members
    /// of its collections are strict.
    NPlusOneOnly,
}

/// How many batches are in memory, by model: tests own their models, so others do not disturb them.
#[cfg(test)]
pub(super) static LIVE: std::sync::Mutex<std::collections::BTreeMap<&'static str, usize>> =
    std::sync::Mutex::new(std::collections::BTreeMap::new());

#[cfg(test)]
impl Drop for Batch {
    fn drop(&mut self) {
        let mut live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = live.get_mut(self.reflection.name()) {
            *count -= 1;
        }
        #[cfg(shuttle)]
        places().remove(&std::ptr::from_ref(self).addr());
    }
}

/// Where batches are in memory: under a scheduler that tries every order, following a link to one that was freed is
/// found at the look, not by chance.
#[cfg(all(test, shuttle))]
fn places() -> std::sync::MutexGuard<'static, std::collections::BTreeSet<usize>> {
    static PLACES: std::sync::Mutex<std::collections::BTreeSet<usize>> =
        std::sync::Mutex::new(std::collections::BTreeSet::new());
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a batch is where a pointer says.
#[cfg(all(test, shuttle))]
pub(super) fn is_at(place: usize) -> bool {
    places().contains(&place)
}

pub(crate) struct Batch {
    reflection: &'static ModelReflection,
    /// The class of each row, where they are not all of one: they have the same columns.
    classes: Option<Box<[&'static ModelReflection]>>,
    /// The layout's slots and stride, at hand: every read of an attribute asks for them.
    slots: &'static [Slot],
    stride: usize,
    /// A row without values.
    blank: &'static Arc<[u64]>,
    db: Db,
    /// Empty for a new record, whose row is the blank one.
    words: Box<[u64]>,
    len: u32,
    /// Rows that are not in the database yet.
    pub(super) new: bool,
    /// Columns that the query did not select: bit set, one a column.
    absent: Option<Box<[u64]>>,
    /// All rows are of the one class, and have all of its columns.
    whole: bool,
    pub(crate) terms: Terms,
    arena: Mutex<Arena>,
    owner: Mutex<Weak<Graph>>,
    states: States,
    links: OnceLock<Box<[Link]>>,
    /// Whether some record of this batch holds a state; readers look only then.
    touched: AtomicBool,
}

/// The states of a batch's records, made when they are first needed.
enum States {
    /// The only record's.
    One(OnceLock<Box<State>>),
    Many(OnceLock<Box<[OnceLock<Box<State>>]>>),
}

/// The rows of a batch, built.
pub(super) struct Rows {
    pub(super) words: Vec<u64>,
    pub(super) len: u32,
    pub(super) arena: Arena,
    pub(super) absent: Option<Box<[u64]>>,
    pub(super) classes: Option<Box<[&'static ModelReflection]>>,
}

impl Batch {
    #[inline]
    pub(super) fn new(
        reflection: &'static ModelReflection,
        db: &Db,
        rows: Rows,
        terms: Terms,
        new: bool,
    ) -> Arc<Self> {
        #[cfg(test)]
        {
            *LIVE
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(reflection.name())
                .or_default() += 1;
        }
        let layout: &'static Layout = reflection.layout();
        let classes_alike = rows.classes.is_none();
        Arc::new(Self {
            reflection,
            classes: rows.classes,
            slots: &layout.slots,
            stride: layout.stride,
            blank: &layout.blank,
            db: db.clone(),
            words: rows.words.into_boxed_slice(),
            len: rows.len,
            new,
            whole: classes_alike && rows.absent.is_none(),
            absent: rows.absent,
            terms,
            arena: Mutex::new(rows.arena),
            owner: Mutex::new(Weak::new()),
            states: match rows.len {
                1 => States::One(OnceLock::new()),
                _ => States::Many(OnceLock::new()),
            },
            links: OnceLock::new(),
            touched: AtomicBool::new(false),
        })
    }

    /// The model of all rows, or the one that they all inherit from.
    #[inline]
    pub(crate) fn reflection(&self) -> &'static ModelReflection {
        self.reflection
    }

    /// The model of a row.
    #[inline]
    pub(super) fn class(&self, row: u32) -> &'static ModelReflection {
        match &self.classes {
            None => self.reflection,
            Some(classes) => self.class_among(classes, row),
        }
    }

    #[cold]
    fn class_among(
        &self,
        classes: &[&'static ModelReflection],
        row: u32,
    ) -> &'static ModelReflection {
        let class = classes.get(row as usize).copied();
        class.unwrap_or(self.reflection)
    }

    /// Whether the rows are of several classes.
    #[inline]
    pub(super) fn is_mixed(&self) -> bool {
        self.classes.is_some()
    }

    /// Whether the rows are of the one class, and all its columns were selected.
    #[inline]
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// The number of associations that a row may have.
    fn associations(&self) -> usize {
        let classes = self.classes.iter().flatten().copied();
        let counts = classes
            .chain([self.reflection])
            .map(|class| class.reflections().len());
        counts.max().unwrap_or_default()
    }

    pub(crate) fn db(&self) -> &Db {
        &self.db
    }

    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    /// Where each attribute lies in a row.
    #[inline]
    pub(super) fn slots(&self) -> &'static [Slot] {
        self.slots
    }

    /// Bytes of rows and text.
    pub(crate) fn bytes(&self) -> usize {
        self.words.len() * size_of::<u64>() + self.arena().size()
    }

    pub(super) fn arena(&self) -> MutexGuard<'_, Arena> {
        self.arena.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    pub(super) fn set_owner(&self, owner: Weak<Graph>) {
        #[cfg(all(test, shuttle))]
        places().insert(std::ptr::from_ref(self).addr());
        *self.owner.lock().unwrap_or_else(PoisonError::into_inner) = owner;
    }

    /// The root that owns the batch.
    pub(super) fn owner(&self) -> Option<Arc<Graph>> {
        self.owner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .upgrade()
    }

    /// The columns that were not selected by the query, if there are some.
    pub(super) fn absent(&self) -> Option<&[u64]> {
        self.absent.as_deref()
    }

    /// Whether the column was not selected by the query.
    pub(crate) fn is_absent(&self, column: usize) -> bool {
        self.absent
            .as_ref()
            .is_some_and(|absent| bit(absent, column))
    }

    /// The words of a row as it was loaded; a new record's, and one beyond the last, has no values.
    #[inline]
    pub(super) fn row(&self, row: u32) -> &[u64] {
        let stride = self.stride;
        let start = row as usize * stride;
        self.words.get(start..start + stride).unwrap_or(self.blank)
    }

    /// The two words of one attribute of a row as it was loaded, and whether it is null, as all of a new record's are.
    #[inline]
    pub(super) fn cell(&self, row: u32, column: usize, slot: Slot) -> (u64, u64, bool) {
        let start = row as usize * self.stride;
        let words = self.words.get(start + slot.offset as usize..);
        let (first, second) = match words {
            Some(&[first, second, ..]) if slot.kind.words() == 2 => (first, second),
            Some(&[first, ..]) if slot.kind.words() == 1 => (first, 0),
            _ => (0, 0),
        };
        let nulls = self.words.get(start + column / 64);
        let null = nulls.is_none_or(|nulls| nulls >> (column % 64) & 1 == 1);
        (first, second, null)
    }

    /// The first word of a column by the row, as it was loaded; none where it is null.
    #[inline]
    pub(super) fn words_of(&self, column: usize, slot: Slot) -> impl Fn(u32) -> Option<u64> {
        let (words, stride, offset) = (&*self.words, self.stride, slot.offset as usize);
        let (nulls, bit) = (column / 64, column % 64);
        move |row| {
            let row = row as usize * stride;
            let null = words.get(row + nulls)? >> bit & 1 == 1;
            let word = *words.get(row + offset)?;
            (!null).then_some(word)
        }
    }

    /// Whether some record of the batch was touched.
    #[inline]
    pub(super) fn is_touched(&self) -> bool {
        self.touched.load(Ordering::Acquire)
    }

    #[inline]
    pub(super) fn state(&self, row: u32) -> Option<&State> {
        if !self.is_touched() {
            return None;
        }
        let place = match &self.states {
            States::One(place) => place,
            States::Many(places) => places.get()?.get(row as usize)?,
        };
        place.get().map(|state| &**state)
    }

    /// The state of a record, made when it is first needed.
    pub(super) fn state_or_make(&self, row: u32) -> &State {
        let place = match &self.states {
            States::One(place) => place,
            States::Many(places) => {
                let make = || (0..self.len).map(|_| OnceLock::new()).collect();
                &places.get_or_init(make)[row as usize]
            }
        };
        let state = place.get_or_init(|| {
            let row = self.row(row);
            let saved = if self.new {
                Arc::clone(self.blank)
            } else {
                row.into()
            };
            let associations = self.associations();
            let unread = self.absent.clone();
            Box::new(State::new(row, saved, unread, self.new, associations))
        });
        self.touched.store(true, Ordering::Release);
        state
    }

    pub(super) fn link(&self, association: usize) -> Option<&Link> {
        self.links.get()?.get(association)
    }

    pub(super) fn link_or_make(&self, association: usize) -> Option<&Link> {
        self.links
            .get_or_init(|| (0..self.associations()).map(|_| Link::default()).collect())
            .get(association)
    }

    /// Keeps the text or bytes of a value and gives its words; `None` for null.
    pub(super) fn keep(&self, value: &Value<'_>) -> Option<[u64; 2]> {
        if value.is_null() {
            return None;
        }
        let stored = Stored::of(value);
        if holds_bytes(stored.kind()) {
            Some(self.arena().push_once(stored.bytes()))
        } else {
            Some(stored.words())
        }
    }
}

pub(super) fn holds_bytes(kind: Kind) -> bool {
    kind.is_text() || kind == Kind::Bytes
}

pub(super) fn bit(words: &[u64], index: usize) -> bool {
    words
        .get(index / 64)
        .is_some_and(|word| word >> (index % 64) & 1 == 1)
}

pub(super) fn set_bit(words: &mut [u64], index: usize, on: bool) {
    if let Some(word) = words.get_mut(index / 64) {
        *word = *word & !(1 << (index % 64)) | u64::from(on) << (index % 64);
    }
}
