//! Polymorphic associations, worked out: which model a `belongs_to` leads to depends on its owner's type column.
//!
//! What is known without an owner leads nowhere; what follows for a model is worked out when an owner first leads there,
//! and kept. What lies below therefore knows of one target only.
//!
//! Invariant: for every model there is one [`Resolved`] a declaration, so that owners can be told apart by its address.

use std::sync::{PoisonError, RwLock};

use super::inverse::inverse;
use super::resolve::{foreign_key, keys, positions, problem, type_column};
use super::{
    AssociationReflection, Classes, InverseReason, Macro, ModelReflection, Resolved, Target,
    TypeColumn,
};
use crate::error::{Error, ErrorKind, Result};

/// What stands where no model is known: it has no table, no columns and no records.
static NOBODY: ModelReflection = ModelReflection::new("nil", "");

/// What a polymorphic `belongs_to` leads to, by the model.
#[derive(Debug)]
pub(super) struct ByClass {
    owner: &'static ModelReflection,
    position: usize,
    classes: Classes,
    /// By what the type column holds.
    known: RwLock<Vec<(&'static str, Result<&'static Resolved>)>>,
}

impl Resolved {
    /// A polymorphic `belongs_to`, as far as it is known without an owner.
    pub(super) fn polymorphic(owner: &'static ModelReflection, position: usize) -> Result<Self> {
        let declaration = &owner.reflections()[position];
        let Target::AnyOf(classes) = declaration.target else {
            return Err(problem(
                ErrorKind::Configuration,
                owner,
                declaration,
                format!("`{}.{}` is not polymorphic", owner.name(), declaration.name),
            ));
        };
        let (names, reason) = foreign_key(owner, declaration, &NOBODY)?;
        let key = positions(owner, declaration, owner, &names)?;
        let ty = TypeColumn {
            column: type_column(owner, declaration, owner)?,
            name: None,
        };
        let keys = (key, Box::default(), reason);
        let mut resolved = Self::over(owner, declaration, &NOBODY, keys, (Some(ty), None));
        resolved.by_class = Some(ByClass {
            owner,
            position,
            classes,
            known: RwLock::default(),
        });
        Ok(resolved)
    }

    /// Whether it leads to no model, for the owner's type column is null or its model is not known.
    #[must_use]
    pub fn is_nowhere(&self) -> bool {
        *self.target == NOBODY
    }

    /// The association as it is for owners whose type column holds this. Nothing, and a name that no model has, lead
    /// nowhere.
    pub(crate) fn of_name(&'static self, name: Option<&str>) -> Result<&'static Self> {
        let (Some(by_class), Some(name)) = (&self.by_class, name.filter(|name| !name.is_empty()))
        else {
            return Ok(self);
        };
        if let Some(known) = by_class.known(name) {
            return known;
        }
        match by_class.classes.named(name) {
            Some(model) => by_class.resolve(model, name == model.polymorphic_name()),
            None => Ok(self),
        }
    }

    /// The association as it is for owners that are to lead to records of a model.
    ///
    /// # Errors
    /// `AssociationTypeMismatch` for a model that is not among those that it can lead to.
    pub(crate) fn of_class(
        &'static self,
        model: &'static ModelReflection,
    ) -> Result<&'static Self> {
        let Some(by_class) = &self.by_class else {
            return Ok(self);
        };
        if by_class.classes.member(model).is_none() {
            let among = by_class.classes.models().into_iter();
            let among: Vec<&str> = among.map(ModelReflection::name).collect();
            let message = format!(
                "{} expected for {}.{}, got a record of {}",
                among.join(" or "),
                by_class.owner.name(),
                self.declaration().name,
                model.name()
            );
            return Err(self.problem(by_class, ErrorKind::AssociationTypeMismatch, message));
        }
        if let Some(known) = by_class.known(model.polymorphic_name()) {
            return known;
        }
        by_class.resolve(model.base(), true)
    }

