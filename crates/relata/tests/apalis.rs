//! Jobs of `dependent = destroy_async` as tasks of apalis.
#![cfg(feature = "apalis")]
#![allow(missing_docs)]

use std::task::{Context, Poll};

use apalis_core::backend::Backend;
use apalis_core::backend::dequeue::VecDequeBackend;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_core::worker::context::WorkerContext;
use relata::jobs::ApalisQueue;
use relata::{Db, DestroyJob, Error, ErrorKind, Result, model};

#[model]
struct Shelf {
    id: i64,
    #[has_many(dependent = destroy_async)]
    books: Book,
}

#[model]
struct Book {
    id: i64,
    shelf_id: i64,
}

async fn shelf(db: &Db) -> Result<Shelf> {
    let shelf = Shelf::create(db, |s| s).await?;
    for _ in 0..3 {
        shelf.books().create(|b| b).await?;
    }
    Ok(shelf)
}

fn taken(storage: &VecDequeBackend<DestroyJob>) -> Vec<DestroyJob> {
    let worker = WorkerContext::new("test");
    let mut storage = storage.clone();
    let mut context = Context::from_waker(std::task::Waker::noop());
    let mut jobs = Vec::new();
    while let Poll::Ready(Some(Ok(task))) = Backend::poll_next(&mut storage, &mut context, &worker)
    {
        jobs.push(task.args);
    }
    jobs
}

#[relata::test]
async fn a_job_becomes_a_task_when_the_transaction_is_committed(db: Db) -> Result<()> {
    db.create_tables([Shelf::reflection(), Book::reflection()])
        .await?;
    let storage = VecDequeBackend::<DestroyJob>::new();
    db.set_job_queue(ApalisQueue::new(storage.clone()).batch_size(2));
    let one = shelf(&db).await?;
    let undone: Result<()> = db
        .transaction(async || {
            one.destroy().await?;
            Err(Error::new(ErrorKind::Rollback, "no"))
        })
        .await;
    assert!(undone.is_err());
    assert!(
        taken(&storage).is_empty(),
        "what was rolled back is no task"
    );
    one.destroy().await?;
    let jobs = taken(&storage);
    assert_eq!(jobs.len(), 2, "three books, two a job");
    assert_eq!(Book::all(&db).count().await?, 3);
    for job in jobs {
        job.perform(&db, [Shelf::reflection(), Book::reflection()])
            .await?;
    }
    assert_eq!(Book::all(&db).count().await?, 0);
    Ok(())
}

#[tokio::test]
#[relata::test]
async fn a_worker_of_apalis_does_the_jobs() -> Result<()> {
    let db = Db::connect("sqlite::memory:").await?;
    db.create_tables([Shelf::reflection(), Book::reflection()])
        .await?;
    let storage = VecDequeBackend::<DestroyJob>::new();
    db.set_job_queue(ApalisQueue::new(storage.clone()));
    shelf(&db).await?.destroy().await?;
    assert_eq!(Book::all(&db).count().await?, 3);
    let of_worker = db.clone();
    let handle = move |job: DestroyJob, worker: WorkerContext| {
        let db = of_worker.clone();
        async move {
            let models = [Shelf::reflection(), Book::reflection()];
            let done = job.perform(&db, models).await;
            worker.stop().map_err(Error::other)?;
            done.map(drop)
        }
    };
    let worker = WorkerBuilder::new("destroyer")
        .backend(storage)
        .build(handle);
    worker.run().await.map_err(Error::other)?;
    assert_eq!(Book::all(&db).count().await?, 0);
    Ok(())
}
