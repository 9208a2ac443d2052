//! The handle itself, `struct Post(Record)`, the traits it has, and the functions on the model.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Attribute;

use super::types;
use crate::model::{Model, PrimaryKey};

/// The levels of lints that the user set for the model: they go wherever its names go.
pub(crate) fn lint_levels(model: &Model) -> impl Iterator<Item = &Attribute> {
    const LEVELS: [&str; 4] = ["allow", "warn", "deny", "forbid"];
    model
        .attrs
        .iter()
        .filter(|attribute| LEVELS.iter().any(|level| attribute.path().is_ident(level)))
}

/// The struct and its traits.
pub(crate) fn handle(model: &Model) -> TokenStream {
    let Model {
        attrs, vis, ident, ..
    } = model;
    let undocumented = attrs
        .iter()
        .all(|attribute| !attribute.path().is_ident("doc"));
    let doc = undocumented.then(|| {
        let text = format!("A record of the table `{}`.", model.table());
        quote!(#[doc = #text])
    });
    quote! {
        #(#attrs)*
        #doc
        #[repr(transparent)]
        #vis struct #ident(::relata::Record);
        // By hand: a `derive` needs the prelude of macros.
        #[automatically_derived]
        impl ::core::clone::Clone for #ident {
            #[inline]
            fn clone(&self) -> Self { Self(::core::clone::Clone::clone(&self.0)) }
        }
        #[automatically_derived]
        impl ::core::cmp::PartialEq for #ident {
            #[inline]
            fn eq(&self, other: &Self) -> ::core::primitive::bool { ::core::cmp::PartialEq::eq(&self.0, &other.0) }
        }
        #[automatically_derived]
        impl ::core::cmp::Eq for #ident {}
        #[automatically_derived]
        impl ::core::hash::Hash for #ident {
            #[inline]
            fn hash<H: ::core::hash::Hasher>(&self, state: &mut H) { ::core::hash::Hash::hash(&self.0, state) }
        }
        #[automatically_derived]
        impl ::core::ops::Deref for #ident {
            type Target = ::relata::Record;
            #[inline]
            fn deref(&self) -> &::relata::Record { &self.0 }
        }
        #[automatically_derived]
        impl ::core::fmt::Debug for #ident {
            #[inline]
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(&self.0, f)
            }
        }
        // Nothing, without the library's feature `serde`.
        ::relata::__serialize!(#ident);
    }
}

