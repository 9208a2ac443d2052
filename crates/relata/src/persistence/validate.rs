//! The declared rules: presence of attributes and associations, required targets, and targets that must be valid too.
//!
//! What `validate` says of an association: true, and by default of a collection or with `autosave`, the targets that
//! a save would look at are validated with their owner, which is not valid if one of them is not.
//!
//! Invariants: a graph is validated by a loop over explicit frames, members before their owners, each record once; a
//! required `belongs_to` is looked up only when its key is null or was changed, so that saving a loaded record costs
//! no query for it.

use super::errors::Problem;
use super::plan::Set;
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
        Pending::new(async move { validate(&record, &mut Set::default()).await })
    }

    /// Whether saving would write this record or, over associations with `autosave`, one that is in memory: new, changed
    /// or marked for destruction. Never touches the database. Rails: `changed_for_autosave?`.
    #[must_use]
    pub fn is_changed_for_autosave(&self) -> bool {
        let mut seen = Set::default();
        let mut left = vec![self.clone()];
        while let Some(record) = left.pop() {
            if !seen.insert(record.identity()) {
                continue;
            }
            if record.is_new_record() || record.is_marked_for_destruction() || record.is_changed() {
                return true;
            }
            for association in association::known(&record).flatten() {
                if association.reflection().autosave == Some(true) {
                    left.extend(association.peek_target());
                }
            }
        }
        false
    }
}

enum Frame {
    Enter(Record),
    Judge(Record),
}

/// Validates a record, and before it the targets that are validated with it; what each is found to be stays with it.
/// Records that were seen already are not validated again.
pub(super) async fn validate(root: &Record, seen: &mut Set) -> Result<bool> {
    let mut frames = vec![Frame::Enter(root.clone())];
    let mut valid = true;
    while let Some(frame) = frames.pop() {
        match frame {
            Frame::Enter(record) => {
                if !seen.insert(record.identity()) {
                    continue;
                }
                frames.push(Frame::Judge(record.clone()));
                for association in association::known(&record) {
                    let targets = validated(&association?);
                    frames.extend(targets.into_iter().rev().map(Frame::Enter));
                }
            }
            // The root is the last to be judged.
            Frame::Judge(record) => valid = judge(&record).await?,
        }
    }
    Ok(valid)
}

/// The targets in memory that are validated with the association's owner.
fn validated(association: &Association) -> Vec<Record> {
    let reflection = association.reflection();
    let autosave = reflection.autosave == Some(true);
    if !reflection
        .validate
        .unwrap_or(autosave || reflection.is_collection())
    {
        return Vec::new();
    }
    let owner = association.owner();
    let whole = reflection.is_collection() && owner.is_new_record();
    // Members that were only loaded are not new.
    if reflection.is_collection()
        && !autosave
        && !whole
        && !owner.has_own_link(association.position())
    {
        return Vec::new();
    }
    let mut targets = association.peek_target();
    targets.retain(|target| {
        let looked_at = if reflection.is_collection() && !autosave {
            whole || target.is_new_record()
        } else {
            whole || target.is_changed_for_autosave()
        };
        looked_at && !target.is_destroyed() && !(autosave && target.is_marked_for_destruction())
    });
    targets
}

/// Runs the validations of one record, whose targets were judged already, and keeps what they find.
pub(super) async fn judge(record: &Record) -> Result<bool> {
    let mut found = Vec::new();
    for (position, reflection) in record.reflection().reflections().iter().enumerate() {
        let known = Association::is_known(record, position);
        if !known && !reflection.is_required() {
            continue;
        }
        let association = Association::at(record, position)?;
        if reflection.is_required() && !is_present(&association).await? {
            found.push(Problem::new(reflection.name(), "blank", "must exist"));
        }
        if known {
            take_errors(&association, &mut found);
        }
    }
    for validation in record.reflection().validations() {
        match validation {
            Validation::Presence(name) => {
                let present = match record.reflection().column_position(name) {
                    Some(column) => !is_blank(&record.value(column)),
                    None => loading::has_any(&record.association(name)?).await?,
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

/// Tells an owner which of its targets are not valid: by name, or with `autosave` what is wrong with them.
fn take_errors(association: &Association, found: &mut Vec<Problem>) {
    let name = association.reflection().name();
    let mut take = |problem: Problem| {
        if !found.contains(&problem) {
            found.push(problem);
        }
    };
    for target in validated(association) {
        if !target.has_errors() {
            continue;
        }
        if association.reflection().autosave == Some(true) {
            for problem in target.errors().to_vec() {
                let attribute = format!("{name}.{}", problem.attribute);
                take(Problem::new(attribute, problem.kind, problem.message));
            }
        } else {
            take(Problem::new(name, "invalid", "is invalid"));
        }
    }
}

/// Whether a required association has its target, as far as that has to be looked at.
async fn is_present(association: &Association) -> Result<bool> {
    if !association.is_belongs_to() {
        return loading::has_any(association).await;
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
    loading::has_any(association).await
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
