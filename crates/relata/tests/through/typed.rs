//! The same, declared with types.

use relata::{Db, Error, ErrorKind, Result, assert_queries, assert_sql, model};

#[model]
pub(crate) struct User {
    id: i64,
    name: String,
    #[column(default = 0)]
    memberships_count: i64,
    #[has_many]
    memberships: Membership,
    #[has_many(through = memberships)]
    clubs: Club,
    #[has_many(through = memberships, source = club, scope = |c| c.order(|c| c.name.desc()).distinct())]
    sorted: Club,
    #[has_many(through = clubs)]
    events: Event,
    #[has_one]
    badge: Option<Badge>,
    #[has_one(through = badge)]
    issuer: Option<Club>,
    #[has_and_belongs_to_many]
    topics: Topic,
}

#[model]
pub(crate) struct Membership {
    id: i64,
    user_id: i64,
    club_id: i64,
    role: Option<String>,
    #[belongs_to(counter_cache)]
    user: User,
    #[belongs_to]
    club: Club,
}

#[model]
pub(crate) struct Club {
    id: i64,
    #[validates(presence)]
    name: String,
    #[has_many]
    memberships: Membership,
    #[has_many(through = memberships)]
    users: User,
    #[has_many]
    events: Event,
}

#[model]
pub(crate) struct Event {
    id: i64,
    club_id: i64,
    #[belongs_to]
    club: Club,
}

#[model]
pub(crate) struct Badge {
    id: i64,
    user_id: Option<i64>,
    issuer_id: Option<i64>,
    #[belongs_to]
    user: Option<User>,
    #[belongs_to]
    issuer: Option<Club>,
}

#[model]
pub(crate) struct Topic {
    id: i64,
    name: String,
    #[has_and_belongs_to_many]
    users: User,
}

pub(crate) async fn filled(db: &Db) -> Result<(User, Vec<Club>)> {
    db.create_tables([
        User::reflection(),
        Membership::reflection(),
        Club::reflection(),
        Event::reflection(),
        Badge::reflection(),
        Topic::reflection(),
    ])
    .await?;
    let ann = User::create(db, |u| u.set_name("Ann")).await?;
    let mut clubs = Vec::new();
    for name in ["A", "B", "C"] {
        clubs.push(Club::create(db, |c| c.set_name(name)).await?);
    }
    Ok((ann, clubs))
}

fn names(clubs: &[Club]) -> Vec<String> {
    clubs.iter().map(|club| club.name().to_owned()).collect()
}

#[relata::test]
async fn a_push_makes_the_row_between_and_counts_it(db: Db) -> Result<()> {
    let (ann, clubs) = filled(&db).await?;
    assert_queries!(db, 2, { ann.clubs().concat([&clubs[0]]).await? });
    assert_eq!(ann.memberships_count(), 1);
    let new = ann.clubs().create(|c| c.set_name("New")).await?;
    assert!(new.is_persisted());
    assert_eq!(ann.reload().await.map(|()| ann.memberships_count())?, 2);
    assert_eq!(names(&ann.clubs().await?), ["A", "New"]);
    assert_eq!(names(&ann.sorted().await?), ["New", "A"]);
    // One takes all rows that lead to it.
    ann.clubs().concat([&clubs[0], &clubs[0]]).await?;
    assert_eq!(ann.clubs().count().await?, 4);
    ann.clubs().delete([&clubs[0]]).await?;
    assert_eq!(names(&ann.clubs().reload().await?), ["New"]);
    ann.reload().await?;
    assert_eq!(
        ann.memberships_count(),
        1,
        "the rows that went were counted out"
    );
    assert_eq!(Club::all(&db).count().await?, 4, "what they led to stays");
    Ok(())
}

