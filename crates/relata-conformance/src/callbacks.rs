//! Callbacks and defaults of a scenario's models: closures that run code of the language.
//!
//! Invariant: an option that relata does not have is refused by name. Code of a callback runs within the statement that
//! called it; on a database in memory it never has to wait.

use std::sync::Arc;

use relata::callback::{Callback, DefaultTarget, Event, MemberCallback, MemberEvent};
use relata::{Abort, Pending, Record};
use serde_json::Value as Json;

use crate::describe;
use crate::eval::{Args, Env, poll_once};
use crate::form::Code;
use crate::stop::{Ran, Stop};
use crate::transcript::Declaration;
use crate::validations;
use crate::value::{Class, Value};
use crate::vocabulary;
use crate::world::World;

/// A callback that logs, runs code, and then halts or raises.
pub fn callback(
    world: &Arc<World>,
    model: &str,
    declaration: &Declaration,
    event: Event,
    on: &[&'static str],
) -> Ran<Callback> {
    let mut contexts: Vec<&'static str> = on.to_vec();
    let own = ["macro", "log", "run", "halt", "raise"];
    let written = &declaration.written;
    let options = written.as_object().into_iter().flatten();
    for (option, value) in options.filter(|(option, _)| !own.contains(&option.as_str())) {
        match (option.as_str(), value) {
            ("on", value) => contexts.extend(validations::contexts(value)),
            ("if" | "unless", _) | ("prepend", Json::Bool(_)) => {}
            _ => {
                return Err(Stop::unsupported(format!(
                    "{model}: {} with {option}",
                    declaration.kind
                )));
            }
        }
    }
    let condition = match written.as_object() {
        Some(options) => validations::condition(world, options)?,
        None => None,
    };
    let label = written.get("log").and_then(Json::as_str).map(str::to_owned);
    let code = match written.get("run") {
        Some(code) => Some(Arc::new(Code::parse(code).map_err(Stop::unsupported)?)),
        None => None,
    };
    let halts = written.get("halt") == Some(&Json::Bool(true));
    let raises = written
        .get("raise")
        .and_then(Json::as_str)
        .map(str::to_owned);
    let world = Arc::downgrade(world);
    let run = move |record: &Record| {
        let Some(world) = world.upgrade() else {
            return Ok(());
        };
        if let Some(label) = &label {
            world.write_log(format!("{label}({})", describe::label(record)));
        }
        if let Some(code) = &code {
            run_now(&world, code, record).map_err(|stop| stop.to_error())?;
        }
        match &raises {
            _ if halts => Err(Abort.into()),
            Some(message) => Err(Stop::raised("RuntimeError", message).to_error()),
            None => Ok(()),
        }
    };
    let name: &'static str = declaration.kind.clone().leak();
    let callback = if name.starts_with("around_") {
        // A block that takes no block never says `yield`: what it surrounds does not run.
        Callback::around(
            event,
            name,
            Box::leak(Box::new(move |record: &Record, _inside| {
                Pending::of(std::future::ready(run(record)))
            })),
        )
    } else {
        Callback::new(event, name, Box::leak(Box::new(run)))
    };
    let callback = callback.on(contexts.leak());
    Ok(match condition {
        Some(condition) => callback.only_if(condition),
        None => callback,
    })
}

/// The event of a macro, and the contexts that its name says: `after_create_commit`.
#[must_use]
pub fn event(kind: &str) -> Option<(Event, &'static [&'static str])> {
    let on: &[&'static str] = match kind {
        "after_create_commit" => &["create"],
        "after_update_commit" => &["update"],
        "after_destroy_commit" => &["destroy"],
        "after_save_commit" => &["create", "update"],
        _ => return Some((Event::named(kind)?, &[])),
    };
    Some((Event::AfterCommit, on))
}

/// Whether a callback stands before all that were declared above it. Those that run after an event stand in the order
/// of declaration, whatever they say; those of a transaction the other way round where a setting says so.
#[must_use]
pub fn is_prepended(world: &World, declaration: &Declaration) -> bool {
    let ordered = world
        .config
        .get("run_after_transaction_callbacks_in_order_defined");
    let ends = declaration.kind.ends_with("_commit") || declaration.kind == "after_rollback";
    ends && ordered == Some(&Json::Bool(false))
        || declaration.kind.starts_with("before_")
            && declaration.written.get("prepend") == Some(&Json::Bool(true))
}

