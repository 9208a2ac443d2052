//! Traps of Rails' associations, each with a test named after it: what surprises there, and is the same here, or better.
//!
//! Two stand elsewhere: 14, the limit of a scope, in `traps.rs`; 22, two that touch each other, in the suite's `dependents`.

use relata::{Abort, Db, ErrorKind, Result, SaveOptions, assert_queries, callbacks, model};

/// Who has most things.
#[model]
pub struct User {
    id: i64,
    name: String,
    #[column(default = 0)]
    posts_count: i64,
    #[column(default = 0)]
    written: i64,
    #[has_many(dependent = destroy)]
    posts: Post,
    #[has_many(inverse_of = user)]
    notes: Note,
    #[has_many(counter_cache = written, inverse_of = author, foreign_key = author_id)]
    texts: Text,
    #[has_many(foreign_key = author_id, inverse_of = none)]
    same_texts: Text,
    #[has_one]
    profile: Option<Profile>,
    #[has_one]
    passport: Option<Passport>,
    #[has_many]
    memberships: Membership,
    #[has_many(through = memberships)]
    clubs: Club,
    #[has_one]
    seat: Option<Seat>,
    #[has_one(through = seat)]
    room: Option<Room>,
}

/// What a user writes; counted, and destroyed with callbacks.
#[model]
pub struct Post {
    id: i64,
    title: String,
    user_id: Option<i64>,
    #[belongs_to(counter_cache)]
    user: Option<User>,
}

#[callbacks]
impl Post {
    #[before_destroy]
    fn keep(&self) -> Result<(), Abort> {
        if self.title() == "kept" {
            Err(Abort)
        } else {
            Ok(())
        }
    }
}

/// What must have a text.
#[model]
pub struct Note {
    id: i64,
    #[validates(presence)]
    text: String,
    user_id: Option<i64>,
    #[belongs_to(inverse_of = notes)]
    user: Option<User>,
}

/// What is counted in a column of another name.
#[model]
pub struct Text {
    id: i64,
    author_id: Option<i64>,
    #[belongs_to(counter_cache = written, inverse_of = texts)]
    author: Option<User>,
}

/// One a user, who may go.
#[model]
pub struct Profile {
    id: i64,
    #[validates(presence)]
    motto: String,
    user_id: Option<i64>,
    #[belongs_to]
    user: Option<User>,
}

/// One a user, who must stay.
#[model]
pub struct Passport {
    id: i64,
    user_id: i64,
    #[belongs_to]
    user: User,
}

/// Who is in which club.
#[model]
pub struct Membership {
    id: i64,
    user_id: i64,
    #[belongs_to]
    user: User,
    club_id: i64,
    #[belongs_to]
    club: Club,
}

/// What users are in.
#[model]
pub struct Club {
    id: i64,
    name: String,
    #[has_many]
    memberships: Membership,
}

/// Who sits where.
#[model]
pub struct Seat {
    id: i64,
    user_id: i64,
    #[belongs_to]
    user: User,
    room_id: i64,
    #[belongs_to]
    room: Room,
}

/// Where one sits.
#[model]
pub struct Room {
    id: i64,
    name: String,
}

/// What may answer a note.
#[model]
pub struct Reply {
    id: i64,
    note_id: Option<i64>,
    #[belongs_to]
    note: Option<Note>,
}

/// What destroys its parent with itself.
#[model]
pub struct Page {
    id: i64,
    post_id: i64,
    #[belongs_to(dependent = destroy)]
    post: Post,
}

async fn ann(db: &Db) -> Result<User> {
    db.create_tables([
        User::reflection(),
        Post::reflection(),
        Note::reflection(),
        Text::reflection(),
        Profile::reflection(),
        Passport::reflection(),
        Membership::reflection(),
        Club::reflection(),
        Seat::reflection(),
        Room::reflection(),
        Page::reflection(),
        Reply::reflection(),
    ])
    .await?;
    User::create(db, |u| u.set_name("Ann")).await
}

/// 1. Rails takes the old row out at once; here building is in memory, and the old row goes when the owner is saved.
#[relata::test]
async fn building_a_has_one_takes_the_old_row_out_with_the_save(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    let old = ann.create_profile(|p| p.set_motto("old")).await?;
    assert_queries!(db, 0, { ann.build_profile(|p| p.set_motto("new")) });
    assert_eq!(
        Profile::find(&db, old.id()).await?.user_id(),
        Some(ann.id())
    );
    ann.save().await?;
    assert_eq!(Profile::find(&db, old.id()).await?.user_id(), None);
    assert_eq!(
        User::find(&db, ann.id())
            .await?
            .profile()
            .await?
            .unwrap()
            .motto(),
        "new"
    );
    Ok(())
}

