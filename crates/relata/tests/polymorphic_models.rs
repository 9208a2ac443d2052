//! Polymorphic associations of declared models: an enum of models, any registered model, delegated types.

use relata::{
    Db, ErrorKind, FromRecord, Polymorphic, Record, Relation, Result, assert_queries, assert_sql,
    model,
};

/// What is commented on.
#[derive(Debug, Polymorphic)]
pub enum Subject {
    /// A post.
    Post(Post),
    /// A photo.
    Photo(Photo),
}

#[model]
pub struct Post {
    id: i64,
    title: String,
    #[has_many(as = subject, dependent = destroy)]
    comments: Comment,
    #[has_one(as = subject, foreign_key = on_id, foreign_type = kind)]
    mark: Option<Mark>,
}

#[model]
pub struct Photo {
    id: i64,
    url: String,
    #[has_many(as = subject)]
    comments: Comment,
}

#[model]
pub struct Comment {
    id: i64,
    body: String,
    subject_id: i64,
    subject_type: String,
    #[belongs_to(polymorphic)]
    subject: Subject,
}

/// A mark on any model that was registered, or on none.
#[model]
pub struct Mark {
    id: i64,
    on_id: Option<i64>,
    kind: Option<String>,
    #[belongs_to(polymorphic, foreign_key = on_id, foreign_type = kind)]
    subject: Option<Record>,
}

/// Whoever remarks on posts and photos.
#[model]
pub struct Critic {
    id: i64,
    #[has_many]
    remarks: Remark,
    #[has_many(through = remarks, source = subject, source_type = Post)]
    posts: Post,
    #[has_many(through = remarks, source = subject, source_type = Photo)]
    photos: Photo,
    #[has_one(foreign_key = critic_id)]
    remark: Option<Remark>,
    #[has_one(through = remark, source = subject, source_type = Post)]
    post: Option<Post>,
}

/// A remark on one of them.
#[model]
pub struct Remark {
    id: i64,
    critic_id: i64,
    subject_id: i64,
    subject_type: String,
    #[belongs_to]
    critic: Critic,
    #[belongs_to(polymorphic)]
    subject: Subject,
}

async fn filled(db: &Db) -> Result<(Post, Photo)> {
    relata::register([Post::reflection(), Photo::reflection()]);
    db.create_tables([
        Post::reflection(),
        Photo::reflection(),
        Comment::reflection(),
        Mark::reflection(),
    ])
    .await?;
    let post = Post::create(db, |p| p.set_title("post")).await?;
    let photo = Photo::create(db, |p| p.set_url("photo")).await?;
    Comment::create(db, |c| c.set_body("1").set_subject(&post)).await?;
    Comment::create(db, |c| c.set_body("2").set_subject(&photo)).await?;
    let both = Subject::from(photo.clone());
    Comment::create(db, |c| c.set_body("3").set_subject(&both)).await?;
    Ok((post, photo))
}

fn told(subject: &Subject) -> String {
    match subject {
        Subject::Post(post) => post.title().to_owned(),
        Subject::Photo(photo) => photo.url().to_owned(),
    }
}

#[relata::test]
async fn the_reader_gives_the_enum_and_siblings_come_with_it(db: Db) -> Result<()> {
    let (post, _) = filled(&db).await?;
    let comments = Comment::all(&db).order(|c| c.id).await?;
    let mut all = Vec::new();
    assert_queries!(db, 2, {
        for comment in &comments {
            all.push(told(&comment.subject().await?));
        }
    });
    assert_eq!(all, ["post", "photo", "photo"]);
    let first = comments[0].subject().loaded().expect("it was read");
    assert!(matches!(first, Subject::Post(one) if one == post));
    Ok(())
}

#[relata::test]
async fn what_is_included_is_asked_for_by_model(db: Db) -> Result<()> {
    filled(&db).await?;
    assert_sql!(
        db,
        [
            "SELECT \"comments\".* FROM \"comments\" ORDER BY \"comments\".\"id\" ASC",
            "SELECT \"posts\".* FROM \"posts\" WHERE \"posts\".\"id\" = ?",
            "SELECT \"photos\".* FROM \"photos\" WHERE \"photos\".\"id\" = ?"
        ],
        {
            for comment in Comment::all(&db)
                .order(|c| c.id)
                .includes(|c| c.subject)
                .await?
            {
                assert!(comment.subject().is_loaded());
            }
        }
    );
    let error = Comment::all(&db)
        .eager_load(|c| c.subject)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EagerLoadPolymorphic);
    Ok(())
}

