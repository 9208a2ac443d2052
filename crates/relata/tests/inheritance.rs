//! Single-table inheritance on models made at run time: a table whose rows are of several classes.

use std::sync::atomic::{AtomicUsize, Ordering};

use relata::attribute::{AttributeType, Kind};
use relata::callback::{Callback, Event};
use relata::reflection::{
    Column, Declared, ModelBuilder, ModelReflection, NestedAttributes, Setting,
};
use relata::relation::Scope;
use relata::validation::Validation;
use relata::{
    Db, ErrorKind, Params, Raw, Record, Relation, Result, Value, assert_queries, assert_sql, permit,
};

struct Models {
    user: &'static ModelReflection,
    admin: &'static ModelReflection,
    owner: &'static ModelReflection,
    guest: &'static ModelReflection,
    post: &'static ModelReflection,
}

static BY_TITLE: Scope = Scope::new(&|posts| posts.clone().order_by("title desc").unwrap_or(posts));

static SAVED: AtomicUsize = AtomicUsize::new(0);

fn id() -> Column {
    Column::new("id", AttributeType::plain(Kind::Int, false))
}

fn nullable(name: &'static str, kind: Kind) -> Column {
    Column::new(name, AttributeType::plain(kind, true))
}

fn text(text: &str) -> Setting {
    Setting::Text(text.to_owned())
}

/// Users, of whom some are guests and some admins, of whom some are owners; admins have their posts in another order.
fn models() -> Result<Models> {
    let (to_post, post_slot) = ModelBuilder::target("Post");
    let (to_user, user_slot) = ModelBuilder::target("User");
    let posts = |model| Declared::new(model, "has_many", "posts");
    let user = ModelBuilder::new("User", "users")
        .column(id())
        .column(nullable("type", Kind::Text))
        .column(nullable("name", Kind::Text))
        .primary_key(["id"])
        .inheritance_column("type")
        .association(posts("User")?.leading_to(to_post)?)
        .validates(Validation::presence("name"))
        .callback(Callback::new(Event::BeforeSave, "count", &|_| {
            SAVED.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }))
        .define()?;
    user_slot.set(user).expect("set once");
    let own = posts("Admin")?
        .option("foreign_key", text("user_id"))?
        .option("dependent", text("destroy"))?
        .scope(&BY_TITLE)
        .leading_to(to_post)?;
    let admin = ModelBuilder::inherits("Admin", user)
        .association(own)
        .define()?;
    let owner = ModelBuilder::inherits("Owner", admin).define()?;
    let guest = ModelBuilder::inherits("Guest", user)
        .accepts_nested_attributes_for("posts", NestedAttributes::new())?
        .define()?;
    let to_user = Declared::new("Post", "belongs_to", "user")?.leading_to(to_user)?;
    let post = ModelBuilder::new("Post", "posts")
        .column(id())
        .column(nullable("title", Kind::Text))
        .column(nullable("user_id", Kind::Int))
        .primary_key(["id"])
        .association(to_user)
        .define()?;
    post_slot.set(post).expect("set once");
    Ok(Models {
        user,
        admin,
        owner,
        guest,
        post,
    })
}

impl Models {
    async fn filled(&self) -> Result<Db> {
        let db = Db::connect("sqlite::memory:").await?;
        let (user, post) = (self.user, self.post);
        db.create_tables([user, post]).await?;
        let all = [
            (user, "u"),
            (self.admin, "a"),
            (self.guest, "g"),
            (self.owner, "o"),
        ];
        for (model, name) in all {
            let record = Record::new(model, &db);
            record.set("name", name)?.save().await?;
            for title in ["1", "2"] {
                let post = record.association("posts")?.build_member()?;
                post.set("title", format!("{name}{title}"))?;
                record.association("posts")?.create_member(&post).await?;
            }
        }
        Ok(db)
    }
}

fn names(records: &[Record]) -> Vec<(&'static str, String)> {
    let name = |record: &Record| {
        let name = record
            .get("name")
            .map(|name| name.as_str().unwrap_or_default().to_owned());
        (record.reflection().name(), name.unwrap_or_default())
    };
    records.iter().map(name).collect()
}

