//! Writing through a singular association: create.
//!
//! Invariant: a new target takes its place whether or not it is valid, as in Rails; what the database refuses takes
//! none.

use super::memory::Memory;
use super::replace::{in_the_way, remove};
use super::save::save;
use super::through;
use crate::association::Association;
use crate::error::Result;
use crate::pending::Pending;
use crate::record::Record;

impl Association {
    /// Saves a new target that was made with [`build_apart`](Self::build_apart), and links it. A `belongs_to`'s owner
    /// gets its key and is not saved. A `has_one`'s owner must be saved already; the target that was there leaves, with
    /// its key set to null. Rails: `create_author!`.
    ///
    /// SQL, in one transaction: `INSERT` of the target; of a `has_one` before it a `SELECT` of the one that was
    /// there, and an `UPDATE` of its key or what `dependent` says.
    ///
    /// Errors: `Argument` for a collection; `RecordNotSaved` on a new owner of a `has_one`, or when the old target cannot be without its owner;
    /// `RecordInvalid` when the target is not valid, in which case it is linked all the same, unsaved.
    #[track_caller]
    pub fn create_one(&self, target: &Record) -> Pending<()> {
        let (association, target) = (self.clone(), target.clone());
        Pending::new(async move {
            association.must_be(false, "create_member")?;
            create_one(&association, &target).await
        })
    }

    /// A new target with what the association's scope says, not linked yet. Never touches the database.
    ///
    /// # Errors
    /// `Argument` for a collection; what the scope's values make impossible.
    pub fn build_apart(&self) -> Result<Record> {
        self.must_be(false, "build_member")?;
        self.build_target(|_| {})
    }
}

async fn create_one(association: &Association, target: &Record) -> Result<()> {
    association.check_target(target)?;
    if association.is_belongs_to() {
        let saved = save(target).await;
        if matches!(&saved, Err(error) if !error.is_record_invalid()) {
            return saved;
        }
        association.assign(Some(target))?;
        return saved;
    }
    association.must_be_saved()?;
    if association.is_through() {
        association.check_not_nested()?;
        let saved = save(target).await;
        if matches!(&saved, Err(error) if !error.is_record_invalid()) {
            return saved;
        }
        through::settle(association, Some(target), false).await?;
        return saved;
    }
    let current = in_the_way(association).await?;
    let before = Memory::of(
        association,
        current.as_slice(),
        current.iter().chain([target]),
    );
    let create = async || {
        association.give_key_to(target)?;
        association.own(target);
        let saved = save(target).await;
        if matches!(&saved, Err(error) if !error.is_record_invalid()) {
            return saved.map(Ok);
        }
        if let Some(current) = &current {
            remove(association, current).await?;
        }
        // That it is not valid is no reason to roll back.
        Ok(saved)
    };
    let created = before.during(current.is_some(), create).await?;
    association.link(Some(target));
    created
}
