//! Transactions: ambient in a task, nested as savepoints.
//!
//! A transaction is a stack of levels. The task-local scope says which level the running code belongs to; a statement
//! of a level that is not the top (a sibling future opened another) waits for the top to end.
//!
//! Invariants:
//! - a level that ends in any way but success, a dropped future included, is rolled back;
//! - from the first byte of COMMIT on, a task of the library owns the transaction: it finishes also when the caller's
//!   future is dropped, and tells participants and hooks what became of it;
//! - participants of a rolled-back level are told in reverse order; those of a released one pass to its parent.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::adapter::{Decode, Outcome, Statement};
use super::sqlite::Writer;
use super::{Db, Purpose};
use crate::error::{Error, ErrorKind, Result};

/// Told what became of a transaction it took part in.
pub(crate) trait Participant: Send + Sync {
    /// The level it was enlisted in, or one around it, was rolled back.
    fn rolled_back(&self);
    /// The transaction was committed.
    fn committed(&self);
    /// Whether it was committed is not known.
    fn in_doubt(&self);
}

/// Runs after the outermost commit.
pub(crate) type Hook = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

tokio::task_local! {
    static AMBIENT: Scope;
}

/// The transactions that the running code is in, innermost first.
#[derive(Clone)]
struct Scope(Arc<Frame>);

struct Frame {
    /// Which database.
    db: usize,
    transaction: Arc<Transaction>,
    level: usize,
    outer: Option<Scope>,
}

/// An open transaction.
pub(super) struct Transaction {
    stack: Mutex<Stack>,
    changed: Notify,
    deadline: Duration,
}

struct Stack {
    /// Gone once the transaction is over.
    writer: Option<Writer>,
    levels: Vec<Level>,
    next: usize,
}

struct Level {
    id: usize,
    participants: Vec<Arc<dyn Participant>>,
    hooks: Vec<Hook>,
}

impl Transaction {
    fn stack(&self) -> MutexGuard<'_, Stack> {
        self.stack.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something once `level` is the top.
    async fn at_top<T>(
        &self,
        level: usize,
        mut act: impl FnMut(&mut Stack) -> Result<T>,
    ) -> Result<T> {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                let mut changed = std::pin::pin!(changed);
                changed.as_mut().enable();
                {
                    let mut stack = self.stack();
                    match stack.levels.last() {
                        Some(top) if top.id == level => return act(&mut stack),
                        _ if !stack.levels.iter().any(|open| open.id == level) => {
                            return Err(over());
                        }
                        _ => {}
                    }
                }
                changed.await;
            }
        };
        match tokio::time::timeout(self.deadline, wait).await {
            Ok(done) => done,
            Err(_) => Err(Error::new(
                ErrorKind::LockWaitTimeout,
                format!(
                    "waited {:?} for a nested transaction to end: a statement of the outer one runs beside it, \
                     perhaps awaited inside it",
                    self.deadline
                ),
            )),
        }
    }

    pub(super) async fn run<D: Decode>(
        &self,
        level: usize,
        statement: &Statement,
        decode: &mut D,
    ) -> Result<(u64, Outcome)> {
        self.at_top(level, |stack| {
            let writer = stack.writer.as_mut().ok_or_else(over)?;
            if !writer.is_in_transaction() {
                return Err(Error::new(
                    ErrorKind::StatementInvalid,
                    "the transaction was ended by an earlier failure",
                ));
            }
            writer.run_now(statement, decode)
        })
        .await
    }
}

fn over() -> Error {
    Error::new(
        ErrorKind::StatementInvalid,
        "the transaction is over: this future belongs to it and came too late",
    )
}

fn savepoint(level: usize, verb: &str) -> String {
    format!("{verb} relata_{level}")
}

/// The transaction of a database that the running code is in, and its level.
pub(super) fn ambient(db: &Db) -> Option<(Arc<Transaction>, usize)> {
    AMBIENT
        .try_with(|scope| {
            let mut at = Some(scope);
            while let Some(Scope(frame)) = at {
                if frame.db == db.identity() {
                    return Some((Arc::clone(&frame.transaction), frame.level));
                }
                at = frame.outer.as_ref();
            }
            None
        })
        .ok()
        .flatten()
}

