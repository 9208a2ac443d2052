//! How an association leads to its target: over a key, or through another association of its model.
//!
//! A through goes over two associations: the *through* of the owner, and the *source* of what that leads to. Either may
//! itself be a through, so a route of any length is a tree of two branches, whose leaves are its hops.
//!
//! Invariant: every hop is over a key; a route never comes back to itself.

use super::resolve::problem;
use super::{
    AssociationReflection, InverseReason, KeyReason, Macro, ModelReflection, Resolved, Target,
};
use crate::error::{Error, ErrorKind, Result};
use crate::relation::Scope;

/// The two associations that a through goes over. Rails: `through_reflection`, `source_reflection`.
#[derive(Debug, Clone, Copy)]
pub struct Through {
    /// The position of the through among the owner's associations.
    pub(crate) through: usize,
    /// The position of the source among those of the model that the through leads to.
    pub(crate) source: usize,
    over: &'static Resolved,
    from: &'static Resolved,
}

impl Through {
    pub(super) fn find(owner: &'static ModelReflection, position: usize) -> Result<Self> {
        // Resolving one that comes back to itself would wait for itself.
        target_of(owner, position, &mut Vec::new())?;
        let steps = Steps::of(owner, position, &mut Vec::new())?;
        let over = owner.resolve(steps.through)?;
        let from = over.target.resolve(steps.source)?;
        // Which of the models behind a polymorphic source is named.
        let from = from.of_name(owner.reflections()[position].source_type())?;
        Ok(Self {
            through: steps.through,
            source: steps.source,
            over,
            from,
        })
    }

    /// The association of the owner. Rails: `through_reflection`.
    #[must_use]
    pub fn over(&self) -> &'static Resolved {
        self.over
    }

    /// The association of what that leads to. Rails: `source_reflection`.
    #[must_use]
    pub fn source(&self) -> &'static Resolved {
        self.from
    }

    /// The model between the two.
    pub(crate) fn middle(&self) -> &'static ModelReflection {
        self.over.target
    }

    /// Whether one of the two is a through itself. Rails: `nested?`.
    #[must_use]
    pub fn is_nested(&self) -> bool {
        self.over.through.is_some() || self.from.through.is_some()
    }
}

/// One hop of a route, and what narrows the table that it leads to.
#[derive(Debug, Clone)]
pub(crate) struct Hop {
    /// The association over a key that is hopped over.
    pub(crate) over: &'static Resolved,
    /// The associations whose targets stand here: this one, and the throughs that end with it.
    pub(crate) ends: Vec<&'static AssociationReflection>,
}

impl AssociationReflection {
    /// The association of the same model that it goes through.
    #[must_use]
    pub const fn with_through(mut self, through: &'static str) -> Self {
        self.through = Some(through);
        self
    }

    /// The association, of what the through leads to, that leads on to the target.
    #[must_use]
    pub const fn with_source(mut self, source: &'static str) -> Self {
        self.source = Some(source);
        self
    }

    /// The model behind a polymorphic source that is led to, by its stored name. Rails: `source_type`.
    #[must_use]
    pub const fn with_source_type(mut self, name: &'static str) -> Self {
        self.source_type = Some(name);
        self
    }

    /// Of the models behind a polymorphic source it leads to its own target. Rails: `source_type`.
    #[must_use]
    pub const fn with_source_model(mut self) -> Self {
        self.source_typed = true;
        self
    }

    /// The names of the models that a polymorphic association leads to, where only these will do.
    #[must_use]
    pub const fn with_models(mut self, names: &'static [&'static str]) -> Self {
        self.models = names;
        self
    }

    /// The stored name of the model behind a polymorphic source. Rails: `options[:source_type]`.
    #[must_use]
    pub fn source_type(&self) -> Option<&'static str> {
        match self.target {
            Target::Model(model) if self.source_typed => Some(model().polymorphic_name()),
            _ => self.source_type,
        }
    }

    /// Asks for each hop of the way by a statement of its own, and joins nothing. Rails: `disable_joins`.
    #[must_use]
    pub const fn with_disable_joins(mut self) -> Self {
        self.disable_joins = true;
        self
    }

    /// Whether each hop of the way is asked for by a statement of its own. Rails: `options[:disable_joins]`.
    #[must_use]
    pub fn is_joins_disabled(&self) -> bool {
        self.disable_joins
    }

    /// The association that it goes through, if it does. Rails: `options[:through]`.
    #[must_use]
    pub fn through(&self) -> Option<&'static str> {
        self.through
    }

    /// Whether it leads to the rows of a table between two models. Nobody is shown it.
    #[must_use]
    pub fn is_over_rows_between(&self) -> bool {
        self.hidden
    }

    /// The names that the source of a through may have. Rails: `source_reflection_names`.
    #[must_use]
    pub fn source_names(&self) -> Vec<String> {
        source_names(self)
    }
}

