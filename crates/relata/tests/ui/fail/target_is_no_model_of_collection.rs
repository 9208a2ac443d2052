//! Members that are no models, narrowed by a scope.

use relata::model;

pub enum Comment {
    Text,
}

#[model]
pub struct Post {
    id: i64,
    #[has_many(foreign_key = post_id, scope = |comments| comments.limit(3))]
    comments: Comment,
}

fn main() {}
