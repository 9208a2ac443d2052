//! Validations that nothing meets, that never run, or that are written as in Ruby.

use relata::{callbacks, model};

#[model]
pub struct Post {
    id: i64,
    #[validates(presence = true)]
    title: String,
    #[validates(length(min = 5, max = 2))]
    teaser: String,
    #[validates(presence, on = creat)]
    body: String,
    #[validates(presence(on = save))]
    slug: String,
    #[validates(numericality(odd, even))]
    stars: i64,
    #[validates(length(min = 2, max = 2))]
    rank: String,
    #[validates(presence, on = (updated, publish))]
    code: String,
}

#[callbacks]
impl Post {
    #[after_commit(on = creat)]
    fn tell(&self) {}

    #[after_rollback(on = publish)]
    fn regret(&self) {}
}

fn main() {}
