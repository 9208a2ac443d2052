//! Conditions on the targets of an association: that one of them, none or all are so. Typed and by name, with their SQL and
//! the rows they keep.

use relata::{Db, ErrorKind, Relation, Result, assert_sql, model};

/// Who writes and reads.
#[model]
pub struct Person {
    id: i64,
    name: String,
    mentor_id: Option<i64>,
    #[belongs_to]
    mentor: Option<Person>,
    #[has_many(foreign_key = mentor_id, inverse_of = mentor)]
    pupils: Person,
    #[has_many]
    posts: Post,
    #[has_many(scope = |posts| posts.filter(|p| p.stars.gt(2)))]
    good_posts: Post,
    #[has_many]
    subscriptions: Subscription,
    #[has_many(through = subscriptions)]
    magazines: Magazine,
}

/// What is written.
#[model]
pub struct Post {
    id: i64,
    title: String,
    stars: i64,
    published: Option<bool>,
    person_id: i64,
    #[belongs_to]
    person: Person,
    #[has_many]
    comments: Comment,
}

/// What is said of it.
#[model]
pub struct Comment {
    id: i64,
    body: String,
    post_id: i64,
    #[belongs_to]
    post: Post,
}

/// Who reads what.
#[model]
pub struct Subscription {
    id: i64,
    person_id: i64,
    magazine_id: i64,
    #[belongs_to]
    person: Person,
    #[belongs_to]
    magazine: Magazine,
}

/// What is read.
#[model]
pub struct Magazine {
    id: i64,
    title: String,
}

/// Ann has a published post and one of which it is not known, Bob a published one with a comment, Cat (Ann's pupil) none.
/// Ann reads Wired, Bob reads Time, Cat reads both.
async fn filled(db: &Db) -> Result<()> {
    db.create_tables([
        Person::reflection(),
        Post::reflection(),
        Comment::reflection(),
        Subscription::reflection(),
        Magazine::reflection(),
    ])
    .await?;
    let person = async |name: &str| Person::create(db, |p| p.set_name(name)).await;
    let (ann, bob, cat) = (
        person("Ann").await?,
        person("Bob").await?,
        person("Cat").await?,
    );
    cat.update(|c| c.set_mentor(&ann)).await?;
    let post = async |title: &str, stars, published, by: &Person| {
        let set = |p: &Post| {
            p.set_title(title)
                .set_stars(stars)
                .set_published(published)
                .set_person(by);
        };
        Post::create(db, |p| {
            set(p);
            p
        })
        .await
    };
    post("One", 1, Some(true), &ann).await?;
    post("Two", 5, None, &ann).await?;
    let three = post("Three", 2, Some(true), &bob).await?;
    three
        .comments()
        .create(|c| c.set_body("Three").set_post(&three))
        .await?;
    let wired = Magazine::create(db, |m| m.set_title("Wired")).await?;
    let time = Magazine::create(db, |m| m.set_title("Time")).await?;
    for (reader, magazine) in [(&ann, &wired), (&bob, &time), (&cat, &wired), (&cat, &time)] {
        Subscription::create(db, |s| s.set_person(reader).set_magazine(magazine)).await?;
    }
    Ok(())
}

async fn names(people: Relation<Person>) -> Result<Vec<String>> {
    people.order(|p| p.id).pluck(|p| p.name).await
}

const PUBLISHED: &str = r#""posts"."person_id" = "people"."id""#;

#[relata::test]
async fn any_is_a_query_within_the_query_and_gives_no_row_twice(db: Db) -> Result<()> {
    filled(&db).await?;
    let typed = Person::all(&db).filter(|u| u.posts.any(|p| p.published.eq(true)));
    let named = Person::all(&db).filter_any("posts", |posts| posts.filter_by("published", true))?;
    let sql = format!(
        r#"SELECT "people".* FROM "people" WHERE EXISTS (SELECT 1 AS one FROM "posts" WHERE {PUBLISHED} AND "posts"."published" = ?)"#
    );
    for one in [typed, named] {
        assert_sql!(db, [sql], { one.clone().await? });
        assert_eq!(names(one).await?, ["Ann", "Bob"]);
    }
    let all_stars = Person::all(&db).filter(|u| u.posts.any(|p| p.stars.gt(0)));
    assert_eq!(
        all_stars.count().await?,
        2,
        "Ann has two such posts, and counts once"
    );
    Ok(())
}

