//! Destroying a record, and reading its row again.
//!
//! Invariant: a record counts as destroyed only after its DELETE, and lives again if that is rolled back.

use super::snapshot::Before;
use crate::attribute::value::Value;
use crate::db::adapter::{Purpose, Statement};
use crate::error::{Error, ErrorKind, Result};
use crate::loading;
use crate::pending::Pending;
use crate::record::{Life, Record};
use crate::sql::statements;

impl Record {
    /// Deletes the row. A new record has none: it only counts as destroyed. Rails: `destroy!`.
    ///
    /// `DELETE FROM "posts" WHERE "posts"."id" = ?`
    #[track_caller]
    pub fn destroy(&self) -> Pending<()> {
        let record = self.clone();
        Pending::new(async move { destroy(&record).await })
    }

    /// Reads the row again, into this object: what was set and not saved is lost, associations are forgotten.
    /// Rails: `reload`.
    ///
    /// Errors: `RecordNotFound` when the row is gone.
    #[track_caller]
    pub fn reload(&self) -> Pending<()> {
        let record = self.clone();
        Pending::new(async move {
            let model = record.reflection();
            let key: Vec<Value<'static>> = record
                .saved_key()
                .into_iter()
                .map(Value::into_owned)
                .collect();
            match loading::fetch_by_key(model, record.db(), key.clone()).await? {
                Some(fresh) => record.take_row(&fresh),
                None => Err(loading::find_typed_error(model, &format!(" with {key:?}"))
                    .with_record(record.clone())),
            }
        })
    }
}

async fn destroy(record: &Record) -> Result<()> {
    let Some(keeping) = record.keeping() else {
        return Ok(());
    };
    let _one_at_a_time = keeping.gate.lock().await;
    let (model, db) = (record.reflection(), record.db());
    if record.is_readonly() {
        let message = format!("{} is marked as readonly", model.name());
        return Err(Error::new(ErrorKind::ReadOnlyRecord, message).with_record(record.clone()));
    }
    let before = Before::of(record);
    if record.is_persisted() {
        let key = record.saved_key();
        if key.is_empty() {
            let message = format!(
                "Unknown primary key for table {} in model {}",
                model.table(),
                model.name()
            );
            return Err(
                Error::new(ErrorKind::UnknownPrimaryKey, message).with_record(record.clone())
            );
        }
        let statement = Statement {
            text: statements::delete(model, db.dialect()),
            binds: key.into_iter().map(Value::into_owned).collect(),
            reuse: true,
            writes: true,
            purpose: Purpose::Destroy,
            model: Some(model.name()),
        };
        db.execute(statement)
            .await
            .map_err(|error| error.with_record(record.clone()))?;
        db.written(model.table());
    }
    record.set_life(Life::Destroyed);
    before.enlist();
    Ok(())
}
