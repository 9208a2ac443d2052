//! A value as people are shown it, in what is printed of a record and in errors: whole where it is short, else its start.
//!
//! Invariant: what somebody sends never makes a message long.

use std::fmt;

use super::value::Value;

/// Characters of a value that are shown.
const MOST: usize = 60;

/// A value, as `Debug` shows it; of a long text, the start.
pub(crate) struct Shown<'a>(pub(crate) &'a Value<'a>);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Text(text) | Value::Json(text) => match start_of(text) {
                Some(start) => write!(f, "{start:?}..."),
                None => fmt::Debug::fmt(self.0, f),
            },
            Value::Decimal(text) => match start_of(text) {
                Some(start) => write!(f, "{start}..."),
                None => fmt::Debug::fmt(self.0, f),
            },
            value => fmt::Debug::fmt(value, f),
        }
    }
}

/// The start of a text that is too long to be shown whole.
pub(crate) fn start_of(text: &str) -> Option<&str> {
    let (end, _) = text.char_indices().nth(MOST)?;
    Some(&text[..end])
}
