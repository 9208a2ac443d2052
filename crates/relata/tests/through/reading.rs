//! What reading through others gives.

use relata::{Db, Relation, Result, assert_queries, assert_sql};

use crate::world::{fill, named, names};

async fn users(db: &Db) -> Result<Vec<relata::Record>> {
    Relation::of(named("User"), db).order_by("id")?.await
}

#[relata::test]
async fn one_query_joins_what_is_on_the_way(db: Db) -> Result<()> {
    fill(&db).await?;
    let ann = Relation::of(named("User"), &db)
        .find_key([1.into()])
        .await?;
    let clubs = ann.association("clubs")?;
    let found = assert_sql!(
        db,
        [
            "SELECT \"clubs\".* FROM \"clubs\" INNER JOIN \"memberships\" ON \"clubs\".\"id\" = \"memberships\".\"club_id\" WHERE \"memberships\".\"user_id\" = ?"
        ],
        { clubs.load_many().await? }
    );
    assert_eq!(names(&found), ["A", "B", "B"]);
    assert!(!ann.association("memberships")?.is_loaded());
    assert_queries!(db, 0, { assert_eq!(clubs.load_many().await?.len(), 3) });
    assert_eq!(clubs.count().await?, 3);
    let events = ann.association("events")?;
    assert_eq!(names(&events.load_many().await?), ["e", "f", "f"]);
    assert_eq!(
        events.to_sql(),
        "SELECT \"events\".* FROM \"events\" INNER JOIN \"clubs\" ON \"events\".\"club_id\" = \"clubs\".\"id\" INNER JOIN \"memberships\" ON \"clubs\".\"id\" = \"memberships\".\"club_id\" WHERE \"memberships\".\"user_id\" = 1"
    );
    Ok(())
}

#[relata::test]
async fn the_scope_of_each_hop_narrows_and_orders(db: Db) -> Result<()> {
    fill(&db).await?;
    let of = async |name: &str, preloaded: bool| -> Result<Vec<Vec<String>>> {
        let mut all = Vec::new();
        let users = Relation::of(named("User"), &db).order_by("id")?;
        let users = if preloaded {
            users.preload_named([name])?
        } else {
            users
        };
        for user in users.await? {
            all.push(names(&user.association(name)?.load_many().await?));
        }
        Ok(all)
    };
    for (name, expected) in [
        ("chosen", [vec!["B", "B"], vec!["B"], vec![]]),
        ("once", [vec!["A", "B"], vec!["B"], vec![]]),
        ("sorted", [vec!["B", "B", "A"], vec!["B"], vec![]]),
        ("chaired", [vec!["A"], vec!["B"], vec![]]),
        ("recent", [vec!["B", "B", "A"], vec!["B"], vec![]]),
        (
            "towns",
            [vec!["Rome", "Rome", "Rome"], vec!["Rome"], vec![]],
        ),
        ("home_events", [vec!["e"], vec!["e"], vec![]]),
    ] {
        assert_eq!(of(name, false).await?, expected, "{name}, lazily");
        assert_eq!(of(name, true).await?, expected, "{name}, preloaded");
    }
    Ok(())
}

/// salsify/goldiloader#18 and #25: what goes through others was left out of batches, and lost its order.
#[relata::test]
async fn siblings_are_read_by_one_query(db: Db) -> Result<()> {
    fill(&db).await?;
    let users = users(&db).await?;
    assert_queries!(db, 1, {
        for user in &users {
            user.association("sorted")?.load_many().await?;
        }
    });
    let [ann, bob, _] = users.as_slice() else {
        panic!("three users")
    };
    let b = &ann.association("sorted")?.target()[0];
    assert!(
        b.is(&bob.association("sorted")?.target()[0]),
        "one row is one object"
    );
    assert_queries!(db, 1, {
        for user in &users {
            user.association("town")?.load_one().await?;
        }
    });
    let town = ann.association("town")?.load_one().await?;
    assert_eq!(names(town.as_slice()), ["Rome"]);
    Ok(())
}

