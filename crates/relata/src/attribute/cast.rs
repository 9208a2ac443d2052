//! Casting a value to the kind of a column: the one place where a value changes its variant.
//!
//! Invariant: a cast either gives a value of the column's kind (or null, where that is allowed) that the
//! column's type accepts, or says why not; it never cuts or rounds.

use std::borrow::Cow;

use super::calendar;
use super::value::{Kind, Value};
use super::{AttributeType, Label, Shown, Stored};

impl AttributeType {
    /// The value as this type holds it.
    ///
    /// # Errors
    /// What is wrong with it, to follow "the value".
    pub fn cast<'a>(&self, value: Value<'a>) -> Result<Value<'a>, String> {
        if !self.labels.is_empty() {
            match self.held(&value) {
                Some(held) => return Ok(held),
                None if self.check.is_none() || value.kind() != Some(self.kind) => {
                    return Err(self.unknown(&value));
                }
                None => {}
            }
        }
        let value = self.kind.cast(value)?;
        match self.check {
            Some(check) if !value.is_null() => check(Stored::of(&value))?,
            _ => {}
        }
        Ok(value)
    }
}

impl AttributeType {
    /// The value as this type holds it, where it may be what a form sends: nothing but white space is null to every kind
    /// but text, and a box that was ticked is `on`.
    ///
    /// # Errors
    /// What is wrong with it, to follow "the value".
    pub(crate) fn cast_given<'a>(&self, value: Value<'a>) -> Result<Value<'a>, String> {
        let read = match (self.kind, &value) {
            (Kind::Text | Kind::Bytes, _) => None,
            (_, Value::Text(text)) if text.trim().is_empty() => Some(Value::Null),
            (Kind::Bool, Value::Text(text)) => match text.trim().to_ascii_lowercase().as_str() {
                "on" | "yes" | "y" | "true" | "t" | "1" => Some(Value::Bool(true)),
                "off" | "no" | "n" | "false" | "f" | "0" => Some(Value::Bool(false)),
                _ => None,
            },
            _ => None,
        };
        self.cast(read.unwrap_or(value))
    }

    /// What is wrong with a value that has no label and is none.
    fn unknown(&self, value: &Value<'_>) -> String {
        let labels: Vec<&str> = self.labels.iter().map(Label::name).collect();
        format!("{:?} is not one of {}", Shown(value), labels.join(", "))
    }
}

impl Kind {
    /// The value as this kind holds it; null stays null.
    ///
    /// # Errors
    /// What is wrong with it, to follow "the value".
    pub fn cast(self, value: Value<'_>) -> Result<Value<'_>, String> {
        if value.is_null() || value.kind() == Some(self) {
            return Ok(value);
        }
        let cast = match self {
            Self::Bool => truth(&value).map(Value::Bool),
            Self::Int => integer(&value)
                .and_then(|v| i64::try_from(v).ok())
                .map(Value::Int),
            Self::Uint => integer(&value)
                .and_then(|v| u64::try_from(v).ok())
                .map(Value::Uint),
            Self::Float => match &value {
                Value::Int(v) => exact(*v).map(Value::Float),
                Value::Text(v) | Value::Decimal(v) => v.trim().parse().ok().map(Value::Float),
                _ => None,
            },
            Self::Text => text(&value).map(|v| Value::Text(Cow::Owned(v))),
            Self::Bytes => match &value {
                Value::Text(v) => Some(Value::Bytes(Cow::Owned(v.as_bytes().to_vec()))),
                _ => None,
            },
            Self::Timestamp => micros(&value).map(Value::Timestamp),
            Self::DateTime => micros(&value).map(Value::DateTime),
            Self::Date => match &value {
                Value::Text(v) => calendar::parse_date(v.as_bytes()).map(Value::Date),
                _ => None,
            },
            Self::Time => match &value {
                Value::Text(v) => calendar::parse_time(v.as_bytes()).map(Value::Time),
                _ => None,
            },
            Self::Uuid => match &value {
                Value::Text(v) => parse_uuid(v).map(Value::Uuid),
                Value::Bytes(v) => <[u8; 16]>::try_from(&**v)
                    .ok()
                    .map(|v| Value::Uuid(u128::from_be_bytes(v))),
                _ => None,
            },
            Self::Decimal => match &value {
                Value::Int(v) => Some(Value::Decimal(Cow::Owned(v.to_string()))),
                Value::Uint(v) => Some(Value::Decimal(Cow::Owned(v.to_string()))),
                Value::Float(v) if v.is_finite() => Some(Value::Decimal(Cow::Owned(v.to_string()))),
                Value::Text(v) if is_decimal(v) => {
                    Some(Value::Decimal(Cow::Owned(v.trim().to_owned())))
                }
                _ => None,
            },
            Self::Json => match &value {
                Value::Text(v) => Some(Value::Json(Cow::Owned(v.clone().into_owned()))),
                _ => None,
            },
        };
        cast.ok_or_else(|| {
            let shown = Shown(&value);
            format!("{shown:?} is not {} {}", article(self), self.name())
        })
    }
}

fn article(kind: Kind) -> &'static str {
    match kind {
        Kind::Int | Kind::Uint => "an",
        _ => "a",
    }
}

