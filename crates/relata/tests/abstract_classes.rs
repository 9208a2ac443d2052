//! Abstract base classes: columns, associations, validations, callbacks and scopes that several models with tables of their
//! own take from one declaration.

#![allow(missing_docs)]

use relata::attribute::{AttributeType, Kind};
use relata::reflection::{Column, Declared, ModelBuilder, Target};
use relata::{Db, ErrorKind, Model, Params, Relation, Result, callbacks, model, permit, scopes};

mod base {
    use relata::{callbacks, model, scopes};

    /// Who owns a thing, and what it is called.
    #[model(abstract_class, default_scope = |all| all.filter(|one| one.hidden.eq(false)))]
    #[accepts_nested_attributes_for(owner)]
    pub struct Owned {
        id: i64,
        #[validates(presence)]
        #[normalizes(with = |name| name.trim().to_owned())]
        name: String,
        #[column(default = false)]
        hidden: bool,
        owner_id: Option<i64>,
        #[belongs_to(counter_cache = things_count)]
        owner: Option<Person>,
    }

    #[callbacks(abstract_class)]
    impl Owned {
        #[before_validation]
        fn call_it_something(&self) {
            if self.name().is_empty() {
                self.set_name("thing");
            }
        }

        #[before_save]
        async fn give_it_to_the_first(&self) -> Result<()> {
            if self.owner_id().is_none()
                && let Some(first) = Person::all(self.db()).first().await?
            {
                self.set_owner(&first);
            }
            Ok(())
        }
    }

    #[scopes(abstract_class)]
    impl Owned {
        #[scope]
        pub fn of(things: Relation<Self>, name: &str) -> Relation<Self> {
            things.filter(|one| one.owner.name.eq(name))
        }
    }

    /// What has a mark on it.
    #[model(abstract_class)]
    pub(crate) struct Marked {
        mark: Option<String>,
    }
}

use base::{Marked, Owned};

#[model]
pub struct Person {
    id: i64,
    name: String,
    #[column(default = 0)]
    things_count: i64,
    #[has_many(foreign_key = owner_id)]
    chairs: Chair,
    #[has_many(foreign_key = owner_id)]
    lamps: Lamp,
}

#[model(abstract_base = Owned)]
pub struct Chair {
    legs: i64,
    #[has_many]
    lamps: Lamp,
}

#[callbacks(abstract_base = base::Owned)]
impl Chair {
    #[before_save]
    fn stand(&self) {
        if self.legs() == 0 {
            self.set_legs(4);
        }
    }
}

#[scopes(abstract_base = base::Owned)]
impl Chair {
    #[scope]
    fn stable(chairs: Relation<Self>) -> Relation<Self> {
        chairs.filter(|c| c.legs.ge(3))
    }
}

/// Takes two.
#[model(abstract_base = (Owned, Marked), table = "lights")]
pub struct Lamp {
    chair_id: Option<i64>,
    #[belongs_to]
    chair: Option<Chair>,
}

#[callbacks(abstract_base = base::Owned)]
impl Lamp {}

#[scopes(abstract_base = base::Owned)]
impl Lamp {}

async fn room(db: &Db) -> Result<Person> {
    let models = [
        Person::reflection(),
        Chair::reflection(),
        Lamp::reflection(),
    ];
    db.create_tables(models).await?;
    assert_eq!(db.check_tables(models).await?.len(), 0);
    Person::create(db, |p| p.set_name("Ann")).await
}

