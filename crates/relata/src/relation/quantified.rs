//! Conditions on the targets of an association: that one of them, none or all are so. A query within the query, so that no
//! row comes twice and nothing is joined.
//!
//! Invariant: the typed forms and those by name make the same conditions.

use super::{Path, Relation, all_of, columns_at};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Model;
use crate::sql::expr::Node;
use crate::sql::{Expr, Place};

/// Which of the targets a condition is to be true of.
#[derive(Clone, Copy)]
enum Of {
    Any,
    None,
    All,
}

impl Of {
    fn at(self, place: Place, condition: Node) -> Node {
        let exists = |condition| Node::Exists(place, Box::new(condition));
        match self {
            Self::Any => exists(condition),
            Self::None => exists(condition).negate(),
            // Null is not true, so that a target without a value is an exception.
            Self::All => exists(Node::IsNotTrue(Box::new(condition))).negate(),
        }
    }
}

impl<M: Model> Path<M> {
    /// One target at least is so. The association's scope is part of it.
    ///
    /// ```
    /// # use relata::prelude::*;
    /// # #[model] struct Person { id: i64, #[has_many] posts: Post }
    /// # #[model] struct Post { id: i64, stars: i64, person_id: i64, #[belongs_to] person: Person }
    /// # let db = Db::detached();
    /// let read = Person::all(&db).filter(|u| u.posts.any(|p| p.stars.gt(3)));
    /// assert!(read.to_sql().ends_with(
    ///     r#"WHERE EXISTS (SELECT 1 AS one FROM "posts" WHERE "posts"."person_id" = "people"."id" AND "posts"."stars" > 3)"#
    /// ));
    /// ```
    pub fn any<E: Into<Expr>>(self, condition: impl FnOnce(&'static M::Columns) -> E) -> Expr {
        self.quantified(Of::Any, condition)
    }

    /// No target is so; also where there is none: `NOT EXISTS (...)`.
    pub fn none<E: Into<Expr>>(self, condition: impl FnOnce(&'static M::Columns) -> E) -> Expr {
        self.quantified(Of::None, condition)
    }

    /// Every target is so; also where there is none. A target of which it is null is not: `NOT EXISTS (... IS NOT TRUE)`.
    pub fn all<E: Into<Expr>>(self, condition: impl FnOnce(&'static M::Columns) -> E) -> Expr {
        self.quantified(Of::All, condition)
    }

    fn quantified<E: Into<Expr>>(
        self,
        of: Of,
        condition: impl FnOnce(&'static M::Columns) -> E,
    ) -> Expr {
        let place = self.place();
        let condition: Expr = condition(columns_at::<M>(place)).into();
        Expr(of.at(place, condition.0))
    }
}

impl<M> Relation<M> {
    /// Keeps the rows of which one target of the association at least is as the closure narrows them: `posts`, or
    /// `author.posts`, which joins the author.
    ///
    /// ```
    /// # use relata::prelude::*;
    /// # #[model] struct Person { id: i64, #[has_many] posts: Post }
    /// # #[model] struct Post { id: i64, stars: i64, person_id: i64, #[belongs_to] person: Person }
    /// # let db = Db::detached();
    /// let read = Person::all(&db).filter_any("posts", |posts| posts.filter_op("stars", ">", 3))?;
    /// # Ok::<(), relata::Error>(())
    /// ```
    ///
    /// # Errors
    /// `AssociationNotFound` with the nearest name; `IncompatibleRelation` when more than conditions is asked of the targets;
    /// those of the closure.
    pub fn filter_any(
        self,
        path: &str,
        condition: impl FnOnce(Relation) -> Result<Relation>,
    ) -> Result<Self> {
        self.filter_of(Of::Any, path, condition)
    }

    /// Keeps the rows of which no target of the association is so, and those that have none.
    ///
    /// # Errors
    /// As [`filter_any`](Self::filter_any).
    pub fn filter_none(
        self,
        path: &str,
        condition: impl FnOnce(Relation) -> Result<Relation>,
    ) -> Result<Self> {
        self.filter_of(Of::None, path, condition)
    }

    /// Keeps the rows of which every target of the association is so, and those that have none. A target of which it is null
    /// is not.
    ///
    /// # Errors
    /// As [`filter_any`](Self::filter_any).
    pub fn filter_all(
        self,
        path: &str,
        condition: impl FnOnce(Relation) -> Result<Relation>,
    ) -> Result<Self> {
        self.filter_of(Of::All, path, condition)
    }

    fn filter_of(
        self,
        of: Of,
        path: &str,
        condition: impl FnOnce(Relation) -> Result<Relation>,
    ) -> Result<Self> {
        let place = self.place_named(path)?;
        let model = place.model();
        let narrowed = condition(Relation::unscoped(model, self.db()))?;
        let select = narrowed.select();
        if select.is_cut() || select.raw.is_some() || narrowed.reflection() != model {
            let message = format!(
                "`{path}` is asked for by conditions on {} alone",
                model.name()
            );
            let error = Error::new(ErrorKind::IncompatibleRelation, message);
            return Err(error.with_model(self.reflection().name()));
        }
        let condition = of.at(place, all_of(narrowed, place, &|joined| joined)?);
        Ok(self.map(|core| core.select.filter(Expr(condition))))
    }
}
