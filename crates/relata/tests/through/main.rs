//! Associations that go through others, by name: what is read, by which statements, and what stays in memory.

mod instance_dependent;
mod keys;
mod reading;
mod shapes;
#[path = "../sweep.rs"]
mod sweep;
mod typed;
mod whole;
mod world;
