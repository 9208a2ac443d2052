//! One field: which attributes say what it is, a column or an association.

use proc_macro2::Ident;
use syn::{Attribute, Type, Visibility};

use super::options::{Known, of_attribute};
use super::{association, column, enumeration, nested, password, store, validates};
use crate::errors::{Errors, hint, list};
use crate::model::{
    Association, Column, Enumeration, Macro, Normalization, Password, StoreAccessor, Validation,
    is_plain, unwrapped,
};

/// Attributes of a field that are ours.
const OURS: &[&str] = &[
    "column",
    "validates",
    "attr_readonly",
    "normalizes",
    "enumeration",
    "has_secure_password",
    "store_accessor",
    "belongs_to",
    "has_one",
    "has_many",
    "has_and_belongs_to_many",
    "delegated_type",
];

/// Attributes that Rails' models have and that are not supported yet.
const LATER: &[&str] = &["encrypts", "has_secure_token", "generates_token_for"];

/// Attributes of the language that go on the reader.
const FORWARDED: &[&str] = &[
    "doc",
    "deprecated",
    "allow",
    "expect",
    "warn",
    "deny",
    "forbid",
];

/// What a field declares.
pub(crate) enum Field {
    Column(Box<Column>),
    Association(Box<Association>),
}

/// What is found to both.
pub(crate) struct Declared {
    pub(crate) ident: Ident,
    pub(crate) vis: Option<Visibility>,
    pub(crate) ty: Type,
    /// Attributes that go on the reader.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) validations: Vec<Validation>,
    pub(crate) readonly: bool,
    pub(crate) normalization: Option<Normalization>,
    pub(crate) enumeration: Option<Enumeration>,
    pub(crate) password: Option<Password>,
    pub(crate) stores: Vec<StoreAccessor>,
    pub(crate) order: usize,
}

/// The field, or nothing when what it is cannot be told.
pub(crate) fn field(declared: syn::Field, order: usize, errors: &mut Errors) -> Option<Field> {
    let ident = declared.ident?;
    let mut found = Declared {
        ident,
        vis: (!matches!(declared.vis, Visibility::Inherited)).then_some(declared.vis),
        ty: declared.ty,
        attrs: Vec::new(),
        validations: Vec::new(),
        readonly: false,
        normalization: None,
        enumeration: None,
        password: None,
        stores: Vec::new(),
        order,
    };
    if let Some((equals, _)) = &declared.default {
        errors.on(
            equals,
            "the default of a column is written `#[column(default = ...)]`",
        );
    }
    let written = written(declared.attrs, &mut found, errors);
    if let [(first, _), rest @ ..] = written.associations.as_slice()
        && let Some((second, attribute)) = rest.first()
    {
        let message = if first == second {
            format!(
                "`{}` is written twice: put all options in one `#[{}(...)]`",
                second.name(),
                second.name()
            )
        } else {
            format!(
                "`{}` cannot be both a {} and a {}",
                found.ident,
                first.name(),
                second.name()
            )
        };
        errors.on(attribute, message);
    }
    if let Some((kind, attribute)) = written.associations.into_iter().next() {
        refuse_of_columns(&found, &written.columns, errors);
        let found = association::association(kind, &attribute, found, errors)?;
        return Some(Field::Association(Box::new(found)));
    }
    let mut validations = found.validations.iter();
    if validations.any(|one| one.name() == "associated") {
        errors.at(
            found.ident.span(),
            format!(
                "`{}` is no association: `associated` is for associations",
                found.ident
            ),
        );
    } else if let Some(name) = written.refused
        && !is_plain(&found.ty)
    {
        let found = association::guessed(meant(&name)?, found, errors)?;
        return Some(Field::Association(Box::new(found)));
    }
    let found = column::column(&written.columns, found, errors)?;
    Some(Field::Column(Box::new(found)))
}

/// The attributes that say what a field is.
#[derive(Default)]
struct Written {
    columns: Vec<Attribute>,
    associations: Vec<(Macro, Attribute)>,
    /// The name of the last one that is not known.
    refused: Option<String>,
}

/// Takes the attributes: what both may have is noted with what was found.
fn written(attributes: Vec<Attribute>, found: &mut Declared, errors: &mut Errors) -> Written {
    let mut written = Written::default();
    for attribute in attributes {
        let name = attribute
            .path()
            .segments
            .last()
            .map(|segment| segment.ident.to_string())
            .unwrap_or_default();
        match name.as_str() {
            "column" => written.columns.push(attribute),
            "validates" => found
                .validations
                .extend(validates::validations(&attribute, errors)),
            "attr_readonly" => {
                let none = Known {
                    attribute: "#[attr_readonly]",
                    now: &[],
                    later: &[],
                    instead: &[],
                };
                of_attribute(&attribute, &none, errors);
                found.readonly = true;
            }
            "normalizes" => found.normalization = normalization(&attribute, errors),
            "has_secure_password" => {
                found.password = password::password(&attribute, &found.ident, errors);
            }
            "store_accessor" => {
                let accessors = store::accessors(&attribute, &found.ident, &found.ty, errors);
                found.stores.extend(accessors);
            }
            "enumeration" => {
                let name = crate::model::plain(&found.ident);
                found.enumeration = enumeration::enumeration(&attribute, &name, errors);
            }
            name if FORWARDED.contains(&name) => found.attrs.push(attribute),
            "delegated_type" => written.associations.push((Macro::BelongsTo, attribute)),
            name => match Macro::named(name) {
                Some(kind) => written.associations.push((kind, attribute)),
                None => {
                    refuse(name, &attribute, errors);
                    written.refused = Some(name.to_owned());
                }
            },
        }
    }
    written
}

