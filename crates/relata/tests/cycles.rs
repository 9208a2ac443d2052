//! Graphs of new records that lead to each other in circles: each row is written once, each hook runs once, and what is
//! left is what memory says. And a graph whose every statement may fail: hooks never run for what was rolled back.

#![cfg(feature = "sqlite")]

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use relata::{Db, ErrorKind, Result, callbacks, model};

/// What hooks ran, in order. Tests of this file take turns, so that each reads its own.
static LOG: Mutex<Vec<(&'static str, String)>> = Mutex::new(Vec::new());
static TURN: Mutex<()> = Mutex::new(());

fn log() -> MutexGuard<'static, Vec<(&'static str, String)>> {
    LOG.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ran(hook: &'static str, name: &str) {
    log().push((hook, name.to_owned()));
}

fn take_log() -> HashMap<(&'static str, String), usize> {
    let mut counted = HashMap::new();
    for one in log().drain(..) {
        *counted.entry(one).or_default() += 1;
    }
    counted
}

/// Leads to up to three others.
#[model]
struct Knot {
    id: i64,
    name: String,
    left_id: Option<i64>,
    #[belongs_to]
    left: Option<Knot>,
    right_id: Option<i64>,
    #[belongs_to]
    right: Option<Knot>,
    up_id: Option<i64>,
    #[belongs_to(inverse_of = down)]
    up: Option<Knot>,
    #[has_many(foreign_key = up_id)]
    down: Knot,
}

#[callbacks]
impl Knot {
    #[before_save]
    fn before_save(&self) {
        ran("before_save", self.name());
    }

    #[after_create]
    fn after_create(&self) {
        ran("after_create", self.name());
    }

    #[after_save]
    fn after_save(&self) {
        ran("after_save", self.name());
    }

    #[after_commit]
    fn after_commit(&self) {
        ran("after_commit", self.name());
    }

    #[after_rollback]
    fn after_rollback(&self) {
        ran("after_rollback", self.name());
    }
}

/// The root of a graph of twenty.
#[model]
struct Trunk {
    id: i64,
    name: String,
    #[column(default = 0)]
    boughs_count: i64,
    #[has_many(dependent = destroy)]
    boughs: Bough,
}

#[callbacks]
impl Trunk {
    #[after_commit]
    fn after_commit(&self) {
        ran("after_commit", self.name());
    }

    #[after_rollback]
    fn after_rollback(&self) {
        ran("after_rollback", self.name());
    }
}

/// Three of a trunk.
#[model]
struct Bough {
    id: i64,
    name: String,
    trunk_id: i64,
    #[belongs_to(counter_cache)]
    trunk: Trunk,
    #[has_many(dependent = destroy)]
    leaves: Leaf,
}

#[callbacks]
impl Bough {
    #[after_create]
    async fn after_create(&self) -> Result<()> {
        ran("after_create", self.name());
        Ok(())
    }

    #[after_commit]
    fn after_commit(&self) {
        ran("after_commit", self.name());
    }

    #[after_rollback]
    fn after_rollback(&self) {
        ran("after_rollback", self.name());
    }
}

/// Sixteen of three boughs.
#[model]
struct Leaf {
    id: i64,
    name: String,
    bough_id: i64,
    #[belongs_to]
    bough: Bough,
}

#[callbacks]
impl Leaf {
    #[after_commit]
    async fn after_commit(&self) -> Result<()> {
        ran("after_commit", self.name());
        Ok(())
    }

    #[after_rollback]
    fn after_rollback(&self) {
        ran("after_rollback", self.name());
    }
}

async fn database() -> Result<Db> {
    let db = Db::connect("sqlite::memory:").await?;
    db.create_tables([
        Knot::reflection(),
        Trunk::reflection(),
        Bough::reflection(),
        Leaf::reflection(),
    ])
    .await?;
    Ok(db)
}

fn run(test: impl AsyncFnOnce(Db) -> Result<()>) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    log().clear();
    relata::run(async { test(database().await?).await }).unwrap();
}

/// Numbers that look random, the same for the same seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap_or_default()
    }
}

