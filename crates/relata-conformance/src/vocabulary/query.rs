//! The methods of a relation that read or make records.

use std::sync::Arc;

use relata::Record;

use super::{conditions, enumerable, missing, refine};
use crate::eval::{Args, Env};
use crate::query::Query;
use crate::stop::{Ran, Stop};
use crate::value::{List, Value};
use crate::world::World;

pub(super) async fn call(
    world: &Arc<World>,
    query: &Arc<Query>,
    name: &str,
    args: Args,
) -> Ran<Value> {
    if let Some(value) = added(world, query, name, &args).await {
        return value;
    }
    if let Some(narrowed) = super::delegated::scope(&query.relation, name) {
        return Ok(Value::query(query.with(narrowed?)));
    }
    if let Some(refined) = refine::refine(query, name, &args) {
        return Ok(Value::query(refined?));
    }
    if let Some(found) = read(world, query, name, &args).await {
        return found;
    }
    if enumerable::is_method(name) {
        let items = super::items(world, &conditions::shared(query)).await?;
        return enumerable::call(world, items, name, &args).await;
    }
    Err(missing(&conditions::shared(query), name))
}

/// Scopes that the model names, and methods of modules.
async fn added(
    world: &Arc<World>,
    query: &Arc<Query>,
    name: &str,
    args: &Args,
) -> Option<Ran<Value>> {
    let this = conditions::shared(query);
    if let Some(method) = query.methods.iter().find(|method| method.name == name) {
        return Some(world.run_method(&this, method, args.with_map()).await);
    }
    for module in &query.modules {
        if let Some(method) = world.module_method(module, name, false) {
            return Some(world.run_method(&this, &method, args.with_map()).await);
        }
    }
    let declared = world.declaration(query.model().name(), name, &["scope"]);
    let Some(scope) = declared.and_then(|declaration| declaration.scope) else {
        let scoped = query.relation.clone().scope_named(name).ok()?;
        return Some(Ok(Value::query(query.map(|_| scoped))));
    };
    let ran = world
        .run_code(&Env::of_method(this.clone()), &scope, args.with_map())
        .await;
    Some(ran.map(|value| match value {
        Value::Nil => this,
        value => value,
    }))
}

