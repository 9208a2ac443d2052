//! Turns a select into text and values, in Rails' shape.
//!
//! Invariant: a value becomes a placeholder and an entry of `binds`, in the same order; only `inline`, for
//! display, writes it as a literal instead.

use std::fmt::Write as _;

use super::alias::Aliases;
use super::dialect::Dialect;
use super::expr::{Comparison, Function, Node, Told};
use super::place::Place;
use super::raw::Raw;
use super::select::{Direction, Join, Lock, Order, Select, What};
use crate::attribute::value::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::reflection::ModelReflection;

pub(crate) struct Writer {
    pub(super) dialect: Dialect,
    pub(super) text: String,
    pub(super) binds: Vec<Value<'static>>,
    pub(super) inline: bool,
    aliases: Aliases,
    /// Why the statement must not run.
    refused: Option<Error>,
    /// The databases that what is compared was read from, and by which associations.
    told: Vec<(usize, &'static ModelReflection, usize)>,
}

impl Writer {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            text: String::with_capacity(128),
            binds: Vec::new(),
            inline: false,
            aliases: Aliases::default(),
            refused: None,
            told: Vec::new(),
        }
    }

    /// Refuses a statement for a database that is compared with records of another: their keys mean nothing here.
    #[inline]
    pub(crate) fn check_database(&self, database: usize) -> Result<()> {
        match self.told.iter().find(|(of, ..)| *of != database) {
            Some(&(_, owner, association)) => Err(Told::elsewhere(owner, association)),
            None => Ok(()),
        }
    }

    /// Goes on with a statement that is there.
    pub(crate) fn resumed(dialect: Dialect, text: &str, binds: Vec<Value<'static>>) -> Self {
        let mut writer = Self::new(dialect);
        writer.push(text);
        Self { binds, ..writer }
    }

    /// The statement with the conditions of a select behind its own.
    pub(crate) fn narrowed(mut self, select: &Select) -> (String, Vec<Value<'static>>) {
        self.aliases.add(select.root);
        self.conjunction(" AND ", &select.filters);
        self.finish()
    }

    /// For display: values stand in the text.
    pub(crate) fn inline(dialect: Dialect) -> Self {
        Self {
            inline: true,
            ..Self::new(dialect)
        }
    }

    pub(crate) fn finish(self) -> (String, Vec<Value<'static>>) {
        (self.text, self.binds)
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Names the table that a statement is about.
    pub(super) fn root(&mut self, root: Place) {
        self.aliases.add(root);
    }

    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    pub(super) fn name(&mut self, identifier: &str) -> &mut Self {
        self.dialect.quote(identifier, &mut self.text);
        self
    }

    pub(super) fn value(&mut self, value: Value<'static>) -> &mut Self {
        if self.inline {
            literal(self.dialect, &value, &mut self.text);
        } else {
            self.binds.push(value);
            self.dialect.placeholder(self.binds.len(), &mut self.text);
        }
        self
    }

    pub(super) fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        between: &str,
        mut each: impl FnMut(&mut Self, T),
    ) {
        for (position, item) in items.into_iter().enumerate() {
            if position > 0 {
                self.push(between);
            }
            each(self, item);
        }
    }

    /// The conditions of a select, with placeholders, for messages; none without any.
    pub(crate) fn conditions(mut self, select: &Select) -> Option<String> {
        if select.filters.is_empty() {
            return None;
        }
        self.aliases.add(select.root);
        self.name_all(&select.all_joins()).ok()?;
        self.conjunction("WHERE ", &select.filters);
        Some(self.text)
    }

    /// The whole statement.
    pub(crate) fn select(&mut self, select: &Select) -> Result<()> {
        if let Some(raw) = &select.raw
            && select.is_raw_alone()
        {
            self.raw(raw);
            return Ok(());
        }
        match &select.what {
            What::CountRows(what) => {
                self.push("SELECT COUNT(*) FROM (");
                self.select(&Select {
                    what: (**what).clone(),
                    ..select.clone()
                })?;
                self.push(") ").name("subquery_for_count");
                return Ok(());
            }
            What::Each(each) => return self.first_of_each(select, each),
            _ => {}
        }
        self.aliases.add(select.root);
        let joins = select.all_joins();
        self.name_all(&joins)?;

        self.push("SELECT ");
        if select.distinct {
            self.push("DISTINCT ");
        }
        self.what(select, &select.what);
        self.from(select, &joins)?;
        self.orders(&select.orders);
        self.cut(select);
        self.ended(select)
    }

    /// What the rows consist of.
    pub(super) fn what(&mut self, select: &Select, what: &What) {
        match what {
            What::Records => {
                self.table(select.root);
                self.push(".*");
            }
            What::Columns(columns) => {
                self.list(columns, ", ", |this, &column| {
                    this.column(select.root, column)
                });
            }
            What::Places(places) => {
                let columns = places.iter().enumerate().flat_map(|(at, &place)| {
                    (0..place.model().columns().len()).map(move |column| (at, place, column))
                });
                self.list(columns, ", ", |this, (at, place, column)| {
                    this.column(place, column);
                    this.push(&format!(" AS t{at}_r{column}"));
                });
            }
            What::Values(values) => self.list(values, ", ", |this, node| _ = this.node(node)),
            What::One | What::CountRows(_) | What::Each(_) => {
                self.push("1 AS one");
            }
        }
    }

    /// From where, under which conditions, in which groups.
    pub(super) fn from(&mut self, select: &Select, joins: &[Join]) -> Result<()> {
        self.push(" FROM ");
        if let Some(raw) = &select.raw {
            self.push("(").raw(raw);
            self.push(") ");
        }
        self.name(select.model().table());
        for join in joins {
            self.join(join.place, join.kind)?;
        }
        for join in &select.joined_sql {
            self.push(" ").raw(join);
        }
        self.conjunction(" WHERE ", &select.filters);
        if !select.groups.is_empty() {
            self.push(" GROUP BY ");
            self.list(&select.groups, ", ", |this, node| _ = this.node(node));
        }
        self.conjunction(" HAVING ", &select.having);
        Ok(())
    }

    pub(super) fn orders(&mut self, orders: &[Order]) {
        if orders.is_empty() {
            return;
        }
        self.push(" ORDER BY ");
        self.list(orders, ", ", |this, order| {
            this.node(&order.by);
            this.push(match order.direction {
                Direction::Ascending => " ASC",
                Direction::Descending => " DESC",
            });
        });
    }

    /// How many rows, and how they are taken.
    pub(super) fn cut(&mut self, select: &Select) {
        // Limits are written, never bound: SQLite would prepare the statement again at each new value.
        // No database counts further than i64 does.
        let most = |rows: u64| rows.min(i64::MAX as u64);
        match (select.limit.map(most), select.offset) {
            (Some(limit), _) => _ = write!(self.text, " LIMIT {limit}"),
            (None, Some(_)) => _ = write!(self.text, " LIMIT {}", self.dialect.unlimited()),
            (None, None) => {}
        }
        if let Some(offset) = select.offset.map(most) {
            _ = write!(self.text, " OFFSET {offset}");
        }
        if select.lock == Some(Lock::ForUpdate) {
            self.push(self.dialect.for_update());
        }
        for annotation in &select.annotations {
            // Taken apart and not taken out: what is left of `**//` would end the comment.
            let annotation = annotation.replace("*/", "* /").replace("/*", "/ *");
            _ = write!(self.text, " /* {annotation} */");
        }
    }

    /// Whether the statement may run.
    pub(super) fn ended(&self, select: &Select) -> Result<()> {
        match &self.refused {
            Some(error) if error.model().is_some() => Err(error.clone()),
            Some(error) => Err(error.clone().with_model(select.model().name())),
            None => Ok(()),
        }
    }

    pub(super) fn conjunction(&mut self, before: &str, conditions: &[Node]) {
        if conditions.is_empty() {
            return;
        }
        self.push(before);
        self.list(conditions, " AND ", |this, node| this.grouped(node));
    }

    /// The node, in parentheses if it would come apart among others.
    pub(super) fn grouped(&mut self, node: &Node) {
        if matches!(node, Node::Or(_) | Node::Raw(_)) {
            self.push("(").node(node);
            self.push(")");
        } else {
            self.node(node);
        }
    }

    pub(super) fn alias(&mut self, place: Place) {
        self.aliases.add(place);
    }

    /// Names the table at a place as a query within the statement does.
    pub(super) fn alias_as(&mut self, place: Place, name: &str) {
        self.aliases.add_as(place, name);
    }

    /// Begins a query within this one, whose own tables have no names yet; gives the names of the one around.
    pub(super) fn within(&mut self, is_own: impl Fn(Place) -> bool) -> Aliases {
        let around = self.aliases.clone();
        self.aliases.forget(is_own);
        around
    }

    /// Ends a query within this one.
    pub(super) fn around(&mut self, aliases: Aliases) {
        self.aliases = aliases;
    }

    pub(super) fn table(&mut self, place: Place) {
        let name = self
            .aliases
            .get(place)
            .unwrap_or_else(|| place.model().table())
            .to_owned();
        self.name(&name);
    }

    /// The table at a place, with its name in the statement where that is another.
    pub(super) fn table_as(&mut self, place: Place) {
        let table = place.model().table();
        self.name(table);
        let alias = self.aliases.get(place).unwrap_or(table).to_owned();
        if alias != table {
            self.push(" AS ").name(&alias);
        }
    }

    pub(super) fn column(&mut self, place: Place, column: usize) {
        self.table(place);
        self.push(".");
        if let Some(column) = place.model().columns().get(column) {
            self.name(column.column_name());
        }
    }

    pub(super) fn node(&mut self, node: &Node) -> &mut Self {
        match node {
            Node::Column(place, column) => self.column(*place, *column),
            Node::Value(value) => _ = self.value(value.clone()),
            Node::Compare(comparison, left, right) => {
                self.node(left).push(match comparison {
                    Comparison::Equal => " = ",
                    Comparison::NotEqual => " != ",
                    Comparison::Less => " < ",
                    Comparison::LessOrEqual => " <= ",
                    Comparison::Greater => " > ",
                    Comparison::GreaterOrEqual => " >= ",
                });
                self.node(right);
            }
            Node::IsNull(operand) => _ = self.node(operand).push(" IS NULL"),
            Node::Between(operand, low, high) => {
                self.node(operand).push(" BETWEEN ");
                self.value(low.clone()).push(" AND ").value(high.clone());
            }
            Node::In(operand, values) => {
                self.node(operand);
                self.in_list(values, true);
            }
            Node::Rank(operand, values) => self.rank(operand, values),
            Node::InTuples(columns, tuples) => self.tuples(columns, tuples),
            Node::InSelect(columns, select) => {
                self.row(columns);
                self.push(" IN (");
                self.nested(select);
                self.push(")");
            }
            Node::Like(operand, pattern, insensitive) => self.like(operand, pattern, *insensitive),
            Node::And(all) => self.list(all, " AND ", |this, node| this.grouped(node)),
            Node::Or(any) => self.list(any, " OR ", |this, node| {
                if matches!(node, Node::And(_) | Node::Raw(_)) {
                    this.push("(").node(node).push(")");
                } else {
                    this.node(node);
                }
            }),
            Node::Not(operand) => self.not(operand),
            Node::IsNotTrue(operand) => {
                self.push("(").node(operand).push(") IS NOT TRUE");
            }
            Node::Exists(place, condition) => {
                if let Err(error) = self.exists(*place, condition) {
                    self.refused = Some(error);
                }
            }
            Node::Apart(apart) => {
                self.row(&apart.columns());
                self.push(" IN (");
                self.nested(&apart.from);
                self.push(")");
            }
            Node::RankOfKeys(columns, keys) => self.rank_of_keys(columns, keys),
            Node::InTree(columns, tree) => {
                if let Err(error) = self.in_tree(columns, tree) {
                    self.refused = Some(error);
                }
            }
            Node::TreeDepth(columns, tree) => {
                if let Err(error) = self.tree_depth(columns, tree) {
                    self.refused = Some(error);
                }
            }
            // Rails writes the first as a comparison that SQL refuses to be clever about.
            Node::Always(known) => _ = self.push(if *known { "1=1" } else { "1=0" }),
            Node::Call(function, operand) => self.call(*function, operand),
            Node::Plus(operand, value) => {
                self.push("COALESCE(").node(operand).push(", 0) + ");
                self.value(value.clone());
            }
            Node::Star => _ = self.push("*"),
            Node::Raw(raw) => self.raw(raw),
            Node::Told(told) => {
                self.told
                    .push((told.database, told.owner, told.association));
                self.node(&told.node);
            }
            // Nothing is written for it: whoever forgets to look gets no statement either.
            Node::Refused(refusal) => self.refused = Some(refusal.0.clone()),
        }
        self
    }

    /// Several values as one: `(a, b)`.
    pub(super) fn row(&mut self, values: &[Node]) {
        match values {
            [one] => _ = self.node(one),
            several => {
                self.push("(");
                self.list(several, ", ", |this, node| _ = this.node(node));
                self.push(")");
            }
        }
    }

    fn not(&mut self, operand: &Node) {
        match operand {
            Node::IsNull(inner) => _ = self.node(inner).push(" IS NOT NULL"),
            Node::In(inner, values) => {
                self.node(inner);
                self.in_list(values, false);
            }
            exists @ Node::Exists(..) => _ = self.push("NOT ").node(exists),
            other => _ = self.push("NOT (").node(other).push(")"),
        }
    }

    fn call(&mut self, function: Function, operand: &Node) {
        self.push(match function {
            Function::Count => "COUNT(",
            Function::CountDistinct => "COUNT(DISTINCT ",
            Function::Sum => "SUM(",
            Function::Average => "AVG(",
            Function::Minimum => "MIN(",
            Function::Maximum => "MAX(",
            Function::Lower => "LOWER(",
        });
        self.node(operand).push(")");
    }

    /// That a key of several columns is this one.
    pub(super) fn key_is(&mut self, columns: &[Node], key: &[Value<'static>]) {
        self.list(columns.iter().zip(key), " AND ", |this, (column, value)| {
            this.node(column).push(" = ").value(value.clone());
        });
    }

    fn like(&mut self, operand: &Node, pattern: &str, ignoring_case: bool) {
        if pattern.contains('\0') {
            // A database reads a pattern up to there, and would give rows that do not match.
            let problem = format!("a pattern cannot hold the character NUL: {pattern:?}");
            self.refused = Some(Error::new(ErrorKind::InvalidValue, problem));
        }
        let like = self.dialect.like(ignoring_case);
        self.node(operand)
            .push(like.operator)
            .value(Value::Text((like.pattern)(pattern).into()))
            .push(like.after);
    }

    pub(crate) fn raw(&mut self, raw: &Raw) {
        let mut values = raw.binds().iter();
        for (position, part) in raw.pieces().enumerate() {
            if position > 0 {
                match values.next() {
                    Some(value) => _ = self.value(value.clone()),
                    None => _ = self.push("?"),
                }
            }
            self.push(part);
        }
        // One that has no place is not left out in silence: the database refuses the statement.
        self.binds.extend(values.cloned());
    }

    /// A select within this one: it names its tables on its own.
    fn nested(&mut self, select: &Select) {
        let outer = std::mem::take(&mut self.aliases);
        if let Err(error) = self.select(select) {
            self.refused.get_or_insert(error);
        }
        self.aliases = outer;
    }
}

