//! What is emitted when something is wrong: the model without the fields that cannot be, so that other code that
//! uses it gives no messages of its own.
//!
//! Invariant: a model with a mistake is marked, and no model checks itself against a marked one.

use proc_macro2::Ident;

use crate::model::Model;

/// Marks the model and leaves fields out. A field is meant by its identifier and its place in the source, since
/// two may have the same name: the last of that name goes.
pub(crate) fn without(model: &mut Model, dropped: &[Ident]) {
    model.broken = true;
    for ident in dropped.iter().rev() {
        let association = model
            .associations
            .iter()
            .rposition(|association| association.ident == *ident);
        if let Some(position) = association {
            model.associations.remove(position);
        } else if let Some(position) = model
            .columns
            .iter()
            .rposition(|column| column.ident == *ident)
        {
            model.columns.remove(position);
        }
    }
}
