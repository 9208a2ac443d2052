//! What a polymorphic association cannot be declared as.

use relata::{Polymorphic, model};

#[derive(Polymorphic)]
pub enum Subject {
    Post(Post),
    Both(Post, Post),
}

#[derive(Polymorphic)]
pub struct Anything {
    post: Post,
}

#[model]
pub struct Post {
    id: i64,
    #[has_many(as = subject)]
    comments: Comment,
    #[has_many(foreign_type = kind)]
    others: Comment,
}

#[model]
pub struct Comment {
    id: i64,
    post_id: i64,
    about_id: i64,
    #[belongs_to(polymorphic)]
    about: Post,
    #[delegated_type]
    kind: Post,
}

fn main() {}
