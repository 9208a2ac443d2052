//! Saving: a has_one in place of another, graphs of new records, what autosave and validate say.

use std::sync::OnceLock;

use relata::attribute::{AttributeType, Kind};
use relata::reflection::{Column, ModelBuilder, ModelReflection, Timestamps};
use relata::{ErrorKind, Record, Result, SaveOptions, Saved, Value, assert_queries, assert_sql};

use crate::Backend;
use crate::shop::{Album, Badge, Card, Cover, Member, Node, Owner, Song, Toy, Writer, ann, shop};

/// Replacing a has_one saves at once and takes the old one out.
pub async fn replacing_a_has_one_saves_at_once(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    let old = ann.create_badge(|b| b.set_label("old")).await?;
    let fresh = Badge::build(&db, |b| b.set_label("new"));
    assert_sql!(
        db,
        [
            r#"UPDATE "badges" SET "owner_id" = ? WHERE "badges"."id" = ?"#,
            r#"INSERT INTO "badges" ("label", "owner_id") VALUES (?, ?)"#,
        ],
        { ann.badge().replace(&fresh).await? }
    );
    assert!(fresh.is_persisted() && ann.badge().loaded().unwrap().is(&fresh));
    assert!(fresh.owner().loaded().unwrap().is(&ann));
    assert_eq!(old.owner_id(), None);
    assert!(old.owner().await?.is_none());
    assert_queries!(db, 0, { ann.badge().replace(&fresh).await? });
    fresh.set_label("newer");
    assert_queries!(db, 1, { ann.badge().replace(&fresh).await? });
    assert_sql!(
        db,
        [r#"UPDATE "badges" SET "owner_id" = ? WHERE "badges"."id" = ?"#],
        { ann.badge().replace(None).await? }
    );
    assert!(assert_queries!(db, 0, { ann.badge().await? }).is_none());
    assert_eq!(
        Badge::all(&db).pluck(|b| b.owner_id).await?,
        [None, None],
        "nothing was deleted"
    );
    Ok(())
}

/// A has_one that cannot be replaced stays.
pub async fn a_has_one_that_cannot_be_replaced_stays(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    let old = ann.create_badge(|b| b.set_label("old")).await?;
    let bad = Badge::build(&db, |b| b.set_label(""));
    let error = ann.badge().replace(&bad).await.unwrap_err();
    assert!(error.is_record_not_saved());
    assert_eq!(
        error.to_string(),
        "Failed to save the new associated badge."
    );
    assert!(error.record::<Badge>().unwrap().is(&bad));
    assert!(ann.badge().loaded().unwrap().is(&old));
    assert_eq!((old.owner_id(), bad.owner_id()), (Some(1), None));
    assert!(!old.is_changed());
    assert_eq!(Badge::find(&db, old.id()).await?.owner_id(), Some(1));
    old.set_label("");
    let error = ann.badge().replace(None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Failed to remove the existing associated badge. The record failed to save after its foreign key was set to nil."
    );
    assert!(error.record::<Badge>().unwrap().is(&old));
    assert!(ann.badge().loaded().unwrap().is(&old));
    Ok(())
}

/// Every statement of replacing a has_one may fail.
pub async fn every_statement_of_replacing_a_has_one_may_fail(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    let old = ann.create_badge(|b| b.set_label("old")).await?;
    for nth in 1.. {
        let fresh = Badge::build(&db, |b| b.set_label("new"));
        db.faults().fail_nth(nth, ErrorKind::DiskFull);
        let replaced = ann.badge().replace(&fresh).await;
        db.faults().clear();
        if replaced.is_ok() {
            assert_eq!(nth, 5, "BEGIN, UPDATE, INSERT, COMMIT");
            break;
        }
        assert!(ann.badge().loaded().unwrap().is(&old), "{nth}");
        assert!(fresh.is_new_record() && fresh.owner_id().is_none());
        assert!(old.owner_id() == Some(1) && !old.is_changed());
        assert!(old.owner().loaded().unwrap().is(&ann));
        assert_eq!(Badge::all(&db).pluck(|b| b.owner_id).await?, [Some(1)]);
    }
    Ok(())
}

/// A has_one set in memory takes its place when the owner is saved.
pub async fn a_has_one_set_in_memory_takes_its_place_with_the_owner(
    backend: &Backend,
) -> Result<()> {
    let db = shop(backend).await?;
    let owner = ann(&db).await?;
    let old = owner.create_badge(|b| b.set_label("old")).await?;
    let owner = Owner::find(&db, owner.id()).await?;
    let fresh = assert_queries!(db, 0, {
        owner.build_badge(|b| b.set_label("never"));
        owner.build_badge(|b| b.set_label("new"))
    });
    assert_sql!(
        db,
        [
            r#"SELECT "badges".* FROM "badges" WHERE "badges"."owner_id" = ? LIMIT 1"#,
            r#"UPDATE "badges" SET "owner_id" = ? WHERE "badges"."id" = ?"#,
            r#"INSERT INTO "badges" ("label", "owner_id") VALUES (?, ?)"#,
        ],
        { owner.save().await? }
    );
    assert!(owner.badge().loaded().unwrap().is(&fresh));
    assert_queries!(db, 0, { owner.save().await? });
    assert_eq!(
        Badge::all(&db).pluck(|b| b.owner_id).await?,
        [None, Some(1)]
    );
    old.reload().await?;
    owner.set_badge(&old);
    assert_queries!(db, 2, { owner.save().await? });
    assert_eq!(fresh.owner_id(), None, "the object that was there is told");
    owner.set_badge(None);
    assert_queries!(db, 1, { owner.save().await? });
    assert_eq!(Badge::all(&db).pluck(|b| b.owner_id).await?, [None, None]);
    Ok(())
}

/// Creating a has_one takes the old one out first, and says when it cannot.
pub async fn creating_a_has_one_takes_the_old_one_out(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let member = Member::create(&db, |m| m.set_name("Ann")).await?;
    let old = member
        .create_card(|c| c.set_number("1").set_seal(Some("x")))
        .await?;
    let new = member
        .create_card(|c| c.set_number("2").set_seal(Some("y")))
        .await?;
    assert!(member.card().loaded().unwrap().is(&new));
    assert_eq!(old.member_id(), None);
    new.set_seal(None);
    let error = member.create_card(|c| c.set_number("3")).await.unwrap_err();
    assert!(error.is_record_not_saved(), "{error}");
    assert!(error.record::<Card>().unwrap().is(&new));
    assert_eq!(
        Card::all(&db).pluck(|c| c.member_id).await?,
        [None, Some(1)]
    );
    let nobody = Member::new(&db);
    let error = nobody.create_card(|c| c.set_number("4")).await.unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with("You cannot call create unless the parent is saved: "));
    Ok(())
}

