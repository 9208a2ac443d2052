//! The methods of a class: of a model, of a module, and the few of Rails' own classes.

use std::sync::Arc;

use relata::reflection::{Macro, ModelReflection};
use relata::{Record, Relation};
use serde_json::{Map, Value as Json};

use super::{bulk, generated, query};
use crate::eval::{Args, Callable};
use crate::query::Query;
use crate::stop::{ROLLBACK, Ran, Stop, is_soft};
use crate::transcript::Declaration;
use crate::value::{Class, Loads, Reflection, Value};
use crate::world::World;

pub(super) async fn call(world: &Arc<World>, class: &Class, name: &str, args: Args) -> Ran<Value> {
    if name == "name" || name == "to_s" {
        return Ok(Value::text(class.name()));
    }
    if let Some(method) = world.method_on(class, name) {
        let this = Value::Class(class.clone());
        return world.run_method(&this, &method, args.with_map()).await;
    }
    match class {
        Class::Model(model) => match world.model(model) {
            Some(reflection) => of_model(world, reflection, name, args).await,
            None => Err(Stop::raised(
                "NameError",
                format!("uninitialized constant {model}"),
            )),
        },
        Class::Module(module) => match world.module_method(module, name, true) {
            Some(method) => {
                let this = Value::Class(class.clone());
                world.run_method(&this, &method, args.with_map()).await
            }
            None => Err(Stop::NoMethod(format!("the module method `{name}`"))),
        },
        // What every model has.
        Class::Foreign(base) if &**base == "ActiveRecord::Base" && name == "transaction" => {
            transaction(world, &args).await
        }
        Class::Foreign(base) if &**base == "ActiveRecord::Base" && name == "no_touching" => {
            no_touching(world, world.models(), &args).await
        }
        Class::Foreign(full) => foreign(world, full, name, &args),
    }
}

fn foreign(world: &Arc<World>, class: &str, name: &str, args: &Args) -> Ran<Value> {
    match (class, name) {
        ("ActiveRecord::Associations::Preloader", "new") => Ok(Value::Preloader(Arc::new(Loads {
            records: records_of(args, "records"),
            associations: args.option("associations").unwrap_or(Value::Nil),
            available: records_of(args, "available_records"),
            scope: args.option("scope").unwrap_or(Value::Nil),
        }))),
        ("ActiveRecord", "deprecated_associations_options=") => {
            let mode = args
                .option("mode")
                .map_or("warn".to_owned(), |mode| mode.to_text());
            let backtrace = args.option("backtrace").map(|on| on.is_true());
            crate::settings::deprecated_associations(&world.db, &mode.into(), backtrace)?;
            Ok(args.at(0))
        }
        ("ActiveRecord::Associations::Deprecation", "mode=") => {
            let mode = args.at(0).to_text();
            crate::settings::deprecated_associations(&world.db, &mode.into(), None)?;
            Ok(args.at(0))
        }
        _ => Err(Stop::unsupported(format!("{class}.{name}"))),
    }
}

/// The records of an argument: one, or a list of them and of lists.
fn records_of(args: &Args, name: &str) -> Vec<Record> {
    let mut left: Vec<Value> = args.option(name).into_iter().collect();
    let mut records = Vec::new();
    while let Some(value) = left.pop() {
        match value {
            Value::Record(record) => records.push(record),
            Value::List(list) => left.extend(list.items().into_iter().rev()),
            _ => {}
        }
    }
    records
}

