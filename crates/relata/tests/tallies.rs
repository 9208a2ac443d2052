//! Numbers about the targets of many owners: one statement, no row, and a number for every owner.

use relata::loading::{counts, counts_named, maximums, minimums, sums, tallies_named};
use relata::{Db, ErrorKind, Record, Result, Value, assert_queries, assert_sql, model};

/// Who writes and reads.
#[model]
pub struct Person {
    id: i64,
    name: String,
    #[has_many]
    posts: Post,
    #[has_many(scope = |posts| posts.filter(|p| p.stars.gt(2)).order(|p| p.id.desc()))]
    good_posts: Post,
    #[has_many(scope = |posts| posts.limit(1))]
    last_post: Post,
    #[has_many]
    subscriptions: Subscription,
    #[has_many(through = subscriptions)]
    magazines: Magazine,
    #[has_many(through = subscriptions, source = magazine, scope = |all| all.distinct())]
    titles: Magazine,
}

/// What is written.
#[model]
pub struct Post {
    id: i64,
    stars: i64,
    person_id: i64,
    #[belongs_to]
    person: Person,
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
    price: i64,
}

/// A line of a shop's order.
#[model(primary_key = (shop_id, number))]
pub struct Order {
    shop_id: i64,
    number: i64,
    #[has_many(foreign_key = (shop_id, order_number))]
    lines: Line,
}

/// A line of an order.
#[model]
pub struct Line {
    id: i64,
    shop_id: i64,
    order_number: i64,
    amount: i64,
    #[belongs_to(foreign_key = (shop_id, order_number))]
    order: Order,
}

/// Ann has posts of 1 and 5 stars, Bob none, Cat one of 3; Ann reads one magazine twice, Cat two.
async fn people(db: &Db) -> Result<Vec<Person>> {
    db.create_tables([
        Person::reflection(),
        Post::reflection(),
        Subscription::reflection(),
        Magazine::reflection(),
    ])
    .await?;
    let mut people = Vec::new();
    for name in ["Ann", "Bob", "Cat"] {
        people.push(Person::create(db, |p| p.set_name(name)).await?);
    }
    for (person, stars) in [(0, 1), (0, 5), (2, 3)] {
        Post::create(db, |p| p.set_stars(stars).set_person(&people[person])).await?;
    }
    let wired = Magazine::create(db, |m| m.set_title("Wired").set_price(3)).await?;
    let time = Magazine::create(db, |m| m.set_title("Time").set_price(4)).await?;
    for (reader, magazine) in [(0, &wired), (0, &wired), (2, &wired), (2, &time)] {
        let set = |s: &Subscription| _ = s.set_person(&people[reader]).set_magazine(magazine);
        Subscription::create(db, |s| {
            set(s);
            s
        })
        .await?;
    }
    Ok(people)
}

#[relata::test]
async fn counts_of_many_owners_are_one_statement_and_load_nothing(db: Db) -> Result<()> {
    people(&db).await?;
    let people = Person::all(&db).order(|p| p.id).await?;
    let sql = r#"SELECT "posts"."person_id", COUNT(*) FROM "posts" WHERE "posts"."person_id" IN (?, ?, ?, ?) GROUP BY "posts"."person_id""#;
    let typed = assert_sql!(db, [sql], { counts(&people, |p| p.posts).await? });
    assert_eq!(typed, [2, 0, 1]);
    let erased: Vec<Record> = people.iter().map(|one| (**one).clone()).collect();
    assert_eq!(counts_named(&erased, "posts").await?, [2, 0, 1]);
    assert!(people.iter().all(|one| !one.posts().is_loaded()));
    assert_queries!(db, 0, {
        assert_eq!(counts(&people[..0], |p| p.posts).await?, Vec::<u64>::new());
    });
    Ok(())
}

#[relata::test]
async fn the_scope_of_the_association_narrows_what_is_counted(db: Db) -> Result<()> {
    let people = people(&db).await?;
    assert_eq!(counts(&people, |p| p.good_posts).await?, [1, 0, 1]);
    let error = counts(&people, |p| p.last_post).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert!(
        error
            .to_string()
            .contains("Person.last_post has a scope with a limit"),
        "{error}"
    );
    let posts = Post::all(&db).await?;
    let error = counts(&posts, |p| p.person).await.unwrap_err();
    assert!(error.to_string().contains("belongs_to"), "{error}");
    Ok(())
}

#[relata::test]
async fn sums_and_extremes_have_a_number_for_every_owner(db: Db) -> Result<()> {
    let people = people(&db).await?;
    assert_queries!(db, 3, {
        assert_eq!(sums(&people, |p| p.posts.stars).await?, [6, 0, 3]);
        assert_eq!(
            minimums(&people, |p| p.posts.stars).await?,
            [Some(1), None, Some(3)]
        );
        assert_eq!(
            maximums(&people, |p| p.posts.stars).await?,
            [Some(5), None, Some(3)]
        );
    });
    let erased: Vec<Record> = people.iter().map(|one| (**one).clone()).collect();
    assert_eq!(
        tallies_named(&erased, "posts", "average", "stars").await?,
        [Value::Float(3.0), Value::Null, Value::Float(3.0)]
    );
    let error = tallies_named(&erased, "posts", "median", "stars")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    let error = tallies_named(&erased, "posts", "sum", "star")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownAttribute);
    Ok(())
}

#[relata::test]
async fn what_goes_through_others_is_counted_by_the_rows_between(db: Db) -> Result<()> {
    let people = people(&db).await?;
    assert_eq!(
        counts(&people, |p| p.magazines).await?,
        [2, 0, 2],
        "as often as it is led to"
    );
    assert_eq!(
        counts(&people, |p| p.titles).await?,
        [1, 0, 2],
        "a distinct one once"
    );
    assert_eq!(sums(&people, |p| p.magazines.price).await?, [6, 0, 7]);
    Ok(())
}

#[relata::test]
async fn a_key_of_several_columns_is_grouped_by_all_of_them(db: Db) -> Result<()> {
    db.create_tables([Order::reflection(), Line::reflection()])
        .await?;
    let mut orders = Vec::new();
    for (shop, number) in [(1, 1), (1, 2), (2, 1)] {
        let order = Order::create(&db, |o| o.set_shop_id(shop).set_number(number)).await?;
        for amount in 0..number {
            let set = |l: &Line| _ = l.set_amount(shop + amount).set_order(&order);
            Line::create(&db, |l| {
                set(l);
                l
            })
            .await?;
        }
        orders.push(order);
    }
    assert_eq!(counts(&orders, |o| o.lines).await?, [1, 2, 1]);
    assert_eq!(sums(&orders, |o| o.lines.amount).await?, [1, 3, 2]);
    Ok(())
}