/// A belongs_to that is created is assigned, valid or not.
pub async fn a_belongs_to_that_is_created_is_assigned_valid_or_not(
    backend: &Backend,
) -> Result<()> {
    let db = shop(backend).await?;
    let toy = Toy::create(&db, |t| t.set_title("a")).await?;
    let bob = toy.create_owner(|o| o.set_name("Bob")).await?;
    assert_eq!(toy.owner_id(), Some(bob.id()));
    assert_eq!(
        Toy::find(&db, 1).await?.owner_id(),
        None,
        "the owner is not saved"
    );
    let bad = toy.create_owner(|o| o.set_name("")).await.saved()?;
    assert!(bad.is_new_record() && toy.owner().loaded().unwrap().is(&bad));
    assert_eq!(toy.owner_id(), None);
    assert_queries!(db, 0, { toy.save().await? });
    assert!(bad.is_new_record(), "an invalid parent is left out");
    toy.owner().replace(&bob).await?;
    assert_eq!(Toy::find(&db, 1).await?.owner_id(), Some(bob.id()));
    Ok(())
}

/// An invalid new parent is left out where it may be missing, and refused where not.
pub async fn an_invalid_new_parent_is_left_out_or_refused(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let nobody = Owner::build(&db, |o| o.set_name(""));
    let toy = Toy::build(&db, |t| t.set_title("a").set_owner(&nobody));
    assert_sql!(
        db,
        [r#"INSERT INTO "toys" ("title", "kind", "stars") VALUES (?, ?, ?)"#],
        { toy.save().await? }
    );
    assert_eq!(nobody.errors().full_messages(), ["Name can't be blank"]);
    nobody.set_name("Bob");
    assert_queries!(db, 2, { toy.save().await? });
    assert_eq!(toy.owner_id(), Some(nobody.id()));
    let db = crate::blog::empty(backend).await?;
    let nobody = crate::blog::Person::build(&db, |p| p.set_name(""));
    let post = crate::blog::Post::build(&db, |p| p.set_title("a").set_stars(1).set_author(&nobody));
    let error = assert_queries!(db, 0, { post.save().await.unwrap_err() });
    assert_eq!(error.to_string(), "Validation failed: Name can't be blank");
    assert!(error.record::<crate::blog::Person>().unwrap().is(&nobody));
    Ok(())
}

/// New members are validated with their owner unless told otherwise.
pub async fn new_members_are_validated_with_their_owner_unless_told_otherwise(
    backend: &Backend,
) -> Result<()> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    ann.toys().build(|t| t.set_title(""));
    assert!(!ann.is_valid().await?);
    assert_eq!(ann.errors().full_messages(), ["Toys is invalid"]);
    assert!(!ann.save().await.saved()?);
    let ann = Owner::find(&db, ann.id()).await?;
    ann.toys().await?[0].set_title("");
    assert!(
        ann.is_valid().await?,
        "those that are saved are not looked at"
    );
    let bob = Owner::build(&db, |o| o.set_name("Bob"));
    let loose = bob.loose().build(|t| t.set_title(""));
    assert!(bob.is_valid().await?);
    assert_queries!(db, 1, { bob.save().await? });
    assert!(
        loose.is_new_record(),
        "a member that is not valid is left out"
    );
    let cat = Owner::build(&db, |o| o.set_name("Cat"));
    cat.toys().build(|t| t.set_title(""));
    let error = cat
        .save_with(SaveOptions::new().validate(false))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "Validation failed: Toys is invalid");
    assert!(cat.is_new_record());
    Ok(())
}

