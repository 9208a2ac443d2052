//! The source of a through is an association of the model between: one, and it leads where the field says.

use relata::model;

#[model]
pub struct User {
    id: i64,
    #[has_many]
    memberships: Membership,
    #[has_many(through = memberships)]
    towns: Club,
    #[has_many(through = memberships)]
    clubs: Club,
    #[has_many(through = memberships, source = user)]
    elsewhere: Club,
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
    #[has_many]
    clubs: Club,
}

#[model]
pub struct Club {
    id: i64,
    membership_id: i64,
}

fn main() {}
