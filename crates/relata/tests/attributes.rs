//! Attribute types: what is written comes back equal, and what is not a value of the type is an error, never a panic.

#![cfg(all(
    feature = "chrono",
    feature = "time",
    feature = "uuid",
    feature = "decimal",
    feature = "json"
))]

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use relata::attribute::{Attribute, AttributeType, Json, Kind};
use relata::reflection::{Column, ModelBuilder, ModelReflection};
use relata::{Db, Error, ErrorKind, Raw, Record, Relation, Result, Value};
use rust_decimal::Decimal;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};
use uuid::Uuid;

/// The column of the type that is tested.
const VALUE: usize = 1;

fn thing<T: Attribute>() -> &'static ModelReflection {
    ModelBuilder::new("Thing", "things")
        .column(Column::new("id", AttributeType::of::<i64>()))
        .column(Column::new("value", AttributeType::of::<T>()))
        .primary_key(["id"])
        .define()
        .unwrap()
}

/// A model with a table of its own.
async fn table<T: Attribute>() -> Result<(Db, &'static ModelReflection)> {
    let (db, model) = (Db::connect("sqlite::memory:").await?, thing::<T>());
    db.create_tables([model]).await?;
    Ok((db, model))
}

/// Loads the one row of a table without types that holds `literal`.
async fn load<T: Attribute>(literal: &str) -> Result<Record> {
    let db = Db::connect("sqlite::memory:").await?;
    db.execute_sql(Raw::new(
        "CREATE TABLE things (id INTEGER PRIMARY KEY, value BLOB)",
    ))
    .await?;
    db.execute_sql(Raw::trusted(format!(
        "INSERT INTO things (id, value) VALUES (1, {literal})"
    )))
    .await?;
    Relation::of(thing::<T>(), &db)
        .find_key([Value::Int(1)])
        .await
}

/// The table holds something of that class, which is refused.
async fn refused<T: Attribute>(literal: &str, class: &str) {
    let error = load::<T>(literal)
        .await
        .expect_err(&format!("{} took {literal}", T::NAME));
    assert_eq!(error.kind(), ErrorKind::InvalidValue, "{error}");
    assert_eq!(error.model(), Some("Thing"));
    assert_eq!(error.attribute(), Some("value"));
    let name = T::NAME;
    let fix = if class == "NULL" {
        format!(": declare `Option<{name}>`")
    } else {
        String::new()
    };
    assert_eq!(
        error.to_string(),
        format!("Thing.value: the table holds {class}, and the field is `{name}`{fix}")
    );
}

/// Writes, saves and loads each value, alone and in an `Option`.
macro_rules! round {
    ($type:ty, $values:expr, $v:ident => $set:expr, $read:expr) => {{
        let (db, model) = table::<$type>().await?;
        let (optional, nullable) = table::<Option<$type>>().await?;
        for value in &$values {
            let $v = value;
            let record = Record::new(model, &db);
            record.write::<$type>(VALUE, $set);
            assert_eq!(record.read::<$type>(VALUE), $read, "before the save");
            record.save().await?;
            let id = record.get("id")?.into_owned();
            let found: Record = Relation::of(model, &db).find_key([id]).await?;
            assert_eq!(found.read::<$type>(VALUE), $read);
            assert!(!found.column_changed(VALUE));

            let record = Record::new(nullable, &optional);
            record.write::<Option<$type>>(VALUE, Some($set));
            record.save().await?;
            let id = record.get("id")?.into_owned();
            let found: Record = Relation::of(nullable, &optional).find_key([id.clone()]).await?;
            assert_eq!(found.read::<Option<$type>>(VALUE), Some($read));
            found.write::<Option<$type>>(VALUE, None);
            found.save().await?;
            let found: Record = Relation::of(nullable, &optional).find_key([id]).await?;
            assert_eq!(found.read::<Option<$type>>(VALUE), None);
        }
    }};
    ($type:ty, $values:expr) => {
        round!($type, $values, v => *v, *v)
    };
}

/// The error of saving a value that a typed setter took.
async fn save<T: Attribute>(value: T::Set<'_>) -> Error {
    let (db, model) = table::<T>().await.unwrap();
    let record = Record::new(model, &db);
    record.write::<T>(VALUE, value);
    let error = record.save().await.unwrap_err();
    assert!(record.is_new_record());
    assert_eq!(Relation::of(model, &db).count().await.unwrap(), 0);
    error
}

