//! Rails' Active Record associations for Rust.

#[doc(hidden)]
#[path = "declare.rs"]
pub mod __private;
pub mod association;
pub mod attribute;
pub mod db;
mod error;
mod hashing;
pub mod loading;
pub mod model;
mod pending;
pub mod persistence;
pub mod proxy;
pub mod record;
pub mod reflection;
pub mod relation;
mod schema;
mod sql;

pub use association::Association;
pub use attribute::{Attribute, Value};
pub use db::{Db, Options};
pub use error::{Error, ErrorKind, Result};
pub use model::{FromRecord, Key, Model};
pub use pending::Pending;
pub use persistence::{Errors, Problem};
pub use proxy::{Collection, Singular};
pub use record::Record;
pub use relation::Relation;
pub use sql::{Dialect, Expr, Place, Raw};

#[doc(inline)]
pub use relata_macros::{Attribute, model, test};

/// Runs a future to its end on a small runtime of its own: for `main` and for examples.
///
/// # Errors
/// The future's error.
pub fn run<T>(future: impl std::future::Future<Output = Result<T>>) -> Result<T> {
    __private::block_on(future)
}
