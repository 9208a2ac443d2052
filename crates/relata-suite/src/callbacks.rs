//! Callbacks: their order, what halts, what surrounds, what waits for the commit.

use std::cell::RefCell;

use crate::Backend;
use relata::callback::{Abort, Inside};
use relata::{Db, Error, ErrorKind, Result, Saved, assert_queries, callbacks, model};

thread_local! {
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn log(line: impl Into<String>) {
    LOG.with_borrow_mut(|log| log.push(line.into()));
}

/// What was logged since.
fn logged() -> Vec<String> {
    LOG.take()
}

/// At the top of a graph.
#[model]
pub struct Org {
    id: i64,
    name: String,
}

/// In the middle of it.
#[model]
pub struct Member {
    id: i64,
    #[validates(presence)]
    name: String,
    org_id: Option<i64>,
    #[belongs_to]
    org: Option<Org>,
    #[has_one(dependent = delete)]
    card: Option<Card>,
    #[has_many(dependent = destroy)]
    notes: Note,
}

/// At the bottom.
#[model]
pub struct Card {
    id: i64,
    code: String,
    member_id: i64,
    #[belongs_to]
    member: Member,
}

/// At the bottom, several.
#[model]
pub struct Note {
    id: i64,
    text: String,
    member_id: i64,
    #[belongs_to]
    member: Member,
}

/// Halts, surrounds and counts.
#[model]
pub struct Job {
    id: i64,
    name: String,
    size: Option<i64>,
}

/// Watches who comes and goes.
#[model]
pub struct Club {
    id: i64,
    name: String,
    #[has_many(
        before_add = |club: &Club, guest: &Guest| {
            log(format!("{} before_add {}", club.name(), guest.name()));
            if guest.name() == "nobody" { Err(Abort) } else { Ok(()) }
        },
        after_add = |_, guest: &Guest| log(format!("after_add {}", guest.name())),
        before_remove = Club::lets_go,
        after_remove = |_, guest: &Guest| log(format!("after_remove {}", guest.name()))
    )]
    guests: Guest,
}

impl Club {
    fn lets_go(&self, guest: &Guest) -> Result<(), Abort> {
        if guest.name() == "stays" {
            Err(Abort)
        } else {
            Ok(())
        }
    }
}

/// Comes and goes.
#[model]
pub struct Guest {
    id: i64,
    name: String,
    club_id: Option<i64>,
    #[belongs_to]
    club: Option<Club>,
}

macro_rules! logs {
    ($($model:ident)*) => {$(
        #[callbacks]
        impl $model {
            #[before_validation]
            fn log_1(&self) { log(concat!(stringify!($model), " before_validation")); }
            #[after_validation]
            fn log_2(&self) { log(concat!(stringify!($model), " after_validation")); }
            #[before_save]
            fn log_3(&self) { log(concat!(stringify!($model), " before_save")); }
            #[before_create]
            fn log_4(&self) { log(concat!(stringify!($model), " before_create")); }
            #[after_create]
            fn log_5(&self) { log(concat!(stringify!($model), " after_create")); }
            #[after_save]
            fn log_6(&self) { log(concat!(stringify!($model), " after_save")); }
        }
    )*};
}

logs!(Org Card Note);

#[callbacks]
impl Member {
    #[after_create(prepend)]
    fn early(&self) {
        log("Member after_create, above the associations");
    }
    #[before_validation]
    fn log_1(&self) {
        log("Member before_validation");
    }
    #[after_validation]
    fn log_2(&self) {
        log("Member after_validation");
    }
    #[before_save]
    fn log_3(&self) {
        log("Member before_save");
    }
    #[before_create]
    fn log_4(&self) {
        log("Member before_create");
    }
    #[after_create]
    fn log_5(&self) {
        log("Member after_create");
    }
    #[after_save]
    fn log_6(&self) {
        log("Member after_save");
    }
    #[before_destroy(prepend)]
    async fn sees_the_notes(&self) -> Result<()> {
        log(format!("above: {} notes", self.notes().count().await?));
        Ok(())
    }
    #[before_destroy]
    async fn sees_none(&self) -> Result<()> {
        log(format!("below: {} notes", self.notes().count().await?));
        Ok(())
    }
}

