//! Work that takes long: it goes aside, goes on where it was, and leaves nothing behind when it is given up.

mod planets;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use planets::{TempFile, count, model, names, planets, save};
use relata::{Db, Raw, Record, Relation, Result, Value};

const MANY: usize = 100_000;

async fn many(db: &Db) -> Result<()> {
    db.execute_sql(Raw::new(
        "INSERT INTO planets (name) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT 'p' || i FROM n",
    ))
    .await?;
    Ok(())
}

/// Slow without rows: the product of a table with itself.
fn slow() -> Raw {
    Raw::new(
        "SELECT COUNT(*) AS n FROM planets a, planets b, (SELECT 1 UNION SELECT 2) WHERE a.id <> b.id",
    )
}

fn all(db: &Db) -> impl Future<Output = Result<Vec<Record>>> + use<> {
    let all = Relation::of(model(), db).order_by("id");
    async move { all?.await }
}

fn check(all: &[Record]) -> Result<()> {
    assert_eq!(all.len(), MANY);
    for (at, record) in all.iter().enumerate() {
        assert_eq!(
            record.get("id")?,
            Value::from(i64::try_from(at + 1).unwrap())
        );
        assert_eq!(record.get("name")?, Value::from(format!("p{}", at + 1)));
    }
    Ok(())
}

/// How often another task of this thread ran while something was awaited.
async fn turns_of_others<T>(work: impl Future<Output = T>) -> (T, usize) {
    let turns = Arc::new(AtomicUsize::new(0));
    let counted = turns.clone();
    let other = tokio::spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    let done = work.await;
    other.abort();
    (done, turns.load(Ordering::Relaxed))
}

#[relata::test]
fn a_long_read_goes_on_where_it_paused() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("paused");
        let db = planets(&file.url()).await?;
        many(&db).await?;
        let capture = db.capture();
        let (read, turns) = turns_of_others(all(&db)).await;
        check(&read?)?;
        assert!(turns > 0, "it held the thread");
        let (read, turns) =
            turns_of_others(db.transaction(async || Ok((all(&db).await?, count(&db).await?))))
                .await;
        let (read, counted) = read?;
        check(&read)?;
        assert_eq!(counted, 100_000);
        assert!(turns > 0, "it held the thread inside a transaction");
        // One statement is one event, with all its rows.
        let rows: Vec<u64> = capture
            .events()
            .iter()
            .filter(|event| event.text.contains("ORDER BY"))
            .map(|event| event.rows)
            .collect();
        assert_eq!(rows, [100_000, 100_000]);
        Ok(())
    })
}

#[relata::test]
fn what_comes_to_no_row_is_run_once_more_aside() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("no-row");
        let db = planets(&file.url()).await?;
        many(&db).await?;
        db.execute_sql(Raw::new("DELETE FROM planets WHERE id > 1000"))
            .await?;
        let (read, turns) = turns_of_others(async {
            let outside = db.fetch_sql(slow()).await?;
            let inside = db.transaction(async || db.fetch_sql(slow()).await).await?;
            Ok::<_, relata::Error>((outside, inside))
        })
        .await;
        let (outside, inside) = read?;
        assert_eq!(outside[0].get("n"), Some(&Value::Int(1_998_000)));
        assert_eq!(outside, inside);
        assert!(turns > 0);
        Ok(())
    })
}

#[relata::test]
fn writes_of_many_rows_do_not_hold_the_thread() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("many-rows");
        let db = planets(&file.url()).await?;
        let (done, turns) = turns_of_others(db.transaction(async || {
            many(&db).await?;
            // The one that comes after it waits for it.
            let update = db.execute_sql(Raw::new("UPDATE planets SET name = 'q' || id"));
            let (updated, saved) = tokio::join!(update, save(&db, "last"));
            saved?;
            Ok(updated?.affected)
        }))
        .await;
        assert_eq!(done?, 100_000);
        assert!(turns > 0);
        assert_eq!(count(&db).await?, 100_001);
        Ok(())
    })
}

#[relata::test]
fn a_long_read_that_is_given_up_is_stopped_and_the_next_one_is_not() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("given-up");
        let db = planets(&file.url()).await?;
        many(&db).await?;
        // Ten thousand million rows: it would run for many minutes.
        let endless = db.fetch_sql(slow());
        let limited = tokio::time::timeout(std::time::Duration::from_millis(50), endless);
        assert!(limited.await.is_err());
        while db.figures().readers > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        // Sixteen readers take turns, so one of these has the connection that was stopped.
        for _ in 0..20 {
            check(&all(&db).await?)?;
        }
        // Inside a transaction: its connection is stopped, and the transaction goes on.
        db.transaction(async || {
            save(&db, "inside").await?;
            let endless = db.fetch_sql(slow());
            let limited = tokio::time::timeout(std::time::Duration::from_millis(50), endless);
            assert!(limited.await.is_err());
            assert_eq!(all(&db).await?.len(), MANY + 1);
            save(&db, "after").await
        })
        .await?;
        assert_eq!(count(&db).await?, 100_002);
        assert_eq!((db.figures().writers, db.figures().readers), (0, 0));
        Ok(())
    })
}

#[relata::test]
fn a_transaction_that_is_dropped_while_its_statement_runs_aside_is_rolled_back() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("dropped-aside");
        let db = planets(&file.url()).await?;
        save(&db, "before").await?;
        for nested in [false, true] {
            let work = async {
                db.transaction(async || {
                    save(&db, "lost").await?;
                    if nested {
                        let mut inner = db.transaction(async || many(&db).await);
                        // Begins, runs the INSERT aside, and is dropped there.
                        for _ in 0..2 {
                            let poll = std::future::poll_fn(|context| {
                                Poll::Ready(std::pin::Pin::new(&mut inner).poll(context))
                            });
                            assert!(poll.await.is_pending());
                        }
                        drop(inner);
                        // The level is undone before this one runs.
                        assert_eq!(names(&db).await?, ["before", "lost"]);
                        save(&db, "stays").await
                    } else {
                        many(&db).await
                    }
                })
                .await
            };
            if nested {
                work.await?;
                assert_eq!(names(&db).await?, ["before", "lost", "stays"]);
            } else {
                let mut work = std::pin::pin!(work);
                let poll = std::future::poll_fn(|context| Poll::Ready(work.as_mut().poll(context)));
                assert!(poll.await.is_pending());
                // The body has come to its long statement, or comes to it now.
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                let poll = std::future::poll_fn(|context| Poll::Ready(work.as_mut().poll(context)));
                let _ = poll.await;
            }
        }
        assert!(!db.in_transaction());
        save(&db, "next").await?;
        assert_eq!(names(&db).await?, ["before", "lost", "stays", "next"]);
        assert_eq!((db.figures().writers, db.figures().readers), (0, 0));
        Ok(())
    })
}

/// Each key was looked for among all the rows: so many took longer than anybody waits.
#[relata::test]
fn a_hundred_thousand_keys_are_found_in_their_order_each_once() -> Result<()> {
    relata::run(async {
        let db = planets("sqlite::memory:").await?;
        many(&db).await?;
        let key = |id: usize| vec![Value::from(i64::try_from(id).unwrap())];
        let keys: Vec<_> = (1..=MANY).rev().chain([7, 7]).map(key).collect();
        let mut found = Relation::of(model(), &db).find_keys(keys).await?;
        found.reverse();
        check(&found)
    })
}
