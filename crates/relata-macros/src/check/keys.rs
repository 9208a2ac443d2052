//! Keys and timestamps: every column that the declaration names must be a field.

use std::collections::HashMap;

use proc_macro2::Ident;

use crate::errors::{Errors, hint, list};
use crate::model::{Association, Locking, Macro, Model, PrimaryKey, Timestamps, owned_path, plain};

/// Tells every key that names no field.
pub(crate) fn check(model: &Model, dropped: &[Ident], errors: &mut Errors) {
    if model.columns.is_empty() && model.broken {
        return;
    }
    primary(model, errors);
    columns(model, errors);
    if let Timestamps::Named { created, updated } = &model.timestamps {
        for name in created.iter().chain(updated) {
            known(model, std::slice::from_ref(name), "timestamps", errors);
        }
    }
    if let Locking::Named(name) = &model.locking {
        known(model, std::slice::from_ref(name), "locking_column", errors);
    }
    version(model, errors);
    let own = model.columns.iter().flat_map(|column| &column.validations);
    for validation in own {
        for name in validation.names() {
            known(model, std::slice::from_ref(name), validation.name(), errors);
        }
    }
    for association in &model.associations {
        if association.faulty || dropped.contains(&association.ident) {
            continue;
        }
        if !model.query_constraints.is_empty() && association.foreign_key.is_empty() {
            let message = format!(
                "`{}` has `query_constraints`, so its associations name their keys: `#[{}(foreign_key = (...))]`",
                model.name(),
                association.kind.name()
            );
            errors.at(association.ident.span(), message);
            continue;
        }
        match association.kind {
            // It has no key of its own.
            _ if association.through.is_some() => {}
            Macro::HasAndBelongsToMany => {}
            Macro::BelongsTo => belongs_to(model, association, errors),
            Macro::HasOne | Macro::HasMany => referred(model, association, errors),
        }
    }
}

fn primary(model: &Model, errors: &mut Errors) {
    let name = model.name();
    if let Some(base) = &model.base {
        let written = [
            (model.table.is_some(), "table"),
            (
                !matches!(model.primary_key, PrimaryKey::Convention),
                "primary_key",
            ),
            (
                !matches!(model.timestamps, Timestamps::Conventional),
                "timestamps",
            ),
            (!model.subclasses.is_empty(), "subclasses"),
            (model.inheritance_column.is_some(), "inheritance_column"),
        ];
        for (_, option) in written.into_iter().filter(|(written, _)| *written) {
            let message = format!("a subclass has its base's table: `{option}` is said there");
            errors.on(base, message);
        }
        return;
    }
    if !model.subclasses.is_empty() || model.inheritance_column.is_some() {
        let ty = model.type_name();
        if model.position(&ty).is_none() && !model.broken {
            let field = if ty == "type" { "r#type" } else { ty.as_str() };
            let message = format!(
                "the rows of `{name}` are of several classes, and no column says of which: add `{field}: Option<String>`, \
                 or name another with `inheritance_column`"
            );
            errors.at(model.ident.span(), message);
        }
    }
    match &model.primary_key {
        PrimaryKey::None => {}
        PrimaryKey::Convention if model.position("id").is_none() => {
            if !model.broken {
                let message = format!(
                    "`{name}` has no primary key: declare `id: i64`, name another column with \
                     `#[model(primary_key = ...)]`, or write `#[model(primary_key = none)]`"
                );
                errors.at(model.ident.span(), message);
            }
        }
        PrimaryKey::Convention => {}
        PrimaryKey::Names(names) => {
            known(model, names, "primary_key", errors);
            repeated(names, "primary_key", errors);
            if names.len() > 4 {
                errors.at(names[4].span(), "a primary key has at most four columns");
            }
        }
    }
    known(model, &model.query_constraints, "query_constraints", errors);
    repeated(&model.query_constraints, "query_constraints", errors);
    for position in model.key() {
        let column = &model.columns[position];
        if owned_path(&column.ty).is_some_and(|(name, ..)| name == "Option") {
            let message = format!(
                "`{}` is the primary key of `{name}`, so it is never null: leave the `Option` out",
                column.name
            );
            errors.on(&column.ty, message);
        }
    }
}

