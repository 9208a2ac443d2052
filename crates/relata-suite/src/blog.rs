//! A small blog: the scenario of most tests.
//!
//! Invariant: the same people, posts and comments for every test and every backend.

use relata::{Db, Result, model};

use crate::Backend;

/// Who writes.
#[model]
pub struct Person {
    id: i64,
    #[validates(presence)]
    name: String,
    age: Option<i64>,
    #[has_many(inverse_of = author)]
    posts: Post,
    #[has_one]
    profile: Option<Profile>,
    #[has_many]
    comments: Comment,
}

/// At most one a person.
#[model]
pub struct Profile {
    id: i64,
    motto: String,
    person_id: Option<i64>,
    #[belongs_to]
    person: Option<Person>,
}

/// What is written.
#[model]
pub struct Post {
    id: i64,
    title: String,
    subtitle: Option<String>,
    stars: i64,
    author_id: i64,
    #[belongs_to]
    author: Person,
    #[has_many]
    comments: Comment,
}

/// What others say of it.
#[model]
pub struct Comment {
    id: i64,
    body: String,
    post_id: i64,
    person_id: Option<i64>,
    #[belongs_to]
    post: Post,
    #[belongs_to]
    person: Option<Person>,
}

/// Makes the tables.
pub async fn create_tables(db: &Db) -> Result<()> {
    db.create_tables([
        Person::reflection(),
        Profile::reflection(),
        Post::reflection(),
        Comment::reflection(),
    ])
    .await
}

/// The tables, without rows.
pub async fn empty(backend: &Backend) -> Result<Db> {
    let db = backend.open().await?;
    create_tables(&db).await?;
    Ok(db)
}

/// Ann (40) with three posts, Bob (no age) with one, Cat (7) with none; each post has two comments, by Cat and by nobody.
pub async fn blog(backend: &Backend) -> Result<Db> {
    let db = empty(backend).await?;
    db.transaction(async || {
        let ann = Person::create(&db, |p| p.set_name("Ann").set_age(Some(40))).await?;
        let bob = Person::create(&db, |p| p.set_name("Bob")).await?;
        let cat = Person::create(&db, |p| p.set_name("Cat").set_age(Some(7))).await?;
        for (title, stars, author) in [
            ("One", 1, &ann),
            ("Two", 2, &ann),
            ("Three", 3, &ann),
            ("Four", 4, &bob),
        ] {
            let post = Post::create(&db, |p| {
                p.set_title(title).set_stars(stars).set_author(author)
            })
            .await?;
            post.comments()
                .create(|c| c.set_body("nice").set_person(&cat))
                .await?;
            post.comments().create(|c| c.set_body("meh")).await?;
        }
        Profile::create(&db, |p| p.set_motto("onwards").set_person(&ann)).await?;
        Ok(())
    })
    .await?;
    Ok(db)
}

/// What a model of another crate may take: who is called what, and when it was noted.
#[model(abstract_class)]
pub struct Noted {
    /// Its key.
    id: i64,
    #[validates(presence)]
    name: String,
    person_id: Option<i64>,
    #[belongs_to]
    person: Option<Person>,
}

#[relata::callbacks(abstract_class)]
impl Noted {
    #[before_validation]
    fn tidy(&self) {
        let tidied = self.name().trim().to_owned();
        self.set_name(tidied);
    }
}

#[relata::scopes(abstract_class)]
impl Noted {
    /// Those that are somebody's.
    #[scope]
    pub fn of_somebody(all: relata::Relation<Self>) -> relata::Relation<Self> {
        all.filter(|one| one.person_id.is_not_null())
    }
}
