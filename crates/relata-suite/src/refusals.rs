//! What reading refuses, and by which name it tells what is wrong.

use relata::{Error, ErrorKind, Raw, Record, Relation, Result, Value, assert_queries, model};

use crate::Backend;
use crate::blog::{Comment, Person, Post, blog};
use crate::reading::Mark;

/// Numbers that a database may not be able to hold.
#[model]
pub struct Reading {
    id: i64,
    degrees: f64,
    count: Option<u64>,
    station_id: Option<i64>,
    #[belongs_to]
    station: Option<Station>,
}

/// Where numbers are read.
#[model]
pub struct Station {
    id: i64,
    height: Option<u64>,
    #[has_many]
    readings: Reading,
}

/// A null became an empty text or 0 where the type has none.
pub async fn a_null_is_no_empty_value(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let all = || Comment::all(&db).order(|c| c.id);
    for error in [
        all().pluck(|c| (c.id, c.person.name)).await.unwrap_err(),
        all()
            .reverse_order()
            .pick(|c| c.person.name)
            .await
            .unwrap_err(),
        all().count_by(|c| c.person.name).await.unwrap_err(),
        all()
            .project(|c| c.person.name, |name| name)
            .await
            .unwrap_err(),
    ] {
        assert_eq!(
            (error.kind(), error.model(), error.attribute()),
            (ErrorKind::InvalidValue, Some("Person"), Some("name")),
            "{error}"
        );
        assert!(error.to_string().contains(".optional()"), "{error}");
    }
    let names = all().limit(2).pluck(|c| c.person.name.optional()).await?;
    assert_eq!(names, [Some("Cat".to_owned()), None]);
    let counts = Comment::all(&db)
        .count_by(|c| c.person.name.optional())
        .await?;
    assert_eq!(counts, [(None, 4), (Some("Cat".to_owned()), 4)]);
    // By name a null is a null.
    let by_name = all().limit(2).pluck_named(["person.name"]).await?;
    assert_eq!(by_name[1], [Value::Null]);
    Ok(())
}

/// What a database cannot hold was refused without a word of where it stood.
pub async fn what_cannot_be_held_is_told_by_its_attribute(backend: &Backend) -> Result<()> {
    let db = backend.open().await?;
    db.create_tables([Reading::reflection(), Station::reflection()])
        .await?;
    let nan = Reading::create(&db, |r| r.set_degrees(f64::NAN));
    let nan = nan.await.unwrap_err();
    let fine = Reading::create(&db, |r| r.set_degrees(1.5)).await?;
    let changed = fine
        .update(|r| r.set_count(Some(u64::MAX)))
        .await
        .unwrap_err();
    let asked = Reading::all(&db)
        .filter(|r| r.count.eq(u64::MAX))
        .await
        .unwrap_err();
    let counted = Reading::all(&db)
        .filter(|r| r.degrees.gt(f64::NAN))
        .count()
        .await
        .unwrap_err();
    for (error, attribute) in [
        (nan, "degrees"),
        (changed, "count"),
        (asked, "count"),
        (counted, "degrees"),
    ] {
        assert_eq!(
            (error.kind(), error.model(), error.attribute()),
            (ErrorKind::RangeError, Some("Reading"), Some(attribute)),
            "{error}"
        );
        assert!(
            error
                .to_string()
                .contains(&format!("Reading.{attribute}: ")),
            "{error}"
        );
    }
    db.execute_sql(Raw::new("UPDATE readings SET degrees = 'warm'"))
        .await?;
    let plucked = Reading::all(&db)
        .pluck(|r| (r.id, r.degrees))
        .await
        .unwrap_err();
    assert_eq!(
        (plucked.kind(), plucked.model(), plucked.attribute()),
        (ErrorKind::InvalidValue, Some("Reading"), Some("degrees"))
    );
    let endless = Reading::all(&db).filter(|r| r.degrees.lt(f64::INFINITY));
    assert!(
        endless.to_sql().ends_with("< 9e999"),
        "{}",
        endless.to_sql()
    );
    Ok(())
}

