//! A league of the same shape, made through the models; and the set itself, where it is given.

use relata::{assert_queries, assert_sql};

use super::*;
use crate::models::{Park, PostseasonSeries, School, Team};

/// Where RELATA_DATA_BASEBALL leads to the set, everything that the program asserts, as a test.
#[relata::test]
fn the_set_gives_its_answers() {
    match relata_examples::given_to_tests("baseball") {
        Some(folder) => relata::run(baseball(&folder)).unwrap(),
        None => skip("baseball", SOURCE),
    }
}

/// Two years of two clubs: Dodgers, at home in two parks, beat Yankees in 1, and lose in 2. Ann plays, is paid by both,
/// manages, went to college twice and is in the Hall of Fame; Bob is paid once.
async fn league(db: &Db) -> Result<()> {
    db.create_tables(models()).await?;
    for (id, first) in [("ann01", "Ann"), ("bob01", "Bob")] {
        Person::create(db, |p| p.set_id(id).set_first_name(Some(first))).await?;
    }
    let ann = Person::find(db, "ann01").await?;
    let bob = Person::find(db, "bob01").await?;
    for (id, name) in [
        ("ep", "Ebbets Field"),
        ("ds", "Dodger Stadium"),
        ("ys", "Yankee Stadium"),
    ] {
        Park::create(db, |p| p.set_id(id).set_name(name)).await?;
    }
    for (id, name, parks) in [
        ("LAD", "Dodgers", ["ep", "ds"]),
        ("NYY", "Yankees", ["ys", "ys"]),
    ] {
        let franchise = Franchise::create(db, |f| f.set_id(id).set_name(name)).await?;
        for (year, park) in [1, 2].into_iter().zip(parks) {
            let team = franchise
                .teams()
                .create(|t| t.set_year(year).set_code(&id[..2]).set_name(name))
                .await?;
            team.parks().push(&Park::find(db, park).await?).await?;
        }
    }
    let team = async |year: i64, code: &str| Team::find(db, (year, code.to_owned())).await;
    for (year, winner, loser) in [(1, "LA", "NY"), (2, "NY", "LA")] {
        let winner = team(year, winner).await?;
        let series = winner
            .won_series()
            .create(|s| s.set_round("WS").set_loser_code(loser))
            .await?;
        series
            .postseason_battings()
            .create(|b| b.set_person(&ann).set_team(&winner).set_home_runs(Some(1)))
            .await?;
    }
    let (one, two) = (team(1, "LA").await?, team(2, "NY").await?);
    one.salaries()
        .create(|s| s.set_person(&ann).set_salary(100))
        .await?;
    two.salaries()
        .create(|s| s.set_person(&ann).set_salary(50))
        .await?;
    two.salaries()
        .create(|s| s.set_person(&bob).set_salary(120))
        .await?;
    for (number, person) in [(2, &ann), (1, &bob)] {
        let stint = one.manager_stints().build(|m| m.set_in_season(number));
        stint
            .set_person(person)
            .set_player_manager(false)
            .save()
            .await?;
    }
    let school = School::create(db, |s| s.set_id("state").set_name("State")).await?;
    for year in [1, 2] {
        school
            .college_seasons()
            .create(|c| c.set_person(&ann).set_year(year))
            .await?;
    }
    for (year, inducted) in [(7, false), (8, true)] {
        let ballot = ann
            .hall_of_fame_ballots()
            .build(|b| b.set_voted_by("BBWAA"));
        ballot.set_year(year).set_inducted(inducted).save().await?;
    }
    Ok(())
}

#[relata::test]
async fn a_small_league_of_the_same_shape_gives_its_answers(db: Db) -> Result<()> {
    league(&db).await?;
    assert_eq!(db.check_tables(models()).await?, []);
    let wanted = Report {
        counts: vec![2, 2, 4, 3, 4, 1, 2, 3, 2, 0, 2, 2, 2, 0],
        most_seasons: Some(("LAD".to_owned(), 2)),
        parks_of_lad: 2,
        world_series_of_nyy: 1,
        paid_managers: 2,
        highest_career_salary: Some(("ann01".to_owned(), 150)),
        inducted_after_college: 1,
        battings_of_winners: 2,
    };
    assert_eq!(report(&db).await?, wanted);
    walk(&db, &wanted).await
}