/// Runs `body` in a transaction, or in a savepoint of the one that is open.
pub(super) async fn transaction<T, F>(db: Db, body: F) -> Result<T>
where
    F: AsyncFnOnce() -> Result<T>,
{
    let guard = match ambient(&db) {
        Some((transaction, level)) => nested(&db, transaction, level).await?,
        None => outermost(&db).await?,
    };
    let outer = AMBIENT.try_with(Clone::clone).ok();
    let scope = Scope(Arc::new(Frame {
        db: db.identity(),
        transaction: Arc::clone(&guard.transaction),
        level: guard.level,
        outer,
    }));
    let value = AMBIENT.scope(scope, body()).await?;
    guard.succeed().await?;
    Ok(value)
}

async fn outermost(db: &Db) -> Result<Guard> {
    let deadline = db.deadline();
    let mut writer = db.sqlite()?.writer().await?;
    db.sqlite()?.note_held();
    db.observe_command("BEGIN IMMEDIATE", writer.begin())
        .await?;
    let level = Level {
        id: 0,
        participants: Vec::new(),
        hooks: Vec::new(),
    };
    let stack = Stack {
        writer: Some(writer),
        levels: vec![level],
        next: 1,
    };
    let transaction = Arc::new(Transaction {
        stack: Mutex::new(stack),
        changed: Notify::new(),
        deadline,
    });
    Ok(Guard {
        db: db.clone(),
        transaction,
        level: 0,
        open: true,
    })
}

async fn nested(db: &Db, transaction: Arc<Transaction>, parent: usize) -> Result<Guard> {
    let level = transaction
        .at_top(parent, |stack| {
            let id = stack.next;
            let text = savepoint(id, "SAVEPOINT");
            db.note_command(&text)?;
            stack.writer.as_mut().ok_or_else(over)?.command(&text)?;
            stack.next += 1;
            stack.levels.push(Level {
                id,
                participants: Vec::new(),
                hooks: Vec::new(),
            });
            Ok(id)
        })
        .await?;
    Ok(Guard {
        db: db.clone(),
        transaction,
        level,
        open: true,
    })
}

/// Rolls its level back, unless it succeeded.
struct Guard {
    db: Db,
    transaction: Arc<Transaction>,
    level: usize,
    open: bool,
}

impl Guard {
    async fn succeed(mut self) -> Result<()> {
        if self.level > 0 {
            let (level, db) = (self.level, self.db.clone());
            self.transaction
                .at_top(level, |stack| {
                    let text = savepoint(level, "RELEASE SAVEPOINT");
                    db.note_command(&text)?;
                    stack.writer.as_mut().ok_or_else(over)?.command(&text)?;
                    if let Some(done) = stack.levels.pop()
                        && let Some(parent) = stack.levels.last_mut()
                    {
                        parent.participants.extend(done.participants);
                        parent.hooks.extend(done.hooks);
                    }
                    Ok(())
                })
                .await?;
            self.open = false;
            self.transaction.changed.notify_waiters();
            return Ok(());
        }
        let taken = self
            .transaction
            .at_top(0, |stack| {
                Ok((stack.writer.take(), std::mem::take(&mut stack.levels)))
            })
            .await?;
        self.open = false;
        self.transaction.changed.notify_waiters();
        let (Some(writer), levels) = taken else {
            return Err(over());
        };
        let participants: Vec<_> = levels
            .into_iter()
            .map(|level| (level.participants, level.hooks))
            .collect();
        // From here on it is the library's: dropping the caller's future changes nothing any more.
        let db = self.db.clone();
        let (participants, hooks): (Vec<_>, Vec<_>) = participants.into_iter().unzip();
        let finish = finish(
            db,
            writer,
            participants.into_iter().flatten().collect(),
            hooks.into_iter().flatten().collect(),
        );
        tokio::spawn(finish).await.map_err(Error::other)?
    }
}

