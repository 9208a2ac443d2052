//! The first rows of each owner: limits that count for every owner, in one statement for all.

use relata::loading::Preloader;
use relata::{
    Db, ErrorKind, Polymorphic, Raw, Record, Relation, Result, assert_queries, assert_sql, model,
};

use crate::Backend;

/// Who writes.
#[model]
pub struct Writer {
    id: i64,
    name: String,
    #[has_many]
    books: Book,
    #[has_many(scope = |all| all.order(|b| b.stars.desc()).limit(2).per_owner())]
    best_books: Book,
    #[has_many(scope = |all| all.order(|b| b.stars.desc()).offset(1).limit(1).per_owner())]
    second_books: Book,
    #[has_one(scope = |all| all.order(|b| b.stars.desc()).limit(1).per_owner())]
    best_book: Option<Book>,
    #[has_many(through = books, source = reviews)]
    reviews: Review,
    #[has_many(through = books, source = reviews, scope = |all| all.order(|r| r.grade.desc()).limit(2).per_owner())]
    best_reviews: Review,
    #[has_many(through = books, source = genre, scope = |all| all.distinct().order(|g| g.name).limit(2).per_owner())]
    first_genres: Genre,
    #[has_many(as = about, scope = |all| all.order(|n| n.id.desc()).limit(1).per_owner())]
    last_notes: Note,
    #[has_many(scope = |all| all.from_sql(Raw::new("SELECT * FROM books")).limit(1).per_owner())]
    unnumbered: Book,
}

/// What is written.
#[model]
pub struct Book {
    id: i64,
    title: String,
    stars: i64,
    writer_id: i64,
    #[belongs_to]
    writer: Writer,
    genre_id: Option<i64>,
    #[belongs_to]
    genre: Option<Genre>,
    #[has_many]
    reviews: Review,
}

/// What is said of it.
#[model]
pub struct Review {
    id: i64,
    grade: i64,
    book_id: i64,
    #[belongs_to]
    book: Book,
}

/// What kind of book it is.
#[model]
pub struct Genre {
    id: i64,
    name: String,
}

/// What a note is about.
#[derive(Debug, Polymorphic)]
pub enum About {
    /// A writer.
    Writer(Writer),
    /// A genre.
    Genre(Genre),
}

/// A note on this or that.
#[model]
pub struct Note {
    id: i64,
    text: String,
    about_id: i64,
    about_type: String,
    #[belongs_to(polymorphic)]
    about: About,
}

/// What has a key of two columns.
#[model(primary_key = (country, number))]
pub struct Region {
    country: i64,
    number: i64,
    #[has_many(foreign_key = (country, region), scope = |all| all.order(|t| t.people.desc()).limit(2).per_owner())]
    largest: Town,
}

/// What is in one.
#[model]
pub struct Town {
    id: i64,
    people: i64,
    country: i64,
    region: i64,
    #[belongs_to(foreign_key = (country, region))]
    region_of: Region,
}

/// Ann with books of 3, 1 and 3 stars, Bob with one of 5, Cat with none; two reviews a book; notes on Ann and Bob.
async fn library(backend: &Backend) -> Result<Db> {
    let db = backend.open().await?;
    db.create_tables([
        Writer::reflection(),
        Book::reflection(),
        Review::reflection(),
        Genre::reflection(),
        Note::reflection(),
    ])
    .await?;
    let mut writers = Vec::new();
    for name in ["Ann", "Bob", "Cat"] {
        writers.push(Writer::create(&db, |w| w.set_name(name)).await?);
    }
    let mut genres = Vec::new();
    for name in ["Crime", "Art", "Zen"] {
        genres.push(Genre::create(&db, |g| g.set_name(name)).await?);
    }
    for (title, stars, writer, genre) in [
        ("One", 3, 0, 0),
        ("Two", 1, 0, 2),
        ("Three", 3, 0, 0),
        ("Four", 5, 1, 1),
    ] {
        let (writer, genre) = (&writers[writer], &genres[genre]);
        let book = Book::create(&db, |b| {
            b.set_title(title)
                .set_stars(stars)
                .set_writer(writer)
                .set_genre(genre)
        })
        .await?;
        for grade in [stars * 10, stars] {
            book.reviews().create(|r| r.set_grade(grade)).await?;
        }
    }
    for (text, writer) in [("early", 0), ("late", 0), ("only", 1)] {
        let about = &writers[writer];
        Note::create(&db, |n| n.set_text(text).set_about(about)).await?;
    }
    Ok(db)
}

fn writers(db: &Db) -> Relation<Writer> {
    Writer::all(db).order(|w| w.id)
}

