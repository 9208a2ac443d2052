//! The tables, as models: keys of every kind, terms of four classes, contact points of three models.

use chrono::NaiveDate;
use relata::{Polymorphic, model};

/// Who serves or has served.
#[model]
pub struct Person {
    id: i64,
    #[column(unique)]
    bioguide: Option<String>,
    first_name: String,
    last_name: String,
    born_on: Option<NaiveDate>,
    #[has_many]
    terms: Term,
    #[has_many(through = terms)]
    party_affiliations: PartyAffiliation,
    #[has_many]
    external_ids: ExternalId,
    #[has_many]
    offices: Office,
    #[has_many]
    leadership_roles: LeadershipRole,
    #[has_many(scope = |r| r.order(|r| r.position))]
    relatives: Relative,
    #[has_many]
    committee_memberships: CommitteeMembership,
    #[has_many(through = committee_memberships)]
    committees: Committee,
    /// The same, over the other key that a person has.
    #[has_many(foreign_key = bioguide, primary_key = bioguide)]
    memberships_by_bioguide: CommitteeMembership,
    #[has_many(through = memberships_by_bioguide, source = committee)]
    committees_by_bioguide: Committee,
    #[has_many(as = owner)]
    contact_points: ContactPoint,
    /// How its offices can be reached.
    #[has_many(through = offices, source = contact_points)]
    contact_points_of_offices: ContactPoint,
}

/// The n-th term of a person, of a class that its `type` says.
#[model(
    primary_key = (person_id, number),
    subclasses = (RepresentativeTerm, SenateTerm, PresidentialTerm, VicePresidentialTerm)
)]
pub struct Term {
    person_id: i64,
    number: i64,
    r#type: String,
    starts_on: NaiveDate,
    ends_on: NaiveDate,
    state: Option<String>,
    district: Option<i64>,
    senate_class: Option<i64>,
    how: Option<String>,
    #[belongs_to]
    person: Person,
    #[has_many(foreign_key = (person_id, term_number))]
    party_affiliations: PartyAffiliation,
    /// Where the person sits now: through it, and through its memberships.
    #[has_many(through = person)]
    committees: Committee,
}

/// A term in the House.
#[model(base = Term)]
pub struct RepresentativeTerm {
    state: Option<String>,
    district: Option<i64>,
}

/// A term in the Senate, of one of its three classes.
#[model(base = Term)]
pub struct SenateTerm {
    state: Option<String>,
    senate_class: Option<i64>,
}

/// A term in the White House, and how it began.
#[model(base = Term)]
pub struct PresidentialTerm {
    how: Option<String>,
}

/// A term next to it.
#[model(base = Term)]
pub struct VicePresidentialTerm {
    how: Option<String>,
}

/// A term as what it is; the classes stand before their base.
#[derive(Debug, Polymorphic)]
pub(crate) enum AnyTerm {
    /// In the House.
    Representative(RepresentativeTerm),
    /// In the Senate.
    Senate(SenateTerm),
    /// As president.
    Presidential(PresidentialTerm),
    /// As vice-president.
    VicePresidential(VicePresidentialTerm),
    /// Of no class: there is none.
    Plain(Term),
}

/// The party of a part of a term, for those who changed it.
#[model(primary_key = (person_id, term_number, position))]
pub struct PartyAffiliation {
    person_id: i64,
    term_number: i64,
    position: i64,
    party: String,
    #[belongs_to(foreign_key = (person_id, term_number))]
    term: Term,
    #[has_one(through = term)]
    person: Option<Person>,
}

/// What a person is called elsewhere: the row is its key.
#[model(primary_key = (person_id, scheme, value))]
pub struct ExternalId {
    person_id: i64,
    scheme: String,
    value: String,
    #[belongs_to]
    person: Person,
}

/// Speaker, whip and the like.
#[model]
pub struct LeadershipRole {
    id: i64,
    person_id: i64,
    title: String,
    chamber: String,
    #[belongs_to]
    person: Person,
}

/// Of the family, the n-th.
#[model(primary_key = (person_id, position))]
pub struct Relative {
    person_id: i64,
    position: i64,
    name: String,
    relation: Option<String>,
    #[belongs_to]
    person: Person,
}

/// Where a person can be found.
#[model]
pub struct Office {
    id: i64,
    slug: String,
    person_id: i64,
    city: Option<String>,
    #[belongs_to]
    person: Person,
    #[has_many(as = owner)]
    contact_points: ContactPoint,
}

/// A committee, or a part of one.
#[model]
pub struct Committee {
    id: i64,
    #[column(unique)]
    code: String,
    name: String,
    is_current: bool,
    parent_id: Option<i64>,
    #[belongs_to]
    parent: Option<Committee>,
    #[has_many(foreign_key = parent_id)]
    parts: Committee,
    #[has_many]
    committee_congresses: CommitteeCongress,
    #[has_many]
    committee_memberships: CommitteeMembership,
    #[has_many(through = committee_memberships)]
    people: Person,
    /// Who sits on its parts: once for each.
    #[has_many(through = parts, source = people)]
    people_of_parts: Person,
    #[has_many(as = owner)]
    contact_points: ContactPoint,
}

/// That a committee was there in a Congress, and what it was called.
#[model(primary_key = (committee_id, congress))]
pub struct CommitteeCongress {
    committee_id: i64,
    congress: i64,
    name: Option<String>,
    #[belongs_to]
    committee: Committee,
}

/// That a person sits on a committee.
#[model(primary_key = (committee_id, person_id))]
pub struct CommitteeMembership {
    committee_id: i64,
    person_id: i64,
    bioguide: String,
    party_side: String,
    title: Option<String>,
    #[belongs_to]
    committee: Committee,
    #[belongs_to]
    person: Person,
    #[belongs_to(foreign_key = bioguide, primary_key = bioguide)]
    person_by_bioguide: Person,
}

/// What can be reached.
#[derive(Debug, Polymorphic)]
pub(crate) enum Owner {
    /// Somebody.
    Person(Person),
    /// A place of somebody.
    Office(Office),
    /// A committee.
    Committee(Committee),
}

/// A telephone, an address on the web: of a person, an office or a committee.
#[model]
pub struct ContactPoint {
    id: i64,
    owner_type: String,
    owner_id: i64,
    kind: String,
    value: String,
    #[belongs_to(polymorphic)]
    owner: Owner,
}

/// Every model that has a table, each after those that it refers to.
pub(crate) fn models() -> [&'static relata::reflection::ModelReflection; 11] {
    [
        Person::reflection(),
        Term::reflection(),
        PartyAffiliation::reflection(),
        ExternalId::reflection(),
        LeadershipRole::reflection(),
        Relative::reflection(),
        Office::reflection(),
        Committee::reflection(),
        CommitteeCongress::reflection(),
        CommitteeMembership::reflection(),
        ContactPoint::reflection(),
    ]
}
