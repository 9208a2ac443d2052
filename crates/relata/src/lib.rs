//! relata.

pub mod attribute;
pub mod db;
mod error;
pub mod record;
pub mod reflection;

pub use error::{Error, ErrorKind, Result};
