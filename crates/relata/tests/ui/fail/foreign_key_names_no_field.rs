//! A written foreign key that is no field, and one that is an association.

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
    #[belongs_to(foreign_key = writter_id)]
    author: Person,
    #[belongs_to(foreign_key = author)]
    editor: Person,
}

fn main() {}
