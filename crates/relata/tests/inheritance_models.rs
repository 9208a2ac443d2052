//! Single-table inheritance of declared models: subclasses are models of their own over their base's table.

#![allow(missing_docs)]

use relata::{
    Db, ErrorKind, FromRecord, Model, Params, Polymorphic, Raw, Relation, Result, assert_queries,
    assert_sql, callbacks, model, permit,
};

#[model(subclasses = (Admin, Owner, Guest))]
pub struct User {
    id: i64,
    r#type: Option<String>,
    #[validates(presence)]
    name: String,
    level: Option<i64>,
    #[has_many]
    posts: Post,
}

#[callbacks]
impl User {
    #[before_save]
    fn shout(&self) {
        self.set_name(self.name().to_uppercase());
    }
}

/// Who may do everything; names the columns of its base that it wants to have methods for.
#[model(base = User)]
pub struct Admin {
    id: i64,
    name: String,
    #[validates(presence)]
    level: Option<i64>,
    #[has_many(foreign_key = user_id, dependent = destroy, scope = |posts| posts.order(|p| p.title.desc()))]
    posts: Post,
    #[has_many(as = holder)]
    badges: Badge,
}

/// An admin of admins.
#[model(base = Admin)]
pub struct Owner {
    name: String,
    level: Option<i64>,
}

/// Who looks around, and brings posts along.
#[model(base = User)]
#[accepts_nested_attributes_for(posts(limit = 2))]
pub struct Guest {
    name: String,
}

#[model]
pub struct Post {
    id: i64,
    title: String,
    user_id: i64,
    #[belongs_to]
    user: User,
}

/// Whoever may hold a badge.
#[derive(Debug, Polymorphic)]
pub enum Holder {
    /// A user of any class.
    User(User),
}

#[model]
pub struct Badge {
    id: i64,
    holder_id: i64,
    holder_type: String,
    #[belongs_to(polymorphic)]
    holder: Holder,
}

/// A user, as what it is: the classes before their base.
#[derive(Debug, Polymorphic)]
pub enum AnyUser {
    /// An owner, who is an admin too.
    Owner(Owner),
    /// Any other admin.
    Admin(Admin),
    /// A guest.
    Guest(Guest),
    /// Anybody else.
    User(User),
}

async fn filled(db: &Db) -> Result<()> {
    db.create_tables([User::reflection(), Post::reflection(), Badge::reflection()])
        .await?;
    let user = User::create(db, |u| u.set_name("u")).await?;
    let admin = Admin::create(db, |a| a.set_name("a").set_level(Some(1))).await?;
    let guest = Guest::create(db, |g| g.set_name("g")).await?;
    let owner = Owner::create(db, |o| o.set_name("o").set_level(Some(9))).await?;
    for user in [
        user,
        admin.into(),
        guest.into(),
        User::from(owner.as_base()),
    ] {
        for title in ["1", "2"] {
            user.posts()
                .create(|p| p.set_title(format!("{}{title}", user.name())))
                .await?;
        }
    }
    Ok(())
}

#[relata::test]
async fn a_subclass_is_written_and_read_as_one(db: Db) -> Result<()> {
    filled(&db).await?;
    let admin = Admin::all(&db).order(|a| a.id).take_or_fail().await?;
    // The columns of the base, the callbacks of the base.
    assert_eq!(
        (admin.name(), admin.level(), admin.as_base().r#type()),
        ("A", Some(1), Some("Admin"))
    );
    assert_sql!(
        db,
        [
            "SELECT \"users\".* FROM \"users\" WHERE \"users\".\"type\" IN (?, ?) AND \"users\".\"name\" = ?"
        ],
        {
            assert_eq!(
                Admin::all(&db)
                    .filter(|a| a.as_user_name().eq("O"))
                    .await?
                    .len(),
                1
            )
        }
    );
    let error = Admin::find(&db, 3).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RecordNotFound);
    let error = Admin::create(&db, |a| a.set_name("x")).await.unwrap_err();
    assert_eq!(error.to_string(), "Validation failed: Level can't be blank");
    let error = Guest::create(&db, |g| g.set_name("")).await.unwrap_err();
    assert_eq!(error.to_string(), "Validation failed: Name can't be blank");
    Ok(())
}

trait Named {
    fn as_user_name(&self) -> relata::relation::Column<String>;
}

impl Named for <Admin as Model>::Columns {
    // The columns of the base are there through the subclass's own, also those that it does not name.
    fn as_user_name(&self) -> relata::relation::Column<String> {
        let _: relata::relation::Column<Option<String>> = self.r#type;
        self.name
    }
}

#[relata::test]
async fn a_handle_of_a_subclass_is_never_over_a_row_of_another(db: Db) -> Result<()> {
    filled(&db).await?;
    let users = User::all(&db).order(|u| u.id).await?;
    let kinds: Vec<bool> = users
        .iter()
        .map(|user| user.downcast::<Admin>().is_ok())
        .collect();
    assert_eq!(kinds, [false, true, false, true]);
    let error = Guest::from_record((*users[1]).clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AssociationTypeMismatch);
    // Nor by a relation that says another type than it has.
    assert!(
        Relation::of(User::reflection(), &db)
            .typed::<Admin>()
            .is_err()
    );
    let guest = Guest::all(&db).take_or_fail().await?;
    assert!(guest.downcast::<Owner>().is_err() && guest.downcast::<User>().is_ok());
    db.execute_sql(Raw::trusted(String::from(
        "UPDATE users SET type = 'Nope' WHERE id = 1",
    )))
    .await?;
    let error = User::all(&db).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SubclassNotFound);
    Ok(())
}

