//! An inverse over another key.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    #[has_many(foreign_key = editor_id, inverse_of = author)]
    edited: Post,
}

#[model]
pub struct Post {
    id: i64,
    author_id: i64,
    editor_id: i64,
    #[belongs_to]
    author: Person,
}

fn main() {}
