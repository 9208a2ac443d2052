//! What associations do by themselves: dependents, counters, touches, defaults.

use crate::Backend;
use relata::{
    Abort, Db, Error, ErrorKind, Relation, Result, assert_queries, assert_sql, callbacks, model,
    no_touching,
};

/// Has children of every kind.
#[model]
pub struct Parent {
    id: i64,
    name: String,
    #[has_many(dependent = destroy)]
    kept: Kept,
    #[has_many(dependent = delete_all)]
    dropped: Dropped,
    #[has_many(dependent = nullify)]
    freed: Freed,
    #[has_one(dependent = restrict_with_error)]
    latch: Option<Latch>,
    #[has_many(dependent = restrict_with_exception)]
    seals: Seal,
}

/// Is destroyed with its parent, and destroys what is below.
#[model]
pub struct Kept {
    id: i64,
    name: String,
    parent_id: i64,
    #[belongs_to]
    parent: Parent,
    #[has_many(dependent = destroy)]
    leaves: Leaf,
}

/// Is destroyed with its parent.
#[model]
pub struct Leaf {
    id: i64,
    kept_id: i64,
    #[belongs_to]
    kept: Kept,
}

/// Is deleted with its parent.
#[model]
pub struct Dropped {
    id: i64,
    parent_id: i64,
    #[belongs_to]
    parent: Parent,
}

/// Is let go.
#[model]
pub struct Freed {
    id: i64,
    parent_id: Option<i64>,
    #[belongs_to]
    parent: Option<Parent>,
}

/// Keeps its parent, as an error of it.
#[model]
pub struct Latch {
    id: i64,
    parent_id: i64,
    #[belongs_to]
    parent: Parent,
}

/// Keeps its parent, as an error.
#[model]
pub struct Seal {
    id: i64,
    parent_id: i64,
    #[belongs_to]
    parent: Parent,
}

#[callbacks]
impl Kept {
    #[before_destroy]
    fn refuse(&self) -> Result<(), Abort> {
        let by = self.destroyed_by_association().map(|by| by.name());
        if self.name() == "refuses" && by == Some("kept") {
            Err(Abort)
        } else {
            Ok(())
        }
    }
}

/// A shelf counts its books, and is touched by them.
#[model]
pub struct Shelf {
    id: i64,
    name: String,
    #[column(default = 0)]
    books_count: i64,
    #[column(default = 0)]
    read: i64,
    updated_at: Option<Instant>,
    moved_at: Option<Instant>,
    room_id: Option<i64>,
    #[belongs_to(touch)]
    room: Option<Room>,
    #[has_many]
    books: Book,
}

/// Is touched by its shelves.
#[model]
pub struct Room {
    id: i64,
    updated_at: Option<Instant>,
    #[has_one(touch)]
    door: Option<Door>,
}

/// Is touched by its room.
#[model]
pub struct Door {
    id: i64,
    updated_at: Option<Instant>,
    room_id: i64,
    #[belongs_to(touch)]
    room: Room,
}

/// Stands on a shelf.
#[model]
pub struct Book {
    id: i64,
    title: String,
    shelf_id: Option<i64>,
    #[belongs_to(counter_cache, touch = moved_at)]
    shelf: Option<Shelf>,
    updated_at: Option<Instant>,
}

/// Touches its shelf, and nothing more of it.
#[model]
pub struct Label {
    id: i64,
    text: String,
    shelf_id: i64,
    #[belongs_to(touch)]
    shelf: Shelf,
}

/// Lies on the first shelf when nobody says otherwise.
#[model]
pub struct Paper {
    id: i64,
    shelf_id: i64,
    #[belongs_to(default = |paper: &Paper| Shelf::all(paper.db()).first())]
    shelf: Shelf,
}

type Instant = chrono::DateTime<chrono::Utc>;

async fn family(backend: &Backend) -> Result<Db> {
    let db = backend.open().await?;
    db.create_tables([
        Parent::reflection(),
        Kept::reflection(),
        Leaf::reflection(),
        Dropped::reflection(),
        Freed::reflection(),
        Latch::reflection(),
        Seal::reflection(),
    ])
    .await?;
    let parent = Parent::create(&db, |p| p.set_name("P")).await?;
    for name in ["a", "b"] {
        let kept = parent.kept().create(|k| k.set_name(name)).await?;
        kept.leaves().create(|l| l).await?;
        parent.dropped().create(|d| d).await?;
        parent.freed().create(|f| f).await?;
    }
    Ok(db)
}

