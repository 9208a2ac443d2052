//! A row under the name of another model of its table.
//!
//! Invariant: what becomes is another object, with a batch of its own: what is set on one is not set on the other.

use super::Record;
use crate::attribute::Value;
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
    /// `Argument` for a model of another table; `InvalidValue` for a value that its column cannot hold; `MissingAttribute`
    /// when the record's query left columns out.
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
            if self.is_absent(from) {
                return Err(self.missing_attribute(own.columns()[from].name()));
            }
            let cast = |value: Value<'static>| {
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

    /// As [`becomes`](Self::becomes), and the type column says the other class: saving the copy makes the row one of its.
    /// Never touches the database. Rails: `becomes!`.
    ///
    /// ```
    /// # use relata::{Db, model};
    /// #[model(subclasses = (Admin))]
    /// pub struct User {
    ///     id: i64,
    ///     r#type: Option<String>,
    ///     name: String,
    /// }
    ///
    /// #[model(base = User)]
    /// pub struct Admin {
    ///     name: String,
    /// }
    ///
    /// # relata::run(async {
    /// # let db = Db::connect("sqlite::memory:").await?;
    /// # db.create_tables([User::reflection()]).await?;
    /// let ann = User::create(&db, |u| u.set_name("Ann")).await?;
    /// let admin: Admin = ann.becomes_with_type()?;
    /// admin.save().await?;
    /// assert_eq!(Admin::find(&db, ann.id()).await?.name(), "Ann");
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`becomes`](Self::becomes); `Argument` for a model whose rows do not say of which class they are.
    #[doc(alias = "becomes!")]
    pub fn becomes_with_type<M: Model>(&self) -> Result<M> {
        M::from_record(self.becomes_with_type_of(M::reflection())?)
    }

    /// As [`becomes_with_type`](Self::becomes_with_type), for a model without a type.
    ///
    /// # Errors
    /// As [`becomes_with_type`](Self::becomes_with_type); `InvalidValue` for a value that its column cannot hold.
    pub fn becomes_with_type_of(&self, model: &'static ModelReflection) -> Result<Record> {
        let copy = self.becomes_of(model)?;
        let Some(column) = model.type_column() else {
            let message = format!(
                "the rows of {} do not say of which class they are, so none can be made one of {}: `becomes` gives a \
                 record of it",
                model.table(),
                model.name()
            );
            return Err(Error::new(ErrorKind::Argument, message).with_record(self.clone()));
        };
        // Rows of the base say nothing.
        let name = model
            .type_names()
            .and_then(|(_, names)| names.first().copied());
        copy.set_value(column, name.map_or(Value::Null, Value::from))?;
        Ok(copy)
    }
}
