//! One record in the hands of several tasks: what each pair of operations leaves in the row and in memory.
//!
//! The database is a file, whose writes wait on another thread; where a save must be in the middle, its statement is
//! delayed.

#![allow(unreachable_pub, missing_docs)]

mod sweep;

use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use relata::{Db, Error, ErrorKind, Options, Pending, Result, model};
use sweep::{limited, polled, rollback, settled};

#[model]
pub struct Note {
    id: i64,
    title: String,
    body: Option<String>,
    #[column(default = 0)]
    reads: i64,
}

async fn saved_note(db: &Db) -> Result<Note> {
    db.create_tables([Note::reflection()]).await?;
    Note::create(db, |n| n.set_title("first")).await
}

/// The row, as the database has it.
async fn row(note: &Note) -> Result<(String, Option<String>)> {
    let fresh = Note::find(note.db(), note.id()).await?;
    Ok((fresh.title().to_owned(), fresh.body().map(str::to_owned)))
}

/// Polls a save until its values are bound and its statement is about to be sent.
async fn begin(db: &Db, save: Pin<&mut Pending<()>>) {
    db.faults().delay_nth(1, Duration::from_millis(3));
    assert!(polled(save).await.is_none());
    db.faults().clear();
}

fn texts(title: &str, body: Option<&str>) -> (String, Option<String>) {
    (title.to_owned(), body.map(str::to_owned))
}

#[relata::test(file)]
async fn a_value_set_while_a_save_waits_is_not_saved_and_not_lost(db: Db) -> Result<()> {
    let note = saved_note(&db).await?;
    note.set_title("second");
    let mut save = pin!(note.save());
    begin(&db, save.as_mut()).await;
    note.set_title("third").set_body(Some("b"));
    save.await?;
    assert_eq!(row(&note).await?, texts("second", None));
    assert_eq!((note.title(), note.title_was()), ("third", "second"));
    assert_eq!(note.changed(), ["title", "body"]);
    note.save().await?;
    assert_eq!(row(&note).await?, texts("third", Some("b")));
    assert!(!note.is_changed());
    Ok(())
}

#[relata::test(file)]
async fn a_second_save_waits_and_writes_what_the_first_did_not(db: Db) -> Result<()> {
    let note = saved_note(&db).await?;
    note.set_title("second");
    let events = db.capture();
    let mut first = pin!(note.save());
    begin(&db, first.as_mut()).await;
    note.set_body(Some("b"));
    let (first, second, third) = tokio::join!(first, note.save(), note.save());
    first?;
    second?;
    third?;
    assert_eq!(
        events.texts(),
        [
            r#"UPDATE "notes" SET "title" = ? WHERE "notes"."id" = ?"#,
            r#"UPDATE "notes" SET "body" = ? WHERE "notes"."id" = ?"#,
        ]
    );
    assert_eq!(row(&note).await?, texts("second", Some("b")));
    assert!(!note.is_changed());
    Ok(())
}

#[relata::test(file)]
async fn two_saves_of_a_new_record_insert_one_row(db: Db) -> Result<()> {
    db.create_tables([Note::reflection()]).await?;
    let note = Note::build(&db, |n| n.set_title("once"));
    let (one, other) = tokio::join!(note.save(), note.save());
    one?;
    other?;
    assert_eq!(Note::all(&db).ids().await?, [note.id()]);
    assert!(note.is_persisted() && !note.is_changed());
    Ok(())
}

#[relata::test(file)]
async fn a_reload_beside_a_save_leaves_what_the_row_has(db: Db) -> Result<()> {
    let note = saved_note(&db).await?;
    for number in 0..20 {
        let title = format!("title {number}");
        note.set_title(&title);
        let (saved, reloaded) = tokio::join!(note.save(), note.reload());
        saved?;
        reloaded?;
        assert_eq!(row(&note).await?.0, title, "what was saved is in the row");
        // The reload may have read the row before the save was through: the record then says that it differs.
        assert_eq!(note.title_was(), title);
        assert_eq!(note.is_changed(), note.title() != title);
        note.reload().await?;
        assert_eq!((note.title(), note.is_changed()), (&*title, false));
    }
    Ok(())
}

