//! What a program that uses models names all the time: `use relata::prelude::*;`.
//!
//! Invariant: nothing here hides a name of Rust's own prelude with something else: `Result` is the same type with the
//! library's error as its default.
//!
//! ```
//! use relata::prelude::*;
//!
//! #[model]
//! pub struct Person {
//!     id: i64,
//!     name: String,
//! }
//!
//! async fn rename(db: &Db, id: i64, name: &str) -> Result<Option<()>> {
//!     db.transaction(async || Person::find(db, id).await?.update(|p| p.set_name(name)).await)
//!         .await
//!         .unless_rolled_back()
//! }
//! ```

pub use crate::{Attribute, Db, Error, ErrorKind, Model, Result, Saved, UnlessRolledBack, model};
