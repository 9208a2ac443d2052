//! What may be written and how: attributes that a saved record keeps.

use relata::attribute::{AttributeType, Held, Kind, Label};
use relata::reflection::{Column, Declared, Enumeration, ModelBuilder, Normalization};
use relata::relation::Scope;
use relata::{
    Attribute, Db, ErrorKind, Model, Raw, Record, Relation, Result, Value, assert_queries,
    assert_sql, model, scopes,
};

use crate::Backend;

/// How far a letter is.
#[derive(Attribute, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Being written.
    Draft,
    /// On its way.
    Sent,
    /// Under a name of its own.
    #[attribute(rename = "put-away")]
    Filed,
}

/// How soon it is needed.
#[derive(Attribute, Debug, Clone, Copy, PartialEq, Eq)]
#[attribute(repr = i64)]
pub enum Haste {
    /// Whenever.
    Low = 10,
    /// Now.
    High = 20,
}

/// Has labels, and an address that is always written alike.
#[model(default_scope = |letters| letters.filter(|l| l.burnt.eq(false)))]
pub struct Letter {
    id: i64,
    #[normalizes(with = |address| address.trim().to_lowercase())]
    #[column(unique)]
    address: String,
    #[normalizes(with = |name| name.split_whitespace().collect::<Vec<_>>().join(" "))]
    sender: Option<String>,
    #[normalizes(with = |town: Option<&str>| Some(town.unwrap_or("nowhere").to_owned()), apply_to_null)]
    town: Option<String>,
    #[enumeration(values = (Draft, Sent))]
    #[column(default = "draft")]
    stage: Stage,
    #[enumeration(values = (Low, High), prefix, suffix = "letter")]
    haste: Option<Haste>,
    #[column(default = false)]
    burnt: bool,
}

#[scopes]
impl Letter {
    /// The last that was written.
    #[scope]
    fn newest(letters: Relation<Self>) -> Relation<Self> {
        letters.order(|l| l.id.desc()).limit(1)
    }

    /// Those of one sender.
    #[scope]
    fn of(letters: Relation<Self>, sender: &str) -> Relation<Self> {
        letters.filter(|l| l.sender.eq(Some(sender)))
    }
}

/// Keeps letters.
#[model]
pub struct Tray {
    id: i64,
    #[has_many]
    notes: Note,
}

/// Lies in a tray.
#[model]
pub struct Note {
    id: i64,
    text: String,
    tray_id: Option<i64>,
    #[belongs_to]
    tray: Option<Tray>,
}

#[scopes]
impl Note {
    #[scope]
    fn long(notes: Relation<Self>, than: i64) -> Relation<Self> {
        notes.filter(|n| {
            n.text
                .like(&"_".repeat(usize::try_from(than).unwrap_or(0)).to_owned())
        })
    }

    #[scope]
    fn in_order(notes: Relation<Self>) -> Relation<Self> {
        notes.order(|n| n.text)
    }
}

/// A ticket under another name.
#[model(table = "tickets")]
pub struct Pass {
    id: i64,
    number: String,
    #[validates(presence)]
    stamps: Option<i64>,
}

/// Issues cards.
#[model]
pub struct Library {
    id: i64,
    name: String,
}

/// Keeps its number, and the library that issued it.
#[model]
pub struct Ticket {
    id: i64,
    #[attr_readonly]
    #[column(unique)]
    number: String,
    stamps: i64,
    #[attr_readonly]
    library_id: i64,
    #[belongs_to]
    library: Library,
}

async fn libraries(backend: &Backend) -> Result<(Db, Library, Ticket)> {
    let db = backend.open().await?;
    db.create_tables([Library::reflection(), Ticket::reflection()])
        .await?;
    let library = Library::create(&db, |l| l.set_name("Central")).await?;
    let ticket = Ticket::create(&db, |t| {
        t.set_number("first")
            .set_number("7")
            .set_stamps(0)
            .set_library(&library);
        t
    });
    let ticket = ticket.await?;
    Ok((db, library, ticket))
}

