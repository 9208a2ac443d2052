//! Questions about the type of a field, as far as its tokens tell.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{GenericArgument, PathArguments, Type};

use super::naming::plain;

/// A type out of the invisible parentheses that `macro_rules!` puts around it.
pub(crate) fn unwrapped(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => unwrapped(&group.elem),
        Type::Paren(paren) => unwrapped(&paren.elem),
        other => other,
    }
}

/// For a type that is a path: its last name, where it stands, and its only type argument, if it has just one.
pub(crate) fn owned_path(ty: &Type) -> Option<(String, Span, Option<&Type>)> {
    let Type::Path(path) = unwrapped(ty) else {
        return None;
    };
    let last = path.path.segments.last()?;
    let argument = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => match arguments.args.first() {
            Some(GenericArgument::Type(ty)) if arguments.args.len() == 1 => Some(ty),
            _ => None,
        },
        _ => None,
    };
    Some((plain(&last.ident), last.ident.span(), argument))
}

/// What readers return and setters take, for the types of the standard library.
pub(crate) fn shown(ty: &Type) -> Option<TokenStream> {
    let Type::Path(path) = unwrapped(ty) else {
        return None;
    };
    if path.qself.is_some() || path.path.segments.len() != 1 || path.path.leading_colon.is_some() {
        return None;
    }
    let (name, _, argument) = owned_path(ty)?;
    match (name.as_str(), argument) {
        (
            "bool" | "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "f32" | "f64",
            None,
        ) => Some(ty.to_token_stream()),
        ("String", None) => Some(quote!(&::core::primitive::str)),
        ("Vec", Some(inner)) if is_byte(inner) => Some(quote!(&[::core::primitive::u8])),
        ("Option", Some(inner)) => {
            let inner = shown(inner)?;
            Some(quote!(::core::option::Option<#inner>))
        }
        _ => None,
    }
}

/// Whether the type is one of those.
pub(crate) fn is_plain(ty: &Type) -> bool {
    shown(ty).is_some()
}

fn is_byte(ty: &Type) -> bool {
    matches!(owned_path(ty), Some((name, _, None)) if name == "u8")
}
