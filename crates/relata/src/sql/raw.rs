//! The named door for SQL that a user writes.
//!
//! Invariant: raw text enters only as a `&'static str` or through [`Raw::trusted`], whose name is the promise;
//! its values are bound like all others.

use std::borrow::Cow;

use crate::attribute::value::Value;

/// A piece of SQL with `?` for its values.
///
/// ```
/// use relata::Raw;
///
/// let recent = Raw::new("length(title) > ?").bind(80);
/// assert_eq!(recent.text(), "length(title) > ?");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "raw SQL does nothing until it is given to a relation"]
pub struct Raw {
    text: Cow<'static, str>,
    binds: Vec<Value<'static>>,
}

impl Raw {
    /// SQL that stands in the program's source, so no input can be part of it.
    pub const fn new(text: &'static str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            binds: Vec::new(),
        }
    }

    /// SQL that was put together at run time. Whoever calls this promises that no part of it came from outside
    /// the program.
    pub fn trusted(text: String) -> Self {
        Self {
            text: Cow::Owned(text),
            binds: Vec::new(),
        }
    }

    /// The value for the next `?`.
    pub fn bind(mut self, value: impl Into<Value<'static>>) -> Self {
        self.binds.push(value.into());
        self
    }

    /// The text, with `?` where values go.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The values, in order.
    #[must_use]
    pub fn binds(&self) -> &[Value<'static>] {
        &self.binds
    }

    /// The text between the placeholders: one piece more than there are.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &str> {
        let mut rest = Some(&*self.text);
        std::iter::from_fn(move || {
            let text = rest?;
            let (piece, after) = match placeholder(text) {
                Some(at) => (&text[..at], Some(&text[at + 1..])),
                None => (text, None),
            };
            rest = after;
            Some(piece)
        })
    }
}

/// Where the first `?` stands that is no part of a literal, a quoted name or a comment.
fn placeholder(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let end = match byte {
            b'?' => return Some(at),
            // A doubled quote ends one literal and begins the next: the same, as far as this goes.
            b'\'' | b'"' | b'`' => text[at + 1..].find(char::from(byte)).map(|end| end + 1),
            b'-' if bytes.get(at + 1) == Some(&b'-') => text[at..].find('\n'),
            b'/' if bytes.get(at + 1) == Some(&b'*') => text[at..].find("*/"),
            _ => Some(0),
        };
        at += end? + 1;
    }
    None
}
