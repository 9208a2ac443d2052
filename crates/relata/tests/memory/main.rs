//! Memory: once the last handle is dropped, everything is free, to the byte.
//!
//! An allocator counts. Each scenario is run until what is kept once for all (texts of statements, reflections) is kept,
//! and then once more, between two looks at the count. All of them are one test: another thread would be counted too.
//! What SQLite allocates by itself is not counted here; AddressSanitizer and valgrind look at that.

#![allow(unsafe_code, unreachable_pub, missing_docs)]

mod parents;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};

use relata::{Db, Error, ErrorKind, Result, model};

struct Counting;

/// Bytes that are allocated and not freed.
static HELD: AtomicIsize = AtomicIsize::new(0);

/// The most that was held at once.
static PEAK: AtomicIsize = AtomicIsize::new(0);

fn count(bytes: usize, sign: isize) {
    let change = sign * bytes.cast_signed();
    let before = HELD.fetch_add(change, Ordering::SeqCst);
    PEAK.fetch_max(before + change, Ordering::SeqCst);
}

// SAFETY: every call goes to the system's allocator as it came; counting touches no memory that is handed out.
unsafe impl GlobalAlloc for Counting {
    // SAFETY: as the trait says; the layout goes on as it came.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller's promise for `alloc` is the same.
        unsafe { System.alloc(layout) }
    }

    // SAFETY: as the trait says; pointer and layout go on as they came.
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: the pointer came from `alloc` above, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[model]
pub struct Person {
    id: i64,
    name: String,
    boss_id: Option<i64>,
    #[belongs_to]
    boss: Option<Person>,
    #[has_many(foreign_key = boss_id, inverse_of = boss)]
    reports: Person,
    #[has_many(inverse_of = author)]
    posts: Post,
    #[has_one]
    profile: Option<Profile>,
    #[has_many(through = reports, source = posts)]
    reported: Post,
    #[has_and_belongs_to_many]
    liked: Post,
}

#[model]
pub struct Profile {
    id: i64,
    motto: String,
    person_id: Option<i64>,
    #[belongs_to]
    person: Option<Person>,
}

#[model]
pub struct Post {
    id: i64,
    #[validates(presence)]
    title: String,
    author_id: Option<i64>,
    #[belongs_to]
    author: Option<Person>,
}

/// Ten people below one boss, each with three posts and a profile.
async fn fill(db: &Db) -> Result<()> {
    db.create_tables([
        Person::reflection(),
        Profile::reflection(),
        Post::reflection(),
    ])
    .await?;
    let boss = Person::build(db, |p| p.set_name("boss"));
    for number in 0..10 {
        let person = boss
            .reports()
            .build(|p| p.set_name(format!("person {number}")));
        person.build_profile(|p| p.set_motto("onwards"));
        for post in 0..3 {
            person
                .posts()
                .build(|p| p.set_title(format!("post {post}")));
        }
    }
    boss.save().await
}

/// Rows of this test's own are made and taken back: the tables are as before.
async fn rolled_back(db: &Db, body: impl AsyncFnOnce() -> Result<()>) -> Result<()> {
    let done: Result<()> = db
        .transaction(async || {
            body().await?;
            Err(Error::new(ErrorKind::Rollback, "on purpose"))
        })
        .await;
    match done {
        Err(error) if error.is_rollback() => Ok(()),
        other => other,
    }
}

/// Loads it together: trees, both ways, and what hangs off them.
async fn includes(db: &Db) -> Result<()> {
    let people = Person::all(db)
        .includes(|p| (p.boss, p.reports.posts, p.posts.author, p.profile.person))
        .await?;
    assert_eq!(people.len(), 11);
    for person in &people {
        for post in person.posts().await? {
            assert!(post.author().await?.is_some_and(|author| author.is(person)));
        }
    }
    let kept = people[3].posts().await?.remove(0);
    drop(people);
    assert_eq!(kept.author().await?.map(|it| it.name().len()), Some(8));
    Ok(())
}

