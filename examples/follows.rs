//! Who follows whom: `cargo run -q --example follows`.
//!
//! A follow belongs to two users, under two names, so a user has many follows twice: those it began, and those that
//! lead to it. Both ways are declared with the key that they go over; each is found as the other's inverse. Through
//! them a user has users: those it follows, its followers, and, through the first, those that they follow.

use relata::{Db, Relation, Result, callbacks, model};

/// A person with an account.
#[model]
pub struct User {
    id: i64,
    #[validates(presence)]
    #[column(unique)]
    name: String,
    #[column(default = 0)]
    followers_count: i64,
    /// The follows that this user began.
    #[has_many(foreign_key = follower_id, dependent = destroy)]
    follows: Follow,
    /// Those whom this user follows.
    #[has_many(through = follows, source = followed)]
    following: User,
    /// Those whom they follow: once for each way.
    #[has_many(through = following, source = following)]
    followed_by_following: User,
    /// The follows that lead to this user.
    #[has_many(foreign_key = followed_id, dependent = destroy)]
    fans: Follow,
    #[has_many(through = fans, source = follower)]
    followers: User,
    inviter_id: Option<i64>,
    /// A user too.
    #[belongs_to]
    inviter: Option<User>,
    /// Who invited the inviter.
    #[has_one(through = inviter, source = inviter)]
    inviters_inviter: Option<User>,
    #[has_many(foreign_key = inviter_id, dependent = nullify)]
    guests: User,
    #[has_many(through = guests, source = guests)]
    guests_of_guests: User,
}

/// That one user wants to know what another does.
#[model]
pub struct Follow {
    id: i64,
    follower_id: i64,
    #[validates(uniqueness(scope = follower_id))]
    followed_id: i64,
    #[belongs_to]
    follower: User,
    #[belongs_to(counter_cache = followers_count)]
    followed: User,
}

#[callbacks]
impl Follow {
    #[validate]
    fn nobody_follows_itself(&self) {
        if self.follower_id() == self.followed_id() {
            self.errors()
                .add("followed", "own", "can't be the follower");
        }
    }
}

/// Ann invited Bob and Cat, Cat invited Dan; everybody follows Ann, and Ann follows Cat.
async fn users(db: &Db) -> Result<[User; 4]> {
    db.create_tables([User::reflection(), Follow::reflection()])
        .await?;
    let ann = User::create(db, |u| u.set_name("Ann")).await?;
    let bob = ann.guests().create(|u| u.set_name("Bob")).await?;
    let cat = ann.guests().create(|u| u.set_name("Cat")).await?;
    let dan = cat.guests().create(|u| u.set_name("Dan")).await?;
    for fan in [&bob, &cat, &dan] {
        fan.following().push(&ann).await?;
    }
    ann.following().push(&cat).await?;
    Ok([ann, bob, cat, dan])
}

/// Those whom a user follows and who follow back, in one query: the path goes through the follows once more.
fn friends(user: &User) -> Relation<User> {
    user.following()
        .filter(|u| u.following.is(user))
        .order(|u| u.name)
}

/// Whom a user might follow: those whom its own follow, but itself and who is followed already.
fn suggestions(user: &User) -> Relation<User> {
    user.followed_by_following()
        .filter(|u| u.followers.none(|f| f.id.eq(user.id())))
        .excluding([user])
        .distinct()
        .order(|u| u.name)
}

/// Everybody from a user up to the one whom nobody invited.
async fn invited_by(user: &User) -> Result<Vec<String>> {
    let mut chain = Vec::new();
    let mut at = user.clone();
    while let Some(inviter) = at.inviter().await? {
        chain.push(inviter.name().to_owned());
        at = inviter;
    }
    Ok(chain)
}

fn names(users: &[User]) -> Vec<&str> {
    users.iter().map(User::name).collect()
}

async fn tour() -> Result<()> {
    let db = Db::connect("sqlite::memory:").await?;
    let [ann, bob, _, dan] = users(&db).await?;
    println!(
        "Dan follows {:?} and was invited by {:?}",
        names(&dan.following().await?),
        invited_by(&dan).await?
    );
    println!("Ann's followers are {:?}", names(&ann.followers().await?));
    println!(
        "her guests' guests  {:?}",
        names(&ann.guests_of_guests().await?)
    );

    for (what, relation) in [
        ("Ann's friends", friends(&ann)),
        ("whom Bob might follow", suggestions(&bob)),
    ] {
        println!("{what}, in one query:\n  {}", relation.to_sql());
        println!("  {:?}", relation.pluck(|u| u.name).await?);
    }

    println!("Bob follows Dan and nobody else: rows between come and go");
    let capture = db.capture();
    bob.following().replace([&dan]).await?;
    for text in capture.texts() {
        println!("  {text}");
    }

    let capture = db.capture();
    let all = User::all(&db).includes(|u| (u.following, u.followers));
    for user in all.await? {
        println!(
            "{} follows {:?}, is followed by {:?} ({})",
            user.name(),
            names(&user.following().await?),
            names(&user.followers().await?),
            user.followers_count()
        );
    }
    println!("{} queries", capture.count());
    Ok(())
}

