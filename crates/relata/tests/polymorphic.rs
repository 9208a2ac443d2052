//! Polymorphic associations on models made at run time: each owner says which model it leads to.

use relata::attribute::{AttributeType, Kind};
use relata::reflection::{
    Classes, Column, Declared, ModelBuilder, ModelReflection, Registry, Setting, Target,
};
use relata::{Db, ErrorKind, Record, Relation, Result, Value, assert_queries, assert_sql};

struct Models {
    post: &'static ModelReflection,
    photo: &'static ModelReflection,
    comment: &'static ModelReflection,
}

fn text(name: &str) -> Setting {
    Setting::Text(name.to_owned())
}

fn id() -> Column {
    Column::new("id", AttributeType::plain(Kind::Int, false))
}

fn nullable(name: &'static str, kind: Kind) -> Column {
    Column::new(name, AttributeType::plain(kind, true))
}

fn sql(text: &str) -> relata::Raw {
    relata::Raw::trusted(text.to_owned())
}

/// Posts and photos have comments; a comment's subject is any of the registered models.
fn models(belongs_to: impl FnOnce(Declared) -> Result<Declared>) -> Result<Models> {
    let known: &'static Registry = Box::leak(Box::new(Registry::new()));
    let (to_comment, slot) = ModelBuilder::target("Comment");
    let (to_author, author_slot) = ModelBuilder::target("Author");
    let author = ModelBuilder::new("Author", "authors")
        .column(id())
        .column(nullable("name", Kind::Text))
        .primary_key(["id"])
        .define()?;
    author_slot.set(author).expect("set once");
    let subject = |name, table: &str, author: Option<Target>| -> Result<_> {
        let comments = Declared::new(name, "has_many", "comments")?
            .option("as", text("subject"))?
            .leading_to(to_comment)?;
        let mut model = ModelBuilder::new(name, table)
            .column(id())
            .column(nullable("title", Kind::Text))
            .column(nullable("comments_count", Kind::Int))
            .primary_key(["id"])
            .association(comments);
        if let Some(author) = author {
            let belongs_to = Declared::new(name, "belongs_to", "author")?
                .option("optional", Setting::Flag(true))?;
            model = model
                .column(nullable("author_id", Kind::Int))
                .association(belongs_to.leading_to(author)?);
        }
        let model = model.define()?;
        known.add(model);
        Ok(model)
    };
    let post = subject("Post", "posts", Some(to_author))?;
    let photo = subject("Photo", "photos", None)?;
    let to_subject = Declared::new("Comment", "belongs_to", "subject")?
        .option("polymorphic", Setting::Flag(true))?
        .option("optional", Setting::Flag(true))?;
    let to_subject = belongs_to(to_subject)?.leading_to(Target::AnyOf(Classes::Open(known)))?;
    let comment = ModelBuilder::new("Comment", "comments")
        .column(id())
        .column(nullable("body", Kind::Text))
        .column(nullable("subject_id", Kind::Int))
        .column(nullable("subject_type", Kind::Text))
        .primary_key(["id"])
        .association(to_subject)
        .define()?;
    slot.set(comment).expect("set once");
    Ok(Models {
        post,
        photo,
        comment,
    })
}

impl Models {
    async fn database(&self) -> Result<Db> {
        let db = Db::connect("sqlite::memory:").await?;
        let comment = self.comment;
        db.create_tables([comment]).await?;
        db.execute_sql(sql(
            "CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT)",
        ))
        .await?;
        db.execute_sql(sql(
            "CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT, comments_count INTEGER, author_id INTEGER)",
        ))
        .await?;
        db.execute_sql(sql(
            "CREATE TABLE photos (id INTEGER PRIMARY KEY, title TEXT, comments_count INTEGER)",
        ))
        .await?;
        Ok(db)
    }

    async fn made(&self, db: &Db, model: &'static ModelReflection, title: &str) -> Result<Record> {
        let record = Record::new(model, db);
        record.set("title", title.to_owned())?.save().await?;
        Ok(record)
    }

    /// A post and a photo with the same key, each with a comment, and a comment on nothing.
    async fn filled(&self, db: &Db) -> Result<(Record, Record)> {
        let post = self.made(db, self.post, "post").await?;
        let photo = self.made(db, self.photo, "photo").await?;
        for (subject, body) in [(Some(&post), "1"), (Some(&photo), "2"), (None, "3")] {
            let comment = Record::new(self.comment, db);
            comment.set("body", body)?;
            comment.association("subject")?.set_target(subject)?;
            comment.save().await?;
        }
        Ok((post, photo))
    }
}

fn kept(declared: Declared) -> Result<Declared> {
    Ok(declared)
}

fn title(record: Option<&Record>) -> Result<Option<String>> {
    record
        .map(|record| Ok(record.get("title")?.as_str().unwrap_or_default().to_owned()))
        .transpose()
}

