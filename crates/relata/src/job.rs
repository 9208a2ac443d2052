//! Destroying later: what is to be destroyed because its owner was, and who takes it.
//!
//! Invariant: a job names models, associations and keys, so that it can be kept anywhere and done by another process.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use crate::attribute::Value;
use crate::db::Db;
use crate::error::{Error, ErrorKind, Result};
use crate::pending::Pending;

/// The targets of an association that are to be destroyed because their owner was. Rails: the arguments of
/// `DestroyAssociationAsyncJob`.
#[derive(Debug, Clone, PartialEq)]
pub struct DestroyJob {
    owner_model: String,
    owner_key: Vec<Value<'static>>,
    association: String,
    target_model: String,
    keys: Vec<Vec<Value<'static>>>,
}

impl DestroyJob {
    /// The job to destroy the records of a model with these keys, once the owner is gone.
    #[must_use]
    pub fn new(
        owner_model: impl Into<String>,
        owner_key: Vec<Value<'static>>,
        association: impl Into<String>,
        target_model: impl Into<String>,
        keys: Vec<Vec<Value<'static>>>,
    ) -> Self {
        Self {
            owner_model: owner_model.into(),
            owner_key,
            association: association.into(),
            target_model: target_model.into(),
            keys,
        }
    }

    /// The model of the owner.
    #[must_use]
    pub fn owner_model(&self) -> &str {
        &self.owner_model
    }

    /// The primary key of the owner.
    #[must_use]
    pub fn owner_key(&self) -> &[Value<'static>] {
        &self.owner_key
    }

    /// The association of the owner.
    #[must_use]
    pub fn association(&self) -> &str {
        &self.association
    }

    /// The model of the targets.
    #[must_use]
    pub fn target_model(&self) -> &str {
        &self.target_model
    }

    /// The primary keys of the targets.
    #[must_use]
    pub fn keys(&self) -> &[Vec<Value<'static>>] {
        &self.keys
    }
}

/// Takes the jobs of `dependent = destroy_async`. A database is given one by `db.set_job_queue`.
/// Rails: `destroy_association_async_job`.
pub trait JobQueue: Send + Sync {
    /// Takes a job. It is called inside the transaction that destroys the owner: a queue in the same database writes a
    /// row, which shares the transaction's fate; every other must wait with `db.after_commit`, or it would destroy what a
    /// rollback keeps.
    ///
    /// Errors: what keeps the queue from taking it, which rolls the transaction back.
    fn enqueue(&self, db: &Db, job: DestroyJob) -> Pending<()>;

    /// How many targets one job has at most; none for all in one. Rails: `destroy_association_async_batch_size`.
    fn batch_size(&self) -> Option<usize> {
        None
    }
}

/// The queue of a database. Replaceable at any time.
#[derive(Clone, Default)]
pub(crate) struct Queue(Arc<RwLock<Option<Arc<dyn JobQueue>>>>);

impl Queue {
    pub(crate) fn replace(&self, with: impl JobQueue + 'static) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(with));
    }

    /// # Errors
    /// `Configuration` when there is none.
    pub(crate) fn get(&self) -> Result<Arc<dyn JobQueue>> {
        let queue = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        queue.ok_or_else(|| {
            Error::new(
                ErrorKind::Configuration,
                "A valid destroy_association_async_job is required to use `dependent: :destroy_async` on associations: \
                 give the database a queue, `db.set_job_queue(TableQueue::new())`",
            )
        })
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}
