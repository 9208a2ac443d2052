//! Writing single columns of a saved record, past validation.
//!
//! Invariant: the statement comes first; memory takes the values once the database has them, as saved ones.

use super::errors::unknown_key;
use super::locking;
use super::save::SaveOptions;
use super::set_wise;
use super::snapshot::Before;
use super::turn::{Turn, in_turn};
use super::witness;
use super::write::{refuse, refuse_doubt};
use crate::attribute::value::{Kind, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::pending::Pending;
use crate::record::Record;
use crate::relation::{Relation, scoping};
use crate::sql::Expr;
use crate::sql::expr::{Comparison, Node};

impl Record {
    /// Sets these attributes and saves the record: one UPDATE of what changed. The erased form of a model's `update`.
    /// Rails: `update!(title: "x")`.
    ///
    /// `UPDATE "posts" SET "title" = ? WHERE "posts"."id" = ?`
    ///
    /// ```
    /// # use relata::{Db, Record, Value, model};
    /// # #[model] pub struct Post { id: i64, title: String, #[column(default = 0)] stars: i64 }
    /// # relata::run(async {
    /// # let db = Db::connect("sqlite::memory:").await?;
    /// # db.create_tables([Post::reflection()]).await?;
    /// # let post = Post::create(&db, |p| p.set_title("x")).await?;
    /// let record: &Record = &post;
    /// record.update([("title", Value::from("y")), ("stars", 2.into())]).await?;
    /// assert_eq!((post.title(), post.stars()), ("y", 2));
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// Errors: as [`set`](Self::set), and then none is set; as [`save`](Self::save), and then they stay set.
    #[track_caller]
    pub fn update<'a>(
        &self,
        values: impl IntoIterator<Item = (&'a str, Value<'static>)>,
    ) -> Pending<()> {
        match self.set_all(values) {
            Ok(()) => self.save(),
            Err(error) => Pending::ready(Err(error)),
        }
    }

    /// Sets one attribute and saves the record without validating it. Rails: `update_attribute`.
    ///
    /// `UPDATE "posts" SET "title" = ? WHERE "posts"."id" = ?`
    ///
    /// Errors: `UnknownAttribute` with the nearest name; `InvalidValue`; what saving says.
    #[track_caller]
    pub fn update_attribute(&self, name: &str, value: impl Into<Value<'static>>) -> Pending<()> {
        if let Err(error) = self.set(name, value) {
            return Pending::ready(Err(error));
        }
        self.save_with(SaveOptions::new().validate(false))
    }

    /// Writes these columns and nothing else: no validation, no time of change. They count as saved; what else was set
    /// stays unsaved. Rails: `update_columns`.
    ///
    /// `UPDATE "posts" SET "title" = ? WHERE "posts"."id" = ?`
    ///
    /// Errors: `UnknownAttribute` with the nearest name; `InvalidValue`; `ReadonlyAttribute`; `RecordNotSaved` for a record
    /// that is new or destroyed, or whose row is gone; `StaleObject` where the row is not there with the lock version that was read; what
    /// the database says.
    #[track_caller]
    pub fn update_columns<'a>(
        &self,
        values: impl IntoIterator<Item = (&'a str, Value<'static>)>,
    ) -> Pending<()> {
        let values: Result<Vec<_>> = values
            .into_iter()
            .map(|(name, value)| accepted(self, name, value))
            .collect();
        let record = self.clone();
        Pending::new(async move { write_columns(&record, values?, "update columns").await })
    }

    /// Adds to a number, in the database and here: what others added meanwhile is kept. Rails: `increment!`.
    ///
    /// `UPDATE "posts" SET "stars" = COALESCE("posts"."stars", 0) + ? WHERE "posts"."id" = ?`
    ///
    /// Errors: `UnknownAttribute` with the nearest name; `Argument` for an attribute that is no number; `RangeError`
    /// beyond its range, as far as this record knows its number: what others added beyond 64 bits is as with
    /// [`Column::increment`](crate::relation::Column::increment); else as [`update_columns`](Self::update_columns).
    #[track_caller]
    pub fn increment(&self, name: &str, by: i64) -> Pending<()> {
        let column = self.reflection().attribute(name);
        let record = self.clone();
        Pending::new(async move { increment(&record, column?, by).await })
    }

    /// As [`increment`](Self::increment), downwards. Rails: `decrement!`.
    ///
    /// `UPDATE "posts" SET "stars" = COALESCE("posts"."stars", 0) + ? WHERE "posts"."id" = ?`
    ///
    /// Errors: as [`increment`](Self::increment).
    #[track_caller]
    pub fn decrement(&self, name: &str, by: i64) -> Pending<()> {
        let column = self.reflection().attribute(name);
        let record = self.clone();
        Pending::new(async move {
            // The one number without an opposite is out of every range.
            increment(&record, column?, by.checked_neg().unwrap_or(i64::MAX)).await
        })
    }

    /// Turns a truth value over and saves the record without validating it; null counts as false. Rails: `toggle!`.
    ///
    /// `UPDATE "posts" SET "live" = ? WHERE "posts"."id" = ?`
    ///
    /// Errors: `UnknownAttribute` with the nearest name; `Argument` for an attribute that is no truth value; what
    /// saving says.
    #[track_caller]
    pub fn toggle(&self, name: &str) -> Pending<()> {
        let toggled = self.get(name).and_then(|value| match value {
            Value::Bool(on) => Ok(!on),
            Value::Null if self.kind_of(name) == Some(Kind::Bool) => Ok(true),
            _ => Err(self.wrong_kind(name, "truth value")),
        });
        match toggled {
            Ok(on) => self.update_attribute(name, on),
            Err(error) => Pending::ready(Err(error)),
        }
    }

    fn kind_of(&self, name: &str) -> Option<Kind> {
        let model = self.reflection();
        let column = model.columns().get(model.column_position(name)?)?;
        Some(column.attribute_type().kind)
    }

    fn wrong_kind(&self, name: &str, wanted: &str) -> Error {
        let message = format!("{}.{name} is no {}", self.reflection().name(), wanted);
        Error::new(ErrorKind::Argument, message)
            .with_record(self.clone())
            .with_attribute(name)
    }
}

