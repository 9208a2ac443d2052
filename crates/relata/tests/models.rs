//! Models as `#[model]` declares them, used as the guide uses them.

#![allow(unreachable_pub, missing_docs)]

use relata::{Attribute, Db, Result};

mod blog {
    pub mod person {
        use super::post::Post;
        use relata::model;

        /// Somebody who writes.
        #[model]
        pub struct Person {
            id: i64,
            /// As it stands on the book.
            #[validates(presence)]
            name: String,
            age: Option<i64>,
            #[column(secret)]
            password: Option<String>,
            #[has_many(inverse_of = author)]
            posts: Post,
            #[has_one]
            profile: Option<super::Profile>,
        }
    }

    pub mod post {
        use super::person::Person;
        use relata::model;

        #[model]
        pub struct Post {
            id: i64,
            title: String,
            r#type: Option<String>,
            status: super::super::Status,
            author_id: i64,
            #[belongs_to]
            author: Person,
            editor_id: Option<i64>,
            #[belongs_to]
            editor: Option<Person>,
            #[has_many(scope = |comments| comments.order(|c| c.id.desc()))]
            comments: super::Comment,
        }
    }

    use relata::model;

    #[model]
    pub struct Profile {
        id: i64,
        person_id: i64,
        bio: String,
        #[belongs_to]
        person: person::Person,
    }

    #[model]
    pub struct Comment {
        id: i64,
        body: String,
        post_id: i64,
        #[belongs_to]
        post: post::Post,
    }
}

#[derive(Debug, PartialEq, Attribute)]
pub enum Status {
    Draft,
    InReview,
    #[attribute(rename = "live")]
    Published,
}

use blog::person::Person;
use blog::post::Post;
use blog::{Comment, Profile};

async fn tables(db: &Db) -> Result<()> {
    db.create_tables([
        Person::reflection(),
        Post::reflection(),
        Profile::reflection(),
        Comment::reflection(),
    ])
    .await
}

