//! Where a record is in its life, what changed, and the doors through which saving tells it what happened.
//!
//! Invariant: only the persistence room and the transaction that enlisted a record call the doors here that
//! change what counts as saved.

use std::any::Any;

use super::batch::StrictLoading;
use super::state::{Bound, Life, Snapshot, Version};
use super::{Record, stored};
use crate::attribute::value::Value;
use crate::callback::{Body, Event};
use crate::db::Db;
use crate::error::Result;
use crate::reflection::{Hook, ModelReflection};

/// An attribute's name, its value before, and its value after.
pub type Change<'a> = (&'static str, Value<'a>, Value<'a>);

impl Record {
    /// A new record with values, not saved; what runs after initializing runs once they are set. The erased form of
    /// `build`. Never touches the database. Rails: `Post.new(title: "x")`.
    #[must_use]
    pub fn build(reflection: &'static ModelReflection, db: &Db, set: impl FnOnce(&Self)) -> Self {
        let record = Self::begun(reflection, db);
        set(&record);
        record.initialized()
    }

    /// Takes the declared defaults of the columns. They are where the record begins, and so no changes of it.
    pub(crate) fn with_defaults(self) -> Self {
        for (column, reflection) in self.reflection().columns().iter().enumerate() {
            // A default that is not of its column's type was refused when the program was compiled.
            if let Some(default) = reflection.default_value()
                && let Ok(default) = reflection.attribute_type().cast(default)
            {
                self.fill(column, &default);
            }
        }
        // A record of a subclass says so. It is a change, as in Rails: what is new is written.
        if let Some((column, names)) = self.reflection().type_names()
            && let Some(name) = names.first()
        {
            self.fill(column, &Value::Text((*name).into()));
        }
        self
    }

    /// Runs the callbacks of an event where nothing can be awaited: that the record was made, or read.
    ///
    /// # Errors
    /// The first callback's that gives one.
    pub(crate) fn announce(&self, event: Event) -> Result<()> {
        let model = self.reflection();
        for hook in model.hooks().at(event) {
            if let Hook::Callback(position) = hook
                && let Some(callback) = model.callback(*position)
                && let Body::Now(run) = callback.body
                && callback.applies(self, "")
            {
                run(self)?;
            }
        }
        Ok(())
    }

    /// The record, once it has its first values. What a callback says against it has nobody to go to.
    pub(crate) fn initialized(self) -> Self {
        let _ = self.announce(Event::AfterInitialize);
        self
    }

    pub(crate) fn life(&self) -> Life {
        match self.state() {
            Some(state) => state.values().life,
            None if self.batch().new => Life::New,
            None => Life::Persisted,
        }
    }

    /// Whether the record was never in the database, also when it was destroyed since. Rails: `new_record?`.
    #[must_use]
    pub fn is_new_record(&self) -> bool {
        matches!(self.life(), Life::New | Life::Dropped)
    }

    /// Whether the record is in the database. Rails: `persisted?`.
    #[must_use]
    pub fn is_persisted(&self) -> bool {
        self.life() == Life::Persisted
    }

    /// Whether the record was deleted. Rails: `destroyed?`.
    #[must_use]
    pub fn is_destroyed(&self) -> bool {
        matches!(self.life(), Life::Destroyed | Life::Dropped)
    }

    /// Whether the last save inserted the record. Rails: `previously_new_record?`.
    #[must_use]
    pub fn was_new_record(&self) -> bool {
        self.state().is_some_and(|state| state.values().was_new)
    }

    /// Whether saving is refused. Rails: `readonly?`.
    #[must_use]
    pub fn is_readonly(&self) -> bool {
        self.batch().terms.readonly || self.state().is_some_and(super::state::State::is_readonly)
    }

    /// Whether saving is refused, for it is readonly or what was set last could not be: one look for both.
    pub(crate) fn is_barred(&self) -> bool {
        self.batch().terms.readonly || self.state().is_some_and(super::state::State::is_barred)
    }

    /// Whether something was set that could not be, and nobody was told yet.
    pub(crate) fn has_refusal(&self) -> bool {
        self.state().is_some_and(super::state::State::has_refusal)
    }

    pub(crate) fn set_refusal(&self, on: bool) {
        self.state_or_make().set_refusal(on);
    }

    /// Refuses saving from now on. Rails: `readonly!`.
    pub fn readonly(&self) -> &Self {
        self.state_or_make().set_readonly();
        self
    }

    /// Refuses lazy loading from now on, by mode. Rails: `strict_loading!`.
    pub fn strict_loading(&self, mode: impl Into<Option<StrictLoading>>) -> &Self {
        self.state_or_make().set_strict(mode.into());
        self
    }

    /// Which lazy loads are refused. Rails: `strict_loading?`, `strict_loading_n_plus_one_only?`.
    #[must_use]
    pub fn strict_loading_mode(&self) -> Option<StrictLoading> {
        match self.state().and_then(super::state::State::strict) {
            Some(own) => own,
            None => self.batch().terms.strict,
        }
    }

