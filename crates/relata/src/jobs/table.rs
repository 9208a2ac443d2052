//! A queue that is a table of the same database: a job is a row, written in the transaction that destroys the owner.
//!
//! A job that was taken is not due again before its lease ends. How often it was taken is what tells one taker from the
//! next: who was too slow cannot end what another has taken since. One that was taken as often as it may be, and that
//! nobody ended, ended its taker: it is given up when it would be taken again.
//!
//! Invariant: a row leaves the table only when its job is done.

use std::time::Duration;

use super::{Worker, read, read_one, written, written_one};
use crate::attribute::{AttributeType, Kind, Value};
use crate::db::Db;
use crate::error::{Error, ErrorKind, Result};
use crate::job::{DestroyJob, JobQueue};
use crate::pending::Pending;
use crate::record::Record;
use crate::reflection::{Column, ModelReflection};
use crate::relation::Relation;

const fn column(name: &'static str, kind: Kind, nullable: bool) -> Column {
    Column::new(name, AttributeType::plain(kind, nullable))
}

static COLUMNS: [Column; 10] = [
    column("id", Kind::Int, false),
    column("owner_model", Kind::Text, false),
    column("owner_key", Kind::Text, false),
    column("association", Kind::Text, false),
    column("target_model", Kind::Text, false),
    column("keys", Kind::Text, false),
    column("attempts", Kind::Int, false),
    // What every look at the table asks for.
    column("due_at", Kind::Timestamp, false).index(),
    column("dead_at", Kind::Timestamp, true),
    column("error", Kind::Text, true),
];

static JOBS: ModelReflection = ModelReflection::new("RelataJob", "relata_jobs")
    .with_columns(&COLUMNS)
    .with_primary_key(&[0])
    .with_doc("What `dependent = destroy_async` left for later.");

/// A durable queue in the table `relata_jobs` of the same database: the row of a job is written in the transaction that
/// destroys the owner, and goes with it if that is rolled back. A [`Worker`] does the jobs, in this process or another.
///
/// ```
/// # use relata::{Db, jobs::TableQueue, model};
/// #[model]
/// pub struct Shelf {
///     id: i64,
///     #[has_many(dependent = destroy_async)]
///     books: Book,
/// }
///
/// #[model]
/// pub struct Book {
///     id: i64,
///     shelf_id: i64,
/// }
///
/// # relata::run(async {
/// # let db = Db::connect("sqlite::memory:").await?;
/// db.create_tables([Shelf::reflection(), Book::reflection(), TableQueue::reflection()]).await?;
/// let queue = TableQueue::new();
/// db.set_job_queue(queue.clone());
/// let shelf = Shelf::create(&db, |s| s).await?;
/// shelf.books().create(|b| b).await?;
///
/// shelf.destroy().await?;
/// assert_eq!(Book::all(&db).count().await?, 1);
/// queue.worker(&db, [Shelf::reflection(), Book::reflection()]).run_due().await?;
/// assert_eq!(Book::all(&db).count().await?, 0);
/// # Ok(()) }).unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableQueue {
    batch_size: Option<usize>,
    pub(super) lease: Duration,
    pub(super) attempts: u32,
    pub(super) backoff: Duration,
}

impl Default for TableQueue {
    fn default() -> Self {
        Self {
            batch_size: None,
            lease: Duration::from_secs(300),
            attempts: 10,
            backoff: Duration::from_secs(5),
        }
    }
}

impl TableQueue {
    /// All targets of an association in one job; 10 attempts, the first again after 5 seconds and each later one after
    /// twice as long; a job that was taken is due again after 5 minutes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The table, for `create_tables`.
    #[must_use]
    pub fn reflection() -> &'static ModelReflection {
        &JOBS
    }

    /// How many targets one job has at most.
    #[must_use]
    pub fn batch_size(mut self, targets: usize) -> Self {
        self.batch_size = Some(targets.max(1));
        self
    }

    /// How long a job that was taken is nobody else's. It should be more than the longest job takes: one that takes
    /// longer may be done twice, which destroys nothing more.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// How often a job is tried before it is given up. A job that never ends, for it takes the process with it, is given up
    /// too, once its last lease is over.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// How long a job waits after the first attempt that failed; twice as long after each later one.
    #[must_use]
    pub fn backoff(mut self, wait: Duration) -> Self {
        self.backoff = wait;
        self
    }

    /// Who does the jobs of this database. `models` are those that jobs may name: owners and targets.
    pub fn worker(
        &self,
        db: &Db,
        models: impl IntoIterator<Item = &'static ModelReflection>,
    ) -> Worker {
        Worker::new(self.clone(), db, models.into_iter().collect())
    }

    /// The jobs that were given up, oldest first: records of the table, with `error` for why. Set `dead_at` to null and
    /// `attempts` to 0 to have one tried again.
    ///
    /// `SELECT "relata_jobs".* FROM "relata_jobs" WHERE "relata_jobs"."dead_at" IS NOT NULL ORDER BY "relata_jobs"."id"`
    ///
    /// Errors: `StatementInvalid` where the table of jobs was not made; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn dead(&self, db: &Db) -> Pending<Vec<Record>> {
        let dead = all(db).exclude_by("dead_at", Value::Null);
        Pending::new(async move { dead?.order_by("id")?.await })
    }
}

