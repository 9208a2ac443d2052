//! Waiting for a turn: the order of service, deadlines, and waits that could never end.

mod planets;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use planets::{TempFile, count, names, planet, planets, save};
use relata::{Db, Error, ErrorKind, Options, Raw, Result};
use tokio::sync::oneshot;

type Boxed<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// Far away: a test that waited for it would not end.
const NEVER: Duration = Duration::from_secs(3_600);

async fn planets_with(url: &str, deadline: Duration) -> Result<Db> {
    let db = Db::connect_with(url, Options::new().deadline(deadline)).await?;
    planets::create(&db).await?;
    Ok(db)
}

/// Polls a future once, and expects that it waits.
async fn must_wait<F: Future + Unpin>(future: &mut F) {
    let poll =
        std::future::poll_fn(|context| Poll::Ready(Pin::new(&mut *future).poll(context))).await;
    assert!(poll.is_pending(), "it had nothing to wait for");
}

/// Whether a text names a line of this file, or one of the few after it where the call may stand.
fn names_line(text: &str, line: u32) -> bool {
    (line..line + 6).any(|line| text.contains(&format!("tests/waits.rs:{line}:")))
}

/// A task that holds the writer, or a reader, until it is told to let go.
async fn holder(
    db: &Db,
    reads_only: bool,
) -> (oneshot::Sender<()>, tokio::task::JoinHandle<Result<()>>) {
    let (open, opened) = oneshot::channel();
    let (close, closed) = oneshot::channel::<()>();
    let db = db.clone();
    let held = tokio::spawn(async move {
        let body = async || {
            // A reader's state begins with its first statement.
            count(&db).await?;
            open.send(()).unwrap();
            closed.await.map_err(Error::other)
        };
        if reads_only {
            db.read_only(body).await
        } else {
            db.transaction(body).await
        }
    });
    opened.await.unwrap();
    (close, held)
}

#[relata::test]
fn writers_are_served_in_the_order_they_came() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("fifo");
        for url in ["sqlite::memory:".to_owned(), file.url()] {
            let db = planets_with(&url, NEVER).await?;
            let (close, held) = holder(&db, false).await;
            let mut tasks = Vec::new();
            for number in 0..20 {
                let db = db.clone();
                let mut write = Box::pin(async move {
                    let name = format!("{number:02}");
                    if number % 2 == 0 {
                        return save(&db, &name).await;
                    }
                    db.transaction(async || save(&db, &name).await).await
                });
                must_wait(&mut write).await;
                // Who gives up leaves no gap.
                if number % 5 != 3 {
                    tasks.push(write);
                }
            }
            close.send(()).unwrap();
            held.await.unwrap()?;
            // Polled in the other order: it is the queue that decides.
            let done: Vec<_> = tasks.into_iter().rev().map(tokio::spawn).collect();
            for task in done {
                task.await.unwrap()?;
            }
            let wanted: Vec<String> = (0..20)
                .filter(|number| number % 5 != 3)
                .map(|number| format!("{number:02}"))
                .collect();
            assert_eq!(names(&db).await?, wanted);
            assert_eq!((db.figures().writers, db.figures().readers), (0, 0));
        }
        Ok(())
    })
}

#[relata::test]
fn readers_are_served_in_the_order_they_came() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("fifo-read");
        let db = planets_with(&file.url(), NEVER).await?;
        let mut holders = Vec::new();
        for _ in 0..16 {
            holders.push(holder(&db, true).await);
        }
        assert_eq!(db.figures().readers, 16);
        let served = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for number in 0..8 {
            let (db, served) = (db.clone(), served.clone());
            let mut read = Box::pin(async move {
                db.read_only(async || {
                    served.lock().unwrap().push(number);
                    count(&db).await
                })
                .await
            });
            must_wait(&mut read).await;
            tasks.push(read);
        }
        // Readers do not wait for the writer, nor it for them.
        save(&db, "meanwhile").await?;
        let done: Vec<_> = tasks.into_iter().rev().map(tokio::spawn).collect();
        for (close, held) in holders {
            close.send(()).unwrap();
            held.await.unwrap()?;
        }
        for task in done {
            assert_eq!(task.await.unwrap()?, 1);
        }
        assert_eq!(*served.lock().unwrap(), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(db.figures().readers, 0);
        Ok(())
    })
}

