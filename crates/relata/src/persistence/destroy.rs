//! Destroying a record, and reading its row again.
//!
//! Invariant: a record counts as destroyed only after its DELETE, and lives again if that is rolled back.

use std::panic::Location;

use super::errors::{key_of, unknown_key};
use super::frame::Task;
use super::locking::{self, Lock};
use super::pipeline::{self, Verb};
use super::save::SaveOptions;
use super::snapshot::Before;
use super::turn::{Turn, in_turn};
use super::witness;
use super::write::refuse_readonly;
use crate::attribute::value::Value;
use crate::db::adapter::{Purpose, Statement};
use crate::error::{Error, ErrorKind, Result};
use crate::loading;
use crate::pending::{self, Pending};
use crate::record::{Life, Record};
use crate::reflection::AssociationReflection;
use crate::relation::{Relation, scoping};
use crate::sql::statements::{self, Guard};

impl Record {
    /// Deletes the row. A new record has none: it only counts as destroyed. Rails: `destroy!`.
    ///
    /// `DELETE FROM "posts" WHERE "posts"."id" = ?`
    ///
    /// Errors: `ReadOnlyRecord`; `StaleObject` where the model has a lock version and the row is not there with it; what
    /// the database says.
    #[track_caller]
    pub fn destroy(&self) -> Pending<()> {
        let record = self.clone();
        Pending::new(async move { destroy(&record).await })
    }

    /// Deletes the row, and asks nobody: what `destroy` does for the records that depend on this one is left out.
    /// Rails: `delete`.
    ///
    /// `DELETE FROM "posts" WHERE "posts"."id" = ?`
    ///
    /// Errors: `StaleObject` where the model has a lock version and the row is not there with it; what the database says.
    #[track_caller]
    pub fn delete(&self) -> Pending<()> {
        let record = self.clone();
        Pending::new(async move { delete_in_turn(&record, false).await.map(drop) })
    }

    /// Reads the row again, into this object: what was set and not saved is lost, associations are forgotten.
    /// Rails: `reload`.
    ///
    /// Errors: `RecordNotFound` when the row is gone.
    #[track_caller]
    pub fn reload(&self) -> Pending<()> {
        let record = self.clone();
        Pending::new(async move {
            has_row(&record, "reload")?;
            let rows = rows_of(&record).await?;
            let turn = Turn::of(&record).await?;
            let read = reload(&record, rows.as_ref()).await;
            if turn.over(read)?.is_some() {
                return Ok(());
            }
            // The connection first, as every transaction has it, then the turn.
            let db = record.db().clone();
            db.read_only(async || {
                let _turn = Turn::of(&record).await?;
                reload(&record, rows.as_ref()).await
            })
            .await
        })
    }

    /// Reads the row again and locks it until the transaction ends: nobody else can write it. Outside a transaction it
    /// is only read. Rails: `lock!`.
    ///
    /// `SELECT "posts".* FROM "posts" WHERE "posts"."id" = ? LIMIT 1 FOR UPDATE`, where the database locks rows.
    ///
    /// Errors: `RecordNotSaved` when something was set and not saved; `RecordNotFound` when the row is gone.
    #[track_caller]
    pub fn lock(&self) -> Pending<()> {
        let record = self.clone();
        Pending::new(async move { lock(&record).await })
    }

    /// Runs `body` in a transaction in which the row is locked and freshly read. Rails: `with_lock`.
    ///
    /// # Errors
    /// As [`lock`](Self::lock); the body's error, which rolls back.
    #[track_caller]
    pub fn with_lock<T, F>(&self, body: F) -> impl Future<Output = Result<T>>
    where
        F: AsyncFnOnce() -> Result<T>,
    {
        let (record, db) = (self.clone(), self.db().clone());
        pending::at(Location::caller(), async move {
            db.transaction(async || {
                lock(&record).await?;
                body().await
            })
            .await
        })
    }
}

fn owned_key(record: &Record) -> Vec<Value<'static>> {
    let key = record.saved_key();
    key.into_iter().map(Value::into_owned).collect()
}

/// Refuses to look for the row of a record that has no key.
fn has_row(record: &Record, verb: &str) -> Result<()> {
    let key = record.saved_key();
    if !key.is_empty() && !key.iter().any(Value::is_null) {
        return Ok(());
    }
    if record.reflection().primary_key().is_empty() {
        return Err(unknown_key(record));
    }
    let what = format!(
        " without an ID: the record has no row that {verb} could read, for it was never saved. Save it first"
    );
    let error = loading::find_typed_error(record.reflection(), &what);
    Err(error.with_record(record.clone()))
}

fn take(record: &Record, fresh: Option<Record>) -> Result<()> {
    match fresh {
        Some(fresh) => record.take_row(&fresh),
        None => {
            let what = format!(" with {}", key_of(record));
            let error = loading::find_typed_error(record.reflection(), &what);
            Err(error.with_record(record.clone()))
        }
    }
}

/// The rows that a record may be read from, where that is not its key alone. The lists that they ask for first are asked
/// for here, where nobody has the turn yet.
async fn rows_of(record: &Record) -> Result<Option<Relation>> {
    let (model, db) = (record.reflection(), record.db());
    match scoping::all_queries(model, db) {
        Some(rows) => Box::pin(loading::settled_rows(rows)).await.map(Some),
        None if model.has_query_constraints() => Ok(Some(Relation::unscoped(model, db))),
        None => Ok(None),
    }
}

