//! `disable_joins`: what goes through others is asked for hop by hop.

use crate::Backend;
use relata::attribute::{AttributeType, Kind};
use relata::reflection::{Column, Declared, ModelBuilder, Setting, Target};
use relata::{Db, Polymorphic, Record, Relation, Result, assert_queries, assert_sql, model};

/// Who writes.
#[model]
pub struct Writer {
    id: i64,
    name: String,
    #[has_many]
    books: Book,
    #[has_many(scope = |b| b.order(|b| b.title.desc()))]
    sorted_books: Book,
    #[has_many(through = books, disable_joins)]
    reviews: Review,
    #[has_many(through = books, source = reviews, disable_joins, scope = |r| r.filter(|r| r.stars.gt(2)).order(|r| r.stars.desc()))]
    good_reviews: Review,
    #[has_many(through = sorted_books, source = reviews, disable_joins)]
    sorted_reviews: Review,
    #[has_many(through = sorted_books, source = publisher, disable_joins)]
    publishers: Publisher,
    #[has_many(through = reviews, source = notes, disable_joins)]
    notes: Note,
    #[has_one]
    desk: Option<Desk>,
    #[has_one(through = desk, disable_joins)]
    room: Option<Room>,
}

/// What is written.
#[model]
pub struct Book {
    id: i64,
    title: String,
    writer_id: i64,
    publisher_shop: Option<i64>,
    publisher_number: Option<i64>,
    #[belongs_to]
    writer: Writer,
    #[belongs_to(foreign_key = (publisher_shop, publisher_number))]
    publisher: Option<Publisher>,
    #[has_many]
    reviews: Review,
}

/// Who prints it: known by two columns.
#[model(primary_key = (shop, number))]
pub struct Publisher {
    shop: i64,
    number: i64,
}

/// What is said of it.
#[model]
pub struct Review {
    id: i64,
    stars: i64,
    book_id: i64,
    #[belongs_to]
    book: Book,
    #[has_many(as = subject)]
    notes: Note,
}

/// What is noted about anything.
#[model]
pub struct Note {
    id: i64,
    subject_id: i64,
    subject_type: String,
    #[belongs_to(polymorphic)]
    subject: Subject,
}

/// What is noted about.
#[derive(Debug, Polymorphic)]
pub enum Subject {
    /// A review.
    Review(Review),
    /// A book.
    Book(Book),
}

/// Where a writer sits.
#[model]
pub struct Desk {
    id: i64,
    writer_id: i64,
    room_id: Option<i64>,
    #[belongs_to]
    writer: Writer,
    #[belongs_to]
    room: Option<Room>,
}

/// Where the desk stands.
#[model]
pub struct Room {
    id: i64,
    name: String,
}

/// Ann has the books A, B and C, with reviews of 1; 5 and 3; 4 stars. Bob has none.
async fn books(backend: &Backend) -> Result<Db> {
    let db = backend.open().await?;
    let models = [
        Writer::reflection(),
        Book::reflection(),
        Publisher::reflection(),
        Review::reflection(),
        Note::reflection(),
        Desk::reflection(),
        Room::reflection(),
    ];
    db.create_tables(models).await?;
    for name in ["Ann", "Bob"] {
        Writer::create(&db, |w| w.set_name(name)).await?;
    }
    for (title, stars) in [("A", &[1][..]), ("B", &[5, 3]), ("C", &[4])] {
        let book = Book::create(&db, |b| b.set_title(title).set_writer_id(1)).await?;
        for &stars in stars {
            book.reviews().create(|r| r.set_stars(stars)).await?;
        }
    }
    Ok(db)
}

fn stars(reviews: &[Review]) -> Vec<i64> {
    reviews.iter().map(|one| one.stars()).collect()
}

