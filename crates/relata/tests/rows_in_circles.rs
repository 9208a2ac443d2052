//! Rows that lead to each other in circles: destroying one ends, and so does touching one.

#![allow(missing_docs)]
#![cfg(all(feature = "sqlite", feature = "chrono"))]

use std::sync::atomic::{AtomicUsize, Ordering};

use relata::{Db, Raw, Result, callbacks, model};

#[model]
pub struct Node {
    id: i64,
    up_id: Option<i64>,
    #[belongs_to(inverse_of = downs)]
    up: Option<Node>,
    #[has_many(foreign_key = up_id, dependent = destroy)]
    downs: Node,
}

#[model]
pub struct Mark {
    id: i64,
    up_id: Option<i64>,
    updated_at: Option<chrono::DateTime<chrono::Utc>>,
    #[belongs_to(inverse_of = downs, touch)]
    up: Option<Mark>,
    #[has_many(foreign_key = up_id)]
    downs: Mark,
}

static DESTROYED: AtomicUsize = AtomicUsize::new(0);

#[callbacks]
impl Node {
    #[before_destroy]
    fn count(&self) {
        DESTROYED.fetch_add(1, Ordering::SeqCst);
    }
}

/// `many` rows, each under the one before it, and the first under the last. Their tables refer to nothing, so that rows
/// may go in any order.
async fn circle(db: &Db, table: &str, many: i64) -> Result<()> {
    let columns = "id INTEGER PRIMARY KEY, up_id INTEGER, updated_at TEXT";
    let create = format!("CREATE TABLE {table} ({columns})");
    db.execute_sql(Raw::trusted(create)).await?;
    for id in 1..=many {
        let up = if id == 1 { many } else { id - 1 };
        let insert = format!("INSERT INTO {table} (id, up_id) VALUES ({id}, {up})");
        db.execute_sql(Raw::trusted(insert)).await?;
    }
    Ok(())
}

/// It destroyed rows that were being destroyed, without end: memory grew until the process was killed.
#[relata::test]
async fn destroying_a_circle_of_rows_ends(db: Db) -> Result<()> {
    for many in [1, 2, 3] {
        db.execute_sql(Raw::new("DROP TABLE IF EXISTS nodes"))
            .await?;
        circle(&db, "nodes", many).await?;
        DESTROYED.store(0, Ordering::SeqCst);
        let first = Node::find(&db, 1).await?;
        let capture = db.capture();
        first.destroy().await?;
        let deletes = capture.events();
        let deletes = deletes.iter().filter(|e| e.text.starts_with("DELETE"));
        assert_eq!(deletes.count(), usize::try_from(many).unwrap());
        assert_eq!(
            DESTROYED.load(Ordering::SeqCst),
            usize::try_from(many).unwrap()
        );
        assert!(first.is_destroyed());
        assert_eq!(Node::all(&db).count().await?, 0);
    }
    Ok(())
}

#[relata::test]
async fn touching_a_circle_of_rows_ends_and_writes_each_once(db: Db) -> Result<()> {
    for many in [1, 2, 3] {
        db.execute_sql(Raw::new("DROP TABLE IF EXISTS marks"))
            .await?;
        circle(&db, "marks", many).await?;
        let first = Mark::find(&db, 1).await?;
        let capture = db.capture();
        assert!(first.touch().await?);
        let updates = capture.events();
        let updates = updates.iter().filter(|e| e.text.starts_with("UPDATE"));
        assert_eq!(updates.count(), usize::try_from(many).unwrap());
        let untouched = Mark::all(&db).filter(|m| m.updated_at.is_null());
        assert_eq!(untouched.count().await?, 0);
    }
    Ok(())
}

#[relata::test]
async fn saving_and_destroying_in_a_circle_that_touches_ends(db: Db) -> Result<()> {
    for many in [1, 2, 3] {
        db.execute_sql(Raw::new("DROP TABLE IF EXISTS marks"))
            .await?;
        circle(&db, "marks", many).await?;
        let new = Mark::create(&db, |m| m.set_up_id(Some(1))).await?;
        let untouched = Mark::all(&db).filter(|m| m.updated_at.is_null());
        assert_eq!(untouched.count().await?, 0);
        let first = Mark::find(&db, 1).await?;
        first.update(|m| m.set_up_id(Some(new.id()))).await?;
        Mark::find(&db, 1).await?.destroy().await?;
        assert_eq!(Mark::all(&db).count().await?, u64::try_from(many).unwrap());
    }
    Ok(())
}

/// Its callback goes on to rows that nobody holds: each is read anew.
#[model]
pub struct Chain {
    id: i64,
    up_id: Option<i64>,
}

static DEEPEST: AtomicUsize = AtomicUsize::new(0);

#[callbacks]
impl Chain {
    #[before_destroy]
    async fn destroy_those_below(&self) -> Result<()> {
        DEEPEST.fetch_add(1, Ordering::SeqCst);
        let below = Chain::all(self.db()).filter(|c| c.up_id.eq(Some(self.id())));
        for one in below.await? {
            one.destroy().await?;
        }
        Ok(())
    }
}

/// What a callback reads is another object each time: it went on until the stack was full.
#[relata::test]
async fn a_callback_that_destroys_in_a_circle_of_rows_is_told(db: Db) -> Result<()> {
    for many in [1, 2, 3, 100] {
        db.execute_sql(Raw::new("DROP TABLE IF EXISTS chains"))
            .await?;
        circle(&db, "chains", many).await?;
        DEEPEST.store(0, Ordering::SeqCst);
        let error = Chain::find(&db, 1).await?.destroy().await.unwrap_err();
        assert!(error.is_configuration(), "{error:?}");
        assert_eq!(error.attribute(), Some("destroy_those_below"));
        assert!(DEEPEST.load(Ordering::SeqCst) <= 128);
        assert_eq!(Chain::all(&db).count().await?, u64::try_from(many).unwrap());
    }
    Ok(())
}
