//! Proxies: what `post.author()` and `post.comments()` give. Typed shells over an erased association.
//!
//! Invariant: no SQL and no state; every method is a call into a lower room.

mod collection;
mod erased;
mod members;
mod narrowed;
mod singular;

pub use collection::Collection;
pub use singular::{Singular, Target};
