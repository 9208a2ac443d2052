//! What a subscriber of `tracing` hears: one event a statement, by OpenTelemetry's names.

#![cfg(feature = "tracing")]
#![allow(unreachable_pub, missing_docs)]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use relata::{Db, Options, Raw, Result, model};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

#[model]
pub struct Person {
    id: i64,
    name: String,
    #[has_many]
    posts: Post,
}

#[model]
pub struct Post {
    id: i64,
    title: String,
    person_id: i64,
    #[belongs_to]
    person: Person,
}

#[derive(Debug, Default, Clone)]
struct Heard {
    target: String,
    level: String,
    fields: BTreeMap<&'static str, String>,
}

impl Visit for Heard {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }
}

/// Keeps the events up to a level.
#[derive(Clone)]
struct Ear {
    up_to: Level,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("relata") && *metadata.level() <= self.up_to
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut heard = Heard {
            target: event.metadata().target().to_owned(),
            level: event.metadata().level().to_string(),
            ..Heard::default()
        };
        event.record(&mut heard);
        self.heard.lock().unwrap().push(heard);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What is heard up to a level while a program runs.
fn heard(up_to: Level, program: impl AsyncFnOnce(Db) -> Result<()>) -> Result<Vec<Heard>> {
    let heard = Arc::default();
    let ear = Ear {
        up_to,
        heard: Arc::clone(&heard),
    };
    // In memory every statement runs on this thread.
    relata::run(async {
        let options = Options::new().strict_loading_violation(relata::db::Violation::Log);
        let db = Db::connect_with("sqlite::memory:", options).await?;
        db.create_tables([Person::reflection(), Post::reflection()])
            .await?;
        let guard = tracing::subscriber::set_default(ear);
        program(db).await?;
        drop(guard);
        Ok(())
    })?;
    Ok(std::mem::take(&mut heard.lock().unwrap()))
}

#[relata::test]
fn every_statement_is_an_event_by_the_names_of_opentelemetry() -> Result<()> {
    let mut line = 0;
    let events = heard(Level::DEBUG, async |db| {
        let ann = Person::create(&db, |p| p.set_name("Ann")).await?;
        line = line!() + 1;
        ann.posts().create(|p| p.set_title("secret")).await?;
        assert_eq!(Post::all(&db).await?.len(), 1);
        db.execute_sql(Raw::new("DELETE FROM nowhere"))
            .await
            .unwrap_err();
        Ok(())
    })?;
    let of = |name: &str| -> Vec<Option<&str>> {
        events
            .iter()
            .map(|event| event.fields.get(name).map(String::as_str))
            .collect()
    };
    assert!(
        events
            .iter()
            .all(|event| event.target == "relata::sql" && event.level == "DEBUG")
    );
    assert_eq!(
        of("db.query.text"),
        [
            Some(r#"INSERT INTO "people" ("name") VALUES (?)"#),
            Some(r#"INSERT INTO "posts" ("title", "person_id") VALUES (?, ?)"#),
            Some(r#"SELECT "posts".* FROM "posts""#),
            Some("DELETE FROM nowhere"),
        ]
    );
    assert_eq!(of("db.system.name"), [Some("sqlite"); 4]);
    assert_eq!(
        of("db.operation.name"),
        [
            Some("INSERT"),
            Some("INSERT"),
            Some("SELECT"),
            Some("DELETE")
        ]
    );
    assert_eq!(
        of("db.query.summary")[..3],
        [
            Some("Person Create"),
            Some("Post Create"),
            Some("Post Load")
        ]
    );
    assert_eq!(of("db.response.returned_rows")[2], Some("1"));
    assert_eq!(
        of("error.type"),
        [None, None, None, Some("StatementInvalid")]
    );
    assert!(
        of("code.file.path")
            .iter()
            .all(|file| { file.is_some_and(|file| file.ends_with("tests/traces.rs")) })
    );
    assert_eq!(
        of("code.line.number")[1],
        Some(&*line.to_string()),
        "the line of the call"
    );
    assert!(
        of("db.client.operation.duration")
            .iter()
            .all(|time| time.is_some_and(|time| time.parse::<f64>().is_ok_and(|time| time > 0.0)))
    );
    // No value of a row leaves by this way.
    assert!(!format!("{events:?}").contains("secret"));
    Ok(())
}

#[relata::test]
fn who_listens_for_warnings_hears_of_strict_loading_and_of_no_statement() -> Result<()> {
    let events = heard(Level::WARN, async |db| {
        let ann = Person::create(&db, |p| p.set_name("Ann")).await?;
        ann.posts().create(|p| p.set_title("x")).await?;
        let post = Post::all(&db).strict_loading().take_or_fail().await?;
        post.person().await?;
        Ok(())
    })?;
    let [event] = &*events else {
        panic!("{events:?}")
    };
    assert_eq!(
        (&*event.target, &*event.level),
        ("relata::strict_loading", "WARN")
    );
    assert!(event.fields["message"].contains("`Post`"), "{event:?}");
    Ok(())
}
