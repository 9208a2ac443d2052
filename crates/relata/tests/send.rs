//! Every public future can be awaited in a handler of a web server: what holds it is `Send` and `'static`.
//!
//! The functions below are such handlers; they are compiled, and that is the test. Each method of the library that gives
//! something to await is called in one of them, which the second test makes sure of.

use std::future::Future;
use std::path::Path;

use relata::association::Removal;
use relata::jobs::TableQueue;
use relata::{
    Db, DestroyJob, Model as _, Options, Params, Raw, Record, Relation, Result, SaveOptions, Value,
    model, permit,
};

#[model]
pub struct Person {
    id: i64,
    name: String,
    age: Option<i64>,
    #[has_many(inverse_of = author)]
    posts: Post,
    #[has_one]
    profile: Option<Profile>,
}

#[model]
pub struct Profile {
    id: i64,
    motto: String,
    person_id: Option<i64>,
    #[belongs_to]
    person: Option<Person>,
}

#[model]
pub struct Post {
    id: i64,
    title: String,
    author_id: i64,
    #[belongs_to]
    author: Person,
}

/// What a server asks of a handler, and `tokio::spawn` of a task.
fn handler<F: Future<Output = Result<()>> + Send + 'static>(_: impl FnOnce(Db) -> F) {}

#[test]
fn every_public_future_can_be_awaited_in_a_spawned_task() {
    handler(databases);
    handler(transactions);
    handler(relations);
    handler(values);
    handler(records);
    handler(counters_and_callbacks);
    #[cfg(feature = "password")]
    handler(passwords);
    handler(set_wise);
    handler(found_or_created);
    handler(written_collections);
    handler(written_by_name);
    handler(assigned);
    handler(left_for_later);
    handler(singular);
    handler(collections);
    handler(by_name);
    handler(tallied);
}

async fn databases(_: Db) -> Result<()> {
    let db = Db::connect("sqlite::memory:").await?;
    let db = Db::connect_with("sqlite::memory:", Options::new())
        .await
        .unwrap_or(db);
    db.create_tables([Person::reflection()]).await?;
    db.check_tables([Person::reflection()]).await?;
    db.execute_sql(Raw::new("SELECT 1")).await?;
    db.fetch_sql(Raw::new("SELECT 1")).await?;
    db.fetch_sql(Raw::new("SELECT 1")).await?;
    db.after_commit(|| async {}).await?;
    Ok(())
}

/// Closures that borrow, nested, with a helper that borrows too, and with a value that is written from inside.
async fn transactions(db: Db) -> Result<()> {
    async fn inside(db: &Db, names: &mut Vec<String>) -> Result<()> {
        db.transaction(async || {
            for person in &Person::all(db).await? {
                names.push(person.name().to_owned());
                person.posts().await?;
            }
            Ok(())
        })
        .await
    }
    let mut names = Vec::new();
    let ann = Person::find(&db, 1).await?;
    db.read_only(async || ann.posts().count().await).await?;
    db.transaction_with::<relata::Error, _, _>(async || ann.save().await)
        .await?;
    db.transaction(async || ann.save().await)
        .read_only()
        .await?;
    db.transaction(async || {
        ann.set_name("Ann").save().await?;
        inside(&db, &mut names).await?;
        db.after_commit(|| async {}).await?;
        let boxed: std::pin::Pin<Box<dyn Future<Output = Result<()>> + Send + '_>> =
            Box::pin(db.transaction(async || ann.destroy().await));
        boxed.await
    })
    .await
}

async fn relations(db: Db) -> Result<()> {
    let all = Post::all(&db)
        .filter(|p| p.author.name.eq("Ann"))
        .order(|p| p.id.desc())
        .includes(|p| p.author);
    let ann = Person::find(&db, 1).await?;
    all.clone().filter(|p| p.author.is(&ann)).await?;
    let _ = (&all).await?;
    all.load().await?;
    all.take().await?;
    all.take_or_fail().await?;
    all.take_n(2).await?;
    all.first().await?;
    all.first_or_fail().await?;
    all.first_n(2).await?;
    all.last().await?;
    all.last_n(2).await?;
    all.sole().await?;
    all.exists().await?;
    all.find(1).await?;
    all.find_many([1, 2]).await?;
    all.find_key([Value::Int(1)]).await?;
    all.find_keys(vec![vec![Value::Int(1)]]).await?;
    all.find_by(|p| p.title.eq("x")).await?;
    all.find_by_or_fail(|p| p.title.eq("x")).await?;
    all.explain().await?;
    let mut batches = all.in_batches(10);
    while let Some(posts) = batches.next().await? {
        posts[0].author().await?;
    }
    let mut each = all.find_each(10);
    while let Some(post) = each.next().await? {
        post.author().await?;
    }
    Ok(())
}

