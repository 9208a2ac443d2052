//! A through over an association whose scope differs by the owner of that hop.

use relata::relation::Scope;
use relata::{Db, Error, ErrorKind, Record, Relation, Result, assert_queries};

use crate::world::{Association as A, Model, define, names};

/// Books that are called as their author.
static NAMESAKES: Scope = Scope::of_owner(&|books, author| {
    let name = author.get("name").map(relata::Value::into_owned);
    name.and_then(|name| books.clone().filter_by("name", name))
        .unwrap_or(books)
});
static NEWEST: Scope = Scope::new(&|all| all.clone().order_by("id desc").unwrap_or(all));

/// A shelf of authors x and y, each with a book of either's name; a reader of the books called as their author.
async fn shelf(db: &Db) -> Result<Vec<Model>> {
    let named = &[("class_name", "Book")];
    let through = |source| [("through", "authors"), ("source", source)];
    let (plain, sorted) = (through("namesakes"), through("namesakes"));
    let models = define(&[
        (
            "Shelf",
            &["name"],
            &[
                A("has_many", "authors", &[], None),
                A("has_many", "namesakes", plain.to_vec().leak(), None),
                A("has_many", "sorted", sorted.to_vec().leak(), Some(&NEWEST)),
            ],
        ),
        (
            "Author",
            &["name", "shelf_id"],
            &[
                A("has_many", "namesakes", named, Some(&NAMESAKES)),
                A("has_many", "pages", &[("through", "namesakes")], None),
            ],
        ),
        (
            "Book",
            &["name", "author_id"],
            &[A("has_many", "pages", &[], None)],
        ),
        ("Page", &["name", "book_id"], &[]),
    ])?;
    db.create_tables(models.iter().copied()).await?;
    let shelf = Record::new(models[0], db);
    shelf.save().await?;
    for (id, name) in [(1, "x"), (2, "y")] {
        let author = Record::new(models[1], db);
        author.set("name", name)?.set("shelf_id", 1)?.save().await?;
        for title in ["x", "y"] {
            let book = Record::new(models[2], db);
            book.set("name", title)?.set("author_id", id)?;
            book.save().await?;
            let page = Record::new(models[3], db);
            page.set("name", format!("{name}{title}"))?;
            page.set("book_id", book.get("id")?.into_owned())?;
            page.save().await?;
        }
    }
    Ok(models)
}

fn check(error: &Error, name: &'static str) {
    assert_eq!(error.kind(), ErrorKind::Argument, "{error}");
    assert_eq!(
        (error.model(), error.attribute()),
        (Some("Shelf"), Some(name))
    );
    assert_eq!(
        error.to_string(),
        format!(
            "Shelf.{name} goes through Author.namesakes, whose scope is instance dependent: it takes its Author, and a \
             query that joins has none. Preload `{name}`, or declare the scope of `namesakes` without the owner."
        )
    );
}

/// All books of the authors were given, for the scope was left out.
#[relata::test]
async fn a_scope_of_the_owner_of_a_hop_is_refused_where_a_query_joins(db: Db) -> Result<()> {
    let models = shelf(&db).await?;
    let shelves = Relation::of(models[0], &db);
    for name in ["namesakes", "sorted"] {
        let shelf = shelves.clone().first().await?.expect("one");
        let books = shelf.association(name)?;
        assert_queries!(db, 0, {
            check(&books.load_many().await.unwrap_err(), name);
            check(&books.count().await.unwrap_err(), name);
            check(
                &books.relation().pluck_named(["id"]).await.unwrap_err(),
                name,
            );
            let joined = shelves.clone().joins_named(name)?;
            check(&joined.clone().await.unwrap_err(), name);
            check(&joined.count().await.unwrap_err(), name);
            let eager = shelves.clone().eager_load_named([name])?;
            check(&eager.await.unwrap_err(), name);
            let outer = shelves.clone().left_outer_joins_named(name)?;
            check(&outer.await.unwrap_err(), name);
        });
    }
    Ok(())
}

#[relata::test]
async fn a_scope_of_the_owner_of_a_hop_is_preloaded_for_each_of_them(db: Db) -> Result<()> {
    let models = shelf(&db).await?;
    let shelves = Relation::of(models[0], &db);
    for (name, expected) in [("namesakes", ["x", "y"]), ("sorted", ["x", "y"])] {
        let shelves = shelves.clone().preload_named([name])?.await?;
        let mut found = names(&shelves[0].association(name)?.load_many().await?);
        found.sort_unstable();
        assert_eq!(found, expected, "{name}");
    }
    Ok(())
}

/// What the through itself leads over is the owner's own: it is known.
#[relata::test]
async fn a_scope_of_the_through_s_own_owner_narrows_a_lazy_load_and_no_join(db: Db) -> Result<()> {
    let models = shelf(&db).await?;
    let authors = Relation::of(models[1], &db);
    for (author, page) in authors.clone().await?.iter().zip(["xx", "yy"]) {
        let pages = author.association("pages")?;
        assert_eq!(names(&pages.load_many().await?), [page]);
        assert_eq!(pages.count().await?, 1);
    }
    let error = authors.joins_named("pages")?.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert!(
        error
            .to_string()
            .contains("Author.namesakes, whose scope is instance dependent"),
        "{error}"
    );
    Ok(())
}
