//! The tasks of the workspace, as functions: `main.rs` is their command line, `tests/` calls them directly.
//!
//! Invariant: standard library only. Whatever a task needs besides is a program it runs and names.

#![allow(missing_docs, reason = "internal: each module says what it is for")]

pub mod callgrind;
pub mod clock;
pub mod command;
pub mod compile_cost;
pub mod links;
pub mod mutants;
pub mod packaging;
pub mod rooms;
pub mod tidy;
pub mod tiers;
pub mod tools;
pub mod workspace;