fn main() -> Result<()> {
    relata::run(tour())
}

#[cfg(test)]
mod tests {
    use super::*;
    use relata::{Pending, assert_queries, assert_sql};

    #[relata::test]
    fn the_tour_runs() {
        relata::run(tour()).unwrap();
    }

    async fn count(db: &Db, user: &User) -> Result<i64> {
        Ok(User::find(db, user.id()).await?.followers_count())
    }

    #[relata::test]
    async fn both_ways_of_a_follow_are_inverses_and_one_object(db: Db) -> Result<()> {
        let [ann, bob, ..] = users(&db).await?;
        let bob = User::find(&db, bob.id()).await?;
        let found = bob.follows().first().await?.unwrap();
        assert!(found.follower().loaded().unwrap().is(&bob));
        assert!(
            !found.followed().is_loaded(),
            "it belongs to another association of User"
        );
        assert_eq!(found.followed().await?, ann);
        let again = User::find(&db, ann.id()).await?;
        let fans = again.fans().await?;
        assert_queries!(db, 0, {
            for fan in &fans {
                assert!(fan.followed().await?.is(&again));
            }
        });
        assert_eq!(fans.len(), 3);
        Ok(())
    }

    #[relata::test]
    async fn users_have_users_through_follows_both_ways(db: Db) -> Result<()> {
        let [ann, bob, cat, dan] = users(&db).await?;
        let ann = User::find(&db, ann.id()).await?;
        let followers = assert_sql!(
            db,
            [
                r#"SELECT "users".* FROM "users" INNER JOIN "follows" ON "users"."id" = "follows"."follower_id" WHERE "follows"."followed_id" = ?"#
            ],
            { ann.followers().await? }
        );
        assert_eq!(followers, [bob, cat.clone(), dan]);
        let following = assert_sql!(
            db,
            [
                r#"SELECT "users".* FROM "users" INNER JOIN "follows" ON "users"."id" = "follows"."followed_id" WHERE "follows"."follower_id" = ?"#
            ],
            { ann.following().await? }
        );
        assert_eq!(following, [cat]);
        Ok(())
    }

    /// Five users at once: two statements for each way, and whoever is on a way and among the follows is one object.
    #[relata::test]
    async fn everybody_s_users_are_preloaded_with_the_follows_between(db: Db) -> Result<()> {
        users(&db).await?;
        let all = assert_queries!(db, 5, {
            User::all(&db)
                .order(|u| u.id)
                .includes(|u| (u.following, u.followers))
                .await?
        });
        assert_queries!(db, 0, {
            let wanted = [
                (vec!["Cat"], vec!["Bob", "Cat", "Dan"]),
                (vec!["Ann"], vec![]),
                (vec!["Ann"], vec!["Ann"]),
                (vec!["Ann"], vec![]),
            ];
            for (user, (following, followers)) in all.iter().zip(wanted) {
                assert_eq!(names(&user.following().await?), following);
                let found = user.followers().await?;
                assert_eq!(names(&found), followers);
                for (fan, follower) in user.fans().await?.iter().zip(&found) {
                    assert!(fan.follower().await?.is(follower));
                    assert!(fan.followed().await?.is(user));
                }
            }
        });
        Ok(())
    }

    #[relata::test]
    async fn follows_and_invitations_are_walked_through_themselves(db: Db) -> Result<()> {
        let [ann, bob, cat, dan] = users(&db).await?;
        assert_eq!(invited_by(&dan).await?, ["Cat", "Ann"]);
        assert_eq!(dan.inviters_inviter().await?, Some(ann.clone()));
        assert_eq!(bob.inviters_inviter().await?, None);
        let ann = User::find(&db, ann.id()).await?;
        assert_eq!(
            ann.guests().order(|u| u.id).await?,
            [bob.clone(), cat.clone()]
        );
        assert_eq!(ann.guests_of_guests().await?, [dan.clone()]);
        // Dan follows Ann, and she follows Cat; Ann follows Cat, who follows her.
        assert_eq!(dan.followed_by_following().await?, [cat.clone()]);
        assert_eq!(ann.followed_by_following().await?, [ann.clone()]);
        // Preloaded, and once for each way.
        dan.following().push(&bob).await?;
        bob.following().push(&cat).await?;
        let found = User::all(&db)
            .filter(|u| u.id.eq(dan.id()))
            .includes(|u| u.followed_by_following)
            .await?;
        assert_queries!(db, 0, {
            let mut ways = found[0].followed_by_following().await?;
            ways.sort_by_key(User::id);
            assert_eq!(names(&ways), ["Ann", "Cat", "Cat"]);
            assert!(ways[1].is(&ways[2]), "one user, by two ways");
        });
        Ok(())
    }

