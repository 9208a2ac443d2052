//! What a column is to hold: for `update_all`, and for records made through a relation.
//!
//! Invariant: an assignment names a column of the relation's own model; another is an error when it is run.

use super::tuples::tuples;
use super::{Column, Operand, Relation};
use crate::attribute::Attribute;
use crate::attribute::value::{Kind, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Model;
use crate::record::Record;
use crate::reflection::ModelReflection;
use crate::sql::Place;
use crate::sql::expr::Node;

/// A column, and what it is to hold. Made by [`Column::set`] and [`Column::increment`].
#[derive(Debug, Clone)]
#[must_use = "an assignment does nothing until it is given to update_all"]
pub struct Assignment {
    place: Place,
    column: usize,
    value: Node,
}

impl<T: Attribute> Column<T> {
    /// This column holds the value, or what another column holds: for `update_all` and `create_with`.
    pub fn set(self, value: impl Operand<T>) -> Assignment {
        self.assignment(value.operand().0)
    }

    /// This column holds as much more as the number says; null counts as 0. For `update_all`, which
    /// refuses a number that the column cannot hold. A sum beyond 64 bits is refused by the database, except by SQLite, which
    /// makes a float of it that cannot be read: where that can happen, keep such rows out by a filter.
    ///
    /// `"stars" = COALESCE("posts"."stars", 0) + ?`
    pub fn increment(self, by: impl Into<Value<'static>>) -> Assignment {
        self.assignment(Node::Plus(Box::new(self.node()), by.into()))
    }
}

impl<T> Column<T> {
    fn assignment(self, value: Node) -> Assignment {
        Assignment {
            place: self.place(),
            column: self.index(),
            value,
        }
    }
}

/// One assignment or several: a tuple or a list of them.
pub trait Assignments {
    /// The assignments, in their order.
    fn assignments(self) -> Vec<Assignment>;
}

impl Assignments for Assignment {
    fn assignments(self) -> Vec<Assignment> {
        vec![self]
    }
}

impl Assignments for Vec<Assignment> {
    fn assignments(self) -> Vec<Assignment> {
        self
    }
}

tuples!(Assignments::assignments -> Assignment);

impl<M> Relation<M> {
    /// The columns of the relation's own model that the assignments name.
    pub(crate) fn own(&self, assignments: Vec<Assignment>) -> Result<Vec<(usize, Node)>> {
        let root = self.core().select.root;
        assignments
            .into_iter()
            .map(|one| {
                let model = self.reflection();
                if one.place == root {
                    if let Node::Plus(_, by) = &one.value {
                        addable(model, one.column, by)?;
                    }
                    return Ok(match (one.value, model.columns().get(one.column)) {
                        (Node::Value(value), Some(column)) => {
                            (one.column, Node::Value(column.normalized(value)))
                        }
                        (value, _) => (one.column, value),
                    });
                }
                let model = model.name();
                let message = format!(
                    "only columns of {model} itself can be set here, and {:?} is not one",
                    one.place
                );
                Err(Error::new(ErrorKind::Argument, message).with_model(model))
            })
            .collect()
    }

    /// The assignments of named attributes.
    pub(crate) fn named_values(
        &self,
        values: &[(&str, Value<'static>)],
    ) -> Result<Vec<(usize, Node)>> {
        let model = self.reflection();
        values
            .iter()
            .map(|(name, value)| {
                let column = model.attribute(name)?;
                let value = model.normalize_value_for(name, value.clone())?;
                Ok((column, Node::Value(value)))
            })
            .collect()
    }

    /// Gives a new record what makes it one of the relation's: what its conditions say by equality, and `create_with`.
    pub(crate) fn give_values_to(&self, record: &Record) -> Result<()> {
        let select = &self.core().select;
        for (column, value) in select
            .filters
            .iter()
            .filter_map(|filter| filter.equality(select.root))
        {
            record.set_value(column, value.clone())?;
        }
        for (column, value) in &self.core().values {
            record.set_value(*column, value.clone())?;
        }
        Ok(())
    }
}

/// Refuses to add a value to a column that would hold something else than its type then.
pub(crate) fn addable(
    model: &'static ModelReflection,
    column: usize,
    by: &Value<'_>,
) -> Result<()> {
    let Some(column) = model.columns().get(column) else {
        return Ok(());
    };
    let whole = matches!(by, Value::Int(_) | Value::Uint(_));
    let fits = match column.attribute_type().kind {
        Kind::Int | Kind::Uint => whole,
        Kind::Float => whole || matches!(by, Value::Float(_)),
        Kind::Decimal => whole || matches!(by, Value::Decimal(_)),
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let (model, name) = (model.name(), column.name());
    let message = format!(
        "{by:?} cannot be added to {model}.{name}, which is a column of {}: set it, or add to a column of numbers",
        column.attribute_type().kind.name()
    );
    Err(Error::new(ErrorKind::Argument, message)
        .with_model(model)
        .with_attribute(name))
}

impl<M: Model> Relation<M> {
    /// Records made through the relation hold these values too. Rails: `create_with`.
    ///
    /// Values that are not plain (another column, an increment) are left out: a new record has no row to take them from.
    pub fn create_with<A: Assignments>(
        self,
        values: impl FnOnce(&'static M::Columns) -> A,
    ) -> Self {
        let values = values(self.columns()).assignments();
        self.map(|core| {
            let root = core.select.root;
            core.values
                .extend(values.into_iter().filter_map(|one| match one.value {
                    Node::Value(value) if one.place == root => Some((one.column, value)),
                    _ => None,
                }));
        })
    }
}

impl Relation {
    /// Records made through the relation hold this value too. Rails: `create_with(title: "x")`.
    ///
    /// # Errors
    /// `UnknownAttribute` with the nearest name.
    pub fn create_with_value(self, name: &str, value: impl Into<Value<'static>>) -> Result<Self> {
        let column = self.reflection().attribute(name)?;
        let value = value.into();
        Ok(self.map(|core| core.values.push((column, value))))
    }
}
