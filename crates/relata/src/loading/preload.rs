//! Loads an association for many owners with one query, and links both sides.
//!
//! Includes are walked level by level with an explicit list of what is left, never by recursion.
//!
//! Invariant: owners without a key are not asked for; owners that know their targets are not asked again; every
//! owner in a result gets its targets, also when the same row is in it twice.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::owners::{OwnerKeys, Sorted};
use crate::association::{Association, targets, targets_of, tie_of};
use crate::db::adapter::Purpose;
use crate::error::Result;
use crate::record::{Index, Linked, Links, Place, Record, StrictLoading, Tie};
use crate::reflection::{AssociationReflection, Resolved};
use crate::relation::{Include, Relation, Scope};

/// Records whose associations are to be loaded.
enum Owners<'a> {
    Given(&'a [Record]),
    /// What one include found, for those that hang off it.
    Found(Arc<Vec<Record>>),
}

/// Loads includes of records that were just read, nested ones after those they hang off.
pub(crate) async fn includes(
    records: &[Record],
    includes: &[Include],
    strict: Option<StrictLoading>,
) -> Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    let mut left: Vec<(Owners<'_>, &Include)> = includes
        .iter()
        .rev()
        .map(|one| (Owners::Given(records), one))
        .collect();
    while let Some((owners, include)) = left.pop() {
        let owners = match &owners {
            Owners::Given(records) => records,
            Owners::Found(records) => records.as_slice(),
        };
        let targets = preload(owners, include.association, strict).await?;
        if !targets.is_empty() && !include.children.is_empty() {
            let targets = Arc::new(targets);
            let children = include.children.iter().rev();
            left.extend(children.map(|child| (Owners::Found(Arc::clone(&targets)), child)));
        }
    }
    Ok(())
}

/// Loads an association of owners of one model; gives all targets, those that were known already included.
pub(crate) async fn preload(
    owners: &[Record],
    position: usize,
    strict: Option<StrictLoading>,
) -> Result<Vec<Record>> {
    let Some(first) = owners.first() else {
        return Ok(Vec::new());
    };
    let resolved = first.reflection().resolve(position)?;
    let mut known = Vec::new();
    // A fresh batch knows nothing, and most owners are of one.
    let is_fresh = |siblings: &[Record]| {
        let published = siblings
            .first()
            .is_some_and(|one| one.is_published(position));
        !published && Record::with_own_link(siblings, position).next().is_none()
    };
    let asked = if owners.chunk_by(Record::is_sibling).all(is_fresh) {
        Cow::Borrowed(owners)
    } else {
        let mut asked = Vec::with_capacity(owners.len());
        for owner in owners {
            let association = Association::at(owner, position)?;
            if owner.is_told(position) && association.is_loaded() {
                known.extend(association.target());
            } else {
                asked.push(owner.clone());
            }
        }
        Cow::Owned(asked)
    };
    for asked in with_one_scope(asked, resolved) {
        if let Some(found) = find_targets(&asked, position, resolved, None, strict).await? {
            link(&asked, position, resolved, &found, None);
            if known.is_empty() {
                known = found.targets;
            } else {
                known.extend(found.targets);
            }
        }
    }
    Ok(known)
}

/// The owners in groups whose targets one query can find: all of them, unless the scope differs by the owner.
fn with_one_scope<'a>(
    owners: Cow<'a, [Record]>,
    resolved: &'static Resolved,
) -> Vec<Cow<'a, [Record]>> {
    let scope = resolved.declaration().scope();
    if !scope.is_some_and(Scope::is_of_owner) {
        return vec![owners];
    }
    let mut groups: Vec<(Relation, Vec<Record>)> = Vec::new();
    for owner in owners.iter() {
        let scope = targets(resolved, owner.db(), Some(owner));
        let known = groups
            .iter_mut()
            .find(|(known, _)| known.select() == scope.select());
        match known {
            Some((_, alike)) => alike.push(owner.clone()),
            None => groups.push((scope, vec![owner.clone()])),
        }
    }
    let groups = groups.into_iter();
    groups.map(|(_, alike)| Cow::Owned(alike)).collect()
}

/// The targets of some owners.
pub(super) struct Found {
    pub(super) targets: Vec<Record>,
    /// By owner: the rows of its targets.
    pub(super) rows: Sorted,
    /// By owner: the members of its own that memory held before the query.
    pub(super) before: HashMap<usize, Vec<Record>>,
}

impl Found {
    /// The targets of the owner at that place.
    fn of(&self, owner: usize) -> impl Iterator<Item = &Record> {
        let rows = self.rows.of(owner).iter();
        rows.filter_map(|&row| self.targets.get(row as usize))
    }
}

