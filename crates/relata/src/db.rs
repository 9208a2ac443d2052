//! The database: a cheap handle to connections, transactions, events and the clock.
//!
//! Invariants: the adapter behind it never sees a model or a record; only this room knows whether a transaction is
//! open; every statement goes through `Db::fetch` or `Db::execute`, and is an event.

#[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
pub(crate) mod adapter;
mod assertions;
#[cfg_attr(not(feature = "sqlite"), allow(unused_imports, unused_macros))]
mod backend;
mod clock;
mod events;
#[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
mod faults;
mod hooks;
pub(crate) mod idle;
mod levels;
mod options;
#[cfg_attr(not(feature = "sqlite"), allow(unused_mut, unused_variables))]
mod pipeline;
#[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
mod queue;
pub(crate) mod rows;
mod runtime;
#[cfg(feature = "sqlite")]
mod sqlite;
mod stakes;
#[cfg(all(test, feature = "sqlite"))]
mod tests;
mod transaction;
#[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
mod turns;
mod writes;

/// The locks of the queue: a model checker puts its own in their place.
mod lock {
    pub(super) use std::sync::{Mutex, MutexGuard};
}

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use adapter::{Capabilities, Figures, Outcome, Purpose};
use adapter::{Decode, Discard, Job, Ran, Statement};
use backend::{Backend, Lease};
use clock::Clock;
use events::Listeners;
pub use events::{Capture, Event};
pub use faults::Faults;
use levels::Way;
pub use options::{Options, Violation};
use rows::Collected;
pub use rows::Row;
pub(crate) use stakes::{Handover, Participant};
pub use transaction::{Isolation, Transaction, UnlessRolledBack};
pub(crate) use writes::{Telling, Written};

use crate::deprecation::{DeprecatedAssociations, Said};
use crate::error::{Error, ErrorKind, Result};
use crate::job::{JobQueue, Queue};
use crate::messages::{Messages, Source};
use crate::pending::{self, Pending};
use crate::sql::{Dialect, Raw, Writer};
use crate::warning::{self, About};

/// A database. Cheap to clone; every clone is the same database.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    backend: Option<Backend>,
    /// Whether a connection of it pipelines: known from the start, for it is asked often.
    pipelines: bool,
    options: Options,
    listeners: Listeners,
    faults: Arc<Faults>,
    clock: Clock,
    writes: writes::Writes,
    messages: Source,
    jobs: Queue,
    deprecation: Said,
}

impl Db {
    /// Connects: `sqlite::memory:`, `sqlite:path`, `sqlite://path`. A file is made if it is not there.
    ///
    /// SQL: what sets a connection up: `PRAGMA journal_mode = WAL`, `PRAGMA foreign_keys = ON` and their like.
    ///
    /// It runs on tokio, whose timers must be on (`enable_time` or `enable_all` of a runtime's builder): a wait has a
    /// deadline, and tokio panics where one is asked for without them.
    ///
    /// Errors: `Configuration` for a URL of another form, and outside of tokio, also of what is done later;
    /// `ConnectionNotEstablished`.
    #[track_caller]
    pub fn connect(url: &str) -> Pending<Self> {
        Self::connect_with(url, Options::default())
    }

    /// Connects with options.
    ///
    /// SQL: as [`connect`](Self::connect).
    ///
    /// Errors: as [`connect`](Self::connect).
    #[track_caller]
    pub fn connect_with(url: &str, options: Options) -> Pending<Self> {
        let url = url.to_owned();
        Pending::new(async move {
            runtime::handle()?;
            let faults = Arc::new(Faults::default());
            let backend = Backend::open(&url, options.deadline, &faults).await?;
            let db = Self::with(Some(backend), options, faults);
            idle::watch(&db);
            if db.0.options.log {
                db.0.listeners
                    .keep(Arc::new(|event: &Event| eprintln!("{event}")));
            }
            Ok(db)
        })
    }

    fn with(backend: Option<Backend>, options: Options, faults: Arc<Faults>) -> Self {
        let pipelines = backend
            .as_ref()
            .is_some_and(|backend| backend.capabilities().pipelines);
        Self(Arc::new(Inner {
            backend,
            pipelines,
            options,
            listeners: Listeners::default(),
            faults,
            clock: Clock::default(),
            writes: writes::Writes::default(),
            messages: Source::default(),
            jobs: Queue::default(),
            deprecation: Said::default(),
        }))
    }

