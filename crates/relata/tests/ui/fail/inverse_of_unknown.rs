//! An inverse that the target does not have.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    #[has_many(inverse_of = writer)]
    posts: Post,
}

#[model]
pub struct Post {
    id: i64,
    author_id: i64,
    #[belongs_to]
    author: Person,
}

fn main() {}
