//! Writing a record's row, and what holds of the record when nobody is told the outcome.
//!
//! Invariant: a record whose write may have happened, and which would write it a second time, refuses to be saved until
//! it is reloaded. That is an INSERT from the moment it is out of the caller's hands until its answer is here, and
//! every write whose answer was lost. An UPDATE whose future was dropped is no such: the values are still unsaved, and
//! writing them again does no harm.

use super::turn::Turn;
use crate::db::Written;
use crate::db::adapter::{Cells, Decode, Job, Names, Outcome, Statement};
use crate::error::Result;
use crate::record::Record;
use crate::relation::scoping;

/// Sees a record's write leave, and end.
struct Witness {
    record: Record,
    /// Whether the record is in doubt for that, and was not before.
    doubts: bool,
}

impl Witness {
    fn written(&self) -> Written {
        Written::Table(self.record.reflection().table())
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.record.db().note_written(self.written());
    }
}

impl Decode for Witness {
    fn columns(&mut self, _names: &Names) -> Result<()> {
        Ok(())
    }

    fn restart(&mut self) {}

    fn row<C: Cells>(&mut self, _cells: &C) -> Result<()> {
        Ok(())
    }

    fn departs(&mut self) {
        if self.record.is_new_record() && !self.record.is_in_doubt() {
            self.record.set_in_doubt(true);
            self.doubts = true;
        }
    }

    fn writes(&self) -> Option<Written> {
        Some(self.written())
    }
}

/// The statement, with what a block says of all queries: a row that is there must meet it.
#[inline]
pub(super) fn narrowed(record: &Record, statement: Statement) -> Result<Statement> {
    if !scoping::is_used() || record.is_new_record() {
        return Ok(statement);
    }
    let Statement {
        text, mut binds, ..
    } = statement;
    let narrowed = scoping::narrow(record, &text, &mut binds)?;
    Ok(Statement {
        text: narrowed.map_or(text, Into::into),
        binds,
        ..statement
    })
}

/// Runs the statement that writes a record's row, narrowed by what a block says of all queries. Otherwise as
/// [`send`].
pub(super) async fn run(
    record: &Record,
    statement: Statement,
    turn: Option<&Turn<'_>>,
) -> Result<Outcome> {
    send(record, narrowed(record, statement)?, turn).await
}

/// Runs the statement that writes a record's row. An error carries the record. Who has the turn is turned away where it
/// would have to wait for the writer, unless it has that too.
pub(super) async fn send(
    record: &Record,
    statement: Statement,
    turn: Option<&Turn<'_>>,
) -> Result<Outcome> {
    let writer = turn.and_then(Turn::writer);
    let hesitant = turn.is_some() && writer.is_none();
    let witness = Witness {
        record: record.clone(),
        doubts: false,
    };
    let mut job = Job::new(statement, witness).hesitant(hesitant);
    let outcome = match writer {
        None => record.db().fetch(&mut job).await,
        Some(writer) => Box::pin(record.db().fetch_with(writer, &mut job)).await,
    };
    let unknown = outcome
        .as_ref()
        .is_err_and(crate::Error::is_commit_outcome_unknown);
    // An earlier write's doubt is none of this one's: what failed says nothing of that.
    let mut doubts = || match job.decoder() {
        Ok(witness) => witness.doubts,
        Err(_) => record.is_new_record(),
    };
    if unknown || doubts() {
        record.set_in_doubt(unknown);
    }
    outcome.map_err(|error| error.with_record(record.clone()))
}
