//! The methods that `has_secure_password` gives a record.
//!
//! Invariant: a digest is described by its kind alone, as transcripts have it.

use relata::Record;
use relata::reflection::ModelReflection;

use crate::eval::Args;
use crate::stop::{Ran, Stop};
use crate::value::Value;

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
pub(super) async fn call(record: &Record, method: &str, args: &Args) -> Option<Ran<Value>> {
    let (name, means) = means(record.reflection(), method)?;
    Some(run(record, name, means, args).await)
}

async fn run(record: &Record, name: &str, means: Means, args: &Args) -> Ran<Value> {
    let given = args.at(0);
    let text = given.as_text();
    match means {
        Means::Set => {
            record.set_secret(name, text)?;
            Ok(given)
        }
        Means::Confirm => {
            let value = text.map_or(relata::Value::Null, |text| {
                relata::Value::from(text.to_owned())
            });
            record.set_confirmation(name, value);
            Ok(given)
        }
        Means::Read if record.is_secret_set(name) => {
            Err(Stop::unsupported("reading a password, which is write-only"))
        }
        Means::Read => Ok(Value::Nil),
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

/// A text as transcripts show it: the digest of a password by its kind.
#[must_use]
pub fn masked(text: &str) -> &str {
    let is_digest = text.len() == 60
        && ["$2a$", "$2b$", "$2y$"]
            .iter()
            .any(|kind| text.starts_with(kind));
    if is_digest { "$2a$digest" } else { text }
}
