//! Writing through collections: what each verb does to rows, statements and memory.

use relata::association::Removal;
use relata::{Result, Saved, assert_queries, assert_sql};

use crate::Backend;
use crate::shop::{Owner, Toy, ann, key, rows, shop, toys};

fn titles(toys: &[Toy]) -> Vec<&str> {
    toys.iter().map(Toy::title).collect()
}

/// Pushing to a saved owner saves at once.
pub async fn pushing_to_a_saved_owner_saves_at_once(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    let (fresh, stray) = (
        Toy::build(&db, |t| t.set_title("d")),
        Toy::create(&db, |t| t.set_title("e")).await?,
    );
    assert_sql!(
        db,
        [
            r#"INSERT INTO "toys" ("title", "kind", "stars", "owner_id") VALUES (?, ?, ?, ?)"#,
            r#"UPDATE "toys" SET "owner_id" = ? WHERE "toys"."id" = ?"#,
        ],
        { ann.toys().concat([&fresh, &stray]).await? }
    );
    assert!(!ann.toys().is_loaded(), "pushing loads nothing");
    assert_eq!(titles(&ann.toys().target()), ["d", "e"]);
    assert_eq!(ann.toys().size().await?, 5, "memory holds no unsaved ones");
    assert_queries!(db, 0, { ann.toys().push(&stray).await? });
    assert_eq!(
        ann.toys().target().len(),
        3,
        "memory has it twice, as in Rails"
    );
    assert_eq!(ann.toys().await?.len(), 5, "loading makes it one again");
    Ok(())
}

/// A push that fails writes nothing and keeps the records in memory.
pub async fn a_push_that_fails_writes_nothing_and_keeps_the_records(
    backend: &Backend,
) -> Result<()> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    let (good, bad) = (
        Toy::build(&db, |t| t.set_title("good")),
        Toy::build(&db, |t| t.set_title("")),
    );
    assert!(!ann.toys().concat([&good, &bad]).await.saved()?);
    assert_eq!(Toy::all(&db).count().await?, 3);
    assert!(good.is_new_record() && bad.is_new_record());
    assert_eq!(bad.errors().full_messages(), ["Title can't be blank"]);
    let target = ann.toys().target();
    assert!(target[0].is(&good) && target[1].is(&bad));
    bad.set_title("better");
    ann.save().await?;
    assert_eq!(Toy::all(&db).count().await?, 5, "the owner saves them now");
    Ok(())
}

/// A new owner keeps everything in memory.
pub async fn a_new_owner_keeps_everything_in_memory(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let stray = Toy::create(&db, |t| t.set_title("stray")).await?;
    let gone = Toy::create(&db, |t| t.set_title("gone")).await?;
    let bob = Owner::build(&db, |o| o.set_name("Bob"));
    assert_queries!(db, 0, {
        bob.toys().push(&stray).await?;
        bob.toys().push(&gone).await?;
        let built = bob.toys().build(|t| t.set_title("built"));
        assert!(built.owner().await?.unwrap().is(&bob));
        assert!(built.owner_id().is_none() && stray.owner_id().is_none());
        assert_eq!(bob.toys().size().await?, 3);
        assert_eq!(bob.toys().count().await?, 0);
        assert!(bob.toys().many().await? && !bob.toys().one().await?);
        assert!(bob.toys().first().await?.unwrap().is(&stray));
        assert!(bob.toys().last().await?.unwrap().is(&built));
        assert!(bob.toys().contains(&built).await?);
        assert_eq!(bob.toys().filter(|t| t.title.eq("stray")).await?.len(), 0);
        bob.toys().delete([&gone]).await?;
        assert_eq!(titles(&bob.toys().await?), ["stray", "built"]);
        bob.toys().replace([&built, &stray]).await?;
        assert_eq!(bob.toy_ids().await?, [stray.id()]);
    });
    assert_sql!(
        db,
        [
            r#"INSERT INTO "owners" ("name") VALUES (?)"#,
            r#"UPDATE "toys" SET "owner_id" = ? WHERE "toys"."id" = ?"#,
            r#"INSERT INTO "toys" ("title", "kind", "stars", "owner_id") VALUES (?, ?, ?, ?)"#,
        ],
        { bob.save().await? }
    );
    assert_eq!(
        toys(&db).await?,
        rows(&[("stray", Some(1)), ("gone", None), ("built", Some(1))])
    );
    assert_eq!(assert_queries!(db, 0, { bob.toys().await? }).len(), 2);
    Ok(())
}

