//! Values from outside for a record and its members: what is assigned, to whom, what is refused, and what is written.

use relata::attribute::{AttributeType, Kind};
use relata::callback::{MemberLimit, RejectIf};
use relata::reflection::{
    Column, Declared, IndexErrors, ModelBuilder, ModelReflection, NestedAttributes, Setting,
};
use relata::{
    Db, ErrorKind, Model as _, Param, Params, Permit, Record, Result, Saved, assert_queries,
    assert_sql, model, permit,
};

#[model]
#[accepts_nested_attributes_for(
    posts(allow_destroy, limit = 3, reject_if = all_blank),
    notes(reject_if = |person: &Person, note| note.text("body") == Some(person.name()), limit = Person::most),
    profile(allow_destroy),
    badge(update_only),
)]
pub struct Person {
    id: i64,
    #[validates(presence)]
    name: String,
    age: Option<i64>,
    admin: Option<bool>,
    #[has_many]
    posts: Post,
    #[has_many(index_errors = nested_attributes_order)]
    notes: Note,
    #[has_one]
    profile: Option<Profile>,
    #[has_one]
    badge: Option<Badge>,
}

impl Person {
    fn most(&self) -> usize {
        if self.admin() == Some(true) { 100 } else { 3 }
    }
}

#[model]
#[accepts_nested_attributes_for(comments(allow_destroy), person)]
pub struct Post {
    id: i64,
    #[validates(presence)]
    title: String,
    #[validates(confirmation)]
    mail: Option<String>,
    person_id: Option<i64>,
    #[belongs_to]
    person: Option<Person>,
    #[has_many(index_errors)]
    comments: Comment,
}

#[model]
pub struct Comment {
    id: i64,
    #[validates(presence)]
    body: String,
    stars: Option<i64>,
    post_id: i64,
    #[belongs_to]
    post: Post,
}

#[model]
pub struct Note {
    id: i64,
    #[validates(presence)]
    body: String,
    person_id: i64,
    #[belongs_to]
    person: Person,
}

#[model]
pub struct Profile {
    id: i64,
    bio: String,
    person_id: Option<i64>,
    #[belongs_to]
    person: Option<Person>,
}

#[model]
pub struct Badge {
    id: i64,
    text: String,
    person_id: Option<i64>,
    #[belongs_to]
    person: Option<Person>,
}

async fn tables(db: &Db) -> Result<()> {
    db.create_tables([
        Person::reflection(),
        Post::reflection(),
        Comment::reflection(),
        Note::reflection(),
        Profile::reflection(),
        Badge::reflection(),
    ])
    .await
}

fn given<const N: usize>(all: [(&str, Param); N]) -> Params {
    all.into_iter().collect()
}

fn titled(title: &str) -> Params {
    Params::new().with("title", title)
}

async fn titles(db: &Db) -> Result<Vec<String>> {
    Post::all(db).order(|p| p.id).pluck(|p| p.title).await
}

#[relata::test]
async fn values_of_a_form_are_read_as_their_columns(db: Db) -> Result<()> {
    tables(&db).await?;
    let form = Params::from_form([("name", "Ann"), ("age", " 12 "), ("admin", "on")])?;
    let ann = Person::create_from(&db, form, permit![name, age, admin]).await?;
    assert_eq!((ann.age(), ann.admin()), (Some(12), Some(true)));
    let form = Params::from_form([("age", ""), ("admin", "0")])?;
    ann.update_from(&form, permit![age, admin]).await?;
    let again = Person::find(&db, ann.id()).await?;
    assert_eq!((again.age(), again.admin()), (None, Some(false)));
    Ok(())
}

#[relata::test]
async fn what_a_column_cannot_hold_is_an_error_of_it_and_nothing_was_set(db: Db) -> Result<()> {
    tables(&db).await?;
    let ann = Person::create(&db, |p| p.set_name("Ann")).await?;
    let post = ann.posts().create(|p| p.set_title("a")).await?;
    let comment = post.comments().create(|c| c.set_body("b")).await?;
    let post = Post::find(&db, post.id()).await?;
    let member = given([
        ("id", comment.id().into()),
        ("body", "c".into()),
        ("stars", "many".into()),
    ]);
    let values = given([
        ("title", "new".into()),
        ("comments_attributes", vec![member].into()),
    ]);
    let permit = permit![title, comments: [id, body, stars]];
    let error = post.update_from(&values, &permit).await.unwrap_err();
    assert!(error.is_record_invalid());
    assert_eq!(post.errors().attribute_names(), ["comments[0].stars"]);
    assert!(
        error.to_string().contains("\"many\" is not an integer"),
        "{error}"
    );
    assert!(!post.is_changed() && post.comments().target().is_empty());
    assert!(!post.update_from(&values, &permit).await.saved()?);
    assert_eq!(Comment::all(&db).pluck(|c| c.body).await?, ["b"]);
    Ok(())
}

