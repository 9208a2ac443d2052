//! Where relata did other than Rails in writing, in what goes through others, and in what a commit tells, found by scenarios
//! of our own: each test is named after what was wrong.

#![allow(unreachable_pub, missing_docs)]

use std::sync::Mutex;

use relata::record::StrictLoading;
use relata::{Db, ErrorKind, Raw, Result, Value, assert_queries, callbacks, model};

#[model]
pub struct Member {
    id: i64,
    name: String,
    #[column(default = 0)]
    seats_count: i64,
    #[has_many]
    seats: Seat,
    #[has_many(through = seats)]
    boards: Board,
    #[has_many(
        through = seats,
        source = board,
        scope = |b| b.filter(|b| b.seats.active.eq(true)).order(|b| b.id)
    )]
    live: Board,
    #[has_many]
    notes: Note,
    #[has_one(primary_key = name, foreign_key = member_name)]
    card: Option<Card>,
}

#[model]
pub struct Seat {
    id: i64,
    member_id: i64,
    board_id: i64,
    #[column(default = true)]
    active: bool,
    #[belongs_to(counter_cache)]
    member: Member,
    #[belongs_to(counter_cache)]
    board: Board,
}

#[model]
pub struct Board {
    id: i64,
    name: String,
    #[column(default = 0)]
    seats_count: i64,
    #[has_many]
    seats: Seat,
}

#[model]
pub struct Note {
    id: i64,
    body: String,
    member_id: Option<i64>,
    #[belongs_to]
    member: Option<Member>,
}

#[model]
pub struct Card {
    id: i64,
    member_name: Option<String>,
    #[belongs_to(foreign_key = member_name, primary_key = name)]
    member: Option<Member>,
}

/// What commits told of notes.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[callbacks]
impl Note {
    #[after_commit]
    fn told(&self) {
        // Other tests make notes meanwhile.
        if self.body().starts_with("told ") {
            TOLD.lock().unwrap().push(self.body().to_owned());
        }
    }
}

async fn opened() -> Result<(Db, Member, Board, Board)> {
    let db = Db::connect("sqlite::memory:").await?;
    db.create_tables([
        Member::reflection(),
        Seat::reflection(),
        Board::reflection(),
        Note::reflection(),
        Card::reflection(),
    ])
    .await?;
    let ann = Member::create(&db, |m| m.set_name("ann")).await?;
    let one = Board::create(&db, |b| b.set_name("one")).await?;
    let two = Board::create(&db, |b| b.set_name("two")).await?;
    Ok((db, ann, one, two))
}

/// What commits of a block tell of notes.
async fn told(block: impl AsyncFnOnce() -> Result<()>) -> Result<Vec<String>> {
    TOLD.lock().unwrap().clear();
    block().await?;
    Ok(std::mem::take(&mut *TOLD.lock().unwrap()))
}

fn names(boards: &[Board]) -> Vec<&str> {
    boards.iter().map(Board::name).collect()
}

#[relata::test]
fn a_scope_of_a_through_spoke_of_any_row_between_and_not_of_those_that_lead_there() {
    relata::run(async {
        let (db, ann, one, two) = opened().await?;
        let bob = Member::create(&db, |m| m.set_name("bob")).await?;
        ann.boards().concat([&one, &two]).await?;
        bob.boards().push(&one).await?;
        ann.seats()
            .filter(|s| s.board_id.eq(one.id()))
            .update_all(|s| s.active.set(false))
            .await?;
        assert_eq!(names(&ann.live().await?), ["two"]);
        assert_eq!(names(&bob.live().await?), ["one"]);
        let all = Member::all(&db).order(|m| m.id).preload(|m| m.live).await?;
        assert_eq!(names(&all[0].live().await?), ["two"]);
        assert_eq!(names(&all[1].live().await?), ["one"]);
        let joined = Member::all(&db)
            .joins(|m| m.live)
            .order(|m| m.id)
            .pluck(|m| m.name)
            .await?;
        assert_eq!(joined, ["ann", "bob"]);
        // What is made through it is what the scope says.
        let three = Board::build(&db, |b| b.set_name("three"));
        ann.live().push(&three).await?;
        assert!(Seat::all(&db).last().await?.unwrap().active());
        Ok(())
    })
    .unwrap();
}

