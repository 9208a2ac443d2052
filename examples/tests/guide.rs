//! The guide, run: see `build.rs`.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    unused_imports,
    unused_variables,
    clippy::all,
    reason = "snippets are written for readers"
)]

use relata::jobs::TableQueue;
use relata::prelude::*;
use relata::{
    Fields, Options, Params, Permit, Raw, Record, Relation, Value, assert_queries, assert_sql,
    permit,
};

/// Ann with three posts, Bob with one, Cat with none; Cat commented on Ann's first post, twice.
async fn blog(db: &Db) -> Result<()> {
    let models = [
        Person::reflection(),
        Profile::reflection(),
        Post::reflection(),
        Comment::reflection(),
    ];
    db.create_tables(models).await?;
    let ann = Person::create(db, |p| p.set_name("Ann")).await?;
    let bob = Person::create(db, |p| p.set_name("Bob")).await?;
    let cat = Person::create(db, |p| p.set_name("Cat")).await?;
    for (stars, title) in [(5, "Hello"), (3, "Boats"), (1, "Bye")] {
        ann.posts()
            .create(|p| p.set_title(title).set_stars(stars))
            .await?;
    }
    bob.posts()
        .create(|p| p.set_title("Wood").set_stars(2))
        .await?;
    let hello = Post::find(db, 1).await?;
    for body in ["Nice", "Really"] {
        hello
            .comments()
            .create(|c| c.set_body(body).set_person(&cat))
            .await?;
    }
    ann.create_profile(|p| p.set_motto("Onwards")).await?;
    Ok(())
}

include!(concat!(env!("OUT_DIR"), "/guide.rs"));
