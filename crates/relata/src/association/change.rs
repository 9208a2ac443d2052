//! What a change of a collection comes to, as data. Persistence carries it out.
//!
//! Invariant: nothing here changes a record; what is asked for twice is done once.

use std::collections::{HashMap, HashSet};

use super::{Association, Key};
use crate::hashing::Hashing;
use crate::record::Record;
use crate::reflection::Dependent;

/// What becomes of the row of a member that leaves a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Removal {
    /// Its key is set to null, its row stays.
    Nullify,
    /// Its row goes.
    Delete,
}

/// What replacing the members comes to.
#[derive(Debug, Default)]
pub(crate) struct Replacement {
    /// The members that leave.
    pub(crate) removed: Vec<Record>,
    /// The members that come, in their order.
    pub(crate) added: Vec<Record>,
    /// The members that stay, as the objects that were given.
    pub(crate) kept: Vec<Record>,
}

impl Association {
    /// How the rows of members leave when nobody says so: as `dependent` says, and at once.
    pub(crate) fn removal(&self) -> Removal {
        match self.reflection().dependent {
            Some(Dependent::DeleteAll | Dependent::Destroy) => Removal::Delete,
            // The rows between are all that leaves.
            None if self.is_through() => Removal::Delete,
            _ => Removal::Nullify,
        }
    }

    /// Whether members that leave one by one are destroyed.
    pub(crate) fn destroys_what_leaves(&self) -> bool {
        self.reflection().dependent == Some(Dependent::Destroy)
    }

    /// What it takes to make `wanted` the members in place of `current`, where a record may be one several times: as many
    /// as are wanted. A record that leaves once leaves at once, however often it is there.
    pub(crate) fn plan_recount(current: &[Record], wanted: &[Record]) -> Replacement {
        let mut left = Counts::of(wanted);
        let removed: Vec<Record> = current
            .iter()
            .filter(|one| !left.take(one))
            .cloned()
            .collect();
        let leaves = Counts::of(&removed);
        let stays = |one: &&Record| !leaves.has(one);
        let mut there = Counts::of(current.iter().filter(stays));
        let mut plan = Replacement {
            removed,
            ..Replacement::default()
        };
        for one in wanted {
            if there.take(one) {
                plan.kept.push(one.clone());
            } else {
                plan.added.push(one.clone());
            }
        }
        plan
    }

    /// What it takes to make `wanted` the members in place of `current`. Members that are the same row stay where they
    /// are, as the objects that were given.
    pub(crate) fn plan_replacement(current: &[Record], wanted: &[Record]) -> Replacement {
        let given: HashMap<Same, &Record, Hashing> =
            wanted.iter().map(|one| (Same::of(one), one)).collect();
        let mut plan = Replacement::default();
        let mut known: HashSet<Same, Hashing> = HashSet::default();
        for member in current {
            let same = Same::of(member);
            match given.get(&same) {
                Some(&given) => plan.kept.push(given.clone()),
                None => plan.removed.push(member.clone()),
            }
            known.insert(same);
        }
        plan.added = wanted
            .iter()
            .filter(|one| known.insert(Same::of(one)))
            .cloned()
            .collect();
        plan
    }
}

/// How often each record is there.
struct Counts(HashMap<Same, usize, Hashing>);

impl Counts {
    fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut counts = HashMap::default();
        for record in records {
            *counts.entry(Same::of(record)).or_insert(0) += 1;
        }
        Self(counts)
    }

    fn has(&self, record: &Record) -> bool {
        self.0
            .get(&Same::of(record))
            .is_some_and(|&count| count > 0)
    }

    /// Takes one away; whether there was one.
    fn take(&mut self, record: &Record) -> bool {
        match self.0.get_mut(&Same::of(record)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }
}

/// What tells records of one model apart: their rows, or where they have none, the objects.
#[derive(PartialEq, Eq, Hash)]
pub(super) enum Same {
    Row(Key),
    Object((usize, u32)),
}

impl Same {
    pub(super) fn of(record: &Record) -> Self {
        let key = record.reflection().primary_key();
        match Key::of(record, key).filter(|_| !key.is_empty()) {
            Some(key) => Self::Row(key),
            None => Self::Object(record.identity()),
        }
    }
}
