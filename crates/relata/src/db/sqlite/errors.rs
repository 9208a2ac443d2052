//! From SQLite's result codes to error classes: a table.
//!
//! Invariant: the message of SQLite is kept, and names no value.

use rusqlite::ffi;

use super::statement::Code;
use crate::error::{Error, ErrorKind};

const CLASSES: &[(i32, ErrorKind)] = &[
    (ffi::SQLITE_CONSTRAINT_UNIQUE, ErrorKind::RecordNotUnique),
    (
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY,
        ErrorKind::RecordNotUnique,
    ),
    (ffi::SQLITE_CONSTRAINT_ROWID, ErrorKind::RecordNotUnique),
    (
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY,
        ErrorKind::InvalidForeignKey,
    ),
    (ffi::SQLITE_CONSTRAINT_NOTNULL, ErrorKind::NotNullViolation),
    (ffi::SQLITE_CONSTRAINT_CHECK, ErrorKind::CheckViolation),
    (ffi::SQLITE_BUSY_SNAPSHOT, ErrorKind::SerializationFailure),
    (ffi::SQLITE_BUSY, ErrorKind::LockWaitTimeout),
    (ffi::SQLITE_LOCKED, ErrorKind::LockWaitTimeout),
    (ffi::SQLITE_INTERRUPT, ErrorKind::QueryCanceled),
    (ffi::SQLITE_FULL, ErrorKind::DiskFull),
    (ffi::SQLITE_READONLY, ErrorKind::ReadOnlyDatabase),
    (ffi::SQLITE_CANTOPEN, ErrorKind::ConnectionNotEstablished),
    (ffi::SQLITE_NOTADB, ErrorKind::ConnectionNotEstablished),
    (ffi::SQLITE_TOOBIG, ErrorKind::ValueTooLong),
    (ffi::SQLITE_MISMATCH, ErrorKind::InvalidValue),
];

/// The error that a code is. The extended code decides, then the plain one.
pub(super) fn error(Code(code): Code, message: &str) -> Error {
    let class = |wanted: i32| {
        CLASSES
            .iter()
            .find(|(code, _)| *code == wanted)
            .map(|(_, kind)| *kind)
    };
    let kind = class(code)
        .or_else(|| class(code & 0xff))
        .unwrap_or(ErrorKind::StatementInvalid);
    let error = Error::new(kind, message);
    match column(message) {
        Some(column) => error.with_attribute(column),
        None => error,
    }
}

/// The first column of "UNIQUE constraint failed: posts.slug, posts.lang".
fn column(message: &str) -> Option<&str> {
    let (_, names) = message.split_once("constraint failed: ")?;
    let (_, column) = names.split(',').next()?.trim().rsplit_once('.')?;
    Some(column)
}

pub(super) fn is_busy(Code(code): Code) -> bool {
    matches!(code & 0xff, ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED)
        && code != ffi::SQLITE_BUSY_SNAPSHOT
}

pub(super) fn is_interrupt(Code(code): Code) -> bool {
    code & 0xff == ffi::SQLITE_INTERRUPT
}
