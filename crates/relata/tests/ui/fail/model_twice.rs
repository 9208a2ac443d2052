//! A model is declared once.

use relata::model;

#[model]
#[model]
pub struct Post {
    id: i64,
    title: String,
}

fn titles(db: &relata::Db) {
    let _ = Post::all(db).order(|p| p.title);
}

fn main() {}
