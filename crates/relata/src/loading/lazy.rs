//! Loads an association when it is first read: for the record that asked, and for its siblings with it.
//!
//! In a batch of up to [`TOGETHER`] records the first access loads all of them; in a larger one the first loads
//! one, and the second the rest. So walking a result costs one or two queries an association, however long it is.
//!
//! Invariant: batching may save queries, and never changes a result. A sibling's target that nobody has read yet
//! is not used once its table was written through this database; a sibling whose key was set, or that was told
//! its target, is left alone; a scope with a limit that would cut the whole query is never batched, and one with a limit for
//! each owner by a query that numbers the rows of each.

use super::includes::Manner;
use super::preload::{self, Found};
use super::{hops, through};
use crate::association::{Association, asks_for_one};
use crate::db::adapter::Purpose;
use crate::deprecation;
use crate::error::Result;
use crate::record::{Linked, Record, StrictLoading};
use crate::sql::Direction;

/// Batches up to this size are loaded together at once.
const TOGETHER: usize = 100;

/// Siblings' targets are loaded together up to this many rows; beyond it each owner loads its own.
const MOST: u64 = 100_000;

/// The target of a singular association.
pub(crate) async fn load_one(association: &Association) -> Result<Option<Record>> {
    if let Linked::Known(target) = association.known_one() {
        return Ok(target);
    }
    if !association.can_query() {
        know_none(association);
        return Ok(None);
    }
    association.check_strict()?;
    tell_way(association)?;
    if load_siblings(association).await?
        && let Linked::Known(target) = association.known_one()
    {
        return Ok(target);
    }
    load_single(association).await?;
    Ok(preload::known_one(association))
}

/// Tells of the deprecated associations that one goes through.
#[inline]
fn tell_way(association: &Association) -> Result<()> {
    if !deprecation::is_any() {
        return Ok(());
    }
    deprecation::through(association.owner().db(), association.resolved())
}

/// Whether an association has a target or members, for a validation, which strict loading does not refuse.
pub(crate) async fn has_any(association: &Association) -> Result<bool> {
    if association.reflection().is_collection() {
        let members = load_to_replace(association).await?;
        return Ok(!members.is_empty());
    }
    if matches!(association.known_one(), Linked::Unknown) {
        if association.can_query() {
            load_single(association).await?;
        } else {
            know_none(association);
        }
    }
    Ok(preload::known_one(association).is_some())
}

/// That a new owner has none: what it gets is given through it, so that it is known from then on.
fn know_none(association: &Association) {
    if association.reflection().is_has_one() && !association.is_through() {
        association.link(None);
    }
}

/// The members of a collection.
pub(crate) async fn load_many(association: &Association) -> Result<Vec<Record>> {
    let members = association.known_many();
    if members.loaded {
        return Ok(members.records);
    }
    if !association.can_query() {
        // There are no others, and there will be none: rows that a new owner could have are made through it.
        association.complete();
        return Ok(members.records);
    }
    association.check_strict()?;
    tell_way(association)?;
    if members.records.is_empty() && load_siblings(association).await? {
        let members = association.known_many();
        if members.loaded {
            return Ok(members.records);
        }
    }
    load_single(association).await?;
    Ok(association.known_many().records)
}

/// The members of this one collection, which strict loading does not refuse: to be replaced.
pub(crate) async fn load_to_replace(association: &Association) -> Result<Vec<Record>> {
    if !association.known_many().loaded {
        if association.can_query() {
            load_single(association).await?;
        } else {
            // What a new owner was asked for is known once it has a row.
            association.complete();
        }
    }
    Ok(association.known_many().records)
}

/// Loads the association for the whole batch, if that is allowed. False when it was not, or was not enough.
async fn load_siblings(association: &Association) -> Result<bool> {
    let owner = association.owner();
    let position = association.position();
    let size = owner.batch_size();
    if size < 2
        || !owner.terms().batching
        || owner.is_published(position)
        || !association.is_shared()
    {
        return Ok(false);
    }
    if size > TOGETHER && owner.count_single_load(position) == 0 {
        return Ok(false);
    }
    let mut siblings = owner.untold_siblings(position, &association.resolved().owner_columns);
    if !owner.are_all(owner.reflection()) {
        // A subclass may declare it anew: over other columns, or so that one query cannot serve several owners.
        let key = &association.resolved().owner_columns;
        siblings.retain(|sibling| {
            let theirs = Association::at(sibling, position);
            theirs.is_ok_and(|one| one.resolved().owner_columns == *key && one.is_shared())
        });
    }
    if association.reflection().is_polymorphic() {
        // What is wrong with a sibling is for its own reader.
        let known =
            |one: &Record| Association::at(one, position).is_ok_and(|one| one.klass().is_ok());
        siblings.retain(known);
    }
    if !siblings.iter().any(|sibling| sibling.is(owner)) {
        return Ok(false);
    }
    let writes = owner.db().writes();
    // A `belongs_to` finds at most one row an owner.
    let most = (!association.is_belongs_to()).then_some(MOST);
    let manner = Manner::strict(strict_of_members(association));
    if association.is_through() {
        let resolved = association.resolved();
        let before = preload::own_members(&siblings, position, resolved);
        let found = match resolved.declaration().disable_joins {
            true => Box::pin(hops::find(&siblings, resolved, MOST, manner.strict)).await?,
            false => through::find_joined(&siblings, resolved, &[], MOST, manner).await?,
        };
        return Ok(found.is_some_and(|(targets, rows)| {
            let found = Found {
                targets,
                rows,
                before,
            };
            preload::link(&siblings, position, resolved, &found, Some(writes));
            true
        }));
    }
    let terms = (most, Some(writes));
    Ok(preload::load_parts(&siblings, position, terms, manner)
        .await?
        .is_some())
}

/// Loads the association for the owner alone.
async fn load_single(association: &Association) -> Result<()> {
    association.klass()?;
    let resolved = association.resolved();
    let singular = !association.reflection().is_collection();
    let mut core = association.relation().into_core();
    if asks_for_one(resolved) {
        core.select.limit = Some(1);
        if resolved.declaration().disable_joins && core.select.orders.is_empty() {
            // The first one, as Rails reads it.
            core.select
                .order_by_key(resolved.target.primary_key(), Direction::Ascending)?;
        }
    }
    core.origin = None;
    core.terms.strict = core.terms.strict.or(strict_of_members(association));
    // Who asked for records that load alone gets no others through them.
    core.terms.batching &= association.owner().terms().batching;
    let key = association.owner_values();
    let before = association.peek_many().records;
    let targets = Box::pin(super::load(&core, Purpose::Load)).await?;
    if preload::link_alone(association, &targets) {
        return Ok(());
    }
    if singular {
        if association.take_found(targets.first(), key)
            && let Some(target) = targets.first()
        {
            if association.is_belongs_to() {
                association.link_back(target);
            } else {
                association.own(target);
            }
        }
    } else {
        association.take_loaded(targets, &before, key);
    }
    Ok(())
}

/// The mode that loaded targets get from a strict owner.
fn strict_of_members(association: &Association) -> Option<StrictLoading> {
    match association.owner().strict_loading_mode() {
        Some(StrictLoading::NPlusOneOnly) if association.reflection().is_collection() => {
            Some(StrictLoading::All)
        }
        _ => None,
    }
}
