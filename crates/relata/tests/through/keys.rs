//! What goes through others finds its owners by keys of every kind: for siblings, and where a query numbers the rows of each.

use relata::attribute::{AttributeType, Kind};
use relata::reflection::{Column, Declared, ModelBuilder, ModelReflection, Setting};
use relata::relation::Scope;
use relata::{Db, Record, Relation, Result, Value, assert_queries};

use crate::world::names;

/// The value number `number` of a kind: each is another.
type Make = fn(i32) -> Value<'static>;

const KINDS: &[(Kind, Make)] = &[
    (Kind::Bool, |n| Value::Bool(n == 1)),
    (Kind::Int, |n| Value::Int(n.into())),
    (Kind::Uint, |n| Value::Uint(n.unsigned_abs().into())),
    (Kind::Float, |n| Value::Float(f64::from(n) / 4.0)),
    (Kind::Text, |n| Value::Text(format!("it's {n}").into())),
    (Kind::Bytes, |n| {
        Value::Bytes(n.to_be_bytes().to_vec().into())
    }),
    (Kind::Timestamp, |n| Value::Timestamp(n.into())),
    (Kind::DateTime, |n| Value::DateTime(n.into())),
    (Kind::Date, Value::Date),
    (Kind::Time, |n| Value::Time(n.into())),
    (Kind::Uuid, |n| Value::Uuid(n.unsigned_abs().into())),
    (Kind::Decimal, |n| Value::Decimal(format!("{n}.5").into())),
];

static BY_NAME: Scope = Scope::new(&|all| all.clone().order_by("name").unwrap_or(all));
static NAMED: Scope = Scope::new(&|all| all.clone().filter_op("name", ">=", "B").unwrap_or(all));
static FIRST_OF_EACH: Scope = Scope::new(&|all| {
    all.clone()
        .order_by("name")
        .unwrap_or(all)
        .limit(1)
        .per_owner()
});

/// Readers lend books, and every one of them has a key of columns of these kinds, named `a`, `b` and so on.
struct Library {
    reader: &'static ModelReflection,
    loan: &'static ModelReflection,
    book: &'static ModelReflection,
}

const NAMES: [&str; 2] = ["a", "b"];
const READER: [&str; 2] = ["reader_a", "reader_b"];
const BOOK: [&str; 2] = ["book_a", "book_b"];

fn library(kinds: &[(Kind, Make)]) -> Result<Library> {
    let with = |builder: ModelBuilder, names: &[&'static str]| {
        names
            .iter()
            .zip(kinds)
            .fold(builder, |builder, (name, &(kind, _))| {
                builder.column(Column::new(name, AttributeType::plain(kind, false)))
            })
    };
    let key = || NAMES.iter().take(kinds.len()).copied();
    let texts = |names: &[&str]| {
        let names = names.iter().take(kinds.len());
        Setting::Texts(names.map(|&name| name.to_owned()).collect())
    };
    let (loan, loan_slot) = ModelBuilder::target("Loan");
    let (book, book_slot) = ModelBuilder::target("Book");
    let through = |name: &str, scope| {
        Declared::new("Reader", "has_many", name)?
            .option("through", Setting::Text("loans".into()))?
            .option("source", Setting::Text("book".into()))?
            .scope(scope)
            .leading_to(book)
    };
    let name = || Column::new("name", AttributeType::plain(Kind::Text, false));
    let reader = with(ModelBuilder::new("Reader", "readers"), &NAMES)
        .primary_key(key())
        .association(
            Declared::new("Reader", "has_many", "loans")?
                .option("foreign_key", texts(&READER))?
                .leading_to(loan)?,
        )
        .association(through("books", &BY_NAME)?)
        .association(through("late_books", &NAMED)?)
        .association(through("first_books", &FIRST_OF_EACH)?)
        .define()?;
    let loans = ModelBuilder::new("Loan", "loans")
        .column(Column::new("id", AttributeType::plain(Kind::Int, false)));
    let loan = with(with(loans, &READER), &BOOK)
        .primary_key(["id"])
        .association(
            Declared::new("Loan", "belongs_to", "book")?
                .option("foreign_key", texts(&BOOK))?
                .leading_to(book)?,
        )
        .define()?;
    let book = with(ModelBuilder::new("Book", "books"), &NAMES)
        .column(name())
        .primary_key(key())
        .define()?;
    let _ = (loan_slot.set(loan), book_slot.set(book));
    Ok(Library { reader, loan, book })
}

/// Two readers, of whom the first lends A and B, and the second B.
async fn lent(library: &Library, kinds: &[(Kind, Make)]) -> Result<Db> {
    let db = Db::connect("sqlite::memory:").await?;
    db.create_tables([library.reader, library.loan, library.book])
        .await?;
    let set = |record: &Record, names: &[&str], number: i32| {
        let mut all = names.iter().zip(kinds);
        all.try_for_each(|(name, (_, make))| record.set(name, make(number)).map(drop))
    };
    for (number, name) in [(0, "A"), (1, "B")] {
        let reader = Record::new(library.reader, &db);
        set(&reader, &NAMES, number)?;
        reader.save().await?;
        let book = Record::new(library.book, &db);
        set(&book, &NAMES, number)?;
        book.set("name", name)?;
        book.save().await?;
    }
    for (reader, book) in [(0, 0), (0, 1), (1, 1)] {
        let loan = Record::new(library.loan, &db);
        set(&loan, &READER, reader)?;
        set(&loan, &BOOK, book)?;
        loan.save().await?;
    }
    Ok(db)
}

/// The books of each reader, in the readers' order.
async fn books(readers: &[Record], name: &str) -> Result<Vec<Vec<String>>> {
    let mut all = Vec::new();
    for reader in readers {
        all.push(names(&reader.association(name)?.load_many().await?));
    }
    Ok(all)
}

/// Keys of the query were compared as the database gives them, and of a `Uuid` it gives text: every sibling was told that it
/// had nothing.
#[relata::test]
fn owners_are_told_apart_by_keys_of_every_kind() -> Result<()> {
    relata::run(async {
        let alone = KINDS.iter().map(|kind| vec![*kind]);
        let beside = KINDS.iter().map(|kind| vec![*kind, KINDS[1]]);
        for kinds in alone.chain(beside) {
            let library = library(&kinds)?;
            let db = lent(&library, &kinds).await?;
            let said: Vec<Kind> = kinds.iter().map(|(kind, _)| *kind).collect();
            let readers = || Relation::of(library.reader, &db).order_by("a");
            let lists = [
                ("books", [vec!["A", "B"], vec!["B"]]),
                ("late_books", [vec!["B"], vec!["B"]]),
                ("first_books", [vec!["A"], vec!["B"]]),
            ];
            for (name, expected) in lists {
                let siblings = readers()?.await?;
                let lazy = assert_queries!(db, 1, { books(&siblings, name).await? });
                assert_eq!(lazy, expected, "{said:?}.{name}, lazily");
                let preloaded = readers()?.preload_named([name])?.await?;
                let preloaded = assert_queries!(db, 0, { books(&preloaded, name).await? });
                assert_eq!(preloaded, expected, "{said:?}.{name}, preloaded");
            }
        }
        Ok(())
    })
}
