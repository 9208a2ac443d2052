//! Shapes that a through cannot have, told when they are first used, in Rails' words.

use relata::{Db, ErrorKind, Record, Result};

use crate::world::{Association as A, define};

#[relata::test]
async fn each_has_its_error(db: Db) -> Result<()> {
    let models = define(&[
        (
            "User",
            &["name", "club_id"],
            &[
                A("has_many", "early", &[("through", "memberships")], None),
                A("has_many", "memberships", &[], None),
                A("has_many", "worse", &[("through", "nothing")], None),
                A("has_many", "bads", &[("through", "memberships")], None),
                A("has_many", "clubs", &[("through", "memberships")], None),
                A(
                    "has_one",
                    "first",
                    &[("through", "memberships"), ("source", "user")],
                    None,
                ),
                A("has_many", "itself", &[("through", "itself")], None),
                A("belongs_to", "club", &[], None),
                A(
                    "has_many",
                    "round",
                    &[("through", "club"), ("source", "round")],
                    None,
                ),
            ],
        ),
        (
            "Membership",
            &["user_id", "club_id"],
            &[
                A("belongs_to", "user", &[], None),
                A("belongs_to", "club", &[], None),
                A("has_many", "clubs", &[], None),
                A(
                    "belongs_to",
                    "early",
                    &[("class_name", "Club"), ("foreign_key", "club_id")],
                    None,
                ),
            ],
        ),
        (
            "Club",
            &["name", "membership_id"],
            &[
                A("has_many", "users", &[], None),
                A(
                    "has_many",
                    "round",
                    &[("through", "users"), ("source", "round")],
                    None,
                ),
            ],
        ),
    ])?;
    let user = Record::new(models[0], &db);
    for (name, kind, message) in [
        (
            "early",
            ErrorKind::HasManyThroughOrder,
            "Cannot have a has_many :through association 'User#early' which goes through 'User#memberships' before the through association is defined.",
        ),
        (
            "worse",
            ErrorKind::HasManyThroughAssociationNotFound,
            "Could not find the association :nothing in model User",
        ),
        (
            "bads",
            ErrorKind::HasManyThroughSourceAssociationNotFound,
            "Could not find the source association(s) \"bad\" or :bads in model Membership. Try 'has_many :bads, :through => :memberships, :source => <name>'. Is it one of user, club, clubs or early?",
        ),
        (
            "clubs",
            ErrorKind::AmbiguousSourceReflectionForThroughAssociation,
            "Ambiguous source reflection for through association. Please specify a :source directive on your declaration like: class User < ActiveRecord::Base; has_many :clubs, through: :memberships, source: :club or source: :clubs; end",
        ),
        (
            "first",
            ErrorKind::HasOneThroughCantAssociateThroughCollection,
            "Cannot have a has_one :through association 'User#first' where the :through association 'User#memberships' is a collection. Specify a has_one or belongs_to association in the :through option instead.",
        ),
        (
            "itself",
            ErrorKind::HasManyThroughOrder,
            "Cannot have a has_many :through association 'User#itself' which goes through 'User#itself' before the through association is defined.",
        ),
        (
            "round",
            ErrorKind::Configuration,
            "User#round goes through itself: its source leads back to it",
        ),
    ] {
        let error = user.association(name).expect_err(name);
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert_eq!(error.to_string(), message);
    }
    Ok(())
}
