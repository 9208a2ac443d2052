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
}
