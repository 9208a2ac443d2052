//! `#[column(...)]`, and what the type of a column says.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Expr, ExprLit, ExprUnary, Lit, UnOp};

use super::field::{Declared, borrowed};
use super::options::{Entry, Known, of_attribute};
use crate::errors::Errors;
use crate::model::{Column, Default, owned_path};

const KNOWN: Known<'static> = Known {
    attribute: "#[column]",
    now: &["name", "default", "secret", "index", "unique"],
    later: &[
        "limit",
        "precision",
        "scale",
        "collation",
        "comment",
        "check",
        "sql_type",
    ],
    instead: &[
        (
            "readonly",
            "a column that a saved record keeps is marked `#[attr_readonly]`",
        ),
        (
            "null",
            "the type says whether a column may be null: `Option<...>`",
        ),
        (
            "nullable",
            "the type says whether a column may be null: `Option<...>`",
        ),
        ("type", "the field's type is the column's type"),
        (
            "primary_key",
            "the primary key is named on the struct: `#[model(primary_key = ...)]`",
        ),
        (
            "column",
            "the option is called `name`: `#[column(name = \"...\")]`",
        ),
        (
            "rename",
            "the option is called `name`: `#[column(name = \"...\")]`",
        ),
    ],
};

/// The column that a field declares.
pub(crate) fn column(
    attributes: &[Attribute],
    declared: Declared,
    errors: &mut Errors,
) -> Option<Column> {
    if borrowed(&declared.ty, errors) {
        return None;
    }
    let mut column = Column {
        name: crate::model::plain(&declared.ident),
        ident: declared.ident,
        vis: declared.vis,
        ty: declared.ty,
        attrs: declared.attrs,
        column: None,
        default: None,
        secret: false,
        index: false,
        unique: false,
        readonly: declared.readonly,
        normalization: declared.normalization,
        enumeration: declared.enumeration,
        password: declared.password,
        stores: declared.stores,
        validations: declared.validations,
        order: declared.order,
    };
    if let [_, second, ..] = attributes {
        errors.on(
            second,
            "`column` is written twice: put all options in one `#[column(...)]`",
        );
    }
    let Some(attribute) = attributes.first() else {
        return Some(column);
    };
    if matches!(attribute.meta, syn::Meta::Path(_)) {
        errors.on(attribute, "a field without an association is a column already: leave `#[column]` out, or give it options");
    }
    for entry in of_attribute(attribute, &KNOWN, errors) {
        match entry.name().as_str() {
            "name" => column.column = errors.take(entry.text_value("title")),
            "default" => column.default = errors.take(default(&entry, &column)),
            "secret" => column.secret = errors.take(entry.flag()).unwrap_or_default(),
            "index" => column.index = errors.take(entry.flag()).unwrap_or_default(),
            _ => column.unique = errors.take(entry.flag()).unwrap_or_default(),
        }
    }
    Some(column)
}

/// The default that the table gives: a literal of the column's own type.
fn default(entry: &Entry, column: &Column) -> syn::Result<Default> {
    let value = entry.value("0")?;
    let (literal, negative) = match value {
        Expr::Lit(ExprLit { lit, .. }) => (lit, false),
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => match &**expr {
            Expr::Lit(ExprLit {
                lit: lit @ (Lit::Int(_) | Lit::Float(_)),
                ..
            }) => (lit, true),
            _ => return Err(not_literal(value)),
        },
        _ => return Err(not_literal(value)),
    };
    let minus = if negative {
        quote!(-)
    } else {
        TokenStream::new()
    };
    let (variant, value, kind) = match literal {
        Lit::Bool(value) => ("Bool", quote!(#value), "a truth value"),
        Lit::Int(digits) if floats(column) => {
            let float: f64 = digits.base10_parse()?;
            ("Float", quote!(#minus #float), "a number")
        }
        Lit::Int(digits) => {
            let whole: i64 = format!(
                "{}{}",
                if negative { "-" } else { "" },
                digits.base10_digits()
            )
            .parse()
            .map_err(|_| {
                syn::Error::new_spanned(value, format!("{digits} does not fit an `i64`"))
            })?;
            ("Int", quote!(#whole), "an integer")
        }
        Lit::Float(float) => {
            let float: f64 = float.base10_parse()?;
            ("Float", quote!(#minus #float), "a floating point number")
        }
        Lit::Str(text) => ("Text", quote!(#text), "a text"),
        _ => return Err(not_literal(value)),
    };
    let wanted = wanted(column);
    if wanted.is_some_and(|wanted| wanted != variant) {
        let ty = column.ty.to_token_stream();
        let message = format!(
            "the column `{}` is `{ty}`, and its default is {kind}",
            column.name
        );
        return Err(syn::Error::new_spanned(literal, message));
    }
    Ok(Default { variant, value })
}

fn not_literal(value: &Expr) -> syn::Error {
    let message = "the default of a column is part of its table, so it is a literal: a number, a text, `true` or `false`";
    syn::Error::new_spanned(value, message)
}

fn floats(column: &Column) -> bool {
    wanted(column) == Some("Float")
}

/// The kind of default that the type takes, where the type is known by its name.
fn wanted(column: &Column) -> Option<&'static str> {
    let (mut name, _, argument) = owned_path(&column.ty)?;
    if name == "Option" {
        name = owned_path(argument?)?.0;
    }
    Some(match name.as_str() {
        "bool" => "Bool",
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" => "Int",
        "f32" | "f64" => "Float",
        "String" => "Text",
        _ => return None,
    })
}
