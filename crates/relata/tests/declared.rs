//! Models declared in words at run time: what their declarations come to.

use relata::attribute::{AttributeType, Kind};
use relata::callback::{Callback, Event};
use relata::db::Violation;
use relata::reflection::{
    Column, ColumnDefault, Declared, InverseReason, ModelBuilder, ModelReflection, Setting,
};
use relata::relation::Scope;
use relata::{
    Db, ErrorKind, Options, Pending, Record, Relation, Result, assert_queries, assert_sql,
};

struct Library {
    author: &'static ModelReflection,
    book: &'static ModelReflection,
}

static NAMESAKES: Scope = Scope::of_owner(&|books, author| {
    let name = author.get("name").map(relata::Value::into_owned);
    name.and_then(|name| books.clone().filter_by("title", name))
        .unwrap_or(books)
});
static LONG: Scope =
    Scope::new(&|books| books.clone().filter_op("pages", ">", 100).unwrap_or(books));
static SHOWN: Scope =
    Scope::new(&|books| books.clone().filter_by("hidden", false).unwrap_or(books));

fn authors() -> ModelBuilder {
    ModelBuilder::new("Author", "authors")
        .column(Column::new("id", AttributeType::plain(Kind::Int, false)))
        .column(Column::new("name", AttributeType::plain(Kind::Text, true)))
        .primary_key(["id"])
}

fn books() -> ModelBuilder {
    let nullable = |kind| AttributeType::plain(kind, true);
    ModelBuilder::new("Book", "books")
        .column(Column::new("id", AttributeType::plain(Kind::Int, false)))
        .column(Column::new("title", nullable(Kind::Text)))
        .column(Column::new("pages", nullable(Kind::Int)).default(ColumnDefault::Int(10)))
        .column(Column::new("hidden", nullable(Kind::Bool)).default(ColumnDefault::Bool(false)))
        .column(Column::new("author_id", nullable(Kind::Int)))
        .primary_key(["id"])
}

fn library(
    of_author: impl FnOnce(ModelBuilder, relata::reflection::Target) -> Result<ModelBuilder>,
    of_book: impl FnOnce(ModelBuilder) -> ModelBuilder,
) -> Result<Library> {
    let (to_author, author_slot) = ModelBuilder::target("Author");
    let (to_book, book_slot) = ModelBuilder::target("Book");
    let author = of_author(authors(), to_book)?.define()?;
    let belongs_to = Declared::new("Book", "belongs_to", "author")?
        .option("optional", Setting::Flag(true))?
        .leading_to(to_author)?;
    let book = of_book(books().association(belongs_to)).define()?;
    author_slot.set(author).expect("set once");
    book_slot.set(book).expect("set once");
    Ok(Library { author, book })
}

fn has_many(name: &str, options: &[(&str, &str)]) -> Result<Declared> {
    options.iter().try_fold(
        Declared::new("Author", "has_many", name)?,
        |declared, (option, value)| declared.option(option, Setting::Text((*value).to_owned())),
    )
}

async fn filled(library: &Library, options: Options) -> Result<Db> {
    let db = Db::connect_with("sqlite::memory:", options).await?;
    db.create_tables([library.author, library.book]).await?;
    for name in ["x", "x", "y"] {
        let author = Record::new(library.author, &db);
        author.set("name", name)?.save().await?;
        for title in [name, "other"] {
            let book = Record::new(library.book, &db);
            book.set("title", title)?
                .set("author_id", author.get("id")?.into_owned())?
                .save()
                .await?;
        }
    }
    Ok(db)
}

