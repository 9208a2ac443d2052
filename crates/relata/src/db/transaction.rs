//! What `db.transaction` gives: a future that begins, runs the body inside, and commits or rolls back.
//!
//! Invariant: the body is polled with its level as the ambient one, and dropped before its level ends.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::Db;
use super::levels::{self, Guard, Scope};
use crate::error::{Error, Result};
use crate::pending;

/// What a transaction is shielded from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Isolation {
    /// Sees what others have not committed.
    ReadUncommitted,
    /// Each statement sees what was committed before it.
    ReadCommitted,
    /// Every statement sees the same state.
    RepeatableRead,
    /// As if transactions ran one after the other.
    Serializable,
}

/// How a transaction is to run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Terms {
    pub(crate) reads_only: bool,
    pub(crate) isolation: Option<Isolation>,
}

/// A transaction: await it. Nothing runs before. Dropped on the way, it is rolled back.
///
/// Its type parameter is the future of the body, which has no name: what a closure's future is called cannot be said
/// in Rust yet.
#[must_use = "a transaction runs when it is awaited"]
pub struct Transaction<B: Future> {
    db: Db,
    terms: Terms,
    at: &'static Location<'static>,
    stage: Stage<B>,
}

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

// The body stands before its guard: it is dropped first.
enum Stage<B: Future> {
    Made(Pin<Box<B>>),
    Begins(Pin<Box<B>>, Boxed<Result<Guard>>),
    Runs(Pin<Box<B>>, Scope, Guard),
    /// What was put off until just before the commit, one after the other.
    Closes(B::Output, Option<Boxed<Result<()>>>, Scope, Guard),
    Commits(B::Output, Boxed<Result<()>>),
    RollsBack(B::Output, Boxed<()>),
    Over,
}

impl<B: Future> Transaction<B> {
    pub(super) fn new(db: Db, at: &'static Location<'static>, body: B) -> Self {
        Self {
            db,
            terms: Terms::default(),
            at,
            stage: Stage::Made(Box::pin(body)),
        }
    }

    /// Refuses every write inside, as `ReadOnlyDatabase`. On a file it does not take the writer, and sees one state of
    /// the database from its first statement on, whatever others commit meanwhile.
    pub fn read_only(mut self) -> Self {
        self.terms.reads_only = true;
        self
    }

    /// Asks for an isolation level. Rails: `isolation:`.
    ///
    /// Awaiting it gives `Unsupported` where the database does not have it (SQLite is serializable, and nothing else),
    /// and inside another transaction.
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.terms.isolation = Some(isolation);
        self
    }
}

// Nothing in it is pinned where it stands: what has to be is in a box.
impl<B: Future> Unpin for Transaction<B> {}

impl<B, T, E> Future for Transaction<B>
where
    B: Future<Output = Result<T, E>>,
    E: From<Error>,
{
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let at = this.at;
        loop {
            match std::mem::replace(&mut this.stage, Stage::Over) {
                Stage::Made(body) => {
                    let caller = pending::called_from(at, pending::caller);
                    let begin = levels::begin(this.db.clone(), this.terms, caller);
                    this.stage = Stage::Begins(body, Box::pin(begin));
                }
                Stage::Begins(body, mut begin) => {
                    match pending::called_from(at, || begin.as_mut().poll(context)) {
                        Poll::Pending => {
                            this.stage = Stage::Begins(body, begin);
                            return Poll::Pending;
                        }
                        Poll::Ready(begun) => {
                            let guard = begun?;
                            this.stage = Stage::Runs(body, guard.scope(), guard);
                        }
                    }
                }
                Stage::Runs(mut body, scope, guard) => {
                    // The body's statements name their own callers.
                    match scope.within(|| body.as_mut().poll(context)) {
                        Poll::Pending => {
                            this.stage = Stage::Runs(body, scope, guard);
                            return Poll::Pending;
                        }
                        Poll::Ready(output) => {
                            drop(body);
                            this.stage = match output {
                                Ok(_) => Stage::Closes(output, None, scope, guard),
                                Err(_) => Stage::RollsBack(output, Box::pin(guard.fail())),
                            };
                        }
                    }
                }
                Stage::Closes(output, None, scope, guard) => {
                    this.stage = match guard.next_before_commit() {
                        Some(hook) => Stage::Closes(output, Some(hook()), scope, guard),
                        None => Stage::Commits(output, Box::pin(guard.succeed())),
                    };
                }
                Stage::Closes(output, Some(mut hook), scope, guard) => {
                    match scope.within(|| hook.as_mut().poll(context)) {
                        Poll::Pending => {
                            this.stage = Stage::Closes(output, Some(hook), scope, guard);
                            return Poll::Pending;
                        }
                        Poll::Ready(Ok(())) => {
                            this.stage = Stage::Closes(output, None, scope, guard);
                        }
                        Poll::Ready(Err(error)) => {
                            let failed = Err(E::from(error));
                            this.stage = Stage::RollsBack(failed, Box::pin(guard.fail()));
                        }
                    }
                }
                Stage::Commits(output, mut commit) => {
                    match pending::called_from(at, || commit.as_mut().poll(context)) {
                        Poll::Pending => {
                            this.stage = Stage::Commits(output, commit);
                            return Poll::Pending;
                        }
                        Poll::Ready(committed) => {
                            committed?;
                            return Poll::Ready(output);
                        }
                    }
                }
                Stage::RollsBack(output, mut undo) => {
                    match pending::called_from(at, || undo.as_mut().poll(context)) {
                        Poll::Pending => {
                            this.stage = Stage::RollsBack(output, undo);
                            return Poll::Pending;
                        }
                        Poll::Ready(()) => return Poll::Ready(output),
                    }
                }
                // Polled after it was ready: the contract of futures leaves this open; it stays pending.
                Stage::Over => return Poll::Pending,
            }
        }
    }
}

impl<B: Future> fmt::Debug for Transaction<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transaction({})", self.at)
    }
}

/// The soft form of a transaction.
pub trait UnlessRolledBack<T> {
    /// `None` where the body gave an error of kind `Rollback`: it asked for a rollback and nothing is wrong. Every other
    /// error stays one. Rails: raising `ActiveRecord::Rollback` ends a transaction without an error.
    ///
    /// ```
    /// # relata::run(async {
    /// use relata::{Error, ErrorKind, UnlessRolledBack};
    /// let db = relata::Db::connect("sqlite::memory:").await?;
    /// let nothing = db
    ///     .transaction(async || Err::<(), _>(Error::new(ErrorKind::Rollback, "changed my mind")))
    ///     .await
    ///     .unless_rolled_back()?;
    /// assert!(nothing.is_none());
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The error, if it is of another kind.
    fn unless_rolled_back(self) -> Result<Option<T>>;
}

impl<T> UnlessRolledBack<T> for Result<T> {
    fn unless_rolled_back(self) -> Result<Option<T>> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_rollback() => Ok(None),
            Err(error) => Err(error),
        }
    }
}