#[relata::test]
async fn members_are_made_changed_and_destroyed_in_one_transaction(db: Db) -> Result<()> {
    tables(&db).await?;
    let ann = Person::create(&db, |p| p.set_name("Ann")).await?;
    for title in ["a", "b"] {
        ann.posts().create(|p| p.set_title(title)).await?;
    }
    let ann = Person::find(&db, ann.id()).await?;
    let change = titled("a2").with("id", "1");
    let destroy = given([("id", 2.into()), ("_destroy", "1".into())]);
    let values = given([(
        "posts_attributes",
        vec![titled("c"), change, destroy].into(),
    )]);
    assert_sql!(
        db,
        [
            "SELECT \"posts\".* FROM \"posts\" WHERE \"posts\".\"person_id\" = ? AND \"posts\".\"id\" IN (?, ?)",
            "DELETE FROM \"posts\" WHERE \"posts\".\"id\" = ?",
            "INSERT INTO \"posts\" (\"title\", \"person_id\") VALUES (?, ?)",
            "UPDATE \"posts\" SET \"title\" = ? WHERE \"posts\".\"id\" = ?",
        ],
        {
            ann.update_from(&values, permit![posts: [id, title, _destroy]])
                .await?;
        }
    );
    assert_eq!(titles(&db).await?, ["a2", "c"]);
    // All that is named is in memory now: nothing is read for it.
    let index = given([
        ("7", titled("a3").with("id", 1).into()),
        ("new", titled("d").into()),
    ]);
    assert_queries!(db, 0, {
        ann.posts_attributes(index, permit![id, title]).await?;
    });
    ann.save().await?;
    assert_eq!(titles(&db).await?, ["a3", "c", "d"]);
    ann.posts_attributes(titled("single").with("id", 1), permit![id, title])
        .await?;
    ann.save().await?;
    assert_eq!(titles(&db).await?, ["single", "c", "d"]);
    Ok(())
}

#[relata::test]
async fn members_of_members_are_saved_and_their_errors_named(db: Db) -> Result<()> {
    tables(&db).await?;
    let body = |body: &str| Params::new().with("body", body);
    let post = titled("a").with("comments_attributes", vec![body("x"), body("y")]);
    let values = given([
        ("name", "Ann".into()),
        ("posts_attributes", vec![post].into()),
    ]);
    let permit = permit![name, posts: [title, comments: [id, body]]];
    let ann = Person::create_from(&db, &values, &permit).await?;
    assert_eq!(
        Comment::all(&db).order(|c| c.id).pluck(|c| c.body).await?,
        ["x", "y"]
    );

    let bad = given([("id", 2.into()), ("body", "".into())]);
    let post = given([
        ("id", 1.into()),
        ("comments_attributes", vec![body("z"), bad].into()),
    ]);
    let values = given([("posts_attributes", vec![post].into())]);
    let permit = permit![posts: [id, comments: [id, body]]];
    let again = Person::find(&db, ann.id()).await?;
    assert!(!again.update_from(&values, permit).await.saved()?);
    assert_eq!(again.errors().attribute_names(), ["posts.comments[1].body"]);
    assert_eq!(Comment::all(&db).count().await?, 2);
    Ok(())
}

#[relata::test]
async fn errors_name_members_by_their_place_in_what_was_given(db: Db) -> Result<()> {
    tables(&db).await?;
    let ann = Person::create(&db, |p| p.set_name("Ann")).await?;
    ann.notes().create(|n| n.set_body("first")).await?;
    let ann = Person::find(&db, ann.id()).await?;
    ann.notes().await?;
    // The first is passed over, and takes its place all the same.
    let notes: Vec<Params> = ["Ann", "ok", ""]
        .map(|body| Params::new().with("body", body))
        .into();
    let values = given([("notes_attributes", notes.into())]);
    assert!(
        !ann.update_from(&values, permit![notes: [body]])
            .await
            .saved()?
    );
    assert_eq!(ann.errors().attribute_names(), ["notes[2].body"]);
    Ok(())
}