#[relata::test]
fn numbers_and_truth_come_back() -> Result<()> {
    relata::run(async {
        round!(i8, [i8::MIN, -1, 0, 1, i8::MAX]);
        round!(i16, [i16::MIN, -1, 0, 1, i16::MAX]);
        round!(i32, [i32::MIN, -1, 0, 1, i32::MAX]);
        round!(i64, [i64::MIN, -1, 0, 1, i64::MAX]);
        round!(u8, [0, 1, u8::MAX]);
        round!(u16, [0, 1, u16::MAX]);
        round!(u32, [0, 1, u32::MAX]);
        round!(u64, [0, 1, i64::MAX.cast_unsigned()]);
        round!(
            f32,
            [
                0.0,
                -0.5,
                0.1,
                f32::MIN,
                f32::MAX,
                f32::MIN_POSITIVE,
                f32::INFINITY,
                f32::NEG_INFINITY
            ]
        );
        round!(
            f64,
            [
                0.0,
                -0.5,
                0.1,
                0.1 + 0.2,
                f64::MIN,
                f64::MAX,
                f64::MIN_POSITIVE,
                f64::INFINITY,
                f64::NEG_INFINITY
            ]
        );
        round!(bool, [false, true]);
        Ok(())
    })
}

#[relata::test]
fn text_and_bytes_come_back() -> Result<()> {
    relata::run(async {
        let long = "x".repeat(1 << 20);
        round!(
            String,
            [
                "",
                " ",
                "NUL\0inside",
                "\0",
                "Zoë 🦀 日本",
                "it's",
                "1",
                long.as_str()
            ]
        );
        round!(Vec<u8>, [&[][..], &[0], &[0xff, 0, 0xfe], long.as_bytes()]);
        Ok(())
    })
}

#[relata::test]
fn times_of_chrono_come_back() -> Result<()> {
    relata::run(async {
        let at = |text: &str| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").unwrap();
        let times = [
            at("1970-01-01 00:00:00.000000"),
            at("1969-12-31 23:59:59.999999"),
            at("2024-02-29 12:30:15.000001"),
            at("0000-01-01 00:00:00"),
            at("9999-12-31 23:59:59.999999"),
            at("-0044-03-15 12:00:00"),
            at("+12024-01-01 00:00:00"),
        ];
        round!(NaiveDateTime, times);
        round!(DateTime<Utc>, times.map(|time| time.and_utc()));
        round!(NaiveDate, times.map(|time| time.date()));
        round!(NaiveDate, [NaiveDate::MIN, NaiveDate::MAX]);
        round!(NaiveTime, times.map(|time| time.time()));
        let cut = |time: NaiveDateTime| {
            DateTime::from_timestamp_micros(time.and_utc().timestamp_micros()).unwrap()
        };
        round!(
            DateTime<Utc>,
            [cut(NaiveDateTime::MIN), cut(NaiveDateTime::MAX)]
        );
        Ok(())
    })
}

#[relata::test]
fn times_of_time_come_back() -> Result<()> {
    relata::run(async {
        let date = |year, month, day| Date::from_calendar_date(year, month, day).unwrap();
        let times = [
            PrimitiveDateTime::new(date(1970, Month::January, 1), Time::MIDNIGHT),
            PrimitiveDateTime::new(
                date(1969, Month::December, 31),
                Time::from_hms_micro(23, 59, 59, 999_999).unwrap(),
            ),
            PrimitiveDateTime::new(
                date(2024, Month::February, 29),
                Time::from_hms_micro(12, 30, 15, 1).unwrap(),
            ),
            PrimitiveDateTime::new(
                date(9999, Month::December, 31),
                Time::from_hms_micro(23, 59, 59, 999_999).unwrap(),
            ),
            PrimitiveDateTime::new(date(-9999, Month::January, 1), Time::MIDNIGHT),
        ];
        round!(PrimitiveDateTime, times);
        round!(OffsetDateTime, times.map(PrimitiveDateTime::assume_utc));
        round!(Date, times.map(PrimitiveDateTime::date));
        round!(Date, [Date::MIN, Date::MAX]);
        round!(Time, times.map(PrimitiveDateTime::time));
        // Another offset is another name for the same instant.
        let east = times[2].assume_offset(UtcOffset::from_hms(5, 30, 0).unwrap());
        round!(OffsetDateTime, [east]);
        Ok(())
    })
}

