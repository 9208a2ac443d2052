//! The values that a scenario's statements work with.
//!
//! Invariant: a value that is an object in Ruby keeps its identity here: two clones of a record, a collection or a
//! list are the same object.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use relata::reflection::{AssociationReflection, ModelReflection};
use relata::{Association, Record};

use crate::eval::Callable;
use crate::query::Query;

/// A value.
#[derive(Debug, Clone)]
pub enum Value {
    /// `nil`.
    Nil,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating point number.
    Float(f64),
    /// A string.
    Text(Arc<str>),
    /// A symbol.
    Name(Arc<str>),
    /// An instant, in microseconds since 1970.
    Time(i64),
    /// A list.
    List(List),
    /// A map.
    Map(Arc<Map>),
    /// From, to, and whether the end is left out.
    Range(Arc<(Value, Value, bool)>),
    /// A record.
    Record(Record),
    /// A second object that has the attributes of a record in common with it, as a clone in Ruby.
    Twin(Arc<Record>),
    /// What a collection reader gives.
    Collection(Association),
    /// What `record.association(:posts)` gives.
    Association(Association),
    /// A relation.
    Query(Arc<Query>),
    /// What `in_batches` gives without a block.
    Batched(Arc<crate::vocabulary::Batched>),
    /// `where` without arguments.
    WhereChain(Arc<Query>),
    /// A reflection.
    Reflection(Reflection),
    /// A class or module.
    Class(Class),
    /// The errors of a record.
    Errors(Record),
    /// A preloader: records, and what to load for them.
    Preloader(Arc<Loads>),
    /// A block or lambda.
    Callable(Callable),
    /// A value that has no counterpart outside Ruby: it equals anything.
    Wildcard,
}

/// What a preloader was made with.
#[derive(Debug)]
pub struct Loads {
    /// The records that are given what they lack.
    pub records: Vec<Record>,
    /// What is loaded.
    pub associations: Value,
    /// Records that are at hand.
    pub available: Vec<Record>,
    /// Which of the targets are loaded; nil for all.
    pub scope: Value,
}

/// The entries of a map, in order.
pub type Map = Vec<(Value, Value)>;

/// A list, shared by whoever holds it.
#[derive(Debug, Clone, Default)]
pub struct List(Arc<Mutex<Vec<Value>>>);

/// What a class value stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Class {
    /// A model of the scenario.
    Model(Arc<str>),
    /// A module of the scenario.
    Module(Arc<str>),
    /// A class of Rails or Ruby, by its full name.
    Foreign(Arc<str>),
}

/// An association of a model.
#[derive(Debug, Clone, Copy)]
pub struct Reflection {
    /// The model that declares it.
    pub model: &'static ModelReflection,
    /// Its declaration.
    pub declaration: &'static AssociationReflection,
}

impl List {
    /// A list of these.
    #[must_use]
    pub fn of(items: Vec<Value>) -> Self {
        Self(Arc::new(Mutex::new(items)))
    }

    /// The items at the moment.
    #[must_use]
    pub fn items(&self) -> Vec<Value> {
        self.lock().clone()
    }

    /// The items, to be changed.
    pub fn lock(&self) -> MutexGuard<'_, Vec<Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is the very same list.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Class {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Model(name) | Self::Module(name) | Self::Foreign(name) => name,
        }
    }
}

impl Value {
    /// A string.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// A symbol.
    #[must_use]
    pub fn name(name: &str) -> Self {
        Self::Name(name.into())
    }

    /// A list.
    #[must_use]
    pub fn list(items: impl IntoIterator<Item = Value>) -> Self {
        Self::List(List::of(items.into_iter().collect()))
    }

    /// A map.
    #[must_use]
    pub fn map(entries: impl IntoIterator<Item = (Value, Value)>) -> Self {
        Self::Map(Arc::new(entries.into_iter().collect()))
    }

    /// A list of records.
    #[must_use]
    pub fn records(records: impl IntoIterator<Item = Record>) -> Self {
        Self::list(records.into_iter().map(Value::Record))
    }

    /// A record, or nil.
    #[must_use]
    pub fn record(record: Option<Record>) -> Self {
        record.map_or(Self::Nil, Self::Record)
    }

    /// A relation.
    #[must_use]
    pub fn query(query: Query) -> Self {
        Self::Query(Arc::new(query))
    }