#[relata::test]
fn a_member_named_twice_by_its_key_was_one_through_others() {
    relata::run(async {
        let (db, ann, one, two) = opened().await?;
        ann.boards()
            .replace_ids([one.id(), one.id(), two.id()])
            .await?;
        let rows = Seat::all(&db).order(|s| s.id).pluck(|s| s.board_id).await?;
        assert_eq!(rows, [one.id(), one.id(), two.id()]);
        // A key is the same however it is written.
        let key = |board: &Board| vec![Value::from(board.id().to_string())];
        let named = vec![key(&one), key(&one), key(&two)];
        ann.association("boards")?.replace_ids(named).await?;
        assert_eq!(Seat::all(&db).count().await?, 3);
        // Rows between that leave are counted out of their targets, and then out of the owner.
        let capture = db.capture();
        ann.boards().delete([&two]).await?;
        let tables = capture.texts().into_iter().map(|text| {
            let of = text.split('"').nth(1).unwrap_or_default();
            of.to_owned()
        });
        assert_eq!(tables.collect::<Vec<_>>(), ["seats", "boards", "members"]);
        Ok(())
    })
    .unwrap();
}

#[relata::test]
fn two_objects_of_one_row_were_both_told_of_a_commit() {
    relata::run(async {
        let (db, ..) = opened().await?;
        let note = Note::create(&db, |n| n.set_body("told a")).await?;
        let seen = told(async || {
            db.transaction(async || {
                let first = Note::find(&db, note.id()).await?;
                first.set_body("told b").save().await?;
                let second = Note::find(&db, note.id()).await?;
                second.set_body("told c").save().await
            })
            .await
        });
        assert_eq!(seen.await?, ["told c"]);
        // What is gone is told of by whom destroyed it, and once.
        let seen = told(async || {
            db.transaction(async || {
                let other = Note::find(&db, note.id()).await?;
                other.set_body("told last").save().await?;
                note.destroy().await
            })
            .await
        });
        assert_eq!(seen.await?, ["told a"]);
        let seen = told(async || note.destroy().await);
        assert!(seen.await?.is_empty());
        let gone = Note::create(&db, |n| n.set_body("told gone")).await?;
        Note::all(&db).delete_all().await?;
        let seen = told(async || gone.destroy().await);
        assert!(seen.await?.is_empty());
        Ok(())
    })
    .unwrap();
}

#[relata::test]
fn a_new_record_that_was_destroyed_was_not_new_any_more() {
    relata::run(async {
        let (db, ..) = opened().await?;
        let member = Member::build(&db, |m| m.set_name("m"));
        member.destroy().await?;
        assert!(member.is_destroyed() && member.is_new_record() && !member.is_persisted());
        assert_queries!(db, 0, { member.save().await.map_or((), drop) });
        assert_eq!(Member::all(&db).count().await?, 1);
        Ok(())
    })
    .unwrap();
}

#[relata::test]
fn a_member_of_a_saved_owner_kept_its_key_in_a_new_one() {
    relata::run(async {
        let (db, ann, ..) = opened().await?;
        let note = ann.notes().create(|n| n.set_body("n")).await?;
        let new = Member::build(&db, |m| m.set_name("new"));
        new.notes().replace([&note]).await?;
        assert_eq!(note.member_id(), None);
        assert!(note.member().await?.is_some_and(|owner| owner.is(&new)));
        new.save().await?;
        assert_eq!(note.member_id(), Some(new.id()));
        assert_eq!(ann.notes().count().await?, 0);
        Ok(())
    })
    .unwrap();
}

#[relata::test]
fn a_has_one_of_a_new_owner_with_a_key_of_its_own_was_looked_for() {
    relata::run(async {
        let (db, ..) = opened().await?;
        let new = Member::build(&db, |m| m.set_name("new"));
        let card = Card::build(&db, |c| c);
        new.card().replace(Some(&card)).await?;
        assert_queries!(db, 2, { new.save().await? });
        assert_eq!(card.member_name(), Some("new"));
        Ok(())
    })
    .unwrap();
}

#[relata::test]
fn a_strict_record_lost_what_it_had_loaded_when_it_was_read_again() {
    relata::run(async {
        let (db, ann, ..) = opened().await?;
        ann.notes().create(|n| n.set_body("n")).await?;
        let strict = Member::all(&db)
            .strict_loading()
            .preload(|m| m.notes)
            .first_or_fail()
            .await?;
        strict.reload().await?;
        assert_eq!(strict.strict_loading_mode(), Some(StrictLoading::All));
        assert_eq!(strict.notes().await?.len(), 1);
        let error = strict.seats().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StrictLoadingViolation);
        Ok(())
    })
    .unwrap();
}

