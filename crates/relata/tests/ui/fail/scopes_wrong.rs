use relata::{Relation, model, scopes};

#[model]
struct Post {
    id: i64,
    title: String,
}

#[scopes]
impl Post {
    #[scope]
    fn recent(&self) -> Relation<Self> {
        loop {}
    }

    #[scope]
    fn nothing(posts: Relation<Self>) {
        drop(posts);
    }

    #[scope(default)]
    fn titled(posts: Relation<Self>, title: &str) -> Relation<Self> {
        posts.filter(|p| p.title.eq(title))
    }
}

#[model]
struct Page {
    id: i64,
}

#[scopes]
impl Page {
    fn all_of_them() {}
}

fn main() {}
