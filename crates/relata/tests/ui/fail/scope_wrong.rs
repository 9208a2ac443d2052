//! Scopes that are no closure, or take something else than members and owner.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    #[has_many(scope = recent)]
    posts: Post,
    #[has_many(scope = |posts, owner, more| posts)]
    others: Post,
    #[has_many(scope)]
    all_of_them: Post,
}

#[model]
pub struct Post {
    id: i64,
    person_id: i64,
}

fn main() {}