/// Deleting sets keys to null with one statement.
pub async fn deleting_sets_keys_to_null_with_one_statement(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    let toys_of_ann = ann.toys().await?;
    let unsaved = ann.toys().build(|t| t.set_title("new"));
    assert_sql!(
        db,
        [
            r#"UPDATE "toys" SET "owner_id" = ? WHERE "toys"."owner_id" = ? AND "toys"."id" IN (?, ?)"#
        ],
        {
            ann.toys()
                .delete([&toys_of_ann[0], &toys_of_ann[2], &unsaved])
                .await?;
        }
    );
    assert_eq!(titles(&ann.toys().loaded().unwrap()), ["b"]);
    assert_eq!(
        toys_of_ann[0].owner_id(),
        Some(1),
        "the object keeps its key, as in Rails"
    );
    assert_eq!(
        toys(&db).await?,
        rows(&[("a", None), ("b", Some(1)), ("c", None)])
    );
    assert_queries!(db, 0, { ann.toys().delete([]).await? });
    let error = ann.toys().delete_ids([1]).await.unwrap_err();
    assert!(error.is_record_not_found(), "it is hers no more");
    assert_eq!(ann.toys().delete_ids([2]).await?[0].title(), "b");
    Ok(())
}

/// Deleting where the key cannot be null says what to do.
pub async fn deleting_where_the_key_cannot_be_null_says_what_to_do(
    backend: &Backend,
) -> Result<()> {
    let db = crate::blog::blog(backend).await?;
    let ann = crate::blog::Person::find(&db, 1).await?;
    let posts = ann.posts().await?;
    let error = assert_queries!(db, 0, { ann.posts().delete(&posts).await.unwrap_err() });
    assert!(error.is_not_null_violation());
    assert_eq!(
        error.to_string(),
        "Person.posts takes records out by setting Post.author_id to null, and it cannot be null: destroy them, or \
         make the key an Option"
    );
    assert_eq!(ann.posts().loaded().unwrap().len(), 3);
    Ok(())
}

/// Destroying deletes the rows of members and of others.
pub async fn destroying_takes_the_rows(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    let first = ann.toys().first().await?.unwrap();
    assert_sql!(db, [r#"DELETE FROM "toys" WHERE "toys"."id" = ?"#], {
        ann.toys().destroy([&first]).await?
    });
    assert!(first.is_destroyed());
    let rest = assert_queries!(db, 3, { ann.toys().destroy_all().await? });
    assert!(rest.iter().all(|toy| toy.is_destroyed()));
    assert!(ann.toys().is_loaded() && ann.toys().target().is_empty());
    assert_eq!(Toy::all(&db).count().await?, 0);
    Ok(())
}

/// Destroying several is all or none.
pub async fn destroying_several_is_all_or_none(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    let members = ann.toys().await?;
    // BEGIN, the first DELETE, the second.
    db.faults().fail_nth(3, relata::ErrorKind::DiskFull);
    assert!(ann.toys().destroy_all().await.is_err());
    db.faults().clear();
    assert!(members.iter().all(|toy| toy.is_persisted()));
    assert_eq!(ann.toys().loaded().unwrap().len(), 3);
    assert_eq!(Toy::all(&db).count().await?, 3);
    Ok(())
}

