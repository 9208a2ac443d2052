//! Names are written without quotes.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    name: String,
}

#[model]
pub struct Post {
    id: i64,
    writer_id: i64,
    #[belongs_to(foreign_key = "writer_id")]
    author: Person,
}

fn main() {}
