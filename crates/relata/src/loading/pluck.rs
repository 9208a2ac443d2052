//! Reads values of columns, without making records.
//!
//! Invariant: a tuple has the types of the columns that were asked for, in their order.

use super::apart::settled;
use super::decode::Tuples;
use super::run::told;
use super::statement;
use crate::attribute::value::Value;
use crate::attribute::{Attribute, AttributeType, Stored};
use crate::db::adapter::{Job, Purpose};
use crate::error::{Error, ErrorKind, Result, Spot};
use crate::model::{Key, Model};
use crate::pending::Pending;
use crate::relation::{Column, Computed, Core, Relation, columns_at};
use crate::sql::expr::Node;
use crate::sql::{Expr, Place, What, explain};

/// The rows of a select as values.
pub(crate) async fn tuples(
    core: &Core,
    purpose: Purpose,
    types: Vec<Option<AttributeType>>,
) -> Result<Vec<Vec<Value<'static>>>> {
    if !core.select.asks_rows() {
        return match Box::pin(settled(core)).await? {
            Some(core) => Box::pin(tuples(&core, purpose, types)).await,
            None => Ok(Vec::new()),
        };
    }
    let statement = statement(&core.select, &core.db, purpose)?;
    let mut job = Job::new(statement, Tuples::new(types));
    core.db
        .fetch(&mut job)
        .await
        .map_err(|error| told(&core.select, &core.db, error))?;
    Ok(job.decoded()?.rows)
}

/// Puts the labels of an enum in place of what its column holds, as a record gives it by name.
pub(super) fn label<'a>(
    rows: impl Iterator<Item = &'a mut Vec<Value<'static>>>,
    types: &[Option<AttributeType>],
) {
    let mut enums = types.iter().flatten();
    if enums.all(|ty| ty.labels().is_empty()) {
        return;
    }
    for row in rows {
        for (value, ty) in row.iter_mut().zip(types) {
            if let Some(ty) = ty {
                *value = ty.shown(std::mem::replace(value, Value::Null));
            }
        }
    }
}

/// A row as the columns' values.
pub(super) fn taken<C: Columns>(core: &Core, row: Vec<Value<'static>>) -> Result<C::Output> {
    let width = row.len();
    let mut values = row.into_iter();
    C::take(&mut values).ok_or_else(|| {
        let cell = (width - values.len()).saturating_sub(1);
        let message = "the query gave NULL, where the type has none: a path that may lead nowhere is asked for with \
                       `.optional()`, which gives an `Option`";
        let error = Error::new(ErrorKind::InvalidValue, message).at(Spot::Cell(cell));
        told(&core.select, &core.db, error)
    })
}

/// One column, or a tuple of columns, and what their values are.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no column, and no tuple of columns",
    label = "not a column",
    note = "write `|p| p.title`, `|p| (p.title, p.author.name)`, and `p.author.name.optional()` where there may be none"
)]
pub trait Columns {
    /// The value or tuple of values of a row.
    type Output: Send + 'static;

    /// The columns as parts of a query, with their types.
    fn nodes(&self) -> Vec<(Expr, AttributeType)>;

    /// The value or tuple from a row's values; `None` at a null where the type has none, and if there are too few.
    fn take(values: &mut dyn Iterator<Item = Value<'static>>) -> Option<Self::Output>;
}

impl<A: Attribute> Columns for Column<A> {
    type Output = A;

    fn nodes(&self) -> Vec<(Expr, AttributeType)> {
        vec![((*self).into(), AttributeType::of::<A>())]
    }

    fn take(values: &mut dyn Iterator<Item = Value<'static>>) -> Option<A> {
        let value = values.next()?;
        if !value.is_null() {
            return Some(A::owned(Stored::of(&value)));
        }
        A::NULLABLE.then(|| A::owned(Stored::blank(A::KIND)))
    }
}

impl<A: Attribute> Columns for Computed<A> {
    type Output = A;

    fn nodes(&self) -> Vec<(Expr, AttributeType)> {
        vec![(Expr(self.0.clone()), AttributeType::of::<A>())]
    }

    fn take(values: &mut dyn Iterator<Item = Value<'static>>) -> Option<A> {
        <Column<A> as Columns>::take(values)
    }
}

macro_rules! columns {
    ($($($name:ident)+;)*) => {$(
        impl<$($name: Columns),+> Columns for ($($name,)+) {
            type Output = ($($name::Output,)+);

            #[allow(non_snake_case)]
            fn nodes(&self) -> Vec<(Expr, AttributeType)> {
                let ($($name,)+) = self;
                let mut all = Vec::new();
                $(all.extend($name.nodes());)+
                all
            }

            fn take(values: &mut dyn Iterator<Item = Value<'static>>) -> Option<Self::Output> {
                Some(($($name::take(values)?,)+))
            }
        }
    )*};
}

columns! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
}

