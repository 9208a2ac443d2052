//! Walks the tree of what is loaded with records: level by level, with an explicit list of what is left, never by recursion.
//!
//! Invariant: what hangs off an include is loaded after it, of all that it found. Siblings that do not wait for each
//! other are sent together where the connection pipelines; what comes of them is the same.

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

impl Owners<'_> {
    fn records(&self) -> &[Record] {
        match self {
            Owners::Given(records) => records,
            Owners::Found(records) => records,
        }
    }
}

/// Loads includes of records that were just read, nested ones after those they hang off.
pub(crate) async fn includes(
    records: &[Record],
    includes: &[Include],
    manner: Manner<'_>,
) -> Result<()> {
    if records.is_empty() || includes.is_empty() {
        return Ok(());
    }
    let mut left = vec![(Owners::Given(records), includes)];
    while let Some((owners, siblings)) = left.pop() {
        let owner = owners.records().first();
        if siblings.len() > 1 && owner.is_some_and(|owner| owner.db().pipelines()) {
            let (first, rest) = siblings.split_at(independent(owners.records(), siblings)?);
            let each = first
                .iter()
                .map(|include| Box::pin(preload_step(owners.records(), include, manner)));
            let found = match owner {
                Some(owner) => owner.db().together(each.collect()).await?,
                None => Vec::new(),
            };
            left.push((owners, rest));
            let found = first.iter().zip(found).rev();
            left.extend(found.filter_map(|(include, targets)| below(include, targets)));
            continue;
        }
        let Some((include, rest)) = siblings.split_first() else {
            continue;
        };
        let targets = preload_step(owners.records(), include, manner).await?;
        if !rest.is_empty() {
            left.push((owners, rest));
        }
        left.extend(below(include, targets));
    }
    Ok(())
}

/// What hangs off an include, of the records that it found.
fn below(include: &Include, targets: Vec<Record>) -> Option<(Owners<'_>, &[Include])> {
    let nothing = targets.is_empty() || include.children.is_empty();
    (!nothing).then(|| {
        let targets = Owners::Found(Arc::new(targets));
        (targets, include.children.as_slice())
    })
}

/// How many of the siblings, counted from the first, do not wait for each other: none goes over what another loads too.
fn independent(owners: &[Record], siblings: &[Include]) -> Result<usize> {
    let mut models: Vec<&'static ModelReflection> = Vec::new();
    for owner in owners {
        if models.last().is_none_or(|last| *last != owner.reflection())
            && !models.contains(&owner.reflection())
        {
            models.push(owner.reflection());
        }
    }
    let mut taken = Vec::new();
    for (at, include) in siblings.iter().enumerate() {
        let mut own = Vec::new();
        for model in &models {
            let mut next = include.step.on(model);
            while let Some(position) = next {
                // A subclass has what it inherits at the same position.
                own.push((model.base().name(), position));
                let through = model.resolve(position)?.through.as_ref();
                next = through.map(|through| through.through);
            }
        }
        if own.iter().any(|association| taken.contains(association)) {
            return Ok(at);
        }
        taken.extend(own);
    }
    Ok(siblings.len())
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
