//! When tables were last written through this database, by which what was read and not used yet is known to be old.
//!
//! A write counts when its statement has ended, wherever that is and whoever still waits for it: who receives its rows
//! travels with the statement, and tells when it is dropped. Written in a transaction it counts once more when that is
//! committed, for others saw the rows of before until then; what is rolled back counts as a write of everything.
//!
//! Invariant: who read a table before a statement changed what can be read of it, and asks after that, is told that it was
//! written.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use super::Db;
use super::adapter::{Cells, Decode, Discard, Names};
use crate::error::Result;
use crate::hashing::Hashing;

/// What a statement writes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Written {
    /// Rows of a table.
    Table(&'static str),
    /// It may be anything.
    Any,
}

/// How many writes there were, and how many after the last one of each table.
#[derive(Default)]
pub(super) struct Writes {
    count: AtomicU64,
    /// After the last one that may have touched any table, and after the last one to a table.
    any: AtomicU64,
    tables: RwLock<HashMap<&'static str, AtomicU64, Hashing>>,
}

impl Writes {
    #[inline]
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// How many there were when a table was last written.
    pub(super) fn last(&self, table: &'static str) -> u64 {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        let of_table = tables.get(table);
        let of_table = of_table.map_or(0, |last| last.load(Ordering::Acquire));
        of_table.max(self.any.load(Ordering::Acquire))
    }

    pub(super) fn note(&self, written: Written) {
        let count = self.count.fetch_add(1, Ordering::AcqRel) + 1;
        let table = match written {
            Written::Table(table) => table,
            Written::Any => {
                self.any.fetch_max(count, Ordering::AcqRel);
                return;
            }
        };
        {
            let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(last) = tables.get(table) {
                last.fetch_max(count, Ordering::AcqRel);
                return;
            }
        }
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        let last = tables.entry(table).or_default();
        last.fetch_max(count, Ordering::AcqRel);
    }
}

/// Receives the rows of a statement that writes, and tells that it ended.
pub(crate) struct Telling<D = Discard> {
    pub(crate) decode: D,
    db: Db,
    written: Written,
}

impl<D> Telling<D> {
    pub(crate) fn new(decode: D, db: &Db, written: Written) -> Self {
        Self {
            decode,
            db: db.clone(),
            written,
        }
    }
}

impl<D> Drop for Telling<D> {
    fn drop(&mut self) {
        self.db.note_written(self.written);
    }
}

impl<D: Decode> Decode for Telling<D> {
    fn columns(&mut self, names: &Names) -> Result<()> {
        self.decode.columns(names)
    }

    fn restart(&mut self) {
        self.decode.restart();
    }

    fn row<C: Cells>(&mut self, cells: &C) -> Result<()> {
        self.decode.row(cells)
    }

    fn departs(&mut self) {
        self.decode.departs();
    }

    fn writes(&self) -> Option<Written> {
        Some(self.written)
    }
}
