//! The erased layer: models made at run time, everything by name.

use std::sync::OnceLock;

use relata::attribute::{AttributeType, Kind};
use relata::reflection::{AssociationReflection, Column, InverseOf, ModelBuilder, ModelReflection};
use relata::{Db, Record, Relation, Result, Value};

struct Models {
    person: &'static ModelReflection,
    post: &'static ModelReflection,
}

fn models() -> &'static Models {
    static MODELS: OnceLock<Models> = OnceLock::new();
    MODELS.get_or_init(|| {
        let int = AttributeType::plain(Kind::Int, false);
        let (to_person, person_slot) = ModelBuilder::target("Person");
        let (to_post, post_slot) = ModelBuilder::target("Post");
        let person = ModelBuilder::new("Person", "people")
            .column(Column::new("id", int))
            .column(Column::new("name", AttributeType::plain(Kind::Text, true)))
            .primary_key(["id"])
            .association(AssociationReflection::has_many("posts", to_post))
            .define()
            .unwrap();
        let post = ModelBuilder::new("Post", "posts")
            .column(Column::new("id", int))
            .column(Column::new("title", AttributeType::plain(Kind::Text, true)))
            .column(Column::new(
                "person_id",
                AttributeType::plain(Kind::Int, true),
            ))
            .primary_key(["id"])
            .association(AssociationReflection::belongs_to("person", to_person))
            .define()
            .unwrap();
        person_slot.set(person).unwrap();
        post_slot.set(post).unwrap();
        Models { person, post }
    })
}

async fn database() -> Result<Db> {
    let db = Db::connect("sqlite::memory:").await?;
    db.create_tables([models().person, models().post]).await?;
    Ok(db)
}

async fn seed(db: &Db, people: usize, posts: usize) -> Result<()> {
    db.transaction(async || {
        for person in 0..people {
            let ann = Record::new(models().person, db);
            ann.set("name", format!("person {person}"))?;
            ann.save().await?;
            for post in 0..posts {
                let record = Record::new(models().post, db);
                record
                    .set("title", format!("post {person}.{post}"))?
                    .set("person_id", ann.get("id")?.into_owned())?;
                record.save().await?;
            }
        }
        Ok(())
    })
    .await
}

