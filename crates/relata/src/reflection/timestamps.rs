//! Which columns saving fills with the time.
//!
//! Invariant: a column that is not one of times is never among them.

use super::Column;
use crate::attribute::value::Kind;

/// Where the times of a record's creation and last change are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Timestamps {
    /// In the columns of Rails' names, where the model has them: `created_at`, `created_on`, `updated_at`, `updated_on`.
    Conventional,
    /// Nowhere. Rails: `record_timestamps = false`.
    Off,
    /// In columns of these names.
    Named {
        /// Set when the record is inserted.
        created: Option<&'static str>,
        /// Set when the record is inserted, updated or touched.
        updated: Option<&'static str>,
    },
}

/// The positions of those columns.
#[derive(Debug, Default)]
pub(crate) struct Stamps {
    pub(crate) created: Vec<usize>,
    pub(crate) updated: Vec<usize>,
}

impl Stamps {
    pub(crate) fn of(timestamps: Timestamps, columns: &[Column]) -> Self {
        let named = |names: &[&str]| {
            let times = columns
                .iter()
                .enumerate()
                .filter(|(_, column)| matches!(column.ty.kind, Kind::Timestamp | Kind::DateTime));
            times
                .filter(|(_, column)| names.contains(&column.name()))
                .map(|(position, _)| position)
                .collect()
        };
        match timestamps {
            Timestamps::Conventional => Self {
                created: named(&["created_at", "created_on"]),
                updated: named(&["updated_at", "updated_on"]),
            },
            Timestamps::Off => Self::default(),
            Timestamps::Named { created, updated } => Self {
                created: named(created.as_slice()),
                updated: named(updated.as_slice()),
            },
        }
    }
}
