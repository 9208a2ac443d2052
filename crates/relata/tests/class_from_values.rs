//! Values from outside that say of which class a new record is.

#![allow(missing_docs)]
#![cfg(feature = "sqlite")]

use relata::{Db, ErrorKind, Model as _, Params, Result, model, permit};

#[model]
#[accepts_nested_attributes_for(vehicles)]
pub struct Garage {
    id: i64,
    name: String,
    #[has_many]
    vehicles: Vehicle,
}

#[model(subclasses = (Truck))]
pub struct Vehicle {
    id: i64,
    r#type: Option<String>,
    name: String,
    load: Option<i64>,
    garage_id: Option<i64>,
    #[belongs_to]
    garage: Option<Garage>,
}

#[model(base = Vehicle)]
pub struct Truck {
    name: String,
    #[validates(presence)]
    load: Option<i64>,
}

fn given(class: &'static str) -> Params {
    Params::new().with("type", class).with("name", "Mule")
}

#[relata::test]
async fn a_permitted_type_makes_a_record_of_that_class(db: Db) -> Result<()> {
    db.create_tables([Garage::reflection(), Vehicle::reflection()])
        .await?;
    let list = permit![type, name, load];
    let error = Vehicle::create_from(&db, given("Truck"), &list)
        .await
        .unwrap_err();
    assert!(error.is_record_invalid(), "{error:?}");
    let refused = error.record::<Truck>();
    assert!(refused.is_some_and(|truck| truck.errors().of_kind("load", "blank")));
    let made = Vehicle::create_from(&db, given("Truck").with("load", 9), &list).await?;
    assert_eq!(made.downcast::<Truck>()?.load(), Some(9));
    assert_eq!(Truck::all(&db).count().await?, 1);

    // Not permitted, it says nothing; empty neither.
    let plain = Vehicle::create_from(&db, given("Truck"), permit![name]).await?;
    assert_eq!(plain.r#type(), None);
    let plain = Vehicle::create_from(&db, given(""), &list).await;
    assert!(plain.is_ok_and(|plain| plain.downcast::<Truck>().is_err()));
    for class in ["Garage", "Boat"] {
        let error = Vehicle::create_from(&db, given(class), &list)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SubclassNotFound, "{class}");
    }
    let error = Truck::create_from(&db, given("Vehicle"), &list)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SubclassNotFound);
    Ok(())
}

#[relata::test]
async fn so_does_that_of_a_member(db: Db) -> Result<()> {
    db.create_tables([Garage::reflection(), Vehicle::reflection()])
        .await?;
    let list = permit![name, vehicles: [type, name, load]];
    let of = |vehicle: Params| {
        Params::new()
            .with("name", "North")
            .with("vehicles_attributes", vec![vehicle])
    };
    let refused = Garage::create_from(&db, of(given("Truck")), &list).await;
    assert!(refused.unwrap_err().is_record_invalid());
    let garage = Garage::create_from(&db, of(given("Truck").with("load", 3)), &list).await?;
    let vehicles = garage.vehicles().await?;
    assert_eq!(vehicles[0].downcast::<Truck>()?.load(), Some(3));
    assert_eq!(Vehicle::all(&db).count().await?, 1);
    Ok(())
}

/// As in Rails, an object keeps its class: whose functions run is decided when it is made or read.
#[relata::test]
async fn setting_the_type_leaves_the_class(db: Db) -> Result<()> {
    db.create_tables([Garage::reflection(), Vehicle::reflection()])
        .await?;
    let plain = Vehicle::create(&db, |v| v.set_name("Old")).await?;
    plain.update(|v| v.set_type(Some("Truck"))).await?;
    assert!(plain.is_valid().await? && plain.downcast::<Truck>().is_err());
    let truck = Vehicle::find(&db, plain.id()).await?.downcast::<Truck>()?;
    assert!(!truck.is_valid().await?);
    Ok(())
}
