//! An open transaction: a stack of levels, ambient in a task.
//!
//! The task-local scope says which level the running code belongs to; a statement of a level that is not the top (a
//! sibling future opened another) waits for the top to end, unless it is awaited inside it.
//!
//! Invariants:
//! - a level that ends in any way but success, a dropped future included, is rolled back;
//! - from the first byte of COMMIT on, a task of the library owns the transaction: it finishes also when the caller's
//!   future is dropped, and tells participants and hooks what became of it;
//! - who has a stake in a released level has it in its parent from then on.

use std::future::Future;
use std::panic::Location;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use tokio::sync::Notify;

use super::Db;
use super::adapter::{Decode, Job, Ran, turned_away};
use super::backend::Lease;
use super::runtime;
use super::stakes::{self, Hook, Participant, Stakes};
use super::transaction::Terms;
use super::turns::{Held, on_itself};
use crate::error::{Error, ErrorKind, Result};
use crate::pending;

tokio::task_local! {
    static AMBIENT: Scope;
}

/// What the running code's statements go over, innermost first.
#[derive(Clone)]
pub(super) struct Scope(Arc<Frame>);

struct Frame {
    /// Which database.
    db: usize,
    way: Way,
    outer: Option<Scope>,
}

/// What statements go over that do not take a connection each.
#[derive(Clone)]
pub(super) enum Way {
    Level(At),
    /// A connection outside any transaction, which reads share.
    Connection(Lease),
}

/// A level of an open transaction.
#[derive(Clone)]
pub(super) struct At {
    open: Arc<Open>,
    level: usize,
}

struct Open {
    stack: Mutex<Stack>,
    changed: Notify,
    held: Arc<Held>,
}

struct Stack {
    /// Gone once the transaction is over.
    lease: Option<Lease>,
    levels: Vec<Level>,
    next: usize,
}

struct Level {
    id: usize,
    reads_only: bool,
    at: Option<&'static Location<'static>>,
    stakes: Stakes,
}

impl Open {
    fn stack(&self) -> MutexGuard<'_, Stack> {
        self.stack.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scope {
    /// Inside what the running code is in already.
    pub(super) fn new(db: &Db, way: Way) -> Self {
        Self(Arc::new(Frame {
            db: db.identity(),
            way,
            outer: AMBIENT.try_with(Clone::clone).ok(),
        }))
    }

    /// Runs the poll of code that belongs to it.
    pub(super) fn within<T>(&self, poll: impl FnOnce() -> T) -> T {
        AMBIENT.sync_scope(self.clone(), poll)
    }
}

impl At {
    /// Does something if the level is the top, or says why it cannot.
    fn try_at_top<T>(&self, act: &mut impl FnMut(&mut Stack) -> Result<T>) -> Option<Result<T>> {
        let mut stack = self.open.stack();
        match stack.levels.last() {
            Some(top) if top.id == self.level => Some(act(&mut stack)),
            _ if stack.levels.iter().any(|open| open.id == self.level) => None,
            _ => Some(Err(over())),
        }
    }

    /// Does something once the level is the top.
    async fn at_top<T>(&self, db: &Db, mut act: impl FnMut(&mut Stack) -> Result<T>) -> Result<T> {
        match self.try_at_top(&mut act) {
            Some(done) => done,
            None => Box::pin(self.wait_for_top(db, act)).await,
        }
    }

    async fn wait_for_top<T>(
        &self,
        db: &Db,
        mut act: impl FnMut(&mut Stack) -> Result<T>,
    ) -> Result<T> {
        let caller = pending::caller();
        let wait = async {
            loop {
                let mut changed = pin!(self.open.changed.notified());
                changed.as_mut().enable();
                if let Some(done) = self.try_at_top(&mut act) {
                    return done;
                }
                std::future::poll_fn(|context| match changed.as_mut().poll(context) {
                    Poll::Pending if self.is_around(db) => {
                        Poll::Ready(Err(on_itself(caller, self.top())))
                    }
                    poll => poll.map(Ok),
                })
                .await?;
            }
        };
        runtime::handle()?;
        match tokio::time::timeout(db.deadline(), wait).await {
            Ok(done) => done,
            Err(_) => Err(Error::new(
                ErrorKind::LockWaitTimeout,
                format!(
                    "waited {:?} for a nested transaction to end, begun at {}: a statement of the outer one runs \
                     beside it",
                    db.deadline(),
                    self.top()
                        .map_or_else(|| "an unknown place".to_owned(), ToString::to_string)
                ),
            )),
        }
    }

