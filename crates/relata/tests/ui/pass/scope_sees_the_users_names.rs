//! A scope's closure sees what stands around the model, also what is called as the expansion calls its own.

use relata::{Db, model};

const COLUMNS: u64 = 3;
const REFLECTION: &str = "x";

#[model]
pub struct Post {
    id: i64,
    title: String,
    parent_id: Option<i64>,
    #[has_many(foreign_key = parent_id, scope = |posts| posts.filter(|p| p.title.ne(REFLECTION)).limit(COLUMNS))]
    posts: Post,
}

fn main() {
    let scope = Post::reflect_on_association("posts").unwrap().scope();
    assert!(scope.is_some());
    let db = Db::detached();
    let sql = Post::new(&db).posts().all().to_sql();
    assert!(sql.contains("LIMIT 3"), "{sql}");
    let _ = Post::reflection();
}
