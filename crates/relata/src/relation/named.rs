//! The erased layer of relations: columns, associations and operators as strings.
//!
//! Invariant: every name is looked up when it is given, and an unknown one is an error with the nearest one;
//! text never becomes SQL.

use super::{Part, Relation, includes};
use crate::attribute::AttributeType;
use crate::attribute::value::{Kind, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::expr::{Comparison, Node};
use crate::sql::{Direction, Expr, JoinKind, Order, Place, What};

/// A value as a column holds it.
pub(crate) fn cast(place: Place, column: usize, value: Value<'static>) -> Result<Value<'static>> {
    let model = place.model();
    let Some(reflection) = model.columns().get(column) else {
        return Ok(value);
    };
    let ty = reflection.attribute_type();
    if !ty.labels.is_empty()
        && let Some(held) = ty.held(&value)
    {
        return Ok(held);
    }
    // A document that has no JSON must not be compared as text; other values of the kind are simply not there.
    let cast = if ty.kind == Kind::Json {
        ty.cast(value)
    } else {
        ty.kind.cast(value)
    };
    match cast {
        // What is no label of an enum of integers is not there, as in Rails.
        Err(_) if !ty.labels.is_empty() => Ok(Value::Null),
        cast => cast.map_err(|problem| model.refused(column, &problem)),
    }
}

impl Relation {
    /// Reads only these attributes of the records; the others are missing: `get` of one is a `MissingAttribute` error. A typed
    /// reader could not say so: typed relations have [`pluck`](Relation::pluck) and [`project`](Relation::project), and this
    /// one has no type any more. A typed callback of such a record is a `MissingAttribute` error too, and a condition of one
    /// (`if`, `unless`) takes what was not read for empty. Rails: `select(:id, :title)`.
    ///
    /// # Errors
    /// `UnknownAttribute` with the nearest name.
    pub fn select_named<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let model = self.reflection();
        let columns = names
            .into_iter()
            .map(|name| model.attribute(name))
            .collect::<Result<Vec<_>>>()?;
        Ok(self.map(|core| core.select.what = What::Columns(columns)))
    }
}

impl<M> Relation<M> {
    /// The column that `title`, `author.name` or, of a table that is joined, `"memberships".role` names.
    pub(crate) fn named(&self, path: &str) -> Result<(Place, usize)> {
        let mut place = self.core().select.root;
        if let Some((table, column)) = path
            .strip_prefix('"')
            .and_then(|path| path.split_once("\"."))
        {
            let Some(joined) = self.core().select.joined_table(table) else {
                let message = format!(
                    "the query joins no table \"{table}\": join the association that leads over it"
                );
                let error = Error::new(ErrorKind::AssociationNotFound, message);
                return Err(error.with_model(place.model().name()));
            };
            return Ok((joined, joined.model().attribute(column)?));
        }
        let (associations, column) = match path.rsplit_once('.') {
            Some((associations, column)) => (Some(associations), column),
            None => (None, path),
        };
        for name in associations.into_iter().flat_map(|names| names.split('.')) {
            place = place.through(place.model().association(name)?)?;
        }
        Ok((place, place.model().attribute(column)?))
    }

    /// Keeps the rows whose attribute equals the value (`IS NULL` for null). `author.name` joins; `"memberships".role` names
    /// a table that is joined already, on the way of a through too, as all methods that take names.
    /// Rails: `where(title: "x")`, `where(memberships: { role: "x" })`.
    ///
    /// # Errors
    /// `UnknownAttribute` or `AssociationNotFound` with the nearest name; `InvalidValue` when the value cannot be
    /// one of the column.
    pub fn filter_by(self, name: &str, value: impl Into<Value<'static>>) -> Result<Self> {
        let (place, column) = self.named(name)?;
        let value = cast(place, column, value.into())?;
        let condition = Node::Column(place, column).compare(Comparison::Equal, value);
        Ok(self.map(|core| core.select.filter(Expr(condition))))
    }

    /// Keeps the rows whose attribute is among the values. Rails: `where(id: [1, 2])`.
    ///
    /// # Errors
    /// As [`filter_by`](Self::filter_by).
    pub fn filter_in<V: Into<Value<'static>>>(
        self,
        name: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Result<Self> {
        let (place, column) = self.named(name)?;
        let values = values
            .into_iter()
            .map(|value| cast(place, column, value.into()))
            .collect::<Result<Vec<_>>>()?;
        let condition = Node::Column(place, column).among(values);
        Ok(self.map(|core| core.select.filter(Expr(condition))))
    }

    /// Keeps the rows whose attribute compares so: `=`, `!=`, `<`, `<=`, `>`, `>=` or `like`.
    ///
    /// # Errors
    /// As [`filter_by`](Self::filter_by); `Argument` for an operator that is not one of these.
    pub fn filter_op(
        self,
        name: &str,
        operator: &str,
        value: impl Into<Value<'static>>,
    ) -> Result<Self> {
        let (place, column) = self.named(name)?;
        let value = cast(place, column, value.into())?;
        let operand = Node::Column(place, column);
        let condition = match operator {
            "=" => operand.compare(Comparison::Equal, value),
            "!=" => operand.compare(Comparison::NotEqual, value),
            "<" => operand.compare(Comparison::Less, value),
            "<=" => operand.compare(Comparison::LessOrEqual, value),
            ">" => operand.compare(Comparison::Greater, value),
            ">=" => operand.compare(Comparison::GreaterOrEqual, value),
            "like" => match value.as_str() {
                Some(pattern) => Node::Like(Box::new(operand), pattern.to_owned(), false),
                None => {
                    let problem = "is no text, which `like` compares with";
                    return Err(place.model().refused(column, problem));
                }
            },
            other => {
                let message =
                    format!("unknown operator `{other}`: it is one of = != < <= > >= like");
                return Err(
                    Error::new(ErrorKind::Argument, message).with_model(self.reflection().name())
                );
            }
        };
        Ok(self.map(|core| core.select.filter(Expr(condition))))
    }

    /// Leaves out the rows whose attribute equals the value. Rails: `where.not(title: "x")`.
    ///
    /// # Errors
    /// As [`filter_by`](Self::filter_by).
    pub fn exclude_by(self, name: &str, value: impl Into<Value<'static>>) -> Result<Self> {
        let (place, column) = self.named(name)?;
        let value = cast(place, column, value.into())?;
        let condition = Node::Column(place, column)
            .compare(Comparison::Equal, value)
            .negate();
        Ok(self.map(|core| core.select.filter(Expr(condition))))
    }

    /// Orders by an attribute, `title`, or downwards, `title desc`; of a tree also by `tree_depth`.
    /// Rails: `order(title: :desc)`.
    ///
    /// # Errors
    /// `UnknownAttribute` with the nearest name; `Argument` for a direction that is neither `asc` nor `desc`.
    pub fn order_by(self, order: &str) -> Result<Self> {
        let order = self.order_named(order)?;
        Ok(self.map(|core| core.select.order([order])))
    }

    /// What a name stands for in an order or a list of values: a column, or the depth of a tree, and its type.
    pub(crate) fn value_named(&self, name: &str) -> Result<(Node, Option<AttributeType>)> {
        match self.named(name) {
            Ok((place, column)) => {
                let ty = place.model().columns().get(column).map(|column| column.ty);
                Ok((Node::Column(place, column), ty))
            }
            Err(_) if name == "tree_depth" && self.has_tree() => {
                Ok((self.tree_depth().0, Some(AttributeType::of::<i64>())))
            }
            Err(error) => Err(error),
        }
    }

    /// The order that `title` or `title desc` says.
    pub(super) fn order_named(&self, order: &str) -> Result<Order> {
        let (name, direction) = match order.trim().split_once(' ') {
            None => (order.trim(), Direction::Ascending),
            Some((name, direction)) if direction.trim().eq_ignore_ascii_case("desc") => {
                (name, Direction::Descending)
            }
            Some((name, direction)) if direction.trim().eq_ignore_ascii_case("asc") => {
                (name, Direction::Ascending)
            }
            Some((_, direction)) => {
                let message = format!(
                    "unknown direction `{}`: it is asc or desc",
                    direction.trim()
                );
                return Err(
                    Error::new(ErrorKind::Argument, message).with_model(self.reflection().name())
                );
            }
        };
        let (by, _) = self.value_named(name)?;
        Ok(Order { by, direction })
    }

    /// Replaces all orders by this one. Rails: `reorder(title: :desc)`.
    ///
    /// # Errors
    /// As [`order_by`](Self::order_by).
    pub fn reorder_by(self, order: &str) -> Result<Self> {
        self.unscope(Part::Orders).order_by(order)
    }

    /// Loads associations with the records: `author`, `comments.author`; in the same query where a join, a condition
    /// or an order names one of them. Rails: `includes`.
    ///
    /// # Errors
    /// `AssociationNotFound` with the nearest name.
    pub fn includes_named<'a>(mut self, paths: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let model = self.reflection();
        for path in paths {
            includes::add_named(&mut self.core.includes, model, path)?;
        }
        Ok(self)
    }

    /// Loads associations with the records, one query for each. Rails: `preload`.
    ///
    /// # Errors
    /// `AssociationNotFound` with the nearest name.
    pub fn preload_named<'a>(mut self, paths: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let model = self.reflection();
        for path in paths {
            includes::add_named(&mut self.core.preloads, model, path)?;
        }
        Ok(self)
    }

    /// Loads associations with the records, in one query with left joins. Rails: `eager_load`.
    ///
    /// # Errors
    /// `AssociationNotFound` with the nearest name.
    pub fn eager_load_named<'a>(
        mut self,
        paths: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self> {
        let model = self.reflection();
        for path in paths {
            includes::add_named(&mut self.core.eager, model, path)?;
        }
        Ok(self)
    }

    /// Says that SQL of yours names the table of this association, so that an include of it is joined.
    /// Rails: `references`.
    ///
    /// # Errors
    /// `AssociationNotFound` with the nearest name.
    pub fn references_named(self, path: &str) -> Result<Self> {
        let place = self.place_named(path)?;
        Ok(self.map(|core| core.references.push(place)))
    }

    /// Says that SQL of yours names tables that no path leads to, so that all includes are joined.
    /// Rails: `references("posts")`.
    pub fn references_all(self) -> Self {
        self.map(|core| core.references_all = true)
    }

    /// Adds what a relation of an association's target asks. Rails: `merge`.
    ///
    /// # Errors
    /// `AssociationNotFound` with the nearest name; `IncompatibleRelation` when it is a relation of another model
    /// or database, or either is a statement in SQL.
    pub fn merge_named(mut self, path: &str, other: Relation) -> Result<Self> {
        let place = self.place_named(path)?;
        self.core.merge_at(&other.core, place)?;
        Ok(self)
    }

    /// Takes back the conditions on an attribute. Rails: `unscope(where: :title)`.
    ///
    /// # Errors
    /// `UnknownAttribute` or `AssociationNotFound` with the nearest name.
    pub fn unscope_named(self, name: &str) -> Result<Self> {
        let named = self.named(name)?;
        Ok(self.map(|core| {
            let others = |filter: &Node| !filter.columns().contains(&named);
            core.select.filters.retain(others);
        }))
    }

    /// The attribute that is read, where it is only one: what the relation is as a list of values.
    #[must_use]
    pub fn selected_name(&self) -> Option<&'static str> {
        match &self.core().select.what {
            What::Columns(columns) => match columns.as_slice() {
                [only] => Some(self.reflection().columns().get(*only)?.name()),
                _ => None,
            },
            _ => None,
        }
    }

    /// Keeps the rows whose attribute is among the values of an attribute of another relation's rows.
    /// Rails: `where(author_id: people.select(:id))`.
    ///
    /// # Errors
    /// `UnknownAttribute` or `AssociationNotFound` with the nearest name.
    pub fn filter_among(self, name: &str, other: Relation, of: &str) -> Result<Self> {
        let (place, column) = self.named(name)?;
        let (theirs, of) = other.named(of)?;
        let mut select = other.into_core().select;
        select.what = What::Values(vec![Node::Column(theirs, of)]);
        let condition = Node::InSelect(vec![Node::Column(place, column)], Box::new(select));
        Ok(self.map(|core| core.select.filter(Expr(condition))))
    }

    /// Joins an association, `author` or `comments.author`. Rails: `joins`.
    ///
    /// # Errors
    /// `AssociationNotFound` with the nearest name.
    pub fn joins_named(self, path: &str) -> Result<Self> {
        self.join_named(path, JoinKind::Inner)
    }

    /// Joins an association, keeping rows without one. Rails: `left_outer_joins`.
    ///
    /// # Errors
    /// `AssociationNotFound` with the nearest name.
    pub fn left_outer_joins_named(self, path: &str) -> Result<Self> {
        self.join_named(path, JoinKind::Left)
    }

    /// Keeps the rows that have a target of the association. Rails: `where.associated(:author)`.
    ///
    /// # Errors
    /// `AssociationNotFound` with the nearest name.
    pub fn associated_named(self, path: &str) -> Result<Self> {
        let place = self.place_named(path)?;
        Ok(self.associated_at(place))
    }

    /// Keeps the rows that have no target of the association. Rails: `where.missing(:author)`.
    ///
    /// # Errors
    /// `AssociationNotFound` with the nearest name.
    pub fn missing_named(self, path: &str) -> Result<Self> {
        let place = self.place_named(path)?;
        Ok(self.missing_at(place))
    }

    /// Keeps the rows whose attribute is among the values, in the order of the values. Rails: `in_order_of(:id, [3, 1])`.
    ///
    /// # Errors
    /// As [`filter_by`](Self::filter_by).
    pub fn in_order_of_named<V: Into<Value<'static>>>(
        self,
        name: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Result<Self> {
        let (place, column) = self.named(name)?;
        let values = values
            .into_iter()
            .map(|value| cast(place, column, value.into()))
            .collect::<Result<Vec<_>>>()?;
        Ok(self.ranked(Node::Column(place, column), values))
    }

    /// The last association of a path, by the place that it hangs off and its position.
    pub(super) fn step_named(&self, path: &str) -> Result<(Place, usize)> {
        let (above, name) = match path.rsplit_once('.') {
            Some((above, name)) => (self.place_named(above)?, name),
            None => (self.core().select.root, path),
        };
        Ok((above, above.model().association(name)?))
    }

    /// The place that a path of associations leads to.
    pub(crate) fn place_named(&self, path: &str) -> Result<Place> {
        path.split('.')
            .try_fold(self.core().select.root, |place, name| {
                place.through(place.model().association(name)?)
            })
    }

    fn join_named(self, path: &str, kind: JoinKind) -> Result<Self> {
        let place = self.place_named(path)?;
        Ok(self.map(|core| core.select.join(place, kind)))
    }
}
