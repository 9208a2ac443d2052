//! Typed columns and paths, as closures see them: `|p| p.author.name.eq("Ann")`.
//!
//! Invariant: a column knows its type and its place, so a condition that compiles names a column that exists.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use super::leads;
use super::operand::{List, Operand, Subject, fitted};
use crate::attribute::value::Value;
use crate::model::Model;
use crate::record::Record;
use crate::sql::expr::{Comparison, Function, Node, Refusal};
use crate::sql::{Direction, Expr, Order, Place};

/// A column of type `T` at some place of a query.
pub struct Column<T> {
    place: Place,
    index: usize,
    ty: PhantomData<fn() -> T>,
}

impl<T> Clone for Column<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Column<T> {}

impl<T> fmt::Debug for Column<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self
            .place
            .model()
            .columns()
            .get(self.index)
            .map_or("?", |column| column.name());
        write!(f, "{:?}.{name}", self.place)
    }
}

impl<T> From<Column<T>> for Expr {
    fn from(column: Column<T>) -> Self {
        Expr::column(column.place, column.index)
    }
}

impl<T> Column<T> {
    /// The column number `index` of the model at a place. Called by generated code.
    #[must_use]
    pub fn new(place: Place, index: usize) -> Self {
        Self {
            place,
            index,
            ty: PhantomData,
        }
    }

    pub(crate) fn node(self) -> Node {
        Node::Column(self.place, self.index)
    }

    pub(crate) fn place(self) -> Place {
        self.place
    }

    /// Its position among the columns of its model.
    pub(crate) fn index(self) -> usize {
        self.index
    }

    /// `IS NULL`. Rails: `where(title: nil)`.
    pub fn is_null(self) -> Expr {
        Expr(Node::IsNull(Box::new(self.node())))
    }

    /// `IS NOT NULL`. Rails: `where.not(title: nil)`.
    pub fn is_not_null(self) -> Expr {
        !self.is_null()
    }

    /// The same column where the path to it may lead nowhere: `pluck(|p| p.author.name.optional())` gives an `Option`, which
    /// is `None` for a row without an author.
    #[must_use]
    pub fn optional(self) -> Column<Option<T>> {
        Column::new(self.place, self.index)
    }

    /// Ascending order. Rails: `order(:title)`.
    pub fn asc(self) -> Order {
        Order {
            by: self.node(),
            direction: Direction::Ascending,
        }
    }

    /// Descending order. Rails: `order(title: :desc)`.
    pub fn desc(self) -> Order {
        Order {
            by: self.node(),
            direction: Direction::Descending,
        }
    }

    /// How many rows of a group have a value here: for `having`.
    pub fn count(self) -> Computed<i64> {
        Computed(
            Node::Call(Function::Count, Box::new(self.node())),
            PhantomData,
        )
    }
}

/// A computed value of type `T`, for `having`, `order` and `pluck`.
#[derive(Debug)]
pub struct Computed<T>(pub(crate) Node, PhantomData<fn() -> T>);

impl<T> Clone for Computed<T> {
    fn clone(&self) -> Self {
        Self::new(self.0.clone())
    }
}

impl<T> Computed<T> {
    pub(crate) fn new(node: Node) -> Self {
        Self(node, PhantomData)
    }

    /// Ascending order.
    pub fn asc(self) -> Order {
        Order {
            by: self.0,
            direction: Direction::Ascending,
        }
    }

    /// Descending order.
    pub fn desc(self) -> Order {
        Order {
            by: self.0,
            direction: Direction::Descending,
        }
    }

    /// The same value where it may be null: `pluck` gives an `Option` of it.
    #[must_use]
    pub fn optional(self) -> Computed<Option<T>> {
        Computed::new(self.0)
    }
}

fn compare<T>(left: Node, comparison: Comparison, operand: impl Operand<T>) -> Expr {
    Expr(match fitted(&left, operand.operand().0) {
        Node::Value(value) => left.compare(comparison, value),
        other => Node::Compare(comparison, Box::new(left), Box::new(other)),
    })
}

