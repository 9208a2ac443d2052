//! What `explain` says of an association: a page for each macro and kind, kept as a file, and statements that are those
//! which run.
//!
//! `RELATA_BLESS=1 cargo test -p relata --test explain` writes the pages anew: read the difference.

mod kinds;

use relata::attribute::{AttributeType, Kind};
use relata::reflection::{
    Classes, Column, Declared, ModelBuilder, ModelReflection, Reflected, Registry, Setting, Target,
};
use relata::{Db, ErrorKind, Result, assert_sql, model};

/// Who writes.
#[model]
pub struct Person {
    id: i64,
    name: String,
    #[column(default = 0)]
    posts_count: i64,
    #[has_many(inverse_of = author, dependent = destroy, before_add = |_, _| {})]
    posts: Post,
    #[has_many(foreign_key = author_id, scope = |p| p.order(|p| p.stars.desc()).limit(3))]
    best_posts: Post,
    #[has_one(dependent = nullify)]
    profile: Option<Profile>,
    mentor_id: Option<i64>,
    #[belongs_to]
    mentor: Option<Person>,
    #[has_many(foreign_key = mentor_id, inverse_of = mentor)]
    pupils: Person,
    #[has_many]
    subscriptions: Subscription,
    #[has_many(through = subscriptions, scope = |all| all.order(|m| m.title))]
    magazines: Magazine,
    #[has_and_belongs_to_many]
    tags: Tag,
}

/// Who reads what.
#[model]
pub struct Subscription {
    id: i64,
    person_id: i64,
    magazine_id: i64,
    #[belongs_to]
    person: Person,
    #[belongs_to]
    magazine: Magazine,
}

/// What is read.
#[model]
pub struct Magazine {
    id: i64,
    title: String,
}

/// What people are sorted by.
#[model]
pub struct Tag {
    id: i64,
    name: String,
}

/// At most one a person.
#[model]
pub struct Profile {
    id: i64,
    motto: String,
    person_id: Option<i64>,
    #[belongs_to(strict_loading)]
    person: Option<Person>,
}

/// What is written.
#[model]
pub struct Post {
    id: i64,
    title: String,
    stars: i64,
    author_id: i64,
    #[belongs_to(counter_cache, touch, inverse_of = posts)]
    author: Person,
    #[has_many(scope = |readers, post| readers.filter(|r| r.title.eq(post.title())), foreign_key = id)]
    namesakes: Post,
}

/// A line of an order in a shop.
#[model(primary_key = (shop_id, number))]
pub struct Order {
    shop_id: i64,
    number: i64,
    #[has_many(foreign_key = (shop_id, order_number))]
    lines: Line,
}

/// A line of an order.
#[model]
pub struct Line {
    id: i64,
    shop_id: i64,
    order_number: i64,
    #[belongs_to(foreign_key = (shop_id, order_number))]
    order: Order,
}

/// The page of an association, as it is kept in a file.
fn kept(one: Option<Reflected>) {
    let one = one.expect("declared");
    kept_as(&format!("{one:?}"), &one.explain());
}

