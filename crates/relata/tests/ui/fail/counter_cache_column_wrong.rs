//! A counter that is no column of the target, or of the owner, or no integer.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    notes_count: String,
    #[has_many]
    posts: Post,
    #[has_many(counter_cache = letter_count)]
    letters: Letter,
}

#[model]
pub struct Post {
    id: i64,
    person_id: i64,
    #[belongs_to(counter_cache)]
    person: Person,
}

#[model]
pub struct Letter {
    id: i64,
    person_id: i64,
    #[belongs_to(counter_cache = leters_count)]
    person: Person,
}

#[model]
pub struct Note {
    id: i64,
    person_id: i64,
    #[belongs_to(counter_cache(active = false))]
    person: Person,
}

fn main() {}
