//! Prepared statements of SQLite: prepare, bind, step, read. The only file that calls SQLite's C API.
//!
//! Cells are read through `sqlite3_column_value`: one call for the value, then calls on the value that take no lock,
//! where each `sqlite3_column_*` call would take the connection's.
//!
//! Invariants: a statement is finalised before its connection closes (the connection drops its cache first); it is
//! stepped only by the thread that holds the connection exclusively; after every run it is reset and holds no values.

#![allow(unsafe_code)]

use std::collections::HashMap;
use std::ffi::{CStr, c_int};
use std::ptr::NonNull;
use std::sync::Arc;

use rusqlite::ffi;

use crate::attribute::value::Value;
use crate::attribute::{calendar, cast};
use crate::db::adapter::{Cell, Cells, Decode, Discard, Names};
use crate::error::{Error, ErrorKind, Result};
use crate::hashing::Hashing;

/// Statements that a connection keeps prepared.
const KEPT: usize = 256;

/// A result code of SQLite, extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(pub(super) c_int);

/// What running a statement can come to.
#[derive(Debug)]
pub(super) enum Failure {
    /// SQLite refused.
    Code(Code),
    /// The decoder, or a value, refused.
    Error(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// A prepared statement.
struct Prepared {
    statement: NonNull<ffi::sqlite3_stmt>,
    names: Names,
    readonly: bool,
}

// SAFETY: SQLite is built thread safe, and a statement may be used from any thread as long as no two use its
// connection at once; `Prepared` lives in a connection, whose methods take `&mut self`.
unsafe impl Send for Prepared {}

impl Prepared {
    /// Prepares the first statement of `text`.
    ///
    /// # Safety
    /// `connection` must be an open connection that nobody else uses during the call, and must stay open for as long
    /// as the result lives.
    unsafe fn new(connection: *mut ffi::sqlite3, text: &str) -> Result<Self, Failure> {
        let length = c_int::try_from(text.len()).map_err(|_| {
            Error::new(
                ErrorKind::StatementInvalid,
                "the statement's text is longer than 2 GiB",
            )
        })?;
        let mut statement = std::ptr::null_mut();
        // SAFETY: the caller vouches for the connection; text and length name initialised bytes that SQLite only
        // reads; `statement` is a place for the result.
        let code = unsafe {
            ffi::sqlite3_prepare_v3(
                connection,
                text.as_ptr().cast(),
                length,
                ffi::SQLITE_PREPARE_PERSISTENT as std::ffi::c_uint,
                &raw mut statement,
                std::ptr::null_mut(),
            )
        };
        if code != ffi::SQLITE_OK {
            return Err(Failure::Code(Code(code)));
        }
        let Some(statement) = NonNull::new(statement) else {
            return Err(Error::new(ErrorKind::StatementInvalid, "the statement is empty").into());
        };
        // SAFETY: the statement was just prepared.
        let readonly = unsafe { ffi::sqlite3_stmt_readonly(statement.as_ptr()) } != 0;
        let mut prepared = Self {
            statement,
            names: Arc::from([]),
            readonly,
        };
        prepared.names = prepared.read_names();
        Ok(prepared)
    }

    fn column_count(&self) -> c_int {
        // SAFETY: the statement is alive.
        unsafe { ffi::sqlite3_column_count(self.statement.as_ptr()) }
    }

    fn read_names(&self) -> Names {
        (0..self.column_count())
            .map(|column| {
                // SAFETY: the statement is alive and has that column.
                let name = unsafe { ffi::sqlite3_column_name(self.statement.as_ptr(), column) };
                if name.is_null() {
                    return Box::from("");
                }
                // SAFETY: SQLite gives a string that ends in NUL and stays until the statement is prepared again,
                // which cannot happen before it is copied here.
                unsafe { CStr::from_ptr(name) }.to_string_lossy().into()
            })
            .collect()
    }

    /// Runs the statement: binds, steps to the end, gives every row to `decode`, resets.
    fn run<D: Decode>(&mut self, binds: &[Value<'static>], decode: &mut D) -> Result<u64, Failure> {
        let texts = self.bind(binds)?;
        // Reset before the values it was bound to go out of scope, whatever happens.
        let running = Running(self);
        let rows = running.0.rows(decode);
        drop(running);
        drop(texts);
        rows
    }

    fn rows<D: Decode>(&mut self, decode: &mut D) -> Result<u64, Failure> {
        let mut rows = 0;
        loop {
            // SAFETY: the statement is alive, and `&mut self` is the only use of it.
            match unsafe { ffi::sqlite3_step(self.statement.as_ptr()) } {
                ffi::SQLITE_ROW => {
                    if rows == 0 {
                        self.announce(decode)?;
                    }
                    rows += 1;
                    decode.row(&Row {
                        statement: self.statement,
                        columns: self.names.len(),
                    })?;
                }
                ffi::SQLITE_DONE => return Ok(rows),
                code => return Err(Failure::Code(Code(code))),
            }
        }
    }

    /// Tells the decoder the columns. The first step may have prepared the statement again because the schema moved:
    /// then there are new names.
    fn announce<D: Decode>(&mut self, decode: &mut D) -> Result<(), Failure> {
        // SAFETY: the statement is alive; the counter is reset to 0 by the last argument.
        let prepared_again = unsafe {
            ffi::sqlite3_stmt_status(self.statement.as_ptr(), ffi::SQLITE_STMTSTATUS_REPREPARE, 1)
        };
        if prepared_again != 0
            || self.names.len() != usize::try_from(self.column_count()).unwrap_or_default()
        {
            self.names = self.read_names();
        }
        decode.columns(&self.names)?;
        Ok(())
    }

    /// Binds the values. The result holds texts that were made for it: it must outlive the run.
    fn bind(&mut self, binds: &[Value<'static>]) -> Result<Vec<String>, Failure> {
        // SAFETY: the statement is alive.
        let wanted = unsafe { ffi::sqlite3_bind_parameter_count(self.statement.as_ptr()) };
        if usize::try_from(wanted).ok() != Some(binds.len()) {
            let message = format!(
                "the statement has {wanted} placeholders, and {} values were given",
                binds.len()
            );
            return Err(Error::new(ErrorKind::Argument, message).into());
        }
        let mut made = Vec::new();
        for (position, value) in binds.iter().enumerate() {
            let index = c_int::try_from(position + 1).unwrap_or(c_int::MAX);
            if let Err(failure) = self.bind_one(index, value, &mut made) {
                self.reset();
                return Err(failure);
            }
        }
        Ok(made)
    }

    fn bind_one(
        &mut self,
        index: c_int,
        value: &Value<'static>,
        made: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let statement = self.statement.as_ptr();
        // SAFETY: the statement is alive and is not being stepped; an index out of range is an error code.
        let integer = |value: i64| unsafe { ffi::sqlite3_bind_int64(statement, index, value) };
        let code = match value {
            // SAFETY: as for `integer`.
            Value::Null => unsafe { ffi::sqlite3_bind_null(statement, index) },
            Value::Bool(value) => integer(i64::from(*value)),
            Value::Int(value) => integer(*value),
            Value::Uint(value) => {
                let value = i64::try_from(*value).map_err(|_| {
                    Error::new(
                        ErrorKind::RangeError,
                        format!(
                            "{value} does not fit SQLite's integers, which end at {}",
                            i64::MAX
                        ),
                    )
                })?;
                integer(value)
            }
            Value::Float(value) if value.is_nan() => {
                return Err(Error::new(
                    ErrorKind::RangeError,
                    "SQLite cannot hold NaN: it would store NULL",
                )
                .into());
            }
            // SAFETY: as for `integer`.
            Value::Float(value) => unsafe { ffi::sqlite3_bind_double(statement, index, *value) },
            Value::Text(text) | Value::Json(text) => self.bind_text(index, text)?,
            Value::Decimal(text) => {
                if significant_digits(text) > 15 {
                    let message = format!(
                        "{text} has more than the 15 significant digits that SQLite's decimals keep"
                    );
                    return Err(Error::new(ErrorKind::RangeError, message).into());
                }
                self.bind_text(index, text)?
            }
            Value::Bytes(bytes) => self.bind_bytes(index, bytes)?,
            Value::Timestamp(micros) | Value::DateTime(micros) => {
                self.bind_made(index, calendar::format_timestamp(*micros), made)?
            }
            Value::Date(days) => self.bind_made(index, calendar::format_date(*days), made)?,
            Value::Time(micros) => self.bind_made(index, calendar::format_time(*micros), made)?,
            Value::Uuid(uuid) => self.bind_made(index, cast::format_uuid(*uuid), made)?,
        };
        if code == ffi::SQLITE_OK {
            Ok(())
        } else {
            Err(Failure::Code(Code(code)))
        }
    }

    fn bind_made(
        &mut self,
        index: c_int,
        text: String,
        made: &mut Vec<String>,
    ) -> Result<c_int, Failure> {
        let code = self.bind_text(index, &text)?;
        // The characters stay where they are when the string moves.
        made.push(text);
        Ok(code)
    }

    /// Binds text without a copy: private, for callers that keep it until the statement is reset.
    fn bind_text(&mut self, index: c_int, text: &str) -> Result<c_int, Failure> {
        let length = length(text.len())?;
        // SAFETY: the statement is alive. SQLITE_STATIC: SQLite reads the bytes while it steps; they belong to the
        // binds or to `made`, which `run` holds until after the reset, and which nobody changes meanwhile.
        Ok(unsafe {
            ffi::sqlite3_bind_text(
                self.statement.as_ptr(),
                index,
                text.as_ptr().cast(),
                length,
                ffi::SQLITE_STATIC(),
            )
        })
    }

    fn bind_bytes(&mut self, index: c_int, bytes: &[u8]) -> Result<c_int, Failure> {
        let length = length(bytes.len())?;
        if bytes.is_empty() {
            // SAFETY: the statement is alive. An empty slice's address may be refused as NULL.
            return Ok(unsafe { ffi::sqlite3_bind_zeroblob(self.statement.as_ptr(), index, 0) });
        }
        // SAFETY: as for `bind_text`.
        Ok(unsafe {
            ffi::sqlite3_bind_blob(
                self.statement.as_ptr(),
                index,
                bytes.as_ptr().cast(),
                length,
                ffi::SQLITE_STATIC(),
            )
        })
    }

    fn reset(&mut self) {
        // SAFETY: the statement is alive; both calls leave it without values and not running. Their code repeats that
        // of the last step, which was looked at.
        unsafe {
            ffi::sqlite3_reset(self.statement.as_ptr());
            ffi::sqlite3_clear_bindings(self.statement.as_ptr());
        }
    }
}

fn length(length: usize) -> Result<c_int, Failure> {
    c_int::try_from(length).map_err(|_| {
        Error::new(
            ErrorKind::ValueTooLong,
            "a value of more than 2 GiB cannot be sent to SQLite",
        )
        .into()
    })
}

fn significant_digits(decimal: &str) -> usize {
    let digits = decimal.bytes().filter(u8::is_ascii_digit);
    let trimmed: Vec<u8> = digits.skip_while(|&digit| digit == b'0').collect();
    let zeros = trimmed
        .iter()
        .rev()
        .take_while(|&&digit| digit == b'0')
        .count();
    trimmed.len() - zeros
}

/// A statement with values, that is reset when this goes.
struct Running<'a>(&'a mut Prepared);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.reset();
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // SAFETY: the statement is alive, nobody else uses it, and its connection is open (see the invariant above).
        unsafe { ffi::sqlite3_finalize(self.statement.as_ptr()) };
    }
}

/// The row a statement stands at.
struct Row {
    statement: NonNull<ffi::sqlite3_stmt>,
    columns: usize,
}

impl Cells for Row {
    #[inline]
    fn cell(&self, index: usize) -> Cell<'_> {
        if index >= self.columns {
            return Cell::Null;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_possible_wrap,
            reason = "below the column count, a c_int"
        )]
        let column = index as c_int;
        // SAFETY: the statement stands at a row that has this column, and is neither stepped nor reset while the row is
        // borrowed (`rows` gives it out for one call). The value is "unprotected": its accessors must not run beside
        // another use of the connection, and the connection is held exclusively.
        unsafe {
            let value = ffi::sqlite3_column_value(self.statement.as_ptr(), column);
            match ffi::sqlite3_value_type(value) {
                ffi::SQLITE_TEXT => {
                    let text = ffi::sqlite3_value_text(value);
                    Cell::Text(slice(text, ffi::sqlite3_value_bytes(value)))
                }
                ffi::SQLITE_INTEGER => Cell::Int(ffi::sqlite3_value_int64(value)),
                ffi::SQLITE_FLOAT => Cell::Float(ffi::sqlite3_value_double(value)),
                ffi::SQLITE_BLOB => {
                    let bytes = ffi::sqlite3_value_blob(value);
                    Cell::Bytes(slice(bytes.cast(), ffi::sqlite3_value_bytes(value)))
                }
                _ => Cell::Null,
            }
        }
    }
}

