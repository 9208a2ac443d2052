//! An association is compared with records, and its key with keys.

use relata::{Db, Polymorphic, model};

#[model]
pub struct Person {
    id: i64,
}

#[model]
pub struct Post {
    id: i64,
    author_id: i64,
    #[belongs_to]
    author: Person,
    about_id: i64,
    about_type: String,
    #[belongs_to(polymorphic)]
    about: About,
}

#[derive(Debug, Polymorphic)]
pub enum About {
    Person(Person),
}

fn main() {
    let db = Db::detached();
    let ann = Person::new(&db);
    let _ = Post::all(&db).filter(|p| p.author.eq(1));
    let _ = Post::all(&db).filter(|p| p.author.ne(&ann));
    let _ = Post::all(&db).filter(|p| p.about.eq(&ann));
    let _ = Post::all(&db).filter(|p| p.author.is(1));
    let _ = Post::all(&db).filter(|p| p.author_id.eq(nil));
}
