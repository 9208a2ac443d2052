//! `dependent = destroy_async`: what is left for later, by whom it is done, and what becomes of what fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use relata::jobs::{TableQueue, Worker};
use relata::reflection::ModelReflection;
use relata::{
    Abort, Db, DestroyJob, ErrorKind, JobQueue, Pending, Record, Relation, Result, Value,
    assert_sql, callbacks, model,
};

#[model]
pub struct Shelf {
    id: i64,
    name: String,
    gone: Option<bool>,
    sign_id: Option<i64>,
    #[has_many(dependent = destroy_async)]
    books: Book,
    #[has_one(dependent = destroy_async)]
    lamp: Option<Lamp>,
    #[belongs_to(dependent = destroy_async)]
    sign: Option<Sign>,
    #[has_many(dependent = destroy_async, ensuring_owner_was = |shelf: &Shelf| shelf.gone() == Some(true))]
    toys: Toy,
}

static REFUSES: AtomicBool = AtomicBool::new(false);
static DESTROYED: AtomicU64 = AtomicU64::new(0);

#[model]
pub struct Book {
    id: i64,
    title: String,
    shelf_id: i64,
}

#[callbacks]
impl Book {
    #[before_destroy]
    fn may_go(&self) -> Result<(), Abort> {
        if self.title() == "kept" && REFUSES.load(Ordering::SeqCst) {
            return Err(Abort);
        }
        Ok(())
    }

