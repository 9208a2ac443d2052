use relata::{Attribute, model};

#[derive(Attribute, Clone, Copy, PartialEq)]
enum Status {
    Draft,
    Live,
}

#[model]
struct Post {
    id: i64,
    #[enumeration]
    status: Status,
}

#[model]
struct Page {
    id: i64,
    #[enumeration(values = (Draft, Lvie))]
    status: Status,
}

#[model]
struct Note {
    id: i64,
    #[enumeration(values = (Draft, Live))]
    status: Status,
    #[enumeration(values = (Draft, Live))]
    old_status: Status,
}

#[model(default_scope = 3)]
struct Line {
    id: i64,
    #[normalizes]
    text: String,
    #[normalizes(apply_to_nil)]
    more: String,
}

#[model]
struct Leaf {
    id: i64,
    #[enumeration(values = (Draft, Live), validate(allow_nil))]
    status: Status,
    #[enumeration(values = (Draft, Live), prefix, validate = 3)]
    old_status: Status,
    #[enumeration(values = (Draft, Live), suffix, validate(allow_null, strict))]
    new_status: Status,
}

fn main() {}