/// Each hop is a statement of its own, with its own scope.
pub async fn what_is_not_joined_is_asked_for_hop_by_hop(backend: &Backend) -> Result<()> {
    let db = books(backend).await?;
    let ann = Writer::find(&db, 1).await?;
    let found = assert_sql!(
        db,
        [
            r#"SELECT "books"."id" FROM "books" WHERE "books"."writer_id" = ?"#,
            r#"SELECT "reviews".* FROM "reviews" WHERE "reviews"."book_id" IN (?, ?, ?, ?)"#
        ],
        { ann.reviews().await? }
    );
    assert_eq!(stars(&found), [1, 5, 3, 4]);
    assert_queries!(db, 0, { assert_eq!(ann.reviews().await?.len(), 4) });
    let good = assert_sql!(
        db,
        [
            r#"SELECT "books"."id" FROM "books" WHERE "books"."writer_id" = ?"#,
            r#"SELECT "reviews".* FROM "reviews" WHERE "reviews"."book_id" IN (?, ?, ?, ?) AND "reviews"."stars" > ? ORDER BY "reviews"."stars" DESC"#
        ],
        { ann.good_reviews().await? }
    );
    assert_eq!(stars(&good), [5, 4, 3]);
    let count = assert_queries!(db, 2, { ann.good_reviews().count().await? });
    assert_eq!(count, 3);
    let narrowed = ann.reviews().filter(|r| r.stars.lt(4));
    let plucked = assert_queries!(db, 2, { narrowed.pluck(|r| r.stars).await? });
    assert_eq!(plucked, [1, 3]);
    assert!(assert_queries!(db, 2, { narrowed.exists().await? }));
    assert_eq!(narrowed.sum(|r| r.stars).await?, 4);
    let either = narrowed.or(ann.reviews().filter(|r| r.stars.eq(5)))?;
    assert_eq!(stars(&either.order(|r| r.id).await?), [1, 5, 3]);
    let bob = Writer::find(&db, 2).await?;
    assert!(bob.reviews().await?.is_empty());
    let book = bob.books().create(|b| b.set_title("F")).await?;
    book.reviews().create(|r| r.set_stars(7)).await?;
    // Each side asks for its own list, and a scope of one is not that of the other.
    let both = ann
        .reviews()
        .filter(|r| r.stars.gt(2))
        .or(bob.reviews().all())?;
    let both = assert_queries!(db, 3, { both.reorder(|r| r.stars).await? });
    assert_eq!(stars(&both), [3, 4, 5, 7]);
    let neither = ann.reviews().all().none().or(bob.reviews().all())?;
    assert_eq!(stars(&neither.await?), [7]);
    let new = Writer::new(&db);
    assert_queries!(db, 0, { assert!(new.reviews().await?.is_empty()) });
    Ok(())
}

/// What is on the way orders what it leads to, where nothing else does; a limit is of that order.
pub async fn what_is_not_joined_stands_in_the_order_of_what_is_on_the_way(
    backend: &Backend,
) -> Result<()> {
    let db = books(backend).await?;
    let ann = Writer::find(&db, 1).await?;
    let sorted = ann.sorted_reviews().await?;
    assert_eq!(stars(&sorted), [4, 5, 3, 1]);
    let all = || ann.sorted_reviews().all();
    assert_eq!(stars(&all().limit(2).await?), [4, 5]);
    assert_eq!(all().first().await?.unwrap().stars(), 4);
    assert_eq!(all().last().await?.unwrap().stars(), 1);
    assert_eq!(stars(&all().reorder(|r| r.stars).await?), [1, 3, 4, 5]);
    let two = Publisher::create(&db, |p| p.set_shop(1).set_number(2)).await?;
    let one = Publisher::create(&db, |p| p.set_shop(1).set_number(1)).await?;
    let three = Publisher::create(&db, |p| p.set_shop(2).set_number(1)).await?;
    for (id, publisher) in [(1, &one), (2, &three), (3, &two)] {
        Book::find(&db, id)
            .await?
            .update(|b| b.set_publisher(publisher))
            .await?;
    }
    let found = assert_queries!(db, 2, { ann.publishers().await? });
    assert_eq!(found, [two, three, one]);
    Ok(())
}

/// A way of three hops is three statements, and a type column is asked for too.
pub async fn ways_of_any_length_are_not_joined(backend: &Backend) -> Result<()> {
    let db = books(backend).await?;
    let note = |id: i64, of: &'static str| {
        Note::create(&db, move |n| n.set_subject_id(id).set_subject_type(of))
    };
    note(2, "Review").await?;
    note(3, "Review").await?;
    note(2, "Book").await?;
    let ann = Writer::find(&db, 1).await?;
    let notes = assert_sql!(
        db,
        [
            r#"SELECT "books"."id" FROM "books" WHERE "books"."writer_id" = ?"#,
            r#"SELECT "reviews"."id" FROM "reviews" WHERE "reviews"."book_id" IN (?, ?, ?, ?)"#,
            r#"SELECT "notes".* FROM "notes" WHERE "notes"."subject_id" IN (?, ?, ?, ?) AND "notes"."subject_type" = ?"#
        ],
        { ann.notes().await? }
    );
    assert_eq!(notes.len(), 2);
    Ok(())
}

