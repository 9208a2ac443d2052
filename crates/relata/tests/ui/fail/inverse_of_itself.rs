//! An association that is its own inverse, and two that both hold the key.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    spouse_id: Option<i64>,
    #[belongs_to(inverse_of = spouse)]
    spouse: Option<Person>,
    friend_id: Option<i64>,
    #[belongs_to(inverse_of = spouse)]
    friend: Option<Person>,
}

fn main() {}
