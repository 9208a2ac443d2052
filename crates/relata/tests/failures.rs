//! Work that is stopped at every place: a statement that fails, a future that is dropped at a poll. Rows are as before,
//! or as after; memory says the same as the rows; the next caller is served.

#![allow(unreachable_pub, missing_docs)]

mod sweep;

use relata::{Db, ErrorKind, Record, Result, model};
use sweep::{TempFile, limited, settled};

#[model]
pub struct Person {
    id: i64,
    name: String,
    boss_id: Option<i64>,
    #[belongs_to]
    boss: Option<Person>,
    #[has_many(inverse_of = author)]
    posts: Post,
    #[has_one]
    profile: Option<Profile>,
}

#[model]
pub struct Profile {
    id: i64,
    motto: String,
    person_id: i64,
    #[belongs_to]
    person: Person,
}

#[model]
pub struct Post {
    id: i64,
    title: String,
    author_id: i64,
    #[belongs_to]
    author: Person,
    #[has_many]
    comments: Comment,
}

#[model]
pub struct Comment {
    id: i64,
    body: String,
    post_id: i64,
    person_id: Option<i64>,
    #[belongs_to]
    post: Post,
    #[belongs_to]
    person: Option<Person>,
}

async fn database(url: &str) -> Result<Db> {
    let db = Db::connect(url).await?;
    db.create_tables([
        Person::reflection(),
        Profile::reflection(),
        Post::reflection(),
        Comment::reflection(),
    ])
    .await?;
    Ok(db)
}

/// Twenty new records: two people, each the other's boss, a profile, five posts, twelve comments of which some lead to
/// a person. The first is saved for all.
fn graph(db: &Db) -> Vec<Record> {
    let ann = Person::build(db, |p| p.set_name("Ann"));
    let bob = Person::build(db, |p| p.set_name("Bob").set_boss(&ann));
    ann.set_boss(&bob);
    let profile = ann.build_profile(|p| p.set_motto("onwards"));
    let mut all = vec![(*ann).clone(), (*bob).clone(), (*profile).clone()];
    for (number, comments) in [3, 2, 3, 2, 2].into_iter().enumerate() {
        let author = if number < 3 { &ann } else { &bob };
        let post = author
            .posts()
            .build(|p| p.set_title(format!("post {number}")));
        for comment in 0..comments {
            let person = (comment == 1).then_some(&bob);
            let comment = post
                .comments()
                .build(|c| c.set_body("nice").set_person(person));
            all.push((*comment).clone());
        }
        all.push((*post).clone());
    }
    assert_eq!(all.len(), 20);
    all
}

/// All that a record says of itself.
fn memory(records: &[Record]) -> Vec<String> {
    let say = |record: &Record| {
        let flags = (
            record.is_new_record(),
            record.is_persisted(),
            record.changed(),
        );
        let held: Vec<Vec<usize>> = record
            .reflection()
            .reflections()
            .iter()
            .map(|association| {
                let target = record.association(association.name()).map(|it| it.target());
                let place = |held: &Record| {
                    records
                        .iter()
                        .position(|it| it.is(held))
                        .unwrap_or(usize::MAX)
                };
                target.unwrap_or_default().iter().map(place).collect()
            })
            .collect();
        format!("{:?} {flags:?} {held:?}", record.attributes())
    };
    records.iter().map(say).collect()
}

/// The rows of all tables.
async fn rows(db: &Db) -> Result<u64> {
    let (people, profiles) = (
        Person::all(db).count().await?,
        Profile::all(db).count().await?,
    );
    Ok(people + profiles + Post::all(db).count().await? + Comment::all(db).count().await?)
}

async fn clear(db: &Db) -> Result<()> {
    for comment in Comment::all(db).await? {
        comment.destroy().await?;
    }
    for post in Post::all(db).await? {
        post.destroy().await?;
    }
    for profile in Profile::all(db).await? {
        profile.destroy().await?;
    }
    let people = Person::all(db).await?;
    for person in &people {
        person.set_boss(None).save().await?;
    }
    for person in people {
        person.destroy().await?;
    }
    Ok(())
}

