//! Transactions, the writers' queue, dropped futures, faults: what stays of rows, memory and connections.

mod planets;

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use planets::{TempFile, count, names, planet, planets, save};
use relata::{Db, Error, ErrorKind, Options, Raw, Result};

/// Polls a future a number of times, then drops it.
async fn limited<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        let poll = std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
        if let Poll::Ready(output) = poll {
            return Some(output);
        }
        // What it waits for runs elsewhere: give it a chance.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    None
}

fn rollback() -> Error {
    Error::new(ErrorKind::Rollback, "on purpose")
}

#[relata::test]
fn an_inner_level_rolls_back_alone() -> Result<()> {
    relata::run(async {
        let db = planets("sqlite::memory:").await?;
        let (outer, inner, last) = (
            planet(&db, "outer")?,
            planet(&db, "inner")?,
            planet(&db, "last")?,
        );
        let capture = db.capture();
        db.transaction(async || {
            outer.save().await?;
            let failed: Result<()> = db
                .transaction(async || {
                    inner.save().await?;
                    outer.set("name", "renamed")?;
                    outer.save().await?;
                    Err(rollback())
                })
                .await;
            assert!(failed.unwrap_err().is_rollback());
            assert!(inner.is_new_record());
            assert!(outer.is_persisted());
            assert_eq!(
                outer.changed(),
                ["name"],
                "what was set stays set, and is unsaved again"
            );
            outer.restore_attributes();
            last.save().await
        })
        .await?;
        let controls: Vec<String> = capture
            .events()
            .iter()
            .filter(|event| event.purpose == relata::db::Purpose::Transaction)
            .map(|event| event.text.to_string())
            .collect();
        assert_eq!(
            controls,
            [
                "BEGIN IMMEDIATE",
                "SAVEPOINT relata_1",
                "ROLLBACK TO SAVEPOINT relata_1",
                "RELEASE SAVEPOINT relata_1",
                "COMMIT"
            ]
        );
        assert_eq!(names(&db).await?, ["outer", "last"]);
        assert_eq!(db.figures().writers, 0);
        Ok(())
    })
}

#[relata::test]
fn an_outer_rollback_takes_a_released_level_with_it() -> Result<()> {
    relata::run(async {
        let db = planets("sqlite::memory:").await?;
        let inner = planet(&db, "inner")?;
        let failed: Result<()> = db
            .transaction(async || {
                db.transaction(async || inner.save().await).await?;
                assert!(inner.is_persisted());
                Err(rollback())
            })
            .await;
        assert!(failed.is_err());
        assert!(inner.is_new_record());
        assert_eq!(inner.get("id")?, relata::Value::Null);
        assert_eq!(count(&db).await?, 0);
        Ok(())
    })
}

#[relata::test]
fn a_future_dropped_at_any_poll_leaves_nothing_behind() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("dropped");
        for url in ["sqlite::memory:".to_owned(), file.url()] {
            let db = planets(&url).await?;
            let mut acknowledged = 0;
            for polls in 0..40 {
                let (one, two) = (planet(&db, "one")?, planet(&db, "two")?);
                let work = db.transaction(async || {
                    one.save().await?;
                    tokio::task::yield_now().await;
                    db.transaction(async || {
                        tokio::task::yield_now().await;
                        two.save().await
                    })
                    .await?;
                    tokio::task::yield_now().await;
                    Ok(())
                });
                let done = limited(work, polls).await;
                // The next caller is served, and its write stays.
                save(&db, "next").await?;
                acknowledged += 1;
                let stayed = names(&db).await?;
                let (ones, twos) = (
                    planets::times(&stayed, "one"),
                    planets::times(&stayed, "two"),
                );
                assert_eq!(ones, twos, "all or nothing, after {polls} polls");
                assert_eq!(planets::times(&stayed, "next"), acknowledged);
                assert_eq!(one.is_persisted(), two.is_persisted());
                if let Some(done) = done {
                    done?;
                    assert!(one.is_persisted());
                }
                assert_eq!(db.figures().writers, 0, "after {polls} polls");
                assert!(!db.in_transaction());
            }
        }
        Ok(())
    })
}

