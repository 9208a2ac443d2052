//! A value as a transcript describes it. Section 7 of the format.
//!
//! Invariant: describing a value asks the database nothing and changes nothing.

use relata::reflection::{Macro, ModelReflection};
use relata::{Association, Record};
use serde_json::{Map, Value as Json, json};

use crate::clock;
use crate::stop::Ran;
use crate::value::{Class, Value};
use crate::world::World;

/// The key under which a description holds all the variables that hold the object. A transcript names one of them.
pub const HOLDERS: &str = "held by";

/// Describes a value.
///
/// # Errors
/// What reading an attribute raises.
pub fn describe(world: &World, value: &Value) -> Ran<Json> {
    Ok(match value {
        Value::Nil => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Float(value) => json!(value),
        Value::Text(text) | Value::Name(text) => json!(crate::vocabulary::masked(text)),
        Value::Time(micros) => json!(clock::format(*micros)),
        Value::List(list) => describe_all(world, &list.items())?,
        Value::Map(map) => {
            let mut entries = Map::new();
            for (key, value) in map.iter() {
                let key = match key {
                    Value::Record(record) => label(record),
                    key => key.to_text(),
                };
                entries.insert(key, describe(world, value)?);
            }
            Json::Object(entries)
        }
        Value::Record(record) => describe_record(world, record, world.holders(record))?,
        Value::Twin(twin) => describe_record(world, twin, world.holders_of_twin(twin))?,
        Value::Collection(association) => describe_collection(world, association)?,
        Value::Query(query) => json!({
            "relation": query.model().name(),
            "loaded": query.loaded().is_some(),
            "to_sql": query.relation.to_sql(),
        }),
        Value::Reflection(one) => {
            let kind = one.declaration.macro_kind();
            let class = match kind {
                Macro::HasAndBelongsToMany => "HasAndBelongsToManyReflection",
                _ if one.declaration.through().is_some() => "ThroughReflection",
                Macro::BelongsTo => "BelongsToReflection",
                Macro::HasOne => "HasOneReflection",
                Macro::HasMany => "HasManyReflection",
                _ => "AssociationReflection",
            };
            json!({ "reflection": one.declaration.name(), "class": class, "macro": kind.name() })
        }
        Value::Class(Class::Foreign(name)) if matches!(&**name, "NilClass" | "Array" | "Hash") => {
            json!(**name)
        }
        Value::Class(class) => json!({ "class": class.name() }),
        Value::Wildcard => json!({ "ruby_only": true }),
        other => json!(crate::value::inspect(other)),
    })
}

fn describe_all(world: &World, items: &[Value]) -> Ran<Json> {
    items
        .iter()
        .map(|item| describe(world, item))
        .collect::<Ran<Vec<_>>>()
        .map(Json::Array)
}

/// `Post#1(a)`: the class, the key, and the first of a few attributes that the record has.
#[must_use]
pub fn label(record: &Record) -> String {
    let model = record.reflection();
    let mut text = format!("{}#{}", model.name(), key(record, model));
    let shown = ["name", "title", "label", "body"]
        .iter()
        .filter(|name| model.column_position(name).is_some())
        .filter_map(|name| record.get(name).ok())
        .find(|value| !value.is_null());
    if let Some(value) = shown {
        text.push_str(&format!("({})", Value::of_attribute(&value).to_text()));
    }
    text
}

fn key(record: &Record, model: &'static ModelReflection) -> String {
    if record.is_new_record() {
        return "new".to_owned();
    }
    let names: Vec<&str> = model.primary_key_names().collect();
    let part = |name: &&str| {
        record.get(name).map_or_else(
            |_| "?".to_owned(),
            |value| crate::value::inspect(&Value::of_attribute(&value)),
        )
    };
    match names.as_slice() {
        [] => "no-pk".to_owned(),
        [one] => part(one),
        many => format!("[{}]", many.iter().map(part).collect::<Vec<_>>().join(", ")),
    }
}

fn describe_record(world: &World, record: &Record, holders: Vec<String>) -> Ran<Json> {
    let mut entries = Map::new();
    entries.insert("record".to_owned(), json!(label(record)));
    entries.insert(HOLDERS.to_owned(), json!(holders));
    let state = if record.is_new_record() {
        "new"
    } else if record.is_destroyed() {
        "destroyed"
    } else {
        "persisted"
    };
    entries.insert("state".to_owned(), json!(state));
    let mut attributes = Map::new();
    for column in record.reflection().columns() {
        match record.get(column.name()) {
            Ok(_) if crate::vocabulary::is_digest_to_come(record, column.name()) => {
                let digest = json!(crate::vocabulary::DIGEST);
                attributes.insert(column.name().to_owned(), digest);
            }
            Ok(value) => {
                let value = describe(world, &Value::of_attribute(&value))?;
                attributes.insert(column.name().to_owned(), value);
            }
            // Only the loaded columns are shown.
            Err(error) if error.kind() == relata::ErrorKind::MissingAttribute => {}
            Err(error) => return Err(error.into()),
        }
    }
    entries.insert("attributes".to_owned(), Json::Object(attributes));
    let changed = record.changed();
    if record.is_persisted() && !changed.is_empty() {
        entries.insert("unsaved_changes".to_owned(), json!(changed));
    }
    let errors = record.errors();
    if !errors.is_empty() {
        entries.insert("errors".to_owned(), json!(errors.full_messages()));
    }
    if record.is_readonly() {
        entries.insert("readonly".to_owned(), json!(true));
    }
    if record.is_marked_for_destruction() {
        entries.insert("marked_for_destruction".to_owned(), json!(true));
    }
    Ok(Json::Object(entries))
}

fn describe_collection(world: &World, association: &Association) -> Ran<Json> {
    let members: Vec<Value> = association
        .target()
        .into_iter()
        .map(Value::Record)
        .collect();
    Ok(json!({
        "collection": association.reflection().name(),
        "owner": label(association.owner()),
        "loaded": association.is_loaded(),
        "in_memory": describe_all(world, &members)?,
    }))
}
