//! What goes through another association names one above it, in the same model, and has no key of its own.

use relata::model;

#[model]
pub struct User {
    id: i64,
    #[has_many(through = memberships)]
    early: Club,
    #[has_many]
    memberships: Membership,
    #[has_many(through = membership, source = club)]
    misspelt: Club,
    #[has_many(through = itself)]
    itself: Club,
    #[has_one(through = memberships, source = club)]
    first: Option<Club>,
    #[has_many(through = memberships, source = club, foreign_key = user_id)]
    keyed: Club,
    #[has_many(source = club)]
    aimless: Membership,
    #[has_and_belongs_to_many(dependent = destroy)]
    clubs: Club,
}

#[model]
pub struct Membership {
    id: i64,
    user_id: i64,
    club_id: i64,
    #[belongs_to]
    user: User,
    #[belongs_to]
    club: Club,
}

#[model]
pub struct Club {
    id: i64,
}

fn main() {}
