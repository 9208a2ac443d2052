//! Rows that a default scope hides, copies of records, and what errors of collections carry.

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Utc};

use relata::{Db, ErrorKind, Record, Relation, Result, Value, assert_queries, callbacks, model};

use crate::Backend;
use crate::shop::{Badge, Owner, Toy, ann, shop};

static INITIALIZED: AtomicUsize = AtomicUsize::new(0);

/// A page, which is hidden once it is put away.
#[model(default_scope = |pages| pages.filter(|p| p.away.eq(false)))]
pub struct Page {
    id: i64,
    #[validates(uniqueness)]
    path: String,
    away: bool,
    reads: i64,
    words_count: i64,
    created_at: Option<DateTime<Utc>>,
    updated_at: Option<DateTime<Utc>>,
    #[has_many]
    words: Word,
}

/// What is on it.
#[model]
pub struct Word {
    id: i64,
    text: String,
    page_id: Option<i64>,
    #[belongs_to(counter_cache = words_count)]
    page: Option<Page>,
}

#[callbacks]
impl Page {
    #[after_initialize]
    fn count(&self) {
        if self.path() == "copied" {
            INITIALIZED.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn pages(backend: &Backend) -> Result<Db> {
    let db = backend.open().await?;
    db.create_tables([Page::reflection(), Word::reflection()])
        .await?;
    Ok(db)
}

async fn put_away(db: &Db, path: &str) -> Result<Page> {
    let page = Page::create(db, |p| {
        p.set_path(path)
            .set_away(true)
            .set_reads(1)
            .set_words_count(0)
    })
    .await?;
    assert!(!Page::all(db).exists().await?, "the scope hides it");
    Ok(page)
}

/// What is done to the row of a record finds it, whatever the default scope of its model is: as Rails, which unscopes.
pub async fn a_hidden_row_is_locked_written_and_read_again(backend: &Backend) -> Result<()> {
    let db = pages(backend).await?;
    let page = put_away(&db, "a").await?;
    page.lock().await?;
    page.with_lock(async || page.update(|p| p.set_path("b")).await)
        .await?;
    page.update_columns([("path", "c".into())]).await?;
    page.increment("reads", 2).await?;
    page.decrement("reads", 1).await?;
    page.reload().await?;
    assert_eq!((page.path(), page.reads()), ("c", 2));
    page.words().create(|w| w.set_text("one")).await?;
    page.update_columns([("words_count", 7.into())]).await?;
    Page::all(&db)
        .reset_counters(page.id(), ["words"], false)
        .await?;
    page.reload().await?;
    assert_eq!(page.words_count(), 1);
    page.words().delete_all().await?;
    page.destroy().await
}

/// A uniqueness validation sees the rows that the default scope hides.
pub async fn uniqueness_sees_hidden_rows(backend: &Backend) -> Result<()> {
    let db = pages(backend).await?;
    put_away(&db, "a").await?;
    let second = Page::build(&db, |p| {
        p.set_path("a")
            .set_away(false)
            .set_reads(0)
            .set_words_count(0)
    });
    assert!(second.save().await.unwrap_err().is_record_invalid());
    assert_eq!(second.errors().on("path"), ["has already been taken"]);
    Ok(())
}

/// `dup` leaves the times of creation and change behind, and runs `after_initialize`.
pub async fn a_dup_has_times_of_its_own_and_is_initialized(backend: &Backend) -> Result<()> {
    let db = pages(backend).await?;
    let page = put_away(&db, "copied").await?;
    assert!(page.created_at().is_some() && page.updated_at().is_some());
    let before = INITIALIZED.load(Ordering::Relaxed);
    let copy = page.dup();
    assert_eq!(INITIALIZED.load(Ordering::Relaxed), before + 1);
    assert_eq!(
        (copy.path(), copy.away(), copy.reads()),
        ("copied", true, 1)
    );
    assert_eq!((copy.created_at(), copy.updated_at()), (None, None));
    Ok(())
}

/// A compact copy is readonly, strict and without columns as the record is.
pub async fn a_compact_copy_keeps_the_terms_of_its_record(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    ann(&db).await?;
    let toys = Toy::all(&db).readonly().strict_loading().limit(1).await?;
    let copy = toys[0].compact();
    assert!(copy.is_readonly() && copy.is_strict_loading());
    let one = Toy::find(&db, 1).await?;
    one.readonly();
    one.strict_loading(relata::record::StrictLoading::All);
    assert!(one.compact().is_readonly() && one.compact().is_strict_loading());
    let raw = relata::Raw::new("SELECT id, title FROM toys WHERE id = 1");
    let partial = Toy::all(&db).erased().from_sql(raw).await?;
    let copy = partial[0].compact();
    assert_eq!(
        copy.get("stars").unwrap_err().kind(),
        ErrorKind::MissingAttribute
    );
    assert_eq!(copy.get("title")?, partial[0].get("title")?);
    copy.set("title", "of the copy")?.save().await?;
    let row = Toy::find(&db, 1).await?;
    assert_eq!((row.title(), row.kind()), ("of the copy", one.kind()));
    Ok(())
}

/// A column that was not selected is there once its row was read again, or it was set or saved; null is a value of it too.
pub async fn a_column_that_was_not_selected_is_read_set_and_saved(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    ann(&db).await?;
    let stars = Toy::find(&db, 1).await?.stars();
    let partial = async || {
        let all = Relation::<Record>::of(Toy::reflection(), &db);
        let all = all.select_named(["id", "title"])?;
        all.find_key([1.into()]).await
    };
    let missing = |toy: &Record, name: &str| {
        let told = toy.get(name).map(drop).map_err(|error| error.kind());
        assert_eq!(told, Err(ErrorKind::MissingAttribute), "{name}");
        let told = toy.attributes().iter().any(|(known, _)| *known == name);
        assert!(!told && !format!("{toy:?}").contains(&format!("{name}:")));
    };
    let there = |toy: &Record, name: &'static str, value: Value<'static>| -> Result<()> {
        assert_eq!(toy.get(name)?, value);
        assert!(toy.attributes().contains(&(name, value)));
        assert!(format!("{toy:?}").contains(&format!("{name}:")));
        Ok(())
    };

    // Read again, null or not.
    let toy = partial().await?;
    missing(&toy, "stars");
    missing(&toy, "sold");
    toy.reload().await?;
    there(&toy, "stars", stars.into())?;
    there(&toy, "sold", Value::Null)?;
    assert!(!toy.is_changed());

    // Set, and set back.
    let toy = partial().await?;
    toy.set("stars", 7)?;
    there(&toy, "stars", 7.into())?;
    toy.restore_attributes();
    missing(&toy, "stars");

    // Saved, and rolled back: it is set as before.
    let rolled_back: Result<()> = db
        .transaction(async || {
            toy.set("stars", 7)?.save().await?;
            Err(relata::Error::new(ErrorKind::Rollback, "no"))
        })
        .await;
    assert!(rolled_back.is_err() && toy.changed() == ["stars"]);
    toy.save().await?;
    there(&toy, "stars", 7.into())?;
    there(&toy.compact(), "stars", 7.into())?;
    missing(&toy.compact(), "kind");

    // Null is no lack of a value: it was taken for what the row has, and not written.
    toy.set("owner_id", Value::Null)?;
    assert_eq!(toy.changed(), ["owner_id"]);
    there(&toy, "owner_id", Value::Null)?;
    toy.restore_attributes();
    missing(&toy, "owner_id");
    assert!(!toy.is_changed());
    toy.set("owner_id", Value::Null)?.save().await?;
    assert!(!toy.is_changed());
    there(&toy, "owner_id", Value::Null)?;
    assert_eq!(Toy::find(&db, 1).await?.owner_id(), None);
    Ok(())
}

/// Keys that lead nowhere name the owner and the association that were asked; so does a record of another model.
pub async fn errors_of_a_collection_name_owner_and_association(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    let toys = ann.toys();
    let association = toys.erased()?;
    for error in [
        toys.find(99).await.unwrap_err(),
        toys.delete_ids([99]).await.unwrap_err(),
        toys.delete_ids([98, 99]).await.unwrap_err(),
        toys.replace_ids([99]).await.unwrap_err(),
        association
            .destroy_keys(vec![vec![99.into()]])
            .await
            .unwrap_err(),
        association
            .find_keys(vec![vec![1.into()], vec![99.into()]])
            .await
            .unwrap_err(),
    ] {
        assert!(error.is_record_not_found(), "{error:?}");
        assert_eq!(
            (error.model(), error.attribute()),
            (Some("Toy"), Some("toys"))
        );
        assert!(error.erased_record().is_some_and(|owner| ann.is(owner)));
    }
    let badge = Badge::build(&db, |b| b.set_label("no toy"));
    let error = association.push(&badge).await.unwrap_err();
    assert!(error.is_association_type_mismatch());
    assert_eq!(
        (error.model(), error.attribute()),
        (Some("Owner"), Some("toys"))
    );
    assert!(error.erased_record().is_some_and(|owner| ann.is(owner)));
    Ok(())
}

/// Rows of an owner that is not saved would be rows of nobody.
pub async fn rows_are_not_inserted_for_a_new_owner(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let owner = Owner::build(&db, |o| o.set_name("New"));
    let rows = [Toy::build(&db, |t| t.set_title("orphan"))];
    let error = owner.toys().insert_all(&rows).await.unwrap_err();
    assert!(error.is_record_not_saved());
    assert_eq!(
        error.to_string(),
        "You cannot call insert_all unless the parent is saved"
    );
    assert_eq!(Toy::all(&db).count().await?, 0);
    Ok(())
}

/// A new record has no row to lock or to read again, and the error says so.
pub async fn a_new_record_has_no_row_to_read_again(backend: &Backend) -> Result<()> {
    let db = shop(backend).await?;
    let toy = Toy::build(&db, |t| t.set_title("new"));
    for error in [toy.reload().await, toy.lock().await] {
        let error = error.unwrap_err();
        assert!(error.is_record_not_found());
        let message = error.to_string();
        assert!(
            message.starts_with("Couldn't find Toy without an ID"),
            "{message}"
        );
        assert!(message.ends_with("Save it first"), "{message}");
    }
    Ok(())
}

/// Half of many members leave at once: each is looked up, not compared with all the others.
pub async fn half_of_many_members_leave_in_one_walk(backend: &Backend) -> Result<()> {
    const MANY: usize = 20_000;
    let db = shop(backend).await?;
    let ann = ann(&db).await?;
    ann.toys().clear().await?;
    let rows: Vec<Toy> = (0..MANY)
        .map(|number| Toy::build(&db, |t| t.set_title(format!("toy {number}"))))
        .collect();
    ann.toys().insert_all(&rows).await?;
    let toys = ann.toys().await?;
    assert_eq!(toys.len(), MANY);
    assert_queries!(db, 1, { ann.toys().delete(&toys[..MANY / 2]).await? });
    assert_eq!(ann.toys().loaded().map(|left| left.len()), Some(MANY / 2));
    assert_eq!(ann.toys().count().await?, (MANY / 2) as u64);
    let ids: Vec<i64> = toys[MANY / 2..MANY * 3 / 4].iter().map(Toy::id).collect();
    ann.toys().replace_ids(ids).await?;
    assert_eq!(ann.toys().count().await?, (MANY / 4) as u64);
    Ok(())
}
