//! Counts, sums and the like of the groups of a relation.
//!
//! Invariant: a group is given with the values that it has in common, in the order of the relation.

use super::calculate::{Summable, total, type_of, typed};
use super::pluck::{Columns, label, taken, tuples};
use crate::attribute::value::Value;
use crate::attribute::{Attribute, AttributeType};
use crate::db::adapter::Purpose;
use crate::error::Result;
use crate::model::Model;
use crate::pending::Pending;
use crate::relation::{Column, Core, Relation, columns_at};
use crate::sql::What;
use crate::sql::expr::{Function, Node};

/// What groups have in common, and what is computed of each.
struct Groups {
    core: Core,
    types: Vec<Option<AttributeType>>,
}

impl Groups {
    fn new(
        core: &Core,
        by: Vec<(Node, Option<AttributeType>)>,
        (computed, ty): (Node, Option<AttributeType>),
    ) -> Self {
        let mut core = core.clone();
        let (mut nodes, mut types): (Vec<_>, Vec<_>) = by.into_iter().unzip();
        core.select.groups.extend(nodes.iter().cloned());
        nodes.push(computed);
        types.push(ty);
        core.select.what = What::Values(nodes);
        Self { core, types }
    }

    /// As [`read`](Self::read), with the labels of enums in place of what their columns hold.
    async fn read_labelled(self) -> Result<Vec<(Vec<Value<'static>>, Option<Value<'static>>)>> {
        let types = self.types.clone();
        let mut rows = self.read().await?;
        label(rows.iter_mut().map(|(by, _)| by), &types);
        Ok(rows)
    }

    /// Row by row: the values in common, and the one that was computed, if there is one.
    async fn read(self) -> Result<Vec<(Vec<Value<'static>>, Option<Value<'static>>)>> {
        let rows = tuples(&self.core, Purpose::Calculate, self.types).await?;
        let split = |mut row: Vec<Value<'static>>| {
            let computed = row.pop()?;
            Some((row, Some(computed).filter(|value| !value.is_null())))
        };
        Ok(rows.into_iter().filter_map(split).collect())
    }
}

fn count_rows() -> (Node, Option<AttributeType>) {
    let all = Node::Call(Function::Count, Box::new(Node::Star));
    (all, Some(AttributeType::of::<u64>()))
}

fn number(count: Option<Value<'static>>) -> u64 {
    typed(count).unwrap_or_default()
}

impl<M: Model> Relation<M> {
    /// How many rows for each value of a column, or tuple of columns. Rails: `group(:author_id).count`.
    ///
    /// `SELECT "posts"."author_id", COUNT(*) FROM "posts" GROUP BY "posts"."author_id"`
    ///
    /// Errors: as [`pluck`](Self::pluck) of the columns; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn count_by<C: Columns>(
        &self,
        columns: impl FnOnce(&'static M::Columns) -> C,
    ) -> Pending<Vec<(C::Output, u64)>> {
        self.each_group(columns, count_rows(), |_, count| Ok(number(count)))
    }

