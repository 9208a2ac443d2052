//! Connections that are lost: before a statement is sent, and after it was sent and before its answer came.

mod planets;

use std::future::IntoFuture;
use std::pin::pin;
use std::task::Poll;

use planets::{TempFile, count, names, planet, planets, save};
use relata::{ErrorKind, Raw, Record, Result};

fn is_in_doubt(record: &Record) -> impl Future<Output = bool> + use<> {
    let (saved, name) = (record.clone(), record.reflection().name());
    async move {
        match saved.save().await {
            Err(error) if error.kind() == ErrorKind::CommitOutcomeUnknown => {
                assert_eq!(
                    error.to_string(),
                    format!(
                        "whether the last write of this {name} happened is not known: reload it before saving it again"
                    )
                );
                assert!(error.erased_record().unwrap().is(&saved));
                true
            }
            other => {
                other.unwrap();
                false
            }
        }
    }
}

#[relata::test]
fn a_connection_that_is_cut_before_a_statement_is_another_one_at_the_next() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("cut");
        let db = planets(&file.url()).await?;
        let lost = planet(&db, "lost")?;
        db.faults().cut_nth(1);
        let error = lost.save().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionNotEstablished);
        db.faults().clear();
        assert!(lost.is_new_record());
        assert_eq!(count(&db).await?, 0);
        lost.save().await?;
        // The same of a read.
        for answer in [false, true] {
            if answer {
                db.faults().cut_answer_of_nth(1);
            } else {
                db.faults().cut_nth(1);
            }
            let error = names(&db).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionNotEstablished);
            db.faults().clear();
            assert_eq!(names(&db).await?, ["lost"]);
        }
        assert_eq!((db.figures().writers, db.figures().readers), (0, 0));
        Ok(())
    })
}

#[relata::test]
fn a_write_without_an_answer_leaves_its_record_in_doubt() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("doubt");
        let db = planets(&file.url()).await?;
        let planet = planet(&db, "before")?;
        planet.save().await?;
        planet.set("name", "after")?;
        db.faults().cut_answer_of_nth(1);
        let error = planet.save().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CommitOutcomeUnknown);
        assert!(error.erased_record().unwrap().is(&planet));
        db.faults().clear();
        // It happened; the record does not know, and does not try again.
        assert_eq!(names(&db).await?, ["after"]);
        assert_eq!(planet.changed(), ["name"]);
        assert!(is_in_doubt(&planet).await);
        planet.reload().await?;
        assert!(!planet.is_changed());
        planet.set("name", "again")?;
        assert!(!is_in_doubt(&planet).await);
        assert_eq!(names(&db).await?, ["again"]);
        Ok(())
    })
}

#[relata::test]
fn a_commit_without_an_answer_leaves_all_its_records_in_doubt() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("commit-doubt");
        let db = planets(&file.url()).await?;
        let (old, new) = (planet(&db, "old")?, planet(&db, "new")?);
        old.save().await?;
        old.set("name", "older")?;
        let ran = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let (committed, undone) = (ran.clone(), ran.clone());
        // BEGIN, UPDATE, SAVEPOINT, INSERT, RELEASE, COMMIT
        db.faults().cut_answer_of_nth(6);
        let error = db
            .transaction(async || {
                db.after_commit(move || async move {
                    committed.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                })
                .await?;
                db.after_rollback(move || async move {
                    undone.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                });
                old.save().await?;
                db.transaction(async || new.save().await).await
            })
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CommitOutcomeUnknown);
        db.faults().clear();
        assert_eq!(names(&db).await?, ["older", "new"], "it happened");
        assert_eq!(
            ran.load(std::sync::atomic::Ordering::SeqCst),
            0,
            "neither a commit nor a rollback is known"
        );
        old.set("name", "oldest")?;
        new.set("name", "newest")?;
        assert!(is_in_doubt(&old).await && is_in_doubt(&new).await);
        assert_eq!(names(&db).await?, ["older", "new"]);
        for record in [&old, &new] {
            record.reload().await?;
            record.set("name", "known")?;
            assert!(!is_in_doubt(record).await);
        }
        assert_eq!(names(&db).await?, ["known", "known"]);
        assert_eq!((db.figures().writers, db.figures().readers), (0, 0));
        Ok(())
    })
}

#[relata::test]
fn a_transaction_whose_connection_is_cut_at_any_place_is_rolled_back_or_in_doubt() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("cut-anywhere");
        let db = planets(&file.url()).await?;
        let mut stayed = 0;
        for answer in [false, true] {
            for nth in 1..=6 {
                let (one, two) = (planet(&db, "one")?, planet(&db, "two")?);
                if answer {
                    db.faults().cut_answer_of_nth(nth);
                } else {
                    db.faults().cut_nth(nth);
                }
                let done = db
                    .transaction(async || {
                        // Whoever goes on after an error finds the transaction over, and cannot commit.
                        let first = one.save().await;
                        let second = db.transaction(async || two.save().await).await;
                        if nth == 2 {
                            assert!(first.is_err() && second.is_err());
                        }
                        Ok(())
                    })
                    .await;
                db.faults().clear();
                let error = done.unwrap_err();
                let place = format!("statement {nth}, answer {answer}: {error}");
                if nth == 6 && answer {
                    assert_eq!(error.kind(), ErrorKind::CommitOutcomeUnknown, "{place}");
                    stayed += 2;
                } else {
                    assert!(one.is_new_record() && two.is_new_record(), "{place}");
                    assert_eq!(one.get("id")?, relata::Value::Null, "{place}");
                }
                assert_eq!(count(&db).await?, stayed, "{place}");
                assert_eq!(db.figures().writers, 0, "{place}");
                // The next caller is unharmed.
                save(&db, "next").await?;
                stayed += 1;
            }
        }
        Ok(())
    })
}

