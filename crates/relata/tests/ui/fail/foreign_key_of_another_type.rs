//! A key that has not the type of what it refers to: told at the belongs_to, not again at the has_many.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    #[has_many]
    posts: Post,
}

#[model]
pub struct Post {
    id: i64,
    author_id: i32,
    #[belongs_to]
    author: Person,
}

fn main() {}
