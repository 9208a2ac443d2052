//! What relata promises, as the plainest program that keeps it: tables are maps, objects are rows with flags, a
//! rollback puts copies back. It knows no SQL, no batches and no graphs, and batching is nothing to it.

use std::collections::BTreeMap;

use crate::world::{Kind, List};

pub(crate) type Id = usize;

/// A key that no row ever has.
pub(crate) const NOWHERE: i64 = 99_999;

/// A row: of the database, or of an object in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: Option<i64>,
    pub(crate) text: Option<String>,
    pub(crate) key: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    New,
    Persisted,
    Destroyed,
}

/// Why a save or a destroy is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    Destroyed,
    TextIsNull,
    NoSuchParent,
    HasChildren,
}

#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) kind: Kind,
    pub(crate) now: Row,
    pub(crate) saved: Row,
    pub(crate) life: Life,
    parent: Parent,
    reports: Members,
    posts: Members,
    pub(crate) origin: Origin,
}

/// Where an object came from: it decides whether siblings come along when its associations are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Made by the program: it has no siblings.
    Made,
    /// Read with batching off, or from such an object: nothing comes along, ever.
    Alone,
    /// Read with batching on: siblings come along.
    Together,
    /// Read from one of `Together`. Siblings may share it, so programs look at it and leave it alone.
    Shared,
}

