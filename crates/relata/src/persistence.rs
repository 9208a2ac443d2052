//! Persistence: the only room that writes rows.
//!
//! ```text
//! plan       which records a save writes, in which order, and which keys it copies when    (in memory)
//! save       validate, plan, write, inside a transaction when there is more than one statement
//! validate   the declared rules, and required associations
//! write      INSERT or UPDATE of one record            turn       one writer at a time per record
//! update     single columns, past validation           destroy    DELETE; the row again, into the same object
//! collection, replace, singular                        writing through associations
//! set_wise, bulk                                       many rows at once, without records
//! witness    a write, and what holds while its outcome is not known
//! snapshot, keys   what a rollback gives back          find_or_create, saved
//! ```
//!
//! Invariants: what is bound is what counts as saved; a failure leaves rows and memory as they were; one record is
//! written by one save at a time.

mod bulk;
mod collection;
mod destroy;
pub(crate) mod errors;
mod find_or_create;
mod keys;
mod plan;
mod replace;
mod save;
mod saved;
mod set_wise;
mod singular;
mod snapshot;
mod turn;
mod update;
mod validate;
mod witness;
mod write;

pub use bulk::{InsertAll, Inserted};
pub use errors::{Errors, Problem};
pub use save::SaveOptions;
pub(crate) use save::create;
pub use saved::Saved;
