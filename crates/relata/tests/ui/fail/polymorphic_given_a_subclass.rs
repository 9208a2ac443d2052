//! A subclass is in the enum as its base.

use relata::{Db, Polymorphic, model};

#[model(subclasses = (Admin))]
pub struct User {
    id: i64,
    r#type: Option<String>,
}

#[model(base = User)]
pub struct Admin {}

#[derive(Debug, Polymorphic)]
pub enum Subject {
    User(User),
}

#[model]
pub struct Comment {
    id: i64,
    subject_id: Option<i64>,
    subject_type: Option<String>,
    #[belongs_to(polymorphic)]
    subject: Option<Subject>,
}

fn main() {
    let db = Db::detached();
    let admin = Admin::new(&db);
    let comment = Comment::new(&db);
    comment.set_subject(&admin);
    let _ = Comment::all(&db).filter(|c| c.subject.is(&admin));
}