#[relata::test]
async fn preloading_loads_what_is_on_the_way_once(db: Db) -> Result<()> {
    fill(&db).await?;
    let users = Relation::of(named("User"), &db)
        .order_by("id")?
        .preload_named(["memberships", "clubs", "events"])?;
    // Users, memberships, clubs of memberships, events of clubs.
    let users = assert_queries!(db, 4, { users.await? });
    let ann = &users[0];
    let (memberships, clubs) = (ann.association("memberships")?, ann.association("clubs")?);
    assert!(memberships.is_loaded() && clubs.is_loaded());
    let club = memberships.target()[1].association("club")?.target();
    assert!(
        club[0].is(&clubs.target()[1]),
        "the same object on every way"
    );
    let events = ann.association("events")?.target();
    assert!(events[1].is(&club[0].association("events")?.target()[0]));
    assert_eq!(names(&events), ["e", "f", "f"]);
    Ok(())
}

#[relata::test]
async fn what_a_scope_narrows_is_not_all_that_the_way_leads_to(db: Db) -> Result<()> {
    fill(&db).await?;
    let users = Relation::of(named("User"), &db)
        .preload_named(["chosen"])?
        .await?;
    let memberships = users[0].association("memberships")?;
    assert!(
        !memberships.is_loaded(),
        "those whose club is named B are not all"
    );
    let first = memberships.load_many().await?[0].association("club")?;
    assert!(
        !first.is_loaded(),
        "its club is not named B, and it has one"
    );
    assert_eq!(names(first.load_one().await?.as_slice()), ["A"]);
    Ok(())
}

#[relata::test]
async fn paths_join_what_is_on_the_way(db: Db) -> Result<()> {
    fill(&db).await?;
    let users = || Relation::of(named("User"), &db);
    assert_eq!(
        users().joins_named("events")?.to_sql(),
        "SELECT \"users\".* FROM \"users\" INNER JOIN \"memberships\" ON \"memberships\".\"user_id\" = \"users\".\"id\" INNER JOIN \"clubs\" ON \"clubs\".\"id\" = \"memberships\".\"club_id\" INNER JOIN \"events\" ON \"events\".\"club_id\" = \"clubs\".\"id\""
    );
    // What is on the way of one path is no other's: here it has the scope of `chairs`.
    assert_eq!(
        users()
            .joins_named("memberships")?
            .joins_named("chaired")?
            .to_sql(),
        "SELECT \"users\".* FROM \"users\" INNER JOIN \"memberships\" ON \"memberships\".\"user_id\" = \"users\".\"id\" INNER JOIN \"memberships\" AS \"chairs_users_join\" ON \"chairs_users_join\".\"role\" = 'chair' AND \"chairs_users_join\".\"user_id\" = \"users\".\"id\" INNER JOIN \"clubs\" ON \"clubs\".\"id\" = \"chairs_users_join\".\"club_id\""
    );
    assert_eq!(
        names(&users().filter_by("clubs.name", "A")?.await?),
        ["Ann"]
    );
    assert_eq!(names(&users().missing_named("clubs")?.await?), ["Cid"]);
    assert_eq!(
        users()
            .associated_named("clubs")?
            .distinct()
            .count()
            .await?,
        2
    );
    assert_eq!(
        users()
            .filter_by("town.name", "Rome")?
            .pluck_named(["name", "town.name"])
            .await?
            .len(),
        2
    );
    let joined = assert_queries!(db, 1, {
        users()
            .order_by("id")?
            .eager_load_named(["clubs", "town"])?
            .await?
    });
    assert_queries!(db, 0, {
        assert_eq!(
            names(&joined[0].association("clubs")?.load_many().await?),
            ["A", "B"]
        );
        assert!(joined[2].association("town")?.load_one().await?.is_none());
    });
    let limited = users()
        .order_by("id")?
        .limit(2)
        .eager_load_named(["clubs"])?
        .await?;
    assert_eq!(names(&limited), ["Ann", "Bob"]);
    Ok(())
}