#[relata::test]
async fn what_is_not_this_owners_is_not_found(db: Db) -> Result<()> {
    tables(&db).await?;
    let ann = Person::create(&db, |p| p.set_name("Ann")).await?;
    let bob = Person::create(&db, |p| p.set_name("Bob")).await?;
    let his = bob.posts().create(|p| p.set_title("his")).await?;
    let permit = permit![name, posts: [id, title, _destroy]];
    for id in [his.id().into(), Param::from("x"), Param::from(99)] {
        let shown = format!("{:?}", id.value().unwrap()).replace('"', "");
        let member = titled("mine").with("id", id).with("_destroy", true);
        let values = given([
            ("name", "Eve".into()),
            ("posts_attributes", vec![titled("n"), member].into()),
        ]);
        let error = ann.update_from(&values, &permit).await.unwrap_err();
        assert!(error.is_record_not_found());
        let sentence = format!("Couldn't find Post with ID={shown} for Person with ID=1");
        assert_eq!(error.to_string(), sentence);
        assert!(!ann.is_changed() && ann.posts().target().is_empty());
    }
    let new = Person::build(&db, |p| p.set_name("Cid"));
    let member = vec![titled("x").with("id", 1)];
    let error = new
        .posts_attributes(member, permit![id, title])
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "Couldn't find Post with ID=1 for Person with ID="
    );
    assert_eq!(titles(&db).await?, ["his"]);
    Ok(())
}

#[relata::test]
async fn limits_rejections_and_marks_are_heeded(db: Db) -> Result<()> {
    tables(&db).await?;
    let ann = Person::create(&db, |p| p.set_name("Ann")).await?;
    let many = vec![titled("x"); 4];
    let error = ann
        .posts_attributes(many, permit![title])
        .await
        .unwrap_err();
    assert!(error.is_too_many_records());
    assert_eq!(
        error.to_string(),
        "Maximum 3 records are allowed. Got 4 records instead."
    );

    let blank = given([("title", " ".into()), ("_destroy", "0".into())]);
    let gone = titled("gone").with("_destroy", "1");
    ann.posts_attributes(vec![blank, gone, titled("kept")], permit![title, _destroy])
        .await?;
    assert_eq!(ann.posts().target().len(), 1);
    ann.save().await?;

    let notes = vec![Params::new().with("body", "b"); 4];
    let error = ann
        .notes_attributes(notes.clone(), permit![body])
        .await
        .unwrap_err();
    assert!(error.is_too_many_records());
    ann.set_admin(Some(true))
        .notes_attributes(notes, permit![body])
        .await?;
    assert_eq!(ann.notes().target().len(), 4);

    // A member whose values would be rejected is destroyed all the same.
    let values = given([
        ("id", 1.into()),
        ("title", "".into()),
        ("_destroy", true.into()),
    ]);
    ann.posts_attributes(vec![values], permit![id, title, _destroy])
        .await?;
    assert!(ann.posts().target()[0].is_marked_for_destruction());
    ann.save().await?;
    assert_eq!(titles(&db).await?, [""; 0]);

    // Where it is not allowed, the mark means nothing.
    let note = ann.notes().target()[0].clone();
    let values = given([
        ("id", note.id().into()),
        ("body", "c".into()),
        ("_destroy", true.into()),
    ]);
    ann.notes_attributes(vec![values], permit![id, body, _destroy])
        .await?;
    ann.save().await?;
    assert_eq!(Note::find(&db, note.id()).await?.body(), "c");
    Ok(())
}

