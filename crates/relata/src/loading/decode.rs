//! From cells of a result to words of a batch, or to values.
//!
//! Invariant: a cell becomes a value of its column's type or an error that names model, column and what was
//! stored; nothing is cut, rounded or guessed.

use std::borrow::Cow;
use std::ptr::NonNull;
use std::sync::Arc;

use crate::attribute::value::{Kind, Value};
use crate::attribute::{AttributeType, Label, Stored, calendar, cast};
use crate::db::Db;
use crate::db::adapter::{Cell, Cells, Decode, Names};
use crate::error::{Error, ErrorKind, Result, Spot};
use crate::record::{Batch, BatchBuilder, Row, Step, Take, Terms, Unfit};
use crate::reflection::{Column, ModelReflection};

/// Decodes rows into a batch.
pub(crate) struct Rows {
    batch: BatchBuilder,
    /// Whether columns may be missing from the result.
    partial: bool,
}

impl Rows {
    pub(crate) fn new(model: &'static ModelReflection, partial: bool) -> Self {
        Self {
            batch: BatchBuilder::new(model),
            partial,
        }
    }

    /// The records that were decoded, as one batch, taken out.
    #[inline]
    pub(crate) fn finish(&mut self, db: &Db, terms: Terms) -> Result<Arc<Batch>> {
        let model = self.batch.reflection();
        self.batch
            .finish(db, terms)
            .map_err(|problem| match problem {
                Unfit::NotText(column) => unfit(model, column, NOT_TEXT),
                Unfit::NoClass(error) => error,
            })
    }
}

impl Decode for Rows {
    fn columns(&mut self, names: &Names) -> Result<()> {
        let model = self.batch.reflection();
        // Reflections live for ever: where this one is, no other will be.
        let fit = NonNull::from(model).addr();
        if names.is_noted(fit) {
            self.batch.expect_all();
            return Ok(());
        }
        let columns = model.columns();
        let is = |name: &str, column: &Column| *name == *column.column_name();
        // Usually the table's columns stand in the order of the fields.
        let in_order = names
            .iter()
            .zip(columns)
            .all(|(name, column)| is(name, column));
        if in_order && names.len() >= columns.len() {
            names.note(fit);
            self.batch.expect_all();
            return Ok(());
        }
        let mut cells = Vec::with_capacity(columns.len());
        for (position, column) in columns.iter().enumerate() {
            let cell = match names.get(position) {
                Some(name) if is(name, column) => Some(position),
                _ => names.iter().position(|name| is(name, column)),
            };
            if cell.is_none() && !self.partial {
                let message = format!(
                    "{}.{}: the table `{}` has no column `{}`",
                    model.name(),
                    column.name(),
                    model.table(),
                    column.column_name()
                );
                return Err(Error::new(ErrorKind::StatementInvalid, message)
                    .with_model(model.name())
                    .with_attribute(column.name()));
            }
            cells.push(cell);
        }
        self.batch.expect(&cells);
        Ok(())
    }

    fn restart(&mut self) {
        self.batch.restart();
    }

    #[inline]
    fn row<C: Cells>(&mut self, cells: &C) -> Result<()> {
        let model = self.batch.reflection();
        self.batch.row(|step, row| {
            let cell = cells.cell(step.cell as usize);
            match cell {
                Cell::Int(value) => {
                    if let Take::Int(slot) = step.take {
                        row.int(slot, value);
                        return Ok(());
                    }
                }
                Cell::Text(text) => {
                    if let Take::Text(slot) = step.take {
                        if row.text(slot, text) {
                            return Ok(());
                        }
                        return Err(unfit(model, step.column(), NOT_TEXT));
                    }
                }
                Cell::Null if step.nullable => {
                    row.null(step);
                    return Ok(());
                }
                _ => {}
            }
            by_value(model, step, row, cell)
        })
    }
}

const NOT_TEXT: &str = "text that is not UTF-8";