fn accepted(record: &Record, name: &str, value: Value<'static>) -> Result<(usize, Value<'static>)> {
    let model = record.reflection();
    let column = model.attribute(name)?;
    if record.keeps(column) {
        return Err(record.kept(column));
    }
    cast(record, column, value)
}

fn cast(record: &Record, column: usize, value: Value<'static>) -> Result<(usize, Value<'static>)> {
    let value = record.reflection().kept_value(column, value);
    value
        .map(|value| (column, value))
        .map_err(|error| error.with_record(record.clone()))
}

/// The row of a saved record, as a relation.
fn row(record: &Record, verb: &str) -> Result<Relation> {
    refuse(record)?;
    refuse_doubt(record)?;
    if !record.is_persisted() {
        let message = format!(
            "Cannot {verb} on a new or destroyed record object. Save it first: is_persisted, is_new_record and \
             is_destroyed tell"
        );
        return Err(Error::new(ErrorKind::RecordNotSaved, message).with_record(record.clone()));
    }
    let key = record.saved_key();
    if key.is_empty() || key.iter().any(Value::is_null) {
        return Err(unknown_key(record));
    }
    let key = key.into_iter().map(Value::into_owned).collect();
    let (model, db) = (record.reflection(), record.db());
    let rows = || Relation::unscoped(model, db);
    let rows = scoping::all_queries(model, db).unwrap_or_else(rows);
    Ok(rows.with_rows(vec![key]))
}

