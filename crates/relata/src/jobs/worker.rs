//! Who does the jobs of a table.
//!
//! Invariant: a job's error is the job's, and so is a panic of a callback that it runs; only what keeps the table itself
//! from being read or written ends a run.

use std::future::{self, Future};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use super::TableQueue;
use super::table::{self, Taken};
use crate::db::Db;
use crate::error::{Error, ErrorKind, Result};
use crate::pending::Pending;
use crate::reflection::ModelReflection;

/// Does the jobs of a [`TableQueue`]. Any number of them may work on one table, in any number of processes: each job is
/// one's at a time.
#[derive(Debug, Clone)]
pub struct Worker {
    queue: TableQueue,
    db: Db,
    models: Vec<&'static ModelReflection>,
    every: Duration,
}

impl Worker {
    pub(super) fn new(queue: TableQueue, db: &Db, models: Vec<&'static ModelReflection>) -> Self {
        Self {
            queue,
            db: db.clone(),
            models,
            every: Duration::from_secs(1),
        }
    }

    /// How often the table is looked at when nothing is due: every second, unless this says otherwise.
    #[must_use]
    pub fn every(mut self, wait: Duration) -> Self {
        self.every = wait;
        self
    }

    /// Does all jobs that are due, one after the other, and gives how many it took. One that fails, be it with a panic, is
    /// put off, or given up after its last attempt.
    ///
    /// SQL: for each job a `SELECT` of the first that is due, an `UPDATE` that takes it, what
    /// [`DestroyJob::perform`](crate::DestroyJob::perform) sends, and a `DELETE`, or an
    /// `UPDATE` that puts it off.
    ///
    /// Errors: what keeps the table from being read or written.
    #[track_caller]
    pub fn run_due(&self) -> Pending<u64> {
        let worker = self.clone();
        Pending::new(async move {
            let mut took = 0;
            while worker.next_due().await? {
                took += 1;
            }
            Ok(took)
        })
    }

    /// Does jobs as they come, until `stop` is ready: give it to `tokio::spawn`. A job that is being done is ended first,
    /// and those that are due after it stay.
    ///
    /// SQL: as [`run_due`](Self::run_due), again and again.
    ///
    /// Errors: what keeps the table from being read or written.
    #[track_caller]
    pub fn run_until<F>(self, stop: F) -> Pending<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Pending::new(async move {
            let mut stop = std::pin::pin!(stop);
            while !is_ready(stop.as_mut()).await {
                if self.next_due().await? {
                    continue;
                }
                if tokio::time::timeout(self.every, &mut stop).await.is_ok() {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Does the next job that is due, if one is.
    async fn next_due(&self) -> Result<bool> {
        let Some(taken) = table::take(&self.db, &self.queue).await? else {
            return Ok(false);
        };
        match caught(self.perform(&taken)).await {
            Ok(()) => taken.done(&self.db).await?,
            Err(why) => taken.failed(&self.db, &self.queue, &why).await?,
        }
        Ok(true)
    }

    async fn perform(&self, taken: &Taken) -> Result<()> {
        let job = taken.job(&self.models)?;
        job.perform(&self.db, self.models.iter().copied())
            .await
            .map(drop)
    }
}

/// Whether a future is ready by now. One that was is not to be asked again.
async fn is_ready(mut future: Pin<&mut impl Future<Output = ()>>) -> bool {
    future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
}

/// What a job came to; a panic is an error of it. Its future is given up then, and its transaction with it.
async fn caught(job: impl Future<Output = Result<()>>) -> Result<()> {
    let mut job = std::pin::pin!(job);
    future::poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| job.as_mut().poll(context)));
        polled.unwrap_or_else(|panic| {
            let said = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            let message = format!("the job panicked: {}", said.unwrap_or("without a text"));
            Poll::Ready(Err(Error::new(ErrorKind::Other, message)))
        })
    })
    .await
}
