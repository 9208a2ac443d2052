//! Validations: unknown, to come, and none.

use relata::model;

#[model]
pub struct Post {
    id: i64,
    #[validates(precence)]
    title: String,
    #[validates(length(max = 80))]
    teaser: String,
    #[validates]
    body: String,
}

fn main() {}