/// Siblings are read together, each hop by one statement for all of them, and each gets what it would have got alone.
pub async fn what_is_not_joined_is_read_for_siblings_together(backend: &Backend) -> Result<()> {
    let db = books(backend).await?;
    let cid = Writer::create(&db, |w| w.set_name("Cid")).await?;
    for (title, stars) in [("D", &[2, 3][..]), ("Z", &[1])] {
        let book = cid.books().create(|b| b.set_title(title)).await?;
        for &stars in stars {
            book.reviews().create(|r| r.set_stars(stars)).await?;
        }
    }
    let writers = || Writer::all(&db).order(|w| w.id);
    let read = writers().await?;
    let reviews = assert_sql!(
        db,
        [
            r#"SELECT "books"."writer_id", "books"."id" FROM "books" WHERE "books"."writer_id" IN (?, ?, ?, ?) LIMIT 100001"#,
            r#"SELECT "reviews".* FROM "reviews" WHERE "reviews"."book_id" IN (?, ?, ?, ?, ?, ?, ?, ?) LIMIT 100001"#
        ],
        {
            let mut reviews = Vec::new();
            for writer in &read {
                reviews.push(stars(&writer.reviews().await?));
            }
            reviews
        }
    );
    assert_eq!(reviews, [vec![1, 5, 3, 4], vec![], vec![2, 3, 1]]);
    assert!(!read[0].books().is_loaded());
    let (sorted, good) = assert_queries!(db, 4, {
        let (mut sorted, mut good) = (Vec::new(), Vec::new());
        for writer in &read {
            sorted.push(stars(&writer.sorted_reviews().await?));
            good.push(stars(&writer.good_reviews().await?));
        }
        (sorted, good)
    });
    assert_eq!(sorted, [vec![4, 5, 3, 1], vec![], vec![1, 2, 3]]);
    assert_eq!(good, [vec![5, 4, 3], vec![], vec![3]]);
    // What nobody read yet is not used once its rows were written.
    let read = writers().await?;
    assert_eq!(read[0].reviews().await?.len(), 4);
    Review::all(&db)
        .filter(|r| r.stars.eq(2))
        .delete_all()
        .await?;
    assert_eq!(stars(&read[2].reviews().await?), [3, 1]);
    // A limit is that of one owner.
    let alone = assert_queries!(db, 2, { read[0].reviews().limit(1).await? });
    assert_eq!(alone.len(), 1);
    Ok(())
}

/// Ways of three hops, one target, keys of two columns, and rows that several owners lead to.
pub async fn siblings_share_what_is_on_the_way(backend: &Backend) -> Result<()> {
    let db = books(backend).await?;
    let note = |id: i64| {
        Note::create(&db, move |n| {
            n.set_subject_id(id).set_subject_type("Review")
        })
    };
    note(2).await?;
    note(4).await?;
    let bob = Writer::find(&db, 2).await?;
    bob.books().create(|b| b.set_title("E")).await?;
    for (at, writer) in [(1, "attic"), (2, "cellar")] {
        let room = Room::create(&db, |r| r.set_name(writer)).await?;
        Desk::create(&db, |d| d.set_writer_id(at).set_room(&room)).await?;
    }
    let one = Publisher::create(&db, |p| p.set_shop(1).set_number(1)).await?;
    let two = Publisher::create(&db, |p| p.set_shop(1).set_number(2)).await?;
    for (id, publisher) in [(1, &one), (3, &two), (4, &one)] {
        let book = Book::find(&db, id).await?;
        book.update(|b| b.set_publisher(publisher)).await?;
    }
    let read = Writer::all(&db).order(|w| w.id).await?;
    let (notes, rooms, publishers) = assert_queries!(db, 3 + 2 + 2, {
        let (mut notes, mut rooms, mut publishers) = (Vec::new(), Vec::new(), Vec::new());
        for writer in &read {
            notes.push(writer.notes().await?.len());
            rooms.push(writer.room().await?.map(|room| room.name().to_owned()));
            publishers.push(writer.publishers().await?);
        }
        (notes, rooms, publishers)
    });
    assert_eq!(notes, [2, 0]);
    assert_eq!(rooms, ["attic", "cellar"].map(|name| Some(name.to_owned())));
    assert_eq!(publishers, [vec![two, one.clone()], vec![one]]);
    assert!(publishers[0][1].is(&publishers[1][0]));
    Ok(())
}