/// The methods that read.
async fn read(
    world: &Arc<World>,
    query: &Arc<Query>,
    name: &str,
    args: &Args,
) -> Option<Ran<Value>> {
    // With a block they go through the records.
    let plain = args.block.is_none();
    let relation = &query.relation;
    let ran = match (name, args.all.as_slice()) {
        ("where", []) if args.options.is_none() => Ok(Value::WhereChain(Arc::clone(query))),
        ("to_sql", []) => Ok(Value::text(&relation.to_sql())),
        ("loaded?", []) => Ok(Value::Bool(query.loaded().is_some())),
        ("load" | "reload", []) => {
            if name == "reload" {
                query.reset();
            }
            query.records().await.map(|_| conditions::shared(query))
        }
        ("reset", []) => {
            query.reset();
            Ok(conditions::shared(query))
        }
        // What was read is looked through, not asked for again.
        (
            "first" | "last" | "take" | "size" | "empty?" | "any?" | "none?" | "many?" | "one?",
            _,
        ) if plain && query.loaded().is_some() => {
            let name = match (name, args.all.is_empty()) {
                ("take", true) => "first",
                (name, _) => name,
            };
            let records = query.loaded().unwrap_or_default();
            let items = records.into_iter().map(Value::Record).collect();
            enumerable::call(world, items, name, args).await
        }
        ("klass" | "model", []) => Ok(Value::Class(crate::value::Class::Model(
            query.model().name().into(),
        ))),
        ("first", []) if plain => relation
            .first()
            .await
            .map(Value::record)
            .map_err(Stop::from),
        ("first", [Value::Int(some)]) => relation
            .first_n(positive(*some))
            .await
            .map(Value::records)
            .map_err(Stop::from),
        (place, []) if enumerable::nth(place).is_some() => {
            let nth = enumerable::nth(place).unwrap_or_default();
            match nth_of(query, nth).await {
                Ok(None) if place.ends_with('!') => Err(not_found(query)),
                found => found.map(Value::record),
            }
        }
        ("last", []) => relation.last().await.map(Value::record).map_err(Stop::from),
        ("last", [Value::Int(some)]) => relation
            .last_n(positive(*some))
            .await
            .map(Value::records)
            .map_err(Stop::from),
        ("take", []) => relation.take().await.map(Value::record).map_err(Stop::from),
        ("take", [Value::Int(some)]) => relation
            .take_n(positive(*some))
            .await
            .map(Value::records)
            .map_err(Stop::from),
        ("first!", []) => relation
            .first_or_fail()
            .await
            .map(Value::Record)
            .map_err(Stop::from),
        ("sole", []) => relation.sole().await.map(Value::Record).map_err(Stop::from),
        ("find", _) if plain => find(query, args).await,
        ("find_by", _) => match conditions::filter(query, args) {
            Ok(query) => query
                .relation
                .take()
                .await
                .map(Value::record)
                .map_err(Stop::from),
            Err(stop) => Err(stop),
        },
        ("find_by!", _) => match conditions::filter(query, args) {
            Ok(query) => (query.relation.take_or_fail().await)
                .map(Value::Record)
                .map_err(Stop::from),
            Err(stop) => Err(stop),
        },
        ("last!", []) => match relation.last().await {
            Ok(None) => Err(not_found(query)),
            Ok(Some(found)) => Ok(Value::Record(found)),
            Err(error) => Err(error.into()),
        },
        ("take!", []) => (relation.take_or_fail().await)
            .map(Value::Record)
            .map_err(Stop::from),
        ("exists?", []) if args.options.is_none() => {
            relation.exists().await.map(Value::Bool).map_err(Stop::from)
        }
        ("exists?", _) => exists(query, args).await,
        ("any?", []) if plain => relation.exists().await.map(Value::Bool).map_err(Stop::from),
        ("empty?" | "none?", []) if plain => relation
            .exists()
            .await
            .map(|any| Value::Bool(!any))
            .map_err(Stop::from),
        ("count", []) if !query.groups.is_empty() => count_groups(query).await,
        ("count", [column]) if plain && column.as_text() != Some("all") => {
            count_values(query, &column.to_text()).await
        }
        ("count" | "size", []) | ("count", [_]) if plain => relation
            .count()
            .await
            .map(|count| Value::Int(i64::try_from(count).unwrap_or(i64::MAX)))
            .map_err(Stop::from),
        ("sum" | "average" | "minimum" | "maximum", [column]) if !query.groups.is_empty() => {
            compute_groups(query, name, &column.to_text()).await
        }
        ("sum" | "average" | "minimum" | "maximum", [column]) if plain => {
            let column = column.to_text();
            let value = match name {
                "sum" => relation.sum_named(&column).await,
                "average" => relation.average_named(&column).await,
                "minimum" => relation.minimum_named(&column).await,
                _ => relation.maximum_named(&column).await,
            };
            value
                .map(|value| computed(name, &value))
                .map_err(Stop::from)
        }
        ("pluck", names) => pluck(query, names).await,
        ("pick", names) => {
            let one = query.map(|relation| relation.limit(1));
            match pluck(&one, names).await {
                Ok(Value::List(list)) => Ok(list.items().into_iter().next().unwrap_or(Value::Nil)),
                other => other,
            }
        }
        ("ids", []) => {
            let names: Vec<Value> = query.model().primary_key_names().map(Value::name).collect();
            pluck(query, &names).await
        }
        ("include?", [Value::Record(record)]) => {
            match super::items(world, &conditions::shared(query)).await {
                Ok(items) => {
                    let wanted = Value::Record(record.clone());
                    Ok(Value::Bool(
                        items.iter().any(|item| crate::value::equal(item, &wanted)),
                    ))
                }
                Err(stop) => Err(stop),
            }
        }
        (
            "new"
            | "build"
            | "create"
            | "create!"
            | "find_or_create_by"
            | "find_or_create_by!"
            | "find_or_initialize_by"
            | "first_or_create"
            | "first_or_create!"
            | "first_or_initialize",
            _,
        ) => make(world, query, name, args).await,
        ("update_all", _) => update_all(query, args).await,
        ("delete_all", []) => relation.delete_all().await.map(number).map_err(Stop::from),
        ("touch_all", []) => relation.touch_all().await.map(number).map_err(Stop::from),
        ("destroy_all", []) => (relation.destroy_all().await)
            .map(Value::records)
            .map_err(Stop::from),
        ("scoping" | "unscoped", []) if !plain => scoping(world, query, name, args).await,
        ("in_batches" | "find_each" | "find_in_batches", _) => {
            batches(world, query, name, args).await
        }
        ("insert_all" | "insert" | "upsert_all" | "explain", _) => {
            Err(Stop::unsupported(format!("{name} of a relation by name")))
        }
        _ => return None,
    };
    Some(ran)
}

