//! Loads an association for many owners with one query, and links both sides.
//!
//! Invariant: owners without a key are not asked for; owners that know their targets are not asked again; every
//! owner in a result gets its targets, also when the same row is in it twice.

use std::borrow::Cow;
use std::collections::HashMap;

use super::available;
use super::includes::{Manner, includes};
use super::owners::{OwnerKeys, Sorted};
use super::parts::{joined, parts};
use super::through;
use crate::association::{Association, cut_each, targets_of, tie_of};
use crate::db::adapter::Purpose;
use crate::error::Result;
use crate::hashing::Hashing;
use crate::record::{Index, Linked, Links, Place, Record, Tie};
use crate::reflection::{AssociationReflection, Resolved};
use crate::relation::{Narrow, Relation, Scope};

/// Records by batch, as they stand together. Most are of one, which a look at each says in fewer steps than a comparison
/// of each with the next.
fn batches(records: &[Record]) -> impl Iterator<Item = &[Record]> {
    let one = match records {
        [first, rest @ ..] => rest.iter().all(|record| record.is_sibling(first)),
        [] => false,
    };
    let (one, several) = if one {
        (records, &[][..])
    } else {
        (&[][..], records)
    };
    let one = (!one.is_empty()).then_some(one);
    one.into_iter().chain(several.chunk_by(Record::is_sibling))
}

