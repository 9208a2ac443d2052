//! The doors of saving. What a save does, step by step, stands in `pipeline`.
//!
//! Invariant: several statements are one transaction (a savepoint inside another); a single one is sent as it is.

use std::sync::Arc;

use super::acts;
use super::frame::Task;
use super::pipeline::{self, Verb};
use super::validate;
use super::write::{refuse, write};
use crate::error::Result;
use crate::pending::Pending;
use crate::record::Record;

/// How a record is saved. Rails: the arguments of `save`.
///
/// ```
/// use relata::SaveOptions;
///
/// let options = SaveOptions::new().validate(false).touch(false);
/// assert_ne!(options, SaveOptions::new());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SaveOptions {
    pub(super) validate: bool,
    pub(super) touch: bool,
    pub(super) context: Option<Arc<str>>,
}

impl Default for SaveOptions {
    fn default() -> Self {
        Self {
            validate: true,
            touch: true,
            context: None,
        }
    }
}

impl SaveOptions {
    /// Validated, and with the time of change.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the record must be valid. New members of its collections must be all the same, as in Rails.
    #[must_use]
    pub fn validate(mut self, validate: bool) -> Self {
        self.validate = validate;
        self
    }

    /// Whether an UPDATE sets the time of the last change.
    #[must_use]
    pub fn touch(mut self, touch: bool) -> Self {
        self.touch = touch;
        self
    }

    /// Validates in a context of your own, in place of `create` or `update`. Rails: `context: :publish`.
    #[must_use]
    pub fn context(mut self, context: &str) -> Self {
        self.context = Some(Arc::from(context));
        self
    }
}

impl Record {
    /// Saves the record: INSERT if it is new, UPDATE of the changed columns if it is not, nothing if nothing changed.
    /// New parents are saved before it, new members of its collections and a new `has_one` after it, all in one
    /// transaction; what `autosave` of an association says comes on top. Rails: `save!`.
    ///
    /// A new parent, or a new target of a `has_one`, that is not valid is left out and keeps its errors, as in Rails;
    /// where the record could not be without that parent, saving fails instead.
    ///
    /// `INSERT INTO "posts" ("title") VALUES (?)`, `UPDATE "posts" SET "title" = ? WHERE "posts"."id" = ?`
    ///
    /// Errors: `RecordInvalid` when a validation fails; `RecordNotSaved` when the record was destroyed, or its row is
    /// gone; `ReadOnlyRecord`; what the database says.
    #[track_caller]
    pub fn save(&self) -> Pending<()> {
        self.save_with(SaveOptions::default())
    }

    /// Saves the record with options. Rails: `save!(validate: false, touch: false)`.
    ///
    /// The statement is that of [`save`](Self::save).
    ///
    /// Errors: as [`save`](Self::save).
    #[track_caller]
    pub fn save_with(&self, options: SaveOptions) -> Pending<()> {
        let record = self.clone();
        Pending::new(async move { save_with(&record, options).await })
    }
}

/// Saves a new record and gives it back as its model.
#[track_caller]
pub(crate) fn create<M: Send + 'static>(record: Record, model: M) -> Pending<M> {
    Pending::new(async move {
        save(&record).await?;
        Ok(model)
    })
}

pub(super) async fn save(record: &Record) -> Result<()> {
    save_with(record, SaveOptions::default()).await
}

async fn save_with(record: &Record, options: SaveOptions) -> Result<()> {
    refuse(record)?;
    #[cfg(feature = "password")]
    if !record.reflection().secure_passwords().is_empty() {
        // Before the transaction: nobody waits for a hash behind the writer.
        Box::pin(super::password::digest(record)).await?;
    }
    let alone = !record.reflection().hooks().saves_more() && acts::is_alone(record)?;
    if alone && (!options.validate || validate::is_alone(record)) {
        return save_alone(record, &options).await;
    }
    // Apart, so that a record by itself carries no place for it.
    Box::pin(save_more(record, options, alone)).await
}

/// What the pipeline comes to for a record that has nothing to do with another, and nothing to call.
async fn save_alone(record: &Record, options: &SaveOptions) -> Result<()> {
    record.clear_errors();
    if options.validate {
        validate::look_alone(record, options).await?;
        if record.has_errors() {
            return Err(record.invalid());
        }
    }
    write(record, options.touch).await
}

async fn save_more(record: &Record, options: SaveOptions, alone: bool) -> Result<()> {
    let task = Task::new(Verb::Save, record, options);
    if alone {
        return pipeline::run(task).await.map(drop);
    }
    let db = record.db().clone();
    let run = pipeline::apart(task);
    db.transaction(async || run.await.map(drop)).await
}
