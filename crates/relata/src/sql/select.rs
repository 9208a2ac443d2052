//! What to read, as data.
//!
//! Invariant: a `Select` is inert and complete: two that are equal give the same text.

use super::apart::Asks;
use super::expr::{Expr, Node};
use super::place::Place;
use super::raw::Raw;
use crate::attribute::value::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::reflection::ModelReflection;

/// Which way an order goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Ascending,
    Descending,
}

/// One term of an ORDER BY. Made by `asc()` and `desc()` of a column.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "an order does nothing until it is given to a relation"]
pub struct Order {
    pub(crate) by: Node,
    pub(crate) direction: Direction,
}

impl Order {
    pub(crate) fn reversed(mut self) -> Self {
        self.direction = match self.direction {
            Direction::Ascending => Direction::Descending,
            Direction::Descending => Direction::Ascending,
        };
        self
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinKind {
    Inner,
    Left,
}

/// A join that was asked for; those that filters need are found when the text is made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Join {
    pub(crate) place: Place,
    pub(crate) kind: JoinKind,
}

/// Whether the rows are locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    ForUpdate,
}

/// What the rows consist of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    /// All columns of the root: `"posts".*`.
    Records,
    /// Some columns of the root, by position.
    Columns(Vec<usize>),
    /// All columns of several places, named by the place's number and the column's: `t0_r0`.
    Places(Vec<Place>),
    /// Values.
    Values(Vec<Node>),
    /// `1 AS one`.
    One,
    /// `COUNT(*)` over the select as a subquery, whose rows consist of this.
    CountRows(Box<What>),
    /// The first rows of each owner.
    Each(Box<Each>),
}

/// The first rows of each of several owners, numbered by a window in the order of the select.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Each {
    /// What the rows consist of.
    pub(crate) what: What,
    /// What the rows of one owner have in common: its key, in the rows.
    pub(crate) of: Vec<Node>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: Option<u64>,
}

impl What {
    /// Whether columns of the model may be missing.
    pub(crate) fn is_partial(&self) -> bool {
        match self {
            Self::Columns(_) => true,
            Self::Each(each) => each.what.is_partial(),
            _ => false,
        }
    }

