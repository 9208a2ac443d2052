//! Loads associations that go through others.
//!
//! For many owners what is on the way is loaded first, as if it had been asked for, and stays linked; then what that leads
//! to. For siblings of one that is read lazily one query joins the tables, as it does for one alone.
//!
//! Invariant: owners get their targets in the order of what is on the way, or of the scope where it orders; a target that
//! several ways lead to is there as often, unless the scope is distinct, and is one object.

use std::borrow::Cow;
use std::collections::HashMap;

use super::includes::{Manner, includes};
use super::joined::AtPlace;
use super::owners::{self, OwnerKeys, Sorted};
use super::parts::{self, parts};
use super::pluck::tuples;
use super::preload::{self, Found, Narrowing};
use crate::association::{Association, cut_each, first_place, targets, targets_of};
use crate::db::adapter::Purpose;
use crate::error::{Error, ErrorKind, Result};
use crate::hashing::Hashing;
use crate::record::Record;
use crate::reflection::Resolved;
use crate::relation::{Include, Relation};
use crate::sql::expr::Node;
use crate::sql::{Asks, Direction, Order, What};

/// The targets of owners of one model, each once, and which are whose; narrowed by scopes beside those declared.
pub(super) async fn find(
    owners: &[Record],
    resolved: &'static Resolved,
    narrowed: &[Narrowing<'_>],
    manner: Manner<'_>,
) -> Result<(Vec<Record>, Sorted)> {
    let (Some(first), Some(through)) = (owners.first(), &resolved.through) else {
        let found = preload::find_by_key(owners, resolved, narrowed, None, manner).await?;
        return Ok(found.unwrap_or_else(|| (Vec::new(), Sorted::of_pairs(owners.len(), &[]))));
    };
    let all = self::targets(resolved, first.db(), Some(first));
    let narrow = |relation, narrowing: &Narrowing<'_>| narrowing.apply(relation);
    let select = narrowed.iter().fold(all, narrow).into_core().select;
    if select.is_cut_per_owner() {
        // Only a query that names the owners can number the rows of each.
        let found = find_joined(owners, resolved, narrowed, u64::MAX, manner).await?;
        return found.ok_or_else(|| has_no_numbers(resolved));
    }
    if narrowed.is_empty() && is_joined(resolved, first) {
        let found = Box::pin(find_joined(owners, resolved, narrowed, u64::MAX, manner)).await?;
        if let Some(found) = found {
            return Ok(found);
        }
    }
    let above = manner.below();
    Box::pin(preload::preload(owners, through.through, above)).await?;
    let source = through.source();
    let (middles, on_way) = led_to(owners, through.through, |middle| source.is_led_from(middle))?;
    let own = resolved.declaration().scopes();
    let own = own.map(|scope| Narrowing::Declared(scope, first));
    let narrowed: Vec<Narrowing<'_>> = own.chain(narrowed.iter().copied()).collect();
    // What a scope narrows is not all that those on the way lead to: they are not told.
    // Nor are they told where only one of the models that they lead to is meant.
    let (targets, of_middle) = if narrowed.is_empty() && source.owner_type.is_none() {
        Box::pin(preload::preload(&middles, through.source, above)).await?;
        led_to(&middles, through.source, |_| true)?
    } else if source.scope_of_owner().is_some() {
        // What is on the way are owners too, each with a scope of its own.
        let mut found = Vec::new();
        for part in parts(Cow::Borrowed(&middles), through.source)? {
            let (targets, rows) =
                Box::pin(find(&part.owners, part.resolved, &narrowed, manner)).await?;
            let before = HashMap::new();
            found.push((
                part,
                Found {
                    targets,
                    rows,
                    before,
                },
            ));
        }
        let found = match found.pop() {
            Some((part, found)) if part.is_all() => found,
            last => {
                found.extend(last);
                parts::joined(middles.len(), &found)
            }
        };
        (found.targets, found.rows)
    } else {
        Box::pin(find(&middles, source, &narrowed, manner)).await?
    };
    let mut pairs = Vec::new();
    for (at, _) in (0..).zip(owners) {
        let middles = on_way.of(at as usize).iter();
        let mut rows: Vec<u32> = middles
            .flat_map(|&middle| of_middle.of(middle as usize))
            .copied()
            .collect();
        if !select.orders.is_empty() {
            rows.sort_unstable();
        }
        if select.distinct {
            let mut met = std::collections::HashSet::<u32, Hashing>::default();
            rows.retain(|row| met.insert(*row));
        }
        pairs.extend(rows.into_iter().map(|row| (at, row)));
    }
    Ok((targets, Sorted::of_pairs(owners.len(), &pairs)))
}

/// Whether the targets of many owners are asked for by one query: where the scope narrows them, what is on the way is not
/// all that the owners have there, and is not kept. A scope that differs by the owner, or that cuts, has no such query.
fn is_joined(resolved: &'static Resolved, owner: &Record) -> bool {
    let Some(scope) = resolved.declaration().scope() else {
        return false;
    };
    let direct = |through: &Resolved| through.through.is_none();
    let through = resolved.through.as_ref();
    if !through.is_some_and(|through| direct(through.over()) && direct(through.source()))
        || resolved.scope_of_owner().is_some()
    {
        return false;
    }
    let select = scope
        .apply(Relation::unscoped(resolved.target, owner.db()), None)
        .into_core()
        .select;
    let written = Relation::unscoped(resolved.target, owner.db()).into_core();
    select.filters.len() > written.select.filters.len()
        && !select.is_cut()
        && select.asks != Asks::Nothing
}

/// What an association of owners leads to in memory, as far as it is wanted: each record once, and which are whose.
fn led_to(
    owners: &[Record],
    position: usize,
    wanted: impl Fn(&Record) -> bool,
) -> Result<(Vec<Record>, Sorted)> {
    let mut all: Vec<Record> = Vec::new();
    let mut pairs = Vec::new();
    let mut rows: HashMap<(usize, u32), u32, Hashing> = HashMap::default();
    for (at, owner) in (0..).zip(owners) {
        let association = Association::at(owner, position)?;
        for target in association.peek_target().into_iter().filter(&wanted) {
            let next = u32::try_from(all.len()).unwrap_or(u32::MAX);
            let row = *rows.entry(target.identity()).or_insert(next);
            if row == next {
                all.push(target);
            }
            pairs.push((at, row));
        }
    }
    Ok((all, Sorted::of_pairs(owners.len(), &pairs)))
}

/// The targets of siblings by one query that joins the tables on the way. Nothing when there are more rows than `most`,
/// if that is said, or when a scope wants more than one query.
pub(super) async fn find_joined(
    owners: &[Record],
    resolved: &'static Resolved,
    narrowed: &[Narrowing<'_>],
    most: u64,
    manner: Manner<'_>,
) -> Result<Option<(Vec<Record>, Sorted)>> {
    let mut keys = OwnerKeys::of(owners, &resolved.owner_key);
    let values = keys.take_values();
    let Some(first) = owners.first().filter(|_| !values.is_empty()) else {
        return Ok(Some((Vec::new(), Sorted::of_pairs(owners.len(), &[]))));
    };
    let relation = targets_of(resolved, first.db(), Some(first), values);
    let narrow = |relation, narrowing: &Narrowing<'_>| narrowing.apply(relation);
    let mut core = narrowed.iter().fold(relation, narrow).into_core();
    if !core.joined_includes()?.is_empty() || core.select.raw.is_some() {
        return Ok(None);
    }
    let nested: Vec<Include> = [
        std::mem::take(&mut core.includes),
        std::mem::take(&mut core.preloads),
    ]
    .concat();
    core.terms.strict = core.terms.strict.or(manner.strict);
    core.terms.batching &= first.terms().batching;
    let (place, key) = first_place(resolved);
    if most == u64::MAX
        && core.select.orders.is_empty()
        && !core.select.distinct
        && !core.select.per_owner
    {
        // In the order of what is on the way, as where that is loaded by itself.
        let key = place.model().primary_key().iter();
        let order = |&column: &usize| Order {
            by: Node::Column(place, column),
            direction: Direction::Ascending,
        };
        core.select.orders.extend(key.map(order));
    }
    let root = core.select.root;
    let width = resolved.target.columns().len();
    let columns = (0..width).map(|column| Node::Column(root, column));
    let of_owner = key.iter().map(|&column| Node::Column(place, column));
    core.select.what = What::Values(columns.chain(of_owner).collect());
    if core.select.per_owner {
        cut_each(&mut core, resolved)?;
    }
    core.select.limit = core.select.limit.or(most.checked_add(1));
    // The targets' own columns are typed where their records are made.
    let own = std::iter::repeat_n(None, width);
    let types = own.chain(owners::types(first, resolved)).collect();
    let rows = tuples(&core, Purpose::Preload, types).await?;
    if rows.len() as u64 > most {
        return Ok(None);
    }
    let mut found = AtPlace::new(resolved.target, 0);
    let mut pairs = Vec::with_capacity(rows.len());
    for row in &rows {
        if let Some(at) = found.take(row)? {
            pairs.push((row.get(width..).unwrap_or_default(), at));
        }
    }
    let sorted = keys.sort_pairs(pairs);
    let targets = found.finish(&core)?;
    Box::pin(includes(&targets, &nested, manner.below())).await?;
    Ok(Some((targets, sorted)))
}

/// The error for a limit of each owner where no query can number the rows of each.
#[cold]
fn has_no_numbers(resolved: &Resolved) -> Error {
    let (model, name) = (resolved.owner.name(), resolved.declaration().name());
    let message = format!(
        "{model}.{name} cannot be loaded with a limit for each owner, for its scope is a statement of your own or loads other \
         associations by a join: leave out `per_owner`"
    );
    Error::new(ErrorKind::Unsupported, message)
        .with_model(model)
        .with_attribute(name)
}
