//! Jobs as serde gives them on: model, key, association, model, keys. A part of a key is its kind and its text, so that what
//! is read is what was written.
//!
//! Invariant: a job that is written is the same when it is read, in whichever format.

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::attribute::{Kind, Value};
use crate::job::DestroyJob;

/// The kinds that a key can be of.
const KINDS: [Kind; 12] = [
    Kind::Bool,
    Kind::Int,
    Kind::Uint,
    Kind::Float,
    Kind::Text,
    Kind::Timestamp,
    Kind::DateTime,
    Kind::Date,
    Kind::Time,
    Kind::Uuid,
    Kind::Decimal,
    Kind::Json,
];

type Key<T> = Vec<(T, String)>;

/// What is written: names of models and of the association, and keys.
type Written<T> = (String, Key<T>, String, String, Vec<Key<T>>);

fn written(key: &[Value<'static>]) -> Result<Key<&'static str>, String> {
    let part = |value: &Value<'static>| {
        let text = Kind::Text.cast(value.clone()).ok();
        let text = text.as_ref().and_then(Value::as_str).map(str::to_owned);
        let kind = value.kind().filter(|kind| KINDS.contains(kind));
        match (kind, text) {
            (Some(kind), Some(text)) => Ok((kind.name(), text)),
            _ => Err(format!("a key of {value:?} cannot be given on")),
        }
    };
    key.iter().map(part).collect()
}

fn read(key: Key<String>) -> Result<Vec<Value<'static>>, String> {
    let part = |(name, text): (String, String)| {
        let kind = KINDS.into_iter().find(|kind| kind.name() == name);
        let kind = kind.ok_or_else(|| format!("{name} is no kind of a key"))?;
        kind.cast(Value::from(text)).map(Value::into_owned)
    };
    key.into_iter().map(part).collect()
}

impl Serialize for DestroyJob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let keys: Result<Vec<_>, String> = self.keys().iter().map(|key| written(key)).collect();
        let written: Written<&'static str> = (
            self.owner_model().to_owned(),
            written(self.owner_key()).map_err(S::Error::custom)?,
            self.association().to_owned(),
            self.target_model().to_owned(),
            keys.map_err(S::Error::custom)?,
        );
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DestroyJob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (owner, owner_key, association, target, keys) =
            Written::<String>::deserialize(deserializer)?;
        let owner_key = read(owner_key).map_err(D::Error::custom)?;
        let keys: Result<Vec<_>, String> = keys.into_iter().map(read).collect();
        let keys = keys.map_err(D::Error::custom)?;
        Ok(Self::new(owner, owner_key, association, target, keys))
    }
}

#[cfg(all(test, feature = "json"))]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_read_as_it_was_written() {
        let key = vec![
            Value::from("a,b"),
            Value::Int(-7),
            Value::Uint(u64::MAX),
            Value::Uuid(u128::MAX),
            Value::Date(3),
            Value::Timestamp(1_700_000_000_000_001),
            Value::Bool(true),
            Value::Decimal("1.50".into()),
        ];
        let job = DestroyJob::new("Shelf", key.clone(), "books", "Book", vec![key, vec![]]);
        let text = serde_json::to_string(&job).unwrap();
        assert_eq!(serde_json::from_str::<DestroyJob>(&text).unwrap(), job);
        let bytes = DestroyJob::new("A", vec![Value::from(vec![1u8])], "b", "C", vec![]);
        assert!(serde_json::to_string(&bytes).is_err());
        let unknown = r#"["A",[["thing","1"]],"b","C",[]]"#;
        assert!(serde_json::from_str::<DestroyJob>(unknown).is_err());
    }
}