async fn values(db: Db) -> Result<()> {
    let all = Person::all(&db);
    all.count().await?;
    all.sum(|p| p.id).await?;
    all.average(|p| p.id).await?;
    all.minimum(|p| p.name).await?;
    all.maximum(|p| p.name).await?;
    all.count_by(|p| p.age).await?;
    all.sum_by(|p| p.name, |p| p.age).await?;
    all.average_by(|p| p.name, |p| p.age).await?;
    all.minimum_by(|p| p.name, |p| p.age).await?;
    all.maximum_by(|p| p.name, |p| p.age).await?;
    all.extract_associated(|p| p.posts).await?;
    all.pluck(|p| (p.id, p.name)).await?;
    all.pick(|p| p.name).await?;
    all.project(|p| (p.id, p.name), |(id, name)| format!("{id} {name}"))
        .await?;
    all.pluck_named(["id", "name"]).await?;
    all.pick_named(["id"]).await?;
    all.keys().await?;
    all.extract_associated_named("posts").await?;
    all.sum_by_named(["name"], "age").await?;
    all.average_by_named(["name"], "age").await?;
    all.minimum_by_named(["name"], "age").await?;
    all.maximum_by_named(["name"], "age").await?;
    all.ids().await?;
    Ok(())
}

async fn records(db: Db) -> Result<()> {
    let ann = Person::create(&db, |p| p.set_name("Ann")).await?;
    let same = ann.clone();
    ann.is_valid().await?;
    ann.set_name("Bob").save().await?;
    same.reload().await?;
    let name: &str = same.name();
    ann.save_with(SaveOptions::default()).await?;
    ann.update_attribute("name", "Bob").await?;
    ann.update_columns([("name", Value::from("Bob"))]).await?;
    ann.increment("age", 1).await?;
    ann.decrement("age", 1).await?;
    ann.toggle("age").await?;
    ann.touch().await?;
    ann.touch_columns(["name"]).await?;
    ann.lock().await?;
    ann.with_lock(async || ann.save().await).await?;
    same.delete().await?;
    ann.destroy().await?;
    assert_eq!(name, "Bob");
    Ok(())
}

async fn singular(db: Db) -> Result<()> {
    let post = Post::find(&db, 1).await?;
    let ann = post.author().await?;
    post.author().load().await?;
    post.author().reload().await?;
    post.author().create(|a| a.set_name("Ann")).await?;
    post.create_author(|a| a.set_name("Ann")).await?;
    post.reload_author().await?;
    ann.profile().await?;
    ann.create_profile(|p| p.set_motto("x")).await?;
    ann.reload_profile().await?;
    Ok(())
}

async fn collections(db: Db) -> Result<()> {
    let ann = Person::find(&db, 1).await?;
    let post = ann.posts().create(|p| p.set_title("x")).await?;
    for post in ann.posts().await? {
        post.author().await?;
    }
    ann.posts().load().await?;
    ann.posts().reload().await?;
    ann.posts().push(&post).await?;
    ann.posts().concat([&post]).await?;
    ann.posts().size().await?;
    ann.posts().len().await?;
    ann.posts().count().await?;
    ann.posts().is_empty().await?;
    ann.posts().any().await?;
    ann.posts().contains(&post).await?;
    ann.posts().find(1).await?;
    ann.posts().first().await?;
    ann.posts().last().await?;
    ann.posts().ids().await?;
    ann.post_ids().await?;
    ann.posts().filter(|p| p.title.eq("x")).await?;
    relata::loading::preload([&ann], |p| p.posts).await?;
    let preloader = relata::loading::Preloader::of([&ann]).associations(|p| p.posts);
    preloader.available_records([&ann]).call().await?;
    Ok(())
}

