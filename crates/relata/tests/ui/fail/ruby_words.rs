//! What is written otherwise in Ruby.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    #[has_many(inverse_of = nil)]
    posts: Post,
    #[has_many(foreign_key: :author_id)]
    letters: Post,
    #[has_many(foreign_key = :author_id)]
    notes: Post,
    #[has_many(foreign_key => author_id)]
    books: Post,
    #[has_many(scope = -> { order(id) })]
    songs: Post,
}

#[model]
pub struct Post {
    id: i64,
    #[column(default = nil)]
    title: Option<String>,
    #[validates(inclusion(in = ["a", nil]))]
    kind: Option<String>,
    person_id: i64,
    #[belongs_to(dependent = nil)]
    person: Person,
}

fn main() {}
