//! Loading: runs relations and associations.
//!
//! ```text
//! run       a relation: statement, rows, records            decode    cells to words
//! preload   an association for many owners, in one query     lazy     for one, and its siblings with it
//! joined    a relation and its associations, in one query with joins
//! includes  the tree of what is loaded with records
//! available records at hand, in place of rows
//! hops      what siblings lead to through others, hop by hop
//! owners    which targets belong to which owners          parts     owners whose targets one query finds
//! collection   what a collection knows without its members, and with them
//! finders   first, take, find, sole ...    calculate   count, sum ...    groups   of groups    tallies   of many owners' targets    batches   find_each, in_batches
//! ```
//!
//! Invariant: loading never writes, and every link it makes it hands to the record room whole.

mod apart;
mod available;
mod batches;
mod calculate;
mod collection;
mod decode;
mod finders;
mod groups;
mod hops;
mod includes;
mod joined;
mod lazy;
mod owners;
mod parts;
mod pluck;
mod preload;
mod preloader;
mod records;
mod run;
mod scoping;
mod tallies;
mod through;

pub(crate) use apart::settled_rows;
pub use batches::{Batches, Each, Next};
pub(crate) use calculate::Summable;
pub(crate) use decode::Tuples;
pub(crate) use finders::find_typed_error;
pub(crate) use finders::{check_key, find, held_key};
pub(crate) use lazy::{has_any, load_many, load_one, load_to_replace};
pub use pluck::Columns;
pub(crate) use pluck::own_positions;
pub use preloader::Preloader;
pub use records::{preload, preload_named};
pub(crate) use run::{fetch_by_key, fetch_row, load, statement};
pub use scoping::Scoping;
pub use tallies::{counts, counts_named, maximums, minimums, sums, tallies_named};