impl Resolved {
    pub(super) fn find_through(owner: &'static ModelReflection, position: usize) -> Result<Self> {
        let declaration = &owner.reflections()[position];
        let through = Through::find(owner, position)?;
        let (over, source) = (through.over(), through.source());
        let written = match declaration.target {
            Target::Model(model) => Some(model()),
            _ => None,
        };
        if let Some(written) = written.filter(|written| *written != source.target) {
            let message = format!(
                "`{}.{}` leads to {}, and its source {}.{} to {}: declare it with that type",
                owner.name(),
                declaration.name,
                written.name(),
                through.middle().name(),
                source.declaration().name,
                source.target.name()
            );
            return Err(problem(
                ErrorKind::Configuration,
                owner,
                declaration,
                message,
            ));
        }
        let keys = (
            over.owner_key.clone(),
            source.target_key.clone(),
            KeyReason::Through,
        );
        let types = (over.owner_type, None);
        let mut resolved = Self::over(owner, declaration, source.target, keys, types);
        resolved.through = Some(through);
        resolved.inverse_reason = InverseReason::Through;
        Ok(resolved)
    }

    /// The hops to the target, in the order of the way there; of an association over a key, itself.
    pub(crate) fn hops(&'static self) -> Vec<Hop> {
        let mut hops = match self.through {
            None => vec![Hop {
                over: self,
                ends: Vec::new(),
            }],
            Some(through) => {
                let mut hops = through.over.hops();
                hops.extend(through.from.hops());
                hops
            }
        };
        if let Some(last) = hops.last_mut() {
            last.ends.push(self.declaration());
        }
        hops
    }

    /// The columns of the owner that say which target it is: when they change, a target in memory is stale. None where
    /// others refer to the owner.
    pub(crate) fn own_key(&self) -> &[usize] {
        let mut first = self;
        while let Some(through) = &first.through {
            first = through.over;
        }
        if first.declaration().is_belongs_to() {
            &first.owner_columns
        } else {
            &[]
        }
    }

    /// Whether a row of the owner may meet several of the target's, or of those on the way.
    pub(crate) fn multiplies(&self) -> bool {
        match &self.through {
            None => self.declaration().is_collection(),
            Some(through) => through.over.multiplies() || through.from.multiplies(),
        }
    }

