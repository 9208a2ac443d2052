//! What is summed is a number.

use relata::{Db, model};

#[model]
pub struct Post {
    id: i64,
    title: String,
}

fn wrong(db: &Db) {
    let _ = Post::all(db).sum(|p| p.title);
}

fn main() {}
