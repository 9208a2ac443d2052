//! Counts, sums and the like, of a relation.
//!
//! Invariant: a relation that is cut (limit, offset) or distinct is counted as a subquery, so the count is that of
//! the rows it would give.

use super::pluck::tuples;
use crate::attribute::value::Value;
use crate::attribute::{Attribute, AttributeType, Stored};
use crate::db::adapter::Purpose;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Model;
use crate::pending::Pending;
use crate::reflection::ModelReflection;
use crate::relation::{Column, Core, Relation, columns_at};
use crate::sql::expr::{Function, Node};
use crate::sql::{Place, What};

/// The type of the sum of a column: wide enough that it is exact where the column is.
#[diagnostic::on_unimplemented(
    message = "values of `{Self}` are not summed or averaged",
    label = "not a number",
    note = "`sum`, `average` and their like take a column of numbers: `|p| p.stars`"
)]
pub trait Summable: Attribute {
    /// What a sum is.
    type Sum: Attribute + Default;

    /// The database's answer as the column's own numbers mean it.
    #[doc(hidden)]
    fn total(answer: Value<'static>) -> Value<'static> {
        answer
    }
}

macro_rules! summable {
    ($($type:ty => $sum:ty),* $(,)?) => {$(
        impl Summable for $type {
            type Sum = $sum;
        }

        impl Summable for Option<$type> {
            type Sum = $sum;
        }
    )*};
}

summable!(i8 => i64, i16 => i64, i32 => i64, i64 => i64, u8 => i64, u16 => i64, u32 => i64, u64 => u64, f32 => f64, f64 => f64);

#[cfg(feature = "decimal")]
mod decimals {
    use rust_decimal::Decimal;

    use super::{Summable, Value};

