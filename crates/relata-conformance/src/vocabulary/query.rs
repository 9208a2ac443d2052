//! The methods of a relation.

use std::sync::Arc;

use super::{conditions, enumerable, missing};
use crate::eval::{Args, Env};
use crate::query::Query;
use crate::stop::{Ran, Stop};
use crate::value::Value;
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
    if let Some(refined) = refine(query, name, &args) {
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
    for module in &query.modules {
        if let Some(method) = world.module_method(module, name, false) {
            return Some(world.run_method(&this, &method, args.with_map()).await);
        }
    }
    let scope = world
        .declaration(query.model().name(), name, &["scope"])?
        .scope?;
    let ran = world
        .run_code(&Env::of_method(this.clone()), &scope, args.with_map())
        .await;
    Some(ran.map(|value| match value {
        Value::Nil => this,
        value => value,
    }))
}

/// The methods that give a narrower or otherwise different relation.
fn refine(query: &Query, name: &str, args: &Args) -> Option<Ran<Query>> {
    let number = |at: usize| match args.at(at) {
        Value::Int(number) => u64::try_from(number).ok(),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    };
    Some(match name {
        "all" | "load" | "spawn" => Ok(query.clone()),
        "references" => references(query, args),
        "unscoped" => Ok(Query::of(relata::Relation::unscoped(
            query.model(),
            query.relation.db(),
        ))),
        "select" if args.block.is_none() => select(query, args),
        "or" => match args.at(0) {
            Value::Query(other) => match query.relation.clone().or(other.relation.clone()) {
                Ok(either) => Ok(query.with(either)),
                Err(error) => Err(error.into()),
            },
            _ => Err(Stop::argument("You have passed no relation to #or")),
        },
        "and" => match args.at(0) {
            Value::Query(other) => Ok(query.map(|relation| relation.and(other.relation.clone()))),
            _ => Err(Stop::argument("You have passed no relation to #and")),
        },
        "invert_where" => Ok(query.map(relata::Relation::invert_filter)),
        "lock" => Ok(query.map(relata::Relation::lock)),
        "where" if !args.all.is_empty() || args.options.is_some() => {
            conditions::filter(query, args)
        }
        "rewhere" => {
            // The new conditions replace those on the same columns, as merging does.
            let alone = query.with(relata::Relation::unscoped(
                query.model(),
                query.relation.db(),
            ));
            conditions::filter(&alone, args)
                .and_then(|alone| Ok(query.with(query.relation.clone().merge(alone.relation)?)))
        }
        "order" => conditions::order(query, args),
        "reorder" => {
            let unordered = query.map(|relation| relation.unscope(relata::relation::Part::Orders));
            conditions::order(&unordered, args)
        }
        "reverse_order" => Ok(query.map(relata::Relation::reverse_order)),
        "distinct" => Ok(query.map(relata::Relation::distinct)),
        "none" => Ok(query.map(relata::Relation::none)),
        "readonly" => Ok(query.map(relata::Relation::readonly)),
        "limit" => match number(0) {
            Some(rows) => Ok(query.map(|relation| relation.limit(rows))),
            None => Ok(query.map(|relation| relation.unscope(relata::relation::Part::Limit))),
        },
        "offset" => Ok(query.map(|relation| relation.offset(number(0).unwrap_or_default()))),
        "joins" | "left_joins" | "left_outer_joins" => join(query, name == "joins", args),
        "includes" | "preload" | "eager_load" => include(query, name, args),
        "strict_loading" => match args.at(0) {
            Value::Bool(false) => Err(Stop::unsupported("strict_loading(false) of a relation")),
            _ => Ok(query.map(relata::Relation::strict_loading)),
        },
        "merge" => match args.at(0) {
            Value::Query(other) if other.model() == query.model() => merge(query, &other),
            Value::Query(other) => merge_other(query, &other),
            _ => conditions::by_entries(query, &args.entries()),
        },
        "unscope" => unscope(query, args),
        "extending" => {
            let mut query = query.clone();
            for module in &args.all {
                query.modules.push(module.to_text().into());
            }
            Ok(query)
        }
        "group" | "having" | "create_with" | "in_order_of" | "excluding" | "without"
        | "annotate" | "from" | "with" | "scoping"
            if args.block.is_none() =>
        {
            Err(Stop::unsupported(format!("{name} of a relation by name")))
        }
        _ => return None,
    })
}

