//! The methods of values inside a document, and how their column knows of them.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};

use super::{docs, types};
use crate::model::{Column, Model, StoreAccessor, owned_path, shown};

/// Reader, setter, `_changed`, `_was` and `saved_change_to_` of every value.
pub(crate) fn methods(model: &Model, column: &Column, index: &TokenStream) -> TokenStream {
    let all = column.stores.iter().map(|one| {
        let methods = of_value(model, column, one, index);
        quote_spanned!(one.ident.span()=> ::relata::__with_stores! { #methods })
    });
    quote!(#(#all)*)
}

fn of_value(
    model: &Model,
    column: &Column,
    one: &StoreAccessor,
    index: &TokenStream,
) -> TokenStream {
    let vis = column.vis.as_ref().unwrap_or(&model.vis);
    let (name, key, at) = (&one.name, &one.key, one.ident.span());
    let reader = format_ident!("{name}", span = at);
    let setter = format_ident!("set_{name}", span = at);
    let changed = format_ident!("{name}_changed", span = at);
    let was = format_ident!("{name}_was", span = at);
    let saved_change = format_ident!("saved_change_to_{name}", span = at);
    let span = types::span_of(&one.ty);
    let ty = types::at(span, &one.ty);
    let is_text = matches!(owned_path(&one.ty), Some((name, _, None)) if name == "String");
    let (set, given) = match shown(&one.ty) {
        Some(_) if is_text => (
            quote!(impl ::core::convert::AsRef<::core::primitive::str>),
            quote!(::core::convert::AsRef::<::core::primitive::str>::as_ref(
                &value
            )),
        ),
        Some(shown) => (shown, quote!(&value)),
        None => (one.ty.to_token_stream(), quote!(&value)),
    };
    let reader_doc = format!(
        "`{key}` in the document of `{}`: where it has none, the type's default. Never touches the database. \
         Rails: `{name}`, by `store_accessor`.",
        column.name
    );
    let [setter_doc, changed_doc, was_doc, saved_change_doc] = [
        docs::setter(name),
        docs::changed(name),
        docs::was(name),
        docs::saved_change(name),
    ];
    let private = quote_spanned!(span=> ::relata::__private);
    quote! {
        #[doc = #reader_doc]
        #[must_use]
        #vis fn #reader(&self) -> #ty { #private::read_stored::<#ty>(&self.0, #index, #key) }
        #setter_doc
        #vis fn #setter(&self, value: #set) -> &Self {
            #private::write_stored(&self.0, #index, #key, #given);
            self
        }
        #changed_doc
        #[must_use]
        #vis fn #changed(&self) -> ::core::primitive::bool { ::relata::__private::is_stored_changed(&self.0, #index, #key) }
        #was_doc
        #[must_use]
        #vis fn #was(&self) -> #ty { #private::read_stored_was::<#ty>(&self.0, #index, #key) }
        #saved_change_doc
        #[must_use]
        #vis fn #saved_change(&self) -> ::core::option::Option<(#ty, #ty)> {
            #private::saved_stored_change::<#ty>(&self.0, #index, #key)
        }
    }
}

/// The column, with its values named and its type refusing what these cannot be.
pub(crate) fn column(column: &Column, made: TokenStream) -> TokenStream {
    if column.stores.is_empty() {
        return made;
    }
    let types::Access { ty, .. } = types::access(column);
    let all = column.stores.iter().map(|one| {
        let (name, key, of) = (
            &one.name,
            &one.key,
            types::at(types::span_of(&one.ty), &one.ty),
        );
        quote!((#name, #key, #of))
    });
    quote!(::relata::__with_store_accessors!(#made, #ty, [#(#all),*]))
}
