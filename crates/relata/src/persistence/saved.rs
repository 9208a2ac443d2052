//! The soft form of a write: what could not be saved is an answer, not an error.

use crate::error::{Error, Result};
use crate::model::Model;
use crate::record::Record;

/// Turns "not saved" from an error into an answer. Rails: `save` beside `save!`, `create` beside `create!`.
///
/// ```
/// # use relata::{Db, Model, Saved, model};
/// # #[model] pub struct Post { id: i64, #[validates(presence)] title: String }
/// # relata::run(async {
/// # let db = Db::connect("sqlite::memory:").await?;
/// # db.create_tables([Post::reflection()]).await?;
/// let post = Post::create(&db, |p| p.set_title("")).await.saved()?;
/// assert!(post.is_new_record());
/// assert_eq!(post.errors().full_messages(), ["Title can't be blank"]);
/// assert!(!post.save().await.saved()?);
/// assert!(post.set_title("x").save().await.saved()?);
/// # Ok(()) }).unwrap();
/// ```
pub trait Saved {
    /// What the answer is.
    type Answer;

    /// Of a `Result<()>`: whether it was saved. Of a `Result` of a model: the record, saved or not; its `errors` say why
    /// not. Never touches the database.
    ///
    /// # Errors
    /// Every error that is neither `RecordInvalid` nor `RecordNotSaved`.
    fn saved(self) -> Result<Self::Answer>;
}

fn is_soft(error: &Error) -> bool {
    error.is_record_invalid() || error.is_record_not_saved()
}

impl Saved for Result<()> {
    type Answer = bool;

    fn saved(self) -> Result<bool> {
        match self {
            Ok(()) => Ok(true),
            Err(error) if is_soft(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl<M: Model> Saved for Result<M> {
    type Answer = M;

    fn saved(self) -> Result<M> {
        self.or_else(|error| match error.record::<M>() {
            Some(record) if is_soft(&error) => Ok(record),
            _ => Err(error),
        })
    }
}

impl Saved for Result<Record> {
    type Answer = Record;

    fn saved(self) -> Result<Record> {
        self.or_else(|error| match error.erased_record() {
            Some(record) if is_soft(&error) => Ok(record.clone()),
            _ => Err(error),
        })
    }
}