#[relata::test]
async fn associations_of_the_base_are_declared_anew_or_kept(db: Db) -> Result<()> {
    filled(&db).await?;
    let users = User::all(&db).order(|u| u.id).includes(|u| u.posts).await?;
    let mut titles = Vec::new();
    for user in &users {
        for post in user.posts().await? {
            titles.push(post.title().to_owned());
            assert!(post.user().await?.is(user));
        }
    }
    assert_eq!(titles, ["U1", "U2", "A2", "A1", "G1", "G2", "O2", "O1"]);
    let admin = Admin::all(&db).order(|a| a.id).take_or_fail().await?;
    let badge = admin.badges().create(|b| b).await?;
    assert_eq!(badge.holder_type(), "User");
    let badge = Badge::find(&db, badge.id()).await?;
    let Holder::User(holder) = badge.holder().await?;
    assert_eq!(holder.downcast::<Admin>()?, admin);
    let inherited = Owner::reflect_on_association("badges").expect("it is an admin's");
    assert_eq!(inherited.interface(), Some("holder"));
    assert_eq!(Admin::reflection().validations().count(), 2);
    badge.destroy().await?;
    admin.destroy().await?;
    assert_eq!(Post::all(&db).count().await?, 6);
    Ok(())
}

#[relata::test]
async fn an_enum_of_the_classes_is_matched_without_a_rest(db: Db) -> Result<()> {
    filled(&db).await?;
    let users = Relation::of(User::reflection(), &db)
        .order_by("id")?
        .typed::<AnyUser>()?;
    let mut told = Vec::new();
    assert_queries!(db, 1, {
        for user in users.await? {
            told.push(match user {
                AnyUser::Owner(owner) => format!("owner {}", owner.name()),
                AnyUser::Admin(admin) => format!("admin {}", admin.name()),
                AnyUser::Guest(guest) => format!("guest {}", guest.name()),
                AnyUser::User(user) => format!("user {}", user.name()),
            });
        }
    });
    assert_eq!(told, ["user U", "admin A", "guest G", "owner O"]);
    assert!(AnyUser::accepts(Post::reflection()).is_err());
    Ok(())
}

#[relata::test]
async fn a_row_becomes_one_of_another_class(db: Db) -> Result<()> {
    db.create_tables([User::reflection(), Post::reflection()])
        .await?;
    let ann = User::create(&db, |u| u.set_name("Ann").set_level(Some(3))).await?;
    let admin: Admin = ann.becomes_with_type()?;
    assert_eq!(admin.changed(), ["type"]);
    assert_sql!(
        db,
        [r#"UPDATE "users" SET "type" = ? WHERE "users"."id" = ?"#],
        { admin.save().await? }
    );
    assert_eq!(Admin::find(&db, ann.id()).await?.level(), Some(3));
    assert_eq!(ann.r#type(), None, "the first is as it was");
    // Down to an admin of admins by name, and up again.
    let owner = admin.becomes_with_type_of(Owner::reflection())?;
    owner.save().await?;
    assert_eq!(Owner::all(&db).count().await?, 1);
    let plain: User = owner.becomes_with_type()?;
    plain.save().await?;
    assert_eq!(plain.r#type(), None);
    assert_eq!(Admin::all(&db).count().await?, 0);
    // The rules are those of the class that it became.
    let bob = User::create(&db, |u| u.set_name("Bob")).await?;
    let error = bob.becomes_with_type::<Admin>()?.save().await.unwrap_err();
    assert!(error.is_record_invalid(), "{error}");
    // A new one is inserted as one of the class; `becomes` leaves the column.
    let new: Guest = User::build(&db, |u| u.set_name("Cat")).becomes_with_type()?;
    new.save().await?;
    assert_eq!(Guest::all(&db).count().await?, 1);
    assert!(!bob.becomes::<Guest>()?.is_changed());
    let post = Post::new(&db);
    assert_eq!(
        post.becomes_with_type::<Post>().unwrap_err().kind(),
        ErrorKind::Argument
    );
    assert_eq!(
        post.becomes_with_type::<User>().unwrap_err().kind(),
        ErrorKind::Argument
    );
    Ok(())
}

#[relata::test]
async fn a_subclass_takes_values_for_members_of_what_it_inherits(db: Db) -> Result<()> {
    filled(&db).await?;
    let titled = |title: &str| Params::new().with("title", title);
    let guest = Guest::build(&db, |g| g.set_name("new"));
    let values = vec![titled("x"), titled("y")];
    guest.posts_attributes(values, permit![title]).await?;
    guest.save().await?;
    let read = Guest::all(&db).last().await?.unwrap();
    let posts = read.association("posts")?.load_many().await?;
    assert_eq!(posts.len(), 2);
    assert!(posts[0].association("user")?.load_one().await?.unwrap() == *guest);
    let values = Params::new().with("posts_attributes", vec![titled("z")]);
    guest.update_from(values, permit![posts: [title]]).await?;
    assert_eq!(read.association("posts")?.count().await?, 3);
    let three = vec![titled("1"), titled("2"), titled("3")];
    let error = guest
        .posts_attributes(three, permit![title])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooManyRecords);
    let values = Params::new().with("posts_attributes", vec![titled("z")]);
    let user = User::all(&db).first_or_fail().await?;
    let error = user
        .update_from(values, permit![posts: [title]])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    let posts = Guest::reflect_on_association("posts").unwrap();
    assert_eq!(posts.macro_kind(), relata::reflection::Macro::HasMany);
    assert_eq!(Guest::reflection().foreign_key_of("posts")?, ["user_id"]);
    Ok(())
}
