//! Reading and setting attributes.
//!
//! A typed read is a look at whether the record was touched, then one or two words of the batch; no lock, no
//! guard. What a read borrows from the arena lives as long as the handle.
//!
//! Invariant: a read of the wrong type, or of a column that is not there, gives a blank value; it never reads
//! words as what they are not. A set value is checked against the column's type before it is stored.

use super::state::{State, Version};
use super::{Record, Slot, loaded};
use crate::attribute::value::{Kind, Value};
use crate::attribute::{Attribute, Holder, Stored};
use crate::error::{Error, ErrorKind, Result};

impl Holder for Record {
    #[inline]
    fn read_attribute<A: Attribute>(&self, column: usize) -> A::Ref<'_> {
        self.read::<A>(column)
    }

    #[inline]
    fn read_attribute_was<A: Attribute>(&self, column: usize) -> A::Ref<'_> {
        self.read_was::<A>(column)
    }

    #[inline]
    fn saved_attribute_change<A: Attribute>(
        &self,
        column: usize,
    ) -> Option<(A::Ref<'_>, A::Ref<'_>)> {
        self.saved_change_to::<A>(column)
    }

    #[inline]
    fn write_attribute<A: Attribute>(&self, column: usize, value: A::Set<'_>) {
        self.write::<A>(column, value);
    }
}