async fn of_model(
    world: &Arc<World>,
    model: &'static ModelReflection,
    name: &str,
    args: Args,
) -> Ran<Value> {
    let reflection = |declaration| Value::Reflection(Reflection { model, declaration });
    Ok(match (name, args.all.as_slice()) {
        ("new" | "build", _) => match args.all.first() {
            Some(Value::List(list)) => {
                let mut built = Vec::new();
                for entry in list.items() {
                    built.push(Value::Record(
                        new(world, model, &Args::of(vec![entry])).await?,
                    ));
                }
                Value::list(built)
            }
            _ => Value::Record(new(world, model, &args).await?),
        },
        ("create" | "create!", _) => return create(world, model, &args, name == "create!").await,
        (name, _) if bulk::METHODS.contains(&name) => {
            return bulk::call(world, model, name, &args).await;
        }
        ("transaction", _) => return transaction(world, &args).await,
        ("no_touching", []) => {
            let mut all = vec![model];
            all.extend(model.descendants());
            return no_touching(world, all, &args).await;
        }
        ("increment_counter" | "decrement_counter", [column, keys]) => {
            let by = match args.option("by") {
                Some(Value::Int(by)) => by,
                _ => 1,
            };
            let by = if name == "increment_counter" { by } else { -by };
            let counters = [(column.to_text(), by)];
            return count(world, model, keys, &counters, touches(&args)).await;
        }
        ("update_counters", [keys, ..]) => {
            let entries = args.entries();
            let counters: Vec<(String, i64)> = entries
                .iter()
                .filter(|(name, _)| name.as_text() != Some("touch"))
                .filter_map(|(name, by)| match by {
                    Value::Int(by) => Some((name.to_text(), *by)),
                    _ => None,
                })
                .collect();
            return count(world, model, keys, &counters, touches(&args)).await;
        }
        ("reset_counters", [key, names @ ..]) => {
            let names: Vec<String> = names.iter().map(Value::to_text).collect();
            let key = query::key(key)?;
            let names = names.iter().map(String::as_str);
            let all: Relation = Relation::of(model, &world.db);
            all.reset_counters(key, names, touches(&args)).await?;
            Value::Bool(true)
        }
        ("reflect_on_association", [name]) => model
            .reflect_on_association(&name.to_text())
            .map_or(Value::Nil, |one| reflection(one.declaration())),
        ("reflect_on_all_associations", of) => {
            let kind = match of.first().and_then(Value::as_text) {
                None => None,
                Some("belongs_to") => Some(Macro::BelongsTo),
                Some("has_one") => Some(Macro::HasOne),
                Some("has_many") => Some(Macro::HasMany),
                Some("has_and_belongs_to_many") => Some(Macro::HasAndBelongsToMany),
                Some(_) => return Ok(Value::list([])),
            };
            let all = model.reflect_on_all_associations(kind);
            Value::list(all.map(|one| reflection(one.declaration())))
        }
        ("reflect_on_all_autosave_associations", []) => {
            let autosaved = model
                .reflections()
                .iter()
                .filter(|one| one.autosave() == Some(true));
            Value::list(autosaved.map(reflection))
        }
        ("reflections" | "_reflections", []) => {
            let key = |text: &str| match name {
                "reflections" => Value::text(text),
                _ => Value::name(text),
            };
            // Those that are there for others are shown by the second name alone.
            let all = model.reflections().iter();
            let shown = all.filter(|one| name == "_reflections" || !one.is_over_rows_between());
            Value::map(shown.map(|one| (key(one.name()), reflection(one))))
        }
        (name, []) if labels(model, name).is_some() => labels(model, name).unwrap_or(Value::Nil),
        ("readonly_attributes", []) => {
            let mut kept: Vec<&str> = model.readonly_attributes().collect();
            let declared = world.declarations(model.name());
            let declared = declared.iter().filter(|one| one.kind == "attr_readonly");
            let declared: Vec<&str> = declared
                .flat_map(|one| one.args.iter().filter_map(Json::as_str))
                .collect();
            // In the order of declaration, and those that are so without one at the end.
            let place = |name: &&str| declared.iter().position(|one| one == name);
            kept.sort_by_key(|name| place(name).unwrap_or(usize::MAX));
            Value::list(kept.into_iter().map(Value::text))
        }
        ("locking_column", []) => {
            let column = model.locking_column();
            Value::text(column.map_or("lock_version", |column| column.name()))
        }
        ("locking_enabled?", []) => Value::Bool(model.locking_column().is_some()),
        ("polymorphic_name", []) => Value::text(model.polymorphic_name()),
        ("base_class", []) => Value::Class(Class::Model(model.base().name().into())),
        ("sti_name", []) => Value::text(model.name()),
        ("superclass", []) => match model.parent() {
            Some(parent) => Value::Class(Class::Model(parent.name().into())),
            None => Value::Class(Class::Foreign("ActiveRecord::Base".into())),
        },
        ("descendants" | "subclasses", []) => {
            let below = model.descendants().into_iter();
            let below = below.filter(|one| name == "descendants" || one.parent() == Some(model));
            Value::list(below.map(|one| Value::Class(Class::Model(one.name().into()))))
        }
        ("inheritance_column", []) => match model.type_column() {
            Some(column) => Value::text(model.columns()[column].name()),
            None => Value::text("type"),
        },
        (types, []) if super::delegated::types(model, types).is_some() => {
            super::delegated::types(model, types).unwrap_or(Value::Nil)
        }
        ("table_name", []) => Value::text(model.table()),
        ("primary_key", []) => {
            let mut names: Vec<Value> = model.primary_key_names().map(Value::text).collect();
            match names.len() {
                0 => Value::Nil,
                1 => names.swap_remove(0),
                _ => Value::list(names),
            }
        }
        ("query_constraints_list", []) => {
            let list = model.query_constraints();
            match model.has_query_constraints() || list.len() > 1 {
                true => Value::list(
                    list.iter()
                        .map(|&at| Value::text(model.columns()[at].name())),
                ),
                false => Value::Nil,
            }
        }
        ("column_names" | "attribute_names", []) => Value::list(
            model
                .columns()
                .iter()
                .map(|column| Value::text(column.name())),
        ),
        (
            "belongs_to"
            | "has_one"
            | "has_many"
            | "has_and_belongs_to_many"
            | "validates"
            | "validate"
            | "before_save"
            | "accepts_nested_attributes_for"
            | "attr_readonly"
            | "enum"
            | "scope"
            | "default_scope"
            | "has_secure_password"
            | "delegated_type",
            _,
        ) => {
            declare(world, model, name, &args)?;
            // What the macro gives is the map of the associations so far.
            let model = world.model(model.name()).unwrap_or(model);
            let reflection = |declaration| Value::Reflection(Reflection { model, declaration });
            if name == "has_and_belongs_to_many" {
                let named = model.reflect_on_association(&args.at(0).to_text());
                return Ok(named.map_or(Value::Nil, |one| reflection(one.declaration())));
            }
            Value::map(
                model
                    .reflections()
                    .iter()
                    .map(|one| (Value::name(one.name()), reflection(one))),
            )
        }
        _ => {
            let all = Arc::new(Query::of(Relation::of(model, &world.db)));
            return query::call(world, &all, name, args).await;
        }
    })
}

