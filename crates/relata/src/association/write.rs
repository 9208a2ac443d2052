//! What linking two records means: their keys, and the other side's memory. All in memory; saving is not here.
//!
//! Invariant: after a link the key columns agree with the target as far as it has a key, and both sides lead to
//! the same objects.

use super::Association;
use crate::attribute::value::Value;
use crate::error::{Error, Result};
use crate::record::{Linked, Record};

impl Association {
    /// Makes `target` the target of a `belongs_to`: the owner's key takes the target's. Never saves.
    pub(crate) fn assign(&self, target: Option<&Record>) -> Result<()> {
        if let Some(target) = target {
            self.check_target(target)?;
        }
        self.copy_key_from(target)?;
        self.link(target);
        if let Some(target) = target {
            self.link_back(target);
        }
        Ok(())
    }

    /// Copies the target's key into the owner's columns.
    pub(crate) fn copy_key_from(&self, target: Option<&Record>) -> Result<()> {
        for (&mine, &theirs) in self
            .resolved
            .owner_key
            .iter()
            .zip(&self.resolved.target_key)
        {
            let value = target.map_or(Value::Null, |target| target.value(theirs).into_owned());
            self.owner.set_value(mine, value)?;
        }
        Ok(())
    }

    /// Copies the owner's key into a target's columns.
    pub(crate) fn give_key_to(&self, target: &Record) -> Result<()> {
        for (&mine, &theirs) in self
            .resolved
            .owner_key
            .iter()
            .zip(&self.resolved.target_key)
        {
            target.set_value(theirs, self.owner.value(mine).into_owned())?;
        }
        Ok(())
    }

    /// Remembers the target of a singular association.
    pub(crate) fn link(&self, target: Option<&Record>) {
        let key: &[usize] = if self.is_belongs_to() {
            &self.resolved.owner_key
        } else {
            &[]
        };
        self.owner.link_one(self.position, target, key, self.tie());
    }

    /// Tells a target of a `belongs_to` whose inverse is a `has_one` that it leads back here.
    pub(crate) fn link_back(&self, target: &Record) {
        if let Some(inverse) = self.inverse_of(target)
            && inverse.reflection().is_has_one()
        {
            inverse.link(Some(&self.owner));
        }
    }

    /// Tells a member of a collection, or a `has_one`, that it belongs to this owner.
    pub(crate) fn own(&self, member: &Record) {
        if let Some(inverse) = self.inverse_of(member) {
            inverse.link(Some(&self.owner));
        }
    }

    /// The inverse, on a target.
    pub(crate) fn inverse_of(&self, target: &Record) -> Option<Association> {
        Association::at(target, self.inverse()?).ok()
    }

    /// Adds a record to a collection in memory: its key and its way back are set. Its place is at the end.
    pub(crate) fn add(&self, member: &Record) -> Result<()> {
        self.check_target(member)?;
        self.give_key_to(member)?;
        self.own(member);
        self.owner.link_member(self.position, member);
        Ok(())
    }

    /// A new target, linked, with the values that the scope's equalities give. In memory only.
    pub(crate) fn build_target(&self) -> Result<Record> {
        let target = self
            .owner
            .blank_beside(self.resolved.target)
            .with_defaults();
        let relation = self.relation();
        let select = relation.select();
        for (column, value) in select
            .filters
            .iter()
            .filter_map(|filter| filter.equality(select.root))
        {
            target.set_value(column, value.clone())?;
        }
        Ok(target)
    }

    /// The target of a singular association that was set and is not saved yet.
    pub(crate) fn unsaved_target(&self) -> Option<Record> {
        match self.peek_one() {
            Linked::Known(Some(target)) if target.is_new_record() => Some(target),
            _ => None,
        }
    }

    /// The members of a collection, or the target of a `has_one`, that are not saved yet.
    pub(crate) fn new_members(&self) -> Vec<Record> {
        let mut members = if self.reflection().is_collection() {
            self.peek_many().records
        } else {
            self.unsaved_target().into_iter().collect()
        };
        members.retain(Record::is_new_record);
        members
    }
}

/// Every association of a record, resolved; what is wrong with the first that cannot be.
pub(crate) fn all(record: &Record) -> impl Iterator<Item = Result<Association, Error>> + '_ {
    (0..record.reflection().reflections().len()).map(|position| Association::at(record, position))
}

impl Association {
    /// Whether the owner's key columns hold this target's key.
    pub(crate) fn is_key_of(&self, target: &Record) -> bool {
        let resolved = self.resolved;
        resolved
            .owner_key
            .iter()
            .zip(&resolved.target_key)
            .all(|(&mine, &theirs)| self.owner.value(mine) == target.value(theirs))
    }
}
