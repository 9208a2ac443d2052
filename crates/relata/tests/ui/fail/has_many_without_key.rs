//! A has_many whose target neither has the conventional column nor belongs to the owner.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    #[has_many]
    posts: Post,
    #[has_one]
    draft: Option<Post>,
}

#[model]
pub struct Post {
    id: i64,
    title: String,
}

fn main() {}