/// A graph of some new records, each leading to others or itself; most have circles.
fn knots(db: &Db, numbers: &mut Numbers) -> (Vec<Knot>, Vec<[Option<usize>; 3]>) {
    let some = 2 + numbers.below(10);
    let all: Vec<Knot> = (0..some)
        .map(|number| Knot::build(db, |k| k.set_name(format!("k{number}"))))
        .collect();
    let mut edges = Vec::new();
    for knot in &all {
        let mut to = [None; 3];
        for edge in &mut to {
            *edge = (numbers.below(3) > 0).then(|| numbers.below(some));
        }
        knot.set_left(to[0].map(|to| &all[to]));
        knot.set_right(to[1].map(|to| &all[to]));
        knot.set_up(to[2].map(|to| &all[to]));
        edges.push(to);
    }
    (all, edges)
}

/// Those that saving `from` leads to, over the edges that a save follows: to parents.
fn reached(edges: &[[Option<usize>; 3]], from: usize) -> Vec<usize> {
    let mut found = vec![from];
    let mut next = 0;
    while let Some(&at) = found.get(next) {
        for to in edges[at].iter().flatten() {
            if !found.contains(to) {
                found.push(*to);
            }
        }
        next += 1;
    }
    found
}

#[relata::test]
fn two_hundred_knotted_graphs_are_written_once() {
    run(async |db| {
        for seed in 1..=200 {
            Knot::all(&db).delete_all().await?;
            let mut numbers = Numbers(u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15) | 1);
            let (all, edges) = knots(&db, &mut numbers);
            let from = numbers.below(all.len());
            take_log();
            let capture = db.capture();
            all[from].save().await?;
            let texts = capture.texts();
            drop(capture);
            let rows = Knot::all(&db).await?;
            let reached = reached(&edges, from);
            let inserts = texts
                .iter()
                .filter(|text| text.starts_with("INSERT"))
                .count();
            assert_eq!(inserts, rows.len(), "seed {seed}: each row once");
            let saved: Vec<usize> = (0..all.len())
                .filter(|&at| all[at].is_persisted())
                .collect();
            assert_eq!(
                saved.len(),
                rows.len(),
                "seed {seed}: memory knows of every row"
            );
            assert!(reached.iter().all(|at| saved.contains(at)), "seed {seed}");
            let log = take_log();
            for &at in &saved {
                for hook in ["before_save", "after_create", "after_save", "after_commit"] {
                    let times = log.get(&(hook, all[at].name().to_owned())).copied();
                    assert_eq!(times, Some(1), "seed {seed}: {hook} of {}", all[at].name());
                }
                let row = rows.iter().find(|row| row.id() == all[at].id());
                let row =
                    row.unwrap_or_else(|| panic!("seed {seed}: {} has no row", all[at].name()));
                let key = |edge: usize| edges[at][edge].map(|to| all[to].id());
                assert_eq!(
                    [row.left_id(), row.right_id(), row.up_id()],
                    [key(0), key(1), key(2)],
                    "seed {seed}: the keys of {}",
                    all[at].name()
                );
                assert!(
                    !all[at].is_changed(),
                    "seed {seed}: {:?}",
                    all[at].changed()
                );
            }
            let again = db.capture();
            all[from].save().await?;
            let writes = again.texts().into_iter();
            let writes =
                writes.filter(|text| text.starts_with("INSERT") || text.starts_with("UPDATE"));
            assert_eq!(writes.count(), 0, "seed {seed}: nothing is left to write");
        }
        Ok(())
    });
}

#[relata::test]
fn a_knotted_graph_that_fails_leaves_nothing() {
    run(async |db| {
        for seed in 1..=20 {
            let mut nth = 1;
            loop {
                Knot::all(&db).delete_all().await?;
                let mut numbers = Numbers(u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15) | 1);
                let (all, edges) = knots(&db, &mut numbers);
                take_log();
                db.faults()
                    .fail_nth(nth, ErrorKind::ConnectionNotEstablished);
                let saved = all[0].save().await;
                db.faults().clear();
                if saved.is_ok() {
                    break;
                }
                assert_eq!(
                    Knot::all(&db).count().await?,
                    0,
                    "seed {seed}, statement {nth}"
                );
                for knot in &all {
                    assert!(knot.is_new_record(), "seed {seed}, statement {nth}");
                    assert_eq!(knot.get("id")?, relata::Value::Null);
                }
                let log = take_log();
                assert!(log.keys().all(|(hook, _)| *hook != "after_commit"));
                all[0].save().await?;
                let expected = reached(&edges, 0).len() as u64;
                assert!(
                    Knot::all(&db).count().await? >= expected,
                    "the next save writes all"
                );
                nth += 1;
            }
            assert!(nth > 1, "no statement was planned to fail");
        }
        Ok(())
    });
}

