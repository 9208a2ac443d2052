//! Giving a record values: attributes, and the targets of its associations.
//!
//! Invariant: an attribute map does what its setters would do one by one, in the order of the map.

use std::sync::Arc;

use relata::attribute::Kind;
use relata::reflection::Macro;
use relata::{Association, Record};

use crate::eval::Args;
use crate::stop::{Raised, Ran, Stop};
use crate::value::Value;
use crate::world::World;

/// Sets what a map names.
pub(super) async fn assign(
    world: &Arc<World>,
    record: &Record,
    entries: &[(Value, Value)],
) -> Ran<()> {
    let receiver = Value::Record(record.clone());
    for (key, value) in entries {
        let key = key.to_text();
        let setter = format!("{key}=");
        if !super::generated::answers(world, &receiver, &setter) {
            return Err(Stop::Raised(Raised {
                class: "ActiveModel::UnknownAttributeError".to_owned(),
                message: format!(
                    "unknown attribute '{key}' for {}.",
                    record.reflection().name()
                ),
                record: Some(record.clone()),
            }));
        }
        world
            .send(&receiver, &setter, Args::of(vec![value.clone()]))
            .await?;
    }
    Ok(())
}

/// What Rails makes of a value that is set: text for a number is the number that it begins with.
fn cast(record: &Record, name: &str, value: &Value) -> Value {
    let model = record.reflection();
    let column = model
        .column_position(name)
        .and_then(|at| model.columns().get(at));
    let Some(ty) = column.map(|column| column.attribute_type()) else {
        return value.clone();
    };
    match (ty.kind, value) {
        (Kind::Int, Value::Text(text)) if ty.labels().is_empty() => match text.trim() {
            "" => Value::Nil,
            digits => Value::Int(super::core::leading(digits)),
        },
        (Kind::Int, Value::Bool(value)) => Value::Int(i64::from(*value)),
        (Kind::Int, Value::Float(value)) => {
            Value::Int(super::core::leading(&value.trunc().to_string()))
        }
        (Kind::Bool, Value::Text(text) | Value::Name(text)) if text.is_empty() => Value::Nil,
        (Kind::Bool, Value::Text(text) | Value::Name(text)) => {
            let off = ["0", "f", "F", "false", "FALSE", "off", "OFF"];
            Value::Bool(!off.contains(&&**text))
        }
        (Kind::Bool, Value::Int(value)) => Value::Bool(*value != 0),
        (Kind::Text, Value::Int(_) | Value::Float(_)) if ty.labels().is_empty() => {
            Value::text(&value.to_text())
        }
        (Kind::Text, Value::Bool(value)) => Value::text(if *value { "t" } else { "f" }),
        _ => value.clone(),
    }
}

/// Sets one attribute.
pub(super) fn attribute(record: &Record, name: &str, value: &Value) -> Ran<()> {
    let value = &cast(record, name, value);
    let Some(value) = value.to_attribute() else {
        return Err(Stop::raised(
            "TypeError",
            format!("can't cast {}", crate::value::kind(value)),
        ));
    };
    record.set(name, value)?;
    Ok(())
}

/// Sets the target, or the members, of an association. What Rails saves at once is saved at once.
pub(super) async fn association(
    world: &Arc<World>,
    association: &Association,
    value: &Value,
) -> Ran<()> {
    let target = match value {
        Value::Nil => None,
        Value::Record(target) => Some(target),
        value if association.reflection().is_collection() => {
            let members = records(world, association, value).await?;
            return Ok(association.replace_many(members).await?);
        }
        value => return Err(mismatch(association, value)),
    };
    match association.reflection().macro_kind() {
        _ if association.reflection().is_collection() => Err(mismatch(association, value)),
        Macro::HasOne if association.owner().is_persisted() => {
            Ok(association.replace_one(target).await?)
        }
        _ => Ok(association.set_target(target)?),
    }
}

/// The records that a value is, for a collection.
pub(super) async fn records(
    world: &Arc<World>,
    association: &Association,
    value: &Value,
) -> Ran<Vec<Record>> {
    let mut records = Vec::new();
    for item in super::items(world, value).await? {
        match item {
            Value::Record(record) => records.push(record),
            Value::List(list) => {
                let list = Value::List(list);
                records.extend(Box::pin(self::records(world, association, &list)).await?);
            }
            other => return Err(mismatch(association, &other)),
        }
    }
    Ok(records)
}

fn mismatch(association: &Association, value: &Value) -> Stop {
    let wanted = association.resolved().target.name();
    Stop::raised(
        "ActiveRecord::AssociationTypeMismatch",
        format!("{wanted} expected, got {}", crate::value::inspect(value)),
    )
}