#[test]
fn a_query_of_the_base_gives_records_of_their_own_class() -> Result<()> {
    relata::run(async {
        let models = models()?;
        let db = models.filled().await?;
        let all = Relation::of(models.user, &db)
            .order_by("id")?
            .load()
            .await?;
        let expected = [
            ("User", "u"),
            ("Admin", "a"),
            ("Guest", "g"),
            ("Owner", "o"),
        ];
        assert_eq!(
            names(&all),
            expected.map(|(class, name)| (class, name.to_owned()))
        );
        let types: Vec<Value<'_>> = all
            .iter()
            .map(|one| one.get("type"))
            .collect::<Result<_>>()?;
        let expected = [Value::Null, "Admin".into(), "Guest".into(), "Owner".into()];
        assert_eq!(types, expected);
        // What is read through the base is the same record as through its class.
        let admin = Relation::of(models.admin, &db)
            .order_by("id")?
            .take_or_fail()
            .await?;
        assert_eq!(admin, all[1]);
        Ok(())
    })
}

#[test]
fn a_subclass_sees_its_rows_and_those_of_its_subclasses() -> Result<()> {
    relata::run(async {
        let models = models()?;
        let db = models.filled().await?;
        let admins = Relation::of(models.admin, &db).order_by("id")?;
        assert_sql!(
            db,
            [
                "SELECT \"users\".* FROM \"users\" WHERE \"users\".\"type\" IN (?, ?) ORDER BY \"users\".\"id\" ASC"
            ],
            {
                let admins = admins.load().await?;
                assert_eq!(
                    names(&admins),
                    [("Admin", "a".to_owned()), ("Owner", "o".to_owned())]
                );
            }
        );
        assert_eq!(Relation::of(models.owner, &db).count().await?, 1);
        // The third is a guest.
        let error = Relation::of(models.admin, &db)
            .find_key([3.into()])
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RecordNotFound);
        // Set-wise writes leave the others alone, also past the default scope.
        let admins = Relation::unscoped(models.admin, &db);
        assert_eq!(admins.update_all_by(&[("name", "x".into())]).await?, 2);
        Relation::of(models.post, &db).delete_all().await?;
        assert_eq!(Relation::unscoped(models.owner, &db).delete_all().await?, 1);
        assert_eq!(Relation::of(models.user, &db).count().await?, 3);
        Ok(())
    })
}

#[test]
fn what_a_base_declares_holds_for_its_subclasses() -> Result<()> {
    relata::run(async {
        let models = models()?;
        let before = SAVED.load(Ordering::Relaxed);
        let db = models.filled().await?;
        assert!(SAVED.load(Ordering::Relaxed) >= before + 4);
        let nameless = Record::new(models.guest, &db);
        let error = nameless.save().await.unwrap_err();
        assert_eq!(error.to_string(), "Validation failed: Name can't be blank");
        let guest = Relation::of(models.guest, &db).take_or_fail().await?;
        let posts = guest.association("posts")?.load_many().await?;
        assert_eq!(posts.len(), 2);
        assert_queries!(db, 0, {
            let user = posts[0].association("user")?.load_one().await?;
            assert!(user.is_some_and(|user| user.is(&guest)));
        });
        Ok(())
    })
}

#[test]
fn rows_of_several_classes_preload_together_and_each_as_its_class_says() -> Result<()> {
    relata::run(async {
        let models = models()?;
        let db = models.filled().await?;
        // One query for what all have from the base, one for what admins declare anew.
        assert_queries!(db, 3, {
            let all = Relation::of(models.user, &db)
                .order_by("id")?
                .includes_named(["posts"])?;
            let mut titles = Vec::new();
            for user in all.load().await? {
                for post in user.association("posts")?.load_many().await? {
                    titles.push(post.get("title")?.as_str().unwrap_or_default().to_owned());
                }
            }
            assert_eq!(titles, ["u1", "u2", "a2", "a1", "g1", "g2", "o2", "o1"]);
        });
        let all = Relation::of(models.user, &db)
            .order_by("id")?
            .load()
            .await?;
        assert_queries!(db, 2, {
            for user in &all {
                assert_eq!(user.association("posts")?.load_many().await?.len(), 2);
            }
        });
        Ok(())
    })
}

#[test]
fn destroying_does_what_the_class_of_the_row_says() -> Result<()> {
    relata::run(async {
        let models = models()?;
        let db = models.filled().await?;
        db.execute_sql(Raw::trusted("PRAGMA foreign_keys = OFF".to_owned()))
            .await?;
        // Read through the base, it is an admin all the same: its posts go with it.
        let admin = Relation::of(models.user, &db).find_key([2.into()]).await?;
        admin.destroy().await?;
        assert_eq!(Relation::of(models.post, &db).count().await?, 6);
        Ok(())
    })
}

