//! Options of columns: unknown, elsewhere, twice, of the wrong type.

use relata::model;

#[model]
pub struct Post {
    id: i64,
    #[column(uniqe)]
    slug: String,
    #[column(nullable)]
    body: String,
    #[column(index, index)]
    title: String,
    #[column(default = "none")]
    likes: i64,
    #[column(default = f())]
    dislikes: i64,
    #[column(name = "score")]
    rating: f64,
    #[column(name = "score")]
    points: f64,
    #[column(limit = 80)]
    teaser: String,
    #[column]
    footer: String,
    #[column = "x"]
    header: String,
}

fn main() {}
