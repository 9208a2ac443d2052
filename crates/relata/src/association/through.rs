//! Changing what an association goes through others to: the rows between are what is changed, and not the targets.
//!
//! A *join* is a record of the model between: what the through leads to, and whose source leads to a target.
//!
//! Invariant: a route over more than two hops, or whose source is no `belongs_to`, is only read.

use std::collections::HashMap;

use super::change::Same;
use super::{Association, Key, first_place};
use crate::attribute::value::Value;
use crate::error::{ErrorKind, Result};
use crate::hashing::Hashing;
use crate::record::{Linked, Record};
use crate::reflection::{Macro, Through};
use crate::relation::Relation;
use crate::sql::expr::{Comparison, Node};
use crate::sql::{Expr, Place};

impl Association {
    /// Whether it goes through others.
    pub(crate) fn is_through(&self) -> bool {
        self.resolved.through.is_some()
    }

    /// Refuses a change of what goes through more than one other association, which can only be read.
    pub(crate) fn check_not_nested(&self) -> Result<()> {
        if !self.resolved.through.is_some_and(|one| one.is_nested()) {
            return Ok(());
        }
        let kind = if self.reflection().is_collection() {
            ErrorKind::HasManyThroughNestedAssociationsAreReadonly
        } else {
            ErrorKind::HasOneThroughNestedAssociationsAreReadonly
        };
        let message = format!(
            "Cannot modify association '{}#{}' because it goes through more than one other association.",
            self.owner.reflection().name(),
            self.reflection().name()
        );
        Err(self.error(kind, message))
    }

    /// The two associations it goes over, where rows between can be made and removed: the source is a `belongs_to`.
    pub(crate) fn changeable(&self) -> Result<Through> {
        self.check_not_nested()?;
        let through = self.resolved.through.ok_or_else(|| {
            let message = format!("{self:?} goes through no other association");
            self.error(ErrorKind::Argument, message)
        })?;
        let source = through.source().declaration();
        if source.kind == Macro::BelongsTo {
            return Ok(through);
        }
        let kind = if self.reflection().is_collection() {
            ErrorKind::HasManyThroughCantAssociateThroughHasOneOrManyReflection
        } else {
            ErrorKind::HasOneThroughCantAssociateThroughHasOneOrManyReflection
        };
        let message = format!(
            "Cannot modify association '{}#{}' because the source reflection class '{}' is associated to '{}' via :{}.",
            self.owner.reflection().name(),
            self.reflection().name(),
            source.target_name(),
            through.middle().name(),
            source.kind.name(),
        );
        Err(self.error(kind, message))
    }

    /// The association of the owner that leads to the joins.
    pub(crate) fn of_joins(&self) -> Result<Association> {
        self.changeable()?;
        self.way()
    }

    /// The association of the owner that it goes through.
    pub(crate) fn way(&self) -> Result<Association> {
        let through = self
            .resolved
            .through
            .map_or(self.position, |one| one.through);
        Association::at(&self.owner, through)
    }

    /// The association of a join that leads to a target.
    pub(crate) fn source_of(&self, join: &Record) -> Result<Association> {
        Association::at(join, self.changeable()?.source)
    }

    /// A new join that leads to a target, among those of the owner in memory, with what the scope of the through says.
    pub(crate) fn build_join(&self, target: &Record) -> Result<Record> {
        let joins = self.of_joins()?;
        let mut led = Ok(());
        let join = joins.build_target(|join| {
            let source = self.source_of(join);
            led = source
                .and_then(|source| source.assign(Some(target)))
                .and_then(|()| self.give_scope_to(join));
        })?;
        led?;
        if joins.reflection().is_collection() {
            joins.add(&join)?;
        } else {
            joins.put(Some(&join))?;
        }
        Ok(join)
    }

    /// Gives a new join what the scope of the association says of the rows between.
    fn give_scope_to(&self, join: &Record) -> Result<()> {
        if self.reflection().scope().is_none() {
            return Ok(());
        }
        let (way, _) = first_place(self.resolved);
        let keys = join.reflection().primary_key();
        for filter in &self.relation().select().filters {
            if let Some((column, value)) = filter.equality(way)
                && !keys.contains(&column)
            {
                join.set_value(column, value.clone())?;
            }
        }
        Ok(())
    }

