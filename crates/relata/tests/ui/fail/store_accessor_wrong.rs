//! Values of documents that have no type, no document, no name, or a name that is taken.

use relata::model;

#[model]
pub struct Blog {
    id: i64,
    #[store_accessor(color: String)]
    name: String,
    #[store_accessor]
    one: Document,
    #[store_accessor(color)]
    two: Document,
    #[store_accessor(color: String, prefix = 3)]
    three: Document,
    #[store_accessor(save: bool)]
    four: Document,
    #[store_accessor(name: bool)]
    five: Document,
}

fn main() {}