/// Refuses what only a column can have, of an association.
fn refuse_of_columns(found: &Declared, columns: &[Attribute], errors: &mut Errors) {
    for column in columns {
        errors.on(
            column,
            format!(
                "`{}` is an association, and an association has no column of its own: \
                put `#[column]` on its key",
                found.ident
            ),
        );
    }
    let of_columns = [
        (found.readonly, "put `#[attr_readonly]` on its key"),
        (
            found.normalization.is_some(),
            "`#[normalizes]` is for columns",
        ),
        (
            found.password.is_some(),
            "`#[has_secure_password]` stands on the column of the digest",
        ),
        (
            !found.stores.is_empty(),
            "`#[store_accessor]` stands on the column of the document",
        ),
        (
            found.enumeration.is_some(),
            "`#[enumeration]` is for columns",
        ),
    ];
    for (_, hint) in of_columns.iter().filter(|(written, _)| *written) {
        let message = format!("`{}` is an association: {hint}", found.ident);
        errors.at(found.ident.span(), message);
    }
    for validation in &found.validations {
        if !validation.suits_association() {
            errors.at(
                found.ident.span(),
                format!(
                    "`{}` is an association: it can be validated by `presence`, `absence`, `length` and \
                     `associated`, not by `{}`",
                    found.ident,
                    validation.name()
                ),
            );
        }
    }
}

/// `#[normalizes(with = |email| ...)]`.
fn normalization(attribute: &Attribute, errors: &mut Errors) -> Option<Normalization> {
    let known = Known {
        attribute: "#[normalizes]",
        now: &["with", "apply_to_null"],
        later: &[],
        instead: &[(
            "apply_to_nil",
            "Rust has no nil: the option is called `apply_to_null`",
        )],
    };
    let (mut with, mut null, before) = (None, false, errors.count());
    for entry in of_attribute(attribute, &known, errors) {
        if entry.name() == "with" {
            let function = entry.value("|email| email.trim().to_lowercase()");
            with = errors.take(function.cloned());
        } else {
            null = errors.take(entry.flag()).unwrap_or_default();
        }
    }
    if with.is_none() && errors.count() == before {
        let message = "`#[normalizes]` says what a value becomes: \
                       `#[normalizes(with = |email| email.trim().to_lowercase())]`";
        errors.on(attribute, message);
    }
    Some(Normalization { with: with?, null })
}

/// The macro that an unknown attribute was probably meant to be.
fn meant(name: &str) -> Option<Macro> {
    relata_inflect::nearest(name, OURS).and_then(Macro::named)
}

fn refuse(name: &str, attribute: &Attribute, errors: &mut Errors) {
    let message = match name {
        _ if LATER.contains(&name) => format!("`#[{name}]` is not supported yet"),
        "cfg" | "cfg_attr" => String::from(
            "the columns of a model cannot depend on `cfg`: put it on the model, and declare the model twice",
        ),
        "id" | "key" | "primary_key" => String::from(
            "the primary key is named on the struct: `#[model(primary_key = ...)]`; a field `id` is it by convention",
        ),
        "readonly" => {
            String::from("a column that a saved record keeps is marked `#[attr_readonly]`")
        }
        "enum" => String::from(
            "the labels of an enum are named with `#[enumeration(values = (Draft, Live))]`",
        ),
        "validate" => String::from("the attribute is called `validates`: `#[validates(presence)]`"),
        nested::NAME => format!("`#[{name}]` stands on the model: write it under `#[model]`"),
        "default" => String::from("the default of a column is written `#[column(default = ...)]`"),
        "serde" => String::from("`#[serde]` is not supported on a field of a model"),
        _ => format!(
            "a field of a model has no attribute `#[{name}]`{}\nthey are {}",
            hint(name, OURS),
            list(
                &OURS
                    .iter()
                    .map(|name| format!("#[{name}]"))
                    .collect::<Vec<_>>()
            )
        ),
    };
    errors.on(attribute.path(), message);
}

/// Whether the type is one that no field of a model can have; told if it is.
pub(crate) fn borrowed(ty: &Type, errors: &mut Errors) -> bool {
    let message = match unwrapped(ty) {
        Type::Reference(_) => {
            "a column owns its value, so its type is not a reference; the reader gives one: \
                               declare `String` and read `&str`"
        }
        Type::Tuple(_) => "a column holds one value: declare a field for each part of the tuple",
        Type::ImplTrait(_) | Type::TraitObject(_) | Type::Infer(_) | Type::Never(_) => {
            "a column needs one concrete type"
        }
        Type::Slice(_) => "a column owns its value: declare `Vec<u8>` and read `&[u8]`",
        Type::Path(path) => match path.path.get_ident().map(ToString::to_string).as_deref() {
            Some("usize" | "isize") => {
                "a column has the same size on every machine: declare `i64`, or `u64` for what has no sign"
            }
            Some("u128" | "i128") => {
                "an integer column has at most 64 bits: declare `i64`, or `Uuid` for what identifies"
            }
            Some("char") => "a column holds text, of any length: declare `String`",
            _ => return false,
        },
        _ => return false,
    };
    errors.on(ty, message);
    true
}