    #[before_destroy]
    async fn counts(&self) -> Result<()> {
        if self.title() == "slow" {
            std::future::pending::<()>().await;
        }
        assert!(self.title() != "panics", "it panics");
        if self.title() == "counted" {
            DESTROYED.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

#[model]
pub struct Lamp {
    id: i64,
    shelf_id: i64,
}

#[model]
pub struct Sign {
    id: i64,
}

#[model]
pub struct Toy {
    id: i64,
    shelf_id: i64,
}

fn models() -> [&'static ModelReflection; 5] {
    [
        Shelf::reflection(),
        Book::reflection(),
        Lamp::reflection(),
        Sign::reflection(),
        Toy::reflection(),
    ]
}

const START: i64 = 1_700_000_000_000_000;

async fn library(db: &Db, queue: &TableQueue) -> Result<Worker> {
    db.create_tables(models()).await?;
    db.create_tables([TableQueue::reflection()]).await?;
    db.stop_clock_at(START);
    db.set_job_queue(queue.clone());
    Ok(queue.worker(db, models()))
}

async fn shelf(db: &Db, titles: &[&str]) -> Result<Shelf> {
    let shelf = Shelf::create(db, |s| s.set_name("A")).await?;
    for title in titles {
        shelf.books().create(|b| b.set_title(title)).await?;
    }
    Shelf::find(db, shelf.id()).await
}

async fn jobs(db: &Db) -> Result<Vec<Record>> {
    Relation::of(TableQueue::reflection(), db)
        .order_by("id")?
        .await
}

#[relata::test]
async fn the_targets_go_once_the_owner_has_gone(db: Db) -> Result<()> {
    let worker = library(&db, &TableQueue::new()).await?;
    let shelf = shelf(&db, &["a", "b"]).await?;
    shelf.set_sign_id(Some(Sign::create(&db, |s| s).await?.id()));
    shelf.create_lamp(|l| l).await?;
    shelf.save().await?;
    shelf.destroy().await?;
    let counts = async || -> Result<_> {
        Ok((
            Book::all(&db).count().await?,
            Lamp::all(&db).count().await?,
            Sign::all(&db).count().await?,
        ))
    };
    assert_eq!(counts().await?, (2, 1, 1));
    let named = |job: &Record| job.get("association").map(|name| format!("{name:?}"));
    let named: Vec<String> = jobs(&db).await?.iter().map(named).collect::<Result<_>>()?;
    assert_eq!(named, ["\"books\"", "\"lamp\"", "\"sign\""]);
    assert_eq!(worker.run_due().await?, 3);
    assert_eq!(counts().await?, (0, 0, 0));
    assert!(jobs(&db).await?.is_empty());
    assert_eq!(worker.run_due().await?, 0);
    Ok(())
}

#[relata::test]
async fn the_job_is_written_with_the_owners_delete_and_goes_with_it(db: Db) -> Result<()> {
    let worker = library(&db, &TableQueue::new()).await?;
    let shelf = shelf(&db, &["a"]).await?;
    let error = db
        .transaction(async || {
            shelf.destroy().await?;
            assert_eq!(jobs(&db).await?.len(), 1);
            Err::<(), _>(relata::Error::new(ErrorKind::Rollback, "no"))
        })
        .await;
    assert!(error.is_err());
    assert!(jobs(&db).await?.is_empty());
    assert_eq!(worker.run_due().await?, 0);
    assert_eq!(Book::all(&db).count().await?, 1);
    let shelf = Shelf::find(&db, shelf.id()).await?;
    assert_sql!(
        db,
        [
            "SELECT \"books\".* FROM \"books\" WHERE \"books\".\"shelf_id\" = ?",
            "INSERT INTO \"relata_jobs\" (\"owner_model\", \"owner_key\", \"association\", \"target_model\", \"keys\", \"attempts\", \"due_at\") VALUES (?, ?, ?, ?, ?, ?, ?)",
            "SELECT \"lamps\".* FROM \"lamps\" WHERE \"lamps\".\"shelf_id\" = ? LIMIT 1",
            "SELECT \"toys\".* FROM \"toys\" WHERE \"toys\".\"shelf_id\" = ?",
            "DELETE FROM \"shelves\" WHERE \"shelves\".\"id\" = ?",
        ],
        {
            shelf.destroy().await?;
        }
    );
    Ok(())
}

#[relata::test]
async fn a_job_has_at_most_so_many_targets(db: Db) -> Result<()> {
    let worker = library(&db, &TableQueue::new().batch_size(2)).await?;
    shelf(&db, &["a", "b", "c", "d", "e"])
        .await?
        .destroy()
        .await?;
    let keys = |job: &Record| Ok(job.get("keys")?.as_str().unwrap_or_default().to_owned());
    let keys: Vec<String> = jobs(&db).await?.iter().map(keys).collect::<Result<_>>()?;
    assert_eq!(keys, ["1\n2", "3\n4", "5"]);
    assert_eq!(worker.run_due().await?, 3);
    assert_eq!(Book::all(&db).count().await?, 0);
    Ok(())
}

#[relata::test]
async fn what_fails_waits_longer_each_time_and_is_given_up(db: Db) -> Result<()> {
    let queue = TableQueue::new()
        .attempts(3)
        .backoff(Duration::from_secs(10));
    let worker = library(&db, &queue).await?;
    let shelf = shelf(&db, &["a"]).await?;
    // Somebody enqueues it although the owner stays.
    let key = vec![Value::from(shelf.id())];
    let job = DestroyJob::new("Shelf", key.clone(), "books", "Book", vec![key]);
    queue.enqueue(&db, job).await?;
    let second = 1_000_000;
    for (attempt, at, waits) in [(1, 0, 10), (2, 10, 20), (3, 30, 0)] {
        db.stop_clock_at(START + at * second - 1);
        assert_eq!(
            worker.run_due().await?,
            0,
            "too early for attempt {attempt}"
        );
        db.stop_clock_at(START + at * second);
        assert_eq!(worker.run_due().await?, 1);
        let job = jobs(&db).await?.remove(0);
        assert_eq!(job.get("attempts")?, Value::Int(attempt));
        if waits > 0 {
            assert_eq!(
                job.get("due_at")?,
                Value::Timestamp(START + (at + waits) * second)
            );
            assert!(queue.dead(&db).await?.is_empty());
        }
    }
    let dead = queue.dead(&db).await?.remove(0);
    let why = dead.get("error")?;
    assert!(
        why.as_str()
            .is_some_and(|why| why.starts_with("owner record not destroyed"))
    );
    db.stop_clock_at(START + 10_000 * second);
    assert_eq!(worker.run_due().await?, 0);
    // Brought back to life, once the owner has gone.
    shelf.delete().await?;
    dead.update_columns([("dead_at", Value::Null), ("attempts", Value::Int(0))])
        .await?;
    assert_eq!(worker.run_due().await?, 1);
    assert_eq!(
        (Book::all(&db).count().await?, jobs(&db).await?.len()),
        (0, 0)
    );
    Ok(())
}

#[relata::test]
async fn a_target_that_refuses_is_tried_again_and_the_others_have_gone(db: Db) -> Result<()> {
    let worker = library(&db, &TableQueue::new()).await?;
    shelf(&db, &["a", "kept"]).await?.destroy().await?;
    REFUSES.store(true, Ordering::SeqCst);
    worker.run_due().await?;
    assert_eq!(Book::all(&db).pluck(|b| b.title).await?, ["kept"]);
    REFUSES.store(false, Ordering::SeqCst);
    db.stop_clock_at(START + 5_000_000);
    assert_eq!(worker.run_due().await?, 1);
    assert_eq!(Book::all(&db).count().await?, 0);
    Ok(())
}

#[relata::test]
async fn an_owner_that_is_still_there_may_count_as_gone(db: Db) -> Result<()> {
    let queue = TableQueue::new().attempts(1);
    let worker = library(&db, &queue).await?;
    for gone in [true, false] {
        let shelf = Shelf::create(&db, |s| s.set_name("A").set_gone(Some(gone))).await?;
        let toy = shelf.toys().create(|t| t).await?;
        let (owner, target) = (vec![Value::from(shelf.id())], vec![Value::from(toy.id())]);
        queue
            .enqueue(
                &db,
                DestroyJob::new("Shelf", owner, "toys", "Toy", vec![target]),
            )
            .await?;
    }
    assert_eq!(worker.run_due().await?, 2);
    assert_eq!(Toy::all(&db).pluck(|t| t.shelf_id).await?, [2]);
    assert_eq!(queue.dead(&db).await?.len(), 1);
    Ok(())
}

#[relata::test(file)]
async fn a_job_whose_taker_was_lost_is_due_again_after_its_lease(db: Db) -> Result<()> {
    let worker = library(&db, &TableQueue::new().lease(Duration::from_secs(60))).await?;
    shelf(&db, &["slow"]).await?.destroy().await?;
    let lost = tokio::time::timeout(Duration::from_millis(200), worker.run_due()).await;
    assert!(lost.is_err(), "it waits forever");
    Book::all(&db).update_all(|b| b.title.set("fast")).await?;
    assert_eq!(worker.run_due().await?, 0, "it is somebody's");
    db.stop_clock_at(START + 60_000_000);
    assert_eq!(worker.run_due().await?, 1);
    assert_eq!(
        (Book::all(&db).count().await?, jobs(&db).await?.len()),
        (0, 0)
    );
    Ok(())
}

#[test]
fn several_workers_do_each_job_once() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let db = Db::connect("sqlite::memory:").await.expect("a database");
        let worker = library(&db, &TableQueue::new().batch_size(1))
            .await
            .expect("tables");
        let titles = ["counted"; 40];
        let shelf = shelf(&db, &titles).await.expect("a shelf");
        shelf.destroy().await.expect("destroyed");
        let workers = (0..4).map(|_| tokio::spawn(worker.run_due()));
        let mut took = 0;
        for worker in workers.collect::<Vec<_>>() {
            took += worker.await.expect("no panic").expect("no error");
        }
        assert_eq!(took, 40);
        assert_eq!(DESTROYED.load(Ordering::SeqCst), 40);
        assert_eq!(Book::all(&db).count().await.expect("a number"), 0);
    });
}

