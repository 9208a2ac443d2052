//! Writing through a singular association: create.
//!
//! Invariant: a target that could not be saved is not linked.

use super::save::save;
use crate::association::Association;
use crate::error::{ErrorKind, Result};
use crate::record::Record;

impl Association {
    /// Saves a target that was built, and links it. A `belongs_to`'s owner gets the key and is not saved; a
    /// `has_one`'s must be saved already.
    pub(crate) async fn create_singular(&self, target: Record) -> Result<()> {
        if self.is_belongs_to() {
            save(&target).await?;
            return self.assign(Some(&target));
        }
        if self.owner().is_new_record() {
            let message = "You cannot call create unless the parent is saved".to_owned();
            return Err(self.error(ErrorKind::RecordNotSaved, message));
        }
        self.give_key_to(&target)?;
        save(&target).await?;
        self.link(Some(&target));
        self.own(&target);
        Ok(())
    }
}