#[relata::test]
async fn columns_and_associations_are_those_of_each_model(db: Db) -> Result<()> {
    let ann = room(&db).await?;
    assert_eq!(Chair::reflection().table(), "chairs");
    assert_eq!(Lamp::reflection().table(), "lights");
    let names = |model: &'static relata::reflection::ModelReflection| -> Vec<&str> {
        model.columns().iter().map(Column::name).collect()
    };
    assert_eq!(
        names(Chair::reflection()),
        ["id", "name", "hidden", "owner_id", "legs"]
    );
    assert_eq!(
        names(Lamp::reflection()),
        ["id", "name", "hidden", "owner_id", "mark", "chair_id"]
    );
    let chair = ann
        .chairs()
        .create(|c| c.set_name(" stool ").set_legs(3))
        .await?;
    assert_eq!(chair.name(), "stool");
    let lamp = chair
        .lamps()
        .create(|l| l.set_name("desk").set_owner(&ann))
        .await?;
    assert_eq!(lamp.owner().await?, Some(ann.clone()));
    let read = Person::all(&db)
        .includes(|p| (p.chairs.lamps, p.lamps))
        .await?;
    assert_eq!(read[0].chairs().await?[0].lamps().await?, [lamp]);
    assert_eq!(ann.reload().await.map(|()| ann.things_count())?, 2);
    assert_eq!(
        Chair::all(&db)
            .filter(|c| c.owner.name.eq("Ann"))
            .count()
            .await?,
        1
    );
    Ok(())
}

#[relata::test]
async fn callbacks_validations_and_scopes_are_those_of_each_model(db: Db) -> Result<()> {
    let ann = room(&db).await?;
    let chair = Chair::create(&db, |c| c).await?;
    assert_eq!(
        (chair.name(), chair.legs(), chair.owner_id()),
        ("thing", 4, Some(ann.id()))
    );
    let lamp = Lamp::create(&db, |l| l.set_mark(Some("m"))).await?;
    assert_eq!((lamp.name(), lamp.owner_id()), ("thing", Some(ann.id())));
    Lamp::create(&db, |l| l.set_name("  ")).await?;
    assert_eq!(Chair::all(&db).of("Ann").stable().count().await?, 1);
    assert_eq!(Lamp::all(&db).of("Ann").count().await?, 2);
    lamp.update(|l| l.set_hidden(true)).await?;
    assert_eq!(Lamp::all(&db).count().await?, 1);
    assert_eq!(Lamp::unscoped(&db).count().await?, 2);
    let params = Params::new().with("owner_attributes", Params::new().with("name", "Bob"));
    let bobs = Chair::create_from(&db, params, permit![owner: [name]]).await?;
    assert_eq!(bobs.owner().await?.unwrap().name(), "Bob");
    Ok(())
}

/// A function of all models that take it.
async fn count_of<M: Owned>(db: &Db) -> Result<u64> {
    M::all(db).count().await
}

#[relata::test]
async fn a_function_takes_any_model_of_an_abstract_class(db: Db) -> Result<()> {
    room(&db).await?;
    Chair::create(&db, |c| c).await?;
    assert_eq!(
        (count_of::<Chair>(&db).await?, count_of::<Lamp>(&db).await?),
        (1, 0)
    );
    fn marked<M: Marked>() -> &'static str {
        M::NAME
    }
    assert_eq!(marked::<Lamp>(), "Lamp");
    Ok(())
}

/// What is common to models made at run time: a function of their builders.
fn owned(model: ModelBuilder) -> Result<ModelBuilder> {
    let owner = Declared::new("Owned", "belongs_to", "owner")?
        .leading_to(Target::Model(Person::reflection))?;
    Ok(model
        .column(Column::new("id", AttributeType::plain(Kind::Int, false)))
        .column(Column::new(
            "owner_id",
            AttributeType::plain(Kind::Int, true),
        ))
        .primary_key(["id"])
        .association(owner))
}

#[relata::test]
async fn models_made_at_run_time_share_a_function_of_their_builders(db: Db) -> Result<()> {
    room(&db).await?;
    let cup = owned(ModelBuilder::new("Cup", "cups"))?.define()?;
    let plate = owned(ModelBuilder::new("Plate", "plates"))?.define()?;
    db.create_tables([cup, plate]).await?;
    for model in [cup, plate] {
        let record = relata::Record::new(model, &db);
        let error = record.save().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RecordInvalid);
        record.set("owner_id", 1)?;
        record.save().await?;
        let all = Relation::of(model, &db).joins_named("owner")?;
        assert_eq!(all.count().await?, 1);
    }
    Ok(())
}