/// `statuses`: the labels of an enum, and what they stand for.
fn labels(model: &'static ModelReflection, name: &str) -> Option<Value> {
    let mut enumerations = model.enumerations().iter();
    let one = enumerations.find(|one| relata_inflect::pluralize(one.attribute()) == name)?;
    let column = model
        .columns()
        .get(model.column_position(one.attribute())?)?;
    let labels = column.attribute_type().labels().iter();
    Some(Value::map(labels.map(|label| {
        (
            Value::text(label.name()),
            Value::of_attribute(&label.value()),
        )
    })))
}

/// The subclass that the attributes of a new record name. Rails: `subclass_from_attributes`.
pub(super) fn class_of(
    model: &'static ModelReflection,
    args: &Args,
) -> Ran<&'static ModelReflection> {
    let Some(column) = model.type_column() else {
        return Ok(model);
    };
    let column = model.columns()[column].name();
    let entries = args.entries();
    let named = entries.iter().find(|(key, _)| key.to_text() == column);
    match named.map(|(_, value)| value.to_text()) {
        Some(name) if !name.is_empty() => Ok(model.subclass(&name)?),
        _ => Ok(model),
    }
}

async fn no_touching(
    world: &Arc<World>,
    models: Vec<&'static ModelReflection>,
    args: &Args,
) -> Ran<Value> {
    let Some(block) = &args.block else {
        return Err(Stop::argument("no block given"));
    };
    relata::no_touching(models, async || world.yield_to(block, Vec::new()).await).await
}

fn touches(args: &Args) -> bool {
    args.option("touch").is_some_and(|touch| touch.is_true())
}

/// Adds to counters of the rows with these keys.
async fn count(
    world: &Arc<World>,
    model: &'static ModelReflection,
    keys: &Value,
    counters: &[(String, i64)],
    touch: bool,
) -> Ran<Value> {
    let keys = match keys {
        Value::List(list) => list.items(),
        one => vec![one.clone()],
    };
    let keys: Vec<relata::Value<'static>> = keys.iter().filter_map(Value::to_attribute).collect();
    let key = model.primary_key_names().next().unwrap_or("id");
    let rows = Relation::of(model, &world.db).filter_in(key, keys)?;
    let counters = counters.iter().map(|(name, by)| (name.as_str(), *by));
    let rows = rows.update_counters(counters, touch).await?;
    Ok(Value::Int(i64::try_from(rows).unwrap_or(i64::MAX)))
}

