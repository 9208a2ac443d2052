//! What a subclass has from its base, and how its own columns and associations find their places among the base's.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::types;
use crate::model::{Model, plain};

/// The position of a column of the model's own: its place, or the one that its base says.
pub(crate) fn column(model: &Model, index: usize) -> TokenStream {
    let ident = &model.ident;
    match &model.base {
        Some(_) => quote!(#ident::__COLUMNS[#index]),
        None => quote!(#index),
    }
}

/// The position of an association of the model's own.
pub(crate) fn association(model: &Model, index: usize) -> TokenStream {
    let ident = &model.ident;
    match &model.base {
        Some(_) => quote!(#ident::__ASSOCIATIONS[#index]),
        None => quote!(#index),
    }
}

/// The tables of a subclass, in place of those of a model of its own: `COLUMNS`, `KEY`, `ASSOCIATIONS` and `TARGETS`.
pub(crate) fn tables(
    model: &Model,
    associations: &[TokenStream],
    targets: &[TokenStream],
) -> Option<TokenStream> {
    let base = model.base.as_ref()?;
    let (ident, name, own) = (&model.ident, model.name(), associations.len());
    let width = model.columns.len();
    let columns = model.columns.iter().map(|column| {
        let types::Access { span, ty, .. } = types::access(column);
        let (name_of, ty) = (
            &column.name,
            quote::quote_spanned!(span=> <#ty as ::relata::Attribute>::TYPE),
        );
        quote::quote_spanned!(span=> BASE.inherited(#name, #name_of, #ty))
    });
    let all = model.inherited_nested.iter().enumerate();
    let all = all.fold(
        quote!(::relata::reflection::merged(BASE.associations(), &OWN)),
        |all, (at, (_, one))| {
            let nested = super::reflection::nested(ident, one);
            quote!(::relata::reflection::accepting(#all, #ident::__ACCEPTED[#at], #nested))
        },
    );
    let accepted = (!model.inherited_nested.is_empty()).then(|| {
        let count = model.inherited_nested.len();
        let places = model.inherited_nested.iter().map(|(one, _)| {
            let (name, span) = (plain(one), one.span());
            let before = Ident::new("before", span);
            quote::quote_spanned!(span=> BASE.#before(#name))
        });
        quote!(const __ACCEPTED: [::core::primitive::usize; #count] = [#(#places),*];)
    });
    Some(quote! {
        const BASE: &::relata::reflection::shape::Shape = &<#base as ::relata::Model>::SHAPE;
        const COLUMNS: &[::relata::reflection::Column] = BASE.columns();
        const KEY: &[::core::primitive::usize] = BASE.primary_key();
        const OWN: [::relata::reflection::AssociationReflection; #own] = [#(#associations),*];
        const WIDTH: ::core::primitive::usize = ::relata::reflection::width(BASE.associations(), &OWN);
        static ASSOCIATIONS: [::relata::reflection::AssociationReflection; WIDTH] =
            #all;
        const TARGETS: [&::core::primitive::str; WIDTH] =
            ::relata::reflection::targets(BASE, &OWN, [#(#targets),*]);
        const _: () = ::relata::reflection::shape::check_subclass(BASE, #name);
        #[allow(dead_code)]
        impl #ident {
            const __COLUMNS: [::core::primitive::usize; #width] = [#(#columns),*];
            const __ASSOCIATIONS: [::core::primitive::usize; #own] =
                ::relata::reflection::places(BASE.associations(), &OWN);
            #accepted
        }
        // Looked at here, or nobody might.
        const _: [::core::primitive::usize; #width] = #ident::__COLUMNS;
    })
}

/// What a subclass is beside its own: a record of its base.
pub(crate) fn conversions(model: &Model) -> Option<TokenStream> {
    let base = model.base.as_ref()?;
    let (ident, vis) = (&model.ident, &model.vis);
    Some(quote! {
        #[automatically_derived]
        impl ::core::convert::From<&#ident> for #base {
            fn from(one: &#ident) -> Self { ::relata::__private::of::<#base>(&one.0) }
        }
        #[automatically_derived]
        impl ::core::convert::From<#ident> for #base {
            fn from(one: #ident) -> Self { ::relata::__private::of::<#base>(&one.0) }
        }
        #[allow(dead_code, unreachable_pub, private_interfaces)]
        impl #ident {
            /// The same record as one of its base. Never touches the database.
            #[must_use]
            #[inline]
            #vis fn as_base(&self) -> #base { ::relata::__private::of::<#base>(&self.0) }
        }
    })
}

/// That the rows of the model are of several classes.
pub(crate) fn inheritance(model: &Model) -> Option<TokenStream> {
    if model.subclasses.is_empty() {
        return None;
    }
    let (column, classes) = (model.type_name(), &model.subclasses);
    Some(quote! {
        .with_inheritance(::relata::reflection::Inheritance {
            column: #column,
            classes: ::relata::reflection::Classes::Closed(&[#(<#classes as ::relata::Model>::reflection),*]),
        })
    })
}
