//! Includes: which associations are to be loaded with the records, as a tree.
//!
//! Invariant: one path is in the tree once, so a diamond of paths loads its shared part once.

use super::columns::Path;
use super::tuples::tuples;
use crate::error::Result;
use crate::model::Model;
use crate::reflection::ModelReflection;
use crate::sql::Place;

/// An association to load, and what to load with its targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Include {
    pub(crate) association: usize,
    pub(crate) children: Vec<Include>,
}

/// Adds a path of associations to a tree.
pub(crate) fn add(tree: &mut Vec<Include>, path: impl IntoIterator<Item = usize>) {
    let mut level = tree;
    for association in path {
        let at = match level
            .iter()
            .position(|include| include.association == association)
        {
            Some(at) => at,
            None => {
                level.push(Include {
                    association,
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
        add(&mut tree, place.path().into_iter().filter_map(Place::step));
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
    let mut model = model;
    for name in path.split('.') {
        let association = model.association(name)?;
        steps.push(association);
        model = model.resolve(association)?.target;
    }
    add(tree, steps);
    Ok(())
}

/// Adds one tree to another; what both have is there once.
pub(crate) fn graft(tree: &mut Vec<Include>, more: &[Include]) {
    for include in more {
        match tree
            .iter_mut()
            .find(|known| known.association == include.association)
        {
            Some(known) => graft(&mut known.children, &include.children),
            None => tree.push(include.clone()),
        }
    }
}

/// The places that a tree leads to from `place`, parents before children.
pub(crate) fn places(tree: &[Include], place: Place) -> Result<Vec<Place>> {
    let mut all = Vec::new();
    let mut left: Vec<(Place, &Include)> =
        tree.iter().rev().map(|include| (place, include)).collect();
    while let Some((above, include)) = left.pop() {
        let place = above.through(include.association)?;
        all.push(place);
        left.extend(include.children.iter().rev().map(|child| (place, child)));
    }
    Ok(all)
}

/// One path, or a tuple, array or vector of paths: `(p.author, p.comments.author)`.
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
