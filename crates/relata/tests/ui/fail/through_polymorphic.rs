//! No through goes over a key to any of several models; the limit of each owner is that of a collection; `as` is of the other side.

use relata::{Polymorphic, model};

#[derive(Polymorphic)]
pub enum Subject {
    User(User),
}

#[model]
pub struct Remark {
    id: i64,
    subject_id: i64,
    subject_type: String,
    #[belongs_to(polymorphic)]
    subject: Subject,
    #[has_one(through = subject, source = friend)]
    friend: Option<User>,
}

#[model]
pub struct User {
    id: i64,
    friend_id: i64,
    #[belongs_to(foreign_key = friend_id, scope = |all| all.order(|u| u.id).limit(1).per_owner())]
    friend: User,
    #[belongs_to(foreign_key = friend_id, as = subject)]
    other: User,
}

fn main() {}
