//! Options that has_many does not have, though others do.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    #[has_many(optional)]
    posts: Post,
}

#[model]
pub struct Post {
    id: i64,
    person_id: i64,
    #[belongs_to]
    person: Person,
}

fn main() {}
