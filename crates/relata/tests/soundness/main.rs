//! Abuse of the safe API: whatever wrong models, wrong types and wrong threads do, memory stays sound. Every test
//! here may see errors, blanks and panics; run it under AddressSanitizer or valgrind to see that it sees no more.

#![forbid(unsafe_code)]

mod subclasses;
mod variants;

use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::thread;

use relata::attribute::{Attribute, AttributeType, Kind, Stored};
use relata::proxy::{Collection, Singular};
use relata::reflection::shape::Shape;
use relata::reflection::{AssociationReflection, Column, ModelBuilder, ModelReflection};
use relata::relation::Column as Typed;
use relata::{Db, Model, Place, Raw, Record, Relation, Result, Value};

/// What every model here says of its shape.
const SHAPE: Shape = Shape::new("Liar", "liar_id");

struct Models {
    note: &'static ModelReflection,
    /// Another model on the same table, whose types are wrong.
    wrong: &'static ModelReflection,
    /// No columns at all.
    empty: &'static ModelReflection,
    /// A model of types that lie.
    lying: &'static ModelReflection,
}

fn models() -> &'static Models {
    static MODELS: OnceLock<Models> = OnceLock::new();
    MODELS.get_or_init(|| {
        let (to_note, note_slot) = ModelBuilder::target("Note");
        let (to_wrong, wrong_slot) = ModelBuilder::target("Wrong");
        let note = ModelBuilder::new("Note", "notes")
            .column(Column::new("id", AttributeType::of::<i64>()))
            .column(Column::new("text", AttributeType::of::<Option<String>>()))
            .column(Column::new("blob", AttributeType::of::<Option<Vec<u8>>>()))
            .column(Column::new("note_id", AttributeType::of::<Option<i64>>()))
            .primary_key(["id"])
            .association(AssociationReflection::belongs_to("note", to_note))
            .association(AssociationReflection::has_many("notes", to_note))
            .association(
                AssociationReflection::belongs_to("wrong", to_wrong).with_foreign_key(&["note_id"]),
            )
            .define()
            .unwrap();
        // Its key is text where the column that leads to it holds numbers.
        let wrong = ModelBuilder::new("Wrong", "notes")
            .column(Column::new("text", AttributeType::of::<i64>()))
            .column(Column::new("id", AttributeType::of::<String>()))
            .primary_key(["id"])
            .define()
            .unwrap();
        let empty = ModelBuilder::new("Empty", "empties").define().unwrap();
        let lying = ModelBuilder::new("Lying", "notes")
            .column(Column::new("id", AttributeType::of::<TextThatSaysInt>()))
            .column(Column::new("text", AttributeType::of::<IntThatSaysText>()))
            .primary_key(["id"])
            .define()
            .unwrap();
        note_slot.set(note).unwrap();
        wrong_slot.set(wrong).unwrap();
        Models {
            note,
            wrong,
            empty,
            lying,
        }
    })
}

/// Reads everything out of a value, in every way there is.
fn exhaust(stored: Stored<'_>) -> usize {
    let numbers = [
        stored.int() as usize,
        stored.uint() as usize,
        stored.uuid() as usize,
        stored.float() as usize,
    ];
    let text: usize = stored.text().chars().map(|c| c as usize).sum();
    let bytes: usize = stored.bytes().iter().map(|&byte| usize::from(byte)).sum();
    let shown = format!("{stored:?}{:?}", stored.value()).len();
    numbers
        .into_iter()
        .chain([text, bytes, shown])
        .fold(0, usize::wrapping_add)
}

macro_rules! lying_attribute {
    ($name:ident, $kind:expr, |$set:ident| $write:expr) => {
        struct $name;

        impl Attribute for $name {
            const NAME: &'static str = stringify!($name);
            const KIND: Kind = $kind;
            const CHECKED: bool = true;
            type Ref<'a> = (usize, &'a str, &'a [u8]);
            type Set<'a> = &'a i64;

            fn read(stored: Stored<'_>) -> (usize, &str, &[u8]) {
                (exhaust(stored), stored.text(), stored.bytes())
            }

            fn owned(stored: Stored<'_>) -> Self {
                exhaust(stored);
                Self
            }

            fn write($set: Self::Set<'_>) -> Value<'_> {
                $write
            }

            fn into_value(self) -> Value<'static> {
                Self::write(&1).into_owned()
            }

            fn check(stored: Stored<'_>) -> Result<(), String> {
                exhaust(stored);
                Ok(())
            }
        }
    };
}

