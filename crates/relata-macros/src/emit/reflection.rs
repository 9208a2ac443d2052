//! The static tables, `impl Model`, and the checks that need the other model.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::{columns, enumeration, handle, inheritance, password, store, types, validation};
use crate::model::{
    Association, Column, Inverse, Locking, Macro, MemberLimit, Model, Nested, RejectIf, Timestamps,
    doc_of, plain,
};

/// Tables, trait and checks, in a `const` that hides the tables' names.
pub(crate) fn reflection(model: &Model) -> TokenStream {
    let ident = &model.ident;
    let (name, table, conventional) = (model.name(), model.table(), model.foreign_key());
    let width = model.columns.len();
    let columns = model.columns.iter().map(column);
    // The rows between two models are associations of their own, below those that anybody is shown.
    let tables: Vec<TokenStream> = model
        .associations
        .iter()
        .enumerate()
        .filter_map(join_table)
        .collect();
    let rows = model
        .associations
        .iter()
        .enumerate()
        .filter_map(|(index, one)| rows_of(model, one, index))
        .collect::<Vec<_>>();
    let count = model.associations.len() + tables.len();
    let associations = model
        .associations
        .iter()
        .enumerate()
        .map(|(index, one)| association(model, one, index))
        .chain(rows)
        .collect::<Vec<_>>();
    let scopes = model
        .associations
        .iter()
        .enumerate()
        .flat_map(|(index, one)| {
            let narrowed = scope(&model.ident, one, index);
            narrowed.into_iter().chain(default_order(one, index))
        })
        .chain(default_scope_of(model))
        .collect::<Vec<_>>();
    let targets = model.associations.iter().map(|one| {
        if one.polymorphic {
            // No model is called so.
            return quote!("");
        }
        let (span, target) = (one.span, types::at(one.span, &one.target));
        quote_spanned!(span=> <#target as ::relata::Model>::NAME)
    });
    let unnamed = tables.iter().map(|_| quote!(""));
    let targets = targets.chain(unnamed).collect::<Vec<_>>();
    let key = model.key();
    let key_type = handle::key(model);
    let columns_name = columns::name(model);
    let columns_value = columns::value(model);
    // A path over a deprecated association is filled in here, and used nowhere.
    let told = model.associations.iter().any(|one| one.deprecated);
    let told = told.then(|| quote!(#[allow(deprecated)]));
    let doc = doc(&doc_of(&model.attrs), "with_doc");
    let validations = validation::validations(model);
    let strict = model.strict_loading.then(|| quote!(.with_strict_loading()));
    let timestamps = timestamps(model);
    let locking = locking(model);
    let constraints = model.positions(&model.query_constraints);
    let constraints =
        (!constraints.is_empty()).then(|| quote!(.with_query_constraints(&[#(#constraints),*])));
    let enumerations = enumeration::tables(model);
    let default_scope =
        (model.default_scope.is_some()).then(|| quote!(.with_default_scope(&DEFAULT_SCOPE)));
    let checks = if model.broken {
        TokenStream::new()
    } else {
        checks(model)
    };
    let broken = model.broken.then(|| quote!(.with_mistakes()));
    let own_tables = match inheritance::tables(model, &associations, &targets) {
        Some(own) => quote!(#own #(#tables)*),
        None => quote! {
            static COLUMNS: [::relata::reflection::Column; #width] = [#(#columns),*];
            static ASSOCIATIONS: [::relata::reflection::AssociationReflection; #count] = [#(#associations),*];
            #(#tables)*
        },
    };
    let base = model.base.as_ref();
    let (columns_of, key_of, targets_of) = match base {
        Some(_) => (quote!(COLUMNS), quote!(KEY), quote!(&TARGETS)),
        None => (
            quote!(&COLUMNS),
            quote!(&[#(#key),*]),
            quote!(&[#(#targets),*]),
        ),
    };
    let parent = base.map(|base| {
        quote!(.with_parent(::relata::reflection::Target::Model(<#base as ::relata::Model>::reflection)))
    });
    let inherits = inheritance::inheritance(model);
    let stored = model.polymorphic_name.as_ref();
    let stored = stored.map(|name| quote!(.with_polymorphic_name(#name)));
    let listed = &model.subclasses;
    let subclasses = (!listed.is_empty())
        .then(|| quote!(.with_subclasses(#table, &[#(<#listed as ::relata::Model>::NAME),*])));
    let below = base.map(|_| quote!(.below(BASE)));
    let table = match base {
        Some(_) => quote!(BASE.table()),
        None => quote!(#table),
    };
    let tables = quote! {
        const _: () = {
            #own_tables
            static REFLECTION: ::relata::reflection::ModelReflection =
                ::relata::reflection::ModelReflection::new(#name, #table)
                    .with_columns(#columns_of)
                    .with_primary_key(#key_of)
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
            #[automatically_derived]
            impl ::relata::Model for #ident {
                type Columns = #columns_name;
                type Key = #key_type;
                const NAME: &'static ::core::primitive::str = #name;
                const SHAPE: ::relata::reflection::shape::Shape =
                    ::relata::reflection::shape::Shape::new(#name, #conventional)
                        .with_columns(#columns_of, #key_of)
                        #constraints
                        .with_associations(&ASSOCIATIONS, #targets_of)
                        #subclasses #below
                        #broken;
                #[inline]
                fn reflection() -> &'static ::relata::reflection::ModelReflection { &REFLECTION }
                #[inline]
                fn from_record(record: ::relata::Record) -> ::relata::Result<Self> {
                    ::relata::__private::checked(&REFLECTION, record).map(Self)
                }
                #[inline]
                #told
                fn columns(at: ::relata::Place) -> #columns_name { #columns_value }
            }
            #checks
        };
    };
    // Outside of the tables, whose names the user's closures must not see.
    if scopes.is_empty() {
        tables
    } else {
        quote!(const _: () = { #(#scopes)* #tables };)
    }
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

fn association(model: &Model, association: &Association, index: usize) -> TokenStream {
    let (span, name) = (association.span, &association.name);
    let target = types::at(span, &association.target);
    let make = format_ident!("{}", association.kind.name());
    let between = (association.kind == Macro::HasAndBelongsToMany).then(|| {
        let (rows, source) = (
            name_of_rows(model, association),
            relata_inflect::singularize(name),
        );
        quote!(, #rows, #source)
    });
    let reflection = quote_spanned!(span=> <#target as ::relata::Model>::reflection);
    // That of rows between is a column of theirs.
    let own = between
        .is_none()
        .then_some(association.foreign_key.as_slice());
    let foreign_key = names(own.unwrap_or_default(), "with_foreign_key");
    let primary_key = names(&association.primary_key, "with_primary_key");
    let inverse = match &association.inverse_of {
        Inverse::Automatic => None,
        Inverse::Off => Some(quote!(.with_inverse_of(::relata::reflection::InverseOf::Off))),
        Inverse::Named(name) => {
            let name = plain(name);
            Some(quote!(.with_inverse_of(::relata::reflection::InverseOf::Named(#name))))
        }
    };
    let through = association.through.as_ref().map(|through| {
        let through = plain(through);
        let source = association.source.as_ref().map(|source| {
            let source = plain(source);
            quote!(.with_source(#source))
        });
        let typed = association
            .source_type
            .as_ref()
            .map(|_| quote!(.with_source_model()));
        let apart = association
            .disable_joins
            .as_ref()
            .map(|_| quote!(.with_disable_joins()));
        quote!(.with_through(#through) #source #typed #apart)
    });
    let required = (!association.optional).then(|| quote!(.with_required()));
    let strict = association
        .strict_loading
        .map(|strict| quote!(.with_strict_loading(#strict)));
    let autosave = association
        .autosave
        .map(|autosave| quote!(.with_autosave(#autosave)));
    let validate = association
        .validate
        .map(|validate| quote!(.with_validate(#validate)));
    let counter = association.counter_cache.as_ref().map(|counter| {
        let column = match &counter.column {
            Some(column) => plain(column),
            None => format!("{}_count", relata_inflect::tableize(&model.name())),
        };
        let inactive = (!counter.active).then(|| quote!(.with_inactive_counter()));
        quote!(.with_counter_cache(#column) #inactive)
    });
    let touch = association.touch.as_ref().map(|touch| match touch {
        Some(column) => {
            let column = plain(column);
            quote!(.with_touch(::relata::reflection::Touch::Column(#column)))
        }
        None => quote!(.with_touch(::relata::reflection::Touch::Timestamps)),
    });
    let dependent = association.dependent.map(|dependent| {
        let dependent = format_ident!("{dependent}");
        quote!(.with_dependent(::relata::reflection::Dependent::#dependent))
    });
    let owner = &model.ident;
    let ensuring = association
        .ensuring_owner_was
        .as_ref()
        .map(|(name, holds)| {
            quote!(.with_ensuring_owner_was(::relata::callback::EnsuringOwnerWas::new(
                #name,
                &|record| ::relata::__private::holds::<#owner>(record, #holds),
            )))
        });
    let default = association.default.as_ref().map(|default| {
        quote!(.with_default(&|record| ::relata::__private::__default_target::<#owner, #target, _>(record, #default)))
    });
    let callbacks = association.callbacks.iter().map(|(event, function)| {
        let event = format_ident!("{event}");
        quote!(::relata::callback::MemberCallback::new(
            ::relata::callback::MemberEvent::#event,
            &|owner, member| ::relata::__private::member::<#owner, #target, _>(owner, member, #function),
        ))
    });
    let callbacks =
        (!association.callbacks.is_empty()).then(|| quote!(.with_callbacks(&[#(#callbacks),*])));
    let index_errors = association.index_errors.map(|by| {
        let by = format_ident!("{by}");
        quote!(.with_index_errors(::relata::reflection::IndexErrors::#by))
    });
    let nested = association.nested.as_ref().map(|one| {
        let nested = nested(owner, one);
        quote!(.with_nested_attributes(#nested))
    });
    let scope = association.scope.as_ref().map(|_| {
        let scope = scope_name(index);
        quote!(.with_scope(&#scope))
    });
    let default_order = association.default_order.as_ref().map(|_| {
        let order = default_order_name(index);
        quote!(.with_default_order(&#order))
    });
    let deprecated = association.deprecated.then(|| quote!(.with_deprecated()));
    let options = (!association.options.is_empty()).then(|| {
        let pairs = association
            .options
            .iter()
            .map(|(name, value)| quote!((#name, #value)));
        quote!(.with_options(&[#(#pairs),*]))
    });
    let doc = doc(&doc_of(&association.attrs), "with_doc");
    let leads_to = if association.polymorphic {
        quote_spanned!(span=> <#target as ::relata::Polymorphic>::TARGET)
    } else {
        quote!(::relata::reflection::Target::Model(#reflection))
    };
    let models = association
        .polymorphic
        .then(|| quote_spanned!(span=> .with_models(<#target as ::relata::Polymorphic>::MODELS)));
    let text = |with: &str, name: &Ident| {
        let (with, name) = (format_ident!("{with}"), plain(name));
        quote!(.#with(#name))
    };
    let interface = association.interface.iter();
    let interface = interface.map(|name| text("with_interface", name));
    let foreign_type = association.foreign_type.iter();
    let foreign_type = foreign_type.map(|name| text("with_foreign_type", name));
    let delegates = names(&association.delegates, "with_delegates");
    quote! {
        ::relata::reflection::AssociationReflection::#make(#name, #leads_to #between)
            #models #(#interface)* #(#foreign_type)* #delegates #foreign_key #primary_key #inverse #through #required #strict
            #autosave #validate #counter #touch #dependent #ensuring #default #callbacks #index_errors #nested #scope
            #default_order #deprecated #options #doc
    }
}

/// What `accepts_nested_attributes_for` says.
pub(super) fn nested(owner: &Ident, nested: &Nested) -> TokenStream {
    let flags = [
        (nested.allow_destroy, "allow_destroy"),
        (nested.update_only, "update_only"),
    ];
    let flags = flags.into_iter().filter(|(set, _)| *set);
    let flags = flags.map(|(_, name)| format_ident!("{name}"));
    let reject_if = nested.reject_if.as_ref().map(|reject_if| {
        let reject_if = match reject_if {
            RejectIf::AllBlank => quote!(AllBlank),
            RejectIf::When(holds) => quote!(When(&|record, given| {
                ::relata::__private::rejects::<#owner>(record, given, #holds)
            })),
        };
        quote!(.reject_if(::relata::callback::RejectIf::#reject_if))
    });
    let limit = nested.limit.as_ref().map(|limit| {
        let limit = match limit {
            MemberLimit::Number(number) => quote!(Number(#number)),
            MemberLimit::Of(of) => quote!(Of(&|record| {
                ::relata::__private::limit_of::<#owner>(record, #of)
            })),
        };
        quote!(.limit(::relata::callback::MemberLimit::#limit))
    });
    quote! {
        ::relata::reflection::NestedAttributes::new() #(.#flags())* #reject_if #limit
    }
}

fn scope_name(index: usize) -> Ident {
    format_ident!("SCOPE_{index}")
}

fn scope(owner: &Ident, association: &Association, index: usize) -> Option<TokenStream> {
    let closure = &association.scope.as_ref()?.closure;
    let (span, name) = (association.span, scope_name(index));
    let target = types::at(span, &association.target);
    if closure.inputs.len() == 2 {
        let apply = quote_spanned!(span=> ::relata::__private::scope_of_owner::<#owner, #target>);
        return Some(quote! {
            static #name: ::relata::relation::Scope =
                ::relata::relation::Scope::of_owner(&|relation, owner| #apply(relation, owner, #closure));
        });
    }
    let apply = quote_spanned!(span=> <#target as ::relata::Model>::__scope);
    Some(quote! {
        static #name: ::relata::relation::Scope = ::relata::relation::Scope::new(&|relation| #apply(relation, #closure));
    })
}

fn default_order_name(index: usize) -> Ident {
    format_ident!("DEFAULT_ORDER_{index}")
}

fn default_order(association: &Association, index: usize) -> Option<TokenStream> {
    let closure = association.default_order.as_ref()?;
    let (span, name) = (association.span, default_order_name(index));
    let target = types::at(span, &association.target);
    let apply = quote_spanned!(span=> <#target as ::relata::Model>::__scope);
    Some(quote! {
        static #name: ::relata::relation::Scope =
            ::relata::relation::Scope::new(&|relation| #apply(relation, |all| all.default_order(#closure)));
    })
}

fn default_scope_of(model: &Model) -> Option<TokenStream> {
    let (ident, closure) = (&model.ident, model.default_scope.as_ref()?);
    Some(quote! {
        static DEFAULT_SCOPE: ::relata::relation::Scope = ::relata::relation::Scope::new(
            &|relation| <#ident as ::relata::Model>::__scope(relation, #closure));
    })
}

fn names(idents: &[Ident], with: &str) -> Option<TokenStream> {
    let with = format_ident!("{with}");
    let names = idents.iter().map(plain);
    (!idents.is_empty()).then(|| quote!(.#with(&[#(#names),*])))
}

fn doc(text: &str, with: &str) -> Option<TokenStream> {
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

/// One `const` an association, evaluated by the compiler, at the token that it judges.
fn checks(model: &Model) -> TokenStream {
    let ident = &model.ident;
    let checks = model
        .associations
        .iter()
        .enumerate()
        .map(|(index, association)| {
            let index = inheritance::association(model, index);
            let target = types::at(association.span, &association.target);
            let call = |function: &str, span| {
                let function = Ident::new(function, span);
                let at = association.span;
                let target = quote_spanned!(at=> <#target as ::relata::Model>::SHAPE);
                quote_spanned!(span=> ::relata::reflection::shape::#function(
                &<#ident as ::relata::Model>::SHAPE, #index, &#target))
            };
            if association.kind == Macro::HasAndBelongsToMany {
                return TokenStream::new();
            }
            if association.through.is_some() {
                let check = through(model, association, &index);
                return check
                    .map(|check| quote!(const _: () = #check;))
                    .unwrap_or_default();
            }
            if association.polymorphic {
                let (at, span) = (association.span, association.key_span());
                let targets = quote_spanned!(at=> <#target as ::relata::Polymorphic>::SHAPES);
                let check = quote_spanned!(span=> ::relata::reflection::shape::check_polymorphic(
                    &<#ident as ::relata::Model>::SHAPE, #index, #targets));
                return quote!(const _: () = #check;);
            }
            let key = call("check_key", association.key_span());
            // Of a has_one or has_many, it names columns of this model, which are checked already.
            let primary = match association.primary_key.first() {
                Some(name) if association.kind == Macro::BelongsTo => {
                    let check = call("check_primary_key", name.span());
                    quote!(const _: () = #check;)
                }
                _ => TokenStream::new(),
            };
            let inverse = match &association.inverse_of {
                Inverse::Named(name) => {
                    let check = call("check_inverse", name.span());
                    quote!(const _: () = #check;)
                }
                Inverse::Automatic | Inverse::Off => TokenStream::new(),
            };
            quote!(const _: () = #key; #primary #inverse)
        });
    quote!(#(#checks)*)
}

/// The check of an association that goes through another of the model.
fn through(model: &Model, association: &Association, index: &TokenStream) -> Option<TokenStream> {
    let name = association.through.as_ref()?;
    let over = model.associations.iter().find(|one| one.ident == *name)?;
    // What is declared in the wrong order was told.
    if over.order >= association.order {
        return None;
    }
    let middle = types::at(over.span, &over.target);
    let written = association.source_type.as_ref();
    let span = written
        .or(association.source.as_ref())
        .unwrap_or(&association.ident)
        .span();
    let check = Ident::new("check_through", span);
    let (ident, names) = (&model.ident, association.source_names());
    Some(quote_spanned!(span=> ::relata::reflection::shape::#check(
        &<#ident as ::relata::Model>::SHAPE, #index, &<#middle as ::relata::Model>::SHAPE, &[#(#names),*])))
}

fn name_of_rows(model: &Model, association: &Association) -> String {
    let owner = relata_inflect::pluralize(&model.name().to_lowercase());
    let mut names = [owner, association.name.clone()];
    names.sort();
    names.join("_")
}

/// The table between a model and what it has and belongs to.
fn join_table((index, association): (usize, &Association)) -> Option<TokenStream> {
    if association.kind != Macro::HasAndBelongsToMany {
        return None;
    }
    let (table, name, span) = (
        format_ident!("JOIN_TABLE_{index}"),
        &association.name,
        association.span,
    );
    let target = types::at(span, &association.target);
    let reflection = quote_spanned!(span=> <#target as ::relata::Model>::reflection);
    let said = [
        (association.join_table.as_ref(), "with_table"),
        (association.foreign_key.first(), "with_foreign_key"),
        (
            association.association_foreign_key.as_ref(),
            "with_association_foreign_key",
        ),
    ];
    let said = said.into_iter().filter_map(|(said, with)| {
        let (said, with) = (plain(said?), format_ident!("{with}"));
        Some(quote!(.#with(#said)))
    });
    Some(quote! {
        static #table: ::relata::reflection::JoinTable =
            ::relata::reflection::JoinTable::new(#name, ::relata::reflection::Target::Model(#reflection)) #(#said)*;
    })
}

/// The association over the rows of that table.
fn rows_of(model: &Model, association: &Association, index: usize) -> Option<TokenStream> {
    if association.kind != Macro::HasAndBelongsToMany {
        return None;
    }
    let (table, name) = (
        format_ident!("JOIN_TABLE_{index}"),
        name_of_rows(model, association),
    );
    Some(quote!(::relata::reflection::AssociationReflection::rows_of(#name, &#table)))
}
