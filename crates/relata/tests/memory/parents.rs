//! What is held at most while 100,000 parents get what is theirs, in as many statements as associations: exactly theirs,
//! in order, each row one object.

use std::sync::atomic::Ordering;

use relata::reflection::ModelReflection;
use relata::{Db, Raw, Result, assert_queries, model};

use super::{HELD, PEAK, Person, Post, Profile, length_of_chains};

/// A parent with a key of two columns.
#[model(primary_key = (shop, number))]
pub struct Purchase {
    shop: i64,
    number: i64,
    note: String,
    #[has_many(foreign_key = (shop, purchase_number), scope = |l| l.order(|l| l.id))]
    lines: Line,
    #[has_one(foreign_key = (shop, purchase_number))]
    receipt: Option<Receipt>,
}

#[model]
pub struct Line {
    id: i64,
    shop: i64,
    purchase_number: i64,
    #[belongs_to(foreign_key = (shop, purchase_number))]
    purchase: Purchase,
}

#[model]
pub struct Receipt {
    id: i64,
    shop: i64,
    purchase_number: i64,
    #[belongs_to(foreign_key = (shop, purchase_number))]
    purchase: Purchase,
}

/// A database whose tables are filled with a row for each number from 1 on, as often as a table is named.
async fn filled(
    models: &[&'static ModelReflection],
    rows: &[(&'static str, &'static str)],
) -> Result<Db> {
    let db = Db::connect("sqlite::memory:").await?;
    db.create_tables(models.iter().copied()).await?;
    let many = length_of_chains();
    for (into, select) in rows {
        let text = format!(
            "INSERT INTO {into} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many}) \
             SELECT {select} FROM n"
        );
        db.execute_sql(Raw::trusted(text)).await?;
    }
    Ok(db)
}

/// What a block holds at most beyond what is held before it, and its value.
macro_rules! peak {
    ($body:expr) => {{
        let before = HELD.load(Ordering::SeqCst);
        PEAK.store(before, Ordering::SeqCst);
        let value = $body;
        (PEAK.load(Ordering::SeqCst) - before, value)
    }};
}

/// Two posts that each person likes, over 200,000 rows of a table between.
pub async fn many_to_many() -> Result<isize> {
    let models = [
        Person::reflection(),
        Profile::reflection(),
        Post::reflection(),
    ];
    let db = filled(
        &models,
        &[
            ("people (id, name)", "i, 'p'"),
            ("posts (id, title)", "i, 't'"),
            ("people_posts (person_id, post_id)", "i, i"),
            ("people_posts (person_id, post_id)", "i, i % 1000 + 1"),
        ],
    )
    .await?;
    let (peak, people) = peak!(assert_queries!(db, 3, {
        Person::all(&db)
            .order(|p| p.id)
            .preload(|p| p.liked)
            .await?
    }));
    assert_eq!(people.len(), length_of_chains());
    for person in &people {
        let liked: Vec<i64> = person.liked().await?.iter().map(Post::id).collect();
        assert_eq!(liked, [person.id(), person.id() % 1000 + 1]);
    }
    let (one, other) = (people[0].liked().await?, people[999].liked().await?);
    assert!(other[1].is(&one[0]), "one row is one object");
    Ok(peak)
}

/// A profile for each person but every tenth.
pub async fn one_to_one() -> Result<isize> {
    let models = [Person::reflection(), Profile::reflection()];
    let rows = [
        ("people (id, name)", "i, 'p'"),
        (
            "profiles (id, motto, person_id)",
            "i, 'm' || i, CASE WHEN i % 10 = 0 THEN NULL ELSE i END",
        ),
    ];
    let db = filled(&models, &rows).await?;
    let (peak, people) = peak!(assert_queries!(db, 2, {
        Person::all(&db)
            .order(|p| p.id)
            .preload(|p| p.profile)
            .await?
    }));
    assert_eq!(people.len(), length_of_chains());
    assert_queries!(db, 0, {
        for person in &people {
            let profile = person.profile().await?;
            assert_eq!(profile.is_none(), person.id() % 10 == 0);
            if let Some(profile) = profile {
                assert_eq!(profile.motto()[1..], person.id().to_string());
                assert!(profile.person().await?.is_some_and(|one| one.is(person)));
            }
        }
    });
    Ok(peak)
}

/// Two posts for each person, one for every third.
pub async fn one_to_many() -> Result<isize> {
    let models = [
        Person::reflection(),
        Profile::reflection(),
        Post::reflection(),
    ];
    let rows = [
        ("people (id, name)", "i, 'p'"),
        ("posts (title, author_id)", "'a' || i, i"),
        (
            "posts (title, author_id)",
            "'b' || i, CASE WHEN i % 3 = 0 THEN NULL ELSE i END",
        ),
    ];
    let db = filled(&models, &rows).await?;
    let (peak, people) = peak!(assert_queries!(db, 2, {
        Person::all(&db)
            .order(|p| p.id)
            .preload(|p| p.posts)
            .await?
    }));
    assert_eq!(people.len(), length_of_chains());
    assert_queries!(db, 0, {
        for person in &people {
            let posts = person.posts().await?;
            assert_eq!(posts.len(), if person.id() % 3 == 0 { 1 } else { 2 });
            for (post, letter) in posts.iter().zip(["a", "b"]) {
                assert_eq!(post.title(), format!("{letter}{}", person.id()));
                assert!(post.author().await?.is_some_and(|one| one.is(person)));
            }
        }
    });
    Ok(peak)
}

/// Two lines and a receipt for each purchase, whose key is of two columns: seven shops, where the numbers come again.
pub async fn keys_of_two_columns() -> Result<isize> {
    let models = [
        Purchase::reflection(),
        Line::reflection(),
        Receipt::reflection(),
    ];
    let rows = [
        ("purchases (shop, number, note)", "i % 7, i / 7, 'n' || i"),
        ("lines (shop, purchase_number)", "i % 7, i / 7"),
        ("receipts (shop, purchase_number)", "i % 7, i / 7"),
        ("lines (shop, purchase_number)", "i % 7, i / 7"),
    ];
    let db = filled(&models, &rows).await?;
    let (peak, purchases) = peak!(assert_queries!(db, 3, {
        Purchase::all(&db).preload(|p| (p.lines, p.receipt)).await?
    }));
    let many = i64::try_from(length_of_chains()).expect("it is small");
    assert_eq!(purchases.len(), length_of_chains());
    assert_queries!(db, 0, {
        for purchase in &purchases {
            let number = purchase.number() * 7 + purchase.shop();
            assert_eq!(purchase.note()[1..], number.to_string());
            let lines: Vec<i64> = purchase.lines().await?.iter().map(Line::id).collect();
            assert_eq!(lines, [number, number + many]);
            let receipt = purchase.receipt().await?.expect("each has one");
            assert_eq!(receipt.id(), number);
            assert!(receipt.purchase().await?.is(purchase));
        }
    });
    Ok(peak)
}