lying_attribute!(TextThatSaysInt, Kind::Int, |set| Value::from(format!(
    "text {set}"
)));
lying_attribute!(IntThatSaysText, Kind::Text, |set| Value::Int(*set));
lying_attribute!(IntThatSaysBytes, Kind::Bytes, |set| Value::Int(*set));
lying_attribute!(UuidThatSaysText, Kind::Text, |set| Value::Uuid(
    *set as u128 * 0x1_0000_0001_0000_0001
));
lying_attribute!(BytesThatSayText, Kind::Text, |set| Value::Bytes(
    vec![0xff; *set as usize % 9].into()
));
lying_attribute!(BytesThatSayJson, Kind::Json, |set| Value::Bytes(
    vec![0xff; *set as usize % 9].into()
));
lying_attribute!(JsonThatSaysDecimal, Kind::Decimal, |_set| Value::Json(
    "{".into()
));
lying_attribute!(FloatThatSaysUuid, Kind::Uuid, |set| Value::Float(
    *set as f64
));

macro_rules! model {
    ($name:ident, $columns:ty, $reflection:expr, |$at:ident| $place:expr, |$record:ident| $from:expr) => {
        #[derive(Clone, Debug)]
        struct $name(Record);

        impl Deref for $name {
            type Target = Record;

            fn deref(&self) -> &Record {
                &self.0
            }
        }

        impl Model for $name {
            type Columns = $columns;
            type Key = i64;
            const NAME: &'static str = stringify!($name);
            const SHAPE: Shape = SHAPE;

            fn reflection() -> &'static ModelReflection {
                $reflection
            }

            fn from_record($record: Record) -> Result<Self> {
                $from
            }

            fn columns($at: Place) -> $columns {
                $place
            }
        }
    };
}

struct NoteColumns {
    id: Typed<i64>,
    text: Typed<Option<String>>,
    beyond: Typed<String>,
    elsewhere: Typed<Vec<u8>>,
}

fn note_columns(at: Place) -> NoteColumns {
    NoteColumns {
        id: Typed::new(at, 0),
        text: Typed::new(at, 1),
        beyond: Typed::new(at, 999),
        elsewhere: Typed::new(Place::root(models().empty), 7),
    }
}

// One that is right, but for two columns.
model!(
    Note,
    NoteColumns,
    models().note,
    |at| note_columns(at),
    |record| relata::model::checked(models().note, record).map(Self)
);
// The same reflection, other columns, and it takes any record.
model!(
    Shared,
    [Typed<Vec<u8>>; 2],
    models().note,
    |at| [Typed::new(at, 0), Typed::new(at, 5)],
    |record| Ok(Self(record))
);
// Another reflection each time, and the columns of yet another place.
model!(
    Fickle,
    Typed<i64>,
    fickle(),
    |_at| Typed::new(Place::root(models().wrong), 1),
    |record| Ok(Self(record))
);
// Gives another record than the one it is given.
model!(Thief, (), models().note, |_at| (), |_record| Ok(Self(
    Record::new(models().empty, &Db::detached())
)));

fn fickle() -> &'static ModelReflection {
    static TURN: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let all = [
        models().note,
        models().wrong,
        models().empty,
        models().lying,
    ];
    all[TURN.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % all.len()]
}

