//! Blocks that take a relation for the scope of its model.
#![allow(missing_docs)]

use relata::{Db, ErrorKind, Model as _, Record, Relation, Result, Value, assert_sql, model};

#[model]
struct Blog {
    id: i64,
    name: String,
    #[has_many]
    posts: Post,
}

#[model]
struct Post {
    id: i64,
    title: String,
    stars: i64,
    blog_id: i64,
    #[belongs_to]
    blog: Blog,
}

#[model(table = "posts", default_scope = |posts| posts.filter(|p| p.stars.eq(5)))]
struct Best {
    id: i64,
    title: String,
    stars: i64,
    blog_id: i64,
}

#[model(subclasses = (Cat))]
struct Animal {
    id: i64,
    r#type: Option<String>,
    name: String,
    legs: i64,
}

#[model(base = Animal)]
struct Cat {
    name: String,
}

async fn blogs(db: &Db) -> Result<(Blog, Blog)> {
    db.create_tables([Blog::reflection(), Post::reflection(), Animal::reflection()])
        .await?;
    let one = Blog::create(db, |b| b.set_name("one")).await?;
    let two = Blog::create(db, |b| b.set_name("two")).await?;
    for (blog, title, stars) in [(&one, "a", 1), (&one, "b", 5), (&two, "c", 5)] {
        Post::create(db, |p| p.set_title(title).set_stars(stars).set_blog(blog)).await?;
    }
    Ok((one, two))
}

async fn titles(db: &Db) -> Result<Vec<String>> {
    Post::all(db).order(|p| p.id).pluck(|p| p.title).await
}

#[relata::test]
async fn all_queries_of_the_model_begin_with_the_relation(db: Db) -> Result<()> {
    let (one, two) = blogs(&db).await?;
    let mine = Post::all(&db).filter(|p| p.blog_id.eq(one.id()));
    mine.scoping(async || {
        assert_eq!(titles(&db).await?, ["a", "b"]);
        assert_eq!(Post::find(&db, 1).await?.title(), "a");
        let error = Post::find(&db, 3).await.unwrap_err();
        assert!(error.is_record_not_found());
        assert!(error.to_string().contains("blog_id"), "{error}");
        assert_eq!(Relation::of(Post::reflection(), &db).count().await?, 2);
        assert_eq!(Post::unscoped(&db).count().await?, 3);
        // Associations have scopes of their own, and other models are as they were.
        assert_eq!(two.posts().count().await?, 1);
        assert_eq!(Blog::all(&db).count().await?, 2);
        assert_eq!(Blog::all(&db).joins(|b| b.posts).count().await?, 3);
        // A saved record is found wherever it is.
        let other = two.posts().first().await?.expect("a post");
        other.reload().await?;
        other.update(|p| p.set_title("cc")).await?;
        other.update_columns([("stars", 4.into())]).await?;
        Ok(())
    })
    .await?;
    assert_eq!(titles(&db).await?, ["a", "b", "cc"]);
    Ok(())
}

#[relata::test]
async fn what_is_made_inside_is_what_the_conditions_say(db: Db) -> Result<()> {
    let (_, two) = blogs(&db).await?;
    let mine = Post::all(&db)
        .filter(|p| p.blog_id.eq(two.id()).and(p.stars.gt(3)))
        .create_with(|p| p.stars.set(4));
    mine.scoping(async || {
        assert_eq!(Post::new(&db).blog_id(), two.id());
        let made = Post::create(&db, |p| p.set_title("d")).await?;
        assert_eq!((made.blog_id(), made.stars()), (two.id(), 4));
        let by_name = Record::new(Post::reflection(), &db);
        assert_eq!(by_name.get("blog_id")?, Value::from(two.id()));
        let given = relata::Params::new().with("title", "e");
        let from = Post::create_from(&db, given, relata::permit![title]).await?;
        assert_eq!(from.blog_id(), two.id());
        assert_eq!(Post::unscoped(&db).build(|p| p).blog_id(), 0);
        Ok(())
    })
    .await?;
    assert_eq!(Post::new(&db).blog_id(), 0);
    Ok(())
}

#[relata::test]
async fn a_default_scope_says_what_new_records_are(db: Db) -> Result<()> {
    blogs(&db).await?;
    assert_eq!(Best::new(&db).stars(), 5);
    assert_eq!(
        Best::build(&db, |b| b.set_title("x").set_stars(3)).stars(),
        3
    );
    assert_eq!(Best::unscoped(&db).build(|b| b).stars(), 0);
    let any = Best::unscoped(&db);
    any.scoping(async || {
        assert_eq!(Best::all(&db).count().await?, 3);
        assert_eq!(Best::new(&db).stars(), 0);
        Ok(())
    })
    .await
}

