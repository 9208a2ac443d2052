//! What comes from outside, as data: named values, lists and maps, and the list of what may be taken of them.
//!
//! Invariant: nothing here knows a model. A value is kept as it was given; what a column makes of it is decided where it
//! is set, and what is not permitted never gets there.

mod form;
#[cfg(feature = "json")]
mod json;
mod permit;
#[cfg(feature = "serde")]
mod serde;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use crate::attribute::Value;

pub use permit::Permit;
pub(crate) use permit::Permitted;

/// How deep lists and maps may nest in what is read of a form or by serde, and members in what is assigned. A JSON value
/// nests as deep as whoever read it let it.
pub(crate) const DEEPEST: usize = 32;

/// One thing that was given: a value, a list or a map.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Param {
    /// A single value.
    Value(Value<'static>),
    /// A list.
    List(Vec<Param>),
    /// Named things.
    Map(Params),
}

/// Named things in their order: what a form, a JSON document or a program gives for a record. Rails: `params`.
///
/// A name stands once; set again, it keeps its place. With the feature `password`, the texts are wiped when they are
/// dropped, since a password may be among them.
///
/// ```
/// use relata::Params;
///
/// let params = Params::new().with("title", "Hello").with("stars", 3);
/// assert_eq!(params.names().collect::<Vec<_>>(), ["title", "stars"]);
/// assert!(params.with("title", " ").is_blank("title"));
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Params(Vec<(String, Param)>);

impl Params {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with one thing more.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, param: impl Into<Param>) -> Self {
        self.set(name, param);
        self
    }

    /// Sets one.
    pub fn set(&mut self, name: impl Into<String>, param: impl Into<Param>) {
        let (name, param) = (name.into(), param.into());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, held)) => std::mem::replace(held, param).wiped(),
            None => self.0.push((name, param)),
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Param> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, param)| param)
    }

    /// The text of that name; none for what is not a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Param::Value(value) => value.as_str(),
            Param::List(_) | Param::Map(_) => None,
        }
    }

    /// Whether it is not there, null, false, a text of nothing but white space, or empty. Rails: `blank?`.
    #[must_use]
    pub fn is_blank(&self, name: &str) -> bool {
        self.get(name).is_none_or(Param::is_blank)
    }

    /// The names, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// All, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Param)> {
        self.0.iter().map(|(name, param)| (name.as_str(), param))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes one out.
    pub(crate) fn take(&mut self, name: &str) -> Option<Param> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    /// Appends what is known to have a name of its own.
    pub(crate) fn push(&mut self, name: String, param: Param) {
        self.0.push((name, param));
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Param> {
        let found = self.0.iter_mut().find(|(known, _)| known == name);
        found.map(|(_, param)| param)
    }

    pub(crate) fn into_values(self) -> impl Iterator<Item = Param> {
        self.into_iter().map(|(_, param)| param)
    }

    /// All, one after the other; what nobody takes is wiped.
    pub(crate) fn into_given(self) -> Given {
        Given(self.into_iter())
    }
}

impl IntoIterator for Params {
    type Item = (String, Param);
    type IntoIter = std::vec::IntoIter<(String, Param)>;

    fn into_iter(mut self) -> Self::IntoIter {
        std::mem::take(&mut self.0).into_iter()
    }
}

/// What is left of params that are gone through.
pub(crate) struct Given(std::vec::IntoIter<(String, Param)>);

impl Given {
    pub(crate) fn next(&mut self) -> Option<(String, Param)> {
        self.0.next()
    }
}

// A password among them is not to be found in memory that is given back.
#[cfg(feature = "password")]
impl Drop for Params {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|(_, param)| param.wipe());
    }
}

#[cfg(feature = "password")]
impl Drop for Given {
    fn drop(&mut self) {
        self.0.by_ref().for_each(|(_, param)| param.wiped());
    }
}

