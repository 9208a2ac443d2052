//! The adapter contract: what a backend is asked for, and nothing about models.
//!
//! An adapter runs the text of one statement with its values and hands the rows, one at a time and
//! without an enum of owned values in between, to a [`Decode`]. A statement and its decoder travel together, as a
//! `Job`: an adapter may run it on another thread, and gives it back with the answer.
//!
//! Statements
//! - An adapter MUST bind every value; it never writes one into the text.
//! - It MUST give each row's cells by position and MUST call [`Decode::columns`] before the first row,
//!   again whenever the names or their order may have changed since (a schema that moved).
//! - It MUST call [`Decode::restart`] before rows are given once more.
//! - It MUST report a value it cannot store as `RangeError` before anything is sent.
//! - It MUST refuse, as `ReadOnlyDatabase`, a statement that writes and does not say so in [`Statement::writes`].
//! - It MUST report the rows a write changed, and the key that the database generated: as the library tells it, or
//!   from the row that an INSERT gives whose text asks for it (the dialect says which).
//! - It MUST classify its errors: unique, foreign key, not null, check, too long, range, serialization,
//!   deadlock, busy or lock timeout, cancelled, lost, read only, disk full. What is left is `StatementInvalid`.
//! - It SHOULD keep statements prepared when [`Statement::reuse`] says that the text returns.
//!
//! Connections
//! - A connection MUST belong to the adapter, never to a caller's future. When a future is dropped, its connection
//!   MUST come home by itself, and what the *database* says decides: one that is not idle is rolled back, one that
//!   cannot be cleaned is closed.
//! - A statement that takes long MUST NOT hold a thread of the runtime.
//! - A hesitant job outside a transaction MUST be turned away, with nothing sent, where it would have to wait.
//! - Waits MUST be first come, first served, end at the deadline, and be errors at once where they would be for
//!   oneself: `Turns` is all of that.
//! - A read that was given up SHOULD be stopped, and MUST NOT stop another caller's.
//!
//! Transactions
//! - An adapter MUST have savepoints.
//! - Statements of one session MUST run in the order they came in.
//! - A failure that ended the transaction MUST be an error for every statement after it, and for COMMIT.
//! - `Session::commit` MUST give `CommitOutcomeUnknown` when COMMIT may have been sent and no answer came, and any
//!   other error only when nothing was committed. The same holds for a write outside a transaction.
//! - `Session::undo` and `Session::end` MUST take effect before whatever is sent next, also when a statement is
//!   under way. Undoing a savepoint that was never made MUST do no harm.

use std::future::Future;
use std::num::NonZeroUsize;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::transaction::{Isolation, Terms};
use super::turns::Held;
use crate::attribute::value::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Dialect;

/// What a database can do. Savepoints it must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// How many values one statement can have.
    pub bind_limit: usize,
    /// Everything goes over one connection: readers wait for a transaction to end.
    pub one_connection: bool,
    /// The isolation levels that a transaction can ask for.
    pub isolation: &'static [Isolation],
}

/// What a database holds at the moment. For leak checks in tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// Connections that write: 0 when no transaction is open and no write runs.
    pub writers: usize,
    /// Connections that read: 0 when no read runs and no read-only transaction is open.
    pub readers: usize,
}

/// A statement and who receives its rows. It stays where it was made, unless it has to go to another thread: what it
/// consists of is moved there and back.
#[derive(Debug)]
pub(crate) struct Job<D> {
    pub(super) statement: Statement,
    /// `None` while it is elsewhere; for good if it was lost there.
    pub(super) decode: Option<D>,
    /// Outside a transaction it does not wait for a connection: who asks has something that the holder may wait for.
    pub(super) hesitant: bool,
}

impl<D> Job<D> {
    pub(crate) fn new(statement: Statement, decode: D) -> Self {
        Self {
            statement,
            decode: Some(decode),
            hesitant: false,
        }
    }

    /// The job, which is turned away where it would have to wait for a connection outside a transaction: see
    /// [`is_turned_away`].
    pub(crate) fn hesitant(self, hesitant: bool) -> Self {
        Self { hesitant, ..self }
    }

    /// The decoder, with the rows it was given.
    pub(crate) fn decoded(self) -> Result<D> {
        self.decode.ok_or_else(lost)
    }

    /// The decoder, where it stands.
    #[inline]
    pub(crate) fn decoder(&mut self) -> Result<&mut D> {
        self.decode.as_mut().ok_or_else(lost)
    }

    /// The statement's values.
    pub(crate) fn into_binds(self) -> Vec<Value<'static>> {
        self.statement.binds
    }

    /// Takes the job to another place. What stays tells what it was.
    pub(super) fn depart(&mut self) -> Self
    where
        D: Decode,
    {
        if let Some(decode) = &mut self.decode {
            decode.departs();
        }
        Self {
            statement: Statement {
                text: Arc::clone(&self.statement.text),
                binds: std::mem::take(&mut self.statement.binds),
                ..self.statement
            },
            decode: self.decode.take(),
            hesitant: self.hesitant,
        }
    }
}

/// Why a hesitant job was not run: nothing was sent.
#[derive(Debug)]
struct TurnedAway;

impl std::fmt::Display for TurnedAway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no connection is free, and the job does not wait for one")
    }
}

