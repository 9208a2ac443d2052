//! The methods of a collection: what it does itself, and else what a relation of its members does.

use std::sync::Arc;

use relata::association::Removal;
use relata::{Association, Record, Relation};

use super::{assign, enumerable, generated, missing, query};
use crate::eval::{Args, Env};
use crate::query::Query;
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
    let members = Arc::new(query_of(world, association).await?);
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
    "each_slice",
    "each_with_index",
    "blank?",
    "present?",
    "member?",
    "tally",
    "zip",
    "+",
    "-",
    "&",
    "reject",
    "partition",
    "inject",
    "join",
];

/// The members as a relation, which has the methods that the association adds.
async fn query_of(world: &Arc<World>, association: &Association) -> Ran<Query> {
    let mut query = Query::of(association.relation());
    query.members_of = Some(association.clone());
    query.is_whole = true;
    let model = association.owner().reflection().name();
    let name = association.reflection().name();
    let Some(declaration) =
        world.declaration(model, name, &["has_many", "has_and_belongs_to_many"])
    else {
        return Ok(query);
    };
    query.methods = declaration.extension;
    let modules = match declaration.options.get("extend") {
        Some(serde_json::Value::Array(all)) => all.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let named = |module: &serde_json::Value| Some(module.get("$module")?.as_str()?.into());
    query.modules = modules.into_iter().filter_map(named).collect();
    // A scope may add modules too.
    if let Some(code) = declaration.scope {
        let this = Value::query(Query::of(Relation::unscoped(query.model(), &world.db)));
        let owner = Value::Record(association.owner().clone());
        let scoped = world
            .run_code(&Env::of_method(this), &code, vec![owner])
            .await?;
        if let Value::Query(scoped) = scoped {
            query.modules.extend(scoped.modules.iter().cloned());
        }
    }
    Ok(query)
}

/// Methods that the association, or a module, adds.
async fn added(
    world: &Arc<World>,
    association: &Association,
    name: &str,
    args: &Args,
) -> Option<Ran<Value>> {
    let query = match query_of(world, association).await {
        Ok(query) => query,
        Err(stop) => return Some(Err(stop)),
    };
    let own = query
        .methods
        .iter()
        .find(|method| method.name == name)
        .cloned();
    let shared = || {
        let modules = query.modules.iter();
        modules
            .filter_map(|module| world.module_method(module, name, false))
            .next()
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
    Some(match (name, args.all.as_slice()) {
        ("build" | "new", _) => build(world, association, args).await,
        ("create" | "create!", _) => create(world, association, args, name == "create!").await,
        ("<<" | "push" | "append" | "concat", _) => push(world, association, args).await,
        ("prepend", _) => Err(Stop::raised(
            "NoMethodError",
            "prepend on association is not defined. Please use <<, push or append",
        )),
        ("delete" | "destroy", []) => Ok(Value::Nil),
        ("delete" | "destroy", members) => {
            take_out(world, association, name == "destroy", members).await
        }
        ("delete_all", how) => delete_all(association, how).await,
        ("destroy_all", []) => (association.destroy_all().await)
            .map(Value::records)
            .map_err(Stop::from),
        ("clear", []) => (association.clear().await)
            .map(|()| this())
            .map_err(Stop::from),
        ("replace", [members]) => assign::association(world, association, members)
            .await
            .map(|()| Value::records(association.target())),
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
    let member = generated::made(world, association, args).await?;
    Ok(match association.add_member(&member)? {
        true => Value::Record(member),
        // A callback left it out.
        false => Value::Nil,
    })
}

pub(super) fn is_about(error: &relata::Error, record: &Record) -> bool {
    error.erased_record().is_some_and(|one| one.is(record))
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
    let member = generated::made(world, association, args).await?;
    match association.create_member(&member).await {
        // A callback rolled it back: that is no error to Rails.
        Err(error) if error.kind() == relata::ErrorKind::Rollback => {
            association.add_to_target(&member)?;
            Ok(Value::Record(member))
        }
        // A callback left it out.
        Err(error) if !fails && error.is_record_not_saved() && is_about(&error, &member) => {
            Ok(Value::Record(member))
        }
        Err(error) if fails || !error.is_record_invalid() => Err(error.into()),
        Err(_) => {
            // Rails leaves it in the collection; to relata that is a second thing to ask for.
            association.add_to_target(&member)?;
            Ok(Value::Record(member))
        }
        Ok(()) => Ok(Value::Record(member)),
    }
}

async fn push(world: &Arc<World>, association: &Association, args: &Args) -> Ran<Value> {
    let records = assign::records(world, association, &Value::list(args.all.clone())).await?;
    match association.concat(records).await {
        Ok(()) => Ok(Value::Collection(association.clone())),
        // What goes through others is saved with its error.
        Err(error) if association.owner().is_persisted() && is_through(association) => {
            Err(error.into())
        }
        Err(error) if is_soft(&error) => Ok(Value::Nil),
        Err(error) => Err(error.into()),
    }
}

fn is_through(association: &Association) -> bool {
    let reflection = association.reflection();
    reflection.through().is_some()
        || reflection.is_over_rows_between()
        || reflection.macro_kind() == relata::reflection::Macro::HasAndBelongsToMany
}

/// `delete` and `destroy` of members, or of the members with these keys.
async fn take_out(
    world: &Arc<World>,
    association: &Association,
    destroys: bool,
    members: &[Value],
) -> Ran<Value> {
    let by_key = |value: &Value| matches!(value, Value::Int(_) | Value::Text(_));
    let taken = if !members.is_empty() && members.iter().all(by_key) {
        let keys = members.iter().map(query::key).collect::<Ran<Vec<_>>>()?;
        match destroys {
            true => association.destroy_keys(keys).await?,
            false => association.delete_keys(keys).await?,
        }
    } else {
        let records = assign::records(world, association, &Value::list(members.to_vec())).await?;
        match destroys {
            true => association.destroy(records).await?,
            false => association.delete(records).await?,
        }
    };
    // A callback kept them.
    if taken.is_empty() {
        return Ok(Value::Nil);
    }
    Ok(Value::records(taken))
}

async fn delete_all(association: &Association, how: &[Value]) -> Ran<Value> {
    let rows = match how.first().and_then(Value::as_text) {
        None if how.is_empty() => association.delete_all().await?,
        Some("nullify") => association.delete_all_with(Removal::Nullify).await?,
        Some("delete_all") => association.delete_all_with(Removal::Delete).await?,
        _ => {
            return Err(Stop::argument("Valid values are :delete_all or :nullify"));
        }
    };
    Ok(Value::Int(i64::try_from(rows).unwrap_or(i64::MAX)))
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
        ("scope", []) => query_of(world, association).await.map(Value::query),
        ("reset", []) => {
            association.reset();
            Ok(this())
        }
        ("load", []) => association
            .load_many()
            .await
            .map(|_| this())
            .map_err(Stop::from),
        ("reload", []) => (association.reload().await)
            .map(|()| this())
            .map_err(Stop::from),
        ("ids", []) => ids(association).await,
        ("size", []) => (association.size().await)
            .map(|size| Value::Int(i64::try_from(size).unwrap_or(i64::MAX)))
            .map_err(Stop::from),
        ("length", []) => (association.len().await)
            .map(Value::count)
            .map_err(Stop::from),
        ("count", []) if plain => (association.count().await)
            .map(|count| Value::Int(i64::try_from(count).unwrap_or(i64::MAX)))
            .map_err(Stop::from),
        ("empty?" | "none?", []) if plain => (association.is_empty().await)
            .map(Value::Bool)
            .map_err(Stop::from),
        ("any?", []) if plain => answer(association.any().await),
        ("many?", []) if plain => answer(association.many().await),
        ("one?", []) if plain => answer(association.one().await),
        ("include?", [Value::Record(record)]) => answer(association.contains(record).await),
        ("include?", [_]) => Ok(Value::Bool(false)),
        ("first", []) if plain => one(association.first().await),
        ("last", []) if plain => one(association.last().await),
        ("take", []) if plain => one(association.take().await),
        ("first", [Value::Int(rows)]) => some(association.first_n(rows.unsigned_abs()).await),
        ("last", [Value::Int(rows)]) => some(association.last_n(rows.unsigned_abs()).await),
        ("take", [Value::Int(rows)]) => some(association.take_n(rows.unsigned_abs()).await),
        ("first!", []) => or_fail(world, association, association.first().await).await,
        ("last!", []) => or_fail(world, association, association.last().await).await,
        ("take!", []) => or_fail(world, association, association.take().await).await,
        (place, []) if enumerable::nth(place).is_some() && looks_in_memory(association) => {
            let found = association.load_many().await.map(|members| {
                enumerable::at(&members, enumerable::nth(place).unwrap_or_default()).cloned()
            });
            match place.ends_with('!') {
                true => or_fail(world, association, found).await,
                false => one(found),
            }
        }
        ("sole", []) if association.is_loaded() => {
            let members = association.target();
            let model = association.reflection().target_name();
            match members.as_slice() {
                [one] => Ok(Value::Record(one.clone())),
                [] => Err(Stop::raised(
                    "ActiveRecord::RecordNotFound",
                    format!("Couldn't find {model}"),
                )),
                _ => Err(Stop::raised(
                    "ActiveRecord::SoleRecordExceeded",
                    format!("Wanted only one {model}"),
                )),
            }
        }
        ("find", [_, ..]) if plain => find(association, &args.all).await,
        // An owner that is not saved has no rows, whatever is in memory.
        ("pluck", _) if association.is_loaded() && !association.owner().is_new_record() => {
            in_memory(association, args).await
        }
        ("pick", _) if association.is_loaded() && !association.owner().is_new_record() => {
            first_in_memory(association, args).await
        }
        _ => return None,
    })
}

fn answer(answer: relata::Result<bool>) -> Ran<Value> {
    answer.map(Value::Bool).map_err(Stop::from)
}

fn one(found: relata::Result<Option<Record>>) -> Ran<Value> {
    found.map(Value::record).map_err(Stop::from)
}

async fn or_fail(
    world: &Arc<World>,
    association: &Association,
    found: relata::Result<Option<Record>>,
) -> Ran<Value> {
    match found? {
        Some(record) => Ok(Value::Record(record)),
        None => Err(query::not_found(&query_of(world, association).await?)),
    }
}

/// Whether a member is looked for in memory: the members are there, or some that no row has.
fn looks_in_memory(association: &Association) -> bool {
    let owner = association.owner();
    association.is_loaded()
        || owner.is_new_record()
        || (owner.strict_loading_mode() == Some(relata::record::StrictLoading::All))
        || association
            .target()
            .iter()
            .any(|one| one.is_new_record() || one.is_changed())
}

fn some(found: relata::Result<Vec<Record>>) -> Ran<Value> {
    found.map(Value::records).map_err(Stop::from)
}

/// `find`: one key, several, or a list of them.
async fn find(association: &Association, keys: &[Value]) -> Ran<Value> {
    let several = association
        .klass()?
        .is_some_and(|one| one.primary_key().len() > 1);
    let (keys, many) = match keys {
        [Value::List(list)]
            if several && !list.items().iter().any(|one| matches!(one, Value::List(_))) =>
        {
            (keys.to_vec(), false)
        }
        [Value::List(list)] => (list.items(), true),
        keys => (keys.to_vec(), keys.len() > 1),
    };
    let keys = keys.iter().map(query::key).collect::<Ran<Vec<_>>>()?;
    match (keys.as_slice(), many) {
        ([key], false) => Ok(Value::Record(association.find_key(key.clone()).await?)),
        _ => Ok(Value::records(association.find_keys(keys).await?)),
    }
}

/// `pluck` of members that are in memory.
async fn in_memory(association: &Association, args: &Args) -> Ran<Value> {
    let mut rows = Vec::new();
    for member in &association.load_many().await? {
        let values = args
            .all
            .iter()
            .map(|name| match name.to_text().as_str() {
                "id" => generated::key(member),
                name => Ok(Value::of_attribute(&member.get(name)?)),
            })
            .collect::<Ran<Vec<_>>>()?;
        rows.push(match <[Value; 1]>::try_from(values) {
            Ok([one]) => one,
            Err(values) => Value::list(values),
        });
    }
    Ok(Value::list(rows))
}

/// `pick` of members that are in memory.
async fn first_in_memory(association: &Association, args: &Args) -> Ran<Value> {
    match in_memory(association, args).await? {
        Value::List(rows) => Ok(rows.items().into_iter().next().unwrap_or(Value::Nil)),
        other => Ok(other),
    }
}

/// `comment_ids`.
pub(super) async fn ids(association: &Association) -> Ran<Value> {
    let key = |values: Vec<relata::Value<'static>>| {
        let mut values: Vec<Value> = values.iter().map(Value::of_attribute).collect();
        match values.len() {
            1 => values.swap_remove(0),
            _ => Value::list(values),
        }
    };
    // Members in memory are asked for their keys, those that have none too.
    if association.target().iter().any(Record::is_new_record) {
        let members = association.load_many().await?;
        let keys = members.iter().map(generated::key);
        return Ok(Value::list(keys.collect::<Ran<Vec<_>>>()?));
    }
    Ok(Value::list(association.ids().await?.into_iter().map(key)))
}
