//! A subclass gives its base away, and so is seen no further.

use relata::model;

#[model(subclasses = (Admin))]
pub(crate) struct User {
    id: i64,
    r#type: Option<String>,
}

#[model(base = User)]
pub struct Admin {}

fn main() {}