/// Reads the row of a record whose turn the caller has, among these rows where it is not by its key alone.
async fn reload(record: &Record, rows: Option<&Relation>) -> Result<()> {
    let key = owned_key(record);
    let fresh = match rows {
        Some(rows) => {
            let row = rows.clone().with_rows(vec![key]).limit(1);
            Box::pin(loading::fetch_row(row.core(), true, None)).await?
        }
        None => {
            let fetched = loading::fetch_by_key(record.reflection(), record.db(), key, true);
            fetched.await?.ok()
        }
    };
    take(record, fresh)
}

async fn lock(record: &Record) -> Result<()> {
    has_row(record, "lock")?;
    if record.is_changed() {
        let message = format!(
            "Locking a record with unsaved changes is not supported. Use `save` to persist the changes, or `reload` to \
             discard them explicitly. Changed attributes: {}.",
            record.changed().join(", ")
        );
        return Err(Error::new(ErrorKind::RecordNotSaved, message).with_record(record.clone()));
    }
    let rows = match rows_of(record).await? {
        Some(rows) => rows,
        None => Relation::unscoped(record.reflection(), record.db()),
    };
    in_turn!(record, turn => lock_among(record, &rows, turn))
}

/// Locks the row of a record among these, and reads it.
async fn lock_among(record: &Record, rows: &Relation, turn: &Turn<'_>) -> Result<()> {
    let row = rows.clone().with_rows(vec![owned_key(record)]);
    let (row, writer) = (row.lock().limit(1), turn.writer());
    let fresh = loading::fetch_row(row.core(), writer.is_none(), writer).await?;
    take(record, fresh)
}

pub(super) async fn destroy(record: &Record) -> Result<()> {
    let task = Task::new(Verb::Destroy, record, SaveOptions::default());
    if !record.reflection().hooks().destroys_more() {
        return pipeline::run(task).await.map(drop);
    }
    let db = record.db().clone();
    db.transaction(async || pipeline::run(task).await.map(drop))
        .await
}

/// The error of a row that others refer to, with what to do; any other as it is.
fn referred_to(record: &Record, error: Error) -> Error {
    if error.kind() != ErrorKind::InvalidForeignKey {
        return error;
    }
    let model = record.reflection();
    let has = |one: &&AssociationReflection| !one.is_belongs_to() && one.dependent().is_none();
    let free: Vec<&str> = model
        .reflections()
        .iter()
        .filter(has)
        .map(|one| one.name())
        .collect();
    let fix = match free.as_slice() {
        [] => "Declare the association that leads to them, with `dependent`".to_owned(),
        names => format!(
            "Give the association that leads to them `dependent` ({} {} none)",
            names.join(", "),
            if names.len() == 1 { "has" } else { "have" },
        ),
    };
    let message = format!(
        "{} with {} cannot be deleted: rows of other tables refer to it. {fix}, or destroy them first",
        model.name(),
        key_of(record)
    );
    Error::new(ErrorKind::InvalidForeignKey, message)
        .with_record(record.clone())
        .with_source(error)
}

/// Deletes the row, as a step of destroying the record, and says whether there was one.
pub(super) async fn delete(record: &Record) -> Result<bool> {
    delete_in_turn(record, true).await
}

/// Deletes the row once it is the caller's turn; one that is readonly only if nobody minds.
async fn delete_in_turn(record: &Record, minds: bool) -> Result<bool> {
    in_turn!(record, turn => delete_minding(record, turn, minds))
}

async fn delete_minding(record: &Record, turn: &Turn<'_>, minds: bool) -> Result<bool> {
    if minds {
        refuse_readonly(record)?;
    }
    delete_with(record, Some(turn)).await
}

/// Deletes the row, and says whether there was one.
pub(super) async fn delete_row(record: &Record) -> Result<bool> {
    delete_with(record, None).await
}

async fn delete_with(record: &Record, turn: Option<&Turn<'_>>) -> Result<bool> {
    let mut deleted = false;
    let (model, db) = (record.reflection(), record.db());
    let before = Before::of(record);
    if record.is_persisted() {
        let mut key = owned_key(record);
        if key.is_empty() || key.iter().any(Value::is_null) {
            return Err(unknown_key(record));
        }
        let lock = Lock::of(record)?;
        key.extend(lock.as_ref().and_then(Lock::bind));
        let guard = lock.as_ref().map_or(Guard::None, Lock::guard);
        let statement = Statement {
            text: statements::delete(model, db.dialect(), guard),
            binds: key,
            reuse: true,
            writes: true,
            purpose: Purpose::Destroy,
            model: Some(model.name()),
        };
        let outcome = witness::run(record, statement, turn)
            .await
            .map_err(|error| referred_to(record, error))?;
        db.written(model.table());
        deleted = outcome.affected > 0;
        if !deleted && lock.is_some() {
            return Err(locking::stale(record, "destroy"));
        }
    }
    record.set_life(Life::Destroyed);
    before.enlist();
    Ok(deleted)
}
