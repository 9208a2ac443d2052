//! The database: a cheap handle to connections, transactions, events and the clock.
//!
//! Invariants: the adapter behind it never sees a model or a record; only this room knows whether a transaction is
//! open; every statement goes through `Db::fetch` or `Db::execute`, and is an event.

pub mod adapter;
mod assertions;
mod clock;
mod events;
mod faults;
#[cfg(feature = "sqlite")]
mod queue;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(not(feature = "sqlite"))]
#[path = "db/absent.rs"]
mod sqlite;
mod transaction;

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use adapter::{Decode, Discard, Statement};
pub use adapter::{Outcome, Purpose};
use clock::Clock;
use events::Listeners;
pub use events::{Capture, Event};
pub use faults::Faults;
use sqlite::Sqlite;
pub(crate) use transaction::Participant;

use crate::error::{Error, ErrorKind, Result};
use crate::hashing::Hashing;
use crate::pending::{self, Pending};
use crate::sql::{Dialect, Raw};

/// A database. Cheap to clone; every clone is the same database.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    sqlite: Option<Arc<Sqlite>>,
    options: Options,
    listeners: Listeners,
    faults: Faults,
    clock: Clock,
    generations: RwLock<HashMap<&'static str, Arc<AtomicU64>, Hashing>>,
    /// Writes that may have touched any table.
    generation: AtomicU64,
}

/// How to connect.
#[derive(Debug, Clone)]
pub struct Options {
    deadline: Duration,
    log: bool,
    log_binds: bool,
}

impl Default for Options {
    fn default() -> Self {
        let log =
            std::env::var_os("RELATA_LOG").is_some_and(|value| value != "0" && !value.is_empty());
        Self {
            deadline: Duration::from_secs(5),
            log,
            log_binds: false,
        }
    }
}

impl Options {
    /// The usual ones: waits end after 5 seconds; statements are logged if the environment has `RELATA_LOG=1`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How long anything waits: for the writer, a connection, a nested transaction, another process's lock.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Whether every statement is printed to standard error.
    #[must_use]
    pub fn log(mut self, log: bool) -> Self {
        self.log = log;
        self
    }

    /// Whether events show the values of statements. They may be secrets: off by default.
    #[must_use]
    pub fn log_binds(mut self, show: bool) -> Self {
        self.log_binds = show;
        self
    }
}

/// What a database holds at the moment. For leak checks in tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// Leases of the writer: 0 when no transaction is open and no write runs.
    pub writers: usize,
}

impl Db {
    /// Connects: `sqlite::memory:`, `sqlite:path`, `sqlite://path`. A file is made if it is not there.
    ///
    /// Errors: `Configuration` for a URL of another form; `ConnectionNotEstablished`.
    #[track_caller]
    pub fn connect(url: &str) -> Pending<Self> {
        Self::connect_with(url, Options::default())
    }

    /// Connects with options.
    ///
    /// Errors: as [`connect`](Self::connect).
    #[track_caller]
    pub fn connect_with(url: &str, options: Options) -> Pending<Self> {
        let url = url.to_owned();
        Pending::new(async move {
            let Some(path) = url.strip_prefix("sqlite:") else {
                // The URL may hold a password.
                let scheme = url.split(':').next().unwrap_or_default();
                let message = format!(
                    "cannot connect to a `{scheme}` URL: write sqlite::memory: or sqlite:path"
                );
                return Err(Error::new(ErrorKind::Configuration, message));
            };
            let path = path.strip_prefix("//").unwrap_or(path).to_owned();
            let deadline = options.deadline;
            let opened = tokio::task::spawn_blocking(move || Sqlite::open(&path, deadline)).await;
            let db = Self::with(Some(opened.map_err(Error::other)??), options);
            if db.0.options.log {
                db.0.listeners
                    .keep(Arc::new(|event: &Event| eprintln!("{event}")));
            }
            Ok(db)
        })
    }

