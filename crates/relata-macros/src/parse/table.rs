//! `#[model(...)]`: the options of the whole model.

use proc_macro2::{Ident, TokenStream};

use super::options::{Entry, Known, entries};
use crate::errors::Errors;
use crate::model::{Locking, PrimaryKey, Timestamps};

const KNOWN: Known<'static> = Known {
    attribute: "#[model]",
    now: &[
        "table",
        "primary_key",
        "query_constraints",
        "strict_loading",
        "timestamps",
        "locking_column",
        "default_scope",
        "subclasses",
        "inheritance_column",
        "base",
        "polymorphic_name",
        "abstract_class",
        "abstract_base",
    ],
    later: &[
        "readonly",
        "implicit_order_column",
        "before_save",
        "after_save",
    ],
    instead: &[
        (
            "table_name",
            "the option is called `table`: `#[model(table = \"...\")]`",
        ),
        (
            "name",
            "the model is named by its struct; for the table write `table = \"...\"`",
        ),
    ],
};

/// What `#[model(...)]` says.
pub(crate) struct Table {
    pub(crate) base: Option<syn::Path>,
    pub(crate) subclasses: Vec<syn::Path>,
    pub(crate) inheritance_column: Option<proc_macro2::Ident>,
    pub(crate) polymorphic_name: Option<String>,
    pub(crate) table: Option<String>,
    pub(crate) primary_key: PrimaryKey,
    pub(crate) query_constraints: Vec<Ident>,
    pub(crate) strict_loading: bool,
    pub(crate) timestamps: Timestamps,
    pub(crate) locking: Locking,
    pub(crate) default_scope: Option<syn::ExprClosure>,
}

/// The options of the model.
pub(crate) fn table(options: TokenStream, errors: &mut Errors) -> Table {
    let mut table = Table {
        base: None,
        subclasses: Vec::new(),
        inheritance_column: None,
        polymorphic_name: None,
        table: None,
        primary_key: PrimaryKey::Convention,
        query_constraints: Vec::new(),
        strict_loading: false,
        timestamps: Timestamps::Conventional,
        locking: Locking::Conventional,
        default_scope: None,
    };
    for entry in entries(options, &KNOWN, errors) {
        match entry.name().as_str() {
            // Taken in before, where what is written could be read.
            "abstract_class" | "abstract_base" => {}
            "base" => table.base = errors.take(paths(&entry)).and_then(|mut paths| paths.pop()),
            "subclasses" => table.subclasses = errors.take(paths(&entry)).unwrap_or_default(),
            "inheritance_column" => {
                table.inheritance_column = errors.take(entry.ident("kind"));
            }
            "polymorphic_name" => {
                table.polymorphic_name = errors
                    .take(entry.text_value("Post"))
                    .map(|text| text.value());
            }
            "table" => {
                table.table = errors
                    .take(entry.text_value("posts"))
                    .map(|text| text.value())
            }
            "query_constraints" => {
                table.query_constraints = errors
                    .take(entry.idents("(shop_id, id)"))
                    .unwrap_or_default()
            }
            "strict_loading" => {
                table.strict_loading = errors.take(entry.flag()).unwrap_or_default()
            }
            "timestamps" => {
                if let Some(timestamps) = errors.take(timestamps(&entry)) {
                    table.timestamps = timestamps;
                }
            }
            "default_scope" => table.default_scope = errors.take(default_scope(&entry)),
            "locking_column" => {
                if let Some(name) = errors.take(entry.ident("lock_version")) {
                    table.locking = if name == "none" {
                        Locking::Off
                    } else {
                        Locking::Named(name)
                    };
                }
            }
            _ => {
                if let Some(names) = errors.take(entry.idents("id")) {
                    let none = matches!(names.as_slice(), [name] if name == "none");
                    table.primary_key = if none {
                        PrimaryKey::None
                    } else {
                        PrimaryKey::Names(names)
                    };
                }
            }
        }
    }
    table
}

/// `default_scope = |posts| ...`.
fn default_scope(entry: &Entry) -> syn::Result<syn::ExprClosure> {
    const EXAMPLE: &str = "|posts| posts.filter(|p| p.hidden.eq(false))";
    match entry.value(EXAMPLE)? {
        syn::Expr::Closure(closure) if closure.inputs.len() == 1 => Ok(closure.clone()),
        other => {
            let message =
                format!("`default_scope` is a closure of all records: `default_scope = {EXAMPLE}`");
            Err(syn::Error::new_spanned(other, message))
        }
    }
}

/// One model or several: `base = User`, `subclasses = (Admin, Guest)`.
fn paths(entry: &Entry) -> syn::Result<Vec<syn::Path>> {
    let one = |value: &syn::Expr| match value {
        syn::Expr::Path(path) if path.qself.is_none() => Ok(path.path.clone()),
        other => Err(syn::Error::new_spanned(
            other,
            format!("`{}` names a model", entry.name()),
        )),
    };
    match entry.value("Admin")? {
        syn::Expr::Tuple(several) => several.elems.iter().map(one).collect(),
        syn::Expr::Paren(inner) => Ok(vec![one(&inner.expr)?]),
        value => Ok(vec![one(value)?]),
    }
}

/// `timestamps = none`, or `timestamps = (inserted_at, changed_at)`, where either may be `none`.
fn timestamps(entry: &Entry) -> syn::Result<Timestamps> {
    if let Ok(on) = entry.flag() {
        return Ok(if on {
            Timestamps::Conventional
        } else {
            Timestamps::Off
        });
    }
    let names = entry.idents("(inserted_at, changed_at)")?;
    let named = |name: &Ident| (name != "none").then(|| name.clone());
    match names.as_slice() {
        [none] if none == "none" => Ok(Timestamps::Off),
        [created, updated] => Ok(Timestamps::Named {
            created: named(created),
            updated: named(updated),
        }),
        _ => {
            let message = "`timestamps` names two columns, the time of creation and that of the last change: \
                           `timestamps = (inserted_at, changed_at)`; either may be `none`, and `timestamps = none` \
                           keeps neither";
            Err(syn::Error::new(entry.span(), message))
        }
    }
}
