//! Jobs as tasks of apalis: in whichever storage it has, done by its workers.
//!
//! Invariant: a storage that is not in the database hears of a job only when the transaction that made it is committed.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use apalis_core::backend::{BackendConfig, TaskSink};
use tokio::sync::Mutex;

use crate::db::Db;
use crate::error::Error;
use crate::job::{DestroyJob, JobQueue};
use crate::pending::Pending;

/// A queue over a storage of apalis (feature `apalis`): every job of `dependent = destroy_async` becomes a task of it, once
/// the transaction that destroys the owner is committed. A worker of apalis does it with [`DestroyJob::perform`].
///
/// The storage is another system than the database: where it does not take a task after the commit, `destroy` gives the
/// error `PostCommit`, and the targets stay. [`TableQueue`](super::TableQueue) has no such gap.
///
/// ```
/// use apalis_core::backend::dequeue::VecDequeBackend;
/// use relata::{Db, DestroyJob, jobs::ApalisQueue};
///
/// # relata::run(async {
/// # let db = Db::connect("sqlite::memory:").await?;
/// let storage = VecDequeBackend::<DestroyJob>::new();
/// db.set_job_queue(ApalisQueue::new(storage.clone()).batch_size(100));
/// // WorkerBuilder::new("destroyer").backend(storage).build(async move |job: DestroyJob| job.perform(&db, models).await)
/// # Ok(()) }).unwrap();
/// ```
pub struct ApalisQueue<S, K> {
    storage: Arc<Mutex<S>>,
    batch_size: Option<usize>,
    kind: PhantomData<fn() -> K>,
}

impl<S, K> ApalisQueue<S, K>
where
    S: BackendConfig<Args = DestroyJob, Kind = K> + TaskSink<DestroyJob, K> + Send + 'static,
    K: 'static,
{
    /// A queue over that storage. All targets of an association are in one job.
    #[must_use]
    pub fn new(storage: S) -> Self {
        Self {
            storage: Arc::new(Mutex::new(storage)),
            batch_size: None,
            kind: PhantomData,
        }
    }

    /// How many targets one job has at most.
    #[must_use]
    pub fn batch_size(mut self, targets: usize) -> Self {
        self.batch_size = Some(targets.max(1));
        self
    }
}

impl<S, K> JobQueue for ApalisQueue<S, K>
where
    S: BackendConfig<Args = DestroyJob, Kind = K> + TaskSink<DestroyJob, K> + Send + 'static,
    K: 'static,
{
    #[track_caller]
    fn enqueue(&self, db: &Db, job: DestroyJob) -> Pending<()> {
        let storage = Arc::clone(&self.storage);
        db.after_commit_or_now(Box::new(move || {
            Box::pin(async move {
                let pushed = storage.lock().await.push(job).await;
                pushed.map_err(Error::other)
            })
        }))
    }

    fn batch_size(&self) -> Option<usize> {
        self.batch_size
    }
}

impl<S, K> fmt::Debug for ApalisQueue<S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApalisQueue")
            .field("batch_size", &self.batch_size)
            .finish_non_exhaustive()
    }
}
