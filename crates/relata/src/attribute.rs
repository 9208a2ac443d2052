//! Attribute types: how a Rust type is held in a row, read from it and written to it.
//!
//! ```text
//! a cell of the backend ──decode──> words of a row ──Attribute::read──> what a reader returns
//! what a setter takes ──Attribute::write──> Value ──encode──> words ──> bind of a statement
//! ```
//!
//! Invariant: whatever the words are, `read` gives a value of the type: what cannot be one was refused when
//! the row was loaded or the attribute set ([`Attribute::check`]).

/// Implements [`Attribute`] for a type that is read and set by value. `$read` gives nothing for what the type cannot
/// be: `check` refuses it, so that `read` falls back to `$blank` for a blank only.
#[cfg(any(feature = "chrono", feature = "time", feature = "decimal"))]
macro_rules! by_value {
    ($($type:ty, $name:literal, $kind:ident, $read:path, $write:path, $blank:expr;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl crate::attribute::Attribute for $type {
            const NAME: &'static str = $name;
            const KIND: crate::attribute::Kind = crate::attribute::Kind::$kind;
            const CHECKED: bool = true;
            type Ref<'a> = $type;
            type Set<'a> = $type;

            fn read(stored: crate::attribute::Stored<'_>) -> $type {
                $read(stored).unwrap_or($blank)
            }

            fn owned(stored: crate::attribute::Stored<'_>) -> $type {
                Self::read(stored)
            }

            fn write(value: Self::Set<'_>) -> crate::attribute::Value<'_> {
                $write(value)
            }

            fn into_value(self) -> crate::attribute::Value<'static> {
                $write(self)
            }

            fn check(stored: crate::attribute::Stored<'_>) -> Result<(), String> {
                match $read(stored) {
                    Some(_) => Ok(()),
                    None => Err(format!("{stored:?} is outside the range of {}", $name)),
                }
            }
        }
    )*};
}

pub(crate) mod calendar;
pub(crate) mod cast;
#[cfg(feature = "chrono")]
mod chrono;
mod composed;
#[cfg(feature = "decimal")]
mod decimal;
#[cfg(feature = "json")]
pub(crate) mod json;
mod label;
mod primitive;
#[cfg(feature = "serde")]
mod serde;
mod shown;
mod stored;
#[cfg(feature = "time")]
mod time;
#[cfg(feature = "uuid")]
mod uuid;
pub mod value;

#[cfg(feature = "json")]
pub use json::Json;
pub use label::{Held, Label};
pub(crate) use shown::{Shown, start_of};
pub use stored::Stored;
pub use value::{Kind, Value};

/// A Rust type that can be a column of a model.
///
/// Implemented for integers, floats, `bool`, `String`, `Vec<u8>`, `Option` of them, and, by feature, for the
/// types of `chrono`, `time`, `uuid`, `rust_decimal` and `serde_json`. Enums and newtypes get it by
/// `#[derive(Attribute)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a column",
    label = "not an attribute type",
    note = "columns are integers, floats, bool, String, Vec<u8> and Option of them; enums and newtypes with \
            #[derive(relata::Attribute)]; and, by feature of relata, the types of chrono, time, uuid, rust_decimal and \
            serde_json; a field that leads to a model needs #[belongs_to], #[has_one] or #[has_many]"
)]
pub trait Attribute: Sized + Send + Sync + 'static {
    /// The type's name, for messages.
    const NAME: &'static str;
    /// How values are held.
    const KIND: Kind;
    /// Whether the column may be null. Only `Option` says so.
    const NULLABLE: bool = false;
    /// Whether [`Attribute::check`] refuses some values of the kind.
    const CHECKED: bool = false;
    /// The labels of the values, of an enum.
    const LABELS: &'static [Label] = &[];
    /// The type, as data.
    const TYPE: AttributeType = AttributeType::of::<Self>();
    /// What a reader returns.
    type Ref<'a>;
    /// What a setter takes.
    type Set<'a>;

    /// The value in a row. Must not fail; a blank `stored` gives the type's default.
    fn read(stored: Stored<'_>) -> Self::Ref<'_>;

    /// The value in a row, on its own.
    fn owned(stored: Stored<'_>) -> Self;

    /// The value to put into a row.
    fn write(value: Self::Set<'_>) -> Value<'_>;

    /// The value to bind to a condition.
    fn into_value(self) -> Value<'static>;

    /// Whether `stored`, of the type's kind and not null, is a value of this type.
    ///
    /// # Errors
    /// What is wrong with it, to follow "the value".
    fn check(stored: Stored<'_>) -> Result<(), String> {
        let _ = stored;
        Ok(())
    }

    // What generated methods call for types that the macro does not know: through the trait itself, so that a type
    // that is no attribute is told once, at the field.

    #[doc(hidden)]
    #[inline]
    fn __read<H: Holder>(holder: &H, column: usize) -> Self::Ref<'_> {
        holder.read_attribute::<Self>(column)
    }

    #[doc(hidden)]
    #[inline]
    fn __read_was<H: Holder>(holder: &H, column: usize) -> Self::Ref<'_> {
        holder.read_attribute_was::<Self>(column)
    }

    #[doc(hidden)]
    #[inline]
    fn __saved_change<H: Holder>(
        holder: &H,
        column: usize,
    ) -> Option<(Self::Ref<'_>, Self::Ref<'_>)> {
        holder.saved_attribute_change::<Self>(column)
    }

    #[doc(hidden)]
    #[inline]
    fn __write<H: Holder>(holder: &H, column: usize, value: Self::Set<'_>) {
        holder.write_attribute::<Self>(column, value);
    }
}

