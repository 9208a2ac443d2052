//! The runtime that this room's waits, threads and tasks need.
//!
//! Invariant: it is asked for where it is needed, never on the way of a statement that runs on the task itself.

use std::future::Future;

use tokio::runtime::Handle;

use super::Db;
use crate::error::{Error, ErrorKind, Result};

impl Db {
    /// What a wait comes to within the deadline of this database; `None` when that is over.
    pub(crate) async fn in_time<T>(&self, wait: impl Future<Output = T>) -> Result<Option<T>> {
        handle()?;
        Ok(tokio::time::timeout(self.deadline(), wait).await.ok())
    }
}

/// The runtime that runs this code; `Configuration` where none does.
pub(super) fn handle() -> Result<Handle> {
    Handle::try_current().map_err(|_| {
        let message = "relata runs on tokio, and no runtime of it runs here: call this within `relata::run` or \
                       `#[tokio::main]`";
        Error::new(ErrorKind::Configuration, message)
    })
}
