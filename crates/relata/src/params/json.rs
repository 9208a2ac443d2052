//! JSON as params, and back.

use serde_json::Value as Json;

use super::{Param, Params};
use crate::attribute::Value;

impl From<Json> for Param {
    fn from(json: Json) -> Self {
        match json {
            Json::Null => Self::Value(Value::Null),
            Json::Bool(value) => Self::Value(Value::Bool(value)),
            Json::Number(number) => Self::Value(match (number.as_i64(), number.as_u64()) {
                (Some(value), _) => Value::Int(value),
                (None, Some(value)) => Value::Uint(value),
                (None, None) => number.as_f64().map_or(Value::Null, Value::Float),
            }),
            Json::String(text) => Self::Value(Value::from(text)),
            Json::Array(list) => Self::List(list.into_iter().map(Into::into).collect()),
            Json::Object(map) => Self::Map(Params(
                map.into_iter()
                    .map(|(name, json)| (name, json.into()))
                    .collect(),
            )),
        }
    }
}

impl From<&Json> for Param {
    fn from(json: &Json) -> Self {
        json.clone().into()
    }
}

impl From<Param> for Json {
    fn from(param: Param) -> Self {
        match param {
            // Only a document that is none has no JSON.
            Param::Value(value) => serde_json::to_value(value).unwrap_or_default(),
            Param::List(list) => list.into_iter().map(Self::from).collect(),
            Param::Map(map) => Self::Object(
                map.into_iter()
                    .map(|(name, param)| (name, param.into()))
                    .collect(),
            ),
        }
    }
}
