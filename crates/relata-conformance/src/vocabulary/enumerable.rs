//! Lists, and everything that can be gone through.

use std::sync::Arc;

use super::missing;
use crate::eval::{Args, Callable};
use crate::stop::{Ran, Stop};
use crate::value::{List, Value, equal};
use crate::world::World;

pub(super) async fn list(world: &Arc<World>, list: &List, name: &str, args: &Args) -> Ran<Value> {
    let this = || Value::List(list.clone());
    match (name, args.all.as_slice()) {
        ("<<" | "push" | "append", items) => {
            list.lock().extend(items.iter().cloned());
            return Ok(this());
        }
        ("clear", []) => {
            list.lock().clear();
            return Ok(this());
        }
        ("pop", []) => return Ok(list.lock().pop().unwrap_or(Value::Nil)),
        ("concat", [Value::List(more)]) => {
            let more = more.items();
            list.lock().extend(more);
            return Ok(this());
        }
        ("delete", [item]) => {
            list.lock().retain(|known| !equal(known, item));
            return Ok(item.clone());
        }
        ("to_a" | "to_ary" | "freeze", []) => return Ok(this()),
        _ => {}
    }
    let value = call(world, list.items(), name, args).await?;
    // What a list gives back for `each` is the list itself.
    Ok(match name {
        "each" | "each_with_index" if args.block.is_some() => this(),
        _ => value,
    })
}

/// Whether it is a method of everything that can be gone through.
pub(super) fn is_method(name: &str) -> bool {
    METHODS.contains(&name) || nth(name).is_some()
}

const METHODS: &[&str] = &[
    "all?",
    "any?",
    "collect",
    "compact",
    "count",
    "detect",
    "each",
    "each_with_index",
    "each_with_object",
    "empty?",
    "filter",
    "filter_map",
    "find",
    "find_index",
    "first",
    "flat_map",
    "flatten",
    "group_by",
    "include?",
    "member?",
    "index",
    "index_by",
    "inject",
    "join",
    "last",
    "length",
    "map",
    "drop",
    "drop_while",
    "max",
    "max_by",
    "min",
    "min_by",
    "take_while",
    "none?",
    "one?",
    "partition",
    "records",
    "reduce",
    "to_ary",
    "reject",
    "reverse",
    "select",
    "size",
    "sort",
    "sort_by",
    "sum",
    "take",
    "to_a",
    "to_h",
    "uniq",
    "zip",
    "+",
    "-",
    "&",
    "[]",
    "many?",
    "present?",
    "blank?",
    "each_slice",
    "tally",
    "to_set",
    "dig",
    "fetch",
];

/// The place that a name says: `second` is 1, `second_to_last` is -2.
pub(super) fn nth(name: &str) -> Option<i64> {
    Some(match name.trim_end_matches('!') {
        "second" => 1,
        "third" => 2,
        "fourth" => 3,
        "fifth" => 4,
        "forty_two" => 41,
        "second_to_last" => -2,
        "third_to_last" => -3,
        _ => return None,
    })
}

/// The item at a place, from the end where the place is negative.
pub(super) fn at<T>(items: &[T], nth: i64) -> Option<&T> {
    match usize::try_from(nth) {
        Ok(nth) => items.get(nth),
        Err(_) => {
            let back = usize::try_from(nth.unsigned_abs()).ok()?;
            items.get(items.len().checked_sub(back)?)
        }
    }
}

