//! Records: one row, as one shared object.
//!
//! ```text
//! Record { graph, batch, row }      24 bytes; a clone is another name for the same object
//!            │      └── a row of words in a batch, and the record's state once it was touched
//!            └── keeps the batch, and all that is linked to it, alive
//! ```
//!
//! Invariants: a handle's batch is owned by the root of its graph, so it lives as long as the handle; identity
//! is batch and row; this room knows no SQL and asks the database nothing (a record only carries its `Db`).

#![allow(unsafe_code)]

mod access;
mod arena;
mod batch;
mod becomes;
mod builder;
mod changes;
mod debug;
mod graph;
mod life;
mod link;
mod members;
mod merge;
mod state;
#[cfg(feature = "json")]
pub(crate) mod store;
mod sync;
mod table;
#[cfg(test)]
mod tests;
mod watch;

use std::ptr::NonNull;

pub use batch::StrictLoading;
pub(crate) use batch::{Batch, Terms};
pub(crate) use builder::{BatchBuilder, Row, Step, Take, Unfit};
pub(crate) use debug::FILTERED;
pub use life::Change;
pub(crate) use link::{Linked, Members, Tie};
pub(crate) use state::{Bound, Life, Snapshot, Version};
#[cfg(feature = "json")]
pub use store::StoredAttribute;
pub(crate) use table::{Index, Links, Place};
pub(crate) use watch::Watch;

use crate::attribute::{Kind, Stored};
use crate::db::Db;
use crate::model::FromRecord;
use crate::reflection::{ModelReflection, Slot};
use graph::Graph;
use state::State;
use sync::Arc;

/// One row of some model, untyped. A model is a newtype of it and derefs to it, so everything here can be called
/// on a `Post` too.
///
/// Cloning gives another name for the same object, as a Ruby variable does; `dup` copies. A handle keeps alive
/// what was loaded with it: its batch, and everything that is linked to it.
pub struct Record {
    graph: Arc<Graph>,
    batch: BatchPtr,
    row: u32,
}

/// A batch that some graph owns.
#[derive(Clone, Copy, PartialEq, Eq)]
struct BatchPtr(NonNull<Batch>);

// SAFETY: a `BatchPtr` is a shared reference to a `Batch` with its lifetime left out, and `Batch` is `Send` and
// `Sync` (asserted below).
unsafe impl Send for BatchPtr {}
// SAFETY: as above.
unsafe impl Sync for BatchPtr {}

const _: () = {
    const fn send_and_sync<T: Send + Sync>() {}
    send_and_sync::<Batch>();
    send_and_sync::<Graph>();
};

impl BatchPtr {
    fn of(batch: &Arc<Batch>) -> Self {
        Self(NonNull::from(&**batch))
    }

    /// The batch, for as long as `keeper` is borrowed.
    ///
    /// Private to this room, which calls it only with a keeper whose graph's root owns the batch, or depends on
    /// the root that does (the invariant of `link`): a published table or an override holds that dependency.
    #[inline]
    fn get(self, keeper: &Record) -> &Batch {
        let _ = keeper;
        #[cfg(all(test, shuttle))]
        assert!(batch::is_at(self.0.as_ptr().addr()), "a batch was freed");
        // SAFETY: the batch is in an `Arc` that the owning root holds until it is dropped; the keeper holds its
        // graph, whose forwards and dependencies hold that root; batches are never removed from a live root
        // except to move to the root that it then forwards to.
        unsafe { self.0.as_ref() }
    }
}

// The compiler would find out by itself that a record is `Send` and `Sync`, by walking through every type of the library
// that a graph leads to, anew for each model: 4 of 5 seconds of checking 50 models.
//
// SAFETY: its fields are an `Arc` of a `Graph`, which is `Send` and `Sync` (asserted above), a `BatchPtr`, which is both,
// and a number.
unsafe impl Send for Record {}
// SAFETY: as above.
unsafe impl Sync for Record {}

impl Clone for Record {
    #[inline]
    fn clone(&self) -> Self {
        Self {
            graph: Arc::clone(&self.graph),
            batch: self.batch,
            row: self.row,
        }
    }
}

impl Record {
    /// All records of a batch that was just read, in a graph of their own. The first tells them apart from others.
    pub(crate) fn adopt(batch: Arc<Batch>) -> Vec<Self> {
        let rows = u32::try_from(batch.len()).unwrap_or(u32::MAX);
        let (batch, graph) = (BatchPtr::of(&batch), Graph::with(batch));
        (0..rows)
            .map(|row| Self {
                graph: Arc::clone(&graph),
                batch,
                row,
            })
            .collect()
    }

    /// The last record of a batch that was just read, in a graph of its own: the only one, where one was asked for.
    pub(crate) fn adopt_last(batch: Arc<Batch>) -> Option<Self> {
        let row = u32::try_from(batch.len()).ok()?.checked_sub(1)?;
        let (batch, graph) = (BatchPtr::of(&batch), Graph::with(batch));
        Some(Self { graph, batch, row })
    }

    /// A new record without values, in a graph of its own.
    pub(crate) fn blank(reflection: &'static ModelReflection, db: &Db) -> Self {
        let batch = BatchBuilder::blank(reflection, db);
        Self {
            batch: BatchPtr::of(&batch),
            graph: Graph::with(batch),
            row: 0,
        }
    }

