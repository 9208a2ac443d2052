//! Validations: what they find, what they say, and what they ask the database.

use std::borrow::Cow;

use crate::Backend;
use relata::{
    Db, English, ErrorKind, Messages, Result, SaveOptions, Saved, assert_queries, assert_sql,
    callbacks, model,
};

/// Somebody with an account.
#[model]
pub struct User {
    id: i64,
    #[validates(presence, length(min = 2, max = 20, allow_blank))]
    name: String,
    #[validates(uniqueness(scope = realm, case_sensitive = false), format(with = has_at, allow_blank), confirmation)]
    #[column(unique)]
    email: String,
    realm: String,
    #[validates(
        numericality(only_integer, greater_than = 0, less_than_or_equal_to = 150),
        allow_null
    )]
    age: Option<i64>,
    #[validates(inclusion(in = ["reader", "writer"]), if = User::is_named)]
    role: Option<String>,
    #[validates(exclusion(in = ["admin"], message = "\"%{value}\" is taken by %{model}"))]
    nick: Option<String>,
    #[validates(acceptance)]
    terms: Option<bool>,
    #[validates(absence(on = create))]
    banned_for: Option<String>,
    #[validates(comparison(greater_than = joined, allow_null))]
    left: Option<i64>,
    #[column(default = 0)]
    joined: i64,
    #[validates(custom = is_even)]
    #[column(default = 42)]
    shoe: i64,
    #[validates(length(is = 4, strict), allow_null)]
    pin: Option<String>,
    #[validates(presence(on = publish))]
    bio: Option<String>,
    #[has_many]
    badges: Badge,
}

/// What a user has.
#[model]
pub struct Badge {
    id: i64,
    #[validates(presence)]
    title: String,
    user_id: Option<i64>,
    #[belongs_to(validate)]
    user: Option<User>,
}

fn has_at(text: &str) -> bool {
    text.contains('@')
}

fn is_even(number: i64) -> Result<(), &'static str> {
    if number % 2 == 0 {
        Ok(())
    } else {
        Err("is odd")
    }
}

impl User {
    fn is_named(&self) -> bool {
        !self.name().is_empty()
    }
}

#[callbacks]
impl User {
    #[validate]
    fn does_not_share_the_name_of_the_realm(&self) {
        if self.name() == self.realm() {
            self.errors().add("base", "same", "the name is the realm's");
        }
    }

    #[validate(on = publish)]
    async fn is_not_the_only_one(&self) -> Result<()> {
        if User::all(self.db()).count().await? < 2 {
            self.errors().add_kind("realm", "invalid");
        }
        Ok(())
    }
}

async fn fresh(backend: &Backend) -> Result<Db> {
    let db = backend.open().await?;
    db.create_tables([User::reflection(), Badge::reflection()])
        .await?;
    Ok(db)
}

fn valid(db: &Db) -> User {
    User::build(db, |u| {
        u.set_name("Ann")
            .set_email("ann@example.org")
            .set_realm("here")
            .set_role(Some("writer"))
    })
}

async fn messages(user: &User) -> Result<Vec<String>> {
    user.is_valid().await?;
    Ok(user.errors().full_messages())
}

