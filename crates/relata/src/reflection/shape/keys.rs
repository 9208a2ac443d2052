//! What the keys of an association must be: columns that exist, as many as they refer to, and of the same types.
//!
//! Invariant: a key is found by the rules of `resolve`.

use super::options::{check_interface, check_type_column};
use super::{InverseOf, Shape, about, fail, same, starts_with};

/// A foreign key, on the model that holds it.
#[derive(Clone, Copy)]
pub(super) enum Key {
    /// These columns, as they were written.
    Names(&'static [&'static str]),
    /// The column of that association's name and `_id`.
    Of(&'static str),
    /// This one column.
    One(&'static str),
}

impl Key {
    pub(super) const fn len(self) -> usize {
        match self {
            Self::Names(names) => names.len(),
            Self::Of(_) | Self::One(_) => 1,
        }
    }

    /// The position of one of its columns.
    pub(super) const fn position(self, holder: &Shape, part: usize) -> Option<usize> {
        match self {
            Self::Names(names) => holder.column(names[part]),
            Self::One(name) => holder.column(name),
            Self::Of(association) => {
                let mut at = 0;
                while at < holder.columns.len() {
                    if is_key_of(holder.columns[at].name, association) {
                        return Some(at);
                    }
                    at += 1;
                }
                None
            }
        }
    }

    pub(super) const fn same(self, other: Self, holder: &Shape) -> bool {
        if self.len() != other.len() {
            return false;
        }
        let mut part = 0;
        while part < self.len() {
            match (self.position(holder, part), other.position(holder, part)) {
                (Some(one), Some(another)) if one == another => {}
                _ => return false,
            }
            part += 1;
        }
        true
    }
}

pub(super) const fn belongs_to_key(owner: &Shape, association: usize) -> Key {
    let declared = &owner.associations[association];
    if declared.foreign_key.is_empty() {
        Key::Of(declared.name)
    } else {
        Key::Names(declared.foreign_key)
    }
}

/// The key of a `has_one` or `has_many`: what was written, else that of the written inverse, else `<owner>_id`, else
/// that of the target's only `belongs_to` to the owner. With it, how many such there are.
pub(super) const fn has_key(
    owner: &Shape,
    association: usize,
    target: &Shape,
) -> (Option<Key>, usize) {
    let declared = &owner.associations[association];
    if !declared.foreign_key.is_empty() {
        return (Some(Key::Names(declared.foreign_key)), 0);
    }
    if let Some(interface) = declared.interface {
        return (Some(Key::Of(interface)), 0);
    }
    if let InverseOf::Named(name) = declared.inverse_of
        && let Some(inverse) = target.association(name)
        && target.belongs_to(inverse)
    {
        return (Some(belongs_to_key(target, inverse)), 0);
    }
    if target.column(owner.conventional).is_some() {
        return (Some(Key::One(owner.conventional)), 0);
    }
    let (mut found, mut count, mut at) = (None, 0, 0);
    while at < target.associations.len() {
        if target.belongs_to(at) && same(target.targets[at], owner.name) {
            found = Some(belongs_to_key(target, at));
            count += 1;
        }
        at += 1;
    }
    (if count == 1 { found } else { None }, count)
}

/// Checks the keys of one association: that their columns exist, and are as many and of the same types.
///
/// # Panics
/// While the program is compiled, with a sentence about what is wrong.
#[track_caller]
pub const fn check_key(owner: &Shape, association: usize, target: &Shape) {
    if owner.mistakes || target.mistakes {
        return;
    }
    if owner.belongs_to(association) {
        check_belongs_to(owner, association, target);
    } else {
        check_has(owner, association, target);
    }
}

/// Checks the keys of a polymorphic `belongs_to`: that they can hold those of every model that it leads to.
///
/// # Panics
/// While the program is compiled, with a sentence about what is wrong.
#[track_caller]
pub const fn check_polymorphic(owner: &Shape, association: usize, targets: &[&Shape]) {
    if !owner.mistakes {
        check_type_column(owner, association);
    }
    let mut at = 0;
    while at < targets.len() {
        if !owner.mistakes && !targets[at].mistakes {
            check_belongs_to(owner, association, targets[at]);
        }
        at += 1;
    }
}

#[track_caller]
const fn check_belongs_to(owner: &Shape, association: usize, target: &Shape) {
    let declared = &owner.associations[association];
    let key = belongs_to_key(owner, association);
    compare(owner, association, (owner, key), target);
    if declared.required {
        return;
    }
    // One column that can be null is enough to have no target.
    let mut part = 0;
    while part < key.len() {
        match key.position(owner, part) {
            Some(at) if owner.columns[at].ty.nullable => return,
            Some(at) if part + 1 == key.len() => {
                let column = &owner.columns[at];
                fail(
                    &about(owner, association)
                        .quoted(declared.name)
                        .add(" may be missing, but its key ")
                        .quoted(column.name)
                        .add(" cannot be null: declare `")
                        .add(column.name)
                        .add(": Option<")
                        .add(column.ty.name)
                        .add(">`, or leave the `Option` of ")
                        .quoted(declared.name)
                        .add(" out"),
                );
            }
            _ => {}
        }
        part += 1;
    }
}

#[track_caller]
const fn check_has(owner: &Shape, association: usize, target: &Shape) {
    let declared = &owner.associations[association];
    if let InverseOf::Named(name) = declared.inverse_of
        && declared.foreign_key.is_empty()
    {
        match target.association(name) {
            Some(inverse) if target.belongs_to(inverse) => {}
            // `check_inverse` tells it.
            _ => return,
        }
    }
    let (key, candidates) = has_key(owner, association, target);
    let Some(key) = key else {
        let mut text = about(owner, association)
            .quoted(target.name)
            .add(" has no column ")
            .quoted(owner.conventional);
        text = if candidates == 0 {
            text.add(" and no belongs_to for ")
                .quoted(owner.name)
                .add(": declare one there, or name the column with `#[")
        } else {
            text.add(", and several belongs_to for ")
                .quoted(owner.name)
                .add(": name the column with `#[")
        };
        fail(&text.add(declared.kind.name()).add("(foreign_key = ...)]`"));
    };
    let mut part = 0;
    while part < key.len() {
        if key.position(target, part).is_none() {
            let text = about(owner, association)
                .quoted(target.name)
                .add(" has no column ");
            let text = match key {
                Key::Names(names) => text.quoted(names[part]),
                Key::One(name) => text.quoted(name),
                Key::Of(interface) if declared.interface.is_some() => {
                    fail(
                        &text
                            .add("`")
                            .add(interface)
                            .add("_id`, which `as = ")
                            .add(interface)
                            .add("` asks for; its columns are ")
                            .columns(target),
                    );
                }
                // The target's own declaration is wrong, and tells it.
                Key::Of(_) => return,
            };
            fail(
                &text
                    .add(", which `foreign_key` names; its columns are ")
                    .columns(target),
            );
        }
        part += 1;
    }
    check_interface(owner, association, target);
    // The `belongs_to` over the same key checks the rest.
    let mut at = 0;
    while at < target.associations.len() {
        if target.belongs_to(at)
            && same(target.targets[at], owner.name)
            && target.associations[at].primary_key.is_empty()
            && declared.primary_key.is_empty()
            && belongs_to_key(target, at).same(key, target)
        {
            return;
        }
        at += 1;
    }
    compare(owner, association, (target, key), owner);
}

/// Compares a foreign key with what it refers to.
#[track_caller]
const fn compare(
    owner: &Shape,
    association: usize,
    (holder, key): (&Shape, Key),
    referred: &Shape,
) {
    let declared = &owner.associations[association];
    let written = !declared.primary_key.is_empty();
    let columns = referred.referred(key.len());
    let count = if written {
        declared.primary_key.len()
    } else {
        columns.len()
    };
    if count == 0 {
        fail(
            &about(owner, association)
                .quoted(referred.name)
                .add(" has no primary key to refer to: name a column of it with `#[")
                .add(declared.kind.name())
                .add("(primary_key = ...)]`"),
        );
    }
    if count != key.len() {
        fail(
            &about(owner, association)
                .add("the key of ")
                .quoted(referred.name)
                .add(" has ")
                .number(count)
                .add(" columns, and the foreign key has ")
                .number(key.len())
                .add(": name as many with `#[")
                .add(declared.kind.name())
                .add("(foreign_key = ..., primary_key = ...)]`"),
        );
    }
    let mut part = 0;
    while part < count {
        let at = if written {
            referred.column(declared.primary_key[part])
        } else {
            Some(columns[part])
        };
        // `check_primary_key` tells it.
        let Some(at) = at else { return };
        let wanted = &referred.columns[at];
        if let Some(held) = key.position(holder, part) {
            let held = &holder.columns[held];
            if !same(held.ty.name, wanted.ty.name) {
                let text = about(owner, association)
                    .add("`")
                    .add(held.name)
                    .add(": ")
                    .add(held.ty.name)
                    .add("` refers to `");
                let text = text
                    .add(referred.name)
                    .add(".")
                    .add(wanted.name)
                    .add(": ")
                    .add(wanted.ty.name);
                fail(&text.add("`: declare both with the same type"));
            }
        }
        part += 1;
    }
}

/// Checks that the columns which a `belongs_to` names with `primary_key` exist on the target.
///
/// # Panics
/// While the program is compiled, with a sentence about what is wrong.
#[track_caller]
pub const fn check_primary_key(owner: &Shape, association: usize, target: &Shape) {
    if owner.mistakes || target.mistakes {
        return;
    }
    let names = owner.associations[association].primary_key;
    let mut part = 0;
    while part < names.len() {
        if target.column(names[part]).is_none() {
            let text = about(owner, association)
                .quoted(target.name)
                .add(" has no column ")
                .quoted(names[part]);
            fail(&text.add("; its columns are ").columns(target));
        }
        part += 1;
    }
}

pub(super) const fn exists(key: Key, holder: &Shape) -> bool {
    let mut part = 0;
    while part < key.len() {
        if key.position(holder, part).is_none() {
            return false;
        }
        part += 1;
    }
    true
}

/// Whether a column is called as the key of that association is by convention.
const fn is_key_of(column: &str, association: &str) -> bool {
    let (column, association) = (column.as_bytes(), association.as_bytes());
    column.len() == association.len() + 3
        && starts_with(column, association)
        && starts_with(column.split_at(association.len()).1, b"_id")
}
