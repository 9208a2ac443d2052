//! The model behind a polymorphic source is one of its models, and only where it has several.

use relata::{Polymorphic, model};

#[model]
pub struct Post {
    id: i64,
    #[has_many]
    taggings: Tagging,
    #[has_many(through = taggings, source = tagger)]
    taggers: User,
    #[has_many(through = taggings, source = tag, source_type = Tag)]
    tags: Tag,
    #[has_many(through = taggings, source = tagger, source_type = Tag)]
    tagging_tags: Tag,
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