#[relata::test(file)]
async fn a_value_set_by_another_task_survives_a_rollback(db: Db) -> Result<()> {
    let note = saved_note(&db).await?;
    let other = note.clone();
    let failed: Result<()> = db
        .transaction(async || {
            note.set_title("second").save().await?;
            let set = tokio::spawn(async move {
                assert_eq!(other.title(), "second");
                other.set_body(Some("by another"));
            });
            set.await.map_err(Error::other)?;
            Err(rollback())
        })
        .await;
    assert!(failed.unwrap_err().is_rollback());
    assert_eq!(row(&note).await?, texts("first", None));
    // What the user set stays set, and is unsaved again.
    assert_eq!((note.title(), note.title_was()), ("second", "first"));
    assert_eq!(note.changed(), ["title", "body"]);
    note.save().await?;
    assert_eq!(row(&note).await?, texts("second", Some("by another")));
    Ok(())
}

#[relata::test(file)]
async fn a_dropped_save_and_a_value_set_after_it(db: Db) -> Result<()> {
    let note = saved_note(&db).await?;
    for polls in 0..6 {
        let title = format!("title {polls}");
        note.set_title(&title);
        let done = limited(note.save(), polls).await;
        note.set_body(Some(&title));
        settled(&db).await;
        // The row has it or not; the record says the same as soon as it is saved.
        let stored = row(&note).await?.0;
        assert!(
            stored == title || done.is_none(),
            "{stored} after {polls} polls"
        );
        match note.save().await {
            Ok(()) => {}
            // Dropped after it was sent: whether it happened is not known until the row is read.
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::CommitOutcomeUnknown);
                note.reload().await?;
                assert_eq!(note.title(), stored);
                note.set_title(&title).set_body(Some(&title));
                note.save().await?;
            }
        }
        assert_eq!(row(&note).await?, texts(&title, Some(&title)));
        assert!(!note.is_changed());
    }
    Ok(())
}

#[relata::test(file)]
async fn join_of_two_savepoints_that_write_one_record(db: Db) -> Result<()> {
    let note = saved_note(&db).await?;
    db.transaction(async || {
        let title = db.transaction(async || {
            note.set_title("second").save().await?;
            tokio::task::yield_now().await;
            note.save().await
        });
        let body = db.transaction(async || {
            note.set_body(Some("lost")).save().await?;
            tokio::task::yield_now().await;
            Result::<()>::Err(rollback())
        });
        let (title, body) = tokio::join!(title, body);
        title?;
        assert!(body.unwrap_err().is_rollback());
        assert_eq!(note.changed(), ["body"]);
        Ok(())
    })
    .await?;
    assert_eq!(row(&note).await?, texts("second", None));
    assert_eq!((note.body(), note.body_was()), (Some("lost"), None));
    Ok(())
}

#[relata::test(file)]
async fn select_drops_a_loser_that_holds_a_savepoint(db: Db) -> Result<()> {
    let note = saved_note(&db).await?;
    db.transaction(async || {
        let loser = db.transaction(async || {
            note.set_title("of the loser").save().await?;
            std::future::pending::<Result<()>>().await
        });
        tokio::select! {
            biased;
            _ = loser => unreachable!("it never ends"),
            () = tokio::time::sleep(Duration::from_millis(5)) => {}
        }
        // Its level is rolled back; the transaction goes on.
        assert_eq!(note.changed(), ["title"]);
        note.restore_attributes();
        note.set_body(Some("of the winner")).save().await
    })
    .await?;
    assert_eq!(row(&note).await?, texts("first", Some("of the winner")));
    assert!(!note.is_changed());
    Ok(())
}