async fn rows(db: &Db) -> Result<[u64; 5]> {
    Ok([
        Parent::all(db).count().await?,
        Kept::all(db).count().await?,
        Leaf::all(db).count().await?,
        Dropped::all(db).count().await?,
        Freed::all(db).count().await?,
    ])
}

/// Destroying goes down in the order of declaration, one statement a row or one for all.
pub async fn destroying_goes_down_in_the_order_of_declaration(backend: &Backend) -> Result<()> {
    let db = family(backend).await?;
    let parent = Parent::find(&db, 1).await?;
    assert_sql!(
        db,
        [
            r#"SELECT "kepts".* FROM "kepts" WHERE "kepts"."parent_id" = ?"#,
            r#"SELECT "leafs".* FROM "leafs" WHERE "leafs"."kept_id" IN (?, ?) LIMIT 100001"#,
            r#"DELETE FROM "leafs" WHERE "leafs"."id" = ?"#,
            r#"DELETE FROM "kepts" WHERE "kepts"."id" = ?"#,
            // What was read for a sibling is not used once its table was written.
            r#"SELECT "leafs".* FROM "leafs" WHERE "leafs"."kept_id" = ?"#,
            r#"DELETE FROM "leafs" WHERE "leafs"."id" = ?"#,
            r#"DELETE FROM "kepts" WHERE "kepts"."id" = ?"#,
            r#"DELETE FROM "droppeds" WHERE "droppeds"."parent_id" = ?"#,
            r#"UPDATE "freeds" SET "parent_id" = ? WHERE "freeds"."parent_id" = ?"#,
            r#"SELECT "latches".* FROM "latches" WHERE "latches"."parent_id" = ? LIMIT 1"#,
            r#"SELECT 1 AS one FROM "seals" WHERE "seals"."parent_id" = ? LIMIT 1"#,
            r#"DELETE FROM "parents" WHERE "parents"."id" = ?"#,
        ],
        { parent.destroy().await? }
    );
    assert_eq!(rows(&db).await?, [0, 0, 0, 0, 2]);
    assert_eq!(Freed::all(&db).pluck(|f| f.parent_id).await?, [None, None]);
    Ok(())
}

/// What refuses keeps the owner and everything below it.
pub async fn what_refuses_keeps_the_owner(backend: &Backend) -> Result<()> {
    let db = family(backend).await?;
    let parent = Parent::find(&db, 1).await?;
    let before = rows(&db).await?;

    let seal = parent.seals().create(|s| s).await?;
    let error = parent.destroy().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeleteRestriction);
    assert_eq!(
        error.to_string(),
        "Cannot delete record because of dependent seals"
    );
    assert_eq!(rows(&db).await?, before);
    seal.delete().await?;

    let parent = Parent::find(&db, 1).await?;
    let latch = Latch::create(&db, |l| l.set_parent(&parent)).await?;
    let error = parent.destroy().await.unwrap_err();
    assert!(error.is_record_not_destroyed());
    assert_eq!(
        parent.errors().full_messages(),
        ["Cannot delete record because a dependent latch exists"]
    );
    assert_eq!(
        parent.errors().to_vec()[0].kind,
        "restrict_dependent_destroy.has_one"
    );
    assert_eq!(rows(&db).await?, before);
    latch.delete().await?;

    // A child that refuses keeps its parent; by itself it goes.
    let child = Kept::find(&db, 2).await?;
    child.set_name("refuses");
    child.save().await?;
    let parent = Parent::find(&db, 1).await?;
    let error = parent.destroy().await.unwrap_err();
    assert!(error.is_record_not_destroyed());
    let message = error.to_string();
    assert!(
        message.starts_with("Failed to destroy Kept with id=2: "),
        "{message}"
    );
    assert_eq!(rows(&db).await?, before);
    assert!(parent.is_persisted());
    child.destroy().await?;
    Parent::find(&db, 1).await?.destroy().await?;
    assert_eq!(rows(&db).await?, [0, 0, 0, 0, 2]);
    Ok(())
}

