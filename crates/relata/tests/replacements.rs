//! Replacing the members of a collection, and the target of a `has_one`, stopped at every place: rows and memory are as
//! before, or as after.

#![allow(unreachable_pub, missing_docs)]

mod sweep;

use relata::{Db, ErrorKind, Record, Result, model};
use sweep::{TempFile, limited, settled};

#[model]
pub struct Shelf {
    id: i64,
    name: String,
    #[has_many]
    books: Book,
    #[has_one]
    sign: Option<Sign>,
}

#[model]
pub struct Sign {
    id: i64,
    text: String,
    shelf_id: Option<i64>,
    #[belongs_to]
    shelf: Option<Shelf>,
}

#[model]
pub struct Book {
    id: i64,
    title: String,
    shelf_id: Option<i64>,
    #[belongs_to]
    shelf: Option<Shelf>,
}

/// A shelf with two books, another with one, and two books that are new.
struct Library {
    one: Shelf,
    two: Shelf,
    books: Vec<Book>,
}

impl Library {
    async fn new(db: &Db) -> Result<Self> {
        Book::all(db).delete_all().await?;
        let one = Shelf::create(db, |s| s.set_name("one")).await?;
        let two = Shelf::create(db, |s| s.set_name("two")).await?;
        let mut books = Vec::new();
        for (shelf, title) in [(&one, "stays"), (&one, "goes"), (&two, "comes")] {
            books.push(shelf.books().create(|b| b.set_title(title)).await?);
        }
        for title in ["new", "newer"] {
            books.push(Book::build(db, |b| b.set_title(title)));
        }
        one.books().await?;
        two.books().await?;
        Ok(Self { one, two, books })
    }

    async fn replace(&self) -> Result<()> {
        let wanted = [0, 2, 3, 4].map(|number: usize| &self.books[number]);
        self.one.books().replace(wanted).await
    }

    /// All that the records say of themselves and of each other.
    fn memory(&self) -> Vec<String> {
        let book = |book: &Book| {
            let record: &Record = book;
            let shelf = book.shelf().loaded();
            let shelf = shelf.map(|shelf| (shelf.is(&self.one), shelf.is(&self.two)));
            let flags = (book.is_new_record(), book.is_persisted(), book.changed());
            format!("{:?} {flags:?} {shelf:?}", record.attributes())
        };
        let shelf = |shelf: &Shelf| {
            let place = |held: &Book| self.books.iter().position(|book| book.is(held));
            let held = shelf.books().loaded();
            format!(
                "{:?}",
                held.map(|held| held.iter().map(place).collect::<Vec<_>>())
            )
        };
        let books = self.books.iter().map(book);
        books.chain([shelf(&self.one), shelf(&self.two)]).collect()
    }

    async fn titles(&self) -> Result<Vec<String>> {
        let all = Book::all(self.one.db()).filter(|b| b.shelf.is(&self.one));
        all.order(|b| b.id.asc()).pluck(|b| b.title).await
    }

    async fn is_replaced(&self) -> Result<()> {
        assert_eq!(self.titles().await?, ["stays", "comes", "new", "newer"]);
        let members = self.one.books().loaded().unwrap();
        assert_eq!(members.len(), 4);
        for (member, number) in members.iter().zip([0, 2, 3, 4]) {
            assert!(member.is(&self.books[number]));
            assert!(member.is_persisted() && !member.is_changed());
            assert!(
                member
                    .shelf()
                    .await?
                    .is_some_and(|shelf| shelf.is(&self.one))
            );
        }
        assert_eq!(Book::all(self.one.db()).count().await?, 5);
        Ok(())
    }
}

async fn database(url: &str) -> Result<Db> {
    let db = Db::connect(url).await?;
    let models = [Shelf::reflection(), Book::reflection(), Sign::reflection()];
    db.create_tables(models).await?;
    Ok(db)
}

/// Members that came from elsewhere kept the key and the owner that were never written.
#[relata::test]
fn a_statement_that_fails_anywhere_in_a_replacement_leaves_rows_and_memory_as_before() -> Result<()>
{
    relata::run(async {
        let db = database("sqlite::memory:").await?;
        for nth in 1.. {
            let library = Library::new(&db).await?;
            let before = library.memory();
            db.faults().fail_nth(nth, ErrorKind::DiskFull);
            let done = library.replace().await;
            db.faults().clear();
            assert_eq!(db.figures().writers, 0);
            if done.is_ok() {
                assert_eq!(nth, 7, "BEGIN, 2 UPDATEs, 2 INSERTs, COMMIT");
                return library.is_replaced().await;
            }
            assert_eq!(library.memory(), before, "statement {nth}");
            assert_eq!(library.titles().await?, ["stays", "goes"]);
            library.replace().await?;
            library.is_replaced().await?;
        }
        Ok(())
    })
}