/// What writes many rows, and what is joined, told it without a name.
pub async fn what_cannot_be_held_is_told_by_its_attribute_set_wise(
    backend: &Backend,
) -> Result<()> {
    let db = backend.open().await?;
    db.create_tables([Reading::reflection(), Station::reflection()])
        .await?;
    let station = Station::create(&db, |s| s).await?;
    let reading = Reading::create(&db, |r| r.set_degrees(1.5).set_station(&station)).await?;
    let all = || Reading::all(&db);
    let high = || all().filter(|r| r.station.height.eq(u64::MAX));
    let by_name = || all().erased();
    let many = Value::Uint(u64::MAX);
    let fine = Reading::build(&db, |r| r.set_degrees(1.0).set_count(Some(1)));
    let beyond = Reading::build(&db, |r| r.set_degrees(1.0).set_count(Some(u64::MAX)));
    let (in_rows, count, degrees, height) = (
        [&fine, &beyond],
        ("Reading", "count"),
        ("Reading", "degrees"),
        ("Station", "height"),
    );
    let refused = [
        (
            all().update_all(|r| r.count.set(u64::MAX)).await.err(),
            count,
        ),
        (
            all()
                .update_all(|r| r.count.increment(u64::MAX))
                .await
                .err(),
            count,
        ),
        (
            all()
                .filter(|r| r.degrees.gt(f64::NAN))
                .update_all(|r| r.count.set(1))
                .await
                .err(),
            degrees,
        ),
        (
            by_name()
                .update_all_by([("count", many.clone())])
                .await
                .err(),
            count,
        ),
        (all().insert_all(in_rows).await.err(), count),
        (
            all().upsert_all(in_rows).returning(|r| r.id).await.err(),
            count,
        ),
        (
            all()
                .filter(|r| r.count.eq(u64::MAX))
                .delete_all()
                .await
                .err(),
            count,
        ),
        (high().delete_all().await.err(), height),
        (
            high().update_all(|r| r.degrees.set(1.0)).await.err(),
            height,
        ),
        (high().load().await.err(), height),
        (high().count().await.err(), height),
        (high().includes(|r| r.station).load().await.err(), height),
        (high().eager_load(|r| r.station).load().await.err(), height),
        (
            Station::all(&db)
                .filter(|s| s.id.is_in(high().select_column(|r| r.id)))
                .load()
                .await
                .err(),
            height,
        ),
    ];
    let is = |error: Option<Error>, kind, (model, attribute): (&str, &str)| {
        let error = error.unwrap();
        assert_eq!(
            (error.kind(), error.model(), error.attribute()),
            (kind, Some(model), Some(attribute)),
            "{error}"
        );
        let said = format!("{model}.{attribute}: ");
        assert!(error.to_string().contains(&said), "{error}");
    };
    for (error, about) in refused {
        is(error, ErrorKind::RangeError, about);
    }
    assert_eq!(all().pluck(|r| (r.degrees, r.count)).await?, [(1.5, None)]);
    // What is none of the type is told when it is given, also by name and of what is joined.
    let text = || Value::from("much");
    for (error, about) in [
        (by_name().filter_by("station.height", text()).err(), height),
        (
            by_name().filter_in("station.height", [text()]).err(),
            height,
        ),
        (by_name().filter_op("count", "<", text()).err(), count),
        (by_name().filter_op("count", "like", 1).err(), count),
        (
            by_name()
                .filter_expr(by_name().column("station.height")?.lt("much"))?
                .delete_all()
                .await
                .err(),
            height,
        ),
        (
            by_name().update_all_by([("count", text())]).await.err(),
            count,
        ),
    ] {
        is(error, ErrorKind::InvalidValue, about);
    }
    // So is what the rows of an association hold, asked for apart or joined.
    db.execute_sql(Raw::new("UPDATE stations SET height = 'much'"))
        .await?;
    for error in [
        all().includes(|r| r.station).load().await.err(),
        all().eager_load(|r| r.station).load().await.err(),
        reading.reload_station().await.err(),
    ] {
        is(error, ErrorKind::InvalidValue, height);
    }
    Ok(())
}

