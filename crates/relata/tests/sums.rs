//! Sums of columns whose numbers are not plain 64 bit integers.

#![cfg(feature = "decimal")]

use relata::{Db, Result, model};
use rust_decimal::Decimal;

/// A line of a bill.
#[model]
pub struct Line {
    id: i64,
    price: Decimal,
    discount: Option<Decimal>,
    units: u64,
}

fn cents(cents: i64) -> Decimal {
    Decimal::new(cents, 2)
}

async fn lines(db: &Db, prices: &[i64]) -> Result<()> {
    db.create_tables([Line::reflection()]).await?;
    db.transaction(async || {
        for &price in prices {
            Line::create(db, |l| l.set_price(cents(price)).set_units(1)).await?;
        }
        Ok(())
    })
    .await
}

#[relata::test]
async fn decimals_add_up_without_the_noise_of_floating_point(db: Db) -> Result<()> {
    lines(&db, &[10, 20]).await?;
    let all = Line::all(&db);
    assert_eq!(all.sum(|l| l.price).await?, cents(30));
    assert_eq!(all.sum(|l| l.discount).await?, Decimal::ZERO, "of nulls");
    assert_eq!(all.clone().none().sum(|l| l.price).await?, Decimal::ZERO);
    assert_eq!(all.maximum(|l| l.price).await?, Some(cents(20)));
    Ok(())
}

#[relata::test]
async fn a_long_bill_is_exact_to_the_cent(db: Db) -> Result<()> {
    let prices: Vec<i64> = (0..2_000).map(|n| 99 + (n * 7919) % 100_000).collect();
    lines(&db, &prices).await?;
    let sum = Line::all(&db).sum(|l| l.price).await?;
    assert_eq!(sum, cents(prices.iter().sum()));
    Ok(())
}

#[relata::test]
async fn whole_numbers_without_sign_add_up_or_say_that_they_do_not_fit(db: Db) -> Result<()> {
    lines(&db, &[1, 1]).await?;
    assert_eq!(Line::all(&db).sum(|l| l.units).await?, 2_u64);
    let first = Line::find(&db, 1).await?;
    first
        .update(|l| l.set_units(i64::MAX.unsigned_abs()))
        .await?;
    let error = Line::all(&db).sum(|l| l.units).await.unwrap_err();
    assert!(error.to_string().contains("overflow"), "{error}");
    Ok(())
}
