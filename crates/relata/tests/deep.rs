//! Deep graphs: what is done to a chain of records is a loop, so that its length is no matter of the stack. `RELATA_SOAK` makes
//! chains of 100,000.

#![cfg(feature = "sqlite")]

use std::sync::atomic::{AtomicUsize, Ordering};

use relata::callback::Inside;
use relata::{Db, Result, callbacks, model};

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

/// A link that is heard of, and sets its own values while it is validated and saved.
#[model]
pub struct Ring {
    id: i64,
    #[validates(presence)]
    name: String,
    saves: i64,
    above_id: Option<i64>,
    #[belongs_to(inverse_of = below)]
    above: Option<Ring>,
    #[has_many(foreign_key = above_id, dependent = destroy)]
    below: Ring,
}

/// A link that only counts how often it is validated.
#[model]
pub struct Knot {
    id: i64,
    name: String,
    above_id: Option<i64>,
    #[belongs_to(inverse_of = below)]
    above: Option<Knot>,
    #[has_many(foreign_key = above_id)]
    below: Knot,
}

static LOOKED: AtomicUsize = AtomicUsize::new(0);

#[callbacks]
impl Knot {
    #[validate]
    fn look(&self) {
        LOOKED.fetch_add(1, Ordering::Relaxed);
    }

    #[before_save]
    fn rename(&self) {
        self.set_name(format!("{}!", self.name()));
    }
}

/// How often they were validated, saved, committed, destroyed, and told that they are saved.
static HEARD: [AtomicUsize; 5] = [const { AtomicUsize::new(0) }; 5];

fn hear(event: usize) {
    HEARD[event].fetch_add(1, Ordering::Relaxed);
}

#[callbacks]
impl Ring {
    #[before_validation]
    fn prepare(&self) {
        self.set_name(self.name().to_lowercase());
    }

    #[validate]
    fn look(&self) {
        hear(0);
    }

    #[before_save]
    fn count(&self) {
        self.set_saves(self.saves() + 1);
    }

    #[after_save]
    async fn saved(&self) -> Result<()> {
        hear(4);
        Ok(())
    }

    #[around_save]
    async fn saving(&self, inside: Inside) -> Result<()> {
        inside.run().await?;
        hear(1);
        Ok(())
    }

    #[after_commit(on = create)]
    async fn committed(&self) -> Result<()> {
        hear(2);
        Ok(())
    }

    #[around_destroy]
    async fn destroying(&self, inside: Inside) -> Result<()> {
        inside.run().await?;
        hear(3);
        Ok(())
    }
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
            db.create_tables([Link::reflection(), Ring::reflection(), Knot::reflection()])
                .await?;
            test(db).await
        })
    };
    let thread = std::thread::Builder::new().stack_size(512 * 1024);
    thread.spawn(run).unwrap().join().unwrap().unwrap();
}

#[relata::test]
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

#[relata::test]
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

#[relata::test]
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

#[relata::test]
fn a_chain_with_callbacks_is_validated_saved_and_destroyed() {
    on_a_small_stack(async |db| {
        let length = length();
        let heard = || HEARD.each_ref().map(|heard| heard.load(Ordering::Relaxed));
        let root = Ring::build(&db, |r| r.set_name("root"));
        let mut last = root.clone();
        for _ in 1..length {
            last = last.below().build(|r| r.set_name("ring"));
        }
        assert!(root.is_valid().await?);
        assert_eq!(heard(), [length, 0, 0, 0, 0]);
        root.save().await?;
        // Once with what is above it, and once before it is written itself: never with each that is above it.
        let looked = length + length + length - 1;
        assert_eq!(heard(), [looked, length, length, 0, length]);
        assert_eq!((root.saves(), last.saves()), (1, 1));
        // What is read anew is another chain: each link leads to the next by a query of its own.
        let found = Ring::find(&db, root.id()).await?;
        found.destroy().await?;
        assert_eq!(heard()[3], length);
        assert_eq!(Ring::all(&db).count().await?, 0);
        Ok(())
    });
}

/// Each parent is saved inside the save of the one below it, and has that as a new member: it was validated again with each.
#[relata::test]
fn a_chain_with_callbacks_is_saved_from_its_end() {
    on_a_small_stack(async |db| {
        let length = length();
        let before = LOOKED.load(Ordering::Relaxed);
        let root = Knot::build(&db, |k| k.set_name("root"));
        let mut last = root.clone();
        for _ in 1..length {
            last = last.below().build(|k| k.set_name("knot"));
        }
        last.save().await?;
        assert_eq!(Knot::all(&db).count().await?, length as u64);
        assert!(root.is_persisted() && last.above_id().is_some());
        let looked = LOOKED.load(Ordering::Relaxed) - before;
        assert!(looked <= 2 * length, "{looked} looks at {length} records");
        Ok(())
    });
}

/// Never saved, downwards and upwards, and held by its end alone.
#[relata::test]
fn a_chain_of_100_000_is_validated_and_dropped() {
    on_a_small_stack(async |db| {
        let root = Link::build(&db, |l| l.set_name("root"));
        let (mut down, mut up) = (root.clone(), root.clone());
        for _ in 1..100_000 {
            down = down.below().build(|l| l.set_name("link"));
            let above = up;
            up = Link::build(&db, |l| l.set_name("link").set_above(Some(&above)));
        }
        assert!(root.is_valid().await?);
        drop(root);
        drop(down);
        drop(up);
        Ok(())
    });
}
