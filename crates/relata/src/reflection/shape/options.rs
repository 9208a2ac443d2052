//! What options of an association name in other models: types, the models of an enum.

use super::{Shape, about, fail, same};
use crate::attribute::value::Kind;
use crate::reflection::AssociationReflection;

/// Checks that the column which says of which model a target is holds text.
#[track_caller]
pub(super) const fn check_type_column(owner: &Shape, association: usize) {
    let declared = &owner.associations[association];
    let mut at = 0;
    while at < owner.columns.len() {
        let column = &owner.columns[at];
        let is_it = match declared.foreign_type {
            Some(name) => same(column.name, name),
            None => is_type_of(column.name, declared.name),
        };
        if is_it && !matches!(column.ty.kind, Kind::Text) {
            fail(
                &about(owner, association)
                    .quoted(column.name)
                    .add(" is to hold the names of models, and is `")
                    .add(column.ty.name)
                    .add("`: declare it as `String`, or name another column with `foreign_type`"),
            );
        }
        at += 1;
    }
}

/// Checks that an enum of models has one for the owner of an association with `as`, which it leads back to.
#[track_caller]
pub(super) const fn check_interface(owner: &Shape, association: usize, target: &Shape) {
    let Some(interface) = owner.associations[association].interface else {
        return;
    };
    let Some(back) = target.association(interface) else {
        return;
    };
    let models = target.associations[back].models;
    // An open one leads to whatever is registered, and a subclass is a record of its base.
    if models.is_empty() || has(models, owner.name) || has(owner.subclasses, owner.name) {
        return;
    }
    fail(
        &about(owner, association)
            .add("`as = ")
            .add(interface)
            .add("` says that `")
            .add(target.name)
            .add(".")
            .add(interface)
            .add("` leads to ")
            .quoted(owner.name)
            .add(", and its enum has no variant for it: add `")
            .add(owner.name)
            .add("(")
            .add(owner.name)
            .add(")` there"),
    );
}

/// Checks that one of the types of a delegated type is one of its enum.
///
/// # Panics
/// While the program is compiled, with a sentence about what is wrong.
#[track_caller]
pub const fn check_delegate(owner: &Shape, association: usize, ty: &str) {
    let declared: &AssociationReflection = &owner.associations[association];
    if owner.mistakes || declared.models.is_empty() || has(declared.models, ty) {
        return;
    }
    fail(
        &about(owner, association)
            .add("its enum has no variant for ")
            .quoted(ty)
            .add(": add one, or leave it out of `types`"),
    );
}

const fn has(names: &[&str], name: &str) -> bool {
    let mut at = 0;
    while at < names.len() {
        if same(names[at], name) {
            return true;
        }
        at += 1;
    }
    false
}

/// Whether a column is called as the type of that association is by convention.
const fn is_type_of(column: &str, association: &str) -> bool {
    let (column, association) = (column.as_bytes(), association.as_bytes());
    column.len() == association.len() + 5
        && super::starts_with(column, association)
        && super::starts_with(column.split_at(association.len()).1, b"_type")
}