/// Puts a cell by way of its value.
#[inline(never)]
fn by_value(model: &ModelReflection, step: &Step, row: &mut Row<'_>, cell: Cell<'_>) -> Result<()> {
    let slot = match step.take {
        Take::Value(slot) if cell != Cell::Null => slot,
        Take::Absent => {
            row.null(step);
            return Ok(());
        }
        _ if cell == Cell::Null => return Err(null(model, step.column())),
        _ => return Err(unfit(model, step.column(), &describe(cell))),
    };
    let Some(column) = model.columns().get(step.column()) else {
        return Ok(());
    };
    let value = value(column.ty, cell).map_err(|found| {
        let labels = column.ty.labels();
        match cell {
            // A name that the enum does not have is worth telling, and is no secret of a user.
            Cell::Text(bytes) if !labels.is_empty() && !column.secret => {
                let label = String::from_utf8_lossy(bytes);
                let known: Vec<&str> = labels.iter().map(Label::name).collect();
                refused(
                    model,
                    column,
                    &format!("{label:?}, which is none of {}", known.join(", ")),
                )
            }
            _ => refused(model, column, &found),
        }
    })?;
    if row.value(slot, &value) {
        Ok(())
    } else {
        Err(refused(model, column, NOT_TEXT))
    }
}

#[cold]
fn unfit(model: &ModelReflection, column: usize, found: &str) -> Error {
    match model.columns().get(column) {
        Some(column) => refused(model, column, found),
        None => Error::new(ErrorKind::InvalidValue, format!("the table holds {found}")),
    }
}

fn refused(model: &ModelReflection, column: &Column, found: &str) -> Error {
    let (name, ty) = (column.name(), column.ty.name);
    let message = format!(
        "{}.{name}: the table holds {found}, and the field is `{ty}`",
        model.name()
    );
    invalid(model, column, message)
}

fn null(model: &ModelReflection, column: usize) -> Error {
    let Some(column) = model.columns().get(column) else {
        return unfit(model, column, "NULL");
    };
    let (name, ty) = (column.name(), column.ty.name);
    let message = format!(
        "{}.{name}: the table holds NULL, and the field is `{ty}`: declare `Option<{ty}>`",
        model.name()
    );
    invalid(model, column, message)
}

fn invalid(model: &ModelReflection, column: &Column, message: String) -> Error {
    Error::new(ErrorKind::InvalidValue, message)
        .with_model(model.name())
        .with_attribute(column.name())
}

