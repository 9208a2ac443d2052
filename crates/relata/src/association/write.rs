//! What linking two records means: their keys, and the other side's memory. All in memory; saving is not here.
//!
//! Invariant: after a link the key columns agree with the target as far as it has a key, and both sides lead to
//! the same objects.

use std::collections::HashSet;

use super::Association;
use super::change::Same;
use super::scope::targets;
use crate::attribute::value::Value;
use crate::callback::MemberEvent;
use crate::error::{Error, ErrorKind, Result};
use crate::hashing::Hashing;
use crate::record::{Linked, Record};
use crate::reflection::{ModelReflection, TypeColumn};

impl Association {
    /// Makes `target` the target of a `belongs_to`: the owner's key takes the target's. Never saves.
    pub(crate) fn assign(&self, target: Option<&Record>) -> Result<()> {
        if let Some(target) = target {
            self.check_target(target)?;
        }
        let towards = self.towards(target)?;
        if self.owner.is_destroyed()
            && let Some(&mine) = towards.resolved.owner_key.first()
        {
            self.owner.may_set(mine)?;
        }
        towards.copy_key(target)?;
        towards.link(target);
        if let Some(target) = target {
            towards.link_back(target);
        }
        Ok(())
    }

    /// The column of the owner's key that another target would change, and that the owner keeps.
    pub(crate) fn kept_key(&self, target: Option<&Record>) -> Option<usize> {
        let other = |&(&mine, &theirs): &(&usize, &usize)| {
            let value = target.map_or(Value::Null, |target| target.value(theirs));
            self.is_belongs_to() && self.owner.keeps(mine) && self.owner.value(mine) != value
        };
        let (mine, theirs) = (&self.resolved.owner_key, &self.resolved.target_key);
        let found = mine.iter().zip(theirs).find(other);
        found.map(|(&mine, _)| mine)
    }

    /// Copies the target's key into the owner's columns, and what says of which model it is.
    pub(crate) fn copy_key_from(&self, target: Option<&Record>) -> Result<()> {
        self.towards(target)?.copy_key(target)
    }

    fn copy_key(&self, target: Option<&Record>) -> Result<()> {
        if let Some(ty) = self.resolved.owner_type {
            let name = ty.name.map_or(Value::Null, |name| Value::Text(name.into()));
            self.owner.set_value(ty.column, name)?;
        }
        if target.is_none() {
            for &mine in &self.resolved.owner_key {
                self.owner.set_value(mine, Value::Null)?;
            }
            return Ok(());
        }
        for (&mine, &theirs) in self
            .resolved
            .owner_key
            .iter()
            .zip(&self.resolved.target_key)
        {
            let value = target.map_or(Value::Null, |target| target.value(theirs).into_owned());
            // A target that has no key yet is no reason to say that there is none.
            if target.is_some() && value.is_null() && self.owner.value(mine).is_null() {
                continue;
            }
            self.owner.set_value(mine, value)?;
        }
        Ok(())
    }

    /// Makes `target` the target of a singular association, in memory. What a `has_one` of a saved owner led to before
    /// is removed once the new target is saved with the owner. Never saves.
    pub(crate) fn put(&self, target: Option<&Record>) -> Result<()> {
        if self.is_through() {
            return self.put_through(target);
        }
        if self.is_belongs_to() {
            return self.assign(target);
        }
        if let Some(target) = target {
            self.check_target(target)?;
            self.give_key_to(target)?;
        }
        if self.can_query() {
            self.owner.link_in_place(self.position, target);
        } else {
            self.link(target);
        }
        if let Some(target) = target {
            self.own(target);
        }
        Ok(())
    }

    /// What a `has_one` led to before its target took its place in memory.
    pub(crate) fn replaced(&self) -> Linked<Option<Record>> {
        self.owner.replaced(self.position)
    }

    /// Takes a target out of a `has_one` or a collection, in memory: its key is null and it leads nowhere.
    pub(crate) fn release(&self, target: &Record) -> Result<()> {
        for &column in &self.resolved.target_columns {
            target.set_value(column, Value::Null)?;
        }
        if let Some(inverse) = self.inverse_of(target) {
            inverse.link(None);
        }
        Ok(())
    }

