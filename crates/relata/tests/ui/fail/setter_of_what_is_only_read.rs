//! A setter of a has_one through one that goes through another: it is only read.

use relata::model;

#[model]
pub struct Supplier {
    id: i64,
    #[has_one]
    account: Option<Account>,
    #[has_one(through = account)]
    history: Option<History>,
    #[has_one(through = history)]
    page: Option<Page>,
}

#[model]
pub struct Account {
    id: i64,
    supplier_id: i64,
    #[has_one]
    history: Option<History>,
}

#[model]
pub struct History {
    id: i64,
    account_id: i64,
    #[has_one]
    page: Option<Page>,
}

#[model]
pub struct Page {
    id: i64,
    history_id: i64,
}

pub fn set(supplier: &Supplier, page: &Page) {
    supplier.reset_page();
    supplier.set_page(page);
}

fn main() {}