async fn new(world: &Arc<World>, model: &'static ModelReflection, args: &Args) -> Ran<Record> {
    let model = class_of(model, args)?;
    let mut filled = Ok(());
    let record = Record::build(model, &world.db, |record| {
        filled = generated::now(generated::fill(world, record, args));
    });
    filled.map(|()| record)
}

async fn create(
    world: &Arc<World>,
    model: &'static ModelReflection,
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
            created.push(Box::pin(create(world, model, &args, fails)).await?);
        }
        return Ok(Value::list(created));
    }
    let record = new(world, model, args).await?;
    match record.save().await {
        // A callback rolled it back: that is no error to Rails.
        Err(error) if error.kind() == relata::ErrorKind::Rollback => Ok(Value::Record(record)),
        Err(error) if fails || !is_soft(&error) => Err(error.into()),
        _ => Ok(Value::Record(record)),
    }
}

/// `transaction`: the block in a transaction. Inside another one it joins that, which to relata means to run as it is;
/// with `requires_new` it is a level of its own.
pub(super) async fn transaction(world: &Arc<World>, args: &Args) -> Ran<Value> {
    let Some(block) = &args.block else {
        return Err(Stop::argument("no block given"));
    };
    for (option, value) in args.options.iter().flatten() {
        let known = match option.as_text() {
            Some("requires_new") => matches!(value, Value::Bool(_)),
            Some("joinable") => matches!(value, Value::Bool(true)),
            _ => false,
        };
        if !known {
            return Err(Stop::unsupported(format!(
                "transaction with {}",
                option.to_text()
            )));
        }
    }
    let joins =
        world.db.in_transaction() && !args.option("requires_new").is_some_and(|new| new.is_true());
    if joins {
        return match world.yield_to(block, Vec::new()).await {
            Err(Stop::Raised(raised)) if raised.class == ROLLBACK => Ok(Value::Nil),
            done => done,
        };
    }
    let mut stop = None;
    let done = world
        .db
        .transaction(async || {
            world.yield_to(block, Vec::new()).await.map_err(|why| {
                let error = why.to_error();
                stop = Some(why);
                error
            })
        })
        .await;
    match (done, stop) {
        (Ok(value), _) => Ok(value),
        (Err(_), Some(Stop::Raised(raised))) if raised.class == ROLLBACK => Ok(Value::Nil),
        (Err(_), Some(stop)) => Err(stop),
        (Err(error), None) => Err(error.into()),
    }
}

/// A macro that is called on a model that is there already.
fn declare(
    world: &Arc<World>,
    model: &'static ModelReflection,
    kind: &str,
    args: &Args,
) -> Ran<()> {
    let Some(Value::Name(name)) = args.all.first() else {
        return Err(Stop::argument("association names must be a Symbol"));
    };
    let mut options = Map::new();
    for (key, value) in args.options.iter().flatten() {
        options.insert(key.to_text(), json(value));
    }
    let scope = args.all.iter().find_map(|value| match value {
        Value::Callable(Callable::Code(code, _)) => Some(Arc::clone(code)),
        _ => None,
    });
    let declaration = Declaration {
        kind: kind.to_owned(),
        name: Some(name.to_string()),
        options,
        args: args.all.iter().map(json).collect(),
        scope,
        extension: Vec::new(),
        method: None,
        written: Json::Null,
    };
    world.declare(model.name(), declaration)
}

/// An option of a macro as a transcript writes it.
fn json(value: &Value) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => Json::from(*value),
        Value::Text(text) | Value::Name(text) => Json::from(&**text),
        Value::List(list) => Json::Array(list.items().iter().map(json).collect()),
        Value::Map(map) => {
            let entries = map.iter().map(|(key, value)| (key.to_text(), json(value)));
            Json::Object(entries.collect())
        }
        Value::Class(_) => serde_json::json!({ "$class": true }),
        _ => serde_json::json!({ "$code": true }),
    }
}
