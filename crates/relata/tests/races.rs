//! Many tasks that want the same rows at once, on real threads and a file: what must be true afterwards is asked of the
//! rows.
//!
//! `RELATA_SOAK` runs them at full length.

#![cfg(feature = "sqlite")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use relata::reflection::ModelReflection;
use relata::{Db, Error, Options, Record, Relation, Result, model};
use tokio::sync::Barrier;

/// Counts its books, and is counted by versions.
#[model]
struct Shelf {
    id: i64,
    name: String,
    #[column(default = 0)]
    books_count: i64,
    #[has_many]
    books: Book,
}

/// Counted by its shelf.
#[model]
struct Book {
    id: i64,
    shelf_id: i64,
    #[belongs_to(counter_cache)]
    shelf: Shelf,
}

/// There is one of a name.
#[model]
struct Word {
    id: i64,
    #[validates(uniqueness)]
    #[column(unique)]
    text: String,
}

/// There is one of a name, which only the index knows.
#[model]
struct Tag {
    id: i64,
    #[column(unique)]
    name: String,
}

/// What nobody may lose an update of.
#[model]
struct Account {
    id: i64,
    balance: i64,
    lock_version: i64,
}

/// A database file that goes when this goes.
struct File(PathBuf);

impl File {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("relata-races-{}-{number}.sqlite", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        for ending in ["", "-wal", "-shm"] {
            // It may never have been made.
            let _ = std::fs::remove_file(format!("{}{ending}", self.0.display()));
        }
    }
}

/// Runs a test on threads, with a file of its own.
fn race(test: impl AsyncFnOnce(Db) -> Result<()>) {
    let file = File::new();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .build()
        .unwrap();
    let ran: Result<()> = runtime.block_on(async {
        let url = format!("sqlite:{}", file.0.display());
        // The machine may be slow; nobody may be told to wait too long for that.
        let options = Options::new().deadline(std::time::Duration::from_secs(120));
        let db = Db::connect_with(&url, options).await?;
        let models: [&'static ModelReflection; 5] = [
            Shelf::reflection(),
            Book::reflection(),
            Word::reflection(),
            Tag::reflection(),
            Account::reflection(),
        ];
        db.create_tables(models).await?;
        let idle = db.figures();
        test(db.clone()).await?;
        assert_eq!(db.figures(), idle, "left a lease or a transaction open");
        Ok(())
    });
    ran.unwrap();
}

fn times(usual: u64, soak: u64) -> u64 {
    match std::env::var_os("RELATA_SOAK") {
        Some(_) => soak,
        None => usual,
    }
}

/// Starts so many tasks together, and gives what each gives.
async fn all<T: Send + 'static>(
    tasks: u64,
    run: impl Fn(u64) -> relata::Pending<T>,
) -> Result<Vec<Result<T>>> {
    let barrier = Arc::new(Barrier::new(tasks as usize));
    let started: Vec<_> = (0..tasks)
        .map(|task| {
            let (barrier, running) = (Arc::clone(&barrier), run(task));
            tokio::spawn(async move {
                barrier.wait().await;
                running.await
            })
        })
        .collect();
    let mut given = Vec::new();
    for task in started {
        given.push(task.await.map_err(Error::other)?);
    }
    Ok(given)
}

/// Numbers that look random, the same for the same seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

async fn shelf(db: &Db, numbers: &mut Numbers) -> Result<Shelf> {
    let id = i64::try_from(numbers.below(4) + 1).unwrap_or(1);
    Shelf::find(db, id).await
}

/// Any book, locked.
async fn book(db: &Db, numbers: &mut Numbers) -> Result<Option<Book>> {
    let all = Book::all(db).order(|b| b.id);
    let some = all.clone().count().await?.max(1);
    all.offset(numbers.below(some)).lock().first().await
}

/// One change that counters follow.
async fn change(db: &Db, numbers: &mut Numbers) -> Result<()> {
    let shelf = shelf(db, numbers).await?;
    match numbers.below(8) {
        0..3 => shelf.books().create(|b| b).await.map(drop),
        3 => {
            let new = [Book::new(db), Book::new(db), Book::new(db)];
            shelf.books().concat(&new).await.map(drop)
        }
        4 => {
            db.transaction(async || match book(db, numbers).await? {
                Some(book) => book.destroy().await,
                None => Ok(()),
            })
            .await
        }
        5 | 6 => {
            db.transaction(async || match book(db, numbers).await? {
                Some(book) => book.update(|b| b.set_shelf(&shelf)).await,
                None => Ok(()),
            })
            .await
        }
        _ => {
            db.transaction(async || {
                let few = Book::all(db).filter(|b| b.shelf_id.eq(shelf.id())).limit(2);
                few.destroy_all().await.map(drop)
            })
            .await
        }
    }
}

