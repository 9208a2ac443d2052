//! What the tables of a model say of one association, and the tables and scopes that it brings along.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::reflection::{doc, names};
use super::types;
use crate::model::{
    Association, Inverse, Macro, MemberLimit, Model, Nested, RejectIf, doc_of, plain,
};

/// Its entry in the table of associations.
pub(super) fn association(model: &Model, association: &Association, index: usize) -> TokenStream {
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
    let (found_by, acts) = (found_by(association), acts(model, association));
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
    quote! {
        ::relata::reflection::AssociationReflection::#make(#name, #leads_to #between)
            #found_by #required #strict #autosave #validate #acts #scope #default_order #deprecated #options #doc
    }
}

/// By which keys, and over what, an association finds its targets.
fn found_by(association: &Association) -> TokenStream {
    let (span, target) = (
        association.span,
        types::at(association.span, &association.target),
    );
    // That of rows between is a column of theirs.
    let foreign_key = match association.kind {
        Macro::HasAndBelongsToMany => None,
        _ => names(&association.foreign_key, "with_foreign_key"),
    };
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
        #models #(#interface)* #(#foreign_type)* #delegates #foreign_key #primary_key #inverse #through
    }
}

/// What an association does by itself, and with its members.
fn acts(model: &Model, association: &Association) -> TokenStream {
    let target = types::at(association.span, &association.target);
    let counter = association.counter_cache.as_ref().map(|counter| {
        let column = match &counter.column {
            Some(column) => plain(column),
            None if association.kind.is_collection() => format!("{}_count", association.name),
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
    quote! {
        #counter #touch #dependent #ensuring #default #callbacks #index_errors #nested
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

pub(super) fn scope(owner: &Ident, association: &Association, index: usize) -> Option<TokenStream> {
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

pub(super) fn default_order(association: &Association, index: usize) -> Option<TokenStream> {
    let closure = association.default_order.as_ref()?;
    let (span, name) = (association.span, default_order_name(index));
    let target = types::at(span, &association.target);
    let apply = quote_spanned!(span=> <#target as ::relata::Model>::__scope);
    Some(quote! {
        static #name: ::relata::relation::Scope =
            ::relata::relation::Scope::new(&|relation| #apply(relation, |all| all.default_order(#closure)));
    })
}

fn name_of_rows(model: &Model, association: &Association) -> String {
    let owner = relata_inflect::pluralize(&model.name().to_lowercase());
    let mut names = [owner, association.name.clone()];
    names.sort();
    names.join("_")
}

/// The table between a model and what it has and belongs to.
pub(super) fn join_table((index, association): (usize, &Association)) -> Option<TokenStream> {
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
pub(super) fn rows_of(
    model: &Model,
    association: &Association,
    index: usize,
) -> Option<TokenStream> {
    if association.kind != Macro::HasAndBelongsToMany {
        return None;
    }
    let (table, name) = (
        format_ident!("JOIN_TABLE_{index}"),
        name_of_rows(model, association),
    );
    Some(quote!(::relata::reflection::AssociationReflection::rows_of(#name, &#table)))
}
