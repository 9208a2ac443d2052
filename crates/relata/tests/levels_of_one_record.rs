//! One record, written by an outer level of a transaction and by an inner one beside it: whoever has the record's turn
//! never waits for the level that waits for the turn.

#![cfg(feature = "chrono")]
#![allow(unreachable_pub, missing_docs)]

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use relata::{Db, Options, Result, model};

#[model]
pub struct Sheet {
    id: i64,
    title: String,
    #[column(default = 0)]
    reads: i64,
    updated_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// Far away: a test that waited for it would not end.
const NEVER: Duration = Duration::from_secs(3_600);

type Done<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;
type Verb = for<'a> fn(&'a Sheet) -> Done<'a>;

const VERBS: [(&str, Verb); 8] = [
    ("save", |sheet| Box::pin(sheet.save())),
    ("update_columns", |sheet| {
        Box::pin(sheet.update_columns([("reads", 5.into())]))
    }),
    ("increment", |sheet| Box::pin(sheet.increment("reads", 1))),
    ("reload", |sheet| Box::pin(sheet.reload())),
    ("lock", |sheet| {
        Box::pin(async {
            // The other may have set something meanwhile.
            match sheet.lock().await {
                Err(error) if error.is_record_not_saved() => Ok(()),
                done => done,
            }
        })
    }),
    ("touch", |sheet| {
        Box::pin(async { sheet.touch().await.map(drop) })
    }),
    ("destroy", |sheet| Box::pin(sheet.destroy())),
    ("delete", |sheet| Box::pin(sheet.delete())),
];

/// Runs both at the same time, in both orders.
async fn beside(db: &Db, sheet: &Sheet, outer: Verb, inner: Verb, first: bool) -> Result<()> {
    let inside = db.transaction(async || {
        // The outer one is polled meanwhile.
        tokio::task::yield_now().await;
        inner(sheet).await
    });
    let beside = async {
        if !first {
            tokio::task::yield_now().await;
        }
        outer(sheet).await
    };
    let (beside, inside): (Result<()>, Result<()>) = match first {
        true => tokio::join!(beside, inside),
        false => {
            let (inside, beside) = tokio::join!(inside, beside);
            (beside, inside)
        }
    };
    // Whoever comes second finds the row gone, where the other took it.
    for done in [beside, inside] {
        match done {
            Err(error)
                if error.is_record_not_saved()
                    || error.is_record_not_found()
                    || error.is_not_persisted() => {}
            done => done?,
        }
    }
    Ok(())
}

async fn every_pair(url: &str) -> Result<()> {
    let db = Db::connect_with(url, Options::new().deadline(NEVER)).await?;
    db.create_tables([Sheet::reflection()]).await?;
    for (name, outer) in VERBS {
        for (other, inner) in VERBS {
            for first in [true, false] {
                let sheet = Sheet::create(&db, |s| s.set_title("a")).await?;
                let pair = db.transaction(async || {
                    sheet.set_title("b");
                    beside(&db, &sheet, outer, inner, first).await
                });
                let in_time = tokio::time::timeout(Duration::from_secs(20), pair).await;
                let Ok(done) = in_time else {
                    panic!("{name} beside a level that does {other} ({first}) waits without end");
                };
                if let Err(error) = done {
                    panic!("{name} beside a level that does {other} ({first}): {error:?}");
                }
                // Memory says what the row says.
                let row = Sheet::all(&db).find_by(|s| s.id.eq(sheet.id())).await?;
                match row {
                    None => assert!(sheet.is_destroyed(), "{name} {other} {first}"),
                    Some(row) => {
                        assert!(sheet.is_persisted(), "{name} {other} {first}");
                        assert_eq!(row.title(), sheet.title_was(), "{name} {other} {first}");
                        assert_eq!(row.reads(), sheet.reads(), "{name} {other} {first}");
                    }
                }
            }
        }
    }
    assert_eq!((db.figures().writers, db.figures().readers), (0, 0));
    Ok(())
}

#[relata::test]
fn who_has_the_turn_never_waits_for_an_inner_level() {
    relata::run(every_pair("sqlite::memory:")).unwrap();
}

#[relata::test]
fn who_has_the_turn_never_waits_for_an_inner_level_of_a_file() {
    let file = std::env::temp_dir().join(format!("relata-levels-{}.db", std::process::id()));
    let _ = std::fs::remove_file(&file);
    relata::run(every_pair(&format!("sqlite:{}", file.display()))).unwrap();
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", file.display()));
    }
}
