//! What is loaded with records is an association.

use relata::{Db, model};

#[model]
pub struct Post {
    id: i64,
    title: String,
}

fn wrong(db: &Db) {
    let _ = Post::all(db).includes(|p| p.title);
}

fn main() {}
