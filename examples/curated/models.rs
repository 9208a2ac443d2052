//! The models of the community.

use relata::{Attribute, model};

use crate::oauth;

/// A person with an account.
#[model]
pub struct User {
    id: i64,
    #[validates(presence)]
    name: String,
    #[column(unique)]
    email: String,

    #[has_many(dependent = destroy)]
    community_members: CommunityMember,
    #[has_many(through = community_members)]
    communities: Community,
    /// What is on in the user's communities.
    #[has_many(through = communities)]
    events: Event,

    #[has_many(dependent = destroy)]
    program_users: ProgramUser,
    #[has_many(through = program_users)]
    programs: Program,
    /// Those whom the user mentors, where it is a mentor.
    #[has_many(foreign_key = mentor_id, dependent = nullify)]
    mentored_users: ProgramUser,
    #[has_many(through = mentored_users, source = user)]
    mentees: User,

    #[has_many(dependent = destroy)]
    event_hosts: EventHost,
    #[has_many(through = event_hosts, source = event)]
    hosted_events: Event,
    #[has_many(dependent = destroy)]
    event_guests: EventGuest,
    #[has_many(through = event_guests, source = event)]
    attended_events: Event,

    #[has_many(dependent = destroy)]
    matches: Match,
    #[has_many(through = matches, source = matched_user)]
    matched_users: User,
    /// The matches that were made for others, and lead here.
    #[has_many(foreign_key = matched_user_id, dependent = destroy)]
    inverse_matches: Match,
    #[has_many(through = inverse_matches, source = user)]
    inverse_matched_users: User,

    #[has_many(foreign_key = requester_id, dependent = destroy)]
    sent_intro_requests: IntroRequest,
    #[has_many(foreign_key = recipient_id, dependent = destroy)]
    received_intro_requests: IntroRequest,

    #[has_many(foreign_key = resource_owner_id, dependent = delete_all)]
    access_grants: oauth::AccessGrant,
}

/// People with something in common.
#[model]
pub struct Community {
    id: i64,
    name: String,
    #[column(default = 0)]
    community_members_count: i64,
    #[has_many(dependent = destroy)]
    community_members: CommunityMember,
    #[has_many(through = community_members)]
    users: User,
    #[has_many(dependent = destroy)]
    programs: Program,
    #[has_many(dependent = destroy)]
    events: Event,
}

/// That a user belongs to a community.
#[model]
pub struct CommunityMember {
    id: i64,
    community_id: i64,
    user_id: i64,
    #[belongs_to(counter_cache)]
    community: Community,
    #[belongs_to]
    user: User,
}

/// What a community does for some months.
#[model]
pub struct Program {
    id: i64,
    community_id: i64,
    name: String,
    #[belongs_to]
    community: Community,
    #[has_many(dependent = destroy)]
    program_users: ProgramUser,
    #[has_many(through = program_users)]
    users: User,
    #[has_many(scope = |p| p.filter(|p| p.role.eq(Role::Mentor)))]
    mentor_program_users: ProgramUser,
    #[has_many(through = mentor_program_users, source = user)]
    mentors: User,
}

/// As what somebody takes part in a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Attribute)]
pub(crate) enum Role {
    /// Who learns.
    Member,
    /// Who helps.
    Mentor,
}

/// That a user takes part in a program.
#[model]
pub struct ProgramUser {
    id: i64,
    program_id: i64,
    user_id: i64,
    mentor_id: Option<i64>,
    #[column(default = "member")]
    role: Role,
    #[belongs_to]
    program: Program,
    #[belongs_to]
    user: User,
    #[belongs_to]
    mentor: Option<User>,
}

/// An evening.
#[model]
pub struct Event {
    id: i64,
    community_id: i64,
    title: String,
    #[belongs_to]
    community: Community,
    #[has_many(dependent = destroy)]
    event_hosts: EventHost,
    #[has_many(through = event_hosts, source = user)]
    hosts: User,
    #[has_many(dependent = destroy)]
    event_guests: EventGuest,
    #[has_many(through = event_guests, source = user)]
    guests: User,
}

/// That a user invites to an event.
#[model]
pub struct EventHost {
    id: i64,
    event_id: i64,
    user_id: i64,
    #[belongs_to]
    event: Event,
    #[belongs_to]
    user: User,
}

/// That a user comes to an event.
#[model]
pub struct EventGuest {
    id: i64,
    event_id: i64,
    user_id: i64,
    #[belongs_to]
    event: Event,
    #[belongs_to]
    user: User,
}

/// That two users should meet: found for the one, leading to the other.
#[model]
pub struct Match {
    id: i64,
    user_id: i64,
    matched_user_id: i64,
    score: i64,
    #[belongs_to]
    user: User,
    #[belongs_to]
    matched_user: User,
    #[has_many(dependent = nullify)]
    intro_requests: IntroRequest,
}

/// That a user asks to be introduced to another, perhaps because of a match.
#[model]
pub struct IntroRequest {
    id: i64,
    requester_id: i64,
    recipient_id: i64,
    match_id: Option<i64>,
    message: String,
    #[belongs_to]
    requester: User,
    #[belongs_to]
    recipient: User,
    #[belongs_to]
    r#match: Option<Match>,
}

/// Every model, each after those that it refers to.
pub(crate) fn models() -> [&'static relata::reflection::ModelReflection; 11] {
    [
        User::reflection(),
        Community::reflection(),
        CommunityMember::reflection(),
        Program::reflection(),
        ProgramUser::reflection(),
        Event::reflection(),
        EventHost::reflection(),
        EventGuest::reflection(),
        Match::reflection(),
        IntroRequest::reflection(),
        oauth::AccessGrant::reflection(),
    ]
}
