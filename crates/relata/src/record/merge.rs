//! What a query found for one record becomes what memory knows, beside what was set while the query ran.
//!
//! Invariant: between the look at what memory knows and the change nothing comes: both are one step under the shape lock.

use std::collections::{HashMap, HashSet};

use super::Record;
use super::graph::Shape;
use super::link::{Linked, OwnKey, Tie};
use crate::attribute::value::Value;
use crate::hashing::Hashing;

/// The members of a collection after a load.
pub(crate) struct Merged {
    pub(crate) members: Vec<Record>,
    /// Members that memory held already, with the rows that are theirs.
    pub(crate) known: Vec<(Record, Record)>,
}

impl Record {
    /// Takes rows of the database as the members of a collection. A member in memory that is the same row stays the object
    /// it is, in the row's place. Members that are not saved, and those that were added since `before` was looked at,
    /// come last; the others go, for the database no longer has them. They are those of `key`. `current` as for
    /// [`linked_many`](Self::linked_many).
    pub(crate) fn link_rows(
        &self,
        association: usize,
        rows: Vec<Record>,
        before: &[Record],
        key: OwnKey,
        current: impl FnOnce(u64) -> bool,
    ) -> Merged {
        let before: HashSet<_, Hashing> = before.iter().map(Record::identity).collect();
        let mut shape = Shape::lock();
        let held = self.peek_many(association, current).records;
        #[expect(
            clippy::mutable_key_type,
            reason = "hashed by model and key; if one is set meanwhile, its row is a member of its own"
        )]
        let mut same: HashMap<&Record, &Record, Hashing> = HashMap::default();
        for member in &held {
            same.entry(member).or_insert(member);
        }
        let mut known = Vec::new();
        let mut members: Vec<Record> = Vec::with_capacity(rows.len());
        for row in rows {
            match same.get(&row) {
                Some(&member) => {
                    known.push((member.clone(), row));
                    members.push(member.clone());
                }
                None => members.push(row),
            }
        }
        let placed: HashSet<_, Hashing> =
            known.iter().map(|(member, _)| member.identity()).collect();
        let stays = |member: &&Record| {
            !placed.contains(&member.identity())
                && (member.is_new_record() || !before.contains(&member.identity()))
        };
        members.extend(held.iter().filter(stays).cloned());
        self.replace_members(association, &members, (true, key), &mut shape);
        // Handles may be the last of their graphs, whose end runs foreign code: not under the lock.
        drop(shape);
        Merged { members, known }
    }

    /// Takes what a query found for these values of the key as the target of a singular association, unless a target was
    /// set while it ran: then that stays, and this is false.
    pub(crate) fn link_found(
        &self,
        association: usize,
        target: Option<&Record>,
        key: (&[usize], Vec<Value<'static>>),
        tie: Tie,
        current: impl FnOnce(u64) -> bool,
    ) -> bool {
        let (columns, values) = key;
        let mut shape = Shape::lock();
        let set = self.peek_one(association, current);
        let open = matches!(set, Linked::Unknown) || self.is_link_stale(association, columns);
        if open {
            self.replace_target(association, target, values.into(), tie, &mut shape);
        }
        drop(shape);
        drop(set);
        open
    }
}