async fn tallied(db: Db) -> Result<()> {
    use relata::loading;
    let people = Person::all(&db).await?;
    loading::counts(&people, |p| p.posts).await?;
    loading::sums(&people, |p| p.posts.id).await?;
    loading::minimums(&people, |p| p.posts.id).await?;
    loading::maximums(&people, |p| p.posts.id).await?;
    let records: Vec<Record> = people.iter().map(|p| (**p).clone()).collect();
    loading::counts_named(&records, "posts").await?;
    loading::tallies_named(&records, "posts", "sum", "id").await?;
    Person::all(&db).create_or_take(|p| p.set_name("x")).await?;
    let all: Relation = Relation::of(Person::reflection(), &db);
    all.create_or_find_with(&[("name", "x".into())]).await?;
    Ok(())
}

async fn by_name(db: Db) -> Result<()> {
    let all = Relation::of(Person::reflection(), &db).includes_named(["posts"])?;
    let ann: Record = all.first_or_fail().await?;
    let post = Record::new(Post::reflection(), &db);
    ann.association("posts")?.push(&post).await?;
    ann.association("posts")?.load_many().await?;
    post.association("author")?.load_one().await?;
    post.set("title", "x")?.save().await?;
    all.sum_named("id").await?;
    all.average_named("id").await?;
    all.minimum_named("id").await?;
    all.maximum_named("id").await?;
    relata::loading::preload_named(&[ann], ["posts"]).await?;
    Ok(())
}

#[cfg(feature = "password")]
async fn passwords(db: Db) -> Result<()> {
    let all = Person::all(&db);
    all.authenticate_by("password", "x").await?;
    all.find_by_token_for("password_reset", "x").await?;
    all.find_by_token_for_or_fail("password_reset", "x").await?;
    let ann = Person::find(&db, 1).await?;
    ann.authenticate_with("password", "x").await?;
    Ok(())
}

async fn counters_and_callbacks(db: Db) -> Result<()> {
    async fn around(inside: relata::callback::Inside) -> Result<()> {
        inside.run().await
    }
    handler(|_| async {
        let _: fn(relata::callback::Inside) -> _ = around;
        Ok(())
    });
    let all = Person::all(&db);
    all.update_counters([("age", 1)], false).await?;
    all.reset_counters(1, ["posts"], false).await?;
    all.count_by_named(["age"]).await?;
    let ann = all.first_or_fail().await?;
    ann.is_valid_in("signup").await?;
    relata::no_touching([Person::reflection()], async || ann.save().await).await
}

async fn set_wise(db: Db) -> Result<()> {
    let all = Person::all(&db).filter(|p| p.name.eq("x"));
    all.update_all(|p| p.name.set("y")).await?;
    all.update_all_by(&[("name", Value::from("y"))]).await?;
    all.touch_all().await?;
    all.delete_all().await?;
    all.destroy_all().await?;
    Ok(())
}

async fn found_or_created(db: Db) -> Result<()> {
    let all = Person::all(&db);
    all.find_or_create_by(|p| p.name.eq("x"), |p| p).await?;
    all.find_or_initialize_by(|p| p.name.eq("x"), |p| p).await?;
    all.create_or_find_by(|p| p.name.eq("x"), |p| p).await?;
    all.first_or_create(|p| p).await?;
    all.first_or_initialize(|p| p).await?;
    all.take_or_create(|p| p).await?;
    let ann = all.take_or_initialize(|p| p).await?;
    ann.posts()
        .find_or_create_by(|p| p.title.eq("x"), |p| p)
        .await?;
    ann.posts()
        .find_or_initialize_by(|p| p.title.eq("x"), |p| p)
        .await?;
    ann.posts().first_or_create(|p| p).await?;
    Ok(())
}