/// Asks for the targets of owners. `None` when there are more than `most`.
pub(super) async fn find_targets(
    owners: &[Record],
    position: usize,
    resolved: &'static Resolved,
    most: Option<u64>,
    strict: Option<StrictLoading>,
) -> Result<Option<Found>> {
    let before = own_members(owners, position, resolved);
    let mut keys = OwnerKeys::of(owners, &resolved.owner_key);
    let values = keys.take_values();
    let mut targets = Vec::new();
    if let Some(first) = owners.first()
        && !values.is_empty()
    {
        let relation = targets_of(resolved, first.db(), Some(first), values).map(|core| {
            core.terms.strict = core.terms.strict.or(strict);
            core.terms.batching &= first.terms().batching;
            if let Some(most) = most {
                core.select.limit = core.select.limit.or(Some(most + 1));
            }
        });
        let mut core = relation.into_core();
        let mut nested = std::mem::take(&mut core.preloads);
        if core.joined_includes()?.is_empty() {
            nested.extend(std::mem::take(&mut core.includes));
        }
        targets = Box::pin(super::load(&core, Purpose::Preload)).await?;
        if most.is_some_and(|most| targets.len() as u64 > most) {
            return Ok(None);
        }
        if !nested.is_empty() {
            Box::pin(includes(&targets, &nested, strict)).await?;
        }
    }
    let rows = keys.sort(&targets, &resolved.target_key);
    Ok(Some(Found {
        targets,
        rows,
        before,
    }))
}

/// The members that owners hold by themselves, as new ones, of a collection that is to be loaded.
fn own_members(
    owners: &[Record],
    position: usize,
    resolved: &'static Resolved,
) -> HashMap<usize, Vec<Record>> {
    let mut held = HashMap::new();
    if resolved.declaration().is_collection() {
        for (at, owner) in owners.iter().enumerate() {
            if owner.has_own_link(position)
                && let Ok(association) = Association::at(owner, position)
            {
                held.insert(at, association.peek_many().records);
            }
        }
    }
    held
}

/// Hands what was found to the owners, and the owners to what was found. With `unread_since`, all but the rows in
/// `asked` count as not read yet.
pub(super) fn link(
    owners: &[Record],
    position: usize,
    resolved: &'static Resolved,
    found: &Found,
    unread_since: Option<u64>,
) {
    let mut start = 0;
    // Owners of one batch usually stand together.
    for batch in owners.chunk_by(Record::is_sibling) {
        let published = publish(batch, start, position, resolved, found, unread_since);
        if published {
            // What a record was told by itself, as a member that is not saved yet, hides the table of its batch.
            for (at, owner) in Record::with_own_link(batch, position) {
                tell(owner, start + at, position, found);
            }
        } else {
            for (at, owner) in (start..).zip(batch) {
                tell(owner, at, position, found);
            }
        }
        start += batch.len();
    }
    lead_back(owners, resolved, found);
}

/// Publishes the table of a whole batch, whose owners stand at `start`. False when the batch has one already.
fn publish(
    owners: &[Record],
    start: usize,
    position: usize,
    resolved: &'static Resolved,
    found: &Found,
    unread_since: Option<u64>,
) -> bool {
    let Some(first) = owners.first() else {
        return true;
    };
    if first.is_published(position) {
        return false;
    }
    let size = first.batch_size();
    let missing = missing(owners, size);
    let place = |row: u32| Place { batch: 0, row };
    let index = if resolved.declaration().is_collection() {
        let mut lists: Vec<&[u32]> = vec![&[]; size];
        for (at, owner) in (start..).zip(owners) {
            lists[owner.row_number()] = found.rows.of(at);
        }
        let mut offsets = Vec::with_capacity(size + 1);
        let mut places = Vec::with_capacity(found.targets.len());
        for list in lists {
            offsets.push(u32::try_from(places.len()).unwrap_or(u32::MAX));
            places.extend(list.iter().copied().map(place));
        }
        offsets.push(u32::try_from(places.len()).unwrap_or(u32::MAX));
        Index::Many {
            offsets: offsets.into(),
            places: places.into(),
        }
    } else {
        let mut places = vec![Place::NONE; size];
        for (owner, target) in owners.iter().zip(found.rows.firsts(start)) {
            if let Some(target) = target
                && let Some(slot) = places.get_mut(owner.row_number())
            {
                *slot = place(target);
            }
        }
        Index::One(places.into())
    };
    // The table holds for the keys as they were loaded; an owner whose key was set since is told by itself.
    let links = Links {
        targets: found.targets.first().cloned().into_iter().collect(),
        index,
        missing,
        unread_since,
    };
    first.publish(position, links, tie_of(resolved))
}

/// Tells the owner at that place its targets.
fn tell(owner: &Record, at: usize, position: usize, found: &Found) {
    let Ok(association) = Association::at(owner, position) else {
        return;
    };
    if association.reflection().is_collection() {
        let before = found.before.get(&at).map_or(&[][..], Vec::as_slice);
        association.take_loaded(found.of(at).cloned().collect(), before);
    } else {
        association.take_found(found.of(at).next(), association.owner_key());
    }
}

