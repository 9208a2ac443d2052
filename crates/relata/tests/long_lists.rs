//! Lists of any length and any kind: a hundred thousand values are one bound value, so no limit is met.

use relata::attribute::{AttributeType, Kind};
use relata::reflection::{Column, ModelBuilder, ModelReflection};
use relata::{Db, Record, Relation, Result, Value, assert_queries};

/// Keys in a list; fewer where every instruction is simulated.
fn many() -> i64 {
    match std::env::var_os("RELATA_UNDER_VALGRIND") {
        Some(_) => 2_000,
        None => 100_000,
    }
}

/// The value number `number` of a kind: each is another.
type Make = fn(i64) -> Value<'static>;

const KINDS: &[(Kind, Make)] = &[
    (Kind::Int, Value::Int),
    (Kind::Uint, |n| Value::Uint(n.unsigned_abs())),
    (Kind::Float, |n| Value::Float(n as f64 / 7.0)),
    (Kind::Text, |n| {
        Value::Text(format!("it's \"{n}\" \\").into())
    }),
    (Kind::Bytes, |n| {
        Value::Bytes(n.to_be_bytes().to_vec().into())
    }),
    (Kind::Timestamp, |n| Value::Timestamp(n * 1_000_003)),
    (Kind::DateTime, |n| Value::DateTime(n * 1_000_003)),
    (Kind::Date, |n| Value::Date(i32::try_from(n).unwrap())),
    (Kind::Time, |n| Value::Time(n * 1_003)),
    (Kind::Uuid, |n| Value::Uuid(n.unsigned_abs().into())),
    (Kind::Decimal, |n| Value::Decimal(format!("{n}.5").into())),
    (Kind::Json, |n| Value::Json(format!("{{\"n\":{n}}}").into())),
];

fn things(kinds: &[(Kind, Make)], key: &[&'static str]) -> Result<&'static ModelReflection> {
    let names = ["a", "b", "c"];
    let columns = names.into_iter().zip(kinds);
    let builder = ModelBuilder::new("Thing", "things").primary_key(key.iter().copied());
    columns
        .fold(builder, |builder, (name, &(kind, _))| {
            builder.column(Column::new(name, AttributeType::plain(kind, false)))
        })
        .define()
}

async fn three(thing: &'static ModelReflection, kinds: &[(Kind, Make)]) -> Result<Db> {
    let db = Db::connect("sqlite::memory:").await?;
    db.create_tables([thing]).await?;
    for number in 1..=3 {
        let record = Record::new(thing, &db);
        for (name, (_, make)) in ["a", "b", "c"].into_iter().zip(kinds) {
            record.set(name, make(number))?;
        }
        record.save().await?;
    }
    Ok(db)
}

fn values(records: &[Record], name: &str) -> Result<Vec<Value<'static>>> {
    let value = |record: &Record| Ok(record.get(name)?.into_owned());
    records.iter().map(value).collect()
}

/// A list of more than 32,766 floats, decimals or bytes was written out, and SQLite refused so many placeholders.
#[relata::test]
fn a_list_of_a_hundred_thousand_values_of_any_kind_works() -> Result<()> {
    relata::run(async {
        for kind in KINDS {
            let (name, make) = (format!("{:?}", kind.0), kind.1);
            let thing = things(&[*kind], &["a"])?;
            let db = three(thing, &[*kind]).await?;
            let all = || Relation::of(thing, &db);
            let list = (2..2 + many()).map(make);
            let found = assert_queries!(db, 1, {
                all().filter_in("a", list.clone())?.order_by("a")?.await?
            });
            assert_eq!(values(&found, "a")?, [make(2), make(3)], "{name}");
            let others = all().filter_in("a", list.clone())?.invert_filter();
            assert_eq!(values(&others.await?, "a")?, [make(1)], "{name}");
            let ranked = all().in_order_of_named("a", list.rev())?;
            assert_eq!(values(&ranked.await?, "a")?, [make(3), make(2)], "{name}");
        }
        Ok(())
    })
}

/// The same of keys of several columns, which are not compared one by one.
#[relata::test]
fn a_list_of_a_hundred_thousand_keys_of_several_columns_works() -> Result<()> {
    relata::run(async {
        for kinds in KINDS.chunks(3) {
            let thing = things(kinds, &["a", "b", "c"])?;
            let db = three(thing, kinds).await?;
            let key = |number| {
                kinds
                    .iter()
                    .map(|(_, make)| make(number))
                    .collect::<Vec<_>>()
            };
            // A new record for each key: excluding asks for their keys alone.
            let records = (2..2 + many()).map(|number| {
                let record = Record::new(thing, &db);
                let mut pairs = ["a", "b", "c"].into_iter().zip(key(number));
                pairs.try_fold(&record, |record, (name, value)| record.set(name, value))?;
                Ok(record.clone())
            });
            let records: Vec<Record> = records.collect::<Result<_>>()?;
            let without = Relation::of(thing, &db).excluding(&records);
            let left = assert_queries!(db, 1, { without.clone().await? });
            assert_eq!(values(&left, "a")?, [kinds[0].1(1)], "{:?}", kinds[0].0);
            let within = without.invert_filter().order_by("a")?.await?;
            assert_eq!(values(&within, "a")?, [kinds[0].1(2), kinds[0].1(3)]);
        }
        Ok(())
    })
}

/// What SQLite cannot hold is refused in a list, as it is alone.
#[relata::test]
fn a_list_with_what_cannot_be_held_is_refused() -> Result<()> {
    relata::run(async {
        for (kind, wrong) in [
            (Kind::Float, Value::Float(f64::NAN)),
            (Kind::Decimal, Value::Decimal("1234567890123456.7".into())),
            (Kind::Uint, Value::Uint(u64::MAX)),
        ] {
            let make = KINDS.iter().find(|one| one.0 == kind).unwrap();
            let thing = things(&[*make], &["a"])?;
            let db = three(thing, &[*make]).await?;
            for length in [2, 2_000] {
                let list = (0..length).map(make.1).chain([wrong.clone()]);
                let refused = Relation::of(thing, &db).filter_in("a", list)?.await;
                assert_eq!(refused.unwrap_err().kind(), relata::ErrorKind::RangeError);
            }
        }
        Ok(())
    })
}
