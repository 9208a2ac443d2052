//! A field that is declared twice.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    name: String,
}

#[model]
pub struct Post {
    id: i64,
    title: String,
    title: String,
    author_id: i64,
    #[belongs_to]
    author_id: Person,
}

fn main() {}
