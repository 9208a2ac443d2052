//! The association that leads back, and why it is that one, or why there is none.
//!
//! When it was not written: the association between the same two models over the same key columns, if one can be told
//! on the other side.
//!
//! Invariant: only keys are asked of the other side, never its inverse, which may be what is being worked out.

use super::resolve::{keys, problem};
use super::{InverseOf, Macro, ModelReflection, Resolved};
use crate::error::{ErrorKind, Result};

/// Where the inverse of an association comes from, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InverseReason {
    /// `inverse_of` was written.
    Written,
    /// `inverse_of = none` was written.
    Off,
    /// It is the association back over the same key: the only one, or the one named after the owner.
    SameKey,
    /// No association leads back over the same key.
    NotFound,
    /// Several associations lead back over the same key.
    Ambiguous,
    /// What leads back has a scope, so its target need not be this owner.
    Scoped,
    /// A collection leads back, which is the inverse only where that is written.
    Collection,
    /// The association goes through others: what it leads to belongs to those.
    Through,
}

pub(super) fn inverse(
    owner: &'static ModelReflection,
    position: usize,
    resolved: &Resolved,
) -> Result<(Option<usize>, InverseReason)> {
    let declaration = resolved.declaration();
    let target = resolved.target;
    match declaration.inverse_of {
        InverseOf::Off => return Ok((None, InverseReason::Off)),
        InverseOf::Named(name) => {
            let found = target
                .reflections()
                .iter()
                .position(|association| association.name == name);
            let Some(found) = found else {
                let nearest =
                    relata_inflect::nearest(name, target.reflections().iter().map(|a| a.name));
                let hint = nearest
                    .map(|near| format!("; did you mean {near}?"))
                    .unwrap_or_default();
                let message = format!(
                    "Could not find the inverse association for {} (:{name} in {}){hint}",
                    declaration.name,
                    target.name()
                );
                return Err(problem(
                    ErrorKind::InverseOfAssociationNotFound,
                    owner,
                    declaration,
                    message,
                ));
            };
            if target == owner && found == position {
                let message = format!(
                    "Inverse association {} (:{name} in {}) is recursive.",
                    declaration.name,
                    target.name()
                );
                return Err(problem(
                    ErrorKind::InverseOfAssociationRecursive,
                    owner,
                    declaration,
                    message,
                ));
            }
            return Ok((Some(found), InverseReason::Written));
        }
        InverseOf::Automatic => {}
    }
    Ok(automatic_inverse(owner, position, resolved))
}

/// The association that leads back over the same key. A scoped one does not: its target need not be the owner. Of
/// several it is the one that is named after the owner. A `belongs_to` is not the inverse of a collection unless that
/// is written, for setting it would then change what the collection holds in memory.
fn automatic_inverse(
    owner: &'static ModelReflection,
    position: usize,
    resolved: &Resolved,
) -> (Option<usize>, InverseReason) {
    let target = resolved.target;
    let belongs_to = resolved.declaration().kind == Macro::BelongsTo;
    if belongs_to && resolved.declaration().scope.is_some() {
        return (None, InverseReason::Scoped);
    }
    if let Some(interface) = resolved.declaration().interface {
        return super::polymorphic::inverse_of_interface(owner, interface, resolved);
    }
    if resolved.declaration().is_polymorphic() {
        return (None, InverseReason::NotFound);
    }
    let mut found = Vec::new();
    let mut scoped = false;
    for (at, candidate) in target.reflections().iter().enumerate() {
        let back = candidate.kind == Macro::BelongsTo;
        if (target == owner && at == position)
            || back == belongs_to
            || candidate.inverse_of == InverseOf::Off
            || candidate.interface.is_some()
            || candidate.through.is_some()
        {
            continue;
        }
        if !candidate
            .target
            .model()
            .is_ok_and(|model| owner.is_a(model))
        {
            continue;
        }
        // Its own inverse may be what is being worked out: only its keys are asked for.
        let Ok((candidate_owner, candidate_target, _)) = keys(target, candidate, owner) else {
            continue;
        };
        if candidate_owner != resolved.target_key || candidate_target != resolved.owner_key {
            continue;
        }
        if candidate.scope.is_some() {
            scoped = true;
        } else {
            found.push(at);
        }
    }
    let name = relata_inflect::underscore(relata_inflect::demodulize(owner.name()));
    let named = |at: &&usize| target.reflections()[**at].name == name;
    let at = match found.as_slice() {
        [] if scoped => return (None, InverseReason::Scoped),
        [] => return (None, InverseReason::NotFound),
        [only] => *only,
        several => match several.iter().find(named) {
            Some(&at) => at,
            None => return (None, InverseReason::Ambiguous),
        },
    };
    if target.reflections()[at].is_collection() {
        return (None, InverseReason::Collection);
    }
    (Some(at), InverseReason::SameKey)
}
