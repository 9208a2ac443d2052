//! The item under `#[model]`: what it must be, its derives, and its fields.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Attribute, Fields, Item, ItemStruct, Path, Token};

use super::field::{Field, field};
use super::nested;
use super::table::{self, Table};
use crate::errors::Errors;
use crate::model::Model;

/// The model that the tokens declare. Without one there is nothing to emit but the item as it was written.
pub(crate) fn declaration(
    options: TokenStream,
    item: TokenStream,
    errors: &mut Errors,
) -> Result<Model, TokenStream> {
    let item = match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Struct(item)) => item,
        Ok(other) => {
            let hint = match &other {
                Item::Enum(_) => "; the type of a column is marked `#[derive(relata::Attribute)]`",
                _ => "",
            };
            errors.on(
                named(&other),
                format!(
                    "a model is a struct with named fields, `struct Post {{ id: i64, ... }}`{hint}"
                ),
            );
            return Err(other.to_token_stream());
        }
        Err(error) => {
            errors.push(error);
            return Err(item);
        }
    };
    Ok(structure(options, item, errors))
}

fn named(item: &Item) -> TokenStream {
    match item {
        Item::Enum(item) => item.ident.to_token_stream(),
        Item::Union(item) => item.ident.to_token_stream(),
        Item::Fn(item) => item.sig.ident.to_token_stream(),
        Item::Trait(item) => item.ident.to_token_stream(),
        Item::Type(item) => item.ident.to_token_stream(),
        Item::Mod(item) => item.ident.to_token_stream(),
        other => other.to_token_stream(),
    }
}

fn structure(options: TokenStream, item: ItemStruct, errors: &mut Errors) -> Model {
    let Table {
        table,
        primary_key,
        query_constraints,
        strict_loading,
        timestamps,
        locking,
        default_scope,
        base,
        subclasses,
        inheritance_column,
        polymorphic_name,
    } = table::table(options, errors);
    let mut model = Model {
        attrs: attributes(&item, errors),
        vis: item.vis,
        ident: item.ident,
        table,
        primary_key,
        query_constraints,
        strict_loading,
        timestamps,
        locking,
        default_scope,
        base,
        subclasses,
        inheritance_column,
        polymorphic_name,
        columns: Vec::new(),
        associations: Vec::new(),
        inherited_nested: Vec::new(),
        broken: false,
    };
    let name = model.name();
    if !item.generics.params.is_empty() {
        let message = format!(
            "a model is one table, so `{name}` takes no type parameters, lifetimes or constants"
        );
        errors.on(&item.generics, message);
        model.broken = true;
        return model;
    }
    if let Some(clause) = &item.generics.where_clause {
        errors.on(
            clause,
            format!("a model is one table, so `{name}` has no `where` clause"),
        );
    }
    match item.fields {
        Fields::Named(fields) => {
            for (order, declared) in fields.named.into_iter().enumerate() {
                match field(declared, order, errors) {
                    Some(Field::Column(column)) => model.columns.push(*column),
                    Some(Field::Association(association)) => model.associations.push(*association),
                    None => model.broken = true,
                }
            }
        }
        Fields::Unnamed(fields) => {
            let message =
                format!("the fields of a model are named: `struct {name} {{ id: i64, ... }}`");
            errors.at(fields.span(), message);
            model.broken = true;
        }
        Fields::Unit => {
            let message =
                format!("a model has fields, its columns: `struct {name} {{ id: i64, ... }}`");
            errors.at(model.ident.span(), message);
            model.broken = true;
        }
    }
    for attribute in item
        .attrs
        .iter()
        .filter(|one| one.path().is_ident(nested::NAME))
    {
        nested::nested(attribute, &mut model, errors);
    }
    model
}

/// The attributes that go on; derives and representations are told.
fn attributes(item: &ItemStruct, errors: &mut Errors) -> Vec<Attribute> {
    let model = item.ident.to_string();
    item.attrs
        .iter()
        .filter(|attribute| {
            if attribute.path().is_ident("derive") {
                derives(attribute, &model, errors);
                return false;
            }
            if attribute.path().is_ident(nested::NAME) {
                return false;
            }
            let path = attribute.path();
            let ours = path.segments.len() == 2
                && path.segments[0].ident == "relata"
                && path.segments[1].ident == "model";
            if ours || path.is_ident("model") {
                errors.on(
                    attribute,
                    format!(
                        "`#[model]` is written twice on `{model}`: write all its options in one"
                    ),
                );
                return false;
            }
            if attribute.path().is_ident("repr") {
                errors.on(
                    attribute,
                    format!("`{model}` is a handle to a record, so its layout cannot be chosen"),
                );
                return false;
            }
            true
        })
        .cloned()
        .collect()
}

fn derives(attribute: &Attribute, model: &str, errors: &mut Errors) {
    let parser = syn::punctuated::Punctuated::<Path, Token![,]>::parse_terminated;
    let Some(paths) = errors.take(attribute.parse_args_with(parser)) else {
        return;
    };
    for path in paths {
        let name = path
            .segments
            .last()
            .map(|segment| segment.ident.to_string())
            .unwrap_or_default();
        let reason = match name.as_str() {
            "Clone" | "Debug" | "PartialEq" | "Eq" | "Hash" => {
                format!(
                    "`#[model]` implements `{name}` for `{model}` already: take it out of the derive"
                )
            }
            "Serialize" => format!(
                "`{model}` implements `Serialize` with the feature `serde` of relata: take it out of the derive"
            ),
            "Copy" => format!(
                "`{model}` is a handle that keeps its record alive, so it is not `Copy`; `clone()` is cheap"
            ),
            "Default" => {
                format!(
                    "a record needs its database, so `{model}` has no `Default`: write `{model}::new(&db)`"
                )
            }
            "PartialOrd" | "Ord" => {
                "records have no order of their own: sort by an attribute, `sort_by_key(|record| record.id())`".to_owned()
            }
            _ => format!(
                "`derive({name})` would see the handle and not the columns of `{model}`: implement `{name}` by hand"
            ),
        };
        errors.on(&path, reason);
    }
}