/// Autosave saves what changed, destroys what is marked and takes errors over.
pub async fn autosave_saves_what_changed_and_destroys_what_is_marked(
    backend: &Backend,
) -> Result<()> {
    let db = shop(backend).await?;
    let album = Album::create(&db, |a| a.set_name("one")).await?;
    album.songs().create(|s| s.set_title("a")).await?;
    album.songs().create(|s| s.set_title("b")).await?;
    let album = Album::find(&db, 1).await?;
    let songs = album.songs().await?;
    songs[0].set_title("a2");
    songs[1].mark_for_destruction();
    album.songs().build(|s| s.set_title("c"));
    assert!(!album.is_changed() && album.is_changed_for_autosave());
    assert_sql!(
        db,
        [
            r#"DELETE FROM "songs" WHERE "songs"."id" = ?"#,
            r#"UPDATE "songs" SET "title" = ? WHERE "songs"."id" = ?"#,
            r#"INSERT INTO "songs" ("title", "album_id") VALUES (?, ?)"#,
        ],
        { album.save().await? }
    );
    let titles = album.songs().loaded().unwrap();
    assert_eq!(
        titles.iter().map(Song::title).collect::<Vec<_>>(),
        ["a2", "c"]
    );
    assert!(!album.is_changed_for_autosave());
    titles[0].set_title("");
    assert!(!album.save().await.saved()?);
    assert_eq!(
        album.errors().full_messages(),
        ["Songs title can't be blank"]
    );
    assert_eq!(album.errors().on("songs.title"), ["can't be blank"]);
    titles[0].mark_for_destruction();
    assert!(
        album.is_valid().await?,
        "what is to be destroyed need not be valid"
    );
    Ok(())
}