#[relata::test]
async fn none_and_all_hold_where_there_is_no_target_and_null_is_not_true(db: Db) -> Result<()> {
    filled(&db).await?;
    let people = || Person::all(&db);
    let none = people().filter(|u| u.posts.none(|p| p.published.eq(true)));
    assert_eq!(names(none).await?, ["Cat"]);
    let all = people().filter(|u| u.posts.all(|p| p.published.eq(true)));
    assert!(
        all.to_sql().ends_with(&format!(
            r#"WHERE NOT EXISTS (SELECT 1 AS one FROM "posts" WHERE {PUBLISHED} AND ("posts"."published" = 1) IS NOT TRUE)"#
        )),
        "{}",
        all.to_sql()
    );
    assert_eq!(
        names(all).await?,
        ["Bob", "Cat"],
        "of one of Ann's posts it is not known"
    );
    let published = |posts: Relation| posts.filter_by("published", true);
    assert_eq!(
        names(people().filter_none("posts", published)?).await?,
        ["Cat"]
    );
    assert_eq!(
        names(people().filter_all("posts", published)?).await?,
        ["Bob", "Cat"]
    );
    let excluded = people().exclude(|u| u.posts.any(|p| p.published.eq(true)));
    assert_eq!(names(excluded).await?, ["Cat"]);
    let either = people().filter(|u| u.posts.any(|p| p.stars.eq(5)).or(u.name.eq("Cat")));
    assert_eq!(names(either).await?, ["Ann", "Cat"]);
    Ok(())
}

#[relata::test]
async fn a_path_through_another_association_is_walked_within(db: Db) -> Result<()> {
    filled(&db).await?;
    let typed = Person::all(&db).filter(|u| u.magazines.any(|m| m.title.eq("Time")));
    assert!(
        typed.to_sql().ends_with(
            r#"WHERE EXISTS (SELECT 1 AS one FROM "subscriptions" INNER JOIN "magazines" ON "magazines"."id" = "subscriptions"."magazine_id" WHERE "subscriptions"."person_id" = "people"."id" AND "magazines"."title" = 'Time')"#
        ),
        "{}",
        typed.to_sql()
    );
    assert_eq!(names(typed).await?, ["Bob", "Cat"]);
    let only = Person::all(&db).filter_all("magazines", |all| all.filter_by("title", "Time"))?;
    assert_eq!(names(only).await?, ["Bob"]);
    Ok(())
}

#[relata::test]
async fn a_table_that_stands_outside_too_has_another_name_within(db: Db) -> Result<()> {
    filled(&db).await?;
    let mentors = Person::all(&db).filter(|u| u.pupils.any(|p| p.name.ne(u.name)));
    assert!(
        mentors.to_sql().ends_with(
            r#"WHERE EXISTS (SELECT 1 AS one FROM "people" AS "pupils_people" WHERE "pupils_people"."mentor_id" = "people"."id" AND "pupils_people"."name" != "people"."name")"#
        ),
        "{}",
        mentors.to_sql()
    );
    assert_eq!(names(mentors).await?, ["Ann"]);
    let joined = Person::all(&db).filter(|u| {
        u.posts
            .title
            .eq("One")
            .and(u.posts.any(|p| p.title.eq("Two")))
    });
    assert_eq!(
        names(joined).await?,
        ["Ann"],
        "the joined post is not the one that is asked for"
    );
    Ok(())
}

#[relata::test]
async fn one_may_stand_within_another_and_name_what_stands_around(db: Db) -> Result<()> {
    filled(&db).await?;
    let same = Person::all(&db).filter(|u| {
        u.posts.any(|p| {
            p.comments
                .any(|c| c.body.eq(p.title))
                .and(p.person.name.eq("Bob"))
        })
    });
    assert_eq!(names(same).await?, ["Bob"]);
    let above = Person::all(&db).filter_any("mentor.posts", |posts| posts.filter_by("stars", 5))?;
    assert_eq!(
        names(above).await?,
        ["Cat"],
        "the mentor is joined, the mentor's posts are not"
    );
    Ok(())
}

#[relata::test]
async fn the_scope_of_the_association_is_part_of_it(db: Db) -> Result<()> {
    filled(&db).await?;
    let good = Person::all(&db).filter(|u| u.good_posts.any(|p| p.published.is_null()));
    assert_eq!(names(good).await?, ["Ann"]);
    let good = Person::all(&db).filter(|u| u.good_posts.any(|p| p.title.eq("One")));
    assert_eq!(names(good).await?, Vec::<String>::new(), "it has one star");
    Ok(())
}

#[relata::test]
async fn a_set_wise_update_and_delete_are_narrowed_by_it(db: Db) -> Result<()> {
    filled(&db).await?;
    let busy = Person::all(&db).filter(|u| u.posts.any(|p| p.stars.gt(4)));
    assert_eq!(busy.clone().update_all(|u| u.name.set("Busy")).await?, 1);
    assert_eq!(names(busy).await?, ["Busy"]);
    let unread = Post::all(&db).filter(|p| p.comments.none(|c| c.id.gt(0)));
    assert_eq!(unread.delete_all().await?, 2);
    assert_eq!(Post::all(&db).count().await?, 1);
    Ok(())
}

#[relata::test]
async fn what_is_asked_of_targets_by_name_is_conditions_on_targets(db: Db) -> Result<()> {
    filled(&db).await?;
    let error = Person::all(&db)
        .filter_any("posts", |posts| Ok(posts.limit(1)))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IncompatibleRelation);
    let other = |_: Relation| Ok(Magazine::all(&db).erased());
    let error = Person::all(&db).filter_any("posts", other).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IncompatibleRelation);
    let error = Person::all(&db).filter_any("post", Ok).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AssociationNotFound);
    assert!(error.to_string().contains("posts"), "{error}");
    Ok(())
}
