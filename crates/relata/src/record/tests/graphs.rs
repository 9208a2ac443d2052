//! Graphs: everything is freed, whatever its shape; nothing costs the square of its size; threads do not matter.

use std::sync::Mutex;

use super::super::graph::WORK;
use super::*;

/// Records of a long chain; fewer where every instruction is simulated.
fn long() -> usize {
    if std::env::var_os("RELATA_UNDER_VALGRIND").is_some() {
        2_000
    } else {
        100_000
    }
}

/// What linking may look at for each record: 33 at most of 100,000 in random order. The square would be thousands.
const WORK_A_RECORD: usize = 60;

/// Runs `link` and asserts that its work grows with the number of records, not with its square.
fn in_few_steps<T>(records: usize, link: impl FnOnce() -> T) -> T {
    WORK.set(0);
    let linked = link();
    let work = WORK.get();
    assert!(
        work <= records * WORK_A_RECORD,
        "{records} records took {work} steps"
    );
    linked
}

fn numbered(model: &'static ModelReflection, count: usize) -> Vec<Record> {
    (0..i64::try_from(count).unwrap())
        .map(|number| record(model, number))
        .collect()
}

/// Links a chain in some order of links and checks that it is walked and freed from its head.
fn chain(
    model: &'static ModelReflection,
    length: usize,
    backwards: bool,
    order: impl FnOnce(&mut Vec<usize>),
) {
    let mut records = numbered(model, length);
    if backwards {
        records.reverse();
    }
    let mut links: Vec<usize> = (1..length).collect();
    order(&mut links);
    in_few_steps(length, || {
        for at in links {
            depend(&records[at - 1], &records[at]);
        }
    });
    let head = records[0].clone();
    records.truncate(1);
    drop(records);
    assert_eq!(live(model), length);
    let (mut at, mut steps) = (head.clone(), 1);
    while let Some(next) = one(&at, ONE) {
        (at, steps) = (next, steps + 1);
    }
    assert_eq!(steps, length);
    drop(at);
    drop(head);
    assert_eq!(live(model), 0);
}

#[test]
fn long_chains_are_linked_in_any_order_and_freed_on_a_small_stack() {
    on_a_small_stack(|| {
        let model = model("Chains");
        for backwards in [false, true] {
            chain(model, long(), backwards, |_| {});
            chain(model, long(), backwards, |links| links.reverse());
            chain(model, long(), backwards, |links| Random(42).shuffle(links));
        }
    });
}

#[test]
fn a_long_chain_that_closes_becomes_one_graph() {
    on_a_small_stack(|| {
        let model = model("Ring");
        let records = numbered(model, long());
        in_few_steps(long(), || {
            for pair in records.windows(2) {
                depend(&pair[1], &pair[0]);
            }
            depend(&records[0], &records[long() - 1]);
        });
        assert_eq!(records[0].graph.batch_count(), long());
        assert!(records[5].graph.faults().is_empty());
        let last = records[long() / 2].clone();
        drop(records);
        assert!(is_intact(&one(&last, ONE).unwrap()));
        drop(last);
        assert_eq!(live(model), 0);
    });
}

#[test]
fn a_long_chain_of_unions_is_freed() {
    on_a_small_stack(|| {
        let model = model("Unions");
        let mut records = numbered(model, long());
        let mut links: Vec<usize> = (1..long()).collect();
        Random(3).shuffle(&mut links);
        in_few_steps(long(), || {
            for at in links {
                unite(&records[at], &records[at - 1]);
            }
        });
        records.truncate(1);
        assert_eq!(records[0].graph.batch_count(), long());
        drop(records);
        assert_eq!(live(model), 0);
    });
}

