//! Where relata did other than Rails, found by scenarios of our own: each test is named after what was wrong.

#![allow(unreachable_pub, missing_docs)]

use std::sync::atomic::{AtomicU32, Ordering};

use relata::{Db, ErrorKind, Result, assert_queries, callbacks, model};

#[model]
pub struct Owner {
    id: i64,
    name: String,
    #[column(default = 0)]
    things_total: i64,
    #[has_many(dependent = destroy)]
    things: Thing,
    #[has_one]
    badge: Option<Badge>,
    #[has_many(dependent = restrict_with_error)]
    seals: Seal,
    #[has_many]
    roles: Role,
    #[has_many(through = roles, scope = |c| c.order(|c| c.name.desc()).filter(|c| c.name.ne("hidden")))]
    clubs: Club,
}

#[model]
pub struct Thing {
    id: i64,
    title: String,
    owner_id: Option<i64>,
    #[belongs_to(counter_cache = things_total)]
    owner: Option<Owner>,
}

#[model]
pub struct Badge {
    id: i64,
    title: String,
    owner_id: Option<i64>,
    #[belongs_to]
    owner: Option<Owner>,
}

#[model]
pub struct Seal {
    id: i64,
    owner_id: Option<i64>,
    #[belongs_to]
    owner: Option<Owner>,
}

#[model]
pub struct Role {
    id: i64,
    owner_id: i64,
    club_id: i64,
    #[belongs_to]
    owner: Owner,
    #[belongs_to]
    club: Club,
}

#[model]
pub struct Club {
    id: i64,
    name: String,
}

/// How often a badge was saved, and a thing destroyed.
static SAVED: AtomicU32 = AtomicU32::new(0);
static DESTROYED: AtomicU32 = AtomicU32::new(0);

#[callbacks]
impl Badge {
    #[before_save]
    fn before_save(&self) {
        SAVED.fetch_add(1, Ordering::Relaxed);
    }
}

#[callbacks]
impl Thing {
    #[before_destroy]
    fn before_destroy(&self) {
        DESTROYED.fetch_add(1, Ordering::Relaxed);
    }
}

async fn opened() -> Result<(Db, Owner)> {
    let db = Db::connect("sqlite::memory:").await?;
    db.create_tables([
        Owner::reflection(),
        Thing::reflection(),
        Badge::reflection(),
        Seal::reflection(),
        Role::reflection(),
        Club::reflection(),
    ])
    .await?;
    let owner = Owner::create(&db, |o| o.set_name("ann")).await?;
    Ok((db, owner))
}

#[relata::test]
fn a_target_that_is_there_already_was_saved_again() {
    relata::run(async {
        let (db, owner) = opened().await?;
        let badge = Badge::build(&db, |b| b.set_title("b"));
        owner.badge().replace(Some(&badge)).await?;
        let before = SAVED.load(Ordering::Relaxed);
        assert_queries!(db, 0, { owner.badge().replace(Some(&badge)).await? });
        assert_eq!(SAVED.load(Ordering::Relaxed), before);
        badge.set_title("c");
        owner.badge().replace(Some(&badge)).await?;
        assert_eq!(SAVED.load(Ordering::Relaxed), before + 1);
        Ok(())
    })
    .unwrap();
}

#[relata::test]
fn members_that_were_never_saved_were_destroyed_when_they_left() {
    relata::run(async {
        let (db, owner) = opened().await?;
        let new = Owner::build(&db, |o| o.set_name("new"));
        let (one, other) = (
            new.things().build(|t| t.set_title("t")),
            new.things().build(|t| t.set_title("t")),
        );
        new.things().replace([&other]).await?;
        let built = owner.things().build(|t| t.set_title("t"));
        owner.things().destroy([&built]).await?;
        assert_eq!(DESTROYED.load(Ordering::Relaxed), 0);
        assert!(one.is_new_record() && built.is_new_record());
        let saved = owner.things().create(|t| t.set_title("t")).await?;
        owner.things().delete([&saved]).await?;
        assert_eq!(DESTROYED.load(Ordering::Relaxed), 1);
        Ok(())
    })
    .unwrap();
}

#[relata::test]
fn a_counter_that_only_the_belongs_to_names_was_not_counted_again() {
    relata::run(async {
        let (db, owner) = opened().await?;
        owner.things().create(|t| t.set_title("t")).await?;
        owner.update_columns([("things_total", 9.into())]).await?;
        Owner::all(&db).reset_counters(1, ["things"], false).await?;
        assert_eq!(owner.reload().await.map(|()| owner.things_total())?, 1);
        Ok(())
    })
    .unwrap();
}

#[relata::test]
fn a_destroy_that_was_refused_twice_said_so_once() {
    relata::run(async {
        let (_db, owner) = opened().await?;
        owner.seals().create(|s| s).await?;
        for times in 1..=2 {
            let error = owner.destroy().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RecordNotDestroyed);
            assert_eq!(owner.errors().len(), times);
        }
        Ok(())
    })
    .unwrap();
}

#[relata::test]
fn a_record_marked_as_readonly_was_touched() {
    relata::run(async {
        let (_db, owner) = opened().await?;
        owner.readonly();
        let error = owner.touch().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReadOnlyRecord);
        Ok(())
    })
    .unwrap();
}

#[relata::test]
fn members_through_others_with_a_scope_took_two_queries_to_preload() {
    relata::run(async {
        let (db, owner) = opened().await?;
        for name in ["a", "hidden", "z"] {
            let club = Club::create(&db, |c| c.set_name(name)).await?;
            owner.roles().create(|r| r.set_club_id(club.id())).await?;
        }
        Owner::create(&db, |o| o.set_name("bob")).await?;
        let owners = assert_queries!(db, 2, {
            Owner::all(&db).preload(|o| o.clubs).order(|o| o.id).await?
        });
        let names = |owner: &Owner| -> Vec<String> {
            let clubs = owner.clubs().target();
            clubs.iter().map(|club| club.name().to_owned()).collect()
        };
        assert_eq!(names(&owners[0]), ["z", "a"]);
        assert!(names(&owners[1]).is_empty());
        Ok(())
    })
    .unwrap();
}

#[relata::test]
fn an_empty_list_was_asked_for() {
    relata::run(async {
        let (db, _owner) = opened().await?;
        let none: [&str; 0] = [];
        let asked = Owner::all(&db).filter(|o| o.name.is_in(none));
        assert_queries!(db, 0, {
            assert!(asked.load().await?.is_empty());
            assert_eq!(asked.count().await?, 0);
        });
        let either = asked.or(Owner::all(&db).filter(|o| o.name.eq("ann")))?;
        assert_eq!(either.count().await?, 1);
        Ok(())
    })
    .unwrap();
}
