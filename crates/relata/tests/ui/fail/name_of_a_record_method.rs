//! Names that a record answers to already.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    name: String,
}

#[model]
pub struct Post {
    id: i64,
    save: String,
    clone: bool,
    find: String,
    errors_id: i64,
    #[belongs_to]
    errors: Person,
}

fn main() {}