#[relata::test]
fn a_fraction_finer_than_microseconds_is_cut_by_the_setter() -> Result<()> {
    relata::run(async {
        let (db, model) = table::<DateTime<Utc>>().await?;
        let record = Record::new(model, &db);
        record.write::<DateTime<Utc>>(VALUE, DateTime::from_timestamp(1, 123_456_789).unwrap());
        assert_eq!(
            record.read::<DateTime<Utc>>(VALUE),
            DateTime::from_timestamp(1, 123_456_000).unwrap()
        );
        record.write::<DateTime<Utc>>(VALUE, DateTime::from_timestamp(-1, 999_999_999).unwrap());
        assert_eq!(
            record.read::<DateTime<Utc>>(VALUE),
            DateTime::from_timestamp(-1, 999_999_000).unwrap()
        );

        let (db, model) = table::<OffsetDateTime>().await?;
        let record = Record::new(model, &db);
        let before = OffsetDateTime::UNIX_EPOCH - time::Duration::nanoseconds(1);
        record.write::<OffsetDateTime>(VALUE, before);
        assert_eq!(
            record.read::<OffsetDateTime>(VALUE),
            before.replace_nanosecond(999_999_000).unwrap()
        );

        // Leap seconds have no place of their own.
        let leap = NaiveTime::from_hms_micro_opt(23, 59, 59, 1_500_000).unwrap();
        assert_eq!(NaiveTime::write(leap), Value::Time(86_399_999_999));
        let leap = NaiveTime::from_hms_micro_opt(12, 0, 59, 1_500_000).unwrap();
        assert_eq!(NaiveTime::write(leap), Value::Time(43_260_500_000));
        Ok(())
    })
}

#[relata::test]
fn uuids_and_decimals_come_back() -> Result<()> {
    relata::run(async {
        round!(
            Uuid,
            [
                Uuid::nil(),
                Uuid::max(),
                Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10)
            ]
        );
        let decimals = [
            "0",
            "-0.5",
            "1.50",
            "0.1",
            "123456789012.345",
            "-999999999999999",
            "10000000000000000000",
            "0.0000000000000000000000000001",
            "0.000000000000001",
        ];
        round!(
            Decimal,
            decimals.map(|text| Decimal::from_str_exact(text).unwrap())
        );
        Ok(())
    })
}

#[relata::test]
fn documents_come_back() -> Result<()> {
    relata::run(async {
        let text = r#"{"a":[1,-1,0.30000000000000004,1e300,18446744073709551615,null,true],"é":"\u0000","":{}}"#;
        let documents: Vec<serde_json::Value> = [text, "null", "0", "\"\"", "[]"]
            .into_iter()
            .map(|text| serde_json::from_str(text).unwrap())
            .collect();
        round!(serde_json::Value, documents, v => v, v.clone());
        let maps = [
            BTreeMap::new(),
            BTreeMap::from([
                (String::from("small"), vec![1u32, 2]),
                (String::from("大"), vec![]),
            ]),
        ];
        round!(Json<BTreeMap<String, Vec<u32>>>, maps, v => v, v.clone());
        Ok(())
    })
}