/// The value that a cell holds for a column of that type.
pub(crate) fn value(ty: AttributeType, cell: Cell<'_>) -> Result<Value<'_>, String> {
    let value = of_kind(ty.kind, cell).ok_or_else(|| describe(cell))?;
    match ty.check {
        // What the check says may quote the value, which may be a secret.
        Some(check) if !value.is_null() => check(Stored::of(&value)).map_err(|_| describe(cell))?,
        _ => {}
    }
    Ok(value)
}

fn of_kind(kind: Kind, cell: Cell<'_>) -> Option<Value<'_>> {
    fn text(bytes: &[u8]) -> Option<Cow<'_, str>> {
        std::str::from_utf8(bytes).ok().map(Cow::Borrowed)
    }
    Some(match (kind, cell) {
        (_, Cell::Null) => Value::Null,
        (Kind::Bool, Cell::Bool(value)) => Value::Bool(value),
        (Kind::Bool, Cell::Int(value @ (0 | 1))) => Value::Bool(value == 1),
        (Kind::Int, Cell::Int(value)) => Value::Int(value),
        (Kind::Uint, Cell::Int(value)) => Value::Uint(u64::try_from(value).ok()?),
        (Kind::Uint, Cell::Uint(value)) => Value::Uint(value),
        (Kind::Float, Cell::Float(value)) => Value::Float(value),
        (Kind::Float, Cell::Int(value)) => Kind::Float.cast(Value::Int(value)).ok()?,
        (Kind::Text, Cell::Text(bytes)) => Value::Text(text(bytes)?),
        (Kind::Bytes, Cell::Bytes(bytes) | Cell::Text(bytes)) => Value::Bytes(Cow::Borrowed(bytes)),
        (Kind::Timestamp, Cell::Micros(value)) => Value::Timestamp(value),
        (Kind::Timestamp, Cell::Text(bytes)) => Value::Timestamp(calendar::parse_timestamp(bytes)?),
        (Kind::DateTime, Cell::Micros(value)) => Value::DateTime(value),
        (Kind::DateTime, Cell::Text(bytes)) => Value::DateTime(calendar::parse_timestamp(bytes)?),
        (Kind::Date, Cell::Days(value)) => Value::Date(value),
        (Kind::Date, Cell::Text(bytes)) => Value::Date(calendar::parse_date(bytes)?),
        (Kind::Time, Cell::Micros(value)) => Value::Time(value),
        (Kind::Time, Cell::Text(bytes)) => Value::Time(calendar::parse_time(bytes)?),
        (Kind::Uuid, Cell::Uuid(value)) => Value::Uuid(value),
        (Kind::Uuid, Cell::Text(bytes)) => {
            Value::Uuid(cast::parse_uuid(std::str::from_utf8(bytes).ok()?)?)
        }
        (Kind::Uuid, Cell::Bytes(bytes)) => {
            Value::Uuid(u128::from_be_bytes(bytes.try_into().ok()?))
        }
        (Kind::Decimal, Cell::Text(bytes)) => Kind::Decimal.cast(Value::Text(text(bytes)?)).ok()?,
        (Kind::Decimal, Cell::Int(value)) => Value::Decimal(Cow::Owned(value.to_string())),
        (Kind::Decimal, Cell::Float(value)) if value.is_finite() => {
            Value::Decimal(Cow::Owned(value.to_string()))
        }
        (Kind::Json, Cell::Text(bytes)) => Value::Json(text(bytes)?),
        _ => return None,
    })
}

/// The class of a cell's value, never the value itself: it may be a secret.
fn describe(cell: Cell<'_>) -> String {
    match cell {
        Cell::Null => "NULL",
        Cell::Bool(_) => "a boolean",
        Cell::Int(_) | Cell::Uint(_) => "an integer",
        Cell::Float(_) => "a floating point number",
        Cell::Text(_) => "text",
        Cell::Bytes(_) => "binary data",
        Cell::Micros(_) => "a time",
        Cell::Days(_) => "a date",
        Cell::Uuid(_) => "a UUID",
    }
    .to_owned()
}

/// Decodes rows into values: of columns of known types, or of whatever the database says.
pub(crate) struct Tuples {
    pub(crate) rows: Vec<Vec<Value<'static>>>,
    /// The types of the leading columns; the rest are taken as they come.
    types: Vec<Option<AttributeType>>,
    width: usize,
}

impl Tuples {
    pub(crate) fn new(types: Vec<Option<AttributeType>>) -> Self {
        Self {
            rows: Vec::new(),
            types,
            width: 0,
        }
    }
}

impl Decode for Tuples {
    fn columns(&mut self, names: &Names) -> Result<()> {
        self.width = names.len();
        Ok(())
    }

    fn restart(&mut self) {
        self.rows.clear();
    }

    fn row<C: Cells>(&mut self, cells: &C) -> Result<()> {
        let mut row = Vec::with_capacity(self.width);
        for position in 0..self.width {
            let cell = cells.cell(position);
            row.push(match self.types.get(position).copied().flatten() {
                Some(ty) => value(ty, cell)
                    .map_err(|found| {
                        let message =
                            format!("the query gave {found}, and `{}` was asked for", ty.name);
                        Error::new(ErrorKind::InvalidValue, message).at(Spot::Cell(position))
                    })?
                    .into_owned(),
                None => crate::db::rows::value(cell),
            });
        }
        self.rows.push(row);
        Ok(())
    }
}
