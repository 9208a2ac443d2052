//! What of a record is given on: to JSON, to serde, by name; and that secrets are not.
#![cfg(feature = "json")]

use relata::attribute::{AttributeType, Kind};
use relata::reflection::{Column, ModelBuilder};
use relata::{Db, ErrorKind, Fields, Param, Params, Record, Result, Value, assert_queries, model};
use serde_json::json;

#[model]
pub struct Author {
    id: i64,
    name: String,
    born: Option<chrono::NaiveDate>,
    seen_at: Option<chrono::DateTime<chrono::Utc>>,
    settings: Option<serde_json::Value>,
    #[column(secret)]
    token: Option<String>,
    password_digest: Option<String>,
    #[has_many]
    posts: Post,
    #[has_one]
    page: Option<Page>,
}

#[model]
pub struct Post {
    id: i64,
    title: String,
    author_id: i64,
    #[belongs_to]
    author: Author,
}

#[model]
pub struct Page {
    id: i64,
    author_id: i64,
}

async fn ann(db: &Db) -> Result<Author> {
    db.create_tables([Author::reflection(), Post::reflection(), Page::reflection()])
        .await?;
    let born = chrono::NaiveDate::from_ymd_opt(2000, 1, 31);
    let seen = chrono::DateTime::from_timestamp(1_700_000_000, 0);
    let ann = Author::create(db, |a| {
        a.set_name("Ann")
            .set_born(born)
            .set_seen_at(seen)
            .set_settings(Some(&json!({ "dark": true, "sizes": [1, 2.5] })))
            .set_token(Some("secret"))
            .set_password_digest(Some("$argon2"))
    })
    .await?;
    for title in ["a", "b"] {
        ann.posts().create(|p| p.set_title(title)).await?;
    }
    Author::find(db, ann.id()).await
}

#[relata::test]
async fn a_record_is_its_attributes_but_the_secret_ones(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    let shown = json!({
        "id": 1,
        "name": "Ann",
        "born": "2000-01-31",
        "seen_at": "2023-11-14T22:13:20.000000Z",
        "settings": { "dark": true, "sizes": [1, 2.5] },
    });
    let serialised = serde_json::to_value(&ann).expect("it has JSON");
    assert_eq!(serialised, shown);
    assert_eq!(ann.as_json(&Fields::new())?, shown);
    assert_eq!(
        serde_json::to_value(vec![ann.clone()]).expect("JSON"),
        json!([shown])
    );
    // The order is that of the fields.
    let text = serde_json::to_string(&ann).expect("JSON");
    assert!(text.starts_with(r#"{"id":1,"name":"Ann","born""#), "{text}");
    let erased: Record = (*ann).clone();
    assert_eq!(serde_json::to_value(&erased).expect("JSON"), shown);
    Ok(())
}

#[relata::test]
async fn what_is_asked_for_is_given_and_nothing_is_loaded(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    let fields = Fields::new()
        .only(["id", "name"])
        .except(["id"])
        .method("loud", |author: &Author| author.name().to_uppercase())
        .include("posts", Fields::new().only(["title"]))
        .include("page", Fields::new());
    let error = ann.as_json(&fields).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert_eq!(error.attribute(), Some("posts"));
    ann.posts().await?;
    ann.page().await?;
    assert_queries!(db, 0, {
        let shown = ann.as_json(&fields)?;
        let posts = json!([{ "title": "a" }, { "title": "b" }]);
        assert_eq!(
            shown,
            json!({ "name": "Ann", "loud": "ANN", "posts": posts, "page": null })
        );
    });
    let post = Post::all(&db)
        .includes(|p| p.author)
        .order(|p| p.id)
        .first_or_fail()
        .await?;
    let fields = Fields::new().include("author", Fields::new().only(["name"]));
    let shown = json!({ "id": 1, "title": "a", "author_id": 1, "author": { "name": "Ann" } });
    assert_eq!(post.as_json(&fields)?, shown);
    Ok(())
}

#[relata::test]
async fn what_cannot_be_given_is_an_error(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    for secret in ["token", "password_digest"] {
        let error = ann
            .serializable_hash(&Fields::new().only([secret]))
            .unwrap_err();
        assert!(error.to_string().contains("is secret"), "{error}");
    }
    let error = ann
        .serializable_hash(&Fields::new().except(["nmae"]))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownAttribute);
    let error = ann
        .serializable_hash(&Fields::new().include("post", Fields::new()))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AssociationNotFound);
    let of_another = Fields::new().method("x", |post: &Post| post.title().to_owned());
    let error = ann.serializable_hash(&of_another).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AssociationTypeMismatch);
    Ok(())
}