/// The positions of columns of a model itself.
///
/// # Errors
/// `Argument` for what is none.
pub(crate) fn own_positions<M: Model, C: Columns>(
    columns: impl FnOnce(&'static M::Columns) -> C,
) -> Result<Vec<usize>> {
    let root = Place::root(M::reflection());
    let named = columns(columns_at::<M>(root)).nodes().into_iter();
    let positions = named.map(|(expr, _)| match expr.0 {
        Node::Column(place, column) if place == root => Ok(column),
        _ => {
            let message = format!("only columns of {} itself can be named here", M::NAME);
            Err(Error::new(ErrorKind::Argument, message).with_model(M::NAME))
        }
    });
    positions.collect()
}

impl<M: Model> Relation<M> {
    /// The values of a column, or tuples of the values of several; paths join. Rails: `pluck`.
    ///
    /// `SELECT "posts"."id", "posts"."title" FROM "posts"`
    ///
    /// Errors: `InvalidValue` for a null where the type has none: a path that may lead nowhere is asked for with
    /// [`optional`](Column::optional); [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn pluck<C: Columns>(
        &self,
        columns: impl FnOnce(&'static M::Columns) -> C,
    ) -> Pending<Vec<C::Output>> {
        let columns = columns(columns_at::<M>(self.core().select.root));
        let (nodes, types): (Vec<_>, Vec<_>) = columns.nodes().into_iter().unzip();
        let mut core = self.core().clone();
        core.select.what = What::Values(nodes.into_iter().map(|expr| expr.0).collect());
        Pending::new(async move {
            core.select = core.with_joined_includes()?.0;
            let rows = tuples(&core, Purpose::Pluck, types.into_iter().map(Some).collect()).await?;
            rows.into_iter().map(|row| taken::<C>(&core, row)).collect()
        })
    }

    /// The values of the first row. Rails: `pick`.
    ///
    /// `SELECT "posts"."title" FROM "posts" LIMIT 1`
    ///
    /// Errors: as [`pluck`](Self::pluck); [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn pick<C: Columns>(
        &self,
        columns: impl FnOnce(&'static M::Columns) -> C,
    ) -> Pending<Option<C::Output>> {
        let plucked = self.clone().limit(1).pluck(columns);
        Pending::new(async move { Ok(plucked.await?.into_iter().next()) })
    }

    /// Rows of some columns as values of a type of yours.
    ///
    /// `SELECT "posts"."id", "posts"."title" FROM "posts"`
    ///
    /// Errors: as [`pluck`](Self::pluck); [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn project<C: Columns, S: Send + 'static>(
        &self,
        columns: impl FnOnce(&'static M::Columns) -> C,
        make: impl Fn(C::Output) -> S + Send + 'static,
    ) -> Pending<Vec<S>> {
        let plucked = self.pluck(columns);
        Pending::new(async move { Ok(plucked.await?.into_iter().map(make).collect()) })
    }

    /// The keys. Rails: `ids`.
    ///
    /// `SELECT "posts"."id" FROM "posts"`
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn ids(&self) -> Pending<Vec<M::Key>> {
        let keys = self.keys();
        Pending::new(async move {
            Ok(keys
                .await?
                .iter()
                .filter_map(|key| M::Key::from_values(key))
                .collect())
        })
    }
}

impl<M> Relation<M> {
    /// How the database would run the query: its plan, line by line. Rails: `explain`.
    ///
    /// `EXPLAIN QUERY PLAN SELECT "posts".* FROM "posts"`, as the database says it.
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn explain(&self) -> Pending<String> {
        let core = self.core().clone();
        Pending::new(async move {
            let mut statement = statement(&core.select, &core.db, Purpose::Explain)?;
            statement.text = explain(core.db.dialect(), &statement.text);
            let mut job = Job::new(statement, Tuples::new(Vec::new()));
            core.db.fetch(&mut job).await?;
            let rows = job.decoded()?;
            // The last column is the one for people.
            let line = |row: &Vec<Value<'static>>| {
                row.last()
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            Ok(rows.rows.iter().map(line).collect::<Vec<_>>().join("\n"))
        })
    }

    /// The keys, each as its values. The erased form of `ids`.
    ///
    /// `SELECT "posts"."id" FROM "posts"`
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn keys(&self) -> Pending<Vec<Vec<Value<'static>>>> {
        let mut core = self.core().clone();
        let (root, model) = (core.select.root, core.select.model());
        let key = model.primary_key();
        core.select.what = What::Values(
            key.iter()
                .map(|&column| Node::Column(root, column))
                .collect(),
        );
        let types = key
            .iter()
            .filter_map(|&column| model.columns().get(column))
            .map(|c| Some(c.ty))
            .collect();
        Pending::new(async move {
            let (select, joined) = core.with_joined_includes()?;
            core.select = select;
            // A record that several joined rows hold has one key.
            if !joined.is_empty() {
                let key = key.iter().map(|&column| Node::Column(root, column));
                core.select.groups.extend(key);
            }
            tuples(&core, Purpose::Pluck, types).await
        })
    }

    /// The values of named attributes, row by row; `author.name` joins, `tree_depth` is
    /// [that of a tree](Relation::tree_depth). Of an enum the labels. The erased form of `pluck`.
    ///
    /// `SELECT "posts"."id", "posts"."title" FROM "posts"`
    ///
    /// Errors, when it is awaited: `UnknownAttribute` or `AssociationNotFound` with the nearest name; [those of
    /// reading](crate::Pending#errors).
    #[track_caller]
    pub fn pluck_named<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Pending<Vec<Vec<Value<'static>>>> {
        let values: Result<Vec<_>> = names
            .into_iter()
            .map(|name| self.value_named(name))
            .collect();
        let mut core = self.core().clone();
        Pending::new(async move {
            let (nodes, types): (Vec<_>, Vec<_>) = values?.into_iter().unzip();
            core.select.what = What::Values(nodes);
            core.select = core.with_joined_includes()?.0;
            let mut rows = tuples(&core, Purpose::Pluck, types.clone()).await?;
            label(rows.iter_mut(), &types);
            Ok(rows)
        })
    }

    /// The values of named attributes of the first row. The erased form of `pick`.
    ///
    /// `SELECT "posts"."title" FROM "posts" LIMIT 1`
    ///
    /// Errors: as [`pluck_named`](Self::pluck_named).
    #[track_caller]
    pub fn pick_named<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Pending<Option<Vec<Value<'static>>>> {
        let first = self.clone().limit(1).pluck_named(names);
        Pending::new(async move { Ok(first.await?.into_iter().next()) })
    }
}
