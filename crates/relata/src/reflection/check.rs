//! The check of a whole graph of models: every mistake of every declaration, before the first record is read.
//!
//! Invariant: what is wrong with keys and inverses is what resolving says; here is only looked for what resolving does not
//! ask: the columns that options name, and the classes of a table.

use std::collections::HashSet;
use std::fmt;

use super::{Classes, ModelReflection, Reflected, Resolved, Target, Touch};
use crate::attribute::Label;
use crate::error::{Error, ErrorKind, Result};

/// What is wrong with the declarations of some models: one mistake or more. The source of the error of [`check_models`].
#[derive(Debug, Clone)]
pub struct Mistakes(Vec<Error>);

impl Mistakes {
    /// The mistakes, in the order of models and declarations. Each names its model and association.
    #[must_use]
    pub fn errors(&self) -> &[Error] {
        &self.0
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("1 mistake in a declaration:")?,
            number => write!(f, "{number} mistakes in declarations:")?,
        }
        for mistake in &self.0 {
            let model = mistake.model().unwrap_or("?");
            match mistake.attribute() {
                Some(name) => write!(f, "\n  {model}.{name}: {mistake}")?,
                None => write!(f, "\n  {model}: {mistake}")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// Works out the associations of models, of their subclasses, and of all that these lead to, and gives every mistake at
/// once. For the start of a program and for a test: a mistake of a model made at run time shows otherwise when its
/// association is first used. Never touches the database; [`Db::check_tables`](crate::Db::check_tables) gives the same
/// mistakes, and compares with the tables.
/// Rails: `check_validity!` of each association.
///
/// ```
/// # use relata::prelude::*;
/// # #[model] struct Person { id: i64, #[has_many] posts: Post }
/// # #[model] struct Post { id: i64, person_id: i64, #[belongs_to] person: Person }
/// relata::reflection::check_models([Post::reflection()])?;
/// # Ok::<(), relata::Error>(())
/// ```
///
/// # Errors
/// `Configuration` with all mistakes, whose source is [`Mistakes`]: a target, a key or an inverse that is not there, keys
/// that do not fit, a counter's or a touch's column that the other side does not have, `as` of a model that the other side
/// does not lead to, a default of an enum that is none of its labels, a through without its way or source, or before its
/// way; classes of one table whose columns or associations are not those of their parent, whose parents lead in a circle,
/// or that no column tells apart.
pub fn check_models(models: impl IntoIterator<Item = &'static ModelReflection>) -> Result<()> {
    let found = mistakes(models.into_iter().collect());
    let mistakes: Vec<Error> = found.into_iter().map(|(_, mistake)| mistake).collect();
    match mistakes.is_empty() {
        true => Ok(()),
        false => {
            let mistakes = Mistakes(mistakes);
            Err(Error::new(ErrorKind::Configuration, mistakes.to_string()).with_source(mistakes))
        }
    }
}

/// Every mistake of models and of all that these lead to, with the model that declares it.
pub(crate) fn mistakes(
    mut models: Vec<&'static ModelReflection>,
) -> Vec<(&'static ModelReflection, Error)> {
    let mut known = HashSet::new();
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(&model) = models.get(at) {
        at += 1;
        if !known.insert(std::ptr::from_ref(model)) {
            continue;
        }
        let mut mistakes: Vec<Error> = wrong_defaults(model).collect();
        mistakes.extend(wrong_class(model));
        models.extend(model.descendants());
        for association in model.reflect_on_all_associations(None) {
            models.extend(association.target.model());
            let each = match association.resolve() {
                Ok(resolved) => resolved.of_each_class(),
                Err(mistake) => vec![Err(mistake)],
            };
            for resolved in each {
                match resolved {
                    Ok(resolved) => {
                        models.push(resolved.target);
                        mistakes.extend(columns_of_options(&association, resolved));
                        mistakes.extend(not_led_back_to(&association, resolved));
                    }
                    Err(mistake) => mistakes.push(mistake),
                }
            }
        }
        all.extend(mistakes.into_iter().map(|mistake| (model, mistake)));
    }
    all
}

/// What is wrong with a model as one of several classes of a table.
fn wrong_class(model: &'static ModelReflection) -> Vec<Error> {
    let wrong =
        |message: String| Error::new(ErrorKind::Configuration, message).with_model(model.name());
    if model.is_in_a_circle() {
        let message = format!(
            "the classes that {} inherits from lead back to one of them: one of them must have no parent",
            model.name()
        );
        return vec![wrong(message)];
    }
    let mut found = Vec::new();
    if let Some(inheritance) = model.inheritance
        && let Err(missing) = model.attribute(inheritance.column)
    {
        let message = format!("inheritance_column: {missing}");
        found.push(Error::new(ErrorKind::UnknownAttribute, message).with_model(model.name()));
    }
    let Some(parent) = model.parent() else {
        return found;
    };
    let base = model.base();
    found.extend(base.other_columns(model));
    if base.inheritance.is_none() {
        found.push(wrong(format!(
            "{} inherits from {}, which has no column that says of which class a row is",
            model.name(),
            base.name()
        )));
    }
    let own = model.reflections().iter().map(|one| one.name());
    let differs = |(inherited, own): &(&super::AssociationReflection, Option<&str>)| {
        *own != Some(inherited.name())
    };
    let mut each = parent
        .reflections()
        .iter()
        .zip(own.map(Some).chain(std::iter::repeat(None)));
    if let Some((inherited, _)) = each.find(differs) {
        let message = format!(
            "{} is to begin with the associations of {}, of which it is a subclass, and `{}` is not at its place",
            model.name(),
            parent.name(),
            inherited.name()
        );
        found.push(wrong(message).with_attribute(inherited.name()));
    }
    found
}

/// The defaults of enums that are none of their labels.
pub(crate) fn wrong_defaults(model: &'static ModelReflection) -> impl Iterator<Item = Error> {
    model.columns().iter().filter_map(|column| {
        let (ty, default) = (column.attribute_type(), column.default_value()?);
        if ty.labels().is_empty() || ty.held(&default).is_some() {
            return None;
        }
        let known: Vec<&str> = ty.labels().iter().map(Label::name).collect();
        let message = format!(
            "the default {default:?} of {}.{} is none of its labels: {}",
            model.name(),
            column.name(),
            known.join(", ")
        );
        let error = Error::new(ErrorKind::Configuration, message);
        Some(error.with_model(model.name()).with_attribute(column.name()))
    })
}

/// What an association with `as` misses: that what it names leads to its owner.
fn not_led_back_to(association: &Reflected, resolved: &Resolved) -> Option<Error> {
    let (owner, name) = (association.model(), association.name());
    let (interface, target) = (association.interface()?, resolved.target);
    let back = target.reflect_on_association(interface)?;
    let Target::AnyOf(classes) = back.target else {
        return None;
    };
    let fix = match classes {
        Classes::Closed(_) if classes.member(owner).is_none() => "give its enum a variant for it",
        Classes::Open(_) if classes.named(owner.polymorphic_name()).is_none() => {
            "register it, `relata::register`"
        }
        _ => return None,
    };
    let message = format!(
        "`as = {interface}` says that {}.{interface} leads to {}, and it does not know that model: {fix}",
        target.name(),
        owner.name(),
    );
    let error = Error::new(ErrorKind::Configuration, message);
    Some(error.with_model(owner.name()).with_attribute(name))
}

/// The columns of the target that options name and that are not there.
fn columns_of_options(association: &Reflected, resolved: &Resolved) -> impl Iterator<Item = Error> {
    let counter = association
        .counter_cache()
        .filter(|_| association.is_belongs_to());
    let touch = match association.touch {
        Some(Touch::Column(column)) => Some(column),
        _ => None,
    };
    let (owner, name, target) = (association.model(), association.name(), resolved.target);
    let named = [("counter_cache", counter), ("touch", touch)];
    named.into_iter().filter_map(move |(option, column)| {
        let missing = target.attribute(column?).err()?;
        let message = format!("{option}: {missing}");
        let error = Error::new(ErrorKind::UnknownAttribute, message);
        Some(error.with_model(owner.name()).with_attribute(name))
    })
}
