//! Values inside the document of a column: read, set, and asked whether they changed.
//!
//! A document is parsed when one of its values is asked for, and written whole when one is set.
//!
//! Invariants: a value that is set to what it is changes nothing; a document whose values are what they were is the text
//! that it was; a document that is no object is left as it is, and the save refuses it.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Document};

use super::Record;
use super::state::Version;
use crate::attribute::Stored;
use crate::attribute::json;
use crate::attribute::value::Value;
use crate::error::{self, Error, ErrorKind};
use crate::reflection::StoreAccessor;

/// A value inside a document of one record, by name: what [`Record::store_accessor`] gives.
#[derive(Clone)]
pub struct StoredAttribute {
    record: Record,
    column: usize,
    accessor: &'static StoreAccessor,
}

impl Record {
    /// The value of that name inside a document, to be read and set without types. Never touches the database.
    /// Rails: `post.color`, by `store_accessor`.
    ///
    /// ```
    /// # use relata::{Db, Record, attribute::{AttributeType, Kind}, reflection::{Column, ModelBuilder, StoreAccessor}};
    /// static THEME: [StoreAccessor; 1] = [StoreAccessor::new("theme_color", "color")];
    /// let blog = ModelBuilder::new("Blog", "blogs")
    ///     .column(Column::new("theme", AttributeType::plain(Kind::Json, true)).with_store_accessors(&THEME))
    ///     .define()?;
    /// let mine = Record::new(blog, &Db::detached());
    /// mine.store_accessor("theme_color")?.set("red")?;
    /// assert_eq!(mine.get("theme")?.as_str(), Some(r#"{"color":"red"}"#));
    /// # Ok::<(), relata::Error>(())
    /// ```
    ///
    /// # Errors
    /// `UnknownAttribute` for a name that no `store_accessor` declares, with the nearest.
    pub fn store_accessor(&self, name: &str) -> error::Result<StoredAttribute> {
        let model = self.reflection();
        let found = model.store_accessors().find(|(_, one)| one.name() == name);
        let Some((column, accessor)) = found else {
            let known = model.store_accessors().map(|(_, one)| one.name());
            let hint = relata_inflect::nearest(name, known)
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default();
            let message = format!("{} has no store accessor `{name}`{hint}", model.name());
            return Err(Error::new(ErrorKind::UnknownAttribute, message)
                .with_model(model.name())
                .with_attribute(name));
        };
        Ok(StoredAttribute {
            record: self.clone(),
            column: model.attribute(column.name())?,
            accessor,
        })
    }
}

impl StoredAttribute {
    /// The value; null where the document has none.
    ///
    /// # Errors
    /// `MissingAttribute` for a column that was not selected.
    pub fn get(&self) -> error::Result<Document> {
        self.record.get(self.column_name())?;
        Ok(self.value(Version::Current))
    }

    /// Sets the value, in memory; saving the record writes the document.
    ///
    /// # Errors
    /// `InvalidValue` for a value that is not of the accessor's type, and for a document that is no object; as
    /// [`Record::set`].
    pub fn set(&self, value: impl Into<Document>) -> error::Result<()> {
        self.record.may_set(self.column)?;
        let value = value.into();
        let refused = |problem: &str| self.record.reflection().refused(self.column, problem);
        if let Err(problem) = self.check(&value) {
            return Err(refused(&problem));
        }
        put(&self.record, self.column, self.accessor.key(), value).map_err(refused)
    }

    /// Whether the value differs from what was saved. Rails: `color_changed?`.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        is_stored_changed(&self.record, self.column, self.accessor.key())
    }

    /// The value as it was saved last. Rails: `color_was`.
    #[must_use]
    pub fn was(&self) -> Document {
        self.value(Version::Saved)
    }

    /// The value before and after the last save, if that changed it. Rails: `saved_change_to_color`.
    #[must_use]
    pub fn saved_change(&self) -> Option<(Document, Document)> {
        saved_stored_change(&self.record, self.column, self.accessor.key())
    }

    /// The declaration.
    #[must_use]
    pub fn accessor(&self) -> &'static StoreAccessor {
        self.accessor
    }

    pub(crate) fn position(&self) -> usize {
        self.column
    }

    pub(crate) fn is_secret(&self) -> bool {
        let column = self.record.reflection().columns().get(self.column);
        column.is_none_or(|column| column.is_secret())
    }

    fn value(&self, version: Version) -> Document {
        stored(&self.record, self.column, self.accessor.key(), version)
    }

    fn column_name(&self) -> &'static str {
        let column = self.record.reflection().columns().get(self.column);
        column.map_or("?", |column| column.name())
    }

    /// What a value from outside is as the accessor's: a text that the type does not take is read as what it says.
    pub(crate) fn given(&self, value: Document) -> Result<Document, String> {
        let read = match &value {
            Document::String(text) if self.check(&value).is_err() => read(text),
            _ => Vec::new(),
        };
        let found = read.into_iter().find(|one| self.check(one).is_ok());
        let value = found.unwrap_or(value);
        self.check(&value).map(|()| value)
    }

    fn check(&self, value: &Document) -> Result<(), String> {
        check_one(self.accessor, value)
    }
}