#[relata::test]
async fn conditions_compare_type_and_key(db: Db) -> Result<()> {
    let (post, photo) = filled(&db).await?;
    let bodies = async |all: Relation<Comment>| -> Result<Vec<String>> {
        let all = all.order(|c| c.id).await?;
        Ok(all
            .iter()
            .map(|comment| comment.body().to_owned())
            .collect())
    };
    let all = || Comment::all(&db);
    assert_sql!(
        db,
        [
            "SELECT \"comments\".* FROM \"comments\" WHERE \"comments\".\"subject_type\" = ? AND \"comments\".\"subject_id\" = ? ORDER BY \"comments\".\"id\" ASC"
        ],
        { assert_eq!(bodies(all().filter(|c| c.subject.is(&post))).await?, ["1"]) }
    );
    let both = [Subject::from(post.clone()), Subject::from(photo.clone())];
    assert_eq!(
        bodies(all().filter(|c| c.subject.is_in(&both))).await?,
        ["1", "2", "3"]
    );
    let photos = Photo::all(&db).filter(|p| p.url.eq("photo"));
    assert_eq!(
        bodies(all().filter(|c| c.subject.is_among(photos))).await?,
        ["2", "3"]
    );
    assert_eq!(
        bodies(all().exclude(|c| c.subject.is(&post))).await?,
        ["2", "3"]
    );
    assert_eq!(
        bodies(all().filter(|c| c.subject.is_null())).await?,
        [""; 0]
    );
    Ok(())
}

#[relata::test]
async fn the_other_side_is_an_association_like_any(db: Db) -> Result<()> {
    let (post, photo) = filled(&db).await?;
    let more = post.comments().create(|c| c.set_body("4")).await?;
    assert_eq!(more.subject_type(), "Post");
    assert!(matches!(more.subject().await?, Subject::Post(one) if one.is(&post)));
    assert_eq!(photo.comments().count().await?, 2);
    let joined = Post::all(&db).filter(|p| p.comments.body.eq("4"));
    assert_eq!(joined.await?.len(), 1);
    // A photo of the same key keeps its comments.
    assert_eq!(post.id(), photo.id());
    post.destroy().await?;
    assert_eq!(Comment::all(&db).count().await?, 2);
    Ok(())
}

#[relata::test]
async fn an_open_one_leads_to_any_registered_model(db: Db) -> Result<()> {
    let (post, photo) = filled(&db).await?;
    let mark = Mark::create(&db, |m| m.set_subject(&photo)).await?;
    assert_eq!(
        (mark.on_id(), mark.kind()),
        (Some(photo.id()), Some("Photo"))
    );
    let mark = Mark::find(&db, mark.id()).await?;
    let subject = mark.subject().await?.expect("it has one");
    assert_eq!(subject.downcast::<Photo>()?, photo);
    assert_eq!(
        subject.downcast::<Post>().unwrap_err().kind(),
        ErrorKind::AssociationTypeMismatch
    );
    mark.set_subject(&post);
    assert!(mark.subject_changed());
    mark.save().await?;
    assert_eq!(post.mark().await?, Some(mark.clone()));
    mark.set_subject(None);
    assert_eq!((mark.on_id(), mark.kind()), (None, None));
    assert!(mark.subject().await?.is_none());
    mark.set_on_id(Some(1)).set_kind(Some("Nope"));
    let error = mark.subject().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownModel);
    Ok(())
}

#[relata::test]
async fn a_class_that_is_not_in_the_enum_is_refused_by_name_too(db: Db) -> Result<()> {
    filled(&db).await?;
    let comment = Comment::all(&db).order(|c| c.id).take_or_fail().await?;
    let mark = Mark::new(&db);
    let error = comment
        .association("subject")?
        .set_target(Some(&mark))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AssociationTypeMismatch);
    assert!(
        error
            .to_string()
            .contains("Post or Photo expected for Comment.subject"),
        "{error}"
    );
    assert_eq!(
        Subject::cast((*mark).clone()).unwrap_err().kind(),
        ErrorKind::AssociationTypeMismatch
    );
    // A type that was written by others and is not in the enum is no record of it.
    comment.set_subject_type("Mark");
    assert_eq!(
        comment.subject().await.unwrap_err().kind(),
        ErrorKind::UnknownModel
    );
    Ok(())
}

