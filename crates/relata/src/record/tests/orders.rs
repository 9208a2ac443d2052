//! Every order in which two or three threads can take their steps, with a bound on how often one is interrupted: links
//! that are published, followed, replaced; graphs that are united, depended on and given back; values.
//!
//! A step is a lock, an atomic or a look at a cell (`record/sync.rs`). After each order everything must be freed, and a
//! link that was followed must have led to a batch that was there. Run with `cargo xtask test --only orders`.

use std::panic::Location;
use std::sync::{Mutex as Plain, PoisonError};

use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};
use shuttle::{Config, Runner, thread};

use super::*;

/// Tries every order in which a running thread is interrupted at most so often; where one ends or waits, each of the
/// others is tried.
struct Orders {
    interruptions: usize,
    /// The choice taken at each step, and among how many.
    path: Vec<(usize, usize)>,
    step: usize,
    interrupted: usize,
    tried: usize,
}

impl Orders {
    fn up_to(interruptions: usize) -> Self {
        Self {
            interruptions,
            path: Vec::new(),
            step: 0,
            interrupted: 0,
            tried: 0,
        }
    }
}

impl Scheduler for Orders {
    fn new_execution(&mut self) -> Option<Schedule> {
        if self.tried > 0 {
            while self.path.last().is_some_and(|(taken, of)| taken + 1 == *of) {
                self.path.pop();
            }
            let (taken, _) = self.path.last_mut()?;
            *taken += 1;
        }
        (self.step, self.interrupted) = (0, 0);
        self.tried += 1;
        Some(Schedule::new(0))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        _: bool,
    ) -> Option<TaskId> {
        let goes_on = runnable
            .iter()
            .map(|task| task.id())
            .find(|id| Some(*id) == current);
        let others = runnable
            .iter()
            .map(|task| task.id())
            .filter(|id| Some(*id) != current);
        let mut choices: Vec<TaskId> = goes_on.into_iter().collect();
        if goes_on.is_none() || self.interrupted < self.interruptions {
            choices.extend(others);
        }
        if self.step == self.path.len() {
            self.path.push((0, choices.len()));
        }
        let taken = self.path[self.step].0;
        self.step += 1;
        if goes_on.is_some() && taken > 0 {
            self.interrupted += 1;
        }
        Some(choices[taken])
    }

    fn next_u64(&mut self) -> u64 {
        0
    }
}

