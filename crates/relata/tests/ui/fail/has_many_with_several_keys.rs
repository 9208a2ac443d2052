//! A has_many whose target belongs to the owner twice.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    #[has_many]
    posts: Post,
}

#[model]
pub struct Post {
    id: i64,
    author_id: i64,
    editor_id: i64,
    #[belongs_to]
    author: Person,
    #[belongs_to]
    editor: Person,
}

fn main() {}
