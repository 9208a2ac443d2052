//! Rails' Active Record associations for Rust: declare them once, walk them everywhere. Within what was loaded or linked
//! together, one row is one object; lazy loading takes siblings along, so a loop never runs N + 1 queries.
//!
//! ```
//! use relata::{Db, model};
//!
//! /// Who writes.
//! #[model]
//! pub struct Person {
//!     id: i64,
//!     #[validates(presence)]
//!     name: String,
//!     #[has_many]
//!     posts: Post,
//! }
//!
//! /// What is written.
//! #[model]
//! pub struct Post {
//!     id: i64,
//!     title: String,
//!     person_id: i64,
//!     #[belongs_to]
//!     person: Person,
//! }
//!
//! # fn main() -> relata::Result<()> {
//! relata::run(async {
//!     let db = Db::connect("sqlite::memory:").await?;
//!     db.create_tables([Person::reflection(), Post::reflection()]).await?;
//!
//!     let ann = Person::create(&db, |p| p.set_name("Ann")).await?;
//!     let post = ann.posts().create(|p| p.set_title("Hello")).await?;
//!     assert!(post.person().await?.is(&ann)); // the same object, and no query
//!
//!     let all = Post::all(&db).filter(|p| p.person.name.eq("Ann")).order(|p| p.id.desc());
//!     relata::assert_queries!(db, 2, {
//!         for post in &all.await? {
//!             assert_eq!(post.person().await?.name(), "Ann");
//!         }
//!     });
//!
//!     let nobody = Person::build(&db, |p| p.set_name(""));
//!     assert_eq!(nobody.save().await.unwrap_err().to_string(), "Validation failed: Name can't be blank");
//!     Ok(())
//! })
//! # }
//! ```
//!
//! The rule of await: a method that returns something to await may touch the database; every other never does.
//!
//! Start at [`model`](macro@model) for declarations, [`Relation`] for queries, [`Record`] for what every model can do,
//! [`Singular`] and [`Collection`] for what an association gives, [`Db`] for connections and transactions.

// What is wrong is an error with its cause. A test may panic, and what is decided while compiling has no other way.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable
)]

// Models of unit tests name the library as those of users do.
#[cfg(test)]
extern crate self as relata;

#[doc(hidden)]
#[path = "declare.rs"]
pub mod __private;
pub mod association;
pub mod attribute;
pub mod callback;
pub mod db;
mod deprecation;
mod error;
pub mod fields;
mod hashing;
mod job;
pub mod jobs;
pub mod loading;
mod messages;
pub mod model;
pub mod params;
mod pending;
pub mod persistence;
pub mod prelude;
pub mod proxy;
pub mod record;
pub mod reflection;
pub mod relation;
mod running;
mod schema;
mod sql;
pub mod validation;
mod warning;

pub use association::Association;
pub use attribute::{Attribute, Value};
pub use callback::Abort;
pub use db::{Db, Isolation, Options, Row, Transaction, UnlessRolledBack};
pub use deprecation::{DeprecatedAssociations, DeprecatedUse};
pub use error::{Error, ErrorKind, Result};
pub use fields::Fields;
pub use job::{DestroyJob, JobQueue};
pub use messages::{English, Messages};
pub use model::{Among, FromRecord, Key, Model, Polymorphic, Towards};
pub use params::{Param, Params, Permit};
pub use pending::Pending;
pub use persistence::{Errors, NoTouching, Problem, SaveOptions, Saved, is_touching, no_touching};
pub use proxy::{Collection, Singular};
pub use record::Record;
pub use relation::Relation;
pub use schema::{Difference, DifferenceKind};
pub use sql::{Dialect, Expr, Place, Raw};

#[doc(inline)]
pub use relata_macros::{Attribute, Polymorphic, callbacks, model, scopes, test};

/// Makes models known by their stored names, so that open polymorphic associations lead to them. Never touches the
/// database. To be called at the start of a program, once for all of them.
///
/// ```
/// # use relata::{Db, model};
/// # #[model] pub struct Post { id: i64 }
/// relata::register([Post::reflection()]);
/// ```
pub fn register(models: impl IntoIterator<Item = &'static reflection::ModelReflection>) {
    models
        .into_iter()
        .for_each(|model| reflection::Registry::program().add(model));
}

#[cfg(feature = "serde")]
#[doc(hidden)]
#[macro_export]
macro_rules! __serialize {
    ($model:ident) => {
        #[automatically_derived]
        impl $crate::__private::serde::Serialize for $model {
            fn serialize<S: $crate::__private::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                $crate::__private::serde::Serialize::serialize(&self.0, serializer)
            }
        }
    };
}

#[cfg(not(feature = "serde"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __serialize {
    ($model:ident) => {};
}

/// Runs a future to its end on a small runtime of its own: for `main` and for examples.
///
/// # Errors
/// The future's error; `Configuration` inside a runtime, where the future is to be awaited; when it leaves a transaction or
/// a statement open and no task that could end it, an error that names where it was begun.
pub fn run<T>(future: impl std::future::Future<Output = Result<T>>) -> Result<T> {
    running::run(future)
}