/// Each rule says what Rails says.
pub async fn each_rule_says_what_rails_says(backend: &Backend) -> Result<()> {
    let db = fresh(backend).await?;
    let user = valid(&db);
    assert_eq!(messages(&user).await?, Vec::<String>::new());

    user.set_name("");
    assert_eq!(messages(&user).await?, ["Name can't be blank"]);
    user.set_name("A");
    assert_eq!(
        messages(&user).await?,
        ["Name is too short (minimum is 2 characters)"]
    );
    user.set_name("A name of too many letters");
    assert_eq!(
        messages(&user).await?,
        ["Name is too long (maximum is 20 characters)"]
    );
    user.set_name("Ann").set_email("nowhere");
    assert_eq!(messages(&user).await?, ["Email is invalid"]);

    user.set_email("ann@example.org").set_age(Some(0));
    assert_eq!(messages(&user).await?, ["Age must be greater than 0"]);
    user.set_age(Some(151));
    assert_eq!(
        messages(&user).await?,
        ["Age must be less than or equal to 150"]
    );
    user.set_age(None).set_role(Some("king"));
    assert_eq!(messages(&user).await?, ["Role is not included in the list"]);
    user.set_role(Some("reader")).set_nick(Some("admin"));
    assert_eq!(messages(&user).await?, ["Nick \"admin\" is taken by User"]);
    user.set_nick(None).set_terms(Some(false));
    assert_eq!(messages(&user).await?, ["Terms must be accepted"]);
    user.set_terms(Some(true)).set_banned_for(Some("spam"));
    assert_eq!(messages(&user).await?, ["Banned for must be blank"]);
    user.set_banned_for(None).set_joined(5).set_left(Some(5));
    assert_eq!(messages(&user).await?, ["Left must be greater than 5"]);
    user.set_left(Some(6)).set_shoe(41);
    assert_eq!(messages(&user).await?, ["Shoe is odd"]);
    user.set_shoe(42).set_realm("Ann");
    assert_eq!(messages(&user).await?, ["the name is the realm's"]);
    user.set_realm("here")
        .set_confirmation("email", "other@example.org");
    assert_eq!(
        messages(&user).await?,
        ["Email confirmation doesn't match Email"]
    );
    user.set_confirmation("email", "ann@example.org");
    assert_eq!(messages(&user).await?, Vec::<String>::new());
    Ok(())
}

/// Problems have a kind, options and a message, by attribute.
pub async fn problems_have_kinds_and_options(backend: &Backend) -> Result<()> {
    let db = fresh(backend).await?;
    let user = valid(&db);
    user.set_name("A").set_age(Some(0));
    assert!(!user.is_valid().await?);
    let problems = user.errors().to_vec();
    assert_eq!(
        problems
            .iter()
            .map(|p| (p.attribute.as_str(), p.kind))
            .collect::<Vec<_>>(),
        [("name", "too_short"), ("age", "greater_than")]
    );
    assert_eq!(problems[0].options, [("count", 2.into())]);
    assert_eq!(
        problems[1].options,
        [("value", 0.into()), ("count", 0.into())]
    );
    assert!(user.errors().of_kind("age", "greater_than"));
    assert_eq!(
        user.errors().on("name"),
        ["is too short (minimum is 2 characters)"]
    );
    // The next validation starts anew.
    user.set_name("Ann").set_age(None);
    assert!(user.is_valid().await? && user.errors().is_empty());
    Ok(())
}

/// What a strict validation finds is an error at once.
pub async fn a_strict_validation_fails_at_once(backend: &Backend) -> Result<()> {
    let db = fresh(backend).await?;
    let user = valid(&db);
    user.set_pin(Some("123"));
    let error = user.is_valid().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StrictValidationFailed);
    assert_eq!(
        error.to_string(),
        "Pin is the wrong length (should be 4 characters)"
    );
    assert_eq!(
        user.save().await.unwrap_err().kind(),
        ErrorKind::StrictValidationFailed
    );
    assert!(user.is_new_record());
    Ok(())
}

/// Contexts choose validations.
pub async fn contexts_choose_validations(backend: &Backend) -> Result<()> {
    let db = fresh(backend).await?;
    let user = valid(&db);
    assert!(user.is_valid().await?);
    assert!(!user.is_valid_in("publish").await?);
    assert_eq!(
        user.errors().full_messages(),
        ["Bio can't be blank", "Realm is invalid"]
    );
    let error = user
        .save_with(SaveOptions::new().context("publish"))
        .await
        .unwrap_err();
    assert!(error.is_record_invalid() && user.is_new_record());
    // `on = create` is for new records alone.
    user.save().await?;
    user.set_banned_for(Some("spam"));
    assert!(user.is_valid().await?);
    // Without validation nothing is looked at.
    user.set_name("");
    user.save_with(SaveOptions::new().validate(false)).await?;
    assert_eq!(User::find(&db, user.id()).await?.name(), "");
    Ok(())
}