#[relata::test]
async fn walks_both_ways(db: Db) -> Result<()> {
    tables(&db).await?;
    let ann = Person::create(&db, |p| p.set_name("Ann").set_age(Some(40))).await?;
    let post = Post::create(&db, |p| {
        p.set_title("Hello")
            .set_author(&ann)
            .set_status(Status::InReview)
    })
    .await?;
    assert!(post.author().await?.is(&ann));
    assert_eq!(post.author_id(), ann.id());
    assert!(post.editor().await?.is_none());
    post.set_editor(Some(&ann))
        .set_editor(&ann)
        .set_editor(None);
    let posts = ann.posts().await?;
    assert_eq!(posts.len(), 1);
    let again = Post::find(&db, post.id()).await?;
    assert_eq!(again.status(), Status::InReview);
    assert_eq!(again, post);
    let found = Post::all(&db)
        .filter(|p| p.author.name.eq("Ann").and(p.status.eq(Status::InReview)))
        .await?;
    assert_eq!(found.len(), 1);
    post.comments().create(|c| c.set_body("a")).await?;
    post.comments().create(|c| c.set_body("b")).await?;
    assert_eq!(again.comment_ids().await?, [2, 1]);
    assert_eq!(again.r#type(), None);
    again.set_type(Some("x"));
    assert!(again.type_changed());
    again.update(|p| p.set_title("Bye")).await?;
    assert_eq!(again.saved_change_to_title(), Some(("Hello", "Bye")));
    Ok(())
}

#[relata::test(file)]
async fn builds_profiles(db: Db) -> Result<()> {
    tables(&db).await?;
    let ann = Person::new(&db).with(|p| p.set_name("Ann").set_password(Some("secret")));
    ann.build_profile(|p| p.set_bio("Writes"));
    ann.save().await?;
    assert!(!format!("{ann:?}").contains("secret"), "{ann:?}");
    assert_eq!(
        ann.reload_profile()
            .await?
            .map(|profile| profile.bio().to_owned())
            .as_deref(),
        Some("Writes")
    );
    Ok(())
}

#[derive(Debug, Clone, PartialEq, Attribute)]
pub struct Email(String);

#[derive(Debug, Clone, Copy, PartialEq, Attribute)]
#[attribute(repr = i16)]
pub enum Level {
    Low = -1,
    #[default]
    Middle = 5,
    High = 9,
}

#[relata::model(table = "members", primary_key = (club, number))]
pub struct Member {
    club: i64,
    number: i32,
    #[column(name = "mail", unique)]
    email: Email,
    #[column(default = 5)]
    level: Level,
    second: Option<Level>,
    #[column(default = -1.5)]
    score: f64,
    #[has_many(foreign_key = (club, member))]
    visits: Visit,
}

#[relata::model]
pub struct Visit {
    id: i64,
    club: i64,
    member: Option<i32>,
    #[belongs_to(foreign_key = (club, member), primary_key = (club, number))]
    visitor: Option<Member>,
    place: Option<Email>,
}

#[relata::test]
async fn keeps_enums_newtypes_and_composite_keys(db: Db) -> Result<()> {
    db.create_tables([Member::reflection(), Visit::reflection()])
        .await?;
    let unset = Member::new(&db);
    assert_eq!(
        (unset.level(), unset.second(), unset.email()),
        (Level::Middle, None, Email(String::new()))
    );
    let ann = Member::create(&db, |m| {
        m.set_club(1)
            .set_number(2)
            .set_email(Email("ann@x.org".into()))
            .set_level(Level::Low)
            .set_score(3.0)
    })
    .await?;
    let visit = ann
        .visits()
        .create(|v| v.set_place(Some(Email("x".into()))))
        .await?;
    assert_eq!((visit.club(), visit.member()), (1, Some(2)));
    let found = Member::find(&db, (1, 2)).await?;
    assert_eq!(
        (found.email(), found.level(), found.score()),
        (Email("ann@x.org".into()), Level::Low, 3.0)
    );
    assert_eq!(found.visit_ids().await?, [visit.id()]);
    assert!(
        visit
            .reload_visitor()
            .await?
            .is_some_and(|visitor| visitor == ann)
    );
    assert_eq!(
        Member::all(&db)
            .filter(|m| m.level.eq(Level::Low))
            .count()
            .await?,
        1
    );
    let columns = Member::reflection().columns();
    assert_eq!(
        (columns[2].name(), columns[2].column_name()),
        ("email", "mail")
    );
    Ok(())
}

#[relata::test]
fn a_stored_value_that_is_no_variant_is_named() {
    use relata::Value;
    use relata::attribute::Stored;
    let refused = |value: Value<'_>| Status::check(Stored::of(&value)).unwrap_err();
    assert_eq!(
        refused(Value::from("in_reveiw")),
        "\"in_reveiw\" is no Status: its values are draft, in_review, live; did you mean \"in_review\"?"
    );
    assert!(Status::check(Stored::of(&Value::from("live"))).is_ok());
    assert_eq!(
        Level::check(Stored::of(&Value::Int(4))).unwrap_err(),
        "4 is no Level: its values are -1, 5, 9"
    );
}

#[relata::test]
#[should_panic(expected = "leased or a transaction open")]
async fn a_test_that_leaves_a_transaction_open_fails(db: Db) -> Result<()> {
    left_open(db).await
}

/// A transaction that is begun, and never ends.
async fn left_open(db: Db) -> Result<()> {
    let forgotten = db.clone();
    let mut transaction = Box::pin(db.transaction(async move || {
        forgotten.create_tables([Visit::reflection()]).await?;
        std::future::pending::<Result<()>>().await
    }));
    let _ = tokio::time::timeout(std::time::Duration::from_millis(20), &mut transaction).await;
    std::mem::forget(transaction);
    Ok(())
}

#[relata::test]
#[should_panic(expected = "by a transaction begun at crates/relata/tests/models.rs:")]
fn a_test_that_opens_its_database_itself_is_watched() -> Result<()> {
    relata::run(async { left_open(Db::connect("sqlite::memory:").await?).await })
}

/// As examples in documentation are, which no test watches.
#[relata::test]
fn what_runs_by_itself_is_watched() {
    let opened = || async { left_open(Db::connect("sqlite::memory:").await?).await };
    let unwatched = std::thread::spawn(move || relata::run(opened()).unwrap_err().to_string());
    let told = unwatched.join().unwrap();
    assert!(
        told.contains("begun at crates/relata/tests/models.rs:"),
        "{told}"
    );
    // A task that goes on may end what it holds.
    let unwatched = std::thread::spawn(move || {
        relata::run(async {
            tokio::spawn(std::future::pending::<()>());
            left_open(Db::connect("sqlite::memory:").await?).await
        })
    });
    assert!(unwatched.join().unwrap().is_ok());
}

#[relata::test]
#[should_panic(expected = "which was opened at crates/relata/tests/models.rs:")]
async fn a_second_database_is_watched(_db: Db) -> Result<()> {
    left_open(Db::connect("sqlite::memory:").await?).await
}

#[tokio::test]
#[relata::test]
#[should_panic(expected = "leased or a transaction open")]
async fn a_test_of_another_runtime_is_watched() {
    let db = Db::connect("sqlite::memory:").await.unwrap();
    left_open(db).await.unwrap();
}

#[relata::test]
#[should_panic(expected = "no coffee")]
async fn a_test_that_gives_an_error_fails(_db: Db) -> Result<()> {
    Err(relata::Error::other(std::io::Error::other("no coffee")))
}

/// A member that a scope compares with its owner.
#[relata::model(table = "scores")]
pub struct Score {
    id: i64,
    points: i64,
    player_id: i64,
    #[belongs_to]
    player: Player,
}

#[relata::model]
pub struct Player {
    id: i64,
    limit: i64,
    #[has_many(scope = |scores, player| scores.filter(|s| s.points.gt(player.limit())))]
    high_scores: Score,
    #[has_one(scope = |scores, player: &Player| scores.order(|s| s.points.desc()).filter(|s| s.points.le(player.limit())))]
    best_low_score: Option<Score>,
}

#[relata::test]
async fn a_scope_that_takes_the_owner_is_asked_with_each(db: Db) -> Result<()> {
    db.create_tables([Player::reflection(), Score::reflection()])
        .await?;
    for limit in [2, 10] {
        let player = Player::create(&db, |p| p.set_limit(limit)).await?;
        for points in 1..=3 {
            Score::create(&db, |s| s.set_points(points).set_player(&player)).await?;
        }
    }
    let points = |scores: &[Score]| scores.iter().map(Score::points).collect::<Vec<_>>();
    for players in [
        Player::all(&db).await?,
        Player::all(&db)
            .preload(|p| (p.high_scores, p.best_low_score))
            .await?,
    ] {
        assert_eq!(points(&players[0].high_scores().await?), [3]);
        assert!(players[1].high_scores().await?.is_empty());
        let best = players[0].best_low_score().await?.unwrap();
        assert_eq!((best.points(), best.player_id()), (2, 1));
        let best = players[1].best_low_score().await?.unwrap();
        assert_eq!((best.points(), best.player_id()), (3, 2));
    }
    assert_eq!(
        Player::find(&db, 1).await?.high_scores().to_sql(),
        r#"SELECT "scores".* FROM "scores" WHERE "scores"."player_id" = 1 AND "scores"."points" > 2"#
    );
    let error = Player::all(&db).joins(|p| p.high_scores).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("The association scope 'high_scores' is instance dependent"),
        "{error}"
    );
    Ok(())
}

