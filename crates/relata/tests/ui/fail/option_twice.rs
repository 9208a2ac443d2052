//! An option, and a macro, that is given twice.

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
    #[belongs_to(foreign_key = author_id, foreign_key = id)]
    author: Person,
    editor_id: i64,
    #[belongs_to]
    #[belongs_to(strict_loading)]
    editor: Person,
    owner_id: i64,
    #[belongs_to]
    #[has_one]
    owner: Person,
}

fn main() {}
