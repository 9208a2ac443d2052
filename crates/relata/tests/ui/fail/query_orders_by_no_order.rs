//! An order is a column, up or down.

use relata::{Db, model};

#[model]
pub struct Post {
    id: i64,
    title: String,
}

fn newest(db: &Db) {
    let _ = Post::all(db).order(|p| p.title.eq("x"));
}

fn main() {}
