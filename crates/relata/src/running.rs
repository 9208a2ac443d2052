//! Futures that are run to their end: programs, examples and tests, on a small runtime of their own.
//!
//! Invariant: what a test leaves open of its databases is found, and so is what a program leaves open that no task is about
//! to end.

use std::future::Future;

use crate::db::idle::Watch;

/// Runs a test on a fresh database, in memory or in a temporary file, and asserts that it leaves nothing open.
/// Called by `#[relata::test]`.
///
/// # Panics
/// When the test gives an error, or leaves a connection leased or a transaction open.
#[track_caller]
pub fn run_test<F, T>(file: bool, test: F)
where
    F: AsyncFnOnce(crate::Db) -> T,
    T: Outcome,
{
    let file = file.then(TemporaryFile::new);
    let url = file
        .as_ref()
        .map_or_else(|| String::from("sqlite::memory:"), TemporaryFile::url);
    let watch = Watch::begin();
    let outcome = block_on(async {
        let db = crate::Db::connect(&url).await?;
        let outcome = test(db.clone()).await.into_result();
        Ok((outcome, watch.left()))
    });
    let (outcome, left) =
        outcome.unwrap_or_else(|error| (Err(format!("the test's database: {error}")), None));
    assert_test(outcome, left);
}

/// Runs a test that opens its databases itself, and asserts that it leaves nothing open in them. Called by
/// `#[relata::test]`.
///
/// # Panics
/// As [`run_test`].
#[track_caller]
pub fn run_test_without<T: Outcome>(test: impl FnOnce() -> T) {
    let watch = Watch::begin();
    let outcome = test().into_result();
    assert_test(outcome, watch.left());
}

#[track_caller]
#[allow(clippy::panic, reason = "this is how a test fails")]
fn assert_test(outcome: Result<(), String>, left: Option<String>) {
    if let Err(error) = outcome {
        panic!("{error}");
    }
    if let Some(left) = left {
        panic!("the test left a connection leased or a transaction open: {left}");
    }
}

/// What a test may return: nothing, or a result.
#[diagnostic::on_unimplemented(
    message = "a test cannot return `{Self}`",
    label = "return nothing, or a `Result<(), E>`"
)]
pub trait Outcome {
    /// Nothing, or the error as text.
    ///
    /// # Errors
    /// The test's own.
    fn into_result(self) -> Result<(), String>;
}

impl Outcome for () {
    fn into_result(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: std::fmt::Debug> Outcome for Result<(), E> {
    fn into_result(self) -> Result<(), String> {
        self.map_err(|error| format!("{error:?}"))
    }
}

/// A database file that goes when this goes.
struct TemporaryFile(std::path::PathBuf);

impl TemporaryFile {
    fn new() -> Self {
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let this = Self(std::env::temp_dir().join(format!(
            "relata-test-{}-{number}.sqlite",
            std::process::id()
        )));
        this.remove();
        this
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.0.display())
    }

    fn remove(&self) {
        for ending in ["", "-wal", "-shm"] {
            // It may never have been made.
            let _ = std::fs::remove_file(format!("{}{ending}", self.0.display()));
        }
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Runs a future, and finds what it leaves open, as a test does.
pub(crate) fn run<T>(future: impl Future<Output = crate::Result<T>>) -> crate::Result<T> {
    let Some(watch) = Watch::unless_watched() else {
        return block_on(future);
    };
    block_on(async {
        let given = future.await?;
        // A task that goes on may be about to end what it holds.
        let alone = tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
            == 0;
        match watch.left().filter(|_| alone) {
            None => Ok(given),
            Some(left) => Err(crate::Error::new(
                crate::ErrorKind::Other,
                format!("the end came with a transaction or a statement open: {left}"),
            )),
        }
    })
}

pub(crate) fn block_on<T>(future: impl Future<Output = crate::Result<T>>) -> crate::Result<T> {
    if tokio::runtime::Handle::try_current().is_ok() {
        return Err(crate::Error::new(
            crate::ErrorKind::Configuration,
            "this thread runs futures already, so it cannot wait here for another: await the future instead",
        ));
    }
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(crate::Error::other)?
        .block_on(future)
}
