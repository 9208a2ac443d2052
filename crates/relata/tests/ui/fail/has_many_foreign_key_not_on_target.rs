//! A written key that the target does not have.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    #[has_many(foreign_key = writer_id)]
    posts: Post,
}

#[model]
pub struct Post {
    id: i64,
    author_id: i64,
}

fn main() {}
