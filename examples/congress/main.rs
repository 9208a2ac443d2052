//! The United States Congress: people, terms, committees and who sits on them, and how all of them are reached.
//!
//! `cargo run --example congress -- FOLDER`, where FOLDER holds `schema.sql` and `data.sql`.
//!
//! Keys of all kinds: plain ones, keys of two columns (a term is the n-th of its person), a foreign key of two columns
//! that leads to one, and an association over a column that is no primary key (`bioguide`). Committees have committees.
//! Terms are of four classes in one table; a contact point belongs to a person, an office or a committee.

mod models;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use models::{
    AnyTerm, Committee, ContactPoint, Owner, PartyAffiliation, Person, PresidentialTerm,
    RepresentativeTerm, SenateTerm, Term, VicePresidentialTerm, models,
};
use relata::loading::counts;
use relata::{Db, Relation, Result};
use relata_examples::{given, load, skip};

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
    contact_points_by_owner: BTreeMap<String, u64>,
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
    let mut rows = Vec::new();
    for model in models() {
        rows.push(Relation::of(model, db).count().await?);
    }
    walk_committees(db).await?;
    walk_vermont(db).await?;
    let committees = Committee::all(db).await?;
    let members = counts(&committees, |c| c.people).await?;
    let codes = committees
        .iter()
        .map(|committee| committee.code().to_owned());
    // Of several with as many terms, the one whom the set knew first.
    let people = Person::all(db).order(|p| p.id).await?;
    let terms = counts(&people, |p| p.terms).await?;
    let longest_serving = largest(people.iter().map(Person::id).zip(terms).collect());
    let longest_serving = match longest_serving {
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
    for change in PartyAffiliation::all(db).includes(|p| p.person).await? {
        let Some(person) = change.person().await? else {
            continue;
        };
        parties.push((
            person.last_name().to_owned(),
            change.term().await?.number(),
            change.party().to_owned(),
        ));
    }
    parties.sort();
    Ok(Report {
        counts: rows,
        committees_at_the_top: Committee::all(db).missing(|c| c.parent).count().await?,
        committees_below: Committee::all(db).associated(|c| c.parent).count().await?,
        largest_committee: largest(codes.zip(members).collect()),
        people_on_no_committee: Person::all(db).missing(|p| p.committees).count().await?,
        committees_of_vermont: Committee::all(db)
            .filter(|c| c.people.terms.state.eq("VT"))
            .distinct()
            .count()
            .await?,
        contact_points_by_owner: walk_contact_points(db).await?,
        terms_by_type: terms_by_class(db).await?,
        longest_serving,
        parties,
    })
}

/// Down and up again, everywhere: what is below a committee is the object that its members lead to, and both keys of a
/// membership lead to the same person.
async fn walk_committees(db: &Db) -> Result<()> {
    let tops = Committee::all(db).missing(|c| c.parent).includes(|c| {
        (
            c.people_of_parts,
            c.committee_memberships.person_by_bioguide,
        )
    });
    for top in tops.await? {
        let mut below = 0;
        for part in top.parts().await? {
            assert!(part.parent().await?.is_some_and(|parent| parent.is(&top)));
            for membership in part.committee_memberships().await? {
                assert!(membership.committee().await?.is(&part));
                let person = membership.person().await?;
                assert_eq!(person.bioguide(), Some(membership.bioguide()));
                below += 1;
            }
        }
        assert_eq!(top.people_of_parts().await?.len(), below);
        for membership in top.committee_memberships().await? {
            assert_eq!(
                membership.person_by_bioguide().await?.id(),
                membership.person_id()
            );
        }
    }
    Ok(())
}

/// From the terms for a state to committees: through the person, whose committees are through its memberships. The same
/// from the person over its other key.
async fn walk_vermont(db: &Db) -> Result<()> {
    let terms = Term::all(db)
        .filter(|t| t.state.eq("VT"))
        .includes(|t| (t.committees, t.person.committees_by_bioguide))
        .await?;
    let mut committees = BTreeSet::new();
    for term in &terms {
        let reached = term.committees().await?;
        let person = term.person().await?;
        assert_eq!(reached, person.committees().await?, "through the person");
        assert_eq!(reached, person.committees_by_bioguide().await?);
        committees.extend(reached.iter().map(Committee::id));
    }
    let asked = Committee::all(db).filter(|c| c.people.terms.state.eq("VT"));
    let asked: BTreeSet<i64> = asked.ids().await?.into_iter().collect();
    assert_eq!(committees, asked);
    Ok(())
}

