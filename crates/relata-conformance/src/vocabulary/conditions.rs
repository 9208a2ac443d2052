//! Conditions and orders: what `where`, `order` and their like are given, as calls on a relation by name.

use std::sync::Arc;

use relata::{Raw, Record, Relation};

use crate::eval::Args;
use crate::query::Query;
use crate::stop::{Ran, Stop};
use crate::value::{Value, inspect};

/// `where`.
pub(super) fn filter(query: &Query, args: &Args) -> Ran<Query> {
    match args.all.as_slice() {
        [Value::Text(sql), binds @ ..] => {
            Ok(query.map(|relation| relation.filter_sql(raw(sql, binds, args))))
        }
        [Value::List(list)] if matches!(list.items().first(), Some(Value::Text(_))) => {
            let all = list.items();
            let sql = all[0].to_text();
            Ok(query.map(|relation| relation.filter_sql(raw(&sql, &all[1..], args))))
        }
        [] | [Value::Map(_)] => by_entries(query, &args.entries()),
        [Value::Nil] => Ok(query.clone()),
        [Value::List(list)] => {
            let first = list.items().first().map(inspect).unwrap_or_default();
            Err(Stop::argument(format!(
                "Unsupported argument type: {first}"
            )))
        }
        _ => Err(Stop::unsupported(format!(
            "where with {}",
            inspect(&Value::list(args.all.clone()))
        ))),
    }
}

/// SQL of the scenario, with its values: `?` for each, or `:name`.
pub(super) fn raw(sql: &str, binds: &[Value], args: &Args) -> Raw {
    let named = |name: &str| match binds.first() {
        Some(Value::Map(map)) => map
            .iter()
            .find(|(key, _)| key.as_text() == Some(name))
            .map(|(_, value)| value.clone()),
        _ => args.option(name),
    };
    let mut text = String::new();
    let mut values = Vec::new();
    let mut given = binds.iter();
    let mut rest = sql;
    while let Some(at) = rest.find(['?', ':', '\'']) {
        text.push_str(&rest[..at]);
        let mark = &rest[at..];
        let length = match mark.as_bytes()[0] {
            b'\'' => mark[1..].find('\'').map_or(mark.len(), |end| end + 2),
            b'?' => {
                text.push_str(&marks(
                    given.next().cloned().unwrap_or(Value::Nil),
                    &mut values,
                ));
                rest = &mark[1..];
                continue;
            }
            _ => {
                let end = mark[1..]
                    .find(|c: char| !c.is_alphanumeric() && c != '_')
                    .map_or(mark.len(), |end| end + 1);
                if let Some(value) = named(&mark[1..end]) {
                    text.push_str(&marks(value, &mut values));
                    rest = &mark[end..];
                    continue;
                }
                end.max(1)
            }
        };
        text.push_str(&mark[..length]);
        rest = &mark[length..];
    }
    text.push_str(rest);
    values
        .iter()
        .map(|value| bound(value).unwrap_or(relata::Value::Null))
        .fold(Raw::trusted(text), Raw::bind)
}

/// The place of a value, or the places of the values of a list.
fn marks(value: Value, values: &mut Vec<Value>) -> String {
    let Value::List(list) = value else {
        values.push(value);
        return "?".to_owned();
    };
    let items = list.items();
    let places = vec!["?"; items.len()].join(", ");
    values.extend(items);
    // No value is in an empty list, nor null.
    if places.is_empty() {
        "NULL".to_owned()
    } else {
        places
    }
}

/// The conditions of a map.
pub(super) fn by_entries(query: &Query, entries: &[(Value, Value)]) -> Ran<Query> {
    let mut query = query.clone();
    for (key, value) in entries {
        query = by_entry(&query, None, &key.to_text(), value)?;
    }
    Ok(query)
}

