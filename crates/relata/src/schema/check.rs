//! The check of a model against its table: everything in which the two differ.
//!
//! Invariant: a table that has more than the model asks for (columns that may be left out, indexes, keys) is no
//! difference; a table that has less is.

use std::fmt;

use super::table::{ForeignKey, Table, TableColumn};
use crate::attribute::value::Value;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::reflection::{AssociationReflection, Column, ModelReflection, Resolved};
use crate::sql::{Dialect, schema};

/// In what a model and its table differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DifferenceKind {
    /// The model is declared wrongly: whatever its table is, it cannot be used so.
    Declaration,
    /// There is no such table.
    Table,
    /// The table does not have the column.
    Column,
    /// The table has a column that must be given a value, and the model does not have it.
    UnknownColumn,
    /// The primary keys differ.
    PrimaryKey,
    /// One may be null, the other not.
    Null,
    /// The column's type does not hold what the attribute's type needs.
    Type,
    /// The defaults differ.
    Default,
    /// The column is not unique in the table.
    Unique,
    /// There is no index for the column, or for the key of a `belongs_to`.
    Index,
    /// The key of a `belongs_to` is no foreign key of the table, or another one.
    ForeignKey,
}

/// One difference between a model and its table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// In what they differ.
    pub kind: DifferenceKind,
    /// The model.
    pub model: &'static str,
    /// The attribute or association, if it is about one.
    pub attribute: Option<&'static str>,
    /// What differs, to follow the model's and the attribute's name.
    pub message: String,
}

impl Difference {
    /// A mistake of a declaration, as part of the report.
    pub(super) fn of_declaration((model, mistake): (&'static ModelReflection, Error)) -> Self {
        let associations = model.reflections().iter().map(AssociationReflection::name);
        let columns = model.columns().iter().map(Column::name);
        let mut names = associations.chain(columns);
        Self {
            kind: DifferenceKind::Declaration,
            model: model.name(),
            attribute: names.find(|name| mistake.attribute() == Some(name)),
            message: mistake.to_string(),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attribute {
            Some(attribute) => write!(f, "{}.{attribute}: {}", self.model, self.message),
            None => write!(f, "{}: {}", self.model, self.message),
        }
    }
}

/// A model beside its table.
struct Check<'a> {
    model: &'static ModelReflection,
    table: &'a Table,
    dialect: Dialect,
    found: Vec<Difference>,
}

/// The differences between a model and its table.
pub(super) async fn differences(
    db: &Db,
    model: &'static ModelReflection,
) -> Result<Vec<Difference>> {
    let table = Table::read(db, model.table()).await?;
    let mut check = Check {
        model,
        table: &table,
        dialect: db.dialect(),
        found: Vec::new(),
    };
    if table.columns.is_empty() {
        let message = format!("there is no table `{}`", model.table());
        check.differs(DifferenceKind::Table, None, message);
        return Ok(check.found);
    }
    for (position, column) in model.columns().iter().enumerate() {
        check.column(position, column);
    }
    check.unknown_columns();
    for (position, association) in model.reflections().iter().enumerate() {
        if association.is_belongs_to()
            && let Ok(resolved) = model.resolve(position)
        {
            check.belongs_to(association.name(), resolved);
        }
    }
    check.referred_tables(db).await?;
    Ok(check.found)
}

impl Check<'_> {
    fn differs(&mut self, kind: DifferenceKind, attribute: Option<&'static str>, message: String) {
        self.found.push(Difference {
            kind,
            model: self.model.name(),
            attribute,
            message,
        });
    }

    fn column(&mut self, position: usize, column: &'static Column) {
        let attribute = Some(column.name());
        let named = |found: &&TableColumn| found.name == column.column_name();
        let Some(found) = self.table.columns.iter().find(named) else {
            let table = self.model.table();
            let message = format!(
                "the table `{table}` has no column `{}`",
                column.column_name()
            );
            return self.differs(DifferenceKind::Column, attribute, message);
        };
        let key = self.model.primary_key().contains(&position);
        if key != found.key {
            let is = if found.key { "is" } else { "is not" };
            let message = format!("the column {is} part of the table's primary key");
            self.differs(DifferenceKind::PrimaryKey, attribute, message);
        }
        if !column.is_nullable() && !found.not_null && !found.key {
            let message = "the column may be null, and the field is no Option".to_owned();
            self.differs(DifferenceKind::Null, attribute, message);
        }
        if column.is_nullable() && found.not_null && !found.key {
            let message = "the column must not be null, and the field is an Option".to_owned();
            self.differs(DifferenceKind::Null, attribute, message);
        }
        let ty = column.attribute_type();
        if !self.dialect.holds(&found.ty, ty.kind) {
            let message = format!(
                "the column is declared {}, and the field is `{}`",
                found.ty, ty.name
            );
            self.differs(DifferenceKind::Type, attribute, message);
        }
        self.default(column, found.default.as_deref());
        if column.unique && !self.has_index(&[column.column_name()], true) {
            let message = format!("no unique index is on `{}` alone", column.column_name());
            self.differs(DifferenceKind::Unique, attribute, message);
        }
        if column.index && !self.has_index(&[column.column_name()], false) {
            let message = format!("no index begins with `{}`", column.column_name());
            self.differs(DifferenceKind::Index, attribute, message);
        }
    }

    fn default(&mut self, column: &'static Column, found: Option<&str>) {
        let Some(wanted) = column.default_value() else {
            return;
        };
        if found.is_some_and(|found| is_default(&wanted, found)) {
            return;
        }
        let wanted = schema::literal(wanted, self.dialect);
        let message = match found {
            Some(found) => format!("the default is {wanted}, and in the table it is {found}"),
            None => format!("the default is {wanted}, and the table has none"),
        };
        self.differs(DifferenceKind::Default, Some(column.name()), message);
    }

