//! Giving a record values: attributes, and the targets of its associations.
//!
//! Invariant: an attribute map does what its setters would do one by one, in the order of the map.

use std::sync::Arc;

use relata::reflection::Macro;
use relata::{Association, Record};

use crate::eval::Args;
use crate::stop::{Ran, Stop};
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
            return Err(Stop::raised(
                "ActiveModel::UnknownAttributeError",
                format!(
                    "unknown attribute '{key}' for {}.",
                    record.reflection().name()
                ),
            ));
        }
        world
            .send(&receiver, &setter, Args::of(vec![value.clone()]))
            .await?;
    }
    Ok(())
}

/// Sets one attribute.
pub(super) fn attribute(record: &Record, name: &str, value: &Value) -> Ran<()> {
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
