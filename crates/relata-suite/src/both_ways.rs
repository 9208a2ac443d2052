//! What an association and a relation do, with types and by name: the same statements, the same rows.
//!
//! Invariant: each line says the SQL, and both ways are held against it.

use relata::association::Removal;
use relata::{Db, ErrorKind, Record, Relation, Result, Value, model};

use crate::Backend;
use crate::shop::{Owner, Toy, Writer, ann, rows, shop, toys};

/// What a future sends, without BEGIN and the like.
async fn sent<T>(db: &Db, asking: impl Future<Output = Result<T>>) -> Result<(Vec<String>, T)> {
    let capture = db.capture();
    let given = asking.await?;
    Ok((capture.texts(), given))
}

fn titles(records: &[Record]) -> Result<Vec<String>> {
    let title = |record: &Record| Ok(record.get("title")?.as_str().unwrap_or_default().to_owned());
    records.iter().map(title).collect()
}

fn named(toys: &[Toy]) -> Vec<String> {
    toys.iter().map(|toy| toy.title().to_owned()).collect()
}

/// Asks an owner of whom nothing is in memory in both ways, and compares what they send with each other and with what it
/// is said to be.
macro_rules! both {
    ($db:expr, $sql:expr, |$toys:ident| $typed:expr, |$by_name:ident| $erased:expr) => {{
        let owner = Owner::find($db, 1).await?;
        let $toys = owner.toys();
        let (with_types, one) = sent($db, async { $typed }).await?;
        let owner = Owner::find($db, 1).await?;
        let $by_name = owner.association("toys")?;
        let (by_name, other) = sent($db, async { $erased }).await?;
        assert_eq!(with_types, $sql);
        assert_eq!(by_name, with_types);
        assert_eq!(one, other, "{}", $sql.join("; "));
        one
    }};
}

const OF: &str = r#"SELECT "toys".* FROM "toys" WHERE "toys"."owner_id" = ?"#;

