//! The methods that `has_secure_password` gives a record.
//!
//! Invariant: a digest is described by its kind alone, as transcripts have it.

use relata::Record;
use relata::reflection::ModelReflection;

use super::conditions;
use crate::eval::Args;
use crate::query::Query;
use crate::stop::{Ran, Stop};
use crate::value::Value;
use crate::world::World;

/// What a method of a password does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    Set,
    Confirm,
    Read,
    Authenticate,
}

fn means(model: &ModelReflection, method: &str) -> Option<(&'static str, Means)> {
    model.secure_passwords().iter().find_map(|(_, password)| {
        let name = password.name();
        let means = match method.strip_prefix(name) {
            Some("=") => Means::Set,
            Some("_confirmation=") => Means::Confirm,
            Some("") => Means::Read,
            _ if method == "authenticate" && name == "password" => Means::Authenticate,
            _ if method.strip_prefix("authenticate_") == Some(name) => Means::Authenticate,
            _ => return None,
        };
        Some((name, means))
    })
}

/// Whether records of a model have a method because of a password.
pub(super) fn is_method(model: &ModelReflection, method: &str) -> bool {
    means(model, method).is_some()
}

/// Calls such a method; none if it is no such.
pub(super) async fn call(
    world: &World,
    record: &Record,
    method: &str,
    args: &Args,
) -> Option<Ran<Value>> {
    let model = record.reflection();
    // The digest is made when the record is saved; to Rails it is there at once.
    if is_digest_to_come(record, method) {
        return Some(Ok(Value::text(DIGEST)));
    }
    let (name, means) = means(model, method)?;
    Some(run(world, record, name, means, args).await)
}

/// Whether a column is the digest of a password that was set and is not saved.
#[must_use]
pub fn is_digest_to_come(record: &Record, column: &str) -> bool {
    let mut all = record.reflection().secure_passwords().iter();
    all.any(|(_, password)| {
        column.strip_suffix("_digest") == Some(password.name())
            && record.is_secret_set(password.name())
    })
}

/// A digest as transcripts show it.
pub const DIGEST: &str = "$2a$digest";

async fn run(world: &World, record: &Record, name: &str, means: Means, args: &Args) -> Ran<Value> {
    let given = args.at(0);
    let text = given.as_text();
    match means {
        Means::Set => {
            record.set_secret(name, text)?;
            // A text that is empty sets nothing.
            if text != Some("") {
                world.keep_secret(record, name, text);
            }
            Ok(given)
        }
        Means::Confirm => {
            let value = text.map_or(relata::Value::Null, |text| {
                relata::Value::from(text.to_owned())
            });
            record.set_confirmation(name, value);
            Ok(given)
        }
        // A password is only written: what it was set to is known by who set it.
        Means::Read => Ok(world
            .secret(record, name)
            .map_or(Value::Nil, |text| Value::text(&text))),
        Means::Authenticate => {
            let is = record
                .authenticate_with(name, text.unwrap_or_default())
                .await?;
            Ok(if is {
                Value::Record(record.clone())
            } else {
                Value::Bool(false)
            })
        }
    }
}

/// `authenticate_by(name: "u", password: "secret")`.
pub(super) async fn by(query: &Query, args: &Args) -> Ran<Value> {
    let model = query.model();
    let secret = |key: &Value| {
        let all = model.secure_passwords().iter();
        let mut named = all.filter(|(_, password)| key.as_text() == Some(password.name()));
        named.next().map(|(_, password)| password.name())
    };
    let (secrets, others): (Vec<_>, Vec<_>) = args
        .entries()
        .into_iter()
        .partition(|(key, _)| secret(key).is_some());
    if secrets.is_empty() {
        return Err(Stop::argument(
            "One or more password arguments are required",
        ));
    }
    if others.is_empty() {
        return Err(Stop::argument("One or more finder arguments are required"));
    }
    let [(key, text)] = secrets.as_slice() else {
        return Err(Stop::unsupported("authenticate_by several passwords"));
    };
    let found = conditions::by_entries(query, &others)?;
    let found = (found.relation)
        .authenticate_by(secret(key).unwrap_or("password"), &text.to_text())
        .await?;
    Ok(Value::record(found))
}

/// A text as transcripts show it: the digest of a password by its kind.
#[must_use]
pub fn masked(text: &str) -> &str {
    let is_digest = text.len() == 60
        && ["$2a$", "$2b$", "$2y$"]
            .iter()
            .any(|kind| text.starts_with(kind));
    if is_digest { DIGEST } else { text }
}
