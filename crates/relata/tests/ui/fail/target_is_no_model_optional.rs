//! An optional target that is no model, by its path.

use relata::model;

mod people {
    pub struct Person {
        pub id: i64,
    }
}

#[model]
pub struct Post {
    id: i64,
    author_id: Option<i64>,
    #[belongs_to]
    author: Option<people::Person>,
}

fn main() {}
