//! One writer at a time per record.
//!
//! Invariant: who holds the turn is the only one that writes the record's row; a turn that is dropped, with its future
//! or after it, goes to whoever waits.

use super::errors::Keeping;
use crate::record::Record;

/// The turn to write a record.
pub(super) struct Turn<'a>(&'a Record);

impl<'a> Turn<'a> {
    /// The turn, once nobody else has it.
    pub(super) async fn of(record: &'a Record) -> Self {
        if record.begin_writing() {
            return Self(record);
        }
        let Some(keeping) = record.keeping() else {
            return Self(record);
        };
        loop {
            let freed = keeping.freed.notified();
            let mut freed = std::pin::pin!(freed);
            // From here on a turn that is given back is not missed.
            freed.as_mut().enable();
            if record.begin_writing() {
                return Self(record);
            }
            freed.await;
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.end_writing();
        if let Some(keeping) = self.0.existing_extension::<Keeping>() {
            keeping.freed.notify_one();
        }
    }
}
