//! The option says one thing and the type another.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    name: String,
}

#[model]
pub struct Post {
    id: i64,
    author_id: Option<i64>,
    #[belongs_to(optional)]
    author: Person,
    editor_id: i64,
    #[belongs_to(required)]
    editor: Option<Person>,
}

fn main() {}