#[test]
fn stars_of_all_kinds_are_linked_quickly_and_freed() {
    let model = model("Stars");
    let count = i64::try_from(long()).unwrap();
    for tie in [Tie::Depend, Tie::Unite] {
        for hub_is_old in [false, true] {
            // Out: each row of a batch leads to a record of its own. In: all lead to one.
            let old = hub_is_old.then(|| rows(model, 0..count));
            let others = numbered(model, long());
            let hub = old.unwrap_or_else(|| rows(model, 0..count));
            in_few_steps(long(), || {
                for (row, other) in hub.iter().zip(&others) {
                    row.link_one(ONE, Some(other), &[], tie);
                }
            });
            assert!(hub[long() - 1].graph.faults().is_empty());
            // What leads to the hub, and a record of either age on both sides.
            let above = record(model, 1);
            depend(&above, &hub[0]);
            in_few_steps(long(), || {
                others
                    .iter()
                    .for_each(|other| other.link_one(OTHER, None, &[], tie));
            });
            drop(others);
            assert!(is_intact(&one(&hub[long() / 2], ONE).unwrap()));
            drop(hub);
            drop(above);
            assert_eq!(live(model), 0, "{tie:?}, old hub: {hub_is_old}");

            let old = hub_is_old.then(|| record(model, 0));
            let others = numbered(model, long());
            let hub = old.unwrap_or_else(|| record(model, 0));
            in_few_steps(long(), || {
                others
                    .iter()
                    .rev()
                    .for_each(|other| other.link_one(ONE, Some(&hub), &[], tie));
            });
            assert!(hub.graph.faults().is_empty());
            drop((hub, others));
            assert_eq!(live(model), 0, "{tie:?}, old hub: {hub_is_old}");
        }
    }
    // A hub that leads to many and is united with many more, older ones.
    let older = numbered(model, long());
    let hub = rows(model, 0..count);
    let others = numbered(model, long());
    in_few_steps(3 * long(), || {
        for ((row, other), older) in hub.iter().zip(&others).zip(older.iter().rev()) {
            depend(row, other);
            unite(row, older);
        }
    });
    assert!(hub[0].graph.faults().is_empty());
    drop((hub, others, older));
    assert_eq!(live(model), 0);
}

/// The members of a through: rows of the owner's lead to them, and then the owner itself does. Each union looked for ways
/// over all the others.
#[test]
fn a_hub_is_united_with_all_it_depends_on_in_few_steps() {
    let model = model("Members");
    let count = i64::try_from(long()).unwrap();
    for is_led_to in [false, true] {
        let hub = rows(model, 0..count);
        let others = numbered(model, long());
        let above = record(model, 1);
        if is_led_to {
            depend(&above, &hub[0]);
        }
        in_few_steps(long(), || {
            for (row, other) in hub.iter().zip(&others) {
                depend(row, other);
            }
            for (row, other) in hub.iter().zip(&others) {
                unite(row, other);
            }
        });
        assert!(above.graph.faults().is_empty() && hub[0].graph.faults().is_empty());
        drop(others);
        assert!(is_intact(&one(&hub[long() / 2], ONE).unwrap()));
        drop((hub, above));
        assert_eq!(live(model), 0);
    }
}

#[test]
fn a_ladder_of_triangles_is_lowered_in_one_pass() {
    let model = model("Ladder");
    let (low, above) = (record(model, 0), record(model, 1));
    depend(&above, &low);
    let mut rungs = numbered(model, long() + 1);
    rungs.reverse();
    for at in (0..long()).step_by(2) {
        depend(&rungs[at], &rungs[at + 1]);
        depend(&rungs[at + 1], &rungs[at + 2]);
        rungs[at].link_one(OTHER, Some(&rungs[at + 2]), &[], Tie::Depend);
    }
    // Every path down the ladder is longer than the last one that was tried.
    in_few_steps(long(), || depend(&low, &rungs[0]));
    assert!(above.graph.faults().is_empty());
    drop((low, above, rungs));
    assert_eq!(live(model), 0);
}

