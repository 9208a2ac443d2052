//! The database.
pub mod adapter;