/// One condition, on what a path leads to.
fn by_entry(query: &Query, path: Option<&str>, key: &str, value: &Value) -> Ran<Query> {
    if let Value::Map(inner) = value {
        // The table that is read has the name first.
        if path.is_none() && key == query.model().table() {
            return by_entries(query, inner);
        }
        let Some(found) = query.path_to(key) else {
            return Err(no_column(key));
        };
        let path = path.map_or_else(|| found.clone(), |path| format!("{path}.{found}"));
        return inner.iter().try_fold(query.clone(), |query, (key, value)| {
            by_entry(&query, Some(&path), &key.to_text(), value)
        });
    }
    if let Some((table, column)) = key.split_once('.') {
        if table == query.model().table() {
            return by_entry(query, path, column, value);
        }
        let Some(found) = query.path_to(table) else {
            return Err(no_column(key));
        };
        return by_entry(query, Some(&found), column, value);
    }
    let model = match path {
        None => query.model(),
        Some(path) => crate::query::target(query.model(), path).ok_or_else(|| no_column(path))?,
    };
    if model.column_position(key).is_none() && model.reflect_on_association(key).is_some() {
        return by_association(query, path, key, value);
    }
    let name = path.map_or_else(|| key.to_owned(), |path| format!("{path}.{key}"));
    by_column(query, &name, value)
}

fn no_column(name: &str) -> Stop {
    Stop::raised(
        "ActiveRecord::StatementInvalid",
        format!("no such column: {name}"),
    )
}

fn by_column(query: &Query, name: &str, value: &Value) -> Ran<Query> {
    let relation = query.relation.clone();
    let relation = match value {
        Value::List(list) => {
            let values = list.items();
            let values = values
                .iter()
                .map(|value| bound(value))
                .collect::<Ran<Vec<_>>>()?;
            relation.filter_in(name, values)
        }
        Value::Collection(_) | Value::Query(_) => {
            let other = match value {
                Value::Collection(association) => association.relation(),
                Value::Query(other) => other.relation.clone(),
                _ => relation.clone(),
            };
            let of = other.selected_name().unwrap_or("id");
            relation.filter_among(name, other, of)
        }
        Value::Range(range) => {
            let mut relation = relation;
            if !matches!(range.0, Value::Nil) {
                relation = relation.filter_op(name, ">=", bound(&range.0)?)?;
            }
            let operator = if range.2 { "<" } else { "<=" };
            match range.1 {
                Value::Nil => Ok(relation),
                _ => relation.filter_op(name, operator, bound(&range.1)?),
            }
        }
        Value::Text(text) if is_of_integers(query, name) => {
            // Text is the number that it begins with; what begins with none is in no row.
            let text = text.trim_start();
            let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
            match digits.starts_with(|c: char| c.is_ascii_digit()) {
                true => relation.filter_by(name, super::core::leading(text)),
                false => Ok(relation.none()),
            }
        }
        value => relation.filter_by(name, bound(value)?),
    };
    match relation {
        Ok(relation) => Ok(query.with(relation)),
        Err(error) if error.kind() == relata::ErrorKind::UnknownAttribute => Err(no_column(name)),
        Err(error) => Err(error.into()),
    }
}

/// Whether a name is that of a column of plain integers.
fn is_of_integers(query: &Query, name: &str) -> bool {
    let (path, name) = match name.rsplit_once('.') {
        Some((path, name)) => (crate::query::target(query.model(), path), name),
        None => (Some(query.model()), name),
    };
    let column = path.and_then(|model| model.columns().get(model.column_position(name)?));
    column.is_some_and(|column| {
        let ty = column.attribute_type();
        ty.kind == relata::attribute::Kind::Int && ty.labels().is_empty()
    })
}

/// A value in a condition; a record stands for its key.
fn bound(value: &Value) -> Ran<relata::Value<'static>> {
    match value {
        Value::Record(record) => key_of(record),
        value => value
            .to_attribute()
            .ok_or_else(|| Stop::raised("TypeError", format!("can't quote {}", inspect(value)))),
    }
}

fn key_of(record: &Record) -> Ran<relata::Value<'static>> {
    match record.reflection().primary_key_names().next() {
        Some(name) => Ok(record.get(name)?.into_owned()),
        None => Ok(relata::Value::Null),
    }
}

