//! A belongs_to whose key is no field.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    name: String,
}

#[model]
pub struct Post {
    id: i64,
    #[belongs_to]
    author: Person,
}

fn main() {}
