//! What the tour shows, asserted: rows, statements, which object is which.

use relata::{assert_queries, assert_sql};

use super::*;
use crate::models::{ProgramUser, Role};

/// Rows of every model, in the order of `models`.
async fn counts(db: &Db) -> Result<Vec<u64>> {
    let mut counts = Vec::new();
    for model in models() {
        counts.push(relata::Relation::of(model, db).count().await?);
    }
    Ok(counts)
}

#[relata::test]
fn the_tour_runs() {
    relata::run(tour()).unwrap();
}

#[relata::test]
async fn the_world_is_written_through_its_associations(db: Db) -> Result<()> {
    let World { ann, rust, .. } = world(&db).await?;
    assert_eq!(counts(&db).await?, [4, 2, 5, 1, 3, 2, 2, 3, 2, 1, 3]);
    assert_eq!(db.check_tables(models()).await?, []);
    let roles = ProgramUser::all(&db).order(|p| p.id);
    assert_eq!(
        roles.pluck(|p| (p.user.name, p.role, p.mentor_id)).await?,
        [
            ("Ann".into(), Role::Mentor, None),
            ("Bob".into(), Role::Member, Some(1)),
            ("Cat".into(), Role::Member, Some(1)),
        ],
        "a mentor pushed to the narrowed through has the role of its scope"
    );
    rust.reload().await?;
    assert_eq!(rust.community_members_count(), 3);
    assert_eq!(ann.program_ids().await?, [1]);
    Ok(())
}

#[relata::test]
async fn sources_lead_two_ways_to_events_and_back(db: Db) -> Result<()> {
    let World { ann, meetup, .. } = world(&db).await?;
    let ann = User::find(&db, ann.id()).await?;
    let hosted = assert_sql!(
        db,
        [
            r#"SELECT "events".* FROM "events" INNER JOIN "event_hosts" ON "events"."id" = "event_hosts"."event_id" WHERE "event_hosts"."user_id" = ?"#
        ],
        { ann.hosted_events().await? }
    );
    assert_eq!(hosted, [meetup.clone()]);
    let attended = assert_sql!(
        db,
        [
            r#"SELECT "events".* FROM "events" INNER JOIN "event_guests" ON "events"."id" = "event_guests"."event_id" WHERE "event_guests"."user_id" = ?"#
        ],
        { ann.attended_events().await? }
    );
    assert_eq!(attended[0].title(), "Harvest");
    assert_eq!(meetup.hosts().await?, [ann.clone()]);

    // One query asks over both: whose events Ann is a guest of.
    let hosts = User::all(&db).filter(|u| u.hosted_events.guests.is(&ann));
    assert_eq!(hosts.pluck(|u| u.name).await?, ["Dan"]);
    // A way over a through: what is on where she is a member, and she does not host.
    let others = ann.events().filter(|e| e.hosts.none(|u| u.id.eq(1)));
    assert_eq!(others.pluck(|e| e.title).await?, ["Harvest"]);
    Ok(())
}

#[relata::test]
async fn guests_come_and_go_by_rows_between(db: Db) -> Result<()> {
    let World {
        bob, dan, meetup, ..
    } = world(&db).await?;
    meetup.guests().await?;
    let capture = db.capture();
    meetup.guests().replace([&bob, &dan]).await?;
    assert_eq!(
        capture.texts(),
        [
            r#"DELETE FROM "event_guests" WHERE "event_guests"."event_id" = ? AND "event_guests"."user_id" = ?"#,
            r#"INSERT INTO "event_guests" ("event_id", "user_id") VALUES (?, ?)"#,
        ]
    );
    assert_eq!(meetup.guest_ids().await?, [bob.id(), dan.id()]);
    assert_eq!(dan.attended_events().await?, [meetup]);
    Ok(())
}

#[relata::test]
async fn on_a_page_whoever_came_over_one_association_is_one_object(db: Db) -> Result<()> {
    world(&db).await?;
    let communities = assert_queries!(db, 11, {
        Community::all(&db)
            .order(|c| c.id)
            .includes(|c| (c.users, c.programs.mentors, c.events.hosts, c.events.guests))
            .await?
    });
    assert_queries!(db, 0, {
        let (rust, gardens) = (&communities[0], &communities[1]);
        let (in_rust, in_gardens) = (rust.users().await?, gardens.users().await?);
        assert_eq!(
            (names(&in_rust), names(&in_gardens)),
            ("Ann, Bob, Cat".into(), "Dan, Ann".into())
        );
        assert!(in_rust[0].is(&in_gardens[1]), "Ann, as a member of both");
        for member in rust.community_members().await? {
            assert!(member.community().await?.is(rust));
        }
        let meetup = rust.events().await?.remove(0);
        assert!(meetup.community().await?.is(rust));
        let host = meetup.event_hosts().await?.remove(0);
        assert!(host.event().await?.is(&meetup));
        assert!(host.user().await?.is(&meetup.hosts().await?[0]));
        assert_eq!(names(&rust.programs().await?[0].mentors().await?), "Ann");
        assert_eq!(names(&gardens.events().await?[0].guests().await?), "Ann");
    });
    Ok(())
}