/// Every statement of a destruction may fail: rows and memory are as before.
pub async fn every_statement_of_a_destruction_may_fail(backend: &Backend) -> Result<()> {
    let db = family(backend).await?;
    let before = rows(&db).await?;
    for nth in 1.. {
        let parent = Parent::find(&db, 1).await?;
        db.faults().fail_nth(nth, ErrorKind::DiskFull);
        let destroyed = parent.destroy().await;
        db.faults().clear();
        if destroyed.is_ok() {
            assert!(nth > 11, "the fault {nth} was not met");
            break;
        }
        assert!(parent.is_persisted());
        assert_eq!(rows(&db).await?, before, "statement {nth}");
    }
    assert_eq!(rows(&db).await?, [0, 0, 0, 0, 2]);
    Ok(())
}

/// How members leave a collection is what `dependent` says.
pub async fn members_leave_as_dependent_says(backend: &Backend) -> Result<()> {
    let db = family(backend).await?;
    let parent = Parent::find(&db, 1).await?;
    let dropped = parent.dropped().await?;
    assert_sql!(
        db,
        [r#"DELETE FROM "droppeds" WHERE "droppeds"."parent_id" = ? AND "droppeds"."id" = ?"#],
        { parent.dropped().delete([&dropped[0]]).await? }
    );
    let freed = parent.freed().await?;
    parent.freed().delete([&freed[0]]).await?;
    let kept = parent.kept().await?;
    // Destroyed, and what is below with it.
    parent.kept().delete([&kept[0]]).await?;
    assert_eq!(rows(&db).await?, [1, 1, 1, 1, 2]);
    Ok(())
}

async fn library(backend: &Backend) -> Result<(Db, Shelf, Shelf)> {
    let db = backend.open().await?;
    db.create_tables([
        Room::reflection(),
        Door::reflection(),
        Shelf::reflection(),
        Book::reflection(),
        Paper::reflection(),
    ])
    .await?;
    db.stop_clock_at(1_000_000);
    let one = Shelf::create(&db, |s| s.set_name("one")).await?;
    let two = Shelf::create(&db, |s| s.set_name("two")).await?;
    Ok((db, one, two))
}

async fn counts(db: &Db) -> Result<Vec<i64>> {
    Shelf::all(db)
        .order(|s| s.id.asc())
        .pluck(|s| s.books_count)
        .await
}

/// A counter follows its rows.
pub async fn a_counter_follows_its_rows(backend: &Backend) -> Result<()> {
    let (db, one, two) = library(backend).await?;
    let book = assert_sql!(
        db,
        [
            r#"INSERT INTO "books" ("title", "shelf_id", "updated_at") VALUES (?, ?, ?)"#,
            r#"UPDATE "shelves" SET "books_count" = COALESCE("shelves"."books_count", 0) + 1, "updated_at" = ?, "moved_at" = ? WHERE "shelves"."id" = ?"#,
        ],
        { one.books().create(|b| b.set_title("A")).await? }
    );
    assert_eq!((one.books_count(), counts(&db).await?), (1, vec![1, 0]));
    assert!(!one.is_changed());
    // The key moves: the new one is counted first.
    book.set_shelf(Some(&two));
    book.save().await?;
    assert_eq!((counts(&db).await?, two.books_count()), (vec![0, 1], 1));
    book.set_shelf(None);
    book.save().await?;
    book.save().await?;
    assert_eq!(counts(&db).await?, [0, 0]);
    book.set_shelf_id(Some(1));
    book.save().await?;
    book.destroy().await?;
    assert_eq!(counts(&db).await?, [0, 0]);
    // A row that is gone already is not counted out twice.
    let book = Book::create(&db, |b| b.set_title("B").set_shelf(Some(&one))).await?;
    let other = Book::find(&db, book.id()).await?;
    book.destroy().await?;
    other.destroy().await?;
    assert_eq!(counts(&db).await?, [0, 0]);
    Ok(())
}

/// A counter is never overwritten, and goes back with the transaction.
pub async fn a_counter_is_never_overwritten(backend: &Backend) -> Result<()> {
    let (db, one, _) = library(backend).await?;
    let stale = Shelf::find(&db, 1).await?;
    one.books().create(|b| b.set_title("A")).await?;
    stale.set_books_count(7).set_name("renamed");
    assert_sql!(
        db,
        [r#"UPDATE "shelves" SET "name" = ?, "updated_at" = ? WHERE "shelves"."id" = ?"#],
        {
            db.stop_clock_at(2_000_000);
            stale.save().await?;
        }
    );
    assert_eq!(counts(&db).await?, [1, 0]);
    let undone: Result<()> = db
        .transaction(async || {
            one.books().create(|b| b.set_title("B")).await?;
            assert_eq!(one.books_count(), 2);
            Err(relata::Error::new(ErrorKind::Rollback, "no"))
        })
        .await;
    assert!(undone.is_err());
    assert_eq!((one.books_count(), counts(&db).await?), (1, vec![1, 0]));
    assert!(!one.is_changed());
    Ok(())
}

/// The size of a collection is its counter.
pub async fn the_size_of_a_collection_is_its_counter(backend: &Backend) -> Result<()> {
    let (db, one, _) = library(backend).await?;
    for title in ["A", "B", "C"] {
        one.books().create(|b| b.set_title(title)).await?;
    }
    let shelf = Shelf::find(&db, 1).await?;
    assert_queries!(db, 0, {
        assert_eq!(shelf.books().size().await?, 3);
        assert!(shelf.books().any().await? && !shelf.books().is_empty().await?);
    });
    let books = shelf.books().await?;
    shelf.books().delete([&books[0], &books[1]]).await?;
    assert_eq!((shelf.books_count(), counts(&db).await?), (1, vec![1, 0]));
    shelf.books().delete_all().await?;
    assert_eq!((shelf.books_count(), counts(&db).await?), (0, vec![0, 0]));
    Ok(())
}

/// Counters can be corrected and added to.
pub async fn counters_can_be_corrected(backend: &Backend) -> Result<()> {
    let (db, one, _) = library(backend).await?;
    one.books().create(|b| b.set_title("A")).await?;
    let shelves: Relation<Shelf> = Shelf::all(&db);
    let rows = shelves
        .update_counters([("books_count", 5), ("read", -2)], false)
        .await?;
    assert_eq!((rows, counts(&db).await?), (2, vec![6, 5]));
    assert_eq!(Shelf::find(&db, 2).await?.read(), -2);
    shelves.reset_counters(1, ["books"], false).await?;
    shelves.reset_counters(2, ["books_count"], true).await?;
    assert_eq!(counts(&db).await?, [1, 0]);
    let error = shelves
        .reset_counters(1, ["nope"], false)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "'Shelf' has no association called 'nope'"
    );
    Ok(())
}

fn at(time: Option<Instant>) -> Option<i64> {
    time.map(|time| time.timestamp_micros())
}

/// A touch goes up once a transaction.
pub async fn a_touch_goes_up_once_a_transaction(backend: &Backend) -> Result<()> {
    let (db, shelf, _) = library(backend).await?;
    let room = Room::create(&db, |r| r).await?;
    shelf.set_room(Some(&room));
    shelf.save().await?;
    let book = shelf.books().create(|b| b.set_title("A")).await?;
    let other = shelf.books().create(|b| b.set_title("B")).await?;
    db.stop_clock_at(5_000_000);
    book.set_title("A2");
    other.set_title("B2");
    assert_sql!(
        db,
        [
            r#"UPDATE "books" SET "title" = ?, "updated_at" = ? WHERE "books"."id" = ?"#,
            r#"UPDATE "books" SET "title" = ?, "updated_at" = ? WHERE "books"."id" = ?"#,
            r#"UPDATE "shelves" SET "updated_at" = ?, "moved_at" = ? WHERE "shelves"."id" = ?"#,
            r#"UPDATE "rooms" SET "updated_at" = ? WHERE "rooms"."id" = ?"#,
        ],
        {
            db.transaction(async || {
                book.save().await?;
                other.save().await
            })
            .await?;
        }
    );
    assert_eq!(at(Room::find(&db, 1).await?.updated_at()), Some(5_000_000));
    assert_eq!(at(shelf.moved_at()), Some(5_000_000));
    assert!(!shelf.is_changed() && !room.is_changed());
    // Nothing changed, nothing is touched; a model that is quiet is left out.
    db.stop_clock_at(6_000_000);
    assert_queries!(db, 0, { book.save().await? });
    book.set_title("A3");
    no_touching([Shelf::reflection()], async || book.save().await).await?;
    assert_eq!(at(Shelf::find(&db, 1).await?.updated_at()), Some(5_000_000));
    Ok(())
}

/// What a savepoint that is rolled back did to a touch that waits outside of it is undone.
pub async fn a_touch_that_waits_outlives_no_savepoint(backend: &Backend) -> Result<()> {
    let (db, shelf, _) = library(backend).await?;
    db.create_tables([Label::reflection()]).await?;
    db.stop_clock_at(4_000_000);
    let book = shelf.books().create(|b| b.set_title("A")).await?;
    let label = Label::create(&db, |l| l.set_text("x").set_shelf(&shelf)).await?;
    let times = async || -> Result<_> {
        let row = Shelf::find(&db, shelf.id()).await?;
        assert_eq!(row.updated_at(), shelf.updated_at());
        assert_eq!(row.moved_at(), shelf.moved_at());
        Ok((at(row.updated_at()), at(row.moved_at())))
    };
    let undone = || Err::<(), _>(Error::new(ErrorKind::Rollback, "no"));
    db.stop_clock_at(5_000_000);
    db.transaction(async || {
        label.set_text("y").save().await?;
        let inner = db.transaction(async || {
            book.set_title("B").save().await?;
            undone()
        });
        assert!(inner.await.is_err());
        Ok(())
    })
    .await?;
    // The column that only the book touches was never touched.
    assert_eq!(times().await?, (Some(5_000_000), Some(4_000_000)));
    db.stop_clock_at(6_000_000);
    db.transaction(async || {
        label.set_text("z").save().await?;
        let inner = db.transaction(async || {
            shelf.touch().await?;
            undone()
        });
        assert!(inner.await.is_err());
        Ok(())
    })
    .await?;
    // The touch that the savepoint took with it waits again.
    assert_eq!(times().await?, (Some(6_000_000), Some(4_000_000)));
    Ok(())
}

/// Two that touch each other end.
pub async fn two_that_touch_each_other_end(backend: &Backend) -> Result<()> {
    let (db, ..) = library(backend).await?;
    let room = Room::create(&db, |r| r).await?;
    let door = Door::create(&db, |d| d.set_room(&room)).await?;
    db.stop_clock_at(7_000_000);
    assert!(door.touch().await?);
    assert_eq!(at(Room::find(&db, 1).await?.updated_at()), Some(7_000_000));
    assert_eq!(at(Door::find(&db, 1).await?.updated_at()), Some(7_000_000));
    let error = Door::new(&db).touch().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotPersisted);
    // Whether it was done is said: not where touching is off, nor where the row is gone.
    let quiet = no_touching([Door::reflection()], async || door.touch().await);
    assert_queries!(db, 0, { assert!(!quiet.await?) });
    assert!(relata::is_touching(Door::reflection()));
    Door::all(&db).delete_all().await?;
    assert!(!door.touch().await?);
    Ok(())
}

