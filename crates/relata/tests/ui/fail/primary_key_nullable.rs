//! A primary key is never null.

use relata::model;

#[model]
pub struct Post {
    id: Option<i64>,
}

fn main() {}
