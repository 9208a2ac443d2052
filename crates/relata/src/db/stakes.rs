//! Who has a stake in a level of a transaction: participants, who are told how it ends, and hooks, which run then.
//!
//! Invariants: of a rolled-back level, all participants first hear that it is being rolled back, and then, in reverse
//! order, that it was; hooks run after the participants were told, each for itself.

use std::any::Any;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::Db;
use super::writes::Written;
use crate::error::{Error, ErrorKind, Result};

/// Told what became of a transaction it took part in.
pub(crate) trait Participant: Send + Sync {
    /// It is being rolled back; nobody's memory is put back yet. Told in the order of enlisting.
    fn rolling_back(&self) {}
    /// The level it was enlisted in, or one around it, was rolled back.
    fn rolled_back(&self);
    /// The transaction was committed. Told in the order of enlisting, with what those before it left to be known.
    fn committed(&self, left: &mut Handover);
    /// Whether it was committed is not known.
    fn in_doubt(&self);
}

/// What participants of one kind leave to each other while they are told of a commit.
pub(crate) type Handover = Option<Box<dyn Any + Send>>;

/// Runs before or after the outermost commit, or after a rollback.
pub(crate) type Hook = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = Result<()>> + Send>> + Send>;

/// Who is told how a level ends, and what runs then.
#[derive(Default)]
pub(super) struct Stakes {
    /// What was written: others see it from the commit on.
    written: Vec<Written>,
    participants: Vec<Arc<dyn Participant>>,
    committing: VecDeque<Hook>,
    committed: Vec<Hook>,
    rolled_back: Vec<Hook>,
}

impl Stakes {
    /// Those of several levels, outer ones first.
    pub(super) fn of(levels: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::default();
        levels.into_iter().for_each(|stakes| all.take(stakes));
        all
    }

    /// Takes over those of an inner level.
    pub(super) fn take(&mut self, other: Self) {
        other.written.into_iter().for_each(|one| self.wrote(one));
        self.participants.extend(other.participants);
        self.committing.extend(other.committing);
        self.committed.extend(other.committed);
        self.rolled_back.extend(other.rolled_back);
    }

    /// Notes what is written, once as far as a look can tell.
    pub(super) fn wrote(&mut self, written: Written) {
        let is_same = |one: &Written| match (one, &written) {
            (Written::Table(one), Written::Table(other)) => std::ptr::eq(*one, *other),
            (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
        };
        if !self.written.iter().any(is_same) {
            self.written.push(written);
        }
    }

    pub(super) fn enlist(&mut self, participant: Arc<dyn Participant>) {
        self.participants.push(participant);
    }

    pub(super) fn before_commit(&mut self, hook: Hook) {
        self.committing.push_back(hook);
    }

    pub(super) fn after_commit(&mut self, hook: Hook) {
        self.committed.push(hook);
    }

    pub(super) fn after_rollback(&mut self, hook: Hook) {
        self.rolled_back.push(hook);
    }

    /// What is to be done before the commit, one after the other: each may register more.
    pub(super) fn next_before_commit(&mut self) -> Option<Hook> {
        self.committing.pop_front()
    }

    /// Tells that the transaction was committed; the hooks are still to be run.
    pub(super) fn committed(&self, db: &Db) {
        self.written
            .iter()
            .for_each(|&written| db.note_written(written));
        let mut left = None;
        self.participants
            .iter()
            .for_each(|participant| participant.committed(&mut left));
    }

    /// Runs what waited for the commit.
    pub(super) async fn after_commits(self) -> Result<()> {
        let (failed, first) = run(self.committed).await;
        if failed == 0 {
            return Ok(());
        }
        let message = format!("the commit stands, and {failed} of its hooks failed");
        let error = Error::new(ErrorKind::PostCommit, message);
        Err(match first {
            Some(first) => match first.erased_record() {
                Some(record) => error.with_record(record.clone()).with_source(first),
                None => error.with_source(first),
            },
            None => error,
        })
    }

    /// Tells that nobody knows whether the transaction was committed. No hook runs.
    pub(super) fn in_doubt(&self, db: &Db) {
        self.participants
            .iter()
            .for_each(|participant| participant.in_doubt());
        db.note_written(Written::Any);
    }

    /// Tells that the levels were rolled back; the hooks are still to be run.
    pub(super) fn rolled_back(self, db: &Db) -> Vec<Hook> {
        self.participants
            .iter()
            .for_each(|participant| participant.rolling_back());
        self.participants
            .iter()
            .rev()
            .for_each(|participant| participant.rolled_back());
        db.note_written(Written::Any);
        self.rolled_back
    }
}

/// Runs hooks in order, each for itself. How many failed or panicked, and the first error that one gave.
pub(super) async fn run(hooks: Vec<Hook>) -> (usize, Option<Error>) {
    let (mut failed, mut first) = (0, None);
    for hook in hooks {
        // Calling it is part of it.
        match tokio::spawn(async move { hook().await }).await {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => first = first.or(Some(error)),
            // A panic has told what it is about where it happened.
            Err(_) => {}
        }
        failed += 1;
    }
    (failed, first)
}
