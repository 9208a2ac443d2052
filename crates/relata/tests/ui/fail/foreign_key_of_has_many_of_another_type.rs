//! A has_many over a key of another type, where no belongs_to tells it.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    #[has_many(foreign_key = author)]
    posts: Post,
}

#[model]
pub struct Post {
    id: i64,
    author: String,
}

fn main() {}