    /// Whether some lazy loads are refused. Rails: `strict_loading?`.
    #[must_use]
    pub fn is_strict_loading(&self) -> bool {
        self.strict_loading_mode().is_some()
    }

    /// Marks the record to be destroyed when its owner is saved. Rails: `mark_for_destruction`.
    pub fn mark_for_destruction(&self) {
        let state = self.state_or_make();
        state.set_marked_for_destruction(true);
        state.tell();
    }

    /// Whether the record is to be destroyed when its owner is saved. Rails: `marked_for_destruction?`.
    #[must_use]
    pub fn is_marked_for_destruction(&self) -> bool {
        self.state()
            .is_some_and(super::state::State::is_marked_for_destruction)
    }

    /// Whether some attribute differs from what was saved. Rails: `changed?`.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        !self.changed_columns().is_empty()
    }

    /// The names of the attributes that differ from what was saved. Rails: `changed`.
    #[must_use]
    pub fn changed(&self) -> Vec<&'static str> {
        let columns = self.reflection().columns();
        self.changed_columns()
            .into_iter()
            .map(|column| columns[column].name())
            .collect()
    }

    /// What is not saved yet: name, saved value, current value. Rails: `changes`.
    #[must_use]
    pub fn changes(&self) -> Vec<Change<'_>> {
        let changed = self.changed_columns();
        changes_of(self, changed, Version::Saved, Version::Current)
    }

    /// What the last save changed: name, value before, value after. Rails: `saved_changes`.
    #[must_use]
    pub fn saved_changes(&self) -> Vec<Change<'_>> {
        let Some(state) = self.state() else {
            return Vec::new();
        };
        let saved = state.values().was_changed(self.batch().slots());
        changes_of(self, saved, Version::Before, Version::Saved)
    }

    /// Sets every attribute back to what was saved. Rails: `restore_attributes`.
    pub fn restore_attributes(&self) {
        if let Some(state) = self.state() {
            let mut values = state.values_mut();
            for (column, &slot) in self.batch().slots().iter().enumerate() {
                values.revert(column, slot);
            }
        }
    }

    /// The positions of the attributes that differ from what was saved.
    pub(crate) fn changed_columns(&self) -> Vec<usize> {
        match self.state() {
            Some(state) => state.values().changed(self.batch().slots()),
            None => Vec::new(),
        }
    }

    /// The values of the primary key; a null among them means that there is no key yet.
    pub(crate) fn key(&self) -> Vec<Value<'_>> {
        self.reflection()
            .primary_key()
            .iter()
            .map(|&column| self.value(column))
            .collect()
    }

    /// The values of the primary key, one a column; none of a record that has no key yet. Never touches the database.
    /// Rails: `to_key`.
    #[must_use]
    pub fn to_key(&self) -> Option<Vec<Value<'_>>> {
        let key = self.key();
        (!key.is_empty() && !key.iter().any(Value::is_null)).then_some(key)
    }

    /// What names this row in the database: what a statement that is made from the record is bound to.
    pub(crate) fn saved_key(&self) -> Vec<Value<'_>> {
        self.reflection()
            .query_constraints()
            .iter()
            .map(|&column| self.value_of(column, Version::Saved))
            .collect()
    }

    /// The value of a column as it was saved last.
    pub(crate) fn saved_value(&self, column: usize) -> Value<'_> {
        self.value_of(column, Version::Saved)
    }

    /// Takes a copy of the current row, to be bound to a statement.
    pub(crate) fn bind(&self) -> Bound {
        self.state_or_make().values().bind(self)
    }

    /// As [`bind`](Self::bind), and the columns that differ from what was saved.
    pub(crate) fn bind_changed(&self) -> (Bound, Vec<usize>) {
        let values = self.state_or_make().values();
        (values.bind(self), values.changed(self.batch().slots()))
    }

    /// Tells the record that the bound values of these columns are now in the database.
    pub(crate) fn saved(&self, bound: Bound, columns: &[usize]) {
        let slots = self.batch().slots();
        if bound.record.is(self) {
            self.state_or_make()
                .values_mut()
                .saved(bound, columns, slots);
        }
    }

    /// Tells the record that a save had nothing to write.
    pub(crate) fn saved_nothing(&self) {
        if let Some(state) = self.state() {
            state.values_mut().saved_nothing();
        }
    }

    /// Whether the last save changed the column.
    pub(crate) fn was_changed(&self, column: usize) -> bool {
        self.value_of(column, Version::Before) != self.value_of(column, Version::Saved)
    }

    /// Takes a value that the database filled in: current and saved.
    pub(crate) fn fill(&self, column: usize, value: &Value<'_>) {
        if let Some(&slot) = self.batch().slots().get(column) {
            self.state_or_make()
                .values_mut()
                .fill(self.batch(), column, slot, value);
        }
    }

    /// Takes the row of a fresh copy of this record, as `reload` does: nothing is changed any more.
    pub(crate) fn take_row(&self, fresh: &Record) -> Result<()> {
        for column in 0..self.reflection().columns().len() {
            let value = fresh.value(column);
            self.fill(column, &value);
        }
        let state = self.state_or_make();
        state.set_marked_for_destruction(false);
        state.set_refusal(false);
        let mut values = state.values_mut();
        values.before = None;
        values.life = Life::Persisted;
        values.in_doubt = false;
        drop(values);
        for association in 0..self.reflection().reflections().len() {
            self.unlink(association);
        }
        Ok(())
    }

    /// Takes the values of a fresh copy of this row where nothing was set since.
    pub(crate) fn refresh_from(&self, fresh: &Record) {
        let changed = self.changed_columns();
        for column in 0..self.reflection().columns().len() {
            if !changed.contains(&column) {
                let value = fresh.value(column);
                if self.value(column) != value || self.is_unread(column) {
                    self.fill(column, &value);
                }
            }
        }
    }

    pub(crate) fn set_life(&self, life: Life) {
        self.state_or_make().values_mut().life = life;
    }

    /// Whether the answer to a write or commit of this record was lost, or is not here yet.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.state().is_some_and(|state| state.values().in_doubt)
    }

    pub(crate) fn set_in_doubt(&self, in_doubt: bool) {
        self.state_or_make().values_mut().in_doubt = in_doubt;
    }

    /// What a savepoint keeps of this record.
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.state_or_make().values().snapshot(self)
    }

    /// Goes back to what a savepoint kept.
    pub(crate) fn restore(snapshot: &Snapshot) {
        let record = &snapshot.record;
        record
            .state_or_make()
            .values_mut()
            .restore(snapshot, record.batch().slots());
    }

    /// Takes the turn to write this record; false if another has it.
    pub(crate) fn begin_writing(&self) -> bool {
        self.state_or_make().begin_writing()
    }

    /// Gives the turn to write this record back.
    pub(crate) fn end_writing(&self) {
        if let Some(state) = self.state() {
            state.end_writing();
        }
    }

    /// Whether a new record's column was set to null, so that no default of the table may stand in for it.
    pub(crate) fn is_set_to_null(&self, column: usize) -> bool {
        self.state()
            .is_some_and(|state| state.values().is_set_to_null(column))
    }

    /// What another room keeps for this record.
    pub(crate) fn extension<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Option<&T> {
        self.state_or_make().extension(make)
    }

    /// What another room keeps for this record, if it has begun to.
    pub(crate) fn existing_extension<T: Any + Send + Sync>(&self) -> Option<&T> {
        let state = self.state()?;
        state.existing_extension()
    }

    /// A copy of this row, as it is in the database, in a batch of its own: the handle keeps nothing else alive. What was
    /// set and not saved is set on the copy too, and what was not selected is not there either; it is readonly, strict or
    /// in doubt where this record is.
    #[must_use]
    pub fn compact(&self) -> Record {
        let copy = self.blank_copy();
        for column in 0..self.reflection().columns().len() {
            if !self.is_unread(column) {
                copy.fill(column, &self.value_of(column, Version::Saved));
            }
        }
        copy.set_life(self.life());
        copy.set_in_doubt(self.is_in_doubt());
        if let Some(state) = self.state() {
            copy.state_or_make().take_terms(state);
        }
        for column in self.changed_columns() {
            if let Some(&slot) = self.batch().slots().get(column) {
                copy.state_or_make().values_mut().set(
                    copy.batch(),
                    column,
                    slot,
                    &self.value(column),
                );
            }
        }
        copy
    }

    /// A new record with this one's attributes, without its key, its version and its times of creation and change.
    /// `after_initialize` runs once it has them. Rails: `dup`.
    #[must_use]
    pub fn dup(&self) -> Record {
        let model = self.reflection();
        let copy = Record::blank(model, self.db());
        let stamps = model.stamps();
        let is_own = |column: &usize| {
            model.primary_key().contains(column)
                || model.locking_position() == Some(*column)
                || stamps.created.contains(column)
                || stamps.updated.contains(column)
        };
        for (column, &slot) in self.batch().slots().iter().enumerate() {
            if !is_own(&column) && !self.is_absent(column) {
                copy.state_or_make().values_mut().set(
                    copy.batch(),
                    column,
                    slot,
                    &self.value(column),
                );
            }
        }
        copy.initialized()
    }
}

impl Bound {
    /// The bound value of a column.
    pub(crate) fn value(&self, column: usize) -> Value<'_> {
        match self.record.batch().slots().get(column) {
            Some(&slot) => stored(&self.words, column, slot).value(),
            None => Value::Null,
        }
    }
}

fn changes_of(record: &Record, changed: Vec<usize>, from: Version, to: Version) -> Vec<Change<'_>> {
    let columns = record.reflection().columns();
    changed
        .into_iter()
        .map(|column| {
            let reflection = &columns[column];
            (
                reflection.name(),
                reflection.ty.shown(record.value_of(column, from)),
                reflection.ty.shown(record.value_of(column, to)),
            )
        })
        .collect()
}