fn merge(query: &Query, other: &Query) -> Ran<Query> {
    let mut merged = query.with(query.relation.clone().merge(other.relation.clone())?);
    merged.joined.extend(other.joined.iter().cloned());
    merged.modules.extend(other.modules.iter().cloned());
    Ok(merged)
}

fn join(query: &Query, inner: bool, args: &Args) -> Ran<Query> {
    let mut query = query.clone();
    for value in args.with_map() {
        if let Value::Text(sql) = &value {
            return Err(Stop::unsupported(format!("joins with the SQL {sql}")));
        }
        for path in conditions::paths(&value) {
            let relation = query.relation.clone();
            let joined = if inner {
                relation.joins_named(&path)
            } else {
                relation.left_outer_joins_named(&path)
            };
            let joined = joined.map_err(|error| cannot_join(&query, &path, error))?;
            query = query.with(joined);
            query.joined.push(path);
        }
    }
    Ok(query)
}

/// A join over what is no association is a wrong declaration to Rails.
fn cannot_join(query: &Query, path: &str, error: relata::Error) -> Stop {
    if error.kind() == relata::ErrorKind::AssociationNotFound {
        return Stop::raised(
            "ActiveRecord::ConfigurationError",
            format!(
                "Can't join '{}' to association named '{path}'; perhaps you misspelled it?",
                query.model().name()
            ),
        );
    }
    error.into()
}

fn include(query: &Query, how: &str, args: &Args) -> Ran<Query> {
    let mut query = query.clone();
    for value in args.with_map() {
        for path in conditions::paths(&value) {
            let (relation, path) = (query.relation.clone(), [path.as_str()]);
            let relation = match how {
                "preload" => relation.preload_named(path),
                "eager_load" => relation.eager_load_named(path),
                _ => relation.includes_named(path),
            };
            query = query.with(relation?);
        }
    }
    Ok(query)
}

/// `references`: the tables that SQL names; those that no association leads to change nothing.
fn references(query: &Query, args: &Args) -> Ran<Query> {
    let mut query = query.clone();
    for table in &args.all {
        if let Some(path) = query.path_to(&table.to_text()) {
            query = query.with(query.relation.clone().references_named(&path)?);
        }
    }
    Ok(query)
}

/// `select(:id, :title)`.
fn select(query: &Query, args: &Args) -> Ran<Query> {
    let names: Vec<String> = args.all.iter().map(Value::to_text).collect();
    let known = |name: &String| query.model().column_position(name).is_some();
    if let Some(sql) = names.iter().find(|name| !known(name)) {
        return Err(Stop::unsupported(format!("select of the SQL {sql}")));
    }
    let relation = query.relation.clone();
    Ok(query.with(relation.select_named(names.iter().map(String::as_str))?))
}

/// `merge` of a relation of another model: one that was joined.
fn merge_other(query: &Query, other: &Query) -> Ran<Query> {
    let Some(path) = query.path_to(other.model().table()) else {
        return Err(Stop::unsupported(
            "merge of a relation whose table is not joined",
        ));
    };
    let relation = query.relation.clone();
    Ok(query.with(relation.merge_named(&path, other.relation.clone())?))
}