/// Preloading goes over what is on the way, with scopes too.
pub async fn what_is_not_joined_is_preloaded_with_its_scopes(backend: &Backend) -> Result<()> {
    let db = books(backend).await?;
    let read = Writer::all(&db)
        .order(|w| w.id)
        .includes(|w| (w.good_reviews, w.sorted_reviews))
        .await?;
    assert_queries!(db, 0, {
        assert_eq!(stars(&read[0].good_reviews().await?), [5, 4, 3]);
        assert_eq!(stars(&read[0].sorted_reviews().await?), [4, 5, 3, 1]);
        assert!(read[1].good_reviews().await?.is_empty());
    });
    let joined = Writer::all(&db).eager_load(|w| w.good_reviews).await?;
    assert_eq!(joined[0].good_reviews().await?.len(), 3);
    Ok(())
}

/// One is read as the first by its key, preloading is as ever, and members come and go.
pub async fn what_is_not_joined_is_otherwise_as_any_through(backend: &Backend) -> Result<()> {
    let db = books(backend).await?;
    let room = Room::create(&db, |r| r.set_name("attic")).await?;
    Desk::create(&db, |d| d.set_writer_id(1).set_room(&room)).await?;
    let ann = Writer::find(&db, 1).await?;
    let found = assert_sql!(
        db,
        [
            r#"SELECT "desks"."room_id" FROM "desks" WHERE "desks"."writer_id" = ?"#,
            r#"SELECT "rooms".* FROM "rooms" WHERE "rooms"."id" = ? ORDER BY "rooms"."id" ASC LIMIT 1"#
        ],
        { ann.room().await? }
    );
    assert_eq!(found, Some(room));
    let all = assert_queries!(db, 3, { Writer::all(&db).includes(|w| w.reviews).await? });
    assert_queries!(db, 0, { assert_eq!(all[0].reviews().await?.len(), 4) });
    let writers = Writer::all(&db).order(|w| w.id).await?;
    for (writer, reviews) in writers.iter().zip([4, 0]) {
        assert_eq!(writer.reviews().await?.len(), reviews);
    }
    let joined = Writer::all(&db).filter(|w| w.reviews.stars.eq(5));
    assert_eq!(joined.pluck(|w| w.name).await?, ["Ann"]);
    let within =
        Review::all(&db).filter(|r| r.id.is_in(ann.reviews().all().select_column(|r| r.id)));
    assert_eq!(assert_queries!(db, 1, { within.count().await? }), 4);
    assert_eq!(
        ann.reviews()
            .filter(|r| r.stars.gt(3))
            .update_all(|r| r.stars.set(9))
            .await?,
        2
    );
    Ok(())
}

/// Of models made at run time it is the same option.
pub async fn joins_are_disabled_at_run_time(backend: &Backend) -> Result<()> {
    let db = books(backend).await?;
    let text = |text: &str| Setting::Text(text.to_owned());
    let to_books = Declared::new("Scribe", "has_many", "books")?
        .option("foreign_key", text("writer_id"))?
        .leading_to(Target::Model(Book::reflection))?;
    let to_reviews = Declared::new("Scribe", "has_many", "reviews")?
        .option("through", text("books"))?
        .option("disable_joins", Setting::Flag(true))?
        .leading_to(Target::Model(Review::reflection))?;
    let scribe = ModelBuilder::new("Scribe", "writers")
        .column(Column::new("id", AttributeType::plain(Kind::Int, false)))
        .primary_key(["id"])
        .association(to_books)
        .association(to_reviews)
        .define()?;
    let ann: Record = Relation::of(scribe, &db).first().await?.unwrap();
    let reviews = ann.association("reviews")?;
    assert!(reviews.reflection().is_joins_disabled());
    let found = assert_queries!(db, 2, { reviews.load_many().await? });
    assert_eq!(found.len(), 4);
    Ok(())
}
