//! Where each attribute of a model lies in a row of words.
//!
//! A row is a bitmap of nulls (one bit a column, whole words) followed by one or two words a column.
//!
//! Invariant: slots do not overlap and lie within the stride; the record room's reads rely on it.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use super::Column;
use crate::attribute::value::Kind;

/// The place of one attribute.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    /// The first word of the value, counted from the start of the row.
    pub(crate) offset: u32,
    /// How the words are to be read.
    pub(crate) kind: Kind,
}

/// The shape of a model's rows.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Words a row.
    pub(crate) stride: usize,
    /// One slot a column, in the order of the columns.
    pub(crate) slots: Box<[Slot]>,
    /// A row without values: every column is null.
    pub(crate) blank: Arc<[u64]>,
    steps: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl Layout {
    pub(crate) fn of(columns: &[Column]) -> Self {
        let mut offset = columns.len().div_ceil(64);
        let slots = columns
            .iter()
            .map(|column| {
                let kind = column.ty.kind;
                let slot = Slot {
                    offset: u32::try_from(offset).unwrap_or(u32::MAX),
                    kind,
                };
                offset += kind.words();
                slot
            })
            .collect();
        let mut blank = vec![0; offset];
        for column in 0..columns.len() {
            if let Some(nulls) = blank.get_mut(column / 64) {
                *nulls |= 1 << (column % 64);
            }
        }
        Self {
            stride: offset,
            slots,
            blank: blank.into(),
            steps: OnceLock::new(),
        }
    }

    /// A place where the record room keeps how rows are filled that have the model's columns in their order.
    pub(crate) fn steps<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Option<&T> {
        self.steps.get_or_init(|| Box::new(make())).downcast_ref()
    }
}
