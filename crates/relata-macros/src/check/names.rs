//! Dangerous names: those of existing methods, and those that two fields would both generate.

use std::collections::HashMap;

use proc_macro2::Ident;

use super::reserved;
use crate::errors::Errors;
use crate::model::{Generated, Model, of_association, of_column};

/// One field, seen as the methods that it generates.
struct Field<'a> {
    ident: &'a Ident,
    name: &'a str,
    association: bool,
    generated: Vec<Generated>,
}

impl Field<'_> {
    fn what(&self) -> &'static str {
        if self.association {
            "association"
        } else {
            "attribute"
        }
    }
}

/// Tells every dangerous name, and gives the fields that must be left out.
pub(crate) fn check(model: &Model, errors: &mut Errors) -> Vec<Ident> {
    let columns = model.columns.iter().map(|column| Field {
        ident: &column.ident,
        name: &column.name,
        association: false,
        generated: of_column(column),
    });
    let associations = model.associations.iter().map(|association| Field {
        ident: &association.ident,
        name: &association.name,
        association: true,
        generated: of_association(association),
    });
    let fields: Vec<Field<'_>> = columns.chain(associations).collect();
    let mut dropped = Vec::new();
    let mut taken: HashMap<&str, (usize, bool)> = HashMap::new();
    for (position, field) in fields.iter().enumerate() {
        if let Some(message) = reserved(field, model).or_else(|| clash(field, &fields, &taken)) {
            errors.at(field.ident.span(), message);
            dropped.push(field.ident.clone());
            continue;
        }
        for generated in &field.generated {
            taken.insert(&generated.method, (position, generated.reader));
        }
    }
    dropped
}

fn reserved(field: &Field<'_>, model: &Model) -> Option<String> {
    let (generated, owner) = field
        .generated
        .iter()
        .find_map(|generated| Some((generated, reserved::owner(&generated.method)?)))?;
    let (what, name, method) = (field.what(), field.name, &generated.method);
    let model = model.name();
    let generates = if generated.reader {
        String::new()
    } else {
        format!(" generates a method {method}, which")
    };
    let subject = if generated.reader { "this" } else { "it" };
    let choose = if field.association {
        String::from("Please choose a different association name.")
    } else {
        format!(
            "Please choose a different name; the column keeps its own with #[column(name = \"{name}\")]."
        )
    };
    Some(format!(
        "You tried to define an {what} named {name} on the model {model}, but {subject}{generates} will conflict with a method \
         {method} already defined by {owner}. {choose}"
    ))
}

fn clash(
    field: &Field<'_>,
    fields: &[Field<'_>],
    taken: &HashMap<&str, (usize, bool)>,
) -> Option<String> {
    let (generated, &(other, reader)) = field
        .generated
        .iter()
        .find_map(|generated| Some((generated, taken.get(generated.method.as_str())?)))?;
    let (other, method) = (&fields[other], &generated.method);
    let name = field.name;
    if generated.reader && reader {
        return Some(format!(
            "`{name}` is declared twice: as an {} and as an {}",
            other.what(),
            field.what()
        ))
        .map(|both| {
            if other.association == field.association {
                format!("`{name}` is declared twice")
            } else {
                both
            }
        });
    }
    Some(match (generated.reader, reader) {
        (true, _) => format!(
            "`{name}` is a dangerous {} name: the {} `{}` generates a method `{method}()`; choose a different name",
            field.what(),
            other.what(),
            other.name
        ),
        (false, true) => format!(
            "the {} `{name}` generates a method `{method}()`, but `{method}` is an {} already; rename one of them",
            field.what(),
            other.what()
        ),
        (false, false) => format!(
            "the {} `{name}` and the {} `{}` both generate a method `{method}()`; rename one of them",
            field.what(),
            other.what(),
            other.name
        ),
    })
}