/// Every contact point with what it belongs to, of three models; each of these has it among its own.
async fn walk_contact_points(db: &Db) -> Result<BTreeMap<String, u64>> {
    let mut by_owner = BTreeMap::new();
    for point in ContactPoint::all(db).includes(|c| c.owner).await? {
        let (model, own) = match point.owner().await? {
            Owner::Person(person) => ("Person", person.contact_points().await?),
            Owner::Office(office) => ("Office", office.contact_points().await?),
            Owner::Committee(committee) => ("Committee", committee.contact_points().await?),
        };
        assert_eq!(point.owner_type(), model);
        assert!(own.contains(&point));
        *by_owner.entry(model.to_owned()).or_default() += 1;
    }
    // The same by numbers, and by asking each of the models.
    let grouped = ContactPoint::all(db).count_by(|c| c.owner_type).await?;
    assert_eq!(by_owner, grouped.into_iter().collect());
    let people = Person::all(db).await?;
    let offices = counts(&people, |p| p.contact_points_of_offices).await?;
    assert_eq!(
        offices.iter().sum::<u64>(),
        by_owner.get("Office").copied().unwrap_or_default(),
        "through offices, over the type of their own"
    );
    Ok(by_owner)
}

/// Terms by the class of their rows: each class sees its own, and the base gives records of all of them.
async fn terms_by_class(db: &Db) -> Result<BTreeMap<String, u64>> {
    let mut by_class = BTreeMap::new();
    let terms = Relation::of(Term::reflection(), db).typed::<AnyTerm>()?;
    for term in terms.await? {
        let class = match term {
            AnyTerm::Representative(_) => "RepresentativeTerm",
            AnyTerm::Senate(term) => {
                assert!(
                    term.senate_class()
                        .is_some_and(|class| (1..=3).contains(&class))
                );
                "SenateTerm"
            }
            AnyTerm::Presidential(_) => "PresidentialTerm",
            AnyTerm::VicePresidential(_) => "VicePresidentialTerm",
            AnyTerm::Plain(_) => "Term",
        };
        *by_class.entry(class.to_owned()).or_default() += 1;
    }
    let own = [
        (
            "RepresentativeTerm",
            RepresentativeTerm::all(db).count().await?,
        ),
        ("SenateTerm", SenateTerm::all(db).count().await?),
        ("PresidentialTerm", PresidentialTerm::all(db).count().await?),
        (
            "VicePresidentialTerm",
            VicePresidentialTerm::all(db).count().await?,
        ),
    ];
    for (class, rows) in own {
        assert_eq!(
            rows,
            by_class.get(class).copied().unwrap_or_default(),
            "{class}"
        );
    }
    Ok(by_class)
}

/// What the data set's own notes say, and plain SQL.
fn known() -> Report {
    let terms = [
        ("PresidentialTerm", 69),
        ("RepresentativeTerm", 2_525),
        ("SenateTerm", 267),
        ("VicePresidentialTerm", 62),
    ];
    let owners = [("Committee", 256), ("Office", 1_772), ("Person", 2_354)];
    let parties = [
        ("Kiley", 2, "Independent"),
        ("Kiley", 2, "Republican"),
        ("Van Drew", 1, "Democrat"),
        ("Van Drew", 1, "Republican"),
    ];
    Report {
        counts: vec![
            617, 2_923, 4, 5_659, 127, 11, 1_312, 559, 3_438, 3_879, 4_382,
        ],
        committees_at_the_top: 76,
        committees_below: 483,
        largest_committee: Some(("HSPW".to_owned(), 66)),
        people_on_no_committee: 89,
        committees_of_vermont: 29,
        contact_points_by_owner: owners.map(|(name, count)| (name.to_owned(), count)).into(),
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
            skip("congress", SOURCE);
            Ok(())
        }
    }
}

const SOURCE: &str = "github.com/unitedstates/congress-legislators, as tables";
