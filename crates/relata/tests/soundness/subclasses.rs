//! Abuse of what subclasses and polymorphic associations stand on: rows of one table under models whose columns are
//! others, classes that change while they are asked for, handles over rows of another class, enums of models that lie.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use relata::attribute::Attribute;
use relata::proxy::{Collection, Singular};
use relata::reflection::shape::Shape;
use relata::reflection::{
    AssociationReflection, Classes, Column, Inheritance, ModelReflection, Target,
};
use relata::{Db, Model, Place, Raw, Record, Relation, Result, Value};

use crate::variants::Liar;
use crate::{
    BytesThatSayJson, FloatThatSaysUuid, IntThatSaysBytes, IntThatSaysText, SHAPE, TextThatSaysInt,
    UuidThatSaysText, abuse,
};

const fn column<A: Attribute>(name: &'static str) -> Column {
    Column::new(name, A::TYPE)
}

/// What the rows of the table are.
pub(crate) static COLUMNS: [Column; 6] = [
    column::<i64>("id"),
    column::<Option<String>>("type"),
    column::<Option<String>>("name"),
    column::<Option<i64>>("legs"),
    column::<Option<Vec<u8>>>("fur"),
    column::<Option<i64>>("keeper_id"),
];

/// The same names, in another order and of types that the values are not.
pub(crate) static TURNED: [Column; 6] = [
    column::<Option<Vec<u8>>>("name"),
    column::<Option<String>>("legs"),
    column::<IntThatSaysBytes>("fur"),
    column::<Option<String>>("type"),
    column::<i64>("id"),
    column::<Option<String>>("keeper_id"),
];

/// Types that lie, and one column alone.
static LYING: [Column; 6] = [
    column::<TextThatSaysInt>("id"),
    column::<Option<String>>("type"),
    column::<IntThatSaysText>("name"),
    column::<FloatThatSaysUuid>("legs"),
    column::<BytesThatSayJson>("fur"),
    column::<UuidThatSaysText>("keeper_id"),
];
static NARROW: [Column; 1] = [column::<i64>("id")];

static ASSOCIATIONS: [AssociationReflection; 2] = [
    AssociationReflection::belongs_to("keeper", Target::Model(animal)),
    AssociationReflection::has_many("animals", Target::Model(animal))
        .with_foreign_key(&["keeper_id"]),
];

/// Others than those of the parent, in their places and beyond them.
static OTHERS: [AssociationReflection; 3] = [
    AssociationReflection::has_many("keeper", Target::Model(cat)).with_foreign_key(&["keeper_id"]),
    AssociationReflection::belongs_to("animals", Target::Model(turned))
        .with_foreign_key(&["keeper_id"]),
    AssociationReflection::has_one("kitten", Target::Model(cat)).with_foreign_key(&["keeper_id"]),
];

const fn below(name: &'static str, parent: fn() -> &'static ModelReflection) -> ModelReflection {
    ModelReflection::new(name, "animals")
        .with_primary_key(&[0])
        .with_parent(Target::Model(parent))
}

static ANIMAL: ModelReflection = ModelReflection::new("Animal", "animals")
    .with_columns(&COLUMNS)
    .with_primary_key(&[0])
    .with_associations(&ASSOCIATIONS)
    .with_inheritance(Inheritance {
        column: "type",
        classes: Classes::Closed(&[cat, dog, kitten, bare, turned, lying, narrow, fickle]),
    });
static CAT: ModelReflection = below("Cat", animal)
    .with_columns(&COLUMNS)
    .with_associations(&ASSOCIATIONS);
/// A subclass that is right, but for its associations.
static DOG: ModelReflection = below("Dog", animal)
    .with_columns(&COLUMNS)
    .with_associations(&OTHERS);
static KITTEN: ModelReflection = below("Kitten", cat)
    .with_columns(&COLUMNS)
    .with_associations(&ASSOCIATIONS);
/// Without the associations that its parent has.
static BARE: ModelReflection = below("Bare", cat).with_columns(&COLUMNS);
// Subclasses whose columns are not their base's.
static TURNED_CLASS: ModelReflection = below("Turned", animal)
    .with_columns(&TURNED)
    .with_associations(&OTHERS);
