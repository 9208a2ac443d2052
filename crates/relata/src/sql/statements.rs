//! Statements whose shape is known: find by key, load by key, insert, update, delete. Their text is made once a
//! model and kept.
//!
//! Invariant: the text of a statement depends on the model, the dialect and the columns named, never on values.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::dialect::Dialect;
use super::writer::Writer;
use crate::hashing::Hashing;
use crate::reflection::ModelReflection;

/// What is asked of a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Wanted {
    Find,
    Insert(Columns),
    Update(Columns, Guard),
    Delete(Guard),
}

/// What a statement asks of the one row it writes, beside its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Guard {
    /// Nothing.
    None,
    /// That a column has a value, bound after the key.
    Equal(usize),
    /// That a column is null.
    Null(usize),
}

/// Which columns, in their order: a bit each, without an allocation, where there are not too many.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Columns {
    Few(u64),
    Many(Box<[usize]>),
}

impl Columns {
    fn of(columns: &[usize]) -> Self {
        let bits = columns.iter().try_fold(0, |bits, &column| {
            let bit = 1_u64.checked_shl(u32::try_from(column).ok()?)?;
            // Another order is another text.
            (bits < bit).then_some(bits | bit)
        });
        match bits {
            Some(bits) => Self::Few(bits),
            None => Self::Many(columns.into()),
        }
    }
}

/// The texts of a model.
#[derive(Default)]
struct Texts {
    /// The text that is asked for most, in the dialect that asked first.
    find: OnceLock<(Dialect, Arc<str>)>,
    all: RwLock<HashMap<(Dialect, Wanted), Arc<str>, Hashing>>,
}

impl Texts {
    fn get(
        model: &'static ModelReflection,
        dialect: Dialect,
        wanted: Wanted,
        write: impl FnOnce(&mut Writer),
    ) -> Arc<str> {
        let make = || {
            let mut writer = Writer::new(dialect);
            write(&mut writer);
            Arc::from(writer.finish().0)
        };
        let Some(texts) = model.texts(Self::default) else {
            return make();
        };
        let slot = (dialect, wanted);
        if let Some(text) = texts
            .all
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&slot)
        {
            return Arc::clone(text);
        }
        let finds = slot.1 == Wanted::Find;
        let mut all = texts.all.write().unwrap_or_else(PoisonError::into_inner);
        let text = all.entry(slot).or_insert_with(make);
        if finds {
            // Another dialect's may stand there: then this one is looked up.
            let _ = texts.find.set((dialect, Arc::clone(text)));
        }
        Arc::clone(text)
    }
}

/// Writes `"posts"."id" = ? AND ...`; the values are bound by the caller in the same order.
fn equal(writer: &mut Writer, model: &ModelReflection, columns: &[usize]) {
    writer.list(columns, " AND ", |writer, &column| {
        writer.name(model.table()).push(".");
        name(writer, model, column);
        writer.push(" = ");
        writer.value(crate::attribute::value::Value::Null);
    });
}

/// ` WHERE "posts"."id" = ? AND "posts"."lock_version" = ?`
fn one_row(writer: &mut Writer, model: &ModelReflection, guard: Guard) {
    writer.push(" WHERE ");
    equal(writer, model, model.query_constraints());
    match guard {
        Guard::None => {}
        Guard::Equal(column) => {
            writer.push(" AND ");
            equal(writer, model, &[column]);
        }
        Guard::Null(column) => {
            writer.push(" AND ").name(model.table()).push(".");
            name(writer, model, column);
            writer.push(" IS NULL");
        }
    }
}

fn name(writer: &mut Writer, model: &ModelReflection, column: usize) {
    if let Some(column) = model.columns().get(column) {
        writer.name(column.column_name());
    }
}