#[relata::test]
async fn a_key_that_is_null_or_changed_is_followed(db: Db) -> Result<()> {
    fill(&db).await?;
    let users = users(&db).await?;
    let [ann, _, cid] = users.as_slice() else {
        panic!("three users")
    };
    let town = cid.association("town")?;
    assert_queries!(db, 0, { assert!(town.load_one().await?.is_none()) });
    assert_eq!(
        names(ann.association("town")?.load_one().await?.as_slice()),
        ["Rome"]
    );
    ann.set("club_id", 3)?;
    assert!(ann.association("town")?.is_stale());
    assert!(ann.association("town")?.load_one().await?.is_none());
    ann.set("club_id", 2)?;
    assert_eq!(
        names(ann.association("town")?.load_one().await?.as_slice()),
        ["Rome"]
    );
    let new = relata::Record::new(named("User"), &db);
    new.set("club_id", 1)?;
    assert_eq!(
        names(new.association("town")?.load_one().await?.as_slice()),
        ["Rome"]
    );
    Ok(())
}

#[relata::test]
async fn what_siblings_brought_along_is_not_used_once_a_table_on_the_way_was_written(
    db: Db,
) -> Result<()> {
    fill(&db).await?;
    let users = users(&db).await?;
    assert_eq!(users[0].association("clubs")?.load_many().await?.len(), 3);
    Relation::of(named("Membership"), &db)
        .filter_by("user_id", 2)?
        .delete_all()
        .await?;
    assert_eq!(users[1].association("clubs")?.load_many().await?.len(), 0);
    assert_eq!(
        users[0].association("clubs")?.load_many().await?.len(),
        3,
        "it was read before"
    );
    Ok(())
}

/// Members that this user alone was told stayed those of the club before.
#[relata::test]
async fn members_through_a_belongs_to_are_stale_when_its_key_changes(db: Db) -> Result<()> {
    fill(&db).await?;
    for touched in [false, true] {
        for alone in [true, false] {
            let user = match alone {
                true => {
                    Relation::of(named("User"), &db)
                        .find_key([1.into()])
                        .await?
                }
                false => users(&db).await?[0].clone(),
            };
            if touched {
                user.set("name", "Ann again")?;
            }
            let events = user.association("home_events")?;
            assert_eq!(names(&events.load_many().await?), ["e"]);
            assert_queries!(db, 0, { assert_eq!(events.load_many().await?.len(), 1) });
            user.set("club_id", 2)?;
            assert!(events.is_stale() && !events.is_loaded() && events.target().is_empty());
            assert_queries!(db, 1, {
                assert_eq!(names(&events.load_many().await?), ["f"]);
                assert_eq!(names(&events.load_many().await?), ["f"]);
            });
            assert!(!events.is_stale() && events.is_loaded());
            user.set("club_id", 3)?;
            assert_eq!(events.ids().await?, [[3.into()]]);
            assert_queries!(db, 2, {
                relata::loading::preload_named(std::slice::from_ref(&user), ["home_events"])
                    .await?;
                assert_eq!(names(&events.load_many().await?), ["g"]);
            });
            user.set("club_id", None::<i64>)?;
            assert_eq!(events.load_many().await?, []);
            // What was set stays in memory.
            user.set("club_id", 3)?;
            assert_eq!(names(&events.load_many().await?), ["g"]);
        }
    }
    Ok(())
}

#[relata::test]
async fn keys_of_members_through_a_belongs_to_are_those_of_its_key(db: Db) -> Result<()> {
    fill(&db).await?;
    let user = Relation::of(named("User"), &db)
        .find_key([1.into()])
        .await?;
    let events = user.association("home_events")?;
    assert_eq!(events.ids().await?, [[1.into()]]);
    assert_queries!(db, 0, { assert_eq!(events.ids().await?, [[1.into()]]) });
    user.set("club_id", 2)?;
    assert_queries!(db, 1, { assert_eq!(events.ids().await?, [[2.into()]]) });
    Ok(())
}

/// The club of a key that was only set was kept as that of the row, and was there again with the key of the row.
#[relata::test]
async fn what_is_preloaded_for_a_key_that_was_set_is_not_what_the_row_leads_to(
    db: Db,
) -> Result<()> {
    fill(&db).await?;
    let user = users(&db).await?[0].clone();
    user.set("club_id", 2)?;
    relata::loading::preload_named(std::slice::from_ref(&user), ["club"]).await?;
    let club = user.association("club")?;
    let found = assert_queries!(db, 0, { club.load_one().await? });
    assert_eq!(names(found.as_slice()), ["B"]);
    user.set("club_id", 1)?;
    assert_eq!(names(club.load_one().await?.as_slice()), ["A"]);
    Ok(())
}