/// Loads an association of owners of one model, or of models of one base; gives all targets, those that were known already included.
pub(crate) async fn preload(
    owners: &[Record],
    position: usize,
    manner: Manner<'_>,
) -> Result<Vec<Record>> {
    let mut known = Vec::new();
    if !manner.available.is_empty() {
        available::take(owners, position, manner)?;
    }
    // A fresh batch knows nothing, and most owners are of one.
    let is_fresh = |siblings: &[Record]| {
        let published = siblings
            .first()
            .is_some_and(|one| one.is_published(position));
        !published && Record::with_own_link(siblings, position).next().is_none()
    };
    let asked = if batches(owners).all(is_fresh) {
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
    if let Some(found) = load_parts(&asked, position, (None, None), manner).await? {
        if known.is_empty() {
            known = found;
        } else {
            known.extend(found);
        }
    }
    Ok(known)
}

/// Loads the targets of owners, with a query for each part of them, and links them. `None` when there are more than
/// `most`. `unread_since` as for [`link`].
pub(super) async fn load_parts(
    owners: &[Record],
    position: usize,
    (most, unread_since): (Option<u64>, Option<u64>),
    manner: Manner<'_>,
) -> Result<Option<Vec<Record>>> {
    let mut parts = parts(Cow::Borrowed(owners), position)?;
    if let [only] = parts.as_slice()
        && only.is_all()
    {
        let resolved = only.resolved;
        let found = find_targets(owners, position, resolved, most, manner).await?;
        return Ok(found.map(|found| {
            link(owners, position, resolved, &found, unread_since);
            found.targets
        }));
    }
    let mut found = Vec::with_capacity(parts.len());
    if let Some(owner) = owners.first()
        && owner.db().pipelines()
        && parts.iter().all(|part| part.resolved.through.is_none())
    {
        let each = parts.iter().map(|part| {
            let targets = find_targets(&part.owners, position, part.resolved, most, manner);
            Box::pin(targets)
        });
        let of_parts = owner.db().together(each.collect()).await?;
        for (part, of_part) in parts.drain(..).zip(of_parts) {
            match of_part {
                Some(of_part) => found.push((part, of_part)),
                None => return Ok(None),
            }
        }
    }
    for part in parts.drain(..) {
        match find_targets(&part.owners, position, part.resolved, most, manner).await? {
            Some(of_part) => found.push((part, of_part)),
            None => return Ok(None),
        }
    }
    let all = joined(owners.len(), &found);
    let tie = match found
        .iter()
        .all(|(part, _)| tie_of(part.resolved) == Tie::Depend)
    {
        true => Tie::Depend,
        false => Tie::Unite,
    };
    link_owners(owners, position, (tie, unread_since), &all);
    for (part, found) in &found {
        lead_back(&part.owners, part.resolved, found);
    }
    Ok(Some(all.targets))
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

/// Asks for the targets of owners: those on the way of a through first. `None` when there are more than `most`.
pub(super) async fn find_targets(
    owners: &[Record],
    position: usize,
    resolved: &'static Resolved,
    most: Option<u64>,
    manner: Manner<'_>,
) -> Result<Option<Found>> {
    let before = own_members(owners, position, resolved);
    let asked = manner.narrow.map(Narrowing::Asked);
    let found = match &resolved.through {
        Some(_) => Some(through::find(owners, resolved, asked.as_slice(), manner).await?),
        None => find_by_key(owners, resolved, asked.as_slice(), most, manner).await?,
    };
    Ok(found.map(|(targets, rows)| Found {
        targets,
        rows,
        before,
    }))
}

/// What narrows what is found, beside what is declared.
#[derive(Clone, Copy)]
pub(super) enum Narrowing<'a> {
    /// The scope of a through, and the owner that it is that of.
    Declared(&'static Scope, &'a Record),
    /// What was said where it was asked for.
    Asked(&'a Narrow),
}

impl Narrowing<'_> {
    pub(super) fn apply(&self, relation: Relation) -> Relation {
        match self {
            Self::Declared(scope, owner) => scope.apply(relation, Some(owner)),
            Self::Asked(narrow) => narrow.apply(relation),
        }
    }
}

/// Asks for the targets of owners over a key, by one query. `None` when there are more than `most`.
pub(super) async fn find_by_key(
    owners: &[Record],
    resolved: &'static Resolved,
    narrowed: &[Narrowing<'_>],
    most: Option<u64>,
    manner: Manner<'_>,
) -> Result<Option<(Vec<Record>, Sorted)>> {
    let mut keys = OwnerKeys::of(owners, &resolved.owner_key);
    let values = keys.take_values();
    let mut targets = Vec::new();
    if let Some(first) = owners.first()
        && !values.is_empty()
    {
        let relation = targets_of(resolved, first.db(), Some(first), values);
        let narrow = |relation, narrowing: &Narrowing<'_>| narrowing.apply(relation);
        let mut core = narrowed.iter().fold(relation, narrow).into_core();
        core.terms.strict = core.terms.strict.or(manner.strict);
        core.terms.batching &= first.terms().batching;
        if core.select.per_owner {
            cut_each(&mut core, resolved)?;
        }
        if let Some(most) = most {
            core.select.limit = core.select.limit.or(Some(most + 1));
        }
        let mut nested = std::mem::take(&mut core.preloads);
        if core.joined_includes()?.is_empty() {
            nested.extend(std::mem::take(&mut core.includes));
        }
        targets = Box::pin(super::load(&core, Purpose::Preload)).await?;
        if most.is_some_and(|most| targets.len() as u64 > most) {
            return Ok(None);
        }
        if !nested.is_empty() {
            Box::pin(includes(&targets, &nested, manner.below())).await?;
        }
    }
    let rows = keys.sort(&targets, &resolved.target_key);
    Ok(Some((targets, rows)))
}

/// The members that owners hold by themselves, as new ones, of a collection that is to be loaded.
pub(super) fn own_members(
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
    link_owners(owners, position, (tie_of(resolved), unread_since), found);
    lead_back(owners, resolved, found);
}

fn link_owners(owners: &[Record], position: usize, terms: (Tie, Option<u64>), found: &Found) {
    let mut start = 0;
    // Owners of one batch usually stand together.
    for batch in batches(owners) {
        let published = publish(batch, start, position, terms, found);
        if published {
            // What a record was told by itself, as a member that is not saved yet, hides the table of its batch, which
            // holds for keys as they were loaded.
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
}

/// Publishes the table of a whole batch, whose owners stand at `start`. False when the batch has one already.
fn publish(
    owners: &[Record],
    start: usize,
    position: usize,
    (tie, unread_since): (Tie, Option<u64>),
    found: &Found,
) -> bool {
    let Some(first) = owners.first() else {
        return true;
    };
    if first.is_published(position) {
        return false;
    }
    let size = first.batch_size();
    // All rows of the batch, in their order.
    let whole = owners.len() == size && owners.iter().map(Record::row_number).eq(0..size);
    let missing = match whole {
        true => None,
        false => missing(owners, size),
    };
    let (batches, places_of) = places(&found.targets);
    let place = |row: u32| match &places_of {
        None => Place { batch: 0, row },
        Some(places) => places.get(row as usize).copied().unwrap_or(Place::NONE),
    };
    let collection = first
        .reflection()
        .reflections()
        .get(position)
        .is_some_and(AssociationReflection::is_collection);
    let index = if collection {
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
        let firsts = found.rows.firsts(start);
        let place = |target: Option<u32>| target.map_or(Place::NONE, place);
        if whole {
            Index::One(firsts.take(size).map(place).collect())
        } else {
            let mut places = vec![Place::NONE; size];
            for (owner, target) in owners.iter().zip(firsts) {
                if let Some(slot) = places.get_mut(owner.row_number()) {
                    *slot = place(target);
                }
            }
            Index::One(places.into())
        }
    };
    // The table holds for the keys as they were loaded; an owner whose key was set since is told by itself.
    let links = Links {
        targets: batches,
        index,
        missing,
        unread_since,
    };
    first.publish(position, links, tie)
}

/// One record of each batch of some targets, and where each target is; nothing where they are a whole batch, as they are
/// that were found by one query.
fn places(targets: &[Record]) -> (Vec<Record>, Option<Vec<Place>>) {
    let Some(first) = targets.first() else {
        return (Vec::new(), None);
    };
    let whole = |(at, one): (usize, &Record)| one.row_number() == at && one.is_sibling(first);
    if targets.iter().enumerate().all(whole) {
        return (vec![first.clone()], None);
    }
    let mut batches: Vec<Record> = Vec::new();
    let mut numbers: HashMap<usize, u32, Hashing> = HashMap::default();
    let place = |target: &Record| {
        let batch = *numbers.entry(target.identity().0).or_insert_with(|| {
            batches.push(target.clone());
            u32::try_from(batches.len() - 1).unwrap_or_default()
        });
        Place {
            batch,
            row: target.identity().1,
        }
    };
    let places = targets.iter().map(place).collect();
    (batches, Some(places))
}

/// Tells the owner at that place its targets.
fn tell(owner: &Record, at: usize, position: usize, found: &Found) {
    let Ok(association) = Association::at(owner, position) else {
        return;
    };
    if association.reflection().is_collection() {
        let before = found.before.get(&at).map_or(&[][..], Vec::as_slice);
        let key = association.owner_values();
        association.take_loaded(found.of(at).cloned().collect(), before, key);
    } else {
        association.take_found(found.of(at).next(), association.owner_values());
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
    // Most owners are of one batch: the others are looked up.
    let mut batches: Vec<Record> = owners.first().cloned().into_iter().collect();
    let mut numbers: HashMap<usize, u32, Hashing> = HashMap::default();
    let mut places = vec![Place::NONE; found.targets.len()];
    let mut at = 0;
    for siblings in owners.chunk_by(Record::is_sibling) {
        let Some(sibling) = siblings.first() else {
            continue;
        };
        let batch = match batches.first() {
            Some(first) if first.is_sibling(sibling) => 0,
            _ => *numbers.entry(sibling.identity().0).or_insert_with(|| {
                batches.push(sibling.clone());
                u32::try_from(batches.len() - 1).unwrap_or_default()
            }),
        };
        for owner in siblings {
            let place = Place {
                batch,
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
    let mut asked = vec![false; size];
    owners
        .iter()
        .map(Record::row_number)
        .for_each(|row| asked[row] = true);
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
