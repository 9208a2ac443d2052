//! Values as SQLite holds them.
//!
//! Invariant: a value that SQLite would change is an error before anything is sent.

use crate::attribute::value::Value;
use crate::attribute::{calendar, cast};
use crate::error::{Error, ErrorKind, Result};

/// What a placeholder is bound to.
pub(super) enum Param<'a> {
    Null,
    Int(i64),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// Text that was made for the statement.
    Made(String),
}

/// The value as a parameter.
#[inline]
pub(super) fn param<'a>(value: &'a Value<'static>) -> Result<Param<'a>> {
    Ok(match value {
        Value::Null => Param::Null,
        Value::Bool(value) => Param::Int(i64::from(*value)),
        Value::Int(value) => Param::Int(*value),
        Value::Text(text) | Value::Json(text) => Param::Text(text),
        Value::Bytes(bytes) => Param::Bytes(bytes),
        other => return rarer(other),
    })
}

fn rarer<'a>(value: &'a Value<'static>) -> Result<Param<'a>> {
    Ok(match value {
        Value::Uint(value) => Param::Int(i64::try_from(*value).map_err(|_| {
            out_of_range(format!(
                "{value} does not fit SQLite's integers, which end at {}",
                i64::MAX
            ))
        })?),
        Value::Float(value) if value.is_nan() => {
            return Err(out_of_range(
                "SQLite cannot hold NaN: it would store NULL".to_owned(),
            ));
        }
        Value::Float(value) => Param::Float(*value),
        Value::Decimal(text) if cast::significant_digits(text) > 15 => {
            return Err(out_of_range(format!(
                "{text} has more than the 15 significant digits that SQLite's decimals keep"
            )));
        }
        Value::Decimal(text) => Param::Text(text),
        Value::Timestamp(micros) | Value::DateTime(micros) => {
            Param::Made(calendar::format_timestamp(*micros))
        }
        Value::Date(days) => Param::Made(calendar::format_date(*days)),
        Value::Time(micros) => Param::Made(calendar::format_time(*micros)),
        Value::Uuid(uuid) => Param::Made(cast::format_uuid(*uuid)),
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Text(_)
        | Value::Json(_)
        | Value::Bytes(_) => return param(value),
    })
}

fn out_of_range(message: String) -> Error {
    Error::new(ErrorKind::RangeError, message)
}