    /// Refuses to set the key of targets to null where it cannot be.
    pub(crate) fn check_nullable(&self) -> Result<()> {
        let target = self.resolved.target;
        let required = self
            .resolved
            .target_columns
            .iter()
            .filter_map(|&column| target.columns().get(column))
            .find(|column| !column.is_nullable());
        let Some(column) = required else {
            return Ok(());
        };
        let message = format!(
            "{self:?} takes records out by setting {}.{} to null, and it cannot be null: destroy them, or make the key \
             an Option",
            target.name(),
            column.name()
        );
        Err(self.error(ErrorKind::NotNullViolation, message))
    }

    /// The columns of a target that hold the owner's key; none where rows between lead to it.
    pub(crate) fn given_key(&self) -> &'static [usize] {
        match self.resolved.through {
            None => &self.resolved.target_columns,
            Some(_) => &[],
        }
    }

    /// Copies the owner's key into a target's columns. An owner without a key has none to give yet: a target that leads back
    /// to it belongs to no other owner from now on.
    pub(crate) fn give_key_to(&self, target: &Record) -> Result<()> {
        if !self.has_key() {
            if self.inverse().is_none() {
                return Ok(());
            }
            for (&mine, &theirs) in self.resolved.owner_key.iter().zip(self.given_key()) {
                if !target.value(theirs).is_null() {
                    target.set_value(theirs, self.owner.value(mine).into_owned())?;
                }
            }
            return Ok(());
        }
        for (&mine, &theirs) in self.resolved.owner_key.iter().zip(self.given_key()) {
            target.set_value(theirs, self.owner.value(mine).into_owned())?;
        }
        if let Some(ty) = self.resolved.target_type {
            let name = ty.name.map_or(Value::Null, |name| Value::Text(name.into()));
            target.set_value(ty.column, name)?;
        }
        Ok(())
    }

    /// Remembers the target of a singular association.
    pub(crate) fn link(&self, target: Option<&Record>) {
        let key = self.resolved.own_key();
        self.owner.link_one(self.position, target, key, self.tie());
    }

    /// Tells a target of a `belongs_to` that it leads back here: its `has_one`, or the collection that was named as the
    /// inverse. Rails: `has_many_inversing`.
    pub(crate) fn link_back(&self, target: &Record) {
        let Some(inverse) = self.inverse_of(target) else {
            return;
        };
        if inverse.reflection().is_has_one() {
            inverse.link(Some(&self.owner));
        } else if self.has_named_inverse()
            && inverse.reflection().inversing
            && !inverse.holds(&self.owner)
        {
            inverse.remember(&self.owner);
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

    /// Adds a record to a collection in memory: its key and its way back are set. Its place is at the end. A callback
    /// may leave it out; whether none did.
    pub(crate) fn add(&self, member: &Record) -> Result<bool> {
        self.check_not_nested()?;
        self.check_target(member)?;
        self.give_key_to(member)?;
        if !self.tell(MemberEvent::BeforeAdd, member)? {
            return Ok(false);
        }
        self.own(member);
        self.remember(member);
        // A target that leads back to its joins is to know of this one.
        if self.is_through()
            && let Ok(through) = self.changeable()
            && through.source().inverse.is_some()
        {
            self.build_join(member)?;
        }
        self.tell(MemberEvent::AfterAdd, member)?;
        Ok(true)
    }

    /// Runs the callbacks of a collection for a member, and says whether none of them aborted.
    pub(crate) fn tell(&self, event: MemberEvent, member: &Record) -> Result<bool> {
        for callback in self.reflection().callbacks {
            if callback.event != event {
                continue;
            }
            match (callback.run)(&self.owner, member) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::Abort => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Whether something runs when members come or go.
    pub(crate) fn is_watched(&self) -> bool {
        !self.reflection().callbacks.is_empty()
    }

    /// Remembers a member of a collection, at the end of those that memory knows.
    pub(crate) fn remember(&self, member: &Record) {
        if self.reflection().scope().is_some() && self.takes_the_place_of(member) {
            return;
        }
        self.owner.link_member(self.position, member);
    }

    /// Puts a member where the same row is a member already, in a collection that has each once. Whether it did.
    fn takes_the_place_of(&self, member: &Record) -> bool {
        if !self.relation().core().select.distinct {
            return false;
        }
        let known = self.peek_many();
        let Some(at) = known.records.iter().position(|one| one == member) else {
            return false;
        };
        let mut members = known.records;
        members[at] = member.clone();
        self.owner.link_many(self.position, &members, known.loaded);
        true
    }

    /// Whether memory knows this very object as a member.
    pub(crate) fn holds(&self, member: &Record) -> bool {
        let known = self.peek_many().records;
        known.iter().any(|known| known.is(member))
    }

    /// Takes these records out of a collection in memory: in one walk, however many they are.
    pub(crate) fn forget_all(&self, members: &[Record]) {
        if members.is_empty() {
            return;
        }
        let leaving: HashSet<Same, Hashing> = members.iter().map(Same::of).collect();
        self.forget(|known| leaving.contains(&Same::of(known)));
    }

    /// Takes members out of a collection in memory.
    pub(crate) fn forget(&self, leaves: impl Fn(&Record) -> bool) {
        self.owner.unlink_members(self.position, leaves);
    }

    /// Says that the members in memory are all there are.
    pub(crate) fn complete(&self) {
        self.owner.complete_members(self.position);
    }

    /// A new target in the owner's graph, not linked, with the values that the scope's equalities give and those that
    /// `set` does; then what runs after initializing runs. In memory only.
    pub(crate) fn build_target(&self, set: impl FnOnce(&Record)) -> Result<Record> {
        let target = self.blank_target()?;
        set(&target);
        Ok(target.initialized())
    }

    /// A new target with what the association's scope says and with values, not linked yet: of the association's model, or
    /// of a subclass of it. What runs after initializing runs once the values are set. Never touches the database.
    /// Rails: what `build(type: "Car")` makes.
    ///
    /// # Errors
    /// `AssociationTypeMismatch` for a model that the association does not lead to; what the scope's values make impossible.
    pub fn build_of(
        &self,
        model: Option<&'static ModelReflection>,
        set: impl FnOnce(&Record),
    ) -> Result<Record> {
        let wanted = self.resolved.target;
        let model = model.unwrap_or(wanted);
        if !model.is_a(wanted) {
            let message = format!(
                "{self:?} leads to {}, and {} is none",
                wanted.name(),
                model.name()
            );
            return Err(self.error(ErrorKind::AssociationTypeMismatch, message));
        }
        let target = self.blank_target_of(model)?;
        set(&target);
        Ok(target.initialized())
    }

    /// As [`build_target`](Self::build_target), before it is given values and what runs after initializing runs.
    pub(crate) fn blank_target(&self) -> Result<Record> {
        self.blank_target_of(self.resolved.target)
    }

    /// As [`blank_target`](Self::blank_target), of a subclass of the association's model.
    pub(crate) fn blank_target_of(&self, model: &'static ModelReflection) -> Result<Record> {
        self.check_not_nested()?;
        if self.klass()?.is_none() {
            let message =
                format!("{self:?} does not say of which model its target is: set the type first");
            return Err(self.error(ErrorKind::Argument, message));
        }
        let target = self.owner.blank_beside(model).with_defaults();
        // A parent's key is not what the owner holds of another.
        let relation = if self.is_belongs_to() {
            targets(self.resolved, self.owner.db(), Some(&self.owner))
        } else {
            self.relation()
        };
        relation.give_values_to(&target)?;
        Ok(target)
    }

    /// The target of a singular association that was set and is not saved yet.
    pub(crate) fn unsaved_target(&self) -> Option<Record> {
        match self.peek_one() {
            Linked::Known(Some(target)) if target.is_new_record() => Some(target),
            _ => None,
        }
    }
}

/// The associations of a record that memory was told of, resolved; what is wrong with the first that cannot be.
pub(crate) fn known(record: &Record) -> impl Iterator<Item = Result<Association, Error>> + '_ {
    (0..record.reflection().reflections().len())
        .filter(|&position| Association::is_known(record, position))
        .map(|position| Association::at(record, position))
}

impl Association {
    /// Whether the target's row holds the owner's key.
    pub(crate) fn is_keyed(&self, target: &Record) -> bool {
        let resolved = self.resolved;
        let typed = |ty: TypeColumn| target.saved_value(ty.column).as_str() == ty.name;
        resolved
            .owner_key
            .iter()
            .zip(&resolved.target_key)
            .all(|(&mine, &theirs)| self.owner.value(mine) == target.saved_value(theirs))
            && resolved.target_type.is_none_or(typed)
    }

    /// Whether a record without this association's target can be saved: its key may be null.
    pub(crate) fn may_be_missing(&self) -> bool {
        let columns = self.owner.reflection().columns();
        self.resolved
            .owner_key
            .iter()
            .filter_map(|&column| columns.get(column))
            .all(|column| column.is_nullable())
    }

    /// Whether memory was told anything of this association, so that saving has to look at it.
    pub(crate) fn is_known(owner: &Record, position: usize) -> bool {
        owner.has_own_link(position) || owner.is_published(position)
    }

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
