//! Optimistic locking: a row's version, who is stale, and what counts it.

use relata::attribute::{AttributeType, Kind};
use relata::reflection::{Column, Locking, ModelBuilder};
use relata::{Db, ErrorKind, Record, Relation, Result, assert_sql, model};

use crate::Backend;

/// What two may change at once.
#[model]
pub struct Account {
    id: i64,
    name: String,
    #[column(default = 0)]
    balance: i64,
    #[column(default = 0)]
    bookings_count: i64,
    lock_version: i64,
    #[has_many]
    bookings: Booking,
}

/// Counted in its account.
#[model]
pub struct Booking {
    id: i64,
    account_id: i64,
    #[belongs_to(counter_cache)]
    account: Account,
}

/// Its version has another name, and may be null.
#[model(locking_column = edition)]
pub struct Sheet {
    id: i64,
    text: String,
    edition: Option<i64>,
    read_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// Has a column of that name, and no locking.
#[model(locking_column = none)]
pub struct Door {
    id: i64,
    name: String,
    lock_version: i64,
}

async fn bank(backend: &Backend) -> Result<(Db, Account)> {
    let db = backend.open().await?;
    db.create_tables([
        Account::reflection(),
        Booking::reflection(),
        Sheet::reflection(),
        Door::reflection(),
    ])
    .await?;
    let account = Account::create(&db, |a| a.set_name("Ann")).await?;
    Ok((db, account))
}

/// A stale record is not written.
pub async fn a_stale_record_is_not_written(backend: &Backend) -> Result<()> {
    let (db, ann) = bank(backend).await?;
    assert_eq!(ann.lock_version(), 0, "a new row has a version");
    let [one, two] = [
        Account::find(&db, ann.id()).await?,
        Account::find(&db, ann.id()).await?,
    ];
    assert_sql!(
        db,
        [
            r#"UPDATE "accounts" SET "balance" = ?, "lock_version" = ? WHERE "accounts"."id" = ? AND "accounts"."lock_version" = ?"#
        ],
        { one.update(|a| a.set_balance(5)).await? }
    );
    assert_eq!((one.lock_version(), one.is_changed()), (1, false));
    assert_eq!(one.saved_changes().len(), 2, "the version is one of them");
    let stale = two.update(|a| a.set_balance(7)).await.unwrap_err();
    assert!(stale.is_stale_object());
    assert_eq!(
        stale.to_string(),
        "Attempted to update a stale object: Account."
    );
    assert!(stale.record::<Account>().is_some_and(|it| it.is(&two)));
    assert_eq!((two.lock_version(), two.changed()), (0, vec!["balance"]));
    let unwritten = two.update_columns([("balance", 7.into())]).await;
    assert!(unwritten.unwrap_err().is_stale_object());
    assert_sql!(
        db,
        [r#"DELETE FROM "accounts" WHERE "accounts"."id" = ? AND "accounts"."lock_version" = ?"#],
        {
            let stale = two.destroy().await.unwrap_err();
            assert_eq!(
                stale.to_string(),
                "Attempted to destroy a stale object: Account."
            );
        }
    );
    assert!(two.is_persisted() && two.delete().await.unwrap_err().is_stale_object());
    assert_eq!(Account::find(&db, ann.id()).await?.balance(), 5);
    two.reload().await?;
    two.update(|a| a.set_balance(7)).await?;
    assert_eq!(two.lock_version(), 2);
    assert!(two.dup().lock_version() == 0);
    two.destroy().await?;
    assert_eq!(Account::all(&db).count().await?, 0);
    let door = Door::create(&db, |d| d.set_name("x").set_lock_version(3)).await?;
    assert_sql!(
        db,
        [r#"UPDATE "doors" SET "name" = ? WHERE "doors"."id" = ?"#],
        { door.update(|d| d.set_name("y")).await? }
    );
    assert_eq!(door.lock_version(), 3);
    Ok(())
}

/// A version comes back with a rollback.
pub async fn a_version_comes_back_with_a_rollback(backend: &Backend) -> Result<()> {
    let (db, ann) = bank(backend).await?;
    let failed: Result<()> = db
        .transaction(async || {
            ann.update(|a| a.set_balance(1)).await?;
            ann.update(|a| a.set_balance(2)).await?;
            assert_eq!(ann.lock_version(), 2);
            Err(relata::Error::new(ErrorKind::Rollback, "no"))
        })
        .await;
    assert!(failed.unwrap_err().is_rollback());
    assert_eq!((ann.lock_version(), ann.balance()), (0, 2));
    assert_eq!(ann.changed(), ["balance"]);
    ann.save().await?;
    assert_eq!(Account::find(&db, ann.id()).await?.balance(), 2);
    Ok(())
}

/// A version may be null or have another name.
pub async fn a_version_may_be_null_or_have_another_name(backend: &Backend) -> Result<()> {
    let (db, _) = bank(backend).await?;
    let column = Sheet::reflection()
        .locking_column()
        .expect("a locking column");
    assert_eq!(column.name(), "edition");
    assert!(Door::reflection().locking_column().is_none());
    let sheet = Sheet::create(&db, |s| s.set_text("a")).await?;
    assert_eq!(sheet.edition(), Some(0));
    Sheet::all(&db).update_all(|s| s.edition.set(None)).await?;
    let [one, two] = [Sheet::find(&db, 1).await?, Sheet::find(&db, 1).await?];
    assert_sql!(
        db,
        [
            r#"UPDATE "sheets" SET "text" = ?, "edition" = ? WHERE "sheets"."id" = ? AND "sheets"."edition" IS NULL"#
        ],
        { one.update(|s| s.set_text("b")).await? }
    );
    assert_eq!(one.edition(), Some(1));
    assert!(two.destroy().await.unwrap_err().is_stale_object());
    let stale = two.touch_columns(["read_at"]).await.unwrap_err();
    assert_eq!(
        stale.to_string(),
        "Attempted to touch a stale object: Sheet."
    );
    Ok(())
}

/// What is written set-wise counts versions.
pub async fn what_is_written_set_wise_counts_versions(backend: &Backend) -> Result<()> {
    let (db, ann) = bank(backend).await?;
    assert_sql!(
        db,
        [
            r#"UPDATE "accounts" SET "balance" = ?, "lock_version" = COALESCE("accounts"."lock_version", 0) + ?"#
        ],
        { Account::all(&db).update_all(|a| a.balance.set(1)).await? }
    );
    let late = ann.update(|a| a.set_name("x")).await;
    assert!(late.unwrap_err().is_stale_object());
    ann.reload().await?;
    ann.increment("balance", 2).await?;
    assert_eq!((ann.balance(), ann.lock_version()), (3, 2));
    Account::all(&db)
        .update_counters([("balance", 1)], false)
        .await?;
    assert_eq!(Account::find(&db, ann.id()).await?.lock_version(), 3);
    Account::all(&db)
        .update_all(|a| a.lock_version.set(9))
        .await?;
    assert_eq!(Account::find(&db, ann.id()).await?.lock_version(), 9);
    Ok(())
}

/// A parent that counts follows in memory.
pub async fn a_parent_that_counts_follows_in_memory(backend: &Backend) -> Result<()> {
    let (db, ann) = bank(backend).await?;
    let booking = ann.bookings().create(|b| b).await?;
    assert_eq!((ann.bookings_count(), ann.lock_version()), (1, 1));
    ann.update(|a| a.set_balance(1)).await?;
    booking.destroy().await?;
    assert_eq!((ann.bookings_count(), ann.lock_version()), (0, 3));
    ann.update(|a| a.set_balance(2)).await?;
    assert_eq!(Account::find(&db, ann.id()).await?.lock_version(), 4);
    Ok(())
}

/// A version that was set, as a form brings it back, is asked for.
pub async fn a_version_that_was_set_is_asked_for(backend: &Backend) -> Result<()> {
    let (db, ann) = bank(backend).await?;
    ann.update(|a| a.set_balance(1)).await?;
    let fresh = Account::find(&db, ann.id()).await?;
    let old = fresh.update(|a| a.set_balance(2).set_lock_version(0)).await;
    assert!(old.unwrap_err().is_stale_object());
    fresh.update(|a| a.set_lock_version(1)).await?;
    assert_eq!((fresh.balance(), fresh.lock_version()), (2, 2));
    Ok(())
}

/// Models made at run time are locked.
pub async fn models_made_at_run_time_are_locked(backend: &Backend) -> Result<()> {
    let builder = || {
        ModelBuilder::new("Paper", "papers")
            .column(Column::new("id", AttributeType::plain(Kind::Int, false)))
            .column(Column::new("text", AttributeType::plain(Kind::Text, true)))
            .column(Column::new(
                "version",
                AttributeType::plain(Kind::Int, true),
            ))
            .primary_key(["id"])
    };
    let paper = builder().locking(Locking::Named("version")).define()?;
    let wrong = builder().locking(Locking::Named("text")).define();
    assert_eq!(
        wrong.unwrap_err().to_string(),
        "Paper: the locking column text is no whole number among its columns"
    );
    let db = backend.open().await?;
    db.create_tables([paper]).await?;
    let first = Record::new(paper, &db);
    first.set("text", "a")?.save().await?;
    let second: Record = Relation::of(paper, &db).first_or_fail().await?;
    first.set("text", "b")?.save().await?;
    second.set("text", "c")?;
    assert!(second.save().await.unwrap_err().is_stale_object());
    assert_eq!(first.get("version")?, relata::Value::Int(1));
    Ok(())
}
