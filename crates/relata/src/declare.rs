//! What generated code calls, beside the public API. Not for use by hand.

use std::future::Future;

pub use crate::model::checked;
use crate::proxy::Singular;
use crate::record::Record;

/// Forgets the target of a singular association. Called by `reset_author`.
pub fn reset(owner: &Record, association: usize) {
    Singular::<Record>::new(owner, association).reset();
}

/// Called by `author_changed`.
pub fn association_changed(owner: &Record, association: usize) -> bool {
    Singular::<Record>::new(owner, association).is_changed()
}

/// Called by `author_previously_changed`.
pub fn association_previously_changed(owner: &Record, association: usize) -> bool {
    Singular::<Record>::new(owner, association).was_changed()
}

/// Whether a stored text is one of an enum's. Called by `#[derive(Attribute)]`.
///
/// # Errors
/// What is wrong with it, to follow "the value".
pub fn check_text(name: &str, stored: &str, known: &[&str]) -> Result<(), String> {
    if known.contains(&stored) {
        return Ok(());
    }
    let hint = relata_inflect::nearest(stored, known.iter().copied())
        .map(|near| format!("; did you mean {near:?}?"));
    Err(format!(
        "{stored:?} is no {name}: its values are {}{}",
        known.join(", "),
        hint.unwrap_or_default()
    ))
}

/// Whether a stored number is one of an enum's. Called by `#[derive(Attribute)]`.
///
/// # Errors
/// What is wrong with it, to follow "the value".
pub fn check_number(name: &str, stored: i64, known: &[i64]) -> Result<(), String> {
    if known.contains(&stored) {
        return Ok(());
    }
    let known: Vec<String> = known.iter().map(i64::to_string).collect();
    Err(format!(
        "{stored} is no {name}: its values are {}",
        known.join(", ")
    ))
}

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
    let outcome = block_on(async {
        let db = crate::Db::connect(&url).await?;
        let idle = db.figures();
        let outcome = test(db.clone()).await.into_result();
        Ok(outcome.map(|()| (db.figures(), idle)))
    });
    match outcome {
        Ok(Ok((left, idle))) if left == idle => {}
        Ok(Ok((left, _))) => {
            panic!("the test left a connection leased or a transaction open: {left:?}")
        }
        Ok(Err(error)) => panic!("{error}"),
        Err(error) => panic!("the test's database: {error}"),
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