#[relata::test]
async fn a_has_one_is_replaced_changed_or_destroyed(db: Db) -> Result<()> {
    tables(&db).await?;
    let ann = Person::create(&db, |p| p.set_name("Ann")).await?;
    let permit = permit![id, bio, _destroy];
    let bio = |bio: &str| Params::new().with("bio", bio);
    ann.profile_attributes(bio("x"), &permit).await?;
    ann.save().await?;
    let first = ann.profile().await?.expect("it was saved");
    ann.profile_attributes(bio("y").with("id", first.id()), &permit)
        .await?;
    assert_eq!(first.bio(), "y");
    ann.save().await?;
    // Without an id a new one takes its place, which the old one leaves when the owner is saved.
    ann.profile_attributes(bio("z"), &permit).await?;
    assert_eq!(Profile::all(&db).count().await?, 1);
    ann.save().await?;
    let all = Profile::all(&db)
        .order(|p| p.id)
        .pluck(|p| (p.bio, p.person_id))
        .await?;
    assert_eq!(all, [("y".to_owned(), None), ("z".to_owned(), Some(1))]);
    let error = ann
        .profile_attributes(bio("w").with("id", 77), &permit)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "Couldn't find Profile with ID=77 for Person with ID=1"
    );
    ann.profile_attributes(given([("id", 2.into()), ("_destroy", "1".into())]), &permit)
        .await?;
    ann.save().await?;
    assert_eq!(Profile::all(&db).pluck(|p| p.id).await?, [1]);
    let error = ann.profile_attributes(vec![1], &permit).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Hash expected for `profile` attributes, got Array"
    );
    Ok(())
}

#[relata::test]
async fn update_only_changes_the_one_that_is_there(db: Db) -> Result<()> {
    tables(&db).await?;
    let ann = Person::create(&db, |p| p.set_name("Ann")).await?;
    let permit = permit![badge: [id, text]];
    for (text, id) in [
        ("a", Param::from(None::<i64>)),
        ("b", 55.into()),
        ("c", "".into()),
    ] {
        let badge = given([("text", text.into()), ("id", id)]);
        let values = given([("badge_attributes", badge.into())]);
        if text == "b" {
            // Another handle, that has loaded nothing.
            let again = Person::find(&db, ann.id()).await?;
            again.update_from(&values, &permit).await?;
        } else {
            ann.update_from(&values, &permit).await?;
        }
    }
    assert_eq!(
        Badge::all(&db).pluck(|b| (b.id, b.text)).await?,
        [(1, "c".to_owned())]
    );
    Ok(())
}

#[relata::test]
async fn a_parent_is_made_and_changed(db: Db) -> Result<()> {
    tables(&db).await?;
    let values = titled("a").with("person_attributes", Params::new().with("name", "Ann"));
    let permit = permit![title, person: [id, name]];
    let post = Post::create_from(&db, &values, &permit).await?;
    let ann = post.person().await?.expect("it was saved first");
    assert_eq!(post.person_id(), Some(ann.id()));
    let person = given([("id", ann.id().into()), ("name", "".into())]);
    let values = given([("person_attributes", person.into())]);
    assert!(!post.update_from(&values, &permit).await.saved()?);
    assert_eq!(
        post.errors().full_messages(),
        ["Person name can't be blank"]
    );
    Ok(())
}

#[relata::test]
async fn a_collection_is_given_by_keys_and_a_confirmation_is_kept(db: Db) -> Result<()> {
    tables(&db).await?;
    let ann = Person::create(&db, |p| p.set_name("Ann")).await?;
    for title in ["a", "b"] {
        Post::create(&db, |p| p.set_title(title)).await?;
    }
    let form = Params::from_form([("post_ids[]", ""), ("post_ids[]", "2"), ("post_ids[]", "1")])?;
    ann.update_from(&form, permit![post_ids: []]).await?;
    assert_eq!(ann.posts().count().await?, 2);
    let error = ann
        .assign(Params::new().with("post_ids", ["3"]), permit![post_ids: []])
        .await;
    assert!(error.unwrap_err().is_record_not_found());
    // What stands before it was not set.
    let values = given([("name", "Bea".into()), ("post_ids", ["9"].into())]);
    let error = ann.assign(values, permit![name, post_ids: []]).await;
    assert!(error.unwrap_err().is_record_not_found());
    assert_eq!((ann.name(), ann.is_changed()), ("Ann", false));
    // One that is not a list is not of the permitted shape.
    ann.update_from(Params::new().with("post_ids", "2"), permit![post_ids: []])
        .await?;
    assert_eq!(ann.posts().count().await?, 2);

    let post = Post::find(&db, 1).await?;
    let values = given([("mail", "a@b".into()), ("mail_confirmation", "a@c".into())]);
    let permit = permit![mail, mail_confirmation];
    assert!(!post.update_from(&values, permit).await.saved()?);
    assert_eq!(post.errors().attribute_names(), ["mail_confirmation"]);
    Ok(())
}