/// Loads it lazily, with batching and without, and reads it again.
async fn lazy_loads(db: &Db) -> Result<()> {
    for batching in [true, false] {
        for person in Person::all(db).batching(batching).await? {
            person.boss().await?;
            person.profile().await?;
            for report in person.reports().await? {
                assert_eq!(report.posts().await?.len(), 3);
            }
            person.reload().await?;
            person.posts().reload().await?;
            person.posts().filter(|p| p.title.eq("post 1")).await?;
        }
    }
    Ok(())
}

/// Reads and writes what goes through others: rows between come, go, and are linked from both sides.
async fn through_others(db: &Db) -> Result<()> {
    rolled_back(db, async || {
        let people = Person::all(db)
            .includes(|p| (p.reported.author, p.liked))
            .await?;
        assert_eq!(people[0].reported().await?.len(), 30);
        for person in Person::all(db).await? {
            person.reported().await?;
        }
        let post = Post::all(db).first_or_fail().await?;
        for person in &people {
            person.liked().push(&post).await?;
            person.liked().build(|p| p.set_title("new"));
            person.save().await?;
            person.liked().replace([&post]).await?;
        }
        let new = Person::build(db, |p| p.set_name("new"));
        new.liked().push(&post).await?;
        new.liked().build(|p| p.set_title("unsaved"));
        Ok(())
    })
    .await
}

/// Unsaved graphs: trees, cycles of two and of many, a record that leads to itself.
async fn builds(db: &Db) -> Result<()> {
    let boss = Person::build(db, |p| p.set_name("boss"));
    let other = Person::build(db, |p| p.set_name("other").set_boss(&boss));
    boss.set_boss(&other);
    let ring: Vec<Person> = (0..50).map(|_| Person::new(db)).collect();
    for (at, person) in ring.iter().enumerate() {
        person.set_boss(&ring[(at + 1) % 50]);
        person.posts().build(|p| p.set_title("x").set_author(&boss));
        boss.reports().push(person).await?;
    }
    let own = Person::new(db);
    own.set_boss(&own);
    for text in 0..100 {
        own.set_name(format!("text {}", text % 7));
    }
    Ok(())
}

/// Saves and takes back graphs, pushes, new targets; saves that fail, by a rule and by the database.
async fn saves(db: &Db) -> Result<()> {
    rolled_back(db, async || {
        let boss = Person::all(db).first_or_fail().await?;
        let person = Person::build(db, |p| p.set_name("new"));
        person.posts().build(|p| p.set_title("one"));
        person.set_boss(&boss);
        person.save().await?;
        boss.reports().push(&person).await?;
        person.create_profile(|p| p.set_motto("x")).await?;
        person.posts().create(|p| p.set_title("two")).await?;
        rolled_back(db, async || {
            for post in person.posts().await? {
                post.set_title("changed").save().await?;
            }
            person.posts().create(|p| p.set_title("three")).await?;
            Ok(())
        })
        .await?;
        for post in person.posts().reload().await? {
            post.destroy().await?;
        }
        Ok(())
    })
    .await?;
    let person = Person::build(db, |p| p.set_name("bad"));
    person.posts().build(|p| p);
    assert!(
        person
            .save()
            .await
            .is_err_and(|error| error.kind() == ErrorKind::RecordInvalid)
    );
    let post = Post::build(db, |p| p.set_title("x").set_author_id(Some(99_999)));
    let refused = post.save().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidForeignKey);
    assert!(refused.record::<Post>().is_some_and(|it| it.is(&post)));
    assert!(Post::find(db, 99_999).await.is_err());
    Ok(())
}

/// Futures that are dropped before they are polled, and in the middle.
async fn dropped_futures(db: &Db) -> Result<()> {
    let boss = Person::all(db).first_or_fail().await?;
    drop((boss.posts().load(), boss.reload(), Person::all(db).count()));
    let endless = db.transaction(async || {
        boss.posts().create(|p| p.set_title("x")).await?;
        std::future::pending::<Result<()>>().await
    });
    tokio::select! {
        biased;
        _ = endless => unreachable!("it never ends"),
        () = tokio::task::yield_now() => {}
    }
    assert_eq!(boss.posts().count().await?, 0);
    Ok(())
}

fn length_of_chains() -> usize {
    if std::env::var_os("RELATA_UNDER_VALGRIND").is_some() {
        2_000
    } else {
        100_000
    }
}