    fn unknown_columns(&mut self) {
        for found in &self.table.columns {
            let known = |column: &Column| column.column_name() == found.name;
            if found.not_null
                && !found.key
                && found.default.is_none()
                && !self.model.columns().iter().any(known)
            {
                let message = format!(
                    "the table's column `{}` must not be null and has no default, and the model does not have it: \
                     an insert fails",
                    found.name
                );
                self.differs(DifferenceKind::UnknownColumn, None, message);
            }
        }
    }

    fn belongs_to(&mut self, name: &'static str, resolved: &Resolved) {
        let named = |model: &ModelReflection, key: &[usize]| -> Vec<&'static str> {
            key.iter()
                .filter_map(|&at| model.columns().get(at))
                .map(Column::column_name)
                .collect()
        };
        if resolved.is_nowhere() {
            // Rows of several tables: no foreign key can be on it.
            self.index(name, &named(self.model, &resolved.owner_columns));
            return;
        }
        let columns = named(self.model, &resolved.owner_key);
        let targets = named(resolved.target, &resolved.target_key);
        let on_key = |from: &str| columns.contains(&from);
        let same = |key: &&ForeignKey| {
            key.columns.len() == columns.len() && key.columns.iter().all(|(from, _)| on_key(from))
        };
        let known = self.table.foreign_keys.as_deref();
        let found = known.map(|known| known.iter().find(same));
        let shown = columns.join(", ");
        match found {
            None => {}
            Some(None) if !resolved.refers_to_one_row() => {}
            Some(None) => {
                let message = format!("no foreign key is on ({shown})");
                self.differs(DifferenceKind::ForeignKey, Some(name), message);
            }
            Some(Some(key)) => {
                let leads = key.columns.iter().all(|(from, to)| {
                    let at = columns.iter().position(|column| column == from);
                    let wanted = at.and_then(|at| targets.get(at)).copied();
                    // Without a name it is the target's primary key.
                    to.is_none() || to.as_deref() == wanted
                });
                if key.table != resolved.target.table() || !leads {
                    let message = format!(
                        "the foreign key on ({shown}) refers to `{}`, and the association to `{}` ({})",
                        key.table,
                        resolved.target.table(),
                        targets.join(", ")
                    );
                    self.differs(DifferenceKind::ForeignKey, Some(name), message);
                }
            }
        }
        self.index(name, &columns);
    }

    /// A foreign key may refer to a table that is not there: every insert would fail.
    async fn referred_tables(&mut self, db: &Db) -> Result<()> {
        let table = self.table;
        let mut asked: Vec<&str> = vec![self.model.table()];
        for key in table.foreign_keys.iter().flatten() {
            if asked.contains(&key.table.as_str()) {
                continue;
            }
            asked.push(&key.table);
            if Table::is_there(db, &key.table).await? {
                continue;
            }
            let columns: Vec<&str> = key.columns.iter().map(|(from, _)| from.as_str()).collect();
            let shown = columns.join(", ");
            let mut on_key = (0..self.model.reflections().len()).filter(|&position| {
                let resolved = self.model.resolve(position).ok();
                resolved.is_some_and(|resolved| {
                    let name = |&at: &usize| self.model.columns().get(at).map(Column::column_name);
                    resolved.declaration().is_belongs_to()
                        && resolved
                            .owner_key
                            .iter()
                            .filter_map(name)
                            .eq(columns.iter().copied())
                })
            });
            let named = on_key
                .next()
                .and_then(|at| self.model.reflections().get(at));
            let message = format!(
                "the foreign key on ({shown}) refers to the table `{}`, which is not there",
                key.table
            );
            let name = named.map(AssociationReflection::name);
            self.differs(DifferenceKind::ForeignKey, name, message);
        }
        Ok(())
    }

    fn index(&mut self, name: &'static str, columns: &[&str]) {
        if !self.has_index(columns, false) {
            let shown = columns.join(", ");
            let message = format!(
                "no index begins with ({shown}): reading from the other side goes through the whole table"
            );
            self.differs(DifferenceKind::Index, Some(name), message);
        }
    }

    /// Whether an index begins with these columns, in any order; if it must be unique, whether one has just these.
    /// What the database cannot be asked is taken as it should be.
    fn has_index(&self, columns: &[&str], unique: bool) -> bool {
        let key: Vec<String> = self
            .table
            .columns
            .iter()
            .filter(|column| column.key)
            .map(|column| column.name.clone())
            .collect();
        let serves = |of: &[String]| {
            of.len() >= columns.len()
                && (!unique || of.len() == columns.len())
                && of[..columns.len()]
                    .iter()
                    .all(|column| columns.contains(&column.as_str()))
        };
        let Some(indexes) = &self.table.indexes else {
            return true;
        };
        let mut fitting = indexes.iter().filter(|index| index.unique || !unique);
        serves(&key) || fitting.any(|index| serves(&index.columns))
    }
}

/// Whether SQL of a table's default is that value.
fn is_default(wanted: &Value<'_>, found: &str) -> bool {
    let found = found.trim().trim_start_matches('(').trim_end_matches(')');
    match wanted {
        Value::Bool(value) => match found.to_ascii_lowercase().as_str() {
            "true" | "1" => *value,
            "false" | "0" => !value,
            _ => false,
        },
        Value::Int(value) => found.parse() == Ok(*value),
        Value::Float(value) => found.parse() == Ok(*value),
        Value::Text(value) => found
            .strip_prefix('\'')
            .and_then(|found| found.strip_suffix('\''))
            .is_some_and(|found| found.replace("''", "'") == **value),
        _ => false,
    }
}