/// A value as SQL writes it. For display only.
fn literal(dialect: Dialect, value: &Value<'static>, out: &mut String) {
    let quoted = |text: &str, out: &mut String| {
        out.push('\'');
        out.push_str(&text.replace('\'', "''"));
        out.push('\'');
    };
    match value {
        Value::Null => out.push_str("NULL"),
        Value::Bool(value) => out.push_str(dialect.boolean(*value)),
        Value::Int(value) => _ = write!(out, "{value}"),
        Value::Uint(value) => _ = write!(out, "{value}"),
        // SQL has no word for the infinite: a number beyond all is read as it.
        Value::Float(value) if value.is_infinite() => {
            out.push_str(if *value > 0.0 { "9e999" } else { "-9e999" });
        }
        Value::Float(value) => _ = write!(out, "{value}"),
        Value::Text(text) | Value::Json(text) => quoted(text, out),
        Value::Decimal(text) => out.push_str(text),
        Value::Bytes(bytes) => {
            out.push_str("x'");
            bytes.iter().for_each(|byte| _ = write!(out, "{byte:02x}"));
            out.push('\'');
        }
        other => {
            let text = crate::attribute::Kind::Text.cast(other.clone());
            quoted(
                text.ok()
                    .as_ref()
                    .and_then(Value::as_str)
                    .unwrap_or_default(),
                out,
            );
        }
    }
}
