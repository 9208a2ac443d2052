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

/// The key of a record of another database was compared with rows here, which are other ones.
#[relata::test]
fn a_record_of_another_database_is_refused_in_conditions() -> Result<()> {
    relata::run(async {
        let (here, there) = (database().await?, database().await?);
        let stranger = Person::create(&there, |p| p.set_name("Zoe")).await?;
        let ann = Person::create(&here, |p| p.set_name("Ann")).await?;
        let post = ann.posts().create(|p| p.set_title("x")).await?;
        let all = || Post::all(&here);
        let refused = relata::assert_queries!(here, 0, {
            [
                all().filter(|p| p.author.is(&stranger)).load().await.err(),
                all()
                    .filter(|p| p.author.is_in([&ann, &stranger]))
                    .count()
                    .await
                    .err(),
                all()
                    .exclude(|p| p.author.is(&stranger))
                    .exists()
                    .await
                    .err(),
                all()
                    .filter(|p| p.title.eq("x").or(!p.author.is(&stranger)))
                    .delete_all()
                    .await
                    .err(),
                all()
                    .filter(|p| p.author.is(&stranger))
                    .update_all(|p| p.title.set("y"))
                    .await
                    .err(),
                Person::all(&here)
                    .filter(|p| p.posts.any(|p| p.author.is(&stranger)))
                    .load()
                    .await
                    .err(),
                Person::all(&here)
                    .filter(|p| {
                        p.id.is_in(
                            all()
                                .filter(|p| p.author.is(&stranger))
                                .select_column(|p| p.id),
                        )
                    })
                    .load()
                    .await
                    .err(),
            ]
        });
        for error in refused {
            let error = error.unwrap();
            assert_eq!(
                (error.kind(), error.model(), error.attribute()),
                (
                    ErrorKind::AssociationTypeMismatch,
                    Some("Post"),
                    Some("author")
                ),
                "{error}"
            );
            assert!(error.to_string().contains("another database"), "{error}");
        }
        let left_out = Person::all(&here)
            .excluding([&stranger])
            .load()
            .await
            .unwrap_err();
        assert_eq!(left_out.kind(), ErrorKind::AssociationTypeMismatch);
        // Those of this one are compared as before, in the same words, and give their keys to what is made.
        relata::assert_sql!(
            here,
            [
                r#"SELECT "posts".* FROM "posts" WHERE "posts"."author_id" = ?"#,
                r#"SELECT "posts".* FROM "posts" WHERE "posts"."author_id" != ?"#,
                r#"SELECT "posts".* FROM "posts" WHERE "posts"."author_id" IN (?, ?)"#
            ],
            {
                assert_eq!(
                    all().filter(|p| p.author.is(&ann)).await?,
                    std::slice::from_ref(&post)
                );
                assert!(all().exclude(|p| p.author.is(&ann)).await?.is_empty());
                let bob = Person::build(&here, |p| p.set_id(9));
                assert_eq!(
                    all().filter(|p| p.author.is_in([&ann, &bob])).await?.len(),
                    1
                );
            }
        );
        let made = all()
            .filter(|p| p.author.is(&ann))
            .create(|p| p.set_title("z"));
        assert_eq!(made.await?.author_id(), Some(ann.id()));
        Ok(())
    })
}
