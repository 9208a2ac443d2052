//! Structs of one field: stored as that field is.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{ItemStruct, Member};

use crate::errors::Errors;
use crate::model::{owned_path, plain};
use crate::parse::{Known, of_attribute};

const KNOWN: Known<'static> = Known {
    attribute: "#[attribute] on a newtype",
    now: &[],
    later: &["check", "transparent"],
    instead: &[(
        "repr",
        "a newtype is stored as its field is: leave `repr` out",
    )],
};

/// The implementation for a newtype.
pub(super) fn implement(item: &ItemStruct, errors: &mut Errors) -> Option<TokenStream> {
    for attribute in item
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("attribute"))
    {
        of_attribute(attribute, &KNOWN, errors);
    }
    let mut fields = item.fields.iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        let message = format!(
            "a column holds one value, so `{0}` has one field: `struct {0}(String);`",
            item.ident
        );
        errors.on(&item.ident, message);
        return None;
    };
    if let Some((name, _, Some(inner))) = owned_path(&field.ty)
        && name == "Option"
    {
        let inner = inner.to_token_stream();
        let message = format!(
            "a column that may be null is an `Option` of `{0}`: write `struct {0}({inner})`, and `Option<{0}>` in the model",
            item.ident
        );
        errors.on(&field.ty, message);
        return None;
    }
    let member = field
        .ident
        .clone()
        .map_or_else(|| Member::from(0), Member::Named);
    let (ident, inner, name) = (&item.ident, &field.ty, plain(&item.ident));
    Some(quote! {
        #[automatically_derived]
        impl ::relata::Attribute for #ident {
            const NAME: &'static ::core::primitive::str = #name;
            const KIND: ::relata::attribute::Kind = <#inner as ::relata::Attribute>::KIND;
            const CHECKED: ::core::primitive::bool = <#inner as ::relata::Attribute>::CHECKED;
            type Ref<'a> = Self;
            type Set<'a> = Self;
            #[inline]
            fn read(stored: ::relata::attribute::Stored<'_>) -> Self {
                Self { #member: <#inner as ::relata::Attribute>::owned(stored) }
            }
            #[inline]
            fn owned(stored: ::relata::attribute::Stored<'_>) -> Self { Self::read(stored) }
            fn write(value: Self::Set<'_>) -> ::relata::Value<'_> {
                <#inner as ::relata::Attribute>::into_value(value.#member)
            }
            fn into_value(self) -> ::relata::Value<'static> { Self::write(self) }
            fn check(
                stored: ::relata::attribute::Stored<'_>,
            ) -> ::core::result::Result<(), ::std::string::String> {
                <#inner as ::relata::Attribute>::check(stored)
            }
        }
    })
}
