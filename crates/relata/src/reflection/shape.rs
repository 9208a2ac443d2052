//! What models check about each other while the program is compiled.
//!
//! `#[model]` writes one `const _: () = check_key(...)` an association, and one `check_inverse` where an inverse is
//! named. Models may refer to each other in circles: a shape names its neighbours and never holds their shapes.
//!
//! Invariant: the rules are those of `resolve`, which works the same out at run time; here a mistake is a sentence
//! at the user's own token, and one mistake is told by one check only: what the `belongs_to` of a key says, the
//! `has_one` and `has_many` over the same key leave out.

mod kept;
mod keys;
mod options;
mod text;
mod through;

use super::{AssociationReflection, Column, InverseOf, Macro};
use crate::attribute::AttributeType;
pub use kept::{check_counter, check_touch};
use keys::{belongs_to_key, exists, has_key};
pub use keys::{check_key, check_polymorphic, check_primary_key};
pub use options::check_delegate;
use text::Text;
pub use through::check_through;

/// A model, as other models check it.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    name: &'static str,
    /// What other tables refer to the model with, by convention: `person_id`.
    conventional: &'static str,
    columns: &'static [Column],
    primary_key: &'static [usize],
    query_constraints: &'static [usize],
    associations: &'static [AssociationReflection],
    /// The names of the associations' targets.
    targets: &'static [&'static str],
    /// The table, and the names of the subclasses, where rows are of several classes.
    table: &'static str,
    subclasses: &'static [&'static str],
    /// As it was written, of a base that is less than `pub`.
    visibility: &'static str,
    mistakes: bool,
}

impl Shape {
    /// The shape of a model of that name, to which others refer with that column.
    #[must_use]
    pub const fn new(name: &'static str, conventional: &'static str) -> Self {
        Self {
            name,
            conventional,
            columns: &[],
            primary_key: &[],
            query_constraints: &[],
            associations: &[],
            targets: &[],
            table: "",
            subclasses: &[],
            visibility: "pub",
            mistakes: false,
        }
    }

    /// Its columns, and the positions of its primary key's.
    #[must_use]
    pub const fn with_columns(
        mut self,
        columns: &'static [Column],
        primary_key: &'static [usize],
    ) -> Self {
        self.columns = columns;
        self.primary_key = primary_key;
        self
    }

    /// The positions of the columns that name a row, where they were written.
    #[must_use]
    pub const fn with_query_constraints(mut self, positions: &'static [usize]) -> Self {
        self.query_constraints = positions;
        self
    }