impl Param {
    /// Whether it is null, false, a text of nothing but white space, or empty. Rails: `blank?`.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Value(Value::Null | Value::Bool(false)) => true,
            Self::Value(Value::Text(text)) => text.trim().is_empty(),
            Self::Value(_) => false,
            Self::List(list) => list.is_empty(),
            Self::Map(map) => map.is_empty(),
        }
    }

    /// Whether it says yes, as Rails reads a box that was ticked: everything but null, false, nothing, `0`, `f`, `false`
    /// and `off`.
    #[must_use]
    pub fn is_true(&self) -> bool {
        match self {
            Self::Value(Value::Null | Value::Bool(false) | Value::Int(0) | Value::Uint(0)) => false,
            Self::Value(Value::Text(text)) => !matches!(
                text.as_ref(),
                "" | "0" | "f" | "F" | "false" | "FALSE" | "off" | "OFF"
            ),
            _ => true,
        }
    }

    /// The value of a single one.
    #[must_use]
    pub fn value(&self) -> Option<&Value<'static>> {
        match self {
            Self::Value(value) => Some(value),
            Self::List(_) | Self::Map(_) => None,
        }
    }

    /// Wipes the texts of it; of maps, their own end does.
    #[cfg(feature = "password")]
    fn wipe(&mut self) {
        use zeroize::Zeroize as _;
        match self {
            Self::Value(Value::Text(std::borrow::Cow::Owned(text))) => text.zeroize(),
            Self::Value(_) | Self::Map(_) => {}
            Self::List(list) => list.iter_mut().for_each(Self::wipe),
        }
    }

    /// Its end, where nobody takes it: it may be a password.
    #[cfg_attr(not(feature = "password"), expect(unused_mut))]
    pub(crate) fn wiped(mut self) {
        #[cfg(feature = "password")]
        self.wipe();
        drop(self);
    }

    /// What it is, as an error of Rails calls it.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::List(_) => "Array",
            Self::Map(_) => "Hash",
            Self::Value(value) => match value {
                Value::Null => "NilClass",
                Value::Bool(true) => "TrueClass",
                Value::Bool(false) => "FalseClass",
                Value::Int(_) | Value::Uint(_) => "Integer",
                Value::Float(_) => "Float",
                _ => "String",
            },
        }
    }

    /// The value of it whole, for a column that holds documents: a list or a map becomes JSON.
    pub(crate) fn into_value(self) -> Option<Value<'static>> {
        match self {
            Self::Value(value) => Some(value),
            #[cfg(feature = "json")]
            document => Some(serde_json::Value::from(document).into()),
            #[cfg(not(feature = "json"))]
            Self::List(_) | Self::Map(_) => None,
        }
    }
}

impl From<Params> for Param {
    fn from(params: Params) -> Self {
        Self::Map(params)
    }
}

impl From<&Params> for Param {
    fn from(params: &Params) -> Self {
        Self::Map(params.clone())
    }
}

impl From<&Param> for Param {
    fn from(param: &Param) -> Self {
        param.clone()
    }
}

impl<T: Into<Param>> From<Vec<T>> for Param {
    fn from(list: Vec<T>) -> Self {
        Self::List(list.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Param>, const N: usize> From<[T; N]> for Param {
    fn from(list: [T; N]) -> Self {
        Self::List(list.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Param>> From<Option<T>> for Param {
    fn from(param: Option<T>) -> Self {
        param.map_or(Self::Value(Value::Null), Into::into)
    }
}

impl From<&str> for Param {
    fn from(text: &str) -> Self {
        Self::Value(Value::from(text.to_owned()))
    }
}

macro_rules! values {
    ($($type:ty),*) => {$(
        impl From<$type> for Param {
            fn from(value: $type) -> Self {
                Self::Value(value.into())
            }
        }
    )*};
}

values!(Value<'static>, String, bool, i32, i64, u32, u64, f64);

impl<N: Into<String>, P: Into<Param>> FromIterator<(N, P)> for Params {
    fn from_iter<I: IntoIterator<Item = (N, P)>>(all: I) -> Self {
        let mut reading = Reading::default();
        for (name, param) in all {
            reading.set(name.into(), param.into());
        }
        reading.params
    }
}

/// Params that are read one by one, of any number: where each name stands is known without looking at all.
#[derive(Default)]
struct Reading {
    params: Params,
    /// Kept once there are many. What hashes it is not ours, for names come from outside.
    places: HashMap<String, usize>,
}

impl Reading {
    /// So many are looked through faster than hashed.
    const FEW: usize = 16;

    fn set(&mut self, name: String, param: Param) {
        if self.params.len() < Self::FEW {
            return self.params.set(name, param);
        }
        if self.places.is_empty() {
            let names = self.params.names().map(str::to_owned);
            self.places = names.zip(0..).collect();
        }
        match self.places.entry(name) {
            Entry::Occupied(known) => {
                if let Some((_, held)) = self.params.0.get_mut(*known.get()) {
                    std::mem::replace(held, param).wiped();
                }
            }
            Entry::Vacant(new) => {
                let name = new.key().clone();
                new.insert(self.params.len());
                self.params.push(name, param);
            }
        }
    }
}

/// Names only: what a client sends may be secret.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, param) in self.iter() {
            map.entry(&name, param);
        }
        map.finish()
    }
}

impl fmt::Debug for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(_) => f.write_str(".."),
            Self::List(list) => f.debug_list().entries(list).finish(),
            Self::Map(map) => map.fmt(f),
        }
    }
}
