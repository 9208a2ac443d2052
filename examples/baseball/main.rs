//! A century and a half of baseball: people, teams by year, parks, salaries, series.
//!
//! `cargo run --release --example baseball -- FOLDER`, where FOLDER holds `schema.sql` and `data.sql`.
//!
//! Nearly every key is natural, and of two or three columns. Associations lead over them as over any other: a franchise
//! has the parks that its teams were at home in, a person the teams that paid it, a batting the team that won its series.

mod models;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use models::{Franchise, HallOfFameBallot, Person, PostseasonBatting, Salary, models};
use relata::loading::counts;
use relata::{Db, Result};
use relata_examples::{given, load, skip};

/// What the associations answer.
#[derive(Debug, PartialEq)]
struct Report {
    /// Rows, in the order of the models.
    counts: Vec<u64>,
    /// The franchise with the most teams.
    most_seasons: Option<(String, u64)>,
    /// Where the franchise LAD was ever at home.
    parks_of_lad: u64,
    /// How often a team of NYY won the last series of the year.
    world_series_of_nyy: u64,
    /// How many people managed and were paid a salary.
    paid_managers: u64,
    highest_career_salary: Option<(String, i64)>,
    /// How many people were inducted into the Hall of Fame and went to a college.
    inducted_after_college: u64,
    /// How many battings in a series are by somebody of the team that won it.
    battings_of_winners: u64,
}

async fn report(db: &Db) -> Result<Report> {
    let mut rows = Vec::new();
    for model in models() {
        rows.push(relata::Relation::of(model, db).count().await?);
    }
    let franchises = Franchise::all(db).order(|f| f.id).await?;
    let seasons = counts(&franchises, |f| f.teams).await?;
    // Of several with as many, the first.
    let most_seasons = franchises
        .iter()
        .map(|franchise| franchise.id().to_owned())
        .zip(seasons)
        .rev()
        .max_by_key(|&(_, seasons)| seasons);
    let parks_of_lad = Franchise::find(db, "LAD").await?.parks().count().await?;
    let of_nyy = Franchise::find(db, "NYY").await?;
    let world_series = of_nyy.won_series().filter(|s| s.round.eq("WS"));
    let careers = Salary::all(db)
        .sum_by(|s| s.person_id, |s| s.salary)
        .await?;
    Ok(Report {
        counts: rows,
        most_seasons,
        parks_of_lad,
        world_series_of_nyy: world_series.count().await?,
        paid_managers: Person::all(db)
            .associated(|p| (p.manager_stints, p.salaries))
            .distinct()
            .count()
            .await?,
        highest_career_salary: careers.into_iter().max_by_key(|&(_, sum)| sum),
        inducted_after_college: Person::all(db)
            .filter(|p| p.hall_of_fame_ballots.any(|b| b.inducted.eq(true)))
            .filter(|p| p.schools.any(|s| s.id.is_not_null()))
            .count()
            .await?,
        battings_of_winners: PostseasonBatting::all(db)
            .filter(|b| b.team_code.eq(b.winner.code))
            .count()
            .await?,
    })
}

/// Franchises, down to series and managers and up again. Gives in how many parks each was at home, and how many World
/// Series it won.
async fn walk_franchises(db: &Db) -> Result<BTreeMap<String, (u64, u64)>> {
    let mut found = BTreeMap::new();
    let capture = db.capture();
    let franchises = Franchise::all(db)
        .includes(|f| (f.parks, f.won_series, f.counterpart, f.managers))
        .await?;
    let loaded = capture.count();
    for franchise in &franchises {
        if let Some(counterpart) = franchise.counterpart().await? {
            let back = counterpart.counterpart().await?;
            assert_eq!(back.as_ref(), Some(franchise), "both lead to each other");
        }
        let parks = franchise.parks().await?.len();
        let won = franchise.won_series().await?;
        let world_series = won.iter().filter(|series| series.round() == "WS").count();
        for team in franchise.teams().await? {
            assert!(team.franchise().await?.is(franchise));
            for series in team.won_series().await? {
                assert!(
                    series.winner().await?.is(&team),
                    "by the key of both columns"
                );
                assert!(
                    won.iter().any(|one| one.is(&series)),
                    "the object on the way"
                );
            }
            let managers = team.managers().await?;
            for (stint, manager) in team.manager_stints().await?.iter().zip(&managers) {
                assert!(stint.team().await?.is(&team) && stint.person().await?.is(manager));
            }
        }
        found.insert(
            franchise.id().to_owned(),
            (parks as u64, world_series as u64),
        );
    }
    println!(
        "{} franchises with their teams, parks, managers and series: {loaded} queries, and {} for those on the way back",
        franchises.len(),
        capture.count() - loaded
    );
    Ok(found)
}