#[relata::test]
async fn by_name_it_is_the_same_and_every_kind_has_a_form(db: Db) -> Result<()> {
    let kinds = [
        ("flag", Kind::Bool, Value::Bool(true), json!(true)),
        ("count", Kind::Uint, Value::Uint(u64::MAX), json!(u64::MAX)),
        ("ratio", Kind::Float, Value::Float(0.5), json!(0.5)),
        (
            "data",
            Kind::Bytes,
            Value::from(vec![1u8, 2]),
            json!([1, 2]),
        ),
        (
            "at",
            Kind::DateTime,
            Value::DateTime(0),
            json!("1970-01-01T00:00:00.000000"),
        ),
        ("time", Kind::Time, Value::Time(1), json!("00:00:00.000001")),
        (
            "uuid",
            Kind::Uuid,
            Value::Uuid(1),
            json!("00000000-0000-0000-0000-000000000001"),
        ),
        (
            "price",
            Kind::Decimal,
            Value::Decimal("1.50".into()),
            json!("1.50"),
        ),
        ("none", Kind::Text, Value::Null, json!(null)),
    ];
    let mut builder = ModelBuilder::new("Thing", "things")
        .column(Column::new("id", AttributeType::plain(Kind::Int, false)))
        .column(Column::new("pin", AttributeType::plain(Kind::Text, true)).secret());
    for (name, kind, ..) in &kinds {
        builder = builder.column(Column::new(name, AttributeType::plain(*kind, true)));
    }
    let thing = Record::new(builder.primary_key(["id"]).define()?, &db);
    thing.set("pin", "1234")?;
    for (name, _, value, _) in &kinds {
        thing.set(name, value.clone())?;
    }
    let shown = thing.as_json(&Fields::new().except(["id"]))?;
    for (name, _, _, json) in &kinds {
        assert_eq!(shown[name], *json, "{name}");
    }
    assert_eq!(
        shown.as_object().map(serde_json::Map::len),
        Some(kinds.len())
    );
    Ok(())
}

#[relata::test]
async fn what_was_not_selected_is_left_out(db: Db) -> Result<()> {
    ann(&db).await?;
    let some = relata::Relation::<Record>::of(Author::reflection(), &db)
        .select_named(["id", "name"])?
        .take_or_fail()
        .await?;
    assert_eq!(
        serde_json::to_value(&some).expect("JSON"),
        json!({ "id": 1, "name": "Ann" })
    );
    Ok(())
}

#[test]
fn params_are_read_from_any_format_of_serde_and_given_on() {
    let text =
        r#"{"a":1,"b":-2,"c":1.5,"d":null,"e":"x","f":[true,{"g":[]}],"h":18446744073709551615}"#;
    let params: Params = serde_json::from_str(text).expect("a map");
    assert_eq!(serde_json::to_string(&params).expect("JSON"), text);
    let json: serde_json::Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(Param::from(json), Param::Map(params));
    let error = serde_json::from_str::<Params>("[1]").unwrap_err();
    assert!(
        error.to_string().starts_with("a map of names is expected"),
        "{error}"
    );
}

#[test]
fn params_nest_so_deep_and_have_any_number_of_names() {
    let nested =
        |levels: usize| format!("{}{}", "{\"a\":".repeat(levels), "1") + &"}".repeat(levels);
    assert!(serde_json::from_str::<Params>(&nested(32)).is_ok());
    let error = serde_json::from_str::<Params>(&nested(33)).unwrap_err();
    assert!(
        error.to_string().contains("deeper than 32 levels"),
        "{error}"
    );
    let lists = format!("{{\"a\":{}{}}}", "[".repeat(32), "]".repeat(32));
    assert!(serde_json::from_str::<Params>(&lists).is_err());

    let pairs: Vec<String> = (0..60_000).map(|at| format!("\"n{at}\":{at}")).collect();
    let text = format!("{{{},\"n5\":\"x\",\"n59999\":\"y\"}}", pairs.join(","));
    let params: Params = serde_json::from_str(&text).expect("a map");
    assert_eq!(params.len(), 60_000);
    assert_eq!(params.text("n5"), Some("x"));
    assert_eq!(params.text("n59999"), Some("y"));
    assert_eq!(params.names().nth(5), Some("n5"));
}

#[test]
fn what_is_printed_of_a_record_is_short_whatever_its_type() {
    let note = Noted::build(&Db::detached(), |n| {
        n.set_text("é".repeat(500)).set_data(&json!(vec!["x"; 500]))
    });
    let printed = format!("{note:?}");
    assert!(printed.chars().count() < 300, "{printed}");
    assert!(
        printed.contains("é\"...") && printed.contains("\\\"x\\\",\\\"x"),
        "{printed}"
    );
}

#[model]
pub struct Noted {
    id: i64,
    text: String,
    data: serde_json::Value,
}

#[test]
fn errors_are_given_by_attribute() {
    let author = Author::new(&Db::detached());
    author.errors().add_kind("name", "blank");
    author.errors().add("name", "odd", "is odd");
    author.errors().add("base", "late", "too late");
    let shown = json!({
        "name": [{ "code": "blank", "message": "can't be blank" }, { "code": "odd", "message": "is odd" }],
        "base": [{ "code": "late", "message": "too late" }],
    });
    assert_eq!(author.errors().to_json(), shown);
    assert_eq!(serde_json::to_value(author.errors()).expect("JSON"), shown);
}
