//! What may be written and how: attributes that a saved record keeps.

use relata::attribute::{AttributeType, Kind};
use relata::reflection::{Column, Declared, ModelBuilder};
use relata::{Db, Record, Result, assert_queries, assert_sql, model};

use crate::Backend;

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
