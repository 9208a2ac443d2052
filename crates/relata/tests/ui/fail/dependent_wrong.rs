//! `dependent`: values that the macro does not have.

use relata::model;

#[model]
pub struct Post {
    id: i64,
    author_id: i64,
    #[belongs_to(dependent = nullify)]
    author: Author,
    #[has_many(dependent = destory)]
    comments: Comment,
}

#[model]
pub struct Comment {
    id: i64,
    post_id: i64,
    #[belongs_to]
    post: Post,
}

#[model]
pub struct Author {
    id: i64,
    #[has_many(dependent = destroy, ensuring_owner_was = |author: &Author| author.id() > 1)]
    posts: Post,
}

fn main() {}