/// Section 31, 24: replacing counts how often a record is there.
#[relata::test]
async fn replacing_counts_duplicates(db: Db) -> Result<()> {
    let (ann, clubs) = filled(&db).await?;
    let [a, b, c] = clubs.as_slice() else {
        return Err(Error::new(ErrorKind::Other, "three clubs"));
    };
    ann.clubs().concat([a, b]).await?;
    ann.clubs().replace([b, b, c]).await?;
    assert_eq!(names(&ann.clubs().reload().await?), ["B", "B", "C"]);
    ann.clubs().replace_ids([b.id()]).await?;
    assert_eq!(names(&ann.clubs().reload().await?), ["B"]);
    assert_queries!(db, 0, { ann.clubs().replace([b]).await? });
    ann.clubs().clear().await?;
    assert_eq!(Membership::all(&db).count().await?, 0);
    Ok(())
}

#[relata::test]
async fn all_of_it_or_nothing(db: Db) -> Result<()> {
    let (ann, clubs) = filled(&db).await?;
    let bad = Club::new(&db);
    let error = ann.clubs().concat([&clubs[0], &bad]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RecordInvalid);
    assert_eq!(Membership::all(&db).count().await?, 0);
    assert_eq!(ann.memberships().target().len(), 0, "no row between waits");
    ann.clubs().reset();
    let error = ann.clubs().create(|c| c).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RecordInvalid);
    assert_eq!(ann.clubs().target().len(), 0);
    ann.clubs().concat([&clubs[0]]).await?;
    let error = ann.clubs().replace([&clubs[1], &bad]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RecordNotSaved);
    assert_eq!(names(&ann.clubs().target()), ["A"]);
    assert_eq!(names(&ann.clubs().reload().await?), ["A"]);
    Ok(())
}

#[relata::test]
async fn an_owner_that_is_not_saved_keeps_all_of_it_in_memory(db: Db) -> Result<()> {
    let (_, clubs) = filled(&db).await?;
    let bob = User::build(&db, |u| u.set_name("Bob"));
    let new = assert_queries!(db, 0, {
        bob.clubs().concat([&clubs[0], &clubs[1]]).await?;
        bob.clubs().delete([&clubs[1]]).await?;
        bob.clubs().build(|c| c.set_name("New"))
    });
    bob.save().await?;
    assert!(new.is_persisted());
    assert_eq!(names(&bob.clubs().reload().await?), ["A", "New"]);
    assert_eq!(Membership::all(&db).count().await?, 2);
    bob.save().await?;
    assert_eq!(Membership::all(&db).count().await?, 2, "once is enough");
    Ok(())
}

#[relata::test]
async fn a_has_one_changes_makes_and_destroys_the_row_between(db: Db) -> Result<()> {
    let (ann, clubs) = filled(&db).await?;
    ann.issuer().replace(&clubs[0]).await?;
    let badge = ann
        .badge()
        .await?
        .ok_or_else(|| Error::new(ErrorKind::Other, "no badge"))?;
    assert_eq!(badge.issuer_id(), Some(1));
    ann.issuer().replace(&clubs[1]).await?;
    assert_eq!(badge.issuer_id(), Some(2), "the same badge");
    // Set, it is saved with its owner.
    ann.set_issuer(&clubs[2]);
    assert_eq!(badge.issuer_id(), Some(2));
    ann.save().await?;
    assert_eq!(badge.issuer_id(), Some(3));
    ann.issuer().replace(None).await?;
    assert!(badge.is_destroyed());
    assert_eq!(Badge::all(&db).count().await?, 0);
    assert_eq!(Club::all(&db).count().await?, 3);
    let bob = User::build(&db, |u| u.set_name("Bob").set_issuer(&clubs[0]));
    bob.save().await?;
    assert_eq!(
        bob.badge().await?.and_then(|badge| badge.issuer_id()),
        Some(1)
    );
    Ok(())
}

#[relata::test]
async fn what_is_nested_is_only_read(db: Db) -> Result<()> {
    let (ann, clubs) = filled(&db).await?;
    ann.clubs().push(&clubs[0]).await?;
    let event = Event::create(&db, |e| e.set_club(&clubs[0])).await?;
    assert_eq!(ann.events().await?, std::slice::from_ref(&event));
    let errors = [
        ann.events().push(&event).await.err(),
        ann.events().create(|e| e).await.err(),
        ann.events().delete([&event]).await.err(),
        ann.events().destroy([&event]).await.err(),
        ann.events().clear().await.err(),
        ann.events().replace([]).await.err(),
    ];
    for error in errors {
        let kind = error.map(|error| error.kind());
        assert_eq!(
            kind,
            Some(ErrorKind::HasManyThroughNestedAssociationsAreReadonly)
        );
    }
    let refused = ann
        .clubs()
        .insert_all([&Club::build(&db, |c| c.set_name("x"))])
        .await;
    assert_eq!(
        refused.err().map(|error| error.kind()),
        Some(ErrorKind::Argument)
    );
    Ok(())
}

