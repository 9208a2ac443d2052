//! Values of documents without the feature that reads documents.

use relata::model;

#[model]
pub struct Blog {
    id: i64,
    #[store_accessor(color: String)]
    settings: Option<Document>,
}

#[derive(Debug, Clone, PartialEq, relata::Attribute)]
pub struct Document(String);

fn main() {}
