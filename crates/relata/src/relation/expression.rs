//! Conditions over columns by name: what closures over typed columns say, on models that have no types.
//!
//! Invariant: a condition is about places below the relation's own root; one of another model is an error when it is
//! given.

use super::{Column, Relation};
use crate::attribute::value::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::expr::Node;
use crate::sql::{Expr, Place};

impl<M> Relation<M> {
    /// The column that `title` or `author.name` names, for conditions: it has the methods of typed columns, and takes
    /// values of any type. A value that cannot be one of the column's makes the relation one that fails, with
    /// `InvalidValue`.
    ///
    /// ```
    /// # use relata::{Db, Record, Relation, model};
    /// # #[model] pub struct Post { id: i64, title: String, stars: i64 }
    /// # relata::run(async {
    /// # let db = Db::connect("sqlite::memory:").await?;
    /// # db.create_tables([Post::reflection()]).await?;
    /// let posts: Relation = Relation::of(Post::reflection(), &db);
    /// let (title, stars) = (posts.column("title")?, posts.column("stars")?);
    /// let found = posts.filter_expr(title.eq("x").or(stars.between(3, 5)))?;
    /// assert!(found.to_sql().ends_with(r#"WHERE ("posts"."title" = 'x' OR "posts"."stars" BETWEEN 3 AND 5)"#));
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// `UnknownAttribute` or `AssociationNotFound` with the nearest name.
    pub fn column(&self, path: &str) -> Result<Column<Value<'static>>> {
        let (place, column) = self.named(path)?;
        Ok(Column::new(place, column))
    }

    /// Keeps the rows for which the condition holds; for `!condition`, leaves them out. The erased form of `filter` and
    /// `exclude`. Rails: `where`.
    ///
    /// # Errors
    /// `IncompatibleRelation` for a condition on columns of another relation's model.
    pub fn filter_expr(self, condition: impl Into<Expr>) -> Result<Self> {
        let condition = self.placed(condition.into())?;
        Ok(self.map(|core| core.select.filter(condition)))
    }

    /// Replaces the conditions on the columns that the new condition names. The erased form of `refilter`.
    /// Rails: `rewhere`.
    ///
    /// # Errors
    /// As [`filter_expr`](Self::filter_expr).
    pub fn refilter_expr(self, condition: impl Into<Expr>) -> Result<Self> {
        let condition = self.placed(condition.into())?;
        Ok(self.refiltered(condition))
    }

    /// Replaces the conditions on an attribute: it equals the value (`IS NULL` for null). Rails: `rewhere(title: "x")`.
    ///
    /// # Errors
    /// As [`filter_by`](Self::filter_by).
    pub fn refilter_by(self, name: &str, value: impl Into<Value<'static>>) -> Result<Self> {
        self.unscope_named(name)?.filter_by(name, value)
    }

    /// Groups the rows by an attribute. The erased form of `group`. Rails: `group(:author_id)`.
    ///
    /// # Errors
    /// `UnknownAttribute` or `AssociationNotFound` with the nearest name.
    pub fn group_named(self, name: &str) -> Result<Self> {
        let (place, column) = self.named(name)?;
        Ok(self.map(|core| core.select.groups.push(Node::Column(place, column))))
    }

    /// Keeps the groups for which the condition holds: `posts.column("id")?.count().gt(1)`. The erased form of `having`.
    /// Rails: `having`.
    ///
    /// # Errors
    /// As [`filter_expr`](Self::filter_expr).
    pub fn having_expr(self, condition: impl Into<Expr>) -> Result<Self> {
        let condition = self.placed(condition.into())?;
        Ok(self.map(|core| core.select.having.push(condition.0)))
    }

    /// The condition, if all that it is about can be reached from here.
    fn placed(&self, condition: Expr) -> Result<Expr> {
        let root = self.core().select.root;
        let mut stranger = None;
        condition.0.places(true, &mut |place: Place, _| {
            let top = place
                .path()
                .first()
                .map_or(Some(place), |step| step.above());
            if top != Some(root) {
                stranger = top;
            }
        });
        let Some(stranger) = stranger else {
            return Ok(condition);
        };
        let (model, other) = (root.model().name(), stranger.model().name());
        let message = format!(
            "a condition on {other} was given to a relation of {model}: name its columns from {model} on, through \
             associations"
        );
        Err(Error::new(ErrorKind::IncompatibleRelation, message).with_model(model))
    }
}
