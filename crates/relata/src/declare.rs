//! What generated code calls, beside the public API. Not for use by hand.

use std::future::Future;

pub use crate::model::checked;

/// Runs a test on a fresh database, and asserts that it leaves nothing open.
pub fn run_test<F, T>(test: F)
where
    F: AsyncFnOnce(crate::Db) -> T,
    T: Outcome,
{
    let outcome = block_on(async {
        let db = crate::Db::connect("sqlite::memory:").await?;
        let outcome = test(db.clone()).await.into_result();
        if outcome.is_ok() {
            assert_eq!(db.figures().writers, 0, "the test left a write or a transaction open");
        }
        outcome
    });
    if let Err(error) = outcome {
        panic!("{error:?}");
    }
}

/// What a test may return.
pub trait Outcome {
    /// The result.
    fn into_result(self) -> crate::Result<()>;
}

impl Outcome for () {
    fn into_result(self) -> crate::Result<()> {
        Ok(())
    }
}

impl Outcome for crate::Result<()> {
    fn into_result(self) -> crate::Result<()> {
        self
    }
}

pub(crate) fn block_on<T>(future: impl Future<Output = crate::Result<T>>) -> crate::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(crate::Error::other)?.block_on(future)
}
