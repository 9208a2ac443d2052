//! Stopping work at every place: futures dropped at each poll, statements that fail one by one.

#![allow(dead_code)]

use std::future::Future;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use relata::{Db, Error, ErrorKind};

/// Polls a future once.
pub(crate) async fn polled<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    let poll = std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
    match poll {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Polls a future a number of times, then drops it.
pub(crate) async fn limited<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Some(output) = polled(future.as_mut()).await {
            return Some(output);
        }
        // What it waits for runs elsewhere: give it a chance.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    None
}

/// Waits until nobody holds the writer: a statement that was sent runs to its end also when its future was dropped.
pub(crate) async fn settled(db: &Db) {
    while db.figures().writers != 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

pub(crate) fn rollback() -> Error {
    Error::new(ErrorKind::Rollback, "on purpose")
}

/// A database file that is removed when this goes.
pub(crate) struct TempFile(PathBuf);

impl TempFile {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("relata-{name}-{}.sqlite", std::process::id());
        let this = Self(std::env::temp_dir().join(name));
        this.remove();
        this
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite:{}", self.0.display())
    }

    fn remove(&self) {
        for ending in ["", "-wal", "-shm"] {
            // It may never have been made.
            let _ = std::fs::remove_file(format!("{}{ending}", self.0.display()));
        }
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        self.remove();
    }
}