    /// The association as it is for each model that it can lead to; one that leads to one model, itself.
    pub(crate) fn of_each_class(&'static self) -> Vec<Result<&'static Self>> {
        match &self.by_class {
            Some(by_class) => {
                let open = matches!(by_class.classes, Classes::Open(_));
                let each = by_class.classes.models().into_iter().filter_map(|model| {
                    let resolved = self.of_class(model);
                    // Whoever was registered for another association need not fit this one.
                    let concerns = !open || self.is_led_to_by(by_class, model);
                    (resolved.is_ok() || concerns).then_some(resolved)
                });
                each.collect()
            }
            None => vec![Ok(self)],
        }
    }

    /// What is wrong with a name in the type column that no model has.
    pub(crate) fn unknown_class(&self, name: &str) -> Error {
        let message = format!("uninitialized constant {name}");
        match &self.by_class {
            Some(by_class) => {
                let fix = match by_class.classes {
                    Classes::Open(_) => "register the model that has it, `relata::register`".into(),
                    Classes::Closed(_) => {
                        let known = by_class.classes.models().into_iter();
                        let known: Vec<&str> = known.map(ModelReflection::name).collect();
                        format!(
                            "it leads to {}; give its enum a variant",
                            known.join(" or ")
                        )
                    }
                };
                let (owner, declaration) = (by_class.owner.name(), self.declaration().name);
                let message = format!(
                    "{message}: the type column of {owner}.{declaration} names no model that it leads to. If the name \
                     is right, {fix}"
                );
                self.problem(by_class, ErrorKind::UnknownModel, message)
            }
            None => Error::new(ErrorKind::UnknownModel, message),
        }
    }

    /// Whether a model has an association that names this one as its interface.
    fn is_led_to_by(&self, by_class: &ByClass, model: &ModelReflection) -> bool {
        model.reflections().iter().any(|one| {
            one.interface == Some(self.declaration().name)
                && one
                    .target
                    .model()
                    .is_ok_and(|target| target == by_class.owner)
        })
    }

    fn problem(&self, by_class: &ByClass, kind: ErrorKind, message: String) -> Error {
        problem(kind, by_class.owner, self.declaration(), message)
    }
}

impl ByClass {
    fn known(&self, name: &str) -> Option<Result<&'static Resolved>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|(stored, _)| *stored == name);
        found.map(|(_, resolved)| resolved.clone())
    }

    fn resolve(
        &self,
        model: &'static ModelReflection,
        conventional: bool,
    ) -> Result<&'static Resolved> {
        let name = match conventional {
            true => model.polymorphic_name(),
            false => model.stored_name(),
        };
        let resolved = self.work_out(model, name);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have worked it out meanwhile: the first stays.
        if let Some((_, first)) = known.iter().find(|(stored, _)| *stored == name) {
            return first.clone();
        }
        let resolved = resolved.map(|resolved| &*Box::leak(Box::new(resolved)));
        known.push((name, resolved.clone()));
        resolved
    }

    fn work_out(&self, model: &'static ModelReflection, name: &'static str) -> Result<Resolved> {
        let declaration = &self.owner.reflections()[self.position];
        let keys = keys(self.owner, declaration, model)?;
        let ty = TypeColumn {
            column: type_column(self.owner, declaration, self.owner)?,
            name: Some(name),
        };
        let mut resolved = Resolved::over(self.owner, declaration, model, keys, (Some(ty), None));
        (resolved.inverse, resolved.inverse_reason) =
            inverse(self.owner, self.position, &resolved)?;
        Ok(resolved)
    }
}

/// The polymorphic `belongs_to` of the target that an association with `as` names, if it is over the same columns.
pub(super) fn inverse_of_interface(
    owner: &'static ModelReflection,
    interface: &str,
    resolved: &Resolved,
) -> (Option<usize>, InverseReason) {
    let target = resolved.target;
    let Some(at) = target
        .reflections()
        .iter()
        .position(|one| one.name == interface)
    else {
        return (None, InverseReason::NotFound);
    };
    let back: &AssociationReflection = &target.reflections()[at];
    let leads_back = back.kind == Macro::BelongsTo
        && back.inverse_of != super::InverseOf::Off
        && back.is_polymorphic()
        && back.leads_to(owner);
    if !leads_back {
        return (None, InverseReason::NotFound);
    }
    if back.scope.is_some() {
        return (None, InverseReason::Scoped);
    }
    let over = foreign_key(target, back, owner)
        .and_then(|(names, _)| positions(target, back, target, &names))
        .and_then(|key| Ok((key, type_column(target, back, target)?)));
    let same = over.is_ok_and(|(key, ty)| {
        key == resolved.target_key && resolved.target_type.is_some_and(|own| own.column == ty)
    });
    match same {
        true => (Some(at), InverseReason::SameKey),
        false => (None, InverseReason::NotFound),
    }
}
