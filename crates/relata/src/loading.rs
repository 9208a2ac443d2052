//! Loading: runs relations and associations.
//!
//! ```text
//! run       a relation: statement, rows, records            decode    cells to words
//! preload   an association for many owners, in one query     lazy     for one, and its siblings with it
//! joined    a relation and its associations, in one query with joins
//! owners    which targets belong to which owners
//! finders   first, take, find, sole ...    calculate   count, sum ...    batches   find_each, in_batches
//! ```
//!
//! Invariant: loading never writes, and every link it makes it hands to the record room whole.

mod batches;
mod calculate;
mod decode;
mod finders;
mod joined;
mod lazy;
mod owners;
mod pluck;
mod preload;
mod records;
mod run;

pub use batches::{Batches, Each};
pub(crate) use finders::find;
pub(crate) use finders::find_typed_error;
pub(crate) use lazy::{load_many, load_one};
pub use pluck::Columns;
pub use records::{preload, preload_named};
pub(crate) use run::{fetch_by_key, load, statement};