fn kept_as(name: &str, page: &str) {
    let path = format!(
        "{}/tests/explain/pages/{name}.txt",
        env!("CARGO_MANIFEST_DIR")
    );
    if std::env::var_os("RELATA_BLESS").is_some() {
        std::fs::write(&path, page).expect("writes the page");
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(page, known, "{path}: RELATA_BLESS=1 writes it anew");
}

#[test]
fn a_belongs_to_says_what_is_counted_touched_and_required() {
    kept(Post::reflect_on_association("author"));
}

#[test]
fn a_has_many_says_what_becomes_of_its_members_and_what_is_called_for_them() {
    kept(Person::reflect_on_association("posts"));
}

#[test]
fn a_scope_with_a_limit_is_a_caution() {
    kept(Person::reflect_on_association("best_posts"));
}

#[test]
fn a_scope_of_the_owner_is_a_caution_and_joins_to_an_error() {
    kept(Post::reflect_on_association("namesakes"));
}

#[test]
fn a_has_one_and_its_strict_other_side() {
    kept(Person::reflect_on_association("profile"));
    kept(Profile::reflect_on_association("person"));
}

#[test]
fn an_association_of_a_model_with_itself() {
    kept(Person::reflect_on_association("mentor"));
    kept(Person::reflect_on_association("pupils"));
}

#[test]
fn keys_of_several_columns() {
    kept(Order::reflect_on_association("lines"));
    kept(Line::reflect_on_association("order"));
}

#[test]
fn what_goes_through_others_has_a_route_and_is_preloaded_along_it() {
    kept(Person::reflect_on_association("magazines"));
}

#[test]
fn what_has_and_belongs_to_many_goes_through_rows_between() {
    kept(Person::reflect_on_association("tags"));
}

/// Posts with remarks, whose subject is any of the registered models.
fn remarks() -> Result<[&'static ModelReflection; 2]> {
    let column = |name, kind| Column::new(name, AttributeType::plain(kind, name != "id"));
    let known: &'static Registry = Box::leak(Box::new(Registry::new()));
    let (to_remark, slot) = ModelBuilder::target("Remark");
    let subject = |name: &str| {
        let remarks = Declared::new(name, "has_many", "remarks")?
            .option("as", Setting::Text("subject".to_owned()))?
            .leading_to(to_remark)?;
        let model = ModelBuilder::new(name, format!("{}s", name.to_lowercase()))
            .column(column("id", Kind::Int))
            .primary_key(["id"])
            .association(remarks)
            .define()?;
        known.add(model);
        Result::Ok(model)
    };
    let (video, _) = (subject("Video")?, subject("Song")?);
    let to_subject = Declared::new("Remark", "belongs_to", "subject")?
        .option("polymorphic", Setting::Flag(true))?
        .leading_to(Target::AnyOf(Classes::Open(known)))?;
    let remark = ModelBuilder::new("Remark", "remarks")
        .column(column("id", Kind::Int))
        .column(column("subject_id", Kind::Int))
        .column(column("subject_type", Kind::Text))
        .primary_key(["id"])
        .association(to_subject)
        .define()?;
    assert!(slot.set(remark).is_ok());
    Ok([video, remark])
}

#[test]
fn a_polymorphic_one_says_where_it_leads_for_each_model() -> Result<()> {
    let [video, remark] = remarks()?;
    kept(remark.reflect_on_association("subject"));
    kept(video.reflect_on_association("remarks"));
    relata::reflection::check_models([video])
}

#[test]
fn by_name_it_is_the_same_page_and_an_unknown_name_is_told_with_the_nearest() -> Result<()> {
    let page = Post::reflect_on_association("author").map(|one| one.explain());
    assert_eq!(Some(Post::reflection().explain("author")?), page);
    let error = Post::reflection().explain("autor").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AssociationNotFound);
    assert!(error.to_string().contains("author"), "{error}");
    Ok(())
}

/// The statement of that name on a page.
fn statement(one: Option<Reflected>, name: &str) -> String {
    let page = one.expect("declared").explain();
    let found = page.lines().find_map(|line| {
        let (_, rest) = line.split_once(&format!("{name} "))?;
        rest.trim_start()
            .starts_with("SELECT")
            .then(|| rest.trim_start().to_owned())
    });
    found.expect("the page has the statement")
}

#[relata::test]
async fn the_statements_of_the_page_are_those_that_run(db: Db) -> Result<()> {
    db.create_tables([
        Person::reflection(),
        Post::reflection(),
        Profile::reflection(),
    ])
    .await?;
    let ann = Person::create(&db, |p| p.set_name("Ann")).await?;
    let bob = Person::create(&db, |p| p.set_name("Bob")).await?;
    for person in [&ann, &bob] {
        Post::create(&db, |p| p.set_title("x").set_stars(1).set_author(person)).await?;
    }
    let all = "SELECT \"posts\".* FROM \"posts\"";
    let author = || Post::reflect_on_association("author");
    let post = Post::all(&db)
        .batching(false)
        .first()
        .await?
        .expect("there");
    assert_sql!(db, [statement(author(), "load")], { post.author().await? });
    assert_sql!(db, [all.to_owned(), statement(author(), "preload")], {
        Post::all(&db).preload(|p| p.author).await?
    });
    assert_sql!(db, [statement(author(), "join")], {
        Post::all(&db).joins(|p| p.author).await?
    });
    assert_sql!(db, [statement(author(), "eager")], {
        Post::all(&db).eager_load(|p| p.author).await?
    });
    let pages = || {
        Person::reflect_on_association("magazines")
            .expect("declared")
            .explain()
    };
    let preloads = pages();
    let preloads = preloads
        .lines()
        .filter_map(|line| line.split_once("preload  "));
    let preloads: Vec<&str> = preloads.map(|(_, sql)| sql).collect();
    db.create_tables([Subscription::reflection(), Magazine::reflection()])
        .await?;
    for (person, title) in [(&ann, "Wired"), (&bob, "Time")] {
        let magazine = Magazine::create(&db, |m| m.set_title(title)).await?;
        Subscription::create(&db, |s| s.set_person(person).set_magazine(&magazine)).await?;
    }
    let people = Person::all(&db).await?;
    let [between, targets] = preloads[..] else {
        panic!("two statements: {preloads:?}");
    };
    assert_sql!(db, [between, targets], {
        relata::loading::preload(&people, |p| p.magazines).await?
    });
    Ok(())
}
