//! Eager loading: which queries run, and what the records know afterwards.

use relata::loading::{preload, preload_named};
use relata::{Raw, Record, Relation, Result, assert_queries, assert_sql};

use crate::Backend;
use crate::blog::{Person, Post, blog};

/// Includes that a condition names are joined, and hold what the condition keeps.
pub async fn includes_that_a_condition_names_are_joined(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let people = Person::all(&db)
        .includes(|p| p.posts)
        .filter(|p| p.posts.stars.gt(3))
        .order(|p| p.id.asc());
    assert_queries!(db, 1, {
        let people = people.await?;
        for person in &people {
            let posts = person.posts().await?;
            assert!(!posts.is_empty());
            assert!(posts.iter().all(|post| post.stars() > 3));
            assert!(posts[0].author().await?.is(person));
        }
    });
    assert_queries!(db, 2, { Person::all(&db).includes(|p| p.posts).await? });
    // What is preloaded is asked for apart, whatever a condition names.
    assert_queries!(db, 2, {
        Person::all(&db)
            .preload(|p| p.posts)
            .filter(|p| p.posts.stars.gt(3))
            .await?
    });
    Ok(())
}

/// Includes that SQL of the user names are joined when that is said.
pub async fn includes_that_sql_names_are_joined_when_that_is_said(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let people = || {
        Person::all(&db)
            .includes(|p| p.posts)
            .filter_sql(Raw::new("posts.stars > ?").bind(3))
    };
    let error = people().await.unwrap_err();
    assert_eq!(error.kind(), relata::ErrorKind::StatementInvalid);
    assert_queries!(db, 1, {
        let found = people().references(|p| p.posts).await?;
        assert!(!found.is_empty());
    });
    Ok(())
}

/// Eager loading is one query, in which a record is made once however many rows hold it.
pub async fn eager_loading_is_one_query(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let all = Person::all(&db)
        .eager_load(|p| (p.posts.comments, p.profile))
        .order(|p| p.id.asc());
    assert_eq!(all.count().await?, 3, "a person counts once");
    assert_queries!(db, 1, {
        let people = all.await?;
        let names: Vec<&str> = people.iter().map(Person::name).collect();
        assert_eq!(names, ["Ann", "Bob", "Cat"]);
        let mut posts = Vec::new();
        for person in &people {
            assert!(person.posts().is_loaded());
            posts.push(person.posts().await?.len());
            for post in person.posts().await? {
                assert_eq!(post.comments().await?.len(), 2);
            }
            assert!(person.profile().is_loaded());
        }
        assert_eq!(posts, [3, 1, 0]);
    });
    Ok(())
}

/// A limit of an eager load counts records.
pub async fn a_limit_of_an_eager_load_counts_records(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    assert_sql!(
        db,
        [
            r#"SELECT DISTINCT "people"."id" FROM "people" LEFT OUTER JOIN "posts" ON "posts"."author_id" = "people"."id" ORDER BY "people"."id" ASC LIMIT 2"#,
            r#"SELECT "people"."id" AS t0_r0, "people"."name" AS t0_r1, "people"."age" AS t0_r2, "posts"."id" AS t1_r0, "posts"."title" AS t1_r1, "posts"."subtitle" AS t1_r2, "posts"."stars" AS t1_r3, "posts"."author_id" AS t1_r4 FROM "people" LEFT OUTER JOIN "posts" ON "posts"."author_id" = "people"."id" WHERE "people"."id" IN (?, ?) ORDER BY "people"."id" ASC"#,
        ],
        {
            let people = Person::all(&db)
                .eager_load(|p| p.posts)
                .order(|p| p.id.asc())
                .limit(2)
                .await?;
            assert_eq!(people.len(), 2);
            assert_eq!(people[0].posts().await?.len(), 3);
        }
    );
    assert_queries!(db, 1, {
        let none = Person::all(&db)
            .eager_load(|p| p.posts)
            .filter(|p| p.name.eq("Nobody"))
            .limit(2);
        assert!(none.await?.is_empty());
    });
    // What each record has at most one of multiplies no rows.
    assert_queries!(db, 1, {
        let posts = Post::all(&db).eager_load(|p| p.author).limit(2).await?;
        assert_eq!(posts.len(), 2);
    });
    Ok(())
}

/// Records that are there already are given what they lack.
pub async fn records_that_are_there_are_given_what_they_lack(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let people = Person::all(&db).order(|p| p.id.asc()).await?;
    let draft = people[0].posts().build(|p| p.set_title("draft"));
    assert_queries!(db, 1, { preload(&people, |p| p.posts).await? });
    assert_queries!(db, 0, {
        preload(&people, |p| p.posts).await?;
        let posts = people[0].posts().await?;
        assert_eq!(posts.len(), 4);
        assert!(posts[3].is(&draft), "what is not saved stays");
        assert!(people[2].posts().await?.is_empty());
    });
    let records: Vec<Record> = people.iter().map(|person| (**person).clone()).collect();
    assert_queries!(db, 1, {
        preload_named(&records, ["posts.comments"]).await?
    });
    let error = preload_named(&records, ["pots"]).await.unwrap_err();
    assert!(
        error.to_string().contains("did you mean `posts`?"),
        "{error}"
    );
    Ok(())
}

/// What typed relations do is done by name too.
pub async fn relations_do_by_name_what_they_do_by_type(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let posts = || Relation::of(Post::reflection(), &db);
    let people = || Relation::of(Person::reflection(), &db);
    assert_eq!(posts().count().await?, 4);
    assert_eq!(
        people()
            .associated_named("posts")?
            .distinct()
            .count()
            .await?,
        2
    );
    assert_eq!(people().missing_named("posts")?.count().await?, 1);
    let all: i64 = Post::all(&db).sum(|p| p.stars).await?;
    assert_eq!(posts().sum_named("stars").await?, all.into());
    let most = Post::all(&db).maximum(|p| p.stars).await?;
    assert_eq!(posts().maximum_named("stars").await?, most.into());
    let of_ann = people().filter_by("name", "Ann")?;
    let among = posts().filter_among("author_id", of_ann.clone(), "id")?;
    assert_eq!(among.count().await?, 3);
    let merged = posts()
        .joins_named("author")?
        .merge_named("author", of_ann)?;
    assert_eq!(merged.count().await?, 3);
    let by_author = posts().count_by_named(["author_id"]).await?;
    assert_eq!(by_author.iter().map(|(_, count)| count).sum::<u64>(), 4);
    assert_eq!(
        merged.unscope_named("author.name")?.count().await?,
        4,
        "the condition is taken back, the join stays"
    );
    let partial = posts()
        .select_named(["id", "title"])?
        .take()
        .await?
        .unwrap();
    assert_eq!(
        partial.get("stars").unwrap_err().kind(),
        relata::ErrorKind::MissingAttribute
    );
    Ok(())
}
