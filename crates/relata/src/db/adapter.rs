//! The adapter contract: what a backend is asked for, and nothing about models.
//!
//! An adapter runs the text of one statement with its values and hands the rows, one at a time and
//! without an enum of owned values in between, to a [`Decode`].
//!
//! - An adapter MUST bind every value; it never writes one into the text.
//! - It MUST give each row's cells by position and MUST call [`Decode::columns`] before the first row,
//!   again whenever the names or their order may have changed since (a schema that moved).
//! - It MUST report a value it cannot store as `RangeError` before anything is sent.
//! - It MUST classify its errors: unique, foreign key, not null, check, too long, range, serialization,
//!   deadlock, busy or lock timeout, cancelled, lost, read only, disk full. What is left is `StatementInvalid`.
//! - It MUST leave the connection usable, or report it as lost, when a [`Decode`] fails or a future is dropped.
//! - It SHOULD keep statements prepared when [`Statement::reuse`] says that the text returns.

use std::sync::Arc;

use crate::attribute::value::Value;
use crate::error::Result;

/// One cell as the backend holds it, borrowed for as long as the row is current.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// NULL.
    Null,
    /// A truth value (backends that have the type).
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer above `i64::MAX` (backends that have the type).
    Uint(u64),
    /// Floating point.
    Float(f64),
    /// Text as bytes: the decoder checks that it is UTF-8.
    Text(&'a [u8]),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Microseconds since 1970-01-01 00:00:00 (instants and zoneless times).
    Micros(i64),
    /// Days since 1970-01-01.
    Days(i32),
    /// 128 bits.
    Uuid(u128),
}

/// The current row of a result.
pub trait Cells {
    /// The cell at position `index`, counted from 0; `Null` past the end.
    fn cell(&self, index: usize) -> Cell<'_>;
}

/// Names of a result's columns, shared between runs of one prepared statement, so that a decoder can
/// recognise by pointer that its plan still fits.
pub type Names = Arc<[Box<str>]>;

/// Receives the rows of a result.
pub trait Decode: Send {
    /// The names of the columns, before the first row.
    fn columns(&mut self, names: &Names) -> Result<()>;

    /// The rows so far are void: the statement is run once more, from the start.
    fn restart(&mut self);

    /// One row. An error stops the statement.
    fn row<C: Cells>(&mut self, cells: &C) -> Result<()>;
}

/// Receives nothing: for statements without a result.
#[derive(Debug)]
pub struct Discard;

impl Decode for Discard {
    fn restart(&mut self) {}

    fn columns(&mut self, _names: &Names) -> Result<()> {
        Ok(())
    }

    fn row<C: Cells>(&mut self, _cells: &C) -> Result<()> {
        Ok(())
    }
}

/// What a statement is for: the verb of its log line, as Rails prints it (`Post Load`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// Reading records of a relation, or an association lazily.
    Load,
    /// Reading an association for many owners at once.
    Preload,
    /// `exists`, `is_empty`, `any`.
    Exists,
    /// `count`, `sum`, `average`, `minimum`, `maximum`.
    Calculate,
    /// `pluck`, `pick`, `ids`, projections.
    Pluck,
    /// INSERT of a record.
    Create,
    /// UPDATE of a record.
    Update,
    /// DELETE of a record.
    Destroy,
    /// Set-wise writes.
    Bulk,
    /// `explain`.
    Explain,
    /// Creating tables, and reading what tables there are.
    Schema,
    /// BEGIN, COMMIT, ROLLBACK, savepoints.
    Transaction,
    /// SQL the user wrote.
    Raw,
}

/// One statement, ready to run: text with placeholders, and the values for them.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The SQL text, with the dialect's placeholders.
    pub text: Arc<str>,
    /// The values, in the order of the placeholders.
    pub binds: Vec<Value<'static>>,
    /// Whether the same text will come again, so that keeping it prepared pays.
    pub reuse: bool,
    /// Whether the statement writes; a write takes the writer.
    pub writes: bool,
    /// What it is for.
    pub purpose: Purpose,
    /// The model it is for.
    pub model: Option<&'static str>,
}

/// What a statement did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Rows changed by a write.
    pub affected: u64,
    /// The key the database generated for the last inserted row, if it says so.
    pub generated: Option<i64>,
}