#[relata::test]
async fn paths_go_through(db: Db) -> Result<()> {
    let (ann, clubs) = filled(&db).await?;
    User::create(&db, |u| u.set_name("Bob")).await?;
    ann.clubs().concat([&clubs[0], &clubs[1]]).await?;
    let users = User::all(&db).filter(|u| u.clubs.name.eq("B"));
    assert_eq!(users.await?.len(), 1);
    assert_eq!(
        User::all(&db)
            .filter(|u| u.clubs.is(&clubs[0]))
            .count()
            .await?,
        1
    );
    assert_eq!(User::all(&db).missing(|u| u.clubs).count().await?, 1);
    let loaded = User::all(&db)
        .order(|u| u.id)
        .includes(|u| (u.clubs, u.memberships.club))
        .await?;
    assert_queries!(db, 0, {
        let club = &loaded[0].clubs().await?[0];
        assert!(club.is(&loaded[0].memberships().await?[0].club().await?));
    });
    Ok(())
}

#[relata::test]
async fn many_belong_to_many_over_rows_without_a_model(db: Db) -> Result<()> {
    let (ann, _) = filled(&db).await?;
    let topic = Topic::create(&db, |t| t.set_name("chess")).await?;
    assert_sql!(
        db,
        ["INSERT INTO \"topics_users\" (\"user_id\", \"topic_id\") VALUES (?, ?)"],
        { ann.topics().push(&topic).await? }
    );
    assert_eq!(topic.users().await?, std::slice::from_ref(&ann));
    ann.topics().create(|t| t.set_name("go")).await?;
    assert_eq!(ann.topic_ids().await?, [1, 2]);
    assert_eq!(
        User::all(&db)
            .filter(|u| u.topics.name.eq("go"))
            .count()
            .await?,
        1
    );
    let loaded = User::all(&db).includes(|u| u.topics).await?;
    assert_queries!(db, 0, { assert_eq!(loaded[0].topics().await?.len(), 2) });
    ann.topics().delete([&topic]).await?;
    assert_eq!(ann.topics().reload().await?.len(), 1);
    assert_sql!(
        db,
        [
            "DELETE FROM \"topics_users\" WHERE \"topics_users\".\"user_id\" = ?",
            "DELETE FROM \"users\" WHERE \"users\".\"id\" = ?"
        ],
        { ann.destroy().await? }
    );
    assert_eq!(Topic::all(&db).count().await?, 2);
    assert!(User::reflect_on_association("topics_users").is_none());
    assert_eq!(
        db.check_tables([User::reflection(), Topic::reflection()])
            .await?
            .len(),
        0
    );
    Ok(())
}

/// Each is found among the rows between at once: looked through one after the other, they took half a minute.
#[relata::test]
async fn many_members_of_a_new_owner_are_saved_with_a_row_between_for_each(db: Db) -> Result<()> {
    let (_, some) = filled(&db).await?;
    let mut clubs = some.clone();
    for number in 0..2_000 {
        clubs.push(Club::build(&db, |c| c.set_name(format!("{number}"))));
    }
    // One is a member twice.
    clubs.push(some[0].clone());
    let bob = User::build(&db, |u| u.set_name("Bob"));
    bob.clubs().concat(&clubs).await?;
    bob.save().await?;
    assert_eq!(Membership::all(&db).count().await?, 2_004);
    let bob = User::find(&db, bob.id()).await?;
    assert_eq!(bob.clubs().await?.len(), 2_004);
    assert_eq!(bob.memberships_count(), 2_004);
    Ok(())
}
