//! Options that Rails has and that are to come: refused, never ignored.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    #[has_many(dependent = destroy)]
    posts: Post,
}

#[model(implicit_order_column = id)]
pub struct Post {
    id: i64,
    person_id: i64,
    #[belongs_to(counter_cache, touch = true)]
    person: Person,
    #[encrypts]
    notes: String,
}

fn main() {}
