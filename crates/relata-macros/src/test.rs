//! `#[relata::test]`: an async test with a fresh database.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{FnArg, ItemFn};

use crate::errors::Errors;
use crate::parse::{Known, entries};

const KNOWN: Known<'static> = Known {
    attribute: "#[relata::test]",
    now: &["file"],
    later: &["create_tables", "url", "threads"],
    instead: &[(
        "memory",
        "the database is in memory unless `file` is written: leave `memory` out",
    )],
};

/// What `#[relata::test]` expands to.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let function = match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => function,
        Err(_) => {
            errors.on(
                &item,
                "a test is a function: `async fn saves(db: Db) { ... }`",
            );
            let errors = errors.into_tokens();
            return quote!(#errors #item);
        }
    };
    let mut file = false;
    for entry in entries(options, &KNOWN, &mut errors) {
        file = errors.take(entry.flag()).unwrap_or_default();
    }
    let signature = &function.sig;
    let name = &signature.ident;
    let arguments: Vec<&FnArg> = signature.inputs.iter().collect();
    let opens_itself = signature.asyncness.is_none() && arguments.is_empty();
    if opens_itself && file {
        errors.on(
            name,
            "`file` is for the database that a test takes: a test that takes none opens what it needs itself",
        );
    }
    if signature.asyncness.is_none() && !opens_itself {
        errors.on(
            signature.fn_token,
            format!("a test with a database is async: `async fn {name}(db: Db)`"),
        );
    }
    if !signature.generics.params.is_empty() {
        errors.on(
            &signature.generics,
            "a test takes no type parameters or lifetimes",
        );
    }
    if !opens_itself && !matches!(arguments.as_slice(), [FnArg::Typed(_)]) {
        let place = if signature.inputs.is_empty() {
            name.to_token_stream()
        } else {
            signature.inputs.to_token_stream()
        };
        errors.on(
            place,
            format!("a test takes its database, and nothing else: `async fn {name}(db: Db)`"),
        );
    }
    if !errors.is_empty() {
        let errors = errors.into_tokens();
        return quote!(#errors #[allow(unused)] #function);
    }
    let ItemFn {
        attrs,
        vis,
        sig,
        block,
        ..
    } = &function;
    let run = if opens_itself {
        quote!(run_test_without(#name))
    } else {
        quote!(run_test(#file, #name))
    };
    // What runs the test otherwise, and came first, made it one already.
    let is_one = |attribute: &syn::Attribute| {
        let last = attribute.path().segments.last();
        last.is_some_and(|last| last.ident == "test")
    };
    let test = (!attrs.iter().any(is_one)).then(|| quote!(#[::core::prelude::v1::test]));
    quote! {
        #(#attrs)*
        #test
        #vis fn #name() {
            #sig #block
            ::relata::__private::#run;
        }
    }
}