#[relata::test]
fn siblings_are_loaded_with_one_query_for_each_model() -> Result<()> {
    relata::run(async {
        let models = models(kept)?;
        let db = models.database().await?;
        models.filled(&db).await?;
        let comments = Relation::of(models.comment, &db)
            .order_by("id")?
            .load()
            .await?;
        let mut titles = Vec::new();
        assert_queries!(db, 2, {
            for comment in &comments {
                let subject = comment.association("subject")?.load_one().await?;
                titles.push(title(subject.as_ref())?);
            }
        });
        assert_eq!(titles, [Some("post".into()), Some("photo".into()), None]);
        // And what was found is one object, whoever asks.
        assert_queries!(db, 0, {
            let first = comments[0].association("subject")?.load_one().await?;
            let again = comments[0].association("subject")?.load_one().await?;
            assert!(first.zip(again).is_some_and(|(one, other)| one.is(&other)));
        });
        Ok(())
    })
}

#[relata::test]
fn a_preload_groups_by_model_and_skips_below_what_a_model_lacks() -> Result<()> {
    relata::run(async {
        let models = models(kept)?;
        let db = models.database().await?;
        let (post, _) = models.filled(&db).await?;
        let author = post.association("author")?.build()?;
        author.set("name", "Ann")?;
        post.save().await?;
        let all = Relation::of(models.comment, &db).order_by("id")?;
        // Comments, posts, photos, and the authors of posts alone.
        assert_queries!(db, 4, {
            let comments = all
                .clone()
                .preload_named(["subject.author"])?
                .load()
                .await?;
            let subject = comments[0].association("subject")?.load_one().await?;
            let subject = subject.expect("the first comment has a post");
            let author = subject.association("author")?.load_one().await?;
            assert_eq!(
                author.expect("it has an author").get("name")?,
                Value::from("Ann")
            );
            assert!(comments[1].association("subject")?.is_loaded());
            assert!(comments[2].association("subject")?.is_loaded());
        });
        // Rails has the same words for a plain join.
        let error = all.clone().joins_named("subject").unwrap_err();
        assert_eq!(
            error.to_string(),
            "Cannot eagerly load the polymorphic association :subject"
        );
        let error = all.eager_load_named(["subject"])?.load().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::EagerLoadPolymorphic);
        assert_eq!(
            error.to_string(),
            "Cannot eagerly load the polymorphic association :subject"
        );
        Ok(())
    })
}

#[relata::test]
fn many_owners_are_preloaded_without_a_state_for_each() -> Result<()> {
    relata::run(async {
        let models = models(kept)?;
        let db = models.database().await?;
        let mut subjects = Vec::new();
        for number in 0..40 {
            let model = if number % 2 == 0 {
                models.post
            } else {
                models.photo
            };
            subjects.push(models.made(&db, model, &number.to_string()).await?);
        }
        for number in 0..120_usize {
            let comment = Record::new(models.comment, &db);
            let subject = &subjects[number * 7 % 40];
            comment.association("subject")?.set_target(Some(subject))?;
            comment.save().await?;
        }
        let all = Relation::of(models.comment, &db).order_by("id")?;
        assert_queries!(db, 3, {
            let comments = all.includes_named(["subject"])?.load().await?;
            for (number, comment) in comments.iter().enumerate() {
                let subject = comment.association("subject")?.load_one().await?;
                assert_eq!(subject.as_ref(), Some(&subjects[number * 7 % 40]));
            }
        });
        Ok(())
    })
}

#[relata::test]
fn a_type_that_no_model_has_is_an_error_of_its_own_reader_alone() -> Result<()> {
    relata::run(async {
        let models = models(kept)?;
        let db = models.database().await?;
        models.filled(&db).await?;
        db.execute_sql(sql(
            "UPDATE comments SET subject_type = 'Nope' WHERE id = 2",
        ))
        .await?;
        let comments = Relation::of(models.comment, &db)
            .order_by("id")?
            .load()
            .await?;
        let first = comments[0].association("subject")?.load_one().await?;
        assert_eq!(title(first.as_ref())?.as_deref(), Some("post"));
        let error = comments[1]
            .association("subject")?
            .load_one()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownModel);
        let message = error.to_string();
        assert!(
            message.starts_with("uninitialized constant Nope: "),
            "{message}"
        );
        assert!(
            error
                .erased_record()
                .is_some_and(|record| record.is(&comments[1]))
        );
        // It can be written over, and a record that nobody reads it of can be saved.
        comments[1].set("body", "changed")?.save().await?;
        comments[1]
            .association("subject")?
            .set_target(first.as_ref())?;
        comments[1].save().await?;
        assert_eq!(comments[1].get("subject_type")?, Value::from("Post"));
        Ok(())
    })
}

#[relata::test]
fn a_target_is_stale_when_its_type_or_its_key_is() -> Result<()> {
    relata::run(async {
        let models = models(kept)?;
        let db = models.database().await?;
        let (_, photo) = models.filled(&db).await?;
        let comment = Relation::of(models.comment, &db)
            .order_by("id")?
            .take_or_fail()
            .await?;
        let subject = comment.association("subject")?;
        assert_eq!(
            title(subject.load_one().await?.as_ref())?.as_deref(),
            Some("post")
        );
        comment.set("subject_type", "Photo")?;
        let subject = comment.association("subject")?;
        assert!(subject.is_stale() && subject.is_changed());
        assert_eq!(subject.load_one().await?.as_ref(), Some(&photo));
        for nothing in [Value::Null, Value::from("")] {
            comment.set("subject_type", nothing)?;
            assert_queries!(db, 0, {
                assert_eq!(comment.association("subject")?.load_one().await?, None);
            });
        }
        Ok(())
    })
}