/// `where(author: ann)`: the owner's key is that of the record, of one of the records, or null.
fn by_association(query: &Query, path: Option<&str>, name: &str, value: &Value) -> Ran<Query> {
    let model = path
        .and_then(|path| crate::query::target(query.model(), path))
        .unwrap_or(query.model());
    let Some(reflection) = model.reflect_on_association(name) else {
        return Err(no_column(name));
    };
    let full = path.map_or_else(|| name.to_owned(), |path| format!("{path}.{name}"));
    let fits = |record: &Record| reflection.leads_to(record.reflection());
    let items = match value {
        Value::List(list) => list.items(),
        one => vec![one.clone()],
    };
    let records: Option<Vec<Record>> = items
        .iter()
        .map(|item| match item {
            Value::Record(record) if fits(record) => Some(record.clone()),
            _ => None,
        })
        .collect();
    let relation = query.relation.clone();
    match (value, records) {
        (Value::Nil, _) => Ok(query.with(relation.filter_nowhere(&full)?)),
        (Value::Query(other), _) => {
            let rows = other.relation.clone();
            Ok(query.with(relation.filter_rows(&full, rows)?))
        }
        (Value::Collection(members), _) => {
            Ok(query.with(relation.filter_rows(&full, members.relation())?))
        }
        (_, Some(records)) => Ok(query.with(relation.filter_records(&full, &records)?)),
        // Keys, or records of other models, which stand for theirs.
        _ => {
            let resolved = model.resolve(model.association(name)?)?;
            let &[mine] = &*resolved.owner_key else {
                return Err(Stop::unsupported("where by the values of a composite key"));
            };
            let column = model.columns()[mine].name();
            let column = path.map_or_else(|| column.to_owned(), |path| format!("{path}.{column}"));
            let key = |item: &Value| match item {
                Value::Record(record) => key_of(record).map(|key| Value::of_attribute(&key)),
                other => Ok(other.clone()),
            };
            let values = items.iter().map(key).collect::<Ran<Vec<_>>>()?;
            match (value, values.as_slice()) {
                (Value::List(_), _) => by_column(query, &column, &Value::list(values)),
                (_, [one]) => by_column(query, &column, one),
                _ => Err(no_column(&column)),
            }
        }
    }
}

/// The methods of `where` without arguments.
pub(super) fn chain(query: &Query, name: &str, args: &Args) -> Ran<Value> {
    match name {
        "not" => Ok(Value::query(exclude(query, args)?)),
        "missing" | "associated" => {
            let mut query = query.clone();
            for association in &args.all {
                query = presence(&query, &association.to_text(), name == "associated")?;
            }
            Ok(Value::query(query))
        }
        _ => Err(Stop::NoMethod(format!("the where chain method `{name}`"))),
    }
}

/// `where.not`: what a relation with these conditions alone would keep is left out.
fn exclude(query: &Query, args: &Args) -> Ran<Query> {
    let alone = query.with(Relation::unscoped(query.model(), query.relation.db()));
    let alone = filter(&alone, args)?.relation.invert_filter();
    Ok(query.with(query.relation.clone().merge(alone)?))
}

fn presence(query: &Query, name: &str, associated: bool) -> Ran<Query> {
    let model = query.model();
    if model.reflect_on_association(name).is_none() {
        return Err(Stop::argument(format!(
            "An association named `:{name}` does not exist on the model `{}`.",
            model.name()
        )));
    }
    let relation = query.relation.clone();
    let relation = if associated {
        relation.associated_named(name)?
    } else {
        relation.missing_named(name)?
    };
    let mut query = query.with(relation);
    query.joined.push(name.to_owned());
    Ok(query)
}

/// The name of a column as a relation takes it: `posts.title` by the path that leads to that table.
pub(super) fn column_named(query: &Query, name: &str) -> Ran<String> {
    match name.replace('"', "").split_once('.') {
        Some((table, column)) if table == query.model().table() => Ok(column.to_owned()),
        Some((table, column)) => match query.path_to(table) {
            Some(path) => Ok(format!("{path}.{column}")),
            None => Err(Stop::unsupported(format!("the SQL {name}"))),
        },
        None => Ok(name.to_owned()),
    }
}