    /// Where the innermost level was begun.
    fn top(&self) -> Option<&'static Location<'static>> {
        self.open.stack().levels.last().and_then(|level| level.at)
    }

    /// Whether the running code is inside a level that is inside this one.
    fn is_around(&self, db: &Db) -> bool {
        let inner = ambient(db);
        inner.is_some_and(|inner| inner.level != self.level && Arc::ptr_eq(&inner.open, &self.open))
    }

    /// Runs a statement of this level.
    pub(super) async fn run<D: Decode + 'static>(&self, db: &Db, job: &mut Job<D>) -> Result<Ran> {
        self.open.held.note_used();
        let writes = job.statement.writes;
        let written = job.decode.as_ref().and_then(Decode::writes);
        let mut take = |stack: &mut Stack| {
            if writes && stack.levels.iter().any(|level| level.reads_only) {
                let message = "the transaction is read only";
                return Err(Error::new(ErrorKind::ReadOnlyDatabase, message));
            }
            if let (Some(written), Some(level)) = (written, stack.levels.last_mut()) {
                level.stakes.wrote(written);
            }
            stack.lease.clone().ok_or_else(over)
        };
        let lease = match self.try_at_top(&mut take) {
            Some(taken) => taken?,
            None if job.hesitant => return Err(turned_away()),
            None => Box::pin(self.wait_for_top(db, take)).await?,
        };
        lease.run(job).await
    }

    /// Waits until no other level is open inside this one.
    pub(super) async fn become_top(&self, db: &Db) -> Result<()> {
        self.at_top(db, |_| Ok(())).await
    }

    /// Whether no other level is open inside this one.
    pub(super) fn is_top(&self) -> bool {
        self.try_at_top(&mut |_| Ok(())).is_some()
    }
}

/// The error of what belongs to a transaction that is over.
pub(super) fn over() -> Error {
    Error::new(
        ErrorKind::StatementInvalid,
        "the transaction is over: this future belongs to it and came too late",
    )
}

fn savepoint(level: usize, verb: &str) -> String {
    format!("{verb} relata_{level}")
}

fn scopes<T>(look: impl Fn(&Frame) -> Option<T>) -> Option<T> {
    let found = AMBIENT.try_with(|scope| {
        let mut at = Some(scope);
        while let Some(Scope(frame)) = at {
            if let Some(found) = look(frame) {
                return Some(found);
            }
            at = frame.outer.as_ref();
        }
        None
    });
    found.ok().flatten()
}

/// The level of a transaction of a database that the running code is in.
#[inline]
pub(super) fn ambient(db: &Db) -> Option<At> {
    scopes(|frame| match &frame.way {
        Way::Level(at) if frame.db == db.identity() => Some(at.clone()),
        _ => None,
    })
}

/// What the running code's statements to a database go over; nothing where each takes a connection.
#[inline]
pub(super) fn way(db: &Db) -> Option<Way> {
    scopes(|frame| (frame.db == db.identity()).then(|| frame.way.clone()))
}

/// Whether the running code is inside that transaction.
pub(super) fn is_inside(held: &Held) -> bool {
    let found = scopes(|frame| match &frame.way {
        Way::Level(at) => std::ptr::eq(Arc::as_ptr(&at.open.held), held).then_some(()),
        Way::Connection(_) => None,
    });
    found.is_some()
}

/// Begins a transaction, or a savepoint of the one that is open. The guard rolls it back unless it succeeds.
pub(super) async fn begin(
    db: Db,
    terms: Terms,
    caller: Option<&'static Location<'static>>,
) -> Result<Guard> {
    match ambient(&db) {
        Some(parent) => nested(db, parent, terms, caller).await,
        None => outermost(db, terms, caller).await,
    }
}