/// Every reader of a collection.
pub async fn a_collection_is_read_by_the_same_statements(backend: &Backend) -> Result<()> {
    let db = &shop(backend).await?;
    ann(db).await?;
    let title = |toy: Option<Toy>| toy.map(|toy| toy.title().to_owned());
    let name = |toy: Option<Record>| -> Result<Option<String>> {
        Ok(toy
            .map(|toy| titles(&[toy]))
            .transpose()?
            .and_then(|mut one| one.pop()))
    };
    let asked = |rest: &str| [format!("{OF}{rest}")];

    let all = both!(db, asked(""), |t| Ok(named(&t.load().await?)), |t| titles(
        &t.load_many().await?
    ));
    assert_eq!(all, ["a", "b", "c"]);
    let length = both!(db, asked(""), |t| t.len().await, |t| t.len().await);
    assert_eq!(length, 3);
    let first = asked(r#" ORDER BY "toys"."id" ASC LIMIT 1"#);
    let one = both!(db, first, |t| Ok(title(t.first().await?)), |t| name(
        t.first().await?
    ));
    assert_eq!(one.as_deref(), Some("a"));
    let last = asked(r#" ORDER BY "toys"."id" DESC LIMIT 1"#);
    let one = both!(db, last, |t| Ok(title(t.last().await?)), |t| name(
        t.last().await?
    ));
    assert_eq!(one.as_deref(), Some("c"));
    let any = asked(" LIMIT 1");
    let one = both!(db, any, |t| Ok(title(t.take().await?)), |t| name(
        t.take().await?
    ));
    assert_eq!(one.as_deref(), Some("a"));
    let first = asked(r#" ORDER BY "toys"."id" ASC LIMIT 2"#);
    let two = both!(db, first, |t| Ok(named(&t.first_n(2).await?)), |t| titles(
        &t.first_n(2).await?
    ));
    assert_eq!(two, ["a", "b"]);
    let last = asked(r#" ORDER BY "toys"."id" DESC LIMIT 2"#);
    let two = both!(db, last, |t| Ok(named(&t.last_n(2).await?)), |t| titles(
        &t.last_n(2).await?
    ));
    assert_eq!(two, ["b", "c"]);
    let any = asked(" LIMIT 2");
    let two = both!(db, any, |t| Ok(named(&t.take_n(2).await?)), |t| titles(
        &t.take_n(2).await?
    ));
    assert_eq!(two, ["a", "b"]);
    let counted = [r#"SELECT COUNT(*) FROM "toys" WHERE "toys"."owner_id" = ?"#];
    assert_eq!(
        both!(db, counted, |t| t.count().await, |t| t.count().await),
        3
    );
    assert_eq!(
        both!(db, counted, |t| t.size().await, |t| t.size().await),
        3
    );
    let found = asked(r#" AND "toys"."title" = ? LIMIT 1"#);
    let one = both!(
        db,
        found,
        |t| Ok(title(t.find_by(|t| t.title.eq("b")).await?)),
        |t| name(t.relation().filter_by("title", "b")?.take().await?)
    );
    assert_eq!(one.as_deref(), Some("b"));
    let any = [r#"SELECT 1 AS one FROM "toys" WHERE "toys"."owner_id" = ? LIMIT 1"#];
    let there = both!(db, any, |t| t.exists().await, |t| t
        .relation()
        .exists()
        .await);
    assert!(there);
    // Each knows its owner already.
    let included = asked(r#" ORDER BY "toys"."id" DESC"#);
    let all = both!(
        db,
        included,
        |t| Ok(named(&t.includes(|t| t.owner).reverse_order().await?)),
        |t| titles(
            &t.relation()
                .includes_named(["owner"])?
                .reverse_order()
                .await?
        )
    );
    assert_eq!(all, ["c", "b", "a"]);
    Ok(())
}

/// Reading again forgets what memory knew, and asks once.
pub async fn an_association_is_read_again_by_name(backend: &Backend) -> Result<()> {
    let db = &shop(backend).await?;
    let ann = ann(db).await?;
    let toys = ann.association("toys")?;
    assert_eq!(toys.len().await?, 3);
    assert!(toys.is_loaded() && toys.owner().is(&*ann));
    assert_eq!(toys.klass()?, Some(Toy::reflection()));
    Toy::all(db)
        .filter(|t| t.title.eq("b"))
        .delete_all()
        .await?;
    assert_eq!(sent(db, toys.len()).await?, (vec![], 3));
    let (asked, ()) = sent(db, toys.reload()).await?;
    assert_eq!(asked, [OF]);
    assert_eq!(titles(&toys.target())?, ["a", "c"]);

    let toy = Toy::find(db, 1).await?;
    let owner = toy.association("owner")?;
    let (asked, found) = sent(db, owner.load_one()).await?;
    assert_eq!(
        asked,
        [r#"SELECT "owners".* FROM "owners" WHERE "owners"."id" = ?"#]
    );
    Owner::all(db).update_all(|o| o.name.set("Anna")).await?;
    let (asked, ()) = sent(db, owner.reload()).await?;
    assert_eq!(
        asked,
        [r#"SELECT "owners".* FROM "owners" WHERE "owners"."id" = ?"#]
    );
    let again = owner.load_one().await?.expect("there is one");
    assert_eq!(again.get("name")?, Value::from("Anna"));
    assert_eq!(
        found.expect("there was one").get("name")?,
        Value::from("Ann")
    );
    Ok(())
}

/// Every way out of a collection, each of Ann's three toys.
pub async fn members_leave_by_the_same_statements(backend: &Backend) -> Result<()> {
    let nulls = r#"UPDATE "toys" SET "owner_id" = ? WHERE "toys"."owner_id" = ?"#;
    let deletes = r#"DELETE FROM "toys" WHERE "toys"."owner_id" = ?"#;
    let each = r#"DELETE FROM "toys" WHERE "toys"."id" = ?"#;
    let free = [("a", None), ("b", None), ("c", None)];
    for by_name in [false, true] {
        let left: [(&[&str], &[_]); 4] = [
            (&[nulls], &free),
            (&[nulls], &free),
            (&[deletes], &[]),
            (&[OF, each, each, each], &[]),
        ];
        for (way, (said, left)) in left.into_iter().enumerate() {
            let db = &shop(backend).await?;
            let ann = ann(db).await?;
            let (with_types, named) = (ann.toys(), ann.association("toys")?);
            let leaving = async {
                Ok(match (way, by_name) {
                    (0, false) => with_types.clear().await.map(|()| 3)?,
                    (0, true) => named.clear().await.map(|()| 3)?,
                    (1, false) => with_types.delete_all().await?,
                    (1, true) => named.delete_all().await?,
                    (2, false) => with_types.delete_all_with(Removal::Delete).await?,
                    (2, true) => named.delete_all_with(Removal::Delete).await?,
                    (_, false) => with_types.destroy_all().await?.len() as u64,
                    (_, true) => named.destroy_all().await?.len() as u64,
                })
            };
            let (asked, gone) = sent(db, leaving).await?;
            assert_eq!(asked, said);
            assert_eq!(gone, 3);
            assert_eq!(toys(db).await?, rows(left));
            assert!(ann.toys().is_empty().await?);
        }
    }
    Ok(())
}

/// What is made in memory asks nothing, and goes with its owner.
pub async fn what_is_built_by_name_is_saved_with_its_owner(backend: &Backend) -> Result<()> {
    let db = &shop(backend).await?;
    let ann = ann(db).await?;
    let association = ann.association("toys")?;
    let capture = db.capture();
    let built = association.build()?;
    built.set("title", "built")?;
    let apart = association.build_of(None, |toy| {
        let _ = toy.set("title", "apart");
    })?;
    assert_eq!(apart.get("owner_id")?, Value::from(ann.id()));
    let of_all = Record::build(Toy::reflection(), db, |toy| {
        let _ = toy.set("title", "added");
    });
    let wrong = association.build_of(Some(Writer::reflection()), |_| {});
    assert_eq!(
        wrong.unwrap_err().kind(),
        ErrorKind::AssociationTypeMismatch
    );
    // Memory alone: the record is shown among the members, and stays whose it was.
    let shown = Toy::build(db, |t| t.set_title("shown"));
    association.add_to_target(&shown)?;
    assert_eq!(shown.owner_id(), None);
    assert_eq!(titles(&association.target())?, ["built", "shown"]);
    assert_eq!(capture.count(), 0);

    let (asked, ()) = sent(db, association.concat([apart.clone(), of_all.clone()])).await?;
    assert!(
        asked.len() == 2
            && asked
                .iter()
                .all(|text| text.starts_with(r#"INSERT INTO "toys""#))
    );
    assert_eq!(of_all.get("owner_id")?, Value::from(ann.id()));
    ann.save().await?;
    let saved: Vec<String> = toys(db)
        .await?
        .into_iter()
        .map(|(title, _)| title)
        .collect();
    assert_eq!(saved, ["a", "b", "c", "apart", "added", "built", "shown"]);
    Ok(())
}

/// Whether a save led to another target, by name.
pub async fn a_changed_target_is_told_by_name(backend: &Backend) -> Result<()> {
    let db = &shop(backend).await?;
    let ann = ann(db).await?;
    let bob = Owner::create(db, |o| o.set_name("Bob")).await?;
    let toy = Toy::find(db, 1).await?;
    let owner = toy.association("owner")?;
    assert_eq!((owner.is_changed(), owner.was_changed()), (false, false));
    toy.set_owner(&bob);
    assert_eq!((owner.is_changed(), owner.was_changed()), (true, false));
    assert_eq!(
        (toy.owner_changed(), toy.owner_previously_changed()),
        (true, false)
    );
    toy.save().await?;
    assert_eq!((owner.is_changed(), owner.was_changed()), (false, true));
    assert_eq!(
        (toy.owner_changed(), toy.owner_previously_changed()),
        (false, true)
    );
    toy.set_title("again").save().await?;
    assert_eq!((owner.is_changed(), owner.was_changed()), (false, false));
    assert!(!ann.association("toys")?.was_changed());
    Ok(())
}

/// What a relation gives the records that are made through it.
pub async fn a_relation_gives_values_by_name(backend: &Backend) -> Result<()> {
    let db = &shop(backend).await?;
    let ann = ann(db).await?;
    let soft = || Relation::of(Toy::reflection(), db).create_with_value("kind", "soft");
    let built = soft()?.filter_by("title", "d")?.build_record()?;
    assert_eq!(
        (built.get("title")?, built.get("kind")?),
        ("d".into(), "soft".into())
    );
    assert!(soft()?.create_with_value("knid", 1).is_err());
    let of_ann = ann.association("toys")?.relation();
    let member = of_ann.filter_by("stars", 3)?.build_member(|toy| {
        let _ = toy.set("title", "member");
    })?;
    assert_eq!(member.get("stars")?, Value::from(3));
    let (asked, ()) = sent(db, ann.save()).await?;
    assert_eq!(asked.len(), 1, "the member goes with its owner");
    assert_eq!(toys(db).await?[3], ("member".to_owned(), Some(ann.id())));
    Ok(())
}

/// SQL of one's own that names a table makes an include of it a join.
pub async fn a_table_that_sql_names_is_joined(backend: &Backend) -> Result<()> {
    let db = &shop(backend).await?;
    ann(db).await?;
    let condition = || relata::Raw::new(r#""owner"."name" = ?"#).bind("Ann");
    let all = || Relation::of(Toy::reflection(), db).includes_named(["owner"]);
    let typed = Toy::all(db).includes(|t| t.owner).references(|t| t.owner);
    let said = typed.to_sql();
    assert!(said.contains(r#"LEFT OUTER JOIN "owners""#), "{said}");
    assert_eq!(all()?.references_named("owner")?.to_sql(), said);
    assert_eq!(all()?.references_all().to_sql(), said);
    assert!(all()?.references_named("onwer").is_err());
    let alias = if said.contains(r#""owners" "owner""#) {
        condition()
    } else {
        relata::Raw::new(r#""owners"."name" = ?"#).bind("Ann")
    };
    let joined = all()?.references_all().filter_sql(alias);
    let (asked, found) = sent(db, async { joined.await }).await?;
    assert_eq!((asked.len(), found.len()), (1, 3));
    assert!(found[0].association("owner")?.is_loaded());
    let one = Relation::of(Toy::reflection(), db);
    assert_eq!(
        one.clone().select_named(["title"])?.selected_name(),
        Some("title")
    );
    assert_eq!(one.selected_name(), None);
    Ok(())
}

/// A row that is there, by a unique index.
#[model]
pub struct Price {
    id: i64,
    #[column(unique)]
    code: String,
    cents: i64,
    note: Option<String>,
}

/// Rows that are there get what `update_only` names, by name as with types.
pub async fn upserts_name_index_and_columns(backend: &Backend) -> Result<()> {
    for by_name in [false, true] {
        let db = &backend.open().await?;
        db.create_tables([Price::reflection()]).await?;
        Price::create(db, |p| p.set_code("x").set_cents(1).set_note(Some("old"))).await?;
        let row = |code, cents| {
            Price::build(db, |p| {
                p.set_code(code).set_cents(cents).set_note(Some("new"))
            })
        };
        let new = [row("x", 2), row("y", 3)];
        let all = Price::all(db);
        let asked = match by_name {
            false => {
                let upsert = all.upsert_all(&new);
                let upsert = upsert.unique_by(|p| p.code).update_only(|p| p.cents);
                sent(db, async { upsert.await }).await?.0
            }
            true => {
                let records = new.iter().map(|one| (**one).clone());
                let upsert = all.erased().upsert_records(records);
                let upsert = upsert
                    .unique_by_named(["code"])
                    .update_only_named(["cents"]);
                sent(db, async { upsert.await }).await?.0
            }
        };
        assert_eq!(asked.len(), 1);
        let end = r#"ON CONFLICT ("code") DO UPDATE SET "cents" = excluded."cents""#;
        assert!(asked[0].ends_with(end), "{}", asked[0]);
        let kept = Price::all(db).order(|p| p.code.asc());
        let kept = kept.pluck(|p| (p.code, p.cents, p.note)).await?;
        let note = |text: &str| Some(text.to_owned());
        assert_eq!(
            kept,
            [
                ("x".to_owned(), 2, note("old")),
                ("y".to_owned(), 3, note("new"))
            ]
        );
        let records = new.iter().map(|one| (**one).clone());
        let unknown = Price::all(db).erased().upsert_records(records);
        let error = unknown.unique_by_named(["cod"]).await.unwrap_err();
        assert!(
            error.is_unknown_attribute() && error.to_string().contains("`code`"),
            "{error}"
        );
    }
    Ok(())
}

/// Rows of a collection that are there get new values, and new ones get the owner's key.
pub async fn a_collection_upserts_its_rows(backend: &Backend) -> Result<()> {
    let db = &shop(backend).await?;
    let ann = ann(db).await?;
    let row = |id, title| Toy::build(db, |t| t.set_id(id).set_title(title));
    let new = [row(2, "B"), row(9, "z")];
    let upsert = ann.toys().upsert_all(&new);
    let (asked, _) = sent(db, async { upsert.await }).await?;
    assert_eq!(asked.len(), 1);
    assert!(
        asked[0].contains(r#"ON CONFLICT ("id") DO UPDATE SET"#),
        "{}",
        asked[0]
    );
    let whose = Some(ann.id());
    let all = [("a", whose), ("B", whose), ("c", whose), ("z", whose)];
    assert_eq!(toys(db).await?, rows(&all));
    Ok(())
}

/// The least of a group, where groups are kept by it.
pub async fn groups_are_kept_by_their_least(backend: &Backend) -> Result<()> {
    let db = &shop(backend).await?;
    let ann = ann(db).await?;
    for (title, stars) in [("d", 4), ("e", 5)] {
        Toy::create(db, |t| {
            t.set_title(title).set_stars(stars).set_kind(Some("soft"))
        })
        .await?;
    }
    let groups = Toy::all(db).having(|t| t.stars.minimum().gt(3));
    let (asked, counts) = sent(db, groups.count_by(|t| t.kind)).await?;
    assert_eq!(
        asked,
        [
            r#"SELECT "toys"."kind", COUNT(*) FROM "toys" GROUP BY "toys"."kind" HAVING MIN("toys"."stars") > ?"#
        ]
    );
    assert_eq!(counts, [(Some("soft".to_owned()), 2)]);
    assert_eq!(ann.toys().count().await?, 3);
    Ok(())
}