/// Reads and sets every column, and columns that are not there, as every type.
fn abuse(record: &Record) {
    let mut sum = 0_usize;
    for column in [0, 1, 2, 3, 4, 5, 63, 64, 128, 1 << 31, usize::MAX] {
        macro_rules! read {
            ($($ty:ty),*) => {$(
                sum = sum.wrapping_add(record.read::<$ty>(column).0);
                sum = sum.wrapping_add(record.read_was::<$ty>(column).0);
                record.write::<$ty>(column, &0x4141_4141_4141);
                let (number, text, bytes) = record.read::<$ty>(column);
                assert!(text.chars().count() <= text.len() && bytes.len() <= 1 << 20);
                sum = sum.wrapping_add(number);
            )*};
        }
        read!(
            TextThatSaysInt,
            IntThatSaysText,
            IntThatSaysBytes,
            UuidThatSaysText,
            BytesThatSayText,
            BytesThatSayJson,
            JsonThatSaysDecimal,
            FloatThatSaysUuid
        );
        sum = sum.wrapping_add(
            record.read::<String>(column).len() + record.read::<Vec<u8>>(column).len(),
        );
        sum = sum.wrapping_add(record.read::<Option<String>>(column).map_or(0, str::len));
        sum = sum.wrapping_add(
            record.read::<i64>(column) as usize + usize::from(record.read::<bool>(column)),
        );
        record.write::<String>(column, "set by position");
        record.write::<Vec<u8>>(column, &[0xff, 0xfe]);
        let _ = record.saved_change_to::<Option<String>>(column);
        let _ = record.column_changed(column);
    }
    let shown = format!(
        "{:?}{:?}{:?}",
        record,
        record.changes(),
        record.attributes()
    );
    assert!(sum != 0 || !shown.is_empty());
}

async fn database() -> Result<Db> {
    let db = Db::connect("sqlite::memory:").await?;
    db.create_tables([models().note]).await?;
    for number in 0..20_i64 {
        let note = Record::new(models().note, &db);
        note.set("text", format!("note {number}"))?
            .set("blob", Value::Bytes(vec![0xff; 40].into()))?;
        note.set("note_id", Value::Int(number / 2 + 1))?;
        note.save().await?;
    }
    Ok(db)
}

#[relata::test]
fn positions_and_types_of_all_kinds_read_no_foreign_memory() -> Result<()> {
    for model in [
        models().note,
        models().wrong,
        models().empty,
        models().lying,
    ] {
        let record = Record::new(model, &Db::detached());
        abuse(&record);
        abuse(&record.compact());
    }
    relata::run(async {
        let db = database().await?;
        for note in Relation::of(models().note, &db).await? {
            abuse(&note);
        }
        for model in [models().wrong, models().lying, models().empty] {
            if let Ok(records) = Relation::of(model, &db).await {
                records.iter().for_each(abuse);
            }
        }
        Ok(())
    })
}

#[relata::test]
fn a_record_of_another_model_is_an_error_or_blank() -> Result<()> {
    relata::run(async {
        let db = database().await?;
        let other = Record::new(models().empty, &db);
        assert!(relata::model::checked(models().note, other.clone()).is_err());
        assert!(Note::from_record(other.clone()).is_err());
        abuse(&*Shared::from_record(other.clone())?);
        abuse(&*Fickle::from_record(other.clone())?);
        abuse(&*Thief::from_record(other.clone())?);

        let note = Note::all(&db).first_or_fail().await?;
        assert!(note.association("note")?.set_target(Some(&other)).is_err());
        assert!(note.association("notes")?.push(&other).await.is_err());
        for position in [0, 1, 2, 3, 64, usize::MAX] {
            // Each kind of association read as the other, and as other models.
            let _ = Singular::<'_, Option<Note>>::new(&note, position)
                .load()
                .await;
            let _ = Singular::<'_, Shared>::new(&note, position).load().await;
            let _ = Collection::<'_, Note>::new(&note, position).load().await;
            let _ = Collection::<'_, Thief>::new(&note, position).load().await;
            let wrong = Shared::from_record(other.clone())?;
            let _ = catch_unwind(AssertUnwindSafe(|| {
                Singular::<'_, Shared>::new(&note, position).set(Some(&wrong))
            }));
            let _ = Collection::<'_, Shared>::new(&note, position)
                .push(&wrong)
                .await;
            let _ = Collection::<'_, Shared>::new(&other, position).load().await;
        }
        abuse(&note);
        Ok(())
    })
}

