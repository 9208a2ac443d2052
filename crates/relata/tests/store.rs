//! `store_accessor`: values inside a document that are read and set as attributes are.
#![cfg(feature = "json")]
#![allow(missing_docs)]

use std::collections::BTreeMap;

use relata::attribute::{AttributeType, Json, Kind};
use relata::reflection::{Column, ModelBuilder, StoreAccessor};
use relata::{Db, ErrorKind, Params, Record, Result, assert_queries, model, permit};
use serde_json::{Value as Document, json};

#[model]
struct Blog {
    id: i64,
    name: String,
    #[store_accessor(color: String, size: Option<i64>, tags: Vec<String>, open: bool)]
    settings: Document,
    #[store_accessor(color: Option<String>, prefix, suffix = "of_day")]
    theme: Option<Json<BTreeMap<String, String>>>,
    #[column(secret)]
    #[store_accessor(pin: Option<i64>)]
    private: Option<Document>,
}

async fn saved(db: &Db) -> Result<Blog> {
    db.create_tables([Blog::reflection()]).await?;
    Blog::create(db, |b| {
        b.set_name("mine")
            .set_color("red")
            .set_size(Some(3))
            .set_tags(vec!["a".to_owned()])
            .set_theme_color_of_day(Some("blue"))
    })
    .await
}

#[relata::test]
async fn values_are_read_and_set_in_their_document(db: Db) -> Result<()> {
    let blog = saved(&db).await?;
    assert_eq!(
        blog.settings(),
        json!({"color": "red", "size": 3, "tags": ["a"]})
    );
    let found = Blog::find(&db, blog.id()).await?;
    assert_eq!((found.color().as_str(), found.size()), ("red", Some(3)));
    assert_eq!((found.tags(), found.open()), (vec!["a".to_owned()], false));
    assert_eq!(found.theme_color_of_day().as_deref(), Some("blue"));
    assert!(!found.is_changed(), "reading sets nothing");
    let new = Blog::new(&db);
    assert_eq!((new.color(), new.size()), (String::new(), None));
    assert_eq!(new.theme_color_of_day(), None);
    assert!(!new.is_changed());
    Ok(())
}

