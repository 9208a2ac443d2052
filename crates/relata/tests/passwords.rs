//! Passwords that are kept as digests, and tokens that stand for records.
#![cfg(feature = "password")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use relata::attribute::{AttributeType, Kind};
use relata::callback::TokenPurpose;
use relata::reflection::{Column, ModelBuilder, PasswordHash, SecurePassword};
use relata::{
    Db, ErrorKind, Options, Params, Record, Relation, Result, SaveOptions, Value, assert_queries,
    callbacks, model, permit,
};

/// Who comes in.
#[model]
struct User {
    id: i64,
    name: String,
    confirmed: i64,
    #[has_secure_password]
    password_digest: Option<String>,
    #[has_secure_password(algorithm = bcrypt, cost = 4, validations = false)]
    recovery_digest: Option<String>,
    #[has_many]
    keys: Key,
}

#[callbacks]
impl User {
    #[generates_token_for(expires_in = 60)]
    fn invitation(&self) -> i64 {
        self.confirmed()
    }
}

/// Belongs to somebody, and has a word of its own.
#[model]
struct Key {
    id: i64,
    user_id: i64,
    #[belongs_to]
    user: User,
    #[has_secure_password]
    word_digest: Option<String>,
}

const SECRET: &str = "correct horse battery";

fn options() -> Options {
    Options::new().token_key([7; 32]).log_binds(false)
}

async fn house() -> Result<(Db, User)> {
    let db = Db::connect_with("sqlite::memory:", options()).await?;
    db.create_tables([User::reflection(), Key::reflection()])
        .await?;
    let user = User::create(&db, |u| {
        u.set_name("ann").set_confirmed(0).set_password(SECRET)
    })
    .await?;
    Ok((db, user))
}

#[relata::test]
fn a_password_is_kept_as_a_digest_and_asked_for() -> Result<()> {
    relata::run(async {
        let (db, ann) = house().await?;
        let digest = ann.password_digest().unwrap_or_default().to_owned();
        assert!(digest.starts_with("$argon2id$"), "{digest}");
        assert!(ann.authenticate_password(SECRET).await?);
        assert!(!ann.authenticate_password("wrong").await?);
        assert!(!ann.is_changed() && !ann.is_secret_set("password"));
        let found = User::find(&db, ann.id()).await?;
        assert!(found.authenticate_with("password", SECRET).await?);
        assert!(!found.authenticate_recovery("").await?, "there is none");
        found.set_password("another one");
        assert!(found.authenticate_password("another one").await?);
        found.save().await?;
        assert!(
            !User::find(&db, 1)
                .await?
                .authenticate_password(SECRET)
                .await?
        );
        found.set_password("");
        assert!(!found.is_secret_set("password"), "an empty text is none");
        Ok(())
    })
}

#[relata::test]
fn bcrypt_is_written_on_request_and_read_from_rails() -> Result<()> {
    relata::run(async {
        let (db, ann) = house().await?;
        ann.set_recovery("by hand").save().await?;
        let digest = ann.recovery_digest().unwrap_or_default().to_owned();
        assert!(digest.starts_with("$2") && digest.len() == 60, "{digest}");
        assert!(ann.authenticate_recovery("by hand").await?);
        ann.update_columns([("password_digest", digest.into())])
            .await?;
        assert!(
            ann.authenticate_password("by hand").await?,
            "either kind is known"
        );
        // A published example of the bcrypt that Rails writes.
        let rails = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        ann.update_columns([("password_digest", rails.into())])
            .await?;
        assert!(ann.authenticate_password("U*U").await?);
        assert!(!ann.authenticate_password("U*V").await?);
        ann.update_columns([("password_digest", "no digest".into())])
            .await?;
        assert!(!ann.authenticate_password("no digest").await?);
        drop(db);
        Ok(())
    })
}

#[relata::test]
fn a_password_is_validated() -> Result<()> {
    relata::run(async {
        let (db, _) = house().await?;
        let bob = User::build(&db, |u| u.set_name("bob").set_confirmed(0));
        assert!(!bob.is_valid().await?);
        assert_eq!(bob.errors().full_messages(), ["Password can't be blank"]);
        bob.set_password(SECRET).set_password_confirmation("other");
        assert!(bob.save().await.unwrap_err().is_record_invalid());
        assert_eq!(
            bob.errors().full_messages(),
            ["Password confirmation doesn't match Password"]
        );
        bob.set_password_confirmation(SECRET).save().await?;
        let long = "x".repeat(73);
        bob.set_password(&long).set_password_confirmation(&long);
        bob.save().await?;
        assert!(
            bob.authenticate_password(&long).await?,
            "argon2 takes it whole"
        );
        bob.set_recovery(&long);
        let error = bob
            .save_with(SaveOptions::new().validate(false))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.attribute()),
            (ErrorKind::ValueTooLong, Some("recovery"))
        );
        Ok(())
    })
}

