//! On which terms transactions run: reading only, isolation, errors of one's own, and what runs after they end.

mod planets;

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use planets::{TempFile, count, names, planet, planets, save};
use relata::{Error, ErrorKind, Isolation, Raw, Result, UnlessRolledBack, Value};

fn rollback() -> Error {
    Error::new(ErrorKind::Rollback, "on purpose")
}

#[relata::test]
fn a_transaction_that_reads_sees_one_state_and_does_not_take_the_writer() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("snapshot");
        let db = planets(&file.url()).await?;
        save(&db, "before").await?;
        let writes = db.clone();
        let capture = db.capture();
        let (seen, after) = db
            .read_only(async || {
                let mut seen = vec![names(&db).await?];
                assert_eq!((db.figures().writers, db.figures().readers), (0, 1));
                // Another task writes meanwhile, and commits.
                tokio::spawn(async move { save(&writes, "meanwhile").await })
                    .await
                    .unwrap()?;
                seen.push(names(&db).await?);
                // An inner level sees the same.
                db.transaction(async || {
                    seen.push(names(&db).await?);
                    Ok(())
                })
                .await?;
                assert_eq!(count(&db).await?, 1);
                Ok((seen, db.in_transaction()))
            })
            .await?;
        assert_eq!(seen, [["before"], ["before"], ["before"]]);
        assert!(after);
        assert_eq!(names(&db).await?, ["before", "meanwhile"]);
        let begun: Vec<String> = capture
            .events()
            .iter()
            .filter(|event| event.text.starts_with("BEGIN"))
            .map(|event| event.text.to_string())
            .collect();
        assert_eq!(begun, ["BEGIN"]);
        assert_eq!(db.figures().readers, 0);
        Ok(())
    })
}

#[relata::test]
fn a_transaction_that_reads_refuses_every_write() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("refused-write");
        for url in ["sqlite::memory:".to_owned(), file.url()] {
            let db = planets(&url).await?;
            let unsaved = planet(&db, "unsaved")?;
            db.read_only(async || {
                let insert = Raw::new("INSERT INTO planets (name) VALUES ('x') RETURNING id");
                let refused = [
                    unsaved.save().await.unwrap_err(),
                    db.execute_sql(insert.clone()).await.unwrap_err(),
                    // It says that it reads, and does not.
                    db.fetch_sql(insert).await.unwrap_err(),
                    db.transaction(async || unsaved.save().await)
                        .await
                        .unwrap_err(),
                ];
                for error in refused {
                    assert_eq!(error.kind(), ErrorKind::ReadOnlyDatabase, "{error}");
                }
                assert_eq!(count(&db).await?, 0);
                Ok(())
            })
            .await?;
            assert!(unsaved.is_new_record());
            // An inner one that reads, in one that writes.
            db.transaction(async || {
                unsaved.save().await?;
                let refused = db.read_only(async || save(&db, "refused").await).await;
                assert_eq!(refused.unwrap_err().kind(), ErrorKind::ReadOnlyDatabase);
                save(&db, "also").await
            })
            .await?;
            assert_eq!(names(&db).await?, ["unsaved", "also"]);
        }
        Ok(())
    })
}

#[relata::test]
fn isolation_is_what_the_database_has_and_nothing_else() -> Result<()> {
    relata::run(async {
        let db = planets("sqlite::memory:").await?;
        db.transaction(async || save(&db, "serial").await)
            .isolation(Isolation::Serializable)
            .await?;
        for isolation in [
            Isolation::ReadUncommitted,
            Isolation::ReadCommitted,
            Isolation::RepeatableRead,
        ] {
            let error = db
                .transaction(async || save(&db, "never").await)
                .isolation(isolation)
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert_eq!(
                error.to_string(),
                format!("SQLite has no isolation level {isolation:?}: it has [Serializable]")
            );
        }
        let inner = db
            .transaction(async || {
                db.transaction(async || Ok(()))
                    .isolation(Isolation::Serializable)
                    .await
            })
            .await;
        assert_eq!(inner.unwrap_err().kind(), ErrorKind::Unsupported);
        let capabilities = db.capabilities().unwrap();
        assert_eq!(capabilities.isolation, [Isolation::Serializable]);
        assert!(capabilities.one_connection && capabilities.bind_limit > 999);
        assert!(relata::Db::detached().capabilities().is_none());
        assert_eq!(names(&db).await?, ["serial"]);
        Ok(())
    })
}

