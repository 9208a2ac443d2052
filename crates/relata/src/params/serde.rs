//! Params as serde reads and gives them on: `Json<Params>` is what a handler of a web server takes.

use std::fmt;

use ::serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor,
};
use ::serde::{Serialize, Serializer};

use super::{DEEPEST, Param, Params, Reading};
use crate::attribute::Value;

impl Serialize for Params {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl Serialize for Param {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::List(list) => list.serialize(serializer),
            Self::Map(map) => map.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Params {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Param::deserialize(deserializer)? {
            Param::Map(params) => Ok(params),
            other => {
                let message = format!("a map of names is expected, not one {}", other.class());
                Err(D::Error::custom(message))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Param {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Anything { depth: 0 }.deserialize(deserializer)
    }
}

/// Reads one thing, so deep in others.
#[derive(Clone, Copy)]
struct Anything {
    depth: usize,
}

impl Anything {
    /// What stands in a list or a map; an error where that nests too deep.
    fn inside<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > DEEPEST {
            return Err(E::custom("the values nest deeper than 32 levels"));
        }
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Anything {
    type Value = Param;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Param, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Anything {
    type Value = Param;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list or a map")
    }

    fn visit_unit<E>(self) -> Result<Param, E> {
        Ok(Param::Value(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Param, E> {
        Ok(Param::Value(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Param, D::Error> {
        self.inside()?.deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Param, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Param, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Param, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Param, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Param, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Param, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Param, A::Error> {
        let (mut list, inside) = (Vec::new(), self.inside()?);
        while let Some(item) = items.next_element_seed(inside)? {
            list.push(item);
        }
        Ok(Param::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Param, A::Error> {
        let (mut map, inside) = (Reading::default(), self.inside()?);
        while let Some(name) = entries.next_key()? {
            map.set(name, entries.next_value_seed(inside)?);
        }
        Ok(Param::Map(map.params))
    }
}