#[relata::test]
fn a_statement_that_fails_at_any_place_leaves_rows_and_memory_as_they_were() -> Result<()> {
    relata::run(async {
        let db = planets("sqlite::memory:").await?;
        for nth in 1.. {
            let (one, two) = (planet(&db, "one")?, planet(&db, "two")?);
            db.faults().fail_nth(nth, ErrorKind::DiskFull);
            let done = db
                .transaction(async || {
                    one.save().await?;
                    db.transaction(async || two.save().await).await
                })
                .await;
            db.faults().clear();
            if done.is_ok() {
                assert_eq!(nth, 7, "BEGIN, INSERT, SAVEPOINT, INSERT, RELEASE, COMMIT");
                break;
            }
            assert_eq!(done.unwrap_err().kind(), ErrorKind::DiskFull);
            assert!(one.is_new_record() && two.is_new_record());
            assert_eq!(count(&db).await?, 0, "statement {nth}");
            assert_eq!(db.figures().writers, 0);
        }
        assert_eq!(names(&db).await?, ["one", "two"]);
        Ok(())
    })
}

#[relata::test]
fn siblings_in_one_transaction_wait_for_each_other() -> Result<()> {
    relata::run(async {
        let db = planets("sqlite::memory:").await?;
        db.transaction(async || {
            let level = |name: &'static str, fails: bool| {
                let db = db.clone();
                async move {
                    let inside = db.clone();
                    db.transaction(async move || {
                        save(&inside, name).await?;
                        tokio::task::yield_now().await;
                        save(&inside, name).await?;
                        if fails { Err(rollback()) } else { Ok(()) }
                    })
                    .await
                }
            };
            let (good, bad, also) = tokio::join!(
                level("good", false),
                level("bad", true),
                level("also", false)
            );
            good?;
            also?;
            assert!(bad.unwrap_err().is_rollback());
            Ok(())
        })
        .await?;
        assert_eq!(names(&db).await?, ["good", "good", "also", "also"]);
        Ok(())
    })
}

#[relata::test]
fn two_databases_do_not_hide_each_other() -> Result<()> {
    relata::run(async {
        let (one, two) = (
            planets("sqlite::memory:").await?,
            planets("sqlite::memory:").await?,
        );
        let failed: Result<()> = one
            .transaction(async || {
                save(&one, "a").await?;
                two.transaction(async || {
                    assert!(one.in_transaction() && two.in_transaction());
                    save(&one, "b").await?;
                    save(&two, "c").await
                })
                .await?;
                assert!(!two.in_transaction());
                Err(rollback())
            })
            .await;
        assert!(failed.is_err());
        assert_eq!(count(&one).await?, 0);
        assert_eq!(names(&two).await?, ["c"]);
        Ok(())
    })
}

#[relata::test]
fn a_wait_for_the_writer_ends_and_names_its_holder() -> Result<()> {
    relata::run(async {
        let db = Db::connect_with(
            "sqlite::memory:",
            Options::new().deadline(Duration::from_millis(50)),
        )
        .await?;
        planets::create(&db).await?;
        let (open, opened) = tokio::sync::oneshot::channel();
        let (close, closed) = tokio::sync::oneshot::channel::<()>();
        let holder = db.clone();
        let line = line!() + 3;
        let held = tokio::spawn(async move {
            holder
                .transaction(async || {
                    open.send(()).unwrap();
                    closed.await.map_err(Error::other)
                })
                .await
        });
        opened.await.unwrap();
        let error = save(&db, "late").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LockWaitTimeout);
        let named = format!("tests/transactions.rs:{line}");
        let near = (line..line + 3).any(|line| {
            error
                .to_string()
                .contains(&format!("tests/transactions.rs:{line}"))
        });
        assert!(near, "{error} does not name {named}");
        close.send(()).unwrap();
        held.await.unwrap()?;
        save(&db, "now").await?;
        assert_eq!(names(&db).await?, ["now"]);
        Ok(())
    })
}

#[relata::test]
fn sixteen_tasks_write_without_a_busy_error() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let file = TempFile::new("writers");
        let db = planets(&file.url()).await?;
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move {
                    for _ in 0..20 {
                        db.transaction(async || save(&db, "x").await).await?;
                    }
                    Ok::<(), Error>(())
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap()?;
        }
        assert_eq!(count(&db).await?, 320);
        assert_eq!(db.figures().writers, 0);
        Ok(())
    })
}

