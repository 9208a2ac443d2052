//! One writer at a time per record.
//!
//! Invariants: who holds the turn is the only one that writes the record's row; a turn that is dropped, with its future
//! or after it, goes to whoever waits; a wait for it ends at the deadline. Nobody who has the turn waits for a connection,
//! or for an inner level of the transaction to end: who has that may wait for the turn. Who would have to is turned away,
//! gives the turn back, and comes again with the writer.

use super::errors::{Keeping, key_of};
use crate::db::Writing;
use crate::db::adapter::is_turned_away;
use crate::error::{Error, ErrorKind, Result};
use crate::pending;
use crate::record::Record;

/// Does something in the turn to write a record; where it would have to wait for the writer, once more with that. No
/// function that takes an async closure: what such a one borrows could not be sent between threads.
macro_rules! in_turn {
    ($record:expr, $turn:ident => $does:expr) => {{
        let turn = $crate::persistence::turn::Turn::of($record).await?;
        let $turn = &turn;
        let done = $does.await;
        match turn.over(done)? {
            Some(done) => Ok(done),
            // Apart, so that who need not wait carries no place for it.
            None => {
                Box::pin(async {
                    let turn = $crate::persistence::turn::Turn::with_writer($record).await?;
                    let $turn = &turn;
                    $does.await
                })
                .await
            }
        }
    }};
}

pub(super) use in_turn;

/// The turn to write a record.
pub(super) struct Turn<'a> {
    record: &'a Record,
    /// The writer, where it was not free for the first attempt.
    writer: Option<Writing>,
}

impl<'a> Turn<'a> {
    /// The turn, once nobody else has it.
    pub(super) async fn of(record: &'a Record) -> Result<Self> {
        if record.begin_writing() {
            return Ok(Self::taken(record));
        }
        // Apart, so that who need not wait carries no place for it.
        Box::pin(Self::wait(record)).await
    }

    /// The writer first, then the turn: for who was turned away.
    pub(super) async fn with_writer(record: &'a Record) -> Result<Self> {
        loop {
            let writer = record.db().writer().await?;
            let mut turn = Self::of(record).await?;
            // While the turn was waited for, another level may have begun.
            if record.db().has_writer(&writer) {
                turn.writer = Some(writer);
                return Ok(turn);
            }
        }
    }

    /// The writer that was waited for; without one, what is written must not wait.
    pub(super) fn writer(&self) -> Option<&Writing> {
        self.writer.as_ref()
    }

    /// Gives the turn back if what was done with it was turned away: whether it was.
    pub(super) fn over<T>(self, done: Result<T>) -> Result<Option<T>> {
        match done {
            Ok(done) => Ok(Some(done)),
            Err(error) if is_turned_away(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn taken(record: &'a Record) -> Self {
        Self {
            record,
            writer: None,
        }
    }

    async fn wait(record: &'a Record) -> Result<Self> {
        let Some(keeping) = record.keeping() else {
            return Ok(Self::taken(record));
        };
        let turn = async {
            loop {
                let freed = keeping.freed.notified();
                let mut freed = std::pin::pin!(freed);
                // From here on a turn that is given back is not missed.
                freed.as_mut().enable();
                if record.begin_writing() {
                    return Self::taken(record);
                }
                freed.await;
            }
        };
        let caller = pending::caller();
        let in_time = record.db().in_time(turn).await?;
        in_time.ok_or_else(|| too_long(record, caller))
    }
}

fn too_long(record: &Record, caller: Option<&'static std::panic::Location<'static>>) -> Error {
    let asked = caller.map_or_else(String::new, |at| format!(", asked for at {at}"));
    let message = format!(
        "waited {:?} for the turn to write {} with {}{asked}: another save, reload or destroy of the same record is under \
         way. Is its future kept somewhere without being awaited, or is something slow awaited inside it?",
        record.db().deadline(),
        record.reflection().name(),
        key_of(record)
    );
    Error::new(ErrorKind::LockWaitTimeout, message).with_record(record.clone())
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Taking and giving back are both read-modify-writes of one word, with acquire and release: a waiter whose attempt
        // failed stands before this in the order of that word, and so its `Keeping` is seen here.
        self.record.end_writing();
        if let Some(keeping) = self.record.existing_extension::<Keeping>() {
            keeping.freed.notify_one();
        }
    }
}