/// Careers: all people with what they were paid and by whom, whom they managed, where they went to college. Gives how
/// many managed and were paid, the highest sum, and how many were inducted and went to a college.
async fn walk_people(db: &Db) -> Result<(u64, Option<(String, i64)>, u64)> {
    let capture = db.capture();
    let people = Person::all(db)
        .includes(|p| (p.teams, p.managed_teams, p.schools, p.hall_of_fame_ballots))
        .await?;
    let (mut paid_managers, mut inducted) = (0, 0);
    let mut highest: Option<(String, i64)> = None;
    for person in &people {
        let mut sum = 0;
        let teams = person.teams().await?;
        for (salary, team) in person.salaries().await?.iter().zip(&teams) {
            sum += salary.salary();
            assert!(salary.person().await?.is(person) && salary.team().await?.is(team));
            assert_eq!((salary.year(), salary.team_code()), team.id());
        }
        if !teams.is_empty() && !person.managed_teams().await?.is_empty() {
            paid_managers += 1;
        }
        if sum > highest.as_ref().map_or(0, |(_, most)| *most) {
            highest = Some((person.id().to_owned(), sum));
        }
        let ballots = person.hall_of_fame_ballots().await?;
        if ballots.iter().any(HallOfFameBallot::inducted) && !person.schools().await?.is_empty() {
            inducted += 1;
        }
    }
    // One for each association, those on the way included, however many people there are.
    assert_eq!(capture.count(), 8);
    println!("{} people with their careers: 8 queries", people.len());
    Ok((paid_managers, highest, inducted))
}

/// Every batting of a series is by a team that won or lost it: three keys, which share the year. Gives how many are by
/// those who won.
async fn walk_battings(db: &Db) -> Result<u64> {
    let capture = db.capture();
    let battings = PostseasonBatting::all(db)
        .includes(|b| (b.person, b.team, b.postseason_series.loser, b.winner))
        .await?;
    let mut of_winners = 0;
    for batting in &battings {
        let series = batting.postseason_series().await?;
        assert_eq!(batting.year(), series.year());
        let (team, winner) = (batting.team().await?, series.winner().await?);
        assert_eq!(batting.winner().await?.as_ref(), Some(&winner));
        if team == winner {
            of_winners += 1;
        } else {
            assert_eq!(team, series.loser().await?);
        }
        assert_eq!(batting.person().await?.id(), batting.person_id());
    }
    assert_eq!(capture.count(), 6);
    println!(
        "{of_winners} of {} battings are by those who won: 6 queries",
        battings.len()
    );
    Ok(of_winners)
}

/// The walks come to what was asked.
async fn walk(db: &Db, asked: &Report) -> Result<()> {
    let franchises = walk_franchises(db).await?;
    assert_eq!(franchises["LAD"].0, asked.parks_of_lad);
    assert_eq!(franchises["NYY"].1, asked.world_series_of_nyy);
    let (paid_managers, highest, inducted) = walk_people(db).await?;
    assert_eq!(paid_managers, asked.paid_managers);
    assert_eq!(highest, asked.highest_career_salary);
    assert_eq!(inducted, asked.inducted_after_college);
    assert_eq!(walk_battings(db).await?, asked.battings_of_winners);
    Ok(())
}

/// What the data set's own notes say, and plain SQL.
fn known() -> Report {
    Report {
        counts: vec![
            20_262, 120, 2_955, 255, 3_108, 1_207, 17_340, 26_428, 3_567, 6_236, 4_191, 358,
            15_460, 5_182,
        ],
        most_seasons: Some(("ATL".to_owned(), 145)),
        parks_of_lad: 11,
        world_series_of_nyy: 27,
        paid_managers: 87,
        highest_career_salary: Some(("rodrial01".to_owned(), 398_416_252)),
        inducted_after_college: 64,
        battings_of_winners: 7_501,
    }
}

/// A database with the set in it.
async fn loaded(folder: &Path) -> Result<Db> {
    let db = Db::connect("sqlite::memory:").await?;
    load(&db, &folder.join("schema.sql")).await?;
    load(&db, &folder.join("data.sql")).await?;
    Ok(db)
}

/// What the tables lack, for reading from the other side: nothing here reads much that way.
const DIFFERENCES: [&str; 6] = [
    "Franchise.counterpart: no foreign key is on (na_assoc)",
    "Franchise.counterpart: no index begins with (na_assoc): reading from the other side goes through the whole table",
    "PostseasonSeries.winner: no index begins with (year, winner_code): reading from the other side goes through the whole \
     table",
    "PostseasonSeries.loser: no index begins with (year, loser_code): reading from the other side goes through the whole \
     table",
    "PostseasonBatting.team: no index begins with (year, team_code): reading from the other side goes through the whole \
     table",
    "AllStarAppearance.team: no index begins with (year, team_code): reading from the other side goes through the whole \
     table",
];

/// Loads the set, checks the models against its tables, asks and walks.
async fn baseball(folder: &Path) -> Result<()> {
    let db = loaded(folder).await?;
    let differences = db.check_tables(models()).await?;
    let sentences: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert_eq!(sentences, DIFFERENCES);
    let found = report(&db).await?;
    println!("{found:#?}");
    assert_eq!(found, known());
    walk(&db, &found).await
}

fn main() -> Result<()> {
    match given("baseball") {
        Some(folder) => relata::run(baseball(&folder)),
        None => {
            skip("baseball", SOURCE);
            Ok(())
        }
    }
}

const SOURCE: &str = "github.com/chadwickbureau/baseballdatabank, as tables";