/// Autosave reaches over several levels and to parents.
pub async fn autosave_reaches_over_levels_and_to_parents(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let album = Album::build(&db, |a| a.set_name("one"));
    let writer = Writer::build(&db, |w| w.set_name("Ann"));
    album
        .songs()
        .build(|s| s.set_title("a").set_writer(&writer));
    assert_queries!(db, 3, { album.save().await? });
    writer.set_name("Anna");
    assert!(album.is_changed_for_autosave(), "over its songs");
    assert_sql!(
        db,
        [r#"UPDATE "writers" SET "name" = ? WHERE "writers"."id" = ?"#],
        { album.save().await? }
    );
    let song = album.songs().target().remove(0);
    writer.set_name("");
    assert!(!song.save().await.saved()?);
    assert_eq!(
        song.errors().full_messages(),
        ["Writer name can't be blank"]
    );
    writer.set_name("Anna");
    writer.mark_for_destruction();
    assert_sql!(
        db,
        [
            r#"UPDATE "songs" SET "writer_id" = ? WHERE "songs"."id" = ?"#,
            r#"DELETE FROM "writers" WHERE "writers"."id" = ?"#,
        ],
        { song.save().await? }
    );
    assert_eq!(song.writer_id(), None);
    Ok(())
}

/// Autosave off saves no target, new or not.
pub async fn autosave_off_saves_no_target(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let album = Album::build(&db, |a| a.set_name("one"));
    let cover = album.build_cover(|c| c);
    assert_queries!(db, 1, { album.save().await? });
    assert!(cover.is_new_record());
    let other = Album::build(&db, |a| a.set_name("two"));
    let cover = Cover::build(&db, |c| c.set_album(&other));
    assert_queries!(db, 1, { cover.save().await? });
    assert!(other.is_new_record() && cover.album_id().is_none());
    Ok(())
}

/// A graph of twenty new records: each row once, keys filled, and whichever statement fails, nothing happened.
pub async fn a_graph_of_twenty_is_saved_once_or_not_at_all(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let graph = || {
        let root = Node::build(&db, |n| n.set_label("root"));
        let mut all = vec![root.clone()];
        for branch in 0..3 {
            let child = root.children().build(|n| n.set_label(format!("{branch}")));
            all.push(child.clone());
            for leaf in 0..5 {
                let leaf = child
                    .children()
                    .build(|n| n.set_label(format!("{branch}.{leaf}")));
                all.push(leaf);
            }
        }
        let loner = Node::build(&db, |n| n.set_label("loner"));
        // Two that wait for each other, and one that waits for itself through its parent.
        root.set_favourite(&loner);
        loner.set_favourite(&root);
        all[2].set_favourite(&root);
        all.push(loner);
        assert_eq!(all.len(), 20);
        all
    };
    for nth in 1.. {
        let all = graph();
        db.faults().fail_nth(nth, ErrorKind::DiskFull);
        let capture = db.capture();
        let saved = all[0].save().await;
        let seen = db.faults().clear();
        if saved.is_ok() {
            assert_eq!(
                seen, 23,
                "BEGIN, 20 INSERTs, an UPDATE for the cycle, COMMIT"
            );
            let inserts = capture.texts();
            assert_eq!(
                inserts
                    .iter()
                    .filter(|sql| sql.starts_with("INSERT"))
                    .count(),
                20
            );
            break;
        }
        assert!(
            all.iter().all(|node| node.is_new_record()),
            "statement {nth}"
        );
        assert!(
            all.iter()
                .all(|node| node.id() == 0 && node.parent_id().is_none() || !node.is_persisted()),
            "statement {nth}"
        );
        assert_eq!(Node::all(&db).count().await?, 0, "statement {nth}");
        assert_eq!(db.figures().writers, 0);
        // What failed once is saved the next time.
        if nth == 9 {
            all[0].save().await?;
            assert_eq!(Node::all(&db).count().await?, 20);
            Node::all(&db).delete_all().await?;
        }
    }
    let rows = Node::all(&db)
        .order(|n| n.id.asc())
        .pluck(|n| (n.label, n.parent_id, n.favourite_id))
        .await?;
    assert_eq!(rows.len(), 20);
    let id = |label: &str| Node::all(&db).filter(|n| n.label.eq(label)).pick(|n| n.id);
    let (root, loner) = (id("root").await?, id("loner").await?);
    for (label, parent, favourite) in &rows {
        match label.as_str() {
            "root" => assert_eq!((*parent, *favourite), (None, loner)),
            "loner" => assert_eq!((*parent, *favourite), (None, root)),
            one if one.len() == 1 => assert_eq!(*parent, root),
            leaf => assert_eq!(*parent, id(&leaf[..1]).await?),
        }
    }
    Ok(())
}

/// What is set to null is written as null, whatever the table's default is.
pub async fn what_is_set_to_null_is_written_as_null(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let unset = Toy::build(&db, |t| t.set_title("a"));
    unset.save().await?;
    assert_eq!(Toy::find(&db, 1).await?.kind(), Some("hard"));
    let null = Toy::build(&db, |t| t.set_title("b").set_kind(None));
    assert_sql!(
        db,
        [r#"INSERT INTO "toys" ("title", "kind", "stars") VALUES (?, ?, ?)"#],
        { null.save().await? }
    );
    assert_eq!(Toy::find(&db, 2).await?.kind(), None);
    let set_again = Toy::build(&db, |t| t.set_title("c").set_kind(None).set_kind(Some("x")));
    set_again.save().await?;
    let copy = null.dup();
    copy.save().await?;
    assert_eq!(
        Toy::all(&db)
            .order(|t| t.id.asc())
            .pluck(|t| t.kind)
            .await?,
        [Some("hard".to_owned()), None, Some("x".to_owned()), None]
    );
    Ok(())
}

/// A default is no change, and a rolled-back save tells of none.
pub async fn a_default_is_no_change(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let toy = Toy::build(&db, |t| t.set_title("a"));
    assert_eq!(toy.changed(), ["title"]);
    toy.save().await?;
    let saved: Vec<&str> = toy
        .saved_changes()
        .into_iter()
        .map(|(name, ..)| name)
        .collect();
    assert_eq!(saved, ["id", "title"]);
    let rolled_back: Result<()> = db
        .transaction(async || {
            toy.update(|t| t.set_title("b")).await?;
            Err(relata::Error::new(ErrorKind::Rollback, "no"))
        })
        .await;
    assert!(rolled_back.is_err());
    assert!(toy.saved_changes().is_empty() && toy.changed() == ["title"]);
    Ok(())
}

/// Strict loading does not keep a record from being validated.
pub async fn strict_records_are_validated(backend: &Backend) -> Result<()> {
    let db = crate::blog::blog(backend).await?;
    let post = crate::blog::Post::all(&db)
        .strict_loading()
        .first_or_fail()
        .await?;
    post.set_author_id(2);
    assert!(assert_queries!(db, 1, { post.is_valid().await? }));
    post.set_author_id(99);
    assert!(!post.is_valid().await?);
    assert_eq!(post.errors().to_vec()[0].kind, "blank");
    assert_eq!(post.errors().full_messages(), ["Author must exist"]);
    Ok(())
}

/// Setters of text take every text.
pub async fn setters_of_text_take_every_text(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let owned = String::from("owned");
    let toy = Toy::new(&db);
    toy.set_title("literal");
    assert_eq!(toy.title(), "literal");
    toy.set_title(&owned);
    assert_eq!(toy.title(), "owned");
    toy.set_title(format!("{owned}!"));
    assert_eq!(toy.title(), "owned!");
    toy.set_title(std::borrow::Cow::from("cow"));
    assert_eq!(toy.title(), "cow");
    Ok(())
}

fn diary() -> &'static [&'static ModelReflection; 3] {
    static MODELS: OnceLock<[&ModelReflection; 3]> = OnceLock::new();
    MODELS.get_or_init(|| {
        let time = AttributeType::plain(Kind::Timestamp, true);
        let model = |table: &str, timestamps| {
            ModelBuilder::new("Entry", table)
                .column(Column::new("id", AttributeType::plain(Kind::Int, false)))
                .column(Column::new("text", AttributeType::plain(Kind::Text, true)))
                .column(Column::new("created_at", time))
                .column(Column::new("updated_at", time))
                .column(Column::new("changed_at", time))
                .primary_key(["id"])
                .timestamps(timestamps)
                .define()
                .unwrap()
        };
        let named = Timestamps::Named {
            created: None,
            updated: Some("changed_at"),
        };
        [
            model("entries", Timestamps::Conventional),
            model("silent_entries", Timestamps::Off),
            model("named_entries", named),
        ]
    })
}

/// Times are kept by Rails' names, by other names, or not at all.
pub async fn times_are_kept_by_name_or_not_at_all(backend: &Backend) -> Result<()> {
    let db = backend.open().await?;
    db.create_tables(diary().to_owned()).await?;
    let times = |record: &Record| {
        ["created_at", "updated_at", "changed_at"].map(|name| match record.get(name) {
            Ok(Value::Timestamp(micros)) => Some(micros),
            _ => None,
        })
    };
    let wanted = [
        (
            [Some(1), Some(1), None],
            [Some(1), Some(2), None],
            [Some(1), Some(3), None],
        ),
        ([None; 3], [None; 3], [None; 3]),
        (
            [None, None, Some(1)],
            [None, None, Some(2)],
            [None, None, Some(3)],
        ),
    ];
    for (model, (created, updated, touched)) in diary().iter().zip(wanted) {
        db.stop_clock_at(1);
        let entry = Record::new(model, &db);
        entry.set("text", "a")?.save().await?;
        assert_eq!(times(&entry), created);
        db.stop_clock_at(2);
        entry.set("text", "b")?.save().await?;
        assert_eq!(times(&entry), updated);
        entry.set("text", "c")?;
        entry.save_with(SaveOptions::new().touch(false)).await?;
        assert_eq!(times(&entry), updated);
        db.stop_clock_at(3);
        entry.touch().await?;
        assert_eq!(times(&entry), touched);
        assert!(!entry.is_changed());
        entry.reload().await?;
        assert_eq!(times(&entry), touched);
    }
    Ok(())
}
