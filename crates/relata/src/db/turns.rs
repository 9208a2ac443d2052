//! Waiting for a turn: in a fair queue, under a deadline, and never for oneself.
//!
//! Invariant: every wait ends; its error says what was waited for, who holds it and since when.

use std::future::Future;
use std::panic::Location;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use super::levels;
use super::queue::Queue;
use super::runtime;
use crate::error::{Error, ErrorKind, Result};
use crate::pending;

/// Places with a queue before them.
pub(super) struct Turns<T> {
    queue: Queue<T>,
    places: usize,
    terms: Waits,
    holder: Mutex<Option<Arc<Held>>>,
}

/// What is waited for, and how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waits {
    /// `the writer of the database`
    pub(super) what: &'static str,
    pub(super) deadline: Duration,
    /// The class of the error when the deadline is over.
    pub(super) kind: ErrorKind,
}

/// A transaction that holds a place, as those who wait are told about it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) at: Option<&'static Location<'static>>,
    since: Instant,
    /// When it last did something, in nanoseconds after `since`.
    used: AtomicU64,
}

impl Held {
    pub(super) fn new(at: Option<&'static Location<'static>>) -> Arc<Self> {
        Arc::new(Self {
            at,
            since: Instant::now(),
            used: AtomicU64::new(0),
        })
    }

    /// Notes that the holder is doing something.
    pub(super) fn note_used(&self) {
        let since = u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.used.store(since, Ordering::Relaxed);
    }

    fn idle(&self) -> Duration {
        let used = Duration::from_nanos(self.used.load(Ordering::Relaxed));
        self.since.elapsed().saturating_sub(used)
    }
}

impl<T> Turns<T> {
    pub(super) fn of(places: impl IntoIterator<Item = T>, terms: Waits) -> Self {
        let queue = Queue::of(places);
        Self {
            places: queue.free(),
            queue,
            terms,
            holder: Mutex::default(),
        }
    }

    fn holder(&self) -> MutexGuard<'_, Option<Arc<Held>>> {
        self.holder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, if one is free now.
    #[inline]
    pub(super) fn try_take(&self) -> Option<T> {
        self.queue.try_take()
    }

    /// A place, when it is this caller's turn.
    #[inline]
    pub(super) async fn take(&self) -> Result<T>
    where
        T: Send,
    {
        match self.queue.try_take() {
            Some(place) => Ok(place),
            // Its state is no part of the callers', which rarely wait.
            None => Box::pin(self.wait()).await,
        }
    }

    async fn wait(&self) -> Result<T> {
        runtime::handle()?;
        let mut turn = pin!(self.queue.take());
        let caller = pending::caller();
        let turn = std::future::poll_fn(|context| match turn.as_mut().poll(context) {
            Poll::Ready(Some(place)) => Poll::Ready(Ok(place)),
            Poll::Ready(None) => Poll::Ready(Err(levels::over())),
            Poll::Pending => match self.holder().as_deref() {
                Some(holder) if levels::is_inside(holder) => {
                    Poll::Ready(Err(on_itself(caller, holder.at)))
                }
                _ => Poll::Pending,
            },
        });
        match tokio::time::timeout(self.terms.deadline, turn).await {
            Ok(turn) => turn,
            Err(_) => Err(self.too_long()),
        }
    }

    /// Gives a place to whoever waits longest. It comes back once the turns are closed.
    #[inline]
    pub(super) fn give(&self, place: T) -> Option<T> {
        self.queue.give(place)
    }

    /// Nobody gets a turn any more. Gives the places that were free.
    pub(super) fn close(&self) -> Vec<T> {
        self.queue.close()
    }

    /// How many places are taken.
    pub(super) fn taken(&self) -> usize {
        self.places.saturating_sub(self.queue.free())
    }

    /// Notes which transaction holds a place, for those who wait too long. A single statement is over before anybody
    /// asks.
    pub(super) fn note_holder(&self, held: Option<Arc<Held>>) {
        *self.holder() = held;
    }

    /// Where the transaction was begun that holds a place, as far as that is noted.
    pub(super) fn held_since(&self) -> Option<&'static Location<'static>> {
        self.holder().as_deref().and_then(|held| held.at)
    }

    fn too_long(&self) -> Error {
        let Waits {
            what,
            deadline,
            kind,
        } = self.terms;
        let waited = format!("waited {deadline:?} for {what}");
        let message = match self.holder().as_ref() {
            Some(holder) => format!(
                "{waited}: it is held by a transaction begun at {}, {:.1?} ago, idle for {:.1?}. \
                 Is something slow awaited inside that transaction, or is this a task spawned from it?",
                place(holder.at),
                holder.since.elapsed(),
                holder.idle()
            ),
            None => format!(
                "{waited}: {} of {} taken, {} waiting",
                self.taken(),
                self.places,
                self.queue.waiting()
            ),
        };
        Error::new(kind, message)
    }
}

/// The error of a wait that could never end.
pub(super) fn on_itself(
    waits: Option<&'static Location<'static>>,
    holder: Option<&'static Location<'static>>,
) -> Error {
    let message = format!(
        "what was begun at {} waits for the transaction begun at {} to end, and is awaited inside it: it would wait for \
         itself. Begin it inside that transaction, or await it outside",
        place(waits),
        place(holder)
    );
    Error::new(ErrorKind::LockWaitTimeout, message)
}

fn place(at: Option<&'static Location<'static>>) -> String {
    at.map_or_else(|| "an unknown place".to_owned(), ToString::to_string)
}
