//! The type of an association is the model itself.

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
    #[belongs_to]
    author: Box<Person>,
    #[has_many]
    readers: Vec<Person>,
    #[has_many]
    editors: Option<Person>,
    #[belongs_to]
    owner: &'static Person,
}

fn main() {}
