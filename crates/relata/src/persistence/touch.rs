//! Touching: a record's `updated_at` follows what happens to what belongs to it.
//!
//! Invariants: parents are touched once a transaction, just before it commits, however many children were written; a
//! record that is being touched is not touched again by what it touches; nothing is touched of a model that
//! [`no_touching`] names.

use std::collections::HashSet;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use super::frame::{Frame, Task};
use super::locking::{self, Lock};
use super::pipeline::{self, Pipeline, Verb};
use super::save::SaveOptions;
use super::snapshot::Before;
use super::turn::{Turn, in_turn};
use super::witness;
use super::write::{refuse_readonly, stamp};
use crate::association::{Association, targets_of};
use crate::attribute::value::{Kind, Value};
use crate::callback::Event;
use crate::db::adapter::{Purpose, Statement};
use crate::db::{Handover, Participant};
use crate::error::{Error, ErrorKind, Result};
use crate::hashing::Hashing;
use crate::loading;
use crate::pending::Pending;
use crate::record::{Record, Version};
use crate::reflection::{Column, ModelReflection, Touch};
use crate::sql::statements::{self, Guard};

tokio::task_local! {
    /// The models that are not touched.
    static QUIET: Vec<&'static ModelReflection>;
}

/// Runs `body` without touching records of these models: [`Record::touch`] gives `false` for them. It asks the database
/// nothing by itself; what `body` awaits names its own place in the events. Rails: `no_touching`.
///
/// ```
/// # use relata::{Db, model};
/// # #[model]
/// # pub struct Topic { id: i64 }
/// # relata::run(async {
/// let seven = relata::no_touching([Topic::reflection()], async || 7).await;
/// assert_eq!(seven, 7);
/// # Ok(()) }).unwrap();
/// ```
pub fn no_touching<T, I, F>(
    models: I,
    body: F,
) -> NoTouching<impl Future<Output = T> + use<T, I, F>>
where
    I: IntoIterator<Item = &'static ModelReflection>,
    F: AsyncFnOnce() -> T,
{
    NoTouching {
        models: models.into_iter().collect(),
        body: Box::pin(async move { body().await }),
    }
}

/// What [`no_touching`] gives: await it. Nothing runs before.
///
/// Its type parameter is the future of the body, which has no name.
#[must_use = "nothing runs until it is awaited"]
pub struct NoTouching<B> {
    models: Vec<&'static ModelReflection>,
    body: Pin<Box<B>>,
}

impl<B: Future> Future for NoTouching<B> {
    type Output = B::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<B::Output> {
        let mut quiet = QUIET.try_with(Clone::clone).unwrap_or_default();
        quiet.extend(&self.models);
        QUIET.sync_scope(quiet, || self.body.as_mut().poll(context))
    }
}

impl<B> fmt::Debug for NoTouching<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NoTouching")
            .field("models", &self.models)
            .finish_non_exhaustive()
    }
}

/// Whether records of a model are touched here: not inside [`no_touching`] for it. Never touches the database.
/// Rails: `no_touching?`, the other way round.
#[must_use]
pub fn is_touching(model: &'static ModelReflection) -> bool {
    !is_quiet(model)
}

fn is_quiet(model: &'static ModelReflection) -> bool {
    QUIET
        .try_with(|quiet| quiet.contains(&model))
        .unwrap_or_default()
}

/// A touch that waits for the commit. Whoever holds it runs it; the record only knows of it.
pub(super) struct Deferred {
    columns: Mutex<Vec<usize>>,
}

