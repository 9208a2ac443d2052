//! Values for members of what a subclass inherits, where its base has no such association.

use relata::model;

#[model(subclasses = (Admin))]
pub struct User {
    id: i64,
    r#type: Option<String>,
    #[has_many]
    posts: Post,
}

#[model(base = User)]
#[accepts_nested_attributes_for(posts, comments)]
pub struct Admin {}

#[model]
pub struct Post {
    id: i64,
    user_id: i64,
    #[belongs_to]
    user: User,
}

fn main() {}
