//! Which column holds a row's version, for optimistic locking.
//!
//! Invariant: a column that is no whole number is never it.

use super::Column;
use crate::attribute::value::Kind;

/// Where the version of a row is kept, by which a stale record is found out. Rails: `locking_column`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Locking {
    /// In the column `lock_version`, where the model has it.
    Conventional,
    /// Nowhere. Rails: `lock_optimistically = false`.
    Off,
    /// In the column of that name.
    Named(&'static str),
}

impl Locking {
    /// The position of the column.
    pub(crate) fn position(self, columns: &[Column]) -> Option<usize> {
        let name = match self {
            Self::Conventional => "lock_version",
            Self::Off => return None,
            Self::Named(name) => name,
        };
        let is_version = |column: &Column| column.name() == name && column.ty.kind == Kind::Int;
        columns.iter().position(is_version)
    }
}