impl Deferred {
    fn take(&self) -> Vec<usize> {
        std::mem::take(&mut self.columns.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds columns, and gives those that were not there.
    fn add(&self, columns: &[usize]) -> Vec<usize> {
        let mut own = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new = columns.to_vec();
        new.retain(|column| !own.contains(column));
        own.extend(&new);
        new
    }

    fn remove(&self, columns: &[usize]) {
        let mut own = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
        own.retain(|column| !columns.contains(column));
    }
}

/// What a savepoint did to a touch that waits outside of it: its rollback undoes that.
enum Undone {
    /// It added these columns.
    Added(Arc<Deferred>, Vec<usize>),
    /// It wrote these, which wait no more.
    Written(Arc<Deferred>, Vec<usize>),
}

impl Participant for Undone {
    fn rolled_back(&self) {
        match self {
            Self::Added(deferred, columns) => deferred.remove(columns),
            Self::Written(deferred, columns) => drop(deferred.add(columns)),
        }
    }

    fn committed(&self, _left: &mut Handover) {}

    fn in_doubt(&self) {}
}

impl Record {
    /// Sets `updated_at` to now, in memory and in the row, and touches what the record's associations say.
    /// Runs `after_touch`, no validation and no other callback. Gives whether it was done: not inside [`no_touching`],
    /// nor where the row is gone. Rails: `touch`.
    ///
    /// `UPDATE "posts" SET "updated_at" = ? WHERE "posts"."id" = ?`
    ///
    /// Errors: `NotPersisted` for a record that is new or destroyed; `ReadOnlyRecord`; `StaleObject` where the model has a lock version and
    /// the row is not there with it; what the database says.
    #[track_caller]
    pub fn touch(&self) -> Pending<bool> {
        self.touch_columns([])
    }

    /// As [`touch`](Self::touch), with the times in the named attributes too. Rails: `touch(:read_at)`.
    ///
    /// `UPDATE "posts" SET "read_at" = ?, "updated_at" = ? WHERE "posts"."id" = ?`
    ///
    /// Errors: `UnknownAttribute` with the nearest name; `Argument` for an attribute that holds no time; else as
    /// [`touch`](Self::touch).
    #[track_caller]
    pub fn touch_columns<'a>(&self, also: impl IntoIterator<Item = &'a str>) -> Pending<bool> {
        let model = self.reflection();
        let also: Result<Vec<usize>> = also.into_iter().map(|name| time(model, name)).collect();
        let record = self.clone();
        Pending::new(async move { touch_now(&record, also?).await })
    }
}

/// The attribute of that name, which is to hold a time.
pub(super) fn time(model: &'static ModelReflection, name: &str) -> Result<usize> {
    let column = model.attribute(name)?;
    let kind = |column: &Column| column.attribute_type().kind;
    let kind = model.columns().get(column).map(kind);
    if matches!(kind, Some(Kind::Timestamp | Kind::DateTime)) {
        return Ok(column);
    }
    let message = format!(
        "{}.{name} cannot be touched: it holds no time. Give it a type of a date and time, or set it",
        model.name()
    );
    Err(Error::new(ErrorKind::Argument, message)
        .with_model(model.name())
        .with_attribute(name))
}

async fn touch_now(record: &Record, also: Vec<usize>) -> Result<bool> {
    if !record.is_persisted() {
        let message = "Cannot touch on a new or destroyed record object. Consider using is_persisted, is_new_record \
                       or is_destroyed before touching.";
        return Err(Error::new(ErrorKind::NotPersisted, message).with_record(record.clone()));
    }
    refuse_readonly(record)?;
    let model = record.reflection();
    if is_quiet(model) {
        return Ok(false);
    }
    let mut task = Task::new(Verb::Touch, record, SaveOptions::default());
    task.columns = model.stamps().updated.clone();
    task.columns.extend(also);
    if !model.hooks().touches_more() {
        return pipeline::run(task).await;
    }
    let db = record.db().clone();
    let run = pipeline::apart(task);
    db.transaction(async || run.await).await
}

/// The columns that a declared touch sets.
pub(super) fn columns(model: &'static ModelReflection, touch: Option<Touch>) -> Vec<usize> {
    let mut columns = model.stamps().updated.clone();
    if let Some(Touch::Column(name)) = touch {
        columns.extend(model.column_position(name));
    }
    columns
}

/// Touches what an association leads to, at an event of its owner.
pub(super) async fn perform(
    pipeline: &Pipeline,
    frame: &Frame,
    event: Event,
    association: &Association,
    outcome: Option<Result<()>>,
) -> Result<Option<Task>> {
    let first = outcome.is_none();
    outcome.unwrap_or(Ok(()))?;
    let (record, reflection) = (frame.record(), association.reflection());
    let saving = matches!(event, Event::AfterCreate | Event::AfterUpdate);
    if saving && record.saved_changes().is_empty() {
        return Ok(None);
    }
    let touch = reflection.touch;
    if reflection.is_has_one() {
        if !first {
            return Ok(None);
        }
        let target = loading::load_one(association).await?;
        if target.is_none() && event == Event::AfterCreate {
            // That nothing leads to a record just made says nothing of later. Rails: `reset_negative_cache`.
            association.reset();
        }
        return Ok(target.and_then(|target| task(&target, touch)));
    }
    let key = &association.resolved().owner_columns;
    let was = if saving {
        Version::Before
    } else {
        Version::Saved
    };
    let moved = key.iter().any(|&column| match was {
        Version::Before => record.was_changed(column),
        _ => record.column_changed(column),
    });
    let counted = reflection.counter_cache.is_some();
    let rides = event == Event::AfterCreate || event == Event::AfterDestroy || moved;
    if counted && event != Event::AfterTouch && rides {
        // The statement of the counter sets it.
        return Ok(None);
    }
    if first
        && moved
        && let Some(old) = old_parent(association, was).await?
    {
        let next = task(&old, touch);
        if next.is_some() {
            return Ok(next);
        }
    }
    // A touch that waited for the commit went all the way up when it began to wait.
    if frame.task.waited {
        return Ok(None);
    }
    if let Some(parent) = loading::load_one(association).await?
        && parent.is_persisted()
    {
        later(pipeline, frame, &parent, touch).await?;
    }
    Ok(None)
}

fn task(record: &Record, touch: Option<Touch>) -> Option<Task> {
    if !record.is_persisted() || is_quiet(record.reflection()) {
        return None;
    }
    let mut task = Task::new(Verb::Touch, record, SaveOptions::default());
    task.columns = columns(record.reflection(), touch);
    Some(task)
}

/// The row that the record belonged to before.
async fn old_parent(association: &Association, was: Version) -> Result<Option<Record>> {
    let record = association.owner();
    let resolved = association.resolved_at(was)?;
    if resolved.is_nowhere() {
        return Ok(None);
    }
    let key: Vec<Value<'static>> = resolved
        .owner_key
        .iter()
        .map(|&column| record.value_of(column, was).into_owned())
        .collect();
    if key.iter().any(Value::is_null) {
        return Ok(None);
    }
    let old = targets_of(resolved, record.db(), Some(record), key);
    old.take().await
}

/// Touches what a frame's record belongs to in memory, and in the database once the transaction is about to commit; and so
/// on upwards, from each row once: rows may lead to each other in a circle, and each step be another object.
#[expect(
    clippy::mutable_key_type,
    reason = "a record is told by its model and key, which touching leaves"
)]
async fn later(
    pipeline: &Pipeline,
    frame: &Frame,
    parent: &Record,
    touch: Option<Touch>,
) -> Result<()> {
    let mut seen: HashSet<Record, Hashing> = HashSet::default();
    let mut waiting = vec![(parent.clone(), touch)];
    while let Some((mut record, touch)) = waiting.pop() {
        if record == *frame.record() {
            record = frame.record().clone();
        }
        let model = record.reflection();
        if is_quiet(model)
            || !record.is_persisted()
            || pipeline.is_row_active(&record, Verb::Touch, frame)
        {
            continue;
        }
        defer(&record, &columns(model, touch));
        if !seen.insert(record.clone()) {
            continue;
        }
        for (position, reflection) in model.reflections().iter().enumerate() {
            if reflection.is_belongs_to() && reflection.touch.is_some() {
                let association = Association::at(&record, position)?;
                let parent = loading::load_one(&association).await?;
                waiting.extend(parent.map(|parent| (parent, reflection.touch)));
            }
        }
    }
    Ok(())
}