/// Uniqueness asks once, and the index keeps it.
pub async fn uniqueness_asks_and_the_index_keeps_it(backend: &Backend) -> Result<()> {
    let db = fresh(backend).await?;
    valid(&db).save().await?;
    let second = valid(&db);
    second.set_email("Ann@Example.org");
    assert_sql!(
        db,
        [
            r#"SELECT 1 AS one FROM "users" WHERE LOWER("users"."email") = LOWER(?) AND "users"."realm" = ? LIMIT 1"#
        ],
        { assert!(!second.is_valid().await?) }
    );
    assert_eq!(
        second.errors().full_messages(),
        ["Email has already been taken"]
    );
    // Another realm is another scope; the index knows no realms, and its error is the same error of the attribute.
    second.set_realm("there").set_email("ann@example.org");
    assert!(second.is_valid().await?);
    let error = second.save().await.unwrap_err();
    assert!(error.is_record_invalid());
    assert_eq!(
        error.to_string(),
        "Validation failed: Email has already been taken"
    );
    assert!(second.errors().of_kind("email", "taken"));
    assert!(std::error::Error::source(&error).is_some());
    assert!(second.is_new_record() && User::all(&db).count().await? == 1);
    // The row itself is no other.
    let first = User::find(&db, 1).await?;
    first.set_name("Anna");
    assert_sql!(
        db,
        [
            r#"SELECT 1 AS one FROM "users" WHERE LOWER("users"."email") = LOWER(?) AND "users"."realm" = ? AND "users"."id" != ? LIMIT 1"#,
            r#"UPDATE "users" SET "name" = ? WHERE "users"."id" = ?"#
        ],
        { first.save().await? }
    );
    Ok(())
}

/// Members in memory are validated with their owner, as `validate` says.
pub async fn members_are_validated_with_their_owner(backend: &Backend) -> Result<()> {
    let db = fresh(backend).await?;
    let user = valid(&db);
    user.badges().build(|b| b.set_title("first"));
    user.badges().build(|b| b.set_title(""));
    assert_queries!(db, 1, {
        assert!(!user.is_valid().await?);
    });
    assert_eq!(user.errors().full_messages(), ["Badges is invalid"]);
    assert!(!user.save().await.saved()?);
    assert_eq!(
        (
            User::all(&db).count().await?,
            Badge::all(&db).count().await?
        ),
        (0, 0)
    );

    // A belongs_to is looked at where `validate` asks for it.
    let badge = Badge::build(&db, |b| b.set_title("x").set_user(&User::new(&db)));
    assert!(!badge.is_valid().await?);
    assert_eq!(badge.errors().full_messages(), ["User is invalid"]);
    Ok(())
}

struct Shouted;

impl Messages for Shouted {
    fn text(&self, key: &str) -> Option<Cow<'static, str>> {
        match key {
            "activerecord.errors.models.user.attributes.name.blank" => Some("WANTED".into()),
            "errors.messages.too_short.other" => Some("NEEDS %{count}, %{attribute}".into()),
            "activerecord.attributes.user.name" => Some("NAME".into()),
            "errors.format" => Some("%{attribute}: %{message}".into()),
            _ => English.text(key),
        }
    }
}

/// Messages come from their source, the most particular first.
pub async fn messages_can_be_replaced(backend: &Backend) -> Result<()> {
    let db = fresh(backend).await?;
    db.set_messages(Shouted);
    let user = valid(&db);
    user.set_name("");
    assert_eq!(messages(&user).await?, ["NAME: WANTED"]);
    user.set_name("A");
    assert_eq!(messages(&user).await?, ["NAME: NEEDS 2, NAME"]);
    user.set_name("Ann").set_email("nowhere");
    assert_eq!(messages(&user).await?, ["Email: is invalid"]);
    let error = user.save().await.unwrap_err();
    assert_eq!(error.to_string(), "Validation failed: Email: is invalid");
    Ok(())
}