async fn finish(
    db: Db,
    mut writer: Writer,
    participants: Vec<Arc<dyn Participant>>,
    hooks: Vec<Hook>,
) -> Result<()> {
    if let Err(error) = db.note_command("COMMIT") {
        roll_back(&db, &mut writer, &participants);
        return Err(error);
    }
    if !writer.is_in_transaction() {
        // A failure that the body did not pass on ended it.
        participants
            .iter()
            .rev()
            .for_each(|participant| participant.rolled_back());
        db.written_all();
        return Err(Error::new(
            ErrorKind::StatementInvalid,
            "the transaction was ended by an earlier failure, and is rolled back",
        ));
    }
    let (mut writer, committed) = if writer.waits_for_disk() {
        let aside = tokio::task::spawn_blocking(move || {
            let committed = writer.commit();
            (writer, committed)
        });
        match aside.await {
            Ok(done) => done,
            Err(error) => {
                participants
                    .iter()
                    .for_each(|participant| participant.in_doubt());
                return Err(Error::new(
                    ErrorKind::CommitOutcomeUnknown,
                    "the commit's answer was lost",
                )
                .with_source(error));
            }
        }
    } else {
        let committed = writer.commit();
        (writer, committed)
    };
    match committed {
        Ok(()) => {
            drop(writer);
            participants
                .iter()
                .for_each(|participant| participant.committed());
            for hook in hooks {
                hook().await;
            }
            Ok(())
        }
        Err(error) => {
            roll_back(&db, &mut writer, &participants);
            Err(error)
        }
    }
}

fn roll_back(db: &Db, writer: &mut Writer, participants: &[Arc<dyn Participant>]) {
    if writer.is_in_transaction() {
        let _ = db.note_command("ROLLBACK");
        // What stays open is closed when the writer is given back.
        let _ = writer.command("ROLLBACK");
    }
    participants
        .iter()
        .rev()
        .for_each(|participant| participant.rolled_back());
    db.written_all();
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        let mut stack = self.transaction.stack();
        // Levels above it belong to futures that are gone, or that will find it over.
        let Some(at) = stack.levels.iter().position(|level| level.id == self.level) else {
            return;
        };
        let gone = stack.levels.split_off(at);
        let participants: Vec<_> = gone
            .into_iter()
            .flat_map(|level| level.participants)
            .collect();
        if at == 0 {
            let writer = stack.writer.take();
            drop(stack);
            if let Some(mut writer) = writer {
                roll_back(&self.db, &mut writer, &participants);
            }
        } else {
            if let Some(writer) = stack
                .writer
                .as_mut()
                .filter(|writer| writer.is_in_transaction())
            {
                for verb in ["ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT"] {
                    let text = savepoint(self.level, verb);
                    let _ = self.db.note_command(&text);
                    let _ = writer.command(&text);
                }
            }
            drop(stack);
            participants
                .iter()
                .rev()
                .for_each(|participant| participant.rolled_back());
            self.db.written_all();
        }
        self.transaction.changed.notify_waiters();
    }
}

/// Registers with the level that the running code belongs to. False outside a transaction.
pub(super) fn enlist(db: &Db, participant: Arc<dyn Participant>) -> bool {
    with_level(db, |level| level.participants.push(participant)).is_some()
}

/// Registers a hook with the level that the running code belongs to; gives it back outside a transaction.
pub(super) fn after_commit(db: &Db, hook: Hook) -> Option<Hook> {
    let mut hook = Some(hook);
    with_level(db, |level| level.hooks.extend(hook.take()));
    hook
}

fn with_level(db: &Db, act: impl FnOnce(&mut Level)) -> Option<()> {
    let (transaction, level) = ambient(db)?;
    let mut stack = transaction.stack();
    act(stack.levels.iter_mut().find(|open| open.id == level)?);
    Some(())
}

/// The purpose of statements that this file sends.
pub(super) const PURPOSE: Purpose = Purpose::Transaction;
