//! An association without its attribute.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    name: String,
}

#[model]
pub struct Post {
    id: i64,
    author: Person,
}

fn main() {}
