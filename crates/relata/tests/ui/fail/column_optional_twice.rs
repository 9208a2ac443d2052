//! A null cannot say which of two `Option`s is empty: what was written as `Some(None)` was read as `None`.

use relata::model;

#[model]
pub struct Post {
    id: i64,
    subtitle: Option<Option<String>>,
}

fn main() {}
