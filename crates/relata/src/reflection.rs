//! Reflection: the static tables that describe a model. The one source that the macro fills and that
//! loading, SQL, saving and every tool read.
//!
//! ```text
//! ModelReflection ─┬─ Column        a stored attribute: name, type, null, default
//!                  ├─ AssociationReflection   a declaration, as written
//!                  │     └─ Resolved          its keys, target and inverse, worked out at first use
//!                  └─ Layout        where each attribute lies in a row
//! ```
//!
//! Invariant: a reflection never changes once another room can see it, and nothing in here touches a record
//! or a database. Models made at run time are leaked, so that they are as static as compiled ones.

mod association;
mod builder;
mod check;
mod classes;
mod column;
mod declared;
mod enumeration;
mod hooks;
mod inheritance;
mod inverse;
mod join_table;
mod layout;
mod locking;
mod model;
mod nested;
mod password;
mod polymorphic;
mod reflected;
mod resolve;
mod route;
pub mod shape;
mod store;
mod timestamps;

pub use association::{
    AssociationReflection, Dependent, IndexErrors, InverseOf, Macro, Target, Touch,
};
pub(crate) use association::{allowed_position, is_any_deprecated, refused_position};
pub use builder::ModelBuilder;
pub use check::{Mistakes, check_models};
pub(crate) use check::{mistakes, wrong_defaults};
pub use classes::{Classes, Registry};
pub use column::{Column, ColumnDefault, Normalization};
pub use declared::{Declared, Setting};
pub use enumeration::Enumeration;
pub(crate) use hooks::{Act, Hook, Looked};
pub use inheritance::Inheritance;
#[doc(hidden)]
pub use inheritance::{accepting, merged, places, targets, width};
pub use inverse::InverseReason;
pub use join_table::JoinTable;
pub(crate) use layout::{Layout, Slot};
pub use locking::Locking;
pub use model::{Callbacks, ModelReflection};
pub use nested::NestedAttributes;
pub use password::{PasswordHash, SecurePassword};
pub use reflected::Reflected;
pub use resolve::{KeyReason, Resolved, TypeColumn};
pub(crate) use route::Hop;
pub use route::Through;
pub use store::StoreAccessor;
pub(crate) use timestamps::Stamps;
pub use timestamps::Timestamps;
