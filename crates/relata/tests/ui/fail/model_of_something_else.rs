//! Only a struct with named fields is a model.

use relata::model;

#[model]
pub enum Status {
    Draft,
}

#[model]
pub struct Pair(i64, String);

#[model]
pub struct Unit;

#[model]
pub fn function() {}

fn main() {}