/// Emptying loads nothing and leaves an empty collection.
pub async fn emptying_loads_nothing(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    let rows_taken = assert_sql!(
        db,
        [r#"UPDATE "toys" SET "owner_id" = ? WHERE "toys"."owner_id" = ?"#],
        { ann.toys().delete_all().await? }
    );
    assert_eq!(rows_taken, 3);
    assert_queries!(db, 0, { assert!(ann.toys().await?.is_empty()) });
    ann.toys().create(|t| t.set_title("d")).await?;
    assert_sql!(db, [r#"DELETE FROM "toys" WHERE "toys"."owner_id" = ?"#], {
        ann.toys().delete_all_with(Removal::Delete).await?
    });
    assert_eq!(Toy::all(&db).count().await?, 3);
    ann.toys().clear().await?;
    ann.soft_toys().create(|t| t.set_title("bear")).await?;
    assert_sql!(
        db,
        [r#"UPDATE "toys" SET "owner_id" = ? WHERE "toys"."owner_id" = ? AND "toys"."kind" = ?"#],
        { ann.soft_toys().clear().await? }
    );
    Ok(())
}

/// Replacing writes the difference.
pub async fn replacing_writes_the_difference(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    let (b, d) = (
        Toy::find(&db, 2).await?,
        Toy::create(&db, |t| t.set_title("d")).await?,
    );
    assert_sql!(
        db,
        [
            r#"SELECT "toys".* FROM "toys" WHERE "toys"."owner_id" = ?"#,
            r#"UPDATE "toys" SET "owner_id" = ? WHERE "toys"."owner_id" = ? AND "toys"."id" IN (?, ?)"#,
            r#"UPDATE "toys" SET "owner_id" = ? WHERE "toys"."id" = ?"#,
        ],
        { ann.toys().replace([&b, &d]).await? }
    );
    let members = ann.toys().loaded().unwrap();
    assert!(members[0].is(&b) && members[1].is(&d), "the given objects");
    assert!(d.owner().loaded().unwrap().is(&ann));
    assert_queries!(db, 0, { ann.toys().replace([&d, &b]).await? });
    assert_eq!(titles(&ann.toys().loaded().unwrap()), ["b", "d"]);
    assert_queries!(db, 1, { ann.toys().replace([]).await? });
    assert_eq!(
        toys(&db).await?,
        rows(&[("a", None), ("b", None), ("c", None), ("d", None)])
    );
    Ok(())
}

/// A replacement that fails leaves rows and memory.
pub async fn a_replacement_that_fails_leaves_rows_and_memory(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    let before = ann.toys().await?;
    let (good, bad) = (
        Toy::build(&db, |t| t.set_title("good")),
        Toy::build(&db, |t| t.set_title("")),
    );
    let error = ann.toys().replace([&good, &bad]).await.unwrap_err();
    assert!(error.is_record_not_saved());
    assert_eq!(
        error.to_string(),
        "Failed to replace toys because one or more of the new records could not be saved."
    );
    let after = ann.toys().loaded().unwrap();
    assert!(before.iter().zip(&after).all(|(one, other)| one.is(other)) && after.len() == 3);
    assert!(good.is_new_record());
    assert_eq!(
        toys(&db).await?,
        rows(&[("a", Some(1)), ("b", Some(1)), ("c", Some(1))])
    );
    Ok(())
}

/// Every statement of a replacement may fail.
pub async fn every_statement_of_a_replacement_may_fail(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    for nth in 1.. {
        let wanted: Vec<Toy> = (0..3)
            .map(|_| Toy::build(&db, |t| t.set_title("x")))
            .collect();
        let before = ann.toys().await?;
        db.faults().fail_nth(nth, relata::ErrorKind::DiskFull);
        let replaced = ann.toys().replace(&wanted).await;
        db.faults().clear();
        assert_eq!(db.figures().writers, 0);
        if replaced.is_ok() {
            assert_eq!(nth, 7, "BEGIN, UPDATE, three INSERTs, COMMIT");
            break;
        }
        let after = ann.toys().loaded().unwrap();
        assert!(
            before.iter().zip(&after).all(|(one, other)| one.is(other)),
            "{nth}"
        );
        assert!(
            wanted
                .iter()
                .all(|toy| toy.is_new_record() && toy.title() == "x")
        );
        assert_eq!(Toy::all(&db).filter(|t| t.owner.is(&ann)).count().await?, 3);
    }
    assert_eq!(Toy::all(&db).count().await?, 6);
    Ok(())
}

/// Ids are read alone, remembered, and replaced.
pub async fn ids_are_read_alone_remembered_and_replaced(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    let stray = Toy::create(&db, |t| t.set_title("d")).await?;
    let ids = assert_sql!(
        db,
        [r#"SELECT "toys"."id" FROM "toys" WHERE "toys"."owner_id" = ?"#],
        { ann.toy_ids().await? }
    );
    assert_eq!(ids, [1, 2, 3]);
    assert_queries!(db, 0, {
        assert_eq!(ann.toy_ids().await?, [1, 2, 3]);
        assert_eq!(ann.toys().size().await?, 3);
        assert!(ann.toys().any().await?);
    });
    assert!(!ann.toys().is_loaded());
    assert_sql!(
        db,
        [
            r#"SELECT "toys".* FROM "toys" WHERE "toys"."id" IN (?, ?)"#,
            r#"SELECT "toys".* FROM "toys" WHERE "toys"."owner_id" = ?"#,
            r#"UPDATE "toys" SET "owner_id" = ? WHERE "toys"."owner_id" = ? AND "toys"."id" IN (?, ?)"#,
            r#"UPDATE "toys" SET "owner_id" = ? WHERE "toys"."id" = ?"#,
        ],
        { ann.toys().replace_ids([2, stray.id()]).await? }
    );
    assert_eq!(ann.toy_ids().await?, [2, 4]);
    let error = ann.toys().replace_ids([2, 99]).await.unwrap_err();
    assert!(error.is_record_not_found());
    assert_eq!(
        error.to_string(),
        "Couldn't find all Toys with 'id': (2, 99) (found 1 results, but was looking for 2). Couldn't find Toy with id 99."
    );
    assert_eq!(ann.toy_ids().await?, [2, 4]);
    Ok(())
}

/// Sizes ask as little as Rails does.
pub async fn sizes_ask_as_little_as_rails_does(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    let one = r#"SELECT 1 AS one FROM "toys" WHERE "toys"."owner_id" = ? LIMIT 1"#;
    let two = r#"SELECT COUNT(*) FROM (SELECT 1 AS one FROM "toys" WHERE "toys"."owner_id" = ? LIMIT 2) "subquery_for_count""#;
    assert_sql!(db, [one, one, two, two], {
        assert!(!ann.toys().is_empty().await?);
        assert!(ann.toys().any().await?);
        assert!(ann.toys().many().await?);
        assert!(!ann.toys().one().await?);
    });
    ann.toys().build(|t| t.set_title("new"));
    assert_queries!(db, 0, { assert!(ann.toys().any().await?) });
    assert_eq!(assert_queries!(db, 1, { ann.toys().size().await? }), 4);
    assert_eq!(assert_queries!(db, 1, { ann.toys().len().await? }), 4);
    assert_eq!(assert_queries!(db, 0, { ann.toys().size().await? }), 4);
    assert_eq!(assert_queries!(db, 1, { ann.toys().count().await? }), 3);
    let bob = Owner::create(&db, |o| o.set_name("Bob")).await?;
    assert_eq!(assert_queries!(db, 1, { bob.toys().size().await? }), 0);
    assert!(bob.toys().is_loaded(), "a count of 0 says it all");
    Ok(())
}

/// Members are found in memory where memory knows more.
pub async fn members_are_found_in_memory_where_memory_knows_more(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    let by_key = r#"SELECT "toys".* FROM "toys" WHERE "toys"."owner_id" = ? ORDER BY "toys"."id" DESC LIMIT 1"#;
    let last = assert_sql!(db, [by_key], { ann.toys().last().await? });
    assert_eq!(last.unwrap().title(), "c");
    let new = ann.toys().build(|t| t.set_title("new"));
    let last = assert_sql!(
        db,
        [r#"SELECT "toys".* FROM "toys" WHERE "toys"."owner_id" = ?"#],
        { ann.toys().last().await? }
    );
    assert!(
        last.unwrap().is(&new),
        "all were loaded, for one is not saved"
    );
    assert_eq!(
        assert_queries!(db, 0, { ann.toys().first_n(2).await? }).len(),
        2
    );
    assert_eq!(
        titles(&assert_queries!(db, 0, { ann.toys().last_n(2).await? })),
        ["c", "new"]
    );
    assert_queries!(db, 1, { ann.toys().find(1).await? });
    assert_queries!(db, 1, { ann.named().load().await? });
    assert_queries!(db, 0, {
        assert_eq!(
            ann.named().find(1).await?.title(),
            "a",
            "its inverse was named"
        );
        assert!(ann.named().find(9).await.unwrap_err().is_record_not_found());
    });
    assert!(ann.toys().contains(&new).await?);
    assert!(!ann.toys().contains(&Toy::new(&db)).await?);
    Ok(())
}

/// A scope gives its values to what is made through it.
pub async fn a_scope_gives_its_values_to_what_is_made_through_it(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    assert_eq!(ann.soft_toys().build(|t| t).kind(), Some("soft"));
    let explicit = ann.soft_toys().build(|t| t.set_kind(Some("wood")));
    assert_eq!(explicit.kind(), Some("wood"));
    ann.soft_toys().reset();
    let narrowed = ann.toys().filter(|t| t.stars.eq(3));
    let made = narrowed.create(|t| t.set_title("three")).await?;
    assert_eq!((made.stars(), made.owner_id()), (3, Some(1)));
    assert!(made.owner().loaded().unwrap().is(&ann));
    assert!(ann.toys().target()[0].is(&made));
    let with = ann
        .toys()
        .all()
        .create_with(|t| (t.title.set("cw"), t.stars.set(9)))
        .build(|t| t);
    assert_eq!((with.title(), with.stars()), ("cw", 9));
    ann.toys().reset();
    let same = assert_queries!(db, 1, {
        narrowed.first_or_create(|t| t.set_title("never")).await?
    });
    assert_eq!(same, made);
    let found = assert_queries!(db, 1, {
        ann.toys()
            .find_or_create_by(|t| t.title.eq("a"), |t| t)
            .await?
    });
    assert_eq!(found.id(), 1);
    let new = assert_queries!(db, 2, {
        ann.toys()
            .find_or_create_by(|t| t.title.eq("w"), |t| t.set_stars(2))
            .await?
    });
    assert_eq!(
        (new.title(), new.stars(), new.owner_id()),
        ("w", 2, Some(1))
    );
    let initialized = ann
        .toys()
        .find_or_initialize_by(|t| t.title.eq("z"), |t| t)
        .await?;
    assert!(initialized.is_new_record() && initialized.owner_id() == Some(1));
    assert!(ann.toys().target().iter().any(|toy| toy.is(&initialized)));
    Ok(())
}

/// The same verbs work by name.
pub async fn collections_are_written_by_name(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    let toys_of_ann = ann.association("toys")?;
    let made = toys_of_ann.build_member()?;
    made.set("title", "")?;
    assert!(!toys_of_ann.create_member(&made).await.saved()?);
    assert!(
        toys_of_ann.target().is_empty(),
        "what was not created is none"
    );
    made.set("title", "d")?;
    toys_of_ann.create_member(&made).await?;
    assert_eq!(toys_of_ann.size().await?, 4);
    assert_eq!(toys_of_ann.ids().await?.len(), 4);
    assert_eq!(
        toys_of_ann.find_key(key(2)).await?.get("title")?,
        "b".into()
    );
    toys_of_ann.replace_ids(vec![key(1), key(4)]).await?;
    assert!(toys_of_ann.contains(&made).await?);
    toys_of_ann.delete_keys(vec![key(1)]).await?;
    toys_of_ann.destroy_keys(vec![key(4)]).await?;
    assert!(toys_of_ann.is_empty().await?);
    let error = ann.association("badge")?.ids().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Owner.badge is singular: it has no members"
    );
    let wrong = toys_of_ann.push(&ann).await.unwrap_err();
    assert_eq!(wrong.kind(), relata::ErrorKind::AssociationTypeMismatch);
    Ok(())
}

/// Rows go into a collection with one statement.
pub async fn rows_go_into_a_collection_with_one_statement(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    ann.toys().await?;
    let new = ["x", "y"].map(|title| Toy::build(&db, |t| t.set_title(title)));
    assert_sql!(
        db,
        [
            r#"INSERT INTO "toys" ("title", "kind", "stars", "owner_id") VALUES (?, ?, ?, ?), (?, ?, ?, ?)"#
        ],
        { assert_eq!(ann.toys().insert_all(&new).await?, 2) }
    );
    assert!(new[0].is_new_record());
    assert_eq!(ann.toys().await?.len(), 5, "the members are read again");
    Ok(())
}
