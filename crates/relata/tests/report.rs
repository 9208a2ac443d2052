//! The report for the start of a program: every mistake of every declaration that models lead to, and every difference
//! with their tables, in one list.

use relata::attribute::{AttributeType, Held, Kind, Label};
use relata::reflection::{
    AssociationReflection, Classes, Column, ColumnDefault, Declared, Inheritance, Mistakes,
    ModelBuilder, ModelReflection, Registry, Setting, Target, check_models,
};
use relata::{Db, DifferenceKind, Error, ErrorKind, Raw, Result};

fn int(name: &'static str) -> Column {
    Column::new(name, AttributeType::plain(Kind::Int, name != "id"))
}

fn text(name: &'static str) -> Column {
    Column::new(name, AttributeType::plain(Kind::Text, true))
}

fn model(name: &str, table: &str, columns: impl IntoIterator<Item = Column>) -> ModelBuilder {
    let model = ModelBuilder::new(name, table)
        .column(int("id"))
        .primary_key(["id"]);
    columns.into_iter().fold(model, ModelBuilder::column)
}

/// A declaration in words: `through=markings disable_joins`.
fn declared(
    model: &str,
    kind: &str,
    name: &str,
    options: &str,
    target: Target,
) -> Result<AssociationReflection> {
    let mut declared = Declared::new(model, kind, name)?;
    for option in options.split_whitespace() {
        declared = match option.split_once('=') {
            None => declared.option(option, Setting::Flag(true))?,
            Some((option, value)) => {
                let values: Vec<String> = value.split(',').map(str::to_owned).collect();
                let setting = match <[String; 1]>::try_from(values) {
                    Ok([one]) => Setting::Text(one),
                    Err(several) => Setting::Texts(several),
                };
                declared.option(option, setting)?
            }
        };
    }
    // One that leads to several models names none.
    let target = match declared.is_polymorphic() {
        true => Target::AnyOf(Classes::Open(Registry::program())),
        false => target,
    };
    declared.leading_to(target)
}

static LABELS: [Label; 2] = [
    Label::new("new", Held::Int(0)),
    Label::new("done", Held::Int(1)),
];

/// What can be wrong with an association or a column, each once, on one model and what it leads to.
fn crooked() -> Result<[&'static ModelReflection; 2]> {
    let (to_post, post) = ModelBuilder::target("Post");
    let (to_mark, mark) = ModelBuilder::target("Mark");
    let (to_shelf, shelf) = ModelBuilder::target("Shelf");
    let (to_nobody, _) = ModelBuilder::target("Nobody");
    let wrong = [
        // Order, way, source.
        ("has_many", "early", "through=markings source=post", to_post),
        ("has_many", "wayless", "through=nothing", to_post),
        ("has_many", "markings", "", to_mark),
        ("has_many", "sourceless", "through=markings", to_post),
        (
            "has_many",
            "posts",
            "through=markings source=thing",
            to_post,
        ),
        (
            "has_many",
            "pointless",
            "through=markings source=post source_type=Post",
            to_post,
        ),
        (
            "has_one",
            "first_post",
            "through=markings source=post",
            to_post,
        ),
        ("has_many", "pins", "through=markings", to_post),
        // Targets, keys, inverses.
        ("has_many", "nobodies", "", to_nobody),
        ("has_many", "strangers", "foreign_key=stranger_id", to_post),
        (
            "has_many",
            "others",
            "foreign_key=user_id inverse_of=writer",
            to_post,
        ),
        ("belongs_to", "shelf", "foreign_key=shelf_id", to_shelf),
        (
            "belongs_to",
            "row",
            "foreign_key=shelf_id,shelf_row,post_id",
            to_shelf,
        ),
        // Columns of options, and of several models.
        (
            "belongs_to",
            "post",
            "counter_cache=users_count touch=seen_at",
            to_post,
        ),
        ("belongs_to", "subject", "polymorphic", to_post),
        ("has_many", "notes", "as=subject", to_post),
    ];
    let mut user = model(
        "User",
        "users",
        [int("shelf_id"), int("shelf_row"), int("post_id")],
    );
    for (kind, name, options, target) in wrong {
        user = user.association(declared("User", kind, name, options, target)?);
    }
    let stage = AttributeType::labelled(Kind::Int, true, &LABELS);
    let stage = Column::new("stage", stage).default(ColumnDefault::Int(7));
    let user = user.column(stage).define()?;
    let (to_user, users) = ModelBuilder::target("User");
    users.set(user).expect("set once");
    let thing = declared("Mark", "belongs_to", "thing", "polymorphic", to_post)?;
    let marks = model(
        "Mark",
        "marks",
        [int("user_id"), int("post_id"), int("thing_id")],
    )
    .column(text("thing_type"))
    .association(declared("Mark", "belongs_to", "user", "", to_user)?)
    .association(declared("Mark", "belongs_to", "post", "", to_post)?)
    .association(thing)
    .association(declared(
        "Mark",
        "belongs_to",
        "pin",
        "foreign_key=post_id",
        to_post,
    )?)
    .association(declared(
        "Mark",
        "has_many",
        "pins",
        "foreign_key=id",
        to_post,
    )?)
    .define()?;
    mark.set(marks).expect("set once");
    let posts = model("Post", "posts", [int("user_id")]).define()?;
    post.set(posts).expect("set once");
    let shelves = ModelBuilder::new("Shelf", "shelves")
        .column(int("hall"))
        .column(int("row"))
        .primary_key(["hall", "row"])
        .define()?;
    shelf.set(shelves).expect("set once");
    Ok([user, marks])
}