#[relata::test]
fn a_wait_for_a_reader_ends_and_says_how_many_there_are() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("no-reader");
        let db = planets_with(&file.url(), Duration::from_millis(30)).await?;
        let mut holders = Vec::new();
        for _ in 0..16 {
            holders.push(holder(&db, true).await);
        }
        let error = count(&db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PoolExhausted);
        assert_eq!(
            error.to_string(),
            "waited 30ms for a reading connection: 16 of 16 taken, 1 waiting"
        );
        for (close, held) in holders {
            close.send(()).unwrap();
            held.await.unwrap()?;
        }
        assert_eq!(count(&db).await?, 0);
        Ok(())
    })
}

#[relata::test]
fn the_error_of_a_long_wait_says_where_the_holder_is_its_age_and_how_long_it_is_idle() -> Result<()>
{
    relata::run(async {
        let db = planets_with("sqlite::memory:", Duration::from_millis(60)).await?;
        let (open, opened) = oneshot::channel();
        let (close, closed) = oneshot::channel::<()>();
        let holding = db.clone();
        let line = line!() + 2;
        let held = tokio::spawn(async move {
            let begun = holding.transaction(async || {
                tokio::time::sleep(Duration::from_millis(150)).await;
                save(&holding, "held").await?;
                open.send(()).unwrap();
                closed.await.map_err(Error::other)
            });
            begun.await
        });
        opened.await.unwrap();
        let text = save(&db, "late").await.unwrap_err().to_string();
        let begins = format!(
            "waited 60ms for the writer of the database: it is held by a transaction begun at crates/relata/tests/waits.rs:{line}"
        );
        let file = format!("tests/waits.rs:{line}");
        assert!(text.contains(&file), "{text}, not {begins}");
        // `..., 213.4ms ago, idle for 61.2ms. Is something slow ...`
        let millis = |before: &str| -> f64 {
            let (_, rest) = text.split_once(before).unwrap();
            let number: String = rest
                .chars()
                .take_while(|c| c.is_ascii_digit() || *c == '.')
                .collect();
            assert!(rest[number.len()..].starts_with("ms"), "{text}");
            number.parse().unwrap()
        };
        let age = {
            let (before, _) = text.split_once("ms ago").unwrap();
            let (_, number) = before.rsplit_once(' ').unwrap();
            number.parse::<f64>().unwrap()
        };
        let idle = millis("idle for ");
        assert!(
            age >= 210.0 && idle >= 60.0 && age - idle >= 149.0,
            "{text}"
        );
        close.send(()).unwrap();
        held.await.unwrap()?;
        assert_eq!(names(&db).await?, ["held"]);
        Ok(())
    })
}

#[relata::test]
fn a_statement_of_an_outer_level_that_is_awaited_inside_the_inner_one_is_an_error_at_once()
-> Result<()> {
    relata::run(async {
        let db = planets_with("sqlite::memory:", NEVER).await?;
        db.transaction(async || {
            for nested in [false, true] {
                let (open, opened) = oneshot::channel::<()>();
                let mut first = db.transaction(async || opened.await.map_err(Error::other));
                must_wait(&mut first).await;
                let line = line!() + 1;
                let mut outer = if nested {
                    Box::pin(async { db.transaction(async || Ok(())).await }) as Boxed<'_>
                } else {
                    Box::pin(planet(&db, "outer")?.save())
                };
                must_wait(&mut outer).await;
                open.send(()).unwrap();
                first.await?;
                let inner = line!() + 1;
                let error = db
                    .transaction(async || outer.as_mut().await)
                    .await
                    .unwrap_err();
                assert_eq!(error.kind(), ErrorKind::LockWaitTimeout);
                let text = error.to_string();
                for line in [line, inner] {
                    assert!(names_line(&text, line), "{text}");
                }
                assert!(text.contains("wait for itself"), "{text}");
            }
            // The transaction is as good as before.
            save(&db, "after").await
        })
        .await?;
        assert_eq!(names(&db).await?, ["after"]);
        Ok(())
    })
}

