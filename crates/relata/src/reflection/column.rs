//! A stored attribute of a model: one column of its table.
//!
//! Invariant: the attribute's name is what a program says, the column's name is what SQL says;
//! only the SQL room uses the latter.

use std::fmt;

use super::{SecurePassword, StoreAccessor};
use crate::attribute::AttributeType;
use crate::attribute::value::Value;

/// The default that a table's column has, for `create_tables` and the schema check.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum ColumnDefault {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// Floating point.
    Float(f64),
    /// Text.
    Text(&'static str),
}

/// What a value of a column becomes before it is kept, or compared with the column. Rails: `normalizes`.
///
/// What it gives must normalise to itself: a value that is kept may be normalised again.
#[derive(Clone, Copy)]
pub struct Normalization {
    with: &'static Normalize,
    null: bool,
}

type Normalize = dyn Fn(&Value<'_>) -> Value<'static> + Send + Sync;

impl Normalization {
    /// A normalisation by this function, which is not given null.
    #[must_use]
    pub const fn new(with: &'static (dyn Fn(&Value<'_>) -> Value<'static> + Send + Sync)) -> Self {
        Self { with, null: false }
    }

    /// The function is given null too. Rails: `apply_to_nil`.
    #[must_use]
    pub const fn with_null(mut self) -> Self {
        self.null = true;
        self
    }
}

impl fmt::Debug for Normalization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Normalization")
    }
}

/// One column of a model, built in a `const`.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub(crate) name: &'static str,
    pub(crate) column: &'static str,
    pub(crate) ty: AttributeType,
    pub(crate) default: Option<ColumnDefault>,
    pub(crate) secret: bool,
    pub(crate) index: bool,
    pub(crate) unique: bool,
    pub(crate) readonly: bool,
    pub(crate) normalization: Option<Normalization>,
    pub(crate) password: Option<SecurePassword>,
    stores: &'static [StoreAccessor],
    pub(crate) doc: &'static str,
}

impl Column {
    /// A column whose attribute has the same name.
    #[must_use]
    pub const fn new(name: &'static str, ty: AttributeType) -> Self {
        Self {
            name,
            column: name,
            ty,
            default: None,
            secret: false,
            index: false,
            unique: false,
            readonly: false,
            normalization: None,
            password: None,
            stores: &[],
            doc: "",
        }
    }

    /// Names the column in the table, where it differs from the attribute.
    #[must_use]
    pub const fn column(mut self, column: &'static str) -> Self {
        self.column = column;
        self
    }

    /// The default that the table gives.
    #[must_use]
    pub const fn default(mut self, default: ColumnDefault) -> Self {
        self.default = Some(default);
        self
    }

    /// Never shown: redacted in `Debug`, logs and serialisation.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// `create_tables` makes an index on it.
    #[must_use]
    pub const fn index(mut self) -> Self {
        self.index = true;
        self
    }

    /// `create_tables` makes a unique index on it.
    #[must_use]
    pub const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// Set while the record is new, and never again. Rails: `attr_readonly`.
    #[must_use]
    pub const fn readonly(mut self) -> Self {
        self.readonly = true;
        self
    }

    /// What values of the column become before they are kept or compared with it. Rails: `normalizes`.
    #[must_use]
    pub const fn normalizes(mut self, normalization: Normalization) -> Self {
        self.normalization = Some(normalization);
        self
    }

    /// Holds the digest of a password, and is secret. Setting and asking need the feature `password`.
    /// Rails: `has_secure_password`.
    #[must_use]
    pub const fn has_secure_password(mut self, password: SecurePassword) -> Self {
        self.password = Some(password);
        self.secret = true;
        self
    }

    /// Another rule for which values of the kind are refused.
    #[doc(hidden)]
    #[must_use]
    pub const fn with_check(
        mut self,
        check: fn(crate::attribute::Stored<'_>) -> Result<(), String>,
    ) -> Self {
        self.ty = self.ty.with_check(check);
        self
    }

    /// Values inside the column's document that are attributes. Reading and setting them needs the feature `json`.
    /// Rails: `store_accessor`.
    #[must_use]
    pub const fn with_store_accessors(mut self, accessors: &'static [StoreAccessor]) -> Self {
        self.stores = accessors;
        self
    }

    /// The doc comment of the field.
    #[must_use]
    pub const fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    /// The value that a new record has.
    #[must_use]
    pub fn default_value(&self) -> Option<Value<'static>> {
        Some(match self.default? {
            ColumnDefault::Bool(value) => Value::Bool(value),
            ColumnDefault::Int(value) => Value::Int(value),
            ColumnDefault::Float(value) => Value::Float(value),
            ColumnDefault::Text(value) => Value::Text(value.into()),
        })
    }

    /// The value as the column keeps it.
    #[inline]
    pub(crate) fn normalized<'a>(&self, value: Value<'a>) -> Value<'a> {
        match self.normalization {
            Some(normalization) if normalization.null || !value.is_null() => {
                (normalization.with)(&value)
            }
            _ => value,
        }
    }

    /// The attribute's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The column's name in the table.
    #[must_use]
    pub fn column_name(&self) -> &'static str {
        self.column
    }

    /// The attribute's type.
    #[must_use]
    pub fn attribute_type(&self) -> &AttributeType {
        &self.ty
    }

    /// Whether the column may be null: whether the field is an `Option`.
    #[must_use]
    pub fn is_nullable(&self) -> bool {
        self.ty.nullable
    }

    /// Whether the value is redacted wherever records are printed.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// Whether a saved record keeps the value that it was inserted with. Rails: `attr_readonly`.
    #[must_use]
    pub fn is_readonly(&self) -> bool {
        self.readonly
    }

    /// Values inside the column's document that are attributes. Rails: `stored_attributes`.
    #[must_use]
    pub fn store_accessors(&self) -> &'static [StoreAccessor] {
        self.stores
    }

    /// The doc comment of the field.
    #[must_use]
    pub fn documentation(&self) -> &'static str {
        self.doc
    }
}
