//! Enums whose values are validated: what is no label makes the record invalid.
#![allow(missing_docs)]

use relata::attribute::{AttributeType, Held, Kind, Label};
use relata::reflection::{Column, Enumeration, ModelBuilder};
use relata::{Attribute, Db, ErrorKind, Params, Record, Result, SaveOptions, Value, model, permit};

#[derive(Debug, Clone, Copy, PartialEq, Attribute)]
enum Status {
    Draft,
    Live,
}

#[model]
struct Post {
    id: i64,
    title: String,
    #[enumeration(values = (Draft, Live), validate)]
    status: Status,
    #[enumeration(values = (Draft, Live), prefix, validate(allow_null))]
    kind: Option<Status>,
    #[enumeration(values = (Draft, Live), suffix)]
    strict: Option<Status>,
}

async fn post(db: &Db) -> Result<Post> {
    db.create_tables([Post::reflection()]).await?;
    Post::create(db, |p| p.set_title("a").set_status(Status::Live)).await
}

#[relata::test]
async fn what_is_no_label_makes_the_record_invalid(db: Db) -> Result<()> {
    let post = post(&db).await?;
    post.set("status", "gold")?;
    assert_eq!(post.get("status")?, Value::from("gold"), "as it was given");
    assert!(post.status_changed());
    let error = post.save().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Validation failed: Status is not included in the list"
    );
    assert!(post.errors().of_kind("status", "inclusion"));
    let options = &post.errors().to_vec()[0].options;
    assert_eq!(options[..], [("value", Value::from("gold"))]);
    assert_eq!(Post::find(&db, post.id()).await?.status(), Status::Live);
    // Another value is another value, by name and by type.
    post.set("status", "draft")?.save().await?;
    post.set("status", 7)?;
    assert!(!post.is_valid().await?);
    post.set_status(Status::Live).save().await?;
    assert_eq!(post.get("status")?, Value::from("live"));
    // What is refused elsewhere is so still.
    assert_eq!(
        post.set("strict", "gold").unwrap_err().kind(),
        ErrorKind::Argument
    );
    Ok(())
}

#[relata::test]
async fn what_is_forgotten_is_not_told(db: Db) -> Result<()> {
    let post = post(&db).await?;
    let wrong = async || -> Result<()> {
        post.set("status", "gold")?.set("kind", "gold")?;
        assert!(!post.is_valid().await?);
        assert_eq!(post.errors().attribute_names(), ["status", "kind"]);
        Ok(())
    };
    wrong().await?;
    post.restore_attributes();
    assert!(post.is_valid().await? && !post.is_changed());
    wrong().await?;
    post.reload().await?;
    assert!(post.is_valid().await? && !post.is_changed());
    wrong().await?;
    post.set_status(Status::Live).set_kind(None);
    assert!(post.is_valid().await? && !post.is_changed());
    assert_eq!(post.get("kind")?, Value::Null);
    wrong().await?;
    post.set("status", "live")?.set("kind", " ")?;
    assert!(post.is_valid().await?);
    Ok(())
}

#[relata::test]
async fn null_is_invalid_unless_it_is_allowed(db: Db) -> Result<()> {
    post(&db).await?;
    let new = Post::build(&db, |p| p.set_title("b"));
    new.save().await.unwrap_err();
    assert_eq!(new.errors().attribute_names(), ["status"]);
    let skip = SaveOptions::new().validate(false);
    let error = new
        .set("status", "gold")?
        .save_with(skip.clone())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotNullViolation, "{error}");
    new.set_status(Status::Draft).set("kind", "gold")?;
    new.save_with(skip).await?;
    assert_eq!(Post::find(&db, new.id()).await?.kind(), None);
    Ok(())
}

#[relata::test]
async fn it_comes_from_outside(db: Db) -> Result<()> {
    let post = post(&db).await?;
    let given = Params::new().with("title", "b").with("status", "gold");
    let error = post
        .update_from(given, permit![title, status])
        .await
        .unwrap_err();
    assert!(error.is_record_invalid());
    assert_eq!(
        post.errors().full_messages(),
        ["Status is not included in the list"]
    );
    assert_eq!(post.title(), "b", "what is valid was set");
    let given = Params::new().with("strict", "gold");
    post.assign(given, permit![strict]).await.unwrap_err();
    assert_eq!(post.errors().attribute_names(), ["strict"]);
    let given = Params::new().with("status", "live").with("kind", "");
    post.update_from(given, permit![status, kind]).await?;
    assert_eq!(Post::all(&db).live().pluck(|p| p.title).await?, ["b"]);
    Ok(())
}

#[relata::test]
async fn models_of_run_time_validate_their_labels(db: Db) -> Result<()> {
    const LABELS: &[Label] = &[
        Label::new("open", Held::Int(0)),
        Label::new("shut", Held::Int(1)),
    ];
    let column = |name| Column::new(name, AttributeType::plain(Kind::Int, true));
    let door = ModelBuilder::new("Door", "doors")
        .column(column("id"))
        .column(column("state"))
        .column(column("lock"))
        .primary_key(["id"])
        .enumeration(Enumeration::new("state").validated(), LABELS)
        .enumeration(
            Enumeration::new("lock").prefix("lock").validated_or_null(),
            LABELS,
        )
        .define()?;
    db.create_tables([door]).await?;
    let one = Record::new(door, &db);
    one.set("lock", "ajar")?;
    one.save().await.unwrap_err();
    assert_eq!(one.errors().attribute_names(), ["state", "lock"]);
    one.set("state", "shut")?
        .set("lock", Value::Null)?
        .save()
        .await?;
    assert_eq!(one.get("state")?, Value::from("shut"));
    Ok(())
}
