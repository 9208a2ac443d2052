//! Preloads that are narrowed where they are asked for: some of the targets, or the first of each owner.
//!
//! Invariant: a narrowed preload is never joined, so what narrows it is a query of its own.

use std::sync::Arc;

use super::includes::{self, Include};
use super::{Path, Paths, Relation};
use crate::error::Result;
use crate::model::{FromRecord, Model};

/// What narrows and orders the targets of one preload.
#[derive(Clone)]
pub(crate) struct Narrow(Arc<dyn Fn(Relation) -> Relation + Send + Sync>);

impl Narrow {
    pub(crate) fn new(function: impl Fn(Relation) -> Relation + Send + Sync + 'static) -> Self {
        Self(Arc::new(function))
    }

    /// The same in closures over a model's columns.
    pub(crate) fn typed<T: Model>(
        function: impl Fn(Relation<T>) -> Relation<T> + Send + Sync + 'static,
    ) -> Self {
        Self::new(move |all| match T::accepts(all.reflection()) {
            Ok(()) => function(Relation::from_core(all.into_core())).erased(),
            Err(error) => all.refuse(error),
        })
    }

    /// The targets that are wanted. A limit is that of each owner.
    pub(crate) fn apply(&self, all: Relation) -> Relation {
        let cut = (all.select().limit, all.select().offset);
        let narrowed =
            self.0(all.map(|core| (core.select.limit, core.select.offset) = (None, None)));
        narrowed.map(|core| {
            if core.select.is_cut() {
                core.select.per_owner = true;
            } else {
                (core.select.limit, core.select.offset) = cut;
            }
        })
    }
}

impl PartialEq for Narrow {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Narrow {}

impl std::fmt::Debug for Narrow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Narrow")
    }
}

/// The tree that leads to a place, whose last association is narrowed.
pub(crate) fn narrowed(path: Vec<crate::sql::Place>, narrow: &Narrow) -> Vec<Include> {
    let mut tree = includes::add_places(path);
    narrow_last(&mut tree, narrow);
    tree
}

/// Narrows the last association of a tree that is one path.
fn narrow_last(tree: &mut [Include], narrow: &Narrow) {
    let mut level = tree;
    while let Some(include) = level.first_mut() {
        if include.children.is_empty() {
            include.narrow = Some(narrow.clone());
            return;
        }
        level = &mut include.children;
    }
}

/// The tree that `author` or `comments.author` leads along, whose last association is narrowed.
pub(crate) fn narrowed_named(
    model: &'static crate::reflection::ModelReflection,
    path: &str,
    narrow: &Narrow,
) -> Result<Vec<Include>> {
    let mut tree = Vec::new();
    includes::add_named(&mut tree, model, path)?;
    narrow_last(&mut tree, narrow);
    Ok(tree)
}

impl<M: Model> Relation<M> {
    /// As [`preload`](Self::preload) of one path, whose last association is narrowed and ordered: the records have those
    /// targets, and no others. **A limit counts for each owner**, and all of them are read by one query:
    /// `preload_with(|p| p.comments, |all| all.order(|c| c.id.desc()).limit(3))`. Records that know their targets already
    /// keep what they know. Rails: `Preloader.new(scope:)`, where a limit cuts the whole query.
    ///
    /// `SELECT "comments".* FROM (SELECT "comments".*, ROW_NUMBER() OVER (PARTITION BY "comments"."post_id" ORDER BY
    /// "comments"."id" DESC) AS "row_of_owner" FROM "comments" WHERE "comments"."post_id" IN (?, ?)) AS "comments" WHERE
    /// "row_of_owner" <= 3 ORDER BY "row_of_owner" ASC`
    ///
    /// `Unsupported`, when it is awaited, for a limit of what cannot be numbered: rows of `from_sql`, of a scope with joined
    /// includes, or distinct ones that another table orders.
    pub fn preload_with<T: Model>(
        self,
        path: impl FnOnce(&'static M::Columns) -> Path<T>,
        scope: impl Fn(Relation<T>) -> Relation<T> + Send + Sync + 'static,
    ) -> Self {
        let tree = narrowed(path(self.columns()).places(), &Narrow::typed(scope));
        self.map(|core| includes::graft(&mut core.preloads, &tree))
    }
}

impl<M> Relation<M> {
    /// As [`preload_named`](Self::preload_named) of one path, whose last association is narrowed and ordered; a limit counts
    /// for each owner. The erased form of `preload_with`.
    ///
    /// # Errors
    /// `AssociationNotFound` with the nearest name.
    pub fn preload_named_with(
        self,
        path: &str,
        scope: impl Fn(Relation) -> Relation + Send + Sync + 'static,
    ) -> Result<Self> {
        let tree = narrowed_named(self.reflection(), path, &Narrow::new(scope))?;
        Ok(self.map(|core| includes::graft(&mut core.preloads, &tree)))
    }
}