/// Runs a scenario in every order; at the end of each, nothing of its model may be left in memory.
#[track_caller]
fn in_every_order(
    interruptions: usize,
    scenario: impl Fn(&'static ModelReflection) + Send + Sync + 'static,
) {
    // The lock of the shape of graphs is one for all: one scheduler at a time may decide who has it.
    static TURN: Plain<()> = Plain::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let name: &'static str = format!("Order{}", Location::caller().line()).leak();
    let model = model(name);
    let tried = Runner::new(Orders::up_to(interruptions), Config::new()).run(move || {
        scenario(model);
        assert_eq!(live(model), 0, "batches are left");
    });
    println!("{name}: {tried} orders");
    assert!(tried > 20, "{tried} orders are none");
}

fn table(targets: &[&Record], places: &[(u32, u32)]) -> Links {
    let place = |&(batch, row)| Place { batch, row };
    Links {
        targets: targets.iter().map(|&target| target.clone()).collect(),
        index: Index::One(places.iter().map(place).collect()),
        missing: None,
        unread_since: None,
    }
}

#[test]
fn a_table_is_published_while_it_is_followed() {
    in_every_order(3, |model| {
        let owners = rows(model, 0..2);
        let (publisher, reader) = (owners[0].clone(), owners[1].clone());
        drop(owners);
        let publishing = thread::spawn(move || {
            let target = record(model, 7);
            assert!(publisher.publish(ONE, table(&[&target], &[(0, 0), (0, 0)]), Tie::Depend));
        });
        let reading = thread::spawn(move || {
            let found = one(&reader, ONE);
            let again = one(&reader, ONE);
            if let Some(found) = found {
                assert!(
                    again.is_some_and(|again| again.is(&found)),
                    "once known, known"
                );
                drop(reader);
                assert!(is_intact(&found), "a target outlives who led to it");
            }
        });
        publishing.join().unwrap();
        reading.join().unwrap();
    });
}

#[test]
fn one_of_two_tables_is_published_and_the_other_is_freed() {
    in_every_order(2, |model| {
        let owners = rows(model, 0..2);
        let publish = |owner: &Record, number: i64, tie: Tie| {
            let owner = owner.clone();
            thread::spawn(move || {
                let target = record(model, number);
                owner.publish(ONE, table(&[&target], &[(0, 0), (0, 0)]), tie)
            })
        };
        let (first, second) = (
            publish(&owners[0], 5, Tie::Depend),
            publish(&owners[1], 6, Tie::Unite),
        );
        let (first, second) = (first.join().unwrap(), second.join().unwrap());
        assert!(first != second, "one of them");
        let found = one(&owners[0], ONE).unwrap();
        assert_eq!(found.read::<i64>(ID), if first { 5 } else { 6 });
        assert_eq!(live(model), 2, "the other's target is gone");
    });
}

#[test]
fn two_graphs_are_united_from_both_sides() {
    in_every_order(2, |model| {
        let (a, b) = (record(model, 1), record(model, 2));
        let (one_side, other_side) = ((a.clone(), b.clone()), (b.clone(), a.clone()));
        drop((a, b));
        let link = |(from, to): (Record, Record)| {
            thread::spawn(move || {
                unite(&from, &to);
                drop(to);
                let found = one(&from, OTHER).unwrap();
                drop(from);
                assert!(is_intact(&found));
            })
        };
        let (first, second) = (link(one_side), link(other_side));
        first.join().unwrap();
        second.join().unwrap();
    });
}

#[test]
fn a_cycle_of_dependencies_is_closed_by_two_threads() {
    in_every_order(3, |model| {
        let (a, b) = (record(model, 1), record(model, 2));
        let (from, to) = (a.clone(), b.clone());
        let first = thread::spawn(move || depend(&from, &to));
        let (from, to) = (b.clone(), a.clone());
        let second = thread::spawn(move || depend(&from, &to));
        first.join().unwrap();
        second.join().unwrap();
        assert_eq!(a.graph.faults(), Vec::<String>::new());
        drop(b);
        let found = one(&a, ONE).unwrap();
        drop(a);
        assert!(is_intact(&found) && is_intact(&one(&found, ONE).unwrap()));
    });
}

#[test]
fn a_target_is_replaced_while_it_is_followed() {
    in_every_order(2, |model| {
        let hub = record(model, 0);
        depend(&hub, &record(model, 1));
        let writer = hub.clone();
        let replacing = thread::spawn(move || {
            depend(&writer, &record(model, 2));
            writer.unlink(ONE);
        });
        let reading = thread::spawn(move || {
            let found = [one(&hub, ONE), one(&hub, ONE)];
            drop(hub);
            for found in found.iter().flatten() {
                assert!(is_intact(found));
            }
        });
        replacing.join().unwrap();
        reading.join().unwrap();
    });
}

#[test]
fn a_target_moves_to_another_graph_while_it_is_followed_and_given_back() {
    in_every_order(2, |model| {
        let (hub, target) = (record(model, 0), record(model, 1));
        let larger = record(model, 10);
        let beside = larger.blank_beside(model);
        depend(&hub, &target);
        let uniting = thread::spawn(move || {
            unite(&target, &larger);
            drop((target, larger, beside));
        });
        let writer = hub.clone();
        let releasing = thread::spawn(move || writer.unlink(ONE));
        if let Some(found) = one(&hub, ONE) {
            drop(hub);
            assert!(is_intact(&found));
        }
        uniting.join().unwrap();
        releasing.join().unwrap();
    });
}

#[test]
fn a_dependency_and_a_union_meet() {
    in_every_order(2, |model| {
        let (a, b, c) = (record(model, 1), record(model, 2), record(model, 3));
        let (from, on) = (a.clone(), b.clone());
        let depending = thread::spawn(move || depend(&from, &on));
        let (from, with) = (b.clone(), a.clone());
        let closing = thread::spawn(move || depend(&from, &with));
        unite(&b, &c);
        drop((b, c));
        depending.join().unwrap();
        closing.join().unwrap();
        assert_eq!(a.graph.faults(), Vec::<String>::new());
        let b = one(&a, ONE).unwrap();
        drop(a);
        assert!(is_intact(&b) && is_intact(&one(&b, OTHER).unwrap()));
    });
}

#[test]
fn members_that_two_threads_add_are_both_kept() {
    in_every_order(2, |model| {
        let hub = record(model, 0);
        let add = |number: i64| {
            let hub = hub.clone();
            thread::spawn(move || hub.link_member(MANY, &record(model, number)))
        };
        let (first, second) = (add(1), add(2));
        let seen = hub.linked_many(MANY, |_| true).records;
        assert!(seen.iter().all(is_intact));
        first.join().unwrap();
        second.join().unwrap();
        let mut numbers: Vec<i64> = hub
            .linked_many(MANY, |_| true)
            .records
            .iter()
            .map(|member| member.read::<i64>(ID))
            .collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2]);
        assert!(seen.len() <= 2);
    });
}

