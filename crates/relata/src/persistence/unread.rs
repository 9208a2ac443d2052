//! Associations whose targets left in a transaction: where that is rolled back, memory does not know any more what they
//! lead to, and the next read asks the database.
//!
//! Invariant: what is not saved stays in memory; nothing is asked and nothing written here.

use std::sync::Arc;

use crate::association::Association;
use crate::db::{Handover, Participant};
use crate::record::{Linked, Record};

/// Notes with the open transaction, if there is one, that targets left the association. To be called once they have.
pub(super) fn unread_if_rolled_back(association: &Association) {
    let db = association.owner().db();
    db.enlist(|| Arc::new(Left(association.clone())));
}

/// An association that targets left.
struct Left(Association);

impl Participant for Left {
    fn rolled_back(&self) {
        let association = &self.0;
        if association.reflection().is_collection() {
            let mut unsaved = association.peek_many().records;
            unsaved.retain(Record::is_new_record);
            let (owner, position) = (association.owner(), association.position());
            owner.link_many(position, &unsaved, false);
        } else if !matches!(association.peek_one(), Linked::Known(Some(one)) if one.is_new_record())
        {
            association.reset();
        }
    }

    fn committed(&self, _left: &mut Handover) {}

    fn in_doubt(&self) {}
}
