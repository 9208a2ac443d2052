//! What every value answers: identity, equality, class.

use std::sync::Arc;

use crate::eval::Args;
use crate::stop::Ran;
use crate::value::{Class, Value, equal, inspect, same};
use crate::world::World;

/// The method, if it is one of every value.
pub(super) async fn call(
    world: &Arc<World>,
    receiver: &Value,
    name: &str,
    args: &Args,
) -> Option<Ran<Value>> {
    let value = match (name, args.all.as_slice()) {
        ("equal?", [other]) => Value::Bool(same(receiver, other)),
        ("object_id" | "__id__", []) => Value::Int(world.identity(receiver)),
        ("==" | "eql?", [other]) => {
            return Some(equality(world, receiver, other).await.map(Value::Bool));
        }
        ("!=", [other]) => {
            return Some(
                equality(world, receiver, other)
                    .await
                    .map(|equal| Value::Bool(!equal)),
            );
        }
        ("nil?", []) => Value::Bool(matches!(receiver, Value::Nil)),
        ("itself", []) => receiver.clone(),
        ("tap", []) => {
            let block = args.block.as_ref()?;
            let told = world.yield_to(block, vec![receiver.clone()]).await;
            return Some(told.map(|_| receiver.clone()));
        }
        ("present?", []) if !goes_through(receiver) => Value::Bool(!is_blank(receiver)),
        ("blank?", []) if !goes_through(receiver) => Value::Bool(is_blank(receiver)),
        ("is_a?" | "kind_of?" | "instance_of?", [Value::Class(of)]) => {
            Value::Bool(matches!(class(receiver)?, Value::Class(own) if own == *of))
        }
        ("try", [method, rest @ ..]) => {
            if matches!(receiver, Value::Nil) {
                return Some(Ok(Value::Nil));
            }
            let args = Args {
                block: args.block.clone(),
                ..Args::of(rest.to_vec())
            };
            return Some(world.send(receiver, &method.to_text(), args).await);
        }
        ("inspect", []) => Value::text(&inspect(receiver)),
        ("class", []) => class(receiver)?,
        ("frozen?", []) => match receiver {
            // A destroyed record's attributes cannot be set any more.
            Value::Record(record) => Value::Bool(record.is_destroyed()),
            _ => return None,
        },
        ("respond_to?", [method, ..]) => {
            let method = method.as_text().unwrap_or_default();
            Value::Bool(super::generated::answers(world, receiver, method))
        }
        _ => return None,
    };
    Some(Ok(value))
}

/// `==`: a collection or relation equals the list of its records.
async fn equality(world: &Arc<World>, one: &Value, other: &Value) -> Ran<bool> {
    let loads = |value: &Value| matches!(value, Value::Collection(_) | Value::Query(_));
    if (loads(one) || loads(other)) && !same(one, other) {
        let (one, other) = (
            super::items(world, one).await?,
            super::items(world, other).await?,
        );
        return Ok(equal(&Value::list(one), &Value::list(other)));
    }
    Ok(equal(one, other))
}

/// Whether being blank is a matter of what it holds.
fn goes_through(receiver: &Value) -> bool {
    matches!(
        receiver,
        Value::List(_) | Value::Map(_) | Value::Collection(_) | Value::Query(_) | Value::Errors(_)
    )
}

fn is_blank(receiver: &Value) -> bool {
    match receiver {
        Value::Nil | Value::Bool(false) => true,
        Value::Text(text) => text.trim().is_empty(),
        _ => false,
    }
}

fn class(receiver: &Value) -> Option<Value> {
    let foreign = |name: &str| Some(Value::Class(Class::Foreign(name.into())));
    match receiver {
        Value::Nil => foreign("NilClass"),
        Value::Record(record) => Some(Value::Class(Class::Model(
            record.reflection().name().into(),
        ))),
        Value::List(_) => foreign("Array"),
        Value::Map(_) => foreign("Hash"),
        Value::Text(_) => foreign("String"),
        Value::Name(_) => foreign("Symbol"),
        Value::Int(_) => foreign("Integer"),
        Value::Float(_) => foreign("Float"),
        Value::Bool(true) => foreign("TrueClass"),
        Value::Bool(false) => foreign("FalseClass"),
        _ => None,
    }
}
