//! A subclass has its base's table and columns, and its base knows of it.

use relata::model;

#[model(subclasses = (Admin, Guest))]
pub struct User {
    id: i64,
    r#type: Option<String>,
    name: String,
}

#[model(base = User)]
pub struct Admin {
    nmae: String,
}

#[model(base = User)]
pub struct Guest {
    name: i64,
}

#[model(base = User)]
pub struct Robot {
    name: String,
}

#[model(base = User, table = "owners")]
pub struct Owner {
    name: String,
}

#[model(subclasses = (Truck))]
pub struct Vehicle {
    id: i64,
}

#[model(base = Vehicle)]
pub struct Truck {}

fn main() {}