#[relata::test]
fn values_are_set_by_name() -> Result<()> {
    relata::run(async {
        async fn set<T: Attribute>(value: impl Into<Value<'static>>) -> Result<T> {
            let (db, model) = table::<T>().await?;
            let record = Record::new(model, &db);
            record.set("value", value)?.save().await?;
            let found: Record = Relation::of(model, &db).find_key([Value::Int(1)]).await?;
            let value = found.get("value")?;
            Ok(T::owned(relata::attribute::Stored::of(&value)))
        }
        let at = DateTime::from_timestamp_micros(1_700_000_000_000_001).unwrap();
        assert_eq!(set::<DateTime<Utc>>(at).await?, at);
        let paris = at.with_timezone(&chrono::FixedOffset::east_opt(7200).unwrap());
        assert_eq!(set::<DateTime<Utc>>(paris).await?, at);
        // As RFC 3339 has it; the offset is worked in, as Rails does.
        for text in [
            "2023-11-14T23:13:20.000001+01:00",
            "2023-11-14 17:13:20.000001 -0500",
        ] {
            assert_eq!(set::<DateTime<Utc>>(text).await?, at);
            assert_eq!(
                set::<OffsetDateTime>(text).await?.unix_timestamp(),
                1_700_000_000
            );
            assert_eq!(set::<NaiveDateTime>(text).await?, at.naive_utc());
        }
        assert_eq!(set::<NaiveDateTime>(at.naive_utc()).await?, at.naive_utc());
        assert_eq!(set::<NaiveDate>(at.date_naive()).await?, at.date_naive());
        assert_eq!(
            set::<Option<NaiveTime>>(Some(at.time())).await?,
            Some(at.time())
        );
        let at = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        assert_eq!(set::<OffsetDateTime>(at).await?, at);
        assert_eq!(
            set::<PrimitiveDateTime>(PrimitiveDateTime::new(at.date(), at.time()))
                .await?
                .assume_utc(),
            at
        );
        assert_eq!(set::<Date>(at.date()).await?, at.date());
        assert_eq!(set::<Time>(at.time()).await?, at.time());
        assert_eq!(set::<Uuid>(Uuid::max()).await?, Uuid::max());
        assert_eq!(
            set::<Uuid>("67e55044-10b1-426f-9247-bb680e5fe0c8")
                .await?
                .as_u128(),
            0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8
        );
        assert_eq!(
            set::<Decimal>(Decimal::new(125, 2)).await?,
            Decimal::new(125, 2)
        );
        assert_eq!(set::<Decimal>("+1.25").await?, Decimal::new(125, 2));
        let document = serde_json::Value::from(vec![1, 2]);
        assert_eq!(set::<serde_json::Value>(&document).await?, document);
        assert_eq!(set::<Json<Vec<u8>>>(document).await?, Json(vec![1, 2]));
        assert_eq!(set::<Json<Vec<u8>>>(Json(vec![3])).await?, Json(vec![3]));

        for refused in [
            "++1",
            "-+1",
            "1e5",
            "",
            "x",
            "1.2.3",
            "99999999999999999999999999999",
        ] {
            assert_eq!(
                set::<Decimal>(refused).await.unwrap_err().kind(),
                ErrorKind::InvalidValue,
                "{refused}"
            );
        }
        assert!(
            set::<u8>(256i64)
                .await
                .unwrap_err()
                .to_string()
                .contains("Thing.value: the value 256 does not fit u8")
        );
        assert_eq!(
            set::<Json<Vec<u8>>>("[256]").await.unwrap_err().kind(),
            ErrorKind::InvalidValue
        );
        assert_eq!(
            set::<serde_json::Value>("{").await.unwrap_err().kind(),
            ErrorKind::InvalidValue
        );
        assert_eq!(
            set::<Uuid>("67e55044").await.unwrap_err().kind(),
            ErrorKind::InvalidValue
        );
        // A date that no timestamp reaches.
        for beyond in [i32::MIN, i32::MAX] {
            assert_eq!(
                set::<OffsetDateTime>(Value::Date(beyond))
                    .await
                    .unwrap_err()
                    .kind(),
                ErrorKind::InvalidValue
            );
        }
        assert_eq!(
            set::<NaiveDate>("2023-02-29").await.unwrap_err().kind(),
            ErrorKind::InvalidValue
        );
        Ok(())
    })
}