#[relata::test]
fn a_member_with_a_password_is_saved_with_its_owner() -> Result<()> {
    relata::run(async {
        let (db, ann) = house().await?;
        let key = ann.keys().build(|k| k.set_word("sesame"));
        ann.save().await?;
        assert!(key.word_digest().is_some() && key.authenticate_word("sesame").await?);
        let row = Key::all(&db).first_or_fail().await?;
        assert_eq!(row.word_digest(), key.word_digest());
        assert!(row.set_word("other").is_changed_for_autosave());
        Ok(())
    })
}

#[relata::test]
fn a_failed_save_keeps_the_password_for_the_next() -> Result<()> {
    relata::run(async {
        let (db, ann) = house().await?;
        db.faults().fail_nth(1, ErrorKind::ConnectionNotEstablished);
        ann.set_password("second");
        assert!(ann.save().await.is_err());
        ann.save().await?;
        assert!(
            User::find(&db, 1)
                .await?
                .authenticate_password("second")
                .await?
        );
        Ok(())
    })
}

#[relata::test]
fn passwords_and_digests_are_shown_nowhere() -> Result<()> {
    relata::run(async {
        let (db, ann) = house().await?;
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let events = Arc::clone(&told);
        db.subscribe(move |event| {
            events.lock().unwrap().push(format!("{event:?}"));
        });
        ann.set_password("never to be seen");
        ann.save().await?;
        ann.set_password("nor this");
        let digest = ann.password_digest().unwrap_or_default().to_owned();
        let refused = ann.set("password_digest", Value::Bytes(vec![0xff].into()));
        let shown = format!(
            "{ann:?} {:?} {refused:?} {:?} {:?}",
            ann.errors(),
            options(),
            told.lock().unwrap()
        );
        for secret in ["never to be seen", "nor this", &digest, "7, 7, 7"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        assert!(shown.contains("TokenKey(32 bytes)"));
        let column = &User::reflection().columns()[3];
        assert!(column.is_secret());
        Ok(())
    })
}

#[relata::test]
fn who_is_not_there_is_asked_as_long() -> Result<()> {
    relata::run(async {
        let (db, ann) = house().await?;
        let named = |name: &str| User::all(&db).filter(|u| u.name.eq(name));
        let found = named("ann").authenticate_by("password", SECRET).await?;
        assert!(found.is_some_and(|found| found == ann));
        assert!(
            named("ann")
                .authenticate_by("password", "no")
                .await?
                .is_none()
        );
        let timed = async |name: &str| -> Result<Duration> {
            let begun = std::time::Instant::now();
            let found = named(name).authenticate_by("password", SECRET).await?;
            assert!(found.is_none());
            Ok(begun.elapsed())
        };
        let absent = timed("eve").await?;
        // One who has no password is somebody too.
        let bob = User::build(&db, |u| u.set_name("bob").set_confirmed(0));
        bob.save_with(SaveOptions::new().validate(false)).await?;
        let without = timed("bob").await?;
        assert!(without > absent / 5, "{without:?} of {absent:?}");
        let error = named("ann")
            .authenticate_by("pasword", "x")
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownAttribute);
        Ok(())
    })
}

#[relata::test]
fn a_token_resets_a_password_once_and_for_a_while() -> Result<()> {
    relata::run(async {
        let (db, ann) = house().await?;
        db.stop_clock_at(1_000_000_000);
        let token = ann.password_reset_token()?;
        let all = User::all(&db);
        assert!(
            all.find_by_token_for("password_reset", &token)
                .await?
                .is_some()
        );
        let other_purpose = all.find_by_token_for("invitation", &token).await?;
        assert!(other_purpose.is_none());
        let other_relation = all.clone().filter(|u| u.name.eq("bob"));
        let elsewhere = other_relation.find_by_token_for("password_reset", &token);
        assert!(elsewhere.await?.is_none());
        db.stop_clock_at(1_000_000_000 + 15 * 60 * 1_000_000);
        assert_queries!(db, 0, {
            assert!(
                all.find_by_token_for("password_reset", &token)
                    .await?
                    .is_none()
            );
        });
        db.stop_clock_at(1_000_000_000);
        ann.set_password("reset").save().await?;
        let error = all
            .find_by_token_for_or_fail("password_reset", &token)
            .await;
        assert!(
            error.unwrap_err().is_invalid_signature(),
            "it was good once"
        );
        Ok(())
    })
}

