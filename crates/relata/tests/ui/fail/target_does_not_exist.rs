//! A target that is not there at all.

use relata::model;

#[model]
pub struct Post {
    id: i64,
    #[has_many]
    comments: Comment,
}

fn main() {}
