//! What would leave a row that nobody can read, or answer for another database, is refused and changes nothing.

#![allow(missing_docs)]
#![cfg(feature = "sqlite")]

use std::error::Error as _;

use relata::{Db, Error, ErrorKind, Result, callbacks, loading, model};

#[model]
pub struct Person {
    id: i64,
    name: String,
    stars: i64,
    #[has_many]
    posts: Post,
}

#[model]
pub struct Post {
    id: i64,
    title: String,
    person_id: Option<i64>,
    #[belongs_to]
    person: Option<Person>,
}

#[model]
pub struct Letter {
    id: i64,
    text: String,
}

#[callbacks]
impl Letter {
    #[after_commit]
    fn send(&self) -> Result<()> {
        Err(Error::new(ErrorKind::Argument, "no stamp"))
    }
}

async fn ann(db: &Db) -> Result<Person> {
    db.create_tables([Person::reflection(), Post::reflection()])
        .await?;
    Person::create(db, |p| p.set_name("Ann").set_stars(1)).await
}

#[relata::test]
async fn what_is_no_number_is_not_added_to(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    let people = Person::all(&db);
    let error = people
        .update_counters([("name", 1)], false)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert!(error.to_string().contains("Person.name"), "{error}");
    let error = people
        .update_all(|p| p.name.increment(1))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    let error = people
        .update_all(|p| p.stars.increment(0.5))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert_eq!(people.update_all(|p| p.stars.increment(2)).await?, 1);
    assert_eq!(people.update_counters([("stars", 2)], false).await?, 1);
    ann.reload().await?;
    assert_eq!((ann.name(), ann.stars()), ("Ann", 5));
    Ok(())
}

#[relata::test]
async fn what_holds_no_time_is_not_touched(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    let error = ann.touch_columns(["stars"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert!(error.to_string().contains("Person.stars"), "{error}");
    ann.reload().await?;
    assert_eq!(ann.stars(), 1);
    Ok(())
}

#[relata::test]
async fn records_of_another_database_are_refused_by_numbers_and_names(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    let other = Db::connect("sqlite::memory:").await?;
    other
        .create_tables([Person::reflection(), Post::reflection()])
        .await?;
    let bob = Person::create(&other, |p| p.set_name("Bob").set_stars(1)).await?;
    let counts = loading::counts([&ann, &bob], |p| p.posts).await;
    assert_eq!(
        counts.unwrap_err().kind(),
        ErrorKind::AssociationTypeMismatch
    );
    let by_record = Post::all(&db).erased().filter_records("person", [&*bob]);
    assert_eq!(
        by_record.unwrap_err().kind(),
        ErrorKind::AssociationTypeMismatch
    );
    let people = Person::all(&other).erased();
    let by_rows = Post::all(&db).erased().filter_rows("person", people);
    assert_eq!(
        by_rows.unwrap_err().kind(),
        ErrorKind::AssociationTypeMismatch
    );
    Ok(())
}

#[relata::test]
async fn a_page_begins_after_a_key_in_the_order_of_the_key_alone(db: Db) -> Result<()> {
    ann(&db).await?;
    for name in ["Bob", "Cid"] {
        Person::create(&db, |p| p.set_name(name).set_stars(1)).await?;
    }
    let by_name = Person::all(&db).order(|p| p.name).after(1);
    let error = by_name.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert!(error.to_string().contains("reorder"), "{error}");
    let ids = |people: Vec<Person>| people.iter().map(|p| p.id()).collect::<Vec<_>>();
    let up = Person::all(&db).order(|p| p.id).after(1)?;
    assert_eq!(ids(up.await?), [2, 3]);
    let down = Person::all(&db).order(|p| p.id.desc()).after(3)?;
    assert_eq!(ids(down.await?), [2, 1]);
    Ok(())
}

#[relata::test]
async fn a_failed_after_commit_names_its_cause_and_its_record(db: Db) -> Result<()> {
    db.create_tables([Letter::reflection()]).await?;
    let error = Letter::create(&db, |l| l.set_text("x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PostCommit);
    assert_eq!(error.model(), Some("Letter"));
    assert!(error.record::<Letter>().is_some());
    assert_eq!(error.source().expect("the cause").to_string(), "no stamp");
    assert_eq!(Letter::all(&db).count().await?, 1);
    Ok(())
}

#[relata::test]
async fn a_pattern_with_nul_is_refused(db: Db) -> Result<()> {
    ann(&db).await?;
    let error = Person::all(&db)
        .filter(|p| p.name.starts_with("A\0zzz"))
        .count()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue);
    assert!(error.to_string().contains("NUL"), "{error}");
    Ok(())
}

#[relata::test]
async fn a_sentence_names_twenty_keys_and_counts_the_rest(db: Db) -> Result<()> {
    ann(&db).await?;
    let error = Person::all(&db).find_many(1..=4000).await.unwrap_err();
    let message = error.to_string();
    assert!(message.contains("19, 20, … and 3980 more"), "{message}");
    assert!(message.len() < 600, "{}", message.len());
    Ok(())
}
