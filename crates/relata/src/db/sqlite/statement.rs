//! Prepared statements of SQLite: prepare, bind, step, read. The only file that calls SQLite's C API.
//!
//! Cells are read through `sqlite3_column_value`: one call for the value, then calls on the value that take no lock,
//! where each `sqlite3_column_*` call would take the connection's.
//!
//! Invariants: a statement is finalised before its connection closes (the connection drops its cache first); it is
//! stepped only by the thread that holds the connection exclusively; after every run it is reset and holds no borrowed
//! values.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_int};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::ffi;

use super::kept::Kept;
use super::params::{Param, param};
use crate::attribute::value::Value;
use crate::db::adapter::{Cell, Cells, Columns, Decode, Discard, Job, Names, lost};
use crate::error::{Error, ErrorKind, Result, Spot};

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
    /// How many values it has.
    wanted: usize,
    /// Whether it is bound to bytes that are not its own.
    borrows: bool,
}

// SAFETY: SQLite is built thread safe, and a statement may be used from any thread as long as no two use its
// connection at once; `Prepared` lives in a connection, whose methods take `&mut self`.
unsafe impl Send for Prepared {}

impl Prepared {
    /// Prepares the statement that `text` is. A second one would be left out by SQLite without a word: it is an error.
    ///
    /// # Safety
    /// `connection` must be an open connection that nobody else uses during the call, and must stay open for as long
    /// as the result lives.
    unsafe fn new(connection: *mut ffi::sqlite3, text: &str) -> Result<Self, Failure> {
        // SAFETY: the caller vouches for the connection.
        let (first, rest) = unsafe { Self::first(connection, text) }?;
        let Some(prepared) = first else {
            return Err(Error::new(ErrorKind::StatementInvalid, "the statement is empty").into());
        };
        // After the end there may be white space and comments.
        // SAFETY: as above.
        if !rest.is_empty() && !matches!(unsafe { Self::first(connection, rest) }, Ok((None, _))) {
            let message = "the text holds more than one statement: run them one by one";
            return Err(Error::new(ErrorKind::StatementInvalid, message).into());
        }
        Ok(prepared)
    }

    /// The first statement of `text`, if there is one in it, and what comes after it.
    ///
    /// # Safety
    /// As for `new`.
    unsafe fn first(
        connection: *mut ffi::sqlite3,
        text: &str,
    ) -> Result<(Option<Self>, &str), Failure> {
        let length = c_int::try_from(text.len()).map_err(|_| {
            Error::new(
                ErrorKind::StatementInvalid,
                "the statement's text is longer than 2 GiB",
            )
        })?;
        let mut statement = std::ptr::null_mut();
        let mut end = std::ptr::null();
        // SAFETY: the caller vouches for the connection; text and length name initialised bytes that SQLite only
        // reads; `statement` and `end` are places for the results.
        let code = unsafe {
            ffi::sqlite3_prepare_v3(
                connection,
                text.as_ptr().cast(),
                length,
                ffi::SQLITE_PREPARE_PERSISTENT as std::ffi::c_uint,
                &raw mut statement,
                &raw mut end,
            )
        };
        if code != ffi::SQLITE_OK {
            return Err(Failure::Code(Code(code)));
        }
        // SQLite ends at an ASCII character, so the rest is text again.
        let rest = text
            .get(end.addr().saturating_sub(text.as_ptr().addr())..)
            .unwrap_or_default();
        let Some(statement) = NonNull::new(statement) else {
            return Ok((None, rest));
        };
        // SAFETY: the statement was just prepared.
        let readonly = unsafe { ffi::sqlite3_stmt_readonly(statement.as_ptr()) } != 0;
        // SAFETY: as above.
        let wanted = unsafe { ffi::sqlite3_bind_parameter_count(statement.as_ptr()) };
        let mut prepared = Self {
            statement,
            names: Names::default(),
            readonly,
            wanted: usize::try_from(wanted).unwrap_or_default(),
            borrows: false,
        };
        prepared.names = prepared.read_names();
        Ok((Some(prepared), rest))
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
            .collect::<Columns>()
            .into()
    }