impl std::error::Error for TurnedAway {}

/// The error of a hesitant job that would have to wait.
#[cold]
pub(super) fn turned_away() -> Error {
    Error::new(ErrorKind::LockWaitTimeout, TurnedAway.to_string()).with_source(TurnedAway)
}

/// Whether a hesitant job was not run, for it would have had to wait.
#[cold]
pub(crate) fn is_turned_away(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<TurnedAway>)
}

/// The error of a job whose decoder was lost in a panic.
pub(super) fn lost() -> Error {
    Error::new(
        ErrorKind::ConnectionNotEstablished,
        "the connection is gone",
    )
}

/// How many rows a statement gave, and what it did.
pub(super) type Ran = (u64, Outcome);

/// A kind of database.
pub(super) trait Adapter: Sized + Send + Sync + 'static {
    /// A connection that a transaction holds.
    type Session: Session;

    /// What its URLs begin with.
    const SCHEME: &'static str;

    /// Connects to what stands after the scheme.
    fn open(address: &str, deadline: Duration) -> impl Future<Output = Result<Self>> + Send;

    /// How it writes SQL.
    fn dialect(&self) -> Dialect;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// The statement that begins a transaction on such terms. Its isolation is one of the capabilities.
    fn begin(&self, terms: Terms) -> &'static str;

    /// Runs a statement outside any transaction.
    fn run<D: Decode + 'static>(
        self: &Arc<Self>,
        job: &mut Job<D>,
    ) -> impl Future<Output = Result<Ran>> + Send;

    /// A connection for a transaction, when it is this caller's turn. Nothing is sent yet.
    fn session(
        self: &Arc<Self>,
        reads_only: bool,
    ) -> impl Future<Output = Result<Arc<Self::Session>>> + Send;

    /// What it holds.
    fn figures(&self) -> Figures;
}

/// A connection that a transaction holds. Dropped, it ends.
pub(super) trait Session: Send + Sync + 'static {
    /// Tells those who wait for this connection who holds it.
    fn note_holder(&self, held: &Arc<Held>);

    /// Runs a statement.
    fn run<D: Decode + 'static>(
        self: &Arc<Self>,
        job: &mut Job<D>,
    ) -> impl Future<Output = Result<Ran>> + Send;

    /// Runs BEGIN, SAVEPOINT, RELEASE: text without values.
    fn command(self: &Arc<Self>, text: &str) -> impl Future<Output = Result<()>> + Send;

    /// Commits. The connection is still to be given back.
    fn commit(self: &Arc<Self>) -> impl Future<Output = Result<()>> + Send;

    /// Rolls back to a savepoint and releases it: two commands, whose failures are not told.
    fn undo(&self, texts: [&str; 2]);

    /// Gives the connection back, rolled back if a transaction is open. Whether one was, as far as is known.
    fn end(&self) -> bool;

    /// Closes the connection, whatever it is doing: what a test can do to it.
    fn sever(&self) -> impl Future<Output = ()> + Send;
}

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

/// Names of a result's columns, shared between runs of one prepared statement.
pub type Names = Arc<Columns>;

/// The names, and what a decoder found out about them: they never change, so it need not look twice.
#[derive(Default)]
pub struct Columns {
    names: Box<[Box<str>]>,
    noted: AtomicUsize,
}

impl Columns {
    /// Whether this was the last to be noted.
    #[inline]
    pub(crate) fn is_noted(&self, finding: NonZeroUsize) -> bool {
        self.noted.load(Ordering::Relaxed) == finding.get()
    }

    /// Notes a number that stands for what was found out, for good.
    pub(crate) fn note(&self, finding: NonZeroUsize) {
        self.noted.store(finding.get(), Ordering::Relaxed);
    }
}

impl Deref for Columns {
    type Target = [Box<str>];

    fn deref(&self) -> &Self::Target {
        &self.names
    }
}

impl FromIterator<Box<str>> for Columns {
    fn from_iter<I: IntoIterator<Item = Box<str>>>(names: I) -> Self {
        Self {
            names: names.into_iter().collect(),
            noted: AtomicUsize::default(),
        }
    }
}

impl PartialEq for Columns {
    fn eq(&self, other: &Self) -> bool {
        self.names == other.names
    }
}

impl std::fmt::Debug for Columns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.names.fmt(f)
    }
}

/// Receives the rows of a result.
pub trait Decode: Send {
    /// The names of the columns, before the first row.
    fn columns(&mut self, names: &Names) -> Result<()>;

    /// The rows so far are void: the statement is run once more, from the start.
    fn restart(&mut self);

    /// One row. An error stops the statement.
    fn row<C: Cells>(&mut self, cells: &C) -> Result<()>;

    /// The statement leaves the caller's task. If this is dropped elsewhere, nobody was told what the statement did.
    fn departs(&mut self) {}
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

impl Statement {
    /// Whether it may write many rows, or wait for long.
    pub(super) fn is_long(&self) -> bool {
        self.writes && matches!(self.purpose, Purpose::Bulk | Purpose::Schema | Purpose::Raw)
    }
}

/// What a statement did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// Rows changed by a write.
    pub affected: u64,
    /// The key the database generated for the last inserted row, if it says so.
    pub generated: Option<i64>,
}