/// `scoping`, and `unscoped` with a block: the block takes the relation for all records of the model.
async fn scoping(world: &Arc<World>, query: &Query, name: &str, args: &Args) -> Ran<Value> {
    for (option, value) in args.options.iter().flatten() {
        if option.as_text() != Some("all_queries") || value.is_true() {
            let option = option.to_text();
            return Err(Stop::unsupported(format!("{name} with {option}")));
        }
    }
    let relation = match name {
        "unscoped" => relata::Relation::unscoped(query.model(), query.relation.db()),
        _ => query.relation.clone(),
    };
    let Some(block) = &args.block else {
        return Err(Stop::argument("no block given"));
    };
    relation
        .scoping(async || world.yield_to(block, Vec::new()).await)
        .await
}

/// The record at a place, from the end where the place is negative.
async fn nth_of(query: &Query, nth: i64) -> Ran<Option<Record>> {
    if let Some(records) = query.loaded() {
        return Ok(enumerable::at(&records, nth).cloned());
    }
    let relation = query.relation.clone();
    match u64::try_from(nth) {
        Ok(before) => Ok(relation.offset(before).first().await?),
        Err(_) => {
            let last = relation.last_n(nth.unsigned_abs()).await?;
            Ok(enumerable::at(&last, nth).cloned())
        }
    }
}

pub(super) fn not_found(query: &Query) -> Stop {
    let message = format!("Couldn't find {}", query.model().name());
    Stop::raised("ActiveRecord::RecordNotFound", message)
}

fn number(rows: u64) -> Value {
    Value::Int(i64::try_from(rows).unwrap_or(i64::MAX))
}

/// `group(:author_id).count`: a map from values, or lists of values, to numbers. What is grouped by a `belongs_to` has
/// its targets as keys.
async fn count_groups(query: &Query) -> Ran<Value> {
    let model = query.model();
    let target = match query.groups.as_slice() {
        [name] => model.reflect_on_association(name),
        _ => None,
    };
    if let Some(association) = target.filter(|one| one.is_belongs_to()) {
        let resolved = model.resolve(model.association(association.name())?)?;
        let (&[mine], &[theirs]) = (&*resolved.owner_key, &*resolved.target_key) else {
            return Err(Stop::unsupported(
                "group by an association with a composite key",
            ));
        };
        let name = model.columns()[mine].name();
        let counted = query.relation.count_by_named([name]).await?;
        let keys = counted
            .iter()
            .filter_map(|(values, _)| values.first().cloned());
        let theirs = resolved.target.columns()[theirs].name();
        let targets = relata::Relation::of(resolved.target, query.relation.db());
        let targets = targets.filter_in(theirs, keys)?.load().await?;
        let mut groups = Vec::new();
        for (values, count) in counted {
            let mut key = Value::Nil;
            for target in &targets {
                if values.first() == Some(&target.get(theirs)?) {
                    key = Value::Record(target.clone());
                }
            }
            groups.push((key, number(count)));
        }
        return Ok(Value::map(groups));
    }
    let names = query.groups.iter().map(String::as_str);
    let counted = query.relation.count_by_named(names).await?;
    let one = |(by, count)| (group(by), number(count));
    Ok(Value::map(counted.into_iter().map(one)))
}

