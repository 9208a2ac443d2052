//! A model is one table.

use relata::model;

#[model]
pub struct Post<T> {
    id: i64,
    meta: T,
}

#[model]
pub struct Note<'a> {
    id: i64,
    text: &'a str,
}

fn main() {}