#[relata::test]
fn leaving_a_collection_empties_key_and_type() -> Result<()> {
    relata::run(async {
        let models = models(kept)?;
        let db = models.database().await?;
        let (post, photo) = models.filled(&db).await?;
        let comments = post.association("comments")?;
        let gone = comments.load_many().await?;
        assert_sql!(
            db,
            [
                "UPDATE \"comments\" SET \"subject_id\" = ?, \"subject_type\" = ? WHERE \"comments\".\"subject_id\" = ? AND \"comments\".\"subject_type\" = ? AND \"comments\".\"id\" = ?"
            ],
            { comments.delete(gone).await? }
        );
        let rows = db
            .fetch_sql(sql(
                "SELECT subject_id, subject_type FROM comments ORDER BY id",
            ))
            .await?;
        let types: Vec<Value<'static>> = rows
            .iter()
            .filter_map(|row| row.get("subject_type").cloned())
            .collect();
        assert_eq!(types, [Value::Null, Value::from("Photo"), Value::Null]);
        // The photo of the same key kept its own.
        assert_eq!(photo.association("comments")?.relation().count().await?, 1);
        Ok(())
    })
}

#[relata::test]
fn rows_are_found_by_record_records_relation_and_nothing() -> Result<()> {
    relata::run(async {
        let models = models(kept)?;
        let db = models.database().await?;
        let (post, photo) = models.filled(&db).await?;
        let all = || Relation::of(models.comment, &db);
        let bodies = async |relation: Relation| -> Result<Vec<String>> {
            let records = relation.order_by("id")?.load().await?;
            let body = |one: &Record| Ok(one.get("body")?.as_str().unwrap_or_default().to_owned());
            records.iter().map(body).collect()
        };
        assert_eq!(
            bodies(all().filter_records("subject", [&post])?).await?,
            ["1"]
        );
        let both = all().filter_records("subject", [&post, &photo])?;
        assert_eq!(bodies(both).await?, ["1", "2"]);
        let photos = Relation::of(models.photo, &db).filter_by("title", "photo")?;
        assert_eq!(bodies(all().filter_rows("subject", photos)?).await?, ["2"]);
        assert_eq!(bodies(all().filter_nowhere("subject")?).await?, ["3"]);
        let none = all().filter_records("subject", std::iter::empty())?;
        assert_eq!(bodies(none).await?, [""; 0]);
        Ok(())
    })
}

#[relata::test]
fn counters_follow_from_one_model_to_another() -> Result<()> {
    relata::run(async {
        let models = models(|subject| subject.option("counter_cache", text("comments_count")))?;
        let db = models.database().await?;
        let (post, photo) = models.filled(&db).await?;
        let count = async |record: &Record| -> Result<Option<i64>> {
            record.reload().await?;
            Ok(record.get("comments_count")?.as_i64())
        };
        assert_eq!(
            (count(&post).await?, count(&photo).await?),
            (Some(1), Some(1))
        );
        let comment = Relation::of(models.comment, &db)
            .order_by("id")?
            .take_or_fail()
            .await?;
        // The keys are the same: it is the type that moves.
        comment.association("subject")?.set_target(Some(&photo))?;
        comment.save().await?;
        assert_eq!(
            (count(&post).await?, count(&photo).await?),
            (Some(0), Some(2))
        );
        comment.destroy().await?;
        assert_eq!(
            (count(&post).await?, count(&photo).await?),
            (Some(0), Some(1))
        );
        Ok(())
    })
}

#[relata::test]
fn a_new_parent_is_saved_first_and_its_class_is_known_before() -> Result<()> {
    relata::run(async {
        let models = models(kept)?;
        let db = models.database().await?;
        let photo = Record::new(models.photo, &db);
        photo.set("title", "new")?;
        let comment = Record::new(models.comment, &db);
        comment.association("subject")?.set_target(Some(&photo))?;
        assert_eq!(comment.get("subject_type")?, Value::from("Photo"));
        assert_eq!(comment.get("subject_id")?, Value::Null);
        comment.save().await?;
        assert_eq!(comment.get("subject_id")?, photo.get("id")?);
        assert_eq!(photo.association("comments")?.load_many().await?, [comment]);
        Ok(())
    })
}

#[relata::test]
fn members_lead_back_to_their_owner_without_a_query() -> Result<()> {
    relata::run(async {
        let models = models(kept)?;
        let db = models.database().await?;
        let (post, _) = models.filled(&db).await?;
        let members = post.association("comments")?.load_many().await?;
        assert_queries!(db, 0, {
            let subject = members[0].association("subject")?.load_one().await?;
            assert!(subject.is_some_and(|subject| subject.is(&post)));
        });
        Ok(())
    })
}