#[relata::test]
fn another_process_lock_is_waited_for() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("busy");
        let (db, other) = (planets(&file.url()).await?, Db::connect(&file.url()).await?);
        let (open, opened) = tokio::sync::oneshot::channel();
        let held = tokio::spawn(async move {
            other
                .transaction(async || {
                    save(&other, "first").await?;
                    open.send(()).unwrap();
                    tokio::time::sleep(Duration::from_millis(30)).await;
                    Ok(())
                })
                .await
        });
        opened.await.unwrap();
        save(&db, "second").await?;
        held.await.unwrap()?;
        assert_eq!(names(&db).await?, ["first", "second"]);
        Ok(())
    })
}

#[relata::test]
fn a_long_read_gives_exact_rows_and_does_not_hold_the_thread() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("long");
        let db = planets(&file.url()).await?;
        db.execute_sql(Raw::new(
            "INSERT INTO planets (name) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT 'p' || i FROM n",
        ))
        .await?;
        let ticks = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counted = ticks.clone();
        let ticker = tokio::spawn(async move {
            loop {
                counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        });
        let all = relata::Relation::of(planets::model(), &db)
            .order_by("id desc")?
            .await?;
        ticker.abort();
        assert_eq!(all.len(), 200_000);
        assert_eq!(all[0].get("name")?, relata::Value::from("p200000"));
        assert_eq!(all[199_999].get("name")?, relata::Value::from("p1"));
        assert!(
            ticks.load(std::sync::atomic::Ordering::Relaxed) > 0,
            "another task ran meanwhile"
        );
        Ok(())
    })
}

#[relata::test]
fn hooks_run_once_after_the_outermost_commit() -> Result<()> {
    relata::run(async {
        let db = planets("sqlite::memory:").await?;
        let ran = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let hook = |name: &'static str| {
            let ran = ran.clone();
            move || async move { ran.lock().unwrap().push(name) }
        };
        db.after_commit(hook("at once")).await?;
        db.transaction(async || {
            db.after_commit(hook("outer")).await?;
            let _: Result<()> = db
                .transaction(async || {
                    db.after_commit(hook("lost")).await?;
                    Err(rollback())
                })
                .await;
            db.transaction(async || {
                db.after_commit(hook("inner")).await?;
                Ok(())
            })
            .await?;
            assert_eq!(*ran.lock().unwrap(), ["at once"]);
            Ok(())
        })
        .await?;
        assert_eq!(*ran.lock().unwrap(), ["at once", "outer", "inner"]);
        Ok(())
    })
}

#[relata::test]
fn constraint_failures_are_classified() -> Result<()> {
    relata::run(async {
        let db = Db::connect("sqlite::memory:").await?;
        for text in [
            "CREATE TABLE a (id INTEGER PRIMARY KEY)",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, u TEXT UNIQUE, n TEXT NOT NULL, c INTEGER CHECK (c > 0), a INTEGER REFERENCES a (id))",
            "INSERT INTO t VALUES (1, 'x', 'n', 1, NULL)",
        ] {
            db.execute_sql(Raw::new(text)).await?;
        }
        let cases = [
            (
                "INSERT INTO t VALUES (2, 'x', 'n', 1, NULL)",
                ErrorKind::RecordNotUnique,
                Some("u"),
            ),
            (
                "INSERT INTO t VALUES (1, 'y', 'n', 1, NULL)",
                ErrorKind::RecordNotUnique,
                Some("id"),
            ),
            (
                "INSERT INTO t VALUES (2, 'y', NULL, 1, NULL)",
                ErrorKind::NotNullViolation,
                Some("n"),
            ),
            (
                "INSERT INTO t VALUES (2, 'y', 'n', 0, NULL)",
                ErrorKind::CheckViolation,
                None,
            ),
            (
                "INSERT INTO t VALUES (2, 'y', 'n', 1, 7)",
                ErrorKind::InvalidForeignKey,
                None,
            ),
            (
                "INSERT INTO nowhere VALUES (1)",
                ErrorKind::StatementInvalid,
                None,
            ),
            ("SELEKT", ErrorKind::StatementInvalid, None),
        ];
        for (text, kind, attribute) in cases {
            let error = db.execute_sql(Raw::new(text)).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{text}: {error}");
            assert_eq!(error.attribute(), attribute, "{text}");
            assert_eq!(error.sql(), Some(text));
        }
        Ok(())
    })
}
