//! A tree whose steps lead to another model.

use relata::model;

#[model]
pub struct Category {
    id: i64,
    parent_id: Option<i64>,
    #[belongs_to]
    parent: Option<Category>,
    #[has_many]
    articles: Article,
}

#[model]
pub struct Article {
    id: i64,
    category_id: i64,
    #[belongs_to]
    category: Category,
}

pub fn query(db: &relata::Db) {
    let _ = Category::all(db).with_recursive(|c| c.parent);
    let _ = Category::all(db).with_recursive(|c| c.articles);
}

fn main() {}
