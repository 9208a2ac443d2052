//! The methods of a relation that give another one: narrower, ordered, joined.

use super::conditions;
use crate::eval::Args;
use crate::query::Query;
use crate::stop::{Ran, Stop};
use crate::value::Value;

/// Methods that are nothing without arguments.
const NEEDS_ARGUMENTS: &[&str] = &[
    "joins",
    "left_joins",
    "left_outer_joins",
    "includes",
    "preload",
    "eager_load",
    "references",
    "order",
    "reorder",
    "group",
];

/// The methods that give a narrower or otherwise different relation.
pub(super) fn refine(query: &Query, name: &str, args: &Args) -> Option<Ran<Query>> {
    if NEEDS_ARGUMENTS.contains(&name) && args.all.is_empty() && args.options.is_none() {
        let message = format!("The method .{name}() must contain arguments.");
        return Some(Err(Stop::argument(message)));
    }
    let number = |at: usize| match args.at(at) {
        Value::Int(number) => u64::try_from(number).ok(),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    };
    Some(match name {
        "all" | "spawn" => Ok(query.clone()),
        // The block runs in the scope: it gives no relation.
        "unscoped" | "scoping" if args.block.is_some() => return None,
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
            Value::Query(other) => match query.relation.clone().and(other.relation.clone()) {
                Ok(both) => Ok(query.with(both)),
                Err(error) => Err(error.into()),
            },
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
        "distinct" => Ok(match args.at(0) {
            Value::Bool(false) => {
                query.map(|relation| relation.unscope(relata::relation::Part::Distinct))
            }
            _ => query.map(relata::Relation::distinct),
        }),
        "none" => Ok(query.map(relata::Relation::none)),
        "readonly" => Ok(match args.at(0) {
            Value::Bool(false) => {
                query.map(|relation| relation.unscope(relata::relation::Part::Readonly))
            }
            _ => query.map(relata::Relation::readonly),
        }),
        "limit" => match number(0) {
            Some(rows) => Ok(query.map(|relation| relation.limit(rows))),
            None => Ok(query.map(|relation| relation.unscope(relata::relation::Part::Limit))),
        },
        "offset" => Ok(query.map(|relation| relation.offset(number(0).unwrap_or_default()))),
        "joins" | "left_joins" | "left_outer_joins" => join(query, name == "joins", args),
        "includes" | "preload" | "eager_load" => include(query, name, args),
        "strict_loading" => match args.at(0) {
            Value::Bool(false) => Ok(query.map(relata::Relation::without_strict_loading)),
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
        "create_with" => {
            let mut query = query.clone();
            for (name, value) in args.entries() {
                let model = query.model();
                // A record is the value of its key.
                if let (Value::Record(target), Ok(at)) =
                    (&value, model.association(&name.to_text()))
                    && let Ok(resolved) = model.resolve(at)
                    && resolved.declaration().is_belongs_to()
                {
                    let keys = resolved.owner_key.iter().zip(resolved.target_key.iter());
                    for (&mine, &theirs) in keys {
                        let name = model.columns()[mine].name();
                        let theirs = resolved.target.columns()[theirs].name();
                        let given = match target.get(theirs) {
                            Ok(value) => value.into_owned(),
                            Err(error) => return Some(Err(error.into())),
                        };
                        match query.relation.clone().create_with_value(name, given) {
                            Ok(relation) => query = query.with(relation),
                            Err(error) => return Some(Err(error.into())),
                        }
                    }
                    continue;
                }
                let Some(value) = value.to_attribute() else {
                    return Some(Err(Stop::unsupported(
                        "create_with a value that is no attribute",
                    )));
                };
                let relation = query.relation.clone();
                match relation.create_with_value(&name.to_text(), value) {
                    Ok(relation) => query = query.with(relation),
                    Err(error) => return Some(Err(error.into())),
                }
            }
            Ok(query)
        }
        "group" => {
            let mut query = query.clone();
            for name in &args.all {
                match conditions::column_named(&query, &name.to_text()) {
                    Ok(name) => query.groups.push(name),
                    Err(stop) => return Some(Err(stop)),
                }
            }
            Ok(query)
        }
        "annotate" => Ok(args.all.iter().fold(query.clone(), |query, comment| {
            query.map(|relation| relation.annotate(comment.to_text()))
        })),
        "excluding" | "without" => excluding(query, args),
        "in_order_of" => in_order_of(query, args),
        "having" => match args.all.split_first() {
            Some((Value::Text(sql), binds)) => {
                let condition = conditions::raw(sql, binds, args);
                Ok(query.map(|relation| relation.having_sql(condition)))
            }
            _ => Err(Stop::unsupported("having by a map")),
        },
        "from" | "with" | "scoping" if args.block.is_none() => {
            Err(Stop::unsupported(format!("{name} of a relation by name")))
        }
        _ => return None,
    })
}

/// `excluding(post)`, of one record, of several, of a list or of a collection that is loaded.
fn excluding(query: &Query, args: &Args) -> Ran<Query> {
    let mut records = Vec::new();
    for value in &args.all {
        let items = match value {
            Value::List(list) => list.items(),
            Value::Collection(association) => association
                .target()
                .into_iter()
                .map(Value::Record)
                .collect(),
            one => vec![one.clone()],
        };
        for item in items {
            match item {
                Value::Record(record) if record.reflection() == query.model() => {
                    records.push(record);
                }
                Value::Nil => {}
                _ => {
                    let model = query.model().name();
                    return Err(Stop::argument(format!(
                        "You must only pass a single or collection of {model} objects to #excluding."
                    )));
                }
            }
        }
    }
    Ok(query.map(|relation| relation.excluding(&records)))
}

/// `in_order_of(:id, [3, 1])`.
fn in_order_of(query: &Query, args: &Args) -> Ran<Query> {
    let (name, Value::List(list)) = (args.at(0).to_text(), args.at(1)) else {
        return Err(Stop::argument("in_order_of wants a list of values"));
    };
    let values = list.items();
    let values: Option<Vec<_>> = values.iter().map(Value::to_attribute).collect();
    let values = values.ok_or_else(|| Stop::unsupported("in_order_of with what is no value"))?;
    Ok(query.with(query.relation.clone().in_order_of_named(&name, values)?))
}

fn merge(query: &Query, other: &Query) -> Ran<Query> {
    let mut merged = query.with(query.relation.clone().merge(other.relation.clone())?);
    merged.joined.extend(other.joined.iter().cloned());
    merged.included.extend(other.included.iter().cloned());
    merged.modules.extend(other.modules.iter().cloned());
    Ok(merged)
}

fn join(query: &Query, inner: bool, args: &Args) -> Ran<Query> {
    let mut query = query.clone();
    for value in args.with_map() {
        if let Value::Text(sql) = &value {
            if !inner {
                return Err(Stop::unsupported(format!("left joins with the SQL {sql}")));
            }
            let sql = relata::Raw::trusted(sql.to_string());
            query = query.map(|relation| relation.joins_sql(sql));
            continue;
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
            match how {
                "preload" => {}
                "eager_load" => {
                    query.joined.push(path.clone());
                    query.eager.push(path.clone());
                }
                _ => query.included.push(path.clone()),
            }
            let (relation, path) = (query.relation.clone(), [path.as_str()]);
            let relation = match how {
                "preload" => relation.preload_named(path),
                "eager_load" => relation.eager_load_named(path),
                _ => relation.includes_named(path),
            };
            query = match relation {
                Ok(relation) => query.with(relation),
                Err(error) if how == "eager_load" => {
                    return Err(cannot_join(&query, path[0], error));
                }
                Err(error) if error.kind() == relata::ErrorKind::AssociationNotFound => {
                    query.missing = Some((error, path[0].to_owned()));
                    query
                }
                Err(error) => return Err(error.into()),
            };
        }
    }
    Ok(query)
}

/// `references`: the tables that SQL names. One that no association leads to joins all includes, as in Rails.
fn references(query: &Query, args: &Args) -> Ran<Query> {
    let mut query = query.clone();
    for table in &args.all {
        let table = table.to_text();
        if table == query.model().table() {
            continue;
        }
        let relation = query.relation.clone();
        query = query.with(match query.path_to(&table) {
            Some(path) => relation.references_named(&path)?,
            None => relation.references_all(),
        });
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
            Some("lock") => Part::Lock,
            Some("readonly") => Part::Readonly,
            Some("annotate") => Part::Annotations,
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