#[relata::test(file)]
async fn select_drops_a_loser_that_waits_for_the_record(db: Db) -> Result<()> {
    let note = saved_note(&db).await?;
    note.set_title("second");
    let mut winner = pin!(note.save());
    begin(&db, winner.as_mut()).await;
    note.set_body(Some("b"));
    let loser = note.save();
    // The loser is polled first, and waits for its turn with the record.
    tokio::select! {
        biased;
        _ = loser => unreachable!("the winner holds the record"),
        won = &mut winner => won?,
    }
    assert_eq!(row(&note).await?, texts("second", None));
    assert_eq!(note.changed(), ["body"]);
    note.save().await?;
    assert_eq!(row(&note).await?, texts("second", Some("b")));
    Ok(())
}

#[relata::test(file)]
async fn unordered_futures_save_one_record_one_after_another(db: Db) -> Result<()> {
    let note = saved_note(&db).await?;
    let events = db.capture();
    let mut saves: FuturesUnordered<_> = (0..10)
        .map(|number| {
            let note = note.clone();
            async move {
                note.set_title(format!("title {number}"));
                note.save().await
            }
        })
        .collect();
    while let Some(saved) = saves.next().await {
        saved?;
    }
    assert!(
        events.texts().iter().all(|text| text.starts_with("UPDATE")),
        "{:?}",
        events.texts()
    );
    assert_eq!(row(&note).await?.0, note.title());
    assert!(!note.is_changed());
    Ok(())
}

#[relata::test(file)]
async fn unordered_savepoints_of_one_record_end_in_some_order(db: Db) -> Result<()> {
    let note = saved_note(&db).await?;
    db.transaction(async || {
        let mut levels: FuturesUnordered<_> = (0..6)
            .map(|number| {
                let (note, db) = (note.clone(), db.clone());
                async move {
                    let inside = note.clone();
                    db.transaction(async move || {
                        inside.set_title(format!("title {number}")).save().await?;
                        tokio::task::yield_now().await;
                        if number % 2 == 0 {
                            Ok(())
                        } else {
                            Err(rollback())
                        }
                    })
                    .await
                }
            })
            .collect();
        let (mut kept, mut rolled_back) = (0, 0);
        while let Some(ended) = levels.next().await {
            match ended {
                Ok(()) => kept += 1,
                Err(error) if error.is_rollback() => rolled_back += 1,
                Err(error) => return Err(error),
            }
        }
        assert_eq!((kept, rolled_back), (3, 3));
        Ok(())
    })
    .await?;
    let (title, _) = row(&note).await?;
    assert_eq!(
        note.title_was(),
        title,
        "what counts as saved is in the row"
    );
    assert!(
        ["title 0", "title 2", "title 4"].contains(&&*title),
        "{title}"
    );
    Ok(())
}

