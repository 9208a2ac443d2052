//! Where a statement runs: on the task, or on the blocking pool when it may take long.
//!
//! Invariants: what a statement needs travels with it, so a future that is dropped meanwhile leaves nothing behind; a
//! read that was given up is stopped, and no other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::connection::{Connection, Stopped};
use crate::db::adapter::{Decode, Job, Ran};
use crate::db::runtime;
use crate::error::{Error, ErrorKind, Result};

/// How long a read may hold a thread of the runtime.
const BUDGET: Duration = Duration::from_millis(1);

/// How long to sleep before asking again for a lock that another process holds.
pub(super) const PAUSE: Duration = Duration::from_millis(2);

/// Waits on a thread where waiting is allowed.
#[expect(
    clippy::disallowed_methods,
    reason = "only called on the blocking pool, never on a thread of the runtime"
)]
pub(super) fn pause() {
    std::thread::sleep(PAUSE);
}

/// Has a connection, and puts it back when it is dropped.
pub(super) trait Holds {
    fn connection(&mut self) -> Result<&mut Connection>;
}

fn restart<D: Decode>(job: &mut Job<D>) {
    if let Some(decode) = &mut job.decode {
        decode.restart();
    }
}

/// Runs a statement on the task. `None` when it is over its budget: then it is to go on aside.
#[inline]
pub(super) async fn here<D: Decode>(
    holder: &mut impl Holds,
    job: &mut Job<D>,
    budget: bool,
    deadline: Duration,
) -> Option<Result<Ran>> {
    let mut until = None;
    loop {
        let connection = match holder.connection() {
            Ok(connection) => connection,
            Err(error) => return Some(Err(error)),
        };
        match connection.run(job, budget.then_some(BUDGET)) {
            Ok(ran) => return Some(Ok(ran)),
            Err(Stopped::Paused) => return None,
            Err(Stopped::Interrupted) => {
                restart(job);
                return None;
            }
            Err(Stopped::Failed(error)) => return Some(Err(error)),
            Err(Stopped::Busy(error)) => {
                if let Err(error) = runtime::handle() {
                    return Some(Err(error));
                }
                let now = Instant::now();
                if now > *until.get_or_insert(now + deadline) {
                    return Some(Err(error));
                }
                restart(job);
                Box::pin(tokio::time::sleep(PAUSE)).await;
            }
        }
    }
}

/// Runs a statement on the blocking pool, or the rest of one that was paused. If the caller's future is dropped
/// meanwhile, a write still runs to its end, a read is stopped, and the connection goes back by itself.
pub(super) async fn aside<D: Decode + 'static>(
    mut holder: impl Holds + Send + 'static,
    job: &mut Job<D>,
    deadline: Duration,
) -> Result<Ran> {
    let runtime = runtime::handle()?;
    let given_up = GivenUp::default();
    let writes = job.statement.writes;
    if !job.statement.writes {
        holder.connection()?.heed(Some(Arc::clone(&given_up.0)));
    }
    let until = Instant::now() + deadline;
    let mut taken = job.depart();
    let running = runtime.spawn_blocking(move || {
        let ran = to_the_end(&mut holder, &mut taken, until);
        // Home before the answer: who gets it finds the connection in its place.
        drop(holder);
        (taken, ran)
    });
    let (taken, ran) = running.await.map_err(|lost| {
        if !writes {
            return Error::other(lost);
        }
        let message = "the thread that wrote was lost: whether the statement was done is not known";
        Error::new(ErrorKind::CommitOutcomeUnknown, message).with_source(lost)
    })?;
    *job = taken;
    ran
}

/// Says that nobody waits any more.
#[derive(Default)]
struct GivenUp(Arc<AtomicBool>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn to_the_end<D: Decode>(holder: &mut impl Holds, job: &mut Job<D>, until: Instant) -> Result<Ran> {
    let connection = holder.connection()?;
    if connection.is_paused() {
        return connection.resume(job).map_err(Stopped::into_error);
    }
    loop {
        match connection.run(job, None) {
            Err(Stopped::Busy(_)) if Instant::now() < until => {
                restart(job);
                pause();
            }
            ran => return ran.map_err(Stopped::into_error),
        }
    }
}
