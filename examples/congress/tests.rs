//! A Congress of the same shape, made through the models; and the set itself, where it is given.

use chrono::NaiveDate;
use relata::{assert_queries, assert_sql};

use super::*;

/// Where RELATA_DATA_CONGRESS leads to the set, everything that the program asserts, as a test.
#[relata::test]
fn the_set_gives_its_answers() {
    match relata_examples::given_to_tests("congress") {
        Some(folder) => relata::run(congress(&folder)).unwrap(),
        None => skip("congress", SOURCE),
    }
}

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
    for number in [1, 2] {
        let term = SenateTerm::build(db, |t| t.set_state(Some("VT")).set_senate_class(Some(1)));
        let base = term.as_base();
        base.set_person(&ann).set_number(number);
        base.set_starts_on(day(2020)).set_ends_on(day(2026));
        term.save().await?;
    }
    let term = PresidentialTerm::build(db, |t| t.set_how(Some("election")));
    let base = term.as_base();
    base.set_person(&bob).set_number(1);
    base.set_starts_on(day(2020)).set_ends_on(day(2024));
    base.party_affiliations()
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
    ann.external_ids()
        .create(|e| e.set_scheme("wikipedia").set_value("Ann Adams"))
        .await?;
    ann.relatives()
        .create(|r| r.set_position(1).set_name("Al Adams"))
        .await?;
    top.committee_congresses()
        .create(|c| c.set_congress(118))
        .await?;
    ann.contact_points()
        .create(|c| c.set_kind("url").set_value("adams.example.org"))
        .await?;
    for number in ["1", "2"] {
        office
            .contact_points()
            .create(|c| c.set_kind("phone").set_value(number))
            .await?;
    }
    let point = ContactPoint::build(db, |c| c.set_kind("url").set_value("rules.example.org"));
    point.set_owner(&top).save().await
}

#[relata::test]
async fn a_small_congress_of_the_same_shape_gives_its_answers(db: Db) -> Result<()> {
    small(&db).await?;
    assert_eq!(db.check_tables(models()).await?, []);
    let found = report(&db).await?;
    let wanted = Report {
        counts: vec![2, 3, 1, 1, 1, 1, 1, 2, 1, 2, 4],
        committees_at_the_top: 1,
        committees_below: 1,
        largest_committee: Some(("TOP".to_owned(), 1)),
        people_on_no_committee: 1,
        committees_of_vermont: 2,
        contact_points_by_owner: BTreeMap::from([
            ("Committee".to_owned(), 1),
            ("Office".to_owned(), 2),
            ("Person".to_owned(), 1),
        ]),
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
    let seats = assert_sql!(
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

#[relata::test]
async fn a_term_is_of_the_class_of_its_row(db: Db) -> Result<()> {
    small(&db).await?;
    let ann = Person::find(&db, 1).await?;
    let terms = ann.terms().await?;
    assert_eq!(terms[0].r#type(), "SenateTerm");
    let senate = terms[0].downcast::<SenateTerm>()?;
    assert_eq!(
        (senate.state(), senate.senate_class()),
        (Some("VT"), Some(1))
    );
    assert!(terms[0].downcast::<PresidentialTerm>().is_err());
    let first = assert_sql!(
        db,
        [
            r#"SELECT "terms".* FROM "terms" WHERE "terms"."type" = ? ORDER BY "terms"."person_id" ASC, "terms"."number" ASC LIMIT 1"#
        ],
        { PresidentialTerm::all(&db).first_or_fail().await? }
    );
    assert_eq!(first.as_base().person().await?.last_name(), "Brown");
    Ok(())
}

#[relata::test]
async fn contact_points_lead_to_three_models_and_back(db: Db) -> Result<()> {
    small(&db).await?;
    let points = assert_queries!(db, 4, {
        ContactPoint::all(&db)
            .order(|c| c.id)
            .includes(|c| c.owner)
            .await?
    });
    let owners = assert_queries!(db, 0, {
        let mut owners = Vec::new();
        for point in &points {
            owners.push(point.owner().await?);
        }
        owners
    });
    let [
        Owner::Person(ann),
        Owner::Office(office),
        Owner::Office(again),
        Owner::Committee(top),
    ] = &owners[..]
    else {
        panic!("{owners:?}")
    };
    assert!(office.is(again));
    assert_eq!((ann.id(), top.code()), (1, "TOP"));
    assert_sql!(
        db,
        [
            r#"SELECT "contact_points".* FROM "contact_points" INNER JOIN "offices" ON "contact_points"."owner_id" = "offices"."id" WHERE "offices"."person_id" = ? AND "contact_points"."owner_type" = ?"#
        ],
        {
            let of_offices = ann.contact_points_of_offices().await?;
            assert_eq!(of_offices, points[1..3]);
        }
    );
    Ok(())
}

#[relata::test]
async fn committees_are_reached_from_terms_through_people(db: Db) -> Result<()> {
    small(&db).await?;
    let term = SenateTerm::all(&db).first_or_fail().await?;
    let committees = assert_sql!(
        db,
        [
            r#"SELECT "committees".* FROM "committees" INNER JOIN "committee_memberships" ON "committees"."id" = "committee_memberships"."committee_id" INNER JOIN "people" ON "committee_memberships"."person_id" = "people"."id" WHERE "people"."id" = ?"#
        ],
        { term.as_base().committees().await? }
    );
    let codes: Vec<&str> = committees.iter().map(Committee::code).collect();
    assert_eq!(codes, ["TOP", "TOP1"]);
    let top = &committees[0];
    assert_eq!(top.people_of_parts().await?, [Person::find(&db, 1).await?]);
    Ok(())
}
