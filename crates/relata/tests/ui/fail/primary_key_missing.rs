//! A model without a key, and one whose key is no field.

use relata::model;

#[model]
pub struct Post {
    title: String,
}

#[model(primary_key = uid)]
pub struct Tag {
    uuid: String,
}

fn main() {}
