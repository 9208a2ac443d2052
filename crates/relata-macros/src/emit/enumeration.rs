//! What is named after the labels of an enum: `is_draft`, `draft`, and the scopes of relations.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::types;
use crate::model::{Column, Enumeration, Model};

/// Every variant of every enumeration, with what is named after it.
fn variants(model: &Model) -> impl Iterator<Item = (usize, &Column, &Enumeration, &Ident, String)> {
    let columns = model.columns.iter().enumerate();
    columns.flat_map(|(index, column)| {
        column.enumeration.iter().flat_map(move |one| {
            let named = move |variant| (index, column, one, variant, one.name_of(variant));
            one.values.iter().map(named)
        })
    })
}

/// Predicates and setters.
pub(crate) fn methods(model: &Model) -> TokenStream {
    let all = variants(model).filter(|(_, _, one, ..)| one.methods);
    let all = all.map(|(_, column, _, variant, name)| {
        let vis = column.vis.as_ref().unwrap_or(&model.vis);
        let (at, reader) = (variant.span(), &column.ident);
        let is = format_ident!("is_{name}", span = at);
        let set = format_ident!("set_{}", column.name);
        let to = format_ident!("{name}", span = at);
        let value = value(column, variant);
        let is_doc = format!(
            "Whether `{}` is `{variant}`. Never touches the database. Rails: `{name}?`.",
            column.name
        );
        let set_doc = format!(
            "Sets `{}` to `{variant}` and saves the record: one UPDATE. Rails: `{name}!`.\n\nErrors: what saving says.",
            column.name
        );
        let (pattern, set_to) = if is_nullable(column) {
            (
                quote!(::core::option::Option::Some(#value)),
                quote!(::core::option::Option::Some(#value)),
            )
        } else {
            (value.clone(), value)
        };
        quote! {
            #[doc = #is_doc]
            #[must_use]
            #[inline]
            #vis fn #is(&self) -> ::core::primitive::bool { ::core::matches!(self.#reader(), #pattern) }
            #[doc = #set_doc]
            #[track_caller]
            #[inline]
            #vis fn #to(&self) -> ::relata::Pending<()> { self.#set(#set_to); self.0.save() }
        }
    });
    quote!(#(#all)*)
}

fn is_nullable(column: &Column) -> bool {
    crate::model::owned_path(&column.ty).is_some_and(|(name, ..)| name == "Option")
}

/// `<Status>::Draft`.
fn value(column: &Column, variant: &Ident) -> TokenStream {
    let ty = types::of_value(column);
    let at = variant.span();
    quote_spanned!(at=> <#ty>::#variant)
}

/// The trait of the scopes, for relations and collections.
pub(crate) fn scopes(model: &Model) -> Option<TokenStream> {
    let all: Vec<_> = variants(model)
        .filter(|(_, _, one, ..)| one.scopes)
        .collect();
    if all.is_empty() {
        return None;
    }
    let (vis, ident) = (&model.vis, &model.ident);
    let of = format_ident!("{}Enums", model.name(), span = ident.span());
    let doc = format!(
        "The records of `{}` by the labels of its enums.",
        model.name()
    );
    let (mut declared, mut defined) = (Vec::new(), Vec::new());
    for (index, column, _, variant, name) in &all {
        let (field, value) = (&column.ident, value(column, variant));
        let only = format_ident!("{name}", span = variant.span());
        let not = format_ident!("not_{name}", span = variant.span());
        let docs = [
            format!("Those whose `{field}` is `{variant}`. Rails: `{name}`."),
            format!(
                "Those whose `{field}` is another than `{variant}`; not those where it is null. Rails: `not_{name}`."
            ),
        ];
        let [only_doc, not_doc] = docs;
        declared.push(quote! {
            #[doc = #only_doc]
            fn #only(self) -> ::relata::Relation<#ident>;
            #[doc = #not_doc]
            fn #not(self) -> ::relata::Relation<#ident>;
        });
        defined.push(quote! {
            fn #only(self) -> ::relata::Relation<#ident> {
                ::relata::__private::labelled(self, #index, #value, true)
            }
            fn #not(self) -> ::relata::Relation<#ident> {
                ::relata::__private::labelled(self, #index, #value, false)
            }
        });
    }
    Some(quote! {
        #[doc = #doc]
        #[allow(dead_code, private_interfaces, unreachable_pub)]
        #vis trait #of: ::core::marker::Sized { #(#declared)* }
        #[automatically_derived]
        impl<__All: ::core::convert::Into<::relata::Relation<#ident>>> #of for __All { #(#defined)* }
    })
}

/// `.with_enumerations(...)`, if there are some.
pub(crate) fn tables(model: &Model) -> Option<TokenStream> {
    let all = model.columns.iter().filter_map(|column| {
        let (name, one) = (&column.name, column.enumeration.as_ref()?);
        let prefix = one.prefix.as_ref().map(|prefix| quote!(.prefix(#prefix)));
        let suffix = one.suffix.as_ref().map(|suffix| quote!(.suffix(#suffix)));
        let scopes = (!one.scopes).then(|| quote!(.without_scopes()));
        let methods = (!one.methods).then(|| quote!(.without_methods()));
        let validated = one.validate.map(|allow_null| match allow_null {
            true => quote!(.validated_or_null()),
            false => quote!(.validated()),
        });
        Some(quote!(::relata::reflection::Enumeration::new(#name) #prefix #suffix #scopes #methods #validated))
    });
    let mut all = all.peekable();
    all.peek()?;
    Some(quote!(.with_enumerations(&[#(#all),*])))
}
