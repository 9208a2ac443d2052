//! Walks the tree of what is loaded with records: level by level, with an explicit list of what is left, never by recursion.
//!
//! Invariant: what hangs off an include is loaded after it, of all that it found.

use std::sync::Arc;

use super::preload::preload;
use crate::deprecation::{self, Why};
use crate::error::Result;
use crate::record::{Record, StrictLoading};
use crate::relation::{Include, Narrow, Step};

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
    let mut targets = Vec::new();
    for (position, group) in groups {
        tell(&group, position)?;
        targets.extend(preload(&group, position, manner).await?);
    }
    Ok(targets)
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
