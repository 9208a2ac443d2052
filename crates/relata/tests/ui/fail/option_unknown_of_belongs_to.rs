//! An option that belongs_to does not have.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    name: String,
}

#[model]
pub struct Post {
    id: i64,
    author_id: i64,
    #[belongs_to(foriegn_key = author_id)]
    author: Person,
}

fn main() {}
