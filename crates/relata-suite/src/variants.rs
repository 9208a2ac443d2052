//! The variants of verbs: each does what its fellow does, whichever way it is called.

use relata::{ErrorKind, Model as _, Record, Result, Value, assert_queries, assert_sql};

use crate::Backend;
use crate::shop::{Owner, Toy, ann, shop};

fn titles(toys: &[Toy]) -> Vec<&str> {
    toys.iter().map(Toy::title).collect()
}

/// By keys, several at once, as a relation: what Rails' `CollectionProxy` has of its own and of a relation.
pub async fn a_collection_is_asked_and_written_in_every_way(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    let all = ann.toys().reload().await?;
    let ids: Vec<i64> = all.iter().map(Toy::id).collect();
    ann.toys().reset();
    let found = assert_queries!(db, 1, { ann.toys().find_many([ids[1], ids[0]]).await? });
    assert_eq!(found, [all[1].clone(), all[0].clone()]);
    let error = ann.toys().find_many([ids[0], 999]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RecordNotFound);
    let taken = assert_queries!(db, 1, { ann.toys().take_n(1).await? });
    assert_eq!(taken.len(), 1);
    // Those that are not saved are among what memory gives.
    let unsaved = ann.toys().build(|t| t.set_title("unsaved"));
    assert!(
        ann.toys()
            .take_n(99)
            .await?
            .iter()
            .any(|toy| toy.is(&unsaved))
    );
    ann.toys().reset();

    let plucked = ann.toys().pluck(|t| t.title).await?;
    assert_eq!(plucked, titles(&all));
    assert_eq!(
        ann.toys().pick(|t| t.id).await?,
        ann.toys().all().pick(|t| t.id).await?
    );
    assert_eq!(
        ann.toys().sum(|t| t.stars).await?,
        all.iter().map(Toy::stars).sum::<i64>()
    );
    let others = ann.toys().exclude(|t| t.id.eq(ids[0])).await?;
    assert_eq!(others.len(), all.len() - 1);
    assert_eq!(ann.toys().offset(1).limit(1).await?.len(), 1);
    assert_eq!(ann.toys().distinct().await?.len(), all.len());
    assert_eq!(ann.toys().joins(|t| t.owner).await?.len(), all.len());
    let error = ann.toys().sole().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SoleRecordExceeded);
    let error = ann.toys().find_by_or_fail(|t| t.title.eq("nope")).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::RecordNotFound);
    let mut each = ann.toys().find_each(1);
    let mut seen = 0;
    while each.next().await?.is_some() {
        seen += 1;
    }
    assert_eq!(seen, all.len());
    let mut batches = ann.toys().in_batches(1);
    assert_eq!(batches.next().await?.map(|batch| batch.len()), Some(1));

    let rows = ann.toys().update_all(|t| t.stars.set(7)).await?;
    assert_eq!(
        (rows, Toy::all(&db).filter(|t| t.stars.eq(7)).count().await?),
        (all.len() as u64, all.len() as u64)
    );
    let counted = ann.toys().all().increment_counter("stars");
    assert_eq!(counted.await?, all.len() as u64);
    let one = Toy::all(&db).filter(|t| t.id.eq(ids[0]));
    assert_sql!(
        db,
        [
            "UPDATE \"toys\" SET \"stars\" = COALESCE(\"toys\".\"stars\", 0) + ? WHERE \"toys\".\"id\" = ?"
        ],
        { one.decrement_counter("stars").await? }
    );
    let mut stars = ann.toys().pluck(|t| t.stars).await?;
    stars.sort_unstable();
    assert_eq!(stars, [7, 8, 8]);
    let error = one.increment_counter("strs").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownAttribute);
    let gone = ann.toys().destroy_ids([ids[0]]).await?;
    assert!(
        gone.iter()
            .all(|toy| toy.is_destroyed() && toy.id() == ids[0])
    );
    assert_eq!(ann.toys().count().await?, all.len() as u64 - 1);
    let error = ann.toys().destroy_ids([ids[0]]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RecordNotFound);
    Ok(())
}

