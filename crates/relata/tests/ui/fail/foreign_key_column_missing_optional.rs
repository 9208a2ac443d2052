//! The suggested key of an optional belongs_to can be null, and a near column is named.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    name: String,
}

#[model]
pub struct Post {
    id: i64,
    autor_id: Option<i64>,
    #[belongs_to]
    author: Option<Person>,
}

fn main() {}