#[relata::test]
fn stored_numbers_out_of_range_are_refused() -> Result<()> {
    relata::run(async {
        let integer = "an integer";
        for number in ["-129", "128", "9223372036854775807", "-9223372036854775808"] {
            refused::<i8>(number, integer).await;
            refused::<Option<i8>>(number, integer).await;
        }
        for number in ["-32769", "32768"] {
            refused::<i16>(number, integer).await;
        }
        for number in ["-2147483649", "2147483648"] {
            refused::<i32>(number, integer).await;
        }
        for number in ["-1", "256"] {
            refused::<u8>(number, integer).await;
        }
        for number in ["-1", "65536"] {
            refused::<u16>(number, integer).await;
        }
        for number in ["-1", "4294967296"] {
            refused::<u32>(number, integer).await;
        }
        refused::<u64>("-1", integer).await;
        refused::<bool>("2", integer).await;
        refused::<f32>("1e300", "a floating point number").await;
        // Not exact as a float.
        refused::<f64>("9007199254740993", integer).await;
        let text = "text";
        refused::<DateTime<Utc>>("'300000-01-01 00:00:00'", text).await;
        refused::<NaiveDateTime>("'300000-01-01 00:00:00'", text).await;
        refused::<NaiveDate>("'300000-01-01'", text).await;
        refused::<NaiveTime>("'24:00:00'", text).await;
        refused::<OffsetDateTime>("'10000-01-01 00:00:00'", text).await;
        refused::<PrimitiveDateTime>("'-10000-01-01 00:00:00'", text).await;
        refused::<Date>("'10000-01-01'", text).await;
        refused::<Time>("'24:00:00'", text).await;
        refused::<Decimal>("'99999999999999999999999999999'", text).await;
        refused::<Decimal>("'0.00000000000000000000000000001'", text).await;
        refused::<Decimal>("1e300", "a floating point number").await;
        refused::<Json<Vec<u8>>>("'[256]'", text).await;
        Ok(())
    })
}

#[relata::test]
fn another_storage_class_is_refused() -> Result<()> {
    relata::run(async {
        const CELLS: [(&str, &str); 5] = [
            ("NULL", "NULL"),
            ("7", "an integer"),
            ("1.5", "a floating point number"),
            ("'no'", "text"),
            ("x'00ff'", "binary data"),
        ];
        async fn only<T: Attribute>(fitting: &[&str]) {
            for (literal, class) in CELLS {
                if fitting.contains(&class) {
                    load::<T>(literal)
                        .await
                        .unwrap_or_else(|error| panic!("{} of {literal}: {error}", T::NAME));
                } else {
                    refused::<T>(literal, class).await;
                }
            }
        }
        let (integer, float, text, bytes) = (
            "an integer",
            "a floating point number",
            "text",
            "binary data",
        );
        only::<i8>(&[integer]).await;
        only::<i16>(&[integer]).await;
        only::<i32>(&[integer]).await;
        only::<i64>(&[integer]).await;
        only::<u8>(&[integer]).await;
        only::<u16>(&[integer]).await;
        only::<u32>(&[integer]).await;
        only::<u64>(&[integer]).await;
        only::<Option<i64>>(&["NULL", integer]).await;
        only::<f32>(&[integer, float]).await;
        only::<f64>(&[integer, float]).await;
        only::<bool>(&[]).await;
        only::<String>(&[text]).await;
        only::<Option<String>>(&["NULL", text]).await;
        only::<Vec<u8>>(&[text, bytes]).await;
        only::<DateTime<Utc>>(&[]).await;
        only::<NaiveDateTime>(&[]).await;
        only::<NaiveDate>(&[]).await;
        only::<NaiveTime>(&[]).await;
        only::<OffsetDateTime>(&[]).await;
        only::<PrimitiveDateTime>(&[]).await;
        only::<Date>(&[]).await;
        only::<Option<Time>>(&["NULL"]).await;
        only::<Uuid>(&[]).await;
        only::<Decimal>(&[integer, float]).await;
        only::<serde_json::Value>(&[]).await;
        only::<Json<Vec<u8>>>(&[]).await;
        Ok(())
    })
}

#[relata::test]
fn text_that_is_not_utf_8_is_refused() -> Result<()> {
    relata::run(async {
        const BROKEN: &str = "CAST(x'61ff62' AS TEXT)";
        assert!(
            load::<String>(BROKEN)
                .await
                .unwrap_err()
                .to_string()
                .contains("Thing.value: the table holds text")
        );
        assert!(
            load::<Option<String>>(BROKEN)
                .await
                .unwrap_err()
                .to_string()
                .contains("not UTF-8")
        );
        refused::<i64>(BROKEN, "text").await;
        refused::<NaiveDate>(BROKEN, "text").await;
        refused::<Uuid>(BROKEN, "text").await;
        refused::<Decimal>(BROKEN, "text").await;
        refused::<serde_json::Value>(BROKEN, "text").await;
        assert_eq!(
            load::<Vec<u8>>(BROKEN).await?.read::<Vec<u8>>(VALUE),
            b"a\xffb"
        );
        Ok(())
    })
}

