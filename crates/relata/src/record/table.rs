//! Tables of links: what loads found, for all rows of a batch or for one, until somebody asks.
//!
//! Invariants: a table is published once and never taken back; rows it does not cover say so.

use super::batch::bit;
use super::graph::Graph;
use super::sync::{AtomicU32, AtomicU64, OnceLock, Ordering, Weak};
use super::{BatchPtr, Record};

/// A target within a table: which of its batches, and which row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) batch: u32,
    pub(crate) row: u32,
}

impl Place {
    /// Loaded, and there is none.
    pub(crate) const NONE: Self = Self {
        batch: u32::MAX,
        row: 0,
    };
}

/// The targets of each row of a batch.
#[derive(Debug)]
pub(crate) enum Index {
    /// At most one.
    One(Box<[Place]>),
    /// Any number: those of row `n` are `places[offsets[n]..offsets[n + 1]]`.
    Many {
        offsets: Box<[u32]>,
        places: Box<[Place]>,
    },
    /// The targets of one row, when the load was for that row alone.
    Row { row: u32, places: Box<[Place]> },
}

/// What a load found, ready to be published.
pub(crate) struct Links {
    /// One record of each batch that places name.
    pub(crate) targets: Vec<Record>,
    pub(crate) index: Index,
    /// Rows that were not loaded: bit set.
    pub(crate) missing: Option<Box<[u64]>>,
    /// For siblings that did not ask: the database's writes before the load.
    pub(crate) unread_since: Option<u64>,
}

/// One association of a batch.
#[derive(Default)]
pub(crate) struct Link {
    pub(super) set: OnceLock<LinkSet>,
    /// What the first load found that was for one row alone.
    pub(super) first: OnceLock<LinkSet>,
    /// Rows that were loaded on their own.
    pub(super) singles: AtomicU32,
}

pub(super) struct LinkSet {
    pub(super) targets: Box<[TargetBatch]>,
    pub(super) index: Index,
    pub(super) missing: Option<Box<[u64]>>,
    pub(super) unread: Option<Unread>,
}

pub(super) struct TargetBatch {
    pub(super) batch: BatchPtr,
    /// The root it was in; `None` when that was the owner's own.
    pub(super) graph: Option<Weak<Graph>>,
}

/// Rows that were loaded because a sibling asked, until they are read.
pub(super) struct Unread {
    since: u64,
    seen: Box<[AtomicU64]>,
}

impl Unread {
    pub(super) fn new(since: u64, rows: usize) -> Self {
        let words = rows.div_ceil(64);
        Self {
            since,
            seen: (0..words).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

impl Link {
    /// The table that says where a row's association leads to.
    #[inline]
    pub(super) fn table(
        &self,
        row: u32,
        read: bool,
        current: impl FnOnce(u64) -> bool,
    ) -> Option<&LinkSet> {
        match self.set.get() {
            Some(set) if set.covers(row, read, current) => Some(set),
            _ => self.first.get().filter(|first| first.is_of(row)),
        }
    }

    pub(super) fn is_known(&self) -> bool {
        self.set.get().is_some() || self.first.get().is_some()
    }
}

impl LinkSet {
    /// Whether the table is of one row alone, this one.
    pub(super) fn is_of(&self, of: u32) -> bool {
        matches!(self.index, Index::Row { row, .. } if row == of)
    }

    /// The target of a row, `Place::NONE` for none; nothing when the association is a collection.
    #[inline]
    pub(super) fn one(&self, row: u32) -> Option<Place> {
        let place = match &self.index {
            Index::One(places) => places.get(row as usize),
            Index::Row { places, .. } => places.first(),
            Index::Many { .. } => return None,
        };
        Some(place.copied().unwrap_or(Place::NONE))
    }

    /// The targets of a row; nothing when the association is no collection.
    #[inline]
    pub(super) fn many(&self, row: u32) -> Option<&[Place]> {
        match &self.index {
            Index::One(_) => None,
            Index::Row { places, .. } => Some(places),
            Index::Many { offsets, places } => {
                let at = |row: usize| offsets.get(row).map_or(0, |&offset| offset as usize);
                let row = row as usize;
                Some(places.get(at(row)..at(row + 1)).unwrap_or_default())
            }
        }
    }

    /// Whether the table holds for a row. `read` marks what a sibling brought along as read: from then on it stays,
    /// as what was read alone would. `current` as for [`Record::linked_one`](super::Record::linked_one).
    #[inline]
    fn covers(&self, row: u32, read: bool, current: impl FnOnce(u64) -> bool) -> bool {
        if self
            .missing
            .as_ref()
            .is_some_and(|missing| bit(missing, row as usize))
        {
            return false;
        }
        let Some(unread) = &self.unread else {
            return true;
        };
        let Some(word) = unread.seen.get(row as usize / 64) else {
            return false;
        };
        let mask = 1 << (row % 64);
        if word.load(Ordering::Acquire) & mask != 0 {
            return true;
        }
        if !current(unread.since) {
            return false;
        }
        if read {
            word.fetch_or(mask, Ordering::AcqRel);
        }
        true
    }
}
