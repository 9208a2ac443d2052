//! What an association leads to, as far as memory knows.
//!
//! Invariant: nothing here asks the database; a target that went stale (the owner's key changed since) counts as
//! not known.

use super::{Association, resolved_for};
use crate::attribute::value::Value;
use crate::error::{ErrorKind, Result};
use crate::record::{Linked, Members, Record, StrictLoading, Tie};
use crate::reflection::{AssociationReflection, InverseOf, Resolved};
use crate::relation::Scope;

impl Association {
    /// Whether the target's table was not written after so many writes.
    pub(super) fn is_current(&self, then: u64) -> bool {
        is_unwritten(&self.owner, self.resolved, then)
    }

    /// Whether the target was found or set when the owner's key was another. Rails: `stale_target?`.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        let key = self.resolved.own_key();
        !key.is_empty() && self.owner.is_link_stale(self.position, key)
    }

    /// The target of a singular association, if memory knows it: for a user, who has read it then.
    pub(crate) fn known_one(&self) -> Linked<Option<Record>> {
        known_target(&self.owner, self.position, self.resolved)
    }

    /// The members of a collection in memory: for a user, who has read them then.
    pub(crate) fn known_many(&self) -> Members {
        self.owner
            .linked_many(self.position, |then| self.is_current(then))
    }

    /// As [`known_one`](Self::known_one), for the library's own looks. A look must not count as a read: what siblings
    /// brought along would stay, where without batching the next read asks the database.
    pub(crate) fn peek_one(&self) -> Linked<Option<Record>> {
        if self.is_stale() {
            return Linked::Unknown;
        }
        self.owner
            .peek_one(self.position, |then| self.is_current(then))
    }

    /// As [`known_many`](Self::known_many), for the library's own looks.
    pub(crate) fn peek_many(&self) -> Members {
        self.owner
            .peek_many(self.position, |then| self.is_current(then))
    }

    /// As [`target`](Self::target), for the library's own looks.
    pub(crate) fn peek_target(&self) -> Vec<Record> {
        if self.reflection().is_collection() {
            return self.peek_many().records;
        }
        match self.peek_one() {
            Linked::Known(Some(record)) => vec![record],
            _ => Vec::new(),
        }
    }

    /// Whether the targets are in memory, so that reading them asks nothing. Rails: `loaded?`.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        if self.reflection().is_collection() {
            self.peek_many().loaded
        } else {
            matches!(self.peek_one(), Linked::Known(_)) || !self.can_query()
        }
    }

    /// The records in memory, loaded or not. Never touches the database. Rails: `target`.
    #[must_use]
    pub fn target(&self) -> Vec<Record> {
        if self.reflection().is_collection() {
            return self.known_many().records;
        }
        match self.known_one() {
            Linked::Known(Some(record)) => vec![record],
            _ => Vec::new(),
        }
    }

    /// Forgets the target; the next read loads it again. Never touches the database. Rails: `reset_author`.
    pub fn reset(&self) {
        self.owner.unlink(self.position);
    }

    /// Whether a query could find something: a `belongs_to` needs its key, the others an owner that is saved, or what goes
    /// through a `belongs_to` its key. What else a new owner has is in memory, whatever its key is, as in Rails.
    pub(crate) fn can_query(&self) -> bool {
        self.has_key()
            && (self.is_belongs_to() || !self.owner.is_new_record() || self.has_own_key())
    }

    /// Whether it goes through a `belongs_to`, whose key may be set before the owner is saved.
    fn has_own_key(&self) -> bool {
        let through = self.resolved.through.as_ref();
        through.is_some_and(|through| through.over().declaration().is_belongs_to())
    }

    /// Refuses a lazy load that strict loading forbids.
    pub(crate) fn check_strict(&self) -> Result<()> {
        let mode = match self.reflection().strict_loading {
            Some(false) => None,
            Some(true) => Some(StrictLoading::All),
            None => match self.owner.strict_loading_mode() {
                // Its own associations are allowed; their members are strict.
                Some(StrictLoading::NPlusOneOnly) => None,
                mode => mode,
            },
        };
        if mode.is_none() {
            return Ok(());
        }
        let (owner, target) = (self.owner.reflection().name(), self.resolved.target.name());
        let name = self.reflection().name();
        let message = format!(
            "`{owner}` is marked for strict_loading. The {target} association named `:{name}` cannot be lazily \
             loaded. Load it with the records: `includes(|it| it.{name})`"
        );
        if self.owner.db().tells_violation(&message) {
            return Ok(());
        }
        Err(self.error(ErrorKind::StrictLoadingViolation, message))
    }

    /// How a target of this association and its owner hold each other.
    pub(crate) fn tie(&self) -> Tie {
        tie_of(self.resolved)
    }

    /// Whether the inverse was named, so that memory may answer for a member. Rails: `inverse_of` was given.
    pub(crate) fn has_named_inverse(&self) -> bool {
        matches!(self.reflection().inverse_of, InverseOf::Named(_))
    }

    /// The same association seen from a target: its position among the target's.
    pub(crate) fn inverse(&self) -> Option<usize> {
        self.resolved.inverse
    }
}

