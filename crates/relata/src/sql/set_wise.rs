//! Statements that write many rows at once: UPDATE and DELETE of what a select finds, INSERT of several rows.
//!
//! Invariant: which rows are written is decided by the select's own text: one that joins, groups or is cut is asked
//! for the keys, as a sub-select.

use super::expr::Node;
use super::select::{Select, What};
use super::writer::Writer;
use crate::attribute::value::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::reflection::ModelReflection;

/// What an INSERT does about a row that a unique index refuses.
#[derive(Debug, Clone, Default)]
pub(crate) enum Conflict {
    /// The statement fails.
    #[default]
    Fail,
    /// The row is left out, if the conflict is on these columns; on any, if there are none.
    Skip(Vec<usize>),
    /// The row that is there, by these columns, gets the values of the columns listed second.
    Update(Vec<usize>, Vec<usize>),
}

/// An INSERT of several rows.
#[derive(Debug)]
pub(crate) struct Insert<'a> {
    pub(crate) model: &'static ModelReflection,
    pub(crate) columns: &'a [usize],
    pub(crate) rows: &'a [Vec<Value<'static>>],
    pub(crate) conflict: &'a Conflict,
    pub(crate) returning: &'a [usize],
}

impl Writer {
    /// `UPDATE "posts" SET "title" = ? WHERE ...`
    pub(crate) fn update_all(&mut self, select: &Select, sets: &[(usize, Node)]) -> Result<()> {
        let model = select.model();
        self.root(select.root);
        self.push("UPDATE ").name(model.table()).push(" SET ");
        self.list(sets, ", ", |this, (column, value)| {
            this.column_name(model, *column);
            this.push(" = ").node(value);
        });
        self.rows_of(select)
    }

    /// `DELETE FROM "posts" WHERE ...`
    pub(crate) fn delete_all(&mut self, select: &Select) -> Result<()> {
        self.root(select.root);
        self.push("DELETE FROM ").name(select.model().table());
        self.rows_of(select)
    }

    /// ` WHERE ...`: the rows of the select.
    fn rows_of(&mut self, select: &Select) -> Result<()> {
        let plain = !select.is_joined()
            && !select.is_cut()
            && !select.distinct
            && select.groups.is_empty()
            && select.having.is_empty()
            && select.raw.is_none();
        if plain {
            self.conjunction(" WHERE ", &select.filters);
            return self.ended(select);
        }
        let model = select.model();
        if model.primary_key().is_empty() {
            let message = format!(
                "{} has no primary key: rows found by joins, a limit or groups cannot be written by it",
                model.name()
            );
            return Err(Error::new(ErrorKind::UnknownPrimaryKey, message).with_model(model.name()));
        }
        let keys = Select {
            what: What::Columns(model.primary_key().to_vec()),
            ..select.clone()
        };
        let columns = model
            .primary_key()
            .iter()
            .map(|&column| Node::Column(select.root, column))
            .collect();
        self.push(" WHERE ")
            .node(&Node::InSelect(columns, Box::new(keys)));
        self.ended(select)
    }

    /// `INSERT INTO "posts" ("title") VALUES (?), (?) ON CONFLICT ... RETURNING ...`
    pub(crate) fn insert_all(&mut self, insert: &Insert<'_>) {
        let model = insert.model;
        self.push("INSERT INTO ").name(model.table()).push(" (");
        self.column_names(model, insert.columns);
        self.push(") VALUES ");
        self.list(insert.rows, ", ", |this, row| {
            this.push("(");
            this.list(row, ", ", |this, value| _ = this.value(value.clone()));
            this.push(")");
        });
        match insert.conflict {
            Conflict::Fail => {}
            Conflict::Skip(target) => {
                self.conflict_target(model, target);
                self.push(" DO NOTHING");
            }
            Conflict::Update(target, columns) => {
                self.conflict_target(model, target);
                self.push(" DO UPDATE SET ");
                let excluded = self.dialect().excluded();
                self.list(columns, ", ", |this, &column| {
                    this.column_name(model, column);
                    this.push(" = ").push(excluded).push(".");
                    this.column_name(model, column);
                });
            }
        }
        if !insert.returning.is_empty() {
            self.push(" RETURNING ");
            self.column_names(model, insert.returning);
        }
    }

    fn conflict_target(&mut self, model: &ModelReflection, target: &[usize]) {
        self.push(" ON CONFLICT");
        if !target.is_empty() {
            self.push(" (");
            self.column_names(model, target);
            self.push(")");
        }
    }

    fn column_names(&mut self, model: &ModelReflection, columns: &[usize]) {
        self.list(columns, ", ", |this, &column| {
            this.column_name(model, column)
        });
    }

    pub(super) fn column_name(&mut self, model: &ModelReflection, column: usize) {
        if let Some(column) = model.columns().get(column) {
            self.name(column.column_name());
        }
    }
}
