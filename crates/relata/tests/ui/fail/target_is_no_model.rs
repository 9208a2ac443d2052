//! A target that is no model: one message, however many methods name it.

use relata::model;

pub struct Person {
    pub id: i64,
}

#[model]
pub struct Post {
    id: i64,
    author_id: i64,
    #[belongs_to]
    author: Person,
}

fn main() {}
