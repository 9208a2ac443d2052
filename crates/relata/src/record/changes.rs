//! What changed of one attribute, by its name, and how it is taken back.
//!
//! Invariant: all of it is told from the record's own rows; nothing here asks the database.

use super::Record;
use super::state::Version;
use crate::attribute::value::Value;
use crate::error::Result;

impl Record {
    /// Whether an attribute differs from what was saved. Never touches the database. Rails: `attribute_changed?("title")`.
    ///
    /// ```
    /// # use relata::{Db, model};
    /// # #[model] pub struct Post { id: i64, title: String }
    /// # relata::run(async {
    /// # let db = Db::connect("sqlite::memory:").await?;
    /// # db.create_tables([Post::reflection()]).await?;
    /// let post = Post::create(&db, |p| p.set_title("draft")).await?;
    /// post.set("title", "final")?;
    /// assert!(post.attribute_changed("title")?);
    /// assert_eq!(post.attribute_was("title")?, "draft".into());
    /// post.save().await?;
    /// assert_eq!(post.attribute_before_last_save("title")?, "draft".into());
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// `UnknownAttribute` with the nearest name.
    #[doc(alias = "has_attribute_changed")]
    pub fn attribute_changed(&self, name: &str) -> Result<bool> {
        let column = self.reflection().attribute(name)?;
        Ok(self.column_changed(column))
    }

    /// Whether the next save writes an attribute. Never touches the database.
    /// Rails: `will_save_change_to_attribute?("title")`.
    ///
    /// # Errors
    /// `UnknownAttribute` with the nearest name.
    pub fn will_save_change_to_attribute(&self, name: &str) -> Result<bool> {
        self.attribute_changed(name)
    }

    /// An attribute as it was saved last, whatever was set since. Never touches the database.
    /// Rails: `attribute_was("title")`, `attribute_in_database("title")`.
    ///
    /// # Errors
    /// `UnknownAttribute` with the nearest name.
    #[doc(alias = "attribute_in_database")]
    pub fn attribute_was(&self, name: &str) -> Result<Value<'_>> {
        let column = self.reflection().attribute(name)?;
        Ok(self.shown(column, Version::Saved))
    }

    /// The saved and the current value of an attribute, where they differ. Never touches the database.
    /// Rails: `attribute_change("title")`, `attribute_change_to_be_saved("title")`.
    ///
    /// # Errors
    /// `UnknownAttribute` with the nearest name.
    #[doc(alias = "attribute_change_to_be_saved")]
    pub fn attribute_change(&self, name: &str) -> Result<Option<(Value<'_>, Value<'_>)>> {
        let column = self.reflection().attribute(name)?;
        Ok(self.column_changed(column).then(|| {
            let current = self.shown(column, Version::Current);
            (self.shown(column, Version::Saved), current)
        }))
    }

    /// What the last save made of an attribute: its value before and after, where it changed it. Never touches the
    /// database. Rails: `saved_change_to_attribute("title")`, `attribute_previously_changed?`.
    ///
    /// # Errors
    /// `UnknownAttribute` with the nearest name.
    #[doc(alias = "attribute_previously_changed")]
    pub fn saved_change_to_attribute(&self, name: &str) -> Result<Option<(Value<'_>, Value<'_>)>> {
        let column = self.reflection().attribute(name)?;
        Ok(self.was_changed(column).then(|| {
            let before = self.shown(column, Version::Before);
            (before, self.shown(column, Version::Saved))
        }))
    }

    /// An attribute as it was before the last save; what is saved, where that did not change it or there was none. Never
    /// touches the database. Rails: `attribute_before_last_save("title")`, `attribute_previously_was`.
    ///
    /// # Errors
    /// `UnknownAttribute` with the nearest name.
    #[doc(alias = "attribute_previously_was")]
    pub fn attribute_before_last_save(&self, name: &str) -> Result<Value<'_>> {
        let column = self.reflection().attribute(name)?;
        Ok(self.shown(column, Version::Before))
    }

    /// Sets these attributes back to what was saved, and leaves the others. Never touches the database. With types:
    /// [`Model::restore_attributes_of`](crate::Model::restore_attributes_of). Rails: `restore_attributes(["title"])`.
    ///
    /// # Errors
    /// `UnknownAttribute` with the nearest name; then none is set back.
    pub fn restore_attributes_named<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<()> {
        let column = |name| self.reflection().attribute(name);
        let columns: Result<Vec<usize>> = names.into_iter().map(column).collect();
        self.restore_columns(&columns?);
        Ok(())
    }

    /// Sets the attributes at these positions back to what was saved.
    pub(crate) fn restore_columns(&self, columns: &[usize]) {
        let Some(state) = self.state() else {
            return;
        };
        let mut values = state.values_mut();
        for &column in columns {
            if let Some(&slot) = self.batch().slots().get(column) {
                values.revert(column, slot);
            }
        }
    }

    /// A value as it is given to people: of an enum, the label.
    fn shown(&self, column: usize, version: Version) -> Value<'_> {
        let value = self.value_of(column, version);
        match self.reflection().columns().get(column) {
            Some(reflection) => reflection.ty.shown(value),
            None => value,
        }
    }
}
