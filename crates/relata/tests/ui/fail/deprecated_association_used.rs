//! Who uses a deprecated association is told by the compiler: its methods, and the path over it.

#![deny(deprecated)]

use relata::{Db, model};

#[model]
pub struct Person {
    id: i64,
    #[has_many(deprecated)]
    posts: Post,
}

#[model]
pub struct Post {
    id: i64,
    person_id: i64,
    #[belongs_to(deprecated)]
    person: Person,
}

fn main() {
    let db = Db::detached();
    let person = Person::new(&db);
    let _ = person.posts();
    let _ = person.post_ids();
    let post = Post::new(&db);
    post.set_person(&person);
    let _ = Person::all(&db).preload(|p| p.posts);
}
