//! A type that cannot be a column: one message, at the field.

use relata::model;

use std::collections::HashMap;

#[model]
pub struct Post {
    id: i64,
    meta: HashMap<String, String>,
    more: Option<std::time::Duration>,
}

fn main() {}