#[relata::test]
async fn a_worker_runs_until_it_is_told_to_stop(db: Db) -> Result<()> {
    let worker = library(&db, &TableQueue::new())
        .await?
        .every(Duration::from_millis(1));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(worker.run_until(async {
        let _ = stopped.await;
    }));
    shelf(&db, &["a"]).await?.destroy().await?;
    while Book::all(&db).count().await? > 0 {
        tokio::task::yield_now().await;
    }
    stop.send(()).expect("it listens");
    running.await.expect("no panic")?;
    assert!(jobs(&db).await?.is_empty());
    Ok(())
}

#[relata::test]
async fn a_worker_that_is_told_to_stop_leaves_what_is_due(db: Db) -> Result<()> {
    let worker = library(&db, &TableQueue::new().batch_size(1)).await?;
    shelf(&db, &["a", "b", "c"]).await?.destroy().await?;
    let asked = AtomicU64::new(0);
    let stop = std::future::poll_fn(|_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => std::task::Poll::Pending,
        _ => std::task::Poll::Ready(()),
    });
    worker.run_until(stop).await?;
    assert_eq!(Book::all(&db).count().await?, 1);
    assert_eq!(jobs(&db).await?.len(), 1);
    Ok(())
}

#[relata::test]
async fn a_panic_is_the_jobs_and_the_others_are_done(db: Db) -> Result<()> {
    let queue = TableQueue::new().batch_size(1).attempts(2);
    let worker = library(&db, &queue).await?;
    shelf(&db, &["panics", "b"]).await?.destroy().await?;
    assert_eq!(worker.run_due().await?, 2);
    assert_eq!(Book::all(&db).pluck(|b| b.title).await?, ["panics"]);
    let job = jobs(&db).await?.remove(0);
    let why = job.get("error")?;
    assert_eq!(why.as_str(), Some("the job panicked: it panics"));
    assert!(queue.dead(&db).await?.is_empty());
    db.stop_clock_at(START + 5_000_000);
    assert_eq!(worker.run_due().await?, 1);
    assert_eq!(queue.dead(&db).await?.len(), 1);
    Ok(())
}