/// A saved record keeps its readonly attributes.
pub async fn a_saved_record_keeps_its_readonly_attributes(backend: &Backend) -> Result<()> {
    let (db, _, ticket) = libraries(backend).await?;
    let names: Vec<_> = Ticket::reflection().readonly_attributes().collect();
    assert_eq!(names, ["number", "library_id"]);
    let other = Library::create(&db, |l| l.set_name("Other")).await?;
    ticket.set_number("8").set_stamps(1);
    assert_queries!(db, 0, {
        let error = ticket.save().await.unwrap_err();
        assert!(error.is_readonly_attribute());
        assert_eq!(error.attribute(), Some("number"));
        assert_eq!(
            error.to_string(),
            "number is marked as readonly: a saved Ticket keeps the value that it was inserted with"
        );
    });
    ticket.restore_attributes();
    ticket.set_library(&other);
    assert_eq!(
        ticket.save().await.unwrap_err().attribute(),
        Some("library_id")
    );
    ticket.reload().await?;
    let row = ticket.update_columns([("number", "8".into())]).await;
    assert!(row.unwrap_err().is_readonly_attribute());
    assert!(
        ticket
            .set("number", "8")
            .unwrap_err()
            .is_readonly_attribute()
    );
    assert_sql!(
        db,
        [r#"UPDATE "tickets" SET "stamps" = ? WHERE "tickets"."id" = ?"#],
        { ticket.update(|t| t.set_stamps(2)).await? }
    );
    let again = Ticket::build(&db, |t| t.set_number("7").set_stamps(5).set_library(&other));
    Ticket::all(&db)
        .upsert_all([&again])
        .unique_by(|t| t.number)
        .await?;
    let row = Ticket::find(&db, ticket.id()).await?;
    assert_eq!((row.stamps(), row.library_id()), (5, 1));
    Ticket::all(&db).update_all(|t| t.number.set("9")).await?;
    assert_eq!(Ticket::find(&db, ticket.id()).await?.number(), "9");
    Ok(())
}

/// Readonly attributes by name are refused where they are set.
pub async fn readonly_attributes_by_name_are_refused_where_they_are_set(
    backend: &Backend,
) -> Result<()> {
    let plain = |name, kind| Column::new(name, AttributeType::plain(kind, true));
    let (to_parent, slot) = ModelBuilder::target("Shelf");
    let shelf = ModelBuilder::new("Shelf", "shelves")
        .column(plain("id", Kind::Int))
        .primary_key(["id"])
        .define()?;
    let _ = slot.set(shelf);
    let book = ModelBuilder::new("Book", "books")
        .column(plain("id", Kind::Int))
        .column(plain("shelf_id", Kind::Int))
        .primary_key(["id"])
        .association(Declared::new("Book", "belongs_to", "shelf")?.leading_to(to_parent)?)
        .attr_readonly(["shelf_id"])
        .define()?;
    let db = backend.open().await?;
    db.create_tables([shelf, book]).await?;
    let [one, other] = [Record::new(shelf, &db), Record::new(shelf, &db)];
    one.save().await?;
    other.save().await?;
    let placed = Record::new(book, &db);
    placed.association("shelf")?.set_target(Some(&one))?;
    placed.save().await?;
    let refused = placed.association("shelf")?.set_target(Some(&other));
    assert!(refused.unwrap_err().is_readonly_attribute());
    assert!(
        placed
            .set("shelf_id", 2)
            .unwrap_err()
            .is_readonly_attribute()
    );
    placed.association("shelf")?.set_target(Some(&one))?;
    assert!(!placed.is_changed());
    Ok(())
}

async fn letters(backend: &Backend) -> Result<Db> {
    let db = backend.open().await?;
    db.create_tables([Letter::reflection()]).await?;
    Ok(db)
}

/// Values are normalised where they are set and where they are asked for.
pub async fn values_are_normalised_where_they_are_set_and_asked_for(
    backend: &Backend,
) -> Result<()> {
    let db = letters(backend).await?;
    let letter = Letter::build(&db, |l| {
        l.set_address("  Ann@Example.ORG ")
            .set_sender(Some(" Ann  Lee "))
    });
    assert_eq!(letter.address(), "ann@example.org");
    assert_eq!(letter.sender(), Some("Ann Lee"));
    letter.set_town(None);
    assert_eq!(
        letter.town(),
        Some("nowhere"),
        "null is normalised on request"
    );
    assert_eq!(letter.clone().with(|l| l.set_sender(None)).sender(), None);
    letter.save().await?;
    let all = Letter::all(&db);
    let found = all
        .clone()
        .find_by(|l| l.address.eq("ANN@example.org "))
        .await?;
    assert_eq!(found.map(|one| one.id()), Some(letter.id()));
    let listed = all
        .clone()
        .filter(|l| l.address.is_in([" ANN@EXAMPLE.ORG", "x"]));
    assert_eq!(listed.count().await?, 1);
    let named = all
        .clone()
        .erased()
        .filter_by("address", "Ann@Example.org")?;
    assert_eq!(named.count().await?, 1);
    let again = all
        .find_or_create_by(|l| l.address.eq("ANN@EXAMPLE.ORG"), |l| l)
        .await?;
    assert_eq!(again.id(), letter.id());
    letter.set("address", " Bob@X ")?;
    assert_eq!(letter.address(), "bob@x");
    let kept = Letter::reflection().normalize_value_for("address", " Q ")?;
    assert_eq!(kept, Value::from("q"));
    letter
        .update_columns([("sender", " as  it   is ".into())])
        .await?;
    letter.reload().await?;
    assert_eq!(letter.sender(), Some("as it is"));
    Letter::all(&db)
        .update_all(|l| l.sender.set(Some(" a  b ".to_owned())))
        .await?;
    letter.reload().await?;
    assert_eq!(letter.sender(), Some("a b"));
    db.execute_sql(Raw::trusted(
        r#"UPDATE "letters" SET "sender" = ' old  one '"#.to_owned(),
    ))
    .await?;
    letter.reload().await?;
    assert_eq!(
        letter.sender(),
        Some(" old  one "),
        "what is stored is not touched"
    );
    letter.normalize_attribute("sender")?;
    assert_eq!(letter.changed(), ["sender"]);
    Ok(())
}

/// Labels are predicates, setters and scopes.
pub async fn labels_are_predicates_setters_and_scopes(backend: &Backend) -> Result<()> {
    let db = letters(backend).await?;
    let letter = Letter::create(&db, |l| l.set_address("a").set_haste(Some(Haste::Low))).await?;
    assert!(letter.is_draft() && !letter.is_sent() && letter.is_haste_low_letter());
    assert_sql!(
        db,
        [r#"UPDATE "letters" SET "stage" = ? WHERE "letters"."id" = ?"#],
        { letter.sent().await? }
    );
    assert!(letter.is_sent());
    letter.haste_high_letter().await?;
    assert_eq!(
        Letter::find(&db, letter.id()).await?.haste(),
        Some(Haste::High)
    );
    assert_eq!(
        Letter::unscoped(&db).sent().to_sql(),
        r#"SELECT "letters".* FROM "letters" WHERE "letters"."stage" = 'sent'"#
    );
    assert_eq!(
        Letter::unscoped(&db).not_haste_high_letter().to_sql(),
        r#"SELECT "letters".* FROM "letters" WHERE "letters"."haste" != 20"#
    );
    assert_eq!((&db).sent().count().await?, 1);
    assert_eq!((&db).draft().count().await?, 0);
    let named = Letter::all(&db).scope_named("haste_high_letter")?;
    assert_eq!(named.count().await?, 1);
    let error = Letter::all(&db).scope_named("not_snet").unwrap_err();
    assert_eq!(error.to_string(), "Letter has no scope `not_snet`");
    Ok(())
}

/// By name, an enum is set and read by its labels.
pub async fn an_enum_is_set_and_read_by_its_labels(backend: &Backend) -> Result<()> {
    let db = letters(backend).await?;
    let letter = Letter::create(&db, |l| l.set_address("a")).await?;
    letter.set("haste", "high")?.set("stage", "put-away")?;
    assert_eq!(
        (letter.haste(), letter.stage()),
        (Some(Haste::High), Stage::Filed)
    );
    assert_eq!(letter.get("haste")?, Value::from("high"));
    letter.set("haste", 10)?;
    assert_eq!(letter.get("haste")?, Value::from("low"));
    let changes = letter.changes();
    assert!(
        changes.contains(&("haste", Value::Null, Value::from("low"))),
        "{changes:?}"
    );
    letter.set("haste", "")?;
    assert_eq!(letter.haste(), None, "blank is null");
    let error = letter.set("haste", "soon").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert_eq!(
        error.to_string(),
        r#"Letter.haste: the value "soon" is not one of low, high"#
    );
    assert_eq!(
        letter.set("haste", 11).unwrap_err().kind(),
        ErrorKind::Argument
    );
    letter.set("haste", "low")?.save().await?;
    let all = Letter::all(&db).erased();
    assert_eq!(all.clone().filter_by("haste", "low")?.count().await?, 1);
    let unknown = all.filter_by("haste", "soon")?;
    assert!(unknown.to_sql().ends_with(r#""letters"."haste" IS NULL"#));
    Ok(())
}

/// What a default scope leaves out is read on request.
pub async fn a_default_scope_is_left_out_on_request(backend: &Backend) -> Result<()> {
    let db = letters(backend).await?;
    let gone = Letter::create(&db, |l| l.set_address("a").set_burnt(true)).await?;
    assert_eq!(Letter::all(&db).count().await?, 0);
    assert!(
        Letter::find(&db, gone.id())
            .await
            .unwrap_err()
            .is_record_not_found()
    );
    assert_eq!(Letter::unscoped(&db).count().await?, 1);
    gone.update(|l| l.set_sender(Some("x"))).await?;
    gone.reload().await?;
    assert_eq!(gone.sender(), Some("x"), "its own row is found");
    Ok(())
}

/// Models made at run time have enums, normalisations and scopes.
pub async fn enums_and_scopes_are_made_at_run_time(backend: &Backend) -> Result<()> {
    const LABELS: &[Label] = &[
        Label::new("open", Held::Int(0)),
        Label::new("shut", Held::Int(1)),
    ];
    let plain = |name, kind| Column::new(name, AttributeType::plain(kind, true));
    let builder = || {
        ModelBuilder::new("Note", "notes")
            .column(plain("id", Kind::Int))
            .column(plain("state", Kind::Int))
            .column(plain("mood", Kind::Int))
            .column(plain("text", Kind::Text))
            .primary_key(["id"])
            .enumeration(Enumeration::new("state"), LABELS)
    };
    let upper =
        Normalization::new(&|value| Value::from(value.as_str().unwrap_or_default().to_uppercase()));
    let note = builder()
        .enumeration(Enumeration::new("mood").prefix("mood"), LABELS)
        .normalizes("text", upper)
        .scope("recent", Scope::new(&|notes| notes.limit(1)))
        .define()?;
    let db = backend.open().await?;
    db.create_tables([note]).await?;
    for state in ["open", "shut"] {
        let one = Record::new(note, &db);
        one.set("state", state)?
            .set("mood", "shut")?
            .set("text", "x")?;
        one.save().await?;
        assert_eq!(one.get("text")?, Value::from("X"));
    }
    let all = || Relation::of(note, &db);
    assert_eq!(all().scope_named("open")?.count().await?, 1);
    assert_eq!(all().scope_named("not_mood_shut")?.count().await?, 0);
    assert_eq!(all().scope_named("recent")?.await?.len(), 1);
    assert_eq!(all().filter_by("text", "x")?.count().await?, 2);
    let error = all().scope_named("recnet").unwrap_err();
    assert_eq!(
        error.to_string(),
        "Note has no scope `recnet`; did you mean `recent`?"
    );
    let twice = builder()
        .enumeration(Enumeration::new("mood"), LABELS)
        .define();
    assert!(
        twice
            .unwrap_err()
            .to_string()
            .contains(r#"a instance method "open?""#)
    );
    let nowhere = builder()
        .enumeration(Enumeration::new("sate"), LABELS)
        .define();
    assert!(
        nowhere
            .unwrap_err()
            .to_string()
            .contains("enum 'sate' in Note")
    );
    let empty = builder()
        .enumeration(Enumeration::new("mood"), &[])
        .define();
    assert_eq!(empty.unwrap_err().kind(), ErrorKind::Argument);
    Ok(())
}

/// Scopes are methods of relations and collections, and have names.
pub async fn scopes_are_methods_of_relations_and_collections(backend: &Backend) -> Result<()> {
    let db = backend.open().await?;
    db.create_tables([Letter::reflection(), Tray::reflection(), Note::reflection()])
        .await?;
    for (address, sender) in [("a", "Ann"), ("b", "Bob"), ("c", "Ann")] {
        Letter::create(&db, |l| l.set_address(address).set_sender(Some(sender))).await?;
    }
    let newest = Letter::all(&db).of("Ann").newest().first_or_fail().await?;
    assert_eq!(newest.address(), "c");
    assert_eq!((&db).of("Bob").draft().count().await?, 1);
    assert_eq!(
        Letter::newest(Letter::unscoped(&db)).to_sql(),
        r#"SELECT "letters".* FROM "letters" ORDER BY "letters"."id" DESC LIMIT 1"#
    );
    let named = Letter::all(&db).erased().scope_named("newest")?;
    assert_eq!(named.await?.len(), 1);
    let error = Letter::all(&db).scope_named("of").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument, "it needs a sender");
    let tray = Tray::create(&db, |t| t).await?;
    for text in ["bb", "aa", "c"] {
        tray.notes().create(|n| n.set_text(text)).await?;
    }
    Note::create(&db, |n| n.set_text("zz")).await?;
    let texts: Vec<_> = tray.notes().long(2).in_order().pluck(|n| n.text).await?;
    assert_eq!(texts, ["aa", "bb"], "of this collection alone");
    let made = tray.notes().in_order().create(|n| n.set_text("d")).await?;
    assert_eq!(made.tray_id(), Some(tray.id()));
    Ok(())
}

/// A record becomes one of another model of its table.
pub async fn a_record_becomes_one_of_another_model(backend: &Backend) -> Result<()> {
    let (db, library, ticket) = libraries(backend).await?;
    ticket.set_stamps(3);
    let pass: Pass = ticket.becomes()?;
    assert_eq!(
        (pass.id(), pass.number(), pass.stamps()),
        (ticket.id(), "7", Some(3))
    );
    assert!(pass.is_persisted());
    assert_eq!(pass.changed(), ["stamps"]);
    assert_sql!(
        db,
        [r#"UPDATE "tickets" SET "stamps" = ? WHERE "tickets"."id" = ?"#],
        { pass.save().await? }
    );
    assert_eq!(Ticket::find(&db, ticket.id()).await?.stamps(), 3);
    assert!(ticket.is_changed(), "they share nothing");
    let new = Ticket::build(&db, |t| t.set_number("9")).becomes_of(Pass::reflection())?;
    assert!(new.is_new_record() && new.get("number")? == Value::from("9"));
    let error = library.becomes::<Pass>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert_eq!(
        error.to_string(),
        "Library cannot become Pass: their tables are libraries and tickets"
    );
    Ok(())
}