    /// A record without values, with the terms of this one's batch, and without the columns that it lacks.
    fn blank_copy(&self) -> Self {
        let batch = BatchBuilder::blank_copy(self.reflection(), self.batch());
        Self {
            batch: BatchPtr::of(&batch),
            graph: Graph::with(batch),
            row: 0,
        }
    }

    /// A new record without values, in this one's graph.
    pub(crate) fn blank_beside(&self, reflection: &'static ModelReflection) -> Self {
        let shape = graph::Shape::lock();
        let batch = BatchBuilder::blank(reflection, self.db());
        let beside = Self {
            graph: Arc::clone(&self.graph),
            batch: BatchPtr::of(&batch),
            row: 0,
        };
        self.graph.adopt(batch, &shape);
        beside
    }

    #[inline]
    fn batch(&self) -> &Batch {
        self.batch.get(self)
    }

    #[inline]
    fn state(&self) -> Option<&State> {
        self.batch().state(self.row)
    }

    /// Whether anything was set on this record, or said to it alone.
    #[inline]
    pub(crate) fn is_touched(&self) -> bool {
        self.state().is_some()
    }

    fn state_or_make(&self) -> &State {
        self.batch().state_or_make(self.row)
    }

    /// The reflection of the record's model.
    #[must_use]
    #[inline]
    pub fn reflection(&self) -> &'static ModelReflection {
        self.batch().class(self.row)
    }

    /// Whether all records that were loaded together with this one are of that model.
    #[inline]
    pub(crate) fn are_all(&self, model: &'static ModelReflection) -> bool {
        !self.batch().is_mixed() && self.batch().reflection() == model
    }

    /// Whether all records that were loaded together with this one are of that model, and have all of its columns.
    #[inline]
    pub(crate) fn are_wholly(&self, model: &'static ModelReflection) -> bool {
        self.batch().is_whole() && self.batch().reflection() == model
    }

    /// The database the record belongs to.
    #[must_use]
    pub fn db(&self) -> &Db {
        self.batch().db()
    }

    /// Whether both handles name the same object. Rails: `equal?`.
    #[must_use]
    #[doc(alias = "equal")]
    pub fn is<R: FromRecord>(&self, other: &R) -> bool {
        let other = other.as_record();
        self.batch == other.batch && self.row == other.row
    }

    /// What identifies the object among all live ones: stable for its life, and reused after it.
    pub(crate) fn identity(&self) -> (usize, u32) {
        (self.batch.0.as_ptr().addr(), self.row)
    }

    /// The number of records that were loaded together with this one, itself included.
    pub(crate) fn batch_size(&self) -> usize {
        self.batch().len()
    }

    /// This record's place among them.
    #[inline]
    pub(crate) fn row_number(&self) -> usize {
        self.row as usize
    }

    /// Whether both were loaded together.
    #[inline]
    pub(crate) fn is_sibling(&self, other: &Record) -> bool {
        self.batch == other.batch
    }

    pub(crate) fn terms(&self) -> Terms {
        self.batch().terms
    }

    /// Rows and bytes that stay in memory while this handle lives, without what its graph depends on.
    #[must_use]
    pub fn retained(&self) -> (usize, usize) {
        self.graph.figures()
    }
}

/// One attribute's words, with the lifetime of the row that holds them.
///
/// Private to this room: rows are only those of a batch, or copies of them that are kept beside the record.
#[inline]
fn stored(row: &[u64], column: usize, slot: Slot) -> Stored<'_> {
    let [first, second] = words(row, slot);
    // SAFETY: the words of a text or binary column are 0, or were made by `Arena::push` for a value of that
    // column's kind in the arena of the batch that the row belongs to (`builder::Row`, `Values::set`), whose
    // bytes are never moved or written again. The batch outlives every borrow of a row: rows are borrowed from
    // the batch, from a state in it, or from a `Bound` or `Snapshot`, which hold the record.
    unsafe { Stored::new(slot.kind, batch::bit(row, column), first, second) }
}

/// As [`stored`], for a row as it was loaded.
#[inline]
fn loaded(batch: &Batch, row: u32, column: usize, slot: Slot) -> Stored<'_> {
    let (first, second, null) = batch.cell(row, column, slot);
    // SAFETY: as for `stored`: the words are those of the slot in the batch's own rows, or 0.
    unsafe { Stored::new(slot.kind, null, first, second) }
}

/// As [`stored`], for words that were copied out of a touched record's row under its lock.
fn stored_words(_keeper: &Record, [first, second]: [u64; 2], kind: Kind, null: bool) -> Stored<'_> {
    // SAFETY: as for `stored`; the record whose row they come from is borrowed for as long as the result.
    unsafe { Stored::new(kind, null, first, second) }
}

#[inline]
fn words(row: &[u64], slot: Slot) -> [u64; 2] {
    let start = slot.offset as usize;
    let first = row.get(start).copied().unwrap_or_default();
    let second = if slot.kind.words() == 2 {
        row.get(start + 1).copied().unwrap_or_default()
    } else {
        0
    };
    [first, second]
}