    #[relata::test]
    async fn friends_and_suggestions_are_one_query_each(db: Db) -> Result<()> {
        let [ann, bob, cat, dan] = users(&db).await?;
        for (user, wanted) in [(&ann, vec!["Cat"]), (&bob, vec![]), (&cat, vec!["Ann"])] {
            let found = assert_queries!(db, 1, { friends(user).await? });
            assert_eq!(names(&found), wanted);
        }
        let found = assert_queries!(db, 1, { suggestions(&bob).await? });
        assert_eq!(found, [cat.clone()]);
        assert!(suggestions(&cat).await?.is_empty(), "Ann follows only Cat");
        dan.following().push(&cat).await?;
        bob.following().push(&dan).await?;
        assert_eq!(suggestions(&bob).await?, [cat], "by Ann and by Dan, once");
        Ok(())
    }

    #[relata::test]
    async fn following_is_written_through_and_counted(db: Db) -> Result<()> {
        let [ann, bob, cat, dan] = users(&db).await?;
        assert_eq!((count(&db, &ann).await?, count(&db, &cat).await?), (3, 1));
        let eve = bob.following().create(|u| u.set_name("Eve")).await?;
        assert_eq!(Follow::all(&db).count().await?, 5);
        assert_eq!(count(&db, &eve).await?, 1);

        let capture = db.capture();
        bob.following().delete([&ann]).await?;
        assert_eq!(
            capture.texts()[0],
            r#"DELETE FROM "follows" WHERE "follows"."follower_id" = ? AND "follows"."followed_id" = ?"#
        );
        assert!(ann.is_persisted(), "only the row between went");
        assert_eq!(count(&db, &ann).await?, 2);

        bob.following().replace([&dan, &ann]).await?;
        let rows = Follow::all(&db).filter(|f| f.follower.is(&bob));
        assert_eq!(rows.pluck(|f| f.followed.name).await?, ["Dan", "Ann"]);
        ann.followers().replace_ids([cat.id()]).await?;
        assert_eq!(ann.followers().ids().await?, [cat.id()]);
        assert_eq!(bob.following().reload().await?, [dan]);
        Ok(())
    }

    /// A new user follows and is followed: everything waits in memory, and one save writes it.
    #[relata::test]
    async fn a_new_user_is_saved_with_whom_it_follows(db: Db) -> Result<()> {
        let [ann, bob, ..] = users(&db).await?;
        let eve = User::build(&db, |u| u.set_name("Eve").set_inviter(&ann));
        assert_queries!(db, 0, {
            eve.following().concat([&ann, &bob]).await?;
            eve.followers().push(&bob).await?;
        });
        eve.save().await?;
        let eve = User::find(&db, eve.id()).await?;
        assert_eq!(eve.following().await?, [ann.clone(), bob.clone()]);
        assert_eq!(eve.followers().await?, [bob.clone()]);
        assert_eq!(friends(&eve).await?, [bob.clone()]);
        assert_eq!((count(&db, &ann).await?, count(&db, &bob).await?), (4, 1));
        eve.destroy().await?;
        assert_eq!((count(&db, &ann).await?, count(&db, &bob).await?), (3, 0));
        assert_eq!(Follow::all(&db).count().await?, 4);
        Ok(())
    }

    #[relata::test]
    async fn a_query_goes_through_both_names_of_the_same_model(db: Db) -> Result<()> {
        let [ann, ..] = users(&db).await?;
        let of_dan = User::all(&db).filter(|u| u.followers.name.eq("Dan"));
        assert_eq!(of_dan.await?, [ann]);
        let own_guests = Follow::all(&db).filter(|f| f.follower.inviter_id.eq(f.followed_id));
        let names = own_guests
            .order(|f| f.id.asc())
            .pluck(|f| (f.follower.name, f.followed.name));
        assert_eq!(
            names.await?,
            [("Bob".into(), "Ann".into()), ("Cat".into(), "Ann".into())]
        );
        Ok(())
    }

    #[relata::test]
    async fn a_follow_has_two_users_that_differ_and_comes_once(db: Db) -> Result<()> {
        let [ann, _, cat, dan] = users(&db).await?;
        let refused = async |follow: Pending<Follow>| follow.await.unwrap_err().to_string();
        assert_eq!(
            refused(ann.follows().create(|f| f)).await,
            "Validation failed: Followed must exist"
        );
        assert_eq!(
            refused(ann.follows().create(|f| f.set_followed(&cat))).await,
            "Validation failed: Followed has already been taken"
        );
        let error = dan.following().push(&dan).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "Validation failed: Followed can't be the follower"
        );
        assert_eq!(Follow::all(&db).count().await?, 4);
        let error = User::create(&db, |u| u.set_name("Ann")).await.unwrap_err();
        assert!(error.is_record_not_unique());
        Ok(())
    }
}
