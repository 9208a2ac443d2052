//! Rows with and without a target, and rows in the order of a list.
//!
//! Invariant: the typed forms and those by name make the same conditions.

use super::{Column, Operand, Paths, Relation};
use crate::attribute::Attribute;
use crate::attribute::value::Value;
use crate::error::{Error, ErrorKind};
use crate::model::Model;
use crate::sql::expr::{Comparison, Node, Refusal};
use crate::sql::{Direction, Expr, JoinKind, Order, Place};

impl<M: Model> Relation<M> {
    /// Keeps the rows that have a target of the association; of several, of each. Rails: `where.associated(:author)`.
    ///
    /// `INNER JOIN "people" ON ... WHERE "people"."id" IS NOT NULL`
    pub fn associated<P: Paths>(self, paths: impl FnOnce(&'static M::Columns) -> P) -> Self {
        let places = paths(self.columns()).places();
        places.into_iter().fold(self, Self::associated_at)
    }

    /// Keeps the rows that have no target of the association; of several, of none. Rails: `where.missing(:author)`.
    ///
    /// `LEFT OUTER JOIN "people" ON ... WHERE "people"."id" IS NULL`
    pub fn missing<P: Paths>(self, paths: impl FnOnce(&'static M::Columns) -> P) -> Self {
        let places = paths(self.columns()).places();
        places.into_iter().fold(self, Self::missing_at)
    }

    /// Keeps the rows whose column is among the values, in the order of the values. Rails: `in_order_of(:id, [3, 1])`.
    ///
    /// `WHERE "posts"."id" IN (3, 1) ORDER BY CASE "posts"."id" WHEN 3 THEN 1 WHEN 1 THEN 2 END ASC`
    pub fn in_order_of<T: Attribute, O: Operand<T>>(
        self,
        column: impl FnOnce(&'static M::Columns) -> Column<T>,
        values: impl IntoIterator<Item = O>,
    ) -> Self {
        let column = column(self.columns()).node();
        let (mut list, mut refused) = (Vec::new(), Vec::new());
        for value in values {
            match value.operand().0 {
                Node::Value(value) => list.push(value),
                Node::Refused(problem) => refused.push(Node::Refused(problem)),
                _ => refused.push(Node::Refused(Refusal(Error::new(
                    ErrorKind::InvalidValue,
                    "in_order_of takes values, not columns",
                )))),
            }
        }
        self.ranked(column, list)
            .map(|core| core.select.filters.extend(refused))
    }
}

impl<M> Relation<M> {
    pub(super) fn associated_at(self, place: Place) -> Self {
        let joined = self.select().joins.iter().any(|join| join.place == place);
        let there = keys(place).map(|key| key.compare(Comparison::NotEqual, Value::Null));
        let condition = Expr(Node::all(there));
        self.map(|core| {
            if !joined {
                core.select.join(place, JoinKind::Inner);
            }
            core.select.filter(condition);
        })
    }

    pub(super) fn missing_at(self, place: Place) -> Self {
        let gone = keys(place).map(|key| key.compare(Comparison::Equal, Value::Null));
        let condition = Expr(Node::all(gone));
        self.map(|core| {
            core.select.join(place, JoinKind::Left);
            core.select.filter(condition);
        })
    }

    pub(super) fn ranked(self, column: Node, values: Vec<Value<'static>>) -> Self {
        let among = column.clone().among(values.clone());
        let by = Node::Rank(Box::new(column), values);
        self.map(|core| {
            core.select.filter(Expr(among));
            core.select.order([Order {
                by,
                direction: Direction::Ascending,
            }]);
        })
    }
}

/// The columns of the primary key at a place.
fn keys(place: Place) -> impl Iterator<Item = Node> {
    let key = place.model().primary_key().iter();
    key.map(move |&column| Node::Column(place, column))
}
