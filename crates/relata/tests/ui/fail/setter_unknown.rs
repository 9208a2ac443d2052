//! A setter that is not there.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    name: String,
    #[has_many(foreign_key = author_id)]
    posts: Post,
}

#[model]
pub struct Post {
    id: i64,
    title: String,
    author_id: i64,
    #[belongs_to]
    author: Person,
}

pub fn set(post: &Post) {
    post.set_titel("x");
}

fn main() {}
