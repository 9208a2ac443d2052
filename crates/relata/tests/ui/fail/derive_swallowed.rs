//! Derives that the model has already, or that would see the handle and not the columns.

use relata::model;

#[model]
#[derive(Debug, Clone, PartialEq, Default, PartialOrd, Copy, Serialize)]
#[repr(C)]
pub struct Post {
    id: i64,
}

fn main() {}
