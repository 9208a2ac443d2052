//! Conditions and values over columns at places.
//!
//! Invariant: an expression is inert; it is the same whatever the dialect, and holds its values, never text.

use super::apart::Apart;
use super::place::Place;
use super::raw::Raw;
use super::recursive::Tree;
use super::select::Select;
use crate::attribute::value::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::reflection::ModelReflection;

/// A condition or a value in a query. Made by the methods of columns; combined by `and`, `or` and `!`.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "an expression does nothing until it is given to a relation"]
pub struct Expr(pub(crate) Node);

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A function of SQL that every dialect has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Count,
    CountDistinct,
    Sum,
    Average,
    Minimum,
    Maximum,
    Lower,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Column(Place, usize),
    Value(Value<'static>),
    Compare(Comparison, Box<Node>, Box<Node>),
    IsNull(Box<Node>),
    Between(Box<Node>, Value<'static>, Value<'static>),
    In(Box<Node>, Vec<Value<'static>>),
    /// Several columns against tuples of values.
    InTuples(Vec<Node>, Vec<Vec<Value<'static>>>),
    InSelect(Vec<Node>, Box<Select>),
    /// A key is among those that a query of its own gives.
    Apart(Box<Apart>),
    /// A key, in these columns, is that of a row of a tree.
    InTree(Vec<Node>, Box<Tree>),
    /// How many steps of a tree lead to the row with the key in these columns; null where none do.
    TreeDepth(Vec<Node>, Box<Tree>),
    /// A pattern with `\` as its escape; the flag ignores case.
    Like(Box<Node>, String, bool),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    /// False or null.
    IsNotTrue(Box<Node>),
    /// Among the targets at this place is one of which the condition is true. What the condition names there and below is
    /// within; other places are those of the query around.
    Exists(Place, Box<Node>),
    /// True of every row, or of none.
    Always(bool),
    Call(Function, Box<Node>),
    /// The operand plus a number; null counts as 0.
    Plus(Box<Node>, Value<'static>),
    /// `*`, in `COUNT(*)`.
    Star,
    /// SQL that the user wrote, through a named door.
    Raw(Raw),
    /// Where the value stands in the list, counted from 1; null when it is not there.
    Rank(Box<Node>, Vec<Value<'static>>),
    /// The same of a key of several columns.
    RankOfKeys(Vec<Node>, Vec<Vec<Value<'static>>>),
    /// A comparison with what was read from a database: of another one it means nothing.
    Told(Box<Told>),
    /// What must not be asked, as a value that is none of its column's type, and why: the statement is refused when it is
    /// run.
    Refused(Refusal),
}

/// A comparison with records or rows of a database.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    /// Which database, as [`Db::identity`](crate::Db) says it.
    pub(crate) database: usize,
    /// The association that is compared.
    pub(crate) owner: &'static ModelReflection,
    pub(crate) association: usize,
    pub(crate) node: Node,
}

impl Told {
    /// The error of a statement for another database.
    pub(crate) fn elsewhere(owner: &'static ModelReflection, association: usize) -> Error {
        let name = owner.reflections().get(association);
        let name = name.map_or("?", |one| one.name());
        let message = format!(
            "{}.{name} is compared with a record or a relation of another database: read it from the `Db` of this relation",
            owner.name()
        );
        Error::new(ErrorKind::AssociationTypeMismatch, message)
            .with_model(owner.name())
            .with_attribute(name)
    }
}

/// Why a statement is refused; alike where it says the same.
#[derive(Debug, Clone)]
pub(crate) struct Refusal(pub(crate) Error);

impl PartialEq for Refusal {
    fn eq(&self, other: &Self) -> bool {
        self.0.kind() == other.0.kind() && self.0.to_string() == other.0.to_string()
    }
}

/// How deep conditions are nested at most: they are walked by recursion, and databases do not take them deeper by much.
const DEEPEST: usize = 250;

impl Expr {
    /// Both. The same as giving two filters.
    ///
    /// A chain of any length is one list. Where `and`, `or` and `!` alternate to more than 250 levels, the statement is
    /// refused with `Argument` when it is run.
    pub fn and(self, other: impl Into<Expr>) -> Expr {
        let part = |node| match node {
            Node::And(_) => node,
            other => other.shallow(),
        };
        Expr(Node::all([part(self.0), part(other.into().0)]))
    }

    /// Either. Of chains the same is true as of [`and`](Self::and).
    pub fn or(self, other: impl Into<Expr>) -> Expr {
        let mut any = Vec::new();
        for node in [self.0, other.into().0] {
            match node {
                Node::Or(some) if any.is_empty() => any = some,
                Node::Or(more) => any.extend(more),
                one => any.push(one.shallow()),
            }
        }
        Expr(Node::Or(any))
    }

    pub(crate) fn column(place: Place, column: usize) -> Self {
        Self(Node::Column(place, column))
    }
}

impl std::ops::Not for Expr {
    type Output = Expr;

    fn not(self) -> Expr {
        Expr(self.0.shallow().negate())
    }
}

impl Node {
    pub(crate) fn all(nodes: impl IntoIterator<Item = Node>) -> Node {
        let mut all = Vec::new();
        for node in nodes {
            match node {
                Node::And(more) if all.is_empty() => all = more,
                Node::And(more) => all.extend(more),
                Node::Always(true) => {}
                one => all.push(one),
            }
        }
        match all.len() {
            0 => Node::Always(true),
            1 => all.swap_remove(0),
            _ => Node::And(all),
        }
    }

    /// The node, or its refusal where it is nested so deep that no more may be put around it.
    fn shallow(self) -> Node {
        if !self.is_deeper_than(DEEPEST) {
            return self;
        }
        let message = format!(
            "conditions are nested more than {DEEPEST} levels deep: where `and` and `or` alternate, give filters one by one, or a list"
        );
        Node::Refused(Refusal(Error::new(ErrorKind::Argument, message)))
    }

    fn is_deeper_than(&self, levels: usize) -> bool {
        let within = |node: &Node| match levels.checked_sub(1) {
            Some(levels) => node.is_deeper_than(levels),
            None => true,
        };
        match self {
            Node::And(nodes) | Node::Or(nodes) => nodes.iter().any(within),
            Node::Not(operand) | Node::IsNotTrue(operand) | Node::Exists(_, operand) => {
                within(operand)
            }
            _ => false,
        }
    }

    /// The value as the column that is compared keeps it.
    fn normalized(&self, value: Value<'static>) -> Value<'static> {
        match self {
            Node::Column(place, column) => match place.model().columns().get(*column) {
                Some(column) => column.normalized(value),
                None => value,
            },
            _ => value,
        }
    }

    pub(crate) fn compare(self, comparison: Comparison, value: Value<'static>) -> Node {
        let value = self.normalized(value);
        match (comparison, value.is_null()) {
            (Comparison::Equal, true) => Node::IsNull(Box::new(self)),
            (Comparison::NotEqual, true) => Node::Not(Box::new(Node::IsNull(Box::new(self)))),
            _ => Node::Compare(comparison, Box::new(self), Box::new(Node::Value(value))),
        }
    }

    /// Equal, ignoring case as the database does: it lowers both sides, for no two lower all letters alike.
    pub(crate) fn same_ignoring_case(self, value: Value<'static>) -> Node {
        let lower = |node| Box::new(Node::Call(Function::Lower, Box::new(node)));
        Node::Compare(Comparison::Equal, lower(self), lower(Node::Value(value)))
    }

    /// The value is among those given. Null among them is asked for as `IS NULL`.
    pub(crate) fn among(self, mut values: Vec<Value<'static>>) -> Node {
        if let Node::Column(place, column) = &self
            && let Some(column) = place.model().columns().get(*column)
            && column.normalization.is_some()
        {
            values = values
                .into_iter()
                .map(|value| column.normalized(value))
                .collect();
        }
        let before = values.len();
        values.retain(|value| !value.is_null());
        let null = (values.len() < before).then(|| Node::IsNull(Box::new(self.clone())));
        let listed = match values.len() {
            0 if null.is_some() => None,
            0 => Some(Node::Always(false)),
            1 => values
                .pop()
                .map(|value| self.compare(Comparison::Equal, value)),
            _ => Some(Node::In(Box::new(self), values)),
        };
        match (listed, null) {
            (Some(listed), Some(null)) => Node::Or(vec![listed, null]),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => Node::Always(false),
        }
    }

    /// The key, in these columns of a place, is one of those given. One of several columns is a condition for each; one
    /// with a null in it is that of no row.
    pub(crate) fn key_among(
        place: Place,
        key: &[usize],
        mut keys: Vec<Vec<Value<'static>>>,
    ) -> Node {
        let column = |&column: &usize| Node::Column(place, column);
        if let [one] = key {
            return column(one).among(keys.into_iter().flatten().collect());
        }
        keys.retain(|values| !values.iter().any(Value::is_null));
        match keys.len() {
            0 => Node::Always(false),
            1 => Node::all(
                key.iter()
                    .zip(keys.swap_remove(0))
                    .map(|(part, value)| column(part).compare(Comparison::Equal, value)),
            ),
            _ => Node::InTuples(key.iter().map(column).collect(), keys),
        }
    }

    /// The same, of that database. Only its comparisons are marked: what they are combined by stays in sight.
    pub(crate) fn told_by(
        self,
        database: usize,
        (owner, association): (&'static ModelReflection, usize),
    ) -> Node {
        let each = |nodes: Vec<Node>| {
            let each = nodes.into_iter();
            each.map(|node| node.told_by(database, (owner, association)))
                .collect()
        };
        match self {
            Node::And(all) => Node::And(each(all)),
            Node::Or(any) => Node::Or(each(any)),
            node => Node::Told(Box::new(Told {
                database,
                owner,
                association,
                node,
            })),
        }
    }

    /// The negation, pushed into comparisons where SQL has the opposite one.
    pub(crate) fn negate(self) -> Node {
        match self {
            Node::Told(told) => Node::Told(Box::new(Told {
                node: told.node.negate(),
                ..*told
            })),
            Node::Not(inner) => *inner,
            Node::Always(known) => Node::Always(!known),
            Node::Compare(comparison, left, right) => match comparison {
                Comparison::Equal => Node::Compare(Comparison::NotEqual, left, right),
                Comparison::NotEqual => Node::Compare(Comparison::Equal, left, right),
                _ => Node::Not(Box::new(Node::Compare(comparison, left, right))),
            },
            other => Node::Not(Box::new(other)),
        }
    }

    /// The columns that the expression is about: those on the left of its comparisons.
    pub(crate) fn columns(&self) -> Vec<(Place, usize)> {
        match self {
            Node::Column(place, column) => vec![(*place, *column)],
            Node::Compare(_, operand, _)
            | Node::IsNull(operand)
            | Node::Between(operand, ..)
            | Node::In(operand, _)
            | Node::Like(operand, ..)
            | Node::Not(operand) => operand.columns(),
            Node::Told(told) => told.node.columns(),
            Node::Or(nodes)
            | Node::And(nodes)
            | Node::InSelect(nodes, _)
            | Node::InTree(nodes, _) => nodes.iter().flat_map(Node::columns).collect(),
            _ => Vec::new(),
        }
    }

    /// The column that it is, or computes with.
    pub(crate) fn subject(&self) -> Option<(Place, usize)> {
        match self {
            Node::Column(place, column) => Some((*place, *column)),
            Node::Call(_, operand) | Node::Plus(operand, _) => operand.subject(),
            _ => None,
        }
    }

    /// Whether it is that value, or adds it.
    pub(crate) fn holds(&self, value: &Value<'static>) -> bool {
        matches!(self, Node::Value(own) | Node::Plus(_, own) if own.is_same(value))
    }

    /// The column that is compared with a value here.
    pub(crate) fn compared_with(&self, value: &Value<'static>) -> Option<(Place, usize)> {
        let is = |one: &Value<'static>| one.is_same(value);
        match self {
            Node::Compare(_, left, right) => match &**right {
                Node::Value(one) if is(one) => left.subject(),
                _ => None,
            },
            Node::Between(operand, low, high) if is(low) || is(high) => operand.subject(),
            Node::In(operand, values) if values.iter().any(is) => operand.subject(),
            Node::InTuples(columns, tuples) => {
                let at = tuples.iter().find_map(|tuple| tuple.iter().position(is))?;
                columns.get(at)?.subject()
            }
            Node::InSelect(_, select) => select.compared_with(value),
            Node::Not(operand) | Node::IsNotTrue(operand) | Node::Exists(_, operand) => {
                operand.compared_with(value)
            }
            Node::And(nodes) | Node::Or(nodes) => {
                nodes.iter().find_map(|node| node.compared_with(value))
            }
            Node::Told(told) => told.node.compared_with(value),
            _ => None,
        }
    }

    /// Calls `visit` with every place that the expression names, and whether the row must exist there for the
    /// expression to be true.
    pub(crate) fn places(&self, rejects_null: bool, visit: &mut impl FnMut(Place, bool)) {
        match self {
            Node::Column(place, _) => visit(*place, rejects_null),
            Node::Compare(_, left, right) => {
                left.places(rejects_null, visit);
                right.places(rejects_null, visit);
            }
            Node::Between(operand, ..)
            | Node::In(operand, _)
            | Node::Like(operand, ..)
            | Node::Rank(operand, _)
            | Node::Call(_, operand) => {
                operand.places(rejects_null, visit);
            }
            Node::Plus(operand, _)
            | Node::IsNull(operand)
            | Node::Not(operand)
            | Node::IsNotTrue(operand) => operand.places(false, visit),
            Node::Exists(place, condition) => {
                if let Some(above) = place.above() {
                    visit(above, false);
                }
                let mut around = |named: Place, _: bool| {
                    if !named.is_within(*place) {
                        visit(named, false);
                    }
                };
                // Not of the closure's own type, which would hold that of the one within, and so on.
                let mut around: &mut dyn FnMut(Place, bool) = &mut around;
                condition.places(false, &mut around);
            }
            Node::Apart(apart) => visit(apart.place, rejects_null),
            Node::Told(told) => told.node.places(rejects_null, visit),
            Node::InTuples(columns, _)
            | Node::RankOfKeys(columns, _)
            | Node::InSelect(columns, _)
            | Node::InTree(columns, _)
            | Node::TreeDepth(columns, _) => {
                columns
                    .iter()
                    .for_each(|column| column.places(rejects_null, visit));
            }
            Node::And(all) => all.iter().for_each(|node| node.places(rejects_null, visit)),
            Node::Or(any) => any.iter().for_each(|node| node.places(false, visit)),
            Node::Value(_) | Node::Always(_) | Node::Star | Node::Raw(_) | Node::Refused(_) => {}
        }
    }

    /// The same expression with every place moved.
    pub(crate) fn moved(&self, onto: Place) -> Result<Node> {
        self.with_places(&|place| place.moved(onto))
    }

    /// The same expression with every place changed.
    pub(crate) fn with_places(&self, change: &dyn Fn(Place) -> Result<Place>) -> Result<Node> {
        let one = |node: &Node| node.with_places(change);
        let boxed = |node: &Node| node.with_places(change).map(Box::new);
        let many = |nodes: &[Node]| nodes.iter().map(one).collect::<Result<Vec<_>>>();
        Ok(match self {
            Node::Column(place, column) => Node::Column(change(*place)?, *column),
            Node::Compare(comparison, left, right) => {
                Node::Compare(*comparison, boxed(left)?, boxed(right)?)
            }
            Node::IsNull(operand) => Node::IsNull(boxed(operand)?),
            Node::Between(operand, low, high) => {
                Node::Between(boxed(operand)?, low.clone(), high.clone())
            }
            Node::In(operand, values) => Node::In(boxed(operand)?, values.clone()),
            Node::Rank(operand, values) => Node::Rank(boxed(operand)?, values.clone()),
            Node::InTuples(columns, tuples) => Node::InTuples(many(columns)?, tuples.clone()),
            Node::InSelect(columns, select) => Node::InSelect(many(columns)?, select.clone()),
            Node::RankOfKeys(columns, keys) => Node::RankOfKeys(many(columns)?, keys.clone()),
            Node::Apart(apart) => Node::Apart(Box::new(apart.with_place(change)?)),
            Node::InTree(columns, tree) => Node::InTree(many(columns)?, tree.clone()),
            Node::Told(told) => Node::Told(Box::new(Told {
                node: told.node.with_places(change)?,
                ..**told
            })),
            Node::TreeDepth(columns, tree) => Node::TreeDepth(many(columns)?, tree.clone()),
            Node::Like(operand, pattern, insensitive) => {
                Node::Like(boxed(operand)?, pattern.clone(), *insensitive)
            }
            Node::And(all) => Node::And(many(all)?),
            Node::Or(any) => Node::Or(many(any)?),
            Node::Not(operand) => Node::Not(boxed(operand)?),
            Node::IsNotTrue(operand) => Node::IsNotTrue(boxed(operand)?),
            Node::Exists(place, condition) => Node::Exists(change(*place)?, boxed(condition)?),
            Node::Call(function, operand) => Node::Call(*function, boxed(operand)?),
            Node::Plus(operand, value) => Node::Plus(boxed(operand)?, value.clone()),
            Node::Value(_) | Node::Always(_) | Node::Star | Node::Raw(_) | Node::Refused(_) => {
                self.clone()
            }
        })
    }

    /// Why this conjunct is refused, if its column is compared equal with what is no value of it, or it says nothing else.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Node::Refused(refusal) => Some(refusal),
            Node::Compare(Comparison::Equal, _, right) => match &**right {
                Node::Refused(refusal) => Some(refusal),
                _ => None,
            },
            _ => None,
        }
    }

    /// The value a column is compared equal with in this conjunct, if it is one: what a record built from the
    /// relation gets.
    pub(crate) fn equality(&self, root: Place) -> Option<(usize, &Value<'static>)> {
        match self {
            Node::Told(told) => told.node.equality(root),
            Node::Compare(Comparison::Equal, left, right) => match (&**left, &**right) {
                (Node::Column(place, column), Node::Value(value)) if *place == root => {
                    Some((*column, value))
                }
                _ => None,
            },
            _ => None,
        }
    }
}
