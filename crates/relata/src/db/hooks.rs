//! What waits for the end of a transaction.
//!
//! Invariant: a hook belongs to the level that it was registered in, and shares its fate.

use std::future::Future;

use super::Db;
use super::levels;
use super::stakes::Hook;
use crate::pending::Pending;

impl Db {
    /// Runs something once the outermost transaction is committed; at once if none is open. Awaiting it registers it
    /// with the level of the transaction that awaits it, and it is dropped with that savepoint. Rails: `after_commit`.
    ///
    /// It asks the database nothing by itself.
    ///
    /// # Errors
    /// None of its own.
    #[track_caller]
    pub fn after_commit<F>(&self, hook: impl FnOnce() -> F + Send + 'static) -> Pending<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.after_commit_or_now(infallible(hook))
    }

    /// As [`after_commit`](Self::after_commit), for what may fail: the transaction then gives `PostCommit`; outside one its
    /// error is given.
    #[track_caller]
    pub(crate) fn after_commit_or_now(&self, hook: Hook) -> Pending<()> {
        let db = self.clone();
        Pending::new(async move {
            match levels::after_commit(&db, hook) {
                Some(now) => now().await,
                None => Ok(()),
            }
        })
    }

    /// As [`after_commit`](Self::after_commit), for what may fail: the transaction then gives `PostCommit`. Outside a
    /// transaction it is dropped.
    pub(crate) fn after_commit_hook(&self, hook: Hook) {
        levels::after_commit(self, hook);
    }

    /// Runs something just before the outermost transaction commits, inside it; its error rolls it back. It is dropped
    /// with the savepoint that it was registered in, and outside a transaction.
    pub(crate) fn before_commit(&self, hook: Hook) {
        levels::before_commit(self, hook);
    }

    /// Runs something once the level of the transaction that the running code is in, or one around it, was rolled back,
    /// also because its future was dropped. Outside a transaction nothing can be rolled back, and it is dropped.
    /// Never touches the database. Rails: `after_rollback`.
    pub fn after_rollback<F>(&self, hook: impl FnOnce() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        levels::after_rollback(self, infallible(hook));
    }
}

/// A hook that gives no error.
fn infallible<F>(hook: impl FnOnce() -> F + Send + 'static) -> Hook
where
    F: Future<Output = ()> + Send + 'static,
{
    Box::new(move || {
        let ran = hook();
        Box::pin(async move {
            ran.await;
            Ok(())
        })
    })
}
