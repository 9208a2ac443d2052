//! Trees: the rows of a select, and all that an association leads to from them, from those, and so on. One recursive
//! common table expression, which every database we speak to has.
//!
//! ```sql
//! "categories"."id" IN (
//!   WITH RECURSIVE "categories_tree" ("id") AS (
//!     SELECT "categories"."id" FROM "categories" WHERE ...
//!     UNION
//!     SELECT "categories"."id" FROM "categories_tree"
//!       INNER JOIN "categories" ON "categories"."parent_id" = "categories_tree"."id")
//!   SELECT "categories_tree"."id" FROM "categories_tree")
//! ```
//!
//! It is a condition, so that what narrows, joins, counts or writes rows need not know of it.
//!
//! Invariant: a statement ends whatever the rows are: `UNION` takes a row once, and where steps are counted they end.

use super::expr::Node;
use super::place::Place;
use super::raw::Raw;
use super::select::{JoinKind, Select, What};
use super::writer::Writer;
use crate::error::Result;

/// The rows of a select and what a path leads to from them, step by step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tree {
    /// Where it begins.
    pub(crate) start: Select,
    /// Where a step leads: a place below the select's root, of the same model.
    pub(crate) over: Place,
    /// How many steps at most; any number where there is none.
    pub(crate) most: Option<u64>,
}

impl Writer {
    /// That the key in these columns is that of a row of the tree.
    pub(super) fn in_tree(&mut self, key: &[Node], tree: &Tree) -> Result<()> {
        self.row(key);
        self.push(" IN (");
        let around = self.within(|_| true);
        let written = self.tree(tree);
        self.around(around);
        self.push(")");
        written
    }

    fn tree(&mut self, tree: &Tree) -> Result<()> {
        let (root, over) = (tree.start.root, tree.over);
        let model = root.model();
        let key = model.primary_key();
        let mut columns = key.to_vec();
        for column in first_columns(over)? {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        let name = format!("{}_tree", model.table());
        self.push("WITH RECURSIVE ").name(&name).push(" (");
        self.list(&columns, ", ", |this, &column| {
            this.column_name(model, column)
        });
        if tree.most.is_some() {
            self.push(", ").name(DEPTH);
        }
        self.push(") AS (");
        self.start(tree, &columns)?;
        // Not UNION ALL: what was found is not asked again, so that rows that lead to each other end.
        self.push(" UNION SELECT ");
        _ = self.within(|_| true);
        self.alias_as(root, &name);
        let path = over.path();
        let joins: Vec<_> = path
            .iter()
            .map(|&place| super::select::Join {
                place,
                kind: JoinKind::Inner,
            })
            .collect();
        self.name_all(&joins)?;
        self.list(&columns, ", ", |this, &column| this.column(over, column));
        if tree.most.is_some() {
            self.push(", ").depth(root).push(" + 1");
        }
        self.push(" FROM ").name(&name);
        for join in &joins {
            self.join(join.place, join.kind)?;
        }
        if let Some(most) = tree.most {
            self.push(" WHERE ").depth(root);
            self.push(&format!(" < {most}"));
        }
        self.push(") SELECT ");
        self.list(key, ", ", |this, &column| this.column(root, column));
        self.push(" FROM ").name(&name);
        Ok(())
    }

    /// The rows that it begins with. Ones that are cut, or are SQL of the user, stand in a query of their own: an order or a
    /// limit would be that of the whole.
    fn start(&mut self, tree: &Tree, columns: &[usize]) -> Result<()> {
        let root = tree.start.root;
        let counted = tree.most.is_some();
        if tree.start.is_cut() || tree.start.raw.is_some() {
            self.push("SELECT ");
            self.list(columns, ", ", |this, &column| {
                this.name(START).push(".");
                this.column_name(root.model(), column);
            });
            if counted {
                self.push(", 0");
            }
            self.push(" FROM (");
            self.select(&Select {
                what: What::Columns(columns.to_vec()),
                ..tree.start.clone()
            })?;
            self.push(") AS ").name(START);
            return Ok(());
        }
        let values = columns.iter().map(|&column| Node::Column(root, column));
        let depth = counted.then(|| Node::Raw(Raw::new("0")));
        self.select(&Select {
            what: What::Values(values.chain(depth).collect()),
            orders: Vec::new(),
            ..tree.start.clone()
        })
    }

    /// How many steps led to a row.
    fn depth(&mut self, root: Place) -> &mut Self {
        self.table(root);
        self.push(".").name(DEPTH)
    }
}

const DEPTH: &str = "tree_depth";
const START: &str = "tree_start";

/// The columns of the root that the first step of a path begins with.
fn first_columns(over: Place) -> Result<Vec<usize>> {
    let Some(first) = over.path().first().copied() else {
        return Ok(Vec::new());
    };
    let Some((_, resolved)) = first.resolved()? else {
        return Ok(Vec::new());
    };
    let hops = resolved.hops();
    Ok(hops
        .first()
        .map(|hop| hop.over.owner_columns.to_vec())
        .unwrap_or_default())
}