fn tree(db: &Db) -> Trunk {
    let trunk = Trunk::build(db, |t| t.set_name("trunk"));
    for bough in 0..3 {
        let leaves = if bough == 0 { 6 } else { 5 };
        let bough = trunk
            .boughs()
            .build(|b| b.set_name(format!("bough {bough}")));
        for leaf in 0..leaves {
            let name = format!("{} leaf {leaf}", bough.name());
            bough.leaves().build(|l| l.set_name(name));
        }
    }
    trunk
}

async fn rows(db: &Db) -> Result<[u64; 3]> {
    Ok([
        Trunk::all(db).count().await?,
        Bough::all(db).count().await?,
        Leaf::all(db).count().await?,
    ])
}

#[relata::test]
fn hooks_never_run_for_a_save_that_was_rolled_back() {
    run(async |db| {
        let mut nth = 1;
        loop {
            let trunk = tree(&db);
            take_log();
            db.faults()
                .fail_nth(nth, ErrorKind::ConnectionNotEstablished);
            let saved = trunk.save().await;
            db.faults().clear();
            let log = take_log();
            let committed = log
                .keys()
                .filter(|(hook, _)| *hook == "after_commit")
                .count();
            if saved.is_ok() {
                assert_eq!(committed, 20, "each record hears of its commit");
                assert!(log.values().all(|&times| times == 1), "{log:?}");
                assert!(log.keys().all(|(hook, _)| *hook != "after_rollback"));
                break;
            }
            assert_eq!(committed, 0, "statement {nth}: {log:?}");
            assert!(
                log.values().all(|&times| times == 1),
                "statement {nth}: {log:?}"
            );
            assert_eq!(rows(&db).await?, [0, 0, 0], "statement {nth}");
            assert!(trunk.is_new_record(), "statement {nth}");
            for bough in trunk.boughs().target() {
                assert!(bough.is_new_record() && bough.get("id")?.is_null());
                assert!(
                    bough
                        .leaves()
                        .target()
                        .iter()
                        .all(|leaf| leaf.is_new_record())
                );
            }
            nth += 1;
        }
        assert!(nth > 20, "only {nth} statements could fail");
        assert_eq!(rows(&db).await?, [1, 3, 16]);
        assert_eq!(Trunk::all(&db).sole().await?.boughs_count(), 3);
        Ok(())
    });
}

#[relata::test]
fn hooks_never_run_for_a_destroy_that_was_rolled_back() {
    run(async |db| {
        tree(&db).save().await?;
        let mut nth = 1;
        loop {
            let trunk = Trunk::all(&db).sole().await?;
            take_log();
            db.faults()
                .fail_nth(nth, ErrorKind::ConnectionNotEstablished);
            let destroyed = trunk.destroy().await;
            db.faults().clear();
            let log = take_log();
            let committed = log
                .keys()
                .filter(|(hook, _)| *hook == "after_commit")
                .count();
            if destroyed.is_ok() {
                assert_eq!(committed, 20);
                assert!(log.values().all(|&times| times == 1), "{log:?}");
                break;
            }
            assert_eq!(committed, 0, "statement {nth}: {log:?}");
            assert_eq!(rows(&db).await?, [1, 3, 16], "statement {nth}");
            assert!(trunk.is_persisted(), "statement {nth}");
            assert_eq!(Trunk::all(&db).sole().await?.boughs_count(), 3);
            nth += 1;
        }
        assert!(nth > 20, "only {nth} statements could fail");
        assert_eq!(rows(&db).await?, [0, 0, 0]);
        Ok(())
    });
}
