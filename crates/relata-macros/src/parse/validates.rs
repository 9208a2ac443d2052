//! `#[validates(...)]`: what a valid record keeps.

use syn::Attribute;

use super::options::{Known, of_attribute};
use crate::errors::Errors;

const KNOWN: Known<'static> = Known {
    attribute: "#[validates]",
    now: &["presence"],
    later: &[
        "absence",
        "acceptance",
        "associated",
        "comparison",
        "confirmation",
        "exclusion",
        "format",
        "inclusion",
        "length",
        "numericality",
        "uniqueness",
    ],
    instead: &[(
        "required",
        "the validation is called `presence`: `#[validates(presence)]`",
    )],
};

/// Whether presence is asked for.
pub(crate) fn presence(attribute: &Attribute, errors: &mut Errors) -> bool {
    if matches!(attribute.meta, syn::Meta::Path(_)) {
        errors.on(
            attribute,
            "`#[validates]` says what to validate: `#[validates(presence)]`",
        );
        return false;
    }
    let mut presence = false;
    for entry in of_attribute(attribute, &KNOWN, errors) {
        match entry.flag() {
            Ok(true) => presence = true,
            Ok(false) => errors.at(
                entry.span(),
                "leave `presence` out where it is not to be validated",
            ),
            Err(error) => errors.push(error),
        }
    }
    presence
}