/// Every record is in the database, as memory has it, with the keys of those that it leads to.
async fn is_saved(db: &Db, records: &[Record]) -> Result<()> {
    assert_eq!(rows(db).await?, 20);
    assert!(
        records
            .iter()
            .all(|record| record.is_persisted() && !record.is_changed())
    );
    let ann = Person::find_by_name(db, "Ann").await?;
    let bob = Person::find_by_name(db, "Bob").await?;
    assert!(ann.is_same_row(&records[0]) && bob.is_same_row(&records[1]));
    assert_eq!(
        (ann.boss_id(), bob.boss_id()),
        (Some(bob.id()), Some(ann.id()))
    );
    assert_eq!(
        (ann.posts().count().await?, bob.posts().count().await?),
        (3, 2)
    );
    assert_eq!(
        ann.profile()
            .await?
            .map(|it| it.motto().to_owned())
            .as_deref(),
        Some("onwards")
    );
    let comments = Comment::all(db).filter(|c| c.post.author.name.eq("Ann"));
    assert_eq!(comments.clone().count().await?, 8);
    assert_eq!(
        comments
            .filter(|c| c.person_id.eq(bob.id()))
            .count()
            .await?,
        3
    );
    for record in records {
        let before = format!("{:?}", record.attributes());
        let fresh = record.compact();
        fresh.reload().await?;
        assert_eq!(format!("{:?}", fresh.attributes()), before);
    }
    Ok(())
}

impl Person {
    async fn find_by_name(db: &Db, name: &str) -> Result<Self> {
        Self::all(db).find_by_or_fail(|p| p.name.eq(name)).await
    }

    fn is_same_row(&self, record: &Record) -> bool {
        **self == *record
    }
}

#[relata::test]
fn a_statement_that_fails_anywhere_in_a_graph_of_twenty_leaves_rows_and_memory_as_before()
-> Result<()> {
    relata::run(async {
        let db = database("sqlite::memory:").await?;
        for nth in 1.. {
            let records = graph(&db);
            let before = memory(&records);
            db.faults().fail_nth(nth, ErrorKind::DiskFull);
            let done = records[0].save().await;
            db.faults().clear();
            assert_eq!(db.figures().writers, 0);
            let Err(error) = done else {
                assert_eq!(
                    nth, 24,
                    "BEGIN, 20 INSERTs, the UPDATE that closes the cycle, COMMIT"
                );
                return is_saved(&db, &records).await;
            };
            assert_eq!(error.kind(), ErrorKind::DiskFull);
            assert_eq!(rows(&db).await?, 0, "statement {nth}");
            assert_eq!(memory(&records), before, "statement {nth}");
            // What failed once is saved by the next try.
            records[0].save().await?;
            is_saved(&db, &records).await?;
            clear(&db).await?;
        }
        Ok(())
    })
}

#[relata::test]
fn a_save_of_a_graph_of_twenty_dropped_at_any_poll_is_whole_or_nothing() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("graph");
        for url in ["sqlite::memory:".to_owned(), file.url()] {
            let db = database(&url).await?;
            let mut dropped = 0;
            for polls in 0.. {
                let records = graph(&db);
                let before = memory(&records);
                // A statement that waits makes each of them a place to be dropped at.
                for nth in 1..=23 {
                    db.faults().delay_nth(nth, std::time::Duration::ZERO);
                }
                let done = limited(records[0].save(), polls).await;
                db.faults().clear();
                settled(&db).await;
                let committed = rows(&db).await? == 20;
                if committed {
                    is_saved(&db, &records).await?;
                } else {
                    assert!(done.is_none(), "{done:?} and no rows");
                    assert_eq!(rows(&db).await?, 0, "after {polls} polls");
                    assert_eq!(memory(&records), before, "after {polls} polls");
                    dropped += 1;
                    records[0].save().await?;
                    is_saved(&db, &records).await?;
                }
                clear(&db).await?;
                if let Some(done) = done {
                    done?;
                    assert!(committed);
                    break;
                }
            }
            assert!(dropped >= 20, "{url}: dropped at {dropped} places");
        }
        Ok(())
    })
}

