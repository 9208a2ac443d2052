//! Enums without fields: stored as a text or as the discriminant.

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Attribute, Fields, ItemEnum, LitStr};

use crate::errors::Errors;
use crate::model::plain;
use crate::parse::{Known, of_attribute};

const OF_ENUM: Known<'static> = Known {
    attribute: "#[attribute]",
    now: &["repr"],
    later: &["rename_all", "prefix", "suffix"],
    instead: &[(
        "rename",
        "`rename` stands on a variant: `#[attribute(rename = \"...\")] Draft`",
    )],
};

const OF_VARIANT: Known<'static> = Known {
    attribute: "#[attribute] on a variant",
    now: &["rename"],
    later: &[],
    instead: &[
        (
            "repr",
            "`repr` stands on the enum: `#[attribute(repr = i64)] enum ...`",
        ),
        (
            "default",
            "the variant of an unset column is marked `#[default]`",
        ),
    ],
};

const INTEGERS: [&str; 7] = ["i8", "i16", "i32", "i64", "u8", "u16", "u32"];

struct Variant {
    ident: Ident,
    text: String,
}

/// The implementation for an enum.
pub(super) fn implement(item: &ItemEnum, errors: &mut Errors) -> Option<TokenStream> {
    let integer = representation(&item.attrs, errors);
    let mut variants = Vec::new();
    let mut unset: Option<Ident> = None;
    let mut texts: HashMap<String, Ident> = HashMap::new();
    for variant in &item.variants {
        if !matches!(variant.fields, Fields::Unit) {
            errors.on(
                &variant.fields,
                format!(
                    "a column holds one value, so `{}` has no fields",
                    variant.ident
                ),
            );
        }
        let renamed = rename(&variant.attrs, errors);
        if let (Some(renamed), true) = (&renamed, integer) {
            errors.on(
                renamed,
                "the enum is stored as its discriminants, so its variants have no texts",
            );
        }
        let text = renamed.as_ref().map_or_else(
            || relata_inflect::underscore(&plain(&variant.ident)),
            LitStr::value,
        );
        if let Some(other) = texts.insert(text.clone(), variant.ident.clone()) {
            errors.on(
                &variant.ident,
                format!(
                    "`{other}` and `{}` are both stored as \"{text}\"",
                    variant.ident
                ),
            );
        }
        if let Some(marker) = variant
            .attrs
            .iter()
            .find(|attribute| attribute.path().is_ident("default"))
            && let Some(other) = unset.replace(variant.ident.clone())
        {
            errors.on(marker, format!("`{other}` is the default already"));
        }
        variants.push(Variant {
            ident: variant.ident.clone(),
            text,
        });
    }
    let Some(first) = variants.first() else {
        errors.on(
            &item.ident,
            "an enum without variants has no values for a column to hold",
        );
        return None;
    };
    let unset = unset.unwrap_or_else(|| first.ident.clone());
    Some(if integer {
        by_number(&item.ident, &variants, &unset)
    } else {
        by_text(&item.ident, &variants, &unset)
    })
}

/// Whether discriminants are stored.
fn representation(attributes: &[Attribute], errors: &mut Errors) -> bool {
    let mut integer = false;
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("attribute"))
    {
        for entry in of_attribute(attribute, &OF_ENUM, errors) {
            let Some(name) = errors.take(entry.ident("i64")) else {
                continue;
            };
            if INTEGERS.iter().any(|integer| name == integer) {
                integer = true;
            } else {
                let message = "`repr` is the integer that the column holds: i8, i16, i32, i64, u8, u16 or u32; \
                               leave it out to store a text";
                errors.at(name.span(), message);
            }
        }
    }
    integer
}

fn rename(attributes: &[Attribute], errors: &mut Errors) -> Option<LitStr> {
    let mut renamed = None;
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("attribute"))
    {
        for entry in of_attribute(attribute, &OF_VARIANT, errors) {
            renamed = errors.take(entry.text_value("draft"));
        }
    }
    renamed
}

fn by_text(ident: &Ident, variants: &[Variant], unset: &Ident) -> TokenStream {
    let name = plain(ident);
    let texts: Vec<_> = variants.iter().map(|variant| &variant.text).collect();
    let idents = variants.iter().map(|variant| &variant.ident);
    let reads = idents
        .clone()
        .zip(&texts)
        .filter(|(variant, _)| *variant != unset);
    let reads = reads.map(|(variant, text)| quote!(#text => Self::#variant));
    quote! {
        #[automatically_derived]
        impl ::relata::Attribute for #ident {
            const NAME: &'static ::core::primitive::str = #name;
            const KIND: ::relata::attribute::Kind = ::relata::attribute::Kind::Text;
            const CHECKED: ::core::primitive::bool = true;
            const LABELS: &'static [::relata::attribute::Label] = &[#(
                ::relata::attribute::Label::new(#texts, ::relata::attribute::Held::Text(#texts))
            ),*];
            type Ref<'a> = Self;
            type Set<'a> = Self;
            fn read(stored: ::relata::attribute::Stored<'_>) -> Self {
                match stored.text() { #(#reads,)* _ => Self::#unset }
            }
            fn owned(stored: ::relata::attribute::Stored<'_>) -> Self { Self::read(stored) }
            fn write(value: Self::Set<'_>) -> ::relata::Value<'_> {
                ::core::convert::From::from(match value { #(Self::#idents => #texts,)* })
            }
            fn into_value(self) -> ::relata::Value<'static> { Self::write(self) }
            fn check(
                stored: ::relata::attribute::Stored<'_>,
            ) -> ::core::result::Result<(), ::std::string::String> {
                ::relata::__private::check_text(#name, stored.text(), &[#(#texts),*])
            }
        }
    }
}

fn by_number(ident: &Ident, variants: &[Variant], unset: &Ident) -> TokenStream {
    let name = plain(ident);
    let idents: Vec<_> = variants.iter().map(|variant| &variant.ident).collect();
    let labels = variants.iter().map(|variant| &variant.text);
    let reads = idents.iter().filter(|variant| **variant != unset);
    let reads = reads.map(|variant| quote!(number if number == Self::#variant as ::core::primitive::i64 => Self::#variant));
    quote! {
        #[automatically_derived]
        impl ::relata::Attribute for #ident {
            const NAME: &'static ::core::primitive::str = #name;
            const KIND: ::relata::attribute::Kind = ::relata::attribute::Kind::Int;
            const CHECKED: ::core::primitive::bool = true;
            const LABELS: &'static [::relata::attribute::Label] = &[#(
                ::relata::attribute::Label::new(
                    #labels, ::relata::attribute::Held::Int(Self::#idents as ::core::primitive::i64))
            ),*];
            type Ref<'a> = Self;
            type Set<'a> = Self;
            fn read(stored: ::relata::attribute::Stored<'_>) -> Self {
                if stored.is_null() {
                    return Self::#unset;
                }
                match stored.int() { #(#reads,)* _ => Self::#unset }
            }
            fn owned(stored: ::relata::attribute::Stored<'_>) -> Self { Self::read(stored) }
            fn write(value: Self::Set<'_>) -> ::relata::Value<'_> {
                ::relata::Value::Int(value as ::core::primitive::i64)
            }
            fn into_value(self) -> ::relata::Value<'static> { Self::write(self) }
            fn check(
                stored: ::relata::attribute::Stored<'_>,
            ) -> ::core::result::Result<(), ::std::string::String> {
                ::relata::__private::check_number(
                    #name, stored.int(), &[#(Self::#idents as ::core::primitive::i64),*])
            }
        }
    }
}
