//! Very many members: the work grows as their number, not as its square. A square would take minutes here.

use relata::{Db, Params, Permit, Result, model};

/// Members; fewer where every instruction is simulated.
fn many() -> i64 {
    match std::env::var_os("RELATA_UNDER_VALGRIND") {
        Some(_) => 500,
        None => 20_000,
    }
}

/// What is ordered.
#[model]
#[accepts_nested_attributes_for(lines, remarks, parts)]
pub struct Purchase {
    id: i64,
    number: String,
    #[has_many(index_errors, dependent = destroy)]
    lines: Line,
    #[has_many(index_errors = nested_attributes_order)]
    remarks: Remark,
    #[has_many]
    parts: Part,
    #[has_many]
    taggings: Tagging,
    #[has_many(through = taggings, dependent = destroy)]
    tags: Tag,
}

/// One line.
#[model]
pub struct Line {
    id: i64,
    #[validates(presence)]
    text: String,
    purchase_id: i64,
    #[belongs_to]
    purchase: Purchase,
}

/// What is said of it.
#[model]
pub struct Remark {
    id: i64,
    #[validates(presence)]
    text: String,
    purchase_id: i64,
    #[belongs_to]
    purchase: Purchase,
}

/// What it is made of.
#[model]
pub struct Part {
    id: i64,
    #[validates(presence)]
    text: String,
    purchase_id: i64,
    #[belongs_to]
    purchase: Purchase,
}

/// Between.
#[model]
pub struct Tagging {
    id: i64,
    purchase_id: i64,
    tag_id: i64,
    #[belongs_to]
    purchase: Purchase,
    #[belongs_to]
    tag: Tag,
}

/// A word for it.
#[model]
pub struct Tag {
    id: i64,
    text: String,
}

async fn tables(db: &Db) -> Result<()> {
    db.create_tables([
        Purchase::reflection(),
        Line::reflection(),
        Remark::reflection(),
        Part::reflection(),
        Tagging::reflection(),
        Tag::reflection(),
    ])
    .await
}

/// Values for members of which none is valid.
fn blank(association: &str) -> Params {
    let empty = (0..many()).map(|_| Params::new().with("text", ""));
    Params::new()
        .with("number", "1")
        .with(association, empty.collect::<Vec<_>>())
}

#[relata::test]
async fn members_that_are_all_invalid_are_judged_one_by_one(db: Db) -> Result<()> {
    tables(&db).await?;
    let last = many() - 1;
    for (association, first, end, count) in [
        (
            "lines_attributes",
            "lines[0].text",
            format!("lines[{last}].text"),
            many(),
        ),
        (
            "remarks_attributes",
            "remarks[0].text",
            format!("remarks[{last}].text"),
            many(),
        ),
        ("parts_attributes", "parts.text", "parts.text".to_owned(), 1),
    ] {
        let purchase = Purchase::new(&db);
        purchase.assign(blank(association), Permit::all()).await?;
        let capture = db.capture();
        assert!(!purchase.is_valid().await?);
        let problems = purchase.errors().to_vec();
        assert_eq!(problems.len() as i64, count);
        assert_eq!(problems[0].attribute, first);
        assert_eq!(problems[problems.len() - 1].attribute, end);
        assert!(purchase.save().await.unwrap_err().is_record_invalid());
        assert_eq!(capture.count(), 0);
    }
    Ok(())
}

#[relata::test]
async fn members_through_others_are_all_destroyed(db: Db) -> Result<()> {
    tables(&db).await?;
    let purchase = Purchase::create(&db, |p| p.set_number("1")).await?;
    let tags: Vec<Tag> = (0..many())
        .map(|n| Tag::build(&db, |t| t.set_text(n.to_string())))
        .collect();
    purchase.tags().concat(&tags).await?;
    assert_eq!(Tagging::all(&db).count().await? as i64, many());
    purchase.tags().destroy_all().await?;
    assert_eq!(Tagging::all(&db).count().await?, 0);
    assert_eq!(Tag::all(&db).count().await? as i64, many());
    assert!(purchase.tags().is_loaded() && purchase.tags().is_empty().await?);
    Ok(())
}

#[relata::test]
async fn members_are_built_saved_and_destroyed(db: Db) -> Result<()> {
    tables(&db).await?;
    let purchase = Purchase::build(&db, |p| p.set_number("1"));
    for n in 0..many() {
        purchase.lines().build(|l| l.set_text(n.to_string()));
    }
    purchase.save().await?;
    let lines = purchase.lines().load().await?;
    purchase.lines().destroy(lines.iter().step_by(2)).await?;
    assert_eq!(Line::all(&db).count().await? as i64, many() / 2);
    let ids: Vec<i64> = lines.iter().skip(1).step_by(4).map(Line::id).collect();
    purchase.lines().replace_ids(ids).await?;
    purchase.destroy().await?;
    assert_eq!(Line::all(&db).count().await?, 0);
    Ok(())
}

#[relata::test]
async fn members_through_others_are_replaced_and_saved_with_their_owner(db: Db) -> Result<()> {
    tables(&db).await?;
    let tag = |n: i64| Tag::build(&db, |t| t.set_text(n.to_string()));
    let first: Vec<Tag> = (0..many()).map(tag).collect();
    let purchase = Purchase::build(&db, |p| p.set_number("1"));
    purchase.tags().replace(&first).await?;
    purchase.save().await?;
    assert_eq!(Tagging::all(&db).count().await? as i64, many());
    let others: Vec<Tag> = first
        .iter()
        .step_by(2)
        .cloned()
        .chain((0..many() / 2).map(tag))
        .collect();
    purchase.tags().replace(&others).await?;
    assert_eq!(Tagging::all(&db).count().await? as i64, many());
    let fresh = Purchase::find(&db, purchase.id()).await?;
    let ids: Vec<i64> = others.iter().map(Tag::id).step_by(2).collect();
    fresh.tags().replace_ids(ids).await?;
    let tags = fresh.tags().load().await?;
    fresh.tags().delete(&tags).await?;
    assert_eq!(Tagging::all(&db).count().await?, 0);
    Ok(())
}

#[relata::test]
async fn members_come_one_after_the_other(db: Db) -> Result<()> {
    tables(&db).await?;
    let purchase = Purchase::create(&db, |p| p.set_number("1")).await?;
    let tag = Tag::create(&db, |t| t.set_text("t")).await?;
    db.transaction(async || {
        for n in 0..many() / 20 {
            purchase
                .lines()
                .create(|l| l.set_text(n.to_string()))
                .await?;
            purchase.tags().push(&tag).await?;
            purchase
                .tags()
                .create(|t| t.set_text(n.to_string()))
                .await?;
        }
        Ok(())
    })
    .await?;
    assert_eq!(purchase.lines().size().await? as i64, many() / 20);
    assert_eq!(Tagging::all(&db).count().await? as i64, many() / 10);
    Ok(())
}
