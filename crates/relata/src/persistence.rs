//! Persistence: the only room that writes rows.
//!
//! ```text
//! pipeline   the life of a record: what validating, saving, destroying and touching do, as tables, and their loop
//! frame      one record on its way through it
//! acts       what associations do at the events of their owner: parents, members, defaults
//! dependent, counters, touch                           the others of those, each by itself
//! validate, rules, uniqueness                          what a valid record keeps, and its errors
//! save, destroy                                        the doors of the pipeline
//! enrolled   callbacks of commit and rollback           reentry   functions of the user that run inside themselves
//! write      INSERT or UPDATE of one record            turn       one writer at a time per record
//! locking    versions of rows, and who is stale
//! password, tokens   what proves who somebody is
//! update     single columns, past validation
//! collection, replace, singular                        writing through associations
//! assign, nested                                       values from outside, for a record and its members
//! set_wise, bulk                                       many rows at once, without records
//! witness    a write, and what holds while its outcome is not known
//! snapshot, keys, unread   what a rollback gives back   find_or_create, saved
//! ```
//!
//! Invariants: what is bound is what counts as saved; a failure leaves rows and memory as they were; one record is
//! written by one save at a time; a graph is walked by a loop over frames, never by a future that awaits itself.

mod acts;
mod assign;
mod bulk;
mod collection;
mod counters;
mod dependent;
mod destroy;
mod enrolled;
pub(crate) mod errors;
mod find_or_create;
mod frame;
mod keys;
mod known;
mod locking;
mod memory;
mod nested;
#[cfg(feature = "password")]
mod password;
mod pipeline;
mod reentry;
mod replace;
mod rules;
mod save;
mod saved;
mod set_wise;
mod singular;
mod snapshot;
mod through;
#[cfg(feature = "tokens")]
mod tokens;
mod touch;
mod turn;
mod uniqueness;
mod unread;
mod update;
mod validate;
mod witness;
mod write;

pub(crate) use assign::create_from;
pub use bulk::{InsertAll, Inserted};
pub use errors::{Errors, Problem};
pub use save::SaveOptions;
pub(crate) use save::create;
pub use saved::Saved;
pub use touch::{NoTouching, is_touching, no_touching};