/// Runs code of a record where nothing can be awaited: on a database in memory nothing has to be.
fn run_now(world: &Arc<World>, code: &Arc<Code>, record: &Record) -> Ran<Value> {
    let env = Env::of_method(Value::Record(record.clone()));
    match poll_once(world.run_code(&env, code, Vec::new())) {
        Some(ran) => ran,
        None => Err(Stop::unsupported("a callback that has to wait")),
    }
}

/// The `default` of an association, which runs code of the record.
pub fn default(world: &Arc<World>, code: Arc<Code>) -> DefaultTarget {
    let world = Arc::downgrade(world);
    Box::leak(Box::new(move |record: &Record| {
        let target = match world.upgrade() {
            Some(world) => match run_now(&world, &code, record) {
                Ok(Value::Record(target)) => Ok(Some(target)),
                Ok(_) => Ok(None),
                Err(stop) => Err(stop.to_error()),
            },
            None => Ok(None),
        };
        Pending::of(std::future::ready(target))
    }))
}

/// The callbacks of a collection that an option names: methods of the owner, events to log, code, modules.
pub fn members(
    world: &Arc<World>,
    model: &str,
    option: &str,
    value: &Json,
) -> Ran<Vec<MemberCallback>> {
    let event = match option {
        "before_add" => MemberEvent::BeforeAdd,
        "after_add" => MemberEvent::AfterAdd,
        "before_remove" => MemberEvent::BeforeRemove,
        "after_remove" => MemberEvent::AfterRemove,
        _ => return Ok(Vec::new()),
    };
    let all = match value {
        Json::Array(all) => all.clone(),
        one => vec![one.clone()],
    };
    all.into_iter()
        .map(|one| member(world, model, option, event, &one))
        .collect()
}

fn member(
    world: &Arc<World>,
    model: &str,
    option: &str,
    event: MemberEvent,
    value: &Json,
) -> Ran<MemberCallback> {
    let code = match value.get("$code") {
        Some(code) => Some(Arc::new(Code::parse(code).map_err(Stop::unsupported)?)),
        None => None,
    };
    let known = value.is_string()
        || ["$code", "$log", "$module"]
            .iter()
            .any(|key| value.get(key).is_some());
    if !known {
        return Err(Stop::unsupported(format!("{model}: {option}: {value}")));
    }
    let (world, value, option) = (Arc::downgrade(world), value.clone(), option.to_owned());
    let run = move |owner: &Record, member: &Record| {
        let Some(world) = world.upgrade() else {
            return Ok(());
        };
        let text = |key: &str| value.get(key).and_then(Json::as_str);
        let both = || vec![Value::Record(owner.clone()), Value::Record(member.clone())];
        let ran = if let Some(code) = &code {
            let env = Env::of_method(Value::Record(owner.clone()));
            poll_once(world.run_code(&env, code, both()))
        } else if let Some(name) = value.as_str() {
            let (this, args) = (
                Value::Record(owner.clone()),
                Args::of(vec![Value::Record(member.clone())]),
            );
            poll_once(vocabulary::call(&world, &this, name, args))
        } else if let Some(module) = text("$module") {
            let this = Value::Class(Class::Module(Arc::from(module)));
            poll_once(vocabulary::call(&world, &this, &option, Args::of(both())))
        } else {
            let label = text("$log").unwrap_or_default();
            world.write_log(format!(
                "{label}({}, {})",
                describe::label(owner),
                describe::label(member)
            ));
            match text("raise") {
                _ if value.get("halt") == Some(&Json::Bool(true)) => return Err(Abort.into()),
                Some(message) => Some(Err(Stop::raised("RuntimeError", message))),
                None => None,
            }
        };
        match ran {
            Some(Err(stop)) => Err(stop.to_error()),
            _ => Ok(()),
        }
    };
    Ok(MemberCallback::new(event, Box::leak(Box::new(run))))
}
