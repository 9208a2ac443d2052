//! Keys of several columns: what is found, linked, written and counted by them; and columns that name a row beside the
//! primary key.
//!
//! Invariant: two rows that agree in one column of a key and differ in another are never taken for each other.

use relata::{Db, Relation, Result, Value, assert_queries, assert_sql, model};

use crate::Backend;

/// A season of a team.
#[model(primary_key = (year, code))]
pub struct Team {
    year: i64,
    code: String,
    name: String,
    #[column(default = 0)]
    players_count: i64,
    #[has_many(foreign_key = (season, team_code), dependent = destroy)]
    players: Player,
    #[has_one(foreign_key = (season, team_code), dependent = nullify)]
    coach: Option<Coach>,
    #[has_many(foreign_key = (season, team_code), dependent = delete_all)]
    flags: Flag,
}

/// One who may play.
#[model]
pub struct Player {
    id: i64,
    name: String,
    season: Option<i64>,
    team_code: Option<String>,
    #[belongs_to(foreign_key = (season, team_code), counter_cache)]
    team: Option<Team>,
}

/// At most one a team.
#[model]
pub struct Coach {
    id: i64,
    season: Option<i64>,
    team_code: Option<String>,
    #[belongs_to(foreign_key = (season, team_code), inverse_of = coach)]
    team: Option<Team>,
}

/// A row without meaning but its key, which contains that of its team.
#[model(primary_key = (season, team_code, number))]
pub struct Flag {
    season: i64,
    team_code: String,
    number: i64,
    #[belongs_to(foreign_key = (season, team_code))]
    team: Team,
}

/// One whose rows are spread by shop: each statement names it.
#[model(query_constraints = (shop_id, id))]
pub struct Invoice {
    id: i64,
    shop_id: i64,
    total: i64,
    #[has_many(foreign_key = (shop_id, invoice_id))]
    items: Item,
}

/// A line of one.
#[model(query_constraints = (shop_id, id))]
pub struct Item {
    id: i64,
    shop_id: Option<i64>,
    invoice_id: Option<i64>,
    label: String,
    #[belongs_to(foreign_key = (shop_id, invoice_id))]
    invoice: Option<Invoice>,
}

/// A key of several columns with `id` among them.
#[model(primary_key = (shop_id, id))]
pub struct Order {
    shop_id: i64,
    id: i64,
    #[has_many]
    parcels: Parcel,
}

/// It knows the `id` alone.
#[model]
pub struct Parcel {
    id: i64,
    order_id: i64,
    #[belongs_to]
    order: Order,
}

/// Four seasons of two teams, of which each pair of columns crosses.
async fn league(backend: &Backend) -> Result<Db> {
    let db = backend.open().await?;
    db.create_tables([
        Team::reflection(),
        Player::reflection(),
        Coach::reflection(),
        Flag::reflection(),
    ])
    .await?;
    for (year, code) in [(1, "A"), (1, "B"), (2, "A"), (2, "B")] {
        let team = Team::create(&db, |t| {
            t.set_year(year)
                .set_code(code)
                .set_name(format!("{code}{year}"))
        })
        .await?;
        for number in 1..=2 {
            let name = format!("{code}{year}-{number}");
            team.players().create(|p| p.set_name(name)).await?;
        }
        team.create_coach(|c| c).await?;
        team.flags().create(|f| f.set_number(1)).await?;
    }
    Ok(db)
}

fn names(players: &[Player]) -> Vec<&str> {
    players.iter().map(Player::name).collect()
}