    /// A number of things.
    #[must_use]
    pub fn count(count: usize) -> Self {
        Self::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// Whether a condition holds for it: everything but nil and false.
    #[must_use]
    pub fn is_true(&self) -> bool {
        !matches!(self, Self::Nil | Self::Bool(false))
    }

    /// The text of a string or symbol.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Name(text) => Some(text),
            _ => None,
        }
    }

    /// As `to_s` gives it, as far as text and numbers are concerned.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Nil => String::new(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Text(text) | Self::Name(text) => text.to_string(),
            Self::Time(micros) => format!("{} UTC", crate::clock::format(*micros)),
            Self::Class(class) => class.name().to_owned(),
            other => inspect(other),
        }
    }

    /// The value of an attribute.
    #[must_use]
    pub fn of_attribute(value: &relata::Value<'_>) -> Self {
        match value {
            relata::Value::Null => Self::Nil,
            relata::Value::Bool(value) => Self::Bool(*value),
            relata::Value::Int(value) => Self::Int(*value),
            relata::Value::Float(value) => Self::Float(*value),
            relata::Value::Timestamp(micros) | relata::Value::DateTime(micros) => {
                Self::Time(*micros)
            }
            other => match (other.as_str(), other.as_i64()) {
                (Some(text), _) => Self::text(text),
                (_, Some(number)) => Self::Int(number),
                _ => Self::text(&format!("{other:?}")),
            },
        }
    }

    /// The value as one of an attribute; none if it cannot be one.
    #[must_use]
    pub fn to_attribute(&self) -> Option<relata::Value<'static>> {
        Some(match self {
            Self::Nil => relata::Value::Null,
            Self::Bool(value) => relata::Value::Bool(*value),
            Self::Int(value) => relata::Value::Int(*value),
            Self::Float(value) => relata::Value::Float(*value),
            Self::Text(text) | Self::Name(text) => relata::Value::from(text.to_string()),
            Self::Time(micros) => relata::Value::Timestamp(*micros),
            Self::Class(class) => relata::Value::from(class.name().to_owned()),
            _ => return None,
        })
    }
}

/// Two values are equal as `==` has it.
#[must_use]
pub fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) | (Value::Time(a), Value::Time(b)) => a == b,
        (Value::Text(a), Value::Text(b)) | (Value::Name(a), Value::Name(b)) => a == b,
        (Value::Float(_) | Value::Int(_), Value::Float(_) | Value::Int(_)) => {
            number(one) == number(other)
        }
        (Value::List(a), Value::List(b)) => {
            let (a, b) = (a.items(), b.items());
            a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| equal(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| {
                    b.iter()
                        .any(|(other, found)| equal(key, other) && equal(value, found))
                })
        }
        (Value::Record(a), Value::Record(b)) => a == b,
        (Value::Twin(a), Value::Record(b)) | (Value::Record(b), Value::Twin(a)) => **a == *b,
        (Value::Twin(a), Value::Twin(b)) => a == b,
        (Value::Class(a), Value::Class(b)) => a == b,
        _ => same(one, other),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "Ruby compares a float with an integer so"
)]
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

/// Two values are the same object, as `equal?` has it.
#[must_use]
pub fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Record(a), Value::Record(b)) | (Value::Errors(a), Value::Errors(b)) => a.is(b),
        (Value::Collection(a), Value::Collection(b))
        | (Value::Association(a), Value::Association(b)) => {
            a.owner().is(b.owner()) && a.reflection().name() == b.reflection().name()
        }
        (Value::Reflection(a), Value::Reflection(b)) => std::ptr::eq(a.declaration, b.declaration),
        (Value::List(a), Value::List(b)) => a.is(b),
        (Value::Map(a), Value::Map(b)) => Arc::ptr_eq(a, b),
        (Value::Twin(a), Value::Twin(b)) => Arc::ptr_eq(a, b),
        (Value::Query(a), Value::Query(b)) => Arc::ptr_eq(a, b),
        (Value::Nil | Value::Bool(_) | Value::Int(_) | Value::Name(_) | Value::Class(_), _) => {
            equal_plain(one, other)
        }
        _ => false,
    }
}

fn equal_plain(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Name(a), Value::Name(b)) => a == b,
        (Value::Class(a), Value::Class(b)) => a == b,
        _ => false,
    }
}

/// A value as `inspect` shows it, as far as it has one form in every implementation.
#[must_use]
pub fn inspect(value: &Value) -> String {
    match value {
        Value::Nil => "nil".to_owned(),
        Value::Text(text) => format!("{text:?}"),
        Value::Name(name) => format!(":{name}"),
        Value::List(list) => {
            let items: Vec<String> = list.items().iter().map(inspect).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(map) => {
            let one = |(key, value): &(Value, Value)| match key {
                Value::Name(name) => format!("{name}: {}", inspect(value)),
                key => format!("{} => {}", inspect(key), inspect(value)),
            };
            format!("{{{}}}", map.iter().map(one).collect::<Vec<_>>().join(", "))
        }
        Value::Record(record) => format!("#<{}>", record.reflection().name()),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Time(_) | Value::Class(_) => {
            value.to_text()
        }
        other => format!("#<{}>", kind(other)),
    }
}

/// What a value is called in a report.
#[must_use]
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nil",
        Value::Bool(_) => "truth value",
        Value::Int(_) | Value::Float(_) => "number",
        Value::Text(_) => "string",
        Value::Name(_) => "name",
        Value::Time(_) => "time",
        Value::List(_) => "list",
        Value::Map(_) => "map",
        Value::Range(_) => "range",
        Value::Record(_) | Value::Twin(_) => "record",
        Value::Collection(_) => "collection",
        Value::Association(_) => "association",
        Value::Query(_) => "relation",
        Value::WhereChain(_) => "where chain",
        Value::Reflection(_) => "reflection",
        Value::Class(_) => "class",
        Value::Errors(_) => "errors",
        Value::Preloader(_) => "preloader",
        Value::Batched(_) => "batches",
        Value::Callable(_) => "callable",
        Value::Wildcard => "wildcard",
    }
}