/// The paths that names, lists and maps of names say: `comments.author`.
pub(super) fn paths(value: &Value) -> Vec<String> {
    match value {
        Value::Name(name) | Value::Text(name) => vec![name.to_string()],
        Value::List(list) => list.items().iter().flat_map(paths).collect(),
        Value::Map(map) => map
            .iter()
            .flat_map(|(key, inner)| {
                let key = key.to_text();
                let below = paths(inner);
                if below.is_empty() {
                    return vec![key];
                }
                below.iter().map(|path| format!("{key}.{path}")).collect()
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// `order`: names, maps of names to directions, and SQL as far as it is a column and a direction.
pub(super) fn order(query: &Query, args: &Args) -> Ran<Query> {
    let mut query = query.clone();
    for value in args.with_map() {
        let terms = match &value {
            Value::Name(name) => vec![name.to_string()],
            Value::Text(sql) => sql
                .split(',')
                .map(|term| named_term(&query, term.trim()))
                .collect::<Ran<_>>()?,
            Value::Map(map) => {
                let mut terms = Vec::new();
                for (key, value) in map.iter() {
                    terms.extend(directed(&query, &key.to_text(), value)?);
                }
                terms
            }
            other => return Err(Stop::unsupported(format!("order by {}", inspect(other)))),
        };
        for term in terms {
            for term in of_key(&query, term) {
                let ordered = query.relation.clone().order_by(&term);
                query = query.with(ordered.map_err(of_column)?);
            }
        }
    }
    Ok(query)
}

/// An order by `id`, which of a key of several columns is one by each.
fn of_key(query: &Query, term: String) -> Vec<String> {
    let model = query.model();
    let (name, direction) = term.split_once(' ').unwrap_or((&term, "asc"));
    if name != "id" || model.column_position("id").is_some() {
        return vec![term];
    }
    let names = model.primary_key_names();
    names.map(|name| format!("{name} {direction}")).collect()
}

/// What the database would say of a column that there is not.
pub(super) fn of_column(error: relata::Error) -> Stop {
    match error.kind() {
        relata::ErrorKind::UnknownAttribute => Stop::raised(
            "ActiveRecord::StatementInvalid",
            format!("no such column: {error}"),
        ),
        _ => error.into(),
    }
}

fn directed(query: &Query, key: &str, value: &Value) -> Ran<Vec<String>> {
    match value {
        Value::Map(inner) => {
            let Some(path) = query.path_to(key) else {
                return Err(no_column(key));
            };
            Ok(inner
                .iter()
                .map(|(column, direction)| {
                    format!("{path}.{} {}", column.to_text(), direction.to_text())
                })
                .collect())
        }
        direction => Ok(vec![format!("{key} {}", direction.to_text())]),
    }
}

/// `posts.title DESC` as `posts.title desc`, by the path of the association whose table that is.
fn named_term(query: &Query, term: &str) -> Ran<String> {
    let (column, direction) = term.split_once(' ').unwrap_or((term, "asc"));
    let plain = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_alphanumeric() || c == '_' || c == '"')
    };
    let sql = || Stop::unsupported(format!("order by the SQL {term}"));
    let column = column.replace('"', "");
    let name = match column.split_once('.') {
        None if plain(&column) => column.clone(),
        Some((table, name)) if table == query.model().table() && plain(name) => name.to_owned(),
        Some((table, name)) if plain(table) && plain(name) => match query.path_to(table) {
            Some(path) => format!("{path}.{name}"),
            None => return Err(no_column(&column)),
        },
        _ => return Err(sql()),
    };
    match direction.trim().to_ascii_lowercase().as_str() {
        direction @ ("asc" | "desc") => Ok(format!("{name} {direction}")),
        _ => Err(sql()),
    }
}

/// A named scope or a method that modules add, on a relation.
pub(super) fn shared(query: &Arc<Query>) -> Value {
    Value::Query(Arc::clone(query))
}
