//! What Rails adds to a collection with `extend` is a trait, and an order that holds by default a closure.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    #[has_many(extend = Loud)]
    posts: Post,
    #[has_many(default_order = "id desc")]
    ordered: Post,
}

#[model]
pub struct Post {
    id: i64,
    person_id: i64,
    #[belongs_to]
    person: Person,
}

fn main() {}
