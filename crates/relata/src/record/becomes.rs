//! A row under the name of another model of its table.
//!
//! Invariant: what becomes is another object, with a batch of its own: what is set on one is not set on the other.

use super::Record;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Model;
use crate::reflection::ModelReflection;

impl Record {
    /// This row as a record of another model of the same table: saved or new as this one is, with what is set and not
    /// saved. Columns that the other model lacks are left out. Unlike in Rails the two share nothing afterwards. Never
    /// touches the database. Rails: `becomes`.
    ///
    /// ```
    /// # use relata::{Db, model};
    /// #[model]
    /// pub struct Post {
    ///     id: i64,
    ///     title: String,
    /// }
    ///
    /// #[model(table = "posts")]
    /// pub struct Draft {
    ///     id: i64,
    ///     #[validates(presence)]
    ///     title: String,
    /// }
    ///
    /// let post = Post::build(&Db::detached(), |p| p.set_title("Hello"));
    /// let draft: Draft = post.becomes()?;
    /// assert_eq!(draft.title(), "Hello");
    /// # Ok::<(), relata::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Argument` for a model of another table.
    pub fn becomes<M: Model>(&self) -> Result<M> {
        M::from_record(self.becomes_of(M::reflection())?)
    }

    /// As [`becomes`](Self::becomes), for a model without a type.
    ///
    /// # Errors
    /// `Argument` for a model of another table; `InvalidValue` for a value that its column cannot hold.
    pub fn becomes_of(&self, model: &'static ModelReflection) -> Result<Record> {
        let own = self.reflection();
        if model.table() != own.table() {
            let message = format!(
                "{} cannot become {}: their tables are {} and {}",
                own.name(),
                model.name(),
                own.table(),
                model.table()
            );
            return Err(Error::new(ErrorKind::Argument, message).with_record(self.clone()));
        }
        let copy = Record::blank(model, self.db());
        copy.set_life(self.life());
        for (column, reflection) in model.columns().iter().enumerate() {
            let same =
                |one: &crate::reflection::Column| one.column_name() == reflection.column_name();
            let Some(from) = own.columns().iter().position(same) else {
                continue;
            };
            let cast = |value: crate::attribute::Value<'static>| {
                let cast = reflection.attribute_type().cast(value);
                cast.map_err(|problem| model.refused(column, &problem))
            };
            let saved = cast(self.saved_value(from).into_owned())?;
            // What a new record was never given is left to the table's default.
            if !saved.is_null() || !copy.is_new_record() {
                copy.fill(column, &saved);
            }
            if self.column_changed(from) {
                copy.set_value(column, self.value(from).into_owned())?;
            }
        }
        Ok(copy)
    }
}
