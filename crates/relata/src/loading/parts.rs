//! Owners in parts, each of which one query finds the targets of: by the model that a polymorphic association leads to,
//! by what a subclass declares anew, by what a scope says of its owner.
//!
//! Invariant: an owner is in one part, or leads nowhere and is in none.

use std::borrow::Cow;
use std::collections::HashMap;

use super::owners::Sorted;
use super::preload::Found;
use crate::association::{Association, resolved_for, targets};
use crate::error::Result;
use crate::record::Record;
use crate::reflection::Resolved;
use crate::relation::{Relation, Scope};

/// Some of the owners that were asked for.
pub(super) struct Part<'a> {
    pub(super) resolved: &'static Resolved,
    pub(super) owners: Cow<'a, [Record]>,
    /// Their places among all; none where they are all.
    places: Option<Vec<u32>>,
}

/// The parts of some owners.
pub(super) fn parts<'a>(owners: Cow<'a, [Record]>, position: usize) -> Result<Vec<Part<'a>>> {
    let Some(first) = owners.first() else {
        return Ok(Vec::new());
    };
    let model = first.reflection();
    let resolved = model.resolve(position)?;
    let of_owner = resolved
        .declaration()
        .scope()
        .is_some_and(Scope::is_of_owner);
    let alike = |siblings: &[Record]| siblings.first().is_some_and(|one| one.are_all(model));
    let of_one_model = || !model.is_inherited() || owners.chunk_by(Record::is_sibling).all(alike);
    if resolved.owner_type.is_none() && !of_owner && of_one_model() {
        return Ok(vec![Part {
            resolved,
            owners,
            places: None,
        }]);
    }
    let mut parts: Vec<(Option<Relation>, Part<'a>)> = Vec::new();
    for (at, owner) in (0..).zip(&*owners) {
        let resolved = resolved_for(owner, position)?.as_loaded();
        if resolved.is_nowhere() {
            // A name that no model has is an error, not nothing.
            Association::at(owner, position)?.klass()?;
            continue;
        }
        let of_owner = resolved
            .declaration()
            .scope()
            .is_some_and(Scope::is_of_owner);
        let scope = of_owner.then(|| targets(resolved, owner.db(), Some(owner)));
        let known = parts.iter_mut().find(|(said, part)| {
            std::ptr::eq(part.resolved, resolved)
                && said.as_ref().map(Relation::select) == scope.as_ref().map(Relation::select)
        });
        match known {
            Some((_, part)) => {
                part.owners.to_mut().push(owner.clone());
                part.places.get_or_insert_default().push(at);
            }
            None => parts.push((
                scope,
                Part {
                    resolved,
                    owners: Cow::Owned(vec![owner.clone()]),
                    places: Some(vec![at]),
                },
            )),
        }
    }
    Ok(parts.into_iter().map(|(_, part)| part).collect())
}

impl Part<'_> {
    /// Whether there are no others.
    pub(super) fn is_all(&self) -> bool {
        self.places.is_none()
    }
}

/// What was found for the parts of that many owners, as one.
pub(super) fn joined(owners: usize, found: &[(Part<'_>, Found)]) -> Found {
    let mut all = Found {
        targets: Vec::new(),
        rows: Sorted::of_pairs(0, &[]),
        before: HashMap::new(),
    };
    let mut pairs = Vec::new();
    for (part, found) in found {
        let start = u32::try_from(all.targets.len()).unwrap_or(u32::MAX);
        all.targets.extend_from_slice(&found.targets);
        for (own, &place) in part.places.iter().flatten().enumerate() {
            pairs.extend(found.rows.of(own).iter().map(|&row| (place, start + row)));
            if let Some(before) = found.before.get(&own) {
                all.before.insert(place as usize, before.clone());
            }
        }
    }
    all.rows = Sorted::of_pairs(owners, &pairs);
    all
}
