//! Writing single columns and many rows: update_columns, increment, update_all, insert_all and the like.

use relata::{ErrorKind, Record, Result, Saved, Value, assert_queries, assert_sql};

use crate::Backend;
use crate::shop::{Owner, Toy, ann, rows, shop, toys};

/// Columns are written past validation, and count as saved.
pub async fn columns_are_written_past_validation(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    ann(&db).await?;
    let toy = Toy::find(&db, 1).await?;
    toy.set_stars(5);
    assert_sql!(
        db,
        [r#"UPDATE "toys" SET "title" = ?, "sold" = ? WHERE "toys"."id" = ?"#],
        {
            toy.update_columns([("title", "".into()), ("sold", true.into())])
                .await?;
        }
    );
    assert_eq!((toy.title(), toy.sold()), ("", Some(true)));
    assert_eq!(
        toy.changed(),
        ["stars"],
        "what else was set is still to be saved"
    );
    assert!(toy.saved_changes().is_empty());
    toy.update_attribute("kind", "soft").await?;
    assert!(
        !toy.is_changed(),
        "an attribute is saved with all that changed"
    );
    let row = Toy::find(&db, 1).await?;
    assert_eq!(
        (row.title(), row.stars(), row.kind()),
        ("", 5, Some("soft"))
    );
    let error = toy
        .update_columns([("titel", "x".into())])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("did you mean `title`?"));
    let new = Toy::new(&db).update_columns([("title", "x".into())]).await;
    assert!(new.unwrap_err().is_record_not_saved());
    Ok(())
}