#[test]
fn a_type_that_no_class_has_is_an_error() -> Result<()> {
    relata::run(async {
        let models = models()?;
        let db = models.filled().await?;
        db.execute_sql(Raw::trusted(
            "UPDATE users SET type = 'Nope' WHERE id = 3".to_owned(),
        ))
        .await?;
        let error = Relation::of(models.user, &db).load().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SubclassNotFound);
        assert!(
            error
                .to_string()
                .contains("failed to locate the subclass: 'Nope'"),
            "{error}"
        );
        // An empty one is none.
        db.execute_sql(Raw::trusted(
            "UPDATE users SET type = '' WHERE id = 3".to_owned(),
        ))
        .await?;
        let all = Relation::of(models.user, &db)
            .order_by("id")?
            .load()
            .await?;
        assert_eq!(all[2].reflection(), models.user);
        // Without the column nothing is known of it.
        db.execute_sql(Raw::trusted(
            "UPDATE users SET type = 'Nope' WHERE id = 3".to_owned(),
        ))
        .await?;
        let all = Relation::of(models.user, &db)
            .select_named(["id", "name"])?
            .load()
            .await?;
        assert!(all.iter().all(|one| one.reflection() == models.user));
        Ok(())
    })
}

#[test]
fn a_row_whose_type_was_changed_is_no_record_of_its_old_class() -> Result<()> {
    relata::run(async {
        let models = models()?;
        let db = models.filled().await?;
        let admin = Relation::of(models.admin, &db)
            .order_by("id")?
            .take_or_fail()
            .await?;
        admin.set("type", "Guest")?.save().await?;
        let error = admin.reload().await.unwrap_err();
        assert!(
            matches!(
                error.kind(),
                ErrorKind::RecordNotFound | ErrorKind::SubclassNotFound
            ),
            "{error}"
        );
        let guests = Relation::of(models.guest, &db).count().await?;
        assert_eq!(guests, 2);
        Ok(())
    })
}

#[test]
fn a_subclass_has_its_parents_columns_and_a_parent_says_of_which_class_its_rows_are() -> Result<()>
{
    let models = models()?;
    let more = ModelBuilder::inherits("Robot", models.user).column(nullable("power", Kind::Int));
    let error = more.define().unwrap_err();
    assert!(error.to_string().contains("add power there"), "{error}");
    let error = ModelBuilder::inherits("Draft", models.post)
        .define()
        .unwrap_err();
    assert!(error.to_string().contains("inheritance_column"), "{error}");
    assert_eq!(models.owner.base(), models.user);
    assert_eq!(models.owner.parent(), Some(models.admin));
    assert!(models.owner.is_a(models.admin) && !models.admin.is_a(models.owner));
    assert_eq!(models.user.descendants().len(), 3);
    assert_eq!(models.owner.polymorphic_name(), "User");
    Ok(())
}

#[test]
fn an_eager_load_gives_each_row_its_class() -> Result<()> {
    relata::run(async {
        let models = models()?;
        let db = models.filled().await?;
        let posts = Relation::of(models.post, &db)
            .order_by("id")?
            .eager_load_named(["user"])?;
        assert_queries!(db, 1, {
            let mut classes = Vec::new();
            for post in posts.load().await? {
                let user = post.association("user")?.load_one().await?;
                classes.extend(user.map(|user| user.reflection().name()));
            }
            assert_eq!(
                classes,
                [
                    "User", "User", "Admin", "Admin", "Guest", "Guest", "Owner", "Owner"
                ]
            );
        });
        Ok(())
    })
}

#[test]
fn a_subclass_takes_values_for_members_of_what_it_inherits() -> Result<()> {
    relata::run(async {
        let models = models()?;
        let db = models.filled().await?;
        let values = || {
            let post = Params::new().with("title", "new");
            Params::new().with("posts_attributes", vec![post])
        };
        let guest = Relation::of(models.guest, &db).first().await?.unwrap();
        guest.update_from(values(), permit![posts: [title]]).await?;
        let posts = guest.association("posts")?;
        assert_eq!(posts.count().await?, 3);
        let user = Relation::of(models.user, &db).first().await?.unwrap();
        let error = user.update_from(values(), permit![posts: [title]]).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Argument);
        Ok(())
    })
}
