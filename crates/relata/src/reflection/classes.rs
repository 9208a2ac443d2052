//! Sets of models in which one is found by a stored name: what a polymorphic association can lead to, and what the type
//! column of an inheritance can say.
//!
//! Invariant: a set is asked by name or by model, and never changes what it said of a name it knows.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use super::ModelReflection;

/// Which models a stored name can mean.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Classes {
    /// These, and no others.
    Closed(&'static [fn() -> &'static ModelReflection]),
    /// Those that were registered.
    Open(&'static Registry),
}

/// Models that are found by name at run time: for polymorphic associations that are open, and for models made at run
/// time.
///
/// ```
/// use relata::reflection::{ModelBuilder, Registry};
///
/// let planets = ModelBuilder::new("Planet", "planets").define()?;
/// let known: &'static Registry = Box::leak(Box::new(Registry::new()));
/// known.add(planets);
/// assert_eq!(known.named("Planet"), Some(planets));
/// assert_eq!(known.named("Moon"), None);
/// # Ok::<(), relata::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Registry {
    models: RwLock<Vec<&'static ModelReflection>>,
}

static PROGRAM: Registry = Registry::new();

impl Registry {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            models: RwLock::new(Vec::new()),
        }
    }

    /// That of the program: open polymorphic associations of compiled models look here. See [`register`](crate::register).
    #[must_use]
    pub const fn program() -> &'static Self {
        &PROGRAM
    }

    /// Adds a model. One that is there already stays, and so does the first of a name.
    pub fn add(&self, model: &'static ModelReflection) {
        let mut models = self.models.write().unwrap_or_else(PoisonError::into_inner);
        if !models.contains(&model) {
            models.push(model);
        }
    }

    /// The model that a stored name means.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&'static ModelReflection> {
        Classes::pick(self.models().into_iter(), name)
    }

    fn models(&self) -> Vec<&'static ModelReflection> {
        self.models
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Classes {
    /// The model that a stored name means.
    #[must_use]
    pub fn named(self, name: &str) -> Option<&'static ModelReflection> {
        Self::pick(self.models().into_iter(), name)
    }

    /// All of them; of an open set, those that were registered so far.
    #[must_use]
    pub fn models(self) -> Vec<&'static ModelReflection> {
        match self {
            Self::Closed(models) => models.iter().map(|model| model()).collect(),
            Self::Open(registry) => registry.models(),
        }
    }

    /// The member of the set that a model is one of: itself, or one that it inherits from. An open set takes any.
    pub(crate) fn member(
        self,
        model: &'static ModelReflection,
    ) -> Option<&'static ModelReflection> {
        match self {
            Self::Closed(_) => self.models().into_iter().find(|one| model.is_a(one)),
            Self::Open(_) => Some(model.base()),
        }
    }

    fn pick(
        models: impl Iterator<Item = &'static ModelReflection> + Clone,
        name: &str,
    ) -> Option<&'static ModelReflection> {
        let own = models.clone().find(|model| model.stored_name() == name);
        own.or_else(|| {
            models
                .clone()
                .find(|model| model.polymorphic_name() == name)
        })
    }
}

impl fmt::Debug for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.models().into_iter().map(ModelReflection::name);
        f.debug_list().entries(names).finish()
    }
}