    /// The sum of a column for each value of another, or tuple of others. Rails: `group(:author_id).sum(:stars)`.
    ///
    /// `SELECT "posts"."author_id", SUM("posts"."stars") FROM "posts" GROUP BY "posts"."author_id"`
    ///
    /// Errors: as [`sum`](Self::sum).
    #[track_caller]
    pub fn sum_by<C: Columns, T: Summable>(
        &self,
        columns: impl FnOnce(&'static M::Columns) -> C,
        of: impl FnOnce(&'static M::Columns) -> Column<T>,
    ) -> Pending<Vec<(C::Output, T::Sum)>> {
        let sum = (self.call(Function::Sum, of), None);
        self.each_group(columns, sum, |core, sum| {
            total::<T>(core.select.model(), sum)
        })
    }

    /// The average of a column for each value of another, or tuple of others; `None` of a group without values.
    /// Rails: `group(:author_id).average(:stars)`.
    ///
    /// `SELECT "posts"."author_id", AVG("posts"."stars") FROM "posts" GROUP BY "posts"."author_id"`
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn average_by<C: Columns, T: Summable>(
        &self,
        columns: impl FnOnce(&'static M::Columns) -> C,
        of: impl FnOnce(&'static M::Columns) -> Column<T>,
    ) -> Pending<Vec<(C::Output, Option<f64>)>> {
        let ty = AttributeType::of::<Option<f64>>();
        let average = (self.call(Function::Average, of), Some(ty));
        self.each_group(columns, average, |_, average| Ok(typed(average)))
    }

    /// The smallest value of a column for each value of another, or tuple of others; `None` of a group without values.
    /// Rails: `group(:author_id).minimum(:stars)`.
    ///
    /// `SELECT "posts"."author_id", MIN("posts"."stars") FROM "posts" GROUP BY "posts"."author_id"`
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn minimum_by<C: Columns, T: Attribute>(
        &self,
        columns: impl FnOnce(&'static M::Columns) -> C,
        of: impl FnOnce(&'static M::Columns) -> Column<T>,
    ) -> Pending<Vec<(C::Output, Option<T>)>> {
        self.extremes(Function::Minimum, columns, of)
    }

    /// The largest value of a column for each value of another, or tuple of others; `None` of a group without values.
    /// Rails: `group(:author_id).maximum(:stars)`.
    ///
    /// `SELECT "posts"."author_id", MAX("posts"."stars") FROM "posts" GROUP BY "posts"."author_id"`
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn maximum_by<C: Columns, T: Attribute>(
        &self,
        columns: impl FnOnce(&'static M::Columns) -> C,
        of: impl FnOnce(&'static M::Columns) -> Column<T>,
    ) -> Pending<Vec<(C::Output, Option<T>)>> {
        self.extremes(Function::Maximum, columns, of)
    }

    #[track_caller]
    fn extremes<C: Columns, T: Attribute>(
        &self,
        function: Function,
        columns: impl FnOnce(&'static M::Columns) -> C,
        of: impl FnOnce(&'static M::Columns) -> Column<T>,
    ) -> Pending<Vec<(C::Output, Option<T>)>> {
        let ty = AttributeType {
            nullable: true,
            ..AttributeType::of::<T>()
        };
        let extreme = (self.call(function, of), Some(ty));
        self.each_group(columns, extreme, |_, extreme| Ok(typed(extreme)))
    }

    fn call<T>(
        &self,
        function: Function,
        of: impl FnOnce(&'static M::Columns) -> Column<T>,
    ) -> Node {
        let column = of(columns_at::<M>(self.core().select.root));
        Node::Call(function, Box::new(column.node()))
    }

    #[track_caller]
    fn each_group<C: Columns, T: Send + 'static>(
        &self,
        columns: impl FnOnce(&'static M::Columns) -> C,
        computed: (Node, Option<AttributeType>),
        read: fn(&Core, Option<Value<'static>>) -> Result<T>,
    ) -> Pending<Vec<(C::Output, T)>> {
        let columns = columns(columns_at::<M>(self.core().select.root)).nodes();
        let by = columns.into_iter().map(|(expr, ty)| (expr.0, Some(ty)));
        let groups = Groups::new(self.core(), by.collect(), computed);
        let asked = groups.core.clone();
        Pending::new(async move {
            let mut all = Vec::new();
            for (values, computed) in groups.read().await? {
                let group = taken::<C>(&asked, values)?;
                all.push((group, read(&asked, computed)?));
            }
            Ok(all)
        })
    }
}

impl<M> Relation<M> {
    /// How many rows for each combination of values of named attributes. The erased form of `count_by`.
    /// Rails: `group(:author_id).count`.
    ///
    /// `SELECT "posts"."author_id", COUNT(*) FROM "posts" GROUP BY "posts"."author_id"`
    ///
    /// Errors: `UnknownAttribute` or `AssociationNotFound` with the nearest name, when it is awaited; so for the others.
    #[track_caller]
    pub fn count_by_named<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Pending<Vec<(Vec<Value<'static>>, u64)>> {
        let groups = self.groups_named(names, Ok(count_rows()));
        Pending::new(async move {
            let read = groups?.read_labelled().await?.into_iter();
            Ok(read.map(|(by, count)| (by, number(count))).collect())
        })
    }

    /// The sum of a named attribute for each combination of values of others. The erased form of `sum_by`.
    ///
    /// `SELECT "posts"."author_id", SUM("posts"."stars") FROM "posts" GROUP BY "posts"."author_id"`
    ///
    /// Errors: as [`count_by_named`](Self::count_by_named); [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn sum_by_named<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
        of: &str,
    ) -> Pending<Vec<(Vec<Value<'static>>, Value<'static>)>> {
        self.compute_named(names, Function::Sum, of, Value::Int(0))
    }

    /// The average of a named attribute for each combination of values of others; null of a group without values. The
    /// erased form of `average_by`.
    ///
    /// `SELECT "posts"."author_id", AVG("posts"."stars") FROM "posts" GROUP BY "posts"."author_id"`
    ///
    /// Errors: as [`count_by_named`](Self::count_by_named); [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn average_by_named<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
        of: &str,
    ) -> Pending<Vec<(Vec<Value<'static>>, Value<'static>)>> {
        self.compute_named(names, Function::Average, of, Value::Null)
    }

    /// The smallest value of a named attribute for each combination of values of others; null of a group without values.
    /// The erased form of `minimum_by`.
    ///
    /// `SELECT "posts"."author_id", MIN("posts"."stars") FROM "posts" GROUP BY "posts"."author_id"`
    ///
    /// Errors: as [`count_by_named`](Self::count_by_named); [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn minimum_by_named<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
        of: &str,
    ) -> Pending<Vec<(Vec<Value<'static>>, Value<'static>)>> {
        self.compute_named(names, Function::Minimum, of, Value::Null)
    }

    /// The largest value of a named attribute for each combination of values of others; null of a group without values.
    /// The erased form of `maximum_by`.
    ///
    /// `SELECT "posts"."author_id", MAX("posts"."stars") FROM "posts" GROUP BY "posts"."author_id"`
    ///
    /// Errors: as [`count_by_named`](Self::count_by_named); [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn maximum_by_named<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
        of: &str,
    ) -> Pending<Vec<(Vec<Value<'static>>, Value<'static>)>> {
        self.compute_named(names, Function::Maximum, of, Value::Null)
    }

    #[track_caller]
    fn compute_named<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
        function: Function,
        of: &str,
        nothing: Value<'static>,
    ) -> Pending<Vec<(Vec<Value<'static>>, Value<'static>)>> {
        let computed = self.named(of).map(|(place, column)| {
            let node = Node::Call(function, Box::new(Node::Column(place, column)));
            (node, type_of(function, place, column))
        });
        let groups = self.groups_named(names, computed);
        Pending::new(async move {
            let read = groups?.read_labelled().await?.into_iter();
            let value =
                |(by, value): (_, Option<_>)| (by, value.unwrap_or_else(|| nothing.clone()));
            Ok(read.map(value).collect())
        })
    }

    fn groups_named<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
        computed: Result<(Node, Option<AttributeType>)>,
    ) -> Result<Groups> {
        let mut by = Vec::new();
        for name in names {
            let (place, column) = self.named(name)?;
            let ty = place.model().columns().get(column).map(|found| found.ty);
            by.push((Node::Column(place, column), ty));
        }
        Ok(Groups::new(self.core(), by, computed?))
    }
}
