//! SQL as data, and the one writer that turns it into text. Our Arel.
//!
//! ```text
//! Place    where in a query a table stands: the root, or a path of associations from it
//! Expr     a condition or value over columns at places
//! Select   what to read: root, filters, joins, order, limit ...     (inert: can be read, merged, rewritten)
//! Writer   Select -> text and values, for a Dialect
//! ```
//!
//! Invariants: SQL text is made here and nowhere else; every value is bound, never written into the text (except
//! for display by `to_sql`); every identifier goes through [`Dialect::quote`]; nothing here knows a record.

mod alias;
mod apart;
pub(crate) mod dialect;
pub(crate) mod expr;
mod join;
mod lists;
pub(crate) mod place;
pub(crate) mod raw;
mod recursive;
pub(crate) mod schema;
pub(crate) mod select;
pub(crate) mod set_wise;
pub(crate) mod statements;
mod window;
mod writer;

pub(crate) use apart::{Apart, Asks};
pub use dialect::Dialect;
pub use expr::Expr;
pub use place::Place;
pub use raw::Raw;
pub(crate) use recursive::Tree;
pub(crate) use schema::explain;
pub(crate) use select::{Direction, Each, JoinKind, Lock, Order, Select, What};
pub(crate) use writer::Writer;
