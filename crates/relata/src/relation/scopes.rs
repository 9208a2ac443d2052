//! Scopes of a model by name: those that it declares, and those of its enums' labels.
//!
//! Invariant: a scope narrows the relation that it is given; an unknown name is an error with the nearest one.

use super::Relation;
use crate::attribute::value::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Expr;
use crate::sql::expr::{Comparison, Node};

impl<M> Relation<M> {
    /// What a scope of the model makes of the relation: `recent`, or, of an enum, `live` and `not_live`.
    /// Rails: `posts.recent`.
    ///
    /// # Errors
    /// `Argument` for a scope that the model does not have, with the nearest name.
    pub fn scope_named(self, name: &str) -> Result<Self> {
        let model = self.reflection();
        if let Some((_, scope)) = model.scopes().iter().find(|(known, _)| *known == name) {
            let scoped = scope.apply(self.erased(), None);
            return Ok(Self::from_core(scoped.into_core()));
        }
        if let Some(condition) = self.of_label(name) {
            return Ok(self.map(|core| core.select.filter(Expr(condition))));
        }
        let declared = model.scopes().iter().map(|(name, _)| (*name).to_owned());
        let labels = model.enumerations().iter().filter(|one| one.has_scopes());
        let known: Vec<String> = declared
            .chain(labels.flat_map(|one| one.names(model)))
            .collect();
        let nearest = relata_inflect::nearest(name, known.iter().map(String::as_str));
        let hint = nearest
            .map(|near| format!("; did you mean `{near}`?"))
            .unwrap_or_default();
        let message = format!("{} has no scope `{name}`{hint}", model.name());
        Err(Error::new(ErrorKind::Argument, message).with_model(model.name()))
    }

    /// The rows whose column has a value, or another.
    pub(crate) fn with_label(self, column: usize, value: Value<'static>, is: bool) -> Self {
        let comparison = if is {
            Comparison::Equal
        } else {
            Comparison::NotEqual
        };
        let column = Node::Column(self.select().root, column);
        self.map(|core| core.select.filter(Expr(column.compare(comparison, value))))
    }

    /// The condition of an enum's label, `live` or `not_live`.
    fn of_label(&self, name: &str) -> Option<Node> {
        let model = self.reflection();
        let (comparison, (one, label)) = match model.enum_named(name) {
            Some(found) => (Comparison::Equal, found),
            None => {
                let found = model.enum_named(name.strip_prefix("not_")?)?;
                (Comparison::NotEqual, found)
            }
        };
        let column = model.column_position(one.attribute())?;
        let column = Node::Column(self.select().root, column);
        one.has_scopes()
            .then(|| column.compare(comparison, label.value()))
    }
}