#[relata::test]
fn a_replacement_dropped_at_any_poll_is_whole_or_nothing() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("replaced");
        for url in ["sqlite::memory:".to_owned(), file.url()] {
            let db = database(&url).await?;
            let mut dropped = 0;
            for polls in 0.. {
                let library = Library::new(&db).await?;
                let before = library.memory();
                for nth in 1..=6 {
                    db.faults().delay_nth(nth, std::time::Duration::ZERO);
                }
                let done = limited(library.replace(), polls).await;
                db.faults().clear();
                settled(&db).await;
                if library.titles().await? == ["stays", "goes"] {
                    assert!(done.is_none(), "{done:?} and the rows are as before");
                    assert_eq!(library.memory(), before, "after {polls} polls");
                    dropped += 1;
                }
                // Also once it was committed, and nobody was there to be told.
                library.replace().await?;
                library.is_replaced().await?;
                if let Some(done) = done {
                    done?;
                    break;
                }
            }
            assert!(dropped >= 6, "{url}: dropped at {dropped} places");
        }
        Ok(())
    })
}

/// What a `has_one` is given in place of what it leads to.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Gets {
    /// A record that is new.
    New,
    /// Another owner's, by name.
    Another,
    /// A new one that is made for it.
    Made,
    Nothing,
}

/// A shelf with a sign, another with one, and a sign that is new.
struct Signs {
    one: Shelf,
    two: Shelf,
    signs: [Sign; 3],
}

impl Signs {
    async fn new(db: &Db) -> Result<Self> {
        Sign::all(db).delete_all().await?;
        let one = Shelf::create(db, |s| s.set_name("one")).await?;
        let two = Shelf::create(db, |s| s.set_name("two")).await?;
        let old = one.create_sign(|s| s.set_text("old")).await?;
        let another = two.create_sign(|s| s.set_text("another")).await?;
        let new = Sign::build(db, |s| s.set_text("new"));
        let signs = [old, another, new];
        Ok(Self { one, two, signs })
    }

    async fn change(&self, gets: Gets) -> Result<()> {
        let [_, another, new] = &self.signs;
        match gets {
            Gets::New => self.one.sign().replace(new).await,
            Gets::Another => {
                let association = self.one.association("sign")?;
                association.replace_one(Some(another)).await
            }
            Gets::Made => self.one.create_sign(|s| s.set_text("made")).await.map(drop),
            Gets::Nothing => self.one.sign().replace(None).await,
        }
    }

    /// All that the records say of themselves and of each other.
    fn memory(&self) -> Vec<String> {
        let sign = |sign: &Sign| {
            let record: &Record = sign;
            let shelf = sign.shelf().loaded();
            let shelf = shelf.map(|shelf| (shelf.is(&self.one), shelf.is(&self.two)));
            let flags = (sign.is_new_record(), sign.is_persisted(), sign.changed());
            format!("{:?} {flags:?} {shelf:?}", record.attributes())
        };
        let shelf = |shelf: &Shelf| {
            let held = shelf.sign().loaded();
            let place = held.map(|held| self.signs.iter().position(|sign| sign.is(&held)));
            format!("{place:?}")
        };
        let signs = self.signs.iter().map(sign);
        signs.chain([shelf(&self.one), shelf(&self.two)]).collect()
    }

    async fn texts(&self) -> Result<Vec<String>> {
        let all = Sign::all(self.one.db()).filter(|s| s.shelf.is(&self.one));
        all.pluck(|s| s.text).await
    }

    async fn is_changed(&self, gets: Gets) -> Result<()> {
        let [old, another, new] = &self.signs;
        let held = self.one.sign().loaded();
        let text = match gets {
            Gets::New => Some("new"),
            Gets::Another => Some("another"),
            Gets::Made => Some("made"),
            Gets::Nothing => None,
        };
        assert_eq!(self.texts().await?, Vec::from_iter(text));
        assert_eq!(held.as_ref().map(|held| held.text()), text);
        match gets {
            Gets::New => assert!(held.as_ref().is_some_and(|held| held.is(new))),
            Gets::Another => assert!(held.as_ref().is_some_and(|held| held.is(another))),
            Gets::Made | Gets::Nothing => {}
        }
        if let Some(held) = held {
            assert!(held.is_persisted() && !held.is_changed());
            assert!(held.shelf().await?.is_some_and(|shelf| shelf.is(&self.one)));
        }
        assert!(old.shelf_id().is_none() && !old.is_changed());
        Ok(())
    }
}

