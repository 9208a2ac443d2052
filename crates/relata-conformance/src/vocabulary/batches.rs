//! Batches of a relation: for a block, or, without one, as an object that has methods of its own.
//!
//! Invariant: a batch that is yielded as a relation is that of the keys of its rows.

use std::sync::Arc;

use relata::Record;

use super::bulk;
use crate::eval::Args;
use crate::query::Query;
use crate::stop::{Ran, Stop};
use crate::value::Value;
use crate::world::World;

/// A relation that is gone through in batches.
#[derive(Debug)]
pub struct Batched {
    query: Query,
    size: u64,
    backwards: bool,
}

impl Batched {
    fn of(query: &Query, args: &Args) -> Ran<Self> {
        let size = match args.option("of").or_else(|| args.option("batch_size")) {
            Some(Value::Int(size)) => size.unsigned_abs(),
            _ => 1_000,
        };
        let mut query = query.clone();
        let backwards = args
            .option("order")
            .is_some_and(|order| order.to_text() == "desc");
        for (option, operator) in [("start", ">="), ("finish", "<=")] {
            let operator = match (operator, backwards) {
                (">=", true) => "<=",
                ("<=", true) => ">=",
                (operator, _) => operator,
            };
            let Some(bound) = args
                .option(option)
                .filter(|bound| !matches!(bound, Value::Nil))
            else {
                continue;
            };
            let value = bound
                .to_attribute()
                .ok_or_else(|| Stop::unsupported("batches of a composite key"))?;
            let relation = query.relation.clone();
            query = query.with(relation.filter_op(key_name(&query)?, operator, value)?);
        }
        Ok(Self {
            query,
            size,
            backwards,
        })
    }

    /// The batches: one query each.
    async fn all(&self) -> Ran<Vec<Vec<Record>>> {
        let mut all = Vec::new();
        if !self.backwards {
            let mut batches = self.query.relation.in_batches(self.size);
            while let Some(records) = batches.next().await? {
                all.push(records);
            }
            return Ok(all);
        }
        let name = key_name(&self.query)?;
        let order = format!("{name} desc");
        let mut left = self.query.relation.clone().reorder_by(&order)?;
        loop {
            let records = left.clone().limit(self.size).load().await?;
            let Some(last) = records.last() else {
                return Ok(all);
            };
            left = left.filter_op(name, "<", last.get(name)?.into_owned())?;
            let is_last = (records.len() as u64) < self.size;
            all.push(records);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// The rows of each batch, as relations.
    async fn relations(&self) -> Ran<Vec<Query>> {
        let all = self.all().await?;
        all.iter().map(|one| in_batch(&self.query, one)).collect()
    }
}

/// `in_batches`, `find_each` and `find_in_batches`.
pub(super) async fn call(world: &Arc<World>, query: &Query, name: &str, args: &Args) -> Ran<Value> {
    let batched = Batched::of(query, args)?;
    let loads = args.option("load").is_some_and(|load| load.is_true());
    let Some(block) = &args.block else {
        return Ok(match name {
            "in_batches" => Value::Batched(Arc::new(batched)),
            "find_each" => Value::records(batched.all().await?.concat()),
            _ => Value::list(batched.all().await?.into_iter().map(Value::records)),
        });
    };
    match name {
        "in_batches" if !loads => {
            for rows in batched.relations().await? {
                world.yield_to(block, vec![Value::query(rows)]).await?;
            }
        }
        "find_each" => {
            for record in batched.all().await?.concat() {
                world.yield_to(block, vec![Value::Record(record)]).await?;
            }
        }
        _ => {
            for records in batched.all().await? {
                world.yield_to(block, vec![Value::records(records)]).await?;
            }
        }
    }
    Ok(Value::Nil)
}

/// The methods of what `in_batches` gives without a block.
pub(super) async fn batched(
    world: &Arc<World>,
    batched: &Batched,
    name: &str,
    args: &Args,
) -> Ran<Value> {
    let mut sum = 0_u64;
    match (name, &args.block) {
        ("update_all", _) => {
            for rows in batched.relations().await? {
                sum += bulk::updated(&rows, args).await?;
            }
        }
        ("delete_all", _) => {
            for rows in batched.relations().await? {
                sum += rows.relation.delete_all().await?;
            }
        }
        ("touch_all", _) => {
            for rows in batched.relations().await? {
                sum += rows.relation.touch_all().await?;
            }
        }
        ("destroy_all", _) => {
            for rows in batched.relations().await? {
                sum += rows.relation.destroy_all().await?.len() as u64;
            }
        }
        ("each_record", Some(block)) => {
            for record in batched.all().await?.concat() {
                world.yield_to(block, vec![Value::Record(record)]).await?;
            }
            return Ok(Value::Nil);
        }
        _ => {
            let rows = batched.relations().await?;
            let items = rows.into_iter().map(Value::query).collect();
            return super::enumerable::call(world, items, name, args).await;
        }
    }
    Ok(Value::Int(i64::try_from(sum).unwrap_or(i64::MAX)))
}

fn key_name(query: &Query) -> Ran<&'static str> {
    let mut names = query.model().primary_key_names();
    match (names.next(), names.next()) {
        (Some(name), None) => Ok(name),
        _ => Err(Stop::unsupported("in_batches by a composite key")),
    }
}

/// The rows of a batch, as a relation: those with the keys of its records.
fn in_batch(query: &Query, records: &[Record]) -> Ran<Query> {
    let name = key_name(query)?;
    let keys = records.iter().map(|one| Ok(one.get(name)?.into_owned()));
    let keys = keys.collect::<Ran<Vec<_>>>()?;
    let all = relata::Relation::of(query.model(), query.relation.db());
    Ok(query.with(all.filter_in(name, keys)?))
}
