//! `#[derive(Attribute)]`: enums without fields and newtypes as the types of columns.
//!
//! Invariant: a reader of such a type cannot fail; a stored value that is none of the type is refused when a row is
//! loaded, by `Attribute::check`.

mod enumeration;
mod newtype;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Generics, Item};

use crate::errors::Errors;

/// What `#[derive(Attribute)]` expands to.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let implementation = match syn::parse2::<Item>(item) {
        Ok(Item::Enum(item)) => {
            concrete(&item.generics, &mut errors);
            enumeration::implement(&item, &mut errors)
        }
        Ok(Item::Struct(item)) => {
            concrete(&item.generics, &mut errors);
            newtype::implement(&item, &mut errors)
        }
        Ok(other) => {
            errors.on(
                other,
                "a column's type is an enum without fields or a struct of one field",
            );
            None
        }
        Err(error) => {
            errors.push(error);
            None
        }
    };
    if errors.is_empty() {
        implementation.unwrap_or_default()
    } else {
        errors.into_tokens()
    }
}

fn concrete(generics: &Generics, errors: &mut Errors) {
    if !generics.params.is_empty() {
        errors.on(
            generics.to_token_stream(),
            "a column's type takes no type parameters, lifetimes or constants",
        );
    }
}