#[relata::test]
async fn setting_one_makes_the_column_dirty_and_the_others_stay(db: Db) -> Result<()> {
    let blog = saved(&db).await?;
    blog.set_color(String::from("green"));
    assert!(blog.color_changed() && !blog.size_changed() && blog.settings_changed());
    assert_eq!(blog.changed(), ["settings"]);
    assert_eq!(
        (blog.color_was().as_str(), blog.color().as_str()),
        ("red", "green")
    );
    let log = db.capture();
    blog.save().await?;
    assert_eq!(
        log.texts(),
        [r#"UPDATE "blogs" SET "settings" = ? WHERE "blogs"."id" = ?"#]
    );
    assert_eq!(
        blog.saved_change_to_color(),
        Some(("red".to_owned(), "green".to_owned()))
    );
    assert_eq!(blog.saved_change_to_size(), None);
    assert!(!blog.color_changed() && !blog.is_changed());
    assert_eq!(
        Blog::find(&db, blog.id()).await?.settings(),
        json!({"color": "green", "size": 3, "tags": ["a"]})
    );
    Ok(())
}

#[relata::test]
async fn what_is_set_to_what_it_is_changes_nothing(db: Db) -> Result<()> {
    let blog = saved(&db).await?;
    // As somebody else wrote it: with spaces, and in another order.
    let text = r#"{ "size" : 3, "color":"red" }"#;
    db.execute_sql(relata::Raw::new("UPDATE blogs SET settings = ?").bind(text))
        .await?;
    blog.reload().await?;
    blog.set_color("red").set_open(false);
    assert_eq!(blog.changed(), ["settings"], "false is not nothing");
    blog.restore_attributes();
    blog.set_color("red").set_size(Some(3));
    assert!(!blog.is_changed());
    blog.set_color("blue").set_color("red");
    assert!(!blog.is_changed(), "{:?}", blog.changes());
    assert_queries!(db, 0, { blog.save().await? });
    assert_eq!(blog.get("settings")?.as_str(), Some(text));
    Ok(())
}

#[relata::test]
async fn a_document_that_no_value_can_be_read_from_is_refused(db: Db) -> Result<()> {
    let blog = saved(&db).await?;
    for (wrong, why) in [
        (json!([1]), "is no JSON object"),
        (json!({"size": "three"}), "has a `size` that is wrong"),
    ] {
        blog.set_settings(&wrong);
        let error = blog.save().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue);
        assert!(error.to_string().contains(why), "{error}");
        blog.restore_attributes();
    }
    blog.set_settings(&json!([1])).set_color("red");
    assert_eq!(blog.settings(), json!([1]), "what was there is not lost");
    db.execute_sql(relata::Raw::new(
        r#"UPDATE blogs SET settings = '{"size":"x"}'"#,
    ))
    .await?;
    let error = Blog::find(&db, blog.id()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue, "{error}");
    db.execute_sql(relata::Raw::new(r#"UPDATE blogs SET settings = 'null'"#))
        .await?;
    let blog = Blog::find(&db, blog.id()).await?;
    blog.set_open(true).save().await?;
    assert_eq!(blog.settings(), json!({"open": true}));
    Ok(())
}

#[relata::test]
async fn what_comes_from_outside_is_read_as_the_accessors_type(db: Db) -> Result<()> {
    let blog = saved(&db).await?;
    let given = Params::from_form([
        ("color", "12"),
        ("size", "12"),
        ("open", "on"),
        ("tags[]", "x"),
        ("tags[]", "y"),
        ("pin", "1"),
    ])?;
    let list = permit![color, size, open, tags: []];
    blog.update_from(&given, &list).await?;
    assert_eq!(
        (blog.color().as_str(), blog.size(), blog.open()),
        ("12", Some(12), true)
    );
    assert_eq!(
        (blog.tags().len(), blog.pin()),
        (2, None),
        "pin is not permitted"
    );
    blog.assign(Params::new().with("size", ""), permit![size])
        .await?;
    assert_eq!(blog.size(), None);
    let wrong = Params::new()
        .with("color", "z")
        .with("size", "many")
        .with("pin", "abc");
    let error = blog
        .assign(wrong, permit![color, size, pin])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RecordInvalid);
    assert_eq!(blog.color(), "12", "nothing was set");
    assert!(blog.errors().on("size")[0].contains("has a `size` that is wrong"));
    assert!(!format!("{error:?} {:?}", blog.errors()).contains("abc"));
    Ok(())
}

#[relata::test]
async fn by_name_as_by_type(db: Db) -> Result<()> {
    let blog = saved(&db).await?;
    let color = blog.store_accessor("color")?;
    color.set("green")?;
    assert_eq!((color.get()?, color.was()), (json!("green"), json!("red")));
    assert!(color.is_changed() && color.saved_change().is_some());
    let error = blog.store_accessor("size")?.set("x").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue);
    let error = blog.store_accessor("colour").unwrap_err();
    assert!(
        error.to_string().contains("did you mean `color`?"),
        "{error}"
    );
    let names: Vec<_> = Blog::reflection()
        .store_accessors()
        .map(|(column, one)| (column.name(), one.name(), one.key()))
        .collect();
    assert!(
        names.contains(&("theme", "theme_color_of_day", "color")),
        "{names:?}"
    );
    blog.set_pin(Some(4711));
    assert!(!format!("{blog:?} {:?}", blog.store_accessor("pin")?).contains("4711"));
    Ok(())
}

#[relata::test]
async fn models_of_run_time_have_them(db: Db) -> Result<()> {
    static ALL: [StoreAccessor; 2] = [
        StoreAccessor::new("color", "color"),
        StoreAccessor::of::<u8>("age", "years"),
    ];
    let model = ModelBuilder::new("Cat", "cats")
        .primary_key(["id"])
        .column(Column::new("id", AttributeType::plain(Kind::Int, false)))
        .column(
            Column::new("details", AttributeType::plain(Kind::Json, true))
                .with_store_accessors(&ALL),
        )
        .define()?;
    db.create_tables([model]).await?;
    let cat = Record::new(model, &db);
    cat.store_accessor("age")?.set(3)?;
    cat.store_accessor("color")?
        .set(json!(["black", "white"]))?;
    assert!(cat.store_accessor("age")?.set(300).is_err());
    cat.save().await?;
    // In which order the parts stand is for `serde_json` to say.
    let kept: serde_json::Value = serde_json::from_str(cat.get("details")?.as_str().unwrap())
        .map_err(relata::Error::other)?;
    assert_eq!(kept, json!({"color": ["black", "white"], "years": 3}));
    cat.update_from(Params::new().with("age", "4"), permit![age])
        .await?;
    assert_eq!(
        cat.store_accessor("age")?.saved_change(),
        Some((json!(3), json!(4)))
    );
    let text = Column::new("details", AttributeType::plain(Kind::Text, true));
    let error = ModelBuilder::new("Dog", "dogs")
        .column(text.with_store_accessors(&ALL))
        .define()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("holds no documents"), "{error}");
    Ok(())
}