#[relata::test]
fn models_that_lie_about_their_columns_give_errors() -> Result<()> {
    relata::run(async {
        let db = database().await?;
        assert_eq!(Note::all(&db).filter(|it| it.id.eq(1)).await?.len(), 1);
        assert_eq!(
            Note::all(&db)
                .filter(|it| it.text.eq("note 3"))
                .await?
                .len(),
            1
        );
        assert!(Note::all(&db).filter(|it| it.beyond.eq("x")).await.is_err());
        assert!(
            Note::all(&db)
                .filter(|it| it.elsewhere.is_null())
                .await
                .is_err()
        );
        // The columns of a place are made once: the second model of one reflection cannot have its own.
        let shared = catch_unwind(AssertUnwindSafe(|| {
            Shared::all(&db).filter(|it| it[1].is_null())
        }));
        if let Ok(relation) = shared {
            let _ = relation.await;
        }
        let fickle = catch_unwind(AssertUnwindSafe(|| Fickle::all(&db).filter(|it| it.eq(1))));
        if let Ok(relation) = fickle {
            let _ = relation.await;
        }
        for _ in 0..4 {
            if let Ok(records) = Fickle::all(&db).await {
                records.iter().for_each(|record| abuse(record));
            }
            let _ = Fickle::find(&db, 1).await;
            if let Ok(new) = catch_unwind(AssertUnwindSafe(|| Fickle::new(&db))) {
                abuse(&new);
                let _ = new.save().await;
            }
        }
        for thief in Thief::all(&db).await? {
            abuse(&thief);
            let _ = thief.save().await;
        }
        Ok(())
    })
}

#[relata::test]
fn texts_stay_valid_while_records_are_set_saved_and_reloaded_by_many_threads() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let db = database().await?;
        let notes = Relation::of(models().note, &db).await?;
        let note = notes[3].clone();
        let kept: &str = note.read::<String>(1);
        let mut tasks = Vec::new();
        for task in 0..4 {
            let (note, others, db) = (note.clone(), notes.clone(), db.clone());
            tasks.push(tokio::spawn(async move {
                for round in 0..50 {
                    note.set("text", format!("text {task} {round}"))?;
                    let held = note.read::<Option<String>>(1).map(str::len);
                    assert!(held.is_some_and(|length| length >= 6));
                    match (task + round) % 4 {
                        0 => note.save().await?,
                        1 => note.reload().await?,
                        2 => {
                            let parent = others[round % 20].association("note")?.load_one().await?;
                            note.association("note")?.set_target(parent.as_ref())?;
                        }
                        _ => {
                            let built = note.association("notes")?.build()?;
                            drop(note.association("notes")?.target());
                            note.association("notes")?.reset();
                            drop((built, Record::new(models().note, &db)));
                        }
                    }
                    assert!(!format!("{note:?}").is_empty());
                }
                Result::Ok(())
            }));
        }
        for task in tasks {
            task.await.map_err(relata::Error::other)??;
        }
        assert_eq!(kept, "note 3");
        Ok(())
    })
}

/// Members that several threads built at once on a collection that memory did not know yet were lost: each thread made
/// a list of its own from what it knew, and the last one stood. Now all members are there, whoever comes first.
#[relata::test]
fn members_built_by_several_threads_at_once_are_all_kept() {
    for _ in 0..200 {
        let hub = Record::new(models().note, &Db::detached());
        let start = std::sync::Barrier::new(4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    start.wait();
                    hub.association("notes").unwrap().build().unwrap();
                });
            }
        });
        assert_eq!(hub.association("notes").unwrap().target().len(), 4);
    }
}