    /// Runs the statement without values, to its end.
    fn run_alone(&mut self) -> Result<(), Failure> {
        let running = Running(self);
        let mut rows = 0;
        running.0.rows(&mut Discard, &mut rows, None).map(|_| ())
    }

    /// Steps and gives every row to `decode`, to the end or, once `over` is true, to a pause after a row. True when it
    /// has come to the end. `rows` counts on.
    fn rows<D: Decode>(
        &mut self,
        decode: &mut D,
        rows: &mut u64,
        over: Option<&AtomicBool>,
    ) -> Result<bool, Failure> {
        loop {
            // SAFETY: the statement is alive, and `&mut self` is the only use of it.
            match unsafe { ffi::sqlite3_step(self.statement.as_ptr()) } {
                ffi::SQLITE_ROW => {
                    if *rows == 0 {
                        self.announce(decode)?;
                    }
                    *rows += 1;
                    decode.row(&Row {
                        statement: self.statement,
                        columns: self.names.len(),
                    })?;
                    if over.is_some_and(|over| over.load(Ordering::Relaxed)) {
                        return Ok(false);
                    }
                }
                ffi::SQLITE_DONE => return Ok(true),
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
    #[inline]
    fn bind(&mut self, binds: &[Value<'static>]) -> Result<Vec<String>, Failure> {
        if self.wanted != binds.len() {
            let message = format!(
                "the statement has {} placeholders, and {} values were given",
                self.wanted,
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

    #[inline]
    fn bind_one(
        &mut self,
        index: c_int,
        value: &Value<'static>,
        made: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let statement = self.statement.as_ptr();
        let bind = usize::try_from(index).unwrap_or_default().saturating_sub(1);
        let code = match param(value).map_err(|error| error.at(Spot::Bind(bind)))? {
            // SAFETY: the statement is alive and is not being stepped; an index out of range is an error code.
            Param::Int(value) => unsafe { ffi::sqlite3_bind_int64(statement, index, value) },
            // SAFETY: as above.
            Param::Null => unsafe { ffi::sqlite3_bind_null(statement, index) },
            // SAFETY: as above.
            Param::Float(value) => unsafe { ffi::sqlite3_bind_double(statement, index, value) },
            Param::Text(text) => self.bind_text(index, text)?,
            Param::Bytes(bytes) => self.bind_bytes(index, bytes)?,
            Param::Made(text) => {
                let code = self.bind_text(index, &text)?;
                // The characters stay where they are when the string moves.
                made.push(text);
                code
            }
        };
        if code == ffi::SQLITE_OK {
            Ok(())
        } else {
            Err(Failure::Code(Code(code)))
        }
    }

    /// Binds text without a copy: private, for callers that keep it until the statement is reset.
    fn bind_text(&mut self, index: c_int, text: &str) -> Result<c_int, Failure> {
        let length = length(text.len())?;
        self.borrows = true;
        // SAFETY: the statement is alive. SQLITE_STATIC: SQLite reads the bytes while it steps; they belong to the
        // binds or to `made`, which `run`, or `Paused`, holds until after the reset, and which nobody changes meanwhile.
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
        self.borrows = true;
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
        // SAFETY: the statement is alive. The code repeats that of the last step, which was looked at.
        unsafe { ffi::sqlite3_reset(self.statement.as_ptr()) };
        if std::mem::take(&mut self.borrows) {
            // SAFETY: the statement is alive and not running.
            unsafe { ffi::sqlite3_clear_bindings(self.statement.as_ptr()) };
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

fn progress(rows: u64, readonly: bool) -> Progress {
    if readonly {
        Progress::Read(rows)
    } else {
        Progress::Wrote(rows)
    }
}

fn writes() -> Error {
    Error::new(
        ErrorKind::ReadOnlyDatabase,
        "the statement writes, and was to read only: `execute_sql` runs statements that write",
    )
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

/// The bytes of a value. Of text that SQLite found no memory for it gives null: such a row is given to nobody, for the
/// statement then fails with `SQLITE_NOMEM` at a step that follows, at the latest when it halts.
///
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

/// How far a statement came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// To its end, reading so many rows.
    Read(u64),
    /// To its end; it may have written, and gave so many rows.
    Wrote(u64),
    /// To a row, where it waits to be resumed.
    Paused,
}

/// A statement that stands at a row.
struct Paused {
    slot: usize,
    rows: u64,
    /// What it is bound to: the characters stay where they are when the vectors move.
    binds: Vec<Value<'static>>,
    _texts: Vec<String>,
}

/// A connection with the statements it keeps prepared: the safe face of this file.
pub(super) struct Session {
    // Before `paused`, whose values one may be bound to, and before `connection`: statements must be finalised first.
    kept: Kept<Prepared>,
    paused: Option<Paused>,
    connection: rusqlite::Connection,
}

impl Session {
    pub(super) fn new(connection: rusqlite::Connection) -> Self {
        Self {
            kept: Kept::new(),
            paused: None,
            connection,
        }
    }

    pub(super) fn connection(&self) -> &rusqlite::Connection {
        &self.connection
    }

    /// Runs a statement, prepared now or before. It pauses at a row once `over` is true.
    #[inline]
    pub(super) fn run<D: Decode>(
        &mut self,
        job: &mut Job<D>,
        over: Option<&AtomicBool>,
    ) -> Result<Progress, Failure> {
        self.settle();
        let decode = job.decode.as_mut().ok_or_else(lost)?;
        let (connection, text) = (&mut self.connection, &job.statement.text);
        let slot = self.kept.slot(text, job.statement.reuse, || {
            // SAFETY: the connection is open and borrowed exclusively; it closes after the statements in `kept`.
            unsafe { Prepared::new(connection.handle(), text) }
        })?;
        let prepared = self.kept.get_mut(slot).ok_or_else(lost)?;
        let readonly = prepared.readonly;
        if !readonly && !job.statement.writes {
            return Err(writes().into());
        }
        let texts = prepared.bind(&job.statement.binds)?;
        // Reset before the values it was bound to go out of scope, whatever happens.
        let running = Running(prepared);
        let mut rows = 0;
        if running.0.rows(decode, &mut rows, over)? {
            return Ok(progress(rows, readonly));
        }
        // It goes on later, and what it is bound to stays with it.
        std::mem::forget(running);
        self.paused = Some(Paused {
            slot,
            rows,
            binds: std::mem::take(&mut job.statement.binds),
            _texts: texts,
        });
        Ok(Progress::Paused)
    }

    /// Whether a statement stands at a row.
    pub(super) fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    /// Goes on, to the end, with the statement that was paused.
    pub(super) fn resume<D: Decode>(&mut self, job: &mut Job<D>) -> Result<Progress, Failure> {
        let decode = job.decode.as_mut().ok_or_else(lost)?;
        let Some(paused) = self.paused.as_mut() else {
            return Ok(Progress::Read(0));
        };
        let prepared = self.kept.get_mut(paused.slot).ok_or_else(lost)?;
        let went_on = prepared.rows(decode, &mut paused.rows, None);
        let (rows, readonly) = (paused.rows, prepared.readonly);
        job.statement.binds = self.settle();
        went_on.map(|_| progress(rows, readonly))
    }

    /// Ends a statement that was paused. Gives the values it was bound to.
    #[inline]
    pub(super) fn settle(&mut self) -> Vec<Value<'static>> {
        match self.paused {
            None => Vec::new(),
            Some(_) => self.end_paused(),
        }
    }

    #[cold]
    fn end_paused(&mut self) -> Vec<Value<'static>> {
        let Some(paused) = self.paused.take() else {
            return Vec::new();
        };
        if let Some(prepared) = self.kept.get_mut(paused.slot) {
            prepared.reset();
        }
        paused.binds
    }

    /// Runs a statement without values that is not worth keeping.
    pub(super) fn command(&mut self, text: &str) -> Result<(), Failure> {
        self.settle();
        // SAFETY: the connection is open and borrowed exclusively; the statement does not outlive this call.
        let mut prepared = unsafe { Prepared::new(self.connection.handle(), text) }?;
        prepared.run_alone()
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