/// "FOREIGN KEY constraint failed" named neither the row nor what can be done.
pub async fn a_row_that_others_refer_to_says_what_to_do(backend: &Backend) -> Result<()> {
    let (db, one, _) = library(backend).await?;
    Book::create(&db, |b| b.set_title("A").set_shelf(&one)).await?;
    for refused in [one.destroy().await, one.delete().await] {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidForeignKey);
        assert_eq!(
            error.to_string(),
            "Shelf with 'id'=1 cannot be deleted: rows of other tables refer to it. Give the association that leads to \
             them `dependent` (books has none), or destroy them first"
        );
        assert!(
            std::error::Error::source(&error).is_some(),
            "what the database said"
        );
        assert!(one.is_persisted());
    }
    Ok(())
}

/// A default fills a missing parent in, and no other.
pub async fn a_default_fills_a_missing_parent_in(backend: &Backend) -> Result<()> {
    let (db, _, two) = library(backend).await?;
    let paper = Paper::create(&db, |p| p).await?;
    assert_eq!(paper.shelf_id(), 1);
    let paper = Paper::create(&db, |p| p.set_shelf(&two)).await?;
    assert_eq!(paper.shelf_id(), 2);
    Shelf::all(&db).delete_all().await.unwrap_err();
    Ok(())
}
