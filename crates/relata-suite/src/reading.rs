//! Reading: that relations give what they say, however they are put together.

use relata::{Db, ErrorKind, Raw, Relation, Result, assert_sql, model};

use crate::Backend;
use crate::blog::{Comment, Person, Post, blog};

/// Who keeps books that are never read.
#[model]
pub struct Shelf {
    id: i64,
    #[has_many(scope = |all| all.none())]
    books: Book,
}

/// What is on a shelf.
#[model]
pub struct Book {
    id: i64,
    title: String,
    shelf_id: i64,
    #[belongs_to]
    shelf: Shelf,
}

/// A mark by a key of two columns.
#[model(primary_key = (row, place))]
pub struct Mark {
    row: i64,
    place: i64,
    kind: String,
}

fn ids(posts: &[Post]) -> Vec<i64> {
    posts.iter().map(Post::id).collect()
}

/// Each row looked through the whole list, so that 6,000 keys took seconds and 100,000 never ended.
pub async fn rows_come_in_the_order_of_a_list_of_any_length(backend: &Backend) -> Result<()> {
    let db = backend.open().await?;
    db.create_tables([Shelf::reflection(), Book::reflection()])
        .await?;
    const MANY: i64 = 100_000;
    let shelf = Shelf::create(&db, |s| s).await?;
    let books: Vec<Book> = (0..MANY)
        .map(|n| {
            Book::build(&db, |b| {
                b.set_title(format!("t{n}")).set_shelf_id(shelf.id())
            })
        })
        .collect();
    Book::all(&db).insert_all(&books).await?;
    let backwards = Book::all(&db).in_order_of(|b| b.id, (1..=MANY).rev());
    let read = backwards.pluck(|b| b.id).await?;
    assert!(read.iter().copied().eq((1..=MANY).rev()));
    let titles: Vec<String> = (0..MANY).rev().map(|n| format!("t{n}")).collect();
    let by_title = Book::all(&db).in_order_of(|b| b.title, &titles);
    assert_eq!(by_title.pluck(|b| b.title).await?, titles);
    Ok(())
}

/// None was a flag that only loading looked at: as part of another relation it kept all rows.
pub async fn none_is_none_wherever_it_stands(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let all = || Post::all(&db);
    let nobody = || Person::all(&db).none();
    assert_sql!(db, [], {
        assert!(all().none().await?.is_empty());
        assert_eq!(all().none().count().await?, 0);
        assert!(!all().none().exists().await?);
        assert_eq!(all().none().delete_all().await?, 0);
    });
    assert!(all().none().to_sql().ends_with("WHERE 1=0"));
    let theirs = || all().filter(|p| p.author_id.is_in(nobody().select_column(|p| p.id)));
    assert_eq!(theirs().count().await?, 0);
    let others = all().filter(|p| p.author_id.is_not_in(nobody().select_column(|p| p.id)));
    assert_eq!(others.count().await?, 4);
    let of = || Relation::of(Post::reflection(), &db);
    let none = || Relation::of(Person::reflection(), &db).none();
    assert_eq!(
        of().filter_among("author_id", none(), "id")?
            .count()
            .await?,
        0
    );
    assert_eq!(of().filter_rows("author", none())?.count().await?, 0);
    // Together with others.
    assert_sql!(db, [], {
        assert!(all().and(all().none())?.await?.is_empty())
    });
    let good = || all().filter(|p| p.stars.gt(2)).order(|p| p.id);
    let none_of = || all().none().order(|p| p.id);
    assert_eq!(ids(&good().or(none_of())?.await?), [3, 4]);
    assert_eq!(ids(&none_of().or(good())?.await?), [3, 4]);
    assert_sql!(db, [], {
        assert!(none_of().or(none_of())?.await?.is_empty())
    });
    Ok(())
}

