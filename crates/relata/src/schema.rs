//! Tables from models, and models against tables.
//!
//! Invariant: the tables made from a set of models pass the check against the same models.

use std::sync::Arc;

use crate::db::Db;
use crate::db::adapter::{Decode, Names, Purpose, Statement};
use crate::error::Result;
use crate::pending::Pending;
use crate::reflection::ModelReflection;
use crate::sql::schema;

fn statement(text: String, writes: bool) -> Statement {
    Statement {
        text: Arc::from(text),
        binds: Vec::new(),
        reuse: false,
        writes,
        purpose: Purpose::Schema,
        model: None,
    }
}

impl Db {
    /// Makes the tables of models, with keys, foreign keys, indexes and defaults, in one transaction. For first steps
    /// and tests; a real schema has migrations.
    ///
    /// Errors: `StatementInvalid` when a table is there already; what is wrong with a declaration.
    #[track_caller]
    pub fn create_tables(
        &self,
        models: impl IntoIterator<Item = &'static ModelReflection>,
    ) -> Pending<()> {
        let (db, models) = (self.clone(), models.into_iter().collect::<Vec<_>>());
        Pending::new(async move {
            let dialect = db.dialect();
            db.transaction(async || {
                for model in models {
                    for text in schema::create(model, dialect)? {
                        db.execute(statement(text, true)).await?;
                    }
                }
                Ok(())
            })
            .await
        })
    }

    /// Compares models with the tables they name: each difference is a sentence; none when all is well.
    #[track_caller]
    pub fn check_tables(
        &self,
        models: impl IntoIterator<Item = &'static ModelReflection>,
    ) -> Pending<Vec<String>> {
        let (db, models) = (self.clone(), models.into_iter().collect::<Vec<_>>());
        Pending::new(async move {
            let mut differences = Vec::new();
            for model in models {
                let asked = schema::table_columns(model.table(), db.dialect());
                let found = db
                    .fetch(statement(asked, false), TableColumns::default())
                    .await?;
                compare(model, &found.0, &mut differences);
            }
            Ok(differences)
        })
    }
}

struct TableColumn {
    name: String,
    not_null: bool,
    key: bool,
}

#[derive(Default)]
struct TableColumns(Vec<TableColumn>);

impl Decode for TableColumns {
    fn columns(&mut self, _names: &Names) -> Result<()> {
        Ok(())
    }

    fn restart(&mut self) {
        self.0.clear();
    }

    fn row<C: crate::db::adapter::Cells>(&mut self, cells: &C) -> Result<()> {
        use crate::db::adapter::Cell;
        let text = |cell| match cell {
            Cell::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            _ => String::new(),
        };
        let flag = |cell| {
            matches!(cell, Cell::Bool(true)) || matches!(cell, Cell::Int(value) if value != 0)
        };
        self.0.push(TableColumn {
            name: text(cells.cell(0)),
            not_null: flag(cells.cell(2)),
            key: flag(cells.cell(3)),
        });
        Ok(())
    }
}

fn compare(model: &'static ModelReflection, table: &[TableColumn], differences: &mut Vec<String>) {
    let name = model.name();
    if table.is_empty() {
        differences.push(format!("{name}: there is no table `{}`", model.table()));
        return;
    }
    for (position, column) in model.columns().iter().enumerate() {
        let Some(found) = table
            .iter()
            .find(|found| found.name == column.column_name())
        else {
            differences.push(format!(
                "{name}.{}: the table `{}` has no column `{}`",
                column.name(),
                model.table(),
                column.column_name()
            ));
            continue;
        };
        let key = model.primary_key().contains(&position);
        if key != found.key {
            let is = if found.key { "is" } else { "is not" };
            differences.push(format!(
                "{name}.{}: the column {is} part of the table's primary key",
                column.name()
            ));
        }
        if !column.is_nullable() && !found.not_null && !found.key {
            differences.push(format!(
                "{name}.{}: the column may be null, and the field is no Option",
                column.name()
            ));
        }
    }
    for found in table {
        let known = model
            .columns()
            .iter()
            .any(|column| column.column_name() == found.name);
        if !known && found.not_null && !found.key {
            differences.push(format!(
                "{name}: the table's column `{}` must not be null, and the model does not have it: an insert may fail",
                found.name
            ));
        }
    }
}
