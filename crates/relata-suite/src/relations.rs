//! Relations: what they ask, and what they give.

use crate::Backend;
use crate::blog::{Comment, Person, Post, blog};
use relata::relation::Part;
use relata::{ErrorKind, Raw, Relation, Result, assert_queries, assert_sql};

fn titles(posts: &[Post]) -> Vec<&str> {
    posts.iter().map(|post| post.title()).collect()
}

/// Conditions are written as rails writes them.
pub async fn conditions_are_written_as_rails_writes_them(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let all = || Post::all(&db);
    let sql = |relation: relata::Relation<Post>| {
        relation
            .to_sql()
            .strip_prefix(r#"SELECT "posts".* FROM "posts""#)
            .unwrap()
            .trim()
            .to_owned()
    };
    assert_eq!(sql(all()), "");
    assert_eq!(
        sql(all().filter(|p| p.title.eq("x"))),
        r#"WHERE "posts"."title" = 'x'"#
    );
    assert_eq!(
        sql(all().filter(|p| p.title.eq("it's"))),
        r#"WHERE "posts"."title" = 'it''s'"#
    );
    assert_eq!(
        sql(all().filter(|p| p.subtitle.eq(None::<String>))),
        r#"WHERE "posts"."subtitle" IS NULL"#
    );
    assert_eq!(
        sql(all().exclude(|p| p.subtitle.is_null())),
        r#"WHERE "posts"."subtitle" IS NOT NULL"#
    );
    assert_eq!(
        sql(all().exclude(|p| p.title.eq("x"))),
        r#"WHERE "posts"."title" != 'x'"#
    );
    assert_eq!(
        sql(all().filter(|p| p.id.is_in([1, 2]))),
        r#"WHERE "posts"."id" IN (1, 2)"#
    );
    assert_eq!(
        sql(all().filter(|p| p.id.is_in([1]))),
        r#"WHERE "posts"."id" = 1"#
    );
    assert_eq!(
        sql(all().filter(|p| p.id.is_in(Vec::<i64>::new()))),
        "WHERE 1=0"
    );
    assert_eq!(
        sql(all().filter(|p| p.subtitle.is_in([Some("a"), None]))),
        r#"WHERE ("posts"."subtitle" = 'a' OR "posts"."subtitle" IS NULL)"#
    );
    assert_eq!(
        sql(all().filter(|p| p.stars.between(1, 3))),
        r#"WHERE "posts"."stars" BETWEEN 1 AND 3"#
    );
    assert_eq!(
        sql(all().filter(|p| p.stars.gt(1).and(p.stars.le(3)).or(p.title.eq("x")))),
        r#"WHERE (("posts"."stars" > 1 AND "posts"."stars" <= 3) OR "posts"."title" = 'x')"#
    );
    assert_eq!(
        sql(all().filter(|p| !p.stars.lt(1).or(p.stars.ge(3)))),
        r#"WHERE NOT ("posts"."stars" < 1 OR "posts"."stars" >= 3)"#
    );
    assert_eq!(
        sql(all().filter(|p| p.stars.eq(p.id))),
        r#"WHERE "posts"."stars" = "posts"."id""#
    );
    assert_eq!(
        sql(all()
            .order(|p| (p.stars.desc(), p.id.asc()))
            .limit(2)
            .offset(1)),
        r#"ORDER BY "posts"."stars" DESC, "posts"."id" ASC LIMIT 2 OFFSET 1"#
    );
    assert_eq!(sql(all().offset(1)), "LIMIT -1 OFFSET 1");
    assert_eq!(sql(all().page(3, 10)), "LIMIT 10 OFFSET 20");
    assert_eq!(sql(all().reverse_order()), r#"ORDER BY "posts"."id" DESC"#);
    assert_eq!(
        sql(all().order(|p| p.stars.asc()).reverse_order()),
        r#"ORDER BY "posts"."stars" DESC"#
    );
    assert_eq!(
        sql(all().annotate("find me */ DROP")),
        "/* find me * / DROP */"
    );
    assert_eq!(sql(all().limit(1).unscope(Part::Limit)), "");
    assert_eq!(
        sql(all().filter(|p| p.author.name.eq("Ann"))),
        r#"INNER JOIN "people" ON "people"."id" = "posts"."author_id" WHERE "people"."name" = 'Ann'"#
    );
    assert_eq!(
        sql(all().filter(|p| p.author.name.eq("Ann").or(p.stars.eq(4)))),
        r#"LEFT OUTER JOIN "people" ON "people"."id" = "posts"."author_id" WHERE ("people"."name" = 'Ann' OR "posts"."stars" = 4)"#
    );
    assert_eq!(
        sql(all().joins(|p| p.comments.person)),
        r#"INNER JOIN "comments" ON "comments"."post_id" = "posts"."id" INNER JOIN "people" ON "people"."id" = "comments"."person_id""#
    );
    assert_eq!(
        sql(all().filter(|p| p.author.name.eq("a").and(p.comments.person.name.eq("b")))),
        r#"INNER JOIN "people" ON "people"."id" = "posts"."author_id" INNER JOIN "comments" ON "comments"."post_id" = "posts"."id" INNER JOIN "people" AS "people_comments" ON "people_comments"."id" = "comments"."person_id" WHERE "people"."name" = 'a' AND "people_comments"."name" = 'b'"#
    );
    let ann = Person::find(&db, 1).await?;
    assert_eq!(
        sql(all().filter(|p| p.author.is(&ann))),
        r#"WHERE "posts"."author_id" = 1"#
    );
    assert_eq!(
        sql(all()
            .refilter(|p| p.title.eq("a"))
            .refilter(|p| p.title.eq("b"))),
        r#"WHERE "posts"."title" = 'b'"#
    );
    assert_eq!(
        sql(all().filter(|p| p.title.eq("a")).invert_filter()),
        r#"WHERE "posts"."title" != 'a'"#
    );
    Ok(())
}

/// Conditions find the rows they say.
pub async fn conditions_find_the_rows_they_say(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let all = || Post::all(&db).order(|p| p.id.asc());
    assert_eq!(
        titles(&all().filter(|p| p.author.name.eq("Ann")).await?),
        ["One", "Two", "Three"]
    );
    assert_eq!(
        titles(
            &all()
                .filter(|p| p.author.name.eq("Ann").or(p.stars.eq(4)))
                .await?
        )
        .len(),
        4
    );
    assert_eq!(
        titles(&all().exclude(|p| p.author.age.eq(40)).await?),
        Vec::<&str>::new(),
        "unknown is not other"
    );
    assert_eq!(
        titles(&all().filter(|p| p.title.starts_with("T")).await?),
        ["Two", "Three"]
    );
    assert_eq!(
        titles(&all().filter(|p| p.title.starts_with("t")).await?),
        Vec::<&str>::new(),
        "case matters"
    );
    assert_eq!(
        titles(&all().filter(|p| p.title.like_ignoring_case("t%")).await?),
        ["Two", "Three"]
    );
    assert_eq!(
        titles(&all().filter(|p| p.title.contains("%")).await?),
        Vec::<&str>::new(),
        "taken literally"
    );
    assert_eq!(
        titles(&all().filter(|p| p.title.ends_with("e")).await?),
        ["One", "Three"]
    );
    assert_eq!(
        titles(&all().filter(|p| p.title.like("_ou_")).await?),
        ["Four"]
    );
    assert_eq!(
        titles(&all().filter(|p| p.title.eq_ignoring_case("ONE")).await?),
        ["One"]
    );
    let people = Person::all(&db).filter(|p| p.name.ne("Ann"));
    assert_eq!(
        titles(&all().filter(|p| p.author_id.is_in(people)).await?),
        ["Four"]
    );
    let ids = Person::all(&db)
        .filter(|p| p.age.gt(10))
        .select_column(|p| p.id);
    assert_eq!(
        titles(&all().filter(|p| p.author_id.is_in(ids)).await?),
        ["One", "Two", "Three"]
    );
    assert_eq!(
        titles(
            &all()
                .filter_sql(Raw::new("length(title) > ?").bind(4))
                .await?
        ),
        ["Three"]
    );
    let both = all()
        .filter(|p| p.stars.eq(1))
        .or(all().filter(|p| p.stars.eq(3)))?;
    assert_eq!(titles(&both.await?), ["One", "Three"]);
    assert_eq!(
        all().limit(1).or(all()).unwrap_err().kind(),
        ErrorKind::IncompatibleRelation
    );
    let merged = all()
        .filter(|p| p.stars.eq(1))
        .merge(Post::all(&db).filter(|p| p.stars.eq(2)))?;
    assert_eq!(titles(&merged.await?), ["Two"]);
    let one = all().first_or_fail().await?;
    assert_eq!(
        titles(&all().excluding([&one]).await?),
        ["Two", "Three", "Four"]
    );
    assert_queries!(db, 0, { assert_eq!(all().none().await?.len(), 0) });
    Ok(())
}

/// The find family gives rows options and errors.
pub async fn the_find_family_gives_rows_options_and_errors(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let all = Post::all(&db);
    assert_eq!(Post::find(&db, 2).await?.title(), "Two");
    let missing = Post::find(&db, 99).await.unwrap_err();
    assert!(missing.is_record_not_found());
    assert_eq!(missing.to_string(), "Couldn't find Post with 'id'=99");
    assert_eq!(titles(&all.find_many([3, 1]).await?), ["Three", "One"]);
    assert_eq!(titles(&all.find_many([3, 1, 3]).await?), ["Three", "One"]);
    assert!(
        all.find_many([1, 99])
            .await
            .unwrap_err()
            .to_string()
            .contains("found 1 results, but was looking for 2")
    );
    assert!(all.find_by(|p| p.title.eq("none")).await?.is_none());
    assert!(
        all.find_by_or_fail(|p| p.title.eq("none"))
            .await
            .unwrap_err()
            .is_record_not_found()
    );
    assert_sql!(
        db,
        [r#"SELECT "posts".* FROM "posts" ORDER BY "posts"."id" ASC LIMIT 1"#],
        {
            assert_eq!(all.first().await?.unwrap().title(), "One");
        }
    );
    assert_eq!(all.last().await?.unwrap().title(), "Four");
    assert_eq!(titles(&all.last_n(2).await?), ["Three", "Four"]);
    assert_eq!(all.clone().limit(2).last().await?.unwrap().title(), "Two");
    assert_eq!(titles(&all.first_n(2).await?), ["One", "Two"]);
    assert!(all.take().await?.is_some());
    assert!(all.sole().await.unwrap_err().is_sole_record_exceeded());
    assert_eq!(
        all.clone().filter(|p| p.stars.eq(4)).sole().await?.title(),
        "Four"
    );
    assert_sql!(
        db,
        [r#"SELECT 1 AS one FROM "posts" WHERE "posts"."stars" = ? LIMIT 1"#],
        {
            assert!(!all.clone().filter(|p| p.stars.eq(9)).exists().await?);
        }
    );
    // As many as none, and as many as there are numbers.
    assert_queries!(db, 0, { assert!(!all.clone().limit(0).exists().await?) });
    assert_eq!(all.clone().limit(u64::MAX).await?.len(), 4);
    assert_eq!(all.clone().page(u64::MAX, u64::MAX).await?.len(), 0);
    Ok(())
}

/// Calculations and values.
pub async fn calculations_and_values(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let all = Post::all(&db);
    assert_eq!(all.count().await?, 4);
    assert_eq!(all.clone().limit(3).count().await?, 3);
    assert_eq!(all.sum(|p| p.stars).await?, 10);
    assert_eq!(all.average(|p| p.stars).await?, Some(2.5));
    assert_eq!(all.minimum(|p| p.stars).await?, Some(1));
    assert_eq!(all.maximum(|p| p.title).await?, Some("Two".to_owned()));
    assert_eq!(all.clone().none().sum(|p| p.stars).await?, 0);
    let by_author = all
        .clone()
        .order(|p| p.author_id.asc())
        .count_by(|p| p.author_id)
        .await?;
    assert_eq!(by_author, [(1, 3), (2, 1)]);
    let busy = all
        .clone()
        .having(|p| p.id.count().gt(1))
        .count_by(|p| p.author.name)
        .await?;
    assert_eq!(busy, [("Ann".to_owned(), 3)]);
    assert_eq!(
        all.clone().joins(|p| p.comments).distinct().count().await?,
        4
    );
    assert_eq!(all.clone().joins(|p| p.comments).count().await?, 8);
    let pairs = all
        .clone()
        .order(|p| p.id.desc())
        .limit(2)
        .pluck(|p| (p.title, p.author.name))
        .await?;
    assert_eq!(
        pairs,
        [
            ("Four".to_owned(), "Bob".to_owned()),
            ("Three".to_owned(), "Ann".to_owned())
        ]
    );
    assert_eq!(
        Person::all(&db)
            .order(|p| p.id.asc())
            .pluck(|p| p.age)
            .await?,
        [Some(40), None, Some(7)]
    );
    assert_eq!(
        all.clone().order(|p| p.id.asc()).pick(|p| p.title).await?,
        Some("One".to_owned())
    );
    assert_eq!(all.clone().filter(|p| p.stars.gt(2)).ids().await?, [3, 4]);
    struct Card(String);
    let cards = all.clone().limit(1).project(|p| p.title, Card).await?;
    assert_eq!(cards[0].0, "One");
    assert!(all.explain().await?.contains("posts"));
    Ok(())
}

/// Batches give every row once.
pub async fn batches_give_every_row_once(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let mut each = Post::all(&db).find_each(3);
    let mut seen = Vec::new();
    while let Some(post) = each.next().await? {
        // Rows written meanwhile neither hide others nor repeat.
        if post.id() < 3 {
            Post::create(&db, |p| p.set_title("new").set_stars(0).set_author_id(1)).await?;
        }
        seen.push(post.id());
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 6]);
    let mut batches = Post::all(&db).in_batches(4);
    let mut sizes = Vec::new();
    while let Some(batch) = batches.next().await? {
        sizes.push(batch.len());
    }
    assert_eq!(sizes, [4, 2]);
    let after = Post::all(&db).after(4)?.limit(1).await?;
    assert_eq!(after[0].id(), 5);
    let error = Post::all(&db).after_key([]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Post has a key of 1 column, and 0 values were given"
    );
    Ok(())
}

/// Includes load each association once.
pub async fn includes_load_each_association_once(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let posts = assert_queries!(db, 5, {
        Post::all(&db)
            .order(|p| p.id.asc())
            .includes(|p| (p.author.profile, p.comments.person))
            .await?
    });
    assert_queries!(db, 0, {
        for post in &posts {
            let author = post.author().await?;
            assert_eq!(author.profile().await?.is_some(), author.name() == "Ann");
            let comments = post.comments().await?;
            assert_eq!(comments.len(), 2);
            assert!(comments[0].post().await?.is(post));
            assert_eq!(comments[0].person().await?.unwrap().name(), "Cat");
            assert!(comments[1].person().await?.is_none());
        }
    });
    let (one, two) = (posts[0].author().await?, posts[1].author().await?);
    assert!(one.is(&two), "one row is one object");
    Ok(())
}

/// Two children under one parent and diamonds load once.
pub async fn two_children_under_one_parent_and_diamonds_load_once(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let people = assert_queries!(db, 4, {
        Person::all(&db)
            .includes(|p| (p.posts, p.comments, p.posts.comments))
            .await?
    });
    let ann = &people[0];
    assert_eq!(ann.posts().await?.len(), 3);
    assert_eq!(people[2].comments().await?.len(), 4);
    assert_queries!(db, 0, {
        for post in ann.posts().await? {
            assert_eq!(post.comments().await?.len(), 2);
        }
    });
    Ok(())
}

/// Duplicated owners in one result each get their children.
pub async fn duplicated_owners_in_one_result_each_get_their_children(
    backend: &Backend,
) -> Result<()> {
    let db = blog(backend).await?;
    let people = Person::all(&db)
        .joins(|p| p.posts)
        .preload(|p| p.posts)
        .order(|p| p.id.asc())
        .await?;
    assert_eq!(people.len(), 4);
    for person in &people {
        assert_eq!(
            person.posts().loaded().unwrap().len(),
            if person.name() == "Ann" { 3 } else { 1 }
        );
    }
    Ok(())
}

/// A readonly relation gives records that refuse to be saved.
pub async fn a_readonly_relation_gives_records_that_refuse_to_be_saved(
    backend: &Backend,
) -> Result<()> {
    let db = blog(backend).await?;
    let post = Post::all(&db).readonly().first_or_fail().await?;
    post.set_title("no");
    assert_eq!(
        post.save().await.unwrap_err().kind(),
        ErrorKind::ReadOnlyRecord
    );
    assert_eq!(Post::find(&db, post.id()).await?.title(), "One");
    Ok(())
}

/// Strict records refuse lazy loading and say what to do.
pub async fn strict_records_refuse_lazy_loading_and_say_what_to_do(
    backend: &Backend,
) -> Result<()> {
    let db = blog(backend).await?;
    let posts = Post::all(&db)
        .strict_loading()
        .includes(|p| p.author)
        .await?;
    assert_eq!(posts[0].author().await?.name(), "Ann");
    let error = posts[0].comments().await.unwrap_err();
    assert!(error.is_strict_loading_violation());
    assert!(error.to_string().starts_with(
        "`Post` is marked for strict_loading. The Comment association named `:comments` cannot be lazily loaded."
    ));
    assert_eq!(posts[0].comments().count().await?, 2, "a count is no load");
    assert!(
        posts[0]
            .author()
            .await?
            .posts()
            .await
            .unwrap_err()
            .is_strict_loading_violation(),
        "it spreads"
    );
    let comment = Comment::all(&db).first_or_fail().await?;
    comment.strict_loading(relata::record::StrictLoading::NPlusOneOnly);
    assert!(
        comment.post().await.is_ok(),
        "its own associations are allowed"
    );
    Ok(())
}

/// Rows with a target, without one, and in the order of a list: the typed forms and those by name agree.
pub async fn rows_are_found_by_presence_and_in_the_order_of_a_list(
    backend: &Backend,
) -> Result<()> {
    let db = blog(backend).await?;
    let names = |people: Vec<Person>| {
        people
            .iter()
            .map(|p| p.name().to_owned())
            .collect::<Vec<_>>()
    };
    let by_name = Relation::of(Person::reflection(), &db);

    let with = Person::all(&db).associated(|p| p.profile);
    assert_eq!(
        with.to_sql(),
        r#"SELECT "people".* FROM "people" INNER JOIN "profiles" ON "profiles"."person_id" = "people"."id" WHERE "profiles"."id" IS NOT NULL"#
    );
    assert_eq!(
        with.to_sql(),
        by_name.clone().associated_named("profile")?.to_sql()
    );
    assert_eq!(names(with.await?), ["Ann"]);

    let without = Person::all(&db).missing(|p| p.posts).order(|p| p.id.asc());
    assert_eq!(names(without.await?), ["Cat"]);
    assert_eq!(
        Person::all(&db).missing(|p| p.posts).to_sql(),
        by_name.clone().missing_named("posts")?.to_sql()
    );
    assert_eq!(Comment::all(&db).missing(|c| c.person).count().await?, 4);
    assert_eq!(Comment::all(&db).associated(|c| c.person).count().await?, 4);

    // Several are each of them.
    let both = Person::all(&db)
        .associated(|p| (p.profile, p.posts))
        .distinct();
    assert_eq!(
        both.to_sql(),
        r#"SELECT DISTINCT "people".* FROM "people" INNER JOIN "profiles" ON "profiles"."person_id" = "people"."id" INNER JOIN "posts" ON "posts"."author_id" = "people"."id" WHERE "profiles"."id" IS NOT NULL AND "posts"."id" IS NOT NULL"#
    );
    assert_eq!(names(both.await?), ["Ann"]);
    let neither = Person::all(&db).missing(|p| (p.profile, p.posts));
    assert_eq!(
        neither.to_sql(),
        by_name
            .clone()
            .missing_named("profile")?
            .missing_named("posts")?
            .to_sql()
    );
    assert_eq!(names(neither.await?), ["Cat"]);

    let ordered = Person::all(&db).in_order_of(|p| p.name, ["Cat", "Ann", "Nobody"]);
    assert_eq!(
        ordered.to_sql(),
        r#"SELECT "people".* FROM "people" WHERE "people"."name" IN ('Cat', 'Ann', 'Nobody') ORDER BY CASE "people"."name" WHEN 'Cat' THEN 1 WHEN 'Ann' THEN 2 WHEN 'Nobody' THEN 3 END ASC"#
    );
    assert_eq!(
        ordered.to_sql(),
        by_name
            .clone()
            .in_order_of_named("name", ["Cat", "Ann", "Nobody"])?
            .to_sql()
    );
    assert_eq!(names(ordered.await?), ["Cat", "Ann"]);
    assert_eq!(
        names(Person::all(&db).in_order_of(|p| p.id, [3, 1, 2]).await?),
        ["Cat", "Ann", "Bob"]
    );
    assert!(
        Person::all(&db)
            .in_order_of(|p| p.id, [0; 0])
            .await?
            .is_empty()
    );
    assert!(by_name.in_order_of_named("nmae", ["Ann"]).is_err());
    Ok(())
}
