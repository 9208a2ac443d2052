//! Types of attributes as signatures show them, and spans.
//!
//! The compiler tells the same message at the same span once. A type that may lack a trait (`Attribute`, `Model`)
//! is therefore used only as `<Type as Trait>::item`, in tokens that all have the span of the type's name.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::model::{Column, owned_path, shown, unwrapped};

/// Where the type's name stands.
pub(crate) fn span_of(ty: &Type) -> Span {
    match owned_path(ty) {
        Some((name, _, Some(inner))) if name == "Option" => span_of(inner),
        Some((_, span, _)) => span,
        None => unwrapped(ty).span(),
    }
}

/// The same tokens, all at one place.
pub(crate) fn at(span: Span, tokens: impl ToTokens) -> TokenStream {
    tokens
        .into_token_stream()
        .into_iter()
        .map(|mut tree| {
            if let TokenTree::Group(group) = &tree {
                let mut moved = Group::new(group.delimiter(), at(span, group.stream()));
                moved.set_span(span.resolved_at(group.span()));
                return TokenTree::Group(moved);
            }
            tree.set_span(span.resolved_at(tree.span()));
            tree
        })
        .collect()
}

/// How a column's type is read and set.
pub(crate) struct Access {
    /// Whether the types are known by their names, so that no trait is needed to write them.
    pub(crate) plain: bool,
    pub(crate) span: Span,
    /// The type, at its span.
    pub(crate) ty: TokenStream,
    /// What a reader returns.
    pub(crate) get: TokenStream,
    /// What a setter takes.
    pub(crate) set: TokenStream,
    /// Whether a setter takes every text: `&str`, `String`, `&String`, `Cow<str>`.
    pub(crate) text: bool,
}

/// How the column is read and set.
pub(crate) fn access(column: &Column) -> Access {
    let span = span_of(&column.ty);
    match shown(&column.ty) {
        Some(shown) => Access {
            plain: true,
            span,
            ty: column.ty.to_token_stream(),
            text: is_text(&column.ty),
            set: if is_text(&column.ty) {
                quote_spanned!(span=> impl ::core::convert::AsRef<::core::primitive::str>)
            } else {
                shown.clone()
            },
            get: shown,
        },
        None => {
            let ty = at(span, &column.ty);
            let get = quote_spanned!(span=> <#ty as ::relata::Attribute>::Ref<'_>);
            let set = quote_spanned!(span=> <#ty as ::relata::Attribute>::Set<'_>);
            Access {
                plain: false,
                span,
                ty,
                get,
                set,
                text: false,
            }
        }
    }
}

/// The type of a value that is not null, at its span.
pub(crate) fn of_value(column: &Column) -> TokenStream {
    let ty = match owned_path(&column.ty) {
        Some((name, _, Some(inner))) if name == "Option" => inner,
        _ => &column.ty,
    };
    at(span_of(ty), ty)
}

fn is_text(ty: &Type) -> bool {
    matches!(owned_path(ty), Some((name, _, None)) if name == "String")
}