/// How many statements a change takes.
fn statements(gets: Gets) -> u64 {
    match gets {
        Gets::New | Gets::Another | Gets::Made => 4, // BEGIN, 2 writes, COMMIT
        Gets::Nothing => 1,
    }
}

const GETS: [Gets; 4] = [Gets::New, Gets::Another, Gets::Made, Gets::Nothing];

#[relata::test]
fn a_statement_that_fails_anywhere_in_a_has_one_replacement_leaves_rows_and_memory_as_before()
-> Result<()> {
    relata::run(async {
        let db = database("sqlite::memory:").await?;
        for gets in GETS {
            for nth in 1.. {
                let signs = Signs::new(&db).await?;
                let before = signs.memory();
                db.faults().fail_nth(nth, ErrorKind::DiskFull);
                let done = signs.change(gets).await;
                db.faults().clear();
                assert_eq!(db.figures().writers, 0);
                if done.is_ok() {
                    assert_eq!(nth, statements(gets) + 1, "{gets:?}");
                    signs.is_changed(gets).await?;
                    break;
                }
                assert_eq!(signs.memory(), before, "{gets:?}, statement {nth}");
                assert_eq!(signs.texts().await?, ["old"]);
                signs.change(gets).await?;
                signs.is_changed(gets).await?;
            }
        }
        Ok(())
    })
}

/// The old target kept a key of null, and the new one the key and the owner, that were rolled back with the dropped
/// future.
#[relata::test]
fn a_has_one_replacement_dropped_at_any_poll_is_whole_or_nothing() -> Result<()> {
    relata::run(async {
        let file = TempFile::new("has-one-replaced");
        for url in ["sqlite::memory:".to_owned(), file.url()] {
            let db = database(&url).await?;
            for gets in GETS {
                let mut dropped = 0;
                for polls in 0.. {
                    let signs = Signs::new(&db).await?;
                    let before = signs.memory();
                    for nth in 1..=statements(gets) {
                        db.faults().delay_nth(nth, std::time::Duration::ZERO);
                    }
                    let done = limited(signs.change(gets), polls).await;
                    db.faults().clear();
                    settled(&db).await;
                    if signs.texts().await? == ["old"] {
                        assert!(done.is_none(), "{done:?} and the rows are as before");
                        // What one statement alone was to write stays in memory, to be written by the next save.
                        if gets != Gets::Nothing {
                            assert_eq!(signs.memory(), before, "{gets:?} after {polls} polls");
                        }
                        dropped += 1;
                    }
                    // Also once it was committed, and nobody was there to be told.
                    signs.change(gets).await?;
                    signs.is_changed(gets).await?;
                    if let Some(done) = done {
                        done?;
                        break;
                    }
                }
                let places = usize::try_from(statements(gets)).unwrap_or_default();
                assert!(
                    dropped >= places,
                    "{url}: {gets:?} dropped at {dropped} places"
                );
            }
        }
        Ok(())
    })
}

/// What was dropped after its statement was sent may have been done: who tries again asks for the target, and does not make
/// a second one beside it, though memory knew of none.
#[relata::test]
fn a_has_one_created_again_after_a_drop_is_one_row() -> Result<()> {
    let file = TempFile::new("created-again");
    relata::run(async {
        let db = database(&file.url()).await?;
        for replaces in [false, true] {
            let (mut polls, mut done_unseen) = (0, 0);
            loop {
                let shelf = Shelf::create(&db, |s| s.set_name("one")).await?;
                assert!(shelf.sign().await?.is_none());
                let made = async || {
                    if replaces {
                        let sign = Sign::build(&db, |s| s.set_text("made"));
                        shelf.sign().replace(Some(&sign)).await
                    } else {
                        shelf.create_sign(|s| s.set_text("made")).await.map(drop)
                    }
                };
                let done = limited(made(), polls).await;
                settled(&db).await;
                let of_shelf = || Sign::all(&db).filter(|s| s.shelf.is(&shelf));
                let rows = of_shelf().count().await?;
                done_unseen += u64::from(done.is_none() && rows == 1);
                if done.is_none() {
                    made().await?;
                }
                assert_eq!(of_shelf().count().await?, 1, "dropped at poll {polls}");
                let sign = shelf.sign().await?.expect("it was made");
                assert!(sign.is_persisted() && sign.shelf_id() == Some(shelf.id()));
                if done.is_some() {
                    break;
                }
                polls += 1;
            }
            assert!(done_unseen > 0, "no drop came after the row was made");
        }
        Ok(())
    })
}
