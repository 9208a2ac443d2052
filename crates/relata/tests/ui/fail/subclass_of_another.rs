//! A collection of one class takes no record of another, and a subclass makes its own.

use relata::{Result, model};

#[model]
pub struct Owner {
    id: i64,
    #[has_many]
    cars: Car,
}

#[model(subclasses = (Car, Truck))]
pub struct Vehicle {
    id: i64,
    owner_id: i64,
    r#type: Option<String>,
}

#[model(base = Vehicle)]
pub struct Car {
    owner_id: i64,
}

#[model(base = Vehicle)]
pub struct Truck {
    #[belongs_to]
    owner: Owner,
}

#[model(base = Owner)]
pub struct Boat {}

pub async fn pushed(owner: &Owner, truck: &Truck) -> Result<()> {
    owner.cars().push(truck).await
}

pub async fn narrowed(truck: &Truck) -> Car {
    truck.clone()
}

fn main() {}
