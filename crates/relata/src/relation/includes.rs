//! Includes: which associations are to be loaded with the records, as a tree.
//!
//! Invariant: one path is in the tree once, so a diamond of paths loads its shared part once.

use super::columns::Path;
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

macro_rules! tuples {
    ($($($name:ident)+;)*) => {$(
        impl<$($name: Paths),+> Paths for ($($name,)+) {
            #[allow(non_snake_case)]
            fn places(self) -> Vec<Place> {
                let ($($name,)+) = self;
                let mut all = Vec::new();
                $(all.extend($name.places());)+
                all
            }
        }
    )*};
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
}
