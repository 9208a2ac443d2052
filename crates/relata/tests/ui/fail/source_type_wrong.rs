//! The model behind a polymorphic source is the field's type, and only a through has one.

use relata::{Polymorphic, model};

#[model]
pub struct Post {
    id: i64,
    #[has_many]
    taggings: Tagging,
    #[has_many(through = taggings, source = tagger, source_type = Robot)]
    users: User,
    #[has_many(source_type = Tagging)]
    further: Tagging,
    #[has_many(disable_joins)]
    joinless: Tagging,
}

#[model]
pub struct Tagging {
    id: i64,
    post_id: i64,
    #[belongs_to]
    post: Post,
    tag_id: i64,
    #[belongs_to]
    tag: Tag,
    tagger_id: i64,
    tagger_type: String,
    #[belongs_to(polymorphic)]
    tagger: Tagger,
}

#[derive(Debug, Polymorphic)]
pub enum Tagger {
    User(User),
    Robot(Robot),
}

#[model]
pub struct Tag {
    id: i64,
}

#[model]
pub struct User {
    id: i64,
}

#[model]
pub struct Robot {
    id: i64,
}

fn main() {}
