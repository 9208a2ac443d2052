//! Callbacks and defaults of a scenario's models: closures that run code of the language.
//!
//! Invariant: an option that relata does not have is refused by name. Code of a callback runs within the statement that
//! called it; on a database in memory it never has to wait.

use std::sync::Arc;

use relata::callback::{Callback, DefaultTarget, Event};
use relata::{Abort, Pending, Record};
use serde_json::Value as Json;

use crate::describe;
use crate::eval::{Env, poll_once};
use crate::form::Code;
use crate::stop::{Ran, Stop};
use crate::transcript::Declaration;
use crate::value::Value;
use crate::world::World;

/// A callback that logs, runs code, and then halts or raises.
pub fn callback(
    world: &Arc<World>,
    model: &str,
    declaration: &Declaration,
    event: Event,
) -> Ran<Callback> {
    let mut contexts: Vec<&'static str> = Vec::new();
    let own = ["macro", "log", "run", "halt", "raise"];
    let written = &declaration.written;
    let options = written.as_object().into_iter().flatten();
    for (option, value) in options.filter(|(option, _)| !own.contains(&option.as_str())) {
        match (option.as_str(), value) {
            ("on", Json::String(context)) => contexts.push(context.clone().leak()),
            ("on", Json::Array(all)) => contexts.extend(
                all.iter()
                    .filter_map(Json::as_str)
                    .map(|context| &*context.to_owned().leak()),
            ),
            _ => {
                return Err(Stop::unsupported(format!(
                    "{model}: {} with {option}",
                    declaration.kind
                )));
            }
        }
    }
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
    let callback = Callback::new(event, name, Box::leak(Box::new(run)));
    Ok(callback.on(contexts.leak()))
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
