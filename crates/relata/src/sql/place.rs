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
    /// The place it hangs off, and the step that leads here.
    above: Option<(Place, Step)>,
    children: Mutex<HashMap<Step, Place>>,
    /// The typed columns of this place, for closures.
    columns: OnceLock<Box<dyn Any + Send + Sync>>,
}

/// What leads from one place to the next.
#[derive(Clone, Copy)]
enum Step {
    /// An association of the model above, to its target.
    Over(usize),
    /// The first hops of a through of the model above, to a table on the way: which association, and how many.
    Way(usize, usize),
    /// An association back, from its target to the model whose rows lead there: the one that declares it, or a subclass.
    Back(&'static Resolved, &'static ModelReflection),
}

impl Step {
    fn id(self) -> (usize, usize, usize) {
        match self {
            Self::Over(association) => (association, 0, 0),
            Self::Way(association, hops) => (association, hops, 0),
            Self::Back(over, from) => {
                let from = std::ptr::from_ref(from).addr();
                (from, 0, std::ptr::from_ref(over).addr())
            }
        }
    }
}

impl PartialEq for Step {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Step {}

impl std::hash::Hash for Step {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl Place {
    /// The place of the model that is asked for.
    #[must_use]
    pub fn root(model: &'static ModelReflection) -> Self {
        *model.root_place(|| Self::leak(model, None))
    }

    fn leak(model: &'static ModelReflection, above: Option<(Place, Step)>) -> Self {
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
        self.after(Step::Over(association), target)
    }

    /// The table on the way of a through, after so many of its hops.
    pub(crate) fn way(self, association: usize, hops: usize, over: &Resolved) -> Self {
        self.after(Step::Way(association, hops), over.target)
    }

    /// The model whose association leads to the target that stands here.
    pub(crate) fn back(self, over: &'static Resolved, from: &'static ModelReflection) -> Self {
        self.after(Step::Back(over, from), from)
    }

    fn after(self, step: Step, model: &'static ModelReflection) -> Self {
        let mut children = self
            .0
            .children
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *children
            .entry(step)
            .or_insert_with(|| Self::leak(model, Some((self, step))))
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
        let (above, step) = self.0.above?;
        match step {
            Step::Over(association) => above.0.model.reflections().get(association),
            Step::Back(over, _) => Some(over.declaration()),
            Step::Way(association, hops) => {
                let through = above.0.model.resolve(association).ok()?;
                Some(through.hops().get(hops - 1)?.over.declaration())
            }
        }
    }

    /// The association whose target stands above, and whose own model stands here, if that is how it leads here.
    pub(crate) fn is_back_over(self) -> Option<&'static Resolved> {
        match self.0.above {
            Some((_, Step::Back(over, _))) => Some(over),
            _ => None,
        }
    }

    /// Whether a through leads over this place.
    pub(crate) fn is_on_way(self) -> bool {
        matches!(self.0.above, Some((_, Step::Way(..) | Step::Back(..))))
    }

    /// The place it hangs off, and what is known of the association that leads here; none for the root.
    pub(crate) fn resolved(self) -> Result<Option<(Place, &'static Resolved)>> {
        match self.0.above {
            Some((above, Step::Over(association))) => {
                let resolved = above.0.model.resolve(association)?;
                joinable(resolved)?;
                Ok(Some((above, resolved)))
            }
            _ => Ok(None),
        }
    }

    /// The position of the association that leads here, in the model it hangs off.
    pub(crate) fn step(self) -> Option<usize> {
        match self.0.above {
            Some((_, Step::Over(association))) => Some(association),
            _ => None,
        }
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

    /// Whether it is that place, or hangs off it at any distance.
    pub(crate) fn is_within(self, other: Place) -> bool {
        std::iter::successors(Some(self), |at| at.above()).any(|at| at == other)
    }

    /// The places from below another one down to this one; none where the other does not lead here, unless it is a root.
    pub(crate) fn path_below(self, root: Place) -> Vec<Place> {
        let mut path = self.path();
        if root.above().is_some() {
            path.retain(|place| self.is_within(root) && *place != root && place.is_within(root));
        }
        path
    }

    /// This place as seen from `onto`, where this one's root is found.
    pub(crate) fn moved(self, onto: Place) -> Result<Place> {
        let mut steps = self.path().into_iter();
        steps.try_fold(onto, |place, step| match step.0.above {
            Some((_, Step::Over(association))) => place.through(association),
            Some((_, other)) => Ok(place.after(other, step.0.model)),
            None => Ok(place),
        })
    }

    /// This place, where it is one from which an association of `target` leads back over the key that `over` leads here by:
    /// the rows there are those that stand at `way` already, between the owner and its target.
    pub(crate) fn met(self, target: Place, over: &Resolved, way: Place) -> Self {
        let path = self.path_below(target);
        let Some((first, rest)) = path.split_first() else {
            return self;
        };
        let (Some((above, Step::Over(association))), true) =
            (first.0.above, self.is_within(target))
        else {
            return self;
        };
        let Ok(back) = above.0.model.resolve(association) else {
            return self;
        };
        let leads_back = back.through.is_none()
            && back.target.table() == way.model().table()
            && back.owner_key == over.target_key
            && back.target_key == over.owner_key;
        if !leads_back {
            return self;
        }
        rest.iter().fold(way, |place, step| match step.0.above {
            Some((_, step_to)) => place.after(step_to, step.0.model),
            None => place,
        })
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
