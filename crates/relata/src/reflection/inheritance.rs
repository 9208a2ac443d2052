//! Single-table inheritance: a base model whose rows are of several classes, as a type column says, and what a subclass
//! has from its parent.
//!
//! Invariant: the columns of all classes of one table are one list, so that rows of any of them lie alike; associations
//! of a parent have the same positions on its subclasses.

use super::shape::{Shape, same};
use super::{AssociationReflection, Classes, ModelReflection, NestedAttributes, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::relation::Scope;

/// How a base model's rows say of which class they are.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Inheritance {
    /// The attribute that holds the name of a row's class. Rails: `inheritance_column`.
    pub column: &'static str,
    /// The classes, without the base.
    pub classes: Classes,
}

/// How many classes may stand above one another: a function that gives another parent each time has no end either.
const DEEPEST: usize = 1000;

impl Inheritance {
    /// The attribute that holds the name of a row's class, and the classes without the base.
    #[must_use]
    pub const fn new(column: &'static str, classes: Classes) -> Self {
        Self { column, classes }
    }
}

impl ModelReflection {
    /// The rows of the model's table are of several classes. Rails: `inheritance_column`.
    #[must_use]
    pub const fn with_inheritance(mut self, inheritance: Inheritance) -> Self {
        self.inheritance = Some(inheritance);
        self
    }

    /// The model is a subclass: it has its parent's table and columns. Rails: `class Admin < User`.
    #[must_use]
    pub const fn with_parent(mut self, parent: Target) -> Self {
        self.parent = Some(parent);
        self
    }

    /// What type columns of polymorphic associations hold for the model, where it is not its name.
    /// Rails: `polymorphic_name`.
    #[must_use]
    pub const fn with_polymorphic_name(mut self, name: &'static str) -> Self {
        self.stored_name = Some(name);
        self
    }

    /// What the type column of a polymorphic association holds for the model's records: the name of the model that it
    /// inherits from in the end. Rails: `polymorphic_name`.
    #[must_use]
    pub fn polymorphic_name(&'static self) -> &'static str {
        self.base().stored_name()
    }

    /// The model's own stored name.
    pub(super) fn stored_name(&self) -> &'static str {
        self.stored_name.unwrap_or(self.name())
    }