/// Shows the name, and no value: the column may be secret.
impl fmt::Debug for StoredAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoredAttribute")
            .field(&self.accessor.name())
            .finish()
    }
}

/// What a form's text may stand for, beside itself.
fn read(text: &str) -> Vec<Document> {
    let text = text.trim();
    let truth = match text.to_ascii_lowercase().as_str() {
        "" => Some(Document::Null),
        "1" | "on" | "yes" | "y" | "t" | "true" => Some(Document::Bool(true)),
        "0" | "off" | "no" | "n" | "f" | "false" => Some(Document::Bool(false)),
        _ => None,
    };
    let number = serde_json::from_str(text).ok().filter(Document::is_number);
    number.into_iter().chain(truth).collect()
}

fn check_one(accessor: &StoreAccessor, value: &Document) -> Result<(), String> {
    match accessor.check {
        Some(check) if !value.is_null() => check(value)
            .map_err(|problem| format!("has a `{}` that is wrong: {problem}", accessor.key())),
        _ => Ok(()),
    }
}

/// Whether a document is an object whose values are of their accessors' types. Called for a column's type.
///
/// # Errors
/// What is wrong with it, to follow "the value".
pub fn check_stored(
    base: Result<(), String>,
    stored: Stored<'_>,
    accessors: &[StoreAccessor],
) -> Result<(), String> {
    base?;
    match serde_json::from_str(stored.text()) {
        Ok(Document::Object(values)) => accessors
            .iter()
            .filter_map(|one| Some((one, values.get(one.key())?)))
            .try_for_each(|(one, value)| check_one(one, value)),
        Ok(Document::Null) => Ok(()),
        Ok(_) => Err(NO_OBJECT.to_owned()),
        Err(problem) => Err(problem.to_string()),
    }
}

const NO_OBJECT: &str = "is no JSON object, which its store accessors need";

/// The document of a column; none for what is null, and an error for what is no object.
fn document(
    record: &Record,
    column: usize,
    version: Version,
) -> Result<Map<String, Document>, &'static str> {
    match record.value_of(column, version) {
        Value::Null => Ok(Map::new()),
        value => match serde_json::from_str(value.as_str().unwrap_or_default()) {
            Ok(Document::Object(values)) => Ok(values),
            Ok(Document::Null) => Ok(Map::new()),
            _ => Err(NO_OBJECT),
        },
    }
}

fn stored(record: &Record, column: usize, key: &str, version: Version) -> Document {
    let document = document(record, column, version).ok();
    document
        .and_then(|mut values| values.remove(key))
        .unwrap_or_default()
}

fn put(record: &Record, column: usize, key: &str, value: Document) -> Result<(), &'static str> {
    let mut values = document(record, column, Version::Current)?;
    if values.get(key).unwrap_or(&Document::Null) == &value {
        return Ok(());
    }
    values.insert(key.to_owned(), value);
    let saved = record.saved_value(column);
    let is_as_saved = !saved.is_null()
        && document(record, column, Version::Saved).is_ok_and(|saved| saved == values);
    let next = match is_as_saved {
        true => saved,
        false => json::document(&values),
    };
    record.write_normalized(column, next);
    Ok(())
}

fn typed<T: DeserializeOwned + Default>(value: Document) -> T {
    match value {
        Document::Null => T::default(),
        value => serde_json::from_value(value).unwrap_or_default(),
    }
}

/// The value, as its type. Called by generated readers.
#[must_use]
pub fn read_stored<T: DeserializeOwned + Default>(record: &Record, column: usize, key: &str) -> T {
    typed(stored(record, column, key, Version::Current))
}

/// The value as it was saved last. Called by `color_was`.
#[must_use]
pub fn read_stored_was<T: DeserializeOwned + Default>(
    record: &Record,
    column: usize,
    key: &str,
) -> T {
    typed(stored(record, column, key, Version::Saved))
}

/// Sets the value. What cannot be JSON is kept as a column keeps it, and the save refuses it. Called by setters.
pub fn write_stored<T: Serialize + ?Sized>(record: &Record, column: usize, key: &str, value: &T) {
    match serde_json::to_value(value) {
        // What is no object is refused by the save.
        Ok(value) => _ = put(record, column, key, value),
        Err(problem) => {
            let refused = json::refused(&problem);
            record.write_normalized(column, Value::Json(Cow::Owned(refused)));
        }
    }
}

/// Whether the value differs from what was saved. Called by `color_changed`.
#[must_use]
pub fn is_stored_changed(record: &Record, column: usize, key: &str) -> bool {
    record.column_changed(column)
        && stored(record, column, key, Version::Current)
            != stored(record, column, key, Version::Saved)
}

/// The value before and after the last save, if that changed it. Called by `saved_change_to_color`.
#[must_use]
pub fn saved_stored_change<T: DeserializeOwned + Default>(
    record: &Record,
    column: usize,
    key: &str,
) -> Option<(T, T)> {
    let before = stored(record, column, key, Version::Before);
    let after = stored(record, column, key, Version::Saved);
    (before != after).then(|| (typed(before), typed(after)))
}
