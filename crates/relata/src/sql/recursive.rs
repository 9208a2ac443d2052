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
use crate::reflection::ModelReflection;

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
        let root = tree.start.root;
        let model = root.model();
        let columns = tree.columns()?;
        let name = format!("{}_tree", model.table());
        let counted = tree.most.is_some();
        self.push("WITH RECURSIVE ");
        self.named_rows(&name, model, &columns, counted);
        self.start(tree, &columns, counted)?;
        self.step(tree, &columns, &name, counted)?;
        if let Some(most) = tree.most {
            self.push(" WHERE ").depth_of(&name);
            self.push(&format!(" < {most}"));
        }
        self.push(") SELECT ");
        self.list(model.primary_key(), ", ", |this, &column| {
            this.column(root, column)
        });
        self.push(" FROM ").name(&name);
        Ok(())
    }

    /// How many steps lead to the row with the key in these columns, the fewest; null for a row that is not in the tree.
    ///
    /// ```sql
    /// (WITH RECURSIVE
    ///   "categories_start" ("id") AS (SELECT "categories"."id" FROM "categories" WHERE ...),
    ///   "categories_tree" ("id") AS (SELECT ... UNION SELECT ...),
    ///   "categories_steps" ("id", "tree_depth") AS (
    ///     SELECT "categories_start"."id", 0 FROM "categories_start"
    ///     UNION
    ///     SELECT "categories"."id", "categories_steps"."tree_depth" + 1 FROM "categories_steps"
    ///       INNER JOIN "categories" ON "categories"."parent_id" = "categories_steps"."id"
    ///       WHERE "categories"."id" NOT IN (SELECT "categories_start"."id" FROM "categories_start")
    ///       AND "categories_steps"."tree_depth" < (SELECT COUNT(*) FROM "categories_tree"))
    ///   SELECT MIN("categories_steps"."tree_depth") FROM "categories_steps"
    ///   WHERE "categories_steps"."id" = "categories"."id")
    /// ```
    ///
    /// Rows that lead to each other would be counted without end: a way back to where the tree begins is no step, and no
    /// row is more steps away than the tree has rows.
    pub(super) fn tree_depth(&mut self, key: &[Node], tree: &Tree) -> Result<()> {
        let model = tree.start.root.model();
        let [start, all, steps] =
            ["start", "tree", "steps"].map(|part| format!("{}_{part}", model.table()));
        self.push("(");
        let around = self.within(|_| true);
        let written = self.steps(tree, [&start, &all, &steps]);
        self.around(around);
        self.push(" SELECT MIN(").depth_of(&steps);
        self.push(") FROM ").name(&steps);
        self.push(" WHERE ");
        let pairs = model.primary_key().iter().zip(key);
        self.list(pairs, " AND ", |this, (&column, node)| {
            this.name(&steps).push(".");
            this.column_name(model, column);
            this.push(" = ").node(node);
        });
        self.push(")");
        written
    }

    fn steps(&mut self, tree: &Tree, [start, all, steps]: [&str; 3]) -> Result<()> {
        let root = tree.start.root;
        let model = root.model();
        let columns = tree.columns()?;
        self.push("WITH RECURSIVE ");
        self.named_rows(start, model, &columns, false);
        self.start(tree, &columns, false)?;
        if tree.most.is_none() {
            self.push("), ");
            self.named_rows(all, model, &columns, false);
            self.begun(start, model, &columns);
            self.push(" FROM ").name(start);
            self.step(tree, &columns, all, false)?;
        }
        self.push("), ");
        self.named_rows(steps, model, &columns, true);
        self.begun(start, model, &columns);
        self.push(", 0 FROM ").name(start);
        self.step(tree, &columns, steps, true)?;
        let key = model.primary_key().iter();
        let reached: Vec<Node> = key.map(|&column| Node::Column(tree.over, column)).collect();
        self.push(" WHERE ").row(&reached);
        self.push(" NOT IN (");
        self.begun(start, model, model.primary_key());
        self.push(" FROM ").name(start);
        self.push(") AND ").depth_of(steps);
        match tree.most {
            Some(most) => _ = self.push(&format!(" < {most}")),
            None => {
                self.push(" < (SELECT COUNT(*) FROM ").name(all);
                self.push(")");
            }
        }
        self.push(")");
        Ok(())
    }

    /// `"categories_tree" ("id") AS (`
    fn named_rows(
        &mut self,
        name: &str,
        model: &'static ModelReflection,
        columns: &[usize],
        counted: bool,
    ) {
        self.name(name).push(" (");
        self.list(columns, ", ", |this, &column| {
            this.column_name(model, column)
        });
        if counted {
            self.push(", ").name(DEPTH);
        }
        self.push(") AS (");
    }

    /// What the rows it begins with consist of, where they have a name.
    fn begun(&mut self, start: &str, model: &'static ModelReflection, columns: &[usize]) {
        self.push("SELECT ");
        self.list(columns, ", ", |this, &column| {
            this.name(start).push(".");
            this.column_name(model, column);
        });
    }

    /// The rows that one step leads to, from those that are there under that name.
    fn step(&mut self, tree: &Tree, columns: &[usize], name: &str, counted: bool) -> Result<()> {
        let (root, over) = (tree.start.root, tree.over);
        // Not UNION ALL: what was found is not asked again, so that rows that lead to each other end.
        self.push(" UNION SELECT ");
        _ = self.within(|_| true);
        self.alias_as(root, name);
        let path = over.path();
        let joins: Vec<_> = path
            .iter()
            .map(|&place| super::select::Join {
                place,
                kind: JoinKind::Inner,
            })
            .collect();
        self.name_all(&joins)?;
        self.list(columns, ", ", |this, &column| this.column(over, column));
        if counted {
            self.push(", ").depth_of(name).push(" + 1");
        }
        self.push(" FROM ").name(name);
        for join in &joins {
            self.join(join.place, join.kind)?;
        }
        Ok(())
    }

    /// The rows that it begins with. Ones that are cut, or are SQL of the user, stand in a query of their own: an order or a
    /// limit would be that of the whole.
    fn start(&mut self, tree: &Tree, columns: &[usize], counted: bool) -> Result<()> {
        let root = tree.start.root;
        if tree.start.is_cut() || tree.start.raw.is_some() || !tree.start.joined_sql.is_empty() {
            self.begun(START, root.model(), columns);
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
    fn depth_of(&mut self, name: &str) -> &mut Self {
        self.name(name).push(".").name(DEPTH)
    }
}

const DEPTH: &str = "tree_depth";
const START: &str = "tree_start";

impl Tree {
    /// The columns that a row of it needs: its key, and what a step begins with.
    fn columns(&self) -> Result<Vec<usize>> {
        let mut columns = self.start.root.model().primary_key().to_vec();
        for column in first_columns(self.over)? {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        Ok(columns)
    }
}

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
