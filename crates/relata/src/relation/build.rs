//! Making a relation narrower, ordering it, cutting it: the methods that Rails calls query methods.
//!
//! Invariant: every method takes a relation and gives another; nothing is read.

use std::marker::PhantomData;

use super::columns::columns_at;
use super::tuples::tuples;
use super::{Column, Computed, Paths, Relation, includes};
use crate::attribute::value::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{FromRecord, Model};
use crate::record::StrictLoading;
use crate::sql::expr::{Node, Refusal};
use crate::sql::{Asks, Expr, JoinKind, Lock, Order, Raw, Select, What};

/// A part of a relation that `unscope` takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// All filters.
    Filters,
    /// All orders.
    Orders,
    /// The limit.
    Limit,
    /// The offset.
    Offset,
    /// `distinct`.
    Distinct,
    /// Groups and their conditions.
    Groups,
    /// Joins that were asked for.
    Joins,
    /// Includes.
    Includes,
    /// `lock`.
    Lock,
    /// `readonly`.
    Readonly,
    /// Comments.
    Annotations,
}

/// One order, or a tuple, array or vector of them. A column by itself is ordered upwards.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no order",
    label = "not an order",
    note = "write `|p| p.title`, `|p| p.title.desc()`, or a tuple of them"
)]
pub trait Orders {
    /// The orders, first to last.
    fn orders(self) -> Vec<Order>;
}

impl Orders for Order {
    fn orders(self) -> Vec<Order> {
        vec![self]
    }
}

impl<T> Orders for Column<T> {
    fn orders(self) -> Vec<Order> {
        vec![self.asc()]
    }
}

impl<T> Orders for Computed<T> {
    fn orders(self) -> Vec<Order> {
        vec![self.asc()]
    }
}

impl Orders for Vec<Order> {
    fn orders(self) -> Vec<Order> {
        self
    }
}

impl<const N: usize> Orders for [Order; N] {
    fn orders(self) -> Vec<Order> {
        self.into()
    }
}

// A few: who writes no order is told all that is one.
tuples! { Orders::orders -> Order; A B; A B C; }

/// A relation that reads one column, to be used as a list: `p.author_id.is_in(people.select(|p| p.id))`.
#[derive(Debug, Clone)]
#[must_use = "a selection reads nothing by itself"]
pub struct Selection<T> {
    select: Select,
    ty: PhantomData<fn() -> T>,
}

impl<T> Selection<T> {
    pub(crate) fn into_select(self) -> Select {
        self.select
    }
}

impl<T> Selection<Option<T>> {
    /// The values of a column that may be null, without the nulls: a list with a null in it is never known to lack a value,
    /// so that `NOT IN` would find nothing. Adds `IS NOT NULL` to the conditions.
    ///
    /// ```
    /// # use relata::{Db, model};
    /// # #[model] pub struct Person { id: i64, name: String }
    /// # #[model] pub struct Post { id: i64, author_id: Option<i64> }
    /// # relata::run(async {
    /// # let db = Db::connect("sqlite::memory:").await?;
    /// # db.create_tables([Person::reflection(), Post::reflection()]).await?;
    /// # let ann = Person::create(&db, |p| p.set_name("Ann")).await?;
    /// # Person::create(&db, |p| p.set_name("Bob")).await?;
    /// # Post::create(&db, |p| p.set_author_id(Some(ann.id()))).await?;
    /// # Post::create(&db, |p| p).await?;
    /// let writing = Post::all(&db).select_column(|p| p.author_id).without_nulls();
    /// let silent = Person::all(&db).exclude(|p| p.id.is_in(writing));
    /// assert_eq!(silent.pluck(|p| p.name).await?, ["Bob"]);
    /// # Ok(()) }).unwrap();
    /// ```
    pub fn without_nulls(self) -> Selection<T> {
        let mut select = self.select;
        let columns = select.what.values().to_vec();
        for column in columns {
            select.filter(!Expr(Node::IsNull(Box::new(column))));
        }
        Selection {
            select,
            ty: PhantomData,
        }
    }
}