fn mistakes(error: &Error) -> Vec<(ErrorKind, String)> {
    let source = std::error::Error::source(error).expect("a source");
    let mistakes = source.downcast_ref::<Mistakes>().expect("the mistakes");
    let told = |one: &Error| {
        let (model, name) = (one.model().unwrap_or("?"), one.attribute().unwrap_or("-"));
        (one.kind(), format!("{model}.{name}"))
    };
    mistakes.errors().iter().map(told).collect()
}

#[test]
fn whatever_is_wrong_with_declarations_stands_in_one_list() -> Result<()> {
    let error = check_models([crooked()?[0]]).unwrap_err();
    use ErrorKind as Kind;
    let wanted = [
        (Kind::Configuration, "User.stage"),
        (Kind::HasManyThroughOrder, "User.early"),
        (Kind::HasManyThroughAssociationNotFound, "User.wayless"),
        (
            Kind::HasManyThroughSourceAssociationNotFound,
            "User.sourceless",
        ),
        (
            Kind::HasManyThroughAssociationPolymorphicSource,
            "User.posts",
        ),
        (
            Kind::HasManyThroughAssociationPointlessSourceType,
            "User.pointless",
        ),
        (
            Kind::HasOneThroughCantAssociateThroughCollection,
            "User.first_post",
        ),
        (
            Kind::AmbiguousSourceReflectionForThroughAssociation,
            "User.pins",
        ),
        (Kind::Configuration, "User.nobodies"),
        (Kind::UnknownAttribute, "User.strangers"),
        (Kind::InverseOfAssociationNotFound, "User.others"),
        (Kind::CompositePrimaryKeyMismatch, "User.shelf"),
        (Kind::CompositePrimaryKeyMismatch, "User.row"),
        (Kind::UnknownAttribute, "User.post"),
        (Kind::UnknownAttribute, "User.post"),
        (Kind::UnknownAttribute, "User.subject"),
        (Kind::UnknownAttribute, "User.notes"),
    ];
    let wanted = wanted.map(|(kind, name)| (kind, name.to_owned()));
    assert_eq!(mistakes(&error), wanted);
    Ok(())
}

// Classes of one table, as nobody but a hand can write them.
const fn of_animals(name: &'static str) -> ModelReflection {
    ModelReflection::new(name, "animals").with_primary_key(&[0])
}

static COLUMNS: [Column; 2] = [
    Column::new("id", AttributeType::plain(Kind::Int, false)),
    Column::new("kind", AttributeType::plain(Kind::Text, true)),
];
static OTHER_COLUMNS: [Column; 1] = [Column::new("id", AttributeType::plain(Kind::Int, false))];
static ASSOCIATIONS: [AssociationReflection; 1] =
    [AssociationReflection::has_many("cats", Target::Model(cat)).with_foreign_key(&["id"])];

static ANIMAL: ModelReflection = of_animals("Animal")
    .with_columns(&COLUMNS)
    .with_associations(&ASSOCIATIONS)
    .with_inheritance(Inheritance::new("class", Classes::Closed(&[cat])));
static CAT: ModelReflection = of_animals("Cat")
    .with_columns(&OTHER_COLUMNS)
    .with_parent(Target::Model(animal));
static DOG: ModelReflection = of_animals("Dog")
    .with_columns(&COLUMNS)
    .with_parent(Target::Model(hound));
static HOUND: ModelReflection = of_animals("Hound")
    .with_columns(&COLUMNS)
    .with_parent(Target::Model(dog));
static POODLE: ModelReflection = of_animals("Poodle")
    .with_columns(&COLUMNS)
    .with_parent(Target::Model(dog));
static FISH: ModelReflection = of_animals("Fish").with_columns(&COLUMNS);
static PIKE: ModelReflection = of_animals("Pike")
    .with_columns(&COLUMNS)
    .with_parent(Target::Model(fish));

