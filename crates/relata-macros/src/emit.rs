//! Emitting: a model to the code that the user's crate compiles.
//!
//! ```text
//! struct Post(Record)          handle.rs       and Deref, Debug, new, all, find, create, build, with, update, dup
//! impl Post { title ... }      attribute.rs    five one-line methods a column
//! impl Post { author ... }     association.rs  up to eight one-line methods an association
//! is_draft, trait PostEnums    enumeration.rs  only of models with an enum
//! set_password, color          password.rs, store.rs   only of models with such a column
//! struct PostColumns { ... }   columns.rs      what closures see
//! const _ = { static ... }     reflection.rs   the tables, `impl Model`, and the checks against other models
//! ```
//!
//! Invariant: static data and one-line `#[inline]` methods, no logic; every path starts with `::`. What names a
//! type of the user that may lack a trait carries one span (`types.rs`), so that the compiler tells it once.

mod association;
mod attribute;
mod columns;
mod docs;
mod enumeration;
mod handle;
mod inheritance;
mod password;
mod reflection;
mod store;
pub(crate) mod types;
mod validation;

pub(crate) use validation::only;

use proc_macro2::TokenStream;
use quote::quote;

use crate::errors::Errors;
use crate::model::Model;
use crate::{check, fallback, parse};

/// What `#[model]` expands to.
pub(crate) fn model(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let mut model = match parse::declaration(options, item, &mut errors) {
        Ok(model) => model,
        Err(item) => {
            let errors = errors.into_tokens();
            return quote!(#errors #item);
        }
    };
    let dropped = check::check(&model, &mut errors);
    if !errors.is_empty() {
        fallback::without(&mut model, &dropped);
    }
    let errors = errors.into_tokens();
    let model = emit(&model);
    quote!(#errors #model)
}

fn emit(model: &Model) -> TokenStream {
    let ident = &model.ident;
    let lints = handle::lint_levels(model);
    let handle = handle::handle(model);
    let inherent = handle::inherent(model);
    let attributes = model.columns.iter().enumerate().map(|(index, column)| {
        attribute::methods(model, column, &inheritance::column(model, index))
    });
    let associations = model.associations.iter().enumerate().map(|(index, one)| {
        association::methods(model, one, &inheritance::association(model, index))
    });
    let inherited = association::inherited(model);
    let labels = enumeration::methods(model);
    let passwords = password::methods(model);
    let stores =
        model.columns.iter().enumerate().map(|(index, column)| {
            store::methods(model, column, &inheritance::column(model, index))
        });
    let scopes = enumeration::scopes(model);
    let columns = columns::columns(model);
    let reflection = reflection::reflection(model);
    let conversions = inheritance::conversions(model);
    quote! {
        #handle
        #(#lints)*
        #[allow(dead_code, non_snake_case, private_interfaces, unreachable_pub, clippy::all, clippy::pedantic)]
        impl #ident {
            #inherent
            #(#attributes)*
            #(#associations)*
            #inherited
            #labels
            #passwords
            #(#stores)*
        }
        #scopes
        #columns
        #conversions
        #reflection
    }
}