#[relata::test]
fn a_record_is_created_found_changed_and_destroyed_by_name() -> Result<()> {
    relata::run(async {
        let db = database().await?;
        let ann = Record::new(models().person, &db);
        ann.set("name", "Ann")?;
        assert!(ann.is_new_record());
        ann.save().await?;
        assert_eq!(ann.get("id")?, Value::Int(1));
        let found: Record = Relation::of(models().person, &db)
            .find_key([Value::Int(1)])
            .await?;
        assert_eq!(found, ann);
        assert!(!found.is(&ann));
        found.set("name", "Anna")?;
        assert_eq!(found.changed(), ["name"]);
        relata::assert_sql!(
            db,
            [r#"UPDATE "people" SET "name" = ? WHERE "people"."id" = ?"#],
            { found.save().await? }
        );
        ann.reload().await?;
        assert_eq!(ann.get("name")?, Value::from("Anna"));
        relata::assert_sql!(db, [r#"DELETE FROM "people" WHERE "people"."id" = ?"#], {
            ann.destroy().await?
        });
        assert!(ann.is_destroyed());
        assert_eq!(Relation::of(models().person, &db).count().await?, 0);
        assert!(found.reload().await.unwrap_err().is_record_not_found());
        Ok(())
    })
}

#[relata::test]
fn a_loop_over_many_records_runs_two_queries() -> Result<()> {
    relata::run(async {
        let db = database().await?;
        seed(&db, 10, 5).await?;
        relata::assert_sql!(
            db,
            [
                r#"SELECT "posts".* FROM "posts""#,
                r#"SELECT "people".* FROM "people" WHERE "people"."id" IN (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"#,
            ],
            {
                for post in Relation::of(models().post, &db).await? {
                    let person = post.association("person")?.load_one().await?.unwrap();
                    let title = post.get("title")?;
                    let name = person.get("name")?;
                    let number = name
                        .as_str()
                        .unwrap()
                        .strip_prefix("person ")
                        .unwrap()
                        .to_owned();
                    assert!(
                        title
                            .as_str()
                            .unwrap()
                            .starts_with(&format!("post {number}."))
                    );
                }
            }
        );
        Ok(())
    })
}

#[relata::test]
fn both_ways_lead_to_the_same_object() -> Result<()> {
    relata::run(async {
        let db = database().await?;
        seed(&db, 3, 4).await?;
        let people = Relation::of(models().person, &db)
            .includes_named(["posts"])?
            .await?;
        relata::assert_queries!(db, 0, {
            for person in &people {
                let posts = person.association("posts")?.load_many().await?;
                assert_eq!(posts.len(), 4);
                for post in posts {
                    assert!(
                        post.association("person")?
                            .load_one()
                            .await?
                            .unwrap()
                            .is(person)
                    );
                }
            }
        });
        let posts = Relation::of(models().post, &db)
            .includes_named(["person.posts"])?
            .await?;
        assert_eq!(posts.len(), 12);
        let (first, second) = (&posts[0], &posts[1]);
        let person = first.association("person")?.load_one().await?.unwrap();
        assert!(
            second
                .association("person")?
                .load_one()
                .await?
                .unwrap()
                .is(&person)
        );
        drop(people);
        drop(posts);
        assert_eq!(person.association("posts")?.target().len(), 4);
        Ok(())
    })
}

#[relata::test]
fn an_unsaved_graph_is_saved_in_order() -> Result<()> {
    relata::run(async {
        let db = database().await?;
        let ann = Record::new(models().person, &db);
        ann.set("name", "Ann")?;
        let post = ann.association("posts")?.build()?;
        post.set("title", "Hello")?;
        assert!(
            post.association("person")?
                .load_one()
                .await?
                .unwrap()
                .is(&ann)
        );
        relata::assert_sql!(
            db,
            [
                r#"INSERT INTO "people" ("name") VALUES (?)"#,
                r#"INSERT INTO "posts" ("title", "person_id") VALUES (?, ?)"#
            ],
            { post.save().await? }
        );
        assert_eq!(post.get("person_id")?, ann.get("id")?);
        Ok(())
    })
}

#[relata::test]
fn a_failed_transaction_gives_records_their_state_back() -> Result<()> {
    relata::run(async {
        let db = database().await?;
        let ann = Record::new(models().person, &db);
        ann.set("name", "Ann")?;
        let failed: Result<()> = db
            .transaction(async || {
                ann.save().await?;
                assert!(ann.is_persisted());
                Err(relata::Error::new(relata::ErrorKind::Rollback, "no"))
            })
            .await;
        assert!(failed.unwrap_err().is_rollback());
        assert!(ann.is_new_record());
        assert_eq!(ann.get("id")?, Value::Null);
        assert_eq!(ann.get("name")?, Value::from("Ann"));
        assert_eq!(Relation::of(models().person, &db).count().await?, 0);
        ann.save().await?;
        assert_eq!(ann.get("id")?, Value::Int(1));
        assert_eq!(db.figures().writers, 0);
        Ok(())
    })
}

#[relata::test]
fn a_list_of_a_hundred_thousand_keys_works() -> Result<()> {
    relata::run(async {
        let db = database().await?;
        seed(&db, 3, 2).await?;
        let keys: Vec<Value<'static>> = (2..100_002).map(Value::Int).collect();
        let found = Relation::of(models().post, &db)
            .filter_in("id", keys)?
            .await?;
        assert_eq!(found.len(), 5);
        Ok(())
    })
}

#[relata::test]
fn what_a_secret_column_holds_is_shown_nowhere() -> Result<()> {
    relata::run(async {
        let int = AttributeType::plain(Kind::Int, false);
        let vault = ModelBuilder::new("Vault", "vaults")
            .column(Column::new("id", int))
            .column(Column::new("pin", int).secret())
            .column(Column::new("floor", int))
            .primary_key(["id"])
            .define()?;
        let db = Db::connect("sqlite::memory:").await?;
        db.create_tables([vault]).await?;
        let capture = db.capture();
        let record = Record::new(vault, &db);
        let refused = [
            record.set("pin", "hunter2").unwrap_err(),
            Relation::of(vault, &db)
                .filter_by("pin", "hunter2")
                .unwrap_err(),
        ];
        for error in refused {
            assert!(!format!("{error} {error:?}").contains("hunter2"));
            assert_eq!(error.attribute(), Some("pin"));
        }
        let told = record.set("floor", "third").unwrap_err();
        assert!(
            told.to_string().contains("third"),
            "what is no secret helps"
        );
        record.set("pin", 4711)?.set("floor", 3)?;
        record.save().await?;
        assert!(!format!("{record:?} {capture:?} {:?}", capture.events()).contains("4711"));
        Ok(())
    })
}

/// `7u64` is an integer as a value, a UUID may be text, and what a client sends is text: the rows were there, and the error
/// said that they were not.
#[relata::test]
fn a_key_is_found_however_it_is_written() -> Result<()> {
    let uuid = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    let keys: &[(Kind, &[Value<'static>])] = &[
        (Kind::Int, &[Value::Int(7), Value::Uint(7), "7".into()]),
        (Kind::Uint, &[Value::Int(7), Value::Uint(7), "7".into()]),
        (
            Kind::Uuid,
            &[
                uuid.into(),
                uuid.replace('-', "").to_uppercase().into(),
                Value::Uuid(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8),
            ],
        ),
        (Kind::Date, &["2020-02-29".into(), Value::Date(18_321)]),
        (Kind::Text, &["7".into(), Value::Int(7)]),
    ];
    relata::run(async {
        for (kind, written) in keys {
            let ty = AttributeType::plain(*kind, false);
            let (to_loan, slot) = ModelBuilder::target("Loan");
            let (to_reader, reader_slot) = ModelBuilder::target("Reader");
            let named = InverseOf::Named("reader");
            let loans = AssociationReflection::has_many("loans", to_loan).with_inverse_of(named);
            let reader = ModelBuilder::new("Reader", "readers")
                .column(Column::new("id", AttributeType::plain(Kind::Int, false)))
                .primary_key(["id"])
                .association(loans)
                .define()?;
            let loan = ModelBuilder::new("Loan", "loans")
                .column(Column::new("id", ty))
                .column(Column::new(
                    "reader_id",
                    AttributeType::plain(Kind::Int, true),
                ))
                .primary_key(["id"])
                .association(AssociationReflection::belongs_to("reader", to_reader))
                .define()?;
            let _ = (slot.set(loan), reader_slot.set(reader));
            let db = Db::connect("sqlite::memory:").await?;
            db.create_tables([reader, loan]).await?;
            let ann = Record::new(reader, &db);
            ann.save().await?;
            let lent = Record::new(loan, &db);
            lent.set("id", written[0].clone())?.set("reader_id", 1)?;
            lent.save().await?;

            let all: Relation = Relation::of(loan, &db);
            let loans = Relation::<Record>::of(reader, &db)
                .find_key(["1".into()])
                .await?
                .association("loans")?;
            for loaded in [false, true] {
                for key in written.iter() {
                    let found = all.find_key([key.clone()]).await?;
                    assert_eq!(found, lent, "{key:?}");
                    let found = loans.find_key([key.clone()]).await?;
                    assert_eq!(found, lent, "{key:?}, loaded: {loaded}");
                    let found = loans.find_keys(vec![vec![key.clone()]]).await?;
                    assert_eq!(
                        found,
                        std::slice::from_ref(&lent),
                        "{key:?}, loaded: {loaded}"
                    );
                }
                let every: Vec<_> = written.iter().map(|key| vec![key.clone()]).collect();
                let found = all.find_keys(every.clone()).await?;
                assert_eq!(found, std::slice::from_ref(&lent), "one key, once");
                assert_eq!(loans.find_keys(every).await?, std::slice::from_ref(&lent));
                loans.load_many().await?;
            }
            let missing = all.find_key(["no key".into()]).await.unwrap_err();
            assert!(missing.is_record_not_found(), "{missing}");
            assert!(missing.to_string().contains("\"no key\""), "{missing}");
        }
        Ok(())
    })
}

/// A name of a table in a query is cut to what databases take: it was cut in the middle of a character.
#[relata::test]
fn a_long_name_of_an_association_is_cut_between_characters() -> Result<()> {
    relata::run(async {
        for name in [
            "parent".to_owned(),
            "ä".repeat(40),
            format!("x{}", "日本".repeat(20)),
        ] {
            let name: &'static str = name.leak();
            let (to_node, slot) = ModelBuilder::target("Node");
            let key: &'static [&'static str] = &["parent_id"];
            let parent = AssociationReflection::belongs_to(name, to_node).with_foreign_key(key);
            let node = ModelBuilder::new("Node", "nodes")
                .column(Column::new("id", AttributeType::plain(Kind::Int, false)))
                .column(Column::new(
                    "parent_id",
                    AttributeType::plain(Kind::Int, true),
                ))
                .primary_key(["id"])
                .association(parent)
                .define()?;
            let _ = slot.set(node);
            let db = Db::connect("sqlite::memory:").await?;
            db.create_tables([node]).await?;
            let path = [name; 3].join(".");
            let nodes: Relation = Relation::of(node, &db).left_outer_joins_named(&path)?;
            assert_eq!(nodes.count().await?, 0, "{}", nodes.to_sql());
        }
        Ok(())
    })
}

/// JSON and decimals of any length were printed whole.
#[relata::test]
fn a_printed_record_shows_a_line_of_any_text() -> Result<()> {
    let builder = ModelBuilder::new("Paper", "papers");
    let kinds = [
        ("text", Kind::Text),
        ("json", Kind::Json),
        ("number", Kind::Decimal),
    ];
    let paper = kinds
        .into_iter()
        .fold(builder, |builder, (name, kind)| {
            builder.column(Column::new(name, AttributeType::plain(kind, true)))
        })
        .define()?;
    let record = Record::new(paper, &Db::detached());
    record
        .set("text", "ä".repeat(60))?
        .set("json", format!("[{}]", "1".repeat(58)))?
        .set("number", "1".repeat(60))?;
    let shown = format!("{record:?}");
    assert!(
        shown.contains(&"ä".repeat(60)) && !shown.contains("..."),
        "{shown}"
    );
    record
        .set("text", "ä".repeat(61))?
        .set("json", format!("[{}]", "1".repeat(5_000)))?
        .set("number", "1".repeat(5_000))?;
    let shown = format!("{record:?}");
    assert_eq!(shown.matches("...").count(), 3, "{shown}");
    assert!(shown.len() < 400, "{shown}");
    Ok(())
}
