//! Tests of the record room without a database: what a record says, and what keeps it in memory.
//!
//! Each test makes a model of its own, so that it can count the model's batches while others run.

mod graphs;
mod links;
#[cfg(shuttle)]
mod orders;
mod values;

use super::batch::LIVE;
use super::*;
use crate::attribute::AttributeType;
use crate::reflection::{AssociationReflection, Column, ModelBuilder};

const ID: usize = 0;
const NAME: usize = 1;
const SIZE: usize = 2;

const ONE: usize = 0;
const OTHER: usize = 1;
const MANY: usize = 2;

/// A model with associations to itself.
fn model(name: &'static str) -> &'static ModelReflection {
    let (to_self, slot) = ModelBuilder::target(name);
    let model = ModelBuilder::new(name, "things")
        .column(Column::new("id", AttributeType::plain(Kind::Int, false)))
        .column(Column::new("name", AttributeType::plain(Kind::Text, true)))
        .column(Column::new("size", AttributeType::plain(Kind::Float, true)))
        .column(Column::new("blob", AttributeType::plain(Kind::Bytes, true)))
        .primary_key(["id"])
        .association(AssociationReflection::belongs_to("one", to_self))
        .association(AssociationReflection::belongs_to("other", to_self))
        .association(AssociationReflection::has_many("many", to_self))
        .define()
        .unwrap();
    slot.set(model).unwrap();
    model
}

/// A new record that knows its number.
fn record(model: &'static ModelReflection, number: i64) -> Record {
    let record = Record::new(model, &Db::detached());
    record.write::<i64>(ID, number);
    record.write::<Option<String>>(NAME, Some(&format!("record {number}")));
    record
}

/// Records of one batch, as a query gives them.
fn rows(model: &'static ModelReflection, numbers: std::ops::Range<i64>) -> Vec<Record> {
    let mut builder = BatchBuilder::new(model);
    builder.expect(&[Some(ID), Some(NAME), None, None]);
    for number in numbers {
        let name = format!("record {number}");
        let filled = builder.row(|step, row| {
            match step.take {
                Take::Int(slot) => row.int(slot, number),
                Take::Text(slot) => assert!(row.text(slot, name.as_bytes())),
                Take::Value(_) | Take::Absent => row.null(step),
            }
            Ok(())
        });
        filled.unwrap();
    }
    let batch = builder.finish(&Db::detached(), Terms::default());
    Record::adopt(batch.ok().unwrap())
}

/// Whether the record reads as it was made.
fn is_intact(record: &Record) -> bool {
    let number = record.read::<i64>(ID);
    record.read::<Option<String>>(NAME) == Some(&*format!("record {number}"))
}

fn live(model: &'static ModelReflection) -> usize {
    LIVE.lock()
        .unwrap()
        .get(model.name())
        .copied()
        .unwrap_or_default()
}

fn one(record: &Record, association: usize) -> Option<Record> {
    match record.linked_one(association, |_| true) {
        Linked::Known(target) => target,
        Linked::Unknown => None,
    }
}

fn depend(from: &Record, on: &Record) {
    from.link_one(ONE, Some(on), &[], Tie::Depend);
}

fn unite(one: &Record, other: &Record) {
    one.link_one(OTHER, Some(other), &[], Tie::Unite);
}

/// Numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

/// Runs on a stack on which no recursion over records fits.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(512 << 10)
        .spawn(test)
        .unwrap()
        .join()
        .unwrap();
}
