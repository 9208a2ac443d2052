//! A field that generates a method which exists already.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    name: String,
}

#[model]
pub struct Post {
    id: i64,
    attribute: String,
    is: bool,
    restore_attributes: String,
}

fn main() {}
