//! Uniqueness: whether another row has the value, and a unique index's error as the attribute's.
//!
//! Invariant: the query alone keeps nothing unique, for two may ask before either writes; where an index refuses the
//! row, the record's errors say the same as if the query had found it.

use super::rules;
use crate::attribute::value::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::record::Record;
use crate::relation::Relation;
use crate::sql::Expr;
use crate::sql::expr::{Comparison, Node};
use crate::validation::{Rule, Uniqueness};

/// Whether another row has the record's value in this column:
/// `SELECT 1 AS one FROM "users" WHERE "users"."email" = ? AND "users"."id" != ? LIMIT 1`.
pub(super) async fn is_taken(record: &Record, column: usize, what: &Uniqueness) -> Result<bool> {
    let model = record.reflection();
    let scope: Vec<usize> = what
        .scope
        .iter()
        .map(|name| model.attribute(name))
        .collect::<Result<_>>()?;
    if is_kept_by_index(record, column, &scope, what) {
        return Ok(false);
    }
    let value = record.value(column).into_owned();
    let mut relation = Relation::unscoped(model, record.db());
    if let Some(conditions) = what.conditions {
        relation = conditions.apply(relation, None);
    }
    let relation = relation.map(|core| {
        let root = core.select.root;
        let own = Node::Column(root, column);
        core.select.filter(Expr(match value {
            Value::Text(_) if !what.case_sensitive => own.same_ignoring_case(value),
            _ => own.compare(Comparison::Equal, value),
        }));
        for &column in &scope {
            let value = record.value(column).into_owned();
            let same = Node::Column(root, column).compare(Comparison::Equal, value);
            core.select.filter(Expr(same));
        }
        if record.is_persisted() {
            let key = model.query_constraints().iter().zip(record.saved_key());
            let itself = key.map(|(&column, value)| {
                Node::Column(root, column).compare(Comparison::Equal, value.into_owned())
            });
            core.select.filter(Expr(Node::all(itself).negate()));
        }
    });
    relation.exists().await
}

/// Whether nothing that matters changed since the row was saved, and an index has kept it since.
fn is_kept_by_index(record: &Record, column: usize, scope: &[usize], what: &Uniqueness) -> bool {
    let columns = record.reflection().columns();
    let indexed = columns.get(column).is_some_and(|column| column.unique);
    record.is_persisted()
        && indexed
        && scope.is_empty()
        && what.conditions.is_none()
        && what.case_sensitive
        && !record.column_changed(column)
}

/// The error of a write, as a validation's where a unique index kept what a validation declares.
pub(super) fn as_validation(record: &Record, error: Error) -> Error {
    if error.kind() != ErrorKind::RecordNotUnique {
        return error;
    }
    let model = record.reflection();
    let column = error.attribute().and_then(|name| {
        model
            .columns()
            .iter()
            .position(|column| column.column_name() == name)
    });
    let declared = model
        .validations()
        .find(|validation| match validation.rule {
            Rule::Uniqueness(what) => {
                let own = model.column_position(validation.attribute);
                own == column
                    || what
                        .scope
                        .iter()
                        .any(|name| model.column_position(name) == column)
            }
            _ => false,
        });
    match (declared, column) {
        (Some(validation), Some(_)) => {
            let value = model
                .column_position(validation.attribute)
                .map_or(Value::Null, |column| {
                    rules::told(record, validation.attribute, &record.value(column))
                });
            let attribute = validation.attribute.to_owned();
            let details = vec![("value", value)];
            record
                .errors()
                .push(attribute, "taken", details, validation.message);
            record.invalid().with_source(error)
        }
        _ => error,
    }
}
