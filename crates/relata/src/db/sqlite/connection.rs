//! One connection to SQLite, with the statements it keeps prepared.
//!
//! Invariants: used by one thread at a time (`&mut self`); prepared statements are dropped before the connection
//! closes; every failure is classified here.

#![allow(unsafe_code)]

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::OpenFlags;

use super::errors;
use super::statement::{Failure, Prepared, bind_limit, last_failure};
use crate::db::adapter::{Decode, Discard, Outcome, Statement};
use crate::error::{Error, ErrorKind, Result};

/// Statements that stay prepared.
const KEPT: usize = 256;

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
    // Before `connection`: statements must be finalised first.
    statements: Statements,
    budget: Arc<Budget>,
    connection: rusqlite::Connection,
}

#[derive(Default)]
struct Statements {
    kept: HashMap<Arc<str>, (Prepared, u64)>,
    clock: u64,
}

/// How long a statement may hold the thread.
#[derive(Debug, Default)]
struct Budget {
    limited: AtomicBool,
    until: std::sync::Mutex<Option<Instant>>,
}

impl Connection {
    pub(super) fn open(location: &Location, writes: bool) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = match location {
            Location::Memory => rusqlite::Connection::open_in_memory_with_flags(flags),
            Location::File(path) => rusqlite::Connection::open_with_flags(path, flags),
        };
        let mut connection = opened.map_err(|error| refused(&error))?;
        // Waiting is done by us, asynchronously: never inside SQLite on a thread of the runtime.
        connection.busy_timeout(Duration::ZERO).map_err(|error| refused(&error))?;
        let budget = Arc::new(Budget::default());
        let seen = Arc::clone(&budget);
        let over = move || {
            seen.limited.load(Ordering::Relaxed)
                && seen.until.lock().ok().and_then(|until| *until).is_some_and(|until| Instant::now() > until)
        };
        connection.progress_handler(STEPS, Some(over)).map_err(|error| refused(&error))?;
        let mut this = Self { statements: Statements::default(), budget, connection };
        this.configure(location, writes)?;
        Ok(this)
    }

    fn configure(&mut self, location: &Location, writes: bool) -> Result<()> {
        let mut settings = vec!["PRAGMA foreign_keys = ON", "PRAGMA synchronous = FULL", "PRAGMA cache_size = -16384"];
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
                    Stopped::Busy(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(2)),
                    Stopped::Busy(error) | Stopped::Failed(error) => return Err(error),
                    Stopped::OverBudget => return Err(Error::new(ErrorKind::QueryCanceled, "interrupted")),
                }
            }
        }
        Ok(())
    }

    /// Runs a statement without values and without a result.
    pub(super) fn command(&mut self, text: &str) -> Result<(), Stopped> {
        let connection = self.handle();
        // SAFETY: the connection is open and held exclusively, and the statement does not outlive this call.
        let run = unsafe { Prepared::new(connection, text) }.and_then(|mut prepared| prepared.run(&[], &mut Discard));
        run.map(|_| ()).map_err(|failure| self.stopped(failure))
    }

    /// Runs a statement. With a `budget`, it is interrupted when it takes longer.
    pub(super) fn run<D: Decode>(
        &mut self,
        statement: &Statement,
        decode: &mut D,
        budget: Option<Duration>,
    ) -> Result<(u64, Outcome), Stopped> {
        if let Some(budget) = budget {
            if let Ok(mut until) = self.budget.until.lock() {
                *until = Some(Instant::now() + budget);
            }
        }
        self.budget.limited.store(budget.is_some(), Ordering::Relaxed);
        let ran = self.prepared(statement).and_then(|(prepared, readonly)| {
            prepared.run(&statement.binds, decode).map(|rows| (rows, readonly))
        });
        self.budget.limited.store(false, Ordering::Relaxed);
        match ran {
            Ok((rows, true)) => Ok((rows, Outcome::default())),
            Ok((rows, false)) => {
                let outcome =
                    Outcome { affected: self.connection.changes(), generated: Some(self.connection.last_insert_rowid()) };
                Ok((rows, outcome))
            }
            Err(failure) => Err(self.stopped(failure)),
        }
    }

    fn prepared(&mut self, statement: &Statement) -> Result<(&mut Prepared, bool), Failure> {
        let connection = self.handle();
        let statements = &mut self.statements;
        statements.clock += 1;
        let clock = statements.clock;
        if !statements.kept.contains_key(&statement.text) {
            if statements.kept.len() >= KEPT {
                let oldest = statements.kept.iter().min_by_key(|(_, (_, used))| *used).map(|(text, _)| Arc::clone(text));
                if let Some(oldest) = oldest {
                    statements.kept.remove(&oldest);
                }
            }
            // SAFETY: the connection is open and held exclusively; it closes after its statements are dropped.
            let prepared = unsafe { Prepared::new(connection, &statement.text) }?;
            statements.kept.insert(Arc::clone(&statement.text), (prepared, clock));
        }
        match statements.kept.get_mut(&statement.text) {
            Some((prepared, used)) => {
                *used = clock;
                let readonly = prepared.readonly;
                Ok((prepared, readonly))
            }
            None => Err(Error::new(ErrorKind::StatementInvalid, "the statement was lost").into()),
        }
    }

    fn handle(&self) -> *mut rusqlite::ffi::sqlite3 {
        // SAFETY: the handle is used for calls on this connection while it is held exclusively, and never closed.
        unsafe { self.connection.handle() }
    }

    /// Whether no transaction is open, as SQLite sees it.
    pub(super) fn is_idle(&self) -> bool {
        self.connection.is_autocommit()
    }

    /// How many values a statement can have.
    pub(super) fn bind_limit(&self) -> usize {
        // SAFETY: the connection is open and held exclusively.
        unsafe { bind_limit(self.handle()) }
    }

    fn stopped(&self, failure: Failure) -> Stopped {
        match failure {
            Failure::Error(error) => Stopped::Failed(error),
            Failure::Code(code) => {
                // SAFETY: the connection is open and held exclusively.
                let (extended, message) = unsafe { last_failure(self.handle()) };
                let code = if extended.0 & 0xff == code.0 & 0xff { extended } else { code };
                if errors::is_interrupt(code) {
                    return Stopped::OverBudget;
                }
                let error = errors::error(code, &message);
                if errors::is_busy(code) { Stopped::Busy(error) } else { Stopped::Failed(error) }
            }
        }
    }
}

fn refused(error: &rusqlite::Error) -> Error {
    Error::new(ErrorKind::ConnectionNotEstablished, error.to_string())
}
