//! What a collection is asked, and does, as the relation of its rows: each of these is the method of
//! [`Collection::all`](super::Collection::all), for who writes it on the collection as in Rails.
//!
//! Invariant: nothing here looks at members in memory.

use super::Collection;
use crate::loading::{Batches, Columns, Each, Summable};
use crate::model::Model;
use crate::pending::Pending;
use crate::persistence::InsertAll;
use crate::relation::{Assignments, Column, Paths, Relation};
use crate::sql::Expr;

impl<M: Model> Collection<'_, M> {
    /// The members for which the condition does not hold, as a relation. Rails: `where.not`.
    pub fn exclude<E: Into<Expr>>(
        &self,
        condition: impl FnOnce(&'static M::Columns) -> E,
    ) -> Relation<M> {
        self.all().exclude(condition)
    }

    /// The members with what they lead to, as a relation of inner joins. Rails: `joins`.
    pub fn joins<P: Paths>(&self, paths: impl FnOnce(&'static M::Columns) -> P) -> Relation<M> {
        self.all().joins(paths)
    }

    /// The members, each once, as a relation. Rails: `distinct`.
    pub fn distinct(&self) -> Relation<M> {
        self.all().distinct()
    }

    /// The members after the first so many, as a relation. Rails: `offset`.
    pub fn offset(&self, rows: u64) -> Relation<M> {
        self.all().offset(rows)
    }

    /// The only member there is. Always asks. Rails: `sole`.
    ///
    /// SQL: `SELECT ... WHERE "posts"."author_id" = ? LIMIT 2`.
    ///
    /// Errors: `RecordNotFound`, `SoleRecordExceeded`; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn sole(&self) -> Pending<M> {
        self.all().sole()
    }

    /// The first member for which the condition holds. Always asks. Rails: `find_by!`.
    ///
    /// SQL: `SELECT ... WHERE "posts"."author_id" = ? AND ... LIMIT 1`.
    ///
    /// Errors: `RecordNotFound`; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn find_by_or_fail<E: Into<Expr>>(
        &self,
        condition: impl FnOnce(&'static M::Columns) -> E,
    ) -> Pending<M> {
        self.all().find_by_or_fail(condition)
    }

    /// The values of a column of the members, or tuples of several. Always asks. See [`Relation::pluck`]. Rails: `pluck`.
    ///
    /// `SELECT "posts"."id", "posts"."title" FROM "posts" WHERE "posts"."person_id" = ?`
    ///
    /// Errors: as [`Relation::pluck`].
    #[track_caller]
    pub fn pluck<C: Columns>(
        &self,
        columns: impl FnOnce(&'static M::Columns) -> C,
    ) -> Pending<Vec<C::Output>> {
        self.all().pluck(columns)
    }

    /// The same of one member. Always asks. Rails: `pick`.
    ///
    /// SQL: as [`pluck`](Self::pluck), with `LIMIT 1`.
    ///
    /// Errors: as [`Relation::pluck`].
    #[track_caller]
    pub fn pick<C: Columns>(
        &self,
        columns: impl FnOnce(&'static M::Columns) -> C,
    ) -> Pending<Option<C::Output>> {
        self.all().pick(columns)
    }

    /// The sum of a column of the members. Always asks. See [`Relation::sum`]. Rails: `sum`.
    ///
    /// SQL: `SELECT SUM("posts"."views") FROM "posts" WHERE "posts"."author_id" = ?`.
    ///
    /// Errors: as [`Relation::sum`].
    #[track_caller]
    pub fn sum<T: Summable>(
        &self,
        column: impl FnOnce(&'static M::Columns) -> Column<T>,
    ) -> Pending<T::Sum> {
        self.all().sum(column)
    }

    /// The members in steps of so many rows. See [`Relation::find_each`]. Rails: `find_each`.
    pub fn find_each(&self, size: u64) -> Each<M> {
        self.all().find_each(size)
    }

    /// The members in lists of so many. See [`Relation::in_batches`]. Rails: `find_in_batches`.
    pub fn in_batches(&self, size: u64) -> Batches<M> {
        self.all().in_batches(size)
    }

    /// Sets columns of the rows of all members, with one UPDATE; members in memory keep what they hold. Gives the number
    /// of rows. See [`Relation::update_all`]. Rails: `update_all`.
    ///
    /// Errors: as [`Relation::update_all`].
    #[track_caller]
    pub fn update_all<A: Assignments>(
        &self,
        values: impl FnOnce(&'static M::Columns) -> A,
    ) -> Pending<u64> {
        self.all().update_all(values)
    }

    /// Sets the time of the last change of the rows of all members, with one UPDATE. Gives the number of rows.
    /// Rails: `touch_all`.
    ///
    /// Errors: as [`Relation::touch_all`].
    #[track_caller]
    pub fn touch_all(&self) -> Pending<u64> {
        self.all().touch_all()
    }

    /// Inserts records' values as rows of this owner, or updates those that are there, with one statement and without
    /// validating them. See [`Relation::upsert_all`]. Rails: `upsert_all`.
    pub fn upsert_all<'m>(&self, rows: impl IntoIterator<Item = &'m M>) -> InsertAll<M> {
        self.all().upsert_all(rows)
    }
}