/// A version is counted: what it is kept in is a signed integer.
fn version(model: &Model, errors: &mut Errors) {
    let name = match &model.locking {
        Locking::Off => return,
        Locking::Conventional => String::from("lock_version"),
        Locking::Named(name) => plain(name),
    };
    let Some(position) = model.position(&name) else {
        return;
    };
    let ty = &model.columns[position].ty;
    let counts = |ty: &syn::Type| {
        owned_path(ty).is_some_and(|(name, ..)| ["i16", "i32", "i64"].contains(&name.as_str()))
    };
    let held = match owned_path(ty) {
        Some((name, _, Some(inner))) if name == "Option" => inner,
        _ => ty,
    };
    if !counts(held) {
        let message = format!(
            "`{name}` holds the version of a row, which is counted: declare `{name}: i64`, or write \
             `#[model(locking_column = none)]`"
        );
        errors.on(ty, message);
    }
}

/// Two fields must not name the same column.
fn columns(model: &Model, errors: &mut Errors) {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for column in &model.columns {
        if let Some(other) = seen.insert(column.column_name(), &column.name)
            && other != column.name
        {
            let message = format!(
                "`{other}` and `{}` are both the column \"{}\"",
                column.name,
                column.column_name()
            );
            match &column.column {
                Some(name) => errors.on(name, message),
                None => errors.at(column.ident.span(), message),
            }
        }
    }
}

fn belongs_to(model: &Model, association: &Association, errors: &mut Errors) {
    let missing = association
        .key_names()
        .into_iter()
        .find(|name| model.position(name).is_none());
    if !association.foreign_key.is_empty() {
        known(model, &association.foreign_key, "foreign_key", errors);
        repeated(&association.foreign_key, "foreign_key", errors);
    } else if let Some(missing) = missing {
        let nullable = if association.optional {
            "Option<i64>"
        } else {
            "i64"
        };
        let near = hint(&missing, &model.column_names());
        let message = format!(
            "`{}` belongs to `{}`, but has no foreign key column: add `{missing}: {nullable}`, or name another with \
             `#[belongs_to(foreign_key = ...)]`{near}",
            model.name(),
            association.name
        );
        errors.at(association.key_span(), message);
    }
    let ty = association.type_name();
    if association.polymorphic && model.position(&ty).is_none() && !model.broken {
        let nullable = if association.optional {
            "Option<String>"
        } else {
            "String"
        };
        let message = format!(
            "`{}` belongs to a `{}` of any of several models, but has no column that says which: add `{ty}: {nullable}`, or \
             name another with `foreign_type`{}",
            model.name(),
            association.name,
            hint(&ty, &model.column_names())
        );
        errors.at(association.key_span(), message);
    }
    repeated(&association.primary_key, "primary_key", errors);
}

/// The `primary_key` of a `has_one` or `has_many` names fields of this model.
fn referred(model: &Model, association: &Association, errors: &mut Errors) {
    known(model, &association.primary_key, "primary_key", errors);
    repeated(&association.primary_key, "primary_key", errors);
    repeated(&association.foreign_key, "foreign_key", errors);
    if association.primary_key.is_empty() && matches!(model.primary_key, PrimaryKey::None) {
        let message = format!(
            "`{0}` has no primary key for `{1}` to refer to: name a column with `#[{2}(primary_key = ...)]`",
            model.name(),
            association.name,
            association.kind.name()
        );
        errors.at(association.ident.span(), message);
    }
}

fn known(model: &Model, names: &[Ident], option: &str, errors: &mut Errors) {
    for ident in names {
        let name = plain(ident);
        if model.position(&name).is_some() {
            continue;
        }
        let columns = model.column_names();
        let message = if model
            .associations
            .iter()
            .any(|association| association.name == name)
        {
            format!(
                "`{option}` names columns, and `{name}` is an association of `{}`",
                model.name()
            )
        } else if model.broken {
            continue;
        } else {
            format!(
                "`{}` has no column `{name}`{}\nits columns are {}",
                model.name(),
                hint(&name, &columns),
                list(&columns)
            )
        };
        errors.at(ident.span(), message);
    }
}

fn repeated(names: &[Ident], option: &str, errors: &mut Errors) {
    for (at, name) in names.iter().enumerate() {
        if names[..at].contains(name) {
            errors.at(name.span(), format!("`{option}` names `{name}` twice"));
        }
    }
}