    /// No database: records can be made and set, everything that would ask gives `ConnectionNotEstablished`.
    #[must_use]
    pub fn detached() -> Self {
        let options = Options {
            deadline: Duration::from_secs(5),
            log: false,
            log_binds: false,
            strict: Violation::default(),
            token_key: None,
        };
        Self::with(None, options, Arc::default())
    }

    /// Tells of a lazy load that strict loading forbids, where that is no error. True when it was told.
    pub(crate) fn tells_violation(&self, message: &str) -> bool {
        if self.0.options.strict == Violation::Raise {
            return false;
        }
        warning::warn(About::StrictLoading, message);
        true
    }

    /// How this database writes SQL. A detached one writes as SQLite does.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        let backend = self.0.backend.as_ref();
        backend.map_or(Dialect::SQLITE, Backend::dialect)
    }

    /// What this database can do; nothing for a detached one.
    #[must_use]
    pub fn capabilities(&self) -> Option<Capabilities> {
        self.0.backend.as_ref().map(Backend::capabilities)
    }

    fn backend(&self) -> Result<&Backend> {
        self.0.backend.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::ConnectionNotEstablished,
                "this is a detached Db: it has no database to ask",
            )
        })
    }

    /// Which database it is among those that are open.
    #[inline]
    pub(crate) fn identity(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.0.options.deadline
    }

    /// Runs a statement and gives its rows to its decoder.
    pub(crate) async fn fetch<D: Decode + 'static>(&self, job: &mut Job<D>) -> Result<Outcome> {
        let begun = self.0.listeners.are_there().then(Instant::now);
        let ran = match levels::way(self) {
            None => self.backend()?.run(job).await,
            Some(Way::Level(level)) => level.run(self, job).await,
            Some(Way::Connection(connection)) => connection.run(job).await,
        };
        if begun.is_none()
            && let Ok((_, outcome)) = ran
        {
            return Ok(outcome);
        }
        self.told(&job.statement, begun, ran)
    }

    /// The writer, once it is this caller's turn, for one statement outside a transaction. Inside one, once no other level
    /// is open inside the caller's.
    pub(crate) async fn writer(&self) -> Result<Writing> {
        match levels::ambient(self) {
            None => Ok(Writing(Some(self.backend()?.session(false).await?))),
            Some(level) => {
                level.become_top(self).await?;
                Ok(Writing(None))
            }
        }
    }

    /// Whether what was waited for with [`writer`](Self::writer) is still the caller's.
    pub(crate) fn has_writer(&self, writer: &Writing) -> bool {
        writer.0.is_some() || levels::ambient(self).is_none_or(|level| level.is_top())
    }

    /// As [`fetch`](Self::fetch), with the writer that was waited for before.
    pub(crate) async fn fetch_with<D: Decode + 'static>(
        &self,
        writer: &Writing,
        job: &mut Job<D>,
    ) -> Result<Outcome> {
        let Some(lease) = &writer.0 else {
            return self.fetch(job).await;
        };
        let begun = self.0.listeners.are_there().then(Instant::now);
        let ran = lease.run(job).await;
        self.told(&job.statement, begun, ran)
    }

    /// Runs a statement that writes, and gives no rows.
    pub(crate) async fn execute(&self, statement: Statement, written: Written) -> Result<Outcome> {
        let decode = Telling::new(Discard, self, written);
        self.fetch(&mut Job::new(statement, decode)).await
    }

    /// The outcome of a statement that somebody listens to, or that failed.
    #[cold]
    fn told(
        &self,
        statement: &Statement,
        begun: Option<Instant>,
        ran: Result<Ran>,
    ) -> Result<Outcome> {
        if let Err(error) = &ran
            && adapter::is_turned_away(error)
        {
            // It comes again: nothing happened yet.
            return ran.map(|(_, outcome)| outcome);
        }
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

    fn tell(&self, statement: &Statement, time: Duration, ran: &Result<Ran>) {
        let (rows, outcome) = ran.as_ref().map(|done| *done).unwrap_or_default();
        self.0.listeners.tell(&Event {
            system: self.dialect().system(),
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

    /// Makes what a transaction sends, BEGIN and the like, an event.
    async fn observe(&self, text: &str, run: impl Future<Output = Result<()>>) -> Result<()> {
        let begun = self.0.listeners.are_there().then(Instant::now);
        let ran = run.await;
        if let Some(begun) = begun {
            let told = ran.clone().map(|()| (0, Outcome::default()));
            self.tell(&command(text), begun.elapsed(), &told);
        }
        ran
    }

    /// Makes what rolls back an event: it is sent where nothing can be awaited.
    fn note_undone(&self, text: &str) {
        if self.0.listeners.are_there() {
            self.tell(&command(text), Duration::ZERO, &Ok((0, Outcome::default())));
        }
    }

    /// Runs `body` in a transaction: everything that is done on this database inside it is one. If the body gives an
    /// error, or its future is dropped, all of it is rolled back, and records are again what they were. Inside another
    /// transaction it is a savepoint. Rails: `transaction`.
    ///
    /// SQL: `BEGIN IMMEDIATE`, then what `body` does, then `COMMIT` or `ROLLBACK`; inside another transaction
    /// `SAVEPOINT`, and `RELEASE` or `ROLLBACK TO`. Nothing is sent where the body asks nothing.
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
    /// The body's error; `CommitOutcomeUnknown` when the answer to COMMIT was lost, and the records in it are in doubt:
    /// they refuse to be saved until they are reloaded; `PostCommit` when the commit stands and a hook panicked;
    /// `LockWaitTimeout` when the writer was not to be had; what the database says.
    #[track_caller]
    pub fn transaction<T, F>(
        &self,
        body: F,
    ) -> Transaction<impl Future<Output = Result<T>> + use<T, F>>
    where
        F: AsyncFnOnce() -> Result<T>,
    {
        self.transaction_with(body)
    }

    /// A transaction whose body has an error of its own. Otherwise as [`transaction`](Self::transaction).
    ///
    /// ```
    /// # #[derive(Debug)]
    /// # enum Refused { Database(relata::Error), TooLate }
    /// # impl From<relata::Error> for Refused { fn from(error: relata::Error) -> Self { Self::Database(error) } }
    /// # relata::run(async {
    /// let db = relata::Db::connect("sqlite::memory:").await?;
    /// let refused = db.transaction_with(async || Err::<(), _>(Refused::TooLate)).await;
    /// assert!(matches!(refused, Err(Refused::TooLate)));
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The body's error; those of [`transaction`](Self::transaction), as `E`.
    #[track_caller]
    pub fn transaction_with<E, T, F>(
        &self,
        body: F,
    ) -> Transaction<impl Future<Output = Result<T, E>> + use<E, T, F>>
    where
        F: AsyncFnOnce() -> Result<T, E>,
        E: From<Error>,
    {
        Transaction::new(
            self.clone(),
            Location::caller(),
            async move { body().await },
        )
    }

    /// Runs `body` in a transaction that only reads: [`Transaction::read_only`].
    ///
    /// ```
    /// # relata::run(async {
    /// let db = relata::Db::connect("sqlite::memory:").await?;
    /// let refused = db
    ///     .read_only(async || db.execute_sql(relata::Raw::new("CREATE TABLE planets (id INTEGER)")).await)
    ///     .await;
    /// assert_eq!(refused.unwrap_err().kind(), relata::ErrorKind::ReadOnlyDatabase);
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As for [`transaction`](Self::transaction).
    #[track_caller]
    pub fn read_only<T, F>(
        &self,
        body: F,
    ) -> Transaction<impl Future<Output = Result<T>> + use<T, F>>
    where
        F: AsyncFnOnce() -> Result<T>,
    {
        self.transaction_with(body).read_only()
    }

    /// Whether the running code is in a transaction of this database.
    #[must_use]
    pub fn in_transaction(&self) -> bool {
        levels::ambient(self).is_some()
    }

    /// Has a participant told what becomes of the open transaction; it is made only if there is one.
    pub(crate) fn enlist(&self, participant: impl FnOnce() -> Arc<dyn Participant>) {
        levels::enlist(self, participant);
    }

    /// Runs SQL that the user wrote, which may write. A named door for raw SQL.
    ///
    /// Errors: what the database says.
    #[track_caller]
    pub fn execute_sql(&self, sql: Raw) -> Pending<Outcome> {
        let db = self.clone();
        Pending::new(async move {
            let statement = raw(&sql, true, db.dialect());
            db.execute(statement, Written::Any).await
        })
    }

    /// Reads by SQL that the user wrote: rows as values by name. A named door for raw SQL.
    ///
    /// ```
    /// # relata::run(async {
    /// let db = relata::Db::connect("sqlite::memory:").await?;
    /// let rows = db.fetch_sql(relata::Raw::new("SELECT 1 + 1 AS sum, 'x' AS letter")).await?;
    /// assert_eq!(rows[0].get("sum"), Some(&relata::Value::Int(2)));
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// Errors: `ReadOnlyDatabase` for a statement that writes; what the database says.
    #[track_caller]
    pub fn fetch_sql(&self, sql: Raw) -> Pending<Vec<Row>> {
        let db = self.clone();
        Pending::new(async move {
            let mut job = Job::new(raw(&sql, false, db.dialect()), Collected::default());
            db.fetch(&mut job).await?;
            Ok(job.decoded()?.rows)
        })
    }

    /// Now, in microseconds since 1970-01-01 00:00:00 UTC, by the database handle's clock.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.0.clock.now()
    }

    /// The key that tokens are signed with, if there is one.
    #[cfg(feature = "tokens")]
    pub(crate) fn token_key(&self) -> Option<&[u8]> {
        self.0
            .options
            .token_key
            .as_ref()
            .map(options::TokenKey::bytes)
    }

    /// Stops the clock at a time, in microseconds since 1970-01-01 00:00:00 UTC. For tests.
    pub fn stop_clock_at(&self, micros: i64) {
        self.0.clock.stop_at(micros);
    }

    /// Takes the texts of errors from another source than Rails' English. Never touches the database. Rails: `I18n`.
    pub fn set_messages(&self, messages: impl Messages + 'static) {
        self.0.messages.replace(messages);
    }

    /// Gives the jobs of `dependent = destroy_async` to this queue. Never touches the database.
    /// Rails: `destroy_association_async_job`.
    pub fn set_job_queue(&self, queue: impl JobQueue + 'static) {
        self.0.jobs.replace(queue);
    }

    /// What the use of a deprecated association comes to: it is told, unless this says otherwise. Never touches the
    /// database. Rails: `deprecated_associations_options`.
    pub fn set_deprecated_associations(&self, comes_to: DeprecatedAssociations) {
        self.0.deprecation.replace(comes_to);
    }

    pub(crate) fn deprecated_associations(&self) -> &Said {
        &self.0.deprecation
    }

    pub(crate) fn jobs(&self) -> &Queue {
        &self.0.jobs
    }

    pub(crate) fn messages(&self) -> &Source {
        &self.0.messages
    }

    /// How many writes there were through this database: asked before rows are read that may go unread for a while.
    #[inline]
    pub(crate) fn writes(&self) -> u64 {
        self.0.writes.count()
    }

    /// Whether a table was not written any more after so many writes.
    #[inline]
    pub(crate) fn is_unwritten_since(&self, writes: u64, table: &'static str) -> bool {
        self.writes() == writes || self.0.writes.last(table) <= writes
    }

    /// Notes that a write ended, in whatever way.
    pub(crate) fn note_written(&self, written: Written) {
        self.0.writes.note(written);
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
        let backend = self.0.backend.as_ref();
        backend.map(Backend::figures).unwrap_or_default()
    }
}

/// What is waited for before a record's turn, so that nobody waits for it with the turn: the writer of the database, which
/// goes back when this is dropped; in a transaction nothing but that no other level is open inside the caller's.
pub(crate) struct Writing(Option<Lease>);

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

fn raw(sql: &Raw, writes: bool, dialect: Dialect) -> Statement {
    let mut writer = Writer::new(dialect);
    writer.raw(sql);
    let (text, binds) = writer.finish();
    Statement {
        text: Arc::from(text),
        binds,
        reuse: false,
        writes,
        purpose: Purpose::Raw,
        model: None,
    }
}

fn command(text: &str) -> Statement {
    Statement {
        text: Arc::from(text),
        binds: Vec::new(),
        reuse: true,
        writes: true,
        purpose: Purpose::Transaction,
        model: None,
    }
}