/// 2. Creating a `has_one` can fail for what was there before.
#[relata::test]
async fn creating_a_has_one_may_fail_for_the_old_one(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    let old = ann.create_passport(|p| p).await?;
    let error = ann.create_passport(|p| p).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RecordNotSaved, "{error}");
    assert_eq!(Passport::all(&db).keys().await?.len(), 1);
    assert!(
        Passport::find(&db, old.id()).await?.user().await?.is(&ann) || old.user_id() == ann.id()
    );
    Ok(())
}

/// 3. Creating the target of a `belongs_to` with an invalid record empties the owner's key in memory.
#[relata::test]
async fn creating_an_invalid_parent_empties_the_key(db: Db) -> Result<()> {
    ann(&db).await?;
    let note = Note::create(&db, |n| n.set_text("x")).await?;
    let reply = Reply::create(&db, |r| r.set_note(&note)).await?;
    assert_eq!(reply.note_id(), Some(note.id()));
    let error = reply.create_note(|n| n.set_text("")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RecordInvalid);
    assert_eq!(reply.note_id(), None);
    assert_eq!(
        Reply::find(&db, reply.id()).await?.note_id(),
        Some(note.id())
    );
    Ok(())
}

/// 4. A new parent that is not valid is left out, where there may be none: the record is saved without.
#[relata::test]
async fn an_invalid_new_parent_is_left_out(db: Db) -> Result<()> {
    ann(&db).await?;
    let blank = Note::build(&db, |n| n.set_text(""));
    let reply = Reply::create(&db, |r| r.set_note(&blank)).await?;
    assert!(reply.is_persisted());
    assert_eq!(reply.note_id(), None);
    assert_eq!(Note::all(&db).count().await?, 0);
    Ok(())
}

/// 5. What a collection lets go keeps its own key in memory.
#[relata::test]
async fn what_is_deleted_from_a_collection_keeps_its_key_in_memory(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    let note = ann.notes().create(|n| n.set_text("x")).await?;
    ann.notes().delete([&note]).await?;
    assert_eq!(note.user_id(), Some(ann.id()));
    assert_eq!(Note::find(&db, note.id()).await?.user_id(), None);
    Ok(())
}

/// 6. `destroy` of a collection destroys what it is given, whoever has it.
#[relata::test]
async fn a_collection_destroys_what_is_another_s(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    let bob = User::create(&db, |u| u.set_name("Bob")).await?;
    let note = bob.notes().create(|n| n.set_text("x")).await?;
    ann.notes().destroy([&note]).await?;
    assert!(note.is_destroyed());
    assert_eq!(Note::all(&db).count().await?, 0);
    Ok(())
}

/// 7. `delete_all` is one DELETE and asks no callback, also with `dependent = destroy`; `destroy_all` asks each.
#[relata::test]
async fn delete_all_asks_nobody_and_destroy_all_each(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    for title in ["kept", "other"] {
        ann.posts().create(|p| p.set_title(title)).await?;
    }
    let error = ann.posts().destroy_all().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RecordNotDestroyed, "{error}");
    let ann = User::find(&db, ann.id()).await?;
    let before = Post::all(&db).count().await?;
    assert!(before > 0);
    let statements = db.capture();
    ann.posts().delete_all().await?;
    let deletes = statements
        .texts()
        .into_iter()
        .filter(|sql| sql.starts_with("DELETE"));
    assert_eq!(deletes.count(), 1);
    assert_eq!(Post::all(&db).count().await?, 0);
    Ok(())
}

/// 8. A size of nothing makes a collection loaded.
#[relata::test]
async fn a_size_of_nothing_loads(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    let ann = User::find(&db, ann.id()).await?;
    assert_queries!(db, 1, { assert_eq!(ann.notes().size().await?, 0) });
    assert!(ann.notes().is_loaded());
    assert_queries!(db, 0, { assert!(ann.notes().await?.is_empty()) });
    Ok(())
}

/// 9. Ids are remembered, and `size` goes by them.
#[relata::test]
async fn ids_are_remembered_and_are_the_size(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    ann.notes().create(|n| n.set_text("x")).await?;
    let ann = User::find(&db, ann.id()).await?;
    assert_eq!(ann.note_ids().await?.len(), 1);
    db.execute_sql(relata::Raw::new(
        "INSERT INTO notes (text, user_id) VALUES ('y', 1)",
    ))
    .await?;
    assert_queries!(db, 0, {
        assert_eq!(ann.note_ids().await?.len(), 1);
        assert_eq!(ann.notes().size().await?, 1);
    });
    assert_eq!(ann.notes().count().await?, 2);
    Ok(())
}

