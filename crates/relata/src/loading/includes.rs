//! Walks the tree of what is loaded with records: level by level, with an explicit list of what is left, never by recursion.
//!
//! Invariant: what hangs off an include is loaded after it, of all that it found.

use std::collections::HashSet;
use std::sync::Arc;

use super::preload::preload;
use crate::association::{Association, Key};
use crate::db::adapter::Purpose;
use crate::deprecation::{self, Why};
use crate::error::Result;
use crate::hashing::Hashing;
use crate::record::{Record, StrictLoading};
use crate::reflection::ModelReflection;
use crate::relation::{Include, Narrow, Relation, Step};

/// How an association is loaded for many owners, beside what it declares.
#[derive(Clone, Copy, Default)]
pub(crate) struct Manner<'a> {
    /// The mode that the targets get.
    pub(super) strict: Option<StrictLoading>,
    /// What narrows the targets this time.
    pub(super) narrow: Option<&'a Narrow>,
    /// Records at hand, which stand for their rows.
    pub(super) available: &'a [Record],
}

impl<'a> Manner<'a> {
    /// How what hangs off it by its own scope is loaded.
    pub(super) fn below(self) -> Self {
        Self {
            narrow: None,
            ..self
        }
    }

    /// As declared; the targets get this mode.
    pub(crate) fn strict(strict: Option<StrictLoading>) -> Self {
        Self {
            strict,
            ..Self::default()
        }
    }
}

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
    manner: Manner<'_>,
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
        let targets = preload_step(owners, include, manner).await?;
        if !targets.is_empty() && !include.children.is_empty() {
            let targets = Arc::new(targets);
            let children = include.children.iter().rev();
            left.extend(children.map(|child| (Owners::Found(Arc::clone(&targets)), child)));
        }
    }
    Ok(())
}

/// Loads what a step leads to, of owners that have it.
async fn preload_step(
    owners: &[Record],
    include: &Include,
    manner: Manner<'_>,
) -> Result<Vec<Record>> {
    let manner = Manner {
        narrow: include.narrow.as_ref(),
        ..manner
    };
    let name = match &include.step {
        Step::At(position) => {
            tell(owners, *position)?;
            return preload(owners, *position, manner).await;
        }
        name @ Step::Named(_) => name,
    };
    let mut groups: Vec<(usize, Vec<Record>)> = Vec::new();
    for owner in owners {
        let model = owner.reflection();
        let Some(position) = name.on(model) else {
            continue;
        };
        // Models of one base have their common associations at the same positions.
        let known = groups.iter_mut().find(|(at, group)| {
            *at == position
                && group
                    .first()
                    .is_some_and(|one| one.reflection().base() == model.base())
        });
        match known {
            Some((_, group)) => group.push(owner.clone()),
            None => groups.push((position, vec![owner.clone()])),
        }
    }
    let shared = shared_parents(&groups, manner).await?;
    let manner = match shared.is_empty() {
        true => manner,
        false => Manner {
            available: &shared,
            ..manner
        },
    };
    let mut targets = Vec::new();
    for (position, group) in groups {
        tell(&group, position)?;
        targets.extend(preload(&group, position, manner).await?);
    }
    Ok(targets)
}

/// The parents of owners of several models that lead to rows of one by its key: they are asked for once, as in Rails.
async fn shared_parents(
    groups: &[(usize, Vec<Record>)],
    manner: Manner<'_>,
) -> Result<Vec<Record>> {
    if groups.len() < 2 || manner.narrow.is_some() || !manner.available.is_empty() {
        return Ok(Vec::new());
    }
    let mut to: Option<&'static ModelReflection> = None;
    let mut once: HashSet<Key, Hashing> = HashSet::default();
    let mut keys = Vec::new();
    for (position, group) in groups {
        for owner in group {
            let association = Association::at(owner, *position)?;
            let resolved = association.resolved();
            let by_key = resolved.through.is_none()
                && resolved.declaration().is_belongs_to()
                && resolved.declaration().scope().is_none()
                && resolved.declaration().default_order.is_none()
                && *resolved.target_key == *resolved.target.primary_key()
                && !resolved.is_nowhere();
            if !by_key || *to.get_or_insert(resolved.target) != resolved.target {
                return Ok(Vec::new());
            }
            if let Some(key) = Key::of(owner, &resolved.owner_key)
                && !association.is_loaded()
                && once.insert(key)
            {
                keys.push(association.owner_key());
            }
        }
    }
    let (Some(to), Some((_, group)), false) = (to, groups.first(), keys.is_empty()) else {
        return Ok(Vec::new());
    };
    let Some(first) = group.first() else {
        return Ok(Vec::new());
    };
    let mut core = Relation::<Record>::default_scoped(to, first.db())
        .with_rows(keys)
        .into_core();
    core.terms.strict = core.terms.strict.or(manner.strict);
    core.terms.batching &= first.terms().batching;
    Box::pin(super::load(&core, Purpose::Load)).await
}

/// Tells that an association is preloaded, where that is not wanted any more.
fn tell(owners: &[Record], position: usize) -> Result<()> {
    match owners.first() {
        Some(first) if deprecation::is_any() => {
            let resolved = first.reflection().resolve(position)?;
            deprecation::used(first.db(), resolved, Why::Preloaded)
        }
        _ => Ok(()),
    }
}