static LYING_CLASS: ModelReflection = below("Lying", animal).with_columns(&LYING);
static NARROW_CLASS: ModelReflection = below("Narrow", cat).with_columns(&NARROW);
// No subclasses, over the same table.
static STRANGER: ModelReflection = ModelReflection::new("Stranger", "animals")
    .with_columns(&TURNED)
    .with_primary_key(&[4])
    .with_associations(&OTHERS);
/// Its rows are of classes, as a column says that holds bytes.
static BY_BYTES: ModelReflection = ModelReflection::new("ByBytes", "animals")
    .with_columns(&COLUMNS)
    .with_primary_key(&[0])
    .with_inheritance(Inheritance {
        column: "fur",
        classes: Classes::Closed(&[animal, stranger]),
    });

pub(crate) fn animal() -> &'static ModelReflection {
    &ANIMAL
}
pub(crate) fn cat() -> &'static ModelReflection {
    &CAT
}
fn dog() -> &'static ModelReflection {
    &DOG
}
fn kitten() -> &'static ModelReflection {
    &KITTEN
}
fn bare() -> &'static ModelReflection {
    &BARE
}
fn turned() -> &'static ModelReflection {
    &TURNED_CLASS
}
fn lying() -> &'static ModelReflection {
    &LYING_CLASS
}
fn narrow() -> &'static ModelReflection {
    &NARROW_CLASS
}
pub(crate) fn stranger() -> &'static ModelReflection {
    &STRANGER
}

/// Another class each time it is asked for.
pub(crate) fn fickle() -> &'static ModelReflection {
    static TURN: AtomicUsize = AtomicUsize::new(0);
    let all = [cat(), dog(), stranger(), turned(), narrow(), animal()];
    all[TURN.fetch_add(1, Ordering::Relaxed) % all.len()]
}

fn all() -> [&'static ModelReflection; 10] {
    [
        animal(),
        cat(),
        dog(),
        kitten(),
        bare(),
        turned(),
        lying(),
        narrow(),
        stranger(),
        &BY_BYTES,
    ]
}

/// Animals of each class, and of none.
pub(crate) async fn zoo() -> Result<Db> {
    let db = Db::connect("sqlite::memory:").await?;
    db.create_tables([animal()]).await?;
    refill(&db).await?;
    Ok(db)
}

/// What was abused and saved names no class any more: the rows as they were.
async fn refill(db: &Db) -> Result<()> {
    db.execute_sql(Raw::new("DELETE FROM animals")).await?;
    for number in 1..=12 {
        let class = ["'Cat'", "'Dog'", "'Kitten'", "NULL"][number % 4];
        let text = format!(
            "INSERT INTO animals VALUES ({number}, {class}, 'animal {number}', {number}, x'ff00fe', {})",
            number / 2 + 1
        );
        db.execute_sql(Raw::trusted(text)).await?;
    }
    Ok(())
}

/// Every way over the associations of a record, by position and by name, as every kind.
async fn walk(record: &Record) {
    for position in [0, 1, 2, 3, 64, usize::MAX] {
        let _ = Singular::<'_, Option<Cat>>::new(record, position)
            .load()
            .await;
        let _ = Singular::<'_, AnyRow>::new(record, position).load().await;
        let _ = Singular::<'_, Liar>::new(record, position).load().await;
        let _ = Singular::<'_, Liar>::new(record, position).loaded();
        let _ = Collection::<'_, Cat>::new(record, position).load().await;
        let _ = Collection::<'_, AnyRow>::new(record, position).load().await;
    }
    for name in ["keeper", "animals", "kitten"] {
        let Ok(association) = record.association(name) else {
            continue;
        };
        let _ = association.load_one().await;
        for found in association.load_many().await.unwrap_or_default() {
            abuse(&found);
        }
        let _ = association.set_target(Some(record));
        if let Ok(built) = catch_unwind(AssertUnwindSafe(|| association.build())) {
            built.iter().for_each(abuse);
        }
        association.target().iter().for_each(abuse);
    }
}

