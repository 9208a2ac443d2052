//! Lists that a query of its own gives: what `disable_joins` puts in the place of a join.
//!
//! Before a statement is run, loading asks for each list and puts its values here, so that no statement names the tables of
//! two hops. Where that was not done, as in a query within another, the list is written as a query within: the same rows.
//!
//! Invariant: a select that holds such a list says so in what it [asks](Asks).

use super::expr::Node;
use super::place::Place;
use super::select::Select;
use crate::attribute::value::Value;
use crate::error::Result;

/// What a select asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asks {
    /// Rows, by one statement.
    Rows,
    /// Rows, after the lists among its conditions were asked for.
    Apart,
    /// Nothing: the result is empty without a statement.
    Nothing,
}

/// A key that is among those that a query of its own gives. As an order: its place among them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Apart {
    pub(crate) place: Place,
    /// The columns of the key.
    pub(crate) key: Vec<usize>,
    /// What gives the keys.
    pub(crate) from: Select,
}

impl Apart {
    pub(super) fn columns(&self) -> Vec<Node> {
        let column = |&column: &usize| Node::Column(self.place, column);
        self.key.iter().map(column).collect()
    }

    pub(super) fn with_place(&self, change: &dyn Fn(Place) -> Result<Place>) -> Result<Self> {
        Ok(Self {
            place: change(self.place)?,
            ..self.clone()
        })
    }

    /// That the key is one of these.
    pub(crate) fn among(&self, keys: Vec<Vec<Value<'static>>>) -> Node {
        Node::key_among(self.place, &self.key, keys)
    }

    /// The place of the key among these.
    pub(crate) fn rank(&self, keys: Vec<Vec<Value<'static>>>) -> Node {
        let mut columns = self.columns();
        match (columns.pop(), columns.is_empty()) {
            (Some(one), true) => Node::Rank(Box::new(one), keys.into_iter().flatten().collect()),
            _ => Node::RankOfKeys(self.columns(), keys),
        }
    }
}

impl Select {
    /// The lists among the conditions and orders that are to be asked for first, each once.
    pub(crate) fn apart(&self) -> Vec<Apart> {
        let mut all = Vec::new();
        let orders = self.orders.iter().map(|order| &order.by);
        for node in self.filters.iter().chain(orders) {
            collect(node, &mut all);
        }
        all
    }

    /// Puts something else in the place of each list.
    pub(crate) fn settle(
        &mut self,
        filter: impl Fn(&Apart) -> Node,
        order: impl Fn(&Apart) -> Node,
    ) {
        for node in &mut self.filters {
            replace(node, &filter);
        }
        for one in &mut self.orders {
            replace(&mut one.by, &order);
        }
        self.asks = Asks::Rows;
    }
}

fn collect(node: &Node, all: &mut Vec<Apart>) {
    match node {
        Node::Apart(apart) if !all.contains(apart) => all.push((**apart).clone()),
        Node::And(nodes) | Node::Or(nodes) => nodes.iter().for_each(|node| collect(node, all)),
        Node::Not(node) => collect(node, all),
        _ => {}
    }
}

fn replace(node: &mut Node, with: &impl Fn(&Apart) -> Node) {
    match node {
        Node::Apart(apart) => *node = with(apart),
        Node::And(nodes) | Node::Or(nodes) => nodes.iter_mut().for_each(|one| replace(one, with)),
        Node::Not(one) => replace(one, with),
        _ => {}
    }
}
