//! The static tables of a model, and `impl Model`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::association_entry::{association, default_order, join_table, rows_of, scope};
use super::checks::checks;
use super::{columns, enumeration, handle, inheritance, password, store, types, validation};
use crate::model::{Column, Locking, Macro, Model, Timestamps, doc_of, plain};

/// Tables, trait and checks, in a `const` that hides the tables' names.
pub(crate) fn reflection(model: &Model) -> TokenStream {
    let tables = Tables::of(model);
    let (statics, reflection) = (tables.statics(model), tables.reflection(model));
    let implementation = tables.implementation(model);
    let checks = (!model.broken).then(|| checks(model));
    let tables = quote! {
        const _: () = {
            #statics
            #reflection
            #implementation
            #checks
        };
    };
    let scopes = scopes(model);
    // Outside of the tables, whose names the user's closures must not see.
    if scopes.is_empty() {
        tables
    } else {
        quote!(const _: () = { #(#scopes)* #tables };)
    }
}

/// What the tables of a model are called, or stand for where that is a value by itself.
struct Tables {
    columns: TokenStream,
    key: TokenStream,
    targets: TokenStream,
    /// The name of the table in the database.
    table: TokenStream,
    constraints: Option<TokenStream>,
}

impl Tables {
    fn of(model: &Model) -> Self {
        let constraints = model.positions(&model.query_constraints);
        let constraints = (!constraints.is_empty())
            .then(|| quote!(.with_query_constraints(&[#(#constraints),*])));
        if model.base.is_some() {
            return Self {
                columns: quote!(COLUMNS),
                key: quote!(KEY),
                targets: quote!(&TARGETS),
                table: quote!(BASE.table()),
                constraints,
            };
        }
        let (key, targets, table) = (model.key(), targets(model), model.table());
        Self {
            columns: quote!(&COLUMNS),
            key: quote!(&[#(#key),*]),
            targets: quote!(&[#(#targets),*]),
            table: quote!(#table),
            constraints,
        }
    }

    /// The tables of columns and associations.
    fn statics(&self, model: &Model) -> TokenStream {
        let each = || model.associations.iter().enumerate();
        let between: Vec<TokenStream> = each().filter_map(join_table).collect();
        let rows = each().filter_map(|(index, one)| rows_of(model, one, index));
        let own = each().map(|(index, one)| association(model, one, index));
        // The rows between two models are associations of their own, below those that anybody is shown.
        let associations: Vec<TokenStream> = own.chain(rows).collect();
        if let Some(own) = inheritance::tables(model, &associations, &targets(model)) {
            return quote!(#own #(#between)*);
        }
        let (width, count) = (model.columns.len(), associations.len());
        let columns = model.columns.iter().map(column);
        quote! {
            static COLUMNS: [::relata::reflection::Column; #width] = [#(#columns),*];
            static ASSOCIATIONS: [::relata::reflection::AssociationReflection; #count] = [#(#associations),*];
            #(#between)*
        }
    }

    /// All that is known of the model.
    fn reflection(&self, model: &Model) -> TokenStream {
        let (ident, name) = (&model.ident, model.name());
        let Self {
            columns,
            key,
            table,
            constraints,
            ..
        } = self;
        let parent = model.base.as_ref().map(|base| {
            quote!(.with_parent(::relata::reflection::Target::Model(<#base as ::relata::Model>::reflection)))
        });
        let inherits = inheritance::inheritance(model);
        let stored = model.polymorphic_name.as_ref();
        let stored = stored.map(|name| quote!(.with_polymorphic_name(#name)));
        let validations = validation::validations(model);
        let strict = model.strict_loading.then(|| quote!(.with_strict_loading()));
        let (timestamps, locking) = (timestamps(model), locking(model));
        let default_scope =
            (model.default_scope.is_some()).then(|| quote!(.with_default_scope(&DEFAULT_SCOPE)));
        let enumerations = enumeration::tables(model);
        let doc = doc(&doc_of(&model.attrs), "with_doc");
        quote! {
            static REFLECTION: ::relata::reflection::ModelReflection =
                ::relata::reflection::ModelReflection::new(#name, #table)
                    .with_columns(#columns)
                    .with_primary_key(#key)
                    .with_associations(&ASSOCIATIONS)
                    .with_callbacks({
                        use ::relata::__private::WithoutCallbacks as _;
                        &#ident::__CALLBACKS
                    })
                    .with_scopes({
                        use ::relata::__private::WithoutCallbacks as _;
                        #ident::__SCOPES
                    })
                    #parent #inherits #stored #validations #constraints #strict #timestamps #locking #default_scope
                    #enumerations #doc;
        }
    }

    /// `impl Model`, with what the checks of other models ask for.
    fn implementation(&self, model: &Model) -> TokenStream {
        let (ident, name, conventional) = (&model.ident, model.name(), model.foreign_key());
        let Self {
            columns,
            key,
            targets,
            constraints,
            ..
        } = self;
        let key_type = handle::key(model);
        let (columns_name, columns_value) = (columns::name(model), columns::value(model));
        // A path over a deprecated association is filled in here, and used nowhere.
        let told = model.associations.iter().any(|one| one.deprecated);
        let told = told.then(|| quote!(#[allow(deprecated)]));
        let (table, listed) = (model.table(), &model.subclasses);
        let subclasses = (!listed.is_empty())
            .then(|| quote!(.with_subclasses(#table, &[#(<#listed as ::relata::Model>::NAME),*])));
        // What is `pub` needs no word about it.
        let narrow = !listed.is_empty() && !matches!(model.vis, syn::Visibility::Public(_));
        let visibility = narrow.then(|| {
            let seen = inheritance::visibility(model);
            quote!(.with_visibility(#seen))
        });
        let below = model.base.as_ref().map(|_| quote!(.below(BASE)));
        let broken = model.broken.then(|| quote!(.with_mistakes()));
        quote! {
            #[automatically_derived]
            impl ::relata::Model for #ident {
                type Columns = #columns_name;
                type Key = #key_type;
                const NAME: &'static ::core::primitive::str = #name;
                const SHAPE: ::relata::reflection::shape::Shape =
                    ::relata::reflection::shape::Shape::new(#name, #conventional)
                        .with_columns(#columns, #key)
                        #constraints
                        .with_associations(&ASSOCIATIONS, #targets)
                        #subclasses #visibility #below
                        #broken;
                #[inline]
                fn reflection() -> &'static ::relata::reflection::ModelReflection { &REFLECTION }
                #[inline]
                fn from_record(record: ::relata::Record) -> ::relata::Result<Self> {
                    ::relata::__private::checked(&REFLECTION, record).map(Self)
                }
                #[inline]
                fn __named(record: ::relata::Record) -> Self { Self(record) }
                #[inline]
                #told
                fn columns(at: ::relata::Place) -> #columns_name { #columns_value }
            }
        }
    }
}

/// What the associations lead to, by name; nothing for those that lead to several models, and for rows between.
fn targets(model: &Model) -> Vec<TokenStream> {
    let named = model.associations.iter().map(|one| {
        if one.polymorphic {
            // No model is called so.
            return quote!("");
        }
        let (span, target) = (one.span, types::at(one.span, &one.target));
        quote_spanned!(span=> <#target as ::relata::Model>::NAME)
    });
    let rows = model.associations.iter();
    let rows = rows.filter(|one| one.kind == Macro::HasAndBelongsToMany);
    named.chain(rows.map(|_| quote!(""))).collect()
}

/// The scopes of the associations and of the model.
fn scopes(model: &Model) -> Vec<TokenStream> {
    let each = model.associations.iter().enumerate();
    let of_associations = each.flat_map(|(index, one)| {
        let narrowed = scope(&model.ident, one, index);
        narrowed.into_iter().chain(default_order(one, index))
    });
    of_associations.chain(default_scope_of(model)).collect()
}

fn column(column: &Column) -> TokenStream {
    let types::Access { span, ty, .. } = types::access(column);
    let name = &column.name;
    let attribute_type = quote_spanned!(span=> <#ty as ::relata::Attribute>::TYPE);
    let renamed = column.column.as_ref().map(|name| quote!(.column(#name)));
    let default = column.default.as_ref().map(|default| {
        let (variant, value) = (format_ident!("{}", default.variant), &default.value);
        quote!(.default(::relata::reflection::ColumnDefault::#variant(#value)))
    });
    let flags = [
        (column.secret, "secret"),
        (column.index, "index"),
        (column.unique, "unique"),
        (column.readonly, "readonly"),
    ];
    let flags = flags
        .into_iter()
        .filter(|(set, _)| *set)
        .map(|(_, name)| format_ident!("{name}"));
    let normalizes = column.normalization.as_ref().map(|normalization| {
        let with = &normalization.with;
        let (ty, null) = if normalization.null {
            (ty, Some(quote!(.with_null())))
        } else {
            (types::of_value(column), None)
        };
        quote!(.normalizes(::relata::reflection::Normalization::new(
            &|value| ::relata::__private::normalized::<#ty>(value, #with)) #null))
    });
    let password = password::declared(column);
    let doc = doc(&doc_of(&column.attrs), "doc");
    let column = store::column(
        column,
        quote!(::relata::reflection::Column::new(#name, #attribute_type)),
    );
    quote!(#column #renamed #default #(.#flags())* #normalizes #password #doc)
}

fn default_scope_of(model: &Model) -> Option<TokenStream> {
    let (ident, closure) = (&model.ident, model.default_scope.as_ref()?);
    Some(quote! {
        static DEFAULT_SCOPE: ::relata::relation::Scope = ::relata::relation::Scope::new(
            &|relation| <#ident as ::relata::Model>::__scope(relation, #closure));
    })
}

pub(super) fn names(idents: &[Ident], with: &str) -> Option<TokenStream> {
    let with = format_ident!("{with}");
    let names = idents.iter().map(plain);
    (!idents.is_empty()).then(|| quote!(.#with(&[#(#names),*])))
}

pub(super) fn doc(text: &str, with: &str) -> Option<TokenStream> {
    let with = format_ident!("{with}");
    (!text.is_empty()).then(|| quote!(.#with(#text)))
}

/// Where the times are kept, if that was written.
fn timestamps(model: &Model) -> Option<TokenStream> {
    let name = |name: &Option<Ident>| match name {
        Some(name) => {
            let name = plain(name);
            quote!(::core::option::Option::Some(#name))
        }
        None => quote!(::core::option::Option::None),
    };
    let kept = match &model.timestamps {
        Timestamps::Conventional => return None,
        Timestamps::Off => quote!(Off),
        Timestamps::Named { created, updated } => {
            let (created, updated) = (name(created), name(updated));
            quote!(Named { created: #created, updated: #updated })
        }
    };
    Some(quote!(.with_timestamps(::relata::reflection::Timestamps::#kept)))
}

/// Where the version of a row is kept, if that was written.
fn locking(model: &Model) -> Option<TokenStream> {
    let kept = match &model.locking {
        Locking::Conventional => return None,
        Locking::Off => quote!(Off),
        Locking::Named(name) => {
            let name = plain(name);
            quote!(Named(#name))
        }
    };
    Some(quote!(.with_locking(::relata::reflection::Locking::#kept)))
}