/// A preload whose scope has a limit for each owner is one statement, in which each owner has its own first rows.
pub async fn each_owner_has_its_first_rows_by_one_statement(backend: &Backend) -> Result<()> {
    let db = library(backend).await?;
    let titles = async |all: Vec<Writer>| {
        let mut titles = Vec::new();
        for writer in &all {
            for book in writer.best_books().await? {
                assert!(book.writer().await?.is(writer), "it leads back to its own");
                titles.push(format!("{} {}", writer.name(), book.title()));
            }
        }
        Result::Ok(titles)
    };
    let wanted = ["Ann One", "Ann Three", "Bob Four"];
    assert_sql!(
        db,
        [
            r#"SELECT "writers".* FROM "writers" ORDER BY "writers"."id" ASC"#,
            r#"SELECT "books".* FROM (SELECT "books".*, ROW_NUMBER() OVER (PARTITION BY "books"."writer_id" ORDER BY "books"."stars" DESC, "books"."id" ASC) AS "row_of_owner" FROM "books" WHERE "books"."writer_id" IN (?, ?, ?, ?)) AS "books" WHERE "row_of_owner" <= 2 ORDER BY "row_of_owner" ASC"#,
        ],
        {
            let all = writers(&db).preload(|w| w.best_books).await?;
            assert_eq!(titles(all).await?, wanted);
        }
    );
    // Of one owner it is a plain limit, which cuts at the same row.
    let ann = Writer::find(&db, 1).await?;
    assert_sql!(
        db,
        [
            r#"SELECT "books".* FROM "books" WHERE "books"."writer_id" = ? ORDER BY "books"."stars" DESC, "books"."id" ASC LIMIT 2"#
        ],
        { assert_eq!(ann.best_books().await?.len(), 2) }
    );
    let page = Writer::reflection().explain("best_books")?;
    assert!(page.contains("ROW_NUMBER() OVER (PARTITION BY"), "{page}");
    // An offset is that of each owner too.
    assert_queries!(db, 2, {
        let all = writers(&db).preload(|w| (w.second_books,)).await?;
        let second = all[0].second_books().await?;
        assert_eq!(second[0].title(), "Three");
        assert!(all[1].second_books().await?.is_empty());
    });
    // Only the best of each is read.
    assert_queries!(db, 2, {
        let all = writers(&db).preload(|w| w.best_book).await?;
        assert_eq!(all[0].best_book().await?.unwrap().title(), "One");
        assert_eq!(all[1].best_book().await?.unwrap().title(), "Four");
        assert!(all[2].best_book().await?.is_none());
    });
    Ok(())
}

/// Siblings that are read lazily have their own first rows, by one statement for all of them.
pub async fn siblings_do_not_share_a_limit(backend: &Backend) -> Result<()> {
    let db = library(backend).await?;
    assert_queries!(db, 2, {
        let mut sizes = Vec::new();
        for writer in writers(&db).await? {
            let best = writer.best_books().await?;
            let own = best.iter().all(|book| book.writer_id() == writer.id());
            assert!(own, "nobody has another's");
            sizes.push(best.len());
        }
        assert_eq!(sizes, [2, 1, 0]);
    });
    let alone = writers(&db).batching(false).await?;
    let together = writers(&db).await?;
    for (one, other) in alone.iter().zip(&together) {
        assert_eq!(one.best_books().await?, other.best_books().await?);
        assert_eq!(one.best_reviews().await?, other.best_reviews().await?);
    }
    Ok(())
}

/// A limit of each owner reaches over a through and over `as`.
pub async fn first_rows_through_others_and_of_polymorphic_ones(backend: &Backend) -> Result<()> {
    let db = library(backend).await?;
    let grades = async |all: Vec<Writer>| {
        let mut grades = Vec::new();
        for writer in &all {
            let best = writer.best_reviews().await?;
            grades.push(best.iter().map(Review::grade).collect::<Vec<_>>());
        }
        Result::Ok(grades)
    };
    let wanted = [vec![30, 30], vec![50, 5], vec![]];
    assert_sql!(
        db,
        [
            r#"SELECT "writers".* FROM "writers" ORDER BY "writers"."id" ASC"#,
            r#"SELECT "value_0", "value_1", "value_2", "value_3" FROM (SELECT "reviews"."id" AS "value_0", "reviews"."grade" AS "value_1", "reviews"."book_id" AS "value_2", "books"."writer_id" AS "value_3", ROW_NUMBER() OVER (PARTITION BY "books"."writer_id" ORDER BY "reviews"."grade" DESC, "reviews"."id" ASC) AS "row_of_owner" FROM "reviews" INNER JOIN "books" ON "reviews"."book_id" = "books"."id" WHERE "books"."writer_id" IN (?, ?, ?, ?)) AS "reviews" WHERE "row_of_owner" <= 2 ORDER BY "row_of_owner" ASC"#,
        ],
        {
            let all = writers(&db).preload(|w| w.best_reviews).await?;
            assert_eq!(grades(all).await?, wanted);
        }
    );
    assert_queries!(db, 2, {
        assert_eq!(grades(writers(&db).await?).await?, wanted)
    });
    // What is distinct is numbered as one row, however many ways lead to it.
    assert_queries!(db, 2, {
        let all = writers(&db).preload(|w| w.first_genres).await?;
        let names = all[0].first_genres().await?;
        let names: Vec<&str> = names.iter().map(Genre::name).collect();
        assert_eq!(names, ["Crime", "Zen"]);
        assert_eq!(all[1].first_genres().await?.len(), 1);
    });
    assert_queries!(db, 2, {
        let all = writers(&db).preload(|w| w.last_notes).await?;
        assert_eq!(all[0].last_notes().await?[0].text(), "late");
        assert_eq!(all[1].last_notes().await?[0].text(), "only");
        assert!(all[2].last_notes().await?.is_empty());
    });
    Ok(())
}

