//! Writing through a collection: build, create, push.
//!
//! Invariant: on a saved owner what is pushed is saved, all in one transaction; on a new one it waits in memory for
//! the owner.

use super::save::save;
use crate::association::Association;
use crate::error::{ErrorKind, Result};
use crate::record::Record;

impl Association {
    /// Adds records to the collection. On a saved owner they are saved, all or none; on a new owner they are saved
    /// with it.
    pub(crate) async fn push(&self, members: Vec<Record>) -> Result<()> {
        members
            .iter()
            .try_for_each(|member| self.check_target(member))?;
        if self.owner().is_new_record() {
            return members.iter().try_for_each(|member| self.add(member));
        }
        if let [member] = members.as_slice() {
            self.give_key_to(member)?;
            self.own(member);
            save(member).await?;
            return self.add(member);
        }
        let db = self.owner().db().clone();
        db.transaction(async || {
            for member in &members {
                self.give_key_to(member)?;
                self.own(member);
                save(member).await?;
            }
            Ok(())
        })
        .await?;
        members.iter().try_for_each(|member| self.add(member))
    }

    /// Saves a member that was built, on a saved owner; it joins the collection once it is saved.
    pub(crate) async fn create(&self, member: Record) -> Result<()> {
        if self.owner().is_new_record() {
            let message = "You cannot call create unless the parent is saved".to_owned();
            return Err(self.error(ErrorKind::RecordNotSaved, message));
        }
        self.give_key_to(&member)?;
        self.own(&member);
        save(&member).await?;
        self.add(&member)
    }
}
