//! One connection to SQLite: its settings, and how long a statement may hold the thread.
//!
//! Invariants: used by one thread at a time (`&mut self`); every failure is classified here.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::OpenFlags;

use super::aside::pause;
use super::errors;
use super::statement::{Failure, Progress, Session};
use crate::db::adapter::{Decode, Job, Outcome, Ran};
use crate::error::{Error, ErrorKind, Result};

/// Steps of SQLite's machine between two looks at the clock.
const STEPS: i32 = 1_000;

/// Where a database is.
#[derive(Debug, Clone)]
pub(super) enum Location {
    Memory,
    File(PathBuf),
}

/// How a run ended that did not give its rows.
#[derive(Debug)]
pub(super) enum Stopped {
    /// Another process holds the lock.
    Busy(Error),
    /// The budget was used up, and the statement stands at a row: it goes on from there.
    Paused,
    /// The budget was used up, or the caller gave up: the statement would have to start again.
    Interrupted,
    Failed(Error),
}

impl Stopped {
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Busy(error) | Self::Failed(error) => error,
            Self::Paused | Self::Interrupted => {
                Error::new(ErrorKind::QueryCanceled, "the statement was interrupted")
            }
        }
    }
}

pub(super) struct Connection {
    session: Session,
    budget: Arc<Budget>,
    /// Whether somebody can give up the statement.
    heeds: bool,
}

/// How long a statement may hold the thread. The clock is looked at only once a statement has run for a while.
#[derive(Debug)]
struct Budget {
    /// Microseconds; 0 for no limit.
    limit: AtomicU64,
    /// When the statement was first looked at, in microseconds since `epoch`; 0 before.
    begun: AtomicU64,
    /// The statement is to stop at the next row.
    over: AtomicBool,
    /// True once the caller gave up.
    given_up: Mutex<Option<Arc<AtomicBool>>>,
    epoch: Instant,
}

impl Budget {
    fn begin(&self, micros: u64) {
        self.limit.store(micros, Ordering::Relaxed);
        self.begun.store(0, Ordering::Relaxed);
        self.over.store(false, Ordering::Relaxed);
    }

    fn given_up(&self) -> MutexGuard<'_, Option<Arc<AtomicBool>>> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the statement is to be interrupted where it is. One that is over its budget is first given the time to
    /// come to a row.
    fn is_used_up(&self) -> bool {
        if let Some(given_up) = self.given_up().as_ref() {
            return given_up.load(Ordering::Relaxed);
        }
        let limit = self.limit.load(Ordering::Relaxed);
        if limit == 0 {
            return false;
        }
        let now = u64::try_from(self.epoch.elapsed().as_micros())
            .unwrap_or(u64::MAX)
            .max(1);
        match self.begun.load(Ordering::Relaxed) {
            0 => {
                self.begun.store(now, Ordering::Relaxed);
                false
            }
            begun => now - begun > limit && self.over.swap(true, Ordering::Relaxed),
        }
    }
}