#[relata::test]
async fn what_the_list_or_the_values_have_wrong_is_an_error(db: Db) -> Result<()> {
    tables(&db).await?;
    let ann = Person::create(&db, |p| p.set_name("Ann")).await?;
    let said = async |given: Param, permit: Permit| {
        let error = ann.assign(given, permit).await.unwrap_err();
        (error.kind(), error.to_string())
    };
    let name = || Params::new().with("name", "Bob");
    let (kind, text) = said(name().into(), permit![nmae]).await;
    assert_eq!(kind, ErrorKind::UnknownAttribute);
    assert!(text.contains("did you mean `name`?"), "{text}");
    let (kind, _) = said(name().into(), permit![pots: [title]]).await;
    assert_eq!(kind, ErrorKind::AssociationNotFound);
    let (kind, text) = said(name().with("x", 1).into(), permit![name].strict()).await;
    assert_eq!(kind, ErrorKind::Argument);
    assert!(text.starts_with("found unpermitted parameter: x"), "{text}");
    let nested = given([(
        "posts_attributes",
        vec![titled("a").with("person_id", 2)].into(),
    )]);
    let (kind, _) = said(nested.into(), permit![posts: [title]].strict()).await;
    assert_eq!(kind, ErrorKind::Argument);
    let (kind, _) = said(name().with("x", 1).into(), Permit::all()).await;
    assert_eq!(kind, ErrorKind::UnknownAttribute);
    let (kind, text) = said(Param::from("name=Bob"), Permit::all()).await;
    assert_eq!(kind, ErrorKind::Argument);
    assert!(
        text.ends_with("a hash as an argument, String passed."),
        "{text}"
    );
    for (wrong, class) in [
        (Param::from("nope"), "Hash or Array"),
        (vec!["x"].into(), "Hash"),
    ] {
        let values = given([("posts_attributes", wrong)]);
        let (kind, text) = said(values.into(), Permit::all()).await;
        assert_eq!(kind, ErrorKind::Argument);
        assert!(
            text.starts_with(&format!("{class} expected for `posts` attributes")),
            "{text}"
        );
    }
    let post = ann.posts().create(|p| p.set_title("a")).await?;
    let comments = post.association("comments")?;
    assert!(
        comments
            .assign_attributes(vec![1], Permit::all())
            .await
            .is_err()
    );
    let error = ann.association("posts")?.load_many().await?[0]
        .association("person")?
        .assign_attributes(1, Permit::all())
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "Hash expected for `person` attributes, got Integer"
    );
    assert!(!ann.is_changed());
    Ok(())
}

#[relata::test]
async fn nesting_ends_at_a_depth(db: Db) -> Result<()> {
    tables(&db).await?;
    let mut values = Params::new().with("name", "end");
    for level in 0..40 {
        values = if level % 2 == 0 {
            titled("p").with("person_attributes", values)
        } else {
            Params::new()
                .with("name", "n")
                .with("posts_attributes", vec![values])
        };
    }
    let error = Person::new(&db)
        .assign(&values, Permit::all())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the values nest deeper than 32 levels");
    assert!(Params::from_form([(format!("a{}", "[b]".repeat(32)), "x")]).is_err());
    Ok(())
}

#[test]
fn a_form_whose_fields_do_not_fit_is_refused() {
    for fields in [
        [("a", "1"), ("a[b]", "2")],
        [("a[]", "1"), ("a[b]", "2")],
        [("a[b]", "1"), ("a", "2")],
        [("a[b]", "1"), ("a[]", "2")],
        [("x", "1"), ("a[][b]", "2")],
    ] {
        let error = Params::from_form(fields).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument, "{fields:?}");
    }
    let odd = Params::from_form([("a[b", "1"), ("[a]", "2"), ("c", "1"), ("c", "2")]).unwrap();
    assert_eq!(odd.names().collect::<Vec<_>>(), ["a[b", "[a]", "c"]);
    assert_eq!(odd.text("c"), Some("2"));
    assert!(Params::from_form((0..5000).map(|n| (format!("f{n}"), "x"))).is_err());
}

