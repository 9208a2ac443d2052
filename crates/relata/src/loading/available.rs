//! Records at hand in place of rows that a preload would ask for.
//!
//! Invariant: a record is taken only where the query for its row would find it by nothing but its key: of a singular
//! association without a scope that goes through no other.

use std::collections::HashMap;

use super::includes::Manner;
use crate::association::{Association, Key, resolved_for};
use crate::error::Result;
use crate::hashing::Hashing;
use crate::record::{Linked, Record};
use crate::reflection::{ModelReflection, Resolved};

/// Available records of one model by the key that owners refer to.
struct Known<'a> {
    resolved: &'static Resolved,
    by_key: HashMap<Key, &'a Record, Hashing>,
}

/// Tells owners that do not know their target the available record that it is.
pub(super) fn take(owners: &[Record], position: usize, manner: Manner<'_>) -> Result<()> {
    let mut known: Vec<Known<'_>> = Vec::new();
    for owner in owners {
        let resolved = resolved_for(owner, position)?;
        if manner.narrow.is_some() || !is_by_key_alone(resolved) || resolved.is_nowhere() {
            continue;
        }
        let association = Association::at(owner, position)?;
        if owner.is_told(position) && association.is_loaded() {
            continue;
        }
        let at = known
            .iter()
            .position(|one| std::ptr::eq(one.resolved, resolved));
        let at = at.unwrap_or_else(|| {
            known.push(Known::new(resolved, manner.available));
            known.len() - 1
        });
        let target = known.get(at).and_then(|one| one.target_of(owner));
        if let Some(target) = target
            && association.take_found(Some(target), association.owner_values())
        {
            lead_back(&association, target);
        }
    }
    Ok(())
}

/// The first owner of a key is what its target leads back to.
fn lead_back(association: &Association, target: &Record) {
    if association.is_belongs_to() {
        association.link_back(target);
        return;
    }
    let leads_already = association.inverse().is_some_and(|inverse| {
        let back = Association::at(target, inverse);
        back.is_ok_and(|back| matches!(back.peek_one(), Linked::Known(Some(_))))
    });
    if !leads_already {
        association.own(target);
    }
}

fn is_by_key_alone(resolved: &Resolved) -> bool {
    let declaration = resolved.declaration();
    !declaration.is_collection() && declaration.scope().is_none() && resolved.through.is_none()
}

impl<'a> Known<'a> {
    fn new(resolved: &'static Resolved, available: &'a [Record]) -> Self {
        let is_one =
            |record: &&Record| is_of(record.reflection(), resolved) && !record.is_new_record();
        let typed = |record: &&Record| {
            resolved
                .target_type
                .is_none_or(|ty| record.value(ty.column).as_str() == ty.name)
        };
        let mut by_key = HashMap::default();
        for record in available.iter().filter(is_one).filter(typed) {
            if let Some(key) = Key::of(record, &resolved.target_key) {
                by_key.entry(key).or_insert(record);
            }
        }
        Self { resolved, by_key }
    }

    fn target_of(&self, owner: &Record) -> Option<&'a Record> {
        let key = Key::of(owner, &self.resolved.owner_key)?;
        self.by_key.get(&key).copied()
    }
}

fn is_of(model: &'static ModelReflection, resolved: &Resolved) -> bool {
    model.is_a(resolved.target)
}