#[relata::test]
fn clones_are_linked_and_dropped_across_threads() {
    let hub = Record::new(models().note, &Db::detached());
    thread::scope(|scope| {
        for thread in 0..4 {
            let hub = hub.clone();
            scope.spawn(move || {
                let mut last = hub.clone();
                for round in 0..300_i64 {
                    let note = Record::new(models().note, &Db::detached());
                    note.set("text", format!("{thread} {round}")).unwrap();
                    note.association("note")
                        .unwrap()
                        .set_target(Some(&last))
                        .unwrap();
                    hub.association("note")
                        .unwrap()
                        .set_target(Some(&note))
                        .unwrap();
                    if round % 3 == 0 {
                        hub.association("notes")
                            .unwrap()
                            .build()
                            .unwrap()
                            .set("text", "built")
                            .unwrap();
                    }
                    if let Some(target) = hub.association("note").unwrap().target().first() {
                        assert!(!target.read::<String>(1).is_empty());
                    }
                    last = if round % 7 == 0 { hub.clone() } else { note };
                }
            });
        }
    });
    assert_eq!(hub.association("notes").unwrap().target().len(), 400);
}

#[relata::test]
fn records_outlive_their_database() -> Result<()> {
    let notes = relata::run(async {
        let db = database().await?;
        let notes = Relation::of(models().note, &db)
            .includes_named(["note"])?
            .await?;
        Ok(notes)
    })?;
    for (number, note) in notes.iter().enumerate() {
        assert_eq!(note.get("text")?, Value::from(format!("note {number}")));
        assert!(!note.association("note")?.target().is_empty());
        note.set("text", "later")?;
        abuse(note);
    }
    // A record holds on to its database: it is closed when the last of them goes.
    relata::run(async {
        notes[1].reload().await?;
        assert_eq!(notes[1].get("text")?, Value::from("note 1"));
        assert!(notes[1].association("notes")?.load_many().await?.len() < 20);
        Ok(())
    })
}

/// The text of a result is checked as a whole: two cells that are UTF-8 only one after the other, and one broken text
/// among many whole ones, are refused with the name of their column; nothing is read of them.
#[relata::test]
fn texts_that_are_one_only_together_are_refused() {
    let pair = ModelBuilder::new("Pair", "pairs")
        .column(Column::new("id", AttributeType::of::<i64>()))
        .column(Column::new("first", AttributeType::of::<String>()))
        .column(Column::new("second", AttributeType::of::<Option<String>>()))
        .primary_key(["id"])
        .define()
        .unwrap();
    let load = |first: &str, second: &str, many: u32| {
        relata::run(async {
            let db = Db::connect("sqlite::memory:").await?;
            db.create_tables([pair]).await?;
            db.execute_sql(Raw::trusted(format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many})
                 INSERT INTO pairs (first, second) SELECT 'whole ' || i, NULL FROM n"
            )))
            .await?;
            db.execute_sql(Raw::trusted(format!(
                "INSERT INTO pairs (first, second) VALUES (CAST({first} AS TEXT), CAST({second} AS TEXT))"
            )))
            .await?;
            Relation::of(pair, &db).order_by("id")?.load().await
        })
    };
    // \u{e9} is c3 a9, \u{20ac} is e2 82 ac.
    for (first, second, column) in [
        ("x'c3'", "x'a9'", "second"),
        ("x'41'", "x'a9'", "second"),
        ("x'e282'", "x'ac'", "second"),
        ("x'c3'", "x'41'", "first"),
        ("x'41c3'", "NULL", "first"),
        ("x'ff'", "x'41'", "first"),
        ("x'41'", "x'eda080'", "second"),
    ] {
        for many in [1, 500, 5_000] {
            let error = load(first, second, many).unwrap_err();
            assert_eq!(error.attribute(), Some(column), "{error}");
            assert!(
                error.to_string().contains("text that is not UTF-8"),
                "{error}"
            );
        }
    }
    let whole = load("x'c3a9'", "x'e282ac'", 5_000).unwrap();
    assert_eq!(whole.len(), 5_001);
    assert_eq!(whole[5_000].read::<String>(1), "\u{e9}");
    assert_eq!(whole[5_000].read::<Option<String>>(2), Some("\u{20ac}"));
    assert_eq!(whole[4_999].read::<String>(1), "whole 5000");
}