#[test]
fn rows_become_records_of_other_columns_and_types() -> Result<()> {
    relata::run(async {
        let db = zoo().await?;
        let mut rows = Relation::of(animal(), &db).order_by("id")?.await?;
        rows.extend(all().map(|model| Record::new(model, &db)));
        let mut became = 0;
        for (number, row) in rows.iter().enumerate() {
            if number % 3 == 1 {
                let _ = row.set("name", "touched").map(|row| row.set("legs", 99));
            }
            let mut copies = Vec::new();
            for model in all() {
                let Ok(copy) = row.becomes_of(model) else {
                    continue;
                };
                // And on from there, back to what it was.
                copies.extend(copy.becomes_of(row.reflection()));
                copies.push(copy);
            }
            let _ = row.becomes::<Cat>().map(|cat| abuse(&cat));
            let _ = row.becomes::<AnyRow>().map(|any| abuse(&any));
            for copy in &copies {
                abuse(copy);
                abuse(&copy.compact());
                walk(copy).await;
            }
            abuse(row);
            became += copies.len();
            for copy in copies {
                let _ = copy.save().await;
                let _ = copy.reload().await;
                abuse(&copy);
            }
            refill(&db).await?;
        }
        assert!(
            became > 10 * rows.len(),
            "most of them can be: {became} of {}",
            rows.len()
        );
        Ok(())
    })
}

#[test]
fn values_come_along_into_another_class_or_are_refused() -> Result<()> {
    relata::run(async {
        let db = zoo().await?;
        let row = Relation::of(animal(), &db)
            .filter_by("id", 4)?
            .first_or_fail()
            .await?;
        let cat = row.becomes_of(cat())?;
        assert_eq!(
            (cat.get("name")?, cat.get("legs")?),
            (row.get("name")?, Value::Int(4))
        );
        // In another order: text as bytes, a number as text. A number that is to be a UUID is none.
        let turned = row.becomes_of(turned())?;
        assert_eq!(
            turned.get("name")?,
            Value::Bytes(b"animal 4".to_vec().into())
        );
        assert_eq!(
            (turned.get("legs")?, turned.get("id")?),
            (Value::from("4"), Value::Int(4))
        );
        assert!(row.becomes_of(lying()).is_err());
        let narrow = row.becomes_of(narrow())?;
        assert_eq!(narrow.get("id")?, Value::Int(4));
        assert!(narrow.get("name").is_err());
        Ok(())
    })
}

macro_rules! handle {
    ($name:ident, $reflection:expr, |$record:ident| $from:expr) => {
        #[derive(Clone, Debug)]
        pub(crate) struct $name(pub(crate) Record);

        impl std::ops::Deref for $name {
            type Target = Record;

            fn deref(&self) -> &Record {
                &self.0
            }
        }

        impl Model for $name {
            type Columns = ();
            type Key = i64;
            const NAME: &'static str = stringify!($name);
            const SHAPE: Shape = SHAPE
                .with_columns(&TURNED, &[4, 99])
                .with_associations(&OTHERS, &["x", "y", "z"]);

            fn reflection() -> &'static ModelReflection {
                $reflection
            }

            fn from_record($record: Record) -> Result<Self> {
                $from
            }

            fn columns(_at: Place) {}
        }
    };
}

// As it is written by hand, and right.
handle!(Cat, cat(), |record| relata::model::checked(cat(), record)
    .map(Self));
// Takes records of any class as its own.
handle!(AnyRow, dog(), |record| Ok(Self(record)));
// Gives a row of a class that it was not given.
handle!(Swapped, animal(), |record| Ok(Self(Record::new(
    stranger(),
    record.db()
))));
// Its class is another each time.
handle!(Turncoat, fickle(), |record| Ok(Self(record)));

