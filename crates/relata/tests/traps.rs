//! Traps that users of other libraries fell into, each with a test named after it.

use relata::{Db, Model as _, Result, assert_queries, model};

/// Who plays.
#[model]
pub struct Team {
    id: i64,
    name: String,
    #[has_many(foreign_key = home_id, inverse_of = home)]
    home_games: Game,
    #[has_many(foreign_key = away_id, inverse_of = away)]
    away_games: Game,
    #[has_many]
    players: Player,
    #[has_many(scope = |all| all.order(|p| p.points.desc()).limit(1))]
    first_only: Player,
    #[has_one(scope = |all| all.order(|p| p.points.desc()))]
    best: Option<Player>,
    #[has_many(scope = |all| all.filter(|p| p.points.gt(5)))]
    good_players: Player,
    #[has_many]
    contracts: Contract,
    #[has_many(through = contracts, scope = |all| all.order(|s| s.name.desc()))]
    sponsors: Sponsor,
    #[has_one]
    captaincy: Option<Captaincy>,
    #[has_one(through = captaincy, source = player)]
    captain: Option<Player>,
}

/// Who leads a team.
#[model]
pub struct Captaincy {
    id: i64,
    team_id: i64,
    #[belongs_to]
    team: Team,
    player_id: i64,
    #[belongs_to]
    player: Player,
}

/// What is shown, unless it is hidden.
#[model(default_scope = |all| all.filter(|n| n.hidden.eq(false)))]
pub struct Notice {
    id: i64,
    text: String,
    hidden: bool,
    team_id: Option<i64>,
    #[belongs_to]
    team: Option<Team>,
}

/// A game of two teams.
#[model]
pub struct Game {
    id: i64,
    place: String,
    home_id: i64,
    #[belongs_to(inverse_of = home_games)]
    home: Team,
    away_id: i64,
    #[belongs_to(inverse_of = away_games)]
    away: Team,
}

/// Who plays for a team.
#[model]
pub struct Player {
    id: i64,
    points: i64,
    team_id: i64,
    #[belongs_to]
    team: Team,
    #[has_many]
    medals: Medal,
}

/// What a player won.
#[model]
pub struct Medal {
    id: i64,
    metal: String,
    player_id: i64,
    #[belongs_to]
    player: Player,
}

/// Who pays which team.
#[model]
pub struct Contract {
    id: i64,
    team_id: i64,
    sponsor_id: i64,
    #[belongs_to]
    team: Team,
    #[belongs_to]
    sponsor: Sponsor,
}

/// Who pays.
#[model]
pub struct Sponsor {
    id: i64,
    name: String,
}

/// Reds (players of 9 and 3 points) and Blues (8 and 1); a game at each; each player a gold and a tin medal; sponsors.
async fn league(db: &Db) -> Result<()> {
    db.create_tables([
        Team::reflection(),
        Game::reflection(),
        Player::reflection(),
        Medal::reflection(),
        Contract::reflection(),
        Sponsor::reflection(),
        Captaincy::reflection(),
        Notice::reflection(),
    ])
    .await?;
    let reds = Team::create(db, |t| t.set_name("Reds")).await?;
    let blues = Team::create(db, |t| t.set_name("Blues")).await?;
    for (place, home, away) in [("North", &reds, &blues), ("South", &blues, &reds)] {
        Game::create(db, |g| g.set_place(place).set_home(home).set_away(away)).await?;
    }
    for (team, points) in [(&reds, 3), (&blues, 8), (&reds, 9), (&blues, 1)] {
        let player = Player::create(db, |p| p.set_points(points).set_team(team)).await?;
        for metal in ["gold", "tin"] {
            Medal::create(db, |m| m.set_metal(metal).set_player(&player)).await?;
        }
    }
    for name in ["Ale", "Zinc"] {
        let sponsor = Sponsor::create(db, |s| s.set_name(name)).await?;
        for team in [&reds, &blues] {
            Contract::create(db, |c| c.set_team(team).set_sponsor(&sponsor)).await?;
        }
    }
    Ok(())
}

async fn teams(db: &Db) -> Result<Vec<Team>> {
    Team::all(db).order(|t| t.id).await
}

