//! `#[derive(Polymorphic)]`: an enum of models, one of which a polymorphic association leads to.
//!
//! Invariant: a variant holds one model and nothing else, so a record is of one variant at most; the first that fits is
//! taken.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Fields, Item, ItemEnum, Type};

use crate::emit::types::at;
use crate::errors::Errors;

/// What `#[derive(Polymorphic)]` expands to.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let implementation = match syn::parse2::<Item>(item) {
        Ok(Item::Enum(item)) => implement(&item, &mut errors),
        Ok(other) => {
            errors.on(
                other,
                "a polymorphic association leads to an enum of models: `enum Subject { Post(Post), Photo(Photo) }`",
            );
            TokenStream::new()
        }
        Err(error) => {
            errors.push(error);
            TokenStream::new()
        }
    };
    if errors.is_empty() {
        implementation
    } else {
        errors.into_tokens()
    }
}

/// The variants, each with its model.
fn variants<'a>(item: &'a ItemEnum, errors: &mut Errors) -> Vec<(&'a Ident, &'a Type)> {
    let variants: Vec<_> = item
        .variants
        .iter()
        .filter_map(|variant| match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                Some((&variant.ident, &fields.unnamed[0].ty))
            }
            _ => {
                let name = &variant.ident;
                let message = format!("a variant holds one model: `{name}({name})`");
                errors.on(variant, message);
                None
            }
        })
        .collect();
    for (place, (_, model)) in variants.iter().enumerate() {
        let text = |ty: &Type| ty.to_token_stream().to_string();
        if variants[..place]
            .iter()
            .any(|(_, other)| text(other) == text(model))
        {
            errors.on(
                model,
                "a model is in one variant: a record of it would be in the first",
            );
        }
    }
    if variants.is_empty() && errors.is_empty() {
        errors.on(
            item.ident.to_token_stream(),
            "an enum of models has at least one variant",
        );
    }
    variants
}

fn implement(item: &ItemEnum, errors: &mut Errors) -> TokenStream {
    if !item.generics.params.is_empty() {
        errors.on(
            item.generics.to_token_stream(),
            "an enum of models takes no type parameters, lifetimes or constants",
        );
    }
    let variants = variants(item, errors);
    let (ident, name) = (&item.ident, item.ident.to_string());
    let model = |ty: &Type| {
        let span = ty.span();
        let ty = at(span, ty);
        quote_spanned!(span=> <#ty as ::relata::Model>)
    };
    let models = variants.iter().map(|(_, ty)| model(ty));
    let classes = quote!(&[#(#models::reflection),*]);
    let names = variants.iter().map(|(_, ty)| model(ty));
    let shapes = variants.iter().map(|(_, ty)| model(ty));
    let casts = variants.iter().enumerate().map(|(place, (variant, ty))| {
        let model = model(ty);
        quote!(::core::option::Option::Some(#place) => #model::from_record(record).map(Self::#variant))
    });
    let references = variants.iter().map(|(variant, ty)| {
        let span = ty.span();
        let ty = at(span, ty);
        let record = quote_spanned!(span=> <#ty as ::relata::FromRecord>::as_record);
        quote!(Self::#variant(one) => #record(one))
    });
    let clones = variants.iter().map(|(variant, _)| {
        quote!(Self::#variant(one) => Self::#variant(::core::clone::Clone::clone(one)))
    });
    let members = variants.iter().map(|(variant, ty)| {
        let span = ty.span();
        let ty = at(span, ty);
        let record = quote_spanned!(span=> <#ty as ::relata::FromRecord>::as_record(self));
        quote! {
            #[automatically_derived]
            impl ::core::convert::From<#ty> for #ident {
                fn from(one: #ty) -> Self { Self::#variant(one) }
            }
            #[automatically_derived]
            impl ::relata::Among<#ident> for #ty {
                fn as_target(&self) -> &::relata::Record { #record }
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl ::core::clone::Clone for #ident {
            fn clone(&self) -> Self {
                match self { #(#clones,)* }
            }
        }
        #[automatically_derived]
        impl ::relata::FromRecord for #ident {
            fn accepts(model: &'static ::relata::reflection::ModelReflection) -> ::relata::Result<()> {
                ::relata::__private::accepts(#name, #classes, model)
            }
            fn cast(record: ::relata::Record) -> ::relata::Result<Self> {
                match ::relata::__private::variant(#classes, &record) {
                    #(#casts,)*
                    _ => ::core::result::Result::Err(::relata::__private::no_variant(#name, &record)),
                }
            }
            fn as_record(&self) -> &::relata::Record {
                match self { #(#references,)* }
            }
        }
        #[automatically_derived]
        impl ::relata::Polymorphic for #ident {
            const TARGET: ::relata::reflection::Target =
                ::relata::reflection::Target::AnyOf(::relata::reflection::Classes::Closed(#classes));
            const SHAPES: &'static [&'static ::relata::reflection::shape::Shape] = &[#(&#shapes::SHAPE),*];
            const MODELS: &'static [&'static ::core::primitive::str] = &[#(#names::NAME),*];
        }
        #[automatically_derived]
        impl ::relata::Among<#ident> for #ident {
            fn as_target(&self) -> &::relata::Record { <Self as ::relata::FromRecord>::as_record(self) }
        }
        #[automatically_derived]
        impl<'a> ::relata::Towards<'a, #ident> for ::core::option::Option<&'a #ident> {
            fn towards(self) -> ::core::option::Option<&'a ::relata::Record> {
                self.map(<#ident as ::relata::FromRecord>::as_record)
            }
        }
        #(#members)*
    }
}
