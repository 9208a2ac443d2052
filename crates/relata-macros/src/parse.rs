//! Parsing: the user's tokens to a [`Model`](crate::model::Model).
//!
//! Knows the syntax of every attribute and which options each takes; what needs more than one field to judge is
//! left to `check`.

mod association;
mod column;
mod declaration;
mod enumeration;
mod field;
mod nested;
mod options;
mod password;
mod store;
mod table;
mod validates;

pub(crate) use declaration::declaration;
pub(crate) use options::{Entry, Known, entries, of_attribute};
pub(crate) use validates::narrow;
