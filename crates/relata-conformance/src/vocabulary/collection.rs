//! The methods of a collection: what it does itself, and else what a relation of its members does.

use std::sync::Arc;

use relata::{Association, Record};

use super::{assign, conditions, enumerable, generated, missing, query};
use crate::eval::Args;
use crate::stop::{Ran, Stop, is_soft};
use crate::value::Value;
use crate::world::World;

pub(super) async fn call(
    world: &Arc<World>,
    association: &Association,
    name: &str,
    args: Args,
) -> Ran<Value> {
    let this = || Value::Collection(association.clone());
    if let Some(value) = added(world, association, name, &args).await {
        return value;
    }
    if let Some(value) = write(world, association, name, &args).await {
        return value;
    }
    if let Some(value) = look(world, association, name, &args).await {
        return value;
    }
    let goes_through = args.block.is_some() || IN_MEMORY.contains(&name);
    if goes_through && enumerable::is_method(name) {
        let items = super::items(world, &this()).await?;
        return enumerable::call(world, items, name, &args).await;
    }
    let members = Arc::new(conditions::of_collection(association));
    match query::call(world, &members, name, args).await {
        Err(Stop::NoMethod(_)) => Err(missing(&this(), name)),
        done => done,
    }
}

/// Methods that load the members and then go through them.
const IN_MEMORY: &[&str] = &[
    "each",
    "map",
    "collect",
    "flat_map",
    "to_a",
    "to_ary",
    "records",
    "length",
    "[]",
    "index",
    "sort_by",
    "reverse",
    "uniq",
    "compact",
    "group_by",
    "each_with_index",
    "+",
    "-",
    "&",
    "reject",
    "partition",
    "inject",
    "join",
];