/// # Safety
/// `start` must be null, or the address of `length` bytes that live and do not change for `'a`.
#[inline]
unsafe fn slice<'a>(start: *const u8, length: c_int) -> &'a [u8] {
    match usize::try_from(length) {
        // SAFETY: what the caller promises.
        Ok(length) if !start.is_null() => unsafe { std::slice::from_raw_parts(start, length) },
        _ => &[],
    }
}

/// A connection with the statements it keeps prepared: the safe face of this file.
pub(super) struct Session {
    // Before `connection`: statements must be finalised first.
    kept: HashMap<Arc<str>, (Prepared, u64), Hashing>,
    runs: u64,
    connection: rusqlite::Connection,
}

impl Session {
    pub(super) fn new(connection: rusqlite::Connection) -> Self {
        Self {
            kept: HashMap::default(),
            runs: 0,
            connection,
        }
    }

    pub(super) fn connection(&self) -> &rusqlite::Connection {
        &self.connection
    }

    /// Runs a statement, prepared now or before; how many rows it gave, and whether it only read.
    pub(super) fn run<D: Decode>(
        &mut self,
        text: &Arc<str>,
        binds: &[Value<'static>],
        decode: &mut D,
    ) -> Result<(u64, bool), Failure> {
        self.runs += 1;
        if let Some((prepared, used)) = self.kept.get_mut(text) {
            *used = self.runs;
            return Ok((prepared.run(binds, decode)?, prepared.readonly));
        }
        if self.kept.len() >= KEPT {
            let oldest = self
                .kept
                .iter()
                .min_by_key(|(_, (_, used))| *used)
                .map(|(text, _)| Arc::clone(text));
            if let Some(oldest) = oldest {
                self.kept.remove(&oldest);
            }
        }
        // SAFETY: the connection is open and borrowed exclusively; it closes after the statements in `kept`.
        let prepared = unsafe { Prepared::new(self.connection.handle(), text) }?;
        let (prepared, _) = self
            .kept
            .entry(Arc::clone(text))
            .or_insert((prepared, self.runs));
        Ok((prepared.run(binds, decode)?, prepared.readonly))
    }

    /// Runs a statement without values that is not worth keeping.
    pub(super) fn command(&mut self, text: &str) -> Result<(), Failure> {
        // SAFETY: the connection is open and borrowed exclusively; the statement does not outlive this call.
        let mut prepared = unsafe { Prepared::new(self.connection.handle(), text) }?;
        prepared.run(&[], &mut Discard).map(|_| ())
    }

    /// The extended code and the message of the last failure.
    pub(super) fn last_failure(&mut self) -> (Code, String) {
        // SAFETY: the connection is open and borrowed exclusively; the message is copied before anything else is
        // called on it.
        unsafe {
            let connection = self.connection.handle();
            let code = ffi::sqlite3_extended_errcode(connection);
            let message = ffi::sqlite3_errmsg(connection);
            let message = if message.is_null() {
                String::new()
            } else {
                CStr::from_ptr(message).to_string_lossy().into_owned()
            };
            (Code(code), message)
        }
    }

    /// How many values a statement can have.
    pub(super) fn bind_limit(&mut self) -> usize {
        // SAFETY: the connection is open and borrowed exclusively; -1 asks without changing.
        let limit = unsafe {
            ffi::sqlite3_limit(
                self.connection.handle(),
                ffi::SQLITE_LIMIT_VARIABLE_NUMBER,
                -1,
            )
        };
        usize::try_from(limit).unwrap_or_default()
    }
}