/// A preload is narrowed where it is asked for, and its limit is that of each owner: typed, by name, and for records at hand.
pub async fn a_preload_is_narrowed_where_it_is_asked_for(backend: &Backend) -> Result<()> {
    let db = library(backend).await?;
    let last = |all: Relation<Book>| all.order(|b| b.id.desc()).limit(1);
    assert_sql!(
        db,
        [
            r#"SELECT "writers".* FROM "writers" ORDER BY "writers"."id" ASC"#,
            r#"SELECT "books".* FROM (SELECT "books".*, ROW_NUMBER() OVER (PARTITION BY "books"."writer_id" ORDER BY "books"."id" DESC) AS "row_of_owner" FROM "books" WHERE "books"."writer_id" IN (?, ?, ?, ?)) AS "books" WHERE "row_of_owner" <= 1 ORDER BY "row_of_owner" ASC"#,
        ],
        {
            let all = writers(&db).preload_with(|w| w.books, last).await?;
            assert_eq!(all[0].books().await?[0].title(), "Three");
            assert_eq!(all[1].books().await?[0].title(), "Four");
            assert!(all[2].books().is_loaded());
        }
    );
    // Nested: the last association of the path is the one that is narrowed.
    assert_queries!(db, 3, {
        let best = |all: Relation<Review>| all.order(|r| r.grade.desc()).limit(1);
        let all = writers(&db).preload_with(|w| w.books.reviews, best).await?;
        let books = all[0].books().await?;
        assert_eq!(books.len(), 3);
        for book in &books {
            let reviews = book.reviews().await?;
            assert_eq!(reviews.len(), 1);
            assert_eq!(reviews[0].grade(), book.stars() * 10);
        }
    });
    // Over a through, whose owners the query names.
    assert_queries!(db, 2, {
        let best = |all: Relation<Review>| all.order(|r| r.grade.desc()).limit(1);
        let all = writers(&db).preload_with(|w| w.reviews, best).await?;
        assert_eq!(all[0].reviews().await?[0].grade(), 30);
        assert_eq!(all[1].reviews().await?[0].grade(), 50);
    });
    // By name, without types; without a limit it is a plain query.
    let named = Relation::of(Writer::reflection(), &db).order_by("id")?;
    let narrowed = named.clone().preload_named_with("books", |all| {
        all.filter_op("stars", ">", 1)
            .unwrap_or_else(|_| unreachable!())
    })?;
    assert_queries!(db, 2, {
        let all = narrowed.await?;
        assert_eq!(all[0].association("books")?.target().len(), 2);
    });
    let error = named
        .clone()
        .preload_named_with("boks", |all| all)
        .unwrap_err();
    assert!(
        error.to_string().contains("did you mean `books`?"),
        "{error}"
    );
    // For records at hand, which keep what they know.
    let all = writers(&db).batching(false).await?;
    let ann = all[0].books().reload().await?;
    assert_eq!(ann.len(), 3);
    assert_queries!(db, 1, {
        Preloader::of(&all)
            .associations_with(|w| w.books, last)
            .call()
            .await?;
        assert_eq!(all[0].books().await?.len(), 3, "what was known stays");
        assert_eq!(all[1].books().await?.len(), 1);
    });
    let records: Vec<Record> = named.await?;
    let reversed = |all: Relation| all.reverse_order().limit(1);
    assert_queries!(db, 1, {
        let preloader = Preloader::of(&records);
        preloader
            .associations_named_with("books", reversed)
            .call()
            .await?;
        assert_eq!(records[0].association("books")?.target().len(), 1);
    });
    Ok(())
}

