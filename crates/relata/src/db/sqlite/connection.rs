//! One connection to SQLite: its settings, and how long a statement may hold the thread.
//!
//! Invariants: used by one thread at a time (`&mut self`); every failure is classified here.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::OpenFlags;

use super::errors;
use super::statement::{Failure, Session};
use crate::db::adapter::{Decode, Outcome, Statement};
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
    /// The budget was used up.
    OverBudget,
    Failed(Error),
}

pub(super) struct Connection {
    session: Session,
    budget: Arc<Budget>,
}

/// How long a statement may hold the thread. The clock is looked at only once a statement has run for a while.
#[derive(Debug)]
struct Budget {
    /// Microseconds; 0 for no limit.
    limit: AtomicU64,
    /// When the statement was first looked at, in microseconds since `epoch`; 0 before.
    begun: AtomicU64,
    epoch: Instant,
}

impl Budget {
    fn begin(&self, micros: u64) {
        self.limit.store(micros, Ordering::Relaxed);
        self.begun.store(0, Ordering::Relaxed);
    }

    fn is_used_up(&self) -> bool {
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
            begun => now - begun > limit,
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
                    Stopped::Busy(_) if Instant::now() < until => super::pause(),
                    Stopped::Busy(error) | Stopped::Failed(error) => return Err(error),
                    Stopped::OverBudget => {
                        return Err(Error::new(ErrorKind::QueryCanceled, "interrupted"));
                    }
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

    /// Runs a statement. With a `budget`, it is interrupted when it takes longer.
    pub(super) fn run<D: Decode>(
        &mut self,
        statement: &Statement,
        decode: &mut D,
        budget: Option<Duration>,
    ) -> Result<(u64, Outcome), Stopped> {
        let micros = budget.map_or(0, |budget| {
            u64::try_from(budget.as_micros()).unwrap_or(u64::MAX)
        });
        self.budget.begin(micros);
        let ran = self.session.run(&statement.text, &statement.binds, decode);
        self.budget.begin(0);
        match ran {
            Ok((rows, true)) => Ok((rows, Outcome::default())),
            Ok((rows, false)) => {
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
                    return Stopped::OverBudget;
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
