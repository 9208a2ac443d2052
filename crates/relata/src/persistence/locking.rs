//! Optimistic locking: a row has a version, which every write counts, and a record writes only the row that it read.
//!
//! Invariants: the version is asked for in the statement that writes, so nobody comes between; the record takes the new
//! version once the row has it, and the old one back when the transaction is rolled back.

use super::snapshot::Before;
use crate::attribute::value::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::record::Record;
use crate::sql::statements::Guard;

/// The version of a record's row, as a statement that writes it asks for it.
pub(super) struct Lock {
    pub(super) column: usize,
    was: Option<Value<'static>>,
    next: Value<'static>,
}

impl Lock {
    /// The version that the record read; one that was set, as from a form, stands before it. Nothing for a model
    /// without versions.
    pub(super) fn of(record: &Record) -> Result<Option<Self>> {
        let Some(column) = record.reflection().locking_position() else {
            return Ok(None);
        };
        let was = record.value(column).into_owned();
        let next = was.as_i64().unwrap_or_default().checked_add(1);
        let next = next.ok_or_else(|| {
            let message = format!(
                "{} was changed more often than its version can count",
                record.reflection().name()
            );
            Error::new(ErrorKind::RangeError, message).with_record(record.clone())
        })?;
        Ok(Some(Self {
            column,
            was: (!was.is_null()).then_some(was),
            next: Value::Int(next),
        }))
    }

    /// What the statement asks of the row.
    pub(super) fn guard(&self) -> Guard {
        match self.was {
            Some(_) => Guard::Equal(self.column),
            None => Guard::Null(self.column),
        }
    }

    /// The value that is bound after the key.
    pub(super) fn bind(&self) -> Option<Value<'static>> {
        self.was.clone()
    }

    /// The version that the row gets.
    pub(super) fn next(&self) -> Value<'static> {
        self.next.clone()
    }

    /// Tells the record its new version.
    pub(super) fn keep(&self, record: &Record, before: &mut Before) {
        before.generated(self.column);
        record.fill(self.column, &self.next);
    }
}

/// Follows in memory what a statement that counts the version did to the row.
pub(super) fn follow(record: &Record, before: &mut Before) -> Result<()> {
    if let Some(lock) = Lock::of(record)? {
        lock.keep(record, before);
    }
    Ok(())
}

/// Somebody else wrote the row.
pub(super) fn stale(record: &Record, verb: &str) -> Error {
    let message = format!(
        "Attempted to {verb} a stale object: {}.",
        record.reflection().name()
    );
    Error::new(ErrorKind::StaleObject, message).with_record(record.clone())
}