#[relata::test]
async fn a_job_that_ends_its_taker_is_given_up(db: Db) -> Result<()> {
    let queue = TableQueue::new().attempts(2).lease(Duration::from_secs(60));
    let worker = library(&db, &queue).await?;
    shelf(&db, &["a"]).await?.destroy().await?;
    // As a process leaves it that took it twice, and did not live to end it.
    Relation::of(TableQueue::reflection(), &db)
        .update_all_by(&[("attempts", Value::Int(2))])
        .await?;
    assert_eq!(worker.run_due().await?, 0);
    let dead = queue.dead(&db).await?;
    let [dead] = dead.as_slice() else {
        panic!("one job is given up, not {}", dead.len());
    };
    let why = dead.get("error")?;
    assert!(
        why.as_str()
            .is_some_and(|why| why.contains("has not ended it within 60s")),
        "{why:?}"
    );
    assert_eq!(Book::all(&db).count().await?, 1);
    Ok(())
}

#[relata::test]
async fn without_a_queue_nothing_is_destroyed(db: Db) -> Result<()> {
    db.create_tables(models()).await?;
    let empty = shelf(&db, &[]).await?;
    empty.destroy().await?;
    let shelf = shelf(&db, &["a"]).await?;
    let error = shelf.destroy().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("db.set_job_queue"), "{error}");
    assert_eq!(Shelf::all(&db).count().await?, 1);
    Ok(())
}

/// A queue outside of the database, which waits for the commit.
#[derive(Clone, Default)]
struct Outside(Arc<std::sync::Mutex<Vec<DestroyJob>>>);

impl JobQueue for Outside {
    fn enqueue(&self, db: &Db, job: DestroyJob) -> Pending<()> {
        let (queue, db) = (self.clone(), db.clone());
        Pending::of(async move {
            db.after_commit(move || async move {
                queue.0.lock().expect("not poisoned").push(job);
            })
            .await
        })
    }
}

#[relata::test]
async fn a_queue_of_your_own_takes_jobs_after_the_commit(db: Db) -> Result<()> {
    let queue = Outside::default();
    library(&db, &TableQueue::new()).await?;
    db.set_job_queue(queue.clone());
    let shelf = shelf(&db, &["a", "b"]).await?;
    let taken = || queue.0.lock().expect("not poisoned").clone();
    db.transaction(async || {
        shelf.destroy().await?;
        assert!(taken().is_empty());
        Ok(())
    })
    .await?;
    let [job] = taken().try_into().expect("one job");
    assert_eq!(
        (job.owner_model(), job.association(), job.target_model()),
        ("Shelf", "books", "Book")
    );
    assert_eq!(job.owner_key(), [Value::from(shelf.id())]);
    assert_eq!(job.keys(), [[Value::Int(1)], [Value::Int(2)]]);
    assert_eq!(job.perform(&db, models()).await?, 2);
    assert_eq!(
        job.perform(&db, models()).await?,
        0,
        "again it destroys nothing more"
    );
    let error = job.perform(&db, [Book::reflection()]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    Ok(())
}
