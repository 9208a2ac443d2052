//! A column owns its value.

use relata::model;

#[model]
pub struct Post {
    id: i64,
    title: &'static str,
    place: (f64, f64),
}

fn main() {}
