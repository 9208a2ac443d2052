//! Lists of values in SQL: written out, or, where they are long and the dialect can, as one value.
//!
//! Invariant: whichever way a list is written, it gives the same rows, and few texts exist for lists of all lengths.

use std::fmt::Write as _;

use super::dialect::Lists;
use super::expr::Node;
use super::writer::Writer;
use crate::attribute::value::{Kind, Value};

impl Writer {
    /// The operand's place in a list.
    pub(super) fn rank(&mut self, operand: &Node, values: &[Value<'static>]) {
        if values.is_empty() {
            self.push("NULL");
            return;
        }
        if let Some((lists, kind, list)) = self.as_one(values)
            && let Some(rank) = lists.rank
        {
            let [before, between, after] = rank(kind);
            self.push(before).value(list).push(between);
            self.node(operand).push(after);
            return;
        }
        self.push("CASE ").node(operand);
        for (position, value) in values.iter().enumerate() {
            self.push(" WHEN ").value(value.clone());
            _ = write!(self.text, " THEN {}", position + 1);
        }
        self.push(" END");
    }

    /// A key's place in a list of them.
    pub(super) fn rank_of_keys(&mut self, columns: &[Node], keys: &[Vec<Value<'static>>]) {
        if keys.is_empty() {
            self.push("NULL");
            return;
        }
        self.push("CASE");
        for (position, key) in keys.iter().enumerate() {
            self.push(" WHEN ");
            self.key_is(columns, key);
            _ = write!(self.text, " THEN {}", position + 1);
        }
        self.push(" END");
    }

    /// A long list as one value, with the kind of what is in it: where the dialect has that, and it is all of one kind.
    fn as_one(&self, values: &[Value<'static>]) -> Option<(Lists, Kind, Value<'static>)> {
        let lists = self.dialect.lists()?;
        let kind = values.first()?.kind()?;
        let fits = !self.inline
            && values.len() > lists.longer_than
            && values.iter().all(|value| value.kind() == Some(kind));
        let list = fits.then(|| (lists.value)(values)).flatten()?;
        Some((lists, kind, list))
    }

    /// A list, written out and padded to a power of two so that few texts exist, or as one value.
    pub(super) fn in_list(&mut self, values: &[Value<'static>], within: bool) {
        if let Some((lists, kind, list)) = self.as_one(values) {
            let around = if within { lists.within } else { lists.without };
            let (before, after) = around(kind);
            self.push(before).value(list).push(after);
            return;
        }
        self.push(if within { " IN (" } else { " NOT IN (" });
        let padding = if self.inline {
            0
        } else {
            values.len().next_power_of_two() - values.len()
        };
        let last = values.last().into_iter().cycle().take(padding);
        self.binds.reserve(values.len() + padding);
        self.text.reserve("?, ".len() * (values.len() + padding));
        self.list(values.iter().chain(last), ", ", |this, value| {
            _ = this.value(value.clone())
        });
        self.push(")");
    }

    /// Row values are not everywhere: each tuple is a conjunction, unless the list is one value.
    pub(super) fn tuples(&mut self, columns: &[Node], tuples: &[Vec<Value<'static>>]) {
        if tuples.is_empty() {
            self.push("1=0");
            return;
        }
        if let Some(lists) = self.dialect.tuples()
            && !self.inline
            && tuples.len() > lists.longer_than
            && let Some(kinds) = kinds(tuples)
            && let Some(list) = (lists.value)(tuples)
        {
            self.push("(");
            self.list(columns, ", ", |this, column| _ = this.node(column));
            self.push(")").push(lists.before);
            self.list(kinds.into_iter().enumerate(), ", ", |this, (at, kind)| {
                (lists.part)(at, kind, &mut this.text)
            });
            self.push(lists.around.0).value(list).push(lists.around.1);
            return;
        }
        self.push("(");
        self.list(tuples, " OR ", |this, tuple| {
            this.key_is(columns, tuple);
        });
        self.push(")");
    }
}

/// The kinds of the parts of keys, where all keys have the same.
fn kinds(keys: &[Vec<Value<'static>>]) -> Option<Vec<Kind>> {
    let of = |key: &Vec<Value<'static>>| key.iter().map(Value::kind).collect::<Option<Vec<_>>>();
    let first = of(keys.first()?)?;
    let same = |key: &Vec<Value<'static>>| {
        key.len() == first.len() && key.iter().zip(&first).all(|(a, b)| a.kind() == Some(*b))
    };
    keys.iter().all(same).then_some(first)
}