impl<M: Model> Relation<M> {
    pub(super) fn columns(&self) -> &'static M::Columns {
        columns_at::<M>(self.core().select.root)
    }

    /// Keeps the rows for which the condition holds. A path through an association joins it.
    /// Rails: `where`.
    #[doc(alias = "where")]
    pub fn filter<E: Into<Expr>>(self, condition: impl FnOnce(&'static M::Columns) -> E) -> Self {
        let condition = condition(self.columns()).into();
        self.map(|core| core.select.filter(condition))
    }

    /// Keeps the rows for which the condition does not hold. Rails: `where.not`.
    #[doc(alias = "not")]
    pub fn exclude<E: Into<Expr>>(self, condition: impl FnOnce(&'static M::Columns) -> E) -> Self {
        let condition = !condition(self.columns()).into();
        self.map(|core| core.select.filter(condition))
    }

    /// Replaces the conditions on the columns that the new condition names. Rails: `rewhere`.
    #[doc(alias = "rewhere")]
    pub fn refilter<E: Into<Expr>>(self, condition: impl FnOnce(&'static M::Columns) -> E) -> Self {
        let condition = condition(self.columns()).into();
        self.refiltered(condition)
    }

    /// Appends orders: `|p| p.title`, `|p| p.title.desc()`, `|p| (p.stars.desc(), p.title)`. Rails: `order`.
    pub fn order<O: Orders>(self, orders: impl FnOnce(&'static M::Columns) -> O) -> Self {
        let orders = orders(self.columns()).orders();
        self.map(|core| core.select.order(orders))
    }

    /// Replaces all orders. Rails: `reorder`.
    pub fn reorder<O: Orders>(self, orders: impl FnOnce(&'static M::Columns) -> O) -> Self {
        let orders = orders(self.columns()).orders();
        self.map(|core| core.select.reorder(orders))
    }

    /// Joins associations; rows without a target are left out. Rails: `joins`.
    pub fn joins<P: Paths>(self, paths: impl FnOnce(&'static M::Columns) -> P) -> Self {
        self.join(paths, JoinKind::Inner)
    }

    /// Joins associations; rows without a target stay. Rails: `left_outer_joins`.
    pub fn left_outer_joins<P: Paths>(self, paths: impl FnOnce(&'static M::Columns) -> P) -> Self {
        self.join(paths, JoinKind::Left)
    }

    fn join<P: Paths>(self, paths: impl FnOnce(&'static M::Columns) -> P, kind: JoinKind) -> Self {
        let places = paths(self.columns()).places();
        self.map(|core| {
            places
                .into_iter()
                .for_each(|place| core.select.join(place, kind))
        })
    }

    /// Loads associations together with the records, nested to any depth: one query for each, or, where a join, a
    /// condition or an order names one of them, all in one query with joins. Then a record has only those targets for
    /// which the conditions hold. Rails: `includes`.
    pub fn includes<P: Paths>(self, paths: impl FnOnce(&'static M::Columns) -> P) -> Self {
        let tree = includes::add_places(paths(self.columns()).places());
        self.map(|core| includes::graft(&mut core.includes, &tree))
    }

    /// Loads associations together with the records, one query for each, whatever the conditions name.
    /// Rails: `preload`.
    pub fn preload<P: Paths>(self, paths: impl FnOnce(&'static M::Columns) -> P) -> Self {
        let tree = includes::add_places(paths(self.columns()).places());
        self.map(|core| includes::graft(&mut core.preloads, &tree))
    }

    /// Loads associations together with the records in one query, with left joins. A limited relation over a
    /// collection asks for the keys of the limited rows first. Rails: `eager_load`.
    ///
    /// `SELECT "posts"."id" AS t0_r0, ..., "comments"."id" AS t1_r0, ... FROM "posts" LEFT OUTER JOIN "comments" ...`
    pub fn eager_load<P: Paths>(self, paths: impl FnOnce(&'static M::Columns) -> P) -> Self {
        let tree = includes::add_places(paths(self.columns()).places());
        self.map(|core| includes::graft(&mut core.eager, &tree))
    }

    /// Says that SQL of yours names the tables of these associations, so that includes of them are joined.
    /// Rails: `references`.
    pub fn references<P: Paths>(self, paths: impl FnOnce(&'static M::Columns) -> P) -> Self {
        let places = paths(self.columns()).places();
        self.map(|core| core.references.extend(places))
    }

    /// Groups the rows, for counts and sums of each group. Rails: `group`.
    pub fn group<T>(self, column: impl FnOnce(&'static M::Columns) -> Column<T>) -> Self {
        let column = column(self.columns());
        self.map(|core| core.select.groups.push(column.node()))
    }

    /// Keeps the groups for which the condition holds. Rails: `having`.
    pub fn having<E: Into<Expr>>(self, condition: impl FnOnce(&'static M::Columns) -> E) -> Self {
        let condition = condition(self.columns()).into();
        self.map(|core| core.select.having.push(condition.0))
    }

    /// This relation's rows as the values of one column, for a list: `IN (SELECT ...)`. Rails:
    /// `where(id: posts.select(:author_id))`.
    pub fn select_column<T>(
        self,
        column: impl FnOnce(&'static M::Columns) -> Column<T>,
    ) -> Selection<T> {
        let column = column(self.columns());
        let mut select = self.into_core().select;
        select.what = What::Values(vec![column.node()]);
        Selection {
            select,
            ty: PhantomData,
        }
    }
}

impl<M: FromRecord> Relation<M> {
    /// Leaves these records out; on the erased layer too. A record of another model makes the relation one that fails,
    /// with `InvalidValue`, one of another database with `AssociationTypeMismatch`. Rails: `excluding`, `without`.
    #[doc(alias = "without")]
    pub fn excluding<'a>(self, records: impl IntoIterator<Item = &'a M>) -> Self {
        let root = self.core().select.root;
        let model = root.model();
        let mut keys = Vec::new();
        for record in records.into_iter().map(FromRecord::as_record) {
            if record.reflection() != model {
                let (name, other) = (model.name(), record.reflection().name());
                let problem = format!("excluding wants records of {name}, and got one of {other}");
                return self.refuse(Error::new(ErrorKind::InvalidValue, problem).with_model(name));
            }
            if record.db() != self.db() {
                let name = model.name();
                let problem = format!(
                    "excluding wants records of {name}, and got one of another database: read it from the `Db` of this \
                     relation"
                );
                let error = Error::new(ErrorKind::AssociationTypeMismatch, problem);
                return self.refuse(error.with_model(name));
            }
            keys.push(record.key().into_iter().map(Value::into_owned).collect());
        }
        if keys.is_empty() {
            return self;
        }
        let among = Node::key_among(root, model.primary_key(), keys);
        self.map(|core| core.select.filter(Expr(among.negate())))
    }
}

impl<M> Relation<M> {
    /// The relation as one that fails with this error when it is run.
    pub(crate) fn refuse(self, error: Error) -> Self {
        self.map(|core| core.select.filter(Expr(Node::Refused(Refusal(error)))))
    }

    /// With this condition in place of those on the columns that it names.
    pub(super) fn refiltered(self, condition: Expr) -> Self {
        self.map(|core| {
            let named = condition.0.columns();
            core.select
                .filters
                .retain(|own| !own.columns().iter().any(|column| named.contains(column)));
            core.select.filter(condition);
        })
    }

    /// Keeps the rows that this relation or the other keeps. Both must have the same joins, orders, limits and groups; joins
    /// and orders may be this one's alone. Rails: `or`.
    ///
    /// # Errors
    /// `IncompatibleRelation` when they differ in anything but filters.
    pub fn or(self, other: Self) -> Result<Self> {
        self.check_alike(&other, "or")?;
        let theirs = other.into_core().select;
        // Who keeps no rows adds none.
        if theirs.asks == Asks::Nothing {
            return Ok(self);
        }
        let is_none = self.core().select.asks == Asks::Nothing;
        Ok(self.map(|core| {
            let ours = std::mem::take(&mut core.select.filters);
            core.select.asks = match is_none {
                true => theirs.asks,
                false => core.select.asks.max(theirs.asks),
            };
            let theirs = theirs.filters;
            core.select.filters = match is_none {
                true => theirs,
                false => vec![Expr(Node::all(ours)).or(Expr(Node::all(theirs))).0],
            };
        }))
    }

    /// Keeps the rows that both keep. Both must have the same joins, orders, limits and groups; joins and orders may be this
    /// one's alone. Rails: `and`.
    ///
    /// # Errors
    /// `IncompatibleRelation` when they differ in anything but filters.
    pub fn and(self, other: Self) -> Result<Self> {
        self.check_alike(&other, "and")?;
        let theirs = other.into_core().select;
        Ok(self.map(|core| {
            core.select.asks = core.select.asks.max(theirs.asks);
            core.select.filters.extend(theirs.filters);
        }))
    }

    /// That two relations differ in nothing but filters.
    fn check_alike(&self, other: &Self, word: &str) -> Result<()> {
        let bare = |select: &Select| Select {
            filters: Vec::new(),
            asks: Asks::Rows,
            ..select.clone()
        };
        let (ours, theirs) = (self.core(), other.core());
        // Joins, orders and groups may be this one's alone, as in Rails: then the other's rows are found by the same.
        let mut other_select = bare(&theirs.select);
        if other_select.orders.is_empty() {
            (other_select.orders).clone_from(&ours.select.orders);
            other_select.ordered_by_default = ours.select.ordered_by_default;
        }
        if other_select.joins.is_empty() && other_select.joined_sql.is_empty() {
            (other_select.joins).clone_from(&ours.select.joins);
            (other_select.joined_sql).clone_from(&ours.select.joined_sql);
        }
        let problem = if bare(&ours.select) != other_select {
            "both need the same joins, orders, limits and groups"
        } else if ours.db != theirs.db {
            "both must read from the same database"
        } else {
            return Ok(());
        };
        let message =
            format!("Relation passed to {word} must be structurally compatible: {problem}");
        let error = Error::new(ErrorKind::IncompatibleRelation, message);
        Err(error.with_model(self.reflection().name()))
    }

    /// At most that many rows. Rails: `limit`.
    pub fn limit(self, rows: u64) -> Self {
        self.map(|core| core.select.limit = Some(rows))
    }

    /// Without the first rows. Rails: `offset`.
    pub fn offset(self, rows: u64) -> Self {
        self.map(|core| core.select.offset = Some(rows))
    }

    /// The limit and the offset count for each owner by itself, where an association with this scope is loaded for several
    /// owners: one query gives each its first rows. Without it a limit cuts the whole preload, as in Rails, which has no
    /// word for this. Of rows that the order leaves alike, those with the lower keys come first.
    ///
    /// Where no owners are, it says nothing: `Post::all(&db).limit(3).per_owner()` is `limit(3)`; a join drops the limit.
    ///
    /// `SELECT "posts".* FROM (SELECT "posts".*, ROW_NUMBER() OVER (PARTITION BY "posts"."author_id" ORDER BY "posts"."id"
    /// ASC) AS "row_of_owner" FROM "posts" WHERE "posts"."author_id" IN (?, ?)) AS "posts" WHERE "row_of_owner" <= 3 ORDER
    /// BY "row_of_owner" ASC`
    pub fn per_owner(self) -> Self {
        self.map(|core| core.select.per_owner = true)
    }

    /// The rows of page number `page`, counted from 1, of `per` rows each.
    pub fn page(self, page: u64, per: u64) -> Self {
        self.limit(per)
            .offset(page.saturating_sub(1).saturating_mul(per))
    }

    /// The other way round; by the key downwards where no order is given. Rails: `reverse_order`.
    pub fn reverse_order(self) -> Self {
        self.map(|core| core.select.reverse())
    }

    /// Equal rows once. Rails: `distinct`.
    pub fn distinct(self) -> Self {
        self.map(|core| core.select.distinct = true)
    }

    /// Takes back all filters, or orders, or another part. Rails: `unscope`.
    pub fn unscope(self, part: Part) -> Self {
        self.map(|core| {
            let select = &mut core.select;
            match part {
                Part::Filters => select.filters.clear(),
                Part::Orders => select.reorder(Vec::new()),
                Part::Limit => select.limit = None,
                Part::Offset => select.offset = None,
                Part::Distinct => select.distinct = false,
                Part::Groups => {
                    select.groups.clear();
                    select.having.clear();
                }
                Part::Joins => {
                    select.joins.clear();
                    select.joined_sql.clear();
                }
                Part::Lock => select.lock = None,
                Part::Readonly => core.terms.readonly = false,
                Part::Annotations => select.annotations.clear(),
                Part::Includes => {
                    core.includes.clear();
                    core.preloads.clear();
                    core.eager.clear();
                    core.references.clear();
                }
            }
        })
    }

    /// Keeps what was left out, and the other way round. Rails: `invert_where`.
    pub fn invert_filter(self) -> Self {
        self.map(|core| {
            let all = Node::all(std::mem::take(&mut core.select.filters));
            core.select.filter(!Expr(all));
        })
    }

    /// Adds what another relation of the same model asks; its equality conditions replace ours on the same column, and what
    /// its new records hold replaces what ours do. Rails: `merge`.
    ///
    /// # Errors
    /// `IncompatibleRelation` when it is a relation of another model or database, or either is a statement in SQL.
    pub fn merge(mut self, other: Self) -> Result<Self> {
        let root = self.core.select.root;
        self.core.merge_at(&other.core, root)?;
        let other = other.core;
        includes::graft(&mut self.core.includes, &other.includes);
        includes::graft(&mut self.core.preloads, &other.preloads);
        includes::graft(&mut self.core.eager, &other.eager);
        self.core.references.extend(other.references);
        self.core.references_all |= other.references_all;
        for (column, value) in other.values {
            self.core.values.retain(|(own, _)| *own != column);
            self.core.values.push((column, value));
        }
        Ok(self)
    }

    /// No rows, and no statement; as part of another relation, a list or an association's scope it is the condition `1=0`.
    /// Rails: `none`.
    pub fn none(self) -> Self {
        self.map(|core| {
            core.select.asks = Asks::Nothing;
            core.select.filter(Expr(Node::Always(false)));
        })
    }

    /// The records refuse to be saved. Rails: `readonly`.
    pub fn readonly(self) -> Self {
        self.map(|core| core.terms.readonly = true)
    }

    /// The records, and those loaded with them, refuse lazy loading. Rails: `strict_loading`.
    pub fn strict_loading(self) -> Self {
        self.map(|core| core.terms.strict = Some(StrictLoading::All))
    }

    /// The records may load lazily, also where their model says otherwise. Rails: `strict_loading(false)`.
    pub fn without_strict_loading(self) -> Self {
        self.map(|core| core.terms.strict = None)
    }

    /// Whether the first lazy load of an association loads it for all records of the result; it holds for what is
    /// loaded from them too. On by default.
    pub fn batching(self, on: bool) -> Self {
        self.map(|core| core.terms.batching = on)
    }

    /// Appends a comment to the statement, to find it in the database's log. Rails: `annotate`.
    pub fn annotate(self, comment: impl Into<String>) -> Self {
        let comment = comment.into();
        self.map(|core| core.select.annotations.push(comment))
    }

    /// Locks the rows until the transaction ends, where the database locks rows. Rails: `lock`.
    pub fn lock(self) -> Self {
        self.map(|core| core.select.lock = Some(Lock::ForUpdate))
    }

    /// Joins by a join in SQL, after those over associations; what it finds several times of a row gives the record as often,
    /// unless it is [`distinct`](Self::distinct). A named door for raw SQL. Rails: `joins("LEFT JOIN ...")`.
    ///
    /// `SELECT "posts".* FROM "posts" LEFT JOIN editions ON editions.post_id = posts.id AND editions.year = ?`
    ///
    /// ```
    /// # use relata::{Db, Raw, model};
    /// # #[model] pub struct Post { id: i64, title: String, series: Option<i64> }
    /// # relata::run(async {
    /// # let db = Db::connect("sqlite::memory:").await?;
    /// # db.create_tables([Post::reflection()]).await?;
    /// # let one = Post::create(&db, |p| p.set_title("One").set_series(Some(7))).await?;
    /// # Post::create(&db, |p| p.set_title("Two").set_series(Some(7))).await?;
    /// let earlier = Raw::new("JOIN posts earlier ON earlier.series = posts.series AND earlier.id < posts.id");
    /// let sequels = Post::all(&db).joins_sql(earlier).pluck(|p| p.title).await?;
    /// assert_eq!(sequels, ["Two"]);
    /// # Ok(()) }).unwrap();
    /// ```
    pub fn joins_sql(self, join: Raw) -> Self {
        self.map(|core| core.select.joined_sql.push(join))
    }

    /// Keeps the rows for which a condition in SQL holds. A named door for raw SQL.
    pub fn filter_sql(self, condition: Raw) -> Self {
        self.map(|core| core.select.filter(Expr(Node::Raw(condition))))
    }

    /// Keeps the groups for which a condition in SQL holds. A named door for raw SQL. Rails: `having("COUNT(*) > 1")`.
    ///
    /// `SELECT ... GROUP BY "posts"."author_id" HAVING (COUNT(*) > ?)`
    pub fn having_sql(self, condition: Raw) -> Self {
        self.map(|core| core.select.having.push(Node::Raw(condition)))
    }

    /// Reads the rows of a statement in SQL instead of the table's; their columns are named as the model's. What else is
    /// asked of the relation is asked of these rows: `SELECT "posts".* FROM (...) "posts" WHERE ...`; with nothing else the
    /// statement runs as it is. The model's default scope, and which class of several the rows are of, is not asked.
    /// A typed record has all of its columns: when the statement leaves one out, its rows are a `MissingAttribute` error;
    /// those of [`erased`](Self::erased) are not. A named door for raw SQL. Rails: `from`, `find_by_sql`.
    pub fn from_sql(self, statement: Raw) -> Self {
        let default = Relation::of(self.reflection(), self.db());
        self.map(|core| {
            core.select.leave_out(default.select());
            core.select.raw = Some(statement);
        })
    }
}
