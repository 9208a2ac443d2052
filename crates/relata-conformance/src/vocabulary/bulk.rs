//! Rows that are written without records: `insert`, `insert_all`, `upsert_all`.
//!
//! Invariant: what they give is the rows' keys, a map each, as far as rows were written.

use relata::reflection::ModelReflection;
use relata::{Record, Relation};

use super::assign;
use crate::eval::Args;
use crate::query::Query;
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

/// `update_all`.
pub(super) async fn update_all(query: &Query, args: &Args) -> Ran<Value> {
    let rows = updated(query, args).await?;
    Ok(Value::Int(i64::try_from(rows).unwrap_or(i64::MAX)))
}

/// The number of rows that `update_all` writes: of values by name, or of SQL that sets columns to values, or adds to them.
pub(super) async fn updated(query: &Query, args: &Args) -> Ran<u64> {
    let mut values: Vec<(String, relata::Value<'static>)> = Vec::new();
    let mut added: Vec<(String, i64)> = Vec::new();
    match args.all.as_slice() {
        [Value::Text(sql)] => of_sql(sql, &[], &mut values, &mut added)?,
        [Value::List(list)] => {
            let all = list.items();
            let sql = all.first().map(Value::to_text).unwrap_or_default();
            of_sql(
                &sql,
                all.get(1..).unwrap_or_default(),
                &mut values,
                &mut added,
            )?;
        }
        _ => {
            for (name, value) in &args.entries() {
                let value = value
                    .to_attribute()
                    .ok_or_else(|| Stop::unsupported("update_all with a value that is computed"))?;
                values.push((name.to_text(), value));
            }
        }
    }
    let values: Vec<_> = values
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    match (values.is_empty(), added.is_empty()) {
        (_, true) => Ok(query.relation.update_all_by(values).await?),
        (true, false) => {
            let added = added.iter().map(|(name, by)| (name.as_str(), *by));
            Ok(query.relation.update_counters(added, false).await?)
        }
        _ => Err(Stop::unsupported("update_all that sets and adds")),
    }
}

/// `n = n + 1, title = 'x'`.
fn of_sql(
    sql: &str,
    binds: &[Value],
    values: &mut Vec<(String, relata::Value<'static>)>,
    added: &mut Vec<(String, i64)>,
) -> Ran<()> {
    let lacking = || Stop::unsupported(format!("update_all with the SQL {sql}"));
    let mut binds = binds.iter();
    for part in sql.split(',') {
        let (name, value) = part.split_once('=').ok_or_else(lacking)?;
        let name = name.trim().trim_matches('"').to_owned();
        let value = value.trim();
        let by = |sign: i64, by: &str| Some(sign * by.trim().parse::<i64>().ok()?);
        if value == "?" {
            let bound = binds.next().and_then(Value::to_attribute);
            values.push((name, bound.ok_or_else(lacking)?));
        } else if let Some(text) = value.strip_prefix('\'') {
            let text = text.trim_end_matches('\'').to_owned();
            values.push((name, relata::Value::Text(text.into())));
        } else if value.eq_ignore_ascii_case("null") {
            values.push((name, relata::Value::Null));
        } else if let Ok(number) = value.parse::<i64>() {
            values.push((name, relata::Value::Int(number)));
        } else if let Some((of, more)) = value.split_once('+')
            && of.trim() == name
        {
            added.push((name, by(1, more).ok_or_else(lacking)?));
        } else if let Some((of, less)) = value.split_once('-')
            && of.trim() == name
        {
            added.push((name, by(-1, less).ok_or_else(lacking)?));
        } else {
            return Err(lacking());
        }
    }
    Ok(())
}
