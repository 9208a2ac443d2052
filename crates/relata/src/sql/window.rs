//! The first rows of each owner: `ROW_NUMBER() OVER (PARTITION BY ...)`, and of the numbered rows those up to the limit.
//!
//! Invariant: the rows come in the order of their numbers, which is that of the select among the rows of one owner.

use std::fmt::Write as _;

use super::expr::Node;
use super::select::{Each, Select, What};
use super::writer::Writer;
use crate::error::{Error, ErrorKind, Result};

impl Writer {
    /// A select of the first rows of each owner.
    ///
    /// Equal rows of a distinct one get one number, so that they are one row again: `DENSE_RANK()`. For that the key must
    /// be part of the order, and the order say nothing else of them.
    pub(super) fn first_of_each(&mut self, select: &Select, each: &Each) -> Result<()> {
        if select.distinct {
            check_distinct(select)?;
        }
        let number = number_of(select);
        self.root(select.root);
        let joins = select.all_joins();
        self.name_all(&joins)?;
        self.push("SELECT ");
        match &each.what {
            What::Values(values) => self.list(0..values.len(), ", ", |this, at| {
                this.name(&format!("value_{at}"));
            }),
            _ => {
                self.table(select.root);
                self.push(".*");
            }
        }
        self.push(" FROM (SELECT ");
        if select.distinct {
            self.push("DISTINCT ");
        }
        match &each.what {
            What::Values(values) => {
                self.list(values.iter().enumerate(), ", ", |this, (at, node)| {
                    this.node(node).push(" AS ").name(&format!("value_{at}"));
                })
            }
            what => self.what(select, what),
        }
        self.push(match select.distinct {
            true => ", DENSE_RANK() OVER (PARTITION BY ",
            false => ", ROW_NUMBER() OVER (PARTITION BY ",
        });
        self.list(&each.of, ", ", |this, node| _ = this.node(node));
        self.orders(&select.orders);
        self.push(") AS ").name(&number);
        self.from(select, &joins)?;
        self.push(") AS ");
        self.table(select.root);
        let before = each.offset.unwrap_or_default();
        self.push(" WHERE ").name(&number);
        match each.limit {
            Some(limit) if before == 0 => _ = self.push(" <= ").number(limit),
            Some(limit) => {
                self.push(" > ").number(before).push(" AND ").name(&number);
                self.push(" <= ").number(before.saturating_add(limit));
            }
            None => _ = self.push(" > ").number(before),
        }
        self.push(" ORDER BY ").name(&number).push(" ASC");
        self.cut(select);
        self.ended(select)
    }

    /// A number that is written and not bound, as a limit is.
    fn number(&mut self, rows: u64) -> &mut Self {
        let mut text = String::new();
        _ = write!(text, "{}", rows.min(i64::MAX as u64));
        self.push(&text)
    }
}

/// The name of the number of a row, which is no column's.
fn number_of(select: &Select) -> String {
    let columns = select.model().columns();
    let mut name = String::from("row_of_owner");
    while columns.iter().any(|column| column.column_name() == name) {
        name.push('_');
    }
    name
}

fn check_distinct(select: &Select) -> Result<()> {
    let mut strange = select.model().primary_key().is_empty();
    for order in &select.orders {
        order
            .by
            .places(false, &mut |place, _| strange |= place != select.root);
        strange |= matches!(order.by, Node::Raw(_));
    }
    if !strange {
        return Ok(());
    }
    let name = select.model().name();
    let message = format!(
        "a distinct scope with a limit for each owner is ordered by columns of {name}, which needs a primary key, and by \
         nothing else: equal rows must have one number"
    );
    Err(Error::new(ErrorKind::Unsupported, message).with_model(name))
}
