//! Two objects of one row, loaded apart: what touches the row tells both.

#![allow(missing_docs)]
#![cfg(all(feature = "sqlite", feature = "chrono"))]

use relata::{Db, Result, model};

#[model]
pub struct Shelf {
    id: i64,
    updated_at: Option<chrono::DateTime<chrono::Utc>>,
    #[has_many]
    books: Book,
}

#[model]
pub struct Book {
    id: i64,
    title: String,
    shelf_id: Option<i64>,
    #[belongs_to(touch)]
    shelf: Option<Shelf>,
}

#[relata::test]
async fn both_are_told_of_a_touch_and_say_what_the_row_says(db: Db) -> Result<()> {
    db.create_tables([Shelf::reflection(), Book::reflection()])
        .await?;
    db.stop_clock_at(1_000_000);
    let shelf = Shelf::create(&db, |s| s).await?;
    for title in ["a", "b"] {
        shelf.books().create(|b| b.set_title(title)).await?;
    }
    let (one, two) = (Book::find(&db, 1).await?, Book::find(&db, 2).await?);
    let (first, second) = (one.shelf().await?.unwrap(), two.shelf().await?.unwrap());
    assert!(!first.is(&second) && first == second);
    db.stop_clock_at(2_000_000);
    let capture = db.capture();
    db.transaction(async || {
        one.update(|b| b.set_title("aa")).await?;
        two.update(|b| b.set_title("bb")).await?;
        // In memory at once, in the row once it commits.
        assert_eq!(first.updated_at(), second.updated_at());
        Ok(())
    })
    .await?;
    let row = Shelf::find(&db, shelf.id()).await?;
    for told in [&first, &second] {
        assert_eq!(told.updated_at(), row.updated_at());
        assert!(!told.is_changed());
    }
    assert_eq!(
        row.updated_at().map(|at| at.timestamp_micros()),
        Some(2_000_000)
    );
    let texts = capture.texts();
    let touches = texts
        .iter()
        .filter(|text| text.starts_with("UPDATE \"shelves\""));
    // As in Rails, one for each object that was told.
    assert_eq!(touches.count(), 2, "{texts:?}");

    // Rolled back, both are as before.
    db.stop_clock_at(3_000_000);
    let failed: Result<()> = db
        .transaction(async || {
            one.update(|b| b.set_title("aaa")).await?;
            two.update(|b| b.set_title("bbb")).await?;
            Err(relata::Error::new(relata::ErrorKind::Rollback, "asked"))
        })
        .await;
    assert!(failed.is_err());
    for told in [&first, &second] {
        assert_eq!(told.updated_at(), row.updated_at());
    }
    Ok(())
}