/// A method of what can be gone through.
pub(super) async fn call(
    world: &Arc<World>,
    items: Vec<Value>,
    name: &str,
    args: &Args,
) -> Ran<Value> {
    if let Some(block) = &args.block
        && let Some(done) = go_through(world, &items, name, args, block).await?
    {
        return Ok(done);
    }
    Ok(match (name, args.all.as_slice()) {
        ("size" | "length" | "count", []) => Value::count(items.len()),
        ("count", [item]) => Value::count(items.iter().filter(|known| equal(known, item)).count()),
        ("empty?" | "blank?" | "none?", []) => Value::Bool(items.is_empty()),
        ("any?" | "present?", []) => Value::Bool(!items.is_empty()),
        ("many?", []) => Value::Bool(items.len() > 1),
        ("one?", []) => Value::Bool(items.len() == 1),
        ("all?", []) => Value::Bool(items.iter().all(Value::is_true)),
        ("first", []) => items.first().cloned().unwrap_or(Value::Nil),
        (place, []) if nth(place).is_some() => {
            let found = at(&items, nth(place).unwrap_or_default());
            found.cloned().unwrap_or(Value::Nil)
        }
        ("last", []) => items.last().cloned().unwrap_or(Value::Nil),
        ("first" | "take", [Value::Int(some)]) => Value::list(
            items
                .into_iter()
                .take(usize::try_from(*some).unwrap_or_default()),
        ),
        ("last", [Value::Int(some)]) => {
            let from = items
                .len()
                .saturating_sub(usize::try_from(*some).unwrap_or_default());
            Value::list(items.into_iter().skip(from))
        }
        ("[]" | "fetch" | "dig", [Value::Int(at)]) => {
            let at = if *at < 0 {
                at + i64::try_from(items.len()).unwrap_or_default()
            } else {
                *at
            };
            let found = usize::try_from(at)
                .ok()
                .and_then(|at| items.get(at).cloned());
            match (found, name) {
                (Some(found), _) => found,
                (None, "fetch") => {
                    return Err(Stop::raised("IndexError", "index outside of array bounds"));
                }
                (None, _) => Value::Nil,
            }
        }
        ("[]", [Value::Range(range)]) => {
            let length = i64::try_from(items.len()).unwrap_or_default();
            let place = |value: &Value, default: i64| match value {
                Value::Int(at) if *at < 0 => at + length,
                Value::Int(at) => *at,
                _ => default,
            };
            let from = place(&range.0, 0);
            let to = place(&range.1, length - 1) - i64::from(range.2 && range.1.is_true());
            if from < 0 || from > length {
                return Ok(Value::Nil);
            }
            let some = usize::try_from(to - from + 1).unwrap_or_default();
            let from = usize::try_from(from).unwrap_or_default();
            Value::list(items.into_iter().skip(from).take(some))
        }
        ("[]", [Value::Int(from), Value::Int(some)]) => {
            let (from, some) = (usize::try_from(*from), usize::try_from(*some));
            Value::list(
                items
                    .into_iter()
                    .skip(from.unwrap_or_default())
                    .take(some.unwrap_or_default()),
            )
        }
        ("include?" | "member?", [item]) => {
            Value::Bool(items.iter().any(|known| equal(known, item)))
        }
        ("index" | "find_index", [item]) => items
            .iter()
            .position(|known| equal(known, item))
            .map_or(Value::Nil, Value::count),
        ("to_a" | "to_ary" | "each" | "entries" | "records", []) => Value::list(items),
        ("each_with_index", []) => {
            let pairs = items.into_iter().enumerate();
            Value::list(pairs.map(|(at, item)| Value::list([item, Value::count(at)])))
        }
        ("compact", []) => {
            Value::list(items.into_iter().filter(|item| !matches!(item, Value::Nil)))
        }
        ("reverse", []) => Value::list(items.into_iter().rev()),
        ("flatten", []) => Value::list(flat(items)),
        ("uniq", []) => Value::list(unique(items)),
        ("sort", []) => Value::list(sorted(
            items.into_iter().map(|item| (item.clone(), item)).collect(),
        )),
        ("min", []) => sorted(items.into_iter().map(|item| (item.clone(), item)).collect())
            .into_iter()
            .next()
            .unwrap_or(Value::Nil),
        ("max", []) => sorted(items.into_iter().map(|item| (item.clone(), item)).collect())
            .pop()
            .unwrap_or(Value::Nil),
        ("drop", [Value::Int(some)]) => Value::list(
            items
                .into_iter()
                .skip(usize::try_from(*some).unwrap_or_default()),
        ),
        ("each_slice", [Value::Int(size)]) => {
            let size = usize::try_from(*size).unwrap_or(1).max(1);
            Value::list(items.chunks(size).map(|some| Value::list(some.to_vec())))
        }
        ("tally", []) => {
            let kinds = unique(items.clone());
            let count = |kind: &Value| items.iter().filter(|item| equal(item, kind)).count();
            Value::map(
                kinds
                    .iter()
                    .map(|kind| (kind.clone(), Value::count(count(kind)))),
            )
        }
        ("sum", []) => sum(&items)?,
        ("join", with) => {
            let with = with.first().map(Value::to_text).unwrap_or_default();
            Value::text(
                &items
                    .iter()
                    .map(Value::to_text)
                    .collect::<Vec<_>>()
                    .join(&with),
            )
        }
        ("+", [other]) => {
            let other = super::items(world, other).await?;
            Value::list(items.into_iter().chain(other))
        }
        ("-", [other]) => {
            let other = super::items(world, other).await?;
            Value::list(
                items
                    .into_iter()
                    .filter(|item| !other.iter().any(|known| equal(known, item))),
            )
        }
        ("&", [other]) => {
            let other = super::items(world, other).await?;
            Value::list(
                items
                    .into_iter()
                    .filter(|item| other.iter().any(|known| equal(known, item))),
            )
        }
        ("zip", [other]) => {
            let other = super::items(world, other).await?;
            let pair = |(at, item): (usize, Value)| {
                Value::list([item, other.get(at).cloned().unwrap_or(Value::Nil)])
            };
            Value::list(items.into_iter().enumerate().map(pair))
        }
        ("to_h", []) => {
            let mut entries = Vec::new();
            for item in &items {
                let pair = super::items(world, item).await?;
                entries.push((
                    pair.first().cloned().unwrap_or(Value::Nil),
                    pair.get(1).cloned().unwrap_or(Value::Nil),
                ));
            }
            Value::map(entries)
        }
        _ => return Err(missing(&Value::list(items), name)),
    })
}