#[relata::test]
fn a_token_that_was_changed_is_none() -> Result<()> {
    relata::run(async {
        let (db, ann) = house().await?;
        let (all, token) = (User::all(&db), ann.generate_token_for("invitation")?);
        assert!(all.find_by_token_for("invitation", &token).await?.is_some());
        assert_queries!(db, 0, {
            for at in 0..token.len() {
                let mut changed = token.clone().into_bytes();
                changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
                let changed = String::from_utf8(changed).unwrap();
                let found = all.find_by_token_for("invitation", &changed).await?;
                assert!(found.is_none(), "{changed}");
            }
            for none in ["", "-", "ab-cd", "zz-zz", "é-é", &token[..20]] {
                assert!(all.find_by_token_for("invitation", none).await?.is_none());
            }
        });
        let key = Key::create(&db, |k| k.set_user(&ann).set_word("x")).await?;
        let theirs = key.word_reset_token()?;
        assert!(
            all.find_by_token_for("password_reset", &theirs)
                .await?
                .is_none()
        );
        ann.update(|u| u.set_confirmed(1)).await?;
        assert!(
            all.find_by_token_for("invitation", &token).await?.is_none(),
            "it is bound"
        );
        let unknown = ann.generate_token_for("inivtation").unwrap_err();
        assert_eq!(unknown.kind(), ErrorKind::Argument);
        let unsaved = User::new(&db).generate_token_for("invitation").unwrap_err();
        assert_eq!(unsaved.kind(), ErrorKind::NotPersisted);
        Ok(())
    })
}

#[relata::test]
fn tokens_need_a_key() -> Result<()> {
    relata::run(async {
        for (options, problem) in [
            (Options::new(), "is missing"),
            (
                Options::new().token_key("short"),
                "is shorter than 32 bytes",
            ),
        ] {
            let db = Db::connect_with("sqlite::memory:", options).await?;
            db.create_tables([User::reflection(), Key::reflection()])
                .await?;
            let ann = User::create(&db, |u| {
                u.set_name("ann").set_confirmed(0).set_password("x")
            })
            .await?;
            let error = ann.password_reset_token().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.to_string().contains(problem), "{error}");
        }
        Ok(())
    })
}

#[relata::test]
fn models_made_at_run_time_have_passwords_and_tokens() -> Result<()> {
    relata::run(async {
        let builder = || {
            ModelBuilder::new("Guest", "guests")
                .column(Column::new("id", AttributeType::plain(Kind::Int, false)))
                .column(Column::new(
                    "code_digest",
                    AttributeType::plain(Kind::Text, true),
                ))
                .primary_key(["id"])
        };
        let code = SecurePassword::new("code").hash(PasswordHash::Bcrypt(4));
        let visit = TokenPurpose::new("visit", &|_| Value::Null).expires_in(Duration::from_secs(1));
        let guest = builder()
            .has_secure_password(code)
            .generates_token_for(visit)
            .define()?;
        let missing = builder()
            .has_secure_password(SecurePassword::new("cod"))
            .define();
        assert_eq!(
            missing.unwrap_err().to_string(),
            "Guest: the password cod needs a column cod_digest"
        );
        let db = Db::connect_with("sqlite::memory:", options()).await?;
        db.create_tables([guest]).await?;
        let one = Record::new(guest, &db);
        assert!(one.save().await.unwrap_err().is_record_invalid());
        one.set_secret("code", "y".repeat(73).as_str())?;
        assert!(!one.is_valid().await?);
        assert_eq!(one.errors().full_messages(), ["Code is too long"]);
        one.set_secret("code", "1234")?.save().await?;
        assert!(one.authenticate_with("code", "1234").await?);
        let token = one.generate_token_for("visit")?;
        let found = Relation::of(guest, &db)
            .find_by_token_for("visit", &token)
            .await?;
        assert_eq!(found, Some(one.clone()));
        one.set_secret("code", None)?;
        assert_eq!(one.get("code_digest")?, Value::Null);
        let error = one.set_secret("cod", "x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownAttribute);
        Ok(())
    })
}

/// It was refused as an attribute that the model does not have.
#[relata::test]
fn a_password_from_a_form_is_taken_where_it_is_permitted_and_shown_nowhere() -> Result<()> {
    relata::run(async {
        let (db, ann) = house().await?;
        let form = |text: &str, again: &str| {
            let given = [("password", text), ("password_confirmation", again)];
            let given = given.map(|(name, text)| (name, relata::Param::from(text)));
            given.into_iter().collect::<relata::Params>()
        };
        let both = || relata::permit![password, password_confirmation];
        // Without leave it is left out; what is given twice has to be the same.
        ann.assign(form("another one", ""), relata::permit![name])
            .await?;
        assert!(!ann.is_secret_set("password"));
        ann.assign(form("another one", "another two"), both())
            .await?;
        assert!(!ann.is_valid().await?);
        assert_eq!(
            ann.errors().on("password_confirmation").len(),
            1,
            "{:?}",
            ann.errors()
        );
        ann.assign(form("another one", "another one"), both())
            .await?;
        assert!(ann.is_secret_set("password"));
        assert!(ann.get("password").is_err());
        assert!(!format!("{ann:?}").contains("another one"));
        ann.save().await?;
        let found = User::find(&db, ann.id()).await?;
        assert!(found.authenticate_password("another one").await?);
        assert!(!found.authenticate_password(SECRET).await?);
        // As for a model that is known by name only, and for a new record.
        let record: Record = Record::new(User::reflection(), &db);
        record.set("name", "bob")?.set("confirmed", 0)?;
        record
            .update_from(form("a third one", "a third one"), both())
            .await?;
        assert!(record.authenticate_with("password", "a third one").await?);
        let number: relata::Params = [("password", relata::Param::from(12345678))]
            .into_iter()
            .collect();
        let error = ann
            .assign(number, relata::permit![password])
            .await
            .unwrap_err();
        assert!(error.is_record_invalid() && !error.to_string().contains("12345678"));
        let unknown = relata::permit![passphrase];
        let error = ann.assign(form("", ""), unknown).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownAttribute);
        Ok(())
    })
}

