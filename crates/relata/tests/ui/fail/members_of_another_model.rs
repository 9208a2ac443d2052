//! What goes into an association is of its model, and so is what is asked of it.

use relata::{Db, Result, model};

#[model]
pub struct User {
    id: i64,
    #[has_many]
    posts: Post,
    #[has_one]
    profile: Option<Profile>,
}

#[model]
pub struct Profile {
    id: i64,
    user_id: i64,
    #[belongs_to]
    user: User,
}

#[model]
pub struct Post {
    id: i64,
    user_id: i64,
    #[belongs_to]
    user: User,
    #[has_many]
    comments: Comment,
}

#[model]
pub struct Comment {
    id: i64,
    post_id: i64,
    #[belongs_to]
    post: Post,
}

pub async fn pushed(user: &User, comment: &Comment) -> Result<()> {
    user.posts().push(comment).await
}

pub async fn replaced(user: &User, comment: &Comment) -> Result<()> {
    user.posts().replace([comment]).await
}

pub async fn contained(user: &User, comment: &Comment) -> Result<bool> {
    user.posts().contains(comment).await
}

pub async fn created(user: &User) -> Result<Post> {
    user.posts().create(|comment: &Comment| comment).await
}

pub fn set(post: &Post, comment: &Comment) {
    post.set_user(comment);
}

pub fn compared(db: &Db, comment: &Comment) {
    let _ = Post::all(db).filter(|p| p.user.is(comment));
}

pub fn merged(db: &Db) {
    let _ = Post::all(db).merge(Comment::all(db));
}

pub fn missing(db: &Db) {
    let _ = Post::all(db).missing(|p| p.readers);
}

pub fn asked(user: &User) {
    user.posts().user();
}

fn main() {}
