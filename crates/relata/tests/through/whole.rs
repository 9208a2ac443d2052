//! Writing through others, stopped at every place: a statement that fails, a future that is dropped at a poll. Rows are as
//! before, or as after, and the next try makes of them what one try would have.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use relata::{Db, Error, ErrorKind, Raw, Result};

use crate::sweep::{limited, settled};
use crate::typed::{Club, Topic, User, filled};

type Done = Pin<Box<dyn Future<Output = Result<()>>>>;

/// What is written, of a user and clubs that are saved.
struct Work {
    name: &'static str,
    make: fn(&Db, &User, &[Club]) -> User,
    run: fn(User, Vec<Club>) -> Done,
}

const WORKS: &[Work] = &[
    Work {
        name: "a new owner is saved",
        make: |db, _, clubs| {
            let bob = User::build(db, |u| u.set_name("Bob").set_issuer(&clubs[0]));
            bob.clubs().build(|c| c.set_name("New"));
            bob.topics().build(|t| t.set_name("go"));
            bob
        },
        run: |bob, _| Box::pin(async move { bob.save().await }),
    },
    Work {
        name: "members are pushed",
        make: |_, ann, _| ann.clone(),
        run: |ann, clubs| {
            Box::pin(async move {
                let new = Club::build(ann.db(), |c| c.set_name("New"));
                ann.clubs().concat([&clubs[0], &new, &clubs[0]]).await
            })
        },
    },
    Work {
        name: "members are replaced",
        make: |_, ann, _| ann.clone(),
        run: |ann, clubs| {
            Box::pin(async move { ann.clubs().replace([&clubs[0], &clubs[1], &clubs[1]]).await })
        },
    },
    Work {
        name: "members are destroyed",
        make: |_, ann, _| ann.clone(),
        run: |ann, clubs| Box::pin(async move { ann.clubs().destroy([&clubs[2]]).await }),
    },
    Work {
        name: "a has_one is replaced",
        make: |_, ann, _| ann.clone(),
        run: |ann, clubs| Box::pin(async move { ann.issuer().replace(&clubs[1]).await }),
    },
    Work {
        name: "what belongs to many is destroyed",
        make: |_, ann, _| ann.clone(),
        run: |ann, _| {
            Box::pin(async move {
                let db = ann.db().clone();
                db.transaction(async || {
                    // What a rollback put back in the database, memory reads again when it is told to.
                    ann.clubs().reset();
                    ann.clubs().clear().await?;
                    ann.topics().create(|t| t.set_name("last")).await?;
                    ann.destroy().await
                })
                .await
            })
        },
    },
];

/// Ann is in C, and likes chess.
async fn world(url: &str) -> Result<(Db, User, Vec<Club>)> {
    let db = Db::connect(url).await?;
    let (ann, clubs) = filled(&db).await?;
    ann.clubs().push(&clubs[2]).await?;
    let chess = Topic::build(&db, |t| t.set_name("chess"));
    ann.topics().push(&chess).await?;
    Ok((db.clone(), User::find(&db, 1).await?, Club::all(&db).await?))
}

/// The rows of all tables, without their keys.
async fn rows(db: &Db) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for (table, what) in [
        ("users", "name || memberships_count"),
        ("clubs", "name"),
        ("topics", "name"),
        (
            "memberships JOIN users u ON u.id = user_id JOIN clubs c ON c.id = club_id",
            "u.name || c.name",
        ),
        (
            "topics_users JOIN users u ON u.id = user_id JOIN topics t ON t.id = topic_id",
            "u.name || t.name",
        ),
        (
            "badges JOIN users u ON u.id = user_id JOIN clubs c ON c.id = issuer_id",
            "u.name || c.name",
        ),
    ] {
        let text = format!("SELECT {what} AS said FROM {table} ORDER BY said");
        for row in db.fetch_sql(Raw::trusted(text)).await? {
            all.push(format!("{table}: {:?}", row.get("said")));
        }
    }
    Ok(all)
}

async fn expected(work: &Work) -> Result<(Vec<String>, Vec<String>)> {
    let (db, ann, clubs) = world("sqlite::memory:").await?;
    let before = rows(&db).await?;
    (work.run)((work.make)(&db, &ann, &clubs), clubs).await?;
    Ok((before, rows(&db).await?))
}

#[relata::test]
fn a_statement_that_fails_anywhere_leaves_rows_as_before_and_the_next_try_succeeds() -> Result<()> {
    relata::run(async {
        for work in WORKS {
            let (before, after) = expected(work).await?;
            let mut failed = 0;
            for nth in 1.. {
                let (db, ann, clubs) = world("sqlite::memory:").await?;
                let owner = (work.make)(&db, &ann, &clubs);
                db.faults().fail_nth(nth, ErrorKind::DiskFull);
                let done = (work.run)(owner.clone(), clubs.clone()).await;
                db.faults().clear();
                let Err(error) = done else {
                    assert_eq!(rows(&db).await?, after, "{}", work.name);
                    break;
                };
                failed += 1;
                assert_eq!(error.kind(), ErrorKind::DiskFull, "{}: {error}", work.name);
                assert_eq!(rows(&db).await?, before, "{}, statement {nth}", work.name);
                (work.run)(owner, clubs).await?;
                assert_eq!(rows(&db).await?, after, "{}, again after {nth}", work.name);
            }
            assert!(failed >= 3, "{}: {failed} statements", work.name);
        }
        Ok::<(), Error>(())
    })
}

#[relata::test]
fn work_dropped_at_any_poll_is_whole_or_nothing() -> Result<()> {
    relata::run(async {
        for work in WORKS {
            let (before, after) = expected(work).await?;
            for polls in 0.. {
                let (db, ann, clubs) = world("sqlite::memory:").await?;
                let owner = (work.make)(&db, &ann, &clubs);
                for nth in 1..=20 {
                    db.faults().delay_nth(nth, Duration::ZERO);
                }
                let done = limited((work.run)(owner.clone(), clubs.clone()), polls).await;
                db.faults().clear();
                settled(&db).await;
                let now = rows(&db).await?;
                if let Some(done) = done {
                    done?;
                    assert_eq!(now, after, "{}", work.name);
                    break;
                }
                if now != after {
                    assert_eq!(now, before, "{}, after {polls} polls", work.name);
                    (work.run)(owner, clubs).await?;
                    let name = work.name;
                    assert_eq!(rows(&db).await?, after, "{name}, again after {polls} polls");
                }
            }
        }
        Ok::<(), Error>(())
    })
}