#[relata::test]
async fn blocks_nest_and_leave_nothing_behind(db: Db) -> Result<()> {
    let (one, _) = blogs(&db).await?;
    let mine = Post::all(&db).filter(|p| p.blog_id.eq(one.id()));
    let good = Post::all(&db).filter(|p| p.stars.eq(5));
    mine.scoping(async || {
        let best = Post::all(&db).filter(|p| p.stars.eq(5));
        assert_eq!(best.scoping(async || titles(&db).await).await?, ["b"]);
        // Begun outside, it knows nothing of the block around it.
        assert_eq!(good.scoping(async || titles(&db).await).await?, ["b", "c"]);
        assert_eq!(titles(&db).await?, ["a", "b"]);
        let failed: Result<()> = good
            .scoping(async || Err(relata::Error::new(ErrorKind::Other, "no")))
            .await;
        assert!(failed.is_err());
        assert_eq!(titles(&db).await?, ["a", "b"]);
        Ok(())
    })
    .await?;
    // What runs between two polls of the block is outside, and so is another task.
    let held = mine.scoping(async || {
        tokio::task::yield_now().await;
        titles(&db).await
    });
    let outside = async {
        tokio::task::yield_now().await;
        titles(&db).await
    };
    let (inside, outside) = tokio::join!(held, outside);
    assert_eq!((inside?.len(), outside?.len()), (2, 3));
    let spawned = mine
        .scoping(async || {
            let db = db.clone();
            tokio::spawn(async move { titles(&db).await }).await
        })
        .await;
    assert_eq!(spawned.expect("the task ends")?.len(), 3);
    Ok(())
}

#[relata::test]
async fn another_database_is_another(db: Db) -> Result<()> {
    blogs(&db).await?;
    let other = Db::connect("sqlite::memory:").await?;
    blogs(&other).await?;
    let none = Post::all(&db).none();
    none.scoping(async || {
        assert_eq!(titles(&db).await?.len(), 0);
        assert_eq!(titles(&other).await?.len(), 3);
        Ok(())
    })
    .await
}

#[relata::test]
async fn subclasses_take_the_scope_of_their_base(db: Db) -> Result<()> {
    blogs(&db).await?;
    for legs in [3, 4] {
        let cat = Cat::build(&db, |c| c.set_name("x"));
        cat.set("legs", legs)?.save().await?;
    }
    Animal::create(&db, |a| a.set_name("y").set_legs(4)).await?;
    let four = Animal::all(&db).filter(|a| a.legs.eq(4));
    four.scoping(async || {
        assert_eq!(Animal::all(&db).count().await?, 2);
        assert_eq!(Cat::all(&db).count().await?, 1);
        assert_eq!(Cat::new(&db).get("legs")?, Value::from(4));
        Ok(())
    })
    .await?;
    let cats = Cat::all(&db).filter(|c| c.name.eq("z"));
    cats.scoping(async || {
        assert_eq!(
            (
                Animal::all(&db).count().await?,
                Cat::all(&db).count().await?
            ),
            (3, 0)
        );
        Ok(())
    })
    .await
}

#[relata::test]
async fn all_queries_ask_the_rows_of_records_too(db: Db) -> Result<()> {
    let (one, two) = blogs(&db).await?;
    let (own, foreign) = (Post::find(&db, 1).await?, Post::find(&db, 3).await?);
    let mine = Post::all(&db).filter(|p| p.blog_id.eq(one.id()));
    let block = mine.scoping(async || {
        assert_sql!(
            db,
            [r#"UPDATE "posts" SET "title" = ? WHERE "posts"."id" = ? AND "posts"."blog_id" = ?"#],
            { own.update(|p| p.set_title("A")).await? }
        );
        let error = foreign.update(|p| p.set_title("C")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RecordNotSaved);
        assert!(foreign.update_columns([("stars", 1.into())]).await.is_err());
        assert!(foreign.reload().await.unwrap_err().is_record_not_found());
        foreign.delete().await?;
        // A block inside does not take it back.
        let all = Post::unscoped(&db);
        all.scoping(async || {
            assert_eq!(Post::all(&db).count().await?, 3);
            assert!(foreign.reload().await.is_err());
            Ok(())
        })
        .await?;
        own.reload().await?;
        Post::create(&db, |p| p.set_title("new").set_stars(2)).await?;
        Ok(())
    });
    block.all_queries().await?;
    assert_eq!(titles(&db).await?, ["A", "b", "c", "new"]);
    assert_eq!(Post::find(&db, 3).await?.blog_id(), two.id());
    let through = Post::all(&db).filter(|p| p.blog.name.eq("one"));
    let asked = through.scoping(async || own.update(|p| p.set_title("x")).await);
    assert_eq!(
        asked.all_queries().await.unwrap_err().kind(),
        ErrorKind::Argument
    );
    own.reload().await
}

#[tokio::test(flavor = "multi_thread")]
#[relata::test]
async fn a_block_can_be_sent_to_another_thread() -> Result<()> {
    let db = Db::connect("sqlite::memory:").await?;
    blogs(&db).await?;
    let task = tokio::spawn(async move {
        let some = Post::all(&db).limit(1);
        some.scoping(async || {
            tokio::task::yield_now().await;
            titles(&db).await
        })
        .await
    });
    assert_eq!(task.await.expect("the task ends")?, ["a"]);
    Ok(())
}
