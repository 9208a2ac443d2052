//! Tables made from models, and models held against tables.

use relata::{Attribute, Db, DifferenceKind, Raw, Result, model};

/// How far a post is.
#[derive(Debug, Clone, Copy, PartialEq, Attribute)]
pub enum Status {
    /// Nobody sees it.
    Draft,
    /// Everybody sees it.
    Live,
}

/// Who writes.
#[model]
pub struct Author {
    id: i64,
    #[column(unique)]
    name: String,
}

/// What is written.
#[model]
pub struct Post {
    id: i64,
    #[column(index)]
    title: String,
    subtitle: Option<String>,
    #[column(default = "it's new")]
    teaser: String,
    #[column(default = "draft")]
    status: Status,
    #[column(default = -1.5)]
    score: f64,
    #[column(default = true)]
    open: bool,
    #[column(default = 3, name = "likes")]
    stars: u64,
    picture: Option<Vec<u8>>,
    author_id: i64,
    #[belongs_to]
    author: Author,
    editor_id: Option<i64>,
    #[belongs_to]
    editor: Option<Author>,
}

/// A page of a book of an author: keys of several columns.
#[model(primary_key = (author_id, title))]
pub struct Book {
    author_id: i64,
    title: String,
    #[belongs_to]
    author: Author,
}

/// Its key refers to both columns of a book's.
#[model]
pub struct Page {
    id: i64,
    author_id: i64,
    book_title: String,
    #[belongs_to(foreign_key = (author_id, book_title))]
    book: Book,
}

fn all() -> [&'static relata::reflection::ModelReflection; 4] {
    [
        Author::reflection(),
        Post::reflection(),
        Book::reflection(),
        Page::reflection(),
    ]
}