/// The type of the primary key.
pub(crate) fn key(model: &Model) -> TokenStream {
    if let Some(base) = &model.base {
        return quote!(<#base as ::relata::Model>::Key);
    }
    let types: Vec<_> = model
        .key()
        .into_iter()
        .map(|position| {
            let ty = &model.columns[position].ty;
            types::at(types::span_of(ty), ty)
        })
        .collect();
    match types.as_slice() {
        // A key that is missing by mistake is told already.
        [] if model.broken => quote!(::core::primitive::i64),
        [] => quote!(()),
        [one] => one.clone(),
        several => quote!((#(#several),*)),
    }
}

/// `new`, `all`, `find`, `create`, `build`, `with`, `update`, `dup` and `reflection`.
pub(crate) fn inherent(model: &Model) -> TokenStream {
    let (vis, name) = (&model.vis, model.name());
    let span = model.ident.span();
    let set = quote!(set: impl ::core::ops::FnOnce(&Self) -> &Self);
    let this = quote_spanned!(span=> <Self as ::relata::Model>);
    let (new, build, create) = (
        format!(
            "A new `{name}`, without values and not saved. Never touches the database. Rails: `{name}.new`."
        ),
        format!(
            "A new `{name}` with these values, not saved. Never touches the database. Rails: `{name}.new(...)`."
        ),
        format!("A new `{name}` with these values, saved: one INSERT. Rails: `{name}.create!`."),
    );
    let all = format!(
        "All records of the table `{}`, lazily: nothing runs until it is awaited. Rails: `{name}.all`.",
        model.table()
    );
    let (find, id) = (find(model), id(model));
    quote! {
        #[doc = #new]
        #[must_use]
        #[inline]
        #vis fn new(db: &::relata::Db) -> Self { #this::new(db) }
        #[doc = #build]
        #[must_use]
        #[inline]
        #vis fn build(db: &::relata::Db, #set) -> Self { #this::build(db, set) }
        #[doc = #create]
        #[track_caller]
        #[inline]
        #vis fn create(db: &::relata::Db, #set) -> ::relata::Pending<Self> { #this::create(db, set) }
        #[doc = #all]
        #[inline]
        #vis fn all(db: &::relata::Db) -> ::relata::Relation<Self> { #this::all(db) }
        #find
        #id
        /// The same record, after these values were set. Never touches the database.
        #[must_use]
        #[inline]
        #vis fn with(self, #set) -> Self { set(&self); self }
        /// Sets these values and saves the record: one UPDATE of what changed. Rails: `update!`.
        #[track_caller]
        #[inline]
        #vis fn update(&self, #set) -> ::relata::Pending<()> { set(self); self.0.save() }
        /// A new record with the same values but no key, not saved. Never touches the database. Rails: `dup`.
        #[must_use]
        #[inline]
        #vis fn dup(&self) -> Self { Self(self.0.dup()) }
        /// What is known of the model without asking anybody: columns, keys, associations.
        #[must_use]
        #[inline]
        #vis fn reflection() -> &'static ::relata::reflection::ModelReflection { #this::reflection() }
        /// The association of that name. Never touches the database. Rails: `reflect_on_association`.
        #[must_use]
        #[inline]
        #vis fn reflect_on_association(
            name: &::core::primitive::str,
        ) -> ::core::option::Option<::relata::reflection::Reflected> {
            #this::reflection().reflect_on_association(name)
        }
        /// All associations, or those of one macro. Never touches the database. Rails: `reflect_on_all_associations`.
        #[inline]
        #vis fn reflect_on_all_associations(
            of: impl ::core::convert::Into<::core::option::Option<::relata::reflection::Macro>>,
        ) -> impl ::core::iter::Iterator<Item = ::relata::reflection::Reflected> {
            #this::reflection().reflect_on_all_associations(of)
        }
    }
}

/// `id` of a key of several columns.
fn id(model: &Model) -> Option<TokenStream> {
    let key = model.key();
    if key.len() < 2 || model.position("id").is_some() {
        return None;
    }
    let columns = key.iter().map(|&position| &model.columns[position]);
    let (types, readers): (Vec<_>, Vec<_>) = columns
        .map(|column| (types::access(column).get, &column.ident))
        .unzip();
    let vis = &model.vis;
    Some(quote! {
        /// The primary key, in the order of its columns. Never touches the database. Rails: `id`.
        #[must_use]
        #[inline]
        #vis fn id(&self) -> (#(#types),*) { (#(self.#readers()),*) }
    })
}

fn find(model: &Model) -> TokenStream {
    if matches!(model.primary_key, PrimaryKey::None) {
        return TokenStream::new();
    }
    let (vis, name, table) = (&model.vis, model.name(), model.table());
    let columns: Vec<_> = model
        .key()
        .into_iter()
        .map(|position| format!("\"{}\" = ?", model.columns[position].column_name()))
        .collect();
    let sql = format!(
        "SELECT \"{table}\".* FROM \"{table}\" WHERE {}",
        columns.join(" AND ")
    );
    let doc = format!(
        "The `{name}` with that key; `RecordNotFound` if there is none.\n\nSQL: `{sql}`. Rails: `{name}.find`."
    );
    let key = key(model);
    quote! {
        #[doc = #doc]
        #[track_caller]
        #[inline]
        #vis fn find(db: &::relata::Db, key: impl ::core::convert::Into<#key>) -> ::relata::Pending<Self> {
            <Self as ::relata::Model>::find(db, key)
        }
    }
}
