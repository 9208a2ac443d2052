//! What a secret column holds stays out of errors: in their options, their messages, and what is printed of them.

use relata::{Db, Result, model};

#[model]
pub struct Vault {
    id: i64,
    #[column(secret)]
    #[validates(format(with = is_long, message = "%{value} is weak"))]
    key: Option<String>,
    #[column(secret)]
    #[validates(inclusion(in = ["red", "green"]))]
    color: Option<String>,
    #[column(secret, unique)]
    #[validates(uniqueness)]
    code: Option<String>,
    #[column(secret)]
    #[validates(numericality(less_than = 5, allow_null))]
    pin: Option<i64>,
    #[validates(comparison(greater_than = pin, allow_null))]
    least: Option<i64>,
}

fn is_long(text: &str) -> bool {
    text.len() > 20
}

async fn vault(db: &Db) -> Result<Vault> {
    db.create_tables([Vault::reflection()]).await?;
    Ok(Vault::new(db))
}

#[relata::test]
async fn what_is_wrong_with_a_secret_is_told_without_it(db: Db) -> Result<()> {
    let vault = vault(&db).await?;
    Vault::create(&db, |v| {
        v.set_key(Some("a long enough key for a vault"))
            .set_color(Some("red"))
            .set_code(Some("sesame-7131"))
    })
    .await?;
    vault
        .set_key(Some("hunter2"))
        .set_color(Some("mauve"))
        .set_code(Some("sesame-7131"))
        .set_pin(Some(8417))
        .set_least(Some(3));
    assert!(!vault.is_valid().await?);
    let errors = vault.errors();
    for attribute in ["key", "color", "code", "pin", "least"] {
        assert_eq!(errors.on(attribute).len(), 1, "{attribute}: {errors:?}");
    }
    assert_eq!(errors.on("key"), ["[FILTERED] is weak"]);
    let printed = format!("{errors:?} {errors} {:?}", vault.save().await.unwrap_err());
    for secret in ["hunter2", "mauve", "sesame-7131", "8417"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    // What is no secret is told.
    assert!(printed.contains("(\"value\", 3)"), "{printed}");
    Ok(())
}

#[relata::test]
async fn what_a_unique_index_refuses_is_told_without_it(db: Db) -> Result<()> {
    let vault = vault(&db).await?;
    let set = |v: &Vault| {
        v.set_key(Some("a long enough key for a vault"))
            .set_color(Some("red"))
            .set_code(Some("sesame-7131"));
    };
    set(&vault);
    vault.save().await?;
    let other = Vault::new(&db);
    set(&other);
    let options = relata::SaveOptions::new().validate(false);
    let error = other.save_with(options).await.unwrap_err();
    assert!(error.is_record_invalid(), "{error:?}");
    let printed = format!("{:?}", other.errors());
    assert!(
        printed.contains("taken") && !printed.contains("sesame"),
        "{printed}"
    );
    Ok(())
}
