//! Links: which records a record's associations lead to, once that is known.
//!
//! A load for a whole batch publishes one table an association ([`LinkSet`]): an entry (batch, row) for each row,
//! or offsets into entries; the first load for one row alone publishes a table of that row. What a single record was told (set, push, build, reload) is an override in its state
//! and wins.
//!
//! Invariants:
//! - a link is stored only after the record's graph owns or depends on the root that owns the target's batch,
//!   and a dependency of a batch's links is never removed, so following a link never meets a freed batch;
//! - an override's dependency is given back only after the override is gone, both under the shape lock;
//! - a table is published once; rows it does not cover say so.

use super::graph::{Graph, Shape, ShapeGuard};
use super::state::State;
use super::sync::{Arc, Ordering, Weak};
use super::table::{Index, Link, LinkSet, Links, TargetBatch, Unread};
use super::{Batch, BatchPtr, Record};
use crate::attribute::value::Value;

/// What nobody read does not count.
pub(super) const UNREAD: fn(u64) -> bool = |_| false;

/// How two records that are linked hold each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tie {
    /// Both ways: one graph.
    Unite,
    /// The one that links keeps the other alive, not the other way round.
    Depend,
}

/// One target as a record's own link.
pub(crate) struct Entry {
    batch: BatchPtr,
    row: u32,
    graph: Option<Weak<Graph>>,
}

