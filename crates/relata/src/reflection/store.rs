//! Values inside the document of a column that are read and set as attributes are.
//!
//! Invariant: data. A declaration says name, place and type; the record room reads and writes documents.

use super::{Column, ModelReflection};
use crate::attribute::Kind;
use crate::error::{Error, ErrorKind, Result};

/// A value inside a document, with a name of its own. Rails: `store_accessor :settings, :color`.
#[derive(Debug, Clone, Copy)]
pub struct StoreAccessor {
    name: &'static str,
    key: &'static str,
    #[cfg(feature = "json")]
    pub(crate) check: Option<Check>,
}

#[cfg(feature = "json")]
type Check = fn(&serde_json::Value) -> std::result::Result<(), String>;

impl StoreAccessor {
    /// A value of any type: the attribute `name`, which is `key` in the document.
    #[must_use]
    pub const fn new(name: &'static str, key: &'static str) -> Self {
        Self {
            name,
            key,
            #[cfg(feature = "json")]
            check: None,
        }
    }

    /// A value of that type. Where the document has none, or null, it reads as the type's default.
    #[cfg(feature = "json")]
    #[must_use]
    pub const fn of<T: serde::de::DeserializeOwned>(name: &'static str, key: &'static str) -> Self {
        let mut accessor = Self::new(name, key);
        accessor.check = Some(is_of::<T>);
        accessor
    }

    /// What the attribute is called.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its place in the document.
    #[must_use]
    pub fn key(&self) -> &'static str {
        self.key
    }
}

#[cfg(feature = "json")]
fn is_of<T: serde::de::DeserializeOwned>(
    value: &serde_json::Value,
) -> std::result::Result<(), String> {
    T::deserialize(value)
        .map(drop)
        .map_err(|problem| problem.to_string())
}

/// Refuses accessors of what is no document, and two of one name.
pub(super) fn check(model: &str, columns: &[Column]) -> Result<()> {
    let mut names: Vec<&str> = columns.iter().map(Column::name).collect();
    for column in columns {
        for accessor in column.store_accessors() {
            let (name, of) = (accessor.name, column.name());
            let problem = if column.attribute_type().kind != Kind::Json {
                format!("{of} holds no documents: store accessors stand on a column of JSON")
            } else if names.contains(&name) {
                String::from(
                    "the name is that of another attribute: give the store accessor another",
                )
            } else {
                names.push(name);
                continue;
            };
            return Err(Error::new(
                ErrorKind::Configuration,
                format!("{model}.{name}: {problem}"),
            )
            .with_attribute(name));
        }
    }
    Ok(())
}

impl ModelReflection {
    /// The values inside documents that are attributes, each with its column. Rails: `stored_attributes`.
    pub fn store_accessors(
        &self,
    ) -> impl Iterator<Item = (&'static Column, &'static StoreAccessor)> + use<> {
        let columns = self.columns().iter();
        columns.flat_map(|column| {
            column
                .store_accessors()
                .iter()
                .map(move |one| (column, one))
        })
    }
}