#[test]
fn trees_and_cycles_are_freed() {
    let model = model("Shapes");
    for tie in [Tie::Depend, Tie::Unite] {
        for down in [false, true] {
            let records = numbered(model, 1000);
            for at in 1..1000 {
                let (from, to) = if down {
                    ((at - 1) / 2, at)
                } else {
                    (at, (at - 1) / 2)
                };
                // Parents have two children: one below each association.
                records[from].link_one(at % 2, Some(&records[to]), &[], tie);
            }
            assert!(
                records
                    .iter()
                    .all(|record| record.graph.faults().is_empty())
            );
            drop(records);
            assert_eq!(live(model), 0);
        }
        for length in [1, 2, 3, 50] {
            let records = numbered(model, length);
            for at in 0..length {
                records[at].link_one(ONE, Some(&records[(at + 1) % length]), &[], tie);
                records[at].link_one(OTHER, Some(&records[(at + length - 1) % length]), &[], tie);
            }
            assert!(
                records
                    .iter()
                    .all(|record| record.graph.faults().is_empty())
            );
            assert_eq!(records[0].graph.batch_count(), length);
            drop(records);
            assert_eq!(live(model), 0);
        }
    }
}

/// One step that some thread takes with the records that all share.
fn step(
    model: &'static ModelReflection,
    pool: &[Mutex<Option<Record>>],
    random: &mut Random,
    number: i64,
) {
    let put = |random: &mut Random, record: Option<Record>| {
        let old = std::mem::replace(&mut *pool[random.below(pool.len())].lock().unwrap(), record);
        drop(old);
    };
    let take = |random: &mut Random| pool[random.below(pool.len())].lock().unwrap().clone();
    let (Some(a), Some(b)) = (take(random), take(random)) else {
        let made = if random.below(3) == 0 {
            rows(model, number..number + 3).remove(1)
        } else {
            record(model, number)
        };
        return put(random, Some(made));
    };
    assert!(is_intact(&a) && is_intact(&b));
    match random.below(16) {
        0..=2 => depend(&a, &b),
        3 => a.link_one(OTHER, Some(&b), &[ID], Tie::Depend),
        4 => unite(&a, &b),
        5 => a.link_many(MANY, &[b, record(model, number)], false),
        6 => a.link_member(MANY, &b),
        7 => a.unlink(random.below(3)),
        8 => {
            let index = Index::One(vec![Place { batch: 0, row: 0 }; a.batch_size()].into());
            let tie = if random.below(2) == 0 {
                Tie::Unite
            } else {
                Tie::Depend
            };
            a.publish(
                random.below(2),
                Links {
                    targets: vec![b],
                    index,
                    missing: None,
                    unread_since: None,
                },
                tie,
            );
        }
        9 => {
            let beside = a.blank_beside(model);
            beside.write::<i64>(ID, number);
            beside.write::<Option<String>>(NAME, Some(&format!("record {number}")));
            put(random, Some(beside));
        }
        10 => put(random, Some(record(model, number))),
        11..=12 => put(random, None),
        _ => {
            let mut at = a;
            for _ in 0..8 {
                let Some(next) = one(&at, random.below(2)) else {
                    break;
                };
                assert!(is_intact(&next));
                assert!(at.linked_many(MANY, |_| true).records.iter().all(is_intact));
                at = next;
            }
            put(random, Some(at));
        }
    }
}

#[test]
fn random_graphs_of_four_threads_are_sound_and_freed() {
    let model = model("Random");
    let seeds = if std::env::var_os("RELATA_SOAK").is_some() {
        400
    } else {
        4
    };
    for seed in 1..=seeds {
        let pool: Vec<Mutex<Option<Record>>> = (0..60).map(|_| Mutex::new(None)).collect();
        std::thread::scope(|scope| {
            for thread in 1..=4 {
                let pool = &pool;
                scope.spawn(move || {
                    let mut random = Random(0x9e37_79b9 * (seed * 10 + thread));
                    for number in 1..5000 {
                        step(model, pool, &mut random, number);
                    }
                });
            }
        });
        for record in pool
            .iter()
            .filter_map(|record| record.lock().unwrap().clone())
        {
            assert_eq!(record.graph.faults(), Vec::<String>::new());
        }
        drop(pool);
        assert_eq!(live(model), 0);
    }
}