#[relata::test]
fn a_database_in_memory_is_gone_with_its_connection() -> Result<()> {
    relata::run(async {
        let db = planets("sqlite::memory:").await?;
        db.faults().cut_nth(1);
        assert!(save(&db, "lost").await.is_err());
        db.faults().clear();
        let error = save(&db, "late").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionNotEstablished);
        assert!(
            error.to_string().contains("the database with it"),
            "{error}"
        );
        assert_eq!(db.figures().writers, 0);
        Ok(())
    })
}

/// A save outside a transaction goes to the blocking pool; its future was dropped there, the row was written, and the
/// record counted as new: saving it again wrote the row twice, without a word.
#[relata::test]
fn a_save_whose_future_was_dropped_on_the_way_is_not_written_twice() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("dropped-save");
        let db = planets(&file.url()).await?;
        let planet = planet(&db, "once")?;
        let mut save = planet.save();
        let poll = std::future::poll_fn(|context| {
            std::task::Poll::Ready(std::pin::Pin::new(&mut save).poll(context))
        });
        assert!(poll.await.is_pending(), "it is on the blocking pool");
        drop(save);
        assert!(is_in_doubt(&planet).await);
        // Behind the first write, which ran to its end.
        db.execute_sql(Raw::new("UPDATE planets SET name = 'found'"))
            .await?;
        assert_eq!(names(&db).await?, ["found"]);
        Ok(())
    })
}

#[relata::test]
fn a_single_column_write_without_an_answer_leaves_its_record_in_doubt() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("doubt-columns");
        let db = planets(&file.url()).await?;
        let planet = planet(&db, "before")?;
        planet.save().await?;
        let lost = |record: &Record, write: relata::Pending<()>| {
            let (db, record) = (db.clone(), record.clone());
            async move {
                db.faults().cut_answer_of_nth(1);
                let error = write.await.unwrap_err();
                db.faults().clear();
                assert!(error.is_commit_outcome_unknown(), "{error:?}");
                assert!(error.erased_record().is_some_and(|one| one.is(&record)));
                // It would be added a second time, or written over what others wrote.
                for again in [
                    record.increment("id", 1).await,
                    record.decrement("id", 1).await,
                    record.update_columns([("name", "again".into())]).await,
                ] {
                    assert!(again.unwrap_err().is_commit_outcome_unknown());
                }
                assert!(is_in_doubt(&record).await);
            }
        };
        lost(&planet, planet.update_columns([("name", "after".into())])).await;
        assert_eq!(names(&db).await?, ["after"]);
        planet.reload().await?;
        assert_eq!(planet.get("name")?, "after".into());
        lost(&planet, planet.increment("id", 10)).await;
        let moved = relata::Relation::of(planets::model(), &db)
            .first()
            .await?
            .unwrap();
        assert_eq!(moved.get("id")?, 11.into(), "it happened once");
        Ok(())
    })
}

/// What a failed delete meets says nothing of the write before it.
#[relata::test]
fn a_delete_that_fails_leaves_the_doubt_of_an_earlier_write() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("doubt-delete");
        let db = planets(&file.url()).await?;
        let planet = planet(&db, "before")?;
        planet.save().await?;
        planet.set("name", "after")?;
        db.faults().cut_answer_of_nth(1);
        assert!(planet.save().await.unwrap_err().is_commit_outcome_unknown());
        db.faults().clear();
        for delete in [Record::delete, Record::destroy] {
            db.faults().fail_nth(1, ErrorKind::InvalidForeignKey);
            assert!(delete(&planet).await.is_err());
            db.faults().clear();
            assert!(is_in_doubt(&planet).await);
        }
        planet.delete().await?;
        assert_eq!(count(&db).await?, 0);
        Ok(())
    })
}

/// A copy would be saved a second time.
#[relata::test]
fn a_copy_of_a_record_in_doubt_is_in_doubt() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("doubt-copy");
        let db = planets(&file.url()).await?;
        let planet = planet(&db, "once")?;
        db.faults().cut_answer_of_nth(1);
        assert!(planet.save().await.unwrap_err().is_commit_outcome_unknown());
        db.faults().clear();
        assert!(is_in_doubt(&planet.compact()).await);
        assert_eq!(names(&db).await?, ["once"]);
        Ok(())
    })
}

/// The task that commits was dropped before it was polled, and told nobody.
#[relata::test]
fn a_runtime_that_ends_before_the_commit_leaves_a_doubt() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let lost = runtime.block_on(async {
        let db = planets("sqlite::memory:").await?;
        let lost = planet(&db, "lost")?;
        {
            let mut transaction = pin!(db.transaction(async || lost.save().await).into_future());
            let committed = std::future::poll_fn(|context| {
                Poll::Ready(transaction.as_mut().poll(context).is_ready())
            });
            assert!(!committed.await, "the commit has no task of its own");
        }
        Ok::<_, relata::Error>(lost)
    })?;
    assert!(lost.is_persisted());
    drop(runtime);
    relata::run(async {
        assert!(is_in_doubt(&lost).await);
        Ok(())
    })
}
