//! Values for the members of associations: `accepts_nested_attributes_for` of a scenario's models, and its writers.
//!
//! Invariant: relata decides what values do; here they only change their form.

use std::sync::{Arc, Weak};

use relata::callback::{MemberLimit, RejectIf};
use relata::reflection::{ModelBuilder, NestedAttributes};
use relata::{Association, Param, Params, Permit, Record};
use serde_json::Value as Json;

use crate::eval::{Args, Env, poll_once};
use crate::form::Code;
use crate::schema::setting;
use crate::stop::{Ran, Stop};
use crate::transcript::Declaration;
use crate::value::{Value, kind};
use crate::vocabulary;
use crate::world::World;

/// The declaration, on the associations that it names.
///
/// # Errors
/// What relata says against it.
pub fn accept(
    world: &Arc<World>,
    mut builder: ModelBuilder,
    declaration: &Declaration,
) -> Ran<ModelBuilder> {
    let mut nested = NestedAttributes::new();
    for (option, value) in &declaration.options {
        let call = called(world, value)?;
        match (option.as_str(), call) {
            ("reject_if", Some(call)) => nested = nested.reject_if(rejecting(call)),
            ("limit", Some(call)) => nested = nested.limit(limiting(call)),
            _ => {}
        }
        nested = nested.option(option, &setting(value))?;
    }
    let args = declaration.args.iter().filter_map(Json::as_str);
    for name in declaration.name.as_deref().into_iter().chain(args) {
        builder = builder.accepts_nested_attributes_for(name, nested)?;
    }
    Ok(builder)
}

/// Code, or a method of the owner.
pub type Call = Arc<dyn Fn(&Record, Vec<Value>) -> Value + Send + Sync>;

/// What an option runs, if it runs something.
///
/// # Errors
/// Code that is not of the language.
pub fn called(world: &Arc<World>, value: &Json) -> Ran<Option<Call>> {
    let code = match (value.get("$code"), value.as_str()) {
        (Some(code), _) => Ok(Arc::new(Code::parse(code).map_err(Stop::unsupported)?)),
        (None, Some(method)) if method != "all_blank" => Err(method.to_owned()),
        _ => return Ok(None),
    };
    let world: Weak<World> = Arc::downgrade(world);
    Ok(Some(Arc::new(move |owner, args| {
        let Some(world) = world.upgrade() else {
            return Value::Nil;
        };
        let this = Value::Record(owner.clone());
        let ran = match &code {
            Ok(code) => poll_once(world.run_code(&Env::of_method(this), code, args)),
            Err(method) => poll_once(vocabulary::call(&world, &this, method, Args::of(args))),
        };
        match ran {
            Some(Ok(value)) => value,
            Some(Err(stop)) => {
                world.complain(stop);
                Value::Nil
            }
            None => {
                world.complain(Stop::unsupported("an option that has to wait"));
                Value::Nil
            }
        }
    })))
}

fn rejecting(call: Call) -> RejectIf {
    RejectIf::When(Box::leak(Box::new(
        move |owner: &Record, given: &Params| {
            call(owner, vec![value(&Param::from(given))]).is_true()
        },
    )))
}

fn limiting(call: Call) -> MemberLimit {
    MemberLimit::Of(Box::leak(Box::new(move |owner: &Record| {
        match call(owner, Vec::new()) {
            Value::Int(limit) => usize::try_from(limit).unwrap_or_default(),
            _ => usize::MAX,
        }
    })))
}

fn value(param: &Param) -> Value {
    match param {
        Param::Value(value) => Value::of_attribute(value),
        Param::List(list) => Value::list(list.iter().map(value)),
        Param::Map(map) => Value::map(map.iter().map(|(key, one)| (Value::text(key), value(one)))),
        _ => Value::Nil,
    }
}

fn param(given: &Value) -> Ran<Param> {
    Ok(match given {
        Value::List(list) => Param::List(list.items().iter().map(param).collect::<Ran<Vec<_>>>()?),
        Value::Map(map) => {
            let mut params = Params::new();
            for (key, value) in map.iter() {
                params.set(key.to_text(), param(value)?);
            }
            params.into()
        }
        value => match value.to_attribute() {
            Some(value) => value.into(),
            None => {
                let what = format!("nested attributes with a {}", kind(value));
                return Err(Stop::unsupported(what));
            }
        },
    })
}

/// `posts_attributes=`. Rails takes the old target of a saved owner's `has_one` out at once; relata does when it is told
/// to.
///
/// # Errors
/// What relata says.
pub async fn write(association: &Association, given: &Value) -> Ran<()> {
    let replaces = association.reflection().is_has_one() && association.owner().is_persisted();
    let before = match given {
        Value::Map(_) if replaces => association.load_one().await?,
        _ => None,
    };
    let permit = Permit::all();
    association.assign_attributes(param(given)?, permit).await?;
    if let (Some(before), [target]) = (before, association.target().as_slice())
        && !before.is(target)
    {
        association.set_target(Some(&before))?;
        association.replace_one(None).await?;
        association.set_target(Some(target))?;
    }
    Ok(())
}