/// A record without its key was told to be one of a model without.
pub async fn a_record_that_was_read_without_its_key_says_so(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let names = Relation::of(Person::reflection(), &db).select_named(["name"])?;
    let person = names.first_or_fail().await?;
    person.set("name", "new")?;
    for error in [
        person.save().await.unwrap_err(),
        person.delete().await.unwrap_err(),
    ] {
        assert_eq!(
            (error.kind(), error.attribute()),
            (ErrorKind::MissingAttribute, Some("id")),
            "{error}"
        );
    }
    Ok(())
}

/// By name a singular association was counted, and a collection got one target.
pub async fn what_is_asked_of_the_other_sort_of_association_is_refused(
    backend: &Backend,
) -> Result<()> {
    let db = blog(backend).await?;
    let post = Post::all(&db).first_or_fail().await?;
    let (author, comments) = (post.association("author")?, post.association("comments")?);
    let person = Relation::of(Person::reflection(), &db)
        .first_or_fail()
        .await?;
    let comment = Relation::of(Comment::reflection(), &db)
        .first_or_fail()
        .await?;
    for (error, says) in [
        (author.size().await.unwrap_err(), "is singular"),
        (author.count().await.unwrap_err(), "is singular"),
        (author.any().await.unwrap_err(), "is singular"),
        (author.many().await.unwrap_err(), "is singular"),
        (author.contains(&person).await.unwrap_err(), "is singular"),
        (author.first().await.unwrap_err(), "is singular"),
        (author.add_member(&person).unwrap_err(), "call set_target"),
        (author.load_many().await.unwrap_err(), "call load_one"),
        (
            comments.create_one(&comment).await.unwrap_err(),
            "call create_member",
        ),
        (comments.build_apart().unwrap_err(), "call build_member"),
        (
            comments.set_target(Some(&comment)).unwrap_err(),
            "call replace",
        ),
        (comments.load_one().await.unwrap_err(), "call load_many"),
    ] {
        assert_eq!(error.kind(), ErrorKind::Argument, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    Ok(())
}

/// The refusal of a relation was lost where it was written set-wise: "incomplete input".
pub async fn what_is_refused_is_refused_set_wise_too(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let person = Person::all(&db).first_or_fail().await?;
    let person: &Record = &person;
    let wrong = || Relation::of(Post::reflection(), &db).excluding([person]);
    let said = wrong().load().await.unwrap_err();
    assert_eq!(said.kind(), ErrorKind::InvalidValue);
    assert_queries!(db, 0, {
        for error in [
            wrong().delete_all().await.unwrap_err(),
            wrong().limit(1).delete_all().await.unwrap_err(),
            wrong().count().await.unwrap_err(),
        ] {
            assert_eq!(
                (error.kind(), error.to_string()),
                (said.kind(), said.to_string())
            );
        }
    });
    Ok(())
}

/// A key of another type was compared as it was.
pub async fn a_page_begins_after_a_key_of_the_models_type(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let of = || Relation::of(Post::reflection(), &db);
    let error = of().after_key([Value::from("abc")]).unwrap_err();
    assert_eq!(
        (error.kind(), error.attribute()),
        (ErrorKind::InvalidValue, Some("id"))
    );
    let next: Vec<Record> = of().after_key([Value::from("2")])?.await?;
    assert_eq!(next.len(), 2);
    assert_eq!(Post::all(&db).after(2)?.ids().await?, [3, 4]);
    db.create_tables([Mark::reflection()]).await?;
    for (row, place) in [(1, 1), (1, 2), (2, 1)] {
        Mark::create(&db, |m| m.set_row(row).set_place(place).set_kind("x")).await?;
    }
    assert_eq!(Mark::all(&db).after((1, 1))?.count().await?, 2);
    Ok(())
}
