//! A scope that gives something else than it took.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    #[has_many(scope = |posts| posts.filter(|p| p.titel.eq("x")))]
    posts: Post,
    #[has_many(scope = |posts| 3)]
    others: Post,
}

#[model]
pub struct Post {
    id: i64,
    title: String,
    person_id: i64,
}

fn main() {}
