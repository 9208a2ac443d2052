//! Associations: what reading and writing them does to memory, rows and statements.

use crate::Backend;
use crate::blog::{Comment, Person, Post, Profile, blog, empty};
use relata::{ErrorKind, Result, assert_queries, assert_sql};

/// A target is read once and is one object.
pub async fn a_target_is_read_once_and_is_one_object(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let post = Post::find(&db, 1).await?;
    assert!(!post.author().is_loaded());
    let author = assert_sql!(
        db,
        [r#"SELECT "people".* FROM "people" WHERE "people"."id" = ?"#],
        { post.author().await? }
    );
    assert!(post.author().is_loaded());
    assert!(assert_queries!(db, 0, { post.author().await? }).is(&author));
    assert!(post.author().loaded().unwrap().is(&author));
    let again = assert_queries!(db, 1, { post.reload_author().await? });
    assert!(!again.is(&author) && again == author);
    post.reset_author();
    assert!(!post.author().is_loaded());
    Ok(())
}

/// A target goes stale with its key.
pub async fn a_target_goes_stale_with_its_key(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let post = Post::find(&db, 1).await?;
    let ann = post.author().await?;
    post.set_author_id(2);
    assert!(!post.author().is_loaded());
    assert!(post.author_changed());
    post.set_author_id(1);
    assert!(
        post.author().loaded().unwrap().is(&ann),
        "the old value makes it fresh again"
    );
    post.set_author_id(2);
    assert_eq!(post.author().await?.name(), "Bob");
    Ok(())
}

/// Nothing is asked where nothing can be found.
pub async fn nothing_is_asked_where_nothing_can_be_found(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    assert_queries!(db, 0, {
        let comment = Comment::new(&db);
        assert!(comment.person().await?.is_none());
        let post = Post::new(&db);
        assert_eq!(post.comments().await?.len(), 0);
        assert_eq!(post.comments().count().await?, 0);
        let error = post.author().await.unwrap_err();
        assert!(error.is_record_not_found());
    });
    Ok(())
}

/// Assigning takes the key and saves nothing.
pub async fn assigning_takes_the_key_and_saves_nothing(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let (post, bob) = (Post::find(&db, 1).await?, Person::find(&db, 2).await?);
    assert_queries!(db, 0, {
        post.set_author(&bob);
        assert_eq!(post.author_id(), 2);
        assert!(post.author().await?.is(&bob));
        assert!(post.author_changed());
    });
    assert_sql!(
        db,
        [r#"UPDATE "posts" SET "author_id" = ? WHERE "posts"."id" = ?"#],
        { post.save().await? }
    );
    assert!(!post.author_changed() && post.author_previously_changed());
    let comment = Comment::find(&db, 1).await?;
    comment.set_person(None);
    assert_eq!(comment.person_id(), None);
    assert!(comment.person().await?.is_none());
    Ok(())
}

/// An unsaved graph is saved with its keys.
pub async fn an_unsaved_graph_is_saved_with_its_keys(backend: &Backend) -> Result<()> {
    let db = empty(backend).await?;
    let draft = {
        let ann = Person::build(&db, |p| p.set_name("Ann"));
        ann.posts().build(|p| p.set_title("Draft").set_stars(1))
    };
    draft.comments().build(|c| c.set_body("first"));
    draft.comments().build(|c| {
        c.set_body("second")
            .set_person(&draft.author().loaded().unwrap())
    });
    assert_sql!(
        db,
        [
            r#"INSERT INTO "people" ("name") VALUES (?)"#,
            r#"INSERT INTO "posts" ("title", "stars", "author_id") VALUES (?, ?, ?)"#,
            r#"INSERT INTO "comments" ("body", "post_id") VALUES (?, ?)"#,
            r#"INSERT INTO "comments" ("body", "post_id", "person_id") VALUES (?, ?, ?)"#,
        ],
        { draft.save().await? }
    );
    let author = draft.author().await?;
    assert!(author.is_persisted());
    assert_eq!(draft.author_id(), author.id());
    let comments = draft.comments().await?;
    assert_eq!(
        comments.iter().map(|c| c.body()).collect::<Vec<_>>(),
        ["first", "second"]
    );
    assert!(comments[1].person().await?.unwrap().is(&author));
    Ok(())
}

/// A failed graph leaves rows and memory as they were.
pub async fn a_failed_graph_leaves_rows_and_memory_as_they_were(backend: &Backend) -> Result<()> {
    let db = empty(backend).await?;
    for nth in 1.. {
        let ann = Person::build(&db, |p| p.set_name("Ann"));
        let post = ann.posts().build(|p| p.set_title("Draft").set_stars(1));
        post.comments().build(|c| c.set_body("first"));
        db.faults().fail_nth(nth, ErrorKind::DiskFull);
        let saved = post.save().await;
        db.faults().clear();
        if saved.is_ok() {
            assert_eq!(nth, 6, "BEGIN, three INSERTs, COMMIT");
            break;
        }
        assert!(ann.is_new_record() && post.is_new_record());
        assert_eq!(
            Person::all(&db).count().await? + Post::all(&db).count().await?,
            0,
            "statement {nth}"
        );
        assert_eq!(db.figures().writers, 0);
    }
    assert_eq!(Comment::all(&db).count().await?, 1);
    Ok(())
}

/// Building and creating in collections.
pub async fn building_and_creating_in_collections(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let ann = Person::find(&db, 1).await?;
    let built = assert_queries!(db, 0, {
        ann.posts().build(|p| p.set_title("Built").set_stars(0))
    });
    assert_eq!(built.author_id(), 1);
    assert!(built.author().await?.is(&ann));
    assert_eq!(ann.posts().target().len(), 1);
    assert_eq!(ann.posts().size().await?, 4, "three rows and one in memory");
    let posts = assert_queries!(db, 1, { ann.posts().await? });
    assert_eq!(posts.len(), 4);
    assert!(posts[3].is(&built), "unsaved members come last");
    let created = ann
        .posts()
        .create(|p| p.set_title("Created").set_stars(0))
        .await?;
    assert!(created.is_persisted());
    assert!(ann.posts().loaded().unwrap()[4].is(&created));
    let unsaved = Person::build(&db, |p| p.set_name("New"));
    let error = unsaved
        .posts()
        .create(|p| p.set_title("x").set_stars(0))
        .await
        .unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with("You cannot call create unless the parent is saved: "));
    Ok(())
}

/// Pushing moves records and saves them together.
pub async fn pushing_moves_records_and_saves_them_together(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let (bob, posts) = (
        Person::find(&db, 2).await?,
        Post::all(&db).filter(|p| p.author_id.eq(1)).await?,
    );
    bob.posts().concat(&posts).await?;
    assert_eq!(
        Post::all(&db).filter(|p| p.author_id.eq(2)).count().await?,
        4
    );
    assert!(posts[0].author().await?.is(&bob));
    assert!(!bob.posts().is_loaded());
    assert_eq!(bob.posts().await?.len(), 4);
    assert!(
        bob.posts().await?.iter().any(|post| post.is(&posts[0])),
        "the pushed object is the member"
    );
    Ok(())
}

/// Has one is read built and created.
pub async fn has_one_is_read_built_and_created(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let ann = Person::find(&db, 1).await?;
    let profile = assert_sql!(
        db,
        [r#"SELECT "profiles".* FROM "profiles" WHERE "profiles"."person_id" = ? LIMIT 1"#],
        { ann.profile().await?.unwrap() }
    );
    assert!(assert_queries!(db, 0, { profile.person().await?.unwrap() }).is(&ann));
    let bob = Person::find(&db, 2).await?;
    assert!(bob.profile().await?.is_none());
    assert!(
        assert_queries!(db, 0, { bob.profile().await? }).is_none(),
        "nothing is remembered too"
    );
    let made = bob.create_profile(|p| p.set_motto("slowly")).await?;
    assert_eq!(made.person_id(), Some(2));
    assert!(bob.profile().await?.unwrap().is(&made));
    let cat = Person::build(&db, |p| p.set_name("New"));
    cat.build_profile(|p| p.set_motto("new"));
    cat.save().await?;
    assert_eq!(
        Profile::all(&db)
            .find_by_or_fail(|p| p.person.is(&cat))
            .await?
            .motto(),
        "new"
    );
    Ok(())
}

/// Validations name the attribute and write nothing.
pub async fn validations_name_the_attribute_and_write_nothing(backend: &Backend) -> Result<()> {
    let db = empty(backend).await?;
    let nobody = Person::build(&db, |p| p.set_name("  "));
    let error = assert_queries!(db, 0, { nobody.save().await.unwrap_err() });
    assert!(error.is_record_invalid());
    assert_eq!(error.to_string(), "Validation failed: Name can't be blank");
    assert_eq!(nobody.errors().on("name"), ["can't be blank"]);
    assert!(error.record::<Person>().unwrap().is(&nobody));
    assert!(error.record::<Post>().is_none());
    let orphan = Post::build(&db, |p| p.set_title("x").set_stars(1));
    assert_eq!(
        orphan.save().await.unwrap_err().to_string(),
        "Validation failed: Author must exist"
    );
    orphan.set_author_id(99);
    let error = assert_queries!(db, 1, { orphan.save().await.unwrap_err() });
    assert_eq!(error.to_string(), "Validation failed: Author must exist");
    nobody.set_name("Ann");
    assert!(nobody.is_valid().await?);
    assert!(nobody.errors().is_empty());
    Ok(())
}

/// What is added to the errors stands until the record is validated again.
pub async fn what_is_added_to_the_errors_stands_until_the_next_validation(
    backend: &Backend,
) -> Result<()> {
    let db = empty(backend).await?;
    let ann = Person::build(&db, |p| p.set_name("Ann"));
    ann.errors().add("name", "taken", "has already been taken");
    ann.errors().add("name", "taken", "has already been taken");
    ann.errors().add("base", "closed", "We are closed");
    let seen = ann.errors();
    assert_eq!(
        seen.full_messages(),
        ["Name has already been taken", "We are closed"]
    );
    assert_eq!(seen.attribute_names(), ["name", "base"]);
    let kept = seen.to_vec();
    ann.save().await?;
    assert!(ann.is_persisted(), "as in Rails, they do not stop a save");
    assert!(
        seen.is_empty(),
        "the same list, which the validation emptied"
    );
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0].kind, "taken");
    ann.errors().add("base", "late", "Too late");
    ann.errors().clear();
    assert!(ann.errors().is_empty());
    Ok(())
}