/// A scope that keeps nothing was left out of joins, eager loads, paths and conditions on members.
pub async fn a_scope_of_nothing_leads_to_nothing(backend: &Backend) -> Result<()> {
    let db = backend.open().await?;
    db.create_tables([Shelf::reflection(), Book::reflection()])
        .await?;
    let shelf = Shelf::create(&db, |s| s).await?;
    Book::create(&db, |b| b.set_title("x").set_shelf(&shelf)).await?;
    let all = || Shelf::all(&db);
    assert_eq!(all().joins(|s| s.books).count().await?, 0);
    assert_eq!(all().filter(|s| s.books.title.eq("x")).count().await?, 0);
    assert_eq!(
        all()
            .filter(|s| s.books.any(|b| b.title.eq("x")))
            .count()
            .await?,
        0
    );
    for read in [all().eager_load(|s| s.books), all().preload(|s| s.books)] {
        let shelves = read.await?;
        assert_eq!(shelves.len(), 1);
        assert!(shelves[0].books().await?.is_empty());
    }
    Ok(())
}

/// `and` dropped the other side's limit and joins, `merge` what it says of records.
pub async fn what_is_combined_is_kept_or_refused(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let all = || Post::all(&db);
    for other in [
        all().limit(1),
        all().joins(|p| p.comments),
        all().group(|p| p.stars),
    ] {
        let error = all().and(other).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::IncompatibleRelation);
        assert!(error.to_string().contains("passed to and"), "{error}");
    }
    let two = all().limit(3).filter(|p| p.stars.gt(1));
    assert_eq!(
        two.and(all().limit(3).filter(|p| p.stars.lt(4)))?
            .count()
            .await?,
        2
    );

    let post = all().merge(all().readonly())?.first_or_fail().await?;
    assert_eq!(
        post.update(|p| p.set_stars(1)).await.unwrap_err().kind(),
        ErrorKind::ReadOnlyRecord
    );
    let post = all().merge(all().strict_loading())?.first_or_fail().await?;
    assert!(
        post.author()
            .await
            .unwrap_err()
            .is_strict_loading_violation()
    );
    let ours = all().create_with(|p| (p.stars.set(7), p.subtitle.set(Some("ours"))));
    let merged = ours.merge(all().create_with(|p| p.stars.set(9)))?;
    let built = merged.build(|p| p.set_title("new"));
    assert_eq!((built.stars(), built.subtitle()), (9, Some("ours")));
    let raw = all().from_sql(Raw::new("SELECT * FROM posts"));
    let other = Post::all(&Db::detached());
    for wrong in [raw, other] {
        let error = all().merge(wrong).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::IncompatibleRelation, "{error}");
    }
    Ok(())
}

/// Of rows that are distinct or joined `SELECT DISTINCT 1` was counted, which is one row.
pub async fn a_count_is_that_of_the_rows_that_are_given(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let all = || Post::all(&db);
    for (relation, rows) in [
        (all().distinct().limit(3), 3),
        (all().distinct().limit(3).order(|p| p.title), 3),
        (all().distinct().offset(1), 3),
        (all().distinct().joins(|p| p.comments).limit(3), 3),
        (all().eager_load(|p| p.comments).limit(2), 2),
        (
            all()
                .includes(|p| p.comments)
                .filter(|p| p.comments.body.eq("nice"))
                .limit(3),
            3,
        ),
    ] {
        assert_eq!(relation.count().await?, rows, "{relation:?}");
        assert_eq!(relation.load().await?.len() as u64, rows, "{relation:?}");
    }
    let stars = Relation::of(Comment::reflection(), &db)
        .select_named(["body"])?
        .distinct();
    assert_eq!(stars.count().await?, 2);
    db.create_tables([Mark::reflection()]).await?;
    for (row, place) in [(1, 1), (1, 2), (2, 1)] {
        Mark::create(&db, |m| m.set_row(row).set_place(place).set_kind("x")).await?;
    }
    assert_eq!(Mark::all(&db).distinct().count().await?, 3);
    // Of groups there is no one number.
    let groups = || all().group(|p| p.author_id);
    for (error, instead) in [
        (groups().count().await.unwrap_err(), "count_by"),
        (groups().sum(|p| p.stars).await.unwrap_err(), "sum_by"),
        (
            groups().maximum_named("stars").await.unwrap_err(),
            "maximum_by",
        ),
    ] {
        assert_eq!(error.kind(), ErrorKind::Argument);
        assert!(error.to_string().contains(instead), "{error}");
    }
    Ok(())
}

