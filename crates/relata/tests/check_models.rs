//! The check of a whole graph of models gives every mistake in one list.

use relata::attribute::{AttributeType, Kind};
use relata::reflection::{
    AssociationReflection, Column, InverseOf, Mistakes, ModelBuilder, ModelReflection, Target,
    Touch, check_models,
};
use relata::{Attribute, Db, ErrorKind, Polymorphic, Record, Result, model};

/// Who writes.
#[model]
pub struct Person {
    id: i64,
    #[has_many]
    posts: Post,
}

/// What is written.
#[model]
pub struct Post {
    id: i64,
    person_id: i64,
    #[belongs_to]
    person: Person,
}

#[test]
fn typed_models_are_checked_with_all_that_they_lead_to() -> Result<()> {
    check_models([Post::reflection(), Person::reflection()])?;
    Ok(())
}

fn column(name: &'static str) -> Column {
    Column::new(name, AttributeType::plain(Kind::Int, name != "id"))
}

fn club() -> ModelBuilder {
    ModelBuilder::new("Club", "clubs")
        .column(column("id"))
        .primary_key(["id"])
}

/// Clubs, with a member that names columns which are not there, and what they lead to.
fn crooked() -> Result<&'static ModelReflection> {
    let (to_club, club_slot) = ModelBuilder::target("Club");
    let (to_member, member_slot) = ModelBuilder::target("Member");
    let (to_nobody, _) = ModelBuilder::target("Nobody");
    let wrong_inverse = AssociationReflection::has_many("members", to_member)
        .with_foreign_key(&["club_id"])
        .with_inverse_of(InverseOf::Named("klub"));
    let club = club()
        .association(wrong_inverse)
        .association(AssociationReflection::has_one("chair", to_member))
        .association(AssociationReflection::has_many("nobodies", to_nobody))
        .define()?;
    let belongs_to = |name, target: Target| AssociationReflection::belongs_to(name, target);
    let member = ModelBuilder::new("Member", "members")
        .column(column("id"))
        .column(column("club_id"))
        .primary_key(["id"])
        .association(
            belongs_to("club", to_club)
                .with_counter_cache("members_count")
                .with_touch(Touch::Column("seen_at")),
        )
        .association(belongs_to("sponsor", to_club))
        .define()?;
    assert!(club_slot.set(club).is_ok() && member_slot.set(member).is_ok());
    Ok(club)
}

#[test]
fn every_mistake_of_every_model_that_is_reached_stands_in_one_list() -> Result<()> {
    let error = check_models([crooked()?]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let source = std::error::Error::source(&error);
    let mistakes = source.and_then(|source| source.downcast_ref::<Mistakes>());
    let mistakes = mistakes.expect("the mistakes");
    let found: Vec<(ErrorKind, Option<&str>, Option<&str>)> = mistakes
        .errors()
        .iter()
        .map(|one| (one.kind(), one.model(), one.attribute()))
        .collect();
    let unknown = ErrorKind::UnknownAttribute;
    assert_eq!(
        found,
        [
            (
                ErrorKind::InverseOfAssociationNotFound,
                Some("Club"),
                Some("members")
            ),
            (ErrorKind::Configuration, Some("Club"), Some("nobodies")),
            (unknown, Some("Member"), Some("club")),
            (unknown, Some("Member"), Some("club")),
            (unknown, Some("Member"), Some("sponsor")),
        ]
    );
    let text = error.to_string();
    for wanted in [
        "5 mistakes in declarations:\n  Club.members: Could not find the inverse",
        "Member.club: counter_cache: unknown attribute `members_count` for Club",
        "Member.club: touch: unknown attribute `seen_at` for Club",
        "Member.sponsor: ",
    ] {
        assert!(text.contains(wanted), "{text}");
    }
    Ok(())
}

/// What a label can be put on.
#[derive(Debug, Polymorphic)]
pub enum Labelled {
    /// A person.
    Person(Person),
}

/// A label on a person, and on nothing else.
#[model]
pub struct Label {
    id: i64,
    labelled_id: i64,
    labelled_type: String,
    #[belongs_to(polymorphic)]
    labelled: Labelled,
}

/// One that is declared says so while it is compiled; one that is made at run time, here.
#[test]
fn a_model_that_its_polymorphic_association_does_not_know_is_a_mistake() -> Result<()> {
    let labels = AssociationReflection::has_many("labels", Target::Model(Label::reflection))
        .with_interface("labelled");
    let crate_ = ModelBuilder::new("Crate", "crates")
        .column(column("id"))
        .primary_key(["id"])
        .association(labels)
        .define()?;
    let error = check_models([crate_]).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("Crate.labels"), "{message}");
    assert!(
        message.contains("Label.labelled") && message.contains("variant"),
        "{message}"
    );
    Ok(())
}

/// Leads to whatever is registered.
#[model]
pub struct Pin {
    id: i64,
    on_id: Option<i64>,
    on_type: Option<String>,
    #[belongs_to(polymorphic)]
    on: Option<Record>,
}

/// Registered for something else, and no pin leads to it.
#[model(primary_key = (shelf, row))]
pub struct Slot {
    shelf: i64,
    row: i64,
}

#[test]
fn a_registered_model_that_an_open_association_never_leads_to_is_no_mistake() -> Result<()> {
    relata::register([Slot::reflection()]);
    check_models([Pin::reflection()])
}

/// A stage.
#[derive(Debug, Clone, Copy, PartialEq, Attribute)]
pub enum Stage {
    /// Not begun.
    New,
    /// Over.
    Done,
}

/// Its default is no stage.
#[model]
pub struct Errand {
    id: i64,
    #[column(default = "z")]
    stage: Stage,
}

#[cfg(feature = "sqlite")]
#[relata::test]
async fn a_default_that_is_none_of_an_enums_labels_is_a_mistake(db: Db) -> Result<()> {
    let error = check_models([Errand::reflection()]).unwrap_err();
    assert!(error.to_string().contains("Errand.stage"), "{error}");
    let error = db.create_tables([Errand::reflection()]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("new, done"), "{error}");
    Ok(())
}