    fn with(sqlite: Option<Arc<Sqlite>>, options: Options) -> Self {
        Self(Arc::new(Inner {
            sqlite,
            options,
            listeners: Listeners::default(),
            faults: Faults::default(),
            clock: Clock::default(),
            generations: RwLock::default(),
            generation: AtomicU64::new(0),
        }))
    }

    /// No database: records can be made and set, everything that would ask gives `ConnectionNotEstablished`.
    #[must_use]
    pub fn detached() -> Self {
        Self::with(
            None,
            Options {
                deadline: Duration::from_secs(5),
                log: false,
                log_binds: false,
            },
        )
    }

    /// How this database writes SQL.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        Dialect::SQLITE
    }

    /// How many values one statement can have, as the library said at connecting.
    #[must_use]
    pub fn bind_limit(&self) -> usize {
        self.0
            .sqlite
            .as_ref()
            .map_or(999, |sqlite| sqlite.bind_limit())
    }

    fn sqlite(&self) -> Result<&Arc<Sqlite>> {
        self.0.sqlite.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::ConnectionNotEstablished,
                "this is a detached Db: it has no database to ask",
            )
        })
    }

    fn identity(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    fn deadline(&self) -> Duration {
        self.0.options.deadline
    }

    /// Runs a statement and gives its rows to `decode`.
    pub(crate) async fn fetch<D: Decode>(
        &self,
        statement: &Statement,
        decode: &mut D,
    ) -> Result<Outcome> {
        let begun = self.0.listeners.are_there().then(Instant::now);
        let ran = self.run(statement, decode).await;
        let ran = ran.map_err(|error| {
            let error = error.with_sql(Arc::clone(&statement.text));
            match statement.model {
                Some(model) if error.model().is_none() => error.with_model(model),
                _ => error,
            }
        });
        if let Some(begun) = begun {
            self.tell(statement, begun.elapsed(), &ran);
        }
        ran.map(|(_, outcome)| outcome)
    }

    async fn run<D: Decode>(
        &self,
        statement: &Statement,
        decode: &mut D,
    ) -> Result<(u64, Outcome)> {
        self.0.faults.before_statement().await?;
        match transaction::ambient(self) {
            Some((transaction, level)) => {
                self.sqlite()?.note_used();
                transaction.run(level, statement, decode).await
            }
            None => self.sqlite()?.run(statement, decode).await,
        }
    }

    fn tell(&self, statement: &Statement, time: Duration, ran: &Result<(u64, Outcome)>) {
        let (rows, outcome) = ran.as_ref().map(|done| *done).unwrap_or_default();
        self.0.listeners.tell(&Event {
            model: statement.model,
            purpose: statement.purpose,
            text: Arc::clone(&statement.text),
            binds: events::shown(&statement.binds, self.0.options.log_binds),
            rows,
            affected: outcome.affected,
            time,
            caller: pending::caller(),
            error: ran.as_ref().err().map(Error::kind),
        });
    }

    /// Runs a statement that gives no rows.
    pub(crate) async fn execute(&self, statement: &Statement) -> Result<Outcome> {
        self.fetch(statement, &mut Discard).await
    }

    /// Makes a command of the transaction room an event.
    fn note_command(&self, text: &str) -> Result<()> {
        if text != "ROLLBACK" && !text.starts_with("ROLLBACK TO") {
            self.0.faults.before_command()?;
        }
        if self.0.listeners.are_there() {
            self.tell(&command(text), Duration::ZERO, &Ok((0, Outcome::default())));
        }
        Ok(())
    }

    async fn observe_command(
        &self,
        text: &str,
        run: impl Future<Output = Result<()>>,
    ) -> Result<()> {
        self.0.faults.before_statement().await?;
        let begun = Instant::now();
        let ran = run.await;
        if self.0.listeners.are_there() {
            let told = ran
                .as_ref()
                .map(|()| (0, Outcome::default()))
                .map_err(Clone::clone);
            self.tell(&command(text), begun.elapsed(), &told);
        }
        ran
    }

    /// Runs `body` in a transaction: everything that is done on this database inside it is one. If the body gives an
    /// error, or its future is dropped, all of it is rolled back, and records are again what they were. Inside another
    /// transaction it is a savepoint. Rails: `transaction`.
    ///
    /// A spawned task is outside the transaction of the task that spawned it.
    ///
    /// ```
    /// # relata::run(async {
    /// let db = relata::Db::connect("sqlite::memory:").await?;
    /// let sum = db.transaction(async || Ok(1 + 1)).await?;
    /// assert_eq!(sum, 2);
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The body's error; what the database says at COMMIT.
    #[track_caller]
    pub fn transaction<T, F>(&self, body: F) -> impl Future<Output = Result<T>>
    where
        F: AsyncFnOnce() -> Result<T>,
    {
        pending::at(
            Location::caller(),
            transaction::transaction(self.clone(), body),
        )
    }

    /// Whether the running code is in a transaction of this database.
    #[must_use]
    pub fn in_transaction(&self) -> bool {
        transaction::ambient(self).is_some()
    }

    pub(crate) fn enlist(&self, participant: Arc<dyn Participant>) -> bool {
        transaction::enlist(self, participant)
    }

    /// Runs something once the outermost transaction is committed; at once if none is open. It is dropped with the
    /// savepoint that it was registered in. Rails: `after_commit`.
    pub async fn after_commit<F>(&self, hook: impl FnOnce() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        if let Some(now) = transaction::after_commit(self, Box::new(move || Box::pin(hook()))) {
            now().await;
        }
    }

    /// Runs SQL that the user wrote. A named door for raw SQL.
    #[track_caller]
    pub fn execute_sql(&self, sql: Raw) -> Pending<Outcome> {
        let db = self.clone();
        Pending::new(async move {
            let statement = Statement {
                text: Arc::from(sql.text()),
                binds: sql.binds().to_vec(),
                reuse: false,
                writes: true,
                purpose: Purpose::Raw,
                model: None,
            };
            let outcome = db.execute(&statement).await;
            // Whatever it was, it may have written any table.
            db.written_all();
            outcome
        })
    }

    /// Now, in microseconds since 1970-01-01 00:00:00 UTC, by the database handle's clock.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.0.clock.now()
    }

    /// Stops the clock at a time, in microseconds since 1970-01-01 00:00:00 UTC. For tests.
    pub fn stop_clock_at(&self, micros: i64) {
        self.0.clock.stop_at(micros);
    }

    /// How often a table was written through this database, as far as unread results may be out of date.
    pub(crate) fn generation(&self, table: &'static str) -> u64 {
        let general = self.0.generation.load(Ordering::Acquire);
        let of_table = self
            .0
            .generations
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(table)
            .map_or(0, |g| g.load(Ordering::Acquire));
        general + of_table
    }

    pub(crate) fn written(&self, table: &'static str) {
        if let Some(generation) = self
            .0
            .generations
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(table)
        {
            generation.fetch_add(1, Ordering::AcqRel);
            return;
        }
        let mut all = self
            .0
            .generations
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        all.entry(table).or_default().fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn written_all(&self) {
        self.0.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Records the statements that run from now on, until it is dropped. For tests.
    #[must_use]
    pub fn capture(&self) -> Capture {
        Capture::start(&self.0.listeners)
    }

    /// Calls a function for every statement, for the life of the database.
    pub fn subscribe(&self, subscriber: impl Fn(&Event) + Send + Sync + 'static) {
        self.0.listeners.keep(Arc::new(subscriber));
    }

    /// Plans faults. For tests.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// What the database holds at the moment. For leak checks in tests.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures {
            writers: self.0.sqlite.as_ref().map_or(0, |sqlite| sqlite.leased()),
        }
    }
}

impl PartialEq for Db {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db")
            .field("dialect", &self.dialect())
            .finish_non_exhaustive()
    }
}

fn command(text: &str) -> Statement {
    Statement {
        text: Arc::from(text),
        binds: Vec::new(),
        reuse: true,
        writes: true,
        purpose: transaction::PURPOSE,
        model: None,
    }
}