/// `SELECT DISTINCT 1 AS one ... OFFSET 1` has no row, whatever there is.
pub async fn distinct_rows_beyond_an_offset_exist(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let distinct = || Post::all(&db).distinct();
    assert!(distinct().offset(3).exists().await?);
    assert!(!distinct().offset(4).exists().await?);
    let joined = || Post::all(&db).eager_load(|p| p.comments);
    assert!(joined().offset(3).exists().await?);
    assert!(!joined().offset(4).exists().await?);
    assert_sql!(db, [r#"SELECT 1 AS one FROM "posts" LIMIT 1"#], {
        distinct().exists().await?
    });
    Ok(())
}

/// What is cut by a limit, and found within it.
pub async fn a_limit_gives_way_to_take_and_to_nothing_else(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let all = || Post::all(&db).order(|p| p.id);
    // Rails: `limit(1)` within, which replaces the one before.
    let capture = db.capture();
    assert_eq!(all().limit(0).take().await?.unwrap().id(), 1);
    assert_eq!(all().limit(1).take_n(2).await?.len(), 2);
    let found = all().limit(0).find_by(|p| p.id.gt(1)).await?;
    assert_eq!(found.unwrap().id(), 2);
    assert_eq!(all().limit(0).find(3).await?.id(), 3);
    for (text, limit) in capture.texts().iter().zip([1, 2, 1, 1]) {
        assert!(text.ends_with(&format!(" LIMIT {limit}")), "{text}");
    }
    assert_eq!(capture.count(), 4);
    // An offset stays.
    assert_eq!(all().offset(2).limit(0).take().await?.unwrap().id(), 3);
    // `first` and `sole` give rows of those that the limit leaves.
    assert!(all().limit(0).first().await?.is_none());
    assert_eq!(all().limit(1).first_n(2).await?.len(), 1);
    let none = all().limit(0).sole().await.unwrap_err();
    assert!(none.is_record_not_found());
    assert_eq!(all().limit(1).sole().await?.id(), 1);
    let several = all().limit(2).sole().await.unwrap_err();
    assert!(several.is_sole_record_exceeded());
    Ok(())
}

/// Every joined row gave its record's key again.
pub async fn keys_of_joined_records_come_once(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let joined = || {
        Post::all(&db)
            .eager_load(|p| p.comments)
            .order(|p| p.id.desc())
    };
    assert_eq!(joined().ids().await?, [4, 3, 2, 1]);
    assert_eq!(joined().limit(2).ids().await?, [4, 3]);
    let included = Post::all(&db)
        .includes(|p| p.comments)
        .filter(|p| p.comments.id.gt(0));
    assert_eq!(included.ids().await?.len(), 4);
    // Joins alone give a row each, as in Rails.
    assert_eq!(Post::all(&db).joins(|p| p.comments).ids().await?.len(), 8);
    Ok(())
}