#[test]
fn members_are_loaded_while_one_is_added() {
    in_every_order(2, |model| {
        let hub = record(model, 0);
        let (loader, adder) = (hub.clone(), hub.clone());
        let loading = thread::spawn(move || {
            loader.link_many(MANY, &rows(model, 10..12), true);
        });
        let adding = thread::spawn(move || adder.link_member(MANY, &record(model, 1)));
        loading.join().unwrap();
        adding.join().unwrap();
        let members = hub.linked_many(MANY, |_| true);
        assert!(members.records.iter().all(is_intact));
        // Whole lists: the loaded one, with the new one behind it if that came after.
        assert!(members.loaded && [2, 3].contains(&members.records.len()));
    });
}

#[test]
fn a_value_is_read_as_it_was_or_as_it_is() {
    in_every_order(3, |model| {
        let owners = rows(model, 1..3);
        let set = |number: i64, owner: &Record| {
            let owner = owner.clone();
            thread::spawn(move || {
                owner.write::<Option<String>>(NAME, Some(&format!("set {number}")))
            })
        };
        // The first touch of a batch, by two threads, of one row and of its sibling.
        let (first, second) = (set(1, &owners[0]), set(2, &owners[1]));
        let read = owners[0].read::<Option<String>>(NAME).unwrap();
        assert!(["record 1", "set 1"].contains(&read), "{read}");
        first.join().unwrap();
        second.join().unwrap();
        let names = owners
            .iter()
            .map(|it| it.read::<Option<String>>(NAME).unwrap());
        assert_eq!(names.collect::<Vec<_>>(), ["set 1", "set 2"]);
        assert!(owners[0].changed() == ["name"] && read.len() >= 5);
    });
}

#[test]
fn two_threads_set_two_attributes_of_one_record_and_a_save_takes_what_it_bound() {
    in_every_order(3, |model| {
        let owner = rows(model, 1..2).remove(0);
        let (named, sized) = (owner.clone(), owner.clone());
        let naming = thread::spawn(move || named.write::<Option<String>>(NAME, Some("set")));
        let saving = thread::spawn(move || {
            sized.write::<Option<f64>>(SIZE, Some(2.0));
            let bound = sized.bind();
            sized.saved(bound, &[NAME, SIZE]);
        });
        naming.join().unwrap();
        saving.join().unwrap();
        assert_eq!(owner.read::<Option<f64>>(SIZE), Some(2.0));
        assert_eq!(owner.read::<Option<String>>(NAME), Some("set"));
        // Set before the values were bound, it is saved; set after, it is not, and never lost.
        let saved = owner.read_was::<Option<String>>(NAME) == Some("set");
        assert_eq!(owner.changed(), if saved { vec![] } else { vec!["name"] });
    });
}

#[test]
fn the_last_handles_of_a_cycle_are_dropped_while_it_is_walked() {
    in_every_order(2, |model| {
        let (a, b) = (record(model, 1), record(model, 2));
        unite(&a, &b);
        unite(&b, &a);
        let dropping = thread::spawn(move || drop(b));
        let walking = thread::spawn(move || {
            let b = one(&a, OTHER).unwrap();
            drop(a);
            let a = one(&b, OTHER).unwrap();
            drop(b);
            assert!(is_intact(&a));
        });
        dropping.join().unwrap();
        walking.join().unwrap();
    });
}