#[test]
fn counters_are_what_is_counted() {
    race(async |db| {
        for name in ["a", "b", "c", "d"] {
            Shelf::create(&db, |s| s.set_name(name)).await?;
        }
        let changes = times(25, 2_000);
        let done = all(16, |task| {
            let db = db.clone();
            relata::Pending::of(async move {
                let mut numbers = Numbers(0x9e37_79b9 + task * 7_919);
                for _ in 0..changes {
                    change(&db, &mut numbers).await?;
                }
                Ok(())
            })
        });
        for one in done.await? {
            one?;
        }
        for shelf in Shelf::all(&db).await? {
            let counted = Book::all(&db).filter(|b| b.shelf_id.eq(shelf.id())).count();
            let counted = i64::try_from(counted.await?).unwrap_or(-1);
            assert_eq!(shelf.books_count(), counted, "shelf {}", shelf.id());
        }
        Ok(())
    });
}

#[test]
fn a_unique_value_is_had_by_one_and_refused_to_the_others_by_name() {
    race(async |db| {
        let made = all(64, |_| Word::create(&db, |w| w.set_text("same")));
        let (mut had, mut refused) = (0, 0);
        for one in made.await? {
            match one {
                Ok(_) => had += 1,
                Err(error) => {
                    assert!(error.is_record_invalid(), "{error:?}");
                    let word = error.record::<Word>().unwrap();
                    assert!(word.errors().of_kind("text", "taken"), "{error:?}");
                    assert_eq!(word.errors().len(), 1);
                    refused += 1;
                }
            }
        }
        assert_eq!((had, refused), (1, 63));
        assert_eq!(Word::all(&db).count().await?, 1);
        Ok(())
    });
}

#[test]
fn whoever_finds_or_creates_gets_the_one_row() {
    race(async |db| {
        let ways: [fn(&Db) -> relata::Pending<Tag>; 2] = [
            |db| Tag::all(db).find_or_create_by(|t| t.name.eq("found"), |t| t),
            |db| Tag::all(db).create_or_find_by(|t| t.name.eq("made"), |t| t),
        ];
        for (way, name) in ways.into_iter().zip(["found", "made"]) {
            let given = all(64, |_| way(&db)).await?;
            let row = Tag::all(&db).filter(|t| t.name.eq(name)).sole().await?;
            for tag in given {
                assert_eq!(tag?, row);
            }
        }
        let words: [fn(&Db) -> relata::Pending<Word>; 2] = [
            |db| Word::all(db).find_or_create_by(|w| w.text.eq("found"), |w| w),
            |db| Word::all(db).create_or_find_by(|w| w.text.eq("made"), |w| w),
        ];
        for (way, text) in words.into_iter().zip(["found", "made"]) {
            let given = all(64, |_| way(&db)).await?;
            let row = Word::all(&db).filter(|w| w.text.eq(text)).sole().await?;
            for word in given {
                assert_eq!(word?, row, "its validation says that it is taken");
            }
        }
        let by_name: [fn(&Relation) -> relata::Pending<Record>; 2] = [
            |all| all.find_or_create_with(&[("name", "found by name".into())]),
            |all| all.create_or_find_with(&[("name", "made by name".into())]),
        ];
        for way in by_name {
            let erased = Tag::all(&db).erased();
            let given = all(64, |_| way(&erased)).await?;
            let first = given.first().cloned().unwrap()?;
            for tag in given {
                assert_eq!(tag?, first);
            }
        }
        assert_eq!(Tag::all(&db).count().await?, 4);
        Ok(())
    });
}

#[test]
fn whoever_creates_or_finds_inside_a_transaction_gets_the_one_row() {
    race(async |db| {
        let given = all(64, |_| {
            let db = db.clone();
            relata::Pending::of(async move {
                db.transaction(async || {
                    Tag::all(&db)
                        .create_or_find_by(|t| t.name.eq("inside"), |t| t)
                        .await
                })
                .await
            })
        });
        let given = given.await?;
        let row = Tag::all(&db).sole().await?;
        for tag in given {
            assert_eq!(tag?, row);
        }
        Ok(())
    });
}

#[test]
fn no_update_is_lost() {
    race(async |db| {
        let (tasks, updates) = (16, times(20, 1_000));
        let account = Account::create(&db, |a| a.set_balance(0)).await?;
        let id = account.id();
        let done = all(tasks, |_| {
            let db = db.clone();
            relata::Pending::of(async move {
                let mut tries = 0_u64;
                let account = Account::find(&db, id).await?;
                for _ in 0..updates {
                    loop {
                        tries += 1;
                        let balance = account.balance();
                        // Others come between what was read and what is written.
                        tokio::task::yield_now().await;
                        match account.update(|a| a.set_balance(balance + 1)).await {
                            Ok(()) => break,
                            Err(error) if error.is_stale_object() => account.reload().await?,
                            Err(error) => return Err(error),
                        }
                    }
                }
                Ok(tries)
            })
        });
        let mut tries = 0;
        for one in done.await? {
            tries += one?;
        }
        let row = Account::find(&db, id).await?;
        let all = i64::try_from(tasks * updates).unwrap_or(-1);
        assert_eq!((row.balance(), row.lock_version()), (all, all));
        assert!(tries > tasks * updates, "nobody ever came second");
        Ok(())
    });
}
