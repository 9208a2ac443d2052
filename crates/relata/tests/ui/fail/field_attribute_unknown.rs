//! Attributes that no field of a model has.

use relata::model;

#[model]
pub struct Post {
    #[id]
    id: i64,
    #[validate(presence)]
    title: String,
    #[belong_to]
    author_id: i64,
    #[cfg(test)]
    draft: bool,
    #[serde(skip)]
    secret: String,
    #[encrypts]
    note: String,
}

fn main() {}