impl JobQueue for TableQueue {
    fn enqueue(&self, db: &Db, job: DestroyJob) -> Pending<()> {
        let db = db.clone();
        Pending::new(async move {
            let row = Record::new(&JOBS, &db);
            row.set("owner_model", job.owner_model().to_owned())?
                .set("owner_key", written_one(job.owner_key())?)?
                .set("association", job.association().to_owned())?
                .set("target_model", job.target_model().to_owned())?
                .set("keys", written(job.keys())?)?
                .set("attempts", 0)?
                .set("due_at", Value::Timestamp(db.now()))?;
            row.save().await
        })
    }

    fn batch_size(&self) -> Option<usize> {
        self.batch_size
    }
}

fn all(db: &Db) -> Relation<Record> {
    Relation::default_scoped(&JOBS, db)
}

/// A job that was taken.
pub(super) struct Taken {
    id: i64,
    attempts: i64,
    row: Record,
}

fn later(db: &Db, wait: Duration) -> Value<'static> {
    let micros = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
    Value::Timestamp(db.now().saturating_add(micros))
}

/// Takes the job that has been due for longest, if one is due.
pub(super) async fn take(db: &Db, queue: &TableQueue) -> Result<Option<Taken>> {
    loop {
        let due = all(db)
            .filter_by("dead_at", Value::Null)?
            .filter_op("due_at", "<=", Value::Timestamp(db.now()))?
            .order_by("due_at")?
            .order_by("id")?;
        let Some(row) = due.take().await? else {
            return Ok(None);
        };
        let (id, attempts) = (number(&row, "id")?, number(&row, "attempts")?);
        let mut taken = Taken { id, attempts, row };
        if taken.is_last(queue) {
            let message = format!(
                "whoever took the job for the last time has not ended it within {:?}: it took longer, or the process ended",
                queue.lease
            );
            let why = Error::new(ErrorKind::Other, message);
            taken.failed(db, queue, &why).await?;
            continue;
        }
        let values = [
            ("attempts", Value::Int(attempts + 1)),
            ("due_at", later(db, queue.lease)),
        ];
        let rows = taken.rows(db)?.update_all_by(&values).await?;
        if rows == 1 {
            taken.attempts += 1;
            return Ok(Some(taken));
        }
        // Somebody else was faster; there may be another.
    }
}

fn number(row: &Record, name: &str) -> Result<i64> {
    Ok(row.get(name)?.as_i64().unwrap_or_default())
}

impl Taken {
    /// The row, as long as nobody else took it.
    fn taken(&self, db: &Db) -> Result<Relation<Record>> {
        all(db)
            .filter_by("id", self.id)?
            .filter_by("attempts", self.attempts)
    }

    /// The same, as long as it was not given up.
    fn rows(&self, db: &Db) -> Result<Relation<Record>> {
        self.taken(db)?.filter_by("dead_at", Value::Null)
    }

    /// The job, of models among these.
    pub(super) fn job(&self, models: &[&'static ModelReflection]) -> Result<DestroyJob> {
        let text = |name: &str| -> Result<String> {
            Ok(self.row.get(name)?.as_str().unwrap_or_default().to_owned())
        };
        let (owner, target) = (text("owner_model")?, text("target_model")?);
        let unreadable = || {
            let message = format!("the keys of job {} cannot be read", self.id);
            Error::new(ErrorKind::InvalidValue, message)
        };
        let (owners, targets) = (
            super::named(models, &owner)?,
            super::named(models, &target)?,
        );
        let owner_key = read_one(&text("owner_key")?, owners.primary_key(), owners);
        let keys = read(&text("keys")?, targets.primary_key(), targets);
        Ok(DestroyJob::new(
            owner,
            owner_key.ok_or_else(unreadable)?,
            text("association")?,
            target,
            keys.ok_or_else(unreadable)?,
        ))
    }

    /// The job is done: its row goes, also where it was given up meanwhile.
    pub(super) async fn done(&self, db: &Db) -> Result<()> {
        self.taken(db)?.delete_all().await.map(drop)
    }

    /// Whether it was taken as often as it may be.
    fn is_last(&self, queue: &TableQueue) -> bool {
        self.attempts >= i64::from(queue.attempts)
    }

    /// The job failed: it is due again later, or given up.
    pub(super) async fn failed(&self, db: &Db, queue: &TableQueue, why: &Error) -> Result<()> {
        let attempts = u32::try_from(self.attempts).unwrap_or(u32::MAX);
        let doublings = attempts.saturating_sub(1).min(20);
        let wait = queue.backoff.saturating_mul(1 << doublings);
        let dead = self.is_last(queue);
        let now = Value::Timestamp(db.now());
        let values = [
            ("error", Value::from(why.to_string())),
            ("due_at", later(db, wait)),
            ("dead_at", if dead { now } else { Value::Null }),
        ];
        self.rows(db)?.update_all_by(&values).await.map(drop)
    }
}
