//! A community whose members are matched with one another: `cargo run -q --example curated`.
//!
//! Everybody is a `User`, and is reached over many ways: as a member of a community, in a program through a program user
//! who has a role there, as host or guest of an event (two ways to one model, each with its `source`), from either side
//! of a match and of a request to be introduced. What another program may do in a user's name is an `oauth::AccessGrant`:
//! a model of another module over a table with another name, whose rows go with one DELETE.

mod models;
mod oauth;
#[cfg(test)]
mod tests;

use models::{Community, Event, Match, User, models};
use relata::{Db, Record, Result};

/// Who is in a small world, and what is in it.
struct World {
    ann: User,
    bob: User,
    cat: User,
    dan: User,
    rust: Community,
    meetup: Event,
}

/// Ann, Bob and Cat are among those who write Rust, Dan and Ann among those who have gardens. Ann mentors Bob and Cat in
/// a program; she hosts the meetup, where they are guests, and is a guest of Dan's harvest. Bob was matched with Cat and
/// Dan with Bob, and Bob asked to be introduced to Cat. Two programs may act for Ann, one for Bob.
async fn world(db: &Db) -> Result<World> {
    db.create_tables(models()).await?;
    let user = async |name: &str| {
        let email = format!("{}@example.org", name.to_lowercase());
        User::create(db, |u| u.set_name(name).set_email(email)).await
    };
    let (ann, bob) = (user("Ann").await?, user("Bob").await?);
    let (cat, dan) = (user("Cat").await?, user("Dan").await?);

    let rust = Community::create(db, |c| c.set_name("Rust")).await?;
    rust.users().concat([&ann, &bob, &cat]).await?;
    let gardens = Community::create(db, |c| c.set_name("Gardens")).await?;
    gardens.users().concat([&dan, &ann]).await?;

    let program = rust
        .programs()
        .create(|p| p.set_name("First steps"))
        .await?;
    program.mentors().push(&ann).await?;
    for learner in [&bob, &cat] {
        program
            .program_users()
            .create(|p| p.set_user(learner).set_mentor(&ann))
            .await?;
    }

    let meetup = rust.events().create(|e| e.set_title("Meetup")).await?;
    meetup.hosts().push(&ann).await?;
    meetup.guests().concat([&bob, &cat]).await?;
    let harvest = dan
        .hosted_events()
        .create(|e| e.set_title("Harvest").set_community(&gardens))
        .await?;
    ann.attended_events().push(&harvest).await?;

    let found = bob
        .matches()
        .create(|m| m.set_matched_user(&cat).set_score(90))
        .await?;
    bob.inverse_matches()
        .create(|m| m.set_user(&dan).set_score(70))
        .await?;
    bob.sent_intro_requests()
        .create(|r| {
            r.set_recipient(&cat)
                .set_match(&found)
                .set_message("You both like lifetimes")
        })
        .await?;

    for (user, token) in [(&ann, "a1"), (&ann, "a2"), (&bob, "b1")] {
        user.access_grants().create(|g| g.set_token(token)).await?;
    }
    Ok(World {
        ann,
        bob,
        cat,
        dan,
        rust,
        meetup,
    })
}

/// Those whom a user was matched with, whichever of the two the match was made for: best first.
async fn partners(user: &User) -> Result<Vec<(String, i64)>> {
    let either = Match::all(user.db())
        .filter(|m| m.user.is(user).or(m.matched_user.is(user)))
        .order(|m| m.score.desc())
        .includes(|m| (m.user, m.matched_user));
    let mut partners = Vec::new();
    for found in either.await? {
        let (one, other) = (found.user().await?, found.matched_user().await?);
        let partner = if one == *user { other } else { one };
        partners.push((partner.name().to_owned(), found.score()));
    }
    Ok(partners)
}

/// What some declarations came to: where each leads, what leads back, and the SQL that reads it.
fn explain(record: &Record, names: &[&str]) -> Result<()> {
    for name in names {
        let association = record.association(name)?;
        let leads = association.reflection();
        println!(
            "{} :{name} -> {}",
            leads.macro_kind().name(),
            leads.target_name()
        );
        println!("  {}", association.to_sql());
    }
    Ok(())
}

fn names(users: &[User]) -> String {
    let names: Vec<&str> = users.iter().map(User::name).collect();
    names.join(", ")
}

async fn tour() -> Result<()> {
    let db = Db::connect("sqlite::memory:").await?;
    let World {
        ann,
        bob,
        cat,
        dan,
        rust,
        meetup,
    } = world(&db).await?;

    println!("== Two ways to events, two sides of a match, a model of another module");
    let leads = [
        "hosted_events",
        "attended_events",
        "matched_users",
        "inverse_matched_users",
        "access_grants",
        "events",
    ];
    explain(&ann, &leads)?;

    println!("\n== A page of communities: one query for each association");
    let capture = db.capture();
    let communities = Community::all(&db)
        .order(|c| c.id)
        .includes(|c| (c.users, c.programs.mentors, c.events.hosts, c.events.guests))
        .await?;
    for community in &communities {
        println!(
            "{} ({}): {}",
            community.name(),
            community.community_members_count(),
            names(&community.users().await?)
        );
        for program in community.programs().await? {
            println!(
                "  {}, mentors: {}",
                program.name(),
                names(&program.mentors().await?)
            );
        }
        for event in community.events().await? {
            println!(
                "  {}: {} invites {}",
                event.title(),
                names(&event.hosts().await?),
                names(&event.guests().await?)
            );
        }
    }
    println!("{} queries", capture.count());

    println!("\n== Ann's ways");
    let titles = |events: Vec<Event>| -> Vec<String> {
        events
            .iter()
            .map(|event| event.title().to_owned())
            .collect()
    };
    println!("hosts    {:?}", titles(ann.hosted_events().await?));
    println!("attends  {:?}", titles(ann.attended_events().await?));
    println!("could go {:?}", titles(ann.events().await?));
    println!("mentors  {}", names(&ann.mentees().await?));

    println!("\n== Dan comes too: a row between");
    let capture = db.capture();
    meetup.guests().push(&dan).await?;
    for text in capture.texts() {
        println!("  {text}");
    }
    println!("{}", names(&meetup.guests().await?));

    println!("\n== Matches from either side");
    for user in [&bob, &cat] {
        println!("{}: {:?}", user.name(), partners(user).await?);
    }
    for request in cat.received_intro_requests().await? {
        let why = request.r#match().await?.map(|found| found.score());
        println!(
            "{} asks {}: {:?}, for a match of {why:?}",
            request.requester().await?.name(),
            request.recipient().await?.name(),
            request.message()
        );
    }

    println!("\n== Ann leaves: her grants go with one DELETE, the rest one by one");
    let capture = db.capture();
    ann.destroy().await?;
    for text in capture
        .texts()
        .iter()
        .filter(|text| !text.starts_with("SELECT"))
    {
        println!("  {text}");
    }
    rust.reload().await?;
    println!(
        "members of {}: {}",
        rust.name(),
        rust.community_members_count()
    );
    Ok(())
}

fn main() -> Result<()> {
    relata::run(tour())
}
