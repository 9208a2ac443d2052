//! Who follows whom: `cargo run --example follows`.
//!
//! A follow belongs to two users, under two names, so a user has many follows twice: those it began, and those that
//! lead to it. Both ways are declared with the key that they go over; each is found as the other's inverse.

use std::collections::BTreeSet;

use relata::{Db, Result, model};

/// A person with an account.
#[model]
pub struct User {
    id: i64,
    #[validates(presence)]
    #[column(unique)]
    name: String,
    /// The follows that this user began.
    #[has_many(foreign_key = follower_id)]
    follows: Follow,
    /// The follows that lead to this user.
    #[has_many(foreign_key = followed_id)]
    fans: Follow,
    inviter_id: Option<i64>,
    /// A user too.
    #[belongs_to]
    inviter: Option<User>,
    #[has_many(foreign_key = inviter_id)]
    guests: User,
}

/// That one user wants to know what another does.
#[model]
pub struct Follow {
    id: i64,
    follower_id: i64,
    followed_id: i64,
    #[belongs_to]
    follower: User,
    #[belongs_to]
    followed: User,
}

async fn follow(follower: &User, followed: &User) -> Result<Follow> {
    follower
        .follows()
        .create(|f| f.set_followed(followed))
        .await
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
        follow(fan, &ann).await?;
    }
    follow(&ann, &cat).await?;
    Ok([ann, bob, cat, dan])
}

/// Whom a user follows.
async fn followed_by(user: &User) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for follow in user.follows().includes(|f| f.followed).await? {
        names.push(follow.followed().await?.name().to_owned());
    }
    Ok(names)
}

/// Those whom a user follows and who follow back.
async fn friends(user: &User) -> Result<BTreeSet<String>> {
    let mut fans = BTreeSet::new();
    for fan in user.fans().await? {
        fans.insert(fan.follower_id());
    }
    let mut names = BTreeSet::new();
    for follow in user.follows().await? {
        if fans.contains(&follow.followed_id()) {
            names.insert(follow.followed().await?.name().to_owned());
        }
    }
    Ok(names)
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

async fn tour() -> Result<()> {
    let db = Db::connect("sqlite::memory:").await?;
    let [ann, _, _, dan] = users(&db).await?;
    println!(
        "Dan follows {:?} and was invited by {:?}",
        followed_by(&dan).await?,
        invited_by(&dan).await?
    );
    println!("Ann's friends are {:?}", friends(&ann).await?);

    let popular = User::all(&db)
        .filter(|u| u.fans.follower.name.eq("Dan"))
        .order(|u| u.name.asc());
    println!("whom Dan follows, in one query:\n  {}", popular.to_sql());
    println!("  {:?}", popular.pluck(|u| u.name).await?);

    let capture = db.capture();
    for user in User::all(&db).await? {
        println!("{:<4} has {} fans", user.name(), user.fans().await?.len());
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

    #[test]
    fn the_tour_runs() {
        relata::run(tour()).unwrap();
    }

    #[relata::test]
    async fn both_ways_of_a_follow_are_inverses_and_one_object(db: Db) -> Result<()> {
        let [ann, bob, ..] = users(&db).await?;
        let found = bob.follows().first().await?.unwrap();
        assert!(found.follower().loaded().unwrap().is(&bob));
        assert!(
            !found.followed().is_loaded(),
            "it belongs to another association of User"
        );
        assert_eq!(found.followed().await?, ann);
        let again = User::find(&db, ann.id()).await?;
        let fans = again.fans().await?;
        relata::assert_queries!(db, 0, {
            for fan in &fans {
                assert!(fan.followed().await?.is(&again));
            }
        });
        assert_eq!(fans.len(), 3);
        Ok(())
    }

    #[relata::test]
    async fn follows_and_invitations_are_walked_both_ways(db: Db) -> Result<()> {
        let [ann, bob, cat, dan] = users(&db).await?;
        assert_eq!(followed_by(&ann).await?, ["Cat"]);
        assert_eq!(followed_by(&dan).await?, ["Ann"]);
        assert_eq!(invited_by(&dan).await?, ["Cat", "Ann"]);
        assert_eq!(friends(&ann).await?, BTreeSet::from([String::from("Cat")]));
        assert_eq!(friends(&bob).await?, BTreeSet::new());
        let guests = User::find(&db, ann.id())
            .await?
            .guests()
            .order(|u| u.id.asc())
            .await?;
        assert_eq!(guests, [bob, cat]);
        Ok(())
    }

    #[relata::test]
    async fn a_query_goes_through_both_names_of_the_same_model(db: Db) -> Result<()> {
        let [ann, ..] = users(&db).await?;
        let of_dan = User::all(&db).filter(|u| u.fans.follower.name.eq("Dan"));
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
    async fn a_follow_needs_both_of_its_users(db: Db) -> Result<()> {
        let [ann, ..] = users(&db).await?;
        let error = ann.follows().create(|f| f).await.unwrap_err();
        assert_eq!(error.to_string(), "Validation failed: Followed must exist");
        let error = User::create(&db, |u| u.set_name("Ann")).await.unwrap_err();
        assert!(error.is_record_not_unique());
        Ok(())
    }
}