/// A method that yields each item to the block; none if it is not one of these.
async fn go_through(
    world: &Arc<World>,
    items: &[Value],
    name: &str,
    args: &Args,
    block: &Callable,
) -> Ran<Option<Value>> {
    if let ("inject" | "reduce", start) = (name, args.all.first()) {
        let mut items = items.iter().cloned();
        let mut sum = start
            .cloned()
            .or_else(|| items.next())
            .unwrap_or(Value::Nil);
        for item in items {
            sum = world.yield_to(block, vec![sum, item]).await?;
        }
        return Ok(Some(sum));
    }
    if !matches!(
        name,
        "each"
            | "map"
            | "collect"
            | "flat_map"
            | "select"
            | "filter"
            | "reject"
            | "find"
            | "detect"
            | "any?"
            | "all?"
            | "none?"
            | "one?"
            | "many?"
            | "count"
            | "sum"
            | "sort_by"
            | "min_by"
            | "max_by"
            | "group_by"
            | "index_by"
            | "uniq"
            | "filter_map"
            | "partition"
            | "take_while"
            | "drop_while"
            | "find_index"
            | "index"
            | "each_with_index"
            | "each_with_object"
            | "to_h"
    ) {
        return Ok(None);
    }
    let mut given = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let yielded = match name {
            "each_with_index" => vec![item.clone(), Value::count(at)],
            "each_with_object" => vec![item.clone(), args.at(0)],
            _ => vec![item.clone()],
        };
        let value = world.yield_to(block, yielded).await?;
        match name {
            // These stop at the first.
            "find" | "detect" if value.is_true() => return Ok(Some(item.clone())),
            "any?" if value.is_true() => return Ok(Some(Value::Bool(true))),
            "all?" if !value.is_true() => return Ok(Some(Value::Bool(false))),
            "none?" if value.is_true() => return Ok(Some(Value::Bool(false))),
            "find_index" | "index" if value.is_true() => return Ok(Some(Value::count(at))),
            _ => given.push(value),
        }
    }
    let pairs = || given.iter().zip(items);
    let kept = |wanted: bool| {
        pairs()
            .filter(move |(value, _)| value.is_true() == wanted)
            .map(|(_, item)| item.clone())
    };
    Ok(Some(match name {
        "each" | "each_with_index" => Value::list(items.to_vec()),
        "each_with_object" => args.at(0),
        "map" | "collect" => Value::list(given),
        "flat_map" => {
            let mut all = Vec::new();
            for value in given {
                match value {
                    Value::List(list) => all.extend(list.items()),
                    Value::Collection(_) | Value::Query(_) => {
                        all.extend(super::items(world, &value).await?)
                    }
                    one => all.push(one),
                }
            }
            Value::list(all)
        }
        "select" | "filter" => Value::list(kept(true)),
        "reject" => Value::list(kept(false)),
        "take_while" | "drop_while" => {
            let holds = given.iter().take_while(|value| value.is_true()).count();
            match name {
                "take_while" => Value::list(items[..holds].to_vec()),
                _ => Value::list(items[holds..].to_vec()),
            }
        }
        "filter_map" => Value::list(given.into_iter().filter(Value::is_true)),
        "partition" => Value::list([Value::list(kept(true)), Value::list(kept(false))]),
        "find" | "detect" | "find_index" | "index" => Value::Nil,
        "any?" => Value::Bool(false),
        "all?" | "none?" => Value::Bool(true),
        "one?" => Value::Bool(kept(true).count() == 1),
        "many?" => Value::Bool(kept(true).count() > 1),
        "count" => Value::count(kept(true).count()),
        "sum" => sum(&given)?,
        "sort_by" => Value::list(sorted(
            pairs()
                .map(|(key, item)| (key.clone(), item.clone()))
                .collect(),
        )),
        "min_by" => sorted(
            pairs()
                .map(|(key, item)| (key.clone(), item.clone()))
                .collect(),
        )
        .into_iter()
        .next()
        .unwrap_or(Value::Nil),
        "max_by" => sorted(
            pairs()
                .map(|(key, item)| (key.clone(), item.clone()))
                .collect(),
        )
        .pop()
        .unwrap_or(Value::Nil),
        "index_by" => Value::map(pairs().map(|(key, item)| (key.clone(), item.clone()))),
        "group_by" => {
            let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
            for (key, item) in pairs() {
                match groups.iter_mut().find(|(known, _)| equal(known, key)) {
                    Some((_, group)) => group.push(item.clone()),
                    None => groups.push((key.clone(), vec![item.clone()])),
                }
            }
            Value::map(
                groups
                    .into_iter()
                    .map(|(key, group)| (key, Value::list(group))),
            )
        }
        "uniq" => {
            let mut seen: Vec<&Value> = Vec::new();
            let mut all = Vec::new();
            for (key, item) in pairs() {
                if !seen.iter().any(|known| equal(known, key)) {
                    seen.push(key);
                    all.push(item.clone());
                }
            }
            Value::list(all)
        }
        "to_h" => {
            let mut entries = Vec::new();
            for value in &given {
                let pair = super::items(world, value).await?;
                entries.push((
                    pair.first().cloned().unwrap_or(Value::Nil),
                    pair.get(1).cloned().unwrap_or(Value::Nil),
                ));
            }
            Value::map(entries)
        }
        _ => return Ok(None),
    }))
}

