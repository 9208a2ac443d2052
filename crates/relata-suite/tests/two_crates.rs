//! Models of one crate that lead to models of another, and back.
//!
//! The other crate cannot name what is declared here. So that both sides lead to each other, one of its tables has a
//! second model in this crate, as somebody would write who takes a model from a library and adds to it.

use relata::{Db, Result, assert_queries, model};
use relata_suite::Backend;
use relata_suite::blog::{self, Comment, Person, Post};

/// A person as this crate knows one.
#[model(table = "people")]
pub struct Reader {
    id: i64,
    name: String,
    #[has_many(foreign_key = person_id)]
    comments: Comment,
    #[has_many]
    likes: Like,
    #[has_many(through = likes, source = post)]
    liked_posts: Post,
}

/// That a reader likes a post of the other crate.
#[model]
pub struct Like {
    id: i64,
    post_id: i64,
    reader_id: i64,
    #[belongs_to]
    post: Post,
    #[belongs_to(inverse_of = likes)]
    reader: Reader,
}

#[relata::test]
fn models_of_two_crates_lead_to_each_other() -> Result<()> {
    relata::run(async {
        let backend = Backend::new(|| Db::connect("sqlite::memory:"));
        let db = blog::blog(&backend).await?;
        db.create_tables([Like::reflection()]).await?;
        let cat = Reader::all(&db).find_by(|r| r.name.eq("Cat")).await?;
        let cat = cat.expect("the blog has a Cat");
        let post = Post::find(&db, 4).await?;
        let like = Like::create(&db, |l| l.set_post(&post).set_reader(&cat)).await?;

        assert_queries!(db, 0, {
            assert!(like.post().await?.is(&post));
            assert!(like.reader().await?.is(&cat));
        });
        // Of the paths two lead through the other crate, one comes back.
        let titles = Like::all(&db)
            .filter(|l| l.post.author.name.eq("Bob"))
            .filter(|l| l.reader.comments.body.eq("nice"))
            .pluck(|l| l.post.title)
            .await?;
        assert_eq!(titles, ["Four", "Four", "Four", "Four"]);
        let readers = Reader::all(&db)
            .filter(|r| r.name.eq("Cat"))
            .includes(|r| (r.comments.post, r.liked_posts.author));
        let readers = assert_queries!(db, 6, { readers.await? });
        assert_queries!(db, 0, {
            let comments = readers[0].comments().await?;
            assert_eq!(comments.len(), 4);
            let liked = readers[0].liked_posts().await?;
            assert_eq!(liked.len(), 1);
            let author: Person = liked[0].author().await?;
            assert_eq!(author.name(), "Bob");
        });
        Ok(())
    })
}

/// What the other crate declares, and more.
#[model(abstract_class, abstract_base = blog::Noted)]
pub struct Weighed {
    weight: i64,
}

mod namesake {
    /// Another one of that name.
    #[relata::model(abstract_class)]
    pub struct Weighed {
        weight: i64,
    }

    /// Takes it.
    #[relata::model(abstract_base = Weighed)]
    pub struct Stone {
        id: i64,
    }
}

/// Takes what both crates declare.
#[model(abstract_base = Weighed)]
pub struct Parcel {
    to: Option<String>,
}

/// Takes what the other crate declares, under a path.
#[model(abstract_base = blog::Noted)]
pub struct Hint {
    text: Option<String>,
}

#[relata::callbacks(abstract_base = blog::Noted)]
impl Hint {}

#[relata::scopes(abstract_base = relata_suite::blog::Noted)]
impl Hint {}

#[relata::test]
fn a_model_takes_an_abstract_class_of_another_crate() -> Result<()> {
    async fn count<M: blog::Noted>(db: &Db) -> Result<u64> {
        M::all(db).count().await
    }
    relata::run(async {
        let backend = Backend::new(|| Db::connect("sqlite::memory:"));
        let db = blog::blog(&backend).await?;
        let models = [Hint::reflection(), Parcel::reflection()];
        db.create_tables(models).await?;
        assert_eq!(namesake::Stone::reflection().columns().len(), 2);
        let parcel = Parcel::build(&db, |p| p.set_name("").set_weight(2));
        assert!(!parcel.is_valid().await?);
        let ann = Person::all(&db)
            .first()
            .await?
            .expect("the blog has people");
        let hint = Hint::create(&db, |h| h.set_name(" a ").set_person(&ann)).await?;
        assert_eq!(hint.name(), "a");
        let error = Hint::create(&db, |h| h.set_name(" ")).await.unwrap_err();
        assert_eq!(error.to_string(), "Validation failed: Name can't be blank");
        assert_eq!(
            Hint::all(&db).of_somebody().count().await?,
            count::<Hint>(&db).await?
        );
        assert!(hint.person().await?.is_some_and(|person| person.is(&ann)));
        Ok(())
    })
}
