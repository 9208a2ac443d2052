//! The table between two models that have and belong to many of each other: nobody declares its model, so it is made when
//! it is first asked for.
//!
//! Invariant: its rows are nothing but the keys of both sides, and it has no key of its own.

use std::sync::OnceLock;

use super::resolve::problem;
use super::{
    AssociationReflection, Column, InverseOf, Macro, ModelBuilder, ModelReflection, Target,
};
use crate::attribute::AttributeType;
use crate::error::{ErrorKind, Result};

/// What was said of the table between two models.
pub struct JoinTable {
    target: Target,
    association: &'static str,
    table: Option<&'static str>,
    foreign_key: Option<&'static str>,
    association_foreign_key: Option<&'static str>,
    model: OnceLock<Result<&'static ModelReflection>>,
}

impl JoinTable {
    /// The table of an association of that name, to that target; what is not written is found by the models' names.
    #[must_use]
    pub const fn new(association: &'static str, target: Target) -> Self {
        Self {
            target,
            association,
            table: None,
            foreign_key: None,
            association_foreign_key: None,
            model: OnceLock::new(),
        }
    }

    /// Its name, where it is not both tables' in one. Rails: `join_table`.
    #[must_use]
    pub const fn with_table(mut self, table: &'static str) -> Self {
        self.table = Some(table);
        self
    }

    /// The column that holds the owner's key. Rails: `foreign_key`.
    #[must_use]
    pub const fn with_foreign_key(mut self, column: &'static str) -> Self {
        self.foreign_key = Some(column);
        self
    }

    /// The column that holds the target's key. Rails: `association_foreign_key`.
    #[must_use]
    pub const fn with_association_foreign_key(mut self, column: &'static str) -> Self {
        self.association_foreign_key = Some(column);
        self
    }

    /// The model of the table, once somebody has asked for it.
    pub(super) fn made(&self) -> Option<&'static ModelReflection> {
        self.model.get()?.as_ref().ok().copied()
    }

    /// The model of the table, of an association of that owner.
    pub(super) fn model(
        &self,
        owner: &'static ModelReflection,
    ) -> Result<&'static ModelReflection> {
        let made = self.model.get_or_init(|| self.make(owner));
        made.as_ref().copied().map_err(Clone::clone)
    }

    fn make(&self, owner: &'static ModelReflection) -> Result<&'static ModelReflection> {
        let target = self.target.model()?;
        let named = |written: Option<&str>, model: &ModelReflection| {
            let conventional = || relata_inflect::foreign_key(model.name());
            written.map_or_else(conventional, str::to_owned)
        };
        let here = named(self.foreign_key, owner);
        let there = named(self.association_foreign_key, target);
        let table = self.table.map_or_else(
            || table_between(owner.table(), target.table()),
            str::to_owned,
        );
        let class = relata_inflect::camelize(self.association);
        let left = side("left_side", &here, owner);
        let name = relata_inflect::singularize(self.association);
        let right = side(&name, &there, target);
        ModelBuilder::new(format!("{}::HABTM_{class}", owner.name()), table)
            .column(self.key(owner, owner, &here)?)
            .column(self.key(owner, target, &there)?)
            .association(left)
            .association(right)
            .define()
    }

    /// The column that refers to a model.
    fn key(
        &self,
        owner: &'static ModelReflection,
        model: &'static ModelReflection,
        name: &str,
    ) -> Result<Column> {
        let key = model.primary_key();
        let [key] = key else {
            let message = format!(
                "{}.{} wants keys of one column, and {} has {}: declare the model between, and go through it",
                owner.name(),
                self.association,
                model.name(),
                key.len()
            );
            let declaration = owner.reflect_on_association(self.association);
            return Err(match declaration {
                Some(declaration) => problem(ErrorKind::Unsupported, owner, &declaration, message),
                None => crate::error::Error::new(ErrorKind::Unsupported, message),
            });
        };
        let kind = model.columns()[*key].ty.kind;
        Ok(Column::new(
            name.to_owned().leak(),
            AttributeType::plain(kind, true),
        ))
    }
}

fn side(name: &str, key: &str, model: &'static ModelReflection) -> AssociationReflection {
    let (target, slot) = ModelBuilder::target(model.name());
    // It was made a moment ago, for this association alone.
    let _ = slot.set(model);
    let key: &'static str = key.to_owned().leak();
    AssociationReflection::belongs_to(name.to_owned().leak(), target)
        .with_foreign_key(vec![key].leak())
        .with_inverse_of(InverseOf::Off)
}

/// The name of the table between two: both names in alphabetical order, what they begin with alike once.
fn table_between(one: &str, other: &str) -> String {
    let (first, second) = if one <= other {
        (one, other)
    } else {
        (other, one)
    };
    let ends = |(at, letter): (usize, char)| matches!(letter, '_' | '.').then_some(at + 1);
    let common = first
        .char_indices()
        .filter_map(ends)
        .rfind(|&end| end < first.len() && end < second.len() && second.starts_with(&first[..end]));
    format!("{first}_{}", &second[common.unwrap_or(0)..])
}

impl AssociationReflection {
    /// A `has_and_belongs_to_many`, over the rows of a table that [`rows_of`](Self::rows_of) declares.
    #[must_use]
    pub const fn has_and_belongs_to_many(
        name: &'static str,
        target: Target,
        rows: &'static str,
        source: &'static str,
    ) -> Self {
        Self::new(Macro::HasAndBelongsToMany, name, target)
            .with_through(rows)
            .with_source(source)
    }

    /// The rows of the table between two models, which nobody is shown.
    #[must_use]
    pub const fn rows_of(name: &'static str, table: &'static JoinTable) -> Self {
        let mut rows = Self::new(Macro::HasMany, name, Target::Between(table));
        rows.hidden = true;
        rows.inverse_of = InverseOf::Off;
        rows
    }

    /// The name of the association over the rows between: the plural of the owner's name and the association's, in
    /// alphabetical order.
    #[must_use]
    pub fn name_of_rows(owner: &str, association: &str) -> String {
        let owner = relata_inflect::pluralize(&owner.to_lowercase()).replace("::", "_");
        if *owner <= *association {
            format!("{owner}_{association}")
        } else {
            format!("{association}_{owner}")
        }
    }
}

impl std::fmt::Debug for JoinTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JoinTable")
            .field("association", &self.association)
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::table_between;

    #[test]
    fn the_table_between_has_both_names_in_order() {
        assert_eq!(table_between("tags", "posts"), "posts_tags");
        assert_eq!(table_between("posts", "tags"), "posts_tags");
        assert_eq!(
            table_between("music_artists", "music_records"),
            "music_artists_records"
        );
        assert_eq!(table_between("catalog.a", "catalog.b"), "catalog.a_b");
        assert_eq!(table_between("people", "people"), "people_people");
        assert_eq!(table_between("a_b", "a_b"), "a_b_b");
    }
}