/// A column without a value is left to the database.
pub async fn a_column_without_a_value_is_left_to_the_database(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let post = Post::build(&db, |p| p.set_title("x").set_author_id(1));
    assert_eq!(post.stars(), 0, "the type's default, which is not written");
    let error = post.save().await.unwrap_err();
    assert!(error.is_not_null_violation());
    assert_eq!(error.attribute(), Some("stars"));
    assert!(post.is_new_record());
    Ok(())
}

/// What changed is known before and after saving.
pub async fn what_changed_is_known_before_and_after_saving(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let post = Post::find(&db, 1).await?;
    assert!(!post.is_changed());
    post.set_title("Uno").set_stars(1);
    assert_eq!(
        (
            post.title_was(),
            post.title(),
            post.title_changed(),
            post.stars_changed()
        ),
        ("One", "Uno", true, false)
    );
    assert_eq!(post.changed(), ["title"]);
    post.save().await?;
    assert_eq!(post.saved_change_to_title(), Some(("One", "Uno")));
    assert_eq!(post.title_was(), "Uno");
    assert!(!post.is_changed());
    assert_queries!(db, 0, { post.save().await? });
    post.set_title("Ein");
    post.restore_attributes();
    assert_eq!(post.title(), "Uno");
    post.set_title("lost");
    post.reload().await?;
    assert_eq!(post.title(), "Uno");
    Ok(())
}