/// What holds attributes by position: a record.
#[doc(hidden)]
pub trait Holder {
    /// The attribute as it stands.
    fn read_attribute<A: Attribute>(&self, column: usize) -> A::Ref<'_>;
    /// The attribute as it was saved last.
    fn read_attribute_was<A: Attribute>(&self, column: usize) -> A::Ref<'_>;
    /// The attribute before and after the last save.
    fn saved_attribute_change<A: Attribute>(
        &self,
        column: usize,
    ) -> Option<(A::Ref<'_>, A::Ref<'_>)>;
    /// Sets the attribute.
    fn write_attribute<A: Attribute>(&self, column: usize, value: A::Set<'_>);
}

/// An attribute type, as data.
#[derive(Debug, Clone, Copy)]
pub struct AttributeType {
    /// The Rust type's name.
    pub name: &'static str,
    /// How values are held.
    pub kind: Kind,
    /// Whether the column may be null.
    pub nullable: bool,
    /// Refuses values of the kind that the type cannot be.
    pub check: Option<fn(Stored<'_>) -> Result<(), String>>,
    /// The labels of its values, of an enum: by name, a value is set and read by its label.
    pub labels: &'static [Label],
}

impl AttributeType {
    /// The description of `A`.
    #[must_use]
    pub const fn of<A: Attribute>() -> Self {
        Self {
            name: A::NAME,
            kind: A::KIND,
            nullable: A::NULLABLE,
            check: if A::CHECKED { Some(A::check) } else { None },
            labels: A::LABELS,
        }
    }

    /// The same, with another rule for which values of the kind are refused.
    pub(crate) const fn with_check(mut self, check: fn(Stored<'_>) -> Result<(), String>) -> Self {
        self.check = Some(check);
        self
    }
}

impl Kind {
    /// The name of the kind, for messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "boolean",
            Self::Int => "integer",
            Self::Uint => "unsigned integer",
            Self::Float => "float",
            Self::Text => "text",
            Self::Bytes => "binary",
            Self::Timestamp => "timestamp",
            Self::DateTime => "datetime",
            Self::Date => "date",
            Self::Time => "time",
            Self::Uuid => "uuid",
            Self::Decimal => "decimal",
            Self::Json => "json",
        }
    }

    /// How many words of a row a value takes.
    pub(crate) const fn words(self) -> usize {
        match self {
            Self::Text | Self::Bytes | Self::Decimal | Self::Json | Self::Uuid => 2,
            _ => 1,
        }
    }

    /// Whether the words are a place in a text arena that holds UTF-8.
    pub(crate) const fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Decimal | Self::Json)
    }
}
