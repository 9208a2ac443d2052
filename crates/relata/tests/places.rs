//! Where a callback runs among what associations do, and what a record knows when it was made.

use std::cell::RefCell;

use relata::{Db, Model as _, Param, Params, Relation, Result, callbacks, model, permit};

thread_local! {
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn log(line: String) {
    LOG.with_borrow_mut(|log| log.push(line));
}

fn logged() -> Vec<String> {
    LOG.take()
}

#[model]
#[accepts_nested_attributes_for(sails)]
pub struct Ship {
    id: i64,
    name: String,
    #[has_many(dependent = destroy)]
    sails: Sail,
    #[has_many(dependent = destroy)]
    boats: Boat,
}

#[model]
pub struct Sail {
    id: i64,
    color: String,
    ship_id: i64,
    #[belongs_to]
    ship: Ship,
}

#[model]
pub struct Boat {
    id: i64,
    color: String,
    ship_id: i64,
    #[belongs_to]
    ship: Ship,
}

impl Ship {
    async fn tell(&self, who: &str) -> Result<()> {
        let (sails, boats) = (self.sails().count().await?, self.boats().count().await?);
        log(format!("{who}: {sails} sails, {boats} boats"));
        Ok(())
    }
}

#[callbacks]
impl Ship {
    #[before_destroy]
    async fn at_the_end(&self) -> Result<()> {
        self.tell("at the end").await
    }
    #[before_destroy(before = boats)]
    async fn before_the_boats(&self) -> Result<()> {
        self.tell("before the boats").await
    }
    #[before_destroy(after = sails)]
    async fn after_the_sails(&self) -> Result<()> {
        self.tell("after the sails").await
    }
    #[before_destroy(before = sails)]
    async fn before_the_sails(&self) -> Result<()> {
        self.tell("before the sails").await
    }
    #[before_destroy(prepend)]
    async fn first(&self) -> Result<()> {
        self.tell("first").await
    }
    #[before_destroy(after = boats)]
    async fn after_the_boats(&self) -> Result<()> {
        self.tell("after the boats").await
    }
}

#[callbacks]
impl Sail {
    #[after_initialize]
    fn made(&self) {
        log(format!("a {} sail of {}", self.color(), self.ship_id()));
    }
}

async fn tables(db: &Db) -> Result<()> {
    db.create_tables([Ship::reflection(), Sail::reflection(), Boat::reflection()])
        .await
}

/// Rails runs callbacks and `dependent` in the order of declaration; functions stand apart from the struct here, and say
/// beside which association they belong.
#[relata::test]
async fn a_callback_runs_beside_the_association_that_it_names(db: Db) -> Result<()> {
    tables(&db).await?;
    let ship = Ship::create(&db, |s| s.set_name("Argo")).await?;
    ship.sails().create(|s| s.set_color("white")).await?;
    ship.boats().create(|b| b.set_color("blue")).await?;
    logged();
    ship.destroy().await?;
    let log = logged();
    let own: Vec<&str> = log
        .iter()
        .map(String::as_str)
        .filter(|line| line.contains(':'))
        .collect();
    assert_eq!(
        own,
        [
            "before the sails: 1 sails, 1 boats",
            "first: 1 sails, 1 boats",
            "before the boats: 0 sails, 1 boats",
            "after the sails: 0 sails, 1 boats",
            "at the end: 0 sails, 0 boats",
            "after the boats: 0 sails, 0 boats",
        ],
        "those at one place in the order of declaration"
    );
    Ok(())
}

/// `after_initialize` of a record that was built through an association, or a relation, ran before its values were set:
/// it saw an empty record, where Rails' sees them.
#[relata::test]
async fn a_built_record_has_its_values_when_it_is_initialized(db: Db) -> Result<()> {
    tables(&db).await?;
    let ship = Ship::create(&db, |s| s.set_name("Argo")).await?;
    let _ = Sail::build(&db, |s| s.set_color("red").set_ship(&ship));
    ship.sails().build(|s| s.set_color("green"));
    ship.sails().create(|s| s.set_color("white")).await?;
    let black = Sail::all(&db).filter(|s| s.color.eq("black"));
    black.build(|s| s.set_ship(&ship));
    black.first_or_initialize(|s| s.set_ship_id(7)).await?;
    let by_name = Relation::of(Sail::reflection(), &db).filter_by("color", "grey")?;
    by_name.build_record()?;
    let made = [
        "a red sail of 1",
        "a green sail of 1",
        "a white sail of 1",
        "a black sail of 1",
        "a black sail of 7",
        "a grey sail of 0",
    ];
    assert_eq!(logged(), made);
    Ok(())
}

/// One that nested attributes made was initialized before its values, and with them where they were refused.
#[relata::test]
async fn a_member_of_nested_attributes_has_its_values_when_it_is_initialized(db: Db) -> Result<()> {
    tables(&db).await?;
    let ship = Ship::create(&db, |s| s.set_name("Argo")).await?;
    let sail = |color: &str| Param::from(Params::from_iter([("color", Param::from(color))]));
    let sails = vec![sail("red"), sail("green")];
    let given = Params::from_iter([("sails_attributes", Param::from(sails))]);
    ship.assign(given.clone(), permit![sails: [color]]).await?;
    assert_eq!(logged(), ["a red sail of 1", "a green sail of 1"]);
    assert_eq!(ship.sails().target().len(), 2);
    ship.assign(given, permit![sails: [color, colour]])
        .await
        .unwrap_err();
    assert!(logged().is_empty());
    Ok(())
}

/// The record of `create_from` itself was initialized before its values.
#[relata::test]
async fn a_record_made_from_outside_has_its_values_when_it_is_initialized(db: Db) -> Result<()> {
    tables(&db).await?;
    Ship::create(&db, |s| s.set_name("Argo")).await?;
    let given = Params::new().with("color", "red").with("ship_id", "1");
    Sail::create_from(&db, &given, permit![color, ship_id]).await?;
    assert_eq!(logged(), ["a red sail of 1"]);
    let wrong = given.with("ship_id", "none");
    let error = Sail::create_from(&db, &wrong, permit![color, ship_id])
        .await
        .unwrap_err();
    assert!(error.is_record_invalid());
    assert_eq!(logged(), ["a  sail of 0"], "once, and with nothing set");
    Ok(())
}
