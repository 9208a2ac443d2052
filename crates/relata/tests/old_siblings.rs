//! What was read for siblings and not used is old once its rows were written: also by a write that nobody waited for, and
//! for others from the commit on.

#![allow(unreachable_pub, missing_docs)]
#![cfg(feature = "sqlite")]

mod sweep;

use std::future::IntoFuture;
use std::pin::pin;
use std::time::Duration;

use relata::{Db, Pending, Raw, Result, assert_queries, model};
use sweep::{polled, settled};

#[model]
pub struct Post {
    id: i64,
    #[column(default = 0)]
    notes_count: i64,
    #[has_many]
    notes: Note,
}

#[model]
pub struct Note {
    id: i64,
    text: String,
    #[column(default = 0)]
    reads: i64,
    updated_at: Option<i64>,
    post_id: Option<i64>,
    #[belongs_to]
    post: Option<Post>,
}

/// Two posts with a note each.
async fn posts(db: &Db) -> Result<Vec<Post>> {
    db.create_tables([Post::reflection(), Note::reflection()])
        .await?;
    for _ in 0..2 {
        let post = Post::create(db, |p| p).await?;
        post.notes().create(|n| n.set_text("old")).await?;
    }
    read(db).await
}

/// The posts, of which the first was asked for its notes: those of the second were read with them.
async fn read(db: &Db) -> Result<Vec<Post>> {
    let posts = Post::all(db).order(|p| p.id).await?;
    posts[0].notes().await?;
    assert_queries!(db, 0, { posts[0].notes().await? });
    Ok(posts)
}

/// What a post's notes say.
async fn texts(post: &Post) -> Result<Vec<(String, i64)>> {
    let notes = post.notes().await?;
    Ok(notes
        .iter()
        .map(|note| (note.text().to_owned(), note.reads()))
        .collect())
}

/// Begins a write, and gives it up while its statement runs on another thread.
async fn give_up<T>(db: &Db, write: Pending<T>) {
    {
        let mut write = pin!(write);
        assert!(polled(write.as_mut()).await.is_none(), "it is done");
    }
    settled(db).await;
    // The connection is back before its statement is gone.
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// The number of the siblings' generation was raised after the write was awaited, and nobody awaited this one.
#[relata::test(file)]
async fn a_write_that_was_given_up_is_seen_by_siblings(db: Db) -> Result<()> {
    posts(&db).await?;
    let said = |text: &str, reads| vec![(text.to_owned(), reads)];

    let siblings = read(&db).await?;
    let note = Note::find(&db, 2).await?;
    note.set_text("saved");
    give_up(&db, note.save()).await;
    assert_eq!(texts(&siblings[1]).await?, said("saved", 0), "save");

    let siblings = read(&db).await?;
    let note = Note::find(&db, 2).await?;
    give_up(&db, note.update_columns([("text", "column".into())])).await;
    assert_eq!(texts(&siblings[1]).await?, said("column", 0), "columns");

    let siblings = read(&db).await?;
    let all = Note::all(&db).filter(|n| n.id.eq(2));
    give_up(&db, all.update_all(|n| n.text.set("all"))).await;
    assert_eq!(texts(&siblings[1]).await?, said("all", 0), "update_all");

    let siblings = read(&db).await?;
    give_up(&db, all.update_counters([("reads", 1)], false)).await;
    assert_eq!(texts(&siblings[1]).await?, said("all", 1), "counters");

    let siblings = read(&db).await?;
    let raw = Raw::new("UPDATE notes SET text = 'raw' WHERE id = 2");
    give_up(&db, db.execute_sql(raw)).await;
    assert_eq!(texts(&siblings[1]).await?, said("raw", 1), "raw");

    let siblings = read(&db).await?;
    let rows = [Note::build(&db, |n| n.set_text("row").set_post_id(Some(2)))];
    give_up(&db, Note::all(&db).insert_all(&rows).into_future()).await;
    assert_eq!(texts(&siblings[1]).await?.len(), 2, "insert_all");

    let siblings = read(&db).await?;
    let rows = [Note::build(&db, |n| n.set_text("row").set_post_id(Some(2)))];
    let returning = Note::all(&db).insert_all(&rows).returning(|n| n.id);
    give_up(&db, returning.into_future()).await;
    assert_eq!(texts(&siblings[1]).await?.len(), 3, "returning");

    let siblings = read(&db).await?;
    let row = Note::find(&db, 3).await?;
    give_up(&db, row.delete()).await;
    assert_eq!(texts(&siblings[1]).await?.len(), 2, "delete");

    let siblings = read(&db).await?;
    let made = Note::build(&db, |n| n.set_text("made").set_post_id(Some(2)));
    give_up(&db, made.save()).await;
    assert_eq!(texts(&siblings[1]).await?.len(), 3, "insert");
    Ok(())
}

/// In a transaction that goes on too.
#[relata::test(file)]
async fn a_write_that_was_given_up_in_a_transaction_is_seen_by_siblings(db: Db) -> Result<()> {
    posts(&db).await?;
    db.transaction(async || {
        let siblings = read(&db).await?;
        {
            // It counts for a while, so that it is under way when it is given up.
            let slow = Raw::new(
                "UPDATE notes SET text = 'new' WHERE (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
                 WHERE i < 200000) SELECT COUNT(*) FROM n) > 0",
            );
            let mut write = pin!(db.execute_sql(slow));
            assert!(polled(write.as_mut()).await.is_none(), "it is done");
        }
        // The next statement waits for the one that was given up.
        Note::all(&db).count().await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(texts(&siblings[1]).await?, [("new".to_owned(), 0)]);
        Ok(())
    })
    .await
}

/// Between a statement of a transaction and its commit, others read the rows of before.
#[relata::test(file)]
async fn what_others_read_before_a_commit_is_old_after_it(db: Db) -> Result<()> {
    posts(&db).await?;
    let texts_after = async |write: &dyn Fn() -> Pending<u64>| {
        let (written, read_meanwhile) = (tokio::sync::Notify::new(), tokio::sync::Notify::new());
        let writes = db.transaction(async || {
            db.transaction(async || write().await).await?;
            written.notify_one();
            read_meanwhile.notified().await;
            Ok(())
        });
        let reads = async {
            written.notified().await;
            let siblings = read(&db).await;
            read_meanwhile.notify_one();
            siblings
        };
        let (written, siblings) = tokio::join!(writes, reads);
        written?;
        texts(&siblings?[1]).await
    };
    let all = || Note::all(&db).update_all(|n| n.text.set("new"));
    assert_eq!(texts_after(&all).await?, [("new".to_owned(), 0)]);
    let one = || {
        let note = Note::find(&db, 2);
        Pending::of(async move {
            note.await?.update(|n| n.set_text("newer")).await?;
            Ok(1)
        })
    };
    assert_eq!(texts_after(&one).await?, [("newer".to_owned(), 0)]);
    Ok(())
}

/// What a transaction reads after its own writes is no news to it.
#[relata::test(file)]
async fn a_commit_makes_nothing_old_but_what_it_wrote(db: Db) -> Result<()> {
    let siblings = posts(&db).await?;
    db.transaction(async || {
        Post::all(&db)
            .update_counters([("notes_count", 1)], false)
            .await
    })
    .await?;
    assert_queries!(db, 0, { siblings[1].notes().await? });
    Ok(())
}