/// Associations are known by name and not by the two models: libraries that keep one relation a pair mix them up.
#[relata::test]
async fn several_associations_between_the_same_two_models_do_not_mix(db: Db) -> Result<()> {
    league(&db).await?;
    let games = assert_queries!(db, 3, {
        Game::all(&db)
            .order(|g| g.id)
            .preload(|g| (g.home, g.away))
            .await?
    });
    assert_queries!(db, 0, {
        assert_eq!(games[0].home().await?.name(), "Reds");
        assert_eq!(games[0].away().await?.name(), "Blues");
        assert!(!games[0].home().await?.is(&games[1].home().await?));
    });
    let reds = &teams(&db).await?[0];
    assert_eq!(reds.home_games().await?[0].place(), "North");
    assert_eq!(reds.away_games().await?[0].place(), "South");
    let home = reds.home_games().await?;
    assert_queries!(db, 0, { assert!(home[0].home().await?.is(reds)) });
    let played = Game::all(&db).filter(|g| g.home.name.eq("Reds").and(g.away.name.eq("Blues")));
    assert_eq!(played.count().await?, 1);
    Ok(())
}

/// What a condition leaves out is not loaded below it, and what is nested below a scope is loaded of its targets alone.
#[relata::test]
async fn filtered_nested_includes_load_what_they_show(db: Db) -> Result<()> {
    league(&db).await?;
    let teams = assert_queries!(db, 3, {
        Team::all(&db)
            .order(|t| t.id)
            .preload(|t| t.good_players.medals)
            .await?
    });
    assert_queries!(db, 0, {
        for team in &teams {
            let good = team.good_players().await?;
            assert_eq!(good.len(), 1);
            assert_eq!(good[0].medals().await?.len(), 2);
        }
    });
    let gold = assert_queries!(db, 1, {
        Team::all(&db)
            .includes(|t| t.players.medals)
            .filter(|t| {
                t.players
                    .medals
                    .metal
                    .eq("gold")
                    .and(t.players.points.gt(8))
            })
            .await?
    });
    assert_queries!(db, 0, {
        assert_eq!(gold.len(), 1);
        let players = gold[0].players().await?;
        assert_eq!(players.len(), 1);
        assert_eq!(players[0].medals().await?[0].metal(), "gold");
    });
    Ok(())
}

/// salsify/goldiloader#17: records that came by a join were loaded for one by one.
#[relata::test]
async fn records_that_arrive_by_a_join_are_siblings_too(db: Db) -> Result<()> {
    league(&db).await?;
    let teams = assert_queries!(db, 1, {
        Team::all(&db)
            .order(|t| t.id)
            .eager_load(|t| t.players)
            .await?
    });
    assert_queries!(db, 1, {
        for team in &teams {
            for player in team.players().await? {
                assert_eq!(player.medals().await?.len(), 2);
            }
        }
    });
    Ok(())
}

/// A `has_one` that relies on an order has the first of each owner, however many owners are read at once.
#[relata::test]
async fn a_has_one_by_order_is_each_owners_first(db: Db) -> Result<()> {
    league(&db).await?;
    let best = async |teams: Vec<Team>| {
        let mut points = Vec::new();
        for team in &teams {
            points.push(team.best().await?.map(|one| one.points()));
        }
        Result::Ok(points)
    };
    assert_eq!(best(teams(&db).await?).await?, [Some(9), Some(8)]);
    let preloaded = Team::all(&db).order(|t| t.id).preload(|t| t.best).await?;
    assert_queries!(db, 0, {
        assert_eq!(best(preloaded).await?, [Some(9), Some(8)])
    });
    Ok(())
}

/// Rails: the limit of a scope cuts the whole preload, and a join drops it. Read lazily, each owner has its own.
#[relata::test]
async fn a_scopes_limit_cuts_the_whole_preload_and_is_lost_in_a_join(db: Db) -> Result<()> {
    league(&db).await?;
    let sizes = async |teams: Vec<Team>| {
        let mut sizes = Vec::new();
        for team in &teams {
            sizes.push(team.first_only().await?.len());
        }
        Result::Ok(sizes)
    };
    assert_eq!(sizes(teams(&db).await?).await?, [1, 1]);
    let all = || Team::all(&db).order(|t| t.id);
    assert_eq!(sizes(all().preload(|t| t.first_only).await?).await?, [1, 0]);
    assert_eq!(
        sizes(all().eager_load(|t| t.first_only).await?).await?,
        [2, 2]
    );
    Ok(())
}

/// salsify/goldiloader#18: an ordered through was left out, or lost its order.
#[relata::test]
async fn an_ordered_through_keeps_its_order_for_every_owner(db: Db) -> Result<()> {
    league(&db).await?;
    let names = async |teams: Vec<Team>| {
        let mut names = Vec::new();
        for team in &teams {
            for sponsor in team.sponsors().await? {
                names.push(sponsor.name().to_owned());
            }
        }
        Result::Ok(names)
    };
    let wanted = ["Zinc", "Ale", "Zinc", "Ale"];
    assert_eq!(names(teams(&db).await?).await?, wanted);
    let preloaded = Team::all(&db)
        .order(|t| t.id)
        .preload(|t| t.sponsors)
        .await?;
    assert_queries!(db, 0, { assert_eq!(names(preloaded).await?, wanted) });
    Ok(())
}

