//! Records whose query left columns out: by name they say so, and a typed record is never one.

use relata::record::Record;
use relata::{ErrorKind, Model as _, Raw, Result, assert_queries, callbacks, model};

use crate::Backend;

/// What a callback makes of a column must not be made of one that was not read.
#[model]
pub struct Article {
    id: i64,
    title: String,
    slug: String,
    body: Option<String>,
}

/// The same rows with less.
#[model(table = "articles")]
pub struct Headline {
    id: i64,
    title: String,
}

/// The same rows.
#[model(table = "articles")]
pub struct Draft {
    id: i64,
    title: String,
    slug: String,
}

#[callbacks]
impl Article {
    #[before_save]
    fn make_slug(&self) {
        self.set_slug(self.title().to_lowercase());
    }
}

fn untyped(error: &relata::Error, column: &str) {
    assert_eq!(error.kind(), ErrorKind::MissingAttribute, "{error}");
    assert_eq!(
        (error.model(), error.attribute()),
        (Some("Article"), Some(column))
    );
    assert!(error.to_string().contains("it was not selected"), "{error}");
}

/// A typed reader gives its type, so it could not tell that nothing was read: no typed record is without a column.
pub async fn a_typed_record_has_all_of_its_columns(backend: &Backend) -> Result<()> {
    let db = backend.open().await?;
    db.create_tables([Article::reflection()]).await?;
    Article::create(&db, |a| a.set_title("One")).await?;
    let some = || Raw::new("SELECT id, title FROM articles");

    // Raw SQL, whatever asks for its rows.
    let typed = || Article::all(&db).from_sql(some());
    untyped(&typed().await.unwrap_err(), "slug");
    untyped(&typed().first().await.unwrap_err(), "slug");
    untyped(
        &typed().erased().typed::<Article>()?.await.unwrap_err(),
        "slug",
    );
    let whole = Raw::new("SELECT body, slug, title, id FROM articles");
    let whole = Article::all(&db).from_sql(whole).await?;
    assert_eq!((whole[0].title(), whole[0].slug()), ("One", "one"));
    // A model that declares no more than was selected is wholly read.
    let headlines = Headline::all(&db).from_sql(some()).await?;
    assert_eq!(headlines[0].title(), "One");

    // Without a type each column answers for itself, and the record becomes a typed one when its row was read.
    let rows: Vec<Record> = typed().erased().await?;
    assert_eq!(rows[0].get("title")?, "One".into());
    untyped(&rows[0].get("slug").unwrap_err(), "slug");
    untyped(&rows[0].downcast::<Article>().unwrap_err(), "slug");
    untyped(&Article::from_record(rows[0].clone()).unwrap_err(), "slug");
    untyped(&rows[0].becomes::<Draft>().unwrap_err(), "slug");
    untyped(
        &rows[0].becomes_of(Draft::reflection()).unwrap_err(),
        "slug",
    );
    rows[0].reload().await?;
    assert_eq!(rows[0].downcast::<Article>()?.slug(), "one");
    assert_eq!(rows[0].becomes::<Draft>()?.slug(), "one");
    Ok(())
}

/// A slug of a title that was not read would be a slug of nothing, written.
pub async fn a_typed_callback_is_not_given_what_was_not_read(backend: &Backend) -> Result<()> {
    let db = backend.open().await?;
    db.create_tables([Article::reflection()]).await?;
    Article::create(&db, |a| a.set_title("One")).await?;
    let rows = Article::all(&db).erased().select_named(["id", "body"])?;
    let row = rows.first().await?.expect("there is one");
    row.set("body", "text")?;
    assert_queries!(db, 0, {
        untyped(&row.save().await.unwrap_err(), "title");
    });
    assert_eq!(row.changed(), ["body"]);
    let kept = Article::find(&db, 1).await?;
    assert_eq!((kept.slug(), kept.body()), ("one", None));
    row.update_columns([("body", "text".into())]).await?;
    kept.reload().await?;
    assert_eq!((kept.slug(), kept.body()), ("one", Some("text")));
    Ok(())
}
