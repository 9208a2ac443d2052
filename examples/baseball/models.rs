//! The tables, as models: nearly every key is of several columns, and nearly every key that leads to a team is
//! `(year, ..._code)` where the team's own is `(year, code)`.

use chrono::NaiveDate;
use relata::model;
use rust_decimal::Decimal;

/// Who played, managed or both. The key is a text.
#[model]
pub struct Person {
    id: String,
    first_name: Option<String>,
    last_name: Option<String>,
    birth_year: Option<i64>,
    debut: Option<NaiveDate>,
    #[has_many]
    salaries: Salary,
    #[has_many(through = salaries)]
    teams: Team,
    #[has_many]
    manager_stints: Stint,
    #[has_many(through = manager_stints, source = team)]
    managed_teams: Team,
    #[has_many]
    college_seasons: CollegeSeason,
    /// Several seasons at a school are several rows between.
    #[has_many(through = college_seasons, scope = |s| s.distinct().order(|s| s.id))]
    schools: School,
    #[has_many]
    awards: Award,
    #[has_many]
    hall_of_fame_ballots: HallOfFameBallot,
    #[has_many]
    postseason_battings: PostseasonBatting,
    #[has_many(through = postseason_battings)]
    postseason_series: PostseasonSeries,
    #[has_many]
    all_star_appearances: AllStarAppearance,
}

/// A club over all its years.
#[model]
pub struct Franchise {
    id: String,
    name: String,
    active: Option<bool>,
    na_assoc: Option<String>,
    /// The same club in the league that was there before, and from there the one that came after.
    #[belongs_to(foreign_key = na_assoc, inverse_of = none)]
    counterpart: Option<Franchise>,
    #[has_many]
    teams: Team,
    #[has_many(through = teams)]
    home_games: HomeGame,
    /// Where it was ever at home: over two keys of several columns.
    #[has_many(through = home_games, scope = |p| p.distinct())]
    parks: Park,
    #[has_many(through = teams)]
    won_series: PostseasonSeries,
    #[has_many(through = teams)]
    managers: Person,
}

/// A club in one year.
#[model(primary_key = (year, code))]
pub struct Team {
    year: i64,
    code: String,
    franchise_id: String,
    name: String,
    wins: Option<i64>,
    losses: Option<i64>,
    era: Option<Decimal>,
    #[belongs_to]
    franchise: Franchise,
    #[has_many(foreign_key = (year, team_code))]
    home_games: HomeGame,
    #[has_many(through = home_games)]
    parks: Park,
    #[has_many(foreign_key = (year, team_code))]
    salaries: Salary,
    #[has_many(through = salaries, source = person)]
    people: Person,
    #[has_many(foreign_key = (year, team_code), scope = |m| m.order(|m| m.in_season))]
    manager_stints: Stint,
    #[has_many(through = manager_stints, source = person)]
    managers: Person,
    /// Two ways to one table, by two of its columns.
    #[has_many(foreign_key = (year, winner_code))]
    won_series: PostseasonSeries,
    #[has_many(foreign_key = (year, loser_code))]
    lost_series: PostseasonSeries,
    #[has_many(foreign_key = (year, team_code))]
    postseason_battings: PostseasonBatting,
    #[has_many(foreign_key = (year, team_code))]
    all_star_appearances: AllStarAppearance,
}

/// Where games are.
#[model]
pub struct Park {
    id: String,
    name: String,
    city: Option<String>,
    #[has_many]
    home_games: HomeGame,
    #[has_many(through = home_games)]
    teams: Team,
}

/// That a team was at home in a park: between a model with a key of two columns and one with a key of one.
#[model(primary_key = (year, team_code, park_id))]
pub struct HomeGame {
    year: i64,
    team_code: String,
    park_id: String,
    games: Option<i64>,
    #[belongs_to(foreign_key = (year, team_code))]
    team: Team,
    #[belongs_to]
    park: Park,
}

/// A college.
#[model]
pub struct School {
    id: String,
    name: String,
    #[has_many]
    college_seasons: CollegeSeason,
    #[has_many(through = college_seasons, scope = |p| p.distinct())]
    people: Person,
}

/// That somebody played for a college in one year: the pair comes again.
#[model(primary_key = (person_id, school_id, year))]
pub struct CollegeSeason {
    person_id: String,
    school_id: String,
    year: i64,
    #[belongs_to]
    person: Person,
    #[belongs_to]
    school: School,
}

/// What somebody was paid by a team.
#[model(primary_key = (year, team_code, person_id))]
pub struct Salary {
    year: i64,
    team_code: String,
    person_id: String,
    salary: i64,
    #[belongs_to(foreign_key = (year, team_code))]
    team: Team,
    #[belongs_to]
    person: Person,
}

/// That somebody managed a team, as the n-th of the season.
#[model(table = "manager_stints", primary_key = (year, team_code, in_season))]
pub struct Stint {
    year: i64,
    team_code: String,
    in_season: i64,
    person_id: String,
    player_manager: bool,
    #[belongs_to(foreign_key = (year, team_code))]
    team: Team,
    #[belongs_to]
    person: Person,
}

/// What somebody was given.
#[model]
pub struct Award {
    id: i64,
    person_id: String,
    award: String,
    year: i64,
    tie: bool,
    #[belongs_to]
    person: Person,
}

/// How a vote on somebody went.
#[model(primary_key = (person_id, year, voted_by))]
pub struct HallOfFameBallot {
    person_id: String,
    year: i64,
    voted_by: String,
    inducted: bool,
    #[belongs_to]
    person: Person,
}

/// Games between two teams at the end of a year: two keys to one table, which share a column.
#[model(primary_key = (year, round))]
pub struct PostseasonSeries {
    year: i64,
    round: String,
    winner_code: String,
    loser_code: String,
    #[belongs_to(foreign_key = (year, winner_code))]
    winner: Team,
    #[belongs_to(foreign_key = (year, loser_code))]
    loser: Team,
    #[has_many(foreign_key = (year, round))]
    postseason_battings: PostseasonBatting,
    #[has_many(through = postseason_battings, source = person)]
    people: Person,
}

/// How somebody batted in such a series: three keys, two of which share the year.
#[model(primary_key = (year, round, person_id))]
pub struct PostseasonBatting {
    year: i64,
    round: String,
    person_id: String,
    team_code: String,
    home_runs: Option<i64>,
    #[belongs_to]
    person: Person,
    #[belongs_to(foreign_key = (year, team_code))]
    team: Team,
    #[belongs_to(foreign_key = (year, round))]
    postseason_series: PostseasonSeries,
    #[has_one(through = postseason_series)]
    winner: Option<Team>,
}

/// That somebody was among the best of a year.
#[model(primary_key = (person_id, year, game_number))]
pub struct AllStarAppearance {
    person_id: String,
    year: i64,
    game_number: i64,
    team_code: String,
    played: bool,
    #[belongs_to]
    person: Person,
    #[belongs_to(foreign_key = (year, team_code))]
    team: Team,
}

/// Every model, each after those that it refers to.
pub(crate) fn models() -> [&'static relata::reflection::ModelReflection; 14] {
    [
        Person::reflection(),
        Franchise::reflection(),
        Team::reflection(),
        Park::reflection(),
        HomeGame::reflection(),
        School::reflection(),
        CollegeSeason::reflection(),
        Salary::reflection(),
        Stint::reflection(),
        Award::reflection(),
        HallOfFameBallot::reflection(),
        PostseasonSeries::reflection(),
        PostseasonBatting::reflection(),
        AllStarAppearance::reflection(),
    ]
}