/// The same by name, on models made at run time.
fn by_name(nested: NestedAttributes) -> Result<&'static ModelReflection> {
    let nullable = |kind| AttributeType::plain(kind, true);
    let id = || Column::new("id", AttributeType::plain(Kind::Int, false));
    let (shelf, shelf_slot) = ModelBuilder::target("Shelf");
    let (book, book_slot) = ModelBuilder::target("Book");
    let books = Declared::new("Shelf", "has_many", "books")?
        .option(
            "index_errors",
            Setting::Text("nested_attributes_order".into()),
        )?
        .leading_to(book)?;
    let to_shelf = Declared::new("Book", "belongs_to", "shelf")?.leading_to(shelf)?;
    let shelves = ModelBuilder::new("Shelf", "shelves")
        .column(id())
        .column(Column::new("label", nullable(Kind::Text)))
        .primary_key(["id"])
        .association(books)
        .accepts_nested_attributes_for("books", nested)?
        .define()?;
    let books = ModelBuilder::new("Book", "books")
        .column(id())
        .column(Column::new("title", nullable(Kind::Text)))
        .column(Column::new("shelf_id", nullable(Kind::Int)))
        .primary_key(["id"])
        .association(to_shelf)
        .define()?;
    shelf_slot.set(shelves).expect("set once");
    book_slot.set(books).expect("set once");
    Ok(shelves)
}

#[relata::test]
async fn by_name_it_is_the_same(db: Db) -> Result<()> {
    let rejects = RejectIf::When(&|shelf, book| {
        book.text("title")
            == shelf
                .get("label")
                .ok()
                .as_ref()
                .and_then(|label| label.as_str())
    });
    let words = NestedAttributes::new()
        .option("allow_destroy", &Setting::Flag(true))?
        .reject_if(rejects)
        .option("reject_if", &Setting::Code)?
        .limit(MemberLimit::Of(&|_| 2));
    let shelf = by_name(words)?;
    let books = shelf.reflect_on_association("books").expect("declared");
    assert_eq!(books.autosave(), Some(true));
    assert!(books.options().contains(&("autosave", "true")));
    assert!(books.methods().contains(&"books_attributes".to_owned()));
    let target = books.nested_attributes().expect("accepted");
    assert!(target.allows_destroy() && !target.updates_only());
    let book = shelf.resolve(0)?.target;
    db.create_tables([shelf, book]).await?;

    let record = Record::new(shelf, &db);
    record.set("label", "A")?;
    let values = given([
        ("label", "A".into()),
        ("books_attributes", vec![titled("Emma"), titled("A")].into()),
    ]);
    let permit = Permit::new()
        .name("label")
        .nested("books", Permit::new().name("title"));
    record.update_from(&values, &permit).await?;
    let emma = record.association("books")?.target().remove(0);
    assert_eq!(record.association("books")?.target().len(), 1);
    let values = given([("id", "1".into()), ("_destroy", "t".into())]);
    let members = record.association("books")?;
    members
        .assign_attributes(vec![values], Permit::all())
        .await?;
    assert!(emma.is_marked_for_destruction());
    record.save().await?;
    assert_eq!(relata::Relation::<Record>::of(book, &db).count().await?, 0);
    Ok(())
}

