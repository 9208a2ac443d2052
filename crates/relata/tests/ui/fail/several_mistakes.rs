//! Several mistakes are told together, and what is right is there to be used.

use relata::model;

#[model]
pub struct Person {
    id: i64,
    name: String,
}

#[model]
pub struct Post {
    id: i64,
    title: String,
    save: bool,
    author_id: i64,
    #[belongs_to(depends = destroy)]
    author: Person,
    #[belongs_to]
    editor: Person,
}

pub fn titles(post: &Post) -> String {
    let _ = post.author();
    let _ = post.build_editor(|editor| editor.set_name("Ann"));
    post.title().to_owned()
}

fn main() {}
