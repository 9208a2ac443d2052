//! Setters and builders that give no error: what they could not do is told by the owner's next save, once.

use relata::{Db, Error, ErrorKind, Result, assert_queries, model};

#[model]
pub struct Supplier {
    id: i64,
    name: String,
    #[has_one]
    account: Option<Account>,
    #[has_one(through = account)]
    history: Option<History>,
    #[has_one(through = history)]
    page: Option<Page>,
    #[has_many(before_add = checked)]
    parts: Part,
    #[has_many(through = parts)]
    screws: Screw,
    #[has_many(through = screws)]
    heads: Head,
}

fn checked(_: &Supplier, part: &Part) -> Result<()> {
    match part.name() {
        "broken" => Err(Error::new(ErrorKind::Argument, "it is broken")),
        _ => Ok(()),
    }
}

#[model]
pub struct Account {
    id: i64,
    supplier_id: Option<i64>,
    #[belongs_to]
    supplier: Option<Supplier>,
    #[has_one]
    history: Option<History>,
}

#[model]
pub struct History {
    id: i64,
    account_id: Option<i64>,
    #[belongs_to]
    account: Option<Account>,
    #[has_one]
    page: Option<Page>,
}

#[model]
pub struct Page {
    id: i64,
    history_id: Option<i64>,
}

#[model]
pub struct Part {
    id: i64,
    name: String,
    supplier_id: i64,
    #[has_many]
    screws: Screw,
}

#[model]
pub struct Screw {
    id: i64,
    part_id: i64,
    #[has_many]
    heads: Head,
}

#[model]
pub struct Head {
    id: i64,
    screw_id: i64,
}

async fn supplier(db: &Db) -> Result<Supplier> {
    db.create_tables([
        Supplier::reflection(),
        Account::reflection(),
        History::reflection(),
        Page::reflection(),
        Part::reflection(),
        Screw::reflection(),
        Head::reflection(),
    ])
    .await?;
    Supplier::create(db, |s| s.set_name("Ann")).await
}

const ONLY_READ: ErrorKind = ErrorKind::HasOneThroughCantAssociateThroughHasOneOrManyReflection;

#[relata::test]
async fn a_has_one_through_another_that_is_only_read(db: Db) -> Result<()> {
    let ann = supplier(&db).await?;
    let history = History::create(&db, |h| h).await?;
    ann.set_history(&history).set_name("Bea");
    let error = assert_queries!(db, 0, { ann.save().await }).expect_err("it cannot be set");
    assert_eq!(error.kind(), ONLY_READ, "{error}");
    assert_eq!(error.attribute(), Some("history"));
    assert!(error.record::<Supplier>().is_some_and(|one| one.is(&ann)));
    // Told once: the rest is saved, as in Rails after the error of the assignment.
    ann.save().await?;
    assert_eq!(Supplier::find(&db, ann.id()).await?.name(), "Bea");

    let built = ann.build_history(|h| h);
    assert!(built.is_new_record());
    assert_eq!(ann.save().await.map_err(|e| e.kind()), Err(ONLY_READ));
    ann.history().set(Some(&history));
    assert_eq!(
        ann.update_columns([("name", "Cem".into())])
            .await
            .map_err(|e| e.kind()),
        Err(ONLY_READ)
    );
    // What was set is lost by a reload, and with it what could not be.
    ann.set_history(&history);
    ann.reload().await?;
    ann.save().await
}

#[test]
fn what_is_only_read_has_no_methods_that_set() {
    let methods = |name| Supplier::reflect_on_association(name).map(|one| one.methods());
    assert_eq!(
        methods("page"),
        Some(vec![
            "page".to_owned(),
            "reload_page".into(),
            "reset_page".into()
        ])
    );
    assert!(methods("history").is_some_and(|all| all.contains(&"set_history".to_owned())));
}

#[relata::test]
async fn a_member_says_it_too_and_nothing_is_written(db: Db) -> Result<()> {
    let ann = supplier(&db).await?;
    let account = Account::build(&db, |a| a.set_supplier(&ann));
    ann.set_history(&History::create(&db, |h| h).await?)
        .set_name("Bea");
    let saved = account.save().await;
    // The parent is saved with its child only where it is new or saved with autosave.
    assert!(saved.is_ok());

    let new = Supplier::build(&db, |s| s.set_name("Dan"));
    new.build_history(|h| h);
    let account = Account::build(&db, |a| a.set_supplier(&new));
    assert_eq!(account.save().await.map_err(|e| e.kind()), Err(ONLY_READ));
    assert_eq!(Account::all(&db).count().await?, 1);
    Ok(())
}

#[relata::test]
async fn what_before_add_refuses_with_an_error(db: Db) -> Result<()> {
    let ann = supplier(&db).await?;
    let part = ann.parts().build(|p| p.set_name("broken"));
    assert!(ann.parts().target().is_empty());
    let error = ann.save().await.expect_err("before_add gave an error");
    assert_eq!(error.to_string(), "it is broken");
    assert!(part.is_new_record());
    ann.save().await?;
    ann.parts().build(|p| p.set_name("whole"));
    ann.save().await?;
    assert_eq!(Part::all(&db).count().await?, 1);
    Ok(())
}

#[relata::test]
async fn a_collection_through_several(db: Db) -> Result<()> {
    let ann = supplier(&db).await?;
    ann.heads().build(|h| h);
    assert_eq!(
        ann.save().await.map_err(|e| e.kind()),
        Err(ErrorKind::HasManyThroughNestedAssociationsAreReadonly)
    );
    Ok(())
}

/// A relation that was chained from the collection took the record, and the error of `before_add` was lost.
#[relata::test]
async fn a_member_of_a_chained_relation_says_it_too(db: Db) -> Result<()> {
    let ann = supplier(&db).await?;
    let parts = ann.parts().filter(|p| p.name.eq("broken"));
    let part = parts.build(|p| p);
    assert_eq!(part.name(), "broken");
    let error = ann.save().await.expect_err("it is no member");
    assert_eq!(error.to_string(), "it is broken");
    ann.save().await?;
    assert_eq!(Part::all(&db).count().await?, 0);
    Ok(())
}