fn animal() -> &'static ModelReflection {
    &ANIMAL
}
fn cat() -> &'static ModelReflection {
    &CAT
}
fn dog() -> &'static ModelReflection {
    &DOG
}
fn hound() -> &'static ModelReflection {
    &HOUND
}
fn fish() -> &'static ModelReflection {
    &FISH
}

#[test]
fn classes_of_one_table_that_do_not_fit_are_mistakes() {
    let error = check_models([animal()]).unwrap_err();
    let told: Vec<String> = mistakes(&error).into_iter().map(|(_, name)| name).collect();
    assert_eq!(told, ["Animal.-", "Cat.-", "Cat.cats"]);
    let text = error.to_string();
    for wanted in [
        "Animal: inheritance_column: unknown attribute `class` for Animal",
        "Cat: Cat is to have the columns of Animal, of which it is a subclass, and has others",
        "Cat.cats: Cat is to begin with the associations of Animal",
    ] {
        assert!(text.contains(wanted), "{text}");
    }
    let error = check_models([&PIKE]).unwrap_err().to_string();
    let wanted = "Pike inherits from Fish, which has no column that says of which class a row is";
    assert!(error.contains(wanted), "{error}");
}

static BIRD: ModelReflection = ModelReflection::new("Bird", "birds")
    .with_columns(&COLUMNS)
    .with_primary_key(&[0])
    .with_inheritance(Inheritance::new("kind", Classes::Closed(&[])));
static TURNED: [Column; 2] = [
    Column::new("kind", AttributeType::plain(Kind::Text, true)),
    Column::new("id", AttributeType::plain(Kind::Int, false)),
];
/// Its columns are those of its base, in another order.
static WREN: ModelReflection = ModelReflection::new("Wren", "birds")
    .with_columns(&TURNED)
    .with_primary_key(&[1])
    .with_parent(Target::Model(bird));

fn bird() -> &'static ModelReflection {
    &BIRD
}

/// A row that names no class is of the base, which must lie as the row does.
#[cfg(feature = "sqlite")]
#[relata::test]
async fn rows_are_of_no_class_that_has_other_columns(db: Db) -> Result<()> {
    db.create_tables([bird()]).await?;
    let insert = "INSERT INTO birds (id, kind) VALUES (1, NULL)";
    db.execute_sql(Raw::new(insert)).await?;
    let all = Raw::new("SELECT * FROM birds");
    let read = relata::Relation::of(&WREN, &db).from_sql(all).await;
    let error = read.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let wanted = "Wren is to have the columns of Bird, of which it is a subclass, and has others";
    assert!(error.to_string().contains(wanted), "{error}");
    Ok(())
}

#[test]
fn parents_in_a_circle_are_a_mistake_and_no_endless_loop() {
    for model in [dog(), hound(), &POODLE] {
        assert_eq!(model.parent(), None);
        assert_eq!(model.base(), model);
        assert!(!model.is_a(animal()) && model.type_column().is_none());
        assert!(model.scopes().is_empty() && model.enumerations().is_empty());
        let error = check_models([model]).unwrap_err();
        let wanted = format!(
            "{name}: the classes that {name} inherits from lead back to one of them",
            name = model.name()
        );
        assert!(error.to_string().contains(&wanted), "{error}");
    }
}

#[cfg(feature = "sqlite")]
#[relata::test]
async fn one_report_has_the_mistakes_and_what_the_tables_lack(db: Db) -> Result<()> {
    let models = crooked()?;
    let fields =
        "id INTEGER PRIMARY KEY NOT NULL, user_id INTEGER, post_id INTEGER, thing_type TEXT";
    let sql = format!("CREATE TABLE marks ({fields})");
    db.execute_sql(Raw::new(Box::leak(sql.into_boxed_str())))
        .await?;
    let report = db.check_tables(models).await?;
    let of = |wanted: DifferenceKind| {
        let found = report.iter().filter(|one| one.kind == wanted);
        let name = |one: &relata::Difference| match one.attribute {
            Some(attribute) => format!("{}.{attribute}", one.model),
            None => one.model.to_owned(),
        };
        found.map(name).collect::<Vec<_>>()
    };
    assert_eq!(of(DifferenceKind::Declaration).len(), 17);
    assert_eq!(of(DifferenceKind::Declaration)[1], "User.early");
    assert_eq!(of(DifferenceKind::Table), ["User"]);
    assert_eq!(of(DifferenceKind::Column), ["Mark.thing_id"]);
    assert!(of(DifferenceKind::Index).contains(&"Mark.thing".to_owned()));
    assert!(of(DifferenceKind::ForeignKey).contains(&"Mark.user".to_owned()));
    Ok(())
}
