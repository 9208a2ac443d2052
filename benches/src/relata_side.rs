//! relata, by its public API as the guide shows it.
//!
//! Invariant: nothing here that a user would not write.

use relata::{Db, Raw, model};

use crate::contender::{Contender, Failure, Workload};
use crate::seed;
use crate::sum::Sum;

#[model]
struct User {
    id: i64,
    name: String,
    hair_color: Option<String>,
    #[has_many]
    posts: Post,
}

#[model]
struct Person {
    id: i64,
    name: String,
    hair_color: Option<String>,
}

#[model]
struct Post {
    id: i64,
    title: String,
    user_id: i64,
    #[belongs_to]
    user: User,
    #[has_many]
    comments: Comment,
}

#[model]
struct Comment {
    id: i64,
    body: String,
    post_id: i64,
    #[belongs_to]
    post: Post,
}

struct Relata {
    runtime: tokio::runtime::Runtime,
    db: Db,
}

/// Opens and fills the database.
pub fn open(path: &str, script: &[String]) -> Result<Box<dyn Contender>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let script = script.to_vec();
    let db = runtime.block_on(async {
        let db = Db::connect(&format!("sqlite:{path}")).await?;
        db.transaction(async || {
            for statement in script {
                if statement != "BEGIN" && statement != "COMMIT" {
                    db.execute_sql(Raw::trusted(statement)).await?;
                }
            }
            Ok(())
        })
        .await?;
        Ok::<_, relata::Error>(db)
    })?;
    Ok(Box::new(Relata { runtime, db }))
}

impl Contender for Relata {
    fn run(&mut self, workload: Workload, sum: &mut Sum) -> Result<(), Failure> {
        let db = &self.db;
        self.runtime.block_on(async {
            match workload {
                Workload::Users => users(db, sum).await,
                Workload::Inserts => inserts(db, sum).await,
                Workload::Nested => nested(db, sum).await,
                Workload::Authors => authors(db, sum).await,
                Workload::Find => find(db, sum).await,
                Workload::Lazy => lazy(db, sum).await,
                Workload::Posts => posts(db, sum).await,
            }
        })?;
        Ok(())
    }

    fn clear(&mut self) -> Result<(), Failure> {
        let deleted = self.db.execute_sql(Raw::new("DELETE FROM people"));
        self.runtime.block_on(deleted)?;
        Ok(())
    }
}

async fn users(db: &Db, sum: &mut Sum) -> relata::Result<()> {
    for user in User::all(db).order(|u| u.id.asc()).await? {
        sum.user(user.id(), user.name(), user.hair_color());
    }
    Ok(())
}

async fn inserts(db: &Db, sum: &mut Sum) -> relata::Result<()> {
    db.transaction(async || {
        for number in 1..=seed::INSERTS {
            let name = seed::name(number);
            let hair = seed::hair_color(number);
            let person = Person::create(db, |p| p.set_name(&name).set_hair_color(hair)).await?;
            sum.inserted(person.id(), person.name());
        }
        Ok(())
    })
    .await
}

async fn nested(db: &Db, sum: &mut Sum) -> relata::Result<()> {
    let users = User::all(db)
        .order(|u| u.id.asc())
        .limit(seed::NESTED as u64)
        .includes(|u| u.posts.comments)
        .await?;
    for user in &users {
        sum.user(user.id(), user.name(), user.hair_color());
        for post in user.posts().await? {
            sum.post(user.id(), post.id(), post.title());
            for comment in post.comments().await? {
                sum.comment(post.id(), comment.id(), comment.body());
            }
        }
    }
    Ok(())
}

async fn authors(db: &Db, sum: &mut Sum) -> relata::Result<()> {
    let posts = Post::all(db)
        .order(|p| p.id.asc())
        .includes(|p| p.user)
        .await?;
    for post in &posts {
        let user = post.user().await?;
        sum.user(user.id(), user.name(), user.hair_color());
        sum.post(user.id(), post.id(), post.title());
    }
    Ok(())
}

async fn find(db: &Db, sum: &mut Sum) -> relata::Result<()> {
    for id in 1..=seed::USERS {
        let user = User::find(db, id).await?;
        sum.user(user.id(), user.name(), user.hair_color());
    }
    Ok(())
}

async fn posts(db: &Db, sum: &mut Sum) -> relata::Result<()> {
    let posts = Post::all(db)
        .order(|p| p.id.asc())
        .limit(seed::LAZY as u64)
        .await?;
    for post in &posts {
        sum.post(post.user_id(), post.id(), post.title());
    }
    Ok(())
}

async fn lazy(db: &Db, sum: &mut Sum) -> relata::Result<()> {
    let posts = Post::all(db)
        .order(|p| p.id.asc())
        .limit(seed::LAZY as u64)
        .await?;
    for post in &posts {
        let user = post.user().await?;
        sum.user(user.id(), user.name(), user.hair_color());
        sum.post(user.id(), post.id(), post.title());
    }
    Ok(())
}
