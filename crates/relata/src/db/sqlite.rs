//! The SQLite adapter: connections to one database, many readers and one writer.
//!
//! Reads run on the task, under a budget; what takes longer is interrupted and run once more on the blocking pool.
//! Writers queue fairly. A file is in WAL mode; a database in memory has one connection, which is the writer's.
//!
//! Invariants: a connection is owned by this adapter, never by a caller's future: it is in a slot, in a lease whose
//! drop puts it back, or on the blocking pool in a closure that puts it back; one that is not idle when it comes back
//! is rolled back, and closed if that fails.

mod connection;
mod errors;
mod statement;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use connection::{Connection, Location, Stopped};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::adapter::{Cell, Cells, Decode, Names, Outcome, Statement};
use super::queue::{Queue, Turn};
use crate::error::{Error, ErrorKind, Result};

/// How long a read may hold a thread of the runtime.
const BUDGET: Duration = Duration::from_millis(1);

/// Connections that read a file.
const READERS: usize = 16;

/// How long to sleep before asking again for a lock that another process holds.
const PAUSE: Duration = Duration::from_millis(2);

/// Waits on a thread where waiting is allowed.
#[expect(
    clippy::disallowed_methods,
    reason = "only called on the blocking pool, never on a thread of the runtime"
)]
fn pause() {
    std::thread::sleep(PAUSE);
}

pub(super) struct Sqlite {
    location: Location,
    readers: Mutex<Vec<Connection>>,
    /// One permit a reader.
    free: Arc<Semaphore>,
    writer: Mutex<Option<Connection>>,
    queue: Arc<Queue>,
    bind_limit: usize,
    leased: AtomicUsize,
    deadline: Duration,
}

/// The writer's connection, for as long as it is this caller's turn.
pub(super) struct Writer {
    home: Arc<Sqlite>,
    connection: Option<Connection>,
    _turn: Turn,
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.home.take_back(connection, &self.home.writer);
        }
        self.home.leased.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Sqlite {
    /// Opens a database: `:memory:` or a path.
    pub(super) fn open(path: &str, deadline: Duration) -> Result<Arc<Self>> {
        let location = if path == ":memory:" {
            Location::Memory
        } else {
            Location::File(PathBuf::from(path))
        };
        let mut writer = Connection::open(&location, true)?;
        Ok(Arc::new(Self {
            bind_limit: writer.bind_limit(),
            readers: Mutex::default(),
            free: Arc::new(Semaphore::new(READERS)),
            writer: Mutex::new(Some(writer)),
            queue: Queue::new(),
            location,
            leased: AtomicUsize::new(0),
            deadline,
        }))
    }

    fn is_file(&self) -> bool {
        matches!(self.location, Location::File(_))
    }

    pub(super) fn bind_limit(&self) -> usize {
        self.bind_limit
    }

    /// Notes that a transaction holds the writer, for those who wait too long.
    pub(super) fn note_held(&self) {
        self.queue.held();
    }

    /// Notes that the transaction is doing something.
    pub(super) fn note_used(&self) {
        self.queue.used();
    }

    pub(super) fn leased(&self) -> usize {
        self.leased.load(Ordering::Acquire)
    }

    fn take_back(&self, mut connection: Connection, slot: &impl Slot) {
        // What SQLite says decides, not what we believe.
        if !connection.is_idle()
            && (connection.command("ROLLBACK").is_err() || !connection.is_idle())
        {
            return;
        }
        slot.put(connection);
    }

    /// The writer, when it is this caller's turn.
    pub(super) async fn writer(self: &Arc<Self>) -> Result<Writer> {
        let turn = self.queue.wait(self.deadline).await?;
        self.leased.fetch_add(1, Ordering::AcqRel);
        let mut writer = Writer {
            home: Arc::clone(self),
            connection: None,
            _turn: turn,
        };
        let kept = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        writer.connection = Some(match kept {
            Some(connection) => connection,
            // It was closed because it could not be cleaned.
            None if self.is_file() => Connection::open(&self.location, true)?,
            None => {
                let message =
                    "the connection of the database in memory is gone, and the database with it";
                return Err(Error::new(ErrorKind::ConnectionNotEstablished, message));
            }
        });
        Ok(writer)
    }

    /// Runs a statement outside any transaction.
    pub(super) async fn run<D: Decode>(
        self: &Arc<Self>,
        statement: &Statement,
        decode: &mut D,
    ) -> Result<(u64, Outcome)> {
        if !statement.writes && self.is_file() {
            return self.read(statement, decode).await;
        }
        let mut writer = self.writer().await?;
        if statement.writes && self.is_file() {
            return writer.run_aside(statement, decode).await;
        }
        writer.run(statement, decode).await
    }

    async fn read<D: Decode>(
        self: &Arc<Self>,
        statement: &Statement,
        decode: &mut D,
    ) -> Result<(u64, Outcome)> {
        let permit = match Arc::clone(&self.free).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => self.wait_for_reader().await?,
        };
        let kept = self
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let connection = match kept {
            Some(connection) => connection,
            None => Connection::open(&self.location, false)?,
        };
        let mut reader = Reader {
            home: Arc::clone(self),
            connection: Some(connection),
            permit: Some(permit),
        };
        let until = Instant::now() + self.deadline;
        loop {
            let Some(connection) = reader.connection.as_mut() else {
                return Err(lost());
            };
            match connection.run(statement, decode, Some(BUDGET)) {
                Ok(done) => return Ok(done),
                Err(Stopped::Failed(error)) => return Err(error),
                Err(Stopped::Busy(error)) if Instant::now() > until => return Err(error),
                Err(Stopped::Busy(_)) => {
                    decode.restart();
                    tokio::time::sleep(PAUSE).await;
                }
                Err(Stopped::OverBudget) => break,
            }
        }
        // It takes longer than a thread of the runtime may be held: once more, where waiting is allowed.
        decode.restart();
        let statement = statement.clone();
        let aside = tokio::task::spawn_blocking(move || {
            let mut rows = Buffer::default();
            let ran = match reader.connection.as_mut() {
                Some(connection) => connection
                    .run(&statement, &mut rows, None)
                    .map_err(Stopped::into_error),
                None => Err(lost()),
            };
            ran.map(|done| (done, rows))
        });
        let (done, rows) = aside.await.map_err(Error::other)??;
        rows.give(decode)?;
        Ok(done)
    }

    async fn wait_for_reader(&self) -> Result<OwnedSemaphorePermit> {
        match tokio::time::timeout(self.deadline, Arc::clone(&self.free).acquire_owned()).await {
            Ok(permit) => permit.map_err(Error::other),
            Err(_) => {
                let message = format!(
                    "none of {READERS} reading connections became free within {:?}",
                    self.deadline
                );
                Err(Error::new(ErrorKind::PoolExhausted, message))
            }
        }
    }
}

