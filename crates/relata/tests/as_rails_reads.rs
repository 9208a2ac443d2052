//! Where relata did other than Rails in what loads, counts and destroys beside a record, found by scenarios of our own: each
//! test is named after what was wrong.

#![allow(unreachable_pub, missing_docs)]

use relata::callback::Abort;
use relata::{Db, ErrorKind, Model, Polymorphic, Record, Result, assert_queries, callbacks, model};

#[model]
pub struct Author {
    id: i64,
    name: String,
    #[column(default = 0)]
    posts_count: i64,
    #[has_many(inverse_of = none)]
    posts: Post,
    #[has_many]
    photos: Photo,
    #[has_one(dependent = destroy)]
    seal: Option<Seal>,
}

#[model(default_scope = |all| all.filter(|p| p.hidden.eq(false)))]
pub struct Post {
    id: i64,
    title: String,
    #[column(default = false)]
    hidden: bool,
    author_id: Option<i64>,
    #[belongs_to(counter_cache)]
    author: Option<Author>,
    #[has_many(as = subject)]
    notes: Note,
}

#[model]
pub struct Photo {
    id: i64,
    title: String,
    author_id: Option<i64>,
    #[belongs_to]
    author: Option<Author>,
    #[has_many(as = subject)]
    notes: Note,
}

#[model]
pub struct Note {
    id: i64,
    subject_id: i64,
    subject_type: String,
    #[belongs_to(polymorphic)]
    subject: Subject,
}

#[derive(Debug, Polymorphic)]
pub enum Subject {
    Post(Post),
    Photo(Photo),
}

/// What its author cannot be rid of.
#[model]
pub struct Seal {
    id: i64,
    author_id: Option<i64>,
    #[belongs_to]
    author: Option<Author>,
}

#[callbacks]
impl Seal {
    #[before_destroy]
    fn stays(&self) -> Result<(), Abort> {
        Err(Abort)
    }
}

async fn opened() -> Result<(Db, Author)> {
    let db = Db::connect("sqlite::memory:").await?;
    db.create_tables([
        Author::reflection(),
        Post::reflection(),
        Photo::reflection(),
        Note::reflection(),
        Seal::reflection(),
    ])
    .await?;
    let ann = Author::create(&db, |a| a.set_name("ann")).await?;
    Ok((db, ann))
}

#[relata::test]
fn siblings_of_a_member_that_was_saved_first_came_before_it() {
    relata::run(async {
        let (db, _) = opened().await?;
        let new = Author::build(&db, |a| a.set_name("new"));
        let titles = ["one", "two", "three"];
        let all: Vec<Photo> = titles
            .iter()
            .map(|title| new.photos().build(|p| p.set_title(*title)))
            .collect();
        all[1].save().await?;
        let saved = Photo::all(&db).order(|p| p.id).pluck(|p| p.title).await?;
        assert_eq!(saved, ["one", "two", "three"]);
        assert!(all.iter().all(|one| one.author_id() == Some(new.id())));
        Ok(())
    })
    .unwrap();
}

#[relata::test]
fn a_has_one_that_refused_was_told_of_in_place_of_its_owner() {
    relata::run(async {
        let (db, ann) = opened().await?;
        ann.seal().create(|s| s).await?;
        let error = ann.destroy().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RecordNotDestroyed);
        assert!(error.erased_record().is_some_and(|one| one.is(&ann)));
        assert!(!ann.is_destroyed());
        assert_eq!(Seal::all(&db).count().await?, 1);
        Ok(())
    })
    .unwrap();
}

#[relata::test]
fn an_owner_to_which_no_member_leads_back_did_not_count_in_memory() {
    relata::run(async {
        let (db, ann) = opened().await?;
        ann.posts().create(|p| p.set_title("a")).await?;
        ann.posts()
            .push(&Post::build(&db, |p| p.set_title("b")))
            .await?;
        assert_eq!(ann.posts_count(), 2);
        assert!(!ann.is_changed());
        assert_eq!(Author::find(&db, ann.id()).await?.posts_count(), 2);
        let _: Result<()> = db
            .transaction(async || {
                ann.posts().create(|p| p.set_title("c")).await?;
                Err(relata::Error::new(ErrorKind::Other, "no"))
            })
            .await;
        assert_eq!(ann.posts_count(), 2);
        Ok(())
    })
    .unwrap();
}

#[relata::test]
fn a_block_for_all_rows_did_not_mean_those_of_associations() {
    relata::run(async {
        let (db, ann) = opened().await?;
        ann.posts()
            .create(|p| p.set_title("a").set_hidden(true))
            .await?;
        assert!(ann.posts().reload().await?.is_empty());
        let unscoped = Post::unscoped(&db);
        let all = unscoped.scoping(async || {
            let loaded = Author::all(&db)
                .preload(|a| a.posts)
                .first_or_fail()
                .await?;
            assert_eq!(loaded.posts().await?.len(), 1);
            ann.posts().reload().await
        });
        assert_eq!(all.await?.len(), 1);
        assert!(ann.posts().reload().await?.is_empty());
        Ok(())
    })
    .unwrap();
}

#[relata::test]
fn parents_of_owners_of_several_models_were_asked_for_once_a_model() {
    relata::run(async {
        let (db, ann) = opened().await?;
        let bob = Author::create(&db, |a| a.set_name("bob")).await?;
        let post = ann.posts().create(|p| p.set_title("p")).await?;
        let photo = bob.photos().create(|p| p.set_title("p")).await?;
        post.notes().create(|n| n).await?;
        photo.notes().create(|n| n).await?;
        let notes = assert_queries!(db, 4, {
            let all = Note::all(&db).erased().order_by("id")?;
            all.preload_named(["subject.author"])?.load().await?
        });
        let mut names = Vec::new();
        for note in &notes {
            let subject = relata::Association::of(note, "subject")?.load_one().await?;
            let subject: Record = subject.expect("it was made");
            let author = relata::Association::of(&subject, "author")?
                .load_one()
                .await?;
            names.push(author.expect("it was made").get("name")?.into_owned());
        }
        assert_eq!(names, ["ann".into(), "bob".into()]);
        Ok(())
    })
    .unwrap();
}

#[relata::test]
fn what_is_loaded_with_readonly_records_was_readonly() {
    relata::run(async {
        let (db, ann) = opened().await?;
        ann.posts().create(|p| p.set_title("a")).await?;
        let one = Author::all(&db)
            .readonly()
            .eager_load(|a| a.posts)
            .first_or_fail()
            .await?;
        assert!(one.is_readonly());
        let posts = one.posts().await?;
        assert!(!posts[0].is_readonly());
        posts[0].set_title("b").save().await?;
        Ok(())
    })
    .unwrap();
}

#[relata::test]
fn that_a_new_owner_had_none_was_forgotten_when_it_was_saved() {
    relata::run(async {
        let (db, _) = opened().await?;
        let new = Author::build(&db, |a| a.set_name("new"));
        assert!(new.seal().await?.is_none());
        new.save().await?;
        assert_queries!(db, 0, {
            assert!(new.seal().await?.is_none());
        });
        new.seal().create(|s| s).await?;
        assert!(new.seal().await?.is_some());
        Ok(())
    })
    .unwrap();
}
