//! The struct that closures see: `|p| p.title.eq("x")`, `|p| p.author.name`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::handle::lint_levels;
use crate::model::{Association, Model, doc_of};

/// The name of the struct: `PostColumns`.
pub(crate) fn name(model: &Model) -> Ident {
    // With the context of the expansion, or the compiler would propose type parameters for a missing target.
    format_ident!(
        "{}Columns",
        model.name(),
        span = Span::call_site().located_at(model.ident.span())
    )
}

/// The struct of a model's columns and paths.
pub(crate) fn columns(model: &Model) -> TokenStream {
    let ident = name(model);
    let vis = &model.vis;
    let lints = lint_levels(model);
    let doc = format!(
        "The columns of `{0}` and the paths over its associations, as closures see them: `|{1}| ...`.",
        model.name(),
        initial(model)
    );
    let columns = model.columns.iter().map(|column| {
        let (field, ty) = (&column.ident, &column.ty);
        let vis = column.vis.as_ref().unwrap_or(vis);
        let doc = described(&doc_of(&column.attrs), || {
            format!("The column `{}`.", column.column_name())
        });
        quote!(#[doc = #doc] #vis #field: ::relata::relation::Column<#ty>)
    });
    let paths = model.associations.iter().map(|association| {
        let (field, target) = (&association.ident, &association.target);
        let vis = association.vis.as_ref().unwrap_or(vis);
        let doc = described(&doc_of(&association.attrs), || {
            format!("The path over `{}`: it joins.", association.name)
        });
        let path = path(association);
        let gone = super::association::deprecated(model, association);
        quote!(#gone #[doc = #doc] #vis #field: ::relata::relation::#path<#target>)
    });
    let base = model.base.as_ref();
    let base = base.map(|base| quote!(__base: <#base as ::relata::Model>::Columns,));
    let deref = model.base.as_ref().map(|base| {
        quote! {
            #[automatically_derived]
            impl ::core::ops::Deref for #ident {
                type Target = <#base as ::relata::Model>::Columns;
                #[inline]
                fn deref(&self) -> &Self::Target { &self.__base }
            }
        }
    });
    quote! {
        #(#lints)*
        #[doc = #doc]
        #[allow(dead_code, non_snake_case, private_interfaces, unreachable_pub)]
        #vis struct #ident { #base #(#columns,)* #(#paths,)* }
        #deref
    }
}

/// The type of the path over an association: what leads to several models cannot be joined.
fn path(association: &Association) -> Ident {
    format_ident!(
        "{}",
        if association.polymorphic {
            "AnyPath"
        } else {
            "Path"
        }
    )
}

fn described(doc: &str, otherwise: impl FnOnce() -> String) -> String {
    if doc.is_empty() {
        otherwise()
    } else {
        doc.to_owned()
    }
}

fn initial(model: &Model) -> String {
    model
        .name()
        .chars()
        .next()
        .map_or_else(|| String::from("m"), |first| first.to_lowercase().collect())
}

/// The struct, filled for one place of a query.
pub(crate) fn value(model: &Model) -> TokenStream {
    let ident = name(model);
    let columns = model.columns.iter().enumerate().map(|(index, column)| {
        let field = &column.ident;
        let index = super::inheritance::column(model, index);
        quote!(#field: ::relata::relation::Column::new(at, #index))
    });
    let paths = model
        .associations
        .iter()
        .enumerate()
        .map(|(index, association)| {
            let field = &association.ident;
            let path = path(association);
            let index = super::inheritance::association(model, index);
            quote!(#field: ::relata::relation::#path::new(at, #index))
        });
    let base = model.base.as_ref();
    let base = base.map(|base| quote!(__base: <#base as ::relata::Model>::columns(at),));
    quote!(#ident { #base #(#columns,)* #(#paths,)* })
}
