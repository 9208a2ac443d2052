//! What a scenario's models validate: the macros `validates`, `validate` and their older names.
//!
//! Invariant: a rule or option is given to relata or refused by name; what an option calls runs code of the language.

use std::sync::Arc;

use relata::Record;
use relata::callback::Condition;
use relata::reflection::ModelBuilder;
use relata::relation::Scope;
use relata::validation::{Comparison, Length, Limit, Numericality, Uniqueness, Validation};
use serde_json::{Map, Value as Json};

use crate::form::Code;
use crate::nested::called;
use crate::schema;
use crate::stop::{Ran, Stop};
use crate::transcript::Declaration;
use crate::world::World;

/// `validates`, `validates_associated`, `validates_presence_of` and the like, on the attributes that they name.
///
/// # Errors
/// What relata lacks, as unsupported.
pub fn validates(
    world: &Arc<World>,
    mut builder: ModelBuilder,
    declaration: &Declaration,
) -> Ran<ModelBuilder> {
    let kind = declaration.kind.as_str();
    let of = |kind: &str| {
        let rule = kind.strip_prefix("validates_")?;
        Some(rule.strip_suffix("_of").unwrap_or(rule).to_owned())
    };
    let mut rules: Vec<(String, Json)> = Vec::new();
    let mut shared = Map::new();
    match of(kind) {
        Some(rule) => rules.push((rule, Json::Object(declaration.options.clone()))),
        None => {
            for (option, value) in &declaration.options {
                if COMMON.contains(&option.as_str()) {
                    shared.insert(option.clone(), value.clone());
                } else if value != &Json::Bool(false) && !value.is_null() {
                    rules.push((option.clone(), value.clone()));
                }
            }
        }
    }
    for attribute in declaration.args.iter().filter_map(Json::as_str) {
        for (rule, options) in &rules {
            let mut all = shared.clone();
            match options {
                Json::Object(own) => all.extend(own.clone()),
                // `inclusion: ["a", "b"]`
                Json::Array(_) => drop(all.insert("in".to_owned(), options.clone())),
                _ => {}
            }
            for validation in one(world, attribute, rule, &all)? {
                builder = builder.validates(validation);
            }
        }
    }
    Ok(builder)
}

/// `validate :fits`: methods of the record that add to its errors.
///
/// # Errors
/// What relata lacks, as unsupported.
pub fn validate(
    world: &Arc<World>,
    mut builder: ModelBuilder,
    declaration: &Declaration,
) -> Ran<ModelBuilder> {
    for method in &declaration.args {
        let Some(call) = called(world, method)? else {
            return Err(Stop::unsupported(format!("validate {method}")));
        };
        let name = leak(method.as_str().unwrap_or("validate"));
        let validation = Validation::custom(
            name,
            Box::leak(Box::new(move |record: &Record| {
                let _ = call(record, Vec::new());
                Ok(())
            })),
        );
        builder = builder.validates(with(world, validation, &declaration.options)?);
    }
    Ok(builder)
}

/// The options that every rule has.
const COMMON: &[&str] = &[
    "on",
    "if",
    "unless",
    "message",
    "allow_nil",
    "allow_blank",
    "strict",
];

fn leak(text: &str) -> &'static str {
    text.to_owned().leak()
}

/// The validations that one rule is.
fn one(
    world: &Arc<World>,
    attribute: &str,
    rule: &str,
    options: &Map<String, Json>,
) -> Ran<Vec<Validation>> {
    let name = leak(attribute);
    let own = options
        .iter()
        .filter(|(option, _)| !COMMON.contains(&option.as_str()));
    let own: Vec<(&str, &Json)> = own.map(|(name, value)| (name.as_str(), value)).collect();
    let refused = |option: &str| Stop::unsupported(format!("validates {rule} with {option}"));
    let plain = |validation: Validation| match own.first() {
        Some((option, _)) => Err(refused(option)),
        None => Ok(vec![validation]),
    };
    let all = match rule {
        "presence" => plain(Validation::presence(name))?,
        "absence" => plain(Validation::absence(name))?,
        "acceptance" => plain(Validation::acceptance(name))?,
        "associated" => plain(Validation::associated(name))?,
        "length" | "size" => {
            let mut length = Length::ANY;
            for (option, value) in own {
                let number = value
                    .as_u64()
                    .and_then(|number| usize::try_from(number).ok());
                match (option, number) {
                    ("minimum", Some(number)) => length.min = Some(number),
                    ("maximum", Some(number)) => length.max = Some(number),
                    ("is", Some(number)) => length.is = Some(number),
                    _ => return Err(refused(option)),
                }
            }
            vec![Validation::length(name, length)]
        }
        "numericality" => {
            let mut number = Numericality::ANY;
            let mut limits = Vec::new();
            for (option, value) in own {
                match (comparison(option), option) {
                    (Some(how), _) => limits.push((how, limit(world, value)?)),
                    (None, "only_integer") => number.only_integer = value == &Json::Bool(true),
                    (None, "odd") => number.odd = value == &Json::Bool(true),
                    (None, "even") => number.even = value == &Json::Bool(true),
                    _ => return Err(refused(option)),
                }
            }
            number.limits = limits.leak();
            vec![Validation::numericality(name, number)]
        }
        "comparison" => {
            let mut all = Vec::new();
            for (option, value) in own {
                let how = comparison(option).ok_or_else(|| refused(option))?;
                all.push(Validation::comparison(name, how, limit(world, value)?));
            }
            all
        }
        "inclusion" | "exclusion" => {
            let [("in" | "within", Json::Array(list))] = own.as_slice() else {
                return Err(refused(own.first().map_or("nothing", |(option, _)| option)));
            };
            let list: Vec<Limit> = list.iter().map(constant).collect::<Ran<_>>()?;
            let list: &'static [Limit] = list.leak();
            vec![match rule {
                "inclusion" => Validation::inclusion(name, list),
                _ => Validation::exclusion(name, list),
            }]
        }
        "confirmation" => {
            let mut minds_case = true;
            for (option, value) in own {
                match option {
                    "case_sensitive" => minds_case = value != &Json::Bool(false),
                    _ => return Err(refused(option)),
                }
            }
            vec![Validation::confirmation(name, minds_case)]
        }
        "uniqueness" => {
            let mut what = Uniqueness::ANYWHERE;
            for (option, value) in own {
                match (option, value) {
                    ("scope", Json::String(one)) => what.scope = vec![leak(one)].leak(),
                    ("scope", Json::Array(all)) => {
                        let names = all.iter().filter_map(Json::as_str).map(leak);
                        what.scope = names.collect::<Vec<_>>().leak();
                    }
                    ("case_sensitive", value) => what.case_sensitive = value != &Json::Bool(false),
                    ("conditions", code) if code.get("$code").is_some() => {
                        what.conditions = Some(conditions(world, code)?);
                    }
                    _ => return Err(refused(option)),
                }
            }
            vec![Validation::uniqueness(name, what)]
        }
        _ => return Err(Stop::unsupported(format!("validates {rule}"))),
    };
    all.into_iter()
        .map(|validation| with(world, validation, options))
        .collect()
}

