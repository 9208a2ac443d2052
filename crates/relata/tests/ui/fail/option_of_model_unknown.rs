//! Options of the whole model.

use relata::model;

#[model(table_name = "articles")]
pub struct Post {
    id: i64,
}

#[model(tabel = "articles", strict_loading = 3)]
pub struct Article {
    id: i64,
}

#[model(table = articles)]
pub struct Essay {
    id: i64,
}

#[model("notes")]
pub struct Note {
    id: i64,
}

fn main() {}
