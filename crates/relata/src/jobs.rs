//! Jobs: doing what `dependent = destroy_async` left for later, and the queue of them in the database itself.
//!
//! ```text
//! JobQueue (job.rs)   who takes a job         perform   doing one
//! table               jobs as rows            worker    takes them, tries again, gives up
//! apalis (by feature) jobs as tasks of it     serde     jobs as text, for those who keep them elsewhere
//! ```
//!
//! Invariant: a job is done at least once, and doing it again destroys nothing more. One that cannot be done is kept
//! and told, never dropped.

#[cfg(feature = "apalis")]
mod apalis;
#[cfg(feature = "serde")]
mod serde;
mod table;
mod worker;

#[cfg(feature = "apalis")]
pub use apalis::ApalisQueue;
pub use table::TableQueue;
pub use worker::Worker;

use crate::attribute::Value;
use crate::db::Db;
use crate::error::{Error, ErrorKind, Result};
use crate::job::DestroyJob;
use crate::pending::Pending;
use crate::record::Record;
use crate::reflection::ModelReflection;
use crate::relation::Relation;

/// How many targets are read at a time.
const BATCH: usize = 1000;

impl DestroyJob {
    /// Destroys the targets that are still there, each with its callbacks and in a transaction of its own. `models` are
    /// those that the job may name. Gives how many were destroyed.
    ///
    /// SQL: `SELECT` of the owner by its key, and of the targets by theirs; for each what [`Record::destroy`]
    /// sends.
    ///
    /// Errors: `OwnerNotDestroyed` when the owner is still there, and `ensuring_owner_was` does not hold for it;
    /// `Configuration` for a model that is not among those given; what destroying says of the first that refuses.
    #[track_caller]
    pub fn perform(
        &self,
        db: &Db,
        models: impl IntoIterator<Item = &'static ModelReflection>,
    ) -> Pending<u64> {
        let (job, db) = (self.clone(), db.clone());
        let models: Vec<_> = models.into_iter().collect();
        Pending::new(async move { perform(&job, &db, &models).await })
    }
}

fn named(models: &[&'static ModelReflection], name: &str) -> Result<&'static ModelReflection> {
    let found = models.iter().find(|model| model.name() == name);
    found.copied().ok_or_else(|| {
        let message = format!(
            "a job names the model {name}, which is not among those that its worker was given"
        );
        Error::new(ErrorKind::Configuration, message)
    })
}

async fn perform(job: &DestroyJob, db: &Db, models: &[&'static ModelReflection]) -> Result<u64> {
    let owners = named(models, job.owner_model())?;
    let targets = named(models, job.target_model())?;
    let owner = Relation::unscoped(owners, db).with_primary_keys(vec![job.owner_key().to_vec()]);
    let owner: Option<Record> = owner.take().await?;
    if let Some(owner) = owner {
        let association = owners.reflect_on_association(job.association());
        let ensuring = association.and_then(|one| one.ensuring_owner_was);
        if !ensuring.is_some_and(|ensuring| (ensuring.holds)(&owner)) {
            let message = format!(
                "owner record not destroyed: {} of {} stay",
                job.association(),
                job.owner_model()
            );
            return Err(Error::new(ErrorKind::OwnerNotDestroyed, message).with_record(owner));
        }
    }
    let mut destroyed = 0;
    for keys in job.keys().chunks(BATCH) {
        let mut rows: Relation<Record> =
            Relation::default_scoped(targets, db).with_primary_keys(keys.to_vec());
        for name in targets.primary_key_names() {
            rows = rows.order_by(name)?;
        }
        for record in rows.limit(BATCH as u64).await? {
            record.destroy().await?;
            destroyed += 1;
        }
    }
    Ok(destroyed)
}

/// The keys that were written by [`written`], as values of these columns.
fn read(
    text: &str,
    columns: &[usize],
    model: &ModelReflection,
) -> Option<Vec<Vec<Value<'static>>>> {
    text.split('\n')
        .map(|line| read_one(line, columns, model))
        .collect()
}

fn read_one(line: &str, columns: &[usize], model: &ModelReflection) -> Option<Vec<Value<'static>>> {
    let mut parts = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ',' => parts.push(String::new()),
            '\\' => {
                let escaped = match letters.next()? {
                    'n' => '\n',
                    'r' => '\r',
                    other => other,
                };
                parts.last_mut()?.push(escaped);
            }
            letter => parts.last_mut()?.push(letter),
        }
    }
    if parts.len() != columns.len() {
        return None;
    }
    columns
        .iter()
        .zip(parts)
        .map(|(&column, part)| {
            let kind = model.columns().get(column)?.attribute_type().kind;
            kind.cast(Value::from(part)).ok().map(Value::into_owned)
        })
        .collect()
}

/// Keys as text: one a line, their parts between commas.
fn written(keys: &[Vec<Value<'static>>]) -> Result<String> {
    let lines: Result<Vec<String>> = keys.iter().map(|key| written_one(key)).collect();
    Ok(lines?.join("\n"))
}

fn written_one(key: &[Value<'static>]) -> Result<String> {
    let parts: Result<Vec<String>> = key.iter().map(written_part).collect();
    Ok(parts?.join(","))
}

fn written_part(value: &Value<'static>) -> Result<String> {
    let text = crate::attribute::Kind::Text.cast(value.clone()).ok();
    let Some(text) = text.as_ref().and_then(Value::as_str) else {
        let message = format!("a key of {value:?} cannot be kept in a table of jobs");
        return Err(Error::new(ErrorKind::Unsupported, message));
    };
    let escaped = text.replace('\\', "\\\\").replace(',', "\\,");
    Ok(escaped.replace('\n', "\\n").replace('\r', "\\r"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::{AttributeType, Kind};
    use crate::reflection::{Column, ModelBuilder};

    #[test]
    fn keys_of_any_text_are_read_as_they_were_written() -> Result<()> {
        let column = |name, kind| Column::new(name, AttributeType::plain(kind, false));
        let model = ModelBuilder::new("Odd", "odds")
            .column(column("code", Kind::Text))
            .column(column("part", Kind::Uuid))
            .primary_key(["code", "part"])
            .define()?;
        let texts = ["", ",", "\\", "a\nb", "\r\n", "\\n,", "1"];
        let keys = texts.map(|text| vec![Value::from(text.to_owned()), Value::Uuid(7)]);
        let read = read(&written(&keys)?, model.primary_key(), model);
        assert_eq!(read, Some(keys.to_vec()));
        let bytes = written(&[vec![Value::from(vec![1u8])]]);
        assert_eq!(bytes.unwrap_err().kind(), ErrorKind::Unsupported);
        Ok(())
    }

    #[test]
    fn what_was_not_written_so_is_not_read() -> Result<()> {
        let model = ModelBuilder::new("Plain", "plains")
            .column(Column::new("id", AttributeType::plain(Kind::Int, false)))
            .primary_key(["id"])
            .define()?;
        for text in ["", "x", "1,2", "1\n", "\\"] {
            assert_eq!(read(text, model.primary_key(), model), None, "{text:?}");
        }
        Ok(())
    }
}