/// `first_or_create` and its fellow see what `first` sees: members that are not saved too.
pub async fn first_or_create_sees_unsaved_members(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let owner = Owner::create(&db, |o| o.set_name("Eve")).await?;
    let unsaved = owner.toys().build(|t| t.set_title("unsaved"));
    let first = owner
        .toys()
        .first_or_create(|t| t.set_title("never"))
        .await?;
    assert!(first.is(&unsaved));
    let first = owner
        .toys()
        .first_or_initialize(|t| t.set_title("never"))
        .await?;
    assert!(first.is(&unsaved) && owner.toys().target().len() == 1);
    let by_name = owner.association("toys")?;
    assert!(by_name.first_or_create(|t| t).await?.is(&unsaved));
    assert!(by_name.first_or_initialize(|t| t).await?.is(&unsaved));

    owner.toys().reset();
    let new = owner
        .toys()
        .first_or_initialize(|t| t.set_title("new"))
        .await?;
    assert!(new.is_new_record() && new.owner_id() == Some(owner.id()));
    // It is a member, and saved with the owner.
    owner.save().await?;
    assert!(new.is_persisted());
    owner.toys().reset();
    let same = assert_queries!(db, 1, {
        owner
            .toys()
            .first_or_create(|t| t.set_title("never"))
            .await?
    });
    assert_eq!(same.id(), new.id());
    let made = owner
        .toys()
        .create_or_find_by(|t| t.title.eq("made"), |t| t.set_stars(3))
        .await?;
    assert_eq!(
        (made.is_persisted(), made.owner_id(), made.stars()),
        (true, Some(owner.id()), 3)
    );
    assert!(owner.toys().target().iter().any(|toy| toy.is(&made)));
    Ok(())
}

/// What changed is told of one attribute by its name, and taken back of some.
pub async fn changes_are_told_and_taken_back_by_name(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let toy = Toy::create(&db, |t| t.set_title("a").set_stars(1)).await?;
    let record: &Record = &toy;
    assert!(!record.attribute_changed("title")?);
    assert_eq!(record.attribute_change("title")?, None);
    record.set("title", "b")?;
    record.set("stars", 2)?;
    assert!(record.attribute_changed("title")? && record.will_save_change_to_attribute("stars")?);
    assert_eq!(record.attribute_was("title")?, Value::from("a"));
    assert_eq!(
        record.attribute_change("title")?,
        Some((Value::from("a"), Value::from("b")))
    );
    record.restore_attributes_named(["stars"])?;
    assert_eq!((toy.title(), toy.stars()), ("b", 1));
    toy.set_stars(5).set_sold(Some(true));
    toy.restore_attributes_of(|t| (t.stars, t.sold))?;
    assert_eq!((toy.title(), toy.stars(), toy.sold()), ("b", 1, None));
    assert_eq!(toy.changed(), ["title"]);
    assert_sql!(
        db,
        ["UPDATE \"toys\" SET \"title\" = ? WHERE \"toys\".\"id\" = ?"],
        { toy.save().await? }
    );
    assert_eq!(
        record.saved_change_to_attribute("title")?,
        Some((Value::from("a"), Value::from("b")))
    );
    assert_eq!(record.saved_change_to_attribute("stars")?, None);
    assert_eq!(
        record.attribute_before_last_save("title")?,
        Value::from("a")
    );
    assert_eq!(record.attribute_before_last_save("stars")?, Value::from(1));
    assert!(!record.will_save_change_to_attribute("title")?);

    for error in [
        record.attribute_changed("titel").unwrap_err(),
        record.attribute_was("titel").unwrap_err(),
        record
            .restore_attributes_named(["stars", "titel"])
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::UnknownAttribute);
        assert!(error.to_string().contains("title"), "{error}");
    }
    let error = toy.restore_attributes_of(|t| t.owner.name).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    Ok(())
}

/// `update` by name sets all or nothing, and saves.
pub async fn attributes_are_updated_by_name(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let toy = Toy::create(&db, |t| t.set_title("a").set_stars(1)).await?;
    let record: &Record = &toy;
    assert_sql!(
        db,
        ["UPDATE \"toys\" SET \"title\" = ?, \"stars\" = ? WHERE \"toys\".\"id\" = ?"],
        {
            record
                .update([("title", Value::from("b")), ("stars", "4".into())])
                .await?
        }
    );
    assert_eq!((toy.title(), toy.stars()), ("b", 4));
    for (name, kind) in [
        ("titel", ErrorKind::UnknownAttribute),
        ("stars", ErrorKind::InvalidValue),
    ] {
        let values = [("title", Value::from("c")), (name, "many".into())];
        let error = assert_queries!(db, 0, { record.update(values).await.unwrap_err() });
        assert_eq!(error.kind(), kind);
        assert!(!toy.is_changed() && toy.title() == "b");
    }
    let error = record
        .update([("title", Value::from(""))])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RecordInvalid);
    assert_eq!((toy.title(), toy.title_was()), ("", "b"));
    Ok(())
}
