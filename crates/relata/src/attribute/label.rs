//! Labels: names for the values that a column holds, as an enum has them.
//!
//! Invariant: a label stands for one value and a value for one label; what is neither is refused where it is set.

use super::AttributeType;
use super::value::{Kind, Value};

/// What a label stands for in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Held {
    /// An integer.
    Int(i64),
    /// A text.
    Text(&'static str),
}

/// A name for a value that a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    name: &'static str,
    held: Held,
}

impl Label {
    /// The label of a value.
    #[must_use]
    pub const fn new(name: &'static str, held: Held) -> Self {
        Self { name, held }
    }

    /// The label, `draft`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The value that the column holds.
    #[must_use]
    pub fn value(&self) -> Value<'static> {
        match self.held {
            Held::Int(number) => Value::Int(number),
            Held::Text(text) => Value::from(text),
        }
    }

    /// Whether it stands for what a column holds.
    #[must_use]
    pub fn stands_for(&self, value: &Value<'_>) -> bool {
        match self.held {
            Held::Int(number) => value.as_i64() == Some(number),
            Held::Text(text) => value.as_str() == Some(text),
        }
    }
}

impl AttributeType {
    /// The type of a column whose values have labels, of a model made at run time.
    #[must_use]
    pub const fn labelled(kind: Kind, nullable: bool, labels: &'static [Label]) -> Self {
        let mut plain = Self::plain(kind, nullable);
        plain.labels = labels;
        plain
    }

    /// The labels of the type's values; none for a type that is no enum.
    #[must_use]
    pub fn labels(&self) -> &'static [Label] {
        self.labels
    }

    /// The value as people read it: its label, if it has one.
    pub(crate) fn shown<'a>(&self, value: Value<'a>) -> Value<'a> {
        match self.labels.iter().find(|label| label.stands_for(&value)) {
            Some(label) => Value::from(label.name),
            None => value,
        }
    }

    /// The value that a label, or a value, stands for; nothing for what is neither. A blank text is null.
    pub(crate) fn held(&self, value: &Value<'_>) -> Option<Value<'static>> {
        let text = match value {
            Value::Null => return Some(Value::Null),
            Value::Text(text) if text.trim().is_empty() => return Some(Value::Null),
            Value::Text(text) => Some(&**text),
            _ => None,
        };
        let named = self.labels.iter().find(|label| text == Some(label.name));
        let standing = || self.labels.iter().find(|label| label.stands_for(value));
        named.or_else(standing).map(Label::value)
    }
}
