//! Orders that hold as long as no others are given.
//!
//! Invariant: an order that somebody asked for is never mixed with one that holds by default.

use super::{Orders, Relation, Scope};
use crate::error::Result;
use crate::model::Model;

impl<M: Model> Relation<M> {
    /// Orders the rows where no other order is given, before or after: `|p| p.title`, `|p| (p.stars.desc(), p.title)`. A
    /// later [`order`](Self::order) takes its place; `reverse_order`, `first` and `last` go by it. Rails: `default_order`.
    ///
    /// `ORDER BY "posts"."title" ASC`
    pub fn default_order<O: Orders>(self, orders: impl FnOnce(&'static M::Columns) -> O) -> Self {
        let orders = orders(self.columns()).orders();
        self.map(|core| core.select.order_by_default(orders))
    }
}

impl<M> Relation<M> {
    /// Orders the rows by attributes where no other order is given: `title`, `stars desc, title`. The erased form of
    /// `default_order`.
    ///
    /// # Errors
    /// As for [`order_by`](Self::order_by).
    pub fn default_order_by(self, orders: &str) -> Result<Self> {
        let orders: Result<Vec<_>> = orders.split(',').map(|one| self.order_named(one)).collect();
        let orders = orders?;
        Ok(self.map(|core| core.select.order_by_default(orders)))
    }
}

impl Scope {
    /// The scope that orders so by default; what is wrong with the names is an error of the query.
    pub(crate) fn ordering_by_default(orders: String) -> &'static Self {
        let order = move |all: Relation| {
            let ordered = all.clone().default_order_by(&orders);
            ordered.unwrap_or_else(|error| all.refuse(error))
        };
        Box::leak(Box::new(Self::new(Box::leak(Box::new(order)))))
    }
}