/// Targets of a `has_many` or `has_one` lead back to their owner, and those of a `belongs_to` whose inverse is a
/// `has_one` to theirs.
fn lead_back(owners: &[Record], resolved: &'static Resolved, found: &Found) {
    let (Some(inverse), Some(first)) = (resolved.inverse, found.targets.first()) else {
        return;
    };
    let Some(reflection) = resolved.inverse_reflection() else {
        return;
    };
    if reflection.is_collection() || first.is_published(inverse) {
        return;
    }
    let mut batches: Vec<Record> = Vec::new();
    let mut places = vec![Place::NONE; found.targets.len()];
    let mut at = 0;
    for siblings in owners.chunk_by(Record::is_sibling) {
        let Some(sibling) = siblings.first() else {
            continue;
        };
        let known = batches.iter().position(|known| known.is_sibling(sibling));
        let batch = known.unwrap_or_else(|| {
            batches.push(sibling.clone());
            batches.len() - 1
        });
        for owner in siblings {
            let place = Place {
                batch: u32::try_from(batch).unwrap_or_default(),
                row: u32::try_from(owner.row_number()).unwrap_or_default(),
            };
            for &row in found.rows.of(at) {
                // The first owner of a key, as in Rails.
                if let Some(slot) = places.get_mut(row as usize)
                    && *slot == Place::NONE
                {
                    *slot = place;
                }
            }
            at += 1;
        }
    }
    let lost = places.iter().enumerate();
    let lost = lost.filter(|(_, place)| **place == Place::NONE);
    let missing = bitmap(places.len(), lost.map(|(row, _)| row));
    let links = Links {
        targets: batches,
        index: Index::One(places.into()),
        missing,
        unread_since: None,
    };
    first.publish(inverse, links, Tie::Unite);
}

/// Hands what was found for one owner alone to it, without touching it. False when that cannot be: the owner was told
/// something already, or another one of its batch was loaded alone before.
pub(super) fn link_alone(association: &Association, targets: &[Record]) -> bool {
    let (owner, resolved) = (association.owner(), association.resolved());
    if owner.is_touched() || owner.is_told(association.position()) {
        return false;
    }
    let rows = (0..).zip(targets).map(|(row, _)| Place { batch: 0, row });
    let index = Index::Row {
        row: u32::try_from(owner.row_number()).unwrap_or(u32::MAX),
        places: rows.collect(),
    };
    let links = Links {
        targets: targets.first().cloned().into_iter().collect(),
        index,
        missing: None,
        unread_since: None,
    };
    if !owner.publish(association.position(), links, association.tie()) {
        return false;
    }
    if !lead_to(owner, resolved, targets, Tie::Unite) {
        targets.iter().for_each(|target| association.own(target));
    }
    true
}

/// Targets that were read together lead back to their one owner. False when they lead somewhere already.
pub(super) fn lead_to(
    owner: &Record,
    resolved: &'static Resolved,
    targets: &[Record],
    tie: Tie,
) -> bool {
    let (Some(first), Some(inverse)) = (targets.first(), resolved.inverse) else {
        return true;
    };
    let collection = AssociationReflection::is_collection;
    if resolved.inverse_reflection().is_none_or(collection) {
        return true;
    }
    let place = Place {
        batch: 0,
        row: u32::try_from(owner.row_number()).unwrap_or_default(),
    };
    // A relation that was narrowed by hand may give rows that are not the owner's.
    let keys = resolved.owner_key.iter().zip(&resolved.target_key);
    let belongs = |target: &Record| {
        let mut keys = keys.clone();
        keys.all(|(&mine, &theirs)| owner.value(mine) == target.value(theirs))
    };
    let strange = targets
        .iter()
        .enumerate()
        .filter(|(_, target)| !belongs(target));
    let links = Links {
        targets: vec![owner.clone()],
        index: Index::One(vec![place; targets.len()].into()),
        missing: bitmap(targets.len(), strange.map(|(row, _)| row)),
        unread_since: None,
    };
    first.publish(inverse, links, tie)
}

/// The rows of a batch of that size which are not among the owners. The same owner may be there twice.
fn missing(owners: &[Record], size: usize) -> Option<Box<[u64]>> {
    let rows = owners.iter().map(Record::row_number);
    if owners.len() == size && rows.clone().eq(0..size) {
        return None;
    }
    let mut asked = vec![false; size];
    rows.for_each(|row| asked[row] = true);
    let missing = asked.iter().enumerate().filter(|(_, asked)| !**asked);
    bitmap(size, missing.map(|(row, _)| row))
}

/// The bits of these rows set; none for no rows.
fn bitmap(size: usize, rows: impl Iterator<Item = usize>) -> Option<Box<[u64]>> {
    let mut bits: Option<Box<[u64]>> = None;
    for row in rows {
        bits.get_or_insert_with(|| vec![0; size.div_ceil(64)].into())[row / 64] |= 1 << (row % 64);
    }
    bits
}

/// What a known singular target is, for callers that loaded it.
pub(super) fn known_one(association: &Association) -> Option<Record> {
    match association.known_one() {
        Linked::Known(target) => target,
        Linked::Unknown => None,
    }
}