/// 10. What is a member already is one once more in memory when it is pushed again.
#[relata::test]
async fn pushing_a_member_again_doubles_it_in_memory(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    let note = ann.notes().create(|n| n.set_text("x")).await?;
    ann.notes().push(&note).await?;
    assert_eq!(ann.notes().target().len(), 2);
    assert_eq!(User::find(&db, ann.id()).await?.notes().await?.len(), 1);
    Ok(())
}

/// 11. What could not be pushed stays in memory; what could not be created does not.
#[relata::test]
async fn a_failed_push_stays_and_a_failed_create_does_not(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    let ann = User::find(&db, ann.id()).await?;
    let blank = Note::build(&db, |n| n.set_text(""));
    assert!(ann.notes().push(&blank).await.is_err());
    assert!(ann.notes().target().iter().any(|one| one.is(&blank)));
    let ann = User::find(&db, ann.id()).await?;
    assert!(ann.notes().create(|n| n.set_text("")).await.is_err());
    assert!(ann.notes().target().is_empty());
    Ok(())
}

/// 12. Another order of the same members is nothing to write.
#[relata::test]
async fn replacing_by_another_order_writes_nothing(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    let one = ann.notes().create(|n| n.set_text("1")).await?;
    let two = ann.notes().create(|n| n.set_text("2")).await?;
    ann.notes().await?;
    assert_queries!(db, 0, { ann.notes().replace([&two, &one]).await? });
    Ok(())
}

/// 13. `first` and `last` load everything once a member is not saved or changed.
#[relata::test]
async fn first_loads_all_once_a_member_is_new_or_changed(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    for text in ["1", "2"] {
        ann.notes().create(|n| n.set_text(text)).await?;
    }
    let ann = User::find(&db, ann.id()).await?;
    assert_queries!(db, 1, { ann.notes().first().await? });
    assert!(!ann.notes().is_loaded());
    let draft = ann.notes().build(|n| n.set_text("3"));
    assert!(ann.notes().last().await?.unwrap().is(&draft));
    assert!(ann.notes().is_loaded());
    Ok(())
}

/// 15. Names side by side are queries of their own, also of one table.
#[relata::test]
async fn names_side_by_side_are_queries_of_their_own(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    ann.texts().create(|t| t).await?;
    assert_queries!(db, 3, {
        let users = User::all(&db).preload(|u| (u.texts, u.same_texts)).await?;
        assert_eq!(users[0].texts().await?[0], users[0].same_texts().await?[0]);
    });
    Ok(())
}

/// 16. In Rails the counter in memory drifts when a child goes that does not hold its owner; here it follows the row.
#[relata::test]
async fn a_counter_follows_what_a_collection_destroys(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    ann.posts().create(|p| p.set_title("x")).await?;
    let apart = Post::all(&db).first().await?.unwrap();
    let ann = User::find(&db, ann.id()).await?;
    assert_eq!(ann.posts_count(), 1);
    ann.posts().destroy([&apart]).await?;
    assert_eq!(User::find(&db, ann.id()).await?.posts_count(), 0);
    assert_eq!(ann.posts().size().await?, ann.posts_count().unsigned_abs());
    Ok(())
}

/// 17. A counter of another name is the size where the collection names it too.
#[relata::test]
async fn a_counter_of_another_name_is_the_size_where_it_is_named(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    ann.texts().create(|t| t).await?;
    let ann = User::find(&db, ann.id()).await?;
    assert_queries!(db, 0, { assert_eq!(ann.texts().size().await?, 1) });
    assert_queries!(db, 1, { assert_eq!(ann.same_texts().size().await?, 1) });
    Ok(())
}

/// 18. In Rails a collection forgets what a rolled back destruction took; here memory is what it was.
#[relata::test]
async fn a_rollback_gives_a_collection_its_members_back(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    let note = ann.notes().create(|n| n.set_text("x")).await?;
    assert_eq!(ann.notes().await?.len(), 1);
    let undone = db
        .transaction(async || {
            note.destroy().await?;
            Err::<(), _>(relata::Error::new(ErrorKind::Rollback, "undone"))
        })
        .await;
    assert!(undone.is_err());
    assert!(note.is_persisted());
    assert_eq!(ann.notes().await?.len(), 1);
    Ok(())
}

