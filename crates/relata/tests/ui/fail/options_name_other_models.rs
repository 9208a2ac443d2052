//! What options name in other models is there: columns of types, models of an enum.

use relata::{Polymorphic, model};

#[model]
pub struct User {
    id: i64,
    #[has_many(as = subject)]
    remarks: Remark,
    #[has_many(as = nothing)]
    nothings: Remark,
}

#[model]
pub struct Post {
    id: i64,
    user_id: i64,
    #[belongs_to]
    user: User,
}

#[model]
pub struct Like {
    id: i64,
    user_id: i64,
    #[belongs_to]
    user: User,
}

#[derive(Polymorphic)]
pub enum Subject {
    Post(Post),
    Like(Like),
}

#[model]
pub struct Remark {
    id: i64,
    subject_id: i64,
    subject_type: String,
    #[belongs_to(polymorphic)]
    subject: Subject,
}

#[model]
pub struct Pin {
    id: i64,
    on_id: i64,
    on_type: i64,
    #[belongs_to(polymorphic)]
    on: Subject,
}

#[model]
pub struct Entry {
    id: i64,
    entryable_id: i64,
    entryable_type: String,
    #[delegated_type(types = (Post, User))]
    entryable: Subject,
}

fn main() {}
