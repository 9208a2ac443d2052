//! CREATE TABLE and CREATE INDEX for models: for first steps and tests.
//!
//! Invariant: every column of the model is in its table, with the model's own nullability and default.

use std::sync::Arc;

use super::dialect::{Around, Dialect};
use super::writer::Writer;
use crate::attribute::value::{Kind, Value};
use crate::error::Result;
use crate::reflection::{Column, ModelReflection, Resolved};

/// The statements that make a model's table and its indexes, and those that can run only once the tables of all models
/// are there.
pub(crate) fn create(
    model: &'static ModelReflection,
    dialect: Dialect,
) -> Result<(Vec<String>, Vec<String>)> {
    let (table, later) = table(model, dialect)?;
    let mut statements = vec![table];
    for index in indexes(model, dialect)? {
        if !statements.contains(&index) {
            statements.push(index);
        }
    }
    Ok((statements, later))
}

/// The associations that say where a key of the table leads.
fn references(model: &'static ModelReflection) -> impl Iterator<Item = Result<&'static Resolved>> {
    let all = model.reflections().iter().enumerate();
    let belongs_to = all.filter(|(_, one)| one.is_belongs_to());
    belongs_to.map(|(at, _)| model.resolve(at))
}

/// The table, and the foreign keys that wait for others.
fn table(model: &'static ModelReflection, dialect: Dialect) -> Result<(String, Vec<String>)> {
    let mut writer = Writer::inline(dialect);
    writer.push("CREATE TABLE ").name(model.table()).push(" (");
    let key = model.primary_key();
    let generated =
        matches!(key, [only] if model.columns()[*only].attribute_type().kind == Kind::Int);
    writer.list(
        model.columns().iter().enumerate(),
        ", ",
        |writer, (position, column)| {
            writer.name(column.column_name()).push(" ");
            if generated && key.contains(&position) {
                writer.push(dialect.generated_key());
            } else {
                define(writer, dialect, column);
            }
        },
    );
    if !generated && !key.is_empty() {
        writer.push(", PRIMARY KEY (");
        writer.list(key, ", ", |writer, &column| {
            _ = writer.name(model.columns()[column].column_name())
        });
        writer.push(")");
    }
    let mut later = Vec::new();
    for resolved in references(model) {
        let resolved = resolved?;
        // Rows of several tables have no one table to refer to.
        if resolved.is_nowhere() || !resolved.refers_to_one_row() {
            continue;
        }
        if dialect.references_ahead() {
            writer.push(", ");
            reference(&mut writer, model, resolved);
        } else {
            let mut writer = Writer::inline(dialect);
            writer
                .push("ALTER TABLE ")
                .name(model.table())
                .push(" ADD ");
            reference(&mut writer, model, resolved);
            later.push(writer.finish().0);
        }
    }
    writer.push(")");
    Ok((writer.finish().0, later))
}

/// The indexes: one for each key that leads somewhere, and those that columns ask for.
fn indexes(model: &'static ModelReflection, dialect: Dialect) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for resolved in references(model) {
        let resolved = resolved?;
        // As Rails writes it: the type first.
        let ty = resolved.owner_type.map(|ty| ty.column);
        let columns: Vec<usize> = ty
            .into_iter()
            .chain(resolved.owner_key.iter().copied())
            .collect();
        all.push(index(model, dialect, &columns, false));
    }
    for (position, column) in model.columns().iter().enumerate() {
        if column.unique || column.index {
            all.push(index(model, dialect, &[position], column.unique));
        }
    }
    Ok(all)
}

/// `CREATE INDEX "index_posts_on_person_id" ON "posts" ("person_id")`
fn index(model: &ModelReflection, dialect: Dialect, columns: &[usize], unique: bool) -> String {
    let names: Vec<&str> = columns
        .iter()
        .map(|&at| model.columns()[at].column_name())
        .collect();
    let mut writer = Writer::inline(dialect);
    writer.push(if unique {
        "CREATE UNIQUE INDEX "
    } else {
        "CREATE INDEX "
    });
    writer
        .name(&format!(
            "index_{}_on_{}",
            model.table(),
            names.join("_and_")
        ))
        .push(" ON ")
        .name(model.table())
        .push(" (");
    writer.list(&names, ", ", |writer, name| _ = writer.name(name));
    writer.push(")");
    writer.finish().0
}

/// `FOREIGN KEY ("person_id") REFERENCES "people" ("id")`
fn reference(writer: &mut Writer, model: &ModelReflection, resolved: &Resolved) {
    let names = |writer: &mut Writer, model: &ModelReflection, columns: &[usize]| {
        writer.push("(");
        writer.list(columns, ", ", |writer, &at| {
            _ = writer.name(model.columns()[at].column_name())
        });
        writer.push(")");
    };
    writer.push("FOREIGN KEY ");
    names(writer, model, &resolved.owner_key);
    writer
        .push(" REFERENCES ")
        .name(resolved.target.table())
        .push(" ");
    names(writer, resolved.target, &resolved.target_key);
}

fn define(writer: &mut Writer, dialect: Dialect, column: &Column) {
    writer.push(dialect.column_type(column.attribute_type().kind));
    if !column.is_nullable() {
        writer.push(" NOT NULL");
    }
    if let Some(default) = column.default_value() {
        writer.push(" DEFAULT ").value(default);
    }
}

/// The statement that shows the plan of another.
pub(crate) fn explain(dialect: Dialect, statement: &str) -> Arc<str> {
    Arc::from(format!("{}{statement}", dialect.explain()))
}

/// A value as it stands in the text of a statement. For people.
pub(crate) fn literal(value: Value<'_>, dialect: Dialect) -> String {
    let mut writer = Writer::inline(dialect);
    writer.value(value.into_owned());
    writer.finish().0
}

/// A question about a table, by its text around the table's name.
pub(crate) fn about(table: &str, dialect: Dialect, (before, after): Around) -> String {
    let table = literal(Value::Text(table.into()), dialect);
    format!("{before}{table}{after}")
}