/// A reading connection, which goes back when this is dropped.
struct Reader {
    home: Arc<Sqlite>,
    connection: Option<Connection>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.home.take_back(connection, &self.home.readers);
        }
        // The connection is in its place before the next one is let in.
        self.permit.take();
    }
}

trait Slot {
    fn put(&self, connection: Connection);
}

impl Slot for Mutex<Vec<Connection>> {
    fn put(&self, connection: Connection) {
        self.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
    }
}

impl Slot for Mutex<Option<Connection>> {
    fn put(&self, connection: Connection) {
        *self.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
    }
}

impl Writer {
    /// Runs a statement on the task.
    pub(super) async fn run<D: Decode>(
        &mut self,
        statement: &Statement,
        decode: &mut D,
    ) -> Result<(u64, Outcome)> {
        let until = Instant::now() + self.home.deadline;
        loop {
            match self.try_run(statement, decode) {
                Err(Stopped::Busy(error)) if Instant::now() > until => return Err(error),
                Err(Stopped::Busy(_)) => {
                    decode.restart();
                    tokio::time::sleep(PAUSE).await;
                }
                other => return other.map_err(Stopped::into_error),
            }
        }
    }

    fn try_run<D: Decode>(
        &mut self,
        statement: &Statement,
        decode: &mut D,
    ) -> Result<(u64, Outcome), Stopped> {
        match self.connection.as_mut() {
            Some(connection) => connection.run(statement, decode, None),
            None => Err(Stopped::Failed(lost())),
        }
    }

    /// Runs a statement inside a transaction, now: nothing else holds the lock, so it cannot be busy.
    pub(super) fn run_now<D: Decode>(
        &mut self,
        statement: &Statement,
        decode: &mut D,
    ) -> Result<(u64, Outcome)> {
        self.try_run(statement, decode).map_err(Stopped::into_error)
    }

    /// Runs a statement that waits for the disk on the blocking pool. If the caller's future is dropped meanwhile, the
    /// statement still runs to its end, and the connection goes back by itself.
    async fn run_aside<D: Decode>(
        self,
        statement: &Statement,
        decode: &mut D,
    ) -> Result<(u64, Outcome)> {
        let mut writer = self;
        let statement = statement.clone();
        let until = Instant::now() + writer.home.deadline;
        let aside = tokio::task::spawn_blocking(move || {
            let mut rows = Buffer::default();
            loop {
                match writer.try_run(&statement, &mut rows) {
                    Ok(done) => return Ok((done, rows)),
                    Err(Stopped::Busy(_)) if Instant::now() < until => {
                        rows.restart();
                        pause();
                    }
                    Err(stopped) => return Err(stopped.into_error()),
                }
            }
        });
        let (done, rows) = aside.await.map_err(Error::other)??;
        rows.give(decode)?;
        Ok(done)
    }

