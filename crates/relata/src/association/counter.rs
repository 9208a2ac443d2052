//! The counter of a collection: the owner's column that says how many members there are.
//!
//! Invariant: a column counts only where a `belongs_to` of the members keeps it, or the collection says so itself.

use super::Association;

/// The owner's column that counts a collection's members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counter {
    pub(crate) column: usize,
    /// Whether it can be trusted.
    pub(crate) active: bool,
}

impl Association {
    /// The column of the owner that counts the members of a collection, by name: what was written, or `comments_count`.
    /// Rails: `counter_cache_column`.
    #[must_use]
    pub fn counter_column_name(&self) -> String {
        let reflection = self.reflection();
        match reflection.counter_cache {
            Some(column) if !column.is_empty() => column.to_owned(),
            _ => format!("{}_count", reflection.name()),
        }
    }

    /// The column that counts the members, if one does. Rails: `has_cached_counter?`.
    pub(crate) fn counter(&self) -> Option<Counter> {
        let reflection = self.reflection();
        if !reflection.is_collection() {
            return None;
        }
        let name = self.counter_column_name();
        let owner = self.owner.reflection();
        let column = owner.column_position(&name)?;
        let kept = self.resolved.target.reflections().iter().find(|one| {
            self.resolved.through.is_none()
                && one.is_belongs_to()
                && one.counter_cache == Some(name.as_str())
                && one.leads_to(owner)
        });
        if kept.is_none() && reflection.counter_cache.is_none() {
            return None;
        }
        let active = reflection.counter_active && kept.is_none_or(|kept| kept.counter_active);
        Some(Counter { column, active })
    }

    /// Whether the owner has a column that counts the members. Never touches the database. Rails: `has_cached_counter?`.
    #[must_use]
    pub fn has_counter(&self) -> bool {
        self.counter().is_some()
    }

    /// What the counter says, if it is to be trusted. A column without a value says nothing of it: 0.
    pub(crate) fn counted(&self) -> Option<u64> {
        let counter = self.counter().filter(|counter| counter.active)?;
        if self.owner.is_new_record() {
            return None;
        }
        let count = self
            .owner
            .value(counter.column)
            .as_i64()
            .unwrap_or_default();
        Some(u64::try_from(count).unwrap_or_default())
    }
}