/// A key of several columns finds one row.
pub async fn a_key_of_several_columns_finds_one_row(backend: &Backend) -> Result<()> {
    let db = league(backend).await?;
    assert_sql!(
        db,
        [r#"SELECT "teams".* FROM "teams" WHERE "teams"."year" = ? AND "teams"."code" = ?"#],
        {
            let team = Team::find(&db, (1, "B".to_owned())).await?;
            assert_eq!((team.name(), team.id()), ("B1", (1, "B")));
            assert_eq!(team.to_key(), Some(vec![Value::from(1), "B".into()]));
        }
    );
    let two = Team::all(&db)
        .find_many([(2, "B".to_owned()), (1, "A".to_owned())])
        .await?;
    assert_eq!([two[0].name(), two[1].name()], ["B2", "A1"]);
    let error = Team::find(&db, (3, "A".to_owned())).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"Couldn't find Team with [year, code]=[3, "A"]"#
    );
    assert_eq!(Team::all(&db).ids().await?[1], (1, "B".to_owned()));
    let (first, last) = (Team::all(&db).first().await?, Team::all(&db).last().await?);
    assert_eq!((first.unwrap().name(), last.unwrap().name()), ("A1", "B2"));
    let erased: Relation = Relation::of(Team::reflection(), &db);
    let found = erased.find_key([Value::from(2), Value::from("A")]).await?;
    assert_eq!(found.get("name")?, Value::from("A2"));
    let few = erased.find_key([Value::from(2)]).await.unwrap_err();
    assert_eq!(
        few.to_string(),
        "Team has a key of 2 columns, and 1 value was given"
    );
    let mut seen = Vec::new();
    let mut batches = Team::all(&db).in_batches(3);
    while let Some(batch) = batches.next().await? {
        seen.push(
            batch
                .iter()
                .map(|t| t.name().to_owned())
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(seen, [vec!["A1", "B1", "A2"], vec!["B2"]]);
    Ok(())
}

/// Targets are found by all columns of a key, alone and for many.
pub async fn targets_are_found_by_all_columns_of_a_key(backend: &Backend) -> Result<()> {
    let db = league(backend).await?;
    let team = Team::find(&db, (2, "A".to_owned())).await?;
    assert_sql!(
        db,
        [
            r#"SELECT "players".* FROM "players" WHERE "players"."season" = ? AND "players"."team_code" = ?"#
        ],
        { assert_eq!(names(&team.players().await?), ["A2-1", "A2-2"]) }
    );
    let one = &team.players().await?[0];
    assert!(one.team().await?.unwrap().is(&team), "and lead back");
    let teams = Team::all(&db)
        .includes(|t| (t.players, t.coach, t.flags))
        .await?;
    assert_queries!(db, 0, {
        for team in &teams {
            let start = format!("{}{}-", team.code(), team.year());
            let players = team.players().await?;
            assert_eq!(players.len(), 2);
            assert!(players.iter().all(|p| p.name().starts_with(&start)));
            let coach = team.coach().await?.unwrap();
            assert_eq!(coach.season(), Some(team.year()));
            assert_eq!(coach.team_code(), Some(team.code()));
            assert!(coach.team().await?.unwrap().is(team));
            assert_eq!(team.flags().await?.len(), 1);
        }
    });
    let players = Player::all(&db).order(|p| p.id.asc()).await?;
    assert_queries!(db, 1, {
        for player in &players {
            let team = player.team().await?.unwrap();
            assert!(player.name().starts_with(team.name()));
        }
    });
    let joined = Team::all(&db)
        .eager_load(|t| t.players)
        .filter(|t| t.players.name.eq("B1-2"))
        .await?;
    assert_eq!(joined.len(), 1);
    assert_queries!(db, 0, {
        assert_eq!(names(&joined[0].players().await?), ["B1-2"]);
    });
    let of_team = Player::all(&db).filter(|p| p.team.is(&team));
    assert_eq!(
        of_team.to_sql(),
        r#"SELECT "players".* FROM "players" WHERE "players"."season" = 2 AND "players"."team_code" = 'A'"#
    );
    assert_eq!(of_team.count().await?, 2);
    let of_two = Player::all(&db).filter(|p| p.team.is_in([&teams[0], &teams[3]]));
    assert_eq!(
        names(&of_two.order(|p| p.id.asc()).await?),
        ["A1-1", "A1-2", "B2-1", "B2-2"]
    );
    Ok(())
}

/// Members are taken in, taken out and destroyed by all columns of a key.
pub async fn members_come_and_go_by_all_columns_of_a_key(backend: &Backend) -> Result<()> {
    let db = league(backend).await?;
    let (here, there) = (
        Team::find(&db, (1, "A".to_owned())).await?,
        Team::find(&db, (2, "A".to_owned())).await?,
    );
    assert_eq!((here.players_count(), there.players_count()), (2, 2));
    let players = here.players().await?;
    assert_sql!(
        db,
        [
            r#"UPDATE "players" SET "season" = ? WHERE "players"."id" = ?"#,
            r#"UPDATE "teams" SET "players_count" = COALESCE("teams"."players_count", 0) + 1 WHERE "teams"."year" = ? AND "teams"."code" = ?"#,
            r#"UPDATE "teams" SET "players_count" = COALESCE("teams"."players_count", 0) - 1 WHERE "teams"."year" = ? AND "teams"."code" = ?"#,
        ],
        { there.players().push(&players[0]).await? }
    );
    let counts = |db: &Db| {
        let all = Team::all(db);
        async move { all.pluck(|t| t.players_count).await }
    };
    assert_eq!(counts(&db).await?, [1, 2, 3, 2]);
    there.players().reload().await?;
    there.players().delete([&players[0]]).await?;
    assert_eq!(counts(&db).await?, [1, 2, 2, 2]);
    assert_eq!(
        Player::find(&db, players[0].id()).await.unwrap_err().kind(),
        relata::ErrorKind::RecordNotFound,
        "dependent = destroy takes those that leave"
    );
    let ids = there.player_ids().await?;
    there.players().replace_ids([ids[1]]).await?;
    assert_eq!(there.player_ids().await?, [ids[1]]);
    assert_eq!(counts(&db).await?, [1, 2, 1, 2]);
    Team::all(&db)
        .update_counters([("players_count", 7)], false)
        .await?;
    Team::all(&db)
        .reset_counters((2, "A".to_owned()), ["players"], false)
        .await?;
    assert_eq!(counts(&db).await?, [8, 9, 1, 9]);
    Ok(())
}

/// What depends on an owner is found by all columns of its key.
pub async fn what_depends_on_an_owner_goes_by_all_columns_of_its_key(
    backend: &Backend,
) -> Result<()> {
    let db = league(backend).await?;
    let team = Team::find(&db, (1, "B".to_owned())).await?;
    team.destroy().await?;
    assert_eq!(Player::all(&db).count().await?, 6);
    assert_eq!(Flag::all(&db).ids().await?.len(), 3);
    let coaches = Coach::all(&db)
        .order(|c| c.id.asc())
        .pluck(|c| (c.season, c.team_code))
        .await?;
    let at = |year, code: &str| (Some(year), Some(code.to_owned()));
    assert_eq!(
        coaches,
        [at(1, "A"), (None, None), at(2, "A"), at(2, "B")],
        "both columns are null"
    );
    Ok(())
}

/// A parent that is set gives all columns of its key, and none takes them.
pub async fn a_parent_gives_all_columns_of_its_key(backend: &Backend) -> Result<()> {
    let db = league(backend).await?;
    let team = Team::find(&db, (2, "B".to_owned())).await?;
    let player = Player::build(&db, |p| p.set_name("new"));
    player.set_team(&team);
    assert_eq!((player.season(), player.team_code()), (Some(2), Some("B")));
    let fresh = Team::build(&db, |t| t.set_year(3).set_code("C").set_name("C3"));
    player.set_team(&fresh);
    player.save().await?;
    assert_eq!(
        (fresh.is_persisted(), player.season(), player.team_code()),
        (true, Some(3), Some("C"))
    );
    player.set_season(Some(2));
    assert!(player.team().await?.is_none(), "there is no C2");
    player.set_team(None);
    assert_eq!((player.season(), player.team_code()), (None, None));
    player.set_season(Some(2));
    assert_queries!(db, 0, { assert!(player.team().await?.is_none()) });
    Ok(())
}

/// A key by one column refers to the `id` in a key of several.
pub async fn one_column_refers_to_the_id_in_a_key_of_several(backend: &Backend) -> Result<()> {
    let db = backend.open().await?;
    db.create_tables([Order::reflection(), Parcel::reflection()])
        .await?;
    let order = Order::create(&db, |o| o.set_shop_id(1).set_id(7)).await?;
    assert_sql!(db, [r#"INSERT INTO "parcels" ("order_id") VALUES (?)"#], {
        order.parcels().create(|p| p).await?
    });
    let parcel = Parcel::find(&db, 1).await?;
    assert_sql!(
        db,
        [r#"SELECT "orders".* FROM "orders" WHERE "orders"."id" = ? LIMIT 1"#],
        { assert_eq!(parcel.order().await?.id(), 7) }
    );
    Ok(())
}

/// Query constraints stand in every statement that a record makes.
pub async fn query_constraints_stand_in_every_statement_of_a_record(
    backend: &Backend,
) -> Result<()> {
    let db = backend.open().await?;
    db.create_tables([Invoice::reflection(), Item::reflection()])
        .await?;
    let invoice = Invoice::create(&db, |i| i.set_shop_id(5).set_total(1)).await?;
    let by = r#"WHERE "invoices"."shop_id" = ? AND "invoices"."id" = ?"#;
    assert_sql!(
        db,
        [
            format!(r#"UPDATE "invoices" SET "total" = ? {by}"#),
            format!(r#"UPDATE "invoices" SET "total" = ? {by}"#),
            format!(r#"SELECT "invoices".* FROM "invoices" {by} LIMIT 1"#),
        ],
        {
            invoice.update(|i| i.set_total(2)).await?;
            invoice.update_columns([("total", 3.into())]).await?;
            invoice.reload().await?;
        }
    );
    assert_eq!(invoice.total(), 3);
    let item = invoice.items().create(|i| i.set_label("a")).await?;
    assert_eq!(
        (item.shop_id(), item.invoice_id()),
        (Some(5), Some(invoice.id()))
    );
    let read = Invoice::find(&db, 1).await?;
    assert_sql!(
        db,
        [
            r#"SELECT "items".* FROM "items" WHERE "items"."shop_id" = ? AND "items"."invoice_id" = ?"#
        ],
        { assert_eq!(read.items().await?.len(), 1) }
    );
    assert_eq!(
        Item::reflection().foreign_key_of("invoice")?,
        ["shop_id", "invoice_id"]
    );
    assert_sql!(
        db,
        [
            r#"DELETE FROM "items" WHERE "items"."shop_id" = ? AND "items"."id" = ?"#,
            format!(r#"DELETE FROM "invoices" {by}"#),
        ],
        {
            item.destroy().await?;
            invoice.delete().await?;
        }
    );
    assert_eq!(
        Invoice::all(&db)
            .order(|i| i.id.asc())
            .first()
            .await?
            .map(|i| i.id()),
        None
    );
    Ok(())
}
