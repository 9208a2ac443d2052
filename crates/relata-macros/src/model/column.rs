//! A column, as it was declared.

use super::Validation;
use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, Type, Visibility};

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

impl Column {
    /// The name that the table has for it.
    pub(crate) fn column_name(&self) -> String {
        self.column
            .as_ref()
            .map_or_else(|| self.name.clone(), syn::LitStr::value)
    }
}