/// 19. A save without validation validates new members all the same.
#[relata::test]
async fn a_save_without_validation_validates_new_members(db: Db) -> Result<()> {
    ann(&db).await?;
    let bob = User::build(&db, |u| u.set_name("Bob"));
    bob.notes().build(|n| n.set_text(""));
    let saved = bob.save_with(SaveOptions::new().validate(false)).await;
    assert_eq!(saved.unwrap_err().kind(), ErrorKind::RecordInvalid);
    assert_eq!(User::all(&db).count().await?, 1);
    Ok(())
}

/// 20. What a `belongs_to` destroys goes after the owner's row; where it refuses, both stay.
#[relata::test]
async fn a_belongs_to_destroys_after_its_owner(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    let [kept, other] = ["kept", "other"];
    let mut pages = Vec::new();
    for title in [kept, other] {
        let post = ann.posts().create(|p| p.set_title(title)).await?;
        pages.push(Page::create(&db, |p| p.set_post(&post)).await?);
    }
    let refused = pages[0].destroy().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::RecordNotDestroyed, "{refused}");
    assert_eq!(Page::all(&db).count().await?, 2);
    let statements = db.capture();
    pages[1].destroy().await?;
    let all = statements.texts();
    let deletes: Vec<&String> = all.iter().filter(|sql| sql.starts_with("DELETE")).collect();
    assert!(
        deletes[0].contains("\"pages\"") && deletes[1].contains("\"posts\""),
        "{all:?}"
    );
    Ok(())
}

/// 21. Letting go of the target of a `has_one` through destroys the row between.
#[relata::test]
async fn letting_go_through_a_has_one_destroys_the_row_between(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    let room = Room::create(&db, |r| r.set_name("1")).await?;
    ann.room().replace(&room).await?;
    assert_eq!(Seat::all(&db).count().await?, 1);
    ann.room().replace(None).await?;
    assert_eq!(Seat::all(&db).count().await?, 0);
    assert_eq!(Room::all(&db).count().await?, 1);
    Ok(())
}

/// 23. What is asked of members compares keys without a join.
#[relata::test]
async fn a_condition_on_members_compares_keys_without_a_join(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    let note = ann.notes().create(|n| n.set_text("x")).await?;
    let users = User::all(&db).filter(|u| u.notes.is(&note));
    assert!(!users.to_sql().contains("JOIN"), "{}", users.to_sql());
    assert!(users.await?[0] == ann);
    // Through others the tables are joined, where Rails' SQL is broken.
    let club = Club::create(&db, |c| c.set_name("Chess")).await?;
    ann.clubs().push(&club).await?;
    assert_eq!(User::all(&db).filter(|u| u.clubs.is(&club)).await?.len(), 1);
    Ok(())
}

/// 24. A through sets no inverse, lets all rows between to a record go at once, and counts doubles when it is replaced.
#[relata::test]
async fn a_through_has_no_inverse_and_counts_doubles(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    let chess = Club::create(&db, |c| c.set_name("Chess")).await?;
    ann.clubs().push(&chess).await?;
    ann.clubs().push(&chess).await?;
    let ann = User::find(&db, ann.id()).await?;
    assert_eq!(ann.clubs().await?.len(), 2);
    ann.clubs().replace([&chess]).await?;
    assert_eq!(Membership::all(&db).count().await?, 1, "one of two");
    ann.clubs().push(&chess).await?;
    let ann = User::find(&db, ann.id()).await?;
    ann.clubs().delete([&chess]).await?;
    assert_eq!(Membership::all(&db).count().await?, 0, "all of one");
    Ok(())
}

/// 25. Strict loading forbids loads, and neither queries that are chained nor what is pushed.
#[relata::test]
async fn strict_loading_forbids_loads_alone(db: Db) -> Result<()> {
    let ann = ann(&db).await?;
    ann.notes().create(|n| n.set_text("x")).await?;
    let strict = User::all(&db).strict_loading().first().await?.unwrap();
    assert!(
        strict
            .notes()
            .await
            .unwrap_err()
            .is_strict_loading_violation()
    );
    assert_eq!(strict.notes().filter(|n| n.id.gt(0)).await?.len(), 1);
    assert_eq!(strict.notes().count().await?, 1);
    strict
        .notes()
        .push(&Note::build(&db, |n| n.set_text("y")))
        .await?;
    assert_eq!(Note::all(&db).count().await?, 2);
    Ok(())
}