#[callbacks]
impl Job {
    #[after_initialize]
    fn made(&self) {
        log(format!("made {}", self.name()));
    }
    #[after_find]
    fn read(&self) {
        log(format!("read {}", self.name()));
    }
    #[before_validation(on = create)]
    fn trim(&self) {
        self.set_name(self.name().trim());
    }
    #[before_save(if = Job::is_bad)]
    fn refuse(&self) -> Result<(), Abort> {
        Err(Abort)
    }
    #[around_save]
    async fn surround(&self, inside: Inside) -> Result<()> {
        if self.name() == "skipped" {
            return Ok(());
        }
        log("in");
        let ran = inside.run().await;
        log(format!("out {}", ran.is_ok()));
        ran
    }
    #[before_update]
    async fn look(&self) -> Result<()> {
        let others = Job::all(self.db()).count().await?;
        log(format!("{others} jobs"));
        Ok(())
    }
    #[after_save]
    fn fail(&self) -> Result<()> {
        match self.name() {
            "fails" => Err(Error::new(
                ErrorKind::Other,
                "failed after the row was written",
            )),
            _ => Ok(()),
        }
    }
    #[before_destroy(unless = Job::is_bad)]
    fn keep(&self) -> Result<(), Abort> {
        if self.name() == "kept" {
            Err(Abort)
        } else {
            Ok(())
        }
    }
    #[after_commit]
    fn committed(&self) {
        log(format!("commit {}", self.name()));
    }
    #[after_commit(on = destroy)]
    async fn gone(&self) -> Result<()> {
        log(format!("gone, {} left", Job::all(self.db()).count().await?));
        Ok(())
    }
    #[after_rollback]
    fn undone(&self) {
        log(format!("rollback {} #{}", self.name(), self.id()));
    }
}

impl Job {
    fn is_bad(&self) -> bool {
        self.name() == "bad"
    }
}

async fn fresh(backend: &Backend) -> Result<Db> {
    let db = backend.open().await?;
    db.create_tables([
        Org::reflection(),
        Member::reflection(),
        Card::reflection(),
        Note::reflection(),
        Job::reflection(),
        Club::reflection(),
        Guest::reflection(),
    ])
    .await?;
    logged();
    Ok(db)
}

/// A graph is saved in the order that Rails has.
pub async fn a_graph_is_saved_in_the_order_of_rails(backend: &Backend) -> Result<()> {
    let db = fresh(backend).await?;
    let org = Org::build(&db, |o| o.set_name("O"));
    let member = Member::build(&db, |m| m.set_name("Ann").set_org(&org));
    member.build_card(|c| c.set_code("x"));
    member.notes().build(|n| n.set_text("a"));
    member.save().await?;
    let one = |model: &str| {
        [
            "before_validation",
            "after_validation",
            "before_save",
            "before_create",
            "after_create",
            "after_save",
        ]
        .map(|event| format!("{model} {event}"))
    };
    let mut expected = vec![
        "Member before_validation".to_owned(),
        "Note before_validation".to_owned(),
        "Note after_validation".to_owned(),
        "Member after_validation".to_owned(),
    ];
    expected.extend(one("Org"));
    expected.push("Member before_save".to_owned());
    expected.push("Member before_create".to_owned());
    expected.push("Member after_create, above the associations".to_owned());
    expected.extend(one("Card"));
    expected.extend(one("Note"));
    expected.push("Member after_create".to_owned());
    expected.push("Member after_save".to_owned());
    assert_eq!(logged(), expected);

    // A callback above the association sees what it destroys, one below does not.
    member.destroy().await?;
    assert_eq!(logged(), ["above: 1 notes", "below: 0 notes"]);
    assert_eq!(Note::all(&db).count().await?, 0);
    Ok(())
}

/// Aborting halts and writes nothing.
pub async fn aborting_halts_and_writes_nothing(backend: &Backend) -> Result<()> {
    let db = fresh(backend).await?;
    let bad = Job::build(&db, |j| j.set_name("bad"));
    let error = bad.save().await.unwrap_err();
    assert!(error.is_record_not_saved() && error.to_string() == "Failed to save the record");
    assert!(error.record::<Job>().is_some_and(|record| record.is(&bad)));
    assert!(!bad.save().await.saved()?);
    assert!(bad.is_new_record() && Job::all(&db).count().await? == 0);

    let kept = Job::create(&db, |j| j.set_name("kept")).await?;
    let error = kept.destroy().await.unwrap_err();
    assert!(error.is_record_not_destroyed());
    let message = error.to_string();
    assert!(
        message.starts_with("Failed to destroy Job with id=1: `before_destroy` `"),
        "{message}"
    );
    assert!(kept.is_persisted() && Job::all(&db).count().await? == 1);
    // What fails after the statement takes the row back.
    let fails = Job::build(&db, |j| j.set_name("fails"));
    let error = fails.save().await.unwrap_err();
    assert_eq!(error.to_string(), "failed after the row was written");
    assert!(fails.is_new_record() && fails.id() == 0);
    assert_eq!(Job::all(&db).count().await?, 1);
    Ok(())
}

