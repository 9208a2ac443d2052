//! The methods of maps.

use std::sync::Arc;

use super::missing;
use crate::eval::Args;
use crate::stop::{Ran, Stop};
use crate::value::{Map, Value, equal};
use crate::world::World;

pub(super) async fn map(world: &Arc<World>, map: &Arc<Map>, name: &str, args: &Args) -> Ran<Value> {
    let found = |key: &Value| {
        map.iter()
            .find(|(known, _)| equal(known, key))
            .map(|(_, value)| value.clone())
    };
    // The map of a `reject_if` may be asked with strings for what was given as symbols.
    let by_text = |key: &Value| {
        let text = key.as_text()?;
        map.iter()
            .find(|(known, _)| known.as_text() == Some(text))
            .map(|(_, value)| value.clone())
    };
    Ok(match (name, args.all.as_slice()) {
        ("[]" | "dig", [key]) => found(key).or_else(|| by_text(key)).unwrap_or(Value::Nil),
        ("fetch", [key]) => found(key).ok_or_else(|| Stop::raised("KeyError", "key not found"))?,
        ("fetch", [key, other]) => found(key).unwrap_or_else(|| other.clone()),
        ("key?" | "has_key?" | "include?", [key]) => Value::Bool(found(key).is_some()),
        ("keys", []) => Value::list(map.iter().map(|(key, _)| key.clone())),
        ("values", []) => Value::list(map.iter().map(|(_, value)| value.clone())),
        ("size" | "length" | "count", []) => Value::count(map.len()),
        ("empty?", []) => Value::Bool(map.is_empty()),
        ("to_h", []) if args.block.is_none() => Value::Map(Arc::clone(map)),
        ("transform_keys" | "transform_values", []) => {
            let Some(block) = &args.block else {
                return Err(missing(&Value::Map(Arc::clone(map)), name));
            };
            let mut entries = Vec::new();
            for (key, value) in map.iter() {
                entries.push(if name == "transform_keys" {
                    (
                        world.yield_to(block, vec![key.clone()]).await?,
                        value.clone(),
                    )
                } else {
                    (
                        key.clone(),
                        world.yield_to(block, vec![value.clone()]).await?,
                    )
                });
            }
            Value::map(entries)
        }
        ("select" | "filter" | "reject", []) if args.block.is_some() => {
            let mut entries = Vec::new();
            for (key, value) in map.iter() {
                let Some(block) = &args.block else { continue };
                let yielded = vec![key.clone(), value.clone()];
                if world.yield_to(block, yielded).await?.is_true() != (name == "reject") {
                    entries.push((key.clone(), value.clone()));
                }
            }
            Value::map(entries)
        }
        ("merge", _) => {
            let mut entries = map.to_vec();
            for (key, value) in args.entries() {
                entries.retain(|(known, _)| !equal(known, &key));
                entries.push((key, value));
            }
            Value::map(entries)
        }
        ("except", keys) => Value::map(
            map.iter()
                .filter(|(key, _)| !keys.iter().any(|known| equal(known, key)))
                .cloned(),
        ),
        ("slice", keys) => Value::map(
            map.iter()
                .filter(|(key, _)| keys.iter().any(|known| equal(known, key)))
                .cloned(),
        ),
        _ => {
            let items = super::items(world, &Value::Map(Arc::clone(map))).await?;
            super::enumerable::call(world, items, name, args).await?
        }
    })
}
