//! The declared rules: presence of attributes and associations, and required targets.
//!
//! Invariant: a required `belongs_to` is looked up only when its key is null or was changed, so that saving a loaded
//! record costs no query for it.

use super::errors::Problem;
use crate::association::{self, Association};
use crate::attribute::value::Value;
use crate::error::Result;
use crate::loading;
use crate::pending::Pending;
use crate::record::{Linked, Record};
use crate::reflection::Validation;

impl Record {
    /// Runs the validations. A required association whose key was set may be looked up with one query.
    /// Rails: `valid?`.
    #[track_caller]
    pub fn is_valid(&self) -> Pending<bool> {
        let record = self.clone();
        Pending::new(async move { validate(&record).await })
    }
}

/// Runs the validations of one record and keeps what they find.
pub(super) async fn validate(record: &Record) -> Result<bool> {
    let mut found = Vec::new();
    for association in association::all(record) {
        let association = association?;
        if association.reflection().is_required() && !is_present(&association).await? {
            found.push(Problem::new(
                association.reflection().name(),
                "required",
                "must exist",
            ));
        }
        if association.reflection().is_collection() {
            invalid_members(&association, &mut found);
        }
    }
    for validation in record.reflection().validations() {
        match validation {
            Validation::Presence(name) => {
                let present = match record.reflection().column_position(name) {
                    Some(column) => !is_blank(&record.value(column)),
                    None => has_target(&record.association(name)?).await?,
                };
                if !present {
                    found.push(Problem::new(*name, "blank", "can't be blank"));
                }
            }
        }
    }
    let valid = found.is_empty();
    record.set_errors(found);
    Ok(valid)
}

/// Members that are new were validated before their owner; it is told which of its collections has a bad one.
fn invalid_members(association: &Association, found: &mut Vec<Problem>) {
    if association.reflection().validate == Some(false) {
        return;
    }
    let members = association.peek_many().records;
    if members
        .iter()
        .any(|member| member.is_new_record() && member.has_errors())
    {
        found.push(Problem::new(
            association.reflection().name(),
            "invalid",
            "is invalid",
        ));
    }
}

/// Whether a required association has its target, as far as that has to be looked at.
async fn is_present(association: &Association) -> Result<bool> {
    if !association.is_belongs_to() {
        return has_target(association).await;
    }
    if let Linked::Known(target) = association.peek_one() {
        return Ok(target.is_some());
    }
    if !association.has_key() {
        return Ok(false);
    }
    let owner = association.owner();
    let key = &association.resolved().owner_key;
    if owner.is_persisted() && !key.iter().any(|&column| owner.column_changed(column)) {
        return Ok(true);
    }
    has_target(association).await
}

async fn has_target(association: &Association) -> Result<bool> {
    if association.reflection().is_collection() {
        return Ok(!loading::load_many(association).await?.is_empty());
    }
    Ok(loading::load_one(association).await?.is_some())
}

/// Null, or text of nothing but white space. Rails: `blank?`.
fn is_blank(value: &Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.trim().is_empty(),
        Value::Bool(value) => !value,
        _ => false,
    }
}
