//! Rows of SQL that the user wrote: values by name.

use std::borrow::Cow;
use std::sync::Arc;

use super::adapter::{Cell, Cells, Decode, Names};
use crate::attribute::value::Value;
use crate::error::Result;

/// A row that `fetch_sql` gave: values as the database holds them, by the names of the columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    names: Names,
    values: Vec<Value<'static>>,
}

impl Row {
    /// The value of the first column of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'static>> {
        let position = self.names.iter().position(|other| **other == *name)?;
        self.values.get(position)
    }

    /// The names of the columns, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// The values, in the order of the columns.
    #[must_use]
    pub fn values(&self) -> &[Value<'static>] {
        &self.values
    }
}

/// Collects rows.
#[derive(Default)]
pub(super) struct Collected {
    names: Names,
    pub(super) rows: Vec<Row>,
}

impl Decode for Collected {
    fn columns(&mut self, names: &Names) -> Result<()> {
        self.names = Arc::clone(names);
        Ok(())
    }

    fn restart(&mut self) {
        self.rows.clear();
    }

    fn row<C: Cells>(&mut self, cells: &C) -> Result<()> {
        self.rows.push(Row {
            names: Arc::clone(&self.names),
            values: (0..self.names.len())
                .map(|at| value(cells.cell(at)))
                .collect(),
        });
        Ok(())
    }
}

/// The value of a cell, of whatever type it is.
pub(crate) fn value(cell: Cell<'_>) -> Value<'static> {
    match cell {
        Cell::Null => Value::Null,
        Cell::Bool(value) => Value::Bool(value),
        Cell::Int(value) => Value::Int(value),
        Cell::Uint(value) => Value::Uint(value),
        Cell::Float(value) => Value::Float(value),
        Cell::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(Cow::Owned(text.to_owned())),
            Err(_) => Value::Bytes(Cow::Owned(bytes.to_vec())),
        },
        Cell::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.to_vec())),
        Cell::Micros(value) => Value::Timestamp(value),
        Cell::Days(value) => Value::Date(value),
        Cell::Uuid(value) => Value::Uuid(value),
    }
}
