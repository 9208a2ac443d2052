//! One value outside a record: borrowed on its way into a row or a statement, owned on the erased layer.
//!
//! Invariant: the variant of a value is the [`Kind`] of the column it belongs to, or `Null`;
//! conversions between variants are made by [`Kind::cast`], and by nothing else.

use std::borrow::Cow;
use std::fmt;

use super::{calendar, cast};

/// How the values of a column are held in memory. Every attribute type has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Kind {
    /// `bool`.
    Bool,
    /// Integers that fit 64 bits with a sign.
    Int,
    /// `u64`.
    Uint,
    /// Floating point, 64 bits.
    Float,
    /// UTF-8 text.
    Text,
    /// Bytes.
    Bytes,
    /// An instant: microseconds since 1970-01-01 00:00:00 UTC.
    Timestamp,
    /// A date and time without a zone: microseconds since 1970-01-01 00:00:00.
    DateTime,
    /// A date: days since 1970-01-01.
    Date,
    /// A time of day: microseconds since midnight.
    Time,
    /// A UUID, 128 bits.
    Uuid,
    /// A decimal number, as its text.
    Decimal,
    /// A JSON document, as its text.
    Json,
}

/// One value, borrowed or owned. `Value<'static>` owns what it holds.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// SQL's NULL, and an attribute without a value.
    Null,
    /// See [`Kind::Bool`].
    Bool(bool),
    /// See [`Kind::Int`].
    Int(i64),
    /// See [`Kind::Uint`].
    Uint(u64),
    /// See [`Kind::Float`].
    Float(f64),
    /// See [`Kind::Text`].
    Text(Cow<'a, str>),
    /// See [`Kind::Bytes`].
    Bytes(Cow<'a, [u8]>),
    /// See [`Kind::Timestamp`].
    Timestamp(i64),
    /// See [`Kind::DateTime`].
    DateTime(i64),
    /// See [`Kind::Date`].
    Date(i32),
    /// See [`Kind::Time`].
    Time(i64),
    /// See [`Kind::Uuid`].
    Uuid(u128),
    /// See [`Kind::Decimal`].
    Decimal(Cow<'a, str>),
    /// See [`Kind::Json`].
    Json(Cow<'a, str>),
}

impl Value<'_> {
    /// Whether it is that value. What is no number equals nothing, itself neither, and is the same here.
    pub(crate) fn is_same(&self, other: &Value<'_>) -> bool {
        let nan = |value: &Value<'_>| matches!(value, Value::Float(float) if float.is_nan());
        self == other || nan(self) && nan(other)
    }

    /// Whether this is SQL's NULL.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The kind of the value; `None` for null.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) => Kind::Int,
            Self::Uint(_) => Kind::Uint,
            Self::Float(_) => Kind::Float,
            Self::Text(_) => Kind::Text,
            Self::Bytes(_) => Kind::Bytes,
            Self::Timestamp(_) => Kind::Timestamp,
            Self::DateTime(_) => Kind::DateTime,
            Self::Date(_) => Kind::Date,
            Self::Time(_) => Kind::Time,
            Self::Uuid(_) => Kind::Uuid,
            Self::Decimal(_) => Kind::Decimal,
            Self::Json(_) => Kind::Json,
        })
    }

    /// The same value, owning its text or bytes.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(v) => Value::Bool(v),
            Self::Int(v) => Value::Int(v),
            Self::Uint(v) => Value::Uint(v),
            Self::Float(v) => Value::Float(v),
            Self::Text(v) => Value::Text(Cow::Owned(v.into_owned())),
            Self::Bytes(v) => Value::Bytes(Cow::Owned(v.into_owned())),
            Self::Timestamp(v) => Value::Timestamp(v),
            Self::DateTime(v) => Value::DateTime(v),
            Self::Date(v) => Value::Date(v),
            Self::Time(v) => Value::Time(v),
            Self::Uuid(v) => Value::Uuid(v),
            Self::Decimal(v) => Value::Decimal(Cow::Owned(v.into_owned())),
            Self::Json(v) => Value::Json(Cow::Owned(v.into_owned())),
        }
    }

    /// The text, of a text, decimal or JSON value.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(v) | Self::Decimal(v) | Self::Json(v) => Some(v),
            _ => None,
        }
    }

    /// The integer, if it is one and fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(v) => Some(*v),
            Self::Uint(v) => i64::try_from(*v).ok(),
            _ => None,
        }
    }

    /// The number, of an integer or a floating point value.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "asking an integer for f64 accepts its precision"
    )]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(v) => Some(*v),
            Self::Int(v) => Some(*v as f64),
            Self::Uint(v) => Some(*v as f64),
            Self::Decimal(v) => v.parse().ok(),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(v) => Some(*v),
            _ => None,
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Bool(v) => v.fmt(f),
            Self::Int(v) => v.fmt(f),
            Self::Uint(v) => v.fmt(f),
            Self::Float(v) => v.fmt(f),
            Self::Text(v) | Self::Json(v) => fmt::Debug::fmt(v, f),
            Self::Decimal(v) => f.write_str(v),
            Self::Bytes(v) => write!(f, "<{} bytes>", v.len()),
            Self::Timestamp(v) => write!(f, "{} UTC", calendar::format_timestamp(*v)),
            Self::DateTime(v) => f.write_str(&calendar::format_timestamp(*v)),
            Self::Date(v) => f.write_str(&calendar::format_date(*v)),
            Self::Time(v) => f.write_str(&calendar::format_time(*v)),
            Self::Uuid(v) => f.write_str(&cast::format_uuid(*v)),
        }
    }
}

macro_rules! from {
    ($($type:ty => $variant:ident),* $(,)?) => {$(
        impl From<$type> for Value<'_> {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

from!(bool => Bool, i8 => Int, i16 => Int, i32 => Int, i64 => Int, u8 => Int, u16 => Int, u32 => Int,
      f32 => Float, f64 => Float, String => Text, Vec<u8> => Bytes);

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl From<u64> for Value<'_> {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Self::Uint(value), Self::Int)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
