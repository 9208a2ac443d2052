//! A column to touch that the target does not have, or that holds no time.

use relata::{Polymorphic, model};

#[model]
pub struct Person {
    id: i64,
    seen_at: i64,
    #[has_one(touch = read_at)]
    post: Option<Post>,
}

#[model]
pub struct Post {
    id: i64,
    person_id: i64,
    #[belongs_to(touch = seen)]
    person: Person,
}

#[model]
pub struct Letter {
    id: i64,
    person_id: i64,
    #[belongs_to(touch = seen_at)]
    person: Person,
}

#[derive(Debug, Polymorphic)]
pub enum Marked {
    Person(Person),
    Letter(Letter),
}

#[model]
pub struct Mark {
    id: i64,
    marked_id: i64,
    marked_type: String,
    #[belongs_to(polymorphic, touch = marked_at)]
    marked: Marked,
}

fn main() {}
