//! Options that has_one does not have.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    #[has_one(counter_cache)]
    profile: Option<Profile>,
    #[has_one(class_name = "Profile")]
    other: Option<Profile>,
}

#[model]
pub struct Profile {
    id: i64,
    person_id: i64,
}

fn main() {}