async fn written_collections(db: Db) -> Result<()> {
    let ann = Person::find(&db, 1).await?;
    let post = Post::find(&db, 1).await?;
    ann.posts().many().await?;
    ann.posts().one().await?;
    ann.posts().replace([&post]).await?;
    ann.posts().replace_ids([1]).await?;
    ann.posts().delete([&post]).await?;
    ann.posts().delete_ids([1]).await?;
    ann.posts().delete_all().await?;
    ann.posts().delete_all_with(Removal::Delete).await?;
    ann.posts().destroy([&post]).await?;
    ann.posts().destroy_all().await?;
    ann.posts().clear().await?;
    ann.profile().replace(None).await?;
    Ok(())
}

async fn written_by_name(db: Db) -> Result<()> {
    let all = Relation::of(Person::reflection(), &db);
    all.find_or_create_with(&[("name", Value::from("x"))])
        .await?;
    let ann: Record = all
        .find_or_initialize_with(&[("name", Value::from("x"))])
        .await?;
    let post = Record::new(Post::reflection(), &db);
    all.create_record(&ann).await?;
    let posts = ann.association("posts")?;
    posts.create_member(&post).await?;
    posts.replace_many([post.clone()]).await?;
    posts.many().await?;
    posts.one().await?;
    posts.delete_all_with(Removal::Nullify).await?;
    posts.destroy([post.clone()]).await?;
    posts.replace_ids(vec![vec![Value::Int(1)]]).await?;
    posts.delete([post.clone()]).await?;
    posts.delete_keys(vec![vec![Value::Int(1)]]).await?;
    posts.destroy_keys(vec![vec![Value::Int(1)]]).await?;
    ann.association("profile")?.replace_one(None).await?;
    post.association("author")?.create_one(&ann).await?;
    Ok(())
}

async fn assigned(db: Db) -> Result<()> {
    let values = Params::new().with("name", "x");
    let ann = Person::create_from(&db, &values, permit![name]).await?;
    ann.assign(&values, permit![name]).await?;
    ann.update_from(values, permit![name]).await?;
    let posts = ann.association("posts")?;
    posts
        .assign_attributes(Params::new(), permit![title])
        .await?;
    Ok(())
}

async fn left_for_later(db: Db) -> Result<()> {
    let queue = TableQueue::new();
    let worker = queue.worker(&db, [Person::reflection()]);
    worker.run_due().await?;
    worker.run_until(async {}).await?;
    queue.dead(&db).await?;
    let job = DestroyJob::new("Person", Vec::new(), "posts", "Post", Vec::new());
    job.perform(&db, [Person::reflection(), Post::reflection()])
        .await?;
    Ok(())
}

/// The public methods of the library that give something to await, by their names in its source.
fn awaitable(folder: &Path, names: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            awaitable(&path, names);
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        // What only generated code calls.
        if path.ends_with("declare.rs") {
            continue;
        }
        // Methods of the trait of models are public without saying so.
        let of_trait = path.ends_with("model.rs");
        for (at, _) in source.match_indices("fn ") {
            let line = source[..at]
                .rsplit('\n')
                .next()
                .unwrap_or_default()
                .trim_start();
            // Constructors of tables: `pub const fn later`.
            let public = (line.starts_with("pub ") && !line.contains("const "))
                || (of_trait && line.is_empty());
            let signature = source[at..].split(['{', ';']).next().unwrap_or_default();
            let name = signature["fn ".len()..]
                .split(['(', '<'])
                .next()
                .unwrap_or_default();
            let waits = line.contains("async ")
                || signature.contains("-> Pending<")
                || signature.contains("-> Transaction<")
                || signature.contains("-> NoTouching<")
                || signature.contains("-> impl Future<");
            if public && waits && !name.starts_with("__") {
                names.push(name.to_owned());
            }
        }
    }
}

#[test]
fn no_public_future_is_left_out() {
    let mut names = Vec::new();
    awaitable(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut names,
    );
    assert!(names.len() > 60, "{names:?}");
    let here = include_str!("send.rs");
    let called = |name: &String| {
        [".", "::"].iter().any(|before| {
            ["(", "::<"]
                .iter()
                .any(|after| here.contains(&format!("{before}{name}{after}")))
        })
    };
    let left_out: Vec<&String> = names.iter().filter(|name| !called(name)).collect();
    assert!(
        left_out.is_empty(),
        "call these in a handler above: {left_out:?}"
    );
}