#[test]
fn a_scope_of_the_owner_is_preloaded_once_for_each_that_differs() -> Result<()> {
    relata::run(async {
        let library = library(
            |author, book| {
                let named = has_many("namesakes", &[("class_name", "Book")])?.scope(&NAMESAKES);
                Ok(author.association(named.leading_to(book)?))
            },
            |book| book,
        )?;
        let db = filled(&library, Options::new()).await?;
        let authors = Relation::of(library.author, &db);
        assert_queries!(db, 3, {
            for author in authors.clone().includes_named(["namesakes"])?.await? {
                let books = author.association("namesakes")?.load_many().await?;
                assert_eq!(books.len(), 1);
                assert_eq!(books[0].get("title")?, author.get("name")?);
            }
        });
        assert_queries!(db, 4, {
            for author in authors.clone().await? {
                assert_eq!(author.association("namesakes")?.load_many().await?.len(), 1);
            }
        });
        let error = authors.joins_named("namesakes")?.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
        assert!(
            error
                .to_string()
                .contains("'namesakes' is instance dependent"),
            "{error}"
        );
        Ok(())
    })
}

#[test]
fn a_default_scope_begins_every_query_and_join() -> Result<()> {
    relata::run(async {
        let library = library(
            |author, book| Ok(author.association(has_many("books", &[])?.leading_to(book)?)),
            |book| book.default_scope(&SHOWN),
        )?;
        let db = filled(&library, Options::new()).await?;
        let all = Relation::unscoped(library.book, &db);
        all.clone()
            .filter_by("title", "other")?
            .update_all_by(&[("hidden", true.into())])
            .await?;
        assert_eq!(Relation::of(library.book, &db).count().await?, 3);
        assert_eq!(all.count().await?, 6);
        let author = Relation::of(library.author, &db)
            .first()
            .await?
            .expect("an author");
        let books = author.association("books")?;
        assert_eq!(books.load_many().await?.len(), 1);
        assert_eq!(books.build()?.get("hidden")?, false.into());
        assert_sql!(
            db,
            [
                r#"SELECT COUNT(*) FROM "authors" INNER JOIN "books" ON "books"."hidden" = ? AND "books"."author_id" = "authors"."id""#
            ],
            {
                let joined = Relation::of(library.author, &db).joins_named("books")?;
                assert_eq!(joined.count().await?, 3);
            }
        );
        Ok(())
    })
}

#[test]
fn an_option_is_taken_or_refused_by_name() -> Result<()> {
    let (target, _) = ModelBuilder::target("Book");
    let kind = |declared: Declared| declared.leading_to(target).unwrap_err().kind();
    assert_eq!(
        kind(has_many("books", &[("bogus", "x")])?),
        ErrorKind::Argument
    );
    assert_eq!(
        kind(has_many("books", &[("source", "x")])?),
        ErrorKind::Argument
    );
    assert_eq!(
        kind(has_many("books", &[("dependent", "never")])?),
        ErrorKind::Argument
    );
    assert_eq!(
        kind(has_many(
            "books",
            &[("through", "x"), ("disable_joins", "yes")]
        )?),
        ErrorKind::Unsupported
    );
    let named = Declared::new("Author", "has_one", "reload").unwrap_err();
    assert!(
        named.to_string().contains("conflict with a method reload"),
        "{named}"
    );
    let class = has_many("books", &[])?
        .option("class_name", Setting::Class)
        .unwrap_err();
    assert_eq!(class.kind(), ErrorKind::Argument);
    let written = has_many("books", &[("foreign_key", "author_id")])?.leading_to(target)?;
    assert_eq!(written.options(), [("foreign_key", "author_id")]);
    assert_eq!(written.target_name(), "Book");
    Ok(())
}

#[test]
fn an_inverse_is_what_leads_back_over_the_key_and_is_no_collection_unless_named() -> Result<()> {
    let inverse = |library: &Library, model: &'static ModelReflection, name: &str| {
        let _ = library;
        let resolved = model.resolve(model.association(name)?)?;
        let inverse = resolved.inverse_reflection().map(|inverse| inverse.name());
        Ok::<_, relata::Error>((inverse, resolved.inverse_reason))
    };
    let with = |named: bool| {
        library(
            |author, book| {
                let inverse: &[_] = if named {
                    &[("inverse_of", "author")]
                } else {
                    &[]
                };
                let long = has_many("long", &[("class_name", "Book")])?.scope(&LONG);
                Ok(author
                    .association(has_many("books", inverse)?.leading_to(book)?)
                    .association(long.leading_to(book)?))
            },
            |book| book,
        )
    };
    let library = with(false)?;
    assert_eq!(
        inverse(&library, library.author, "books")?,
        (Some("author"), InverseReason::SameKey)
    );
    assert_eq!(
        inverse(&library, library.author, "long")?,
        (Some("author"), InverseReason::SameKey)
    );
    assert_eq!(
        inverse(&library, library.book, "author")?,
        (None, InverseReason::Collection)
    );
    let library = with(true)?;
    assert_eq!(
        inverse(&library, library.author, "books")?,
        (Some("author"), InverseReason::Written)
    );
    Ok(())
}