fn defer(record: &Record, columns: &[usize]) {
    fill(record, columns);
    let Some(keeping) = record.keeping() else {
        return;
    };
    let (deferred, new) = keeping.defer(|| Deferred {
        columns: Mutex::default(),
    });
    let added = deferred.add(columns);
    if !new && !added.is_empty() {
        let added = || Arc::new(Undone::Added(Arc::clone(&deferred), added)) as _;
        record.db().enlist(added);
    }
    if new {
        let record = record.clone();
        record.db().clone().before_commit(Box::new(move || {
            Box::pin(async move { flush(&record, &deferred).await })
        }));
    }
}

async fn flush(record: &Record, deferred: &Arc<Deferred>) -> Result<()> {
    let mut task = Task::new(Verb::Touch, record, SaveOptions::default());
    task.columns = deferred.take();
    task.waited = true;
    if task.columns.is_empty() || !record.is_persisted() {
        return Ok(());
    }
    pipeline::run(task).await.map(drop)
}

/// Sets the columns to now in memory, as saved.
fn fill(record: &Record, columns: &[usize]) {
    let (model, now) = (record.reflection(), record.db().now());
    let before = Before::with(record, columns.iter().copied());
    for &column in columns {
        record.fill(column, &stamp(model, column, now));
    }
    before.enlist();
}

/// The UPDATE of a touch, and whether there was a row. What waited for the commit goes with it.
pub(super) async fn write(frame: &Frame) -> Result<bool> {
    let (record, mut columns) = (frame.record(), frame.task.columns.clone());
    if let Some(deferred) = record.keeping().and_then(super::errors::Keeping::deferred) {
        let waiting = deferred.take();
        if !waiting.is_empty() {
            columns.extend(&waiting);
            let written = || Arc::new(Undone::Written(deferred, waiting)) as _;
            record.db().enlist(written);
        }
    }
    columns.sort_unstable();
    columns.dedup();
    if columns.is_empty() {
        return Ok(true);
    }
    in_turn!(record, turn => write_columns(turn, record, &columns))
}

async fn write_columns(turn: &Turn<'_>, record: &Record, columns: &[usize]) -> Result<bool> {
    let (model, db) = (record.reflection(), record.db());
    let now = db.now();
    let key = record.saved_key().into_iter().map(Value::into_owned);
    let lock = Lock::of(record)?;
    let times = columns.iter().map(|&column| stamp(model, column, now));
    let next = lock.as_ref().map(Lock::next);
    let version = lock.as_ref().and_then(Lock::bind);
    let binds = times.chain(next).chain(key).chain(version).collect();
    let mut written = columns.to_vec();
    written.extend(lock.as_ref().map(|lock| lock.column));
    let guard = lock.as_ref().map_or(Guard::None, Lock::guard);
    let statement = Statement {
        text: statements::update(model, db.dialect(), &written, guard),
        binds,
        reuse: true,
        writes: true,
        purpose: Purpose::Update,
        model: Some(model.name()),
    };
    let outcome = witness::run(record, statement, Some(turn)).await?;
    if let Some(lock) = lock {
        if outcome.affected == 0 {
            return Err(locking::stale(record, "touch"));
        }
        let mut before = Before::of(record);
        lock.keep(record, &mut before);
        before.enlist();
    }
    fill(record, columns);
    Ok(outcome.affected > 0)
}
