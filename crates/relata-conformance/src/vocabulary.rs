//! The methods that the values of a scenario have, by kind of receiver.
//!
//! Invariant: each method is a call into relata's erased layer, or, for lists, maps, text and numbers, what every
//! language has; nothing here knows a scenario.

mod assign;
mod batches;
mod bulk;
mod class;
mod collection;
mod conditions;
mod core;
mod delegated;
mod enumerable;
mod generated;
mod making;
mod maps;
mod object;
mod parts;
mod password;
mod query;
mod record;
mod refine;
mod reflection;

use std::sync::Arc;

pub use batches::Batched;
pub use generated::generated;
pub use password::{DIGEST, is_digest_to_come, masked};

use relata::Record;

use crate::eval::Args;
use crate::stop::{Ran, Stop};
use crate::value::{Value, kind};
use crate::world::World;

/// Calls a method.
///
/// # Errors
/// What the method raises; `NoMethod` when the receiver has none of that name.
pub async fn call(world: &Arc<World>, receiver: &Value, name: &str, args: Args) -> Ran<Value> {
    if let Value::Twin(twin) = receiver
        && !matches!(
            name,
            "equal?" | "object_id" | "__id__" | "==" | "eql?" | "!="
        )
    {
        let record = Value::Record(Record::clone(twin));
        let value = Box::pin(call(world, &record, name, args)).await?;
        // What gives itself gives the twin.
        return Ok(match &value {
            Value::Record(given) if given.is(&**twin) => receiver.clone(),
            _ => value,
        });
    }
    if let Some(done) = object::call(world, receiver, name, &args).await {
        return done;
    }
    let args = args.without_twins();
    match receiver {
        Value::Record(record) => record::call(world, record, name, args).await,
        Value::Collection(association) => collection::call(world, association, name, args).await,
        Value::Query(query) => query::call(world, query, name, args).await,
        Value::Batched(batched) => batches::batched(world, batched, name, &args).await,
        Value::WhereChain(query) => conditions::chain(query, name, &args),
        Value::Class(class) => class::call(world, class, name, args).await,
        Value::Reflection(one) => reflection::call(world, one, name, &args).await,
        Value::Association(association) => parts::association(association, name, &args),
        Value::Errors(record) => parts::errors(record, name, &args),
        Value::Preloader(preloader) => parts::preloader(preloader, name).await,
        Value::List(list) => enumerable::list(world, list, name, &args).await,
        Value::Map(map) => maps::map(world, map, name, &args).await,
        Value::Callable(block) if matches!(name, "call" | "()" | "yield") => {
            world.yield_to(block, args.with_map()).await
        }
        Value::Range(_) => {
            let items = items(world, receiver).await?;
            enumerable::call(world, items, name, &args).await
        }
        other => core::call(world, other, name, &args).await,
    }
}

/// There is no such method.
fn missing(receiver: &Value, name: &str) -> Stop {
    let whose = match receiver {
        Value::Record(record) => record.reflection().name(),
        other => kind(other),
    };
    Stop::NoMethod(format!(
        "the {} method `{name}` (on {whose})",
        kind(receiver)
    ))
}

/// The items of what can be gone through: a list, a collection or relation (which are loaded), a range, a map.
///
/// # Errors
/// What loading raises; a value that has no items is one item.
pub async fn items(world: &Arc<World>, value: &Value) -> Ran<Vec<Value>> {
    Ok(match value {
        Value::List(list) => list.items(),
        Value::Collection(association) => {
            let members = association.load_many().await?;
            members.into_iter().map(Value::Record).collect()
        }
        Value::Query(query) => {
            let records = query.records().await?;
            records.into_iter().map(Value::Record).collect()
        }
        Value::Map(map) => map
            .iter()
            .map(|(key, value)| Value::list([key.clone(), value.clone()]))
            .collect(),
        Value::Range(range) => match (&range.0, &range.1, range.2) {
            (Value::Int(from), Value::Int(to), true) => (*from..*to).map(Value::Int).collect(),
            (Value::Int(from), Value::Int(to), false) => (*from..=*to).map(Value::Int).collect(),
            _ => return Err(Stop::raised("TypeError", "can't iterate from this range")),
        },
        Value::Nil => Vec::new(),
        other => {
            let _ = world;
            vec![other.clone()]
        }
    })
}

/// The helpers of the language: calls without receiver.
///
/// # Errors
/// `Unsupported` for a helper that belongs to something relata does not have.
pub async fn helper(world: &Arc<World>, name: &str, args: &Args) -> Ran<Value> {
    match (name, args.all.as_slice()) {
        ("tick", []) => Ok(Value::Int(world.tick(60))),
        ("tick", [Value::Int(seconds)]) => Ok(Value::Int(world.tick(*seconds))),
        ("log_lines", []) => Ok(Value::list(
            world.log_lines().iter().map(|line| Value::text(line)),
        )),
        ("log", [line]) => {
            world.write_log(line.to_text());
            Ok(Value::Nil)
        }
        ("jobs", []) => Ok(crate::jobs::shown(world)),
        ("run_jobs", []) => crate::jobs::run(world).await,
        _ => Err(Stop::unsupported(format!("the helper {name}"))),
    }
}
