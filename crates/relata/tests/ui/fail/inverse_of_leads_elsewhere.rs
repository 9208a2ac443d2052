//! An inverse that leads to another model.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    #[has_many(foreign_key = author_id, inverse_of = blog)]
    posts: Post,
}

#[model]
pub struct Blog {
    id: i64,
}

#[model]
pub struct Post {
    id: i64,
    author_id: i64,
    blog_id: i64,
    #[belongs_to]
    blog: Blog,
}

fn main() {}
