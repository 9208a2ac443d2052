//! Primary keys that are texts, newtypes, several, or none.

use relata::{Attribute, Db, Model, model};

#[derive(Debug, Clone, Copy, PartialEq, Attribute)]
pub struct OrderId(i64);

#[model(primary_key = code)]
pub struct Country {
    code: String,
    #[has_many(foreign_key = country_code)]
    cities: City,
}

#[model(primary_key = (country_code, name))]
pub struct City {
    country_code: String,
    name: String,
    #[belongs_to(foreign_key = country_code)]
    country: Country,
    #[has_many(foreign_key = (country, city))]
    streets: Street,
}

#[model]
pub struct Street {
    id: i64,
    country: String,
    city: Option<String>,
    #[belongs_to(foreign_key = (country, city), inverse_of = streets)]
    town: Option<City>,
}

#[model]
pub struct Order {
    id: OrderId,
    previous_id: Option<OrderId>,
    #[belongs_to]
    previous: Option<Order>,
}

#[model(primary_key = none)]
pub struct Event {
    name: String,
    country_code: String,
    #[belongs_to(foreign_key = country_code)]
    country: Country,
    #[has_many(foreign_key = name, primary_key = name)]
    cities: City,
}

fn generic<M: Model>(db: &Db) -> M {
    M::new(db)
}

fn main() {
    let db = Db::detached();
    let order: Order = generic(&db);
    let _ = Order::new(&db).with(|later| later.set_previous(&order).set_id(OrderId(3)));
    drop(Country::find(&db, "ch"));
    drop(City::find(&db, (String::from("ch"), String::from("Bern"))));
    drop(Order::find(&db, OrderId(1)));
    let _ = Event::new(&db);
    assert_eq!(City::reflection().primary_key(), [0, 1]);
}
