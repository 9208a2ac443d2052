//! One attribute's words, taken out of a row, with the kind that says what they mean.
//!
//! Invariant: the words of a text or binary kind are address and length of bytes that live for `'a`,
//! UTF-8 for the text kinds. Only the record room makes such words; everybody else goes through [`Value`].

#![allow(unsafe_code)]

use std::borrow::Cow;
use std::marker::PhantomData;

use super::value::{Kind, Value};

/// One stored value, about to be read as a type.
#[derive(Clone, Copy)]
pub struct Stored<'a> {
    first: u64,
    second: u64,
    kind: Kind,
    null: bool,
    bytes: PhantomData<&'a [u8]>,
}

impl<'a> Stored<'a> {
    /// Words as they stand in a row.
    ///
    /// # Safety
    /// For kinds of text or bytes, `first` and `second` must both be 0 or be address and length of
    /// initialised memory that is not written to for `'a`, and that is UTF-8 for the kinds of text.
    #[inline]
    pub(crate) unsafe fn new(kind: Kind, null: bool, first: u64, second: u64) -> Self {
        Self {
            first,
            second,
            kind,
            null,
            bytes: PhantomData,
        }
    }

    /// No value.
    #[must_use]
    #[inline]
    pub fn blank(kind: Kind) -> Self {
        Self {
            first: 0,
            second: 0,
            kind,
            null: true,
            bytes: PhantomData,
        }
    }

    /// The words that `value` would have.
    #[must_use]
    pub fn of(value: &'a Value<'_>) -> Self {
        let bytes = |bytes: &'a [u8], kind| Self {
            first: bytes.as_ptr().expose_provenance() as u64,
            second: bytes.len() as u64,
            kind,
            null: false,
            bytes: PhantomData,
        };
        let word = |first, kind| Self {
            first,
            second: 0,
            kind,
            null: false,
            bytes: PhantomData,
        };
        match value {
            Value::Null => Self::blank(Kind::Int),
            Value::Bool(v) => word(u64::from(*v), Kind::Bool),
            Value::Int(v) => word(v.cast_unsigned(), Kind::Int),
            Value::Uint(v) => word(*v, Kind::Uint),
            Value::Float(v) => word(v.to_bits(), Kind::Float),
            Value::Text(v) => bytes(v.as_bytes(), Kind::Text),
            Value::Bytes(v) => bytes(v, Kind::Bytes),
            Value::Timestamp(v) => word(v.cast_unsigned(), Kind::Timestamp),
            Value::DateTime(v) => word(v.cast_unsigned(), Kind::DateTime),
            Value::Date(v) => word(i64::from(*v).cast_unsigned(), Kind::Date),
            Value::Time(v) => word(v.cast_unsigned(), Kind::Time),
            Value::Uuid(v) => Self {
                first: (*v >> 64) as u64,
                second: *v as u64,
                ..word(0, Kind::Uuid)
            },
            Value::Decimal(v) => bytes(v.as_bytes(), Kind::Decimal),
            Value::Json(v) => bytes(v.as_bytes(), Kind::Json),
        }
    }

    /// How the value is held.
    #[must_use]
    #[inline]
    pub fn kind(self) -> Kind {
        self.kind
    }

    /// Whether there is no value.
    #[must_use]
    #[inline]
    pub fn is_null(self) -> bool {
        self.null
    }

    /// The truth value; false for other kinds.
    #[must_use]
    #[inline]
    pub fn bool(self) -> bool {
        self.kind == Kind::Bool && self.first != 0
    }

    /// The integer, of every kind that is one in memory (numbers, instants, dates, times); 0 for others.
    #[must_use]
    #[inline]
    pub fn int(self) -> i64 {
        match self.kind {
            Kind::Int | Kind::Uint | Kind::Timestamp | Kind::DateTime | Kind::Date | Kind::Time => {
                self.first.cast_signed()
            }
            _ => 0,
        }
    }

    /// The unsigned integer; 0 for other kinds.
    #[must_use]
    #[inline]
    pub fn uint(self) -> u64 {
        if self.kind == Kind::Uint {
            self.first
        } else {
            0
        }
    }

    /// The floating point number; 0 for other kinds.
    #[must_use]
    #[inline]
    pub fn float(self) -> f64 {
        if self.kind == Kind::Float {
            f64::from_bits(self.first)
        } else {
            0.0
        }
    }

    /// The 128 bits of a UUID; 0 for other kinds.
    #[must_use]
    #[inline]
    pub fn uuid(self) -> u128 {
        if self.kind == Kind::Uuid {
            u128::from(self.first) << 64 | u128::from(self.second)
        } else {
            0
        }
    }

    /// The text of a text kind; empty for others and for no value.
    #[must_use]
    #[inline]
    pub fn text(self) -> &'a str {
        if !self.kind.is_text() || self.first == 0 {
            return "";
        }
        // SAFETY: the kind is one of text, so by the contract of `new` (or because `of` took them from a
        // `str`) the words are address and length of UTF-8 bytes that live for `'a`.
        unsafe { std::str::from_utf8_unchecked(self.slice()) }
    }

    /// The bytes of a text or binary kind; empty for others and for no value.
    #[must_use]
    #[inline]
    pub fn bytes(self) -> &'a [u8] {
        if !(self.kind.is_text() || self.kind == Kind::Bytes) || self.first == 0 {
            return &[];
        }
        // SAFETY: the kind is one of text or bytes, so by the contract of `new` (or because `of` took them
        // from a slice) the words are address and length of bytes that live for `'a`.
        unsafe { self.slice() }
    }

    /// # Safety
    /// `first` and `second` must be address and length of bytes that live for `'a`.
    #[inline]
    unsafe fn slice(self) -> &'a [u8] {
        // SAFETY: what the caller promises; the address was exposed when the word was made.
        unsafe {
            std::slice::from_raw_parts(
                std::ptr::with_exposed_provenance(self.first as usize),
                self.second as usize,
            )
        }
    }

    /// The value on its own, borrowing text and bytes.
    #[must_use]
    pub fn value(self) -> Value<'a> {
        if self.null {
            return Value::Null;
        }
        match self.kind {
            Kind::Bool => Value::Bool(self.bool()),
            Kind::Int => Value::Int(self.int()),
            Kind::Uint => Value::Uint(self.uint()),
            Kind::Float => Value::Float(self.float()),
            Kind::Text => Value::Text(Cow::Borrowed(self.text())),
            Kind::Bytes => Value::Bytes(Cow::Borrowed(self.bytes())),
            Kind::Timestamp => Value::Timestamp(self.int()),
            Kind::DateTime => Value::DateTime(self.int()),
            Kind::Date => Value::Date(i32::try_from(self.int()).unwrap_or_default()),
            Kind::Time => Value::Time(self.int()),
            Kind::Uuid => Value::Uuid(self.uuid()),
            Kind::Decimal => Value::Decimal(Cow::Borrowed(self.text())),
            Kind::Json => Value::Json(Cow::Borrowed(self.text())),
        }
    }

    /// The words, for a row.
    #[inline]
    pub(crate) fn words(self) -> [u64; 2] {
        [self.first, self.second]
    }
}

impl std::fmt::Debug for Stored<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.value().fmt(f)
    }
}