    /// What a foreign key of so many columns refers to, as `resolve` decides it.
    const fn referred(&self, columns: usize) -> &'static [usize] {
        if columns == self.query_constraints.len() {
            return self.query_constraints;
        }
        let mut part = 0;
        while columns == 1 && part < self.primary_key.len() {
            if same(self.columns[self.primary_key[part]].name, "id") {
                return self.primary_key.split_at(part).1.split_at(1).0;
            }
            part += 1;
        }
        self.primary_key
    }

    /// Its associations, and the names of their targets.
    #[must_use]
    pub const fn with_associations(
        mut self,
        associations: &'static [AssociationReflection],
        targets: &'static [&'static str],
    ) -> Self {
        self.associations = associations;
        self.targets = targets;
        self
    }

    /// Something of it is missing because of a mistake that was told: nothing is checked against it.
    #[must_use]
    pub const fn with_mistakes(mut self) -> Self {
        self.mistakes = true;
        self
    }

    /// The rows of its table are of these classes too.
    #[must_use]
    pub const fn with_subclasses(
        mut self,
        table: &'static str,
        subclasses: &'static [&'static str],
    ) -> Self {
        self.table = table;
        self.subclasses = subclasses;
        self
    }

    /// Who sees it, as it was written; nothing for its own module alone.
    #[must_use]
    pub const fn with_visibility(mut self, visibility: &'static str) -> Self {
        self.visibility = visibility;
        self
    }

    /// It is a subclass: of its base it has the table and the names of all classes.
    #[must_use]
    pub const fn below(mut self, base: &Self) -> Self {
        self.table = base.table;
        self.subclasses = base.subclasses;
        self
    }

    /// Its table, where it has subclasses.
    #[must_use]
    pub const fn table(&self) -> &'static str {
        self.table
    }

    /// Its columns.
    #[must_use]
    pub const fn columns(&self) -> &'static [Column] {
        self.columns
    }

    /// The positions of its primary key's columns.
    #[must_use]
    pub const fn primary_key(&self) -> &'static [usize] {
        self.primary_key
    }

    /// Its associations.
    #[must_use]
    pub const fn associations(&self) -> &'static [AssociationReflection] {
        self.associations
    }

    pub(super) const fn target(&self, association: usize) -> &'static str {
        self.targets[association]
    }

    /// The position of a column that a subclass names, which its base must have, with the same type.
    ///
    /// # Panics
    /// While the program is compiled, with a sentence about what is wrong.
    #[must_use]
    #[track_caller]
    pub const fn inherited(&self, subclass: &str, name: &str, ty: AttributeType) -> usize {
        if self.mistakes {
            return 0;
        }
        let start = Text::new()
            .add("`")
            .add(subclass)
            .add(".")
            .add(name)
            .add("`: ");
        let Some(at) = self.column(name) else {
            fail(
                &start
                    .quoted(self.name)
                    .add(" has no column ")
                    .quoted(name)
                    .add(", and a subclass has the columns of its base: declare it there; its columns are ")
                    .columns(self),
            );
        };
        if !same(self.columns[at].ty.name, ty.name) || self.columns[at].ty.nullable != ty.nullable {
            fail(
                &start
                    .add("it is `")
                    .add(self.columns[at].ty.name)
                    .add(if self.columns[at].ty.nullable {
                        "`, which can be null, in `"
                    } else {
                        "` in `"
                    })
                    .add(self.name)
                    .add("`: declare it with the same type"),
            );
        }
        at
    }

    const fn column(&self, name: &str) -> Option<usize> {
        let mut at = 0;
        while at < self.columns.len() {
            if same(self.columns[at].name, name) {
                return Some(at);
            }
            at += 1;
        }
        None
    }

    const fn association(&self, name: &str) -> Option<usize> {
        let mut at = 0;
        while at < self.associations.len() {
            if same(self.associations[at].name, name) {
                return Some(at);
            }
            at += 1;
        }
        None
    }

    /// The place of a callback before an association, for [`Callback::below`](crate::callback::Callback::below).
    ///
    /// # Panics
    /// While the program is compiled, where there is no such association.
    #[must_use]
    #[track_caller]
    pub const fn before(&self, association: &str) -> usize {
        match self.association(association) {
            Some(at) => at,
            None if self.mistakes => 0,
            None => fail(
                &Text::new()
                    .quoted(self.name)
                    .add(" has no association ")
                    .quoted(association)
                    .add("; its associations are ")
                    .associations(self),
            ),
        }
    }

    /// The place of a callback after an association; as [`before`](Self::before).
    ///
    /// # Panics
    /// While the program is compiled, where there is no such association.
    #[must_use]
    #[track_caller]
    pub const fn after(&self, association: &str) -> usize {
        self.before(association) + 1
    }

    const fn belongs_to(&self, association: usize) -> bool {
        matches!(self.associations[association].kind, Macro::BelongsTo)
    }
}

/// Checks that a base knows of its subclass, or its rows could not be read as such.
///
/// # Panics
/// While the program is compiled, with a sentence about what is wrong.
#[track_caller]
pub const fn check_subclass(base: &Shape, name: &str) {
    let mut at = 0;
    while at < base.subclasses.len() {
        if same(base.subclasses[at], name) {
            return;
        }
        at += 1;
    }
    if !base.mistakes {
        fail(
            &Text::new()
                .quoted(name)
                .add(" is a subclass of ")
                .quoted(base.name)
                .add(", which does not name it: write `#[model(subclasses = (")
                .add(name)
                .add(", ...))]` on ")
                .quoted(base.name),
        );
    }
}

