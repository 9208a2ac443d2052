//! Methods have the visibility of their field where it says one, else that of the model.
#![deny(warnings)]
#![warn(unreachable_pub)]

mod shop {
    use relata::model;

    #[model]
    pub(crate) struct Item {
        id: i64,
        name: String,
        pub(self) cost: i64,
        pub(crate) price: i64,
    }

    impl Item {
        pub(crate) fn margin(&self) -> i64 {
            self.price() - self.cost()
        }
    }
}

#[relata::model]
struct Private {
    id: i64,
    never_used: String,
}

fn main() {
    let db = relata::Db::detached();
    let item = shop::Item::new(&db).with(|item| item.set_price(3));
    assert_eq!(item.margin(), 3);
    assert_eq!(item.name(), "");
    let _ = Private::new(&db).id();
}
