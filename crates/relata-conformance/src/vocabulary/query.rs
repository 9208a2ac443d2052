//! The methods of a relation that read or make records.

use std::sync::Arc;

use relata::Record;

use super::{batches, bulk, conditions, enumerable, making, missing, refine};
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
        ("to_sql", []) => match relation.to_sql() {
            // What cannot be written is told in its place.
            refused if refused.starts_with("/* ") => {
                let why = refused.trim_start_matches("/* ").trim_end_matches(" */");
                Err(Stop::argument(why))
            }
            sql => Ok(Value::text(&sql)),
        },
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
        ("find_sole_by", _) => match conditions::filter(query, args) {
            Ok(query) => (query.relation.sole().await)
                .map(Value::Record)
                .map_err(Stop::from),
            Err(stop) => Err(stop),
        },
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
            match pluck(query, &names).await {
                // With what is loaded in the same query a row is there several times, and its key once.
                Ok(Value::List(list)) if !query.eager.is_empty() => {
                    let mut once: Vec<Value> = Vec::new();
                    for key in list.items() {
                        if !once.iter().any(|known| crate::value::equal(known, &key)) {
                            once.push(key);
                        }
                    }
                    Ok(Value::list(once))
                }
                other => other,
            }
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
        ) => making::make(world, query, name, args).await,
        ("create_or_find_by" | "create_or_find_by!", _) => {
            making::create_or_find(world, query, name, args).await
        }
        ("authenticate_by", _) => super::password::by(query, args).await,
        ("update_all", _) => bulk::update_all(query, args).await,
        ("delete_all", []) => relation.delete_all().await.map(number).map_err(Stop::from),
        ("touch_all", names) => {
            let names: Vec<String> = names.iter().map(Value::to_text).collect();
            let touched = relation.touch_all_columns(names.iter().map(String::as_str));
            touched.await.map(number).map_err(Stop::from)
        }
        ("destroy_all", []) => (relation.destroy_all().await)
            .map(Value::records)
            .map_err(Stop::from),
        ("scoping" | "unscoped", []) if !plain => scoping(world, query, name, args).await,
        ("in_batches" | "find_each" | "find_in_batches", _) => {
            batches::call(world, query, name, args).await
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
        [] | [Value::Nil] => Err(Stop::raised(
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
    let model = query.model();
    let key: Vec<&str> = model.primary_key_names().collect();
    // `id` of a key of several columns is the list of them.
    let is_key =
        |path: &str| path == "id" && key.len() > 1 && model.column_position("id").is_none();
    let names = names
        .iter()
        .map(|name| conditions::column_named(query, &name.to_text()));
    let paths = names.collect::<Ran<Vec<_>>>()?;
    let asked = paths.iter().flat_map(|path| match is_key(path) {
        true => key.clone(),
        false => vec![path.as_str()],
    });
    let rows = query
        .relation
        .pluck_named(asked)
        .await
        .map_err(conditions::of_column)?;
    Ok(Value::list(rows.into_iter().map(|row| {
        let mut values = row.iter().map(Value::of_attribute);
        let mut each = paths.iter().map(|path| match is_key(path) {
            true => Value::list(values.by_ref().take(key.len())),
            false => values.next().unwrap_or(Value::Nil),
        });
        match paths.len() {
            1 => each.next().unwrap_or(Value::Nil),
            _ => Value::list(each),
        }
    })))
}