    /// The scopes that every query for the model begins with: its parent's, then its own. Rails: `default_scopes`.
    pub(crate) fn default_scopes(&self) -> Vec<&'static Scope> {
        let inherited = self
            .parent()
            .map(Self::default_scopes)
            .into_iter()
            .flatten();
        inherited.chain(self.default_scope).collect()
    }

    /// Whether a query for the model says more than its table.
    pub(crate) fn is_narrowed(&self) -> bool {
        self.default_scope.is_some() || self.parent.is_some()
    }

    /// Whether it is a subclass: not all rows of its table are its records.
    #[must_use]
    pub fn is_subclass(&self) -> bool {
        self.parent.is_some()
    }

    /// Whether rows of its table may be of several classes: no plain model pays for what follows from it.
    #[inline]
    pub(crate) fn is_inherited(&self) -> bool {
        self.inheritance.is_some() || self.parent.is_some()
    }

    /// The model that it is a subclass of; none where its parents lead in a circle, which [`check_models`](super::check_models)
    /// tells. Rails: `superclass`.
    #[must_use]
    pub fn parent(&self) -> Option<&'static ModelReflection> {
        let parent = self.parent.as_ref()?;
        match self.above.get() {
            Some(above) => *above,
            None => self.find_parent(parent),
        }
    }

    #[cold]
    fn find_parent(&self, parent: &Target) -> Option<&'static ModelReflection> {
        let parent = parent.model().ok()?;
        let above = (!self.is_in_a_circle()).then_some(parent);
        *self.above.get_or_init(|| above)
    }

    /// Whether what it inherits from has no end: whoever walks up would walk for ever.
    pub(super) fn is_in_a_circle(&self) -> bool {
        let mut met = vec![std::ptr::from_ref(self)];
        let mut at = self.parent.as_ref().and_then(|parent| parent.model().ok());
        while let Some(model) = at {
            if met.contains(&std::ptr::from_ref(model)) || met.len() > DEEPEST {
                return true;
            }
            met.push(model);
            at = model.parent.as_ref().and_then(|parent| parent.model().ok());
        }
        false
    }

    /// The model that it inherits from in the end: itself, for most. Rails: `base_class`.
    #[must_use]
    pub fn base(&'static self) -> &'static ModelReflection {
        let mut model = self;
        while let Some(parent) = model.parent() {
            model = parent;
        }
        model
    }

    /// Whether its records are records of that model too: it is the model, or inherits from it. Rails: `<=`.
    #[must_use]
    pub fn is_a(&'static self, model: &ModelReflection) -> bool {
        let mut own = Some(self);
        while let Some(class) = own {
            if class == model {
                return true;
            }
            own = class.parent();
        }
        false
    }

    /// The column that holds the name of a row's class; none where all rows are of one.
    #[must_use]
    pub fn type_column(&'static self) -> Option<usize> {
        let inheritance = self.base().inheritance.as_ref()?;
        self.column_position(inheritance.column)
    }

    /// The subclasses, and theirs, as far as they are known. Rails: `descendants`.
    #[must_use]
    pub fn descendants(&'static self) -> Vec<&'static ModelReflection> {
        let classes = self.base().inheritance.map(|one| one.classes.models());
        let below = |model: &&'static ModelReflection| *model != self && model.is_a(self);
        classes.into_iter().flatten().filter(below).collect()
    }

    /// The class of a row of this model, by what its type column holds. Rails: `find_sti_class`.
    ///
    /// # Errors
    /// `SubclassNotFound` for a name that no class has, or one that is no subclass of this model.
    pub fn subclass(&'static self, name: &str) -> Result<&'static ModelReflection> {
        let base = self.base();
        let of_base = base.inheritance.map(|one| one.classes.models());
        let mut classes = of_base.into_iter().flatten().chain([base]);
        let Some(class) = classes.find(|class| class.name() == name) else {
            let column = base.inheritance.map_or("type", |one| one.column);
            let message = format!(
                "The single-table inheritance mechanism failed to locate the subclass: '{name}'. This error is raised \
                 because the column '{column}' is reserved for storing the class in case of inheritance. Please rename \
                 this column if you didn't intend it to be used for storing the inheritance class or overwrite \
                 {}.inheritance_column to use another column for that information.",
                base.name()
            );
            return Err(Error::new(ErrorKind::SubclassNotFound, message).with_model(base.name()));
        };
        if !class.is_a(self) {
            let message = format!(
                "Invalid single-table inheritance type: {name} is not a subclass of {}",
                self.name()
            );
            return Err(Error::new(ErrorKind::SubclassNotFound, message).with_model(self.name()));
        }
        self.lies_as(class)
    }

    /// The class of a row of this model that names none: the one that all inherit from.
    ///
    /// # Errors
    /// `Configuration` where that has other columns.
    pub(crate) fn class_without_name(&'static self) -> Result<&'static ModelReflection> {
        self.lies_as(self.base())
    }

    /// A class, if rows of this model can be its records.
    fn lies_as(&self, class: &'static ModelReflection) -> Result<&'static ModelReflection> {
        match self.other_columns(class) {
            None => Ok(class),
            Some(other) => Err(other),
        }
    }

    /// That two classes of one table have not the same columns.
    pub(super) fn other_columns(&self, class: &'static ModelReflection) -> Option<Error> {
        if std::ptr::eq(class.columns(), self.columns()) {
            return None;
        }
        let (name, base) = (class.name(), class.base().name());
        // The base has what it has: it is this one that differs.
        let (name, model) = match name == base {
            true => (self.name(), self.name()),
            false => (name, name),
        };
        let message = format!(
            "{name} is to have the columns of {base}, of which it is a subclass, and has others"
        );
        Some(Error::new(ErrorKind::Configuration, message).with_model(model))
    }

    /// What the type column of the model's rows may hold; nothing where any row of the table is one of the model's.
    pub(crate) fn type_names(&'static self) -> Option<(usize, Vec<&'static str>)> {
        self.parent.as_ref()?;
        let column = self.type_column()?;
        let below = self.descendants().into_iter().map(name_of);
        Some((column, std::iter::once(self.name()).chain(below).collect()))
    }
}

fn name_of(model: &'static ModelReflection) -> &'static str {
    model.name()
}

/// The associations of a subclass: its parent's, those that it declares anew in their places, and its own after them.
/// Called by generated code, which names their number.
#[must_use]
pub const fn merged<const ALL: usize, const OWN: usize>(
    parent: &[AssociationReflection],
    own: &[AssociationReflection; OWN],
) -> [AssociationReflection; ALL] {
    let places: [usize; OWN] = places(parent, own);
    let nothing = Target::AnyOf(Classes::Closed(&[]));
    let mut all = [AssociationReflection::belongs_to("", nothing); ALL];
    let mut at = 0;
    while at < parent.len() {
        all[at] = parent[at];
        all[at].inherited = true;
        all[at].amended = false;
        at += 1;
    }
    let mut at = 0;
    while at < OWN {
        all[places[at]] = own[at];
        at += 1;
    }
    all
}

/// The associations of a subclass, where one that it inherits takes values for its members. Called by generated code.
#[must_use]
pub const fn accepting<const ALL: usize>(
    mut all: [AssociationReflection; ALL],
    at: usize,
    nested: NestedAttributes,
) -> [AssociationReflection; ALL] {
    if at < ALL {
        all[at] = all[at].with_nested_attributes(nested);
    }
    all
}

/// Where a subclass's own associations stand among all. Called by generated code.
#[must_use]
pub const fn places<const OWN: usize>(
    parent: &[AssociationReflection],
    own: &[AssociationReflection; OWN],
) -> [usize; OWN] {
    let mut places = [0; OWN];
    let mut next = parent.len();
    let mut at = 0;
    while at < OWN {
        let mut place = 0;
        while place < parent.len() && !same(parent[place].name, own[at].name) {
            place += 1;
        }
        if place == parent.len() {
            place = next;
            next += 1;
        }
        places[at] = place;
        at += 1;
    }
    places
}

/// How many associations a subclass has. Called by generated code.
#[must_use]
pub const fn width<const OWN: usize>(
    parent: &[AssociationReflection],
    own: &[AssociationReflection; OWN],
) -> usize {
    let places = places(parent, own);
    let (mut width, mut at) = (parent.len(), 0);
    while at < OWN {
        if places[at] >= width {
            width = places[at] + 1;
        }
        at += 1;
    }
    width
}

/// The names of what a subclass's associations lead to. Called by generated code.
#[must_use]
pub const fn targets<const ALL: usize, const OWN: usize>(
    parent: &Shape,
    own: &[AssociationReflection; OWN],
    names: [&'static str; OWN],
) -> [&'static str; ALL] {
    let places = places(parent.associations(), own);
    let mut all = [""; ALL];
    let mut at = 0;
    while at < parent.associations().len() {
        all[at] = parent.target(at);
        at += 1;
    }
    let mut at = 0;
    while at < OWN {
        all[places[at]] = names[at];
        at += 1;
    }
    all
}

/// What a subclass begins with: the parent's declarations, at their places.
pub(super) fn inherited(parent: &'static ModelReflection) -> Vec<AssociationReflection> {
    let inherited = |one: &AssociationReflection| AssociationReflection {
        inherited: true,
        amended: false,
        ..*one
    };
    parent.reflections().iter().map(inherited).collect()
}
