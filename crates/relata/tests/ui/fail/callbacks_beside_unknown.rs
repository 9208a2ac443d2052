//! A callback that stands beside an association which is not there.

use relata::{callbacks, model};

#[model]
pub struct Post {
    id: i64,
    #[has_many]
    comments: Comment,
}

#[model]
pub struct Comment {
    id: i64,
    post_id: i64,
    #[belongs_to]
    post: Post,
}

#[callbacks]
impl Post {
    #[before_destroy(before = coments)]
    fn look(&self) {}
}

fn main() {}