fn conditions(world: &Arc<World>, value: &Json) -> Ran<&'static Scope> {
    let code = Code::parse(&value["$code"]).map_err(Stop::unsupported)?;
    Ok(schema::scope(world, &Arc::new(code)))
}

/// A validation with the options that every rule has.
fn with(
    world: &Arc<World>,
    mut validation: Validation,
    options: &Map<String, Json>,
) -> Ran<Validation> {
    for (option, value) in options {
        validation = match (option.as_str(), value) {
            ("on", value) => validation.on(contexts(value).leak()),
            ("message", Json::String(text)) => validation.message(leak(text)),
            ("allow_nil", Json::Bool(true)) => validation.allow_null(),
            ("allow_blank", Json::Bool(true)) => validation.allow_blank(),
            ("strict", Json::Bool(true)) => validation.strict(),
            ("message" | "strict", value) if !value.is_null() && value != &Json::Bool(false) => {
                return Err(Stop::unsupported(format!("validates with {option}")));
            }
            _ => validation,
        };
    }
    Ok(match condition(world, options)? {
        Some(condition) => validation.only_if(condition),
        None => validation,
    })
}

/// The contexts of an option `on`.
#[must_use]
pub fn contexts(value: &Json) -> Vec<&'static str> {
    match value {
        Json::Array(all) => all.iter().filter_map(Json::as_str).map(leak).collect(),
        one => one.as_str().map(leak).into_iter().collect(),
    }
}

/// What the options `if` and `unless` say together: every `if` holds, and no `unless`.
///
/// # Errors
/// What is neither code nor the name of a method.
pub fn condition(world: &Arc<World>, options: &Map<String, Json>) -> Ran<Option<Condition>> {
    let mut all = Vec::new();
    for (option, wanted) in [("if", true), ("unless", false)] {
        let Some(value) = options.get(option).filter(|value| !value.is_null()) else {
            continue;
        };
        let several = match value {
            Json::Array(several) => several.clone(),
            one => vec![one.clone()],
        };
        for one in several {
            match called(world, &one)? {
                Some(call) => all.push((call, wanted)),
                None => return Err(Stop::unsupported(format!("{option}: {one}"))),
            }
        }
    }
    if all.is_empty() {
        return Ok(None);
    }
    Ok(Some(Box::leak(Box::new(move |record: &Record| {
        all.iter()
            .all(|(call, wanted)| call(record, Vec::new()).is_true() == *wanted)
    }))))
}

fn comparison(option: &str) -> Option<Comparison> {
    let all = [
        Comparison::GreaterThan,
        Comparison::GreaterThanOrEqualTo,
        Comparison::EqualTo,
        Comparison::LessThan,
        Comparison::LessThanOrEqualTo,
        Comparison::OtherThan,
    ];
    all.into_iter().find(|one| one.name() == option)
}

/// What an attribute is held against: a constant, another attribute, or what code gives.
fn limit(world: &Arc<World>, value: &Json) -> Ran<Limit> {
    match (value, called(world, value)?) {
        (Json::String(name), _) => Ok(Limit::Other(leak(name))),
        (_, Some(call)) => Ok(Limit::Computed(Box::leak(Box::new(
            move |record: &Record| {
                let value = call(record, vec![crate::value::Value::Record(record.clone())]);
                value.to_attribute().unwrap_or(relata::Value::Null)
            },
        )))),
        (constant, None) => self::constant(constant),
    }
}

fn constant(value: &Json) -> Ran<Limit> {
    match value {
        Json::Bool(value) => Ok(Limit::Bool(*value)),
        Json::String(text) => Ok(Limit::Text(leak(text))),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Ok(Limit::Int(number)),
            (None, Some(number)) => Ok(Limit::Float(number)),
            (None, None) => Err(Stop::unsupported(format!("a limit of {number}"))),
        },
        other => Err(Stop::unsupported(format!("a limit of {other}"))),
    }
}
