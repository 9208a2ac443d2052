//! Writing a record's row, and what holds of the record when nobody is told the outcome.
//!
//! Invariant: from the moment a write is out of the caller's hands until its answer is here, the record is in doubt. One
//! that stays so refuses to be saved until it is reloaded: saving it again could write the row twice.

use crate::db::adapter::{Cells, Decode, Job, Names, Outcome, Statement};
use crate::error::Result;
use crate::record::Record;

/// Sees a record's write leave.
struct Witness(Record);

impl Decode for Witness {
    fn columns(&mut self, _names: &Names) -> Result<()> {
        Ok(())
    }

    fn restart(&mut self) {}

    fn row<C: Cells>(&mut self, _cells: &C) -> Result<()> {
        Ok(())
    }

    fn departs(&mut self) {
        self.0.set_in_doubt(true);
    }
}

/// Runs the statement that writes a record's row. An error carries the record.
pub(super) async fn run(record: &Record, statement: Statement) -> Result<Outcome> {
    let mut job = Job::new(statement, Witness(record.clone()));
    let outcome = record.db().fetch(&mut job).await;
    let unknown = outcome
        .as_ref()
        .is_err_and(crate::Error::is_commit_outcome_unknown);
    if unknown || record.is_in_doubt() {
        record.set_in_doubt(unknown);
    }
    outcome.map_err(|error| error.with_record(record.clone()))
}
