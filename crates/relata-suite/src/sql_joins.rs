//! Joins that the user writes in SQL.

use relata::relation::Part;
use relata::{Db, Raw, Relation, Result};

use crate::Backend;
use crate::shop::{Badge, Owner, Toy, ann, rows, shop, toys};

/// Ann with toys and a badge, and a toy of nobody.
async fn toy_shop(backend: &Backend) -> Result<Db> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    Badge::create(&db, |b| b.set_label("gold").set_owner(&ann)).await?;
    Toy::create(&db, |t| t.set_title("z")).await?;
    Ok(db)
}

fn gold() -> Raw {
    Raw::new("JOIN badges ON badges.owner_id = toys.owner_id AND badges.label = ?").bind("gold")
}

/// Values of the join come before those of the conditions, whatever is asked of the rows.
pub async fn a_join_in_sql_holds_whatever_is_asked(backend: &Backend) -> Result<()> {
    let db = toy_shop(backend).await?;
    let golden = Toy::all(&db).joins_sql(gold()).filter(|t| t.title.ne("b"));
    let from = r#"FROM "toys" JOIN badges ON badges.owner_id = toys.owner_id AND badges.label = ? WHERE "toys"."title" != ?"#;
    let capture = db.capture();
    assert_eq!(golden.pluck(|t| t.title).await?, ["a", "c"]);
    assert_eq!(golden.count().await?, 2);
    assert!(golden.exists().await?);
    assert_eq!(
        golden
            .clone()
            .order(|t| t.id.desc())
            .first_or_fail()
            .await?
            .title(),
        "c"
    );
    let order = r#"ORDER BY "toys"."id" DESC LIMIT 1"#;
    assert_eq!(
        capture.texts(),
        [
            format!(r#"SELECT "toys"."title" {from}"#),
            format!("SELECT COUNT(*) {from}"),
            format!("SELECT 1 AS one {from} LIMIT 1"),
            format!(r#"SELECT "toys".* {from} {order}"#),
        ]
    );
    // By name it is the same relation.
    let by_name = Relation::of(Toy::reflection(), &db).joins_sql(gold());
    let by_name = by_name.filter_op("title", "!=", "b")?;
    assert_eq!(by_name.to_sql(), golden.to_sql());
    Ok(())
}

/// What rows a join finds are written by their keys; and a batch ends with a row, however often it is found.
pub async fn rows_that_a_join_in_sql_finds_are_written(backend: &Backend) -> Result<()> {
    let db = toy_shop(backend).await?;
    let golden = || Toy::all(&db).joins_sql(gold());
    let capture = db.capture();
    assert_eq!(golden().update_all(|t| t.stars.set(5)).await?, 3);
    let keys = r#"SELECT "toys"."id" FROM "toys" JOIN badges ON badges.owner_id = toys.owner_id AND badges.label = ?"#;
    assert_eq!(
        capture.texts(),
        [format!(
            r#"UPDATE "toys" SET "stars" = ? WHERE "toys"."id" IN ({keys})"#
        )]
    );
    let twice = Raw::new(
        "JOIN badges b ON b.owner_id = toys.owner_id JOIN toys t ON t.owner_id = b.owner_id",
    );
    let mut batches = Toy::all(&db).joins_sql(twice).in_batches(2);
    let mut found = Vec::new();
    while let Some(batch) = batches.next().await? {
        found.push(
            batch
                .iter()
                .map(|toy| toy.title().to_owned())
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(found, [vec!["a", "b"], vec!["c"]]);
    assert_eq!(golden().delete_all().await?, 3);
    assert_eq!(toys(&db).await?, rows(&[("z", None)]));
    Ok(())
}

/// It joins with what else is asked: once when it is merged twice, in both sides of an `or`, and it can be taken away.
pub async fn a_join_in_sql_is_part_of_its_relation(backend: &Backend) -> Result<()> {
    let db = toy_shop(backend).await?;
    let golden = || Toy::all(&db).joins_sql(gold());
    let once = golden().merge(golden())?;
    assert_eq!(once.to_sql(), golden().to_sql());
    let either = golden().filter(|t| t.title.eq("a"));
    let either = either.or(Toy::all(&db).filter(|t| t.title.eq("c")))?;
    assert_eq!(either.pluck(|t| t.title).await?, ["a", "c"]);
    let other = Raw::new("JOIN owners ON owners.id = toys.owner_id");
    assert!(golden().or(Toy::all(&db).joins_sql(other)).is_err());
    assert_eq!(golden().unscope(Part::Joins).count().await?, 4);
    let both = golden()
        .joins(|t| t.owner)
        .filter(|t| t.owner.name.eq("Ann"));
    assert_eq!(both.count().await?, 3);
    // A query within another has the join within.
    let of_gold = golden().select_column(|t| t.owner_id).without_nulls();
    let owners = Owner::all(&db).filter(|o| o.id.is_in(of_gold));
    assert_eq!(owners.pluck(|o| o.name).await?, ["Ann"]);
    Ok(())
}
