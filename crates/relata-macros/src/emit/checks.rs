//! The checks that need the other model: one `const` an association, evaluated by the compiler.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};

use super::{inheritance, types};
use crate::model::{Association, Inverse, Macro, Model};

/// Each stands at the token that it judges.
pub(super) fn checks(model: &Model) -> TokenStream {
    let ident = &model.ident;
    let checks = model
        .associations
        .iter()
        .enumerate()
        .map(|(index, association)| {
            let index = inheritance::association(model, index);
            let target = types::at(association.span, &association.target);
            let call = |function: &str, span| {
                let function = Ident::new(function, span);
                let at = association.span;
                let target = quote_spanned!(at=> <#target as ::relata::Model>::SHAPE);
                quote_spanned!(span=> ::relata::reflection::shape::#function(
                &<#ident as ::relata::Model>::SHAPE, #index, &#target))
            };
            if association.kind == Macro::HasAndBelongsToMany {
                return TokenStream::new();
            }
            if association.through.is_some() {
                let check = through(model, association, &index);
                return check
                    .map(|check| quote!(const _: () = #check;))
                    .unwrap_or_default();
            }
            if association.polymorphic {
                let (at, span) = (association.span, association.key_span());
                let targets = quote_spanned!(at=> <#target as ::relata::Polymorphic>::SHAPES);
                let check = quote_spanned!(span=> ::relata::reflection::shape::check_polymorphic(
                    &<#ident as ::relata::Model>::SHAPE, #index, #targets));
                return quote!(const _: () = #check;);
            }
            let key = call("check_key", association.key_span());
            // Of a has_one or has_many, it names columns of this model, which are checked already.
            let primary = match association.primary_key.first() {
                Some(name) if association.kind == Macro::BelongsTo => {
                    let check = call("check_primary_key", name.span());
                    quote!(const _: () = #check;)
                }
                _ => TokenStream::new(),
            };
            let inverse = match &association.inverse_of {
                Inverse::Named(name) => {
                    let check = call("check_inverse", name.span());
                    quote!(const _: () = #check;)
                }
                Inverse::Automatic | Inverse::Off => TokenStream::new(),
            };
            quote!(const _: () = #key; #primary #inverse)
        });
    quote!(#(#checks)*)
}

/// The check of an association that goes through another of the model.
fn through(model: &Model, association: &Association, index: &TokenStream) -> Option<TokenStream> {
    let name = association.through.as_ref()?;
    let over = model.associations.iter().find(|one| one.ident == *name)?;
    // What is declared in the wrong order was told.
    if over.order >= association.order {
        return None;
    }
    let middle = types::at(over.span, &over.target);
    let written = association.source_type.as_ref();
    let span = written
        .or(association.source.as_ref())
        .unwrap_or(&association.ident)
        .span();
    let check = Ident::new("check_through", span);
    let (ident, names) = (&model.ident, association.source_names());
    Some(quote_spanned!(span=> ::relata::reflection::shape::#check(
        &<#ident as ::relata::Model>::SHAPE, #index, &<#middle as ::relata::Model>::SHAPE, &[#(#names),*])))
}
