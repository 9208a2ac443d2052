//! Values as serde gives them on: numbers and truth as they are, times in the form of RFC 3339, documents as what is in
//! them, everything else as its text.

use ::serde::{Serialize, Serializer};

use super::Value;
use super::{calendar, cast};

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Uint(value) => serializer.serialize_u64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(text) | Self::Decimal(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Self::Timestamp(micros) => serializer.serialize_str(&format!("{}Z", joined(*micros))),
            Self::DateTime(micros) => serializer.serialize_str(&joined(*micros)),
            Self::Date(days) => serializer.serialize_str(&calendar::format_date(*days)),
            Self::Time(micros) => serializer.serialize_str(&calendar::format_time(*micros)),
            Self::Uuid(uuid) => serializer.serialize_str(&cast::format_uuid(*uuid)),
            #[cfg(feature = "json")]
            Self::Json(text) => ::serde_json::from_str::<::serde_json::Value>(text)
                .map_err(::serde::ser::Error::custom)?
                .serialize(serializer),
            #[cfg(not(feature = "json"))]
            Self::Json(text) => serializer.serialize_str(text),
        }
    }
}

/// Date and time with a `T` between them.
fn joined(micros: i64) -> String {
    calendar::format_timestamp(micros).replacen(' ', "T", 1)
}