#[relata::test]
fn orders_and_joins_of_the_first_alone_were_refused_by_or() {
    relata::run(async {
        let (db, ann, ..) = opened().await?;
        ann.notes().create(|n| n.set_body("a")).await?;
        ann.notes().create(|n| n.set_body("b")).await?;
        let notes = || Note::all(&db);
        let first = notes()
            .joins(|n| n.member)
            .order(|n| n.id.desc())
            .filter(|n| n.body.eq("a"));
        let either = first.or(notes().filter(|n| n.body.eq("b")))?;
        assert_eq!(either.pluck(|n| n.body).await?, ["b", "a"]);
        let other = notes().order(|n| n.id);
        let error = notes().or(other).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::IncompatibleRelation);
        Ok(())
    })
    .unwrap();
}

#[relata::test]
fn what_is_joined_on_the_way_of_a_through_had_no_name() {
    relata::run(async {
        let (db, ann, one, two) = opened().await?;
        ann.boards().concat([&one, &two]).await?;
        let all = Member::all(&db).erased();
        let joined = all.clone().joins_named("boards")?;
        let sat = joined.filter_by("\"seats\".board_id", two.id())?;
        assert_eq!(
            sat.to_sql(),
            "SELECT \"members\".* FROM \"members\" INNER JOIN \"seats\" ON \"seats\".\"member_id\" = \"members\".\"id\" \
             INNER JOIN \"boards\" ON \"boards\".\"id\" = \"seats\".\"board_id\" WHERE \"seats\".\"board_id\" = 2"
        );
        assert_eq!(sat.count().await?, 1);
        let error = all.filter_by("\"seats\".board_id", 2).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AssociationNotFound);
        Ok(())
    })
    .unwrap();
}

#[relata::test]
fn groups_and_times_by_sql_and_by_name() {
    relata::run(async {
        let (db, ann, ..) = opened().await?;
        for body in ["a", "a", "b"] {
            ann.notes().create(|n| n.set_body(body)).await?;
        }
        let notes = Note::all(&db).erased();
        let several = notes.clone().having_sql(Raw::new("COUNT(*) > ?").bind(1));
        let counted = several.count_by_named(["body"]).await?;
        assert_eq!(counted.len(), 1);
        let error = notes.touch_all_columns(["body"]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
        Ok(())
    })
    .unwrap();
}

/// Members that may not leave, and others for which leaving fails when it is done.
mod leaving {
    use super::{Db, ErrorKind, Result};
    use relata::callback::Abort;
    use relata::{Association, Error, Record, model};

    #[model]
    pub struct Shelf {
        id: i64,
        #[has_many(before_remove = |_: &Shelf, _: &Book| Err(Abort))]
        books: Book,
        #[has_many(after_remove = |_: &Shelf, _: &Carton| Err(Error::new(ErrorKind::Other, "no")))]
        cartons: Carton,
    }

    #[model]
    pub struct Book {
        id: i64,
        shelf_id: Option<i64>,
        #[belongs_to]
        shelf: Option<Shelf>,
    }

    #[model]
    pub struct Carton {
        id: i64,
        shelf_id: Option<i64>,
        #[belongs_to]
        shelf: Option<Shelf>,
    }

    #[relata::test]
    fn a_member_that_a_callback_kept_was_given_as_one_that_left() {
        relata::run(async {
            let (_, shelf) = opened().await?;
            let book = shelf.books().create(|b| b).await?;
            let books = Association::of(&shelf, "books")?;
            let given = || [Record::clone(&book)];
            assert!(books.delete(given()).await?.is_empty());
            assert!(books.destroy(given()).await?.is_empty());
            shelf.books().replace([] as [&Book; 0]).await?;
            assert_eq!(shelf.books().await?.len(), 1);
            Ok(())
        })
        .unwrap();
    }

    #[relata::test]
    fn a_member_had_left_though_a_callback_failed_after_it() {
        relata::run(async {
            let (db, shelf) = opened().await?;
            let carton = shelf.cartons().create(|c| c).await?;
            assert!(shelf.cartons().delete([&carton]).await.is_err());
            assert_eq!(
                Carton::find(&db, carton.id()).await?.shelf_id(),
                Some(shelf.id())
            );
            Ok(())
        })
        .unwrap();
    }

    async fn opened() -> Result<(Db, Shelf)> {
        let db = Db::connect("sqlite::memory:").await?;
        db.create_tables([
            Shelf::reflection(),
            Book::reflection(),
            Carton::reflection(),
        ])
        .await?;
        let shelf = Shelf::create(&db, |s| s).await?;
        Ok((db, shelf))
    }
}
