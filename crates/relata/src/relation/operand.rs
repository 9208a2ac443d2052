//! What a column can be compared with.
//!
//! Invariant: a comparison compiles only between a column and values of its own type.

use super::build::Selection;
use super::{Column, Relation, named};
use crate::attribute::value::Value;
use crate::attribute::{Attribute, Stored};
use crate::error::{Error, ErrorKind};
use crate::model::Model;
use crate::sql::expr::{Node, Refusal};
use crate::sql::{Expr, Place, What};

/// A value that a column of type `T` can be compared with.
#[diagnostic::on_unimplemented(
    message = "a column of type `{T}` cannot be compared with `{Self}`",
    label = "not a `{T}`, nor a column of that type"
)]
pub trait Operand<T> {
    /// The operand as part of an expression.
    fn operand(self) -> Expr;
}

/// How an error begins that does not know yet which column the value is for.
const NO_VALUE: &str = "a value ";

fn constant(value: Value<'static>) -> Expr {
    Expr(Node::Value(value))
}

/// A value of the type, or the reason why it is none: a document that has no JSON must not be compared as text.
fn checked<A: Attribute>(value: A) -> Expr {
    let value = value.into_value();
    let problem = match A::check(Stored::of(&value)) {
        Err(problem) if !value.is_null() => problem,
        _ => return constant(value),
    };
    let name = A::NAME;
    let problem = format!("{NO_VALUE}is no {name}: {problem}");
    Expr(Node::Refused(Refusal(Error::new(
        ErrorKind::InvalidValue,
        problem,
    ))))
}

impl<A: Attribute> Operand<A> for A {
    fn operand(self) -> Expr {
        checked(self)
    }
}

impl<A: Attribute> Operand<Option<A>> for A {
    fn operand(self) -> Expr {
        checked(self)
    }
}

impl<A: Attribute> Operand<A> for Column<A> {
    fn operand(self) -> Expr {
        self.into()
    }
}

impl<A: Attribute> Operand<Option<A>> for Column<A> {
    fn operand(self) -> Expr {
        self.into()
    }
}

impl<V: Into<Value<'static>>> Operand<Value<'static>> for V {
    fn operand(self) -> Expr {
        constant(self.into())
    }
}

impl Operand<Value<'static>> for Column<Value<'static>> {
    fn operand(self) -> Expr {
        self.into()
    }
}

/// A value as the column that it is compared with holds it, or the reason why it cannot: a column by name may be given
/// any.
pub(super) fn fitted(subject: &Node, operand: Node) -> Node {
    match (subject, operand) {
        (&Node::Column(place, column), Node::Refused(refusal)) => {
            Node::Refused(Refusal(of_column(place, column, refusal.0)))
        }
        (&Node::Column(place, column), Node::Value(value)) => {
            match named::cast(place, column, value) {
                Ok(value) => Node::Value(value),
                Err(error) => Node::Refused(Refusal(error)),
            }
        }
        (_, operand) => operand,
    }
}

/// What is wrong with a value, told of the column that it is for.
pub(super) fn of_column(place: Place, column: usize, error: Error) -> Error {
    match error.to_string().strip_prefix(NO_VALUE) {
        Some(problem) => place.model().refused(column, problem),
        None => error,
    }
}

impl Operand<String> for &str {
    fn operand(self) -> Expr {
        constant(Value::Text(self.to_owned().into()))
    }
}

impl Operand<Option<String>> for &str {
    fn operand(self) -> Expr {
        constant(Value::Text(self.to_owned().into()))
    }
}

impl Operand<Option<String>> for Option<&str> {
    fn operand(self) -> Expr {
        constant(self.map_or(Value::Null, |text| Value::Text(text.to_owned().into())))
    }
}

impl Operand<String> for &String {
    fn operand(self) -> Expr {
        constant(Value::Text(self.clone().into()))
    }
}

impl Operand<Option<String>> for &String {
    fn operand(self) -> Expr {
        constant(Value::Text(self.clone().into()))
    }
}

impl Operand<Vec<u8>> for &[u8] {
    fn operand(self) -> Expr {
        constant(Value::Bytes(self.to_vec().into()))
    }
}

/// Values, or a query for values, that a column of type `T` can be among.
#[diagnostic::on_unimplemented(
    message = "a column of type `{T}` cannot be among the values of `{Self}`",
    note = "give a list of values, a relation of the model whose key it holds, or `relation.select_column(|p| p.column)`, with `.without_nulls()` where that column may be null"
)]
pub trait List<T> {
    /// "`column` is among these".
    fn among(self, column: Subject) -> Expr;
}

/// A column as part of an expression, for implementations of [`List`].
#[derive(Debug)]
pub struct Subject(pub(crate) Node);

impl<T, I> List<T> for I
where
    I: IntoIterator,
    I::Item: Operand<T>,
{
    fn among(self, column: Subject) -> Expr {
        let mut values = Vec::new();
        let mut columns = Vec::new();
        for item in self {
            match fitted(&column.0, item.operand().0) {
                Node::Value(value) => values.push(value),
                other => columns.push(other),
            }
        }
        let mut any = Expr(column.0.clone().among(values));
        for other in columns {
            let equal = Node::Compare(
                crate::sql::expr::Comparison::Equal,
                Box::new(column.0.clone()),
                Box::new(other),
            );
            any = any.or(Expr(equal));
        }
        any
    }
}

impl<T, M: Model> List<T> for Relation<M> {
    fn among(self, column: Subject) -> Expr {
        let mut select = self.into_core().select;
        select.what = What::Columns(select.model().primary_key().to_vec());
        Expr(Node::InSelect(vec![column.0], Box::new(select)))
    }
}

/// The values of the attribute that `select_named` named, or of the key.
impl List<Value<'static>> for Relation {
    fn among(self, column: Subject) -> Expr {
        let read = self.selected_name().is_some();
        let mut select = self.into_core().select;
        if !read {
            select.what = What::Columns(select.model().primary_key().to_vec());
        }
        Expr(Node::InSelect(vec![column.0], Box::new(select)))
    }
}

impl<T, A: Attribute> List<T> for Selection<A>
where
    A: Operand<T>,
{
    fn among(self, column: Subject) -> Expr {
        Expr(Node::InSelect(vec![column.0], Box::new(self.into_select())))
    }
}