    /// SQLite adds decimals up as floating point numbers: beyond the 15 digits that it keeps of each, their sum is
    /// noise (`0.1 + 0.2` is `0.30000000000000004`).
    fn rounded(answer: Value<'static>) -> Value<'static> {
        match answer {
            Value::Float(sum) => Decimal::from_scientific(&format!("{sum:.14e}"))
                .map_or(Value::Float(sum), |sum| Value::from(sum.normalize())),
            exact => exact,
        }
    }

    // Not named to who sums a text: the list would be another with each feature.
    #[diagnostic::do_not_recommend]
    impl Summable for Decimal {
        type Sum = Self;

        fn total(answer: Value<'static>) -> Value<'static> {
            rounded(answer)
        }
    }

    #[diagnostic::do_not_recommend]
    impl Summable for Option<Decimal> {
        type Sum = Decimal;

        fn total(answer: Value<'static>) -> Value<'static> {
            rounded(answer)
        }
    }
}

async fn single(
    core: &Core,
    function: Function,
    operand: Node,
    ty: Option<AttributeType>,
) -> Result<Option<Value<'static>>> {
    let (word, by_group) = of_groups(function);
    check_ungrouped(core, word, by_group)?;
    let mut core = core.clone();
    core.select.what = What::Values(vec![Node::Call(function, Box::new(operand))]);
    core.select.orders.clear();
    let rows = tuples(&core, Purpose::Calculate, vec![ty]).await?;
    Ok(rows
        .into_iter()
        .flatten()
        .next()
        .filter(|value| !value.is_null()))
}

/// Refuses groups: what is computed of each is no single number.
fn check_ungrouped(core: &Core, word: &str, of_groups: &str) -> Result<()> {
    if core.select.groups.is_empty() {
        return Ok(());
    }
    let name = core.select.model().name();
    let message = format!(
        "`{word}` gives one number, and the relation of {name} has groups: `{of_groups}` gives that of each"
    );
    Err(Error::new(ErrorKind::Argument, message).with_model(name))
}

/// What is computed of each group.
fn of_groups(function: Function) -> (&'static str, &'static str) {
    match function {
        Function::Sum => ("sum", "sum_by"),
        Function::Average => ("average", "average_by"),
        Function::Minimum => ("minimum", "minimum_by"),
        Function::Maximum => ("maximum", "maximum_by"),
        _ => ("count", "count_by"),
    }
}

/// How many rows the select gives.
pub(crate) async fn count(core: &Core) -> Result<u64> {
    if core.select.gives_nothing() {
        return Ok(0);
    }
    let (select, joined) = core.with_joined_includes()?;
    let mut core = core.clone();
    core.select = select;
    // A record that several joined rows hold counts once.
    core.select.distinct |= !joined.is_empty();
    check_ungrouped(&core, "count", "count_by")?;
    let is_by_key =
        matches!(core.select.model().primary_key(), [_]) && !core.select.what.is_partial();
    if core.select.is_cut() || (core.select.distinct && !is_by_key) {
        let mut what = What::One;
        if core.select.distinct {
            what = core.select.what_is_distinct();
            // Of which rows are counted an order says nothing, and it may name what is not read.
            core.select.orders.clear();
        }
        core.select.what = What::CountRows(Box::new(what));
    } else {
        core.select.orders.clear();
        let counted = match (core.select.distinct, core.select.model().primary_key()) {
            (true, &[key]) => Node::Call(
                Function::CountDistinct,
                Box::new(Node::Column(core.select.root, key)),
            ),
            _ => Node::Call(Function::Count, Box::new(Node::Star)),
        };
        core.select.distinct = false;
        core.select.what = What::Values(vec![counted]);
    }
    let rows = tuples(&core, Purpose::Calculate, Vec::new()).await?;
    let count = rows
        .first()
        .and_then(|row| row.first())
        .and_then(Value::as_i64);
    Ok(count
        .and_then(|count| u64::try_from(count).ok())
        .unwrap_or_default())
}

/// The extremes of a column are of its type; a sum or average is what the database makes of it.
pub(super) fn type_of(function: Function, place: Place, column: usize) -> Option<AttributeType> {
    let column = match function {
        Function::Minimum | Function::Maximum => place.model().columns().get(column)?,
        _ => return None,
    };
    Some(AttributeType {
        nullable: true,
        ..*column.attribute_type()
    })
}

/// What the database says of a sum, as the column's own numbers mean it; 0 for nothing.
pub(super) fn total<T: Summable>(
    model: &'static ModelReflection,
    answer: Option<Value<'static>>,
) -> Result<T::Sum> {
    let Some(answer) = answer else {
        return Ok(T::Sum::default());
    };
    let sum = AttributeType::of::<T::Sum>()
        .cast(T::total(answer))
        .map_err(|problem| {
            Error::new(ErrorKind::RangeError, format!("the sum {problem}")).with_model(model.name())
        })?;
    Ok(T::Sum::owned(Stored::of(&sum)))
}

pub(super) fn typed<A: Attribute>(value: Option<Value<'static>>) -> Option<A> {
    value.map(|value| A::owned(Stored::of(&value)))
}

impl<M> Relation<M> {
    /// How many rows. Rails: `count`.
    ///
    /// `SELECT COUNT(*) FROM "posts"`
    ///
    /// Errors: `Argument` of a relation with groups, for which [`count_by`](Self::count_by) is; [those of
    /// reading](crate::Pending#errors).
    #[track_caller]
    pub fn count(&self) -> Pending<u64> {
        let core = self.core().clone();
        Pending::new(async move { count(&core).await })
    }
}

impl<M> Relation<M> {
    /// The sum of a named attribute; 0 of no rows. The erased form of `sum`.
    ///
    /// `SELECT SUM("posts"."stars") FROM "posts"`
    ///
    /// Errors, when it is awaited: `UnknownAttribute` or `AssociationNotFound` with the nearest name; `Argument` of a relation
    /// with groups; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn sum_named(&self, name: &str) -> Pending<Value<'static>> {
        let sum = self.aggregate_named(Function::Sum, name);
        Pending::new(async move {
            Ok(match sum.await? {
                Value::Null => Value::Int(0),
                sum => sum,
            })
        })
    }

    /// The average of a named attribute; null of no rows. The erased form of `average`.
    ///
    /// `SELECT AVG("posts"."stars") FROM "posts"`
    ///
    /// Errors: `UnknownAttribute` or `AssociationNotFound` with the nearest name; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn average_named(&self, name: &str) -> Pending<Value<'static>> {
        self.aggregate_named(Function::Average, name)
    }

