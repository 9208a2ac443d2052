//! What an association keeps in columns of other rows: how many there are, and when one was last written.
//!
//! Invariant: the columns are those that `persistence` writes: the target's of a `belongs_to`, the owner's of a
//! `has_many`.

use super::{Macro, Shape, about, fail};
use crate::attribute::Kind;
use crate::reflection::Touch;

/// Checks the column of `counter_cache`: that it exists, and holds an integer.
///
/// # Panics
/// While the program is compiled, with a sentence about what is wrong.
#[track_caller]
pub const fn check_counter(owner: &Shape, association: usize, targets: &[&Shape]) {
    let declared = &owner.associations[association];
    let Some(name) = declared.counter_cache else {
        return;
    };
    if !matches!(declared.kind, Macro::BelongsTo) {
        check_kept(owner, association, owner, (name, Keeps::Count));
        return;
    }
    let mut at = 0;
    while at < targets.len() {
        check_kept(owner, association, targets[at], (name, Keeps::Count));
        at += 1;
    }
}

/// Checks the column that `touch` names: that it exists, and holds a time.
///
/// # Panics
/// While the program is compiled, with a sentence about what is wrong.
#[track_caller]
pub const fn check_touch(owner: &Shape, association: usize, targets: &[&Shape]) {
    let Some(Touch::Column(name)) = owner.associations[association].touch else {
        return;
    };
    let mut at = 0;
    while at < targets.len() {
        check_kept(owner, association, targets[at], (name, Keeps::Time));
        at += 1;
    }
}

#[derive(Clone, Copy)]
enum Keeps {
    Count,
    Time,
}

#[track_caller]
const fn check_kept(
    owner: &Shape,
    association: usize,
    model: &Shape,
    (name, keeps): (&str, Keeps),
) {
    if owner.mistakes || model.mistakes {
        return;
    }
    let (option, example) = match keeps {
        Keeps::Count => ("counter_cache", ": i64"),
        Keeps::Time => ("touch", ": Option<DateTime<Utc>>"),
    };
    let Some(at) = model.column(name) else {
        let text = about(owner, association)
            .add("`")
            .add(option)
            .add("` names ")
            .quoted(name)
            .add(", and ")
            .quoted(model.name)
            .add(" has no such column: declare `")
            .add(name)
            .add(example);
        fail(
            &text
                .add("` there, or name another; its columns are ")
                .columns(model),
        );
    };
    let column = &model.columns[at];
    let fits = match keeps {
        Keeps::Count => matches!(column.ty.kind, Kind::Int | Kind::Uint),
        Keeps::Time => matches!(column.ty.kind, Kind::Timestamp | Kind::DateTime),
    };
    if fits {
        return;
    }
    fail(
        &about(owner, association)
            .add("`")
            .add(option)
            .add("` names `")
            .add(model.name)
            .add(".")
            .add(name)
            .add(": ")
            .add(column.ty.name)
            .add(match keeps {
                Keeps::Count => "`, which is no integer: declare `",
                Keeps::Time => "`, which is no date and time: declare `",
            })
            .add(name)
            .add(example)
            .add("`, or name another"),
    );
}
