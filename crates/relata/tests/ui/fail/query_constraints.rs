//! What names a row is a column, and associations name their keys beside it.

use relata::model;

#[model(query_constraints = (shop, id))]
pub struct Invoice {
    id: i64,
    shop_id: i64,
    #[has_many]
    items: Item,
}

#[model]
pub struct Item {
    id: i64,
    invoice_id: i64,
}

fn main() {}