/// A key of several columns is the owner's as a whole.
pub async fn owners_are_told_apart_by_all_columns_of_their_key(backend: &Backend) -> Result<()> {
    let db = backend.open().await?;
    db.create_tables([Region::reflection(), Town::reflection()])
        .await?;
    for (country, number) in [(1, 1), (1, 2), (2, 1)] {
        let region = Region::create(&db, |r| r.set_country(country).set_number(number)).await?;
        for people in [10, 30, 20] {
            let people = people * country + number;
            Town::create(&db, |t| t.set_people(people).set_region_of(&region)).await?;
        }
    }
    let largest = async |regions: Vec<Region>| {
        let mut largest = Vec::new();
        for region in &regions {
            let towns = region.largest().await?;
            largest.push(towns.iter().map(Town::people).collect::<Vec<_>>());
        }
        Result::Ok(largest)
    };
    let all = || Region::all(&db).order(|r| (r.country, r.number));
    let wanted = [vec![31, 21], vec![32, 22], vec![61, 41]];
    assert_queries!(db, 2, {
        assert_eq!(largest(all().preload(|r| r.largest).await?).await?, wanted);
    });
    assert_queries!(db, 2, { assert_eq!(largest(all().await?).await?, wanted) });
    Ok(())
}

/// What cannot be numbered is refused, and a join drops a limit, as ever.
pub async fn what_cannot_be_numbered_is_refused(backend: &Backend) -> Result<()> {
    let db = library(backend).await?;
    let error = writers(&db).preload(|w| w.unnumbered).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("`per_owner`"), "{error}");
    let by_genre = |all: Relation<Book>| all.distinct().order(|b| b.genre.name).limit(1);
    let error = writers(&db)
        .preload_with(|w| w.books, by_genre)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_queries!(db, 1, {
        let all = writers(&db).eager_load(|w| w.best_books).await?;
        assert_eq!(all[0].best_books().await?.len(), 3);
    });
    Ok(())
}

/// Records at hand stand for their rows: nothing is asked for them.
pub async fn records_at_hand_are_not_asked_for(backend: &Backend) -> Result<()> {
    let db = library(backend).await?;
    let all = writers(&db).await?;
    let books = Book::all(&db).order(|b| b.id).await?;
    assert_queries!(db, 0, {
        let preloader = Preloader::of(&books).associations(|b| b.writer);
        preloader.available_records(&all).call().await?;
        assert!(books[0].writer().await?.is(&all[0]));
        assert!(books[1].writer().await?.is(&all[0]));
        assert!(books[3].writer().await?.is(&all[1]));
    });
    // What is not at hand is loaded; what hangs off those at hand too.
    let books = Book::all(&db).order(|b| b.id).await?;
    assert_sql!(
        db,
        [
            r#"SELECT "writers".* FROM "writers" WHERE "writers"."id" = ?"#,
            r#"SELECT "notes".* FROM (SELECT "notes".*, ROW_NUMBER() OVER (PARTITION BY "notes"."about_id" ORDER BY "notes"."id" DESC) AS "row_of_owner" FROM "notes" WHERE "notes"."about_id" IN (?, ?) AND "notes"."about_type" = ?) AS "notes" WHERE "row_of_owner" <= 1 ORDER BY "row_of_owner" ASC"#,
        ],
        {
            let preloader = Preloader::of(&books).associations(|b| b.writer.last_notes);
            preloader.available_records([&all[0]]).call().await?;
            assert!(books[0].writer().await?.is(&all[0]));
            assert!(!books[3].writer().await?.is(&all[1]), "this one was loaded");
            assert_eq!(all[0].last_notes().await?[0].text(), "late");
        }
    );
    // A polymorphic one leads to a record of the model that its type says; by name.
    let notes: Vec<Record> = Relation::of(Note::reflection(), &db)
        .order_by("id")?
        .await?;
    let genres = Genre::all(&db).await?;
    assert_queries!(db, 0, {
        let preloader = Preloader::of(&notes).associations_named(["about"]);
        let preloader = preloader.available_records(&genres).available_records(&all);
        preloader.call().await?;
        let about = notes[0].association("about")?.target();
        assert!(about[0].is(&all[0]));
    });
    // A scope, a collection, another association on the way: the rows are asked for.
    let all = writers(&db).await?;
    assert_queries!(db, 1, {
        let preloader = Preloader::of(&all).associations(|w| w.books);
        preloader.available_records(&books).call().await?;
        assert!(!all[0].books().await?[0].is(&books[0]));
    });
    let fresh = writers(&db).await?;
    assert_queries!(db, 1, {
        let preloader = Preloader::of(&fresh).associations(|w| w.best_book);
        preloader.available_records(&books).call().await?;
    });
    Ok(())
}