/// `unscope(:order)`, `unscope(where: :title)`.
fn unscope(query: &Query, args: &Args) -> Ran<Query> {
    use relata::relation::Part;
    let mut query = query.clone();
    for (part, columns) in args.options.iter().flatten() {
        if part.as_text() != Some("where") {
            return Err(Stop::argument(
                "Called unscope() with invalid unscoping argument",
            ));
        }
        for column in conditions::paths(columns) {
            query = query.with(query.relation.clone().unscope_named(&column)?);
        }
    }
    for part in &args.all {
        let part = match part.as_text() {
            Some("where") => Part::Filters,
            Some("order") => Part::Orders,
            Some("limit") => Part::Limit,
            Some("offset") => Part::Offset,
            Some("distinct") => Part::Distinct,
            Some("joins") => Part::Joins,
            Some("group") => Part::Groups,
            Some("includes" | "preload" | "eager_load") => Part::Includes,
            _ => {
                return Err(Stop::argument(
                    "Called unscope() with invalid unscoping argument",
                ));
            }
        };
        query = query.map(|relation| relation.unscope(part));
    }
    Ok(query)
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
        ("loaded?", []) => Ok(Value::Bool(false)),
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
        ("second", []) => relation
            .clone()
            .offset(1)
            .first()
            .await
            .map(Value::record)
            .map_err(Stop::from),
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
            Ok(query) => match query.relation.take().await {
                Ok(Some(record)) => Ok(Value::Record(record)),
                Ok(None) => Err(not_found(&query)),
                Err(error) => Err(error.into()),
            },
            Err(stop) => Err(stop),
        },
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
        ("count" | "size", []) if plain => relation
            .count()
            .await
            .map(|count| Value::Int(i64::try_from(count).unwrap_or(i64::MAX)))
            .map_err(Stop::from),
        ("sum" | "average" | "minimum" | "maximum", [column]) if plain => {
            let column = column.to_text();
            let value = match name {
                "sum" => relation.sum_named(&column).await,
                "average" => relation.average_named(&column).await,
                "minimum" => relation.minimum_named(&column).await,
                _ => relation.maximum_named(&column).await,
            };
            value
                .map(|value| Value::of_attribute(&value))
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
        ("ids", []) => pluck(query, &[Value::name("id")]).await,
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
            | "first_or_create"
            | "first_or_create!"
            | "first_or_initialize"
            | "find_or_create_by"
            | "find_or_create_by!"
            | "find_or_initialize_by"
            | "sum"
            | "average"
            | "minimum"
            | "maximum"
            | "update_all"
            | "delete_all"
            | "destroy_all"
            | "insert_all"
            | "insert"
            | "upsert_all"
            | "find_each"
            | "in_batches"
            | "find_in_batches"
            | "touch_all"
            | "explain",
            _,
        ) if plain => Err(Stop::unsupported(format!("{name} of a relation by name"))),
        _ => return None,
    };
    Some(ran)
}

fn positive(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

fn not_found(query: &Query) -> Stop {
    Stop::raised(
        "ActiveRecord::RecordNotFound",
        format!("Couldn't find {}", query.model().name()),
    )
}

/// `find`: one key, several, or a list of them.
async fn find(query: &Query, args: &Args) -> Ran<Value> {
    let key = |value: &Value| {
        let value = match value {
            // A text of digits is as good as the number.
            Value::Text(text) => text.parse().map_or_else(|_| value.clone(), Value::Int),
            value => value.clone(),
        };
        value
            .to_attribute()
            .ok_or_else(|| Stop::raised("TypeError", "can't cast the key"))
    };
    let many = |values: &[Value]| {
        values
            .iter()
            .map(|value| key(value).map(|key| vec![key]))
            .collect::<Ran<Vec<_>>>()
    };
    match args.all.as_slice() {
        [] => Err(Stop::raised(
            "ActiveRecord::RecordNotFound",
            format!("Couldn't find {} without an ID", query.model().name()),
        )),
        [Value::List(list)] => {
            let found = query.relation.find_keys(many(&list.items())?).await?;
            Ok(Value::records(found))
        }
        [one] => Ok(Value::Record(query.relation.find_key([key(one)?]).await?)),
        several => {
            let found = query.relation.find_keys(many(several)?).await?;
            Ok(Value::records(found))
        }
    }
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
    let mut paths = Vec::new();
    for name in names {
        let name = name.to_text();
        paths.push(match name.split_once('.') {
            Some((table, column)) if table == query.model().table() => column.to_owned(),
            Some((table, column)) => match query.path_to(table) {
                Some(path) => format!("{path}.{column}"),
                None => return Err(Stop::unsupported(format!("pluck of the SQL {name}"))),
            },
            None => name,
        });
    }
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
