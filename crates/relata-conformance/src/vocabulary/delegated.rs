//! What a delegated type adds to a model: predicates, accessors and scopes for each of its types.

use relata::reflection::{AssociationReflection, ModelReflection};
use relata::{Record, Relation};

use crate::stop::{Ran, Stop};
use crate::value::{Class, Value};

fn delegated(
    model: &'static ModelReflection,
) -> impl Iterator<Item = &'static AssociationReflection> {
    let all = model.reflections().iter();
    all.filter(|one| one.is_delegated())
}

/// `admin_comment` of `AdminComment`.
fn singular(class: &str) -> String {
    relata_inflect::singularize(&relata_inflect::tableize(class).replace('/', "_"))
}

/// What a method of a record means.
enum Means {
    Class,
    Name,
    Is(&'static str),
    Target(&'static str),
    Key(&'static str),
}

fn means(
    model: &'static ModelReflection,
    name: &str,
) -> Option<(&'static AssociationReflection, Means)> {
    for one in delegated(model) {
        let role = one.name();
        if let Some(what) = name.strip_prefix(role) {
            match what {
                "_class" => return Some((one, Means::Class)),
                "_name" => return Some((one, Means::Name)),
                _ => {}
            }
        }
        for &class in one.delegates() {
            let singular = singular(class);
            let found = match name.strip_prefix(singular.as_str()) {
                Some("?") => Means::Is(class),
                Some("") => Means::Target(class),
                Some("_id") => Means::Key(class),
                _ => continue,
            };
            return Some((one, found));
        }
    }
    None
}

/// Whether a record answers to it.
pub(super) fn answers(model: &'static ModelReflection, name: &str) -> bool {
    means(model, name).is_some()
}

/// A method of a record.
pub(super) async fn of_record(record: &Record, name: &str) -> Option<Ran<Value>> {
    let (one, means) = means(record.reflection(), name)?;
    Some(read(record, one, means).await)
}

async fn read(record: &Record, one: &AssociationReflection, means: Means) -> Ran<Value> {
    let held = record.get(&one.type_name().unwrap_or_default())?;
    let held = held.as_str();
    let named = || {
        held.ok_or_else(|| {
            Stop::raised(
                "NoMethodError",
                "undefined method `constantize' for nil:NilClass",
            )
        })
    };
    Ok(match means {
        Means::Class => Value::Class(Class::Model(named()?.into())),
        Means::Name => Value::text(&singular(named()?)),
        Means::Is(class) => Value::Bool(held == Some(class)),
        Means::Target(class) if held == Some(class) => {
            Value::record(record.association(one.name())?.load_one().await?)
        }
        Means::Key(class) if held == Some(class) => {
            let key = format!("{}_id", one.name());
            Value::of_attribute(&record.get(&key)?)
        }
        Means::Target(_) | Means::Key(_) => Value::Nil,
    })
}

/// The types of a delegated type: `entryable_types`.
pub(super) fn types(model: &'static ModelReflection, name: &str) -> Option<Value> {
    let role = name.strip_suffix("_types")?;
    let one = delegated(model).find(|one| one.name() == role)?;
    Some(Value::list(
        one.delegates().iter().map(|class| Value::text(class)),
    ))
}

/// The scope of one of the types: `messages`.
pub(super) fn scope(relation: &Relation, name: &str) -> Option<Ran<Relation>> {
    for one in delegated(relation.reflection()) {
        let plural = |class: &&&str| relata_inflect::tableize(class).replace('/', "_") == name;
        if let Some(&class) = one.delegates().iter().find(plural) {
            let column = one.type_name().unwrap_or_default();
            return Some(
                relation
                    .clone()
                    .filter_by(&column, class)
                    .map_err(Into::into),
            );
        }
    }
    None
}
