//! A new record that has and belongs to many of others that are saved: the rows between hold both keys.

#![allow(missing_docs)]
#![cfg(feature = "sqlite")]

use relata::{Db, Model as _, Params, Result, model, permit};

#[model]
pub struct Post {
    id: i64,
    title: String,
    #[has_and_belongs_to_many]
    tags: Tag,
}

#[model]
pub struct Tag {
    id: i64,
    name: String,
    #[has_and_belongs_to_many]
    posts: Post,
}

/// Its tables know nothing of it.
#[model]
pub struct Song {
    id: i64,
    title: String,
    #[has_and_belongs_to_many]
    tags: Tag,
}

#[model(subclasses = (Admin))]
pub struct User {
    id: i64,
    r#type: Option<String>,
    name: String,
}

#[model(base = User)]
pub struct Admin {
    id: i64,
    name: String,
    #[has_and_belongs_to_many(join_table = admins_tags, foreign_key = admin_id)]
    tags: Tag,
}

async fn tables(db: &Db) -> Result<Tag> {
    db.create_tables([
        Post::reflection(),
        Tag::reflection(),
        Song::reflection(),
        User::reflection(),
    ])
    .await?;
    Tag::create(db, |t| t.set_name("rust")).await
}

#[relata::test]
async fn a_new_record_is_saved_with_a_member_that_is_saved(db: Db) -> Result<()> {
    let tag = tables(&db).await?;
    let post = Post::build(&db, |p| p.set_title("one"));
    post.tags().push(&tag).await?;
    let capture = db.capture();
    post.save().await?;
    assert_eq!(
        capture
            .events()
            .iter()
            .filter(|e| e.text.contains("posts_tags"))
            .count(),
        1
    );
    assert_eq!(Post::find(&db, 1).await?.tags().await?, [tag]);
    // A second save writes nothing.
    let capture = db.capture();
    post.save().await?;
    assert!(
        !capture
            .events()
            .iter()
            .any(|e| e.text.contains("INSERT") || e.text.contains("UPDATE"))
    );
    Ok(())
}

#[relata::test]
async fn a_new_record_is_saved_with_members_by_keys_and_new_ones(db: Db) -> Result<()> {
    let tag = tables(&db).await?;
    let post = Post::build(&db, |p| p.set_title("one"));
    post.tags().replace_ids([1]).await?;
    let new = post.tags().build(|t| t.set_name("new"));
    post.save().await?;
    assert_eq!(Post::find(&db, 1).await?.tags().await?, [tag, new]);
    Ok(())
}

#[relata::test]
async fn a_new_record_is_created_with_members_from_outside(db: Db) -> Result<()> {
    tables(&db).await?;
    let values = Params::from_form([("title", "x"), ("tag_ids[]", "1")])?;
    let post = Post::create_from(&db, values, permit![title, tag_ids: []]).await?;
    assert_eq!(post.tags().await?.len(), 1);
    Ok(())
}

#[relata::test]
async fn one_side_is_enough_and_a_subclass_may_be_it(db: Db) -> Result<()> {
    let tag = tables(&db).await?;
    let song = Song::build(&db, |s| s.set_title("one"));
    song.tags().push(&tag).await?;
    song.save().await?;
    assert_eq!(
        Song::find(&db, 1).await?.tags().await?,
        std::slice::from_ref(&tag)
    );
    let ann = Admin::build(&db, |a| a.set_name("Ann"));
    ann.tags().push(&tag).await?;
    ann.save().await?;
    assert_eq!(Admin::find(&db, 1).await?.tags().await?, [tag]);
    Ok(())
}