async fn run(db: &Db, statements: &[&'static str]) -> Result<()> {
    for statement in statements {
        db.execute_sql(Raw::new(statement)).await?;
    }
    Ok(())
}

#[relata::test]
async fn tables_have_keys_foreign_keys_indexes_and_defaults(db: Db) -> Result<()> {
    let made = db.capture();
    db.create_tables(all()).await?;
    assert_eq!(
        made.texts(),
        [
            r#"CREATE TABLE "authors" ("id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "name" TEXT NOT NULL)"#,
            r#"CREATE UNIQUE INDEX "index_authors_on_name" ON "authors" ("name")"#,
            r#"CREATE TABLE "posts" ("id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "title" TEXT NOT NULL, "subtitle" TEXT, "teaser" TEXT NOT NULL DEFAULT 'it''s new', "status" TEXT NOT NULL DEFAULT 'draft', "score" REAL NOT NULL DEFAULT -1.5, "open" BOOLEAN NOT NULL DEFAULT 1, "likes" INTEGER NOT NULL DEFAULT 3, "picture" BLOB, "author_id" INTEGER NOT NULL, "editor_id" INTEGER, FOREIGN KEY ("author_id") REFERENCES "authors" ("id"), FOREIGN KEY ("editor_id") REFERENCES "authors" ("id"))"#,
            r#"CREATE INDEX "index_posts_on_author_id" ON "posts" ("author_id")"#,
            r#"CREATE INDEX "index_posts_on_editor_id" ON "posts" ("editor_id")"#,
            r#"CREATE INDEX "index_posts_on_title" ON "posts" ("title")"#,
            r#"CREATE TABLE "books" ("author_id" INTEGER NOT NULL, "title" TEXT NOT NULL, PRIMARY KEY ("author_id", "title"), FOREIGN KEY ("author_id") REFERENCES "authors" ("id"))"#,
            r#"CREATE INDEX "index_books_on_author_id" ON "books" ("author_id")"#,
            r#"CREATE TABLE "pages" ("id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "author_id" INTEGER NOT NULL, "book_title" TEXT NOT NULL, FOREIGN KEY ("author_id", "book_title") REFERENCES "books" ("author_id", "title"))"#,
            r#"CREATE INDEX "index_pages_on_author_id_and_book_title" ON "pages" ("author_id", "book_title")"#,
        ]
    );
    // They do what they say.
    let ann = Author::create(&db, |a| a.set_name("Ann")).await?;
    let post = Post::create(&db, |p| p.set_title("x").set_author(&ann)).await?;
    post.reload().await?;
    assert_eq!(
        (post.teaser(), post.status(), post.score()),
        ("it's new", Status::Draft, -1.5)
    );
    assert_eq!(
        (post.open(), post.stars(), post.subtitle()),
        (true, 3, None)
    );
    let again = Author::create(&db, |a| a.set_name("Ann")).await;
    assert!(again.unwrap_err().is_record_not_unique());
    post.set_editor_id(Some(99));
    let editor = post.save().await.unwrap_err();
    assert!(editor.is_invalid_foreign_key());
    Ok(())
}

#[relata::test]
async fn the_tables_made_from_models_pass_the_check(db: Db) -> Result<()> {
    db.create_tables(all()).await?;
    assert_eq!(db.check_tables(all()).await?, []);
    Ok(())
}

#[relata::test]
async fn each_difference_is_named(db: Db) -> Result<()> {
    let tables = [
        "CREATE TABLE authors (id INTEGER, name TEXT, born INTEGER NOT NULL, died INTEGER NOT NULL DEFAULT 0)",
        "CREATE TABLE posts (id INTEGER PRIMARY KEY, title INTEGER NOT NULL, subtitle TEXT NOT NULL, \
         status TEXT NOT NULL DEFAULT 'live', teaser TEXT NOT NULL, score VARCHAR(9) NOT NULL DEFAULT (-1.50), \
         open BOOLEAN NOT NULL DEFAULT TRUE, likes INTEGER NOT NULL DEFAULT 3, picture BLOB, \
         author_id INTEGER NOT NULL REFERENCES posts (id), editor_id INTEGER)",
        "CREATE INDEX posts_title ON posts (subtitle, title)",
        "CREATE UNIQUE INDEX authors_name ON authors (name, id)",
        "CREATE INDEX posts_author ON posts (author_id) WHERE open",
    ];
    run(&db, &tables).await?;
    let differences = db
        .check_tables([Author::reflection(), Post::reflection(), Page::reflection()])
        .await?;
    let sentences: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert_eq!(
        sentences,
        [
            "Author.id: the column is not part of the table's primary key",
            "Author.id: the column may be null, and the field is no Option",
            "Author.name: the column may be null, and the field is no Option",
            "Author.name: no unique index is on `name` alone",
            "Author: the table's column `born` must not be null and has no default, and the model does not have it: an insert fails",
            "Post.title: the column is declared INTEGER, and the field is `String`",
            "Post.title: no index begins with `title`",
            "Post.subtitle: the column must not be null, and the field is an Option",
            "Post.teaser: the default is 'it''s new', and the table has none",
            "Post.status: the default is 'draft', and in the table it is 'live'",
            "Post.score: the column is declared VARCHAR(9), and the field is `f64`",
            "Post.author: the foreign key on (author_id) refers to `posts`, and the association to `authors` (id)",
            "Post.author: no index begins with (author_id): reading from the other side goes through the whole table",
            "Post.editor: no foreign key is on (editor_id)",
            "Post.editor: no index begins with (editor_id): reading from the other side goes through the whole table",
            "Page: there is no table `pages`",
        ]
    );
    assert_eq!(differences[5].kind, DifferenceKind::Type);
    assert_eq!(
        (differences[5].model, differences[5].attribute),
        ("Post", Some("title"))
    );
    Ok(())
}

/// What serves as well is no difference: a key in another order, an index of more columns, a table of more columns.
#[relata::test]
async fn a_table_that_has_more_is_no_difference(db: Db) -> Result<()> {
    let tables = [
        "CREATE TABLE authors (id BIGINT PRIMARY KEY, name VARCHAR(20) NOT NULL UNIQUE, age INTEGER, \
         seen DATE NOT NULL DEFAULT CURRENT_DATE)",
        "CREATE TABLE books (author_id INT NOT NULL REFERENCES authors, title CLOB NOT NULL, PRIMARY KEY (author_id, title))",
        "CREATE TABLE pages (id INTEGER PRIMARY KEY, book_title TEXT NOT NULL, author_id INTEGER NOT NULL, \
         FOREIGN KEY (book_title, author_id) REFERENCES books (title, author_id))",
        "CREATE INDEX pages_book ON pages (book_title, author_id, id)",
    ];
    run(&db, &tables).await?;
    let models = [Author::reflection(), Book::reflection(), Page::reflection()];
    assert_eq!(db.check_tables(models).await?, []);
    Ok(())
}

/// Whose toy it is.
#[model]
pub struct Pet {
    id: i64,
    keeper_id: Option<i64>,
    #[belongs_to]
    keeper: Option<Keeper>,
}

/// Who keeps it.
#[model]
pub struct Keeper {
    id: i64,
}

#[relata::test]
async fn a_foreign_key_to_a_table_that_is_not_there_is_told(db: Db) -> Result<()> {
    db.create_tables([Pet::reflection()]).await?;
    let found = db.check_tables([Pet::reflection()]).await?;
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "Pet.keeper: the foreign key on (keeper_id) refers to the table `keepers`, which is not there"
        ]
    );
    assert_eq!(found[0].kind, DifferenceKind::ForeignKey);
    db.create_tables([Keeper::reflection()]).await?;
    assert_eq!(db.check_tables([Pet::reflection()]).await?, []);
    Ok(())
}