/// What was asked of a statement in SQL was left out in silence; `find_each` never ended.
pub async fn rows_of_sql_are_narrowed_counted_and_walked(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let raw = || Post::all(&db).from_sql(Raw::new("SELECT * FROM posts WHERE stars > ?").bind(1));
    assert_eq!(raw().await?.len(), 3);
    assert_eq!(raw().count().await?, 3);
    assert_eq!(raw().sum(|p| p.stars).await?, 9);
    assert_eq!(raw().ids().await?.len(), 3);
    assert_eq!(
        ids(&raw()
            .filter(|p| p.stars.lt(4))
            .order(|p| p.id)
            .limit(1)
            .await?),
        [2]
    );
    assert!(raw().exists().await?);
    assert_eq!(raw().first_or_fail().await?.id(), 2);
    assert_eq!(
        raw()
            .filter(|p| p.author.name.eq("Bob"))
            .pluck(|p| p.id)
            .await?,
        [4]
    );
    assert_eq!(
        raw().includes(|p| p.comments).await?[0]
            .comments()
            .loaded()
            .map(|all| all.len()),
        Some(2)
    );
    let (mut each, mut walked) = (raw().find_each(2), Vec::new());
    while let Some(post) = each.next().await? {
        walked.push(post.id());
    }
    assert_eq!(walked, [2, 3, 4]);
    assert_sql!(
        db,
        [
            r#"SELECT "posts".* FROM (SELECT * FROM posts WHERE stars > ?) "posts" WHERE "posts"."stars" < ?"#
        ],
        { raw().filter(|p| p.stars.lt(4)).await? }
    );
    let meh = Comment::all(&db).from_sql(Raw::new("SELECT * FROM comments WHERE body = 'meh'"));
    assert_eq!(meh.filter(|c| c.post_id.gt(1)).delete_all().await?, 3);
    assert_eq!(Comment::all(&db).count().await?, 5);
    Ok(())
}

/// Without the key the first batch was the last; with joins what a record's rows had left was passed over.
pub async fn batches_give_every_record_once_or_refuse(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let titles = Relation::of(Post::reflection(), &db).select_named(["title"])?;
    let error = titles.find_each(2).next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert!(
        error.to_string().contains("Primary key not included"),
        "{error}"
    );
    for size in 1..4 {
        let (mut each, mut walked) = (
            Post::all(&db).joins(|p| p.comments).find_each(size),
            Vec::new(),
        );
        while let Some(post) = each.next().await? {
            walked.push(post.id());
        }
        assert_eq!(walked, [1, 2, 3, 4], "{size}");
    }
    Ok(())
}

/// What the program lowers and what the database lowers are not the same letters.
pub async fn case_is_ignored_by_the_database_on_both_sides(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let one = Post::all(&db).first_or_fail().await?;
    one.update(|p| p.set_title("Ärger")).await?;
    for text in ["Ärger", "ÄRGER"] {
        let found = Post::all(&db).filter(|p| p.title.eq_ignoring_case(text));
        assert_eq!(found.count().await?, 1, "{text}");
    }
    Ok(())
}

/// A chain of conditions was walked by recursion: ten thousand ended the program.
pub async fn conditions_are_chained_to_any_length(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let walk = move || {
        let columns = |at: usize| {
            Post::all(&db).filter(move |p| {
                let one = |n: i64| p.stars.eq(n);
                (1..10_000).fold(one(0), |all, n| match (at, n % 2) {
                    (0, _) => all.or(one(n)),
                    (1, _) => one(n).or(all),
                    (2, _) => all.and(one(n)),
                    (3, _) => one(n).and(all),
                    (4, 0) | (5, 1) => all.and(one(n)),
                    (4, _) => all.or(one(n)),
                    _ => !one(n).or(all),
                })
            })
        };
        (0..6)
            .map(|at| columns(at).to_sql().len())
            .collect::<Vec<_>>()
    };
    let small = std::thread::Builder::new().stack_size(2 << 20);
    let lengths = small.spawn(walk).map_err(relata::Error::other)?.join();
    let lengths = lengths.expect("the thread ends");
    assert!(
        lengths[..4].iter().all(|length| *length > 200_000),
        "{lengths:?}"
    );
    Ok(())
}

/// A library, whose associations have scopes that join.
#[model]
pub struct Library {
    id: i64,
    #[has_many(scope = |loans| loans.filter(|l| l.reader.name.eq("Cat")))]
    loans_of_cat: Loan,
    #[has_many(scope = |loans| loans.joins(|l| l.reader))]
    loans_to_somebody: Loan,
    #[has_many(through = loans_to_somebody, source = reader)]
    readers: Reader,
}

