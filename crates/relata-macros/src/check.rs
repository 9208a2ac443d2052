//! Checking: what is wrong with a declaration that one field alone does not show.
//!
//! Every rejection is told at the user's own token. What needs other models is checked by `const`s in the
//! expansion: see `relata::reflection::shape`.

mod columns;
mod keys;
mod names;
pub(crate) mod reserved;
mod through;

use crate::errors::Errors;
use crate::model::Model;

/// Tells what is wrong, and gives the fields that cannot be emitted, by name and position among their like.
pub(crate) fn check(model: &Model, errors: &mut Errors) -> Vec<syn::Ident> {
    let dropped = names::check(model, errors);
    columns::check(model, errors);
    keys::check(model, &dropped, errors);
    through::check(model, errors);
    dropped
}