#[test]
fn handles_over_rows_of_another_class_are_errors_or_blank() -> Result<()> {
    relata::run(async {
        let db = zoo().await?;
        let rows = Relation::of(animal(), &db).order_by("id")?.await?;
        let classes: Vec<&str> = rows
            .iter()
            .take(4)
            .map(|row| row.reflection().name())
            .collect();
        assert_eq!(classes, ["Dog", "Kitten", "Animal", "Cat"]);
        assert!(
            Cat::from_record(rows[0].clone()).is_err(),
            "a dog is no cat"
        );
        assert!(Cat::from_record(rows[1].clone()).is_ok(), "a kitten is one");
        assert!(rows[2].downcast::<Cat>().is_err(), "nor is just any animal");
        for row in &rows {
            abuse(&*AnyRow::from_record(row.clone())?);
            abuse(&*Swapped::from_record(row.clone())?);
            abuse(&*Turncoat::from_record(row.clone())?);
            let _ = row.downcast::<Turncoat>().map(|handle| abuse(&handle));
            walk(row).await;
        }
        // Queries of each, rows under whatever class comes.
        let mut seen = 0;
        for found in Cat::all(&db).await? {
            assert!(found.reflection().is_a(cat()));
            abuse(&found);
        }
        macro_rules! query {
            ($($handle:ident)*) => {$(
                refill(&db).await?;
                let _ = $handle::find(&db, 1).await.map(|found| abuse(&found));
                let all = catch_unwind(AssertUnwindSafe(|| $handle::all(&db)));
                if let Ok(relation) = all && let Ok(found) = relation.await {
                    for handle in found {
                        seen += 1;
                        abuse(&handle);
                        walk(&handle).await;
                        let _ = handle.save().await;
                    }
                }
                let typed = Relation::of(animal(), &db).typed::<$handle>();
                if let Ok(relation) = typed && let Ok(found) = relation.await {
                    found.iter().for_each(|handle| abuse(handle));
                }
                if let Ok(new) = catch_unwind(AssertUnwindSafe(|| $handle::new(&db))) {
                    abuse(&new);
                    let _ = new.save().await;
                }
            )*};
        }
        query!(AnyRow Swapped Turncoat);
        assert!(seen > 12, "{seen}");
        Ok(())
    })
}

#[test]
fn classes_that_lie_about_their_columns_are_refused_or_blank() -> Result<()> {
    relata::run(async {
        let db = zoo().await?;
        let mut seen = 0;
        for model in all() {
            refill(&db).await?;
            for preload in ["keeper", "animals", "kitten"] {
                let relation = Relation::of(model, &db).preload_named([preload]);
                if let Ok(relation) = relation
                    && let Ok(rows) = relation.await
                {
                    for row in &rows {
                        seen += 1;
                        abuse(row);
                        walk(row).await;
                    }
                }
            }
            let new = Record::new(model, &db);
            abuse(&new);
            walk(&new).await;
            let _ = new.save().await;
        }
        assert!(seen > 50, "{seen}");
        refill(&db).await?;
        // Classes with other columns than their base's, named by rows; and names that are none.
        for class in [
            "'Turned'", "'Lying'", "'Narrow'", "'Nobody'", "x'ff'", "x'00'",
        ] {
            db.execute_sql(Raw::trusted(format!(
                "UPDATE animals SET type = CAST({class} AS TEXT) WHERE id = 7"
            )))
            .await?;
            let error = Relation::of(animal(), &db).await.unwrap_err();
            assert!(!error.to_string().is_empty(), "{class}");
            for model in all() {
                if let Ok(rows) = Relation::of(model, &db).await {
                    rows.iter().for_each(abuse);
                }
            }
        }
        // No class at all: a row of the subclass that was asked for is one of the base, whose columns are others. And one
        // that lacks the associations of its parent.
        let mut seen = 0;
        for (model, class) in all()
            .into_iter()
            .flat_map(|model| [(model, "NULL"), (model, "'Bare'")])
        {
            refill(&db).await?;
            db.execute_sql(Raw::trusted(format!("UPDATE animals SET type = {class}")))
                .await?;
            let rows = Relation::of(model, &db).from_sql(Raw::new("SELECT * FROM animals"));
            if let Ok(rows) = rows.await {
                seen += rows.len();
                for row in &rows {
                    abuse(row);
                    walk(row).await;
                    let _ = row.save().await;
                }
            }
        }
        assert!(seen > 50, "{seen}");
        Ok(())
    })
}
