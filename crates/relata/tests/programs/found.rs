//! What random programs found, each as the shortest program that shows it.

use relata::{Record, Relation, Value};

use crate::program::Batching::On;
use crate::program::End::RollBack;
use crate::program::Step::{self, *};
use crate::world::Kind::{Person, Post};
use crate::world::List::{Posts, Reports};
use crate::{on, run_alone, world};

#[track_caller]
fn replay(program: &[Step]) {
    if let Err(difference) = run_alone(program) {
        panic!("{difference}");
    }
}

/// A post without text is refused by the database after its new author was inserted: it kept the key of a row that was
/// rolled back. What a failed save filled in is taken back.
#[test]
fn a_failed_save_takes_back_the_keys_that_it_filled_in() {
    replay(&[New(Person), Build(0, Posts), Save(0)]);
}

/// The same where the save is one statement inside a transaction, which goes on.
#[test]
fn a_failed_save_of_one_row_takes_back_its_key_while_the_transaction_goes_on() {
    replay(&[
        New(Person),
        New(Post),
        Link(1, Some(0)),
        Transaction(RollBack, vec![Save(0), Save(1), Text(1, Some(0)), Save(1)]),
        Save(1),
    ]);
}

/// A failed save made a new member lead to its owner, which it had been told to forget.
#[test]
fn a_failed_save_leaves_what_associations_hold_as_it_was() {
    replay(&[
        New(Person),
        Save(0),
        Build(0, Posts),
        New(Person),
        Transaction(RollBack, vec![Push(0, Reports, 2), Reload(2)]),
        FailingSave(0, 2),
    ]);
}

/// Two people, each the other's boss, whose rows were rolled back: the key that was left of one was written first, and
/// no row has it. A key is written only once its row is there.
#[test]
fn a_cycle_whose_rows_were_rolled_back_is_saved_again() {
    replay(&[
        Transaction(
            RollBack,
            vec![New(Person), Build(0, Reports), Save(0), Push(1, Reports, 0)],
        ),
        Save(1),
    ]);
}

/// Someone who is their own boss, twice saved and twice rolled back.
#[test]
fn a_key_to_itself_is_taken_back_as_one_change() {
    replay(&[Transaction(
        RollBack,
        vec![
            Transaction(RollBack, vec![New(Person), Save(0), Link(0, Some(0))]),
            Save(0),
            Link(0, None),
        ],
    )]);
}

/// A save looked at a collection that a sibling had brought along, and that counted as reading it: the next read gave
/// rows that were rolled back. Only giving members to somebody is reading them.
#[test]
fn a_save_that_looks_at_a_collection_does_not_read_it() {
    replay(&[
        New(Person),
        Build(0, Reports),
        Transaction(
            RollBack,
            vec![Save(0), Load(Person, On), Members(3, Reports), Save(2)],
        ),
        Build(2, Reports),
        Members(2, Reports),
    ]);
}

/// A query turned batching off, and the records loaded from its records turned it on again.
#[test]
fn batching_that_is_off_is_off_for_what_is_loaded_from_the_records_too() {
    on(async {
        let db = world::database().await?;
        let boss = Record::new(Person.model(), &db);
        for _ in 0..3 {
            boss.association("reports")?.build()?;
        }
        boss.save().await?;
        for (batching, queries) in [(true, 3), (false, 5)] {
            let all = Relation::of(Person.model(), &db).filter_by("boss_id", Value::Null)?;
            relata::assert_queries!(db, queries, {
                let boss = all.batching(batching).first_or_fail().await?;
                for report in boss.association("reports")?.load_many().await? {
                    assert!(report.association("posts")?.load_many().await?.is_empty());
                }
            });
        }
        Ok(())
    });
}

/// A save that had nothing to write was no part of its transaction: what the record read in it afterwards counted as
/// saved when it was rolled back.
#[test]
fn a_save_that_writes_nothing_takes_part_in_its_transaction() {
    replay(&[
        New(Person),
        Save(0),
        Load(Person, On),
        Transaction(
            RollBack,
            vec![Text(0, Some(0)), Save(0), Save(1), Reload(1)],
        ),
    ]);
    replay(&[
        New(Person),
        Save(0),
        Load(Person, On),
        Text(0, Some(0)),
        Save(0),
        Transaction(RollBack, vec![Save(1), Reload(1)]),
    ]);
}

/// Two objects of one row, each in the collection of another new owner, of whom one is the other's boss: the boss and
/// hers are written first, so what the report says of the row stands. (It was the reference that had no order.)
#[test]
fn of_two_objects_of_a_row_in_one_save_the_later_one_stands() {
    replay(&[
        New(Post),
        Text(0, Some(2)),
        Save(0),
        New(Person),
        Load(Post, On),
        Build(0, Reports),
        Push(1, Posts, 0),
        Push(0, Posts, 2),
        Save(3),
    ]);
}