/// Methods of extensions and modules.
async fn added(
    world: &Arc<World>,
    association: &Association,
    name: &str,
    args: &Args,
) -> Option<Ran<Value>> {
    let model = association.owner().reflection().name();
    let declaration = world.declaration(model, association.reflection().name(), &["has_many"])?;
    let own = declaration
        .extension
        .iter()
        .find(|method| method.name == name)
        .cloned();
    let modules = declaration.options.get("extend");
    let modules = match modules {
        Some(serde_json::Value::Array(all)) => all.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let shared = || {
        modules
            .iter()
            .filter_map(|module| module.get("$module")?.as_str())
            .find_map(|module| world.module_method(module, name, false))
    };
    let method = own.or_else(shared)?;
    let this = Value::Collection(association.clone());
    Some(world.run_method(&this, &method, args.with_map()).await)
}

/// The methods that write.
async fn write(
    world: &Arc<World>,
    association: &Association,
    name: &str,
    args: &Args,
) -> Option<Ran<Value>> {
    let this = || Value::Collection(association.clone());
    Some(match name {
        "build" | "new" => build(world, association, args).await,
        "create" | "create!" => create(world, association, args, name == "create!").await,
        "<<" | "push" | "append" | "concat" => {
            push(world, association, args).await.map(|()| this())
        }
        "prepend" => Err(Stop::raised(
            "NoMethodError",
            "prepend on association is not defined. Please use <<, push or append",
        )),
        "delete" | "destroy" | "delete_all" | "destroy_all" | "clear" | "replace" => {
            Err(Stop::unsupported(format!("{name} of a collection by name")))
        }
        _ => return None,
    })
}

async fn build(world: &Arc<World>, association: &Association, args: &Args) -> Ran<Value> {
    if let Some(Value::List(list)) = args.all.first() {
        let mut built = Vec::new();
        for entry in list.items() {
            let args = Args {
                block: args.block.clone(),
                ..Args::of(vec![entry])
            };
            built.push(Box::pin(build(world, association, &args)).await?);
        }
        return Ok(Value::list(built));
    }
    let member = association.build()?;
    generated::fill(world, &member, args).await?;
    Ok(Value::Record(member))
}

async fn create(
    world: &Arc<World>,
    association: &Association,
    args: &Args,
    fails: bool,
) -> Ran<Value> {
    if let Some(Value::List(list)) = args.all.first() {
        let mut created = Vec::new();
        for entry in list.items() {
            let args = Args {
                block: args.block.clone(),
                ..Args::of(vec![entry])
            };
            created.push(Box::pin(create(world, association, &args, fails)).await?);
        }
        return Ok(Value::list(created));
    }
    if association.owner().is_new_record() {
        return Err(Stop::raised(
            "ActiveRecord::RecordNotSaved",
            "You cannot call create unless the parent is saved",
        ));
    }
    let member = association.build()?;
    generated::fill(world, &member, args).await?;
    match member.save().await {
        Err(error) if fails || !is_soft(&error) => Err(error.into()),
        _ => Ok(Value::Record(member)),
    }
}

async fn push(world: &Arc<World>, association: &Association, args: &Args) -> Ran<()> {
    let records = assign::records(world, association, &Value::list(args.all.clone())).await?;
    association.concat(records).await?;
    Ok(())
}

/// The methods that look at the members in memory, or ask for less than all of them.
async fn look(
    world: &Arc<World>,
    association: &Association,
    name: &str,
    args: &Args,
) -> Option<Ran<Value>> {
    let this = || Value::Collection(association.clone());
    let plain = args.block.is_none();
    Some(match (name, args.all.as_slice()) {
        ("loaded?", []) => Ok(Value::Bool(association.is_loaded())),
        ("target", []) => Ok(Value::records(association.target())),
        ("proxy_association", []) => Ok(Value::Association(association.clone())),
        ("scope", []) => Ok(Value::query(conditions::of_collection(association))),
        ("reset", []) => {
            association.reset();
            Ok(this())
        }
        ("load", []) => association
            .load_many()
            .await
            .map(|_| this())
            .map_err(Stop::from),
        ("reload", []) => {
            association.reset();
            association
                .load_many()
                .await
                .map(|_| this())
                .map_err(Stop::from)
        }
        ("ids", []) => ids(association).await,
        ("size", []) => size(association).await.map(Value::count),
        ("empty?", []) => any(association).await.map(|any| Value::Bool(!any)),
        ("any?", []) if plain => any(association).await.map(Value::Bool),
        ("none?", []) if plain => any(association).await.map(|any| Value::Bool(!any)),
        ("many?", []) if plain => size(association).await.map(|size| Value::Bool(size > 1)),
        ("one?", []) if plain => size(association).await.map(|size| Value::Bool(size == 1)),
        ("include?", [Value::Record(record)]) => {
            include(association, record).await.map(Value::Bool)
        }
        ("include?", [_]) => Ok(Value::Bool(false)),
        ("first" | "last" | "take" | "second" | "third" | "pluck", _)
            if plain && association.is_loaded() =>
        {
            in_memory(world, association, name, args).await
        }
        _ => return None,
    })
}

/// What needs no query, because the members are in memory.
async fn in_memory(
    world: &Arc<World>,
    association: &Association,
    name: &str,
    args: &Args,
) -> Ran<Value> {
    let members = association.load_many().await?;
    if name != "pluck" {
        let name = match (name, args.all.is_empty()) {
            ("take", true) => "first",
            (name, _) => name,
        };
        let items = members.into_iter().map(Value::Record).collect();
        return enumerable::call(world, items, name, args).await;
    }
    let mut rows = Vec::new();
    for member in &members {
        let values = args
            .all
            .iter()
            .map(|name| Ok(Value::of_attribute(&member.get(&name.to_text())?)))
            .collect::<Ran<Vec<_>>>()?;
        rows.push(match <[Value; 1]>::try_from(values) {
            Ok([one]) => one,
            Err(values) => Value::list(values),
        });
    }
    Ok(Value::list(rows))
}

/// `comment_ids`.
pub(super) async fn ids(association: &Association) -> Ran<Value> {
    let Some(key) = association.resolved().target.primary_key_names().next() else {
        return Err(Stop::unsupported(
            "the keys of members without a primary key",
        ));
    };
    if association.is_loaded() {
        let members = association.load_many().await?;
        let keys = members
            .iter()
            .map(|member| Ok(Value::of_attribute(&member.get(key)?)));
        return Ok(Value::list(keys.collect::<Ran<Vec<_>>>()?));
    }
    let rows = association.relation().pluck_named([key]).await?;
    Ok(Value::list(rows.iter().flatten().map(Value::of_attribute)))
}

async fn size(association: &Association) -> Ran<usize> {
    let members = association.target();
    if association.is_loaded() {
        return Ok(members.len());
    }
    let unsaved = members
        .iter()
        .filter(|member| member.is_new_record())
        .count();
    let stored = association.relation().count().await?;
    Ok(usize::try_from(stored).unwrap_or(usize::MAX) + unsaved)
}

async fn any(association: &Association) -> Ran<bool> {
    let members = association.target();
    if association.is_loaded() || !members.is_empty() {
        return Ok(!members.is_empty());
    }
    Ok(association.relation().exists().await?)
}

async fn include(association: &Association, record: &Record) -> Ran<bool> {
    let members = association.target();
    if association.is_loaded() || record.is_new_record() || members.contains(record) {
        return Ok(members.contains(record));
    }
    let Some(name) = record.reflection().primary_key_names().next() else {
        return Ok(false);
    };
    let key = record.get(name)?.into_owned();
    Ok(association
        .relation()
        .filter_by(name, key)?
        .exists()
        .await?)
}