#[test]
fn what_is_declared_wrong_in_words_is_an_error() {
    let unknown = by_name_error("nope");
    assert_eq!(
        unknown,
        "No association found for name `nope'. Has it been defined yet?"
    );
    let nested = NestedAttributes::new();
    let error = nested.option("bogus", &Setting::Flag(true)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Unknown key: :bogus. Valid keys are: :allow_destroy, :reject_if, :limit, :update_only"
    );
    // A function that is named and not given is not passed over.
    let error = nested.option("reject_if", &Setting::Code).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

fn by_name_error(association: &str) -> String {
    ModelBuilder::new("Shelf", "shelves")
        .accepts_nested_attributes_for(association, NestedAttributes::new())
        .unwrap_err()
        .to_string()
}

#[test]
fn the_typed_declaration_says_the_same() {
    let nested = |name| {
        Person::reflect_on_association(name)
            .expect("declared")
            .nested_attributes()
    };
    assert!(nested("posts").expect("accepted").allows_destroy());
    assert!(nested("badge").expect("accepted").updates_only());
    let notes = Person::reflect_on_association("notes").expect("declared");
    assert_eq!(notes.autosave(), Some(true));
    assert!(
        notes
            .options()
            .contains(&("index_errors", "nested_attributes_order"))
    );
    let by = relata::reflection::AssociationReflection::has_many(
        "notes",
        relata::reflection::Target::Model(Note::reflection),
    );
    assert!(
        by.with_index_errors(IndexErrors::Assigned)
            .nested_attributes()
            .is_none()
    );
}

/// A member that was named twice in one request, and was not in memory, stood in memory twice.
#[relata::test]
async fn a_member_that_is_named_twice_is_one_member(db: Db) -> Result<()> {
    db.create_tables([Person::reflection(), Post::reflection()])
        .await?;
    let ann = Person::create(&db, |p| p.set_name("Ann")).await?;
    let post = ann.posts().create(|p| p.set_title("a")).await?;
    let found = Person::find(&db, ann.id()).await?;
    let named = |title: &str| Params::new().with("id", post.id()).with("title", title);
    let given = Params::new().with("posts_attributes", [named("b"), named("c")]);
    found.assign(given, permit![posts: [id, title]]).await?;
    let titles: Vec<String> = found
        .posts()
        .target()
        .iter()
        .map(|p| p.title().into())
        .collect();
    assert_eq!(titles, ["c"]);
    assert_eq!(found.posts().size().await?, 1);
    Ok(())
}

#[relata::test]
async fn a_member_that_is_named_twice_is_one_and_many_are_found_at_once(db: Db) -> Result<()> {
    tables(&db).await?;
    let ann = Person::create(&db, |p| p.set_name("Ann")).await?;
    ann.set_admin(Some(true)).save().await?;
    for number in 0..40 {
        let note = ann.notes().create(|n| n.set_body(format!("{number}")));
        note.await?;
    }
    let ann = Person::find(&db, ann.id()).await?;
    let named = |id: i64, body: &str| given([("id", id.into()), ("body", body.into())]);
    let mut notes: Vec<Params> = (1..=40).rev().map(|id| named(id, "first")).collect();
    notes.push(named(7, "again"));
    notes.push(given([("body", "new".into())]));
    let values = Params::new().with("notes_attributes", notes);
    let permit = permit![notes: [id, body]];
    assert_queries!(db, 1, {
        ann.assign(&values, &permit).await?;
    });
    assert_eq!(ann.notes().target().len(), 41);
    ann.save().await?;
    let bodies = Note::all(&db).order(|n| n.id).pluck(|n| n.body).await?;
    assert_eq!(
        (bodies.len(), &*bodies[6], &*bodies[7]),
        (41, "again", "first")
    );
    // They are in memory now: nothing is asked for.
    assert_queries!(db, 0, {
        ann.assign(&values, &permit).await?;
    });
    assert_eq!(ann.notes().target().len(), 42);
    Ok(())
}

/// Each name that memory looked through for each other one would be minutes here.
#[relata::test]
async fn names_and_values_of_one_request_may_be_many(db: Db) -> Result<()> {
    tables(&db).await?;
    let many = 20_000;
    let mut params: Params = (0..many)
        .map(|number| (format!("name{number}"), number))
        .collect();
    assert_eq!(params.len(), 20_000);
    params.set("name3", 7);
    let again: Params = params
        .clone()
        .into_iter()
        .chain([("name19999".to_owned(), Param::from(8))])
        .collect();
    assert_eq!(again.len(), 20_000);
    assert_eq!(again.names().nth(19_999), Some("name19999"));
    assert_eq!(again.get("name19999"), Some(&Param::from(8)));
    assert_eq!(again.get("name3"), Some(&Param::from(7)));

    let post = Post::build(&db, |p| p.set_title("x"));
    let comments: Vec<Params> = (0..many)
        .map(|at| given([("stars", format!("x{at}").into())]))
        .collect();
    let error = post
        .assign(
            Params::new().with("comments_attributes", comments),
            permit![comments: [stars]],
        )
        .await
        .unwrap_err();
    assert!(error.is_record_invalid());
    assert_eq!(post.errors().attribute_names().len(), 20_000);
    Ok(())
}
