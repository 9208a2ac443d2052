//! A polymorphic association leads to the models of its enum, and to no other.

use relata::{Polymorphic, model};

#[model]
pub struct Post {
    id: i64,
}

#[model]
pub struct Person {
    id: i64,
}

#[derive(Polymorphic)]
pub enum Subject {
    Post(Post),
}

#[model]
pub struct Comment {
    id: i64,
    subject_id: i64,
    subject_type: String,
    #[belongs_to(polymorphic)]
    subject: Subject,
}

fn moves(comment: &Comment, person: &Person) {
    comment.set_subject(person);
}

fn all_are_told(subject: Subject) -> i64 {
    match subject {}
}

fn main() {}
