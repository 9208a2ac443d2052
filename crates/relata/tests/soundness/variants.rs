//! Abuse of enums of models, and of what is declared below a base that is written by hand: impls that take every record,
//! name other models than they hold, and give others than they were given.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use relata::reflection::shape::Shape;
use relata::reflection::{Classes, ModelReflection, Target};
use relata::{
    Among, Db, FromRecord, Model, Place, Polymorphic, Raw, Record, Relation, Result, Towards, model,
};

use crate::subclasses::{AnyRow, COLUMNS, Cat, TURNED, animal, cat, fickle, stranger, zoo};
use crate::{SHAPE, abuse};

/// An enum of models that says anything.
#[derive(Clone, Debug)]
pub(crate) enum Liar {
    Cat(Cat),
    Any(AnyRow),
    Nothing,
}

/// A record that nobody asked for.
fn unasked() -> &'static Record {
    static RECORD: OnceLock<Record> = OnceLock::new();
    RECORD.get_or_init(|| Record::new(stranger(), &Db::detached()))
}

impl FromRecord for Liar {
    fn accepts(_model: &'static ModelReflection) -> Result<()> {
        Ok(())
    }

    fn cast(record: Record) -> Result<Self> {
        static TURN: AtomicUsize = AtomicUsize::new(0);
        Ok(match TURN.fetch_add(1, Ordering::Relaxed) % 4 {
            0 => Self::Cat(Cat(record)),
            1 => Self::Any(AnyRow(record)),
            2 => Self::Any(AnyRow(unasked().clone())),
            _ => Self::Nothing,
        })
    }

    fn as_record(&self) -> &Record {
        match self {
            Self::Cat(cat) => cat,
            Self::Any(any) => any,
            Self::Nothing => unasked(),
        }
    }
}

impl Polymorphic for Liar {
    const TARGET: Target = Target::AnyOf(Classes::Closed(&[cat, stranger, fickle]));
    const SHAPES: &'static [&'static Shape] = &[&SHAPE.with_columns(&TURNED, &[4])];
}

impl Among<Liar> for Cat {
    fn as_target(&self) -> &Record {
        unasked()
    }
}

impl Among<Liar> for AnyRow {
    fn as_target(&self) -> &Record {
        self
    }
}

impl Among<Liar> for Liar {
    fn as_target(&self) -> &Record {
        unasked()
    }
}

impl<'a> Towards<'a, Liar> for Option<&'a Liar> {
    fn towards(self) -> Option<&'a Record> {
        Some(unasked())
    }
}

/// What leads to such an enum, as it is declared.
#[model]
pub struct Tag {
    id: i64,
    subject_id: Option<i64>,
    subject_type: Option<String>,
    #[belongs_to(polymorphic)]
    subject: Option<Liar>,
}

/// A base that says of its shape what its reflection does not.
#[derive(Clone, Debug)]
#[expect(
    unreachable_pub,
    reason = "a model below it is public, as declared ones are"
)]
pub struct Wrong(Record);

impl std::ops::Deref for Wrong {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.0
    }
}

impl Model for Wrong {
    type Columns = ();
    type Key = i64;
    const NAME: &'static str = "Wrong";
    const SHAPE: Shape = Shape::new("Wrong", "wrong_id")
        .with_columns(&TURNED, &[4])
        .with_subclasses("animals", &["Below"]);

    fn reflection() -> &'static ModelReflection {
        animal()
    }

    fn from_record(record: Record) -> Result<Self> {
        Ok(Self(record))
    }

    fn columns(_at: Place) {}
}

/// Declared below it: its columns are at the places that the shape says.
#[model(base = Wrong)]
pub struct Below {
    id: i64,
    legs: Option<String>,
    name: Option<Vec<u8>>,
}

fn read(one: &Below) -> usize {
    one.legs().map_or(0, str::len) + one.name().map_or(0, <[u8]>::len) + usize::from(one.id() == 0)
}

#[relata::test]
fn enums_of_models_that_lie_give_errors_or_blanks() -> Result<()> {
    relata::run(async {
        let db = zoo().await?;
        db.create_tables([Tag::reflection()]).await?;
        for (number, class) in ["Cat", "Dog", "Stranger", "Animal", "Nobody", ""]
            .iter()
            .enumerate()
        {
            let text = format!("INSERT INTO tags VALUES ({number}, {number}, '{class}')");
            db.execute_sql(Raw::trusted(text)).await?;
        }
        let rows = Relation::of(animal(), &db).await?;
        for tag in Tag::all(&db).await? {
            let _ = tag
                .subject()
                .await
                .map(|one| one.iter().for_each(|one| abuse(one.as_record())));
            for row in &rows[..6] {
                tag.set_subject(&Cat(row.clone()));
                abuse(&tag);
                tag.set_subject(&AnyRow(row.clone()));
                let _ = tag
                    .subject()
                    .await
                    .map(|one| one.iter().for_each(|one| abuse(one.as_record())));
                let _ = tag.subject().loaded();
                let _ = tag.save().await;
                tag.set_subject(&Liar::Cat(Cat(row.clone())));
                let _ = tag.subject().replace(&Liar::Any(AnyRow(row.clone()))).await;
                tag.set_subject(Some(&Liar::Nothing));
                abuse(&tag);
            }
            let _ = tag.reload().await;
            abuse(&tag);
        }
        if let Ok(included) = Tag::all(&db).includes(|t| t.subject).await {
            included.iter().for_each(|tag| abuse(tag));
        }
        let typed = Relation::of(animal(), &db).typed::<Liar>()?;
        for one in typed.await? {
            abuse(one.as_record());
        }
        for row in &rows {
            let filtered = catch_unwind(AssertUnwindSafe(|| {
                Tag::all(&db).filter(|t| t.subject.is(&AnyRow(row.clone())))
            }));
            if let Ok(filtered) = filtered {
                let _ = filtered.await;
            }
        }
        Ok(())
    })
}

#[relata::test]
fn a_subclass_below_a_base_that_lies_reads_no_foreign_memory() -> Result<()> {
    assert_ne!(Below::reflection().columns().as_ptr(), COLUMNS.as_ptr());
    relata::run(async {
        let db = zoo().await?;
        let mut sum = 0;
        if let Ok(new) = catch_unwind(AssertUnwindSafe(|| Below::new(&db))) {
            new.set_legs(Some("many")).set_name(Some(&[0xff, 0xfe][..]));
            abuse(&new);
            sum += read(&new);
            let base = catch_unwind(AssertUnwindSafe(|| new.as_base()));
            let _ = base.map(|base| abuse(&base));
            let _ = new.save().await;
            sum += read(&new);
        }
        for row in Relation::of(animal(), &db).await? {
            if let Ok(below) = row.downcast::<Below>() {
                sum += read(&below);
            }
            if let Ok(below) = row.becomes::<Below>() {
                sum += read(&below);
                abuse(&below);
                let _ = below.save().await;
            }
        }
        for relation in [
            Below::all(&db),
            Below::all(&db).from_sql(Raw::new("SELECT * FROM animals")),
        ] {
            if let Ok(found) = relation.await {
                for below in found {
                    sum += read(&below);
                    abuse(&below);
                }
            }
        }
        assert!(sum < 1 << 20);
        Ok(())
    })
}
