//! Collections and replaced targets in memory: what a single record was told about its members, beyond adding them.
//!
//! What a sibling brought along and nobody read is not known here: a list would hold it for good.
//!
//! Invariant: every change is one step under the shape lock, as all links are, so what several threads do at once is
//! done one after the other.

use super::Record;
use super::graph::Shape;
use super::link::{Entry, Linked, Members, Override, OwnKey, Replaced, UNREAD};
use crate::attribute::value::Value;
use crate::reflection::Resolved;

impl Record {
    /// Makes `target` the target of a `has_one` whose old target is to be removed once the new one is saved. What the
    /// association led to until now is remembered, unless an older one is remembered already.
    pub(crate) fn link_in_place(&self, association: usize, target: Option<&Record>) {
        let state = self.state_or_make();
        let mut shape = Shape::lock();
        let earlier = match state.overrides().get_mut(association) {
            Some(Some(Override::One { replaced, .. })) => std::mem::take(replaced),
            _ => Replaced::Nothing,
        };
        let replaced = match earlier {
            Replaced::Nothing => match self.peek_one(association, UNREAD) {
                Linked::Unknown => Replaced::Unknown,
                Linked::Known(Some(old))
                    if old.is_persisted() && !target.is_some_and(|t| t.is(&old)) =>
                {
                    self.graph.unite(&old.graph, &mut shape);
                    Replaced::One(Entry::of(&old))
                }
                Linked::Known(_) => Replaced::Nothing,
            },
            earlier => earlier,
        };
        self.replace_link_one(association, target, replaced, &mut shape);
    }

    /// Makes `target` the target of a `has_one` through another, to be made so in the database when the record is saved.
    pub(crate) fn link_unsettled(&self, association: usize, target: Option<&Record>) {
        let mut shape = Shape::lock();
        self.replace_link_one(association, target, Replaced::Unknown, &mut shape);
    }

    /// What a `has_one` led to before its target took its place in memory: to be removed when that is saved.
    pub(crate) fn replaced(&self, association: usize) -> Linked<Option<Record>> {
        let Some(state) = self.state() else {
            return Linked::Known(None);
        };
        match state.overrides().get(association) {
            Some(Some(Override::One { replaced, .. })) => match replaced {
                Replaced::Nothing => Linked::Known(None),
                Replaced::Unknown => Linked::Unknown,
                Replaced::One(entry) => self.follow_entry(entry),
            },
            _ => Linked::Known(None),
        }
    }

    /// Takes the members for which `leaves` says so out of the collection. What memory knows of it stays.
    pub(crate) fn unlink_members(&self, association: usize, leaves: impl Fn(&Record) -> bool) {
        self.change_members(association, |members| {
            members.records.retain(|member| !leaves(member));
        });
    }

    /// Says that the members in memory are all there are.
    pub(crate) fn complete_members(&self, association: usize) {
        self.change_members(association, |members| members.loaded = true);
    }

    fn change_members(&self, association: usize, change: impl FnOnce(&mut Members)) {
        let mut shape = Shape::lock();
        let mut members = self.peek_many(association, UNREAD);
        // Their graphs outlive the lock: the end of one runs foreign code.
        let before = members.records.clone();
        change(&mut members);
        let key = self.own_key(association);
        self.replace_members(
            association,
            &members.records,
            (members.loaded, key),
            &mut shape,
        );
        drop(shape);
        drop(before);
    }

    /// Keeps the keys of the members, until the collection changes in memory.
    pub(crate) fn keep_member_keys(&self, association: usize, keys: Vec<Vec<Value<'static>>>) {
        let state = self.state_or_make();
        let key = self.own_key(association);
        let _shape = Shape::lock();
        match state.overrides().get_mut(association) {
            Some(Some(Override::Many {
                loaded: false,
                keys: known,
                key: then,
                ..
            })) if *then == key => *known = Some(keys.into()),
            Some(place @ None) => {
                *place = Some(Override::Many {
                    members: Vec::new(),
                    loaded: false,
                    keys: Some(keys.into()),
                    key,
                });
            }
            _ => {}
        }
    }

    /// The keys of the members, if they were kept and the collection did not change since.
    pub(crate) fn member_keys(&self, association: usize) -> Option<Vec<Vec<Value<'static>>>> {
        match self.state()?.overrides().get(association) {
            Some(Some(Override::Many { keys, key, .. })) if self.holds_key(key) => {
                keys.as_deref().map(<[_]>::to_vec)
            }
            _ => None,
        }
    }

    /// The columns of this record that say where an association leads, with what they hold.
    pub(super) fn own_key(&self, association: usize) -> OwnKey {
        let columns = self.own_columns(association).iter();
        let held = columns.map(|&column| (column, self.value(column).into_owned()));
        held.collect()
    }

    fn own_columns(&self, association: usize) -> &'static [usize] {
        let resolved = self.reflection().resolve(association);
        resolved.map_or(&[], Resolved::own_key)
    }

    /// Whether the columns hold these values still.
    pub(super) fn holds_key(&self, key: &[(usize, Value<'static>)]) -> bool {
        key.iter()
            .all(|(column, then)| self.value(*column) == *then)
    }

    /// Whether this record leads elsewhere than when it was loaded.
    pub(super) fn has_moved(&self, association: usize) -> bool {
        let moved = |&column: &usize| self.value(column) != self.loaded_value(column);
        self.own_columns(association).iter().any(moved)
    }
}