/// Checks that the base of a subclass that everybody sees is seen as far: the methods of the subclass give it away.
///
/// # Panics
/// While the program is compiled, with a sentence about what is wrong.
#[track_caller]
pub const fn check_visibility(base: &Shape, name: &str) {
    if same(base.visibility, "pub") {
        return;
    }
    let text = Text::new()
        .quoted(name)
        .add(" is `pub`, and its base ")
        .quoted(base.name)
        .add(" is ");
    let text = if base.visibility.is_empty() {
        text.add("private")
    } else {
        text.quoted(base.visibility)
    };
    fail(&text.add(
        ": a subclass has methods that give its base, so declare both with the same visibility",
    ));
}

/// Checks the written inverse of one association: that it exists, leads back, and is over the same key.
///
/// # Panics
/// While the program is compiled, with a sentence about what is wrong.
#[track_caller]
pub const fn check_inverse(owner: &Shape, association: usize, target: &Shape) {
    let InverseOf::Named(name) = owner.associations[association].inverse_of else {
        return;
    };
    if owner.mistakes || target.mistakes {
        return;
    }
    let start = about(owner, association);
    let Some(inverse) = target.association(name) else {
        let text = start
            .add("could not find the inverse association ")
            .quoted(name)
            .add(" in ")
            .quoted(target.name);
        if target.associations.is_empty() {
            fail(&text.add(
                ", which has no associations: write `inverse_of = none`, or declare it there",
            ));
        }
        fail(&text.add("; its associations are ").associations(target));
    };
    let start = start
        .add("the inverse `")
        .add(target.name)
        .add(".")
        .add(name)
        .add("` ");
    if same(target.name, owner.name) && inverse == association {
        fail(
            &start.add(
                "is the association itself: name the other side, or write `inverse_of = none`",
            ),
        );
    }
    if !same(target.targets[inverse], owner.name) {
        fail(
            &start
                .add("leads to ")
                .quoted(target.targets[inverse])
                .add(", not to ")
                .quoted(owner.name),
        );
    }
    let belongs_to = owner.belongs_to(association);
    if belongs_to == target.belongs_to(inverse) {
        let text = if belongs_to {
            start.add("is a belongs_to too: the inverse of a belongs_to is a has_one or has_many")
        } else {
            start.add("is no belongs_to: the inverse of a has_one or has_many is a belongs_to")
        };
        fail(&text);
    }
    let (holder, here, there) = if belongs_to {
        (
            owner,
            Some(belongs_to_key(owner, association)),
            has_key(target, inverse, owner).0,
        )
    } else {
        (
            target,
            has_key(owner, association, target).0,
            Some(belongs_to_key(target, inverse)),
        )
    };
    if let (Some(here), Some(there)) = (here, there)
        && exists(here, holder)
        && exists(there, holder)
        && !here.same(there, holder)
    {
        let text = start
            .add("is over ")
            .key(there, holder)
            .add(", and this association over ")
            .key(here, holder);
        fail(&text.add(": inverses have one foreign key"));
    }
}

const fn about(owner: &Shape, association: usize) -> Text {
    Text::new()
        .add("`")
        .add(owner.name)
        .add(".")
        .add(owner.associations[association].name)
        .add("`: ")
}

#[track_caller]
#[allow(
    clippy::panic,
    reason = "while compiling this is an error at the declaration"
)]
const fn fail(text: &Text) -> ! {
    panic!("{}", text.as_str())
}

pub(super) const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    one.len() == other.len() && starts_with(one, other)
}

const fn starts_with(text: &[u8], start: &[u8]) -> bool {
    let mut at = 0;
    while at < start.len() {
        if at >= text.len() || text[at] != start[at] {
            return false;
        }
        at += 1;
    }
    true
}
