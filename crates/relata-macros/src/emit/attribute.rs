//! The methods of a column: reader, setter, `_changed`, `_was`, `saved_change_to_`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};

use super::{docs, types};
use crate::model::{Column, Model, doc_of};

/// The five methods of a column.
pub(crate) fn methods(model: &Model, column: &Column, index: &TokenStream) -> TokenStream {
    let vis = column.vis.as_ref().unwrap_or(&model.vis);
    let (name, reader) = (&column.name, &column.ident);
    let at = reader.span();
    let setter = format_ident!("set_{name}", span = at);
    let changed = format_ident!("{name}_changed", span = at);
    let was = format_ident!("{name}_was", span = at);
    let saved_change = format_ident!("saved_change_to_{name}", span = at);
    let attrs = &column.attrs;
    let docs = [
        docs::reader(column, !doc_of(attrs).is_empty()),
        docs::setter(name),
        docs::changed(name),
        docs::was(name),
        docs::saved_change(name),
    ];
    let [
        reader_doc,
        setter_doc,
        changed_doc,
        was_doc,
        saved_change_doc,
    ] = docs;
    let types::Access {
        plain,
        span,
        get,
        set,
        ..
    } = types::access(column);
    let [read, write, read_was, saved] = bodies(column, index);
    let value = if plain {
        quote!(value)
    } else {
        quote_spanned!(span=> value)
    };
    let pair = quote_spanned!(span=> ::core::option::Option<(#get, #get)>);
    quote! {
        #(#attrs)*
        #reader_doc
        #[inline]
        #vis fn #reader(&self) -> #get { #read }
        #setter_doc
        #[inline]
        #vis fn #setter(&self, #value: #set) -> &Self { #write; self }
        #changed_doc
        #[inline]
        #vis fn #changed(&self) -> ::core::primitive::bool { self.0.column_changed(#index) }
        #was_doc
        #[inline]
        #vis fn #was(&self) -> #get { #read_was }
        #saved_change_doc
        #[inline]
        #vis fn #saved_change(&self) -> #pair { #saved }
    }
}

/// What the methods do: read, set, read what was saved, and what the last save changed.
fn bodies(column: &Column, index: &TokenStream) -> [TokenStream; 4] {
    let types::Access {
        plain,
        span,
        ty,
        text,
        ..
    } = types::access(column);
    let (read, write, read_was, saved) = if plain {
        (
            quote!(self.0.read::<#ty>(#index)),
            if text {
                quote!(self.0.write::<#ty>(#index, ::core::convert::AsRef::as_ref(&value)))
            } else {
                quote!(self.0.write::<#ty>(#index, value))
            },
            quote!(self.0.read_was::<#ty>(#index)),
            quote!(self.0.saved_change_to::<#ty>(#index)),
        )
    } else {
        let record = types::at(span, quote!(&self.0));
        (
            quote_spanned!(span=> <#ty as ::relata::Attribute>::__read(#record, #index)),
            quote_spanned!(span=> <#ty as ::relata::Attribute>::__write(#record, #index, value)),
            quote_spanned!(span=> <#ty as ::relata::Attribute>::__read_was(#record, #index)),
            quote_spanned!(span=> <#ty as ::relata::Attribute>::__saved_change(#record, #index)),
        )
    };
    let write = match &column.normalization {
        None => write,
        Some(_) if text => {
            quote!(::relata::__private::write_normalized::<#ty>(&self.0, #index, ::core::convert::AsRef::as_ref(&value)))
        }
        Some(_) if plain => {
            quote!(::relata::__private::write_normalized::<#ty>(&self.0, #index, value))
        }
        Some(_) => {
            let record = types::at(span, quote!(&self.0));
            quote_spanned!(span=> ::relata::__private::write_normalized::<#ty>(#record, #index, value))
        }
    };
    [read, write, read_was, saved]
}
