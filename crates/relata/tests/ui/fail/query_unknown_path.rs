//! A path that the models do not have.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    name: String,
    #[has_many(foreign_key = author_id)]
    posts: Post,
}

#[model]
pub struct Post {
    id: i64,
    title: String,
    author_id: i64,
    #[belongs_to]
    author: Person,
}

pub fn query(db: &relata::Db) {
    let _ = Post::all(db).filter(|p| p.author.post.title.eq("x"));
}

fn main() {}
