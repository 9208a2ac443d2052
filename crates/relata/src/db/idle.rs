//! Whether the databases that a test opened are idle when it is over.
//!
//! Invariants: only what is opened while a test runs on this thread is watched, and watching keeps no database.

use std::cell::RefCell;
use std::panic::Location;
use std::sync::{Arc, Weak};

use super::{Db, Figures, Inner};
use crate::pending;

/// A database, and where it was opened.
type Watched = (Weak<Inner>, Option<&'static Location<'static>>);

thread_local! {
    static WATCHED: RefCell<Option<Vec<Watched>>> = const { RefCell::new(None) };
}

/// Watches what this thread opens until it is dropped, and then what was watched before.
pub(crate) struct Watch(Option<Vec<Watched>>);

impl Drop for Watch {
    fn drop(&mut self) {
        WATCHED.replace(self.0.take());
    }
}

impl Watch {
    pub(crate) fn begin() -> Self {
        Self(WATCHED.replace(Some(Vec::new())))
    }

    /// None where somebody watches already.
    pub(crate) fn unless_watched() -> Option<Self> {
        let watched = WATCHED.with_borrow(Option::is_some);
        (!watched).then(Self::begin)
    }

    /// What is left open by now of what was opened, in words.
    pub(crate) fn left(&self) -> Option<String> {
        let opened = WATCHED.take().unwrap_or_default();
        opened.into_iter().find_map(|(db, opened)| {
            let left = Db(db.upgrade()?).figures();
            let by = match left.transaction {
                _ if left == Figures::default() => return None,
                Some(at) => format!("by a transaction begun at {at}"),
                None => "by a statement".to_owned(),
            };
            let opened =
                opened.map_or_else(String::new, |at| format!(", which was opened at {at}"));
            let Figures {
                writers, readers, ..
            } = left;
            Some(format!(
                "{} of the database{opened}, are taken {by}",
                match (writers, readers) {
                    (0, readers) => format!("{readers} reading connections"),
                    (writers, 0) => format!("{writers} writing connections"),
                    (writers, readers) =>
                        format!("{writers} writing and {readers} reading connections"),
                }
            ))
        })
    }
}

/// Notes a database that was opened.
pub(super) fn watch(db: &Db) {
    WATCHED.with_borrow_mut(|watched| {
        if let Some(watched) = watched {
            watched.push((Arc::downgrade(&db.0), pending::caller()));
        }
    });
}