impl Connection {
    pub(super) fn open(location: &Location, writes: bool) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = match location {
            Location::Memory => rusqlite::Connection::open_in_memory_with_flags(flags),
            Location::File(path) => rusqlite::Connection::open_with_flags(path, flags),
        };
        // Newer versions within our range take `&mut self` for the progress handler, older ones do not.
        #[allow(unused_mut)]
        let mut connection = opened.map_err(|error| refused(&error))?;
        // Waiting is done by us, asynchronously: never inside SQLite on a thread of the runtime.
        connection
            .busy_timeout(Duration::ZERO)
            .map_err(|error| refused(&error))?;
        let budget = Arc::new(Budget {
            limit: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            over: AtomicBool::new(false),
            given_up: Mutex::new(None),
            epoch: Instant::now(),
        });
        let seen = Arc::clone(&budget);
        let over = move || seen.is_used_up();
        connection
            .progress_handler(STEPS, Some(over))
            .map_err(|error| refused(&error))?;
        let mut this = Self {
            session: Session::new(connection),
            budget,
            heeds: false,
        };
        this.configure(location, writes)?;
        Ok(this)
    }

    fn configure(&mut self, location: &Location, writes: bool) -> Result<()> {
        let mut settings = vec![
            "PRAGMA foreign_keys = ON",
            "PRAGMA synchronous = FULL",
            "PRAGMA cache_size = -16384",
        ];
        if matches!(location, Location::File(_)) {
            if writes {
                settings.push("PRAGMA journal_mode = WAL");
            } else {
                settings.push("PRAGMA query_only = ON");
            }
            settings.push("PRAGMA mmap_size = 268435456");
        }
        for setting in settings {
            // Another process may be opening the same file.
            let until = Instant::now() + Duration::from_secs(5);
            while let Err(stopped) = self.command(setting) {
                match stopped {
                    Stopped::Busy(_) if Instant::now() < until => pause(),
                    stopped => return Err(stopped.into_error()),
                }
            }
        }
        Ok(())
    }

    /// Runs a statement without values and without a result.
    pub(super) fn command(&mut self, text: &str) -> Result<(), Stopped> {
        self.session
            .command(text)
            .map_err(|failure| self.stopped(failure))
    }

    /// Runs a statement. With a `budget`, it is paused or interrupted when it takes longer.
    #[inline]
    pub(super) fn run<D: Decode>(
        &mut self,
        job: &mut Job<D>,
        budget: Option<Duration>,
    ) -> Result<Ran, Stopped> {
        let micros = budget.map_or(0, |budget| {
            u64::try_from(budget.as_micros()).unwrap_or(u64::MAX)
        });
        self.budget.begin(micros);
        let over = budget.is_some().then_some(&self.budget.over);
        let ran = self.session.run(job, over);
        self.outcome(ran)
    }

    /// Whether a statement stands at a row and waits to go on.
    pub(super) fn is_paused(&self) -> bool {
        self.session.is_paused()
    }

    /// Goes on with the statement that was paused.
    pub(super) fn resume<D: Decode>(&mut self, job: &mut Job<D>) -> Result<Ran, Stopped> {
        self.budget.begin(0);
        let ran = self.session.resume(job);
        self.outcome(ran)
    }

    #[inline]
    fn outcome(&mut self, ran: Result<Progress, Failure>) -> Result<Ran, Stopped> {
        match ran {
            Ok(Progress::Paused) => Err(Stopped::Paused),
            Ok(Progress::Read(rows)) => Ok((rows, Outcome::default())),
            Ok(Progress::Wrote(rows)) => {
                let connection = self.session.connection();
                let outcome = Outcome {
                    affected: connection.changes(),
                    generated: Some(connection.last_insert_rowid()),
                };
                Ok((rows, outcome))
            }
            Err(failure) => Err(self.stopped(failure)),
        }
    }

    /// From now on, statements stop when this is true, until the connection is settled.
    pub(super) fn heed(&mut self, given_up: Option<Arc<AtomicBool>>) {
        self.heeds = given_up.is_some();
        *self.budget.given_up() = given_up;
    }

    /// Ends what a statement left behind that did not come to its end: a row it stands at, and who can give it up.
    #[inline]
    pub(super) fn settle(&mut self) {
        if self.heeds {
            self.heed(None);
        }
        self.session.settle();
    }

    /// Leaves nothing of those who used it: no row, no transaction. False if that fails.
    #[inline]
    pub(super) fn clean(&mut self) -> bool {
        self.settle();
        self.is_idle() || (self.command("ROLLBACK").is_ok() && self.is_idle())
    }

    /// Whether no transaction is open, as SQLite sees it.
    pub(super) fn is_idle(&self) -> bool {
        self.session.connection().is_autocommit()
    }

    /// How many values a statement can have.
    pub(super) fn bind_limit(&mut self) -> usize {
        self.session.bind_limit()
    }

    fn stopped(&mut self, failure: Failure) -> Stopped {
        match failure {
            Failure::Error(error) => Stopped::Failed(error),
            Failure::Code(code) => {
                let (extended, message) = self.session.last_failure();
                let code = if extended.0 & 0xff == code.0 & 0xff {
                    extended
                } else {
                    code
                };
                if errors::is_interrupt(code) {
                    return Stopped::Interrupted;
                }
                let error = errors::error(code, &message);
                if errors::is_busy(code) {
                    Stopped::Busy(error)
                } else {
                    Stopped::Failed(error)
                }
            }
        }
    }
}

fn refused(error: &rusqlite::Error) -> Error {
    Error::new(ErrorKind::ConnectionNotEstablished, error.to_string())
}
