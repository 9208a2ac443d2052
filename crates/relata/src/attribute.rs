//! Attribute types: how a Rust type is held in a row, read from it and written to it.
pub mod value;
