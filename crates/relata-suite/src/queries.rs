//! Relations in closures and by name: each does the same, with the same SQL and the same rows.
//!
//! A table holds a relation of each kind, the SQL that both are, and the keys that both find.

use relata::relation::Part;
use relata::{Db, ErrorKind, Raw, Record, Relation, Result, Value, assert_queries};

use crate::Backend;
use crate::blog::{Person, Post, blog};

/// A line of the table.
struct Line {
    typed: Relation<Post>,
    by_name: Relation,
    /// What follows `SELECT "posts".* FROM "posts"`; or the whole, where it begins otherwise.
    sql: &'static str,
    ids: &'static [i64],
}

fn line(
    typed: Relation<Post>,
    by_name: Relation,
    sql: &'static str,
    ids: &'static [i64],
) -> Result<Line> {
    Ok(Line {
        typed,
        by_name,
        sql,
        ids,
    })
}

async fn assert_lines(db: &Db, lines: impl IntoIterator<Item = Result<Line>>) -> Result<()> {
    for line in lines {
        let Line {
            typed,
            by_name,
            sql,
            ids,
        } = line?;
        let text = typed.to_sql();
        let text = text
            .strip_prefix(r#"SELECT "posts".* FROM "posts""#)
            .unwrap_or(&text);
        assert_eq!(text.trim(), sql);
        assert_eq!(by_name.to_sql(), typed.to_sql());
        let capture = db.capture();
        let found: Vec<i64> = typed.await?.iter().map(Post::id).collect();
        let with_types = texts(&capture);
        let capture = db.capture();
        let records = by_name.await?;
        assert_eq!(texts(&capture), with_types, "{sql}");
        assert_eq!(found, ids, "{sql}");
        assert_eq!(keys(&records)?, ids, "by name: {sql}");
    }
    Ok(())
}

fn texts(capture: &relata::db::Capture) -> Vec<String> {
    let events = capture.events();
    events.iter().map(|event| event.text.to_string()).collect()
}

fn keys(records: &[Record]) -> Result<Vec<i64>> {
    let key = |record: &Record| Ok(record.get("id")?.as_i64().unwrap_or_default());
    records.iter().map(key).collect()
}

/// The blog, where two posts have subtitles.
async fn subtitled(backend: &Backend) -> Result<Db> {
    let db = blog(backend).await?;
    for (id, subtitle) in [(2, "a_b"), (3, "A%B")] {
        let post = Post::find(&db, id).await?;
        post.set_subtitle(Some(subtitle)).save().await?;
    }
    Ok(db)
}

/// Conditions in closures and by name are the same.
pub async fn conditions_in_closures_and_by_name_are_the_same(backend: &Backend) -> Result<()> {
    let db = subtitled(backend).await?;
    let all = || Post::all(&db);
    let of = || Relation::of(Post::reflection(), &db);
    let column = |path: &str| of().column(path);
    let by = |condition: relata::Expr| of().filter_expr(condition);
    let (title, subtitle) = (column("title")?, column("subtitle")?);
    let (stars, author) = (column("stars")?, column("author_id")?);
    let bobs = || Person::all(&db).filter(|p| p.name.eq("Bob"));
    let bobs_by_name = || Relation::of(Person::reflection(), &db).filter_by("name", "Bob");
    let bob_ids = || bobs().select_column(|p| p.id);
    #[rustfmt::skip] // a table
    let lines = [
        // Comparisons.
        line(all().filter(|p| p.stars.eq(2)), of().filter_by("stars", 2)?, r#"WHERE "posts"."stars" = 2"#, &[2]),
        line(all().filter(|p| p.stars.eq(2)), by(stars.eq(2))?, r#"WHERE "posts"."stars" = 2"#, &[2]),
        line(all().filter(|p| p.stars.eq(2)), of().filter_op("stars", "=", "2")?, r#"WHERE "posts"."stars" = 2"#, &[2]),
        line(all().filter(|p| p.stars.ne(2)), by(stars.ne(2))?, r#"WHERE "posts"."stars" != 2"#, &[1, 3, 4]),
        line(all().filter(|p| p.stars.ne(2)), of().filter_op("stars", "!=", 2)?, r#"WHERE "posts"."stars" != 2"#, &[1, 3, 4]),
        line(all().filter(|p| p.stars.lt(2)), by(stars.lt(2))?, r#"WHERE "posts"."stars" < 2"#, &[1]),
        line(all().filter(|p| p.stars.lt(2)), of().filter_op("stars", "<", 2)?, r#"WHERE "posts"."stars" < 2"#, &[1]),
        line(all().filter(|p| p.stars.le(2)), by(stars.le(2))?, r#"WHERE "posts"."stars" <= 2"#, &[1, 2]),
        line(all().filter(|p| p.stars.le(2)), of().filter_op("stars", "<=", 2)?, r#"WHERE "posts"."stars" <= 2"#, &[1, 2]),
        line(all().filter(|p| p.stars.gt(2)), by(stars.gt(2))?, r#"WHERE "posts"."stars" > 2"#, &[3, 4]),
        line(all().filter(|p| p.stars.gt(2)), of().filter_op("stars", ">", 2)?, r#"WHERE "posts"."stars" > 2"#, &[3, 4]),
        line(all().filter(|p| p.stars.ge(2)), by(stars.ge(2))?, r#"WHERE "posts"."stars" >= 2"#, &[2, 3, 4]),
        line(all().filter(|p| p.stars.ge(2)), of().filter_op("stars", ">=", 2)?, r#"WHERE "posts"."stars" >= 2"#, &[2, 3, 4]),
        line(all().filter(|p| p.stars.between(2, 3)), by(stars.between("2", 3))?, r#"WHERE "posts"."stars" BETWEEN 2 AND 3"#, &[2, 3]),
        line(all().filter(|p| p.stars.eq(p.id)), by(stars.eq(column("id")?))?, r#"WHERE "posts"."stars" = "posts"."id""#, &[1, 2, 3, 4]),
        // Lists and queries.
        line(all().filter(|p| p.stars.is_in([1, 4])), by(stars.is_in([1, 4]))?, r#"WHERE "posts"."stars" IN (1, 4)"#, &[1, 4]),
        line(all().filter(|p| p.stars.is_in([1, 4])), of().filter_in("stars", [1, 4])?, r#"WHERE "posts"."stars" IN (1, 4)"#, &[1, 4]),
        line(all().filter(|p| p.stars.is_not_in([1, 4])), by(stars.is_not_in([1, 4]))?, r#"WHERE "posts"."stars" NOT IN (1, 4)"#, &[2, 3]),
        line(all().filter(|p| p.stars.is_in([0; 0])), by(stars.is_in([0; 0]))?, "WHERE 1=0", &[]),
        line(all().filter(|p| p.author_id.is_in(bobs())), by(author.is_in(bobs_by_name()?))?, r#"WHERE "posts"."author_id" IN (SELECT "people"."id" FROM "people" WHERE "people"."name" = 'Bob')"#, &[4]),
        line(all().filter(|p| p.author_id.is_in(bob_ids())), of().filter_among("author_id", bobs_by_name()?, "id")?, r#"WHERE "posts"."author_id" IN (SELECT "people"."id" FROM "people" WHERE "people"."name" = 'Bob')"#, &[4]),
        line(all().filter(|p| p.author_id.is_not_in(bobs())), by(author.is_not_in(bobs_by_name()?.select_named(["id"])?))?, r#"WHERE NOT ("posts"."author_id" IN (SELECT "people"."id" FROM "people" WHERE "people"."name" = 'Bob'))"#, &[1, 2, 3]),
        // Null.
        line(all().filter(|p| p.subtitle.is_null()), by(subtitle.is_null())?, r#"WHERE "posts"."subtitle" IS NULL"#, &[1, 4]),
        line(all().filter(|p| p.subtitle.eq(None::<&str>)), of().filter_by("subtitle", Value::Null)?, r#"WHERE "posts"."subtitle" IS NULL"#, &[1, 4]),
        line(all().filter(|p| p.subtitle.is_not_null()), by(subtitle.is_not_null())?, r#"WHERE "posts"."subtitle" IS NOT NULL"#, &[2, 3]),
        line(all().filter(|p| p.subtitle.ne(None::<&str>)), of().exclude_by("subtitle", Value::Null)?, r#"WHERE "posts"."subtitle" IS NOT NULL"#, &[2, 3]),
        line(all().filter(|p| p.subtitle.is_in([Some("a_b"), None])), by(subtitle.is_in([Value::from("a_b"), Value::Null]))?, r#"WHERE ("posts"."subtitle" = 'a_b' OR "posts"."subtitle" IS NULL)"#, &[1, 2, 4]),
        // Texts.
        line(all().filter(|p| p.title.like("T%")), by(title.like("T%"))?, r#"WHERE "posts"."title" GLOB 'T*'"#, &[2, 3]),
        line(all().filter(|p| p.title.like("T%")), of().filter_op("title", "like", "T%")?, r#"WHERE "posts"."title" GLOB 'T*'"#, &[2, 3]),
        line(all().filter(|p| p.title.like("t%")), by(title.like("t%"))?, r#"WHERE "posts"."title" GLOB 't*'"#, &[]),
        line(all().filter(|p| p.title.like_ignoring_case("t%")), by(title.like_ignoring_case("t%"))?, r#"WHERE "posts"."title" LIKE 't%' ESCAPE '\'"#, &[2, 3]),
        line(all().filter(|p| p.subtitle.contains("_")), by(subtitle.contains("_"))?, r#"WHERE "posts"."subtitle" GLOB '*_*'"#, &[2]),
        line(all().filter(|p| p.subtitle.contains("%")), by(subtitle.contains("%"))?, r#"WHERE "posts"."subtitle" GLOB '*%*'"#, &[3]),
        line(all().filter(|p| p.title.starts_with("Th")), by(title.starts_with("Th"))?, r#"WHERE "posts"."title" GLOB 'Th*'"#, &[3]),
        line(all().filter(|p| p.title.ends_with("o")), by(title.ends_with("o"))?, r#"WHERE "posts"."title" GLOB '*o'"#, &[2]),
        line(all().filter(|p| p.title.eq_ignoring_case("OnE")), by(title.eq_ignoring_case("OnE"))?, r#"WHERE LOWER("posts"."title") = LOWER('OnE')"#, &[1]),
        // Together.
        line(all().exclude(|p| p.stars.eq(2)), of().exclude_by("stars", 2)?, r#"WHERE "posts"."stars" != 2"#, &[1, 3, 4]),
        line(all().exclude(|p| p.stars.gt(2)), by(!stars.gt(2))?, r#"WHERE NOT ("posts"."stars" > 2)"#, &[1, 2]),
        line(all().filter(|p| p.stars.gt(1).and(p.stars.lt(4))), by(stars.gt(1).and(stars.lt(4)))?, r#"WHERE "posts"."stars" > 1 AND "posts"."stars" < 4"#, &[2, 3]),
        line(all().filter(|p| p.stars.eq(1).or(p.title.eq("Four"))), by(stars.eq(1).or(title.eq("Four")))?, r#"WHERE ("posts"."stars" = 1 OR "posts"."title" = 'Four')"#, &[1, 4]),
        line(all().filter(|p| p.stars.eq(1)).or(all().filter(|p| p.stars.eq(4)))?, of().filter_by("stars", 1)?.or(of().filter_by("stars", 4)?)?, r#"WHERE ("posts"."stars" = 1 OR "posts"."stars" = 4)"#, &[1, 4]),
        line(all().filter(|p| p.stars.gt(1)).and(all().filter(|p| p.stars.lt(4)))?, by(stars.gt(1))?.and(by(stars.lt(4))?)?, r#"WHERE "posts"."stars" > 1 AND "posts"."stars" < 4"#, &[2, 3]),
        line(all().filter(|p| p.stars.eq(1)).invert_filter(), of().filter_by("stars", 1)?.invert_filter(), r#"WHERE "posts"."stars" != 1"#, &[2, 3, 4]),
        line(all().filter(|p| p.stars.eq(1).and(p.title.eq("One"))).refilter(|p| p.stars.eq(2)), by(stars.eq(1).and(title.eq("One")))?.refilter_by("stars", 2)?, r#"WHERE "posts"."title" = 'One' AND "posts"."stars" = 2"#, &[]),
        line(all().filter(|p| p.stars.eq(1)).refilter(|p| p.stars.gt(3)), by(stars.eq(1))?.refilter_expr(stars.gt(3))?, r#"WHERE "posts"."stars" > 3"#, &[4]),
    ];
    assert_lines(&db, lines).await?;
    let (one, two) = (Post::find(&db, 1).await?, Post::find(&db, 2).await?);
    let records = [&one, &two].map(|post| (**post).clone());
    let sql = r#"WHERE "posts"."id" NOT IN (1, 2)"#;
    let without = line(
        all().excluding([&one, &two]),
        of().excluding(&records),
        sql,
        &[3, 4],
    );
    assert_lines(&db, [without]).await?;

    // What cannot be is told: at once where a name is wrong, else when the relation is awaited.
    let wrong = by(stars.eq("many"))?.await.unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::InvalidValue);
    let wrong = of().column("titel").unwrap_err();
    assert!(
        wrong.to_string().contains("did you mean `title`?"),
        "{wrong}"
    );
    let stranger = Relation::of(Person::reflection(), &db).filter_expr(stars.eq(1));
    assert_eq!(
        stranger.unwrap_err().to_string(),
        "a condition on Post was given to a relation of Person: name its columns from Person on, through associations"
    );
    let ann: Record = (*Person::find(&db, 1).await?).clone();
    let wrong = of().excluding([&ann]).await.unwrap_err();
    assert!(
        wrong
            .to_string()
            .contains("excluding wants records of Post, and got one of Person"),
        "{wrong}"
    );
    Ok(())
}

/// Paths, orders, cuts, groups and joins in closures and by name are the same.
pub async fn shapes_in_closures_and_by_name_are_the_same(backend: &Backend) -> Result<()> {
    let db = subtitled(backend).await?;
    let all = || Post::all(&db);
    let of = || Relation::of(Post::reflection(), &db);
    let ids = of().column("comments.id")?;
    #[rustfmt::skip] // a table
    let lines = [
        line(all().filter(|p| p.author.name.eq("Ann")), of().filter_by("author.name", "Ann")?, r#"INNER JOIN "people" ON "people"."id" = "posts"."author_id" WHERE "people"."name" = 'Ann'"#, &[1, 2, 3]),
        line(all().filter(|p| p.comments.person.name.eq("Cat")).distinct(), of().filter_by("comments.person.name", "Cat")?.distinct(), r#"SELECT DISTINCT "posts".* FROM "posts" INNER JOIN "comments" ON "comments"."post_id" = "posts"."id" INNER JOIN "people" ON "people"."id" = "comments"."person_id" WHERE "people"."name" = 'Cat'"#, &[1, 2, 3, 4]),
        // Orders.
        line(all().order(|p| p.title), of().order_by("title")?, r#"ORDER BY "posts"."title" ASC"#, &[4, 1, 3, 2]),
        line(all().order(|p| (p.author_id.desc(), p.stars.asc())), of().order_by("author_id desc")?.order_by("stars asc")?, r#"ORDER BY "posts"."author_id" DESC, "posts"."stars" ASC"#, &[4, 1, 2, 3]),
        line(all().order(|p| p.title).reorder(|p| p.stars.desc()), of().order_by("title")?.reorder_by("stars desc")?, r#"ORDER BY "posts"."stars" DESC"#, &[4, 3, 2, 1]),
        line(all().order(|p| p.title).reverse_order(), of().order_by("title")?.reverse_order(), r#"ORDER BY "posts"."title" DESC"#, &[2, 3, 1, 4]),
        line(all().reverse_order(), of().reverse_order(), r#"ORDER BY "posts"."id" DESC"#, &[4, 3, 2, 1]),
        line(all().in_order_of(|p| p.id, [3, 1]), of().in_order_of_named("id", [3, 1])?, r#"WHERE "posts"."id" IN (3, 1) ORDER BY CASE "posts"."id" WHEN 3 THEN 1 WHEN 1 THEN 2 END ASC"#, &[3, 1]),
        // Cuts.
        line(all().limit(2), of().limit(2), "LIMIT 2", &[1, 2]),
        line(all().limit(2).offset(1), of().limit(2).offset(1), "LIMIT 2 OFFSET 1", &[2, 3]),
        line(all().offset(3), of().offset(3), "LIMIT -1 OFFSET 3", &[4]),
        line(all().page(2, 3), of().page(2, 3), "LIMIT 3 OFFSET 3", &[4]),
        line(all().after(2)?, of().after_key([Value::Int(2)])?, r#"WHERE "posts"."id" > 2 ORDER BY "posts"."id" ASC"#, &[3, 4]),
        line(all().none(), of().none(), "WHERE 1=0", &[]),
        // Groups.
        line(all().joins(|p| p.comments).group(|p| p.id).having(|p| p.comments.id.count().gt(1)).filter(|p| p.stars.gt(2)), of().joins_named("comments")?.group_named("id")?.having_expr(ids.count().gt(1))?.filter_op("stars", ">", 2)?, r#"INNER JOIN "comments" ON "comments"."post_id" = "posts"."id" WHERE "posts"."stars" > 2 GROUP BY "posts"."id" HAVING COUNT("comments"."id") > 1"#, &[3, 4]),
        line(all().joins(|p| p.comments).group(|p| p.id).having(|p| p.comments.id.sum().gt(13)), of().joins_named("comments")?.group_named("id")?.having_expr(ids.sum().gt(13))?, r#"INNER JOIN "comments" ON "comments"."post_id" = "posts"."id" GROUP BY "posts"."id" HAVING SUM("comments"."id") > 13"#, &[4]),
        // Joins and loading.
        line(all().joins(|p| p.comments), of().joins_named("comments")?, r#"INNER JOIN "comments" ON "comments"."post_id" = "posts"."id""#, &[1, 1, 2, 2, 3, 3, 4, 4]),
        line(all().left_outer_joins(|p| p.author.profile), of().left_outer_joins_named("author.profile")?, r#"LEFT OUTER JOIN "people" ON "people"."id" = "posts"."author_id" LEFT OUTER JOIN "profiles" ON "profiles"."person_id" = "people"."id""#, &[1, 2, 3, 4]),
        line(all().associated(|p| p.author), of().associated_named("author")?, r#"INNER JOIN "people" ON "people"."id" = "posts"."author_id" WHERE "people"."id" IS NOT NULL"#, &[1, 2, 3, 4]),
        line(all().missing(|p| p.comments), of().missing_named("comments")?, r#"LEFT OUTER JOIN "comments" ON "comments"."post_id" = "posts"."id" WHERE "comments"."id" IS NULL"#, &[]),
        line(all().includes(|p| (p.author.profile, p.comments.person)), of().includes_named(["author.profile", "comments.person"])?, "", &[1, 2, 3, 4]),
        line(all().preload(|p| (p.author, p.comments)), of().preload_named(["author", "comments"])?, "", &[1, 2, 3, 4]),
        line(all().eager_load(|p| p.author).limit(1), of().eager_load_named(["author"])?.limit(1), r#"SELECT "posts"."id" AS t0_r0, "posts"."title" AS t0_r1, "posts"."subtitle" AS t0_r2, "posts"."stars" AS t0_r3, "posts"."author_id" AS t0_r4, "people"."id" AS t1_r0, "people"."name" AS t1_r1, "people"."age" AS t1_r2 FROM "posts" LEFT OUTER JOIN "people" ON "people"."id" = "posts"."author_id" LIMIT 1"#, &[1]),
        // Merged, and taken back.
        line(all().filter(|p| p.stars.eq(1)).merge(all().filter(|p| p.stars.eq(2)).limit(1))?, of().filter_by("stars", 1)?.merge(of().filter_by("stars", 2)?.limit(1))?, r#"WHERE "posts"."stars" = 2 LIMIT 1"#, &[2]),
        line(all().filter(|p| p.stars.eq(1)).order(|p| p.id).limit(1).unscope(Part::Filters).unscope(Part::Limit), of().filter_by("stars", 1)?.order_by("id")?.limit(1).unscope_named("stars")?.unscope(Part::Limit), r#"ORDER BY "posts"."id" ASC"#, &[1, 2, 3, 4]),
        line(all().joins(|p| p.comments).distinct().offset(1).unscope(Part::Joins).unscope(Part::Distinct).unscope(Part::Offset), of().joins_named("comments")?.distinct().offset(1).unscope(Part::Joins).unscope(Part::Distinct).unscope(Part::Offset), "", &[1, 2, 3, 4]),
        line(all().includes(|p| p.author).order(|p| p.id).group(|p| p.id).unscope(Part::Includes).unscope(Part::Orders).unscope(Part::Groups), of().includes_named(["author"])?.order_by("id")?.group_named("id")?.unscope(Part::Includes).unscope(Part::Orders).unscope(Part::Groups), "", &[1, 2, 3, 4]),
        // The rest.
        line(all().annotate("why"), of().annotate("why"), "/* why */", &[1, 2, 3, 4]),
        line(all().readonly(), of().readonly(), "", &[1, 2, 3, 4]),
        line(all().filter_sql(Raw::new("stars % 2 = ?").bind(0)), of().filter_sql(Raw::new("stars % 2 = ?").bind(0)), "WHERE (stars % 2 = 0)", &[2, 4]),
        line(all().from_sql(Raw::new("SELECT * FROM posts WHERE stars = ?").bind(3)), of().from_sql(Raw::new("SELECT * FROM posts WHERE stars = ?").bind(3)), "SELECT * FROM posts WHERE stars = 3", &[3]),
    ];
    assert_lines(&db, lines).await
}

/// What is read in closures and by name is the same.
pub async fn reading_in_closures_and_by_name_is_the_same(backend: &Backend) -> Result<()> {
    let db = subtitled(backend).await?;
    let all = || Post::all(&db).order(|p| p.id);
    let of = || Relation::of(Post::reflection(), &db).order_by("id");
    let id = |post: &Post| post.id();
    let key = |record: &Record| record.get("id").map(|key| key.as_i64().unwrap_or_default());

    // The find family.
    assert_eq!(Post::find(&db, 2).await?.title(), "Two");
    assert_eq!(key(&of()?.find_key([Value::Int(2)]).await?)?, 2);
    let found = all().find_many([3, 1]).await?;
    assert_eq!(found.iter().map(id).collect::<Vec<_>>(), [3, 1]);
    let found = of()?
        .find_keys([3, 1].map(|key| vec![Value::Int(key)]).to_vec())
        .await?;
    assert_eq!(keys(&found)?, [3, 1]);
    let missing = of()?.find_key([Value::Int(9)]).await.unwrap_err();
    assert_eq!(missing.to_string(), "Couldn't find Post with 'id'=9");
    assert_eq!(
        all()
            .find_by(|p| p.stars.eq(3))
            .await?
            .map(|post| post.id()),
        Some(3)
    );
    assert_eq!(
        of()?
            .filter_by("stars", 3)?
            .take()
            .await?
            .as_ref()
            .map(key)
            .transpose()?,
        Some(3)
    );
    let (first, last) = (all().first_or_fail().await?, all().last().await?);
    assert_eq!((first.id(), last.map(|post| post.id())), (1, Some(4)));
    let (first, last) = (of()?.first_or_fail().await?, of()?.last().await?);
    assert_eq!(
        (key(&first)?, last.as_ref().map(key).transpose()?),
        (1, Some(4))
    );
    assert_eq!(keys(&of()?.first_n(2).await?)?, [1, 2]);
    assert_eq!(keys(&of()?.last_n(2).await?)?, [3, 4]);
    assert_eq!(keys(&of()?.take_n(3).await?)?, [1, 2, 3]);
    assert_eq!(key(&of()?.filter_by("stars", 4)?.sole().await?)?, 4);
    assert!(of()?.sole().await.unwrap_err().is_sole_record_exceeded());
    assert!(
        of()?
            .none()
            .take_or_fail()
            .await
            .unwrap_err()
            .is_record_not_found()
    );
    assert!(of()?.exists().await? && !of()?.filter_by("stars", 9)?.exists().await?);

    // Numbers, of all and of groups.
    assert_eq!((all().count().await?, of()?.count().await?), (4, 4));
    assert_eq!(all().sum(|p| p.stars).await?, 10);
    assert_eq!(of()?.sum_named("stars").await?, Value::Int(10));
    assert_eq!(all().average(|p| p.stars).await?, Some(2.5));
    assert_eq!(of()?.average_named("stars").await?, Value::Float(2.5));
    assert_eq!(
        (
            all().minimum(|p| p.stars).await?,
            all().maximum(|p| p.stars).await?
        ),
        (Some(1), Some(4))
    );
    assert_eq!(of()?.minimum_named("stars").await?, Value::Int(1));
    assert_eq!(of()?.maximum_named("title").await?, Value::from("Two"));
    let (by, named) = (Post::all(&db), Relation::of(Post::reflection(), &db));
    let values = |groups: Vec<(Vec<Value<'static>>, Value<'static>)>| {
        groups
            .into_iter()
            .flat_map(|(mut by, value)| [by.remove(0), value])
            .collect::<Vec<_>>()
    };
    let expected = |pairs: [[Value<'static>; 2]; 2]| pairs.concat();
    assert_eq!(by.count_by(|p| p.author_id).await?, [(1, 3), (2, 1)]);
    assert_eq!(
        named.count_by_named(["author_id"]).await?,
        [(vec![Value::Int(1)], 3), (vec![Value::Int(2)], 1)]
    );
    relata::assert_sql!(
        db,
        [
            r#"SELECT "posts"."author_id", SUM("posts"."stars") FROM "posts" GROUP BY "posts"."author_id""#
        ],
        {
            assert_eq!(
                by.sum_by(|p| p.author_id, |p| p.stars).await?,
                [(1, 6), (2, 4)]
            );
        }
    );
    let sums = named.sum_by_named(["author_id"], "stars").await?;
    assert_eq!(
        values(sums),
        expected([[1.into(), 6.into()], [2.into(), 4.into()]])
    );
    assert_eq!(
        by.average_by(|p| p.author.name, |p| p.stars).await?,
        [("Ann".to_owned(), Some(2.0)), ("Bob".to_owned(), Some(4.0))]
    );
    let averages = named.average_by_named(["author.name"], "stars").await?;
    assert_eq!(
        values(averages),
        expected([["Ann".into(), 2.0.into()], ["Bob".into(), 4.0.into()]])
    );
    assert_eq!(
        by.minimum_by(|p| p.author_id, |p| p.title).await?,
        [(1, Some("One".to_owned())), (2, Some("Four".to_owned()))]
    );
    let least = named.minimum_by_named(["author_id"], "title").await?;
    assert_eq!(
        values(least),
        expected([[1.into(), "One".into()], [2.into(), "Four".into()]])
    );
    let most = by
        .maximum_by(|p| (p.author_id, p.author.name), |p| p.subtitle)
        .await?;
    assert_eq!(
        most,
        [
            ((1, "Ann".to_owned()), Some(Some("a_b".to_owned()))),
            ((2, "Bob".to_owned()), None)
        ]
    );
    let most = named.maximum_by_named(["author_id"], "subtitle").await?;
    assert_eq!(
        values(most),
        expected([[1.into(), "a_b".into()], [2.into(), Value::Null]])
    );
    let none = Person::all(&db).filter(|p| p.name.eq("Bob"));
    assert_eq!(
        none.sum_by(|p| p.id, |p| p.age).await?,
        [(2, 0)],
        "the sum of nothing"
    );
    assert_eq!(none.average_by(|p| p.id, |p| p.age).await?, [(2, None)]);
    let busy = named
        .clone()
        .having_expr(named.column("id")?.count().gt(1))?;
    assert_eq!(
        busy.count_by_named(["author_id"]).await?,
        [(vec![Value::Int(1)], 3)]
    );
    let unknown = named
        .sum_by_named(["author_id"], "starz")
        .await
        .unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::UnknownAttribute);

    // Values.
    assert_eq!(
        all().limit(1).pluck(|p| (p.title, p.author.name)).await?,
        [("One".to_owned(), "Ann".to_owned())]
    );
    assert_eq!(
        of()?.limit(1).pluck_named(["title", "author.name"]).await?,
        [["One".into(), "Ann".into()]]
    );
    assert_eq!(all().pick(|p| p.title).await?, Some("One".to_owned()));
    assert_eq!(of()?.pick_named(["title"]).await?, Some(vec!["One".into()]));
    assert_eq!(all().ids().await?, [1, 2, 3, 4]);
    assert_eq!(
        of()?.limit(2).keys().await?,
        [[Value::Int(1)], [Value::Int(2)]]
    );
    let partial = of()?.select_named(["id"])?.first_or_fail().await?;
    assert_eq!(
        partial.get("title").unwrap_err().kind(),
        ErrorKind::MissingAttribute
    );
    // A typed reader could not say so, and gave an empty text.
    let typed = of()?.select_named(["id"])?.typed::<Post>().unwrap_err();
    assert_eq!(
        (typed.kind(), typed.model(), typed.attribute()),
        (ErrorKind::MissingAttribute, Some("Post"), Some("title"))
    );
    let whole = ["author_id", "id", "stars", "subtitle", "title"];
    let typed = of()?.select_named(whole)?.typed::<Post>()?;
    assert_eq!(typed.first_or_fail().await?.title(), "One");
    let untyped = of()?.select_named(["id"])?.typed::<Record>()?;
    assert_eq!(untyped.count().await?, 4);
    assert!(all().explain().await?.contains("posts"));
    assert_eq!(of()?.explain().await?, all().explain().await?);

    // Batches.
    let mut batches = of()?.in_batches(3);
    assert_eq!(keys(&batches.next().await?.unwrap_or_default())?, [1, 2, 3]);
    assert_eq!(keys(&batches.next().await?.unwrap_or_default())?, [4]);
    assert!(batches.next().await?.is_none());
    let mut each = of()?.find_each(2);
    let mut seen = Vec::new();
    while let Some(record) = each.next().await? {
        seen.push(key(&record)?);
    }
    assert_eq!(seen, [1, 2, 3, 4]);
    Ok(())
}

/// What records lead to is given in their order: Rails' `extract_associated`.
pub async fn what_records_lead_to_is_extracted(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let names = |people: &[Person]| {
        people
            .iter()
            .map(|one| one.name().to_owned())
            .collect::<Vec<_>>()
    };
    let posts = Post::all(&db).order(|p| p.id);
    let authors = assert_queries!(db, 2, { posts.extract_associated(|p| p.author).await? });
    assert_eq!(names(&authors), ["Ann", "Ann", "Ann", "Bob"]);
    assert!(authors[0].is(&authors[2]), "one row is one object");
    // Nobody wrote each second comment.
    let cats = assert_queries!(db, 3, {
        posts.extract_associated(|p| p.comments.person).await?
    });
    assert_eq!(names(&cats), ["Cat"; 4]);
    let by_name = Relation::of(Post::reflection(), &db).order_by("id")?;
    let authors = assert_queries!(db, 2, { by_name.extract_associated_named("author").await? });
    assert_eq!(keys(&authors)?, [1, 1, 1, 2]);
    let comments = by_name.extract_associated_named("comments").await?;
    assert_eq!(keys(&comments)?, [1, 2, 3, 4, 5, 6, 7, 8]);
    let unknown = by_name.extract_associated_named("autor").await.unwrap_err();
    assert!(
        unknown.to_string().contains("did you mean `author`?"),
        "{unknown}"
    );
    Ok(())
}
