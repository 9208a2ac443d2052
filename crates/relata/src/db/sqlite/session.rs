//! The connection of a transaction: statements of one transaction, one after the other.
//!
//! Invariants: the connection is here, in a turn, or home; what was undone while a statement was under way is undone
//! before the next one; the connection of a session that was ended goes home, at once or from the turn that has it.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::aside::{Holds, PAUSE, aside, here, pause};
use super::connection::{Connection, Stopped};
use super::{Lease, Role, Sqlite};
use crate::db::adapter::{self, Decode, Job, Ran};
use crate::db::runtime;
use crate::db::turns::{Held, Turns, Waits};
use crate::error::{Error, ErrorKind, Result};

pub(in crate::db) struct Session {
    home: Arc<Sqlite>,
    role: Role,
    turns: Turns<Lease<Arc<Sqlite>>>,
    /// Whether BEGIN was sent: from then on, no transaction means that it was ended.
    begun: AtomicBool,
    /// What is to be undone before anything else, and whether there is something.
    owed: Mutex<Vec<[String; 2]>>,
    owes: AtomicBool,
    deadline: Duration,
}

/// The connection, for one statement.
struct Turn<S: Deref<Target = Session>> {
    session: S,
    lease: Option<Lease<Arc<Sqlite>>>,
}

impl Turn<&Session> {
    /// The turn as one that can go to another thread. What is left has nothing to give back.
    fn travelling(mut self, session: &Arc<Session>) -> Turn<Arc<Session>> {
        Turn {
            session: Arc::clone(session),
            lease: self.lease.take(),
        }
    }
}

impl Session {
    pub(super) fn new(lease: Lease<Arc<Sqlite>>, deadline: Duration) -> Arc<Self> {
        let (home, role) = (Arc::clone(&lease.home), lease.role);
        let waits = Waits {
            what: "the connection of the transaction, which another statement of it has",
            deadline,
            kind: ErrorKind::LockWaitTimeout,
        };
        Arc::new(Self {
            home,
            role,
            turns: Turns::of([lease], waits),
            begun: AtomicBool::new(false),
            owed: Mutex::default(),
            owes: AtomicBool::new(false),
            deadline,
        })
    }

    #[inline]
    async fn turn(&self) -> Result<Turn<&Self>> {
        let lease = self.turns.take().await?;
        let mut turn = Turn {
            session: self,
            lease: Some(lease),
        };
        let connection = turn.connection()?;
        // What was undone after the last turn ended.
        self.pay(connection);
        if self.begun.load(Ordering::Relaxed) && connection.is_idle() {
            let message = "the transaction was ended by an earlier failure, and is rolled back";
            return Err(Error::new(ErrorKind::StatementInvalid, message));
        }
        Ok(turn)
    }

    /// Gives the connection back, which rolls back what is open.
    fn send_home(&self, lease: Lease<Arc<Sqlite>>) {
        if self.role == Role::Writes {
            self.home.writer.note_holder(None);
        }
        drop(lease);
    }

    fn pay(&self, connection: &mut Connection) {
        if !self.owes.load(Ordering::Acquire) {
            return;
        }
        self.owes.store(false, Ordering::Release);
        let mut owed = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        for [back, release] in owed.drain(..) {
            if connection.command(&back).is_ok() {
                // It cannot fail: the savepoint was there a moment ago.
                let _ = connection.command(&release);
            }
        }
    }
}

impl<S: Deref<Target = Session>> Holds for Turn<S> {
    fn connection(&mut self) -> Result<&mut Connection> {
        self.lease.as_mut().ok_or_else(adapter::lost)?.connection()
    }
}

impl<S: Deref<Target = Session>> Drop for Turn<S> {
    fn drop(&mut self) {
        let Some(mut lease) = self.lease.take() else {
            return;
        };
        if let Ok(connection) = lease.connection() {
            connection.settle();
            self.session.pay(connection);
        }
        // A session that was ended does not take it back.
        if let Some(lease) = self.session.turns.give(lease) {
            self.session.send_home(lease);
        }
    }
}

impl adapter::Session for Session {
    fn note_holder(&self, held: &Arc<Held>) {
        if self.role == Role::Writes {
            self.home.writer.note_holder(Some(Arc::clone(held)));
        }
    }

    async fn run<D: Decode + 'static>(self: &Arc<Self>, job: &mut Job<D>) -> Result<Ran> {
        let mut turn = self.turn().await?;
        let file = self.home.is_file();
        let long = job.statement.is_long();
        if !(file && long) {
            let writes = job.statement.writes;
            if let Some(ran) = here(&mut turn, job, file && !writes, self.deadline).await {
                return ran;
            }
        }
        Box::pin(aside(turn.travelling(self), job, self.deadline)).await
    }

    async fn command(self: &Arc<Self>, text: &str) -> Result<()> {
        let mut turn = self.turn().await?;
        let until = Instant::now() + self.deadline;
        loop {
            match turn.connection()?.command(text) {
                Ok(()) => break,
                // Another process has the lock: only BEGIN meets it.
                Err(Stopped::Busy(_)) if Instant::now() < until => {
                    runtime::handle()?;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(stopped) => return Err(stopped.into_error()),
            }
        }
        self.begun.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn commit(self: &Arc<Self>) -> Result<()> {
        let mut turn = self.turn().await?.travelling(self);
        let until = Instant::now() + self.deadline;
        let mut commit = move || {
            loop {
                match turn.connection()?.command("COMMIT") {
                    Ok(()) => return Ok(()),
                    // A reader of another process can stand in the way of a checkpoint.
                    Err(Stopped::Busy(_)) if Instant::now() < until => pause(),
                    Err(stopped) => return Err(stopped.into_error()),
                }
            }
        };
        if !self.home.is_file() {
            return commit();
        }
        match tokio::task::spawn_blocking(commit).await {
            Ok(committed) => committed,
            Err(error) => {
                let message = "the answer to the commit was lost";
                Err(Error::new(ErrorKind::CommitOutcomeUnknown, message).with_source(error))
            }
        }
    }

    fn undo(&self, [back, release]: [&str; 2]) {
        let mut owed = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        owed.push([back.to_owned(), release.to_owned()]);
        drop(owed);
        self.owes.store(true, Ordering::Release);
        // Now, or when the turn ends that has the connection.
        if let Some(mut lease) = self.turns.try_take() {
            if let Ok(connection) = lease.connection() {
                self.pay(connection);
            }
            drop(self.turns.give(lease));
        }
    }

    fn end(&self) -> bool {
        let free = self.turns.close();
        // One that is out has a statement under way.
        let open = free
            .first()
            .is_none_or(|lease| lease.connection.as_deref().is_some_and(|c| !c.is_idle()));
        free.into_iter().for_each(|lease| self.send_home(lease));
        open
    }

    async fn sever(&self) {
        if let Ok(mut lease) = self.turns.take().await {
            lease.connection = None;
            drop(self.turns.give(lease));
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        adapter::Session::end(self);
    }
}
