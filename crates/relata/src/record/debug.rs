//! Printing, comparing and hashing records.
//!
//! Invariants: printing never asks the database, shows no secret column and no more than a line's worth of a value;
//! two records are equal when they are of one model and have the same key that is not null, or are one object.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::Record;
use crate::attribute::value::Value;

/// Characters of a text that are shown.
const SHOWN: usize = 60;

/// What stands for a secret value.
pub(crate) const FILTERED: &str = "[FILTERED]";

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct(self.reflection().name());
        for (column, reflection) in self.reflection().columns().iter().enumerate() {
            if self.batch().is_absent(column) {
                continue;
            }
            if reflection.is_secret() {
                out.field(reflection.name(), &format_args!("{FILTERED}"));
                continue;
            }
            let value = self.value(column);
            match start_of(&value) {
                Some(start) => out.field(reflection.name(), &format_args!("{start}...")),
                None => out.field(reflection.name(), &value),
            };
        }
        if self.is_persisted() {
            out.finish()
        } else {
            out.finish_non_exhaustive()
        }
    }
}

/// The start of a value that is too long to be shown whole, as it is shown.
fn start_of(value: &Value<'_>) -> Option<String> {
    let (Value::Text(text) | Value::Decimal(text) | Value::Json(text)) = value else {
        return None;
    };
    let (end, _) = text.char_indices().nth(SHOWN)?;
    let start = &text[..end];
    Some(match value {
        Value::Decimal(_) => start.to_owned(),
        _ => format!("{start:?}"),
    })
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        if self.is(other) {
            return true;
        }
        if self.reflection() != other.reflection() {
            return false;
        }
        let key = self.key();
        !key.is_empty() && !key.iter().any(Value::is_null) && key == other.key()
    }
}

impl Eq for Record {}

impl Hash for Record {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::ptr::from_ref(self.reflection()).hash(state);
        let key = self.key();
        if key.is_empty() || key.iter().any(Value::is_null) {
            self.identity().hash(state);
        } else {
            for value in key {
                hash_value(&value, state);
            }
        }
    }
}

/// Hashes a value so that equal values hash alike.
fn hash_value<H: Hasher>(value: &Value<'_>, state: &mut H) {
    match value {
        Value::Null => 0u8.hash(state),
        Value::Bool(v) => v.hash(state),
        Value::Int(v) | Value::Timestamp(v) | Value::DateTime(v) | Value::Time(v) => v.hash(state),
        Value::Uint(v) => v.hash(state),
        Value::Float(v) => v.to_bits().hash(state),
        Value::Text(v) | Value::Decimal(v) | Value::Json(v) => v.hash(state),
        Value::Bytes(v) => v.hash(state),
        Value::Date(v) => v.hash(state),
        Value::Uuid(v) => v.hash(state),
    }
}