/// What a single record was told.
pub(crate) enum Override {
    /// Look it up again, whatever the batch's table says.
    Unknown,
    One {
        target: Option<Entry>,
        /// The key's values when the target was set: when they differ, the target is stale.
        key: Box<[Value<'static>]>,
        /// What the database is to lose when the target is saved.
        replaced: Replaced,
    },
    Many {
        members: Vec<Entry>,
        /// Whether the rows in the database are among them.
        loaded: bool,
        /// The keys of all members, if they were asked for alone.
        keys: Option<Box<[Vec<Value<'static>>]>>,
        /// The columns of the record that say where it leads, with their values then; none where others refer to it.
        key: OwnKey,
    },
}

/// Columns of a record that say where an association leads, each with a value.
pub(super) type OwnKey = Box<[(usize, Value<'static>)]>;

/// What a `has_one` led to before a target took its place in memory.
#[derive(Default)]
pub(crate) enum Replaced {
    #[default]
    Nothing,
    /// Nobody looked.
    Unknown,
    One(Entry),
}

impl Entry {
    /// A record of the same graph.
    pub(super) fn of(record: &Record) -> Self {
        Self {
            batch: record.batch,
            row: record.row,
            graph: None,
        }
    }
}

/// What is known of an association without asking the database.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Linked<T> {
    Unknown,
    Known(T),
}

/// The members of a collection in memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Members {
    pub(crate) records: Vec<Record>,
    pub(crate) loaded: bool,
}

impl Record {
    /// The target of a singular association, if it is known: it counts as read. `current` is asked for a target
    /// that a sibling caused to be loaded: whether its table was not written after so many writes.
    #[inline]
    pub(crate) fn linked_one(
        &self,
        association: usize,
        current: impl FnOnce(u64) -> bool,
    ) -> Linked<Option<Record>> {
        self.find_one(association, true, current)
    }

    /// As [`linked_one`](Self::linked_one), for a look that gives no user the target: it does not count as read.
    pub(crate) fn peek_one(
        &self,
        association: usize,
        current: impl FnOnce(u64) -> bool,
    ) -> Linked<Option<Record>> {
        self.find_one(association, false, current)
    }

    #[inline]
    fn find_one(
        &self,
        association: usize,
        read: bool,
        current: impl FnOnce(u64) -> bool,
    ) -> Linked<Option<Record>> {
        if let Some(state) = self.state()
            && let Some(told) = self.told_one(state, association)
        {
            return told;
        }
        self.tabled_one(association, read, current)
    }

    /// As [`linked_one`](Self::linked_one), for a record that was told nothing alone: what its batch's table says.
    #[inline]
    pub(crate) fn tabled_one(
        &self,
        association: usize,
        read: bool,
        current: impl FnOnce(u64) -> bool,
    ) -> Linked<Option<Record>> {
        let Some(set) = self
            .batch()
            .link(association)
            .and_then(|link| link.table(self.row, read, current))
        else {
            return Linked::Unknown;
        };
        let Some(place) = set.one(self.row) else {
            return Linked::Unknown;
        };
        match set.targets.get(place.batch as usize) {
            None => Linked::Known(None),
            Some(target) => self.follow(target.batch, place.row, target.graph.as_ref()),
        }
    }

    /// The target that this record alone was told; `None` when its batch's table holds for it.
    #[inline(never)]
    fn told_one(&self, state: &State, association: usize) -> Option<Linked<Option<Record>>> {
        match state.overrides().get(association) {
            Some(Some(Override::One { target, .. })) => Some(match target {
                None => Linked::Known(None),
                Some(entry) => self.follow(entry.batch, entry.row, entry.graph.as_ref()),
            }),
            Some(Some(_)) => Some(Linked::Unknown),
            _ => None,
        }
    }

    /// The members of a collection in memory: they count as read.
    pub(crate) fn linked_many(
        &self,
        association: usize,
        current: impl FnOnce(u64) -> bool,
    ) -> Members {
        self.find_many(association, true, current)
    }

    /// As [`linked_many`](Self::linked_many), for a look that gives no user the members: they do not count as read.
    pub(crate) fn peek_many(
        &self,
        association: usize,
        current: impl FnOnce(u64) -> bool,
    ) -> Members {
        self.find_many(association, false, current)
    }

    fn find_many(
        &self,
        association: usize,
        read: bool,
        current: impl FnOnce(u64) -> bool,
    ) -> Members {
        if let Some(state) = self.state() {
            match state.overrides().get(association) {
                Some(Some(Override::Many {
                    members,
                    loaded,
                    key,
                    ..
                })) if self.holds_key(key) => {
                    let follow = |entry: &Entry| match self.follow_entry(entry) {
                        Linked::Known(record) => record,
                        Linked::Unknown => None,
                    };
                    return Members {
                        records: members.iter().filter_map(follow).collect(),
                        loaded: *loaded,
                    };
                }
                Some(Some(_)) => return Members::default(),
                _ if self.has_moved(association) => return Members::default(),
                _ => {}
            }
        }
        let Some(set) = self
            .batch()
            .link(association)
            .and_then(|link| link.table(self.row, read, current))
        else {
            return Members::default();
        };
        let Some(places) = set.many(self.row) else {
            return Members::default();
        };
        let follow = |target: &TargetBatch, row: u32| match self.follow(
            target.batch,
            row,
            target.graph.as_ref(),
        ) {
            Linked::Known(record) => record,
            Linked::Unknown => None,
        };
        let mut records = Vec::with_capacity(places.len());
        match &*set.targets {
            // The usual case: one query found them all, and both sides hold each other.
            [TargetBatch { batch, graph: None }] => {
                records.extend(places.iter().map(|place| Record {
                    graph: Arc::clone(&self.graph),
                    batch: *batch,
                    row: place.row,
                }))
            }
            several => records.extend(places.iter().filter_map(|place| {
                let target = several.get(place.batch as usize)?;
                follow(target, place.row)
            })),
        }
        Members {
            records,
            loaded: true,
        }
    }

    /// Whether the owner's key columns hold something else than when the target was found or set.
    pub(crate) fn is_link_stale(&self, association: usize, key: &[usize]) -> bool {
        let Some(state) = self.state() else {
            return false;
        };
        match state.overrides().get(association) {
            Some(Some(Override::One { key: known, .. })) => {
                return key
                    .iter()
                    .zip(known.iter())
                    .any(|(&column, known)| self.value(column) != *known);
            }
            Some(Some(Override::Many { key: known, .. })) => return !self.holds_key(known),
            Some(Some(Override::Unknown)) => return false,
            _ => {}
        }
        key.iter()
            .any(|&column| self.value(column) != self.loaded_value(column))
    }

    /// Tells this record its target.
    pub(crate) fn link_one(
        &self,
        association: usize,
        target: Option<&Record>,
        key: &[usize],
        tie: Tie,
    ) {
        let known = key
            .iter()
            .map(|&column| self.value(column).into_owned())
            .collect();
        let mut shape = Shape::lock();
        self.replace_target(association, target, known, tie, &mut shape);
    }

    pub(super) fn replace_target(
        &self,
        association: usize,
        target: Option<&Record>,
        known: Box<[Value<'static>]>,
        tie: Tie,
        shape: &mut ShapeGuard,
    ) {
        let target = target.map(|target| self.entry(target, tie, shape));
        let one = Override::One {
            target,
            key: known,
            replaced: Replaced::Nothing,
        };
        self.replace_override(association, Some(one), shape);
    }

    /// As `link_one` for a `has_one`, with what the target takes the place of.
    pub(super) fn replace_link_one(
        &self,
        association: usize,
        target: Option<&Record>,
        replaced: Replaced,
        shape: &mut ShapeGuard,
    ) {
        let target = target.map(|target| self.entry(target, Tie::Unite, shape));
        let one = Override::One {
            target,
            key: Box::default(),
            replaced,
        };
        self.replace_override(association, Some(one), shape);
    }

    /// An entry that leads to the target, once both are tied.
    fn entry(&self, target: &Record, tie: Tie, shape: &mut ShapeGuard) -> Entry {
        let graph = match tie {
            Tie::Unite => {
                self.graph.unite(&target.graph, shape);
                None
            }
            Tie::Depend => self
                .graph
                .depend(&target.graph, shape)
                .map(|root| Arc::downgrade(&root)),
        };
        Entry {
            graph,
            ..Entry::of(target)
        }
    }

    /// Tells this record its members, in memory.
    pub(crate) fn link_many(&self, association: usize, members: &[Record], loaded: bool) {
        let mut shape = Shape::lock();
        let key = self.own_key(association);
        self.replace_members(association, members, (loaded, key), &mut shape);
    }

    pub(super) fn replace_members(
        &self,
        association: usize,
        members: &[Record],
        (loaded, key): (bool, OwnKey),
        shape: &mut ShapeGuard,
    ) {
        let members = members
            .iter()
            .map(|member| {
                self.graph.unite(&member.graph, shape);
                Entry::of(member)
            })
            .collect();
        let many = Override::Many {
            members,
            loaded,
            keys: None,
            key,
        };
        self.replace_override(association, Some(many), shape);
    }

    /// Adds a member at the end of those that memory knows. What was known and what is added become one list in one
    /// step: members that several threads add at the same time are all kept. What a sibling brought along and nobody
    /// read is not known: the list would hold it for good.
    pub(crate) fn link_member(&self, association: usize, member: &Record) {
        let state = self.state_or_make();
        // One that is not there keeps nothing.
        if state.overrides().get(association).is_none() {
            return;
        }
        // Every link changes under this lock, so nothing comes between the look and the change.
        let mut shape = Shape::lock();
        self.graph.unite(&member.graph, &mut shape);
        if let Some(Some(Override::Many {
            members, keys, key, ..
        })) = state.overrides().get_mut(association)
            && self.holds_key(key)
        {
            members.push(Entry::of(member));
            *keys = None;
            state.tell();
            return;
        }
        let mut known = self.peek_many(association, UNREAD);
        known.records.push(member.clone());
        let key = self.own_key(association);
        self.replace_members(association, &known.records, (known.loaded, key), &mut shape);
        // Handles may be the last of their graphs, whose end runs foreign code: not under the lock.
        drop(shape);
    }

    /// Forgets what is known of an association.
    pub(crate) fn unlink(&self, association: usize) {
        let known = self.batch().link(association).is_some_and(Link::is_known);
        if self.state().is_none() && !known {
            return;
        }
        let mut shape = Shape::lock();
        self.replace_override(association, Some(Override::Unknown), &mut shape);
    }

    fn replace_override(&self, association: usize, new: Option<Override>, shape: &mut ShapeGuard) {
        let state = self.state_or_make();
        state.tell();
        let old = match state.overrides().get_mut(association) {
            Some(place) => std::mem::replace(place, new),
            None => new,
        };
        if let Some(Override::One {
            target: Some(Entry {
                graph: Some(graph), ..
            }),
            ..
        }) = old
            && let Some(graph) = graph.upgrade()
        {
            self.graph.release(graph, shape);
        }
    }

    /// Publishes what a load found: for this record's whole batch, or for its row alone. False if the batch knew already,
    /// or another row was loaded alone before.
    pub(crate) fn publish(&self, association: usize, links: Links, tie: Tie) -> bool {
        let Some(link) = self.batch().link_or_make(association) else {
            return false;
        };
        // Tables are published under this lock: whoever comes second leaves no dependency behind.
        let mut shape = Shape::lock();
        let slot = match links.index {
            Index::Row { .. } => &link.first,
            Index::One(_) | Index::Many { .. } => &link.set,
        };
        if slot.get().is_some() {
            return false;
        }
        let targets = links
            .targets
            .iter()
            .map(|target| TargetBatch {
                batch: target.batch,
                graph: match tie {
                    Tie::Unite => {
                        self.graph.unite(&target.graph, &mut shape);
                        None
                    }
                    Tie::Depend => self
                        .graph
                        .depend(&target.graph, &mut shape)
                        .map(|root| Arc::downgrade(&root)),
                },
            })
            .collect();
        let rows = self.batch().len();
        let unread = links.unread_since.map(|since| Unread::new(since, rows));
        slot.set(LinkSet {
            targets,
            index: links.index,
            missing: links.missing,
            unread,
        })
        .is_ok()
    }

    /// Whether the batch's table for the association is published.
    #[inline]
    pub(crate) fn is_published(&self, association: usize) -> bool {
        self.batch()
            .link(association)
            .is_some_and(|link| link.set.get().is_some())
    }

    /// Whether this record was told what the association leads to, apart from its siblings.
    #[inline]
    pub(crate) fn has_own_link(&self, association: usize) -> bool {
        let alone = self
            .batch()
            .link(association)
            .and_then(|link| link.first.get());
        alone.is_some_and(|first| first.is_of(self.row))
            || self
                .state()
                .is_some_and(|state| match state.overrides().get(association) {
                    // Keys alone say nothing of the targets.
                    Some(Some(Override::Many {
                        members,
                        loaded: false,
                        keys: Some(_),
                        ..
                    })) => !members.is_empty(),
                    told => told.is_some_and(Option::is_some),
                })
    }

    /// Those of some siblings that have one of their own, or lead elsewhere than as they were loaded, with their place
    /// among them.
    pub(crate) fn with_own_link(
        siblings: &[Record],
        association: usize,
    ) -> impl Iterator<Item = (usize, &Record)> {
        let batch = siblings.first().map(Record::batch);
        let link = batch.and_then(|batch| batch.link(association));
        let first = link.and_then(|link| link.first.get());
        let touched = batch.is_some_and(Batch::is_touched);
        // Of a batch that nobody touched, no record was told anything, but for the one that was loaded alone.
        let asked = if touched || first.is_some() {
            siblings
        } else {
            &[]
        };
        let has = move |record: &Record| match touched {
            true => record.has_own_link(association) || record.has_moved(association),
            false => first.is_some_and(|first| first.is_of(record.row)),
        };
        let asked = asked.iter().enumerate();
        asked.filter(move |(_, record)| has(record))
    }

    /// Whether anything was said of the association: to the whole batch, or to this record.
    #[inline]
    pub(crate) fn is_told(&self, association: usize) -> bool {
        self.is_published(association) || self.has_own_link(association)
    }

    /// The records of the batch that can be asked together for an association: they are in the database, nothing was said
    /// of the association to them alone, and their key is as it was loaded.
    pub(crate) fn untold_siblings(&self, association: usize, key: &[usize]) -> Vec<Record> {
        let batch = self.batch();
        let first = batch.link(association).and_then(|link| link.first.get());
        let touched = batch.is_touched();
        let moved = |record: &Record, column| record.value(column) != record.loaded_value(column);
        let rows = (0..u32::try_from(batch.len()).unwrap_or(u32::MAX))
            .filter(|&row| !first.is_some_and(|first| first.is_of(row)));
        let mut siblings = Vec::with_capacity(batch.len());
        siblings.extend(rows.map(|row| Record {
            graph: Arc::clone(&self.graph),
            batch: self.batch,
            row,
        }));
        if touched {
            // What nobody touched is as it was loaded.
            siblings.retain(|record| {
                !record.is_touched()
                    || (record.is_persisted()
                        && !record.has_own_link(association)
                        && !key.iter().any(|&column| moved(record, column)))
            });
        }
        siblings
    }

    /// Counts a load for one record of the batch; how many there were before.
    pub(crate) fn count_single_load(&self, association: usize) -> u32 {
        self.batch()
            .link_or_make(association)
            .map_or(0, |link| link.singles.fetch_add(1, Ordering::AcqRel))
    }

    pub(super) fn follow_entry(&self, entry: &Entry) -> Linked<Option<Record>> {
        self.follow(entry.batch, entry.row, entry.graph.as_ref())
    }

    /// A handle to a record that this one's graph keeps alive.
    #[inline]
    fn follow(
        &self,
        batch: BatchPtr,
        row: u32,
        graph: Option<&Weak<Graph>>,
    ) -> Linked<Option<Record>> {
        let graph = match graph {
            None => Some(Arc::clone(&self.graph)),
            // The graph may have been united with another and be gone: the batch knows its owner.
            Some(graph) => graph.upgrade().or_else(|| batch.get(self).owner()),
        };
        match graph {
            Some(graph) => Linked::Known(Some(Record { graph, batch, row })),
            None => Linked::Unknown,
        }
    }
}
