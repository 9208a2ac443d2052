//! Includes: which associations are to be loaded with the records, as a tree.
//!
//! Invariant: one path is in the tree once, so a diamond of paths loads its shared part once.

use std::sync::Arc;

use super::columns::Path;
use super::narrow::Narrow;
use super::tuples::tuples;
use crate::error::Result;
use crate::model::Model;
use crate::reflection::ModelReflection;
use crate::sql::Place;

/// An association to load, and what to load with its targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Include {
    pub(crate) step: Step,
    /// What narrows its targets, this time.
    pub(crate) narrow: Option<Narrow>,
    pub(crate) children: Vec<Include>,
}

/// Which association of a model is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The one at that position.
    At(usize),
    /// The one of that name, of the models that have it: below a polymorphic association.
    Named(Arc<str>),
}

impl Step {
    /// The position of the association on a model.
    pub(crate) fn on(&self, model: &ModelReflection) -> Option<usize> {
        match self {
            Self::At(position) => Some(*position),
            Self::Named(name) => model.association(name).ok(),
        }
    }
}

/// Adds a path of associations to a tree.
pub(crate) fn add(tree: &mut Vec<Include>, path: impl IntoIterator<Item = Step>) {
    let mut level = tree;
    for step in path {
        let at = match level.iter().position(|include| include.step == step) {
            Some(at) => at,
            None => {
                level.push(Include {
                    step,
                    narrow: None,
                    children: Vec::new(),
                });
                level.len() - 1
            }
        };
        level = &mut level[at].children;
    }
}

/// The tree of what leads to these places.
pub(crate) fn add_places(places: Vec<Place>) -> Vec<Include> {
    let mut tree = Vec::new();
    for place in places {
        let steps = place.path().into_iter().filter_map(Place::step);
        add(&mut tree, steps.map(Step::At));
    }
    tree
}

/// Adds what is written as `author` or `comments.author`.
pub(crate) fn add_named(
    tree: &mut Vec<Include>,
    model: &'static ModelReflection,
    path: &str,
) -> Result<()> {
    let mut steps = Vec::new();
    let mut model = Some(model);
    for name in path.split('.') {
        let Some(known) = model else {
            steps.push(Step::Named(name.into()));
            continue;
        };
        let association = known.association(name)?;
        steps.push(Step::At(association));
        let resolved = known.resolve(association)?;
        model = (!resolved.is_nowhere()).then_some(resolved.target);
    }
    add(tree, steps);
    Ok(())
}

/// Adds one tree to another; what both have is there once.
pub(crate) fn graft(tree: &mut Vec<Include>, more: &[Include]) {
    for include in more {
        match tree.iter_mut().find(|known| known.step == include.step) {
            Some(known) => {
                graft(&mut known.children, &include.children);
                if include.narrow.is_some() {
                    known.narrow.clone_from(&include.narrow);
                }
            }
            None => tree.push(include.clone()),
        }
    }
}

/// The tree without what a polymorphic association leads to, which no query can join.
pub(crate) fn joinable(tree: &[Include], model: &'static ModelReflection) -> Vec<Include> {
    let one = |include: &Include| {
        let target = model.resolve(include.step.on(model)?).ok()?;
        (!target.is_nowhere()).then(|| Include {
            step: include.step.clone(),
            narrow: None,
            children: joinable(&include.children, target.target),
        })
    };
    tree.iter().filter_map(one).collect()
}

/// The places that a tree leads to from `place`, parents before children.
pub(crate) fn places(tree: &[Include], place: Place) -> Result<Vec<Place>> {
    let mut all = Vec::new();
    let mut left: Vec<(Place, &Include)> =
        tree.iter().rev().map(|include| (place, include)).collect();
    while let Some((above, include)) = left.pop() {
        let Some(step) = include.step.on(above.model()) else {
            continue;
        };
        let place = above.through(step)?;
        all.push(place);
        left.extend(include.children.iter().rev().map(|child| (place, child)));
    }
    Ok(all)
}

/// One path, or a tuple, array or vector of paths: `(p.author, p.comments.author)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no path of associations",
    label = "not an association",
    note = "write `|p| p.author`, `|p| p.comments.author`, or a tuple of them"
)]
pub trait Paths {
    /// The places that the paths lead to.
    fn places(self) -> Vec<Place>;
}

impl<M: Model> Paths for Path<M> {
    fn places(self) -> Vec<Place> {
        vec![self.place()]
    }
}

impl<M: Model, const N: usize> Paths for [Path<M>; N] {
    fn places(self) -> Vec<Place> {
        self.into_iter().map(Path::place).collect()
    }
}

tuples!(Paths::places -> Place);