    /// The first association on the way whose scope differs by an owner that is another than this one's.
    pub(crate) fn scope_of_another(&self) -> Option<&'static Resolved> {
        let through = self.through?;
        let before = through.over.scope_of_another();
        before.or_else(|| through.from.scope_of_owner())
    }

    /// The first association, this one or one on the way, whose scope differs by the owner.
    pub(crate) fn scope_of_owner(&'static self) -> Option<&'static Resolved> {
        if self.declaration().scope().is_some_and(Scope::is_of_owner) {
            return Some(self);
        }
        let through = self.through?;
        let before = through.over.scope_of_owner();
        before.or_else(|| through.from.scope_of_owner())
    }

    /// That one query for this association has no owner for a scope on the way, which differs by it.
    pub(crate) fn has_no(&self, end: &Resolved) -> Error {
        let (model, name) = (self.owner.name(), self.declaration().name);
        let (other, over) = (end.owner.name(), end.declaration().name);
        let message = format!(
            "{model}.{name} goes through {other}.{over}, whose scope is instance dependent: it takes its {other}, and a \
             query that joins has none. Preload `{name}`, or declare the scope of `{over}` without the owner."
        );
        problem(ErrorKind::Argument, self.owner, self.declaration(), message)
    }

    /// Whether all tables that its targets are read from are as `is` says.
    pub(crate) fn all_tables(&self, is: &impl Fn(&'static str) -> bool) -> bool {
        match &self.through {
            None => is(self.target.table()),
            Some(through) => through.over.all_tables(is) && through.from.all_tables(is),
        }
    }

    /// The associations that the route is made of, from the target to the owner, each with the model that declares it.
    /// Rails: `chain`.
    #[must_use]
    pub fn chain(&'static self) -> Vec<(&'static ModelReflection, &'static AssociationReflection)> {
        let Some(through) = self.through else {
            return vec![(self.owner, self.declaration())];
        };
        // The source goes by the name of the through that ends with it, as in Rails.
        let mut chain = through.from.chain();
        if let Some(first) = chain.first_mut() {
            *first = (self.owner, self.declaration());
        }
        chain.extend(through.over.chain());
        chain
    }
}

/// The positions of a through's two associations, found by names alone, before anything is resolved.
struct Steps {
    through: usize,
    source: usize,
}

type Path = Vec<(&'static ModelReflection, usize)>;

impl Steps {
    fn of(owner: &'static ModelReflection, position: usize, path: &mut Path) -> Result<Self> {
        let declaration = &owner.reflections()[position];
        let name = declaration.through.unwrap_or_default();
        let named = |one: &AssociationReflection| one.name == name;
        let Some(through) = owner.reflections().iter().position(named) else {
            let message = format!(
                "Could not find the association :{name} in model {}",
                owner.name()
            );
            let kind = ErrorKind::HasManyThroughAssociationNotFound;
            return Err(problem(kind, owner, declaration, message));
        };
        // One that goes through itself, or through a later one, ends here and is told below.
        let order = || out_of_order(owner, declaration);
        if through == position {
            return Err(order());
        }
        let over = &owner.reflections()[through];
        if over.is_polymorphic() {
            let one = declaration.kind == Macro::HasOne;
            let message = format!(
                "Cannot have a {} :through association '{}#{}' which goes through the polymorphic association '{}#{name}'.",
                declaration.kind.name(),
                owner.name(),
                declaration.name,
                owner.name()
            );
            let kind = match one {
                true => ErrorKind::HasOneAssociationPolymorphicThrough,
                false => ErrorKind::HasManyThroughAssociationPolymorphicThrough,
            };
            return Err(problem(kind, owner, declaration, message));
        }
        let middle = target_of(owner, through, path)?;
        let source = source(owner, declaration, middle)?;
        check_type(owner, declaration, middle, &middle.reflections()[source])?;
        if declaration.kind == Macro::HasOne && over.is_collection() {
            let message = format!(
                "Cannot have a has_one :through association '{}#{}' where the :through association '{}#{name}' is a \
                 collection. Specify a has_one or belongs_to association in the :through option instead.",
                owner.name(),
                declaration.name,
                owner.name()
            );
            let kind = ErrorKind::HasOneThroughCantAssociateThroughCollection;
            return Err(problem(kind, owner, declaration, message));
        }
        if through > position && !over.hidden {
            return Err(order());
        }
        Ok(Self { through, source })
    }
}

/// A polymorphic source wants a type, and no other has one.
fn check_type(
    owner: &ModelReflection,
    declaration: &AssociationReflection,
    middle: &ModelReflection,
    source: &AssociationReflection,
) -> Result<()> {
    let (model, name) = (owner.name(), declaration.name);
    match (source.is_polymorphic(), declaration.source_type()) {
        (true, None) => {
            let class = relata_inflect::camelize(source.name);
            let wanted = relata_inflect::camelize(&relata_inflect::singularize(name));
            let message = format!(
                "Cannot have a has_many :through association '{model}#{name}' on the polymorphic object '{class}#{}' \
                 without 'source_type'. Try adding 'source_type: \"{wanted}\"' to 'has_many :through' definition.",
                source.name
            );
            let kind = ErrorKind::HasManyThroughAssociationPolymorphicSource;
            Err(problem(kind, owner, declaration, message))
        }
        (false, Some(_)) => {
            let message = format!(
                "Cannot have a has_many :through association '{model}#{name}' with a :source_type option if the '{}#{}' is \
                 not polymorphic. Try removing :source_type on your association.",
                middle.name(),
                source.name
            );
            let kind = ErrorKind::HasManyThroughAssociationPointlessSourceType;
            Err(problem(kind, owner, declaration, message))
        }
        _ => Ok(()),
    }
}

fn out_of_order(owner: &ModelReflection, declaration: &AssociationReflection) -> Error {
    let (model, name) = (owner.name(), declaration.name);
    let through = declaration.through.unwrap_or_default();
    let message = format!(
        "Cannot have a {} :through association '{model}#{name}' which goes through '{model}#{through}' before the \
         through association is defined.",
        declaration.kind.name(),
    );
    problem(ErrorKind::HasManyThroughOrder, owner, declaration, message)
}

/// The model that an association leads to, found without resolving it.
fn target_of(
    owner: &'static ModelReflection,
    position: usize,
    path: &mut Path,
) -> Result<&'static ModelReflection> {
    let declaration = &owner.reflections()[position];
    if declaration.through.is_none() {
        return super::resolve::target(owner, declaration);
    }
    if path.contains(&(owner, position)) {
        let message = format!(
            "{}#{} goes through itself: its source leads back to it",
            owner.name(),
            declaration.name
        );
        return Err(problem(
            ErrorKind::Configuration,
            owner,
            declaration,
            message,
        ));
    }
    path.push((owner, position));
    let steps = Steps::of(owner, position, path)?;
    let middle = target_of(owner, steps.through, path)?;
    let target = match (
        &middle.reflections()[steps.source],
        declaration.source_type(),
    ) {
        (source, Some(name)) if source.is_polymorphic() => {
            let resolved = middle.resolve(steps.source)?.of_name(Some(name))?;
            if resolved.is_nowhere() {
                return Err(resolved.unknown_class(name));
            }
            resolved.target
        }
        _ => target_of(middle, steps.source, path)?,
    };
    path.pop();
    Ok(target)
}

/// The position of the source: the one that was written, or the one that is named as the through, in the singular or as it
/// is. Rails: `source_reflection_name`.
fn source(
    owner: &ModelReflection,
    declaration: &AssociationReflection,
    middle: &'static ModelReflection,
) -> Result<usize> {
    let name = declaration.name;
    let names = source_names(declaration);
    let position = |name: &String| {
        let all = middle.reflections();
        all.iter().position(|one| one.name == *name && !one.hidden)
    };
    let found: Vec<usize> = names.iter().filter_map(position).collect();
    let (model, through) = (owner.name(), declaration.through.unwrap_or_default());
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let tried = names.iter().enumerate().map(|(at, name)| {
                // The first name is a string in Rails and the second a symbol.
                if at == 0 && names.len() > 1 {
                    format!("\"{name}\"")
                } else {
                    format!(":{name}")
                }
            });
            let tried = tried.collect::<Vec<_>>().join(" or ");
            let all: Vec<&str> = middle.visible().map(|one| one.name).collect();
            let all = match all.split_last() {
                None => String::new(),
                Some((only, [])) => (*only).to_owned(),
                Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
            };
            let message = format!(
                "Could not find the source association(s) {tried} in model {}. Try 'has_many :{name}, :through => \
                 :{through}, :source => <name>'. Is it one of {all}?",
                middle.name(),
            );
            let kind = ErrorKind::HasManyThroughSourceAssociationNotFound;
            Err(problem(kind, owner, declaration, message))
        }
        _ => {
            let message = format!(
                "Ambiguous source reflection for through association. Please specify a :source directive on your \
                 declaration like: class {model} < ActiveRecord::Base; {} :{name}, through: :{through}, source: :{}; end",
                declaration.kind.name(),
                names.join(" or source: :"),
            );
            let kind = ErrorKind::AmbiguousSourceReflectionForThroughAssociation;
            Err(problem(kind, owner, declaration, message))
        }
    }
}

/// The names that a through's source may have. Rails: `source_reflection_names`.
pub(super) fn source_names(declaration: &AssociationReflection) -> Vec<String> {
    if let Some(source) = declaration.source {
        return vec![source.to_owned()];
    }
    let mut names = vec![
        relata_inflect::singularize(declaration.name),
        declaration.name.to_owned(),
    ];
    names.dedup();
    names
}