macro_rules! comparisons {
    ($type:ident, |$this:ident| $node:expr) => {
        impl<T> $type<T> {
            /// `=`; `IS NULL` for `None`. Rails: `where(title: "x")`.
            pub fn eq(self, operand: impl Operand<T>) -> Expr {
                let $this = self;
                compare($node, Comparison::Equal, operand)
            }

            /// `!=`; `IS NOT NULL` for `None`. Rails: `where.not(title: "x")`.
            pub fn ne(self, operand: impl Operand<T>) -> Expr {
                let $this = self;
                compare($node, Comparison::NotEqual, operand)
            }

            /// `<`. Rails: `where(stars: ...5)`.
            pub fn lt(self, operand: impl Operand<T>) -> Expr {
                let $this = self;
                compare($node, Comparison::Less, operand)
            }

            /// `<=`. Rails: `where(stars: ..5)`.
            pub fn le(self, operand: impl Operand<T>) -> Expr {
                let $this = self;
                compare($node, Comparison::LessOrEqual, operand)
            }

            /// `>`. Rails: `where("stars > ?", 5)`.
            pub fn gt(self, operand: impl Operand<T>) -> Expr {
                let $this = self;
                compare($node, Comparison::Greater, operand)
            }

            /// `>=`. Rails: `where(stars: 5..)`.
            pub fn ge(self, operand: impl Operand<T>) -> Expr {
                let $this = self;
                compare($node, Comparison::GreaterOrEqual, operand)
            }
        }
    };
}

comparisons!(Column, |column| column.node());
comparisons!(Computed, |computed| computed.0);

impl<T> Column<T> {
    /// `BETWEEN low AND high`, both included. Rails: `where(stars: 1..5)`.
    pub fn between(self, low: impl Operand<T>, high: impl Operand<T>) -> Expr {
        let fitted = |operand: Expr| fitted(&self.node(), operand.0);
        match (fitted(low.operand()), fitted(high.operand())) {
            (Node::Value(low), Node::Value(high)) => {
                Expr(Node::Between(Box::new(self.node()), low, high))
            }
            (low, high) => {
                let (low, high) = (Box::new(low), Box::new(high));
                let above = Node::Compare(Comparison::GreaterOrEqual, Box::new(self.node()), low);
                Expr(above).and(Expr(Node::Compare(
                    Comparison::LessOrEqual,
                    Box::new(self.node()),
                    high,
                )))
            }
        }
    }

    /// Among the values of a list of any length, or of a query. A `None` in the list is asked for as `IS NULL`;
    /// an empty list matches nothing. Rails: `where(id: [1, 2])`, `where(id: posts)`.
    pub fn is_in(self, list: impl List<T>) -> Expr {
        list.among(Subject(self.node()))
    }

    /// Not among the values of a list or a query. Rails: `where.not(id: [1, 2])`.
    pub fn is_not_in(self, list: impl List<T>) -> Expr {
        !self.is_in(list)
    }

    /// `SUM` over a group: for `having`.
    pub fn sum(self) -> Computed<T> {
        Computed(
            Node::Call(Function::Sum, Box::new(self.node())),
            PhantomData,
        )
    }

    /// `MIN` over a group: for `having`.
    pub fn minimum(self) -> Computed<T> {
        Computed(
            Node::Call(Function::Minimum, Box::new(self.node())),
            PhantomData,
        )
    }

    /// `MAX` over a group: for `having`.
    pub fn maximum(self) -> Computed<T> {
        Computed(
            Node::Call(Function::Maximum, Box::new(self.node())),
            PhantomData,
        )
    }
}

/// Columns that hold text.
pub trait Textual {}

impl Textual for String {}
impl Textual for Option<String> {}
impl Textual for Value<'static> {}

impl<T: Textual> Column<T> {
    /// `LIKE`, where `%` stands for any text, `_` for any character and `\` takes their meaning away.
    /// Case matters, on every database. Rails: `where("title LIKE ?", pattern)`.
    pub fn like(self, pattern: &str) -> Expr {
        Expr(Node::Like(Box::new(self.node()), pattern.to_owned(), false))
    }