#[relata::test]
fn a_challenge_is_held_against_the_saved_password() -> Result<()> {
    relata::run(async {
        let (db, ann) = house().await?;
        ann.set_password("next").set_password_challenge("guess");
        let error = ann.save().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "Validation failed: Password challenge is invalid"
        );
        assert!(ann.errors().of_kind("password_challenge", "invalid"));
        assert!(!format!("{ann:?} {error:?} {:?}", ann.errors()).contains("guess"));
        assert!(!ann.is_valid().await?, "it is asked without a save too");
        // Of the digest that is saved, whatever was set since.
        ann.set_password_challenge("next");
        assert!(!ann.is_valid().await?);
        ann.set_password_challenge(SECRET).save().await?;
        let found = User::find(&db, ann.id()).await?;
        assert!(found.authenticate_password("next").await?);
        // It was for that save.
        ann.set_password("last").save().await?;
        // None there is no challenge to, and none given is none asked.
        let new = User::build(&db, |u| {
            u.set_name("bob").set_confirmed(0).set_password("x")
        });
        assert!(!new.set_password_challenge("x").is_valid().await?);
        new.set_challenge("password", None)?.save().await?;
        // One without validations is not asked.
        ann.set_recovery("r")
            .set_recovery_challenge("no")
            .save()
            .await?;
        let error = ann.set_challenge("word", "x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownAttribute);
        Ok(())
    })
}

#[relata::test]
fn a_challenge_comes_from_outside() -> Result<()> {
    relata::run(async {
        let (_, ann) = house().await?;
        let form = |old: &str| {
            Params::new()
                .with("password", "next")
                .with("password_confirmation", "next")
                .with("password_challenge", old)
        };
        let list = permit![password, password_confirmation, password_challenge];
        let error = ann.update_from(form("guess"), &list).await.unwrap_err();
        assert!(error.is_record_invalid());
        assert_eq!(ann.errors().attribute_names(), ["password_challenge"]);
        ann.update_from(form(SECRET), &list).await?;
        assert!(ann.authenticate_password("next").await?);
        let wrong = form("next").with("password_confirmation", "nxt");
        ann.update_from(wrong, &list).await.unwrap_err();
        assert_eq!(ann.errors().attribute_names(), ["password_confirmation"]);
        let list = Params::new().with("password_challenge", vec!["x"]);
        let error = ann.assign(list, relata::Permit::all()).await.unwrap_err();
        assert!(error.is_record_invalid(), "{error}");
        Ok(())
    })
}

/// Somebody whose tokens are good for a minute, and none for the other password.
#[model(table = "users")]
struct Brief {
    id: i64,
    name: String,
    confirmed: i64,
    #[has_secure_password(reset_token(expires_in = 60))]
    password_digest: Option<String>,
    #[has_secure_password(validations = false, reset_token = false)]
    recovery_digest: Option<String>,
}

#[relata::test]
fn a_token_that_resets_a_password_is_good_as_long_as_it_says() -> Result<()> {
    relata::run(async {
        let (db, ann) = house().await?;
        db.stop_clock_at(1_000_000_000);
        let brief = Brief::find(&db, ann.id()).await?;
        let token = brief.password_reset_token()?;
        let all = Brief::all(&db);
        let find = || all.find_by_token_for("password_reset", &token);
        db.stop_clock_at(1_059_999_999);
        assert_eq!(find().await?.as_ref(), Some(&brief));
        db.stop_clock_at(1_060_000_000);
        assert_eq!(find().await?, None);
        let error = brief.generate_token_for("recovery_reset").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
        Ok(())
    })
}
