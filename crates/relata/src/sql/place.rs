//! Places: where in a query a table stands. The root is the model that is asked for; every other place is a path
//! of associations from it, `post.author.profile`.
//!
//! Places are leaked nodes of a tree, one a path that the program ever uses, so they are `Copy` and compared by
//! address.
//!
//! Invariant: one path has one place.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::expr;
use crate::attribute::value::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::reflection::{AssociationReflection, ModelReflection, Resolved};

/// Where in a query a table stands.
#[derive(Clone, Copy)]
pub struct Place(&'static Node);

struct Node {
    model: &'static ModelReflection,
    /// The place it hangs off, and the association that leads here.
    above: Option<(Place, usize)>,
    children: Mutex<HashMap<usize, Place>>,
    /// The typed columns of this place, for closures.
    columns: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl Place {
    /// The place of the model that is asked for.
    #[must_use]
    pub fn root(model: &'static ModelReflection) -> Self {
        *model.root_place(|| Self::leak(model, None))
    }

    fn leak(model: &'static ModelReflection, above: Option<(Place, usize)>) -> Self {
        Self(Box::leak(Box::new(Node {
            model,
            above,
            children: Mutex::default(),
            columns: OnceLock::new(),
        })))
    }

    /// The place that an association of this one's model leads to.
    ///
    /// # Errors
    /// What is wrong with the declaration of the association.
    pub fn through(self, association: usize) -> Result<Self> {
        let resolved = self.0.model.resolve(association)?;
        joinable(resolved)?;
        Ok(self.child(association, resolved.target))
    }

    /// The place that an association leads to, when its target is known already.
    pub(crate) fn child(self, association: usize, target: &'static ModelReflection) -> Self {
        let mut children = self
            .0
            .children
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *children
            .entry(association)
            .or_insert_with(|| Self::leak(target, Some((self, association))))
    }

    /// The model whose table stands here.
    #[must_use]
    pub fn model(self) -> &'static ModelReflection {
        self.0.model
    }

    /// The place it hangs off; none for the root.
    #[must_use]
    pub fn above(self) -> Option<Place> {
        self.0.above.map(|(above, _)| above)
    }

    /// The association that leads here; none for the root.
    pub(crate) fn association(self) -> Option<&'static AssociationReflection> {
        let (above, association) = self.0.above?;
        above.0.model.reflections().get(association)
    }

    /// The place it hangs off, and what is known of the association that leads here; none for the root.
    pub(crate) fn resolved(self) -> Result<Option<(Place, &'static Resolved)>> {
        let Some((above, association)) = self.0.above else {
            return Ok(None);
        };
        let resolved = above.0.model.resolve(association)?;
        joinable(resolved)?;
        Ok(Some((above, resolved)))
    }

    /// The position of the association that leads here, in the model it hangs off.
    pub(crate) fn step(self) -> Option<usize> {
        self.0.above.map(|(_, association)| association)
    }

    /// That the rows here are of the place's model, where its table holds rows of others too.
    pub(crate) fn type_condition(self) -> Option<expr::Node> {
        let (column, names) = self.0.model.type_names()?;
        let names = names.into_iter().map(|name| Value::Text(name.into()));
        Some(expr::Node::Column(self, column).among(names.collect()))
    }

    /// The places from below the root down to this one.
    pub(crate) fn path(self) -> Vec<Place> {
        let mut path = Vec::new();
        let mut at = self;
        while let Some(above) = at.above() {
            path.push(at);
            at = above;
        }
        path.reverse();
        path
    }

    /// This place as seen from `onto`, where this one's root is found.
    pub(crate) fn moved(self, onto: Place) -> Result<Place> {
        self.path()
            .into_iter()
            .filter_map(Place::step)
            .try_fold(onto, Place::through)
    }

    /// The typed columns of the place, made once.
    pub(crate) fn columns<T: Any + Send + Sync>(
        self,
        make: impl FnOnce() -> T,
    ) -> Option<&'static T> {
        self.0
            .columns
            .get_or_init(|| Box::new(make()))
            .downcast_ref()
    }
}

/// Refuses a polymorphic `belongs_to`: it leads to several tables.
fn joinable(resolved: &Resolved) -> Result<()> {
    if !resolved.is_nowhere() {
        return Ok(());
    }
    let name = resolved.declaration().name();
    let message = format!("Cannot eagerly load the polymorphic association :{name}");
    Err(Error::new(ErrorKind::EagerLoadPolymorphic, message).with_attribute(name))
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Place {}

impl std::hash::Hash for Place {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::ptr::from_ref(self.0).hash(state);
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.above() {
            None => f.write_str(self.0.model.name()),
            Some(above) => {
                let name = self.association().map_or("?", AssociationReflection::name);
                write!(f, "{above:?}.{name}")
            }
        }
    }
}
