//! Nothing to refer to: the target has no primary key, or not the column that is named.

use relata::model;

#[model(primary_key = none)]
pub struct Event {
    name: String,
}

#[model]
pub struct Post {
    id: i64,
    event_id: i64,
    #[belongs_to]
    event: Event,
    event_name: String,
    #[belongs_to(foreign_key = event_name, primary_key = nam)]
    named: Event,
}

fn main() {}
