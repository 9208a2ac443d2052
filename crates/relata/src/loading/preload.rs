//! Loads an association for many owners with one query, and links both sides.
//!
//! Includes are walked level by level with an explicit list of what is left, never by recursion.
//!
//! Invariant: owners without a key are not asked for; owners that know their targets are not asked again; every
//! owner in a result gets its targets, also when the same row is in it twice.

use std::collections::HashMap;

use crate::association::{Association, Key, targets, targets_of};
use crate::db::adapter::Purpose;
use crate::error::Result;
use crate::hashing::Hashing;
use crate::record::{Index, Linked, Links, Place, Record, StrictLoading, Tie};
use crate::reflection::Resolved;
use crate::relation::{Include, Relation, Scope};

/// Loads includes of records that were just read, nested ones after those they hang off.
pub(crate) async fn includes(
    records: &[Record],
    includes: &[Include],
    strict: Option<StrictLoading>,
) -> Result<()> {
    if records.is_empty() || includes.is_empty() {
        return Ok(());
    }
    let mut left: Vec<(Vec<Record>, &Include)> = includes
        .iter()
        .rev()
        .map(|one| (records.to_vec(), one))
        .collect();
    while let Some((owners, include)) = left.pop() {
        let targets = preload(&owners, include.association, strict).await?;
        if !targets.is_empty() {
            left.extend(
                include
                    .children
                    .iter()
                    .rev()
                    .map(|child| (targets.clone(), child)),
            );
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
    let mut asked = Vec::with_capacity(owners.len());
    for owner in owners {
        // A fresh batch knows nothing, and most owners are of one.
        if !owner.is_published(position) && !owner.has_own_link(position) {
            asked.push(owner.clone());
            continue;
        }
        let association = Association::at(owner, position)?;
        if association.is_loaded() {
            known.extend(association.target());
        } else {
            asked.push(owner.clone());
        }
    }
    for asked in with_one_scope(asked, resolved) {
        if let Some(found) = find_targets(&asked, resolved, None, strict).await? {
            link(&asked, position, resolved, &found, None);
            known.extend(found.targets);
        }
    }
    Ok(known)
}

/// The owners in groups whose targets one query can find: all of them, unless the scope differs by the owner.
fn with_one_scope(owners: Vec<Record>, resolved: &'static Resolved) -> Vec<Vec<Record>> {
    let of_owner = resolved
        .declaration()
        .scope()
        .is_some_and(Scope::is_of_owner);
    if !of_owner {
        return vec![owners];
    }
    let mut groups: Vec<(Relation, Vec<Record>)> = Vec::new();
    for owner in owners {
        let scope = targets(resolved, owner.db(), Some(&owner));
        match groups
            .iter_mut()
            .find(|(known, _)| known.select() == scope.select())
        {
            Some((_, alike)) => alike.push(owner),
            None => groups.push((scope, vec![owner])),
        }
    }
    groups.into_iter().map(|(_, alike)| alike).collect()
}

/// The targets of some owners.
pub(super) struct Found {
    pub(super) targets: Vec<Record>,
    /// By owner: the rows of its targets.
    pub(super) rows: HashMap<Key, Vec<u32>, Hashing>,
}

/// Asks for the targets of owners. `None` when there are more than `most`.
pub(super) async fn find_targets(
    owners: &[Record],
    resolved: &'static Resolved,
    most: Option<u64>,
    strict: Option<StrictLoading>,
) -> Result<Option<Found>> {
    let mut keys: HashMap<Key, Vec<u32>, Hashing> = HashMap::with_hasher(Hashing::default());
    let mut values = Vec::new();
    for owner in owners {
        if let Some(key) = Key::of(owner, &resolved.owner_key) {
            keys.entry(key).or_insert_with(|| {
                values.push(
                    resolved
                        .owner_key
                        .iter()
                        .map(|&column| owner.value(column).into_owned())
                        .collect(),
                );
                Vec::new()
            });
        }
    }
    let Some(first) = owners.first().filter(|_| !values.is_empty()) else {
        return Ok(Some(Found {
            targets: Vec::new(),
            rows: keys,
        }));
    };
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
    let targets = Box::pin(super::load(&core, Purpose::Preload)).await?;
    if most.is_some_and(|most| targets.len() as u64 > most) {
        return Ok(None);
    }
    if !nested.is_empty() {
        Box::pin(includes(&targets, &nested, strict)).await?;
    }
    for (row, target) in targets.iter().enumerate() {
        if let Some(key) = Key::of(target, &resolved.target_key)
            && let Some(rows) = keys.get_mut(&key)
        {
            rows.push(u32::try_from(row).unwrap_or(u32::MAX));
        }
    }
    Ok(Some(Found {
        targets,
        rows: keys,
    }))
}

/// Hands what was found to the owners, and the owners to what was found. With a `generation`, all but the rows in
/// `asked` count as not read yet.
pub(super) fn link(
    owners: &[Record],
    position: usize,
    resolved: &'static Resolved,
    found: &Found,
    generation: Option<u64>,
) {
    let mut rest = owners;
    while let Some(first) = rest.first() {
        // Owners of one batch usually stand together.
        let end = rest
            .iter()
            .position(|owner| !owner.is_sibling(first))
            .unwrap_or(rest.len());
        let (batch, further) = rest.split_at(end);
        let published = publish(batch, position, resolved, found, generation);
        // What a record was told by itself, as a member that is not saved yet, hides the table of its batch.
        for owner in batch
            .iter()
            .filter(|owner| !published || owner.has_own_link(position))
        {
            tell(owner, position, resolved, found);
        }
        rest = further;
    }
    lead_back(owners, resolved, found);
}

/// Publishes the table of a whole batch. False when the batch has one already.
fn publish(
    owners: &[Record],
    position: usize,
    resolved: &'static Resolved,
    found: &Found,
    generation: Option<u64>,
) -> bool {
    let Some(first) = owners.first() else {
        return true;
    };
    if first.is_published(position) {
        return false;
    }
    let size = first.batch_size();
    let mut missing = vec![u64::MAX; size.div_ceil(64)];
    let Ok(association) = Association::at(first, position) else {
        return true;
    };
    let rows_of =
        |owner: &Record| Key::of(owner, &resolved.owner_key).and_then(|key| found.rows.get(&key));
    let place = |row: u32| Place { batch: 0, row };
    let index = if association.reflection().is_collection() {
        let mut lists: Vec<&[u32]> = vec![&[]; size];
        for owner in owners {
            let row = owner.row_number();
            missing[row / 64] &= !(1 << (row % 64));
            lists[row] = rows_of(owner).map(Vec::as_slice).unwrap_or_default();
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
        for owner in owners {
            let row = owner.row_number();
            missing[row / 64] &= !(1 << (row % 64));
            if let Some(&target) = rows_of(owner).and_then(|rows| rows.first()) {
                places[row] = place(target);
            }
        }
        Index::One(places.into())
    };
    // The table holds for the keys as they were loaded; an owner whose key was set since is told by itself.
    let covers_all = owners.len() == size;
    let links = Links {
        targets: found.targets.first().cloned().into_iter().collect(),
        index,
        missing: (!covers_all).then(|| missing.into()),
        generation,
    };
    first.publish(position, links, association.tie())
}

/// Tells one owner its targets.
pub(super) fn tell(owner: &Record, position: usize, resolved: &'static Resolved, found: &Found) {
    let Ok(association) = Association::at(owner, position) else {
        return;
    };
    let rows = Key::of(owner, &resolved.owner_key).and_then(|key| found.rows.get(&key));
    let targets = rows
        .into_iter()
        .flatten()
        .filter_map(|&row| found.targets.get(row as usize));
    if association.reflection().is_collection() {
        association.take_loaded(targets.cloned().collect());
    } else {
        let mut targets = targets;
        association.link(targets.next());
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
    for owner in owners {
        let batch = match batches.iter().rposition(|known| known.is_sibling(owner)) {
            Some(at) => at,
            None => {
                batches.push(owner.clone());
                batches.len() - 1
            }
        };
        let place = Place {
            batch: u32::try_from(batch).unwrap_or_default(),
            row: u32::try_from(owner.row_number()).unwrap_or_default(),
        };
        let rows = Key::of(owner, &resolved.owner_key).and_then(|key| found.rows.get(&key));
        for &row in rows.into_iter().flatten() {
            // The first owner of a key, as in Rails.
            if let Some(slot) = places.get_mut(row as usize)
                && *slot == Place::NONE
            {
                *slot = place;
            }
        }
    }
    let mut missing = vec![0u64; places.len().div_ceil(64)].into_boxed_slice();
    for (row, _) in places
        .iter()
        .enumerate()
        .filter(|(_, place)| **place == Place::NONE)
    {
        missing[row / 64] |= 1 << (row % 64);
    }
    let links = Links {
        targets: batches,
        index: Index::One(places.into()),
        missing: Some(missing),
        generation: None,
    };
    first.publish(inverse, links, Tie::Unite);
}

/// What a known singular target is, for callers that loaded it.
pub(super) fn known_one(association: &Association) -> Option<Record> {
    match association.known_one() {
        Linked::Known(target) => target,
        Linked::Unknown => None,
    }
}
