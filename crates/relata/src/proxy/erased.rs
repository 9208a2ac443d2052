//! What can be done with an association by name, on records without types.
//!
//! Invariant: the same lower rooms as the typed proxies, so the two cannot differ.

use crate::association::Association;
use crate::error::{ErrorKind, Result};
use crate::loading;
use crate::pending::Pending;
use crate::record::Record;

impl Association {
    /// The target of a singular association, from memory or from the database. Rails: `post.author`.
    ///
    /// Errors: `Argument` for a collection; `StrictLoadingViolation`; what the database says.
    #[track_caller]
    pub fn load_one(&self) -> Pending<Option<Record>> {
        let association = self.clone();
        Pending::new(async move {
            association.must_be(false)?;
            loading::load_one(&association).await
        })
    }

    /// The members of a collection, from memory or from the database. Rails: `post.comments.load`.
    ///
    /// Errors: `Argument` for a singular association; `StrictLoadingViolation`; what the database says.
    #[track_caller]
    pub fn load_many(&self) -> Pending<Vec<Record>> {
        let association = self.clone();
        Pending::new(async move {
            association.must_be(true)?;
            loading::load_many(&association).await
        })
    }

    /// Makes a record the target of a `belongs_to`, in memory. Rails: `post.author = ann`.
    ///
    /// # Errors
    /// `AssociationTypeMismatch` for a record of another model; `Argument` for another kind of association.
    pub fn set_target(&self, target: Option<&Record>) -> Result<()> {
        if !self.is_belongs_to() {
            let message = format!("{self:?} is no belongs_to: its target cannot be set in memory");
            return Err(self.error(ErrorKind::Argument, message));
        }
        self.assign(target)
    }

    /// A new member or target, linked and not saved. Rails: `build`.
    ///
    /// # Errors
    /// What the scope's values or the key make impossible.
    pub fn build(&self) -> Result<Record> {
        let target = self.build_target()?;
        if self.reflection().is_collection() {
            self.add(&target)?;
        } else if self.is_belongs_to() {
            self.assign(Some(&target))?;
        } else {
            self.link(Some(&target));
            self.own(&target);
            self.give_key_to(&target)?;
        }
        Ok(target)
    }

    /// Adds a record to a collection; on a saved owner it is saved. Rails: `<<`.
    #[track_caller]
    pub fn push_record(&self, member: &Record) -> Pending<()> {
        let (association, member) = (self.clone(), member.clone());
        Pending::new(async move {
            association.must_be(true)?;
            association.push(vec![member]).await
        })
    }

    fn must_be(&self, collection: bool) -> Result<()> {
        if self.reflection().is_collection() == collection {
            return Ok(());
        }
        let (is, call) = if collection {
            ("is singular", "load_one")
        } else {
            ("is a collection", "load_many")
        };
        Err(self.error(ErrorKind::Argument, format!("{self:?} {is}: call {call}")))
    }
}