#[test]
fn memory_after_a_rollback_and_a_destruction() -> Result<()> {
    relata::run(async {
        let library = library(|author, _| Ok(author), |book| book)?;
        let db = filled(&library, Options::new()).await?;
        let book = Record::new(library.book, &db);
        assert_eq!(book.get("pages")?, 10.into());
        assert!(!book.is_changed(), "a default is no change");
        book.set("title", "new")?;
        let undone: Result<()> = db
            .transaction(async || {
                book.save().await?;
                Err(relata::Error::new(ErrorKind::Rollback, "no"))
            })
            .await;
        assert!(undone.unwrap_err().is_rollback());
        assert_eq!(book.changed(), ["title"]);
        assert!(
            book.saved_changes().is_empty(),
            "what was undone was not saved"
        );
        book.save().await?;
        book.destroy().await?;
        let refused = book.set("title", "late").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ReadOnlyRecord);
        assert_eq!(book.get("title")?, "new".into());
        Ok(())
    })
}

#[test]
fn a_violation_of_strict_loading_can_be_told_in_place_of_refused() -> Result<()> {
    relata::run(async {
        let library = library(
            |author, book| {
                Ok(author
                    .association(has_many("books", &[])?.leading_to(book)?)
                    .strict_loading())
            },
            |book| book,
        )?;
        let strict = filled(&library, Options::new()).await?;
        let author = Relation::of(library.author, &strict)
            .first()
            .await?
            .expect("an author");
        let refused = author.association("books")?.load_many().await.unwrap_err();
        assert!(refused.is_strict_loading_violation());
        let all = Relation::of(library.author, &strict).without_strict_loading();
        let author = all.first().await?.expect("an author");
        assert_eq!(author.association("books")?.load_many().await?.len(), 2);
        let told = Options::new().strict_loading_violation(Violation::Log);
        let told = filled(&library, told).await?;
        let author = Relation::of(library.author, &told)
            .first()
            .await?
            .expect("an author");
        assert!(author.is_strict_loading());
        assert_eq!(author.association("books")?.load_many().await?.len(), 2);
        Ok(())
    })
}

/// Such a callback was taken and never called, and the second of two columns never read.
#[test]
fn what_could_not_run_or_be_told_apart_is_refused_when_a_model_is_defined() {
    let refused = |model: ModelBuilder| {
        let error = model.define().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert_eq!(error.model(), Some("Author"));
        error.to_string()
    };
    let later = Callback::later(Event::AfterFind, "fill", &|_| Pending::of(async { Ok(()) }));
    assert_eq!(
        refused(authors().callback(later)),
        "Author: after_find fill runs where nothing can be awaited: make it with `Callback::new`"
    );
    let around = Callback::around(Event::AfterSave, "wrap", &|_, inside| inside.run());
    assert_eq!(
        refused(authors().callback(around)),
        "Author: after_save wrap surrounds nothing: make it with `Callback::new` or `Callback::later`"
    );
    let now = Callback::new(Event::AroundSave, "wrap", &|_| Ok(()));
    assert_eq!(
        refused(authors().callback(now)),
        "Author: around_save wrap has to run what it surrounds: make it with `Callback::around`"
    );
    let twice = Column::new("name", AttributeType::plain(Kind::Text, true));
    assert_eq!(
        refused(authors().column(twice)),
        "Author.name is declared twice: give one of them another name"
    );
}
