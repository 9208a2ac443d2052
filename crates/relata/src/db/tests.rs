//! Tests of what only an adapter of their own can show.

mod pipelined;
mod together;

pub(super) use pipelined::Pipelined;