impl Record {
    /// The attribute at a position, as the type that the model declares it with. Called by generated readers.
    ///
    /// A new record's attribute without a value reads as the type's default (`0`, `""`); saving does not write
    /// that default. Never touches the database.
    #[must_use]
    #[inline]
    pub fn read<A: Attribute>(&self, column: usize) -> A::Ref<'_> {
        let batch = self.batch();
        match batch.slots().get(column) {
            Some(&slot) if slot.kind == A::KIND => A::read(match batch.state(self.row) {
                None => {
                    let kind = A::KIND;
                    loaded(batch, self.row, column, Slot { kind, ..slot })
                }
                Some(state) => self.touched(state, column, slot, Version::Current),
            }),
            _ => A::read(Stored::blank(A::KIND)),
        }
    }

    /// The attribute as it was saved last. Rails: `title_was`. Called by generated readers.
    #[must_use]
    pub fn read_was<A: Attribute>(&self, column: usize) -> A::Ref<'_> {
        A::read(self.version_of::<A>(column, Version::Saved))
    }

    /// The attribute before and after the last save, if that changed it. Rails: `saved_change_to_title`.
    #[must_use]
    pub fn saved_change_to<A: Attribute>(&self, column: usize) -> Option<(A::Ref<'_>, A::Ref<'_>)> {
        let slot = *self.batch().slots().get(column)?;
        let state = self.state()?;
        if !state
            .values()
            .differs(column, slot, Version::Before, Version::Saved)
        {
            return None;
        }
        let before = A::read(self.version_of::<A>(column, Version::Before));
        Some((
            before,
            A::read(self.version_of::<A>(column, Version::Saved)),
        ))
    }

    /// Sets the attribute at a position. Called by generated setters. Never touches the database.
    pub fn write<A: Attribute>(&self, column: usize, value: A::Set<'_>) {
        let value = A::write(value);
        if let Some(&slot) = self.batch().slots().get(column)
            && slot.kind == A::KIND
        {
            self.state_or_make()
                .values_mut()
                .set(self.batch(), column, slot, &value);
        }
    }

    /// Whether the attribute at a position differs from what was saved. Rails: `title_changed?`.
    #[must_use]
    pub fn column_changed(&self, column: usize) -> bool {
        let (Some(state), Some(&slot)) = (self.state(), self.batch().slots().get(column)) else {
            return false;
        };
        state.values().is_changed(column, slot)
    }

    /// The attribute of that name, as a value; of an enum, the label, or the text that was set and is none. Rails: `post[:title]`.
    ///
    /// ```
    /// # use relata::{Db, Value, attribute::{AttributeType, Kind}, record::Record, reflection::{Column, ModelBuilder}};
    /// # let planet = ModelBuilder::new("Planet", "planets")
    /// #     .column(Column::new("name", AttributeType::plain(Kind::Text, true))).define()?;
    /// let venus = Record::new(planet, &Db::detached());
    /// assert_eq!(venus.get("name")?, Value::Null);
    /// venus.set("name", "Venus")?;
    /// assert_eq!(venus.get("name")?, Value::from("Venus"));
    /// assert!(venus.get("nmae").unwrap_err().to_string().contains("did you mean `name`?"));
    /// # Ok::<(), relata::Error>(())
    /// ```
    ///
    /// # Errors
    /// `UnknownAttribute`, with the nearest name; `MissingAttribute` for a column that was not selected.
    pub fn get(&self, name: &str) -> Result<Value<'_>> {
        let column = self.reflection().attribute(name)?;
        if self.is_absent(column) {
            return Err(self.missing_attribute(name));
        }
        let ty = &self.reflection().columns()[column].ty;
        let value = self.value(column);
        if value.is_null()
            && let Some(text) = self.refused_label(column)
        {
            return Ok(Value::from(text));
        }
        Ok(ty.shown(value))
    }

    /// Whether a column has no value to give: it was not selected, and neither read nor set since.
    pub(crate) fn is_absent(&self, column: usize) -> bool {
        self.is_unread(column) && !self.column_changed(column)
    }

    /// Whether it is not known what the row has in a column.
    pub(super) fn is_unread(&self, column: usize) -> bool {
        let known = |state: &State| !state.values().is_unread(column);
        self.batch().is_absent(column) && !self.state().is_some_and(known)
    }

    /// The error for a column that was not selected.
    pub(crate) fn missing_attribute(&self, name: &str) -> Error {
        let model = self.reflection().name();
        let message = format!("missing attribute '{name}' for {model}: it was not selected");
        Error::new(ErrorKind::MissingAttribute, message)
            .with_model(model)
            .with_attribute(name)
    }

    /// The error of a typed record without a column.
    #[cold]
    pub(crate) fn untyped(&self, name: &str) -> Error {
        let model = self.reflection().name();
        let message = format!(
            "missing attribute '{name}' for {model}: it was not selected, and a typed record has all of its attributes. \
             Select it too, or keep the records without their type: `{model}::all(&db).erased()`"
        );
        Error::new(ErrorKind::MissingAttribute, message)
            .with_model(model)
            .with_attribute(name)
    }

    /// Sets the attribute of that name, casting the value to its type. Rails: `post[:title] = "x"`.
    ///
    /// # Errors
    /// `UnknownAttribute`, with the nearest name; `InvalidValue` or `RangeError` when the value cannot be cast;
    /// `Argument` for what is no label of an enum, unless the enum is validated: then the record is invalid;
    /// `ReadOnlyRecord` on a record that was destroyed, which could not be saved; `ReadonlyAttribute` for an attribute that
    /// a saved record keeps.
    pub fn set(&self, name: &str, value: impl Into<Value<'static>>) -> Result<&Self> {
        let column = self.reflection().attribute(name)?;
        self.may_set(column)?;
        let value = value.into();
        if self.reflection().enumerations().is_empty() {
            self.set_value(column, value)?;
        } else {
            self.set_label(column, value)?;
        }
        Ok(self)
    }

    /// Sets attributes, all or none.
    pub(crate) fn set_all<'a>(
        &self,
        values: impl IntoIterator<Item = (&'a str, Value<'static>)>,
    ) -> Result<()> {
        let values: Vec<_> = values.into_iter().collect();
        for (name, value) in &values {
            let column = self.reflection().attribute(name)?;
            self.may_set(column)?;
            if let Err(error) = self.reflection().kept_value(column, value.clone())
                && !self.reflection().validates_labels(column)
            {
                return Err(error);
            }
        }
        for (name, value) in values {
            self.set(name, value)?;
        }
        Ok(())
    }

    /// Sets a column of a model with enums: what is no label is kept beside, where its validation is to tell.
    fn set_label(&self, column: usize, value: Value<'static>) -> Result<()> {
        let text = Kind::Text.cast(value.clone());
        let refused = match self.set_value(column, value) {
            Err(error) if self.reflection().validates_labels(column) => error,
            set => return set,
        };
        let text = text.ok().and_then(|text| text.as_str().map(str::to_owned));
        let (Some(&slot), Some(text)) = (self.batch().slots().get(column), text) else {
            return Err(refused);
        };
        self.state_or_make()
            .values_mut()
            .refuse(self.batch(), column, slot, text);
        Ok(())
    }

    /// What was set of an enum and is none of its labels, as long as nothing else was. Rails: what `status` reads then.
    pub(crate) fn refused_label(&self, column: usize) -> Option<String> {
        let values = self.state()?.values();
        values.refused(column).map(str::to_owned)
    }

    /// Refuses to set a column that keeps its value.
    pub(crate) fn may_set(&self, column: usize) -> Result<()> {
        if self.is_destroyed() {
            let model = self.reflection().name();
            let message = format!("can't modify frozen attributes: this {model} was destroyed");
            let name = self.reflection().columns().get(column);
            return Err(Error::new(ErrorKind::ReadOnlyRecord, message)
                .with_record(self.clone())
                .with_attribute(name.map_or("?", |column| column.name())));
        }
        if self.keeps(column) {
            return Err(self.kept(column));
        }
        Ok(())
    }

    /// Whether the record is saved and keeps the value of the column.
    pub(crate) fn keeps(&self, column: usize) -> bool {
        let reflection = self.reflection().columns().get(column);
        reflection.is_some_and(|reflection| reflection.readonly) && !self.is_new_record()
    }

    /// The error about a column whose value the record keeps.
    pub(crate) fn kept(&self, column: usize) -> Error {
        let model = self.reflection();
        let name = model
            .columns()
            .get(column)
            .map_or("?", |column| column.name());
        let message = format!(
            "{name} is marked as readonly: a saved {} keeps the value that it was inserted with",
            model.name()
        );
        Error::new(ErrorKind::ReadonlyAttribute, message)
            .with_record(self.clone())
            .with_attribute(name)
    }

    /// All attributes by name, as values. Rails: `attributes`. Columns that were not selected are left out.
    #[must_use]
    pub fn attributes(&self) -> Vec<(&'static str, Value<'_>)> {
        let columns = self.reflection().columns().iter().enumerate();
        columns
            .filter(|(column, _)| !self.is_absent(*column))
            .map(|(column, reflection)| {
                (reflection.name(), reflection.ty.shown(self.value(column)))
            })
            .collect()
    }

    /// The current value of a column.
    #[must_use]
    pub(crate) fn value(&self, column: usize) -> Value<'_> {
        self.value_of(column, Version::Current)
    }

    /// The value of a column as it was when the batch was loaded, whatever was set or saved since.
    pub(crate) fn loaded_value(&self, column: usize) -> Value<'_> {
        match self.batch().slots().get(column) {
            Some(&slot) => loaded(self.batch(), self.row, column, slot).value(),
            None => Value::Null,
        }
    }

    pub(crate) fn value_of(&self, column: usize, version: Version) -> Value<'_> {
        let Some(&slot) = self.batch().slots().get(column) else {
            return Value::Null;
        };
        match self.state() {
            None => loaded(self.batch(), self.row, column, slot).value(),
            Some(state) => self.touched(state, column, slot, version).value(),
        }
    }

    /// The integer in a column, without making a value of it: for keys.
    #[inline]
    pub(crate) fn integer(&self, column: usize) -> Option<i64> {
        let batch = self.batch();
        let slot = *batch.slots().get(column)?;
        if slot.kind != Kind::Int {
            return None;
        }
        let found = match batch.state(self.row) {
            None => {
                let kind = Kind::Int;
                loaded(batch, self.row, column, Slot { kind, ..slot })
            }
            Some(state) => self.touched(state, column, slot, Version::Current),
        };
        (!found.is_null()).then(|| found.int())
    }

    /// The integers that records of one model hold in a column; none for null, and in a column of another kind.
    pub(crate) fn integers(records: &[Record], column: usize) -> Vec<Option<i64>> {
        let mut integers = Vec::with_capacity(records.len());
        // What is the same for all records of a batch is looked at once a batch.
        for siblings in records.chunk_by(Record::is_sibling) {
            let Some(first) = siblings.first() else {
                continue;
            };
            let batch = first.batch();
            match batch.slots().get(column) {
                Some(&slot) if slot.kind == Kind::Int && !batch.is_touched() => {
                    let word = batch.words_of(column, slot);
                    let integer = |record: &Record| Some(word(record.row)?.cast_signed());
                    integers.extend(siblings.iter().map(integer));
                }
                _ => integers.extend(siblings.iter().map(|record| record.integer(column))),
            }
        }
        integers
    }

    /// The value of that attribute, as its column keeps it: for what was loaded and is older than the rule.
    /// Never touches the database. Rails: `normalize_attribute`.
    ///
    /// # Errors
    /// `UnknownAttribute` with the nearest name.
    pub fn normalize_attribute(&self, name: &str) -> Result<()> {
        let column = self.reflection().attribute(name)?;
        let value = self.value(column).into_owned();
        self.set_value(column, value)
    }

    /// Sets an attribute that is normalised. Called by generated setters.
    pub(crate) fn write_normalized(&self, column: usize, value: Value<'_>) {
        let columns = self.reflection().columns();
        if let (Some(&slot), Some(reflection)) =
            (self.batch().slots().get(column), columns.get(column))
        {
            let value = reflection.normalized(value);
            self.state_or_make()
                .values_mut()
                .set(self.batch(), column, slot, &value);
        }
    }

    /// Casts a value to the column's type and sets it, normalised.
    pub(crate) fn set_value(&self, column: usize, value: Value<'_>) -> Result<()> {
        let Some(&slot) = self.batch().slots().get(column) else {
            return Ok(());
        };
        let value = self.reflection().kept_value(column, value)?;
        self.state_or_make()
            .values_mut()
            .set(self.batch(), column, slot, &value);
        Ok(())
    }

    fn version_of<A: Attribute>(&self, column: usize, version: Version) -> Stored<'_> {
        match self.batch().slots().get(column) {
            Some(&slot) if slot.kind == A::KIND => match self.state() {
                None => loaded(self.batch(), self.row, column, slot),
                Some(state) => self.touched(state, column, slot, version),
            },
            _ => Stored::blank(A::KIND),
        }
    }

    /// A touched record's words are copied out under its lock; what they point at does not change.
    #[inline(never)]
    fn touched<'a>(
        &'a self,
        state: &'a State,
        column: usize,
        slot: Slot,
        version: Version,
    ) -> Stored<'a> {
        let values = state.values();
        let null = super::batch::bit(values.row(version), column);
        let words = super::words(values.row(version), slot);
        drop(values);
        super::stored_words(self, words, slot.kind, null)
    }
}