fn flat(items: Vec<Value>) -> Vec<Value> {
    items
        .into_iter()
        .flat_map(|item| match item {
            Value::List(list) => flat(list.items()),
            one => vec![one],
        })
        .collect()
}

fn unique(items: Vec<Value>) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for item in items {
        if !all.iter().any(|known| equal(known, &item)) {
            all.push(item);
        }
    }
    all
}

fn sum(items: &[Value]) -> Ran<Value> {
    items
        .iter()
        .try_fold(Value::Int(0), |sum, item| match (&sum, item) {
            (Value::Int(a), Value::Int(b)) => Ok(Value::Int(a.wrapping_add(*b))),
            _ => Err(Stop::raised("TypeError", "these cannot be added")),
        })
}

/// The items in the order of their keys: numbers, texts, or lists of these.
fn sorted(mut pairs: Vec<(Value, Value)>) -> Vec<Value> {
    pairs.sort_by(|(one, _), (other, _)| compare(one, other));
    pairs.into_iter().map(|(_, item)| item).collect()
}

fn compare(one: &Value, other: &Value) -> std::cmp::Ordering {
    match (one, other) {
        (Value::Int(a), Value::Int(b)) | (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.total_cmp(b),
        (Value::List(a), Value::List(b)) => {
            let (a, b) = (a.items(), b.items());
            a.iter()
                .zip(&b)
                .map(|(a, b)| compare(a, b))
                .find(|order| order.is_ne())
                .unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        _ => one.as_text().cmp(&other.as_text()),
    }
}
