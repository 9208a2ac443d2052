//! The queue of asynchronous destroys: it takes jobs when their transaction is committed, and runs them when it is told to.

use std::sync::{Arc, PoisonError, Weak};

use relata::{Db, DestroyJob, JobQueue, Pending};

use crate::stop::Ran;
use crate::value::Value;
use crate::world::World;

/// The queue of a scenario.
pub struct Jobs(Weak<World>);

impl Jobs {
    /// The queue of this world.
    #[must_use]
    pub fn of(world: &Arc<World>) -> Self {
        Self(Arc::downgrade(world))
    }
}

impl JobQueue for Jobs {
    fn enqueue(&self, db: &Db, job: DestroyJob) -> Pending<()> {
        let (world, db) = (self.0.clone(), db.clone());
        Pending::of(async move {
            db.after_commit(move || async move {
                if let Some(world) = world.upgrade() {
                    lock(&world).push(job);
                    world.write_log("job_enqueued".to_owned());
                }
            })
            .await
        })
    }
}

fn lock(world: &World) -> std::sync::MutexGuard<'_, Vec<DestroyJob>> {
    world.jobs.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One value by itself, several as a list.
fn one_or_all(values: impl IntoIterator<Item = Value>) -> Value {
    let mut values: Vec<Value> = values.into_iter().collect();
    match values.len() {
        1 => values.remove(0),
        _ => Value::list(values),
    }
}

/// The jobs, as a list of maps.
#[must_use]
pub fn shown(world: &World) -> Value {
    let jobs = lock(world).clone();
    Value::list(jobs.iter().map(|job| one(world, job)))
}

fn one(world: &World, job: &DestroyJob) -> Value {
    let key = |key: &[relata::Value<'static>]| one_or_all(key.iter().map(Value::of_attribute));
    let names = world
        .model(job.target_model())
        .map(|target| one_or_all(target.primary_key_names().map(Value::text)));
    let ensuring = world
        .model(job.owner_model())
        .and_then(|owner| owner.reflect_on_association(job.association()))
        .and_then(|association| association.ensuring_owner_was());
    let parts = [
        ("owner_model_name", Value::text(job.owner_model())),
        ("owner_id", key(job.owner_key())),
        ("association_class", Value::text(job.target_model())),
        (
            "association_ids",
            Value::list(job.keys().iter().map(|one| key(one))),
        ),
        (
            "association_primary_key_column",
            names.unwrap_or(Value::Nil),
        ),
        (
            "ensuring_owner_was_method",
            ensuring.map_or(Value::Nil, |ensuring| Value::text(ensuring.name())),
        ),
    ];
    Value::map(parts.map(|(name, value)| (Value::name(name), value)))
}

/// Runs and removes all jobs; their number.
///
/// # Errors
/// What the first that fails raises.
pub async fn run(world: &World) -> Ran<Value> {
    let jobs = std::mem::take(&mut *lock(world));
    for job in &jobs {
        job.perform(&world.db, world.models()).await?;
    }
    Ok(Value::count(jobs.len()))
}