#[relata::test]
fn what_a_database_cannot_hold_is_refused_when_it_is_saved() -> Result<()> {
    relata::run(async {
        assert_eq!(save::<f64>(f64::NAN).await.kind(), ErrorKind::RangeError);
        assert_eq!(save::<f32>(f32::NAN).await.kind(), ErrorKind::RangeError);
        assert_eq!(
            save::<u64>(i64::MAX.cast_unsigned() + 1).await.kind(),
            ErrorKind::RangeError
        );
        assert_eq!(save::<u64>(u64::MAX).await.kind(), ErrorKind::RangeError);
        for decimal in [
            "1234567890.123456",
            "1234567890123456",
            "0.1234567890123456",
        ] {
            let decimal = Decimal::from_str_exact(decimal).unwrap();
            assert_eq!(save::<Decimal>(decimal).await.kind(), ErrorKind::RangeError);
        }
        Ok(())
    })
}

#[relata::test]
fn what_a_setter_took_but_no_reader_would_accept_is_refused_when_it_is_saved() -> Result<()> {
    relata::run(async {
        let error = save::<Json<BTreeMap<(u8, u8), u8>>>(&BTreeMap::from([((1, 2), 3)])).await;
        assert_eq!(error.kind(), ErrorKind::InvalidValue);
        assert_eq!(error.attribute(), Some("value"));
        assert_eq!(
            error.to_string(),
            "Thing.value: the value cannot be JSON: key must be a string"
        );
        // NaN is null in JSON, and null is no number.
        assert_eq!(
            save::<Json<Vec<f64>>>(&vec![f64::NAN]).await.kind(),
            ErrorKind::InvalidValue
        );
        let deep = (0..200).fold(serde_json::Value::Null, |inner, _| {
            serde_json::Value::Array(vec![inner])
        });
        assert_eq!(
            save::<serde_json::Value>(&deep).await.kind(),
            ErrorKind::InvalidValue
        );
        // In UTC it is year 10000.
        let last = PrimitiveDateTime::MAX.assume_offset(UtcOffset::from_hms(-1, 0, 0).unwrap());
        assert_eq!(
            save::<OffsetDateTime>(last).await.kind(),
            ErrorKind::InvalidValue
        );

        // A change is refused too, and what was saved stays.
        let (db, model) = table::<serde_json::Value>().await?;
        let record = Record::new(model, &db);
        record.write::<serde_json::Value>(VALUE, &serde_json::Value::Bool(true));
        record.save().await?;
        record.write::<serde_json::Value>(VALUE, &deep);
        assert_eq!(
            record.save().await.unwrap_err().kind(),
            ErrorKind::InvalidValue
        );
        record.reload().await?;
        assert_eq!(
            record.read::<serde_json::Value>(VALUE),
            serde_json::Value::Bool(true)
        );
        Ok(())
    })
}

#[relata::test]
fn an_attribute_without_a_value_reads_as_the_default() {
    fn blank<T: Attribute>() -> T {
        T::owned(relata::attribute::Stored::blank(T::KIND))
    }
    assert_eq!(blank::<DateTime<Utc>>(), DateTime::UNIX_EPOCH);
    assert_eq!(blank::<NaiveTime>(), NaiveTime::MIN);
    assert_eq!(
        blank::<NaiveDate>(),
        NaiveDate::from_ymd_opt(1970, 1, 1).unwrap()
    );
    assert_eq!(blank::<OffsetDateTime>(), OffsetDateTime::UNIX_EPOCH);
    assert_eq!(blank::<Date>(), OffsetDateTime::UNIX_EPOCH.date());
    assert_eq!(blank::<Time>(), Time::MIDNIGHT);
    assert_eq!(blank::<Uuid>(), Uuid::nil());
    assert_eq!(blank::<Decimal>(), Decimal::ZERO);
    assert_eq!(blank::<serde_json::Value>(), serde_json::Value::Null);
    assert_eq!(blank::<Json<Vec<u8>>>(), Json(vec![]));
    assert_eq!(
        AttributeType::of::<Option<Json<Vec<u8>>>>().kind,
        Kind::Json
    );
}

