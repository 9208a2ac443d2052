//! The writers' queue: first come, first served, and nobody waits without end.
//!
//! Invariant: at most one turn is held at a time; an error about waiting names who holds it, since when.

use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, ErrorKind, Result};
use crate::pending;

pub(super) struct Queue {
    turn: Arc<Semaphore>,
    holder: Mutex<Option<Holder>>,
}

struct Holder {
    at: Option<&'static Location<'static>>,
    since: Instant,
    last_used: Instant,
}

/// The right to write.
pub(super) struct Turn {
    queue: Arc<Queue>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        *self.queue.holder() = None;
        self.permit.take();
    }
}

impl Queue {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            turn: Arc::new(Semaphore::new(1)),
            holder: Mutex::new(None),
        })
    }

    fn holder(&self) -> std::sync::MutexGuard<'_, Option<Holder>> {
        self.holder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for this caller's turn.
    pub(super) async fn wait(self: &Arc<Self>, deadline: Duration) -> Result<Turn> {
        let permit = match Arc::clone(&self.turn).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                match tokio::time::timeout(deadline, Arc::clone(&self.turn).acquire_owned()).await {
                    Ok(permit) => permit.map_err(Error::other)?,
                    Err(_) => return Err(self.too_long(deadline)),
                }
            }
        };
        Ok(Turn {
            queue: Arc::clone(self),
            permit: Some(permit),
        })
    }

    /// Notes who holds the turn, for those who wait too long. A single statement is over before anybody asks.
    pub(super) fn held(&self) {
        let now = Instant::now();
        *self.holder() = Some(Holder {
            at: pending::caller(),
            since: now,
            last_used: now,
        });
    }

    /// Notes that the holder is doing something.
    pub(super) fn used(&self) {
        if let Some(holder) = self.holder().as_mut() {
            holder.last_used = Instant::now();
        }
    }

    fn too_long(&self, deadline: Duration) -> Error {
        let waited = format!("waited {deadline:?} for the writer of the database");
        let message = match self.holder().as_ref() {
            Some(holder) => {
                let place = holder
                    .at
                    .map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
                format!(
                    "{waited}: it is held by a transaction begun at {place}, {:.1?} ago, idle for {:.1?}. \
                     Is something slow awaited inside that transaction, or is this a task spawned from it?",
                    holder.since.elapsed(),
                    holder.last_used.elapsed()
                )
            }
            None => waited,
        };
        Error::new(ErrorKind::LockWaitTimeout, message)
    }
}
