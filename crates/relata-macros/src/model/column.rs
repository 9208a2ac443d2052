//! A column, as it was declared.

use super::Validation;
use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, Expr, Type, Visibility};

/// One field that is a column.
pub(crate) struct Column {
    pub(crate) ident: Ident,
    /// The attribute's name, without `r#`.
    pub(crate) name: String,
    pub(crate) vis: Option<Visibility>,
    pub(crate) ty: Type,
    /// Attributes that go on the reader: docs, `deprecated`, lint levels.
    pub(crate) attrs: Vec<Attribute>,
    /// The column's name in the table, where it differs.
    pub(crate) column: Option<syn::LitStr>,
    pub(crate) default: Option<Default>,
    pub(crate) secret: bool,
    pub(crate) index: bool,
    pub(crate) unique: bool,
    /// `#[attr_readonly]`.
    pub(crate) readonly: bool,
    /// `#[normalizes(...)]`.
    pub(crate) normalization: Option<Normalization>,
    /// `#[enumeration(...)]`.
    pub(crate) enumeration: Option<Enumeration>,
    /// `#[has_secure_password(...)]`.
    pub(crate) password: Option<Password>,
    /// `#[store_accessor(...)]`.
    pub(crate) stores: Vec<StoreAccessor>,
    /// `#[validates(...)]`.
    pub(crate) validations: Vec<Validation>,
    /// The field's place among the fields.
    pub(crate) order: usize,
}

/// The default that the table gives.
#[derive(Clone)]
pub(crate) struct Default {
    /// The variant of `ColumnDefault`.
    pub(crate) variant: &'static str,
    pub(crate) value: TokenStream,
}

/// What a value becomes before it is kept.
pub(crate) struct Normalization {
    /// A function of what a reader gives.
    pub(crate) with: Expr,
    /// Whether it is given null too.
    pub(crate) null: bool,
}

/// A password whose digest a column holds.
pub(crate) struct Password {
    /// The column's name without `_digest`.
    pub(crate) name: String,
    /// The cost, if it is by bcrypt.
    pub(crate) bcrypt: Option<u32>,
    pub(crate) validations: bool,
    /// How many seconds a token that resets it is good, where it says so.
    pub(crate) reset: Reset,
}

/// Tokens that reset a password.
pub(crate) enum Reset {
    /// Good for 15 minutes.
    Usual,
    /// There are none.
    Off,
    /// Good for so many seconds.
    Seconds(u64),
}

/// A value inside a document that is read and set as an attribute is.
pub(crate) struct StoreAccessor {
    /// Where it was written.
    pub(crate) ident: Ident,
    /// What its methods are called: the key with the prefix and the suffix.
    pub(crate) name: String,
    /// Its place in the document.
    pub(crate) key: String,
    pub(crate) ty: Type,
}

/// The labels of a column whose type is an enum, and what is named after them.
pub(crate) struct Enumeration {
    /// The variants.
    pub(crate) values: Vec<Ident>,
    pub(crate) prefix: Option<String>,
    pub(crate) suffix: Option<String>,
    pub(crate) scopes: bool,
    pub(crate) methods: bool,
    /// Whether what is no label is invalid in place of refused, and whether null is valid then.
    pub(crate) validate: Option<AllowNull>,
}

/// Whether null is valid.
pub(crate) type AllowNull = bool;

impl Enumeration {
    /// What setter and scope of a variant are called: `draft`, `kind_a_type`.
    pub(crate) fn name_of(&self, variant: &Ident) -> String {
        let label = relata_inflect::underscore(&super::plain(variant));
        let parts = [self.prefix.as_ref(), Some(&label), self.suffix.as_ref()];
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        parts.join("_")
    }
}

impl Column {
    /// The name that the table has for it.
    pub(crate) fn column_name(&self) -> String {
        self.column
            .as_ref()
            .map_or_else(|| self.name.clone(), syn::LitStr::value)
    }
}
