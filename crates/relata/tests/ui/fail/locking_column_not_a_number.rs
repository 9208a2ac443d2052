use relata::model;

#[model]
struct Post {
    id: i64,
    lock_version: String,
}

#[model(locking_column = edition)]
struct Page {
    id: i64,
    editon: i64,
}

fn main() {}