    /// The values that it names.
    pub(crate) fn values(&self) -> &[Node] {
        match self {
            Self::Values(values) => values,
            _ => &[],
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Select {
    pub(crate) root: Place,
    pub(crate) what: What,
    pub(crate) filters: Vec<Node>,
    pub(crate) joins: Vec<Join>,
    /// Joins that the user wrote in SQL, after the others.
    pub(crate) joined_sql: Vec<Raw>,
    pub(crate) orders: Vec<Order>,
    /// The orders hold as long as no others are given.
    pub(crate) ordered_by_default: bool,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: Option<u64>,
    pub(crate) distinct: bool,
    /// The limit and the offset are those of each owner, where it is read for several.
    pub(crate) per_owner: bool,
    pub(crate) groups: Vec<Node>,
    pub(crate) having: Vec<Node>,
    pub(crate) annotations: Vec<String>,
    pub(crate) lock: Option<Lock>,
    pub(crate) asks: Asks,
    /// A statement the user wrote, in place of all the rest.
    pub(crate) raw: Option<Raw>,
}

impl Select {
    pub(crate) fn of(model: &'static ModelReflection) -> Self {
        Self {
            root: Place::root(model),
            what: What::Records,
            filters: Vec::new(),
            joins: Vec::new(),
            joined_sql: Vec::new(),
            orders: Vec::new(),
            ordered_by_default: false,
            limit: None,
            offset: None,
            distinct: false,
            per_owner: false,
            groups: Vec::new(),
            having: Vec::new(),
            annotations: Vec::new(),
            lock: None,
            asks: Asks::Rows,
            raw: None,
        }
    }

    /// The same select, reading all columns of its root and of these places.
    pub(crate) fn of_places(mut self, places: Vec<Place>) -> Self {
        self.what = What::Places([vec![self.root], places].concat());
        self
    }

    pub(crate) fn model(&self) -> &'static ModelReflection {
        self.root.model()
    }

    /// Whether it gives no row whatever the table holds: an empty list was asked for, or nothing at all.
    #[inline]
    pub(crate) fn gives_nothing(&self) -> bool {
        self.asks == Asks::Nothing
            || self
                .filters
                .iter()
                .any(|one| matches!(one, Node::Always(false)))
    }

    /// Whether one statement gives its rows: there are some to be asked for, and nothing is asked for before them.
    #[inline]
    pub(crate) fn asks_rows(&self) -> bool {
        self.asks == Asks::Rows && !self.gives_nothing()
    }

    /// Takes away what another select asks, where this one asks it too: once, so that what is asked twice is asked still.
    pub(crate) fn leave_out(&mut self, other: &Self) {
        fn without<T: PartialEq>(ours: &mut Vec<T>, theirs: &[T]) {
            for one in theirs {
                if let Some(at) = ours.iter().position(|own| own == one) {
                    ours.remove(at);
                }
            }
        }
        without(&mut self.filters, &other.filters);
        without(&mut self.joins, &other.joins);
        without(&mut self.joined_sql, &other.joined_sql);
        without(&mut self.orders, &other.orders);
        self.ordered_by_default &= !self.orders.is_empty();
        if self.limit == other.limit {
            self.limit = None;
        }
    }

    /// Whether it is a statement of the user's own and nothing is asked of its rows.
    pub(crate) fn is_raw_alone(&self) -> bool {
        let alone = Self {
            raw: self.raw.clone(),
            ..Self::of(self.model())
        };
        self.raw.is_some() && *self == alone
    }

    /// The column that a condition compares with a value.
    pub(crate) fn compared_with(&self, value: &Value<'static>) -> Option<(Place, usize)> {
        let conditions = self.filters.iter().chain(&self.having);
        conditions
            .into_iter()
            .find_map(|node| node.compared_with(value))
    }

    /// The columns by which equal rows are one: those that are read, or the key, or all of a model without one.
    pub(crate) fn what_is_distinct(&self) -> What {
        match (&self.what, self.model().primary_key()) {
            (What::Columns(columns), _) => What::Columns(columns.clone()),
            (_, []) => What::Records,
            (_, key) => What::Columns(key.to_vec()),
        }
    }

    pub(crate) fn filter(&mut self, condition: Expr) {
        match condition.0 {
            Node::And(all) => self.filters.extend(all),
            Node::Always(true) => {}
            one => self.filters.push(one),
        }
    }

    pub(crate) fn join(&mut self, place: Place, kind: JoinKind) {
        for step in place.path_below(self.root) {
            match self.joins.iter_mut().find(|join| join.place == step) {
                // An inner join asked for beside a left one wins, as in Rails.
                Some(join) => {
                    if kind == JoinKind::Inner {
                        join.kind = kind;
                    }
                }
                None => self.joins.push(Join { place: step, kind }),
            }
        }
    }

    /// The joins that the text needs: those asked for, and one for every place that something names.
    pub(crate) fn all_joins(&self) -> Vec<Join> {
        let mut all = Self {
            root: self.root,
            joins: self.joins.clone(),
            ..Self::of(self.model())
        };
        let mut needed = Vec::new();
        let mut visit = |place: Place, rejects_null: bool| needed.push((place, rejects_null));
        self.filters
            .iter()
            .chain(&self.having)
            .for_each(|node| node.places(true, &mut visit));
        self.groups
            .iter()
            .for_each(|node| node.places(false, &mut visit));
        self.orders
            .iter()
            .for_each(|order| order.by.places(false, &mut visit));
        let named = match &self.what {
            What::Values(values) => [values.as_slice(), &[]],
            What::Each(each) => [each.what.values(), each.of.as_slice()],
            _ => [&[][..], &[]],
        };
        for node in named.into_iter().flatten() {
            node.places(false, &mut visit);
        }
        for (place, rejects_null) in needed {
            if place == self.root {
                continue;
            }
            let explicit = self.joins.iter().any(|join| join.place == place);
            if !explicit {
                all.join(
                    place,
                    if rejects_null {
                        JoinKind::Inner
                    } else {
                        JoinKind::Left
                    },
                );
            }
        }
        all.joins
    }

    /// Whether rows of more than the one table make a row.
    pub(crate) fn is_joined(&self) -> bool {
        !self.joined_sql.is_empty() || !self.all_joins().is_empty()
    }

    /// Whether the order of rows matters to the result: only then is an order worth its cost in a count.
    pub(crate) fn is_cut(&self) -> bool {
        self.limit.is_some() || self.offset.is_some()
    }

    /// Appends orders; those that hold by default give way to them.
    pub(crate) fn order(&mut self, orders: impl IntoIterator<Item = Order>) {
        let mut orders = orders.into_iter().peekable();
        if self.ordered_by_default && orders.peek().is_some() {
            self.orders.clear();
            self.ordered_by_default = false;
        }
        self.orders.extend(orders);
    }

    /// Replaces all orders.
    pub(crate) fn reorder(&mut self, orders: Vec<Order>) {
        self.orders = orders;
        self.ordered_by_default = false;
    }

    /// Orders that hold as long as no others are given.
    pub(crate) fn order_by_default(&mut self, orders: Vec<Order>) {
        if self.orders.is_empty() || self.ordered_by_default {
            self.ordered_by_default = !orders.is_empty();
            self.orders = orders;
        }
    }

    /// At most that many rows, of those that it gives anyway.
    pub(crate) fn limit_to(&mut self, rows: u64) {
        self.limit = Some(self.limit.map_or(rows, |limit| limit.min(rows)));
    }

    /// Whether it is cut, and that for each owner by itself.
    pub(crate) fn is_cut_per_owner(&self) -> bool {
        self.per_owner && self.is_cut()
    }

    /// Orders by the key last, where the order may leave two rows alike: so each query cuts at the same row.
    pub(crate) fn order_wholly(&mut self) {
        let root = self.root;
        for &column in root.model().primary_key() {
            let by = Node::Column(root, column);
            if self.orders.iter().all(|order| order.by != by) {
                let direction = Direction::Ascending;
                self.orders.push(Order { by, direction });
            }
        }
    }

    pub(crate) fn reverse(&mut self) {
        if self.orders.is_empty() {
            let key = self.model().primary_key().to_vec();
            self.orders.extend(key.into_iter().map(|column| Order {
                by: Node::Column(self.root, column),
                direction: Direction::Descending,
            }));
        } else {
            self.orders = std::mem::take(&mut self.orders)
                .into_iter()
                .map(Order::reversed)
                .collect();
        }
    }

    /// Orders by the columns that name a row where no order is given: what `first` and batches need.
    pub(crate) fn order_by_key(&mut self, key: &[usize], direction: Direction) -> Result<()> {
        let model = self.model();
        if key.is_empty() {
            return Err(Error::new(
                ErrorKind::UnknownPrimaryKey,
                format!(
                    "{} has no primary key to order by: give an order",
                    model.name()
                ),
            )
            .with_model(model.name()));
        }
        let root = self.root;
        let by_key = key.iter().map(|&column| Order {
            by: Node::Column(root, column),
            direction,
        });
        self.reorder(by_key.collect());
        Ok(())
    }

    /// Adds what another select asks of the same model, or of one that `onto` leads to. Rails: `merge`.
    pub(crate) fn merge(&mut self, other: &Select, onto: Place) -> Result<()> {
        if other.root.model() != onto.model() {
            let (wanted, given) = (onto.model().name(), other.model().name());
            return Err(Error::new(
                ErrorKind::IncompatibleRelation,
                format!("merge wants a relation of {wanted} here, and got one of {given}"),
            )
            .with_model(self.model().name()));
        }
        if self.raw.is_some() || other.raw.is_some() {
            let message = "merge takes no relation of a statement in SQL: add its parts to `from_sql` instead";
            let error = Error::new(ErrorKind::IncompatibleRelation, message);
            return Err(error.with_model(self.model().name()));
        }
        for node in &other.filters {
            let node = node.moved(onto)?;
            // An equality of the other side replaces ours on the same column, as in Rails.
            if let Some((column, _)) = node.equality(onto) {
                self.filters
                    .retain(|own| own.equality(onto).is_none_or(|(own, _)| own != column));
            }
            self.filters.push(node);
        }
        for join in &other.joins {
            self.join(join.place.moved(onto)?, join.kind);
        }
        for join in &other.joined_sql {
            if !self.joined_sql.contains(join) {
                self.joined_sql.push(join.clone());
            }
        }
        let mut orders = Vec::with_capacity(other.orders.len());
        for order in &other.orders {
            orders.push(Order {
                by: order.by.moved(onto)?,
                direction: order.direction,
            });
        }
        match other.ordered_by_default {
            true => self.order_by_default(orders),
            false => self.order(orders),
        }
        for node in &other.groups {
            self.groups.push(node.moved(onto)?);
        }
        for node in &other.having {
            self.having.push(node.moved(onto)?);
        }
        self.limit = other.limit.or(self.limit);
        self.offset = other.offset.or(self.offset);
        self.distinct |= other.distinct;
        self.per_owner |= other.per_owner;
        self.asks = self.asks.max(other.asks);
        self.lock = other.lock.or(self.lock);
        self.annotations.extend(other.annotations.iter().cloned());
        Ok(())
    }
}
