//! Sentences that the compiler puts together: a `const` has no `format!`.
//!
//! Invariant: nothing is allocated, and what is too long is cut.

use super::Shape;
use super::keys::Key;

/// A message, put together by the compiler.
#[derive(Clone, Copy)]
pub(super) struct Text {
    bytes: [u8; Text::LONGEST],
    len: usize,
}

impl Text {
    /// Longer messages are cut.
    const LONGEST: usize = 1024;

    pub(super) const fn new() -> Self {
        Self {
            bytes: [0; Self::LONGEST],
            len: 0,
        }
    }

    pub(super) const fn add(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut at = 0;
        while at < text.len() && self.len < Self::LONGEST {
            self.bytes[self.len] = text[at];
            self.len += 1;
            at += 1;
        }
        self
    }

    pub(super) const fn quoted(self, name: &str) -> Self {
        self.add("`").add(name).add("`")
    }

    pub(super) const fn number(self, number: usize) -> Self {
        const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        if number < 10 {
            self.add(DIGITS[number])
        } else {
            self.number(number / 10).add(DIGITS[number % 10])
        }
    }

    pub(super) const fn columns(mut self, shape: &Shape) -> Self {
        let mut at = 0;
        while at < shape.columns.len() {
            self = self
                .add(if at == 0 { "" } else { ", " })
                .quoted(shape.columns[at].name);
            at += 1;
        }
        self
    }

    pub(super) const fn associations(mut self, shape: &Shape) -> Self {
        let mut at = 0;
        while at < shape.associations.len() {
            self = self
                .add(if at == 0 { "" } else { ", " })
                .quoted(shape.associations[at].name);
            at += 1;
        }
        self
    }

    pub(super) const fn key(mut self, key: Key, holder: &Shape) -> Self {
        let mut part = 0;
        while part < key.len() {
            if let Some(at) = key.position(holder, part) {
                self = self
                    .add(if part == 0 { "" } else { ", " })
                    .quoted(holder.columns[at].name);
            }
            part += 1;
        }
        self
    }

    pub(super) const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            // It was cut within a character.
            Err(_) => "a declaration is wrong",
        }
    }
}