#[relata::test(file)]
async fn a_transaction_of_another_database_has_no_say(db: Db) -> Result<()> {
    let note = saved_note(&db).await?;
    let other = Db::connect("sqlite::memory:").await?;
    let copy = saved_note(&other).await?;
    let failed: Result<()> = other
        .transaction(async || {
            note.set_title("kept").save().await?;
            copy.set_title("lost").save().await?;
            Err(rollback())
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(row(&note).await?, texts("kept", None));
    assert!(!note.is_changed());
    assert_eq!(row(&copy).await?, texts("first", None));
    assert_eq!(copy.changed(), ["title"]);
    assert_eq!(other.figures(), Db::detached().figures());
    Ok(())
}

/// A spawned task is outside the transaction: its save waits for the writer, and in vain if it is awaited inside.
#[relata::test]
fn a_save_spawned_inside_a_transaction_and_awaited_there_ends_by_its_deadline() -> Result<()> {
    relata::run(async {
        let options = Options::new().deadline(Duration::from_millis(50));
        let db = Db::connect_with("sqlite::memory:", options).await?;
        let note = saved_note(&db).await?;
        db.transaction(async || {
            note.set_title("inside").save().await?;
            let outside = note.clone();
            outside.set_body(Some("outside"));
            let waited = tokio::spawn(async move { outside.save().await })
                .await
                .unwrap();
            assert_eq!(waited.unwrap_err().kind(), ErrorKind::LockWaitTimeout);
            assert_eq!(note.changed(), ["body"]);
            Ok(())
        })
        .await?;
        assert_eq!(row(&note).await?, texts("inside", None));
        note.save().await?;
        assert_eq!(row(&note).await?, texts("inside", Some("outside")));
        assert_eq!(db.figures().writers, 0);
        Ok(())
    })
}

/// Not awaited inside, it is served after the transaction, and what it saves stays if that rolls back.
#[relata::test(file)]
async fn a_save_spawned_inside_a_transaction_is_served_after_it(db: Db) -> Result<()> {
    let note = saved_note(&db).await?;
    let mut spawned = None;
    let failed: Result<()> = db
        .transaction(async || {
            let other = Note::build(&db, |n| n.set_title("other"));
            spawned = Some(tokio::spawn(async move { other.save().await }));
            note.set_title("lost").save().await?;
            tokio::task::yield_now().await;
            Err(rollback())
        })
        .await;
    assert!(failed.is_err());
    spawned.unwrap().await.unwrap()?;
    let titles = Note::all(&db)
        .order(|n| n.id.asc())
        .pluck(|n| n.title)
        .await?;
    assert_eq!(titles, ["first", "other"]);
    Ok(())
}

#[relata::test]
fn many_threads_set_and_save_one_record_and_row_and_memory_agree() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .build();
    runtime.map_err(Error::other)?.block_on(async {
        let db = Db::connect("sqlite::memory:").await?;
        let note = saved_note(&db).await?;
        let tasks: Vec<_> = (0..4)
            .map(|task| {
                let note = note.clone();
                tokio::spawn(async move {
                    for round in 0..50 {
                        note.set_title(format!("{task} {round}"));
                        note.set_body(Some(&format!("{round} {task}")));
                        note.save().await?;
                    }
                    Result::Ok(())
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap()?;
        }
        note.save().await?;
        assert_eq!(row(&note).await?, texts(note.title(), note.body()));
        assert!(!note.is_changed());
        assert_eq!(db.figures().writers, 0);
        Ok(())
    })
}

#[relata::test]
fn writers_are_served_in_the_order_they_came_and_nothing_is_lost() -> Result<()> {
    relata::run(async {
        let file = sweep::TempFile::new("order");
        let db = Db::connect(&file.url()).await?;
        db.create_tables([Note::reflection()]).await?;
        // On one thread a transaction stands in the queue as soon as it was polled.
        let came = std::sync::Arc::new(std::sync::Mutex::new((Vec::new(), Vec::new())));
        let tasks: Vec<_> = (0..16)
            .map(|task| {
                let (db, came) = (db.clone(), came.clone());
                tokio::spawn(async move {
                    for round in 0..25 {
                        came.lock().unwrap().0.push((task, round));
                        db.transaction(async || {
                            came.lock().unwrap().1.push((task, round));
                            Note::create(&db, |n| n.set_title(format!("{task} {round}"))).await?;
                            tokio::task::yield_now().await;
                            Ok(())
                        })
                        .await?;
                    }
                    Result::Ok(())
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap()?;
        }
        let came = came.lock().unwrap().clone();
        assert_eq!(came.0, came.1, "came and served");
        let titles = Note::all(&db)
            .order(|n| n.id.asc())
            .pluck(|n| n.title)
            .await?;
        let served: Vec<String> = came
            .1
            .iter()
            .map(|(task, round)| format!("{task} {round}"))
            .collect();
        assert_eq!(titles, served, "rows stand in the order they were served");
        Ok(())
    })
}

#[relata::test]
fn sixteen_tasks_times_five_hundred_transactions_on_one_file() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .build();
    runtime.map_err(Error::other)?.block_on(async {
        let file = sweep::TempFile::new("sixteen");
        // One that waits for its turn longer than this was forgotten.
        let db = Db::connect_with(
            &file.url(),
            Options::new().deadline(Duration::from_secs(60)),
        )
        .await?;
        let counter = saved_note(&db).await?.id();
        let rounds = if std::env::var_os("RELATA_UNDER_VALGRIND").is_some() {
            5
        } else {
            500
        };
        let tasks: Vec<_> = (0..16)
            .map(|task| {
                let db = db.clone();
                tokio::spawn(async move {
                    for _ in 0..rounds {
                        db.transaction(async || {
                            let note = Note::find(&db, counter).await?;
                            let count: u64 =
                                note.body().and_then(|it| it.parse().ok()).unwrap_or(0);
                            note.set_body(Some(&(count + 1).to_string())).save().await?;
                            Note::create(&db, |n| n.set_title(format!("task {task}"))).await?;
                            Ok(())
                        })
                        .await?;
                    }
                    Result::Ok(())
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap()?;
        }
        let count = Note::find(&db, counter).await?;
        assert_eq!(
            count.body(),
            Some(&*(16 * rounds).to_string()),
            "no update was lost"
        );
        let by_task = Note::all(&db).count_by(|n| n.title).await?;
        assert_eq!(by_task.len(), 17);
        assert!(
            by_task
                .iter()
                .all(|(title, rows)| title == "first" || *rows == rounds as u64)
        );
        assert_eq!(db.figures().writers, 0);
        Ok(())
    })
}

#[relata::test(file)]
async fn a_save_that_is_never_polled_again_does_not_stop_others(db: Db) -> Result<()> {
    let note = saved_note(&db).await?;
    note.set_title("second");
    let mut stopped = Box::pin(note.save());
    begin(&db, stopped.as_mut()).await;
    // It has begun, so it holds the record; another record is free.
    Note::create(&db, |n| n.set_title("free")).await?;
    drop(stopped);
    note.save().await?;
    assert_eq!(row(&note).await?, texts("second", None));
    Ok(())
}

/// A save whose future is kept and not awaited holds the record's turn: who waits for it gets an error by the deadline.
#[relata::test]
fn a_wait_for_the_turn_with_a_record_ends_by_its_deadline() -> Result<()> {
    relata::run(async {
        let file = sweep::TempFile::new("turn");
        let options = Options::new().deadline(Duration::from_millis(40));
        let db = Db::connect_with(&file.url(), options).await?;
        let note = saved_note(&db).await?;
        note.set_title("kept");
        let mut kept = pin!(note.save());
        begin(&db, kept.as_mut()).await;
        for waited in [
            note.save().await,
            note.reload().await,
            note.destroy().await,
            note.increment("id", 1).await,
            note.update_columns([("title", "x".into())]).await,
            note.delete().await,
        ] {
            let error = waited.unwrap_err();
            assert!(error.is_lock_wait_timeout(), "{error:?}");
            let message = error.to_string();
            assert!(message.contains("the turn to write Note with"), "{message}");
            assert!(message.contains("one_record_many_tasks.rs:"), "{message}");
            assert!(error.erased_record().is_some_and(|record| note.is(record)));
        }
        kept.await?;
        assert_eq!(row(&note).await?, texts("kept", None));
        Ok(())
    })
}

/// A save outside a transaction gives the record's turn back while it waits for the writer: the transaction that has the
/// writer saves the same record.
async fn a_save_beside_a_transaction_of_the_same_record(db: Db) -> Result<()> {
    type Done = Result<()>;
    let note = saved_note(&db).await?;
    let verbs: [fn(&Note) -> Pending<()>; 5] = [
        |note| note.save(),
        |note| note.update_columns([("body", "outside".into())]),
        |note| note.reload(),
        |note| note.increment("reads", 1),
        |note| note.delete(),
    ];
    for outside in verbs {
        note.set_title("before").set_body(Some("before"));
        note.save().await?;
        let events = db.capture();
        let begun = tokio::sync::Notify::new();
        let inside = db.transaction(async || {
            begun.notify_one();
            // The other has its turn now, and waits for the writer.
            tokio::time::sleep(Duration::from_millis(10)).await;
            note.set_title("inside").save().await
        });
        let other = async {
            begun.notified().await;
            note.set_body(Some("outside"));
            outside(&note).await
        };
        let (inside, other): (Done, Done) = tokio::join!(inside, other);
        inside?;
        other?;
        assert!(
            events
                .texts()
                .iter()
                .filter(|text| text.starts_with("BEGIN"))
                .count()
                <= 2,
            "{:?}",
            events.texts()
        );
        drop(events);
        if note.is_destroyed() {
            assert_eq!(Note::all(&db).count().await?, 0);
            break;
        }
        assert_eq!(note.title_was(), "inside");
        assert_eq!(row(&note).await?.0, "inside");
    }
    Ok(())
}

#[relata::test(file)]
async fn a_save_that_waits_for_the_writer_does_not_hold_the_record(db: Db) -> Result<()> {
    a_save_beside_a_transaction_of_the_same_record(db).await
}

#[relata::test]
async fn a_save_that_waits_for_the_connection_in_memory_does_not_hold_the_record(
    db: Db,
) -> Result<()> {
    a_save_beside_a_transaction_of_the_same_record(db).await
}

/// Dropped while it waits for the writer, it leaves the record to others.
#[relata::test(file)]
async fn a_save_that_is_dropped_while_it_waits_for_the_writer_leaves_the_turn(
    db: Db,
) -> Result<()> {
    let note = saved_note(&db).await?;
    db.transaction(async || {
        let other = note.clone();
        note.set_title("second");
        let waits = tokio::spawn(async move { other.save().await });
        tokio::time::sleep(Duration::from_millis(5)).await;
        waits.abort();
        assert!(waits.await.is_err());
        note.save().await
    })
    .await?;
    assert_eq!(row(&note).await?.0, "second");
    note.set_title("third").save().await?;
    assert_eq!(row(&note).await?.0, "third");
    assert_eq!(db.figures().writers, 0);
    Ok(())
}

/// As a save does: what locks a row, or reads it among the rows of a block, gives the turn back while it waits.
async fn a_read_beside_a_transaction_of_the_same_record(db: Db) -> Result<()> {
    let note = saved_note(&db).await?;
    let verbs: [fn(&Note) -> Pending<()>; 2] = [|note| note.lock(), |note| note.reload()];
    for (verb, within) in verbs
        .into_iter()
        .flat_map(|one| [(one, false), (one, true)])
    {
        let begun = tokio::sync::Notify::new();
        let inside = db.transaction(async || {
            begun.notify_one();
            tokio::time::sleep(Duration::from_millis(10)).await;
            note.set_title("inside").save().await
        });
        let other = async {
            begun.notified().await;
            if !within {
                return verb(&note).await;
            }
            let some = Note::all(&db).filter(|n| n.reads.lt(7));
            let block = some.scoping(async || verb(&note).await);
            block.all_queries().await
        };
        let both = async { tokio::join!(inside, other) };
        let both = tokio::time::timeout(Duration::from_secs(2), both).await;
        let (inside, other): (Result<()>, Result<()>) = both.expect("neither waits for the other");
        inside?;
        other?;
        assert_eq!((note.title(), note.is_changed()), ("inside", false));
        note.set_title("before").save().await?;
    }
    Ok(())
}

#[relata::test(file)]
async fn a_lock_that_waits_does_not_hold_the_record(db: Db) -> Result<()> {
    a_read_beside_a_transaction_of_the_same_record(db).await
}

#[relata::test]
async fn a_lock_that_waits_for_the_connection_in_memory_does_not_hold_the_record(
    db: Db,
) -> Result<()> {
    a_read_beside_a_transaction_of_the_same_record(db).await
}