/// A chain of new records, dropped from its head on a stack that no recursion over it fits on.
fn chains(db: &Db) {
    let db = db.clone();
    let chain = move || {
        let mut head = Person::new(&db);
        for at in 0..length_of_chains() {
            let next = Person::new(&db);
            if at % 2 == 0 {
                next.set_boss(&head);
            } else {
                next.reports().build(|p| p).set_boss(&head);
            }
            head = next;
        }
    };
    std::thread::Builder::new()
        .stack_size(512 << 10)
        .spawn(chain)
        .unwrap()
        .join()
        .unwrap();
}

/// Four threads link, read and drop what they share.
fn four_threads(db: &Db, seed: u64) {
    let shared: Vec<Person> = (0..12).map(|_| Person::new(db)).collect();
    std::thread::scope(|scope| {
        let work = |thread: u64| {
            let shared = &shared;
            scope.spawn(move || {
                let mut state = seed * 8 + thread;
                let mut below = |end: usize| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    (state >> 33) as usize % end
                };
                for _ in 0..500 {
                    let (one, other) = (&shared[below(12)], &shared[below(12)]);
                    match below(5) {
                        0 => _ = one.set_boss(other),
                        1 => _ = one.posts().build(|p| p.set_author(other)),
                        2 => one.boss().reset(),
                        3 => _ = one.reports().build(|p| p.set_name("x")),
                        _ => _ = one.boss().loaded().map(|boss| boss.posts().target().len()),
                    }
                }
            })
        };
        // Joined one by one: the end of the scope does not wait for what a thread frees at its very end.
        for thread in (1..=4).map(work).collect::<Vec<_>>() {
            thread.join().unwrap();
        }
    });
}

/// What one more run of a scenario leaves, after some that may leave what is kept once for all.
fn left_by(mut scenario: impl FnMut()) -> isize {
    (0..4).for_each(|_| scenario());
    let before = HELD.load(Ordering::SeqCst);
    scenario();
    HELD.load(Ordering::SeqCst) - before
}

#[relata::test]
fn what_is_dropped_is_free_to_the_byte() {
    let db = relata::run(async {
        let db = Db::connect("sqlite::memory:").await?;
        fill(&db).await?;
        Ok(db)
    })
    .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    macro_rules! frees {
        ($($scenario:ident)*) => {$(
            let left = left_by(|| runtime.block_on($scenario(&db)).unwrap());
            assert_eq!(left, 0, "bytes are left by {}", stringify!($scenario));
        )*};
    }
    frees!(includes lazy_loads through_others builds saves dropped_futures);
    assert_eq!(left_by(|| chains(&db)), 0, "bytes are left by chains");
    let seeds = if length_of_chains() < 100_000 { 2 } else { 20 };
    for seed in 1..=seeds {
        assert_eq!(
            left_by(|| four_threads(&db, seed)),
            0,
            "bytes are left by four threads"
        );
    }

    // Someone who lives as long as the program is led to by many, one way, and asked for many results: none stays.
    let boss = runtime.block_on(Person::all(&db).first_or_fail()).unwrap();
    let round = || {
        runtime
            .block_on(async {
                for post in Post::all(&db).await? {
                    post.set_author(&boss);
                    assert!(post.author().await?.is_some_and(|author| author.is(&boss)));
                }
                let _unsaved = Post::build(&db, |p| p.set_author(&boss));
                assert_eq!(
                    boss.reports()
                        .filter(|p| p.name.eq("person 1"))
                        .await?
                        .len(),
                    1
                );
                for report in boss.reports().all().includes(|p| p.boss).await? {
                    report.boss().await?;
                }
                Ok::<(), Error>(())
            })
            .unwrap();
    };
    assert_eq!(
        left_by(|| (0..20).for_each(|_| round())),
        0,
        "a long-lived record collects"
    );
    assert_eq!(boss.retained().0, 1);
    macro_rules! fits {
        ($($scenario:ident)*) => {$(
            let peak = runtime.block_on(parents::$scenario()).unwrap();
            println!("{}: {} MiB", stringify!($scenario), peak >> 20);
            assert!(peak < 250 << 20, "{peak} bytes were held at once by {}", stringify!($scenario));
        )*};
    }
    fits!(many_to_many one_to_one one_to_many keys_of_two_columns);
    drop((boss, db, runtime));
}
