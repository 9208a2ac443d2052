//! Macros that are neither associations nor callbacks: what they give a model made at run time.
//!
//! Invariant: an option is given to relata or refused by name.

use relata::attribute::{Held, Label};
use relata::reflection::{ColumnDefault, Enumeration, ModelBuilder, PasswordHash, SecurePassword};
use serde_json::Value as Json;

use crate::stop::{Ran, Stop};
use crate::transcript::Declaration;

fn leak(text: &str) -> &'static str {
    text.to_owned().leak()
}

/// `enum :status, [:draft, :live], prefix: true`.
///
/// # Errors
/// What relata refuses; an option that it lacks, as unsupported.
pub fn enumeration(mut builder: ModelBuilder, declaration: &Declaration) -> Ran<ModelBuilder> {
    let [Json::String(attribute), values] = declaration.args.as_slice() else {
        return Err(Stop::unsupported("an enum without name and values"));
    };
    let labels = labels(values)?;
    let mut enumeration = Enumeration::new(leak(attribute));
    for (option, value) in &declaration.options {
        enumeration = match (option.as_str(), value) {
            ("prefix", Json::Bool(true)) => enumeration.prefix(leak(attribute)),
            ("suffix", Json::Bool(true)) => enumeration.suffix(leak(attribute)),
            ("prefix", Json::String(prefix)) => enumeration.prefix(leak(prefix)),
            ("suffix", Json::String(suffix)) => enumeration.suffix(leak(suffix)),
            ("prefix" | "suffix", Json::Bool(false) | Json::Null) => enumeration,
            ("scopes" | "instance_methods", Json::Bool(true)) => enumeration,
            ("validate", Json::Bool(true)) => enumeration.validated(),
            ("validate", Json::Object(options))
                if options.get("allow_nil") == Some(&Json::Bool(true)) =>
            {
                enumeration.validated_or_null()
            }
            ("validate", Json::Bool(false)) => enumeration,
            ("scopes", Json::Bool(false)) => enumeration.without_scopes(),
            ("instance_methods", Json::Bool(false)) => enumeration.without_methods(),
            ("default", Json::String(label)) => {
                let named = labels.iter().find(|one| one.name() == label);
                let default = match named.map(Label::value) {
                    Some(relata::Value::Int(number)) => ColumnDefault::Int(number),
                    _ => ColumnDefault::Text(leak(label)),
                };
                builder = builder.column_default(attribute, default);
                enumeration
            }
            (option, _) => return Err(Stop::unsupported(format!("an enum with {option}"))),
        };
    }
    Ok(builder.enumeration(enumeration, labels.leak()))
}

/// `has_secure_password :password, validations: false`. By bcrypt, as Rails, at the cost that its tests have.
///
/// # Errors
/// An option that relata lacks, as unsupported.
pub fn secure_password(builder: ModelBuilder, declaration: &Declaration) -> Ran<ModelBuilder> {
    let name = match declaration.args.as_slice() {
        [] => "password",
        [Json::String(name)] => name,
        _ => return Err(Stop::unsupported("has_secure_password of several")),
    };
    let mut password = SecurePassword::new(leak(name)).hash(PasswordHash::Bcrypt(4));
    for (option, value) in &declaration.options {
        password = match (option.as_str(), value) {
            ("validations", Json::Bool(true)) => password,
            ("validations", Json::Bool(false)) => password.without_validations(),
            (option, _) => {
                return Err(Stop::unsupported(format!(
                    "has_secure_password with {option}"
                )));
            }
        };
    }
    Ok(builder.has_secure_password(password))
}

fn labels(values: &Json) -> Ran<Vec<Label>> {
    let held = |value: &Json| match value {
        Json::Number(number) => number.as_i64().map(Held::Int),
        Json::String(text) => Some(Held::Text(leak(text))),
        _ => None,
    };
    let labels: Option<Vec<Label>> = match values {
        Json::Array(names) => (0..)
            .zip(names)
            .map(|(number, name)| Some(Label::new(leak(name.as_str()?), Held::Int(number))))
            .collect(),
        Json::Object(map) => map
            .iter()
            .map(|(name, value)| Some(Label::new(leak(name), held(value)?)))
            .collect(),
        _ => None,
    };
    labels.ok_or_else(|| Stop::unsupported("an enum of other values than integers and texts"))
}