#[relata::model(table = "seats", primary_key = (hall, number))]
pub struct Seat {
    hall: i64,
    number: String,
    #[has_many(foreign_key = (hall, seat), primary_key = (hall, number))]
    tickets: Ticket,
}

#[relata::model]
pub struct Ticket {
    id: i64,
    hall: i64,
    seat: String,
}

/// Each key was a condition of its own, and SQLite nests no more than a thousand: from a thousand owners with a key of
/// several columns on, their members could not be loaded.
#[relata::test]
async fn lists_of_keys_of_several_columns_are_of_any_length(db: Db) -> Result<()> {
    db.create_tables([Seat::reflection(), Ticket::reflection()])
        .await?;
    for sql in [
        "INSERT INTO seats (hall, number) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
         SELECT i % 2, i || '\"'' a' FROM n",
        "INSERT INTO tickets (hall, seat) SELECT hall, number FROM seats",
    ] {
        db.execute_sql(relata::Raw::new(sql)).await?;
    }
    let seats = relata::assert_queries!(db, 2, { Seat::all(&db).includes(|s| s.tickets).await? });
    assert_eq!(seats.len(), 20_000);
    for seat in &seats {
        let tickets = seat.tickets().loaded().unwrap();
        assert_eq!(tickets.len(), 1);
        assert_eq!(
            (tickets[0].hall(), tickets[0].seat()),
            (seat.hall(), seat.number())
        );
    }
    let keys: Vec<(i64, String)> = seats
        .iter()
        .map(|seat| (seat.hall(), seat.number().to_owned()))
        .collect();
    let found = Seat::all(&db).find_many(keys).await?;
    assert!(found == seats);
    assert!(
        Seat::all(&db)
            .find_many(Vec::<(i64, String)>::new())
            .await?
            .is_empty()
    );
    Ok(())
}