#[relata::test]
async fn a_match_leads_to_its_two_sides_and_each_leads_back(db: Db) -> Result<()> {
    let World { bob, cat, dan, .. } = world(&db).await?;
    for (user, wanted) in [
        (&bob, &[("Cat", 90), ("Dan", 70)][..]),
        (&cat, &[("Bob", 90)]),
        (&dan, &[("Bob", 70)]),
    ] {
        let wanted: Vec<_> = wanted
            .iter()
            .map(|&(name, n)| (name.to_owned(), n))
            .collect();
        // The matches, and once for each side of them.
        assert_eq!(assert_queries!(db, 3, { partners(user).await? }), wanted);
    }
    let bob = User::find(&db, bob.id()).await?;
    assert_eq!(bob.matched_users().await?, [cat]);
    assert_eq!(bob.inverse_matched_users().await?, [dan]);
    let (made, led) = (bob.matches().await?, bob.inverse_matches().await?);
    assert_queries!(db, 0, {
        assert!(made[0].user().await?.is(&bob));
        assert!(led[0].matched_user().await?.is(&bob));
    });
    assert!(
        !made[0].matched_user().is_loaded(),
        "another association of User"
    );
    Ok(())
}

#[relata::test]
async fn an_intro_request_keeps_its_users_and_loses_its_match(db: Db) -> Result<()> {
    let World { bob, cat, .. } = world(&db).await?;
    let request = cat.received_intro_requests().all().first_or_fail().await?;
    assert!(request.recipient().loaded().unwrap().is(&cat));
    assert_eq!(request.requester().await?, bob);
    let found = request.r#match().await?.unwrap();
    found.destroy().await?;
    request.reload().await?;
    assert_eq!((request.match_id(), request.r#match().await?), (None, None));
    assert_eq!(cat.inverse_matches().count().await?, 0);

    let error = bob
        .sent_intro_requests()
        .create(|r| r.set_message("?"))
        .await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "Validation failed: Recipient must exist"
    );
    Ok(())
}

#[relata::test]
async fn grants_of_another_module_go_with_one_delete_and_are_not_read(db: Db) -> Result<()> {
    let World { ann, bob, .. } = world(&db).await?;
    let grants = User::reflect_on_association("access_grants").unwrap();
    assert_eq!(grants.target_name(), "AccessGrant");
    assert_eq!(
        oauth::AccessGrant::reflection().table(),
        "oauth_access_grants"
    );
    let grant = ann.access_grants().all().first_or_fail().await?;
    assert!(
        grant.resource_owner().await?.is(&ann),
        "the inverse, from one module to another"
    );
    assert!(
        !format!("{grant:?}").contains("a1"),
        "a secret is not shown"
    );

    let capture = db.capture();
    User::find(&db, ann.id()).await?.destroy().await?;
    let about_grants: Vec<String> = capture
        .texts()
        .into_iter()
        .filter(|text| text.contains("oauth_access_grants"))
        .collect();
    assert_eq!(
        about_grants,
        [
            r#"DELETE FROM "oauth_access_grants" WHERE "oauth_access_grants"."resource_owner_id" = ?"#
        ]
    );
    let left: Vec<oauth::AccessGrant> = oauth::AccessGrant::all(&db).await?;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].resource_owner().await?, bob);
    Ok(())
}

#[relata::test]
async fn who_leaves_takes_only_its_own_rows_along(db: Db) -> Result<()> {
    let World {
        ann,
        bob,
        cat,
        rust,
        ..
    } = world(&db).await?;
    ann.destroy().await?;
    assert_eq!(counts(&db).await?, [3, 2, 3, 1, 2, 2, 1, 2, 2, 1, 1]);
    rust.reload().await?;
    assert_eq!(rust.community_members_count(), 2);
    let mentored = ProgramUser::all(&db).filter(|p| p.mentor_id.is_not_null());
    assert_eq!(mentored.count().await?, 0);
    // Both sides of matches and requests.
    bob.destroy().await?;
    assert_eq!(counts(&db).await?, [2, 2, 2, 1, 1, 2, 1, 1, 0, 0, 0]);
    cat.destroy().await?;
    rust.destroy().await?;
    assert_eq!(counts(&db).await?, [1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0]);
    Ok(())
}