async fn write_columns(
    record: &Record,
    values: Vec<(usize, Value<'static>)>,
    verb: &str,
) -> Result<()> {
    in_turn!(record, turn => set_columns(turn, record, &values, verb))
}

async fn set_columns(
    turn: &Turn<'_>,
    record: &Record,
    values: &[(usize, Value<'static>)],
    verb: &str,
) -> Result<()> {
    let row = row(record, verb)?;
    if values.is_empty() {
        let message = "Empty list of attributes to change";
        return Err(Error::new(ErrorKind::Argument, message).with_record(record.clone()));
    }
    let sets = values
        .iter()
        .map(|(column, value)| (*column, Node::Value(value.clone())))
        .collect();
    apply(turn, record, &row, sets, values, false).await
}

async fn increment(record: &Record, column: usize, by: i64) -> Result<()> {
    in_turn!(record, turn => add(turn, record, column, by))
}

async fn add(turn: &Turn<'_>, record: &Record, column: usize, by: i64) -> Result<()> {
    let row = row(record, "increment")?;
    let (name, kind) = record
        .reflection()
        .columns()
        .get(column)
        .map_or(("?", Kind::Int), |column| {
            (column.name(), column.attribute_type().kind)
        });
    if !matches!(kind, Kind::Int | Kind::Uint) {
        return Err(record.wrong_kind(name, "whole number"));
    }
    let number = |value: &Value<'_>| match value {
        Value::Int(number) => i128::from(*number),
        Value::Uint(number) => i128::from(*number),
        _ => 0,
    };
    let sum = number(&record.value(column)) + i128::from(by);
    // What was set and not saved goes with it.
    let difference = i64::try_from(sum - number(&record.saved_value(column)));
    let value = match kind {
        Kind::Uint => u64::try_from(sum).map(Value::Uint),
        _ => i64::try_from(sum).map(Value::Int),
    };
    let (Ok(difference), Ok(value)) = (difference, value) else {
        return Err(out_of_range(record, name));
    };
    let (_, value) = cast(record, column, value)?;
    let operand = Box::new(Node::Column(row.select().root, column));
    let sets = vec![(column, Node::Plus(operand, Value::Int(difference)))];
    apply(turn, record, &row, sets, &[(column, value)], true).await
}

fn out_of_range(record: &Record, name: &str) -> Error {
    let message = format!(
        "{}.{name}: the sum is out of the column's range",
        record.reflection().name()
    );
    Error::new(ErrorKind::RangeError, message)
        .with_record(record.clone())
        .with_attribute(name)
}

/// Writes the row and tells the record. Adding counts the version of the row; setting asks for it, and leaves it.
async fn apply(
    turn: &Turn<'_>,
    record: &Record,
    row: &Relation,
    sets: Vec<(usize, Node)>,
    values: &[(usize, Value<'static>)],
    adds: bool,
) -> Result<()> {
    let mut before = Before::of(record);
    let statement = match (adds, record.reflection().locking_position()) {
        (true, _) => set_wise::update_of(row.core(), set_wise::counting(row.core(), sets)),
        (false, None) => set_wise::update_of(row.core(), sets),
        (false, Some(version)) => {
            let column = Node::Column(row.select().root, version);
            let read = record.saved_value(version).into_owned();
            let asked = Expr(column.compare(Comparison::Equal, read));
            let row = row.clone().map(|core| core.select.filter(asked));
            set_wise::update_of(row.core(), sets)
        }
    };
    let statement = statement.map_err(|error| error.with_record(record.clone()))?;
    let written = witness::send(record, statement, Some(turn)).await?;
    if written.affected == 0 {
        return Err(match record.reflection().locking_position() {
            Some(_) if !adds => locking::stale(record, "update"),
            _ => super::write::gone(record),
        });
    }
    for (column, value) in values {
        record.fill(*column, value);
    }
    if adds {
        locking::follow(record, &mut before)?;
    }
    before.enlist();
    Ok(())
}