impl Association {
    /// Whether one query finds the targets of several owners: the declared scope neither differs by the owner nor
    /// cuts the rows of all together.
    pub(crate) fn is_shared(&self) -> bool {
        if self.resolved.through.is_some() {
            let of_owner =
                |end: &AssociationReflection| end.scope().is_some_and(Scope::is_of_owner);
            let mut hops = self.resolved.hops().into_iter();
            return !hops.any(|hop| hop.ends.iter().any(|end| of_owner(end)))
                && self.can_serve_several();
        }
        match self.reflection().scope() {
            None => true,
            Some(scope) => !scope.is_of_owner() && self.can_serve_several(),
        }
    }

    /// Whether no limit cuts the rows of several owners together.
    fn can_serve_several(&self) -> bool {
        let relation = self.relation();
        !relation.select().is_cut() || relation.select().per_owner
    }

    /// Takes the rows of the database as the collection's members. Members in memory that are the same row stay the
    /// objects they are; unsaved ones, and those that came since `before` was looked at, come last; others are dropped,
    /// for the database no longer has them. They are those of these values of the owner's columns. Rails: `merge_target_lists`.
    pub(crate) fn take_loaded(
        &self,
        rows: Vec<Record>,
        before: &[Record],
        key: Vec<Value<'static>>,
    ) {
        let own = self.resolved.own_key().iter().copied();
        let key = own.zip(key).collect();
        let current = |then| self.is_current(then);
        let merged = self
            .owner
            .link_rows(self.position, rows, before, key, current);
        for (member, row) in &merged.known {
            member.refresh_from(row);
        }
        for member in &merged.members {
            self.own(member);
        }
    }

    /// Takes what a query found for these values of the owner's columns as the target. One that was set while the query ran
    /// stays, and this is false.
    pub(crate) fn take_found(&self, target: Option<&Record>, key: Vec<Value<'static>>) -> bool {
        let key: (&[usize], _) = match self.resolved.own_key() {
            [] => (&[], Vec::new()),
            own => (own, key),
        };
        self.owner
            .link_found(self.position, target, key, self.tie(), |then| {
                self.is_current(then)
            })
    }
}

/// How a target of an association and its owner hold each other: both ways, unless only the owner leads to the target.
pub(crate) fn tie_of(resolved: &Resolved) -> Tie {
    let one_way = resolved.through.is_some()
        || resolved.declaration().is_belongs_to()
            && !resolved
                .inverse_reflection()
                .is_some_and(AssociationReflection::is_has_one);
    if one_way { Tie::Depend } else { Tie::Unite }
}

/// The target of a record's singular association, if memory knows it. Asked most of all, so that neither a handle is made
/// nor, for a record that nobody touched, the declaration looked at.
#[inline]
pub(crate) fn known_one(owner: &Record, position: usize) -> Linked<Option<Record>> {
    if owner.is_touched() {
        return match resolved_for(owner, position) {
            Ok(resolved) => known_target(owner, position, resolved),
            Err(_) => Linked::Unknown,
        };
    }
    owner.tabled_one(position, true, |then| {
        owner.db().writes() == then || is_current(owner, position, then)
    })
}

#[inline(never)]
fn known_target(owner: &Record, position: usize, resolved: &Resolved) -> Linked<Option<Record>> {
    let key = resolved.own_key();
    if !key.is_empty() && owner.is_link_stale(position, key) {
        return Linked::Unknown;
    }
    owner.linked_one(position, |then| is_unwritten(owner, resolved, then))
}

/// Whether none of the tables that the targets are read from was written after so many writes.
fn is_unwritten(owner: &Record, resolved: &Resolved, then: u64) -> bool {
    resolved.all_tables(&|table| owner.db().is_unwritten_since(then, table))
}

/// Whether the table of an association was not written after so many writes.
#[inline(never)]
fn is_current(owner: &Record, position: usize, then: u64) -> bool {
    match resolved_for(owner, position) {
        Ok(resolved) => is_unwritten(owner, resolved, then),
        Err(_) => false,
    }
}