/// `count(:author_id)`: how many values there are that are not nil; of a distinct relation how many different ones. With
/// groups a map from what is grouped by to the number.
async fn count_values(query: &Query, column: &str) -> Ran<Value> {
    let column = conditions::column_named(query, column)?;
    let distinct = query.is_distinct();
    let relation = query
        .relation
        .clone()
        .unscope(relata::relation::Part::Distinct);
    let names = query.groups.iter().map(String::as_str);
    let counted = relation.count_by_named(names.chain([&*column])).await?;
    let mut groups: Vec<(Value, u64)> = Vec::new();
    for (mut values, count) in counted {
        let counts = match values.pop() {
            None | Some(relata::Value::Null) => 0,
            Some(_) if distinct => 1,
            Some(_) => count,
        };
        let by = group(values);
        match groups
            .iter_mut()
            .find(|(known, _)| crate::value::equal(known, &by))
        {
            Some((_, sum)) => *sum += counts,
            None => groups.push((by, counts)),
        }
    }
    if query.groups.is_empty() {
        return Ok(number(groups.first().map_or(0, |(_, count)| *count)));
    }
    let groups = groups.into_iter().map(|(by, count)| (by, number(count)));
    Ok(Value::map(groups))
}

/// `group(:author_id).sum(:stars)`: a map from values, or lists of values, to what is computed.
async fn compute_groups(query: &Query, function: &str, of: &str) -> Ran<Value> {
    let (relation, names) = (&query.relation, query.groups.iter().map(String::as_str));
    let groups = match function {
        "sum" => relation.sum_by_named(names, of).await?,
        "average" => relation.average_by_named(names, of).await?,
        "minimum" => relation.minimum_by_named(names, of).await?,
        _ => relation.maximum_by_named(names, of).await?,
    };
    let one = |(by, value): (_, relata::Value<'static>)| (group(by), computed(function, &value));
    Ok(Value::map(groups.into_iter().map(one)))
}

/// What was computed. The average of integers is a decimal to Rails, which is shown as text.
fn computed(function: &str, value: &relata::Value<'static>) -> Value {
    match (function, value) {
        ("average", relata::Value::Float(value)) => Value::text(&format!("{value:?}")),
        (_, value) => Value::of_attribute(value),
    }
}

/// What a group has in common: one value, or a list of several.
fn group(by: Vec<relata::Value<'static>>) -> Value {
    let mut values: Vec<Value> = by.iter().map(Value::of_attribute).collect();
    match values.len() {
        1 => values.swap_remove(0),
        _ => Value::list(values),
    }
}

/// New records that the relation would keep, and those that are looked for first.
async fn make(world: &Arc<World>, query: &Arc<Query>, name: &str, args: &Args) -> Ran<Value> {
    let mut query = Query::clone(query);
    if name.starts_with("find_or") {
        query = conditions::filter(&query, args)?;
        if let Some(found) = query.relation.take().await? {
            return Ok(Value::Record(found));
        }
    } else if name.starts_with("first_or")
        && let Some(found) = query.relation.first().await?
    {
        return Ok(Value::Record(found));
    }
    if matches!(
        name,
        "new" | "build" | "find_or_initialize_by" | "first_or_initialize"
    ) {
        let mut filled = Ok(());
        let record = query.relation.build_member(|record| {
            filled = super::generated::now(super::generated::fill(world, record, args));
        })?;
        return filled.map(|()| Value::Record(record));
    }
    let record = query.relation.build_record()?;
    super::generated::fill(world, &record, args).await?;
    match query.relation.create_record(&record).await {
        Err(error) if name.ends_with('!') || !crate::stop::is_soft(&error) => Err(error.into()),
        _ => Ok(Value::Record(record)),
    }
}

/// Batches: lists of records, or the records, for a block; without one, what Rails gives is a class of its own.
async fn batches(world: &Arc<World>, query: &Query, name: &str, args: &Args) -> Ran<Value> {
    let size = match args.option("of").or_else(|| args.option("batch_size")) {
        Some(Value::Int(size)) => size.unsigned_abs(),
        _ => 1_000,
    };
    let mut batches = query.relation.in_batches(size);
    let Some(block) = &args.block else {
        if name == "in_batches" {
            return Ok(Value::Wildcard);
        }
        let mut all = Vec::new();
        while let Some(records) = batches.next().await? {
            match name {
                "find_each" => all.extend(records.into_iter().map(Value::Record)),
                _ => all.push(Value::records(records)),
            }
        }
        return Ok(Value::list(all));
    };
    if name == "in_batches" && args.option("load").is_none() {
        // What is yielded is a relation of the rows' keys.
        while let Some(records) = batches.next().await? {
            let rows = in_batch(query, &records)?;
            world.yield_to(block, vec![Value::query(rows)]).await?;
        }
        return Ok(Value::Nil);
    }
    while let Some(records) = batches.next().await? {
        if name == "find_each" {
            for record in records {
                world.yield_to(block, vec![Value::Record(record)]).await?;
            }
        } else {
            world.yield_to(block, vec![Value::records(records)]).await?;
        }
    }
    Ok(Value::Nil)
}

/// The rows of a batch, as a relation: those with the keys of its records.
fn in_batch(query: &Query, records: &[Record]) -> Ran<Query> {
    let mut names = query.model().primary_key_names();
    let (Some(name), None) = (names.next(), names.next()) else {
        return Err(Stop::unsupported("in_batches by a composite key"));
    };
    let keys = records.iter().map(|one| Ok(one.get(name)?.into_owned()));
    let keys = keys.collect::<Ran<Vec<_>>>()?;
    let all = relata::Relation::of(query.model(), query.relation.db());
    Ok(query.with(all.filter_in(name, keys)?))
}

async fn update_all(query: &Query, args: &Args) -> Ran<Value> {
    let entries = args.entries();
    if entries.is_empty() {
        return Err(Stop::unsupported("update_all with SQL"));
    }
    let mut values = Vec::new();
    for (name, value) in &entries {
        let Some(value) = value.to_attribute() else {
            return Err(Stop::unsupported(
                "update_all with a value that is computed",
            ));
        };
        values.push((name.to_text(), value));
    }
    let values: Vec<_> = values
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    Ok(number(query.relation.update_all_by(&values).await?))
}

fn positive(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// A primary key: one value, or a list of several.
pub(super) fn key(value: &Value) -> Ran<Vec<relata::Value<'static>>> {
    let one = |value: &Value| {
        let value = match value {
            // A text of digits is as good as the number.
            Value::Text(text) => text.parse().map_or_else(|_| value.clone(), Value::Int),
            value => value.clone(),
        };
        value
            .to_attribute()
            .ok_or_else(|| Stop::raised("TypeError", "can't cast the key"))
    };
    match value {
        Value::Record(record) => key(&super::generated::key(record)?),
        Value::List(list) => list.items().iter().map(one).collect(),
        value => Ok(vec![one(value)?]),
    }
}

/// `find`: one key, several, or a list of them.
async fn find(query: &Query, args: &Args) -> Ran<Value> {
    let many = |values: &[Value]| values.iter().map(key).collect::<Ran<Vec<_>>>();
    match args.all.as_slice() {
        [] => Err(Stop::raised(
            "ActiveRecord::RecordNotFound",
            format!("Couldn't find {} without an ID", query.model().name()),
        )),
        [Value::List(list)] if !is_composite_key(query, list) => {
            let found = query.relation.find_keys(many(&list.items())?).await?;
            Ok(Value::records(found))
        }
        [one] => Ok(Value::Record(query.relation.find_key(key(one)?).await?)),
        several => {
            let found = query.relation.find_keys(many(several)?).await?;
            Ok(Value::records(found))
        }
    }
}

/// Whether a list is one key of several columns, and not a list of keys.
fn is_composite_key(query: &Query, list: &List) -> bool {
    let items = list.items();
    query.model().primary_key().len() > 1
        && !items.iter().any(|item| matches!(item, Value::List(_)))
}

async fn exists(query: &Query, args: &Args) -> Ran<Value> {
    let narrowed = match args.all.as_slice() {
        [id @ (Value::Int(_) | Value::Text(_))] => {
            conditions::by_entries(query, &[(Value::name("id"), id.clone())])?
        }
        [Value::Bool(false)] => return Ok(Value::Bool(false)),
        _ => conditions::filter(query, args)?,
    };
    Ok(Value::Bool(narrowed.relation.exists().await?))
}

/// `pluck`: the values of one column, or lists of the values of several.
async fn pluck(query: &Query, names: &[Value]) -> Ran<Value> {
    let names = names
        .iter()
        .map(|name| conditions::column_named(query, &name.to_text()));
    let paths = names.collect::<Ran<Vec<_>>>()?;
    let rows = query
        .relation
        .pluck_named(paths.iter().map(String::as_str))
        .await?;
    let single = paths.len() == 1;
    Ok(Value::list(rows.into_iter().map(|row| {
        let mut values = row.iter().map(Value::of_attribute);
        if single {
            values.next().unwrap_or(Value::Nil)
        } else {
            Value::list(values)
        }
    })))
}
