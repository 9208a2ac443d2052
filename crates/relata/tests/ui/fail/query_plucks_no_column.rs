//! What is plucked is a column.

use relata::{Db, model};

#[model]
pub struct Post {
    id: i64,
    title: String,
}

fn wrong(db: &Db) {
    let _ = Post::all(db).pluck(|p| p.id.gt(1));
}

fn main() {}
