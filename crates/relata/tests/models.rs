//! Models as `#[model]` declares them, used as the guide uses them.

#![allow(unreachable_pub, missing_docs)]

use relata::{Attribute, Db, Model, Result};

mod blog {
    pub mod person {
        use super::post::Post;
        use relata::model;

        /// Somebody who writes.
        #[model]
        pub struct Person {
            id: i64,
            /// As it stands on the book.
            #[validates(presence)]
            name: String,
            age: Option<i64>,
            #[column(secret)]
            password: Option<String>,
            #[has_many(inverse_of = author)]
            posts: Post,
            #[has_one]
            profile: Option<super::Profile>,
        }
    }

    pub mod post {
        use super::person::Person;
        use relata::model;

        #[model]
        pub struct Post {
            id: i64,
            title: String,
            r#type: Option<String>,
            status: super::super::Status,
            author_id: i64,
            #[belongs_to]
            author: Person,
            editor_id: Option<i64>,
            #[belongs_to]
            editor: Option<Person>,
            #[has_many(scope = |comments| comments.order(|c| c.id.desc()))]
            comments: super::Comment,
        }
    }

    use relata::model;

    #[model]
    pub struct Profile {
        id: i64,
        person_id: i64,
        bio: String,
        #[belongs_to]
        person: person::Person,
    }

    #[model]
    pub struct Comment {
        id: i64,
        body: String,
        post_id: i64,
        #[belongs_to]
        post: post::Post,
    }
}

#[derive(Debug, PartialEq, Attribute)]
pub enum Status {
    Draft,
    InReview,
    #[attribute(rename = "live")]
    Published,
}

use blog::person::Person;
use blog::post::Post;
use blog::{Comment, Profile};

async fn tables(db: &Db) -> Result<()> {
    db.create_tables([
        Person::reflection(),
        Post::reflection(),
        Profile::reflection(),
        Comment::reflection(),
    ])
    .await
}

#[relata::test]
async fn walks_both_ways(db: Db) -> Result<()> {
    tables(&db).await?;
    let ann = Person::create(&db, |p| p.set_name("Ann").set_age(Some(40))).await?;
    let post = Post::create(&db, |p| {
        p.set_title("Hello")
            .set_author(&ann)
            .set_status(Status::InReview)
    })
    .await?;
    assert!(post.author().await?.is(&ann));
    assert_eq!(post.author_id(), ann.id());
    assert!(post.editor().await?.is_none());
    post.set_editor(Some(&ann))
        .set_editor(&ann)
        .set_editor(None);
    let posts = ann.posts().await?;
    assert_eq!(posts.len(), 1);
    let again = Post::find(&db, post.id()).await?;
    assert_eq!(again.status(), Status::InReview);
    assert_eq!(again, post);
    let found = Post::all(&db)
        .filter(|p| p.author.name.eq("Ann").and(p.status.eq(Status::InReview)))
        .await?;
    assert_eq!(found.len(), 1);
    post.comments().create(|c| c.set_body("a")).await?;
    post.comments().create(|c| c.set_body("b")).await?;
    assert_eq!(again.comment_ids().await?, [2, 1]);
    assert_eq!(again.r#type(), None);
    again.set_type(Some("x"));
    assert!(again.type_changed());
    again.update(|p| p.set_title("Bye")).await?;
    assert_eq!(again.saved_change_to_title(), Some(("Hello", "Bye")));
    Ok(())
}

#[relata::test(file)]
async fn builds_profiles(db: Db) -> Result<()> {
    tables(&db).await?;
    let ann = Person::new(&db).with(|p| p.set_name("Ann").set_password(Some("secret")));
    ann.build_profile(|p| p.set_bio("Writes"));
    ann.save().await?;
    assert!(!format!("{ann:?}").contains("secret"), "{ann:?}");
    assert_eq!(
        ann.reload_profile()
            .await?
            .map(|profile| profile.bio().to_owned())
            .as_deref(),
        Some("Writes")
    );
    Ok(())
}
