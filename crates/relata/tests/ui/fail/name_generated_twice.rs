//! Names that another field generates.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    name: String,
}

#[model]
pub struct Post {
    id: i64,
    title: String,
    title_changed: bool,
    author_id: i64,
    set_author: String,
    #[belongs_to]
    author: Person,
}

fn main() {}
