//! Records of two databases: each knows its own, and none is saved with a key of the other.

use relata::{Db, ErrorKind, Result, model};

#[model]
pub struct Person {
    id: i64,
    name: String,
    #[has_many(inverse_of = author)]
    posts: Post,
}

#[model]
pub struct Post {
    id: i64,
    title: String,
    author_id: Option<i64>,
    #[belongs_to]
    author: Option<Person>,
}

async fn database() -> Result<Db> {
    let db = Db::connect("sqlite::memory:").await?;
    db.create_tables([Person::reflection(), Post::reflection()])
        .await?;
    Ok(db)
}

/// A post whose author was read from another database was saved with that author's key, which here is somebody else's or
/// nobody's.
#[relata::test]
fn a_record_of_another_database_is_refused_when_its_owner_is_saved() -> Result<()> {
    relata::run(async {
        let (here, there) = (database().await?, database().await?);
        let stranger = Person::create(&there, |p| p.set_name("Zoe")).await?;
        Person::create(&here, |p| p.set_name("Ann")).await?;
        let post = Post::build(&here, |p| p.set_title("x").set_author(&stranger));
        let refused = relata::assert_queries!(here, 0, { post.save().await.unwrap_err() });
        assert_eq!(refused.kind(), ErrorKind::AssociationTypeMismatch);
        assert!(
            refused
                .to_string()
                .contains("is a record of another database"),
            "{refused}"
        );
        assert!(post.is_new_record());
        // The same of a saved owner, of a new stranger, and of a member.
        let saved = Post::create(&here, |p| p.set_title("y")).await?;
        saved.set_author(&stranger);
        assert_eq!(
            saved.save().await.unwrap_err().kind(),
            ErrorKind::AssociationTypeMismatch
        );
        let unsaved = Person::build(&there, |p| p.set_name("Yan"));
        let post = Post::build(&here, |p| p.set_title("z").set_author(&unsaved));
        assert_eq!(
            post.save().await.unwrap_err().kind(),
            ErrorKind::AssociationTypeMismatch
        );
        let ann = Person::find(&here, 1).await?;
        let foreign = Post::build(&there, |p| p.set_title("w"));
        assert_eq!(
            ann.posts().push(&foreign).await.unwrap_err().kind(),
            ErrorKind::AssociationTypeMismatch
        );
        for db in [&here, &there] {
            let titles = Post::all(db)
                .filter(|p| p.author_id.is_not_null())
                .count()
                .await?;
            assert_eq!(titles, 0);
        }
        // Its own are none of these.
        post.set_author(&ann).save().await?;
        assert_eq!(post.author_id(), Some(1));
        Ok(())
    })
}
