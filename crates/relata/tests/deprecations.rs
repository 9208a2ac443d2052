//! Deprecated associations: the compiler says so, and every use is told, is an error, or is given to a function.

#![allow(deprecated)]

use std::sync::{Arc, Mutex};

use relata::loading::preload_named;
use relata::reflection::{Column, Declared, ModelBuilder, Setting};
use relata::{
    Db, DeprecatedAssociations, ErrorKind, Permit, Record, Relation, Result, assert_queries, model,
    permit,
};

/// Who writes.
#[model]
#[accepts_nested_attributes_for(posts)]
pub struct Person {
    id: i64,
    name: String,
    #[has_many(dependent = delete_all, deprecated)]
    posts: Post,
    #[has_many(through = posts)]
    remarks: Remark,
    #[has_one(deprecated)]
    badge: Option<Badge>,
}

/// What is written.
#[model]
pub struct Post {
    id: i64,
    title: String,
    person_id: i64,
    #[belongs_to]
    person: Person,
    #[has_many]
    remarks: Remark,
}

/// What is said of it.
#[model]
pub struct Remark {
    id: i64,
    body: String,
    post_id: i64,
    #[belongs_to(touch, deprecated)]
    post: Post,
}

/// One a person.
#[model]
pub struct Badge {
    id: i64,
    metal: String,
    person_id: Option<i64>,
    #[belongs_to]
    person: Option<Person>,
}

async fn filled(db: &Db) -> Result<Person> {
    db.create_tables([
        Person::reflection(),
        Post::reflection(),
        Remark::reflection(),
        Badge::reflection(),
    ])
    .await?;
    db.set_deprecated_associations(DeprecatedAssociations::named("notify")?);
    let ann = Person::create(db, |p| p.set_name("Ann")).await?;
    let post = ann.posts().create(|p| p.set_title("One")).await?;
    post.remarks().create(|r| r.set_body("nice")).await?;
    Person::find(db, ann.id()).await
}

/// What was told so far, without the place.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn by(db: &Db) -> Self {
        let told = Self::default();
        let all = told.clone();
        db.set_deprecated_associations(DeprecatedAssociations::notify(move |used| {
            let line = used.location.map(|at| at.file());
            let here = line.is_some_and(|file| file.ends_with("deprecations.rs"));
            assert!(here, "the line of the program is known: {}", used.message);
            let message = used.message.split(" (").next().unwrap_or_default();
            all.0.lock().unwrap().push(message.to_owned());
        }));
        told
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

const POSTS: &str = "The association Person#posts is deprecated, ";
const BADGE: &str = "The association Person#badge is deprecated, ";
const NESTED: &str = "The association Person#posts is deprecated, referenced as nested association of the through Person#remarks";

fn invoked(association: &str, method: &str) -> String {
    format!("{association}the method {method} was invoked")
}

/// Every generated method, and every query, is a use.
#[relata::test]
async fn every_use_is_told(db: Db) -> Result<()> {
    let ann = filled(&db).await?;
    let told = Told::by(&db);
    assert_eq!(ann.posts().await?.len(), 1);
    assert_eq!(told.take(), [invoked(POSTS, "posts")]);
    ann.post_ids().await?;
    assert_eq!(told.take(), [invoked(POSTS, "post_ids")]);
    let permit: Permit = permit![title];
    let given = relata::Params::new().with("title", "Two");
    ann.posts_attributes([given], permit).await?;
    assert_eq!(told.take(), [invoked(POSTS, "posts_attributes")]);
    let posts = vec![relata::Param::from(
        relata::Params::new().with("title", "Three"),
    )];
    let given = relata::Params::new().with("posts_attributes", posts);
    ann.assign(&given, permit![posts: [title]]).await?;
    assert_eq!(told.take(), [invoked(POSTS, "posts_attributes=")]);
    let page = Person::reflection().explain("posts")?;
    assert!(
        page.contains("it is deprecated: every use is told"),
        "{page}"
    );
    let badge = ann.build_badge(|b| b.set_metal("gold"));
    ann.set_badge(&badge);
    ann.reset_badge();
    assert_eq!(
        told.take(),
        ["build_badge", "set_badge", "reset_badge"].map(|method| invoked(BADGE, method))
    );
    ann.reload_badge().await?;
    assert_eq!(told.take(), [invoked(BADGE, "reload_badge")]);

    Person::all(&db).preload(|p| p.posts).await?;
    let preloaded = format!("{POSTS}referenced in query to preload records");
    assert_eq!(told.take(), [preloaded.as_str()]);
    preload_named(&[(*ann).clone()], ["badge"]).await?;
    assert_eq!(
        told.take(),
        [format!("{BADGE}referenced in query to preload records")]
    );
    let joined = format!("{POSTS}referenced in query to join its table");
    Person::all(&db).joins(|p| p.posts).count().await?;
    assert_eq!(told.take(), [joined.as_str()]);
    Person::all(&db).filter(|p| p.posts.title.eq("One")).await?;
    assert_eq!(told.take(), [joined.as_str()]);
    Person::all(&db).eager_load(|p| p.posts).await?;
    assert_eq!(told.take(), [joined.as_str()]);
    // What is not used is not told of.
    Person::all(&db).await?;
    assert!(told.take().is_empty());
    Ok(())
}