/// `SELECT "posts".* FROM "posts" WHERE "posts"."id" = ?`
pub(crate) fn find(model: &'static ModelReflection, dialect: Dialect) -> Arc<str> {
    if let Some(texts) = model.texts(Texts::default)
        && let Some((first, text)) = texts.find.get()
        && *first == dialect
    {
        return Arc::clone(text);
    }
    Texts::get(model, dialect, Wanted::Find, |writer| {
        writer
            .push("SELECT ")
            .name(model.table())
            .push(".* FROM ")
            .name(model.table())
            .push(" WHERE ");
        equal(writer, model, model.primary_key());
    })
}

/// `INSERT INTO "posts" ("title", "author_id") VALUES (?, ?)`
pub(crate) fn insert(
    model: &'static ModelReflection,
    dialect: Dialect,
    columns: &[usize],
) -> Arc<str> {
    Texts::get(
        model,
        dialect,
        Wanted::Insert(Columns::of(columns)),
        |writer| {
            writer.push("INSERT INTO ").name(model.table()).push(" ");
            if columns.is_empty() {
                writer.push(dialect.default_values());
            } else {
                writer.push("(");
                writer.list(columns, ", ", |writer, &column| name(writer, model, column));
                writer.push(") VALUES (");
                writer.list(columns, ", ", |writer, _| {
                    _ = writer.value(crate::attribute::value::Value::Null)
                });
                writer.push(")");
            }
            if let [key] = *model.primary_key()
                && dialect.returns_key()
                && !columns.contains(&key)
            {
                writer.push(" RETURNING ");
                name(writer, model, key);
            }
        },
    )
}

/// `UPDATE "posts" SET "title" = ? WHERE "posts"."id" = ?`
pub(crate) fn update(
    model: &'static ModelReflection,
    dialect: Dialect,
    columns: &[usize],
    guard: Guard,
) -> Arc<str> {
    Texts::get(
        model,
        dialect,
        Wanted::Update(Columns::of(columns), guard),
        |writer| {
            writer.push("UPDATE ").name(model.table()).push(" SET ");
            writer.list(columns, ", ", |writer, &column| {
                name(writer, model, column);
                writer
                    .push(" = ")
                    .value(crate::attribute::value::Value::Null);
            });
            one_row(writer, model, guard);
        },
    )
}

/// What counting changes: counters by how much, timestamps, in the rows with a key.
pub(crate) struct Counting {
    pub(crate) counters: Vec<(usize, i64)>,
    pub(crate) stamps: Vec<usize>,
    pub(crate) key: Vec<usize>,
}

/// `UPDATE "users" SET "posts_count" = COALESCE("users"."posts_count", 0) + 1 WHERE "users"."id" = ?`
pub(crate) fn count(
    model: &'static ModelReflection,
    dialect: Dialect,
    counting: &Counting,
) -> Arc<str> {
    let mut writer = Writer::new(dialect);
    writer.push("UPDATE ").name(model.table()).push(" SET ");
    writer.list(&counting.counters, ", ", |writer, &(column, by)| {
        name(writer, model, column);
        writer.push(" = COALESCE(").name(model.table()).push(".");
        name(writer, model, column);
        let sign = if by < 0 { "-" } else { "+" };
        writer.push(&format!(", 0) {sign} {}", by.unsigned_abs()));
    });
    for &column in &counting.stamps {
        writer.push(", ");
        name(&mut writer, model, column);
        writer
            .push(" = ")
            .value(crate::attribute::value::Value::Null);
    }
    if let Some(version) = model.locking_position() {
        writer.push(", ");
        name(&mut writer, model, version);
        writer.push(" = COALESCE(").name(model.table()).push(".");
        name(&mut writer, model, version);
        writer.push(", 0) + 1");
    }
    writer.push(" WHERE ");
    equal(&mut writer, model, &counting.key);
    Arc::from(writer.finish().0)
}

/// `DELETE FROM "posts" WHERE "posts"."id" = ?`
pub(crate) fn delete(model: &'static ModelReflection, dialect: Dialect, guard: Guard) -> Arc<str> {
    Texts::get(model, dialect, Wanted::Delete(guard), |writer| {
        writer.push("DELETE FROM ").name(model.table());
        one_row(writer, model, guard);
    })
}
