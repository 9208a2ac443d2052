//! Persistence: the only room that writes rows.
//!
//! ```text
//! plan       which records a save writes, in which order, and which keys it copies when    (in memory)
//! save       validate, plan, write, inside a transaction when there is more than one statement
//! validate   the declared rules, and required associations
//! destroy    DELETE                     reload   the row again, into the same object
//! ```
//!
//! Invariants: what is bound is what counts as saved; a failure leaves rows and memory as they were; one record is
//! written by one save at a time.

mod collection;
mod destroy;
pub(crate) mod errors;
mod plan;
mod save;
mod singular;
mod snapshot;
mod validate;

pub use errors::{Errors, Problem};
pub(crate) use save::create;