#[derive(Debug)]
enum Refused {
    Database(Error),
    TooFar(u32),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

#[relata::test]
fn an_error_of_ones_own_rolls_back_and_comes_out_as_it_is() -> Result<()> {
    relata::run(async {
        let db = planets("sqlite::memory:").await?;
        let far = planet(&db, "far")?;
        let refused = db
            .transaction_with::<Refused, (), _>(async || {
                far.save().await?;
                Err(Refused::TooFar(7))
            })
            .await;
        assert!(matches!(refused, Err(Refused::TooFar(7))));
        assert!(far.is_new_record());
        db.faults().fail_nth(1, ErrorKind::DiskFull);
        let failed = db
            .transaction_with(async || Ok::<_, Refused>(far.save().await?))
            .await;
        db.faults().clear();
        assert!(
            matches!(failed, Err(Refused::Database(error)) if error.kind() == ErrorKind::DiskFull)
        );
        db.transaction_with(async || Ok::<_, Refused>(far.save().await?))
            .await
            .unwrap();
        assert_eq!(names(&db).await?, ["far"]);
        Ok(())
    })
}

#[relata::test]
fn a_rollback_on_purpose_is_no_error_where_one_says_so() -> Result<()> {
    relata::run(async {
        let db = planets("sqlite::memory:").await?;
        let outcome = |error: Option<ErrorKind>| {
            let db = db.clone();
            async move {
                db.transaction(async || {
                    save(&db, "x").await?;
                    match error {
                        Some(kind) => Err(Error::new(kind, "")),
                        None => Ok(1),
                    }
                })
                .await
                .unless_rolled_back()
            }
        };
        assert_eq!(outcome(None).await?, Some(1));
        assert_eq!(outcome(Some(ErrorKind::Rollback)).await?, None);
        let other = outcome(Some(ErrorKind::Argument)).await.unwrap_err();
        assert_eq!(other.kind(), ErrorKind::Argument);
        assert_eq!(count(&db).await?, 1);
        Ok(())
    })
}

#[relata::test]
fn hooks_run_once_for_the_way_their_level_ended() -> Result<()> {
    relata::run(async {
        let db = planets("sqlite::memory:").await?;
        let ran: Arc<Mutex<Vec<&'static str>>> = Arc::default();
        let hook = |name: &'static str| {
            let (ran, db) = (ran.clone(), db.clone());
            // They can use the database: nothing is open any more.
            move || async move {
                let stands = count(&db).await.unwrap();
                assert!(!db.in_transaction(), "{name}: {stands}");
                ran.lock().unwrap().push(name);
            }
        };
        let take = || std::mem::take(&mut *ran.lock().unwrap());
        db.after_rollback(hook("never: nothing is open"));

        db.transaction(async || {
            db.after_commit(hook("committed")).await?;
            db.after_rollback(hook("never: it was committed"));
            Ok(())
        })
        .await?;
        assert_eq!(take(), ["committed"]);

        let failed: Result<()> = db
            .transaction(async || {
                db.after_commit(hook("never: it was rolled back")).await?;
                db.after_rollback(hook("outer"));
                db.transaction(async || {
                    db.after_rollback(hook("released inner"));
                    Ok(())
                })
                .await?;
                Err(rollback())
            })
            .await;
        assert!(failed.is_err());
        assert_eq!(take(), ["outer", "released inner"]);

        // A COMMIT that fails is a rollback.
        db.faults().fail_nth(2, ErrorKind::DiskFull);
        let failed = db
            .transaction(async || {
                db.after_commit(hook("never: COMMIT failed")).await?;
                db.after_rollback(hook("COMMIT failed"));
                Ok(())
            })
            .await;
        db.faults().clear();
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::DiskFull);
        assert_eq!(take(), ["COMMIT failed"]);

        // A dropped future, too.
        let mut dropped = db.transaction(async || {
            db.after_rollback(hook("dropped"));
            std::future::pending::<Result<()>>().await
        });
        let poll = std::future::poll_fn(|context| {
            Poll::Ready(std::pin::Pin::new(&mut dropped).poll(context))
        });
        assert!(poll.await.is_pending());
        drop(dropped);
        while ran.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(take(), ["dropped"]);
        Ok(())
    })
}