#[relata::test]
async fn keys_of_two_columns_lead_over_several_models(db: Db) -> Result<()> {
    league(&db).await?;
    let lad = Franchise::find(&db, "LAD").await?;
    let parks = assert_sql!(
        db,
        [
            r#"SELECT DISTINCT "parks".* FROM "parks" INNER JOIN "home_games" ON "parks"."id" = "home_games"."park_id" INNER JOIN "teams" ON "home_games"."year" = "teams"."year" AND "home_games"."team_code" = "teams"."code" WHERE "teams"."franchise_id" = ?"#
        ],
        { lad.parks().await? }
    );
    assert_eq!(parks.len(), 2);
    let yankees = Franchise::find(&db, "NYY").await?;
    assert_eq!(yankees.parks().await?.len(), 1, "two seasons in one park");
    let ann = Person::find(&db, "ann01").await?;
    let teams = ann.teams().order(|t| t.year).await?;
    assert_eq!(teams[0].id(), (1, "LA"));
    assert_eq!(teams[1].id(), (2, "NY"));
    assert_eq!(ann.schools().await?.len(), 1, "two seasons, one school");
    assert_eq!(ann.managed_teams().await?, [teams[0].clone()]);
    Ok(())
}

#[relata::test]
async fn managers_come_in_the_order_of_their_stints(db: Db) -> Result<()> {
    league(&db).await?;
    let dodgers = Team::find(&db, (1, "LA".to_owned())).await?;
    let names = |people: Vec<Person>| -> Vec<String> {
        people
            .iter()
            .map(|person| person.first_name().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(names(dodgers.managers().await?), ["Bob", "Ann"]);
    let teams = assert_queries!(db, 3, {
        Team::all(&db)
            .order(|t| (t.year, t.code))
            .includes(|t| t.managers)
            .await?
    });
    assert_queries!(db, 0, {
        assert_eq!(names(teams[0].managers().await?), ["Bob", "Ann"]);
        let stints = teams[0].manager_stints().await?;
        assert!(stints[0].team().await?.is(&teams[0]));
        assert!(stints[1].person().await?.is(&teams[0].managers().await?[1]));
    });
    Ok(())
}

#[relata::test]
async fn two_keys_of_a_series_lead_to_two_teams_and_back(db: Db) -> Result<()> {
    league(&db).await?;
    let series = PostseasonSeries::find(&db, (2, "WS".to_owned())).await?;
    let (winner, loser) = (series.winner().await?, series.loser().await?);
    assert_eq!((winner.code(), loser.code()), ("NY", "LA"));
    assert!(
        winner
            .won_series()
            .await?
            .iter()
            .all(|won| won.round() == "WS")
    );
    assert!(winner.lost_series().await?.is_empty());
    assert_eq!(loser.lost_series().await?, [series.clone()]);
    let batting = series.postseason_battings().await?.remove(0);
    assert!(batting.postseason_series().await?.is(&series));
    assert_eq!(batting.winner().await?, Some(winner.clone()));

    // Setting one target sets both of its columns; the other key shares the year, and must lead to the same one.
    let other = Team::find(&db, (1, "LA".to_owned())).await?;
    series.set_winner(&other);
    assert_eq!((series.year(), series.winner_code()), (1, "LA"));
    assert!(
        !series.loser().is_loaded(),
        "the year is its key's too: {:?}",
        series.loser().loaded()
    );
    Ok(())
}

#[relata::test]
async fn paths_and_conditions_go_over_keys_of_two_columns(db: Db) -> Result<()> {
    league(&db).await?;
    let won = PostseasonSeries::all(&db).filter(|s| s.winner.franchise.id.eq("NYY"));
    assert_eq!(
        won.pluck(|s| (s.year, s.loser.code)).await?,
        [(2, "LA".to_owned())]
    );
    let paid = Person::all(&db).filter(|p| p.teams.franchise.name.eq("Dodgers"));
    assert_eq!(paid.pluck(|p| p.id).await?, ["ann01"]);
    let unpaid = Team::all(&db).missing(|t| t.salaries).order(|t| t.year);
    assert_eq!(
        unpaid.ids().await?,
        [(1, "NY".to_owned()), (2, "LA".to_owned())]
    );
    let here = Park::all(&db).filter(|p| p.teams.any(|t| t.franchise_id.eq("LAD")));
    assert_eq!(here.count().await?, 2);
    Ok(())
}