#[relata::test]
fn a_write_that_was_begun_outside_and_is_awaited_inside_the_transaction_is_an_error_at_once()
-> Result<()> {
    relata::run(async {
        let file = TempFile::new("itself");
        for url in ["sqlite::memory:".to_owned(), file.url()] {
            let db = planets_with(&url, NEVER).await?;
            let late: Mutex<Option<Boxed<'_>>> = Mutex::default();
            let (open, opened) = oneshot::channel::<()>();
            let transaction = line!() + 1;
            let mut holds = db.transaction(async || {
                opened.await.map_err(Error::other)?;
                let outside = late.lock().unwrap().take().unwrap();
                outside.await
            });
            // Begins, and waits in its body. On a file the first poll may still open a connection.
            must_wait(&mut holds).await;
            let line = line!() + 1;
            let mut outside: Boxed<'_> = Box::pin(planet(&db, "x")?.save());
            must_wait(&mut outside).await;
            *late.lock().unwrap() = Some(outside);
            open.send(()).unwrap();
            let text = holds.await.unwrap_err().to_string();
            for line in [line, transaction] {
                assert!(names_line(&text, line), "{text}");
            }
            // Nothing is held, and the next one is served.
            save(&db, "next").await?;
            assert_eq!(names(&db).await?, ["next"]);
            assert_eq!(db.figures().writers, 0);
        }
        Ok(())
    })
}

#[relata::test]
fn statements_of_a_body_name_the_line_they_stand_on() -> Result<()> {
    relata::run(async {
        let db = planets("sqlite::memory:").await?;
        let capture = db.capture();
        let begin = line!() + 1;
        db.transaction(async || {
            db.execute_sql(Raw::new("INSERT INTO planets (name) VALUES ('x')"))
                .await
        })
        .await?;
        let lines: Vec<(String, u32)> = capture
            .events()
            .iter()
            .map(|event| (event.text.to_string(), event.caller.unwrap().line()))
            .collect();
        let text = |number: usize| lines[number].0.split(' ').next().unwrap().to_owned();
        assert_eq!((text(0), lines[0].1), ("BEGIN".to_owned(), begin));
        assert_eq!((text(1), lines[1].1), ("INSERT".to_owned(), begin + 1));
        assert_eq!((text(2), lines[2].1), ("COMMIT".to_owned(), begin));
        Ok(())
    })
}

/// The events of `find_each` and `in_batches` named no line at all.
#[relata::test]
fn statements_of_a_loop_over_batches_name_the_line_of_the_loop() -> Result<()> {
    relata::run(async {
        let db = planets("sqlite::memory:").await?;
        for name in ["a", "b", "c"] {
            save(&db, name).await?;
        }
        let capture = db.capture();
        let mut each = relata::Relation::of(planets::model(), &db).find_each(2);
        let line = line!() + 1;
        while let Some(planet) = each.next().await? {
            assert!(planet.is_persisted());
        }
        let mut batches = relata::Relation::of(planets::model(), &db).in_batches(5);
        assert_eq!(batches.next().await?.map(|it| it.len()), Some(3));
        let lines: Vec<u32> = capture
            .events()
            .iter()
            .map(|event| event.caller.unwrap().line())
            .collect();
        assert_eq!(lines, [line, line, line + 4]);
        Ok(())
    })
}