/// What goes through a deprecated association tells of it too.
#[relata::test]
async fn what_goes_through_it_tells_of_it(db: Db) -> Result<()> {
    let ann = filled(&db).await?;
    let told = Told::by(&db);
    assert_eq!(ann.remarks().await?.len(), 1);
    assert_eq!(told.take(), [NESTED]);
    Person::all(&db).joins(|p| p.remarks).count().await?;
    assert_eq!(told.take(), [NESTED]);
    Person::all(&db).preload(|p| p.remarks).await?;
    assert_eq!(told.take(), [NESTED]);
    Ok(())
}

/// What an association does by itself is told of before it is done.
#[relata::test]
async fn side_effects_are_told(db: Db) -> Result<()> {
    let ann = filled(&db).await?;
    let remark = Remark::find(&db, 1).await?;
    let told = Told::by(&db);
    remark.update(|r| r.set_body("nicer")).await?;
    let touched = "The association Remark#post is deprecated, :touch has a side effect here";
    assert_eq!(told.take(), [touched]);
    remark.destroy().await?;
    assert_eq!(told.take(), [touched]);
    ann.destroy().await?;
    assert_eq!(
        told.take(),
        [format!("{POSTS}:dependent has a side effect here")]
    );
    assert_eq!(Post::all(&db).count().await?, 0);
    Ok(())
}

/// Where a use is an error, whoever awaits it gets it; what gives no error is done.
#[relata::test]
async fn a_use_may_be_an_error(db: Db) -> Result<()> {
    let ann = filled(&db).await?;
    db.set_deprecated_associations(DeprecatedAssociations::raise());
    let is_refused = |error: relata::Error| {
        assert_eq!(error.kind(), ErrorKind::DeprecatedAssociation, "{error}");
        assert!(error.is_deprecated_association());
        assert!(error.to_string().starts_with(POSTS), "{error}");
    };
    assert_queries!(db, 0, {
        is_refused(ann.posts().await.unwrap_err());
        is_refused(ann.posts().filter(|p| p.id.gt(0)).await.unwrap_err());
        is_refused(ann.posts().count().await.unwrap_err());
        is_refused(ann.posts().create(|p| p.set_title("x")).await.unwrap_err());
        is_refused(ann.post_ids().await.unwrap_err());
        is_refused(ann.association("posts").unwrap_err());
        is_refused(Person::all(&db).joins(|p| p.posts).await.unwrap_err());
        is_refused(ann.remarks().await.unwrap_err());
        is_refused(ann.destroy().await.unwrap_err());
    });
    is_refused(Person::all(&db).preload(|p| p.posts).await.unwrap_err());
    assert!(ann.posts().loaded().is_none());
    let post = ann.posts().build(|p| p.set_title("Two"));
    assert_eq!(post.person_id(), ann.id(), "it is built for its owner");
    let badge = ann.build_badge(|b| b.set_metal("gold"));
    db.set_deprecated_associations(DeprecatedAssociations::warn().backtrace(false));
    assert!(ann.badge().await?.is_some_and(|one| one.is(&badge)));
    Ok(())
}

/// By name, for models made at run time, and in settings by name.
#[relata::test]
async fn by_name(db: Db) -> Result<()> {
    let (owner, slot) = ModelBuilder::target("Owner");
    let declared = Declared::new("Thing", "belongs_to", "owner")?
        .option("deprecated", Setting::Flag(true))?
        .option("optional", Setting::Flag(true))?;
    let things = ModelBuilder::new("Thing", "things")
        .column(Column::new(
            "id",
            relata::attribute::AttributeType::of::<i64>(),
        ))
        .column(Column::new(
            "owner_id",
            relata::attribute::AttributeType::of::<Option<i64>>(),
        ))
        .primary_key(["id"])
        .association(declared.leading_to(owner)?)
        .define()?;
    let owners = ModelBuilder::new("Owner", "owners")
        .column(Column::new(
            "id",
            relata::attribute::AttributeType::of::<i64>(),
        ))
        .primary_key(["id"])
        .define()?;
    slot.set(owners).expect("set once");
    assert!(
        things
            .reflect_on_association("owner")
            .is_some_and(|one| one.is_deprecated())
    );
    db.create_tables([things, owners]).await?;
    let told = Told::by(&db);
    let thing = Record::new(things, &db);
    thing.association("owner")?;
    Relation::of(things, &db).includes_named(["owner"])?.await?;
    assert_eq!(
        told.take(),
        ["The association Thing#owner is deprecated, the method owner was invoked"],
        "without records nothing is preloaded"
    );
    relata::association::Association::of(&thing, "owner")?;
    assert!(told.take().is_empty(), "a tool looks without using it");
    let error = DeprecatedAssociations::named("bogus").unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid deprecated associations mode :bogus (valid modes are :warn, :raise, and :notify)"
    );
    Ok(())
}
