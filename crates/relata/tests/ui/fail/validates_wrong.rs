//! Validations: options that are not theirs, values that cannot be, columns and associations that are not there.

use relata::model;

#[model]
pub struct Post {
    id: i64,
    #[validates(length)]
    title: String,
    #[validates(length(maximum = 80))]
    teaser: String,
    #[validates(format(with = is_slug, without = is_slug))]
    slug: String,
    #[validates(uniqueness(scope = autor_id))]
    code: String,
    #[validates(inclusion(in = "draft"))]
    state: String,
    #[validates(associated)]
    stars: i64,
    author_id: i64,
    #[validates(numericality)]
    #[belongs_to]
    author: Author,
}

#[model]
pub struct Author {
    id: i64,
}

fn is_slug(_: &str) -> bool {
    true
}

fn main() {}
