//! The United States Congress: people, terms, committees and who sits on them.
//!
//! `cargo run --example congress -- FOLDER`, where FOLDER holds `schema.sql` and `data.sql`.
//!
//! Keys of all kinds: plain ones, keys of two columns (a term is the n-th of its person), a foreign key of two columns
//! that leads to one, and an association over a column that is no primary key (`bioguide`). Committees have committees.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use relata::{Db, Result, model};
use relata_examples::{given, load, skip};

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
    #[has_many]
    offices: Office,
    #[has_many]
    leadership_roles: LeadershipRole,
    #[has_many]
    committee_memberships: CommitteeMembership,
    /// The same, over the other key that a person has.
    #[has_many(foreign_key = bioguide, primary_key = bioguide)]
    memberships_by_bioguide: CommitteeMembership,
}

/// The n-th term of a person.
#[model(primary_key = (person_id, number))]
pub struct Term {
    person_id: i64,
    number: i64,
    r#type: String,
    starts_on: NaiveDate,
    ends_on: NaiveDate,
    state: Option<String>,
    #[belongs_to]
    person: Person,
    #[has_many(foreign_key = (person_id, term_number))]
    party_affiliations: PartyAffiliation,
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

/// Where a person can be found.
#[model]
pub struct Office {
    id: i64,
    slug: String,
    person_id: i64,
    city: Option<String>,
    #[belongs_to]
    person: Person,
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
    committee_memberships: CommitteeMembership,
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

/// Every model, each after those that it refers to.
fn models() -> [&'static relata::reflection::ModelReflection; 7] {
    [
        Person::reflection(),
        Term::reflection(),
        PartyAffiliation::reflection(),
        LeadershipRole::reflection(),
        Office::reflection(),
        Committee::reflection(),
        CommitteeMembership::reflection(),
    ]
}

/// What a walk through Congress finds.
#[derive(Debug, PartialEq)]
struct Report {
    /// Rows, in the order of the models.
    counts: Vec<u64>,
    committees_at_the_top: u64,
    committees_below: u64,
    /// The committee with the most members.
    largest_committee: Option<(String, u64)>,
    people_on_no_committee: u64,
    /// Reached from the people who served for Vermont.
    committees_of_vermont: u64,
    terms_by_type: BTreeMap<String, u64>,
    /// The person with the most terms.
    longest_serving: Option<(String, u64)>,
    /// Each change of party: who, in which term, and to what.
    parties: Vec<(String, i64, String)>,
}

fn largest<T: Ord>(mut counts: Vec<(T, u64)>) -> Option<(T, u64)> {
    counts.sort_by(|(a, n), (b, m)| m.cmp(n).then(a.cmp(b)));
    counts.into_iter().next()
}

async fn report(db: &Db) -> Result<Report> {
    let mut counts = Vec::new();
    for model in models() {
        counts.push(relata::Relation::of(model, db).count().await?);
    }
    walk_committees(db).await?;
    let members = CommitteeMembership::all(db)
        .count_by(|m| m.committee.code)
        .await?;
    // Of several with as many terms, the one whom the set knew first. By the key: people may share a name.
    let longest_serving = match largest(Term::all(db).count_by(|t| t.person_id).await?) {
        Some((id, terms)) => {
            let person = Person::find(db, id).await?;
            Some((
                format!("{} {}", person.first_name(), person.last_name()),
                terms,
            ))
        }
        None => None,
    };
    let mut parties = Vec::new();
    for change in PartyAffiliation::all(db)
        .includes(|p| p.term.person)
        .await?
    {
        let term = change.term().await?;
        let person = term.person().await?;
        parties.push((
            person.last_name().to_owned(),
            term.number(),
            change.party().to_owned(),
        ));
    }
    parties.sort();
    Ok(Report {
        counts,
        committees_at_the_top: Committee::all(db)
            .filter(|c| c.parent_id.is_null())
            .count()
            .await?,
        committees_below: Committee::all(db)
            .filter(|c| c.parent.is_current.is_not_null())
            .count()
            .await?,
        largest_committee: largest(members),
        people_on_no_committee: Person::all(db)
            .filter(|p| p.committee_memberships.committee_id.is_null())
            .count()
            .await?,
        committees_of_vermont: Committee::all(db)
            .filter(|c| c.committee_memberships.person.terms.state.eq("VT"))
            .distinct()
            .count()
            .await?,
        terms_by_type: Term::all(db)
            .count_by(|t| t.r#type)
            .await?
            .into_iter()
            .collect(),
        longest_serving,
        parties,
    })
}

/// Down and up again, everywhere: what is below a committee is the object that its members lead to, and both keys of a
/// membership lead to the same person.
async fn walk_committees(db: &Db) -> Result<()> {
    let tops = Committee::all(db)
        .filter(|c| c.parent_id.is_null())
        .includes(|c| {
            (
                c.parts.committee_memberships.person,
                c.committee_memberships.person_by_bioguide,
            )
        });
    for top in tops.await? {
        for part in top.parts().await? {
            assert!(part.parent().await?.is_some_and(|parent| parent.is(&top)));
            for membership in part.committee_memberships().await? {
                assert!(membership.committee().await?.is(&part));
                let person = membership.person().await?;
                assert_eq!(person.bioguide(), Some(membership.bioguide()));
            }
        }
        for membership in top.committee_memberships().await? {
            assert_eq!(
                membership.person_by_bioguide().await?.id(),
                membership.person_id()
            );
        }
    }
    Ok(())
}

/// What the data set's own notes say, and plain SQL.
fn known() -> Report {
    let terms = [
        ("PresidentialTerm", 69),
        ("RepresentativeTerm", 2_525),
        ("SenateTerm", 267),
        ("VicePresidentialTerm", 62),
    ];
    let parties = [
        ("Kiley", 2, "Independent"),
        ("Kiley", 2, "Republican"),
        ("Van Drew", 1, "Democrat"),
        ("Van Drew", 1, "Republican"),
    ];
    Report {
        counts: vec![617, 2_923, 4, 127, 1_312, 559, 3_879],
        committees_at_the_top: 76,
        committees_below: 483,
        largest_committee: Some(("HSPW".to_owned(), 66)),
        people_on_no_committee: 89,
        committees_of_vermont: 29,
        terms_by_type: terms.map(|(name, count)| (name.to_owned(), count)).into(),
        longest_serving: Some(("Steny Hoyer".to_owned(), 23)),
        parties: parties
            .map(|(who, term, to)| (who.to_owned(), term, to.to_owned()))
            .into(),
    }
}

/// Loads the set, checks the models against its tables, and walks.
async fn congress(folder: &std::path::Path) -> Result<()> {
    let db = Db::connect("sqlite::memory:").await?;
    load(&db, &folder.join("schema.sql")).await?;
    load(&db, &folder.join("data.sql")).await?;
    let differences = db.check_tables(models()).await?;
    let sentences: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert_eq!(
        sentences,
        ["CommitteeMembership.person_by_bioguide: no foreign key is on (bioguide)"]
    );
    let found = report(&db).await?;
    println!("{found:#?}");
    assert_eq!(found, known());
    Ok(())
}

fn main() -> Result<()> {
    match given("congress") {
        Some(folder) => relata::run(congress(&folder)),
        None => {
            skip(
                "congress",
                "github.com/unitedstates/congress-legislators, as tables",
            );
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32) -> NaiveDate {
        NaiveDate::from_yo_opt(year, 3).unwrap()
    }

    /// A Congress of the same shape, made through the models: two people, and a committee with a part.
    async fn small(db: &Db) -> Result<()> {
        db.create_tables(models()).await?;
        let person = async |bioguide, first, last| {
            let person = Person::build(db, |p| p.set_first_name(first).set_last_name(last));
            person.set_bioguide(Some(bioguide)).save().await?;
            Ok::<_, relata::Error>(person)
        };
        let ann = person("A1", "Ann", "Adams").await?;
        let bob = person("B1", "Bob", "Brown").await?;
        for (number, state) in [(1, "VT"), (2, "VT")] {
            let term = ann
                .terms()
                .build(|t| t.set_number(number).set_type("SenateTerm"));
            term.set_starts_on(day(2020))
                .set_ends_on(day(2026))
                .set_state(Some(state));
            term.save().await?;
        }
        let term = bob
            .terms()
            .build(|t| t.set_number(1).set_type("PresidentialTerm"));
        term.set_starts_on(day(2020)).set_ends_on(day(2024));
        term.party_affiliations()
            .build(|p| p.set_position(1).set_party("Whig"));
        term.save().await?;
        let top = Committee::build(db, |c| {
            c.set_code("TOP").set_name("Rules").set_is_current(true)
        });
        let part = top
            .parts()
            .build(|c| c.set_code("TOP1").set_name("Rules of rules"));
        part.set_is_current(true);
        top.save().await?;
        for committee in [&top, &part] {
            let seat = committee
                .committee_memberships()
                .build(|m| m.set_person(&ann));
            seat.set_bioguide("A1").set_party_side("majority");
            seat.save().await?;
        }
        let office = ann.offices().build(|o| o.set_slug("a1-burlington"));
        office.set_city(Some("Burlington")).save().await?;
        ann.leadership_roles()
            .create(|l| l.set_title("Whip").set_chamber("senate"))
            .await?;
        Ok(())
    }

    #[relata::test]
    async fn a_small_congress_of_the_same_shape_gives_its_answers(db: Db) -> Result<()> {
        small(&db).await?;
        assert_eq!(db.check_tables(models()).await?, []);
        let found = report(&db).await?;
        let wanted = Report {
            counts: vec![2, 3, 1, 1, 1, 2, 2],
            committees_at_the_top: 1,
            committees_below: 1,
            largest_committee: Some(("TOP".to_owned(), 1)),
            people_on_no_committee: 1,
            committees_of_vermont: 2,
            terms_by_type: BTreeMap::from([
                ("PresidentialTerm".to_owned(), 1),
                ("SenateTerm".to_owned(), 2),
            ]),
            longest_serving: Some(("Ann Adams".to_owned(), 2)),
            parties: vec![("Brown".to_owned(), 1, "Whig".to_owned())],
        };
        assert_eq!(found, wanted);
        Ok(())
    }

    #[relata::test]
    async fn the_other_key_of_a_person_leads_both_ways(db: Db) -> Result<()> {
        small(&db).await?;
        let ann = Person::all(&db)
            .find_by_or_fail(|p| p.bioguide.eq("A1"))
            .await?;
        let seats = relata::assert_sql!(
            db,
            [
                r#"SELECT "committee_memberships".* FROM "committee_memberships" WHERE "committee_memberships"."bioguide" = ?"#
            ],
            { ann.memberships_by_bioguide().await? }
        );
        assert_eq!(seats.len(), 2);
        for seat in &seats {
            assert!(
                seat.person_by_bioguide().await?.is(&ann),
                "the inverse, over the same key"
            );
        }
        assert_eq!(ann.committee_memberships().count().await?, 2);
        Ok(())
    }
}
