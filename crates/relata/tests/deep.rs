//! Deep graphs: what is done to a chain of records is a loop, so that its length is no matter of the stack.

#![cfg(feature = "sqlite")]

use relata::{Db, Result, model};

/// A link of a chain, upwards and downwards.
#[model]
pub struct Link {
    id: i64,
    #[validates(presence)]
    name: String,
    above_id: Option<i64>,
    #[belongs_to(inverse_of = below)]
    above: Option<Link>,
    #[has_many(foreign_key = above_id, dependent = destroy)]
    below: Link,
}

fn length() -> usize {
    if std::env::var_os("RELATA_SOAK").is_some() {
        100_000
    } else {
        3_000
    }
}

/// Runs a test on a stack of 512 KiB.
fn on_a_small_stack(test: impl AsyncFn(Db) -> Result<()> + Send + 'static) {
    let run = move || {
        relata::run(async {
            let db = Db::connect("sqlite::memory:").await?;
            db.create_tables([Link::reflection()]).await?;
            test(db).await
        })
    };
    let thread = std::thread::Builder::new().stack_size(512 * 1024);
    thread.spawn(run).unwrap().join().unwrap().unwrap();
}

#[test]
fn a_chain_of_members_is_validated_saved_and_destroyed() {
    on_a_small_stack(async |db| {
        let root = Link::build(&db, |l| l.set_name("root"));
        let mut last = root.clone();
        for _ in 1..length() {
            last = last.below().build(|l| l.set_name("link"));
        }
        assert!(root.is_valid().await?);
        root.save().await?;
        assert_eq!(Link::all(&db).count().await?, length() as u64);
        assert_eq!(
            last.above().await?.map(|above| above.id()),
            Some(length() as i64 - 1)
        );
        root.destroy().await?;
        assert_eq!(Link::all(&db).count().await?, 0);
        assert!(last.is_destroyed());
        Ok(())
    });
}

#[test]
fn a_chain_of_parents_is_saved() {
    on_a_small_stack(async |db| {
        let mut last = Link::build(&db, |l| l.set_name("root"));
        for _ in 1..length() {
            let above = last;
            last = Link::build(&db, |l| l.set_name("link").set_above(Some(&above)));
        }
        last.save().await?;
        assert_eq!(Link::all(&db).count().await?, length() as u64);
        Ok(())
    });
}

#[test]
fn what_is_wrong_at_the_end_of_a_chain_keeps_all_of_it() {
    on_a_small_stack(async |db| {
        let root = Link::build(&db, |l| l.set_name("root"));
        let mut last = root.clone();
        for _ in 1..length() {
            last = last.below().build(|l| l.set_name("link"));
        }
        last.set_name("");
        let error = root.save().await.unwrap_err();
        assert_eq!(error.to_string(), "Validation failed: Below is invalid");
        assert!(root.is_new_record() && last.errors().of_kind("name", "blank"));
        assert_eq!(Link::all(&db).count().await?, 0);
        Ok(())
    });
}