impl Origin {
    fn of_target(self) -> Self {
        match self {
            Self::Made => Self::Together,
            Self::Alone => Self::Alone,
            Self::Together | Self::Shared => Self::Shared,
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Members {
    pub(crate) objects: Vec<Id>,
    pub(crate) loaded: bool,
}

/// What a level of a transaction puts back.
#[derive(Debug)]
struct Before {
    object: Id,
    saved: Row,
    life: Life,
    /// The key, as it was.
    id: Option<i64>,
    /// The key to the parent, and the parent, if the save filled it in: as they were, and the key that it filled in.
    key: Option<(Option<i64>, Parent, Option<i64>)>,
}

/// The parent in memory, and the key it was set or read with: with another key it does not count.
type Parent = Option<(Option<Id>, Option<i64>)>;

type Table = BTreeMap<i64, Row>;

#[derive(Debug, Default)]
pub(crate) struct Reference {
    pub(crate) people: Table,
    pub(crate) posts: Table,
    pub(crate) objects: Vec<Object>,
    levels: Vec<Level>,
}

#[derive(Debug)]
struct Level {
    people: Table,
    posts: Table,
    written: Vec<Before>,
}

impl Reference {
    pub(crate) fn table(&self, kind: Kind) -> &Table {
        match kind {
            Kind::Person => &self.people,
            Kind::Post => &self.posts,
        }
    }

    fn table_mut(&mut self, kind: Kind) -> &mut Table {
        match kind {
            Kind::Person => &mut self.people,
            Kind::Post => &mut self.posts,
        }
    }

    fn is_new(&self, object: Id) -> bool {
        self.objects[object].life == Life::New
    }

    /// Whether it never had a row: destroying it does not change that, as in Rails.
    fn never_had_a_row(&self, object: Id) -> bool {
        let it = &self.objects[object];
        it.life == Life::New || (it.life == Life::Destroyed && it.saved.id.is_none())
    }

    pub(crate) fn add(&mut self, kind: Kind, row: Row, life: Life, origin: Origin) -> Id {
        self.objects.push(Object {
            kind,
            saved: if life == Life::New {
                Row::default()
            } else {
                row.clone()
            },
            now: row,
            life,
            parent: None,
            reports: Members::default(),
            posts: Members::default(),
            origin,
        });
        self.objects.len() - 1
    }

    // Associations in memory.

    pub(crate) fn members(&self, owner: Id, list: List) -> &Members {
        match list {
            List::Reports => &self.objects[owner].reports,
            List::Posts => &self.objects[owner].posts,
        }
    }

    fn members_mut(&mut self, owner: Id, list: List) -> &mut Members {
        match list {
            List::Reports => &mut self.objects[owner].reports,
            List::Posts => &mut self.objects[owner].posts,
        }
    }

    /// The parent in memory: `None` when it has to be looked up.
    pub(crate) fn known_parent(&self, object: Id) -> Option<Option<Id>> {
        let object = &self.objects[object];
        match object.parent {
            Some((parent, key)) if key == object.now.key => Some(parent),
            _ => None,
        }
    }

    fn lead_to(&mut self, object: Id, parent: Option<Id>) {
        let object = &mut self.objects[object];
        object.parent = Some((parent, object.now.key));
    }

    pub(crate) fn link(&mut self, object: Id, parent: Option<Id>) {
        self.objects[object].now.key = parent.and_then(|parent| self.objects[parent].now.id);
        self.lead_to(object, parent);
    }

    /// Adds a member in memory: its way back is the owner's, and so is its key, none while the owner has none.
    pub(crate) fn own(&mut self, owner: Id, list: List, member: Id) {
        self.link(member, Some(owner));
        self.members_mut(owner, list).objects.push(member);
    }

    /// A new owner has no rows: who adds to its collection has seen all of it.
    pub(crate) fn add_to_new(&mut self, owner: Id, list: List, member: Id) {
        self.own(owner, list, member);
        self.members_mut(owner, list).loaded = true;
    }

    /// Whether some collection in memory has it.
    pub(crate) fn is_member_of_any(&self, member: Id) -> bool {
        self.objects.iter().any(|object| {
            object.reports.objects.contains(&member) || object.posts.objects.contains(&member)
        })
    }

    /// Whether another object of the same row is in the collection.
    pub(crate) fn has_row(&self, owner: Id, list: List, member: Id) -> bool {
        let id = self.objects[member].now.id;
        let members = &self.members(owner, list).objects;
        members
            .iter()
            .any(|&other| other == member || (id.is_some() && self.objects[other].now.id == id))
    }

    // Reading.

    /// Reads the parent. New objects are added.
    pub(crate) fn read_parent(&mut self, object: Id) -> Option<Id> {
        if let Some(known) = self.known_parent(object) {
            return known;
        }
        let key = self.objects[object].now.key?;
        let found = self.people.get(&key).cloned();
        let origin = self.objects[object].origin.of_target();
        let found = found.map(|row| self.add(Kind::Person, row, Life::Persisted, origin));
        self.lead_to(object, found);
        found
    }

    /// Reads a collection: the rows, as the objects that memory has of them, and at the end what is not saved.
    pub(crate) fn read_members(&mut self, owner: Id, list: List) -> Vec<Id> {
        let known = self.members(owner, list).clone();
        let id = match (self.objects[owner].now.id, self.objects[owner].life) {
            (Some(id), Life::Persisted | Life::Destroyed) if !known.loaded => id,
            // A new owner has no rows: what is in memory is all, now and later.
            _ => {
                let is_new = self.is_new(owner);
                self.members_mut(owner, list).loaded |= is_new;
                return known.objects;
            }
        };
        let rows = self.table(list.of()).values();
        let rows: Vec<Row> = rows.filter(|row| row.key == Some(id)).cloned().collect();
        let origin = self.objects[owner].origin.of_target();
        let mut members = Vec::new();
        for row in rows {
            let same = known
                .objects
                .iter()
                .find(|&&member| self.objects[member].now.id == row.id);
            members.push(match same {
                Some(&member) => {
                    self.refresh(member, &row);
                    member
                }
                None => self.add(list.of(), row, Life::Persisted, origin),
            });
        }
        members.extend(
            known
                .objects
                .into_iter()
                .filter(|&member| self.never_had_a_row(member)),
        );
        for &member in &members {
            self.lead_to(member, Some(owner));
        }
        *self.members_mut(owner, list) = Members {
            objects: members.clone(),
            loaded: true,
        };
        members
    }

    /// Takes the row where nothing was set since.
    fn refresh(&mut self, object: Id, row: &Row) {
        let object = &mut self.objects[object];
        if object.now.text == object.saved.text {
            object.now.text.clone_from(&row.text);
            object.saved.text.clone_from(&row.text);
        }
        if object.now.key == object.saved.key {
            object.now.key = row.key;
            object.saved.key = row.key;
        }
    }

    /// Reads the row again: everything else is forgotten. False when there is none.
    pub(crate) fn reload(&mut self, object: Id) -> bool {
        let (kind, id) = (self.objects[object].kind, self.objects[object].saved.id);
        let Some(row) = id.and_then(|id| self.table(kind).get(&id)).cloned() else {
            return false;
        };
        let object = &mut self.objects[object];
        object.now = row.clone();
        object.saved = row;
        object.life = Life::Persisted;
        object.parent = None;
        object.reports = Members::default();
        object.posts = Members::default();
        true
    }

    // Writing.

    /// Members that are saved with their owner: new ones, and on a new owner all of them.
    fn saved_with(&self, owner: Id) -> Vec<Id> {
        let members = [List::Reports, List::Posts].map(|list| &self.members(owner, list).objects);
        let members = members.into_iter().flatten().copied();
        members
            .filter(|&member| match self.objects[member].life {
                Life::New => true,
                Life::Persisted => self.is_new(owner),
                Life::Destroyed => false,
            })
            .collect()
    }

    /// What a save writes, in this order: the new parent of an object, itself, the members that are saved with it. Two
    /// objects may stand for one row: the later one's values stand.
    pub(crate) fn to_save(&self, root: Id) -> Vec<Id> {
        let (mut met, mut all) = (Vec::new(), Vec::new());
        self.meet(root, &mut met, &mut all);
        all
    }

    fn meet(&self, object: Id, met: &mut Vec<Id>, all: &mut Vec<Id>) {
        if met.contains(&object) {
            return;
        }
        met.push(object);
        let parent = self.known_parent(object).flatten();
        if let Some(parent) = parent.filter(|&it| self.is_new(it)) {
            self.meet(parent, met, all);
        }
        all.push(object);
        for member in self.saved_with(object) {
            self.meet(member, met, all);
        }
    }

    /// Why a save would be refused: one of these, depending on what is written first.
    pub(crate) fn refused(&self, root: Id) -> Vec<Refused> {
        if self.objects[root].life == Life::Destroyed {
            return vec![Refused::Destroyed];
        }
        let mut refused = Vec::new();
        let without_text = |&object: &Id| {
            let it = &self.objects[object];
            it.kind == Kind::Post
                && it.now.text.is_none()
                && (self.is_new(object) || it.saved.text.is_some())
        };
        if self.to_save(root).iter().any(without_text) {
            refused.push(Refused::TextIsNull);
        }
        if !self.missing_parents(root).is_empty() {
            refused.push(Refused::NoSuchParent);
        }
        refused
    }

    /// The keys that a save would write and that no row has.
    pub(crate) fn missing_parents(&self, root: Id) -> Vec<i64> {
        let all = self.to_save(root);
        let gets_a_key = |object: Id| {
            let parent = self.known_parent(object).flatten();
            parent.is_some_and(|parent| self.is_new(parent))
                || all
                    .iter()
                    .any(|&owner| self.saved_with(owner).contains(&object))
        };
        let key = |&object: &Id| {
            let it = &self.objects[object];
            let key = match self.known_parent(object).flatten() {
                _ if gets_a_key(object) => return None,
                Some(parent) if self.objects[parent].life == Life::Persisted => {
                    self.objects[parent].now.id
                }
                _ => it.now.key,
            };
            let written = self.is_new(object) || key != it.saved.key;
            key.filter(|key| written && !self.people.contains_key(key))
        };
        all.iter().filter_map(key).collect()
    }

    /// Saves; `id` tells the key that the database gave an object.
    pub(crate) fn save(&mut self, root: Id, id: impl Fn(Id) -> i64) {
        let all = self.to_save(root);
        let mut written: Vec<Before> = all
            .iter()
            .map(|&object| Before {
                object,
                saved: self.objects[object].saved.clone(),
                life: self.objects[object].life,
                id: self.objects[object].now.id,
                key: None,
            })
            .collect();
        let parents: Vec<(Option<i64>, Parent)> = all
            .iter()
            .map(|&it| {
                let key = self.objects[it].now.key;
                (key, self.known_parent(it).map(|parent| (parent, key)))
            })
            .collect();
        let were_new: Vec<Id> = all.iter().copied().filter(|&it| self.is_new(it)).collect();
        let with: Vec<(Id, Vec<Id>)> = all.iter().map(|&it| (it, self.saved_with(it))).collect();
        for &object in &were_new {
            self.objects[object].now.id = Some(id(object));
            self.objects[object].life = Life::Persisted;
        }
        for &object in &all {
            if let Some(Some(parent)) = self.known_parent(object)
                && self.objects[parent].life == Life::Persisted
            {
                self.link(object, Some(parent));
            }
        }
        let mut given = Vec::new();
        for (owner, members) in with {
            for member in members {
                self.link(member, Some(owner));
                given.push(member);
            }
        }
        for ((&object, (key, parent)), before) in all.iter().zip(parents).zip(&mut written) {
            let it = &mut self.objects[object];
            // A new one that leads to itself had no key for a moment.
            let own = were_new.contains(&object)
                && matches!(parent, Some((Some(parent), Some(_))) if parent == object);
            if it.now.key != key || own || given.contains(&object) {
                before.key = Some((key, parent, it.now.key));
            }
            let (kind, now, was) = (it.kind, it.now.clone(), it.saved.clone());
            it.saved = now.clone();
            // Only what changed is written: another object of the row may have written the rest.
            if let Some(id) = now.id {
                let row = self.table_mut(kind).entry(id).or_default();
                row.id = now.id;
                if now.text != was.text {
                    row.text = now.text;
                }
                if now.key != was.key {
                    row.key = now.key;
                }
            }
        }
        if let Some(level) = self.levels.last_mut() {
            level.written.extend(written);
        }
    }

    /// Destroys; or says why not.
    pub(crate) fn destroy(&mut self, object: Id) -> Result<(), Refused> {
        let it = &self.objects[object];
        let (kind, id) = (it.kind, it.saved.id);
        let before = Before {
            object,
            saved: it.saved.clone(),
            life: it.life,
            id: it.now.id,
            key: None,
        };
        if it.life == Life::Persisted {
            let id = id.unwrap_or_default();
            let child = |row: &Row| row.key == Some(id);
            let of_others = |row: &Row| child(row) && row.id != Some(id);
            if kind == Kind::Person
                && (self.people.values().any(of_others) || self.posts.values().any(child))
            {
                return Err(Refused::HasChildren);
            }
            self.table_mut(kind).remove(&id);
        }
        self.objects[object].life = Life::Destroyed;
        if let Some(level) = self.levels.last_mut() {
            level.written.push(before);
        }
        Ok(())
    }

    /// Whether the row that a persisted object stands for is gone.
    pub(crate) fn is_orphan(&self, object: Id) -> bool {
        let it = &self.objects[object];
        it.life == Life::Persisted
            && it
                .saved
                .id
                .is_none_or(|id| !self.table(it.kind).contains_key(&id))
    }

    // Transactions.

    pub(crate) fn begin(&mut self) {
        self.levels.push(Level {
            people: self.people.clone(),
            posts: self.posts.clone(),
            written: Vec::new(),
        });
    }

    pub(crate) fn commit(&mut self) {
        if let Some(level) = self.levels.pop()
            && let Some(outer) = self.levels.last_mut()
        {
            outer.written.extend(level.written);
        }
    }

    /// Rows are as before. Objects count as saved what counted before; what was set stays set.
    pub(crate) fn roll_back(&mut self) {
        let Some(level) = self.levels.pop() else {
            return;
        };
        self.people = level.people;
        self.posts = level.posts;
        for before in level.written.into_iter().rev() {
            let object = &mut self.objects[before.object];
            if object.now.id == object.saved.id {
                object.now.id = before.id;
            }
            if let Some((key, parent, filled)) = before.key
                && object.now.key == filled
            {
                object.now.key = key;
                object.parent = parent;
            }
            object.saved = before.saved;
            object.life = before.life;
        }
    }
}
