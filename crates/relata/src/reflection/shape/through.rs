//! What an association that goes through another must find in the model between.

use super::{Shape, about, fail, same};
use crate::reflection::Target;

/// Checks the source of a through: that the model between has it, that no other could be it, and where it leads. `names`
/// are those that the source may have.
///
/// # Panics
/// While the program is compiled, with a sentence about what is wrong.
#[track_caller]
pub const fn check_through(
    owner: &Shape,
    association: usize,
    middle: &Shape,
    names: &[&'static str],
) {
    if owner.mistakes || middle.mistakes {
        return;
    }
    let Some(through) = owner.associations[association].through else {
        return;
    };
    let source = source_of(owner, association, middle, (through, names));
    if leads_to_several(owner, association, middle, source) {
        return;
    }
    if !same(middle.targets[source], owner.targets[association]) {
        fail(
            &about(owner, association)
                .add("its source `")
                .add(middle.name)
                .add(".")
                .add(middle.associations[source].name)
                .add("` leads to ")
                .quoted(middle.targets[source])
                .add(", not to ")
                .quoted(owner.targets[association]),
        );
    }
}

/// The position of the source in the model between: the only one of the names that is there.
#[track_caller]
const fn source_of(
    owner: &Shape,
    association: usize,
    middle: &Shape,
    (through, names): (&str, &[&'static str]),
) -> usize {
    let (mut found, mut at) = (None, 0);
    while at < names.len() {
        if let Some(source) = middle.association(names[at]) {
            if found.is_some() {
                fail(
                    &about(owner, association)
                        .quoted(names[0])
                        .add(" and ")
                        .quoted(names[at])
                        .add(" of ")
                        .quoted(middle.name)
                        .add(" could both be its source: name one with `source`"),
                );
            }
            found = Some(source);
        }
        at += 1;
    }
    let Some(source) = found else {
        let mut text = about(owner, association)
            .quoted(middle.name)
            .add(" has no association ")
            .quoted(names[0]);
        if names.len() > 1 {
            text = text.add(" or ").quoted(names[1]);
        }
        text = text
            .add(" to be its source: name one with `#[")
            .add(owner.associations[association].kind.name())
            .add("(through = ")
            .add(through)
            .add(", source = ...)]`");
        if middle.associations.is_empty() {
            fail(&text);
        }
        fail(&text.add("; its associations are ").associations(middle));
    };
    source
}

/// Whether the source leads to several models, of which `source_type` must name one.
#[track_caller]
const fn leads_to_several(
    owner: &Shape,
    association: usize,
    middle: &Shape,
    source: usize,
) -> bool {
    let from = &middle.associations[source];
    let polymorphic = matches!(from.target, Target::AnyOf(_));
    let about_source = about(owner, association)
        .add("its source `")
        .add(middle.name)
        .add(".")
        .add(from.name)
        .add("` ");
    match (polymorphic, owner.associations[association].source_typed) {
        (true, false) => fail(
            &about_source
                .add("leads to several models: say which with `source_type = ")
                .add(owner.targets[association])
                .add("`"),
        ),
        (false, true) => fail(
            &about_source
                .add("leads to ")
                .quoted(middle.targets[source])
                .add(" alone: leave `source_type` out"),
        ),
        (true, true) => {
            let mut at = 0;
            while at < from.models.len() {
                if same(from.models[at], owner.targets[association]) {
                    return true;
                }
                at += 1;
            }
            if !from.models.is_empty() {
                fail(
                    &about_source
                        .add("does not lead to ")
                        .quoted(owner.targets[association]),
                );
            }
            true
        }
        (false, false) => false,
    }
}