async fn outermost(
    db: Db,
    terms: Terms,
    caller: Option<&'static Location<'static>>,
) -> Result<Guard> {
    let backend = db.backend()?;
    if let Some(isolation) = terms.isolation
        && !backend.capabilities().isolation.contains(&isolation)
    {
        let message = format!(
            "{} has no isolation level {isolation:?}: it has {:?}",
            backend.dialect().name(),
            backend.capabilities().isolation
        );
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    let text = backend.begin(terms);
    let lease = backend.session(terms.reads_only).await?;
    let held = Held::new(caller);
    lease.note_holder(&held);
    db.observe(text, lease.command(text)).await?;
    let stack = Stack {
        lease: Some(lease),
        levels: vec![Level {
            id: 0,
            reads_only: terms.reads_only,
            at: caller,
            stakes: Stakes::default(),
        }],
        next: 1,
    };
    let open = Arc::new(Open {
        stack: Mutex::new(stack),
        changed: Notify::new(),
        held,
    });
    Ok(Guard {
        db,
        at: At { open, level: 0 },
        caller,
        is_open: true,
    })
}

async fn nested(
    db: Db,
    parent: At,
    terms: Terms,
    caller: Option<&'static Location<'static>>,
) -> Result<Guard> {
    if terms.isolation.is_some() {
        let message = "an inner transaction is a savepoint of the outer one: it cannot have an isolation level of its own";
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    let (lease, level) = parent
        .at_top(&db, |stack| {
            let lease = stack.lease.clone().ok_or_else(over)?;
            let id = stack.next;
            stack.next += 1;
            stack.levels.push(Level {
                id,
                reads_only: terms.reads_only,
                at: caller,
                stakes: Stakes::default(),
            });
            Ok((lease, id))
        })
        .await?;
    let open = parent.open;
    // From here on it is undone, whatever becomes of the savepoint.
    let mut guard = Guard {
        db: db.clone(),
        at: At { open, level },
        caller,
        is_open: true,
    };
    let text = savepoint(level, "SAVEPOINT");
    match db.observe(&text, lease.command(&text)).await {
        Ok(()) => Ok(guard),
        Err(error) => {
            guard.forget();
            Err(error)
        }
    }
}

/// A level that is open. Dropped, it is rolled back.
pub(super) struct Guard {
    db: Db,
    at: At,
    caller: Option<&'static Location<'static>>,
    is_open: bool,
}

impl Guard {
    /// The scope of the code that belongs to the level.
    pub(super) fn scope(&self) -> Scope {
        Scope::new(&self.db, Way::Level(self.at.clone()))
    }

    /// Takes the level away; nothing was sent for it.
    fn forget(&mut self) {
        self.is_open = false;
        let level = self.at.level;
        self.at.open.stack().levels.retain(|open| open.id != level);
        self.at.open.changed.notify_waiters();
    }

    /// What is to be done before the outermost commit, one after the other, each inside the transaction.
    pub(super) fn next_before_commit(&self) -> Option<Hook> {
        if self.at.level > 0 {
            return None;
        }
        let mut stack = self.at.open.stack();
        stack.levels.first_mut()?.stakes.next_before_commit()
    }

    /// Releases the level, or commits.
    pub(super) async fn succeed(self) -> Result<()> {
        if self.at.level == 0 {
            self.commit().await
        } else {
            self.release().await
        }
    }

    async fn release(mut self) -> Result<()> {
        let text = savepoint(self.at.level, "RELEASE SAVEPOINT");
        let lease = self
            .at
            .at_top(&self.db, |stack| stack.lease.clone().ok_or_else(over));
        let lease = lease.await?;
        self.db.observe(&text, lease.command(&text)).await?;
        let mut stack = self.at.open.stack();
        if let Some(done) = stack.levels.pop_if(|top| top.id == self.at.level)
            && let Some(parent) = stack.levels.last_mut()
        {
            parent.stakes.take(done.stakes);
        }
        drop(stack);
        self.is_open = false;
        self.at.open.changed.notify_waiters();
        Ok(())
    }

    async fn commit(mut self) -> Result<()> {
        let runtime = runtime::handle()?;
        let taken = self.at.at_top(&self.db, |stack| {
            Ok((stack.lease.take(), std::mem::take(&mut stack.levels)))
        });
        let (lease, levels) = taken.await?;
        self.is_open = false;
        self.at.open.changed.notify_waiters();
        let lease = lease.ok_or_else(over)?;
        // From here on it is the library's: dropping the caller's future changes nothing any more. Those with a stake are
        // in its hands before it is polled, for a runtime that shuts down may never do that.
        let committing = Committing {
            db: self.db.clone(),
            stakes: Some(Stakes::of(levels.into_iter().map(|level| level.stakes))),
        };
        let finish = finish(committing, lease);
        let finished = match self.caller {
            Some(caller) => runtime.spawn(pending::at(caller, finish)).await,
            None => runtime.spawn(finish).await,
        };
        finished.unwrap_or_else(|lost| {
            let message = "the task that commits was lost: whether the transaction was committed is not known";
            Err(Error::new(ErrorKind::CommitOutcomeUnknown, message).with_source(lost))
        })
    }

    /// Rolls the level back, and runs the hooks that wait for that.
    pub(super) async fn fail(mut self) {
        let hooks = self.roll_back();
        if !hooks.is_empty() {
            // Their failures have nobody to go to: the caller gets the error that rolled back.
            let _ = tokio::spawn(stakes::run(hooks)).await;
        }
    }

    fn roll_back(&mut self) -> Vec<Hook> {
        self.is_open = false;
        let mut stack = self.at.open.stack();
        // Levels above it belong to futures that are gone, or that will find it over.
        let Some(position) = stack
            .levels
            .iter()
            .position(|level| level.id == self.at.level)
        else {
            return Vec::new();
        };
        let gone = stack.levels.split_off(position);
        let gone = Stakes::of(gone.into_iter().map(|level| level.stakes));
        if position == 0 {
            let lease = stack.lease.take();
            drop(stack);
            if lease.is_some_and(|lease| lease.end()) {
                self.db.note_undone("ROLLBACK");
            }
        } else {
            let lease = stack.lease.clone();
            drop(stack);
            if let Some(lease) = lease {
                let [back, release] = ["ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT"]
                    .map(|verb| savepoint(self.at.level, verb));
                lease.undo([&back, &release]);
                self.db.note_undone(&back);
                self.db.note_undone(&release);
            }
        }
        let hooks = gone.rolled_back(&self.db);
        self.at.open.changed.notify_waiters();
        hooks
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.is_open {
            return;
        }
        let hooks = self.roll_back();
        if !hooks.is_empty()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(stakes::run(hooks));
        }
    }
}

/// Those with a stake in a commit that is under way: they are in doubt if the task that commits is lost on its way.
struct Committing {
    db: Db,
    stakes: Option<Stakes>,
}

impl Drop for Committing {
    fn drop(&mut self) {
        if let Some(stakes) = self.stakes.take() {
            stakes.in_doubt(&self.db);
        }
    }
}

async fn finish(mut committing: Committing, lease: Lease) -> Result<()> {
    let db = committing.db.clone();
    let committed = db.observe("COMMIT", lease.commit()).await;
    let stakes = committing.stakes.take().unwrap_or_default();
    if committed.is_ok() {
        // Before the next one writes, memory says what was written.
        stakes.committed(&db);
    }
    let open = lease.end();
    match committed {
        Ok(()) => stakes.after_commits().await,
        Err(error) if error.is_commit_outcome_unknown() => {
            stakes.in_doubt(&db);
            Err(error)
        }
        Err(error) => {
            if open {
                db.note_undone("ROLLBACK");
            }
            stakes::run(stakes.rolled_back(&db)).await;
            Err(error)
        }
    }
}

/// Registers with the level that the running code belongs to, if there is one.
pub(super) fn enlist(db: &Db, participant: impl FnOnce() -> Arc<dyn Participant>) {
    with_stakes(db, |stakes| stakes.enlist(participant()));
}

/// Registers a hook with the level that the running code belongs to; gives it back outside a transaction.
pub(super) fn after_commit(db: &Db, hook: Hook) -> Option<Hook> {
    let mut hook = Some(hook);
    with_stakes(db, |stakes| {
        if let Some(hook) = hook.take() {
            stakes.after_commit(hook);
        }
    });
    hook
}

/// Registers what is to be done before the outermost commit with the level that the running code belongs to.
pub(super) fn before_commit(db: &Db, hook: Hook) {
    with_stakes(db, |stakes| stakes.before_commit(hook));
}

/// Registers a hook with the level that the running code belongs to, if there is one.
pub(super) fn after_rollback(db: &Db, hook: Hook) {
    with_stakes(db, |stakes| stakes.after_rollback(hook));
}

fn with_stakes(db: &Db, act: impl FnOnce(&mut Stakes)) -> Option<()> {
    let At { open, level } = ambient(db)?;
    let mut stack = open.stack();
    act(&mut stack
        .levels
        .iter_mut()
        .find(|open| open.id == level)?
        .stakes);
    Some(())
}
