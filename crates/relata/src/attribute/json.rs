//! JSON documents: `serde_json::Value`, and [`Json`] of what serde can read and write.
//!
//! A setter cannot fail, and some values have no JSON (a map whose keys are not text, a document nested deeper than
//! is read back). Such a value is kept as text that is not JSON, and says why: setting it by name, or saving the
//! record, is the error `InvalidValue` with that reason. It is never stored, and never becomes `null`.
//!
//! Invariant: what is stored parses as the type; what does not parse was refused when it was loaded or saved.

use std::borrow::Cow;

use ::serde::Serialize;
use ::serde::de::DeserializeOwned;

use super::{Attribute, Kind, Stored, Value};

/// Begins the text of a value that cannot be JSON; no JSON begins with it.
const REFUSED: &str = "cannot be JSON: ";

/// A column of JSON that is read and set as `T`.
///
/// Every read parses the text. A new record's attribute without a value reads as `T::default()`.
///
/// ```
/// use std::collections::BTreeMap;
/// use relata::attribute::{Attribute, Json, Value};
///
/// let sizes = BTreeMap::from([("small".to_owned(), 1)]);
/// let value: Value<'_> = Json::<BTreeMap<String, u32>>::write(&sizes);
/// assert_eq!(value.as_str(), Some(r#"{"small":1}"#));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Json<T>(pub T);

#[diagnostic::do_not_recommend]
impl<T> Attribute for Json<T>
where
    T: Serialize + DeserializeOwned + Default + Send + Sync + 'static,
{
    const NAME: &'static str = "Json";
    const KIND: Kind = Kind::Json;
    const CHECKED: bool = true;
    type Ref<'a> = T;
    type Set<'a> = &'a T;

    fn read(stored: Stored<'_>) -> T {
        parse(stored).unwrap_or_default()
    }

    fn owned(stored: Stored<'_>) -> Self {
        Self(Self::read(stored))
    }

    fn write(value: Self::Set<'_>) -> Value<'_> {
        document(value)
    }

    fn into_value(self) -> Value<'static> {
        document(&self.0)
    }

    fn check(stored: Stored<'_>) -> Result<(), String> {
        parse::<T>(stored).map(drop)
    }
}

#[diagnostic::do_not_recommend]
impl Attribute for ::serde_json::Value {
    const NAME: &'static str = "serde_json::Value";
    const KIND: Kind = Kind::Json;
    const CHECKED: bool = true;
    type Ref<'a> = ::serde_json::Value;
    type Set<'a> = &'a ::serde_json::Value;

    fn read(stored: Stored<'_>) -> ::serde_json::Value {
        parse(stored).unwrap_or_default()
    }

    fn owned(stored: Stored<'_>) -> Self {
        Self::read(stored)
    }

    fn write(value: Self::Set<'_>) -> Value<'_> {
        document(value)
    }

    fn into_value(self) -> Value<'static> {
        document(&self)
    }

    fn check(stored: Stored<'_>) -> Result<(), String> {
        parse::<Self>(stored).map(drop)
    }
}

fn parse<T: DeserializeOwned>(stored: Stored<'_>) -> Result<T, String> {
    let text = stored.text();
    if text.starts_with(REFUSED) {
        return Err(text.to_owned());
    }
    ::serde_json::from_str(text).map_err(|problem| format!("is not JSON of the type: {problem}"))
}

/// A value as the text of its document.
pub(crate) fn document<T: Serialize>(value: &T) -> Value<'static> {
    let text = ::serde_json::to_string(value).unwrap_or_else(|problem| refused(&problem));
    Value::Json(Cow::Owned(text))
}

/// The text of a value that cannot be JSON.
pub(crate) fn refused(problem: &::serde_json::Error) -> String {
    format!("{REFUSED}{problem}")
}

impl<T: Serialize> From<Json<T>> for Value<'_> {
    fn from(value: Json<T>) -> Self {
        document(&value.0)
    }
}

impl From<::serde_json::Value> for Value<'_> {
    fn from(value: ::serde_json::Value) -> Self {
        document(&value)
    }
}

impl From<&::serde_json::Value> for Value<'_> {
    fn from(value: &::serde_json::Value) -> Self {
        document(value)
    }
}
