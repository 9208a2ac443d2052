//! Validations as data, in the order of the fields.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};

use super::types;
use crate::model::{Column, Condition, Limit, Model, Only, Rule, Validation, plain};

/// `.with_validations(...)`, if there are some.
pub(crate) fn validations(model: &Model) -> Option<TokenStream> {
    // A validation stands below the associations of the fields above its own, and below its own association.
    let below = |order: usize, own: usize| {
        let above = model.associations.iter().filter(|one| one.order < order);
        let own = above.count() + own;
        match model.base {
            // Those of its base stand above its own.
            Some(_) => quote!({ BASE.associations().len() + #own }),
            None => quote!(#own),
        }
    };
    let columns = model
        .columns
        .iter()
        .enumerate()
        .flat_map(|(index, column)| {
            let emitted = move |validation| {
                (
                    column.order,
                    one(
                        model,
                        &column.name,
                        validation,
                        Some((index, column)),
                        below(column.order, 0),
                    ),
                )
            };
            column.validations.iter().map(emitted)
        });
    let associations = model.associations.iter().flat_map(|association| {
        let emitted = move |validation| {
            (
                association.order,
                one(
                    model,
                    &association.name,
                    validation,
                    None,
                    below(association.order, 1),
                ),
            )
        };
        association.validations.iter().map(emitted)
    });
    let passwords = model.columns.iter().filter_map(|column| {
        let name = &column.password.as_ref().filter(|one| one.validations)?.name;
        let below = below(column.order, 0);
        let validation =
            quote!(::relata::validation::Validation::secure_password(#name).below(#below));
        Some((column.order, validation))
    });
    let labels = model.columns.iter().filter_map(|column| {
        let allow_null = column.enumeration.as_ref()?.validate?;
        let (name, below) = (&column.name, below(column.order, 0));
        let allow_null = allow_null.then(|| quote!(.allow_null()));
        let validation =
            quote!(::relata::validation::Validation::labels(#name) #allow_null .below(#below));
        Some((column.order, validation))
    });
    let mut all: Vec<_> = columns
        .chain(passwords)
        .chain(labels)
        .chain(associations)
        .collect();
    all.sort_by_key(|(order, _)| *order);
    let all = all.iter().map(|(_, validation)| validation);
    let mut all = all.peekable();
    all.peek()?;
    Some(quote!(.with_validations(&[#(#all),*])))
}

fn one(
    model: &Model,
    name: &str,
    validation: &Validation,
    column: Option<(usize, &Column)>,
    below: TokenStream,
) -> TokenStream {
    let make = rule(model, name, &validation.rule, column);
    let only = only(&model.ident, &validation.only);
    let message = validation
        .only
        .message
        .as_ref()
        .map(|message| quote!(.message(#message)));
    let flags = [
        (validation.only.allow_null, "allow_null"),
        (validation.only.allow_blank, "allow_blank"),
        (validation.only.strict, "strict"),
    ];
    let flags = flags
        .into_iter()
        .filter(|(set, _)| *set)
        .map(|(_, name)| format_ident!("{name}"));
    quote!(::relata::validation::Validation::#make #message #(.#flags())* #only .below(#below))
}

/// `.on(...)` and `.only_if(...)`, as validations and callbacks have them.
pub(crate) fn only(model: &impl quote::ToTokens, only: &Only) -> TokenStream {
    let on = (!only.on.is_empty()).then(|| {
        let contexts = only.on.iter().map(plain);
        quote!(.on(&[#(#contexts),*]))
    });
    let conditions = only.conditions.iter().map(|Condition { function, holds }| {
        quote!(::relata::__private::holds::<#model>(record, #function) == #holds)
    });
    let condition =
        (!only.conditions.is_empty()).then(|| quote!(.only_if(&|record| #(#conditions)&&*)));
    quote!(#on #condition)
}

fn rule(model: &Model, name: &str, rule: &Rule, column: Option<(usize, &Column)>) -> TokenStream {
    let ident = &model.ident;
    match rule {
        Rule::Presence => quote!(presence(#name)),
        Rule::Absence => quote!(absence(#name)),
        Rule::Associated => quote!(associated(#name)),
        Rule::Acceptance => quote!(acceptance(#name)),
        Rule::Confirmation { case_sensitive } => quote!(confirmation(#name, #case_sensitive)),
        Rule::Length { min, max, is } => {
            let [min, max, is] = [min, max, is].map(|limit| match limit {
                Some(limit) => quote!(::core::option::Option::Some(#limit)),
                None => quote!(::core::option::Option::None),
            });
            quote!(length(#name, ::relata::validation::Length { min: #min, max: #max, is: #is }))
        }
        Rule::Numericality {
            only_integer,
            odd,
            even,
            limits,
        } => {
            let limits = limits.iter().map(|(how, limit)| {
                let (how, limit) = (format_ident!("{how}"), held_against(ident, limit));
                quote!((::relata::validation::Comparison::#how, #limit))
            });
            quote!(numericality(#name, ::relata::validation::Numericality {
                only_integer: #only_integer, odd: #odd, even: #even, limits: &[#(#limits),*],
            }))
        }
        Rule::Comparison(how, limit) => {
            let (how, limit) = (format_ident!("{how}"), held_against(ident, limit));
            quote!(comparison(#name, ::relata::validation::Comparison::#how, #limit))
        }
        Rule::Format { form, without } => {
            let make = if *without {
                quote!(format_without)
            } else {
                quote!(format)
            };
            quote!(#make(#name, &|text: &::core::primitive::str| -> ::core::primitive::bool { (#form)(text) }))
        }
        Rule::Inclusion(list) => {
            let list = list.iter().map(|limit| held_against(ident, limit));
            quote!(inclusion(#name, &[#(#list),*]))
        }
        Rule::Exclusion(list) => {
            let list = list.iter().map(|limit| held_against(ident, limit));
            quote!(exclusion(#name, &[#(#list),*]))
        }
        Rule::Uniqueness {
            scope,
            case_sensitive,
            conditions,
        } => {
            let scope = scope.iter().map(plain);
            let conditions = match conditions {
                Some(closure) => quote!(::core::option::Option::Some(const {
                    &::relata::relation::Scope::new(&|relation| <#ident as ::relata::Model>::__scope(relation, #closure))
                })),
                None => quote!(::core::option::Option::None),
            };
            quote!(uniqueness(#name, ::relata::validation::Uniqueness {
                scope: &[#(#scope),*], case_sensitive: #case_sensitive, conditions: #conditions,
            }))
        }
        Rule::Custom(function) => match column {
            Some((index, column)) => {
                let ty = types::at(types::span_of(&column.ty), &column.ty);
                let index = super::inheritance::column(model, index);
                // At the user's own token, where the function does not suit the value.
                let at = syn::spanned::Spanned::span(function);
                let value =
                    quote_spanned!(at=> <#ty as ::relata::Attribute>::__read(record, #index));
                let verdict = match function {
                    syn::Expr::Path(_) => {
                        quote_spanned!(at=> ::relata::__private::judged(#value, #function))
                    }
                    _ => quote_spanned!(at=> ::relata::__private::verdict((#function)(#value))),
                };
                quote!(check(#name, &|record| #verdict))
            }
            None => quote!(presence(#name)),
        },
    }
}

fn held_against(model: &syn::Ident, limit: &Limit) -> TokenStream {
    match limit {
        Limit::Literal(variant, value) => {
            let variant = format_ident!("{variant}");
            quote!(::relata::validation::Limit::#variant(#value))
        }
        Limit::Attribute(name) => {
            let name = plain(name);
            quote!(::relata::validation::Limit::Other(#name))
        }
        Limit::Computed(function) => quote!(
            ::relata::validation::Limit::Computed(&|record| ::relata::__private::computed::<#model, _>(record, #function))
        ),
    }
}