#[relata::test]
fn a_savepoint_that_is_rolled_back_runs_its_own_hooks_while_the_outer_one_goes_on() -> Result<()> {
    relata::run(async {
        let db = planets("sqlite::memory:").await?;
        let ran: Arc<Mutex<Vec<&'static str>>> = Arc::default();
        let hook = |name: &'static str| {
            let ran = ran.clone();
            move || async move { ran.lock().unwrap().push(name) }
        };
        db.transaction(async || {
            db.after_rollback(hook("never"));
            let failed: Result<()> = db
                .transaction(async || {
                    db.after_rollback(hook("inner"));
                    Err(rollback())
                })
                .await;
            assert!(failed.is_err());
            assert_eq!(*ran.lock().unwrap(), ["inner"]);
            Ok(())
        })
        .await?;
        assert_eq!(*ran.lock().unwrap(), ["inner"]);
        Ok(())
    })
}

#[relata::test]
fn a_hook_that_panics_stops_no_other_and_the_commit_stands() -> Result<()> {
    relata::run(async {
        let db = planets("sqlite::memory:").await?;
        let ran = Arc::new(Mutex::new(0));
        let planet = planet(&db, "stands")?;
        let counted = ran.clone();
        let error = db
            .transaction(async || {
                planet.save().await?;
                db.after_commit(|| async { panic!("on purpose") }).await?;
                db.after_commit(move || async move { *counted.lock().unwrap() += 1 })
                    .await?;
                Ok(())
            })
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PostCommit);
        assert_eq!(
            error.to_string(),
            "the commit stands, and 1 of its hooks failed"
        );
        assert_eq!(*ran.lock().unwrap(), 1);
        assert!(planet.is_persisted());
        assert_eq!(names(&db).await?, ["stands"]);
        Ok(())
    })
}

#[relata::test]
fn rows_of_ones_own_sql_have_values_by_name() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("rows");
        for url in ["sqlite::memory:".to_owned(), file.url()] {
            let db = planets(&url).await?;
            save(&db, "Mars").await?;
            let sql = "SELECT id, name, 1.5 AS size, NULL AS moons, x'00ff' AS code, name FROM planets WHERE name = ?";
            relata::assert_sql!(db, [sql], {
                let rows = db.fetch_sql(Raw::new(sql).bind("Mars")).await?;
                assert_eq!(rows.len(), 1);
                let names: Vec<&str> = rows[0].names().collect();
                assert_eq!(names, ["id", "name", "size", "moons", "code", "name"]);
                assert_eq!(rows[0].get("id"), Some(&Value::Int(1)));
                assert_eq!(rows[0].get("name"), Some(&Value::from("Mars")));
                assert_eq!(rows[0].get("size"), Some(&Value::Float(1.5)));
                assert_eq!(rows[0].get("moons"), Some(&Value::Null));
                assert_eq!(
                    rows[0].get("code"),
                    Some(&Value::Bytes(vec![0, 255].into()))
                );
                assert_eq!(rows[0].get("rings"), None);
                assert_eq!(rows[0].values().len(), 6);
            });
            let none = db.fetch_sql(Raw::new(sql).bind("Venus")).await?;
            assert!(none.is_empty());
            for wrong in [
                Raw::new("SELECT 1").bind(1),
                Raw::new("SELECT ?"),
                Raw::new("SELECT '?'").bind(1),
            ] {
                let error = db.fetch_sql(wrong).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Argument, "{error}");
            }
        }
        Ok(())
    })
}

/// A transaction can be moved to another task, and may borrow what it does not own where it is awaited.
#[relata::test]
fn a_transaction_is_a_named_future_that_can_be_sent() -> Result<()> {
    fn sent<F: Future + Send + 'static>(future: F) -> F {
        future
    }
    relata::run(async {
        let db = planets("sqlite::memory:").await?;
        let inside = db.clone();
        let transaction: relata::Transaction<_> =
            db.transaction(async move || save(&inside, "sent").await);
        assert!(
            format!("{transaction:?}")
                .starts_with("Transaction(crates/relata/tests/transaction_terms.rs:")
        );
        tokio::spawn(sent(transaction)).await.unwrap()?;
        let borrowed = String::from("borrowed");
        db.transaction(async || save(&db, &borrowed).await).await?;
        assert_eq!(names(&db).await?, ["sent", "borrowed"]);
        Ok(())
    })
}