/// laravel/framework#55526: inverses and automatic loading led each other round and round.
#[relata::test]
async fn walking_there_and_back_ends(db: Db) -> Result<()> {
    league(&db).await?;
    assert_queries!(db, 2, {
        let teams = teams(&db).await?;
        for team in &teams {
            for player in team.players().await? {
                assert!(player.team().await?.is(team));
                assert_eq!(player.team().await?.players().await?.len(), 2);
            }
        }
        assert!(format!("{teams:?}").len() < 10_000);
    });
    Ok(())
}

/// salsify/goldiloader#25: what a `has_one` leads to through another was asked for one by one.
#[relata::test]
async fn a_has_one_through_others_is_read_for_siblings_too(db: Db) -> Result<()> {
    league(&db).await?;
    for team in teams(&db).await? {
        let best = team.best().await?.unwrap();
        Captaincy::create(&db, |c| c.set_team(&team).set_player(&best)).await?;
    }
    let points = async |teams: &[Team]| {
        let mut points = Vec::new();
        for team in teams {
            points.push(team.captain().await?.map(|one| one.points()));
        }
        Result::Ok(points)
    };
    assert_queries!(db, 2, {
        assert_eq!(points(&teams(&db).await?).await?, [Some(9), Some(8)]);
    });
    let preloaded = Team::all(&db)
        .order(|t| t.id)
        .preload(|t| t.captain)
        .await?;
    assert_queries!(db, 0, {
        assert_eq!(points(&preloaded).await?, [Some(9), Some(8)])
    });
    Ok(())
}

/// goldiloader: whether there are any, asked before they are walked, was a query a record. Of members that are loaded it is
/// none, and `counts` asks for all owners at once.
#[relata::test]
async fn asking_whether_there_are_any_before_walking_them(db: Db) -> Result<()> {
    league(&db).await?;
    let all = Team::all(&db)
        .order(|t| t.id)
        .includes(|t| t.players)
        .await?;
    assert_queries!(db, 0, {
        for team in &all {
            assert!(team.players().any().await?);
            assert!(!team.players().is_empty().await?);
            assert_eq!(team.players().size().await?, 2);
            assert_eq!(team.players().await?.len(), 2);
        }
    });
    assert_queries!(db, 1, {
        let counts = relata::loading::counts(&all, |t| t.home_games).await?;
        assert_eq!(counts, [1, 1]);
    });
    Ok(())
}

/// gurenjs/guren#372: a default scope was forgotten where rows are written.
#[relata::test]
async fn a_default_scope_holds_where_many_rows_are_written(db: Db) -> Result<()> {
    league(&db).await?;
    for hidden in [false, true] {
        Notice::create(&db, |n| n.set_text("x").set_hidden(hidden)).await?;
    }
    assert_eq!(Notice::all(&db).update_all(|n| n.text.set("y")).await?, 1);
    let of_hidden = || Notice::unscoped(&db).filter(|n| n.hidden.eq(true));
    assert_eq!(of_hidden().first_or_fail().await?.text(), "x");
    Notice::all(&db).delete_all().await?;
    assert_eq!(of_hidden().count().await?, 1);
    Ok(())
}

/// jeremyevans/sequel#1587: what waited for the commit ran although its savepoint was undone.
#[relata::test]
async fn what_waits_for_the_commit_goes_with_its_savepoint(db: Db) -> Result<()> {
    use std::sync::{Arc, Mutex};
    league(&db).await?;
    let ran = Arc::new(Mutex::new(Vec::new()));
    let note = |what: &'static str| {
        let ran = Arc::clone(&ran);
        move || async move { ran.lock().unwrap().push(what) }
    };
    db.transaction(async || {
        db.after_commit(note("outer")).await?;
        let undone = db
            .transaction(async || {
                db.after_commit(note("undone")).await?;
                Err::<(), _>(relata::Error::new(relata::ErrorKind::Rollback, "undone"))
            })
            .await;
        assert!(undone.is_err());
        db.transaction(async || db.after_commit(note("kept")).await)
            .await?;
        assert!(
            ran.lock().unwrap().is_empty(),
            "nothing runs before the outermost commit"
        );
        Ok(())
    })
    .await?;
    assert_eq!(*ran.lock().unwrap(), ["outer", "kept"]);
    Ok(())
}