    /// Whether a join leads to a target, as far as memory knows.
    pub(crate) fn is_join_of(&self, join: &Record, target: &Record) -> bool {
        let Ok(source) = self.source_of(join) else {
            return false;
        };
        match source.peek_one() {
            Linked::Known(Some(known)) => {
                known.is(target) || !known.is_new_record() && known == *target
            }
            Linked::Known(None) => false,
            Linked::Unknown => {
                source.check_target(target).is_ok() && source.has_key() && source.is_key_of(target)
            }
        }
    }

    /// The joins in memory that lead to a target.
    pub(crate) fn joins_of(&self, target: &Record) -> Result<Vec<Record>> {
        let mut joins = self.of_joins()?.peek_target();
        joins.retain(|join| self.is_join_of(join, target));
        Ok(joins)
    }

    /// Takes joins that lead to one of these targets out of memory: all of them, or those that are not saved.
    pub(crate) fn forget_joins(&self, targets: &[Record], unsaved: bool) -> Result<()> {
        let joins = self.of_joins()?;
        let by = &self.changeable()?.source().target_key;
        let same = |target| (Same::of(target), target);
        let known: HashMap<Same, &Record, Hashing> = targets.iter().map(same).collect();
        let keyed: HashMap<Key, &Record, Hashing> = targets
            .iter()
            .filter_map(|target| Some((Key::of(target, by)?, target)))
            .collect();
        // The one target that a join can lead to, so that many of both are no matter.
        let target_of = |join: &Record| {
            let source = self.source_of(join).ok()?;
            match source.peek_one() {
                Linked::Known(target) => known.get(&Same::of(&target?)).copied(),
                Linked::Unknown => {
                    let key = Key::of(join, &source.resolved().owner_key)?;
                    keyed.get(&key).copied()
                }
            }
        };
        let leaves = |join: &Record| {
            (!unsaved || join.is_new_record())
                && target_of(join).is_some_and(|target| self.is_join_of(join, target))
        };
        if joins.reflection().is_collection() {
            joins.forget(leaves);
        } else if joins.peek_target().iter().any(leaves) {
            joins.reset();
        }
        Ok(())
    }

    /// The rows of the joins that lead to these saved targets, as a relation.
    pub(crate) fn rows_of_joins(&self, targets: &[Record]) -> Result<Relation> {
        let through = self.changeable()?;
        let source = through.source();
        let root = Place::root(through.middle());
        let mut known = std::collections::HashSet::new();
        let mut keys: Vec<Vec<Value<'static>>> = Vec::new();
        for target in targets {
            if Key::of(target, &source.target_key).is_some_and(|key| known.insert(key)) {
                let value = |&column: &usize| target.value(column).into_owned();
                keys.push(source.target_key.iter().map(value).collect());
            }
        }
        let of_type = source.owner_type.and_then(|ty| {
            let name = Value::Text(ty.name?.into());
            Some(Node::Column(root, ty.column).compare(Comparison::Equal, name))
        });
        let keys = Node::key_among(root, &source.owner_key, keys);
        let condition = Node::all([keys].into_iter().chain(of_type));
        let joins = self.of_joins()?.relation();
        Ok(joins.map(|core| core.select.filter(Expr(condition))))
    }

    /// Makes `target` what a `has_one` leads to through another, in memory. The row between is made here where none can
    /// be there; else it waits until the owner is saved.
    pub(super) fn put_through(&self, target: Option<&Record>) -> Result<()> {
        if let Some(target) = target {
            self.check_target(target)?;
        }
        let joins = self.of_joins()?;
        let known = match joins.peek_one() {
            Linked::Unknown if !joins.can_query() => Linked::Known(None),
            known => known,
        };
        match (known, target) {
            (Linked::Known(Some(join)), Some(target)) if join.is_new_record() => {
                self.source_of(&join)?.assign(Some(target))?;
                self.link(Some(target));
            }
            (Linked::Known(None), Some(target)) => {
                self.build_join(target)?;
                self.link(Some(target));
            }
            (Linked::Known(None), None) => self.link(None),
            _ => self.owner.link_unsettled(self.position, target),
        }
        Ok(())
    }
}
