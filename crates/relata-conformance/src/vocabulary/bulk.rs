//! Rows that are written without records: `insert`, `insert_all`, `upsert_all`.
//!
//! Invariant: what they give is the rows' keys, a map each, as far as rows were written.

use relata::reflection::ModelReflection;
use relata::{Record, Relation};

use super::assign;
use crate::eval::Args;
use crate::stop::{Ran, Stop};
use crate::value::Value;
use crate::world::World;

/// The names of these methods.
pub(super) const METHODS: &[&str] = &[
    "insert",
    "insert!",
    "insert_all",
    "insert_all!",
    "upsert",
    "upsert_all",
];

pub(super) async fn call(
    world: &World,
    model: &'static ModelReflection,
    name: &str,
    args: &Args,
) -> Ran<Value> {
    let given = match args.all.first() {
        Some(Value::List(list)) => list.items(),
        Some(one) => vec![one.clone()],
        None => return Err(Stop::argument("wrong number of arguments")),
    };
    let mut rows = Vec::with_capacity(given.len());
    for row in given {
        let Value::Map(entries) = &row else {
            return Err(Stop::argument("rows are given as maps"));
        };
        let record = Record::new(model, &world.db);
        for (column, value) in entries.iter() {
            assign::attribute(&record, &column.to_text(), value)?;
        }
        rows.push(record);
    }
    let all: Relation = Relation::of(model, &world.db);
    let mut insert = match name {
        "upsert" | "upsert_all" => all.upsert_records(rows),
        "insert" | "insert_all" => all.insert_records(rows).skip_duplicates(),
        _ => all.insert_records(rows),
    };
    for (option, value) in args.options.iter().flatten() {
        let names: Vec<String> = match value {
            Value::List(list) => list.items().iter().map(Value::to_text).collect(),
            one => vec![one.to_text()],
        };
        let names = names.iter().map(String::as_str);
        insert = match option.as_text() {
            Some("unique_by") => insert.unique_by_named(names),
            Some("update_only") => insert.update_only_named(names),
            other => {
                let option = other.unwrap_or_default();
                return Err(Stop::unsupported(format!("{name} with {option}")));
            }
        };
    }
    let keys: Vec<&'static str> = model.primary_key_names().collect();
    let written = insert.returning_named(keys.iter().copied()).await?;
    let row = |values: Vec<relata::Value<'static>>| {
        let values = values.iter().map(Value::of_attribute);
        Value::map(keys.iter().map(|key| Value::text(key)).zip(values))
    };
    Ok(Value::list(written.into_iter().map(row)))
}
