//! An enum whose variants hold something.

use relata::Attribute;

#[derive(Attribute)]
pub enum Status {
    Draft,
    Published(i64),
    Gone { why: String },
}

fn main() {}