fn truth(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Int(0) => Some(false),
        Value::Int(1) => Some(true),
        Value::Text(v) => match &**v {
            "true" | "t" | "1" => Some(true),
            "false" | "f" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn integer(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Bool(v) => Some(i128::from(*v)),
        Value::Int(v) => Some(i128::from(*v)),
        Value::Uint(v) => Some(i128::from(*v)),
        Value::Text(v) | Value::Decimal(v) => v.trim().parse().ok(),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a whole number below 2^63 is exact as an integer"
        )]
        Value::Float(v) if v.fract() == 0.0 && v.abs() < 9.2e18 => Some(i128::from(*v as i64)),
        _ => None,
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "the way back is compared"
)]
fn exact(value: i64) -> Option<f64> {
    let float = value as f64;
    (float as i64 == value).then_some(float)
}

fn text(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::Bool(v) => v.to_string(),
        Value::Int(v) => v.to_string(),
        Value::Uint(v) => v.to_string(),
        Value::Float(v) => v.to_string(),
        Value::Decimal(v) | Value::Json(v) => v.clone().into_owned(),
        Value::Uuid(v) => format_uuid(*v),
        Value::Timestamp(v) | Value::DateTime(v) => calendar::format_timestamp(*v),
        Value::Date(v) => calendar::format_date(*v),
        Value::Time(v) => calendar::format_time(*v),
        Value::Null | Value::Bytes(_) | Value::Text(_) => return None,
    })
}

fn micros(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Timestamp(v) | Value::DateTime(v) => Some(*v),
        Value::Date(v) => i64::from(*v).checked_mul(calendar::MICROS_A_DAY),
        Value::Text(v) => calendar::parse_timestamp(v.as_bytes()),
        _ => None,
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.trim();
    let digits = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    !whole.is_empty()
        && [whole, fraction]
            .iter()
            .all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// How many digits a decimal has, from its first that is not 0 to its last.
pub(crate) fn significant_digits(decimal: &str) -> usize {
    let digits = decimal.bytes().filter(u8::is_ascii_digit);
    let trimmed: Vec<u8> = digits.skip_while(|&digit| digit == b'0').collect();
    let zeros = trimmed
        .iter()
        .rev()
        .take_while(|&&digit| digit == b'0')
        .count();
    trimmed.len() - zeros
}

/// 32 hexadecimal digits, with or without hyphens.
pub(crate) fn parse_uuid(text: &str) -> Option<u128> {
    let digits: String = text.chars().filter(|&c| c != '-').collect();
    if digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        u128::from_str_radix(&digits, 16).ok()
    } else {
        None
    }
}

/// The usual form, with hyphens, in lower case.
pub(crate) fn format_uuid(value: u128) -> String {
    let hex = format!("{value:032x}");
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}
