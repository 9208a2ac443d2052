//! A table between is named by names, and has no model of yours.

use relata::model;

#[model]
pub struct User {
    id: i64,
    #[has_many]
    posts: Post,
    #[has_and_belongs_to_many(join_table = 3)]
    tags: Tag,
    #[has_and_belongs_to_many(through = posts)]
    labels: Tag,
    #[has_and_belongs_to_many(foreign_key = "user_id")]
    quoted: Tag,
    #[has_and_belongs_to_many(association_foreign_key = (tag_id, other))]
    wide: Tag,
    #[has_and_belongs_to_many(counter_cache)]
    counted: Tag,
    #[has_many(join_table = things)]
    things: Post,
}

#[model]
pub struct Post {
    id: i64,
    user_id: i64,
}

#[model]
pub struct Tag {
    id: i64,
}

fn main() {}
