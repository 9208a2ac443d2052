//! Everything public that is generated has documentation, and the user's own comes first.
#![deny(missing_docs)]

use relata::{Attribute, model};

/// How far a post is.
#[derive(Attribute)]
pub enum Status {
    /// Nobody sees it.
    Draft,
    /// Everybody sees it.
    Published,
}

/// Somebody who writes.
///
/// Of legal age.
#[model]
pub struct Person {
    id: i64,
    /// As it stands on the book.
    name: String,
    #[deprecated = "ask for the date of birth"]
    age: Option<i32>,
    /// What was written.
    #[has_many]
    posts: Post,
}

#[model]
pub struct Post {
    id: i64,
    status: Status,
    person_id: i64,
    #[belongs_to]
    person: Person,
}

fn main() {
    let person = Person::reflection();
    assert_eq!(person.documentation(), "Somebody who writes.\n\nOf legal age.");
    assert_eq!(person.columns()[1].documentation(), "As it stands on the book.");
    assert_eq!(Person::reflect_on_association("posts").unwrap().documentation(), "What was written.");
}