/// Batching takes siblings along and can be turned off.
pub async fn batching_takes_siblings_along_and_can_be_turned_off(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let walk = async |posts: Vec<Post>| {
        for post in &posts {
            post.author().await?;
            for comment in post.comments().await? {
                comment.person().await?;
            }
        }
        Result::<()>::Ok(())
    };
    assert_queries!(db, 4, { walk(Post::all(&db).await?).await? });
    assert_queries!(db, 13, {
        walk(Post::all(&db).batching(false).await?).await?
    });
    Ok(())
}

/// An unread sibling is loaded again after a write.
pub async fn an_unread_sibling_is_loaded_again_after_a_write(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let posts = Post::all(&db).order(|p| p.id.asc()).await?;
    assert_eq!(posts[0].comments().await?.len(), 2);
    posts[1]
        .comments()
        .filter(|c| c.body.eq("meh"))
        .first_or_fail()
        .await?
        .destroy()
        .await?;
    assert_eq!(posts[1].comments().await?.len(), 1);
    assert_eq!(posts[0].comments().await?.len(), 2, "what was read stays");
    let failed: Result<()> = db
        .transaction(async || {
            Comment::create(&db, |c| c.set_body("x").set_post_id(3)).await?;
            assert_eq!(posts[2].comments().await?.len(), 3);
            Err(relata::Error::new(ErrorKind::Rollback, "no"))
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(posts[3].comments().await?.len(), 2);
    Ok(())
}

/// Handles keep what is linked.
pub async fn handles_keep_what_is_linked(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let posts = {
        let ann = Person::find(&db, 1).await?;
        ann.posts().await?
    };
    assert_eq!(
        assert_queries!(db, 0, { posts[0].author().await? }).name(),
        "Ann"
    );
    let compact = posts[0].compact();
    assert_eq!(compact.retained().0, 1);
    assert_eq!(compact, **posts.first().unwrap());
    Ok(())
}

/// Every public future can be awaited in a spawned task.
pub async fn everything_is_send(backend: &Backend) -> Result<()> {
    fn send<T: Send>(_: &T) {}
    let db = blog(backend).await?;
    let db = &db;
    let work = async {
        let ann = Person::find(db, 1).await?;
        let post = ann
            .posts()
            .create(|p| p.set_title("t").set_stars(1))
            .await?;
        for post in Post::all(db)
            .filter(|p| p.author.is(&ann))
            .includes(|p| (p.author, p.comments.person))
            .await?
        {
            post.author().await?;
            post.comments().await?;
        }
        db.transaction(async || {
            post.set_title("u").save().await?;
            db.transaction(async || ann.set_name("A").save().await)
                .await
        })
        .await?;
        post.update(|p| p.set_stars(2)).await?;
        post.destroy().await
    };
    send(&work);
    work.await
}

/// Comments that were read through their post lead back to it, each of them: the post was then an owner twice, which was
/// taken for all posts of its batch, so the others were said to have no author.
pub async fn an_owner_that_is_asked_twice_does_not_stand_for_its_sibling(
    backend: &Backend,
) -> Result<()> {
    let db = blog(backend).await?;
    let posts = Post::all(&db)
        .filter(|p| p.id.is_in([1, 4]))
        .order(|p| p.id.asc())
        .includes(|p| p.comments)
        .await?;
    let comments = posts[0].comments().await?;
    assert_eq!(comments.len(), 2);
    assert_queries!(db, 1, {
        relata::loading::preload(&comments, |c| c.post.author).await?;
    });
    assert_queries!(db, 0, {
        assert_eq!(posts[0].author().await?.name(), "Ann");
    });
    assert_eq!(posts[1].author().await?.name(), "Bob");
    Ok(())
}

/// In a batch of more than a hundred the first read loads one, the second the rest; each object stays the one it is.
pub async fn a_large_batch_is_loaded_by_one_and_then_the_rest(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let ann = Person::find(&db, 1).await?;
    db.transaction(async || {
        for number in 0..120 {
            ann.posts()
                .create(|p| p.set_title(format!("No. {number}")).set_stars(0))
                .await?;
        }
        Ok(())
    })
    .await?;
    let posts = Post::all(&db).order(|p| p.id.asc()).await?;
    let first = assert_queries!(db, 1, { posts[7].author().await? });
    assert!(posts[7].author().is_loaded() && !posts[8].author().is_loaded());
    assert_queries!(db, 1, {
        for post in &posts {
            assert_eq!(post.author().await?.id(), post.author_id());
        }
    });
    assert!(posts[7].author().await?.is(&first));
    // The same for collections, whose members lead back.
    let members = assert_queries!(db, 1, { posts[0].comments().await? });
    assert_eq!(members.len(), 2);
    assert!(assert_queries!(db, 0, { members[1].post().await? }).is(&posts[0]));
    let kept = assert_queries!(db, 1, {
        for post in &posts {
            post.comments().await?;
        }
        posts[0].comments().await?
    });
    assert!(kept[0].is(&members[0]) && kept[1].is(&members[1]));
    // What is set afterwards wins, and a key that moved is looked up.
    posts[7].set_author_id(2);
    assert_eq!(posts[7].author().await?.name(), "Bob");
    posts[0].comments().reset();
    assert!(!posts[0].comments().is_loaded());
    Ok(())
}

/// A long-lived owner keeps the members that a reload replaced, and says so: README, "Honest limits".
pub async fn a_collection_reloaded_again_and_again_keeps_what_it_replaced(
    backend: &Backend,
) -> Result<()> {
    let db = blog(backend).await?;
    let ann = Person::find(&db, 1).await?;
    assert_eq!(ann.retained().0, 1);
    for round in 1..=5 {
        assert_eq!(ann.posts().reload().await?.len(), 3);
        assert_eq!(ann.retained().0, 1 + 3 * round);
    }
    assert_eq!(ann.compact().retained().0, 1);
    Ok(())
}

/// Members that were built before the load come last, and those of the database are the objects they were.
pub async fn unsaved_members_stay_behind_those_that_are_loaded(backend: &Backend) -> Result<()> {
    let db = blog(backend).await?;
    let ann = Person::find(&db, 1).await?;
    let pushed = Post::build(&db, |p| p.set_title("Pushed").set_stars(0));
    ann.posts().push(&pushed).await?;
    let built = ann.posts().build(|p| p.set_title("Built"));
    let members = ann.posts().await?;
    let titles: Vec<&str> = members.iter().map(|post| post.title()).collect();
    assert_eq!(titles, ["One", "Two", "Three", "Pushed", "Built"]);
    assert!(members[3].is(&pushed) && members[4].is(&built));
    for member in &members {
        assert!(member.author().await?.is(&ann));
    }
    Ok(())
}
