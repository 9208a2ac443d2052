//! A key of two columns is found by two values.

use relata::{Db, Result, model};

#[model(primary_key = (shop, number))]
pub struct Order {
    shop: i64,
    number: i64,
}

pub async fn narrow(db: &Db) -> Result<Order> {
    Order::find(db, 1).await
}

pub async fn wide(db: &Db) -> Result<Order> {
    Order::find(db, (1, 2, 3)).await
}

fn main() {}