    /// BEGIN, ROLLBACK, savepoints: text without values.
    pub(super) fn command(&mut self, text: &str) -> Result<()> {
        match self.connection.as_mut() {
            Some(connection) => connection.command(text).map_err(Stopped::into_error),
            None => Err(lost()),
        }
    }

    /// Begins a transaction that may write. Another process's lock is waited for without holding the thread.
    pub(super) async fn begin(&mut self) -> Result<()> {
        let until = Instant::now() + self.home.deadline;
        loop {
            let Some(connection) = self.connection.as_mut() else {
                return Err(lost());
            };
            match connection.command("BEGIN IMMEDIATE") {
                Ok(()) => return Ok(()),
                Err(Stopped::Busy(_)) if Instant::now() < until => tokio::time::sleep(PAUSE).await,
                Err(stopped) => return Err(stopped.into_error()),
            }
        }
    }

    /// Commits. Waits for the disk, so it is called on the blocking pool for a file.
    pub(super) fn commit(&mut self) -> Result<()> {
        let until = Instant::now() + self.home.deadline;
        loop {
            let Some(connection) = self.connection.as_mut() else {
                return Err(lost());
            };
            match connection.command("COMMIT") {
                Ok(()) => return Ok(()),
                // A reader of another process can stand in the way of a checkpoint.
                Err(Stopped::Busy(_)) if Instant::now() < until => pause(),
                Err(stopped) => return Err(stopped.into_error()),
            }
        }
    }

    pub(super) fn waits_for_disk(&self) -> bool {
        self.home.is_file()
    }

    /// Whether the transaction is still open, as SQLite sees it: some failures end it.
    pub(super) fn is_in_transaction(&self) -> bool {
        self.connection
            .as_ref()
            .is_some_and(|connection| !connection.is_idle())
    }
}

impl Stopped {
    fn into_error(self) -> Error {
        match self {
            Self::Busy(error) | Self::Failed(error) => error,
            Self::OverBudget => {
                Error::new(ErrorKind::QueryCanceled, "the statement was interrupted")
            }
        }
    }
}

fn lost() -> Error {
    Error::new(
        ErrorKind::ConnectionNotEstablished,
        "the connection is gone",
    )
}

/// Rows that were read on another thread, to be decoded on the task.
#[derive(Default)]
struct Buffer {
    names: Option<Names>,
    rows: Vec<Vec<Held>>,
}

enum Held {
    Null,
    Int(i64),
    Float(f64),
    Text(Box<[u8]>),
    Bytes(Box<[u8]>),
}

struct HeldRow<'a>(&'a [Held]);

impl Cells for HeldRow<'_> {
    fn cell(&self, index: usize) -> Cell<'_> {
        match self.0.get(index) {
            None | Some(Held::Null) => Cell::Null,
            Some(Held::Int(value)) => Cell::Int(*value),
            Some(Held::Float(value)) => Cell::Float(*value),
            Some(Held::Text(bytes)) => Cell::Text(bytes),
            Some(Held::Bytes(bytes)) => Cell::Bytes(bytes),
        }
    }
}

impl Decode for Buffer {
    fn columns(&mut self, names: &Names) -> Result<()> {
        self.names = Some(Arc::clone(names));
        Ok(())
    }

    fn restart(&mut self) {
        *self = Self::default();
    }

    fn row<C: Cells>(&mut self, cells: &C) -> Result<()> {
        let width = self.names.as_ref().map_or(0, |names| names.len());
        let held = |index| match cells.cell(index) {
            Cell::Int(value) => Held::Int(value),
            Cell::Float(value) => Held::Float(value),
            Cell::Text(bytes) => Held::Text(bytes.into()),
            Cell::Bytes(bytes) => Held::Bytes(bytes.into()),
            _ => Held::Null,
        };
        self.rows.push((0..width).map(held).collect());
        Ok(())
    }
}

impl Buffer {
    fn give<D: Decode>(self, decode: &mut D) -> Result<()> {
        let Some(names) = &self.names else {
            return Ok(());
        };
        decode.columns(names)?;
        self.rows
            .iter()
            .try_for_each(|row| decode.row(&HeldRow(row)))
    }
}
