//! An optional belongs_to whose key cannot be null.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    name: String,
}

#[model]
pub struct Post {
    id: i64,
    author_id: i64,
    #[belongs_to]
    author: Option<Person>,
}

fn main() {}
