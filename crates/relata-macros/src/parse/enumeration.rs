//! `#[enumeration(...)]`: the labels of a column whose type is an enum.

use syn::{Attribute, Expr, ExprLit, Lit};

use super::options::{Entry, Known, Value, of_attribute};
use crate::errors::Errors;
use crate::model::{AllowNull, Enumeration};

const KNOWN: Known<'static> = Known {
    attribute: "#[enumeration]",
    now: &[
        "values", "prefix", "suffix", "scopes", "methods", "validate",
    ],
    later: &[],
    instead: &[
        (
            "instance_methods",
            "the option is called `methods`: `methods = false`",
        ),
        (
            "default",
            "the default of a column is written `#[column(default = ...)]`",
        ),
    ],
};

/// What the attribute of a column says.
pub(super) fn enumeration(
    attribute: &Attribute,
    column: &str,
    errors: &mut Errors,
) -> Option<Enumeration> {
    let mut found = Enumeration {
        values: Vec::new(),
        prefix: None,
        suffix: None,
        scopes: true,
        methods: true,
        validate: None,
    };
    let before = errors.count();
    for entry in of_attribute(attribute, &KNOWN, errors) {
        match entry.name().as_str() {
            "values" => {
                found.values = errors
                    .take(entry.idents("(Draft, Live)"))
                    .unwrap_or_default();
            }
            "prefix" => found.prefix = errors.take(affix(&entry, column)).flatten(),
            "suffix" => found.suffix = errors.take(affix(&entry, column)).flatten(),
            "scopes" => found.scopes = errors.take(entry.flag()).unwrap_or(true),
            "validate" => found.validate = errors.take(validate(&entry)).flatten(),
            _ => found.methods = errors.take(entry.flag()).unwrap_or(true),
        }
    }
    if found.values.is_empty() {
        if errors.count() == before {
            let message = "`#[enumeration]` names the variants of the column's type: \
                           `#[enumeration(values = (Draft, Live))]`";
            errors.on(attribute, message);
        }
        return None;
    }
    Some(found)
}

/// `validate`, or `validate(allow_null)`.
fn validate(entry: &Entry) -> syn::Result<Option<AllowNull>> {
    let Value::List(group) = &entry.value else {
        return Ok(entry.flag()?.then_some(false));
    };
    match group.stream().to_string().as_str() {
        "allow_null" => Ok(Some(true)),
        _ => Err(syn::Error::new(
            group.span(),
            "`validate` takes `allow_null`: `validate(allow_null)`",
        )),
    }
}

/// `prefix`, which is the column's name, or `prefix = "kind"`.
fn affix(entry: &Entry, column: &str) -> syn::Result<Option<String>> {
    match &entry.value {
        Value::Expr(value)
            if !matches!(
                **value,
                Expr::Lit(ExprLit {
                    lit: Lit::Bool(_),
                    ..
                })
            ) =>
        {
            entry.text_value("kind").map(|text| Some(text.value()))
        }
        _ => Ok(entry.flag()?.then(|| column.to_owned())),
    }
}