    /// As [`like`](Self::like), ignoring case (of ASCII letters at least).
    pub fn like_ignoring_case(self, pattern: &str) -> Expr {
        Expr(Node::Like(Box::new(self.node()), pattern.to_owned(), true))
    }

    /// Holds this text, taken literally.
    pub fn contains(self, text: &str) -> Expr {
        self.like(&format!("%{}%", escape(text)))
    }

    /// Starts with this text, taken literally.
    pub fn starts_with(self, text: &str) -> Expr {
        self.like(&format!("{}%", escape(text)))
    }

    /// Ends with this text, taken literally.
    pub fn ends_with(self, text: &str) -> Expr {
        self.like(&format!("%{}", escape(text)))
    }

    /// Equal, ignoring case (of ASCII letters at least).
    pub fn eq_ignoring_case(self, text: &str) -> Expr {
        let text = Value::Text(text.to_owned().into());
        Expr(self.node().same_ignoring_case(text))
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// A path of associations to a model: `p.author`. Its columns and further paths are fields: `p.author.name`.
pub struct Path<M> {
    // Private, so that no field of a user's model is shadowed.
    above: Place,
    association: usize,
    model: PhantomData<fn() -> M>,
}

impl<M> Clone for Path<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Path<M> {}

impl<M: Model> fmt::Debug for Path<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place().fmt(f)
    }
}

impl<M: Model> Deref for Path<M> {
    type Target = M::Columns;

    fn deref(&self) -> &M::Columns {
        columns_at::<M>(self.place())
    }
}

/// The typed columns of a model at a place.
pub(crate) fn columns_at<M: Model>(place: Place) -> &'static M::Columns {
    match place.columns(|| M::columns(place)) {
        Some(columns) => columns,
        // Only a hand-written `Model` that shares another's reflection comes here.
        None => {
            static STRAYS: Mutex<Vec<&'static (dyn Any + Send + Sync)>> = Mutex::new(Vec::new());
            let columns: &'static M::Columns = Box::leak(Box::new(M::columns(place)));
            // Kept where tools that look for lost memory find it.
            STRAYS
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(columns);
            columns
        }
    }
}

impl<M> Path<M> {
    /// The path over the association number `association` of the model at a place. Called by generated code.
    #[must_use]
    pub fn new(above: Place, association: usize) -> Self {
        Self {
            above,
            association,
            model: PhantomData,
        }
    }
}

impl<M: Model> Path<M> {
    pub(crate) fn place(self) -> Place {
        self.above.child(self.association, M::reflection())
    }

    /// Leads to this record. For a `belongs_to` this compares the key, without a join.
    /// Rails: `where(author: ann)`.
    pub fn is(self, record: &M) -> Expr {
        self.is_any_of([&**record])
    }

    /// Leads to one of these records. Rails: `where(author: [ann, bob])`.
    pub fn is_in<'a>(self, records: impl IntoIterator<Item = &'a M>) -> Expr {
        self.is_any_of(records.into_iter().map(|record| &**record))
    }

    #[doc(hidden)]
    pub fn eq(self, _: impl leads::ComparedByEq) -> Expr {
        Expr(Node::Always(false))
    }

    #[doc(hidden)]
    pub fn ne(self, _: impl leads::ComparedByEq) -> Expr {
        Expr(Node::Always(false))
    }

    /// Leads to nothing: the key is null. For a `belongs_to`. Rails: `where(author: nil)`.
    pub fn is_null(self) -> Expr {
        let nothing = leads::to_nothing(self.above, self.association);
        Expr(nothing.unwrap_or_else(|error| Node::Refused(Refusal(error))))
    }

    fn is_any_of<'a>(self, records: impl IntoIterator<Item = &'a Record>) -> Expr {
        // The types say that it can lead to them.
        let any = leads::to_any(self.above, self.association, records);
        Expr(any.unwrap_or_else(|error| Node::Refused(Refusal(error))))
    }
}
