//! Who does the jobs of a table.
//!
//! Invariant: a job's error is the job's; only what keeps the table itself from being read or written ends a run.

use std::future::Future;
use std::time::Duration;

use super::TableQueue;
use super::table::{self, Taken};
use crate::db::Db;
use crate::error::Result;
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

    /// Does all jobs that are due, one after the other, and gives how many it took. One that fails is put off, or given
    /// up after its last attempt.
    ///
    /// Errors: what keeps the table from being read or written.
    #[track_caller]
    pub fn run_due(&self) -> Pending<u64> {
        let worker = self.clone();
        Pending::new(async move { worker.all_due().await })
    }

    /// Does jobs as they come, until `stop` is ready: give it to `tokio::spawn`. A job that is being done is ended first.
    ///
    /// Errors: what keeps the table from being read or written.
    #[track_caller]
    pub fn run_until<F>(self, stop: F) -> Pending<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Pending::new(async move {
            let mut stop = std::pin::pin!(stop);
            loop {
                self.all_due().await?;
                if tokio::time::timeout(self.every, &mut stop).await.is_ok() {
                    return Ok(());
                }
            }
        })
    }

    async fn all_due(&self) -> Result<u64> {
        let mut took = 0;
        while let Some(taken) = table::take(&self.db, self.queue.lease).await? {
            took += 1;
            match self.perform(&taken).await {
                Ok(()) => taken.done(&self.db).await?,
                Err(why) => taken.failed(&self.db, &self.queue, &why).await?,
            }
        }
        Ok(took)
    }

    async fn perform(&self, taken: &Taken) -> Result<()> {
        let job = taken.job(&self.models)?;
        job.perform(&self.db, self.models.iter().copied())
            .await
            .map(drop)
    }
}
