//! What goes wrong in a program's first ten minutes is an error that says what to do, and no panic.

use std::future::Future;
use std::task::{Context, Poll, Waker};

use relata::{Db, ErrorKind, Raw, Result, model};

/// Who writes.
#[model]
pub struct Person {
    id: i64,
    name: String,
}

/// What is written.
#[model]
pub struct Post {
    id: i64,
    title: String,
    person_id: i64,
    #[belongs_to]
    person: Person,
}

/// It panicked in tokio, with words about a reactor.
#[relata::test]
fn connecting_outside_of_tokio_says_what_is_missing() {
    let mut connecting = Box::pin(Db::connect("sqlite::memory:"));
    let polled = connecting
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(Err(error)) = polled else {
        panic!("{polled:?}");
    };
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("relata::run"), "{error}");
}

/// It panicked in tokio.
#[relata::test]
async fn running_inside_of_a_runtime_says_to_await(_db: Db) -> Result<()> {
    let error = relata::run(async { Ok(()) }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("await"), "{error}");
    Ok(())
}

#[relata::test]
async fn keys_that_are_not_found_are_told_as_rails_tells_them(db: Db) -> Result<()> {
    db.create_tables([Person::reflection()]).await?;
    Person::create(&db, |p| p.set_name("Ann")).await?;
    let message = async |keys: &[i64]| {
        let error = Person::all(&db).find_many(keys.iter().copied()).await;
        error.unwrap_err().to_string()
    };
    assert_eq!(
        message(&[1, 8, 9]).await,
        "Couldn't find all People with 'id': (1, 8, 9) (found 1 results, but was looking for 3). \
         Couldn't find People with ids 8, 9."
    );
    assert_eq!(
        message(&[9, 1]).await,
        "Couldn't find all People with 'id': (9, 1) (found 1 results, but was looking for 2). \
         Couldn't find Person with id 9."
    );
    Ok(())
}

#[relata::test]
async fn a_required_target_that_is_missing_is_told_with_the_way_out(db: Db) -> Result<()> {
    db.execute_sql(Raw::new(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)",
    ))
    .await?;
    db.execute_sql(Raw::new(
        "CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT, person_id INTEGER)",
    ))
    .await?;
    db.execute_sql(Raw::new(
        "INSERT INTO posts VALUES (1, 'x', 7), (2, NULL, 7)",
    ))
    .await?;
    let dangling = Post::find(&db, 1).await?.person().await.unwrap_err();
    assert_eq!(
        dangling.to_string(),
        "Post.person has no target: its key leads to no row. If it may be missing, declare `Option<Person>`"
    );
    let unset = Post::new(&db).person().await.unwrap_err();
    assert!(unset.to_string().contains("its key is null"), "{unset}");
    let null = Post::find(&db, 2).await.unwrap_err();
    assert_eq!(
        null.to_string(),
        "Post.title: the table holds NULL, and the field is `String`: declare `Option<String>`"
    );
    Ok(())
}

/// They connected, to a database for each connection, or made a file of that name.
#[relata::test]
async fn urls_that_mean_something_else_say_how_to_write_it(_db: Db) -> Result<()> {
    for url in [
        "sqlite:",
        "sqlite://",
        "sqlite:file:x?mode=memory",
        "sqlite:file::memory:",
        "sqlite:q.db?mode=rwc",
        "sqlite::memory",
    ] {
        let error = Db::connect(url).await.unwrap_err();
        assert!(error.is_configuration(), "{url}: {error:?}");
        let message = error.to_string();
        assert!(message.contains(url), "{message}");
        assert!(
            message.ends_with(
                "Write sqlite::memory: for a database in memory, or sqlite:path for a file"
            ),
            "{message}"
        );
    }
    Ok(())
}

/// A database that was opened within a runtime and is used outside of it panicked in tokio.
#[relata::test]
fn a_database_outside_of_tokio_says_what_is_missing() -> Result<()> {
    fn ready<T>(future: impl Future<Output = Result<T>>) -> relata::Error {
        let polled = Box::pin(future)
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        match polled {
            Poll::Ready(Err(error)) => error,
            Poll::Ready(Ok(_)) => panic!("it needed nothing"),
            Poll::Pending => panic!("it waits for nobody"),
        }
    }
    let path = std::env::temp_dir().join(format!("relata-outside-{}.sqlite", std::process::id()));
    let url = format!("sqlite:{}", path.display());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(relata::Error::other)?;
    let db = runtime.block_on(async {
        let db = Db::connect(&url).await?;
        db.create_tables([Person::reflection()]).await?;
        Ok::<_, relata::Error>(db)
    })?;
    let ann = Person::build(&db, |p| p.set_name("Ann"));
    let errors = [
        ready(ann.save()),
        ready(Person::all(&db).load()),
        ready(db.transaction(async || Ok(()))),
    ];
    for error in errors {
        assert!(error.is_configuration(), "{error:?}");
        assert!(error.to_string().contains("relata::run"), "{error}");
    }
    runtime.block_on(async {
        assert_eq!(Person::all(&db).count().await?, 0);
        assert_eq!((db.figures().writers, db.figures().readers), (0, 0));
        ann.save().await
    })?;
    drop(db);
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", path.display()));
    }
    Ok(())
}

/// Its sum with the time of day panicked.
#[relata::test]
fn a_deadline_without_end_is_a_long_one() -> Result<()> {
    let path = std::env::temp_dir().join(format!("relata-forever-{}.sqlite", std::process::id()));
    let url = format!("sqlite:{}", path.display());
    let done = relata::run(async {
        let options = relata::Options::new().deadline(std::time::Duration::MAX);
        let db = Db::connect_with(&url, options).await?;
        db.create_tables([Person::reflection()]).await?;
        let ann = Person::build(&db, |p| p.set_name("Ann"));
        let (one, other) = tokio::join!(ann.save(), ann.save());
        one?;
        other?;
        db.transaction(async || ann.update(|p| p.set_name("Anna")).await)
            .await
    });
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", path.display()));
    }
    done
}

#[relata::test]
fn a_model_needs_names() {
    use relata::reflection::ModelBuilder;
    for (name, table) in [("", ""), ("Planet", " "), ("", "planets")] {
        let error = ModelBuilder::new(name, table).define().unwrap_err();
        assert!(error.is_configuration());
        assert!(
            error
                .to_string()
                .starts_with("a model needs the name of its")
        );
    }
}
