//! Types of Rust that are no column of any database, also as the key: one message each.

use relata::model;

#[model]
pub struct Post {
    id: usize,
    stars: Option<isize>,
    letter: char,
}

#[model]
pub struct Tag {
    id: i64,
    hash: u128,
}

fn main() {}
