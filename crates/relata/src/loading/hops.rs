//! Loads what siblings lead to through others whose tables are not joined: each hop by one statement for all of them.
//! Rails: `disable_joins`, which loads one owner at a time.
//!
//! Invariant: an owner gets what it would have got alone, in the same order; what is on the way is not kept.

use std::collections::{HashMap, HashSet};

use super::owners::{OwnerKeys, Sorted};
use super::pluck::tuples;
use crate::association::{Key, asks_for_one, targets_of};
use crate::attribute::AttributeType;
use crate::attribute::value::Value;
use crate::db::adapter::Purpose;
use crate::error::Result;
use crate::hashing::Hashing;
use crate::record::{Record, StrictLoading};
use crate::reflection::Resolved;
use crate::relation::Core;
use crate::sql::expr::Node;
use crate::sql::{Apart, Direction, Select, What};

/// The keys that owners have been led to so far, each once, in the order of the owner's way; with their values.
type Led = Vec<Vec<(Key, Vec<Value<'static>>)>>;

/// The targets of siblings. Nothing when a hop has more rows than `most`, or when what is asked has a statement of its own.
pub(super) async fn find(
    owners: &[Record],
    resolved: &'static Resolved,
    most: u64,
    strict: Option<StrictLoading>,
) -> Result<Option<(Vec<Record>, Sorted)>> {
    let mut keys = OwnerKeys::of(owners, &resolved.owner_key);
    let values = keys.take_values();
    let Some(first) = owners.first().filter(|_| !values.is_empty()) else {
        return Ok(Some((Vec::new(), Sorted::of_pairs(owners.len(), &[]))));
    };
    let mut core = targets_of(resolved, first.db(), Some(first), values).into_core();
    let Some(way) = way(&core.select) else {
        return Ok(None);
    };
    if core.select.is_cut() {
        return Ok(None);
    }
    core.terms.strict = core.terms.strict.or(strict);
    core.terms.batching &= first.terms().batching;
    let hops = resolved.hops();
    let mut keys = Some(keys);
    let mut led: Led = Vec::new();
    for (apart, hop) in way.iter().zip(&hops) {
        let mut asked = Core {
            select: apart.from.clone(),
            ..core.clone()
        };
        let ranked = settle(&mut asked.select, &led);
        if asked.select.gives_nothing() {
            return Ok(Some((Vec::new(), Sorted::of_pairs(owners.len(), &[]))));
        }
        let key = &hop.over.target_key;
        let types = with_key(&mut asked.select, key);
        asked.select.limit_to(most.saturating_add(1));
        let rows = tuples(&asked, Purpose::Preload, types).await?;
        if rows.len() as u64 > most {
            return Ok(None);
        }
        let pairs = rows
            .iter()
            .map(|row| row.split_at(key.len().min(row.len())));
        let rows_of: Vec<Vec<u32>> = match keys.take() {
            Some(keys) => {
                let sorted = keys.sort_pairs(pairs.clone().map(|(key, _)| key).zip(0..).collect());
                let each = 0..owners.len();
                each.map(|owner| sorted.of(owner).to_vec()).collect()
            }
            None => rows_of(
                &led,
                pairs.clone().map(|(key, _)| Key::of_values(key)),
                ranked,
            ),
        };
        let next: Vec<&[Value<'static>]> = pairs.map(|(_, next)| next).collect();
        led = rows_of.iter().map(|rows| once(rows, &next)).collect();
    }
    let ranked = settle(&mut core.select, &led);
    if asks_for_one(resolved) && core.select.orders.is_empty() {
        // The first one, as it is read for one owner.
        let key = resolved.target.primary_key();
        core.select.order_by_key(key, Direction::Ascending)?;
    }
    core.select.limit_to(most.saturating_add(1));
    let targets = match core.select.gives_nothing() {
        true => Vec::new(),
        false => Box::pin(super::load(&core, Purpose::Preload)).await?,
    };
    if targets.len() as u64 > most {
        return Ok(None);
    }
    let last = hops.last().map_or(resolved, |hop| hop.over);
    let keys_of = targets.iter().map(|one| Key::of(one, &last.target_key));
    let rows_of = rows_of(&led, keys_of, ranked);
    let pairs = (0..).zip(&rows_of);
    let pairs: Vec<(u32, u32)> = pairs
        .flat_map(|(owner, rows)| rows.iter().map(move |&row| (owner, row)))
        .collect();
    Ok(Some((targets, Sorted::of_pairs(owners.len(), &pairs))))
}

/// The lists that are asked for before the targets, first to last. None where conditions of the user ask for others.
fn way(select: &Select) -> Option<Vec<Apart>> {
    let mut way = Vec::new();
    let mut before = select.apart();
    while let Some(apart) = before.pop() {
        if !before.is_empty() {
            return None;
        }
        before = apart.from.apart();
        way.push(apart);
    }
    way.reverse();
    Some(way)
}

/// Puts the keys of all owners in the place of the list. Whether the rows stand in the order of these keys.
fn settle(select: &mut Select, led: &Led) -> bool {
    let mut met = HashSet::new();
    let each = led.iter().flatten();
    let keys: Vec<Vec<Value<'static>>> = each
        .filter(|(key, _)| met.insert(key))
        .map(|(_, values)| values.clone())
        .collect();
    let ranked = |by: &Node| matches!(by, Node::Apart(_));
    let ranked = select.orders.iter().any(|order| ranked(&order.by));
    select.settle(
        |apart| apart.among(keys.clone()),
        |apart| apart.rank(keys.clone()),
    );
    ranked
}

/// Reads the key that the row was found by before what it leads to. The types of the values.
fn with_key(select: &mut Select, key: &[usize]) -> Vec<Option<AttributeType>> {
    let place = select.root;
    let mut values: Vec<Node> = key
        .iter()
        .map(|&column| Node::Column(place, column))
        .collect();
    if let What::Values(next) = &select.what {
        values.extend_from_slice(next);
    }
    let ty = |node: &Node| {
        let (place, column) = node.subject()?;
        let column = place.model().columns().get(column)?;
        Some(AttributeType {
            nullable: true,
            ..*column.attribute_type()
        })
    };
    let types = values.iter().map(ty).collect();
    select.what = What::Values(values);
    types
}

/// By owner: the rows that its keys lead to, in the order of the keys, or in that of the rows.
fn rows_of(led: &Led, keys: impl Iterator<Item = Option<Key>>, ranked: bool) -> Vec<Vec<u32>> {
    let mut by_key: HashMap<Key, Vec<u32>, Hashing> = HashMap::default();
    for (row, key) in (0..).zip(keys) {
        if let Some(key) = key {
            by_key.entry(key).or_default().push(row);
        }
    }
    let of_owner = |led: &Vec<(Key, Vec<Value<'static>>)>| {
        let rows = led.iter().filter_map(|(key, _)| by_key.get(key));
        let mut rows: Vec<u32> = rows.flatten().copied().collect();
        if !ranked {
            rows.sort_unstable();
        }
        rows
    };
    led.iter().map(of_owner).collect()
}

/// What some rows lead to, each key once. A null leads nowhere.
fn once(rows: &[u32], next: &[&[Value<'static>]]) -> Vec<(Key, Vec<Value<'static>>)> {
    let mut met: HashSet<Key, Hashing> = HashSet::default();
    let mut once = Vec::new();
    for &row in rows {
        let Some(&values) = next.get(row as usize) else {
            continue;
        };
        if let Some(key) = Key::of_values(values)
            && met.insert(key.clone())
        {
            once.push((key, values.to_vec()));
        }
    }
    once
}