/// Counters are added to in the database.
pub async fn counters_are_added_to_in_the_database(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    ann(&db).await?;
    let (one, other) = (Toy::find(&db, 1).await?, Toy::find(&db, 1).await?);
    assert_sql!(
        db,
        [r#"UPDATE "toys" SET "stars" = COALESCE("toys"."stars", 0) + ? WHERE "toys"."id" = ?"#],
        { one.increment("stars", 3).await? }
    );
    other.increment("stars", 4).await?;
    one.decrement("stars", 1).await?;
    assert_eq!(
        (one.stars(), other.stars()),
        (2, 4),
        "each knows its own part"
    );
    assert_eq!(Toy::find(&db, 1).await?.stars(), 6, "nothing was lost");
    assert!(!one.is_changed());
    let error = one.increment("title", 1).await.unwrap_err();
    assert_eq!(error.to_string(), "Toy.title is no whole number");
    let error = one.increment("stars", i64::MAX).await.unwrap_err();
    assert!(error.is_range_error());
    one.toggle("sold").await?;
    assert_eq!(Toy::find(&db, 1).await?.sold(), Some(true));
    one.toggle("sold").await?;
    assert_eq!(one.sold(), Some(false));
    Ok(())
}

/// An update that finds no row is an error, a destroy is not.
pub async fn an_update_that_finds_no_row_is_an_error(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    ann(&db).await?;
    let (gone, mine) = (Toy::find(&db, 1).await?, Toy::find(&db, 1).await?);
    gone.delete().await?;
    assert!(gone.is_destroyed());
    mine.set_title("late");
    let error = mine.save().await.unwrap_err();
    assert!(error.is_record_not_saved());
    assert_eq!(
        error.to_string(),
        "Failed to save Toy with 'id'=1: its row is gone from \"toys\""
    );
    assert!(mine.is_changed());
    assert!(
        mine.increment("stars", 1)
            .await
            .unwrap_err()
            .is_record_not_saved()
    );
    mine.destroy().await?;
    assert!(!mine.save().await.saved()?, "it was destroyed");
    Ok(())
}

/// A row is locked after it was read again.
pub async fn a_row_is_read_again_when_it_is_locked(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    ann(&db).await?;
    let (one, other) = (Toy::find(&db, 1).await?, Toy::find(&db, 1).await?);
    other.update(|t| t.set_stars(7)).await?;
    one.with_lock(async || {
        assert_eq!(one.stars(), 7);
        one.update(|t| t.set_stars(t.stars() + 1)).await
    })
    .await?;
    assert_eq!(Toy::find(&db, 1).await?.stars(), 8);
    one.set_title("x");
    let error = one.lock().await.unwrap_err();
    assert!(error.to_string().ends_with("Changed attributes: title."));
    let failed: Result<()> = other
        .with_lock(async || {
            other.update(|t| t.set_stars(0)).await?;
            Err(relata::Error::new(ErrorKind::Rollback, "no"))
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(Toy::find(&db, 1).await?.stars(), 8);
    Ok(())
}

/// All rows of a relation are updated with one statement.
pub async fn all_rows_of_a_relation_are_updated_at_once(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    ann(&db).await?;
    let count = assert_sql!(
        db,
        [
            r#"UPDATE "toys" SET "kind" = ?, "stars" = COALESCE("toys"."stars", 0) + ? WHERE "toys"."title" != ?"#
        ],
        {
            Toy::all(&db)
                .filter(|t| t.title.ne("a"))
                .update_all(|t| (t.kind.set("soft"), t.stars.increment(2)))
                .await?
        }
    );
    assert_eq!(count, 2);
    let by_name = Toy::all(&db)
        .filter(|t| t.owner.name.eq("Ann"))
        .order(|t| t.id.asc())
        .limit(1);
    assert_sql!(
        db,
        [
            r#"UPDATE "toys" SET "stars" = ? WHERE "toys"."id" IN (SELECT "toys"."id" FROM "toys" INNER JOIN "owners" ON "owners"."id" = "toys"."owner_id" WHERE "owners"."name" = ? ORDER BY "toys"."id" ASC LIMIT 1)"#
        ],
        { by_name.update_all_by(&[("stars", 9.into())]).await? }
    );
    assert_eq!(
        Toy::all(&db)
            .order(|t| t.id.asc())
            .pluck(|t| t.stars)
            .await?,
        [9, 2, 2]
    );
    let error = Toy::all(&db)
        .update_all(|t| t.owner.name.set("x"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert_queries!(db, 0, {
        assert_eq!(
            Toy::all(&db).none().update_all(|t| t.stars.set(1)).await?,
            0
        );
    });
    Ok(())
}

/// What was written set-wise is known to be out of date, rolled back or not.
pub async fn what_was_written_set_wise_is_not_taken_for_up_to_date(
    backend: &Backend,
) -> Result<()> {
    let db = shop(backend).await?;
    ann(&db).await?;
    Owner::create(&db, |o| o.set_name("Bob")).await?;
    let owners = Owner::all(&db).order(|o| o.id.asc()).await?;
    assert_eq!(owners[0].toys().await?.len(), 3);
    let rolled_back: Result<()> = db
        .transaction(async || {
            Toy::all(&db).update_all(|t| t.owner_id.set(2)).await?;
            assert_eq!(owners[1].toys().await?.len(), 3);
            Err(relata::Error::new(ErrorKind::Rollback, "no"))
        })
        .await;
    assert!(rolled_back.is_err());
    let again = Owner::find(&db, 2).await?;
    assert_eq!(again.toys().await?.len(), 0);
    Ok(())
}

/// Many rows are deleted or destroyed.
pub async fn many_rows_are_deleted_or_destroyed(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    ann(&db).await?;
    let some = Toy::all(&db).filter(|t| t.title.eq("a"));
    let count = assert_sql!(db, [r#"DELETE FROM "toys" WHERE "toys"."title" = ?"#], {
        some.delete_all().await?
    });
    assert_eq!(count, 1);
    let destroyed = assert_queries!(db, 3, { Toy::all(&db).destroy_all().await? });
    assert!(destroyed.len() == 2 && destroyed.iter().all(|toy| toy.is_destroyed()));
    assert!(toys(&db).await?.is_empty());
    Ok(())
}

/// Rows are inserted, skipped or updated by a unique key.
pub async fn rows_are_inserted_skipped_or_updated(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let toy = |id: i64, title: &str| Toy::build(&db, |t| t.set_id(id).set_title(title));
    let first = [toy(1, "a"), toy(2, "b")];
    assert_eq!(Toy::all(&db).insert_all(&first).await?, 2);
    let error = Toy::all(&db).insert_all(&first).await.unwrap_err();
    assert!(error.is_record_not_unique());
    let second = [toy(2, "B"), toy(3, "c")];
    let ids = assert_sql!(
        db,
        [
            r#"INSERT INTO "toys" ("id", "title", "kind", "stars") VALUES (?, ?, ?, ?), (?, ?, ?, ?) ON CONFLICT ("id") DO NOTHING RETURNING "id""#
        ],
        {
            Toy::all(&db)
                .insert_all(&second)
                .skip_duplicates()
                .unique_by(|t| t.id)
                .returning(|t| t.id)
                .await?
        }
    );
    assert_eq!(ids, [3]);
    assert_sql!(
        db,
        [
            r#"INSERT INTO "toys" ("id", "title", "kind", "stars") VALUES (?, ?, ?, ?), (?, ?, ?, ?) ON CONFLICT ("id") DO UPDATE SET "title" = excluded."title""#
        ],
        {
            Toy::all(&db)
                .upsert_all(&second)
                .update_only(|t| t.title)
                .await?
        }
    );
    assert_eq!(
        toys(&db).await?,
        rows(&[("a", None), ("B", None), ("c", None)])
    );
    let uneven = [toy(8, "x"), Toy::build(&db, |t| t.set_title("y"))];
    let error = Toy::all(&db).insert_all(&uneven).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert!(
        error
            .to_string()
            .starts_with("All objects being inserted must have the same keys")
    );
    assert_queries!(db, 0, {
        assert_eq!(Toy::all(&db).insert_all(&[]).await?, 0)
    });
    let erased = Record::new(Toy::reflection(), &db);
    erased.set("title", "erased")?;
    let returned = Toy::all(&db)
        .erased()
        .insert_records([erased])
        .returning_named(["id", "title"])
        .await?;
    assert_eq!(returned, [vec![Value::Int(4), Value::from("erased")]]);
    Ok(())
}

/// More rows than one statement can bind are one transaction.
pub async fn more_rows_than_one_statement_can_bind_are_one_transaction(
    backend: &Backend,
) -> Result<()> {
    let db = shop(backend).await?;
    let many: Vec<Toy> = (0..20_000)
        .map(|number| Toy::build(&db, |t| t.set_title(number.to_string())))
        .collect();
    let capture = db.capture();
    assert_eq!(Toy::all(&db).insert_all(&many).await?, 20_000);
    assert_eq!(
        capture.texts().len(),
        20_000_usize.div_ceil(db.capabilities().unwrap().bind_limit / 3)
    );
    assert_eq!(Toy::all(&db).count().await?, 20_000);
    Ok(())
}

/// A record is found or made, also when another makes it meanwhile.
pub async fn a_record_is_found_or_made(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let all = Owner::all(&db);
    let made = assert_queries!(db, 2, {
        all.find_or_create_by(|o| o.name.eq("Ann"), |o| o).await?
    });
    assert_eq!((made.name(), made.is_persisted()), ("Ann", true));
    let found = assert_queries!(db, 1, {
        all.find_or_create_by(|o| o.name.eq("Ann"), |o| o).await?
    });
    assert_eq!(found, made);
    let new = all
        .find_or_initialize_by(|o| o.name.eq("Bob"), |o| o)
        .await?;
    assert!(new.is_new_record() && new.name() == "Bob");
    let clash = all
        .create_or_find_by(|o| o.id.eq(1), |o| o.set_name("other"))
        .await?;
    assert_eq!(clash.name(), "Ann", "the one that is there");
    let inside = db
        .transaction(async || {
            let found = all
                .create_or_find_by(|o| o.id.eq(1), |o| o.set_name("other"))
                .await?;
            // The transaction goes on.
            Owner::create(&db, |o| o.set_name("Cat")).await?;
            Ok(found)
        })
        .await?;
    assert_eq!((inside.name(), Owner::all(&db).count().await?), ("Ann", 2));
    let unsaved = all
        .find_or_create_by(|o| o.name.eq(""), |o| o)
        .await
        .saved()?;
    assert_eq!(unsaved.errors().full_messages(), ["Name can't be blank"]);
    let erased = Owner::all(&db)
        .erased()
        .find_or_create_with(&[("name", "Dan".into())])
        .await?;
    assert_eq!(erased.get("name")?, Value::from("Dan"));
    Ok(())
}

/// A saver waits for another of the same record, and saves what is left.
pub async fn a_second_save_waits_for_the_first(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    ann(&db).await?;
    let toy = Toy::find(&db, 1).await?;
    let (one, other) = (toy.set_title("x").save(), toy.set_stars(3).save());
    let capture = db.capture();
    let (first, second) = tokio::join!(one, other);
    first?;
    second?;
    assert_eq!(capture.texts().len(), 1, "the first saved all there was");
    let (saved, reloaded) = tokio::join!(toy.set_title("y").save(), toy.reload());
    saved?;
    reloaded?;
    assert_eq!((toy.title(), toy.is_changed()), ("y", false));
    Ok(())
}
