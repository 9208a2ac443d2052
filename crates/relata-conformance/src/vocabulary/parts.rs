//! The smaller objects that a record gives: its errors, an association by itself, a preloader.

use relata::{Association, Record, Relation};

use super::{conditions, missing};
use crate::eval::Args;
use crate::stop::{Ran, Stop};
use crate::value::{Loads, Reflection, Value};

pub(super) fn errors(record: &Record, name: &str, args: &Args) -> Ran<Value> {
    let errors = record.errors();
    let texts = |all: Vec<String>| Value::list(all.iter().map(|text| Value::text(text)));
    let names = || errors.attribute_names();
    Ok(match (name, args.all.as_slice()) {
        ("full_messages" | "to_a", []) => texts(errors.full_messages()),
        ("attribute_names", []) => Value::list(names().iter().map(|name| Value::name(name))),
        ("[]", [attribute]) => texts(errors.on(&attribute.to_text())),
        ("empty?" | "none?" | "blank?", []) => Value::Bool(errors.is_empty()),
        ("any?" | "present?", []) => Value::Bool(!errors.is_empty()),
        ("size" | "count" | "length", []) => Value::count(errors.len()),
        ("include?" | "key?", [attribute]) => {
            Value::Bool(!errors.on(&attribute.to_text()).is_empty())
        }
        ("full_messages_for", [attribute]) => {
            let attribute = attribute.to_text();
            let all = errors.to_vec();
            let of = all.iter().filter(|problem| problem.attribute == attribute);
            texts(of.map(relata::Problem::full_message).collect())
        }
        ("messages" | "to_hash", []) => Value::map(
            names()
                .iter()
                .map(|name| (Value::name(name), texts(errors.on(name)))),
        ),
        ("add", [attribute, message, ..]) => {
            let kind = match message {
                Value::Name(kind) => kind.to_string().leak(),
                _ => "invalid",
            };
            let message = args.option("message").unwrap_or_else(|| message.clone());
            errors.add(attribute.to_text(), kind, message.to_text());
            Value::Nil
        }
        ("clear", []) => {
            errors.clear();
            Value::list([])
        }
        ("details", []) => {
            let problems = errors.to_vec();
            let one = |attribute: &String| {
                let of = problems
                    .iter()
                    .filter(|problem| problem.attribute == *attribute);
                let detail = |problem: &relata::Problem| {
                    let error = (Value::name("error"), Value::name(problem.kind));
                    let options = problem.options.iter();
                    // Rails keeps what the rule was given, not the value that broke it, of these kinds.
                    let options = options
                        .map(|(name, value)| (Value::name(name), Value::of_attribute(value)));
                    Value::map(std::iter::once(error).chain(options))
                };
                (Value::name(attribute), Value::list(of.map(detail)))
            };
            Value::map(names().iter().map(one))
        }
        _ => return Err(missing(&Value::Errors(record.clone()), name)),
    })
}

pub(super) fn association(association: &Association, name: &str, args: &Args) -> Ran<Value> {
    let one = || association.target().into_iter().next();
    Ok(match (name, args.all.as_slice()) {
        ("loaded?", []) => Value::Bool(association.is_loaded()),
        ("owner", []) => Value::Record(association.owner().clone()),
        ("stale_target?", []) => Value::Bool(association.is_stale()),
        ("target", []) if association.reflection().is_collection() => {
            Value::records(association.target())
        }
        ("target", []) => Value::record(one()),
        ("add_to_target", [Value::Record(member)]) => {
            association.add_to_target(member)?;
            Value::Record(member.clone())
        }
        ("reset", []) => {
            association.reset();
            Value::Nil
        }
        ("reflection", []) => Value::Reflection(Reflection {
            model: association.owner().reflection(),
            declaration: association.reflection(),
        }),
        ("klass", []) => Value::Class(crate::value::Class::Model(
            association.resolved().target.name().into(),
        )),
        _ => return Err(missing(&Value::Association(association.clone()), name)),
    })
}

pub(super) async fn preloader(preloader: &Loads, name: &str) -> Ran<Value> {
    if name != "call" {
        return Err(Stop::NoMethod(format!("the preloader method `{name}`")));
    }
    let Some(first) = preloader.records.first() else {
        return Ok(Value::list([]));
    };
    let paths = conditions::paths(&preloader.associations);
    let loads = relata::loading::Preloader::of(&preloader.records);
    let loads = match &preloader.scope {
        Value::Nil => loads.associations_named(paths.iter().map(String::as_str)),
        Value::Query(scope) => paths.iter().try_fold(loads, |loads, path| {
            narrowed(loads, first, path, &scope.relation)
        })?,
        _ => return Err(Stop::unsupported("a preloader's scope that is no relation")),
    };
    let loaded = loads.available_records(&preloader.available).call().await;
    loaded.map_err(|error| match error.kind() {
        relata::ErrorKind::AssociationNotFound => error.with_record(first.clone()),
        _ => error,
    })?;
    // It gives one loader for each association at the top.
    let mut loaders: Vec<&str> = Vec::new();
    for path in &paths {
        let top = path.split('.').next().unwrap_or_default();
        if !loaders.contains(&top) {
            loaders.push(top);
        }
    }
    Ok(Value::list(loaders.into_iter().map(Value::name)))
}

/// Loads of an association only what a scope keeps.
fn narrowed(
    loads: relata::loading::Preloader<Record>,
    first: &Record,
    path: &str,
    scope: &Relation,
) -> Ran<relata::loading::Preloader<Record>> {
    let model = first.reflection();
    let leads_to_it = |at| Ok::<_, relata::Error>(model.resolve(at)?.target == scope.reflection());
    if !model.association(path).and_then(leads_to_it)? {
        return Err(Stop::unsupported(format!(
            "a preloader's scope of another model than `{path}` leads to"
        )));
    }
    // What cannot be merged is told here.
    let _ = Relation::unscoped(scope.reflection(), scope.db()).merge(scope.clone())?;
    let scope = scope.clone();
    let narrow = move |all: Relation| all.clone().merge(scope.clone()).unwrap_or(all);
    Ok(loads.associations_named_with(path, narrow))
}