/// An around callback surrounds, hears of failures, and halts when it does not go on.
pub async fn an_around_callback_surrounds(backend: &Backend) -> Result<()> {
    let db = fresh(backend).await?;
    let job = Job::build(&db, |j| j.set_name("  one "));
    logged();
    job.save().await?;
    assert_eq!(logged(), ["in", "out true", "commit one"]);
    job.set_name("two");
    job.save().await?;
    assert_eq!(logged(), ["in", "1 jobs", "out true", "commit two"]);
    // `on = create` trims new ones alone.
    job.set_name(" two ");
    job.save().await?;
    assert_eq!(job.name(), " two ");

    let skipped = Job::build(&db, |j| j.set_name("skipped"));
    logged();
    assert!(skipped.save().await.unwrap_err().is_record_not_saved());
    assert!(logged().is_empty() && skipped.is_new_record());
    // The statement inside fails, and the callback hears of it.
    let late = Job::build(&db, |j| j.set_name("late"));
    logged();
    db.faults().fail_nth(2, ErrorKind::DiskFull);
    assert!(late.save().await.is_err());
    assert_eq!(logged(), ["in", "out false"]);
    Ok(())
}

/// Commit callbacks run once, for what was written and not undone.
pub async fn commit_callbacks_run_once_for_what_stands(backend: &Backend) -> Result<()> {
    let db = fresh(backend).await?;
    let job = Job::build(&db, |j| j.set_name("a"));
    logged();
    db.transaction(async || {
        job.save().await?;
        job.set_name("b");
        job.save().await?;
        log("end");
        let inner: Result<()> = db
            .transaction(async || {
                Job::create(&db, |j| j.set_name("inner")).await?;
                Err(Error::new(ErrorKind::Rollback, "no"))
            })
            .await;
        assert!(inner.is_err());
        Ok(())
    })
    .await?;
    assert_eq!(
        logged(),
        [
            "in",
            "out true",
            "in",
            "1 jobs",
            "out true",
            "end",
            "made inner",
            "in",
            "out true",
            "rollback inner #2",
            "commit b"
        ]
    );
    let undone: Result<()> = db
        .transaction(async || {
            job.destroy().await?;
            Err(Error::new(ErrorKind::Rollback, "no"))
        })
        .await;
    assert!(undone.is_err() && job.is_persisted());
    assert_eq!(logged(), ["rollback b #1"]);
    job.destroy().await?;
    assert_eq!(logged(), ["commit b", "gone, 0 left"]);
    Ok(())
}

/// Records announce that they were made and read.
pub async fn records_announce_that_they_were_made_and_read(backend: &Backend) -> Result<()> {
    let db = fresh(backend).await?;
    let job = Job::create(&db, |j| j.set_name("x")).await?;
    assert_eq!(logged()[0], "made x");
    Job::find(&db, job.id()).await?;
    assert_eq!(logged(), ["read x", "made x"]);
    assert_queries!(db, 1, { Job::all(&db).await? });
    assert_eq!(logged(), ["read x", "made x"]);
    Ok(())
}

/// What a save runs can be read.
pub async fn what_a_save_runs_can_be_read(backend: &Backend) -> Result<()> {
    let _db = fresh(backend).await?;
    let text = Member::reflection().explain_save();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let at = |wanted: &'static str| lines.iter().position(|line| *line == wanted).ok_or(wanted);
    let order = [
        at("before_validation log_1"),
        at("validates presence name"),
        at("validates the members of notes"),
        at("before_save org saves its parent and takes its key"),
        at("before_save log_3"),
        at("the row is written, and counted"),
        at("after_create early"),
        at("after_create card gives its members the key and saves them"),
        at("after_create log_5"),
        at("the transaction is committed"),
    ];
    assert!(order.is_sorted(), "{text}\n{order:?}");
    let text = Member::reflection().explain_destroy();
    assert!(
        text.contains("before_destroy notes does what `dependent` says: destroy"),
        "{text}"
    );
    Ok(())
}

/// A collection tells who comes and goes, and may keep somebody out or in.
pub async fn a_collection_tells_who_comes_and_goes(backend: &Backend) -> Result<()> {
    let db = fresh(backend).await?;
    let club = Club::create(&db, |c| c.set_name("C")).await?;
    let ann = club.guests().create(|g| g.set_name("ann")).await?;
    assert_eq!(logged(), ["C before_add ann", "after_add ann"]);
    let error = club
        .guests()
        .create(|g| g.set_name("nobody"))
        .await
        .unwrap_err();
    assert!(error.is_record_not_saved());
    let nobody = Guest::build(&db, |g| g.set_name("nobody"));
    let bob = club.guests().build(|g| g.set_name("bob"));
    club.guests().push(&nobody).await?;
    assert!(nobody.is_new_record());
    logged();
    // They were told when they came, and are not told again when they are saved.
    club.save().await?;
    assert!(logged().is_empty() && bob.is_persisted());
    assert_eq!(Guest::all(&db).count().await?, 2);

    club.guests().delete([&ann]).await?;
    assert_eq!(logged(), ["after_remove ann"]);
    bob.set_name("stays");
    club.guests().delete([&bob]).await?;
    assert!(logged().is_empty());
    assert_eq!(
        Guest::all(&db).filter(|g| g.club.is(&club)).count().await?,
        1
    );
    Ok(())
}
