//! What associations lead to after a rollback of what took their targets out: what the database says.

#![allow(missing_docs)]
#![cfg(feature = "sqlite")]

use relata::{Db, Error, ErrorKind, Result, model};

#[model]
pub struct Author {
    id: i64,
    name: String,
    #[has_many]
    posts: Post,
    #[has_one]
    profile: Option<Profile>,
}

#[model]
pub struct Post {
    id: i64,
    author_id: Option<i64>,
    #[belongs_to]
    author: Option<Author>,
    #[has_and_belongs_to_many]
    tags: Tag,
}

#[model]
pub struct Tag {
    id: i64,
    name: String,
}

#[model]
pub struct Profile {
    id: i64,
    author_id: Option<i64>,
    #[belongs_to]
    author: Option<Author>,
}

async fn ann(db: &Db) -> Result<Author> {
    db.create_tables([
        Author::reflection(),
        Post::reflection(),
        Tag::reflection(),
        Profile::reflection(),
    ])
    .await?;
    let ann = Author::create(db, |a| a.set_name("Ann")).await?;
    ann.posts().create(|p| p).await?;
    ann.posts().create(|p| p).await?;
    ann.create_profile(|p| p).await?;
    Author::find(db, 1).await
}

async fn undone(db: &Db, body: impl AsyncFnOnce() -> Result<()>) {
    let ended = db
        .transaction(async || {
            body().await?;
            Err::<(), _>(Error::new(ErrorKind::Rollback, "undone"))
        })
        .await;
    assert!(ended.is_err());
}

async fn has(author: &Author, posts: usize) -> Result<()> {
    assert_eq!(author.posts().size().await?, posts as u64);
    assert_eq!(author.posts().await?.len(), posts);
    Ok(())
}

#[relata::test]
async fn members_that_left_by_a_transaction_that_is_undone_are_there_again(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    assert_eq!(ann.posts().await?.len(), 2);
    undone(&db, async || ann.posts().destroy_all().await.map(drop)).await;
    has(&ann, 2).await?;
    undone(&db, async || ann.posts().clear().await).await;
    has(&ann, 2).await?;
    undone(&db, async || ann.posts().replace(&[] as &[Post]).await).await;
    has(&ann, 2).await?;
    Ok(())
}

#[relata::test]
async fn what_is_not_saved_stays_beside_the_members_that_are_back(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    assert_eq!(ann.posts().await?.len(), 2);
    let mut new = None;
    undone(&db, async || {
        ann.posts().clear().await?;
        new = Some(ann.posts().build(|p| p));
        Ok(())
    })
    .await;
    let posts = ann.posts().await?;
    assert_eq!(posts.len(), 3);
    assert!(posts.contains(&new.expect("a new one")));
    Ok(())
}

#[relata::test]
async fn rows_between_and_a_has_one_are_there_again(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    let post = Post::find(&db, 1).await?;
    post.tags().create(|t| t.set_name("rust")).await?;
    assert_eq!(post.tags().await?.len(), 1);
    undone(&db, async || post.tags().clear().await).await;
    assert_eq!(post.tags().await?.len(), 1);
    assert!(ann.profile().await?.is_some());
    undone(&db, async || ann.profile().replace(None::<&Profile>).await).await;
    assert!(ann.profile().await?.is_some());
    Ok(())
}