/// `Debug` of a record showed a date as the number of its days and a time as its microseconds: nobody could read them.
#[relata::test]
fn values_are_shown_as_people_write_them() {
    let shown = |value: Value<'_>| format!("{value:?}");
    assert_eq!(shown(Value::Date(20_574)), "2026-05-01");
    assert_eq!(
        shown(Value::Timestamp(1_500_000)),
        "1970-01-01 00:00:01.500000 UTC"
    );
    assert_eq!(shown(Value::DateTime(0)), "1970-01-01 00:00:00.000000");
    assert_eq!(shown(Value::Time(3_600_000_000)), "01:00:00.000000");
    assert_eq!(
        shown(Value::Uuid(7)),
        "00000000-0000-0000-0000-000000000007"
    );
    assert_eq!(shown(Value::Decimal("1.50".into())), "1.50");
    assert_eq!(shown(Value::Text("1.50".into())), "\"1.50\"");
}

/// A document that has no JSON was bound to a condition as the text that says why.
#[relata::test]
fn a_document_that_has_no_json_is_no_condition() {
    type Table = Json<BTreeMap<(u8, u8), u8>>;

    #[relata::model]
    struct Sheet {
        id: i64,
        cells: Table,
    }

    relata::run(async {
        let db = Db::connect("sqlite::memory:").await?;
        db.create_tables([Sheet::reflection()]).await?;
        let none = || Json(BTreeMap::from([((1, 2), 3)]));
        let capture = db.capture();
        for relation in [
            Sheet::all(&db).filter(|s| s.cells.eq(none())),
            Sheet::all(&db).filter(|s| s.cells.is_in([none()])),
            Sheet::all(&db).exclude(|s| s.cells.between(none(), none())),
            Sheet::all(&db).filter(|s| s.id.is_in(Sheet::all(&db).filter(|s| s.cells.eq(none())))),
        ] {
            let error = relation.load().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidValue);
            assert!(
                error.to_string().contains("key must be a string"),
                "{error}"
            );
            let error = relation.count().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidValue);
            assert!(relation.to_sql().contains("key must be a string"));
        }
        let error = Relation::of(Sheet::reflection(), &db)
            .filter_by("cells", none())
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue);
        assert!(capture.events().is_empty(), "nothing was sent");
        assert!(
            Sheet::all(&db)
                .filter(|s| s.cells.eq(Json(BTreeMap::new())))
                .await?
                .is_empty()
        );
        Ok(())
    })
    .unwrap();
}

/// A sheet whose cells JSON has no keys for.
#[relata::model]
pub struct Sheet {
    id: i64,
    cells: Json<BTreeMap<(u8, u8), u8>>,
}

/// The condition did not say which column it was about, and a record that was made through the relation lacked the value.
#[relata::test]
async fn what_is_no_value_is_told_of_its_column_in_conditions_and_assignments(
    db: Db,
) -> Result<()> {
    db.create_tables([Sheet::reflection()]).await?;
    let cells = || Json(BTreeMap::from([((1, 2), 3)]));
    let all = || Sheet::all(&db);
    for error in [
        all().filter(|s| s.cells.eq(cells())).load().await.err(),
        all()
            .filter(|s| s.cells.is_in([cells()]))
            .delete_all()
            .await
            .err(),
        all().update_all(|s| s.cells.set(cells())).await.err(),
        all()
            .filter(|s| s.cells.eq(cells()))
            .create(|s| s)
            .await
            .err(),
        all()
            .create_with(|s| s.cells.set(cells()))
            .create(|s| s)
            .await
            .err(),
        // What is built gives no error: its save does.
        all()
            .filter(|s| s.cells.eq(cells()))
            .build(|s| s)
            .save()
            .await
            .err(),
    ] {
        let error = error.unwrap();
        assert_eq!(
            (error.kind(), error.model(), error.attribute()),
            (ErrorKind::InvalidValue, Some("Sheet"), Some("cells")),
            "{error}"
        );
        assert!(
            error.to_string().contains("Sheet.cells: the value is no "),
            "{error}"
        );
    }
    assert_eq!(all().count().await?, 0);
    Ok(())
}