/// What an entry is.
#[derive(Debug, Polymorphic)]
pub enum Entryable {
    /// A message.
    Message(Message),
    /// A comment.
    AdminComment(AdminComment),
}

#[model]
pub struct Entry {
    id: i64,
    title: String,
    entryable_id: i64,
    entryable_type: String,
    #[delegated_type(types = (Message, AdminComment), dependent = destroy)]
    entryable: Entryable,
}

#[model]
pub struct Message {
    id: i64,
    subject: String,
    #[has_one(as = entryable)]
    entry: Option<Entry>,
}

#[model]
pub struct AdminComment {
    id: i64,
    body: String,
    #[has_one(as = entryable)]
    entry: Option<Entry>,
}

#[relata::test]
async fn a_delegated_type_has_predicates_accessors_keys_and_scopes(db: Db) -> Result<()> {
    let models = [
        Entry::reflection(),
        Message::reflection(),
        AdminComment::reflection(),
    ];
    db.create_tables(models).await?;
    let message = Message::build(&db, |m| m.set_subject("s"));
    let entry = Entry::create(&db, |e| e.set_title("t").set_entryable(&message)).await?;
    assert!(message.is_persisted());
    let comment = AdminComment::create(&db, |c| c.set_body("b")).await?;
    Entry::create(&db, |e| e.set_title("u").set_entryable(&comment)).await?;

    assert!(entry.is_message() && !entry.is_admin_comment());
    assert_eq!(entry.message_id(), Some(message.id()));
    assert_eq!(entry.admin_comment_id(), None);
    let read = Entry::find(&db, entry.id()).await?;
    assert_queries!(db, 0, { assert!(read.admin_comment().await?.is_none()) });
    assert_eq!(read.message().await?, Some(message.clone()));
    assert_eq!(
        Entry::messages(&db).to_sql(),
        "SELECT \"entries\".* FROM \"entries\" WHERE \"entries\".\"entryable_type\" = 'Message'"
    );
    assert_eq!(Entry::admin_comments(&db).count().await?, 1);
    let reflection = Entry::reflect_on_association("entryable").expect("it is declared");
    assert_eq!(reflection.delegates(), ["Message", "AdminComment"]);
    assert_eq!(message.entry().await?, Some(entry.clone()));
    entry.destroy().await?;
    assert_eq!(Message::all(&db).count().await?, 0);
    Ok(())
}

#[relata::test]
async fn a_through_leads_to_one_of_the_models_of_its_source(db: Db) -> Result<()> {
    let (post, photo) = filled(&db).await?;
    db.create_tables([Critic::reflection(), Remark::reflection()])
        .await?;
    let critic = Critic::create(&db, |c| c).await?;
    critic.posts().push(&post).await?;
    critic.photos().push(&photo).await?;
    let kinds = Remark::all(&db).order(|r| r.id).pluck(|r| r.subject_type);
    assert_eq!(kinds.await?, ["Post", "Photo"]);
    let critic = critic.reload().await.map(|()| critic)?;
    let posts: Vec<Post> = assert_sql!(
        db,
        [
            r#"SELECT "posts".* FROM "posts" INNER JOIN "remarks" ON "posts"."id" = "remarks"."subject_id" WHERE "remarks"."critic_id" = ? AND "remarks"."subject_type" = ?"#
        ],
        { critic.posts().await? }
    );
    assert_eq!(posts, std::slice::from_ref(&post));
    assert_eq!(critic.post().await?, Some(post.clone()));
    let read = Critic::all(&db).includes(|c| (c.posts, c.photos)).await?;
    assert_queries!(db, 0, {
        assert_eq!(read[0].posts().await?, std::slice::from_ref(&post));
        assert_eq!(read[0].photos().await?, std::slice::from_ref(&photo));
    });
    let named = Critic::all(&db).filter(|c| c.posts.title.eq(post.title()));
    assert_eq!(named.count().await?, 1);
    let source_type = Critic::reflect_on_association("photos")
        .unwrap()
        .source_type();
    assert_eq!(source_type, Some("Photo"));
    critic.photos().delete([&photo]).await?;
    assert_eq!(Remark::all(&db).count().await?, 1);
    Ok(())
}
