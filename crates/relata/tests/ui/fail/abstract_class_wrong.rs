//! What an abstract class says is written once, and its mistakes are told where they stand.

use relata::model;

#[model(abstract_class)]
pub struct Owned {
    id: i64,
    owner_id: Option<i64>,
    #[belongs_to(optional = false)]
    owner: Option<Person>,
}

#[model(abstract_class = true)]
pub struct Marked {
    mark: String,
}

#[model(abstract_class)]
pub struct Empty;

#[model(abstract_base = "Owned")]
pub struct Chair {
    id: i64,
}

#[model(abstract_base = Owned)]
pub struct Lamp {
    owner_id: i64,
}

#[model(abstract_base = Unknown)]
pub struct Sofa {
    id: i64,
}

#[model]
pub struct Person {
    id: i64,
}

fn main() {}
