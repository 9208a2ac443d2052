//! Who wants to know that records change: what was found out about many of them holds as long as none does.
//!
//! Invariant: a record tells one watch, once; whoever puts another one on it has told the first. A record that nobody
//! watches pays one look when it is set.

use super::Record;
use super::state::{State, Values};
use super::sync::{Arc, AtomicU64, Ordering};

/// Counts the changes of the records that it was put on.
#[derive(Clone, Default)]
pub(crate) struct Watch(Arc<AtomicU64>);

impl Watch {
    /// How many changes there were so far.
    pub(crate) fn changes(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    fn tell(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

impl Values {
    /// Tells who watches that something changes.
    #[cold]
    #[inline(never)]
    pub(super) fn tell(&mut self) {
        if let Some(watch) = self.watch.take() {
            watch.tell();
        }
    }
}

impl State {
    /// Tells who watches that something beside the values changes: a link, a mark.
    pub(super) fn tell(&self) {
        self.values_mut().tell();
    }
}

impl Record {
    /// Has the first change from now on counted: of a value, of a link that this record alone was told, of its mark.
    pub(crate) fn watch(&self, watch: &Watch) {
        let mut values = self.state_or_make().values_mut();
        if let Some(other) = values.watch.replace(watch.clone())
            && !Arc::ptr_eq(&other.0, &watch.0)
        {
            other.tell();
        }
    }

    /// Has changes counted no longer. Gives the watch, which can be put on again.
    pub(crate) fn unwatch(&self) -> Option<Watch> {
        self.state()?.values_mut().watch.take()
    }
}