    /// The smallest value of a named attribute; null of no rows. The erased form of `minimum`.
    ///
    /// `SELECT MIN("posts"."stars") FROM "posts"`
    ///
    /// Errors: `UnknownAttribute` or `AssociationNotFound` with the nearest name; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn minimum_named(&self, name: &str) -> Pending<Value<'static>> {
        self.aggregate_named(Function::Minimum, name)
    }

    /// The largest value of a named attribute; null of no rows. The erased form of `maximum`.
    ///
    /// `SELECT MAX("posts"."stars") FROM "posts"`
    ///
    /// Errors: `UnknownAttribute` or `AssociationNotFound` with the nearest name; [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn maximum_named(&self, name: &str) -> Pending<Value<'static>> {
        self.aggregate_named(Function::Maximum, name)
    }

    #[track_caller]
    fn aggregate_named(&self, function: Function, name: &str) -> Pending<Value<'static>> {
        let (column, core) = (self.named(name), self.core().clone());
        Pending::new(async move {
            let (place, column) = column?;
            let ty = type_of(function, place, column);
            let found = single(&core, function, Node::Column(place, column), ty).await?;
            Ok(found.unwrap_or(Value::Null))
        })
    }
}

impl<M: Model> Relation<M> {
    #[track_caller]
    fn aggregate<A: Attribute>(&self, function: Function, column: Node) -> Pending<Option<A>> {
        let core = self.core().clone();
        Pending::new(async move {
            let ty = AttributeType::of::<A>();
            Ok(typed(single(&core, function, column, Some(ty)).await?))
        })
    }

    /// The sum of a column; 0 of no rows. Sums of decimals have 15 significant digits on SQLite, as each decimal has.
    /// Rails: `sum`.
    ///
    /// `SELECT SUM("posts"."stars") FROM "posts"`
    ///
    /// Errors: `RangeError` when the sum does not fit its type; what the database says.
    #[track_caller]
    pub fn sum<T: Summable>(
        &self,
        column: impl FnOnce(&'static M::Columns) -> Column<T>,
    ) -> Pending<T::Sum> {
        let column = column(columns_at::<M>(self.core().select.root));
        let core = self.core().clone();
        Pending::new(async move {
            let answer = single(&core, Function::Sum, column.node(), None).await?;
            total::<T>(core.select.model(), answer)
        })
    }

    /// The average of a column; `None` of no rows. Rails: `average`.
    ///
    /// `SELECT AVG("posts"."stars") FROM "posts"`
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn average<T: Summable>(
        &self,
        column: impl FnOnce(&'static M::Columns) -> Column<T>,
    ) -> Pending<Option<f64>> {
        let column = column(columns_at::<M>(self.core().select.root));
        self.aggregate::<f64>(Function::Average, column.node())
    }

    /// The smallest value of a column; `None` of no rows. Rails: `minimum`.
    ///
    /// `SELECT MIN("posts"."stars") FROM "posts"`
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn minimum<T: Attribute>(
        &self,
        column: impl FnOnce(&'static M::Columns) -> Column<T>,
    ) -> Pending<Option<T>> {
        let column = column(columns_at::<M>(self.core().select.root));
        self.aggregate::<T>(Function::Minimum, column.node())
    }

    /// The largest value of a column; `None` of no rows. Rails: `maximum`.
    ///
    /// `SELECT MAX("posts"."stars") FROM "posts"`
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn maximum<T: Attribute>(
        &self,
        column: impl FnOnce(&'static M::Columns) -> Column<T>,
    ) -> Pending<Option<T>> {
        let column = column(columns_at::<M>(self.core().select.root));
        self.aggregate::<T>(Function::Maximum, column.node())
    }
}
