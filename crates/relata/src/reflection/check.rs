//! The check of a whole graph of models: every mistake of every association, before the first record is read.
//!
//! Invariant: what is wrong with keys and inverses is what resolving says; here is only looked for the columns that options
//! name.

use std::collections::HashSet;
use std::fmt;

use super::{Classes, ModelReflection, Reflected, Resolved, Target, Touch};
use crate::attribute::Label;
use crate::error::{Error, ErrorKind, Result};

/// What is wrong with the associations of some models: one mistake or more. The source of the error of [`check_models`].
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
            1 => f.write_str("1 mistake in the declaration of an association:")?,
            number => write!(f, "{number} mistakes in the declarations of associations:")?,
        }
        for mistake in &self.0 {
            let model = mistake.model().unwrap_or("?");
            let name = mistake.attribute().unwrap_or("?");
            write!(f, "\n  {model}.{name}: {mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// Works out the associations of models, and of all that these lead to, and gives every mistake at once. For the start of
/// a program and for a test: a mistake of a model made at run time shows otherwise when its association is first used.
/// Never touches the database; [`Db::check_tables`](crate::Db::check_tables) compares with the tables.
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
/// does not lead to, a default of an enum that is none of its labels.
pub fn check_models(models: impl IntoIterator<Item = &'static ModelReflection>) -> Result<()> {
    let mut models: Vec<_> = models.into_iter().collect();
    let mut known = HashSet::new();
    let mut mistakes = Vec::new();
    let mut at = 0;
    while let Some(&model) = models.get(at) {
        at += 1;
        if !known.insert(std::ptr::from_ref(model)) {
            continue;
        }
        mistakes.extend(wrong_defaults(model));
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
    }
    match mistakes.is_empty() {
        true => Ok(()),
        false => {
            let mistakes = Mistakes(mistakes);
            Err(Error::new(ErrorKind::Configuration, mistakes.to_string()).with_source(mistakes))
        }
    }
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
