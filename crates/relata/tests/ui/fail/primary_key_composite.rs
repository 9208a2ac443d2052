//! Keys of different numbers of columns.

use relata::model;

#[model(primary_key = (shop_id, number))]
pub struct Order {
    shop_id: i64,
    number: i64,
    #[has_many(foreign_key = order_number)]
    lines: Line,
}

#[model]
pub struct Line {
    id: i64,
    shop_id: i64,
    order_number: i64,
    order_id: i64,
    #[belongs_to]
    order: Order,
}

fn main() {}