/// What is lent.
#[model]
pub struct Loan {
    id: i64,
    library_id: i64,
    reader_id: Option<i64>,
    #[belongs_to]
    library: Library,
    #[belongs_to]
    reader: Option<Reader>,
}

/// Who reads.
#[model]
pub struct Reader {
    id: i64,
    name: String,
    loan_id: Option<i64>,
}

/// The table that the scope joins was left out of the statement, which the database refused; or what the join leaves out
/// was counted.
pub async fn scopes_that_join_are_joined(backend: &Backend) -> Result<()> {
    let db = backend.open().await?;
    db.create_tables([
        Library::reflection(),
        Loan::reflection(),
        Reader::reflection(),
    ])
    .await?;
    let [full, other, empty] = [1, 2, 3].map(|id| Library::build(&db, |l| l.set_id(id)));
    Library::all(&db)
        .insert_all([&full, &other, &empty])
        .await?;
    let cat = Reader::create(&db, |r| r.set_name("Cat")).await?;
    let dog = Reader::create(&db, |r| r.set_name("Dog")).await?;
    for (library, reader) in [(1, Some(&cat)), (1, None), (2, Some(&dog)), (2, None)] {
        Loan::create(&db, |l| l.set_library_id(library).set_reader(reader)).await?;
    }
    let all = || Library::all(&db).order(|l| l.id);
    assert_sql!(
        db,
        [
            r#"SELECT "libraries".* FROM "libraries" INNER JOIN "loans" ON "loans"."id" IN (SELECT "loans"."id" FROM "loans" INNER JOIN "readers" ON "readers"."id" = "loans"."reader_id" WHERE "readers"."name" = ?) AND "loans"."library_id" = "libraries"."id" ORDER BY "libraries"."id" ASC"#
        ],
        {
            let found = all().joins(|l| l.loans_of_cat).await?;
            assert_eq!(found.iter().map(Library::id).collect::<Vec<_>>(), [1]);
        }
    );
    let ids = |found: Vec<Library>| found.iter().map(Library::id).collect::<Vec<_>>();
    let left = all().left_outer_joins(|l| l.loans_of_cat);
    assert_eq!(ids(left.clone().await?), [1, 2, 3]);
    // What the query itself joins beyond stands apart.
    let loans = left.pluck(|l| {
        (
            l.id,
            l.loans_of_cat.id.optional(),
            l.loans_of_cat.reader.name.optional(),
        )
    });
    assert_eq!(
        loans.await?,
        [
            (1, Some(1), Some("Cat".to_owned())),
            (2, None, None),
            (3, None, None)
        ]
    );
    let by_name = all().erased().left_outer_joins_named("loans_of_cat")?;
    assert_eq!(by_name.count().await?, 3);
    assert_eq!(ids(all().joins(|l| l.loans_to_somebody).await?), [1, 2]);
    assert_eq!(ids(all().missing(|l| l.loans_of_cat).await?), [2, 3]);
    let some = all().filter(|l| l.loans_of_cat.any(|l| l.id.gt(0)));
    assert_eq!(ids(some.await?), [1]);
    let eager = all().eager_load(|l| l.loans_of_cat).await?;
    let loaded = |library: &Library| library.loans_of_cat().loaded().map(|all| all.len());
    assert_eq!(
        eager.iter().map(loaded).collect::<Vec<_>>(),
        [Some(1), Some(0), Some(0)]
    );
    // On the way of a through, lazily, loaded along and joined.
    for library in all().await? {
        let lazy = library.readers().await?.len();
        assert_eq!(lazy, usize::from(library.id() < 3));
        assert_eq!(library.readers().count().await?, lazy as u64);
    }
    let preloaded = all().preload(|l| l.readers).await?;
    let loaded = |library: &Library| library.readers().loaded().map(|all| all.len());
    assert_eq!(
        preloaded.iter().map(loaded).collect::<Vec<_>>(),
        [Some(1), Some(1), Some(0)]
    );
    assert_eq!(ids(all().joins(|l| l.readers).await?), [1, 2]);
    Ok(())
}