/// Three levels, each with a save before and after the one inside.
async fn three_levels(db: &Db, records: &[Person]) -> Result<()> {
    db.transaction(async || {
        records[0].save().await?;
        db.transaction(async || {
            records[1].save().await?;
            db.transaction(async || records[2].save().await).await?;
            records[3].save().await
        })
        .await?;
        records[4].save().await
    })
    .await
}

fn people(db: &Db) -> (Vec<Person>, Vec<Record>) {
    let people: Vec<Person> = (0..5)
        .map(|number| Person::build(db, |p| p.set_name(number.to_string())))
        .collect();
    let records = people.iter().map(|person| (**person).clone()).collect();
    (people, records)
}

#[relata::test]
fn a_statement_that_fails_anywhere_in_three_levels_takes_all_of_them_back() -> Result<()> {
    relata::run(async {
        let db = database("sqlite::memory:").await?;
        for nth in 1.. {
            let (people, records) = people(&db);
            let before = memory(&records);
            db.faults().fail_nth(nth, ErrorKind::DiskFull);
            let done = three_levels(&db, &people).await;
            db.faults().clear();
            assert_eq!(db.figures().writers, 0);
            assert!(!db.in_transaction());
            if done.is_ok() {
                assert_eq!(
                    nth, 12,
                    "BEGIN, 5 INSERTs, 2 SAVEPOINTs, 2 RELEASEs, COMMIT"
                );
                assert_eq!(rows(&db).await?, 5);
                assert!(
                    people
                        .iter()
                        .all(|it| it.is_persisted() && !it.is_changed())
                );
                return Ok(());
            }
            assert_eq!(rows(&db).await?, 0, "statement {nth}");
            assert_eq!(memory(&records), before, "statement {nth}");
        }
        Ok(())
    })
}

#[relata::test]
fn a_failure_of_an_inner_level_that_is_caught_leaves_the_outer_ones_whole() -> Result<()> {
    relata::run(async {
        let db = database("sqlite::memory:").await?;
        // SAVEPOINT, INSERT, RELEASE of the innermost level.
        for nth in 1..=3 {
            let (people, records) = people(&db);
            let before = memory(&records);
            db.transaction(async || {
                people[0].save().await?;
                db.transaction(async || {
                    people[1].save().await?;
                    db.faults().fail_nth(nth, ErrorKind::DiskFull);
                    let failed = db.transaction(async || people[2].save().await).await;
                    db.faults().clear();
                    assert_eq!(failed.unwrap_err().kind(), ErrorKind::DiskFull);
                    assert_eq!(memory(&records)[2], before[2], "statement {nth}");
                    people[3].save().await
                })
                .await
            })
            .await?;
            let names = Person::all(&db)
                .order(|p| p.id.asc())
                .pluck(|p| p.name)
                .await?;
            assert_eq!(names, ["0", "1", "3"], "statement {nth}");
            assert_eq!(memory(&records)[2], before[2]);
            clear(&db).await?;
        }
        Ok(())
    })
}

#[relata::test]
fn three_levels_dropped_at_any_poll_are_whole_or_nothing() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("levels");
        for url in ["sqlite::memory:".to_owned(), file.url()] {
            let db = database(&url).await?;
            let mut dropped = 0;
            for polls in 0.. {
                let (people, records) = people(&db);
                let before = memory(&records);
                for nth in 1..=11 {
                    db.faults().delay_nth(nth, std::time::Duration::ZERO);
                }
                let done = limited(three_levels(&db, &people), polls).await;
                db.faults().clear();
                settled(&db).await;
                match rows(&db).await? {
                    0 => {
                        assert!(done.is_none());
                        assert_eq!(memory(&records), before, "after {polls} polls");
                        dropped += 1;
                        three_levels(&db, &people).await?;
                    }
                    stored => assert_eq!(stored, 5, "after {polls} polls"),
                }
                assert_eq!(rows(&db).await?, 5);
                assert!(
                    people
                        .iter()
                        .all(|it| it.is_persisted() && !it.is_changed())
                );
                clear(&db).await?;
                if let Some(done) = done {
                    done?;
                    break;
                }
            }
            assert!(dropped >= 6, "{url}: dropped at {dropped} places");
        }
        Ok(())
    })
}
