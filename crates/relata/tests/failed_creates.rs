//! A `create` through a collection that fails: which of the collection's callbacks hear of it, and what memory has then.

#![allow(missing_docs)]
#![cfg(feature = "sqlite")]

use std::cell::RefCell;

use relata::{Db, Result, Value, model};

thread_local! {
    /// Each test has a thread of its own, and what it awaits runs there.
    static HEARD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn hear(what: &str, entry: &Entry) {
    HEARD.with_borrow_mut(|heard| heard.push(format!("{what} {}", entry.text())));
}

fn heard() -> Vec<String> {
    HEARD.take()
}

#[model]
pub struct Diary {
    id: i64,
    name: String,
    #[has_many(
        before_add = |_: &Diary, entry: &Entry| hear("before", entry),
        after_add = |_: &Diary, entry: &Entry| hear("after", entry)
    )]
    entries: Entry,
    #[has_many]
    silent: Entry,
}

#[model]
pub struct Entry {
    id: i64,
    #[validates(presence)]
    text: String,
    diary_id: Option<i64>,
    #[belongs_to(inverse_of = entries)]
    diary: Option<Diary>,
}

/// As `create!` in Rails: `before_add` ran, `after_add` does not. The collection is as before, whether it has callbacks or
/// not, and whether its members were read.
#[relata::test]
async fn before_add_ran_and_after_add_does_not(db: Db) -> Result<()> {
    db.create_tables([Diary::reflection(), Entry::reflection()])
        .await?;
    let diary = Diary::create(&db, |d| d.set_name("mine")).await?;
    for loaded in [false, true] {
        if loaded {
            diary.entries().await?;
            diary.silent().await?;
        }
        heard();
        let error = diary
            .entries()
            .create(|e| e.set_text(""))
            .await
            .unwrap_err();
        assert!(error.is_record_invalid(), "{error:?}");
        assert!(
            error
                .record::<Entry>()
                .is_some_and(|entry| entry.is_new_record())
        );
        assert_eq!(heard(), ["before "]);
        assert!(diary.entries().target().is_empty(), "{loaded}");
        let by_name = diary.association("entries")?;
        let built = by_name.build_member()?;
        assert!(by_name.create_member(&built).await.is_err());
        assert_eq!(heard(), ["before "]);
        assert!(diary.entries().target().is_empty());
        assert!(diary.silent().create(|e| e.set_text("")).await.is_err());
        assert!(diary.silent().target().is_empty());
        // Nothing is left over that the owner's next save would fail for.
        diary
            .update(|d| d.set_name(format!("{}.", d.name())))
            .await?;
    }
    diary.entries().create(|e| e.set_text("x")).await?;
    assert_eq!(heard(), ["before x", "after x"]);
    assert_eq!(diary.entries().target().len(), 1);
    assert_eq!(
        Entry::all(&db).pluck(|e| e.text).await?,
        [String::from("x")]
    );
    assert_eq!(diary.get("name")?, Value::from("mine.."));
    Ok(())
}

/// What is pushed and fails stays a member in memory, as in Rails, and `after_add` does not run for it.
#[relata::test]
async fn what_is_pushed_and_fails_stays(db: Db) -> Result<()> {
    db.create_tables([Diary::reflection(), Entry::reflection()])
        .await?;
    let diary = Diary::create(&db, |d| d.set_name("mine")).await?;
    let entry = Entry::build(&db, |e| e.set_text(""));
    heard();
    assert!(diary.entries().push(&entry).await.is_err());
    assert!(diary.entries().target().iter().any(|one| one.is(&entry)));
    Ok(())
}
