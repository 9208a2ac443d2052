//! What no list names is never set: every column, through every door that takes names from outside, at every depth.

use relata::{Db, Model as _, Param, Params, Permit, Record, Result, Value, model};

macro_rules! level {
    ($name:ident $(, $child:ident: $children:ident)?) => {
        #[model]
        $(#[accepts_nested_attributes_for($children(allow_destroy))])?
        pub struct $name {
            id: i64,
            title: String,
            admin: Option<bool>,
            stars: Option<i64>,
            #[column(secret)]
            digest: Option<String>,
            parent_id: Option<i64>,
            version: Option<i64>,
            created_at: Option<String>,
            $(
                #[has_many(foreign_key = parent_id)]
                $children: $child,
            )?
        }
    };
}

level!(One, Two: twos);
level!(Two, Three: threes);
level!(Three, Four: fours);
level!(Four);

const MEMBERS: [&str; 3] = ["twos", "threes", "fours"];

/// One record below the other, each with known values.
async fn chain(db: &Db) -> Result<Vec<Record>> {
    let one = One::create(db, |m| m.set_title("t").set_stars(Some(1))).await?;
    let two = one
        .twos()
        .create(|m| m.set_title("t").set_stars(Some(1)))
        .await?;
    let three = two
        .threes()
        .create(|m| m.set_title("t").set_stars(Some(1)))
        .await?;
    let four = three
        .fours()
        .create(|m| m.set_title("t").set_stars(Some(1)))
        .await?;
    Ok(vec![
        (*one).clone(),
        (*two).clone(),
        (*three).clone(),
        (*four).clone(),
    ])
}

/// What a client would like to set a column to.
fn wished(column: &str) -> Param {
    match column {
        "admin" => true.into(),
        "title" | "digest" | "created_at" => "owned".into(),
        _ => 666.into(),
    }
}

/// Values and a list that lead down to a depth, with these at its end.
fn down_to(depth: usize, path: &[Option<i64>], end: Params, permit: Permit) -> (Params, Permit) {
    let (mut values, mut list) = (end, permit);
    for level in (0..depth).rev() {
        if let Some(id) = path[level + 1] {
            values.set("id", id);
        }
        values = Params::new().with(format!("{}_attributes", MEMBERS[level]), vec![values]);
        list = Permit::new().nested(MEMBERS[level], list.name("id"));
    }
    (values, list)
}

/// The doors that take names from outside.
#[derive(Clone, Copy, Debug)]
enum Door {
    Assign,
    Update,
    Members,
    Create,
    #[cfg(feature = "json")]
    Json,
    Form,
}

const DOORS: &[Door] = &[
    Door::Assign,
    Door::Update,
    Door::Members,
    Door::Create,
    #[cfg(feature = "json")]
    Door::Json,
    Door::Form,
];

fn form(prefix: &str, values: &Params, fields: &mut Vec<(String, String)>) {
    for (name, param) in values.iter() {
        let name = match prefix {
            "" => name.to_owned(),
            prefix => format!("{prefix}[{name}]"),
        };
        match param {
            Param::Map(map) => form(&name, map, fields),
            Param::List(list) => {
                for (at, one) in list.iter().enumerate() {
                    if let Param::Map(map) = one {
                        form(&format!("{name}[{at}]"), map, fields);
                    }
                }
            }
            Param::Value(value) => {
                let text = match value.as_str() {
                    Some(text) => text.to_owned(),
                    None => format!("{value:?}"),
                };
                fields.push((name, text));
            }
            _ => {}
        }
    }
}

/// Goes through a door. False where it does not lead to that depth.
async fn enter(
    door: Door,
    db: &Db,
    root: &Record,
    depth: usize,
    values: Params,
    permit: Permit,
) -> Result<bool> {
    match door {
        Door::Assign => {
            root.assign(values, permit).await?;
            root.save().await?;
        }
        Door::Update => root.update_from(values, permit).await?,
        Door::Create => {
            One::create_from(db, values.with("title", "new"), permit.name("title")).await?;
        }
        #[cfg(feature = "json")]
        Door::Json => {
            let json = serde_json::Value::from(Param::from(values));
            root.update_from(json, permit).await?;
        }
        Door::Form => {
            let mut fields = Vec::new();
            form("", &values, &mut fields);
            root.update_from(Params::from_form(fields)?, permit).await?;
        }
        Door::Members => {
            let Some(Param::List(list)) = values.get("twos_attributes") else {
                return Ok(false);
            };
            let (_, below) = match depth {
                1 => (Params::new(), Permit::new().name("id").name("parent_id")),
                _ => (
                    Params::new(),
                    Permit::new()
                        .name("id")
                        .nested("threes", Permit::new().name("id")),
                ),
            };
            root.association("twos")?
                .assign_attributes(list.clone(), below)
                .await?;
            root.save().await?;
        }
    }
    Ok(true)
}

async fn rows(db: &Db) -> Result<Vec<Vec<(&'static str, Value<'static>)>>> {
    let mut all = Vec::new();
    for model in [
        One::reflection(),
        Two::reflection(),
        Three::reflection(),
        Four::reflection(),
    ] {
        for record in &relata::Relation::<Record>::of(model, db).await? {
            let values = record.attributes().into_iter();
            all.push(
                values
                    .map(|(name, value)| (name, value.into_owned()))
                    .collect(),
            );
        }
    }
    Ok(all)
}

async fn tables(db: &Db) -> Result<()> {
    let all = [
        One::reflection(),
        Two::reflection(),
        Three::reflection(),
        Four::reflection(),
    ];
    db.create_tables(all).await
}

#[relata::test]
async fn no_column_that_is_not_listed_changes(db: Db) -> Result<()> {
    tables(&db).await?;
    let made = chain(&db).await?;
    let before = rows(&db).await?;
    let path: Vec<Option<i64>> = made.iter().map(|_| Some(1)).collect();
    let columns: Vec<&str> = One::reflection()
        .columns()
        .iter()
        .map(|one| one.name())
        .collect();
    let mut tried = 0;
    for door in DOORS {
        for depth in 0..=3 {
            for column in &columns {
                // The key of a member says whose the values are: it is listed to find it, and never set.
                if depth > 0 && *column == "id" {
                    continue;
                }
                if matches!(door, Door::Create) && (depth > 0 || *column == "title") {
                    continue;
                }
                let end = Params::new().with(*column, wished(column));
                let (values, permit) = down_to(depth, &path, end, Permit::new());
                let root = One::find(&db, 1).await?;
                let permit = match (door, depth, *column) {
                    // That door's own list names this one, at depth 1.
                    (Door::Members, 1, "parent_id") => continue,
                    _ => permit,
                };
                if !enter(*door, &db, &root, depth, values, permit).await? {
                    continue;
                }
                tried += 1;
                let mut after = rows(&db).await?;
                if matches!(door, Door::Create) {
                    let made = after.remove(1);
                    let set = made.iter().filter(|(_, value)| !value.is_null());
                    let set: Vec<&str> = set.map(|(name, _)| *name).collect();
                    assert_eq!(set, ["id", "title"], "{column}");
                    assert_ne!(made[0].1, Value::Int(666));
                    One::all(&db).filter(|o| o.id.gt(1)).delete_all().await?;
                }
                assert_eq!(after, before, "{door:?}, depth {depth}, {column}");
            }
        }
    }
    assert!(tried > 100, "{tried}");
    Ok(())
}

#[relata::test]
async fn the_same_column_changes_once_it_is_listed(db: Db) -> Result<()> {
    tables(&db).await?;
    let made = chain(&db).await?;
    let path: Vec<Option<i64>> = made.iter().map(|_| Some(1)).collect();
    for depth in 0..=3 {
        for column in ["title", "admin", "stars", "digest", "version", "created_at"] {
            let end = Params::new().with(column, wished(column));
            let (values, permit) = down_to(depth, &path, end, Permit::new().name(column));
            let root = One::find(&db, 1).await?;
            root.update_from(values, permit).await?;
            let rows = rows(&db).await?;
            let (_, value) = rows[depth]
                .iter()
                .find(|(name, _)| *name == column)
                .expect("there");
            assert!(!value.is_null() && *value != Value::Int(1) && *value != Value::from("t"));
        }
    }
    Ok(())
}

#[relata::test]
async fn a_key_and_a_mark_that_are_not_listed_mean_nothing(db: Db) -> Result<()> {
    tables(&db).await?;
    chain(&db).await?;
    let member = Params::new()
        .with("id", 1)
        .with("_destroy", true)
        .with("title", "new");
    let values = Params::new().with("twos_attributes", vec![member]);
    let root = One::find(&db, 1).await?;
    root.update_from(
        &values,
        Permit::new().nested("twos", Permit::new().name("title")),
    )
    .await?;
    let all = Two::all(&db)
        .order(|t| t.id)
        .pluck(|t| (t.id, t.title))
        .await?;
    assert_eq!(all, [(1, "t".to_owned()), (2, "new".to_owned())]);
    Ok(())
}

#[relata::test]
async fn a_member_that_is_made_belongs_to_its_owner_whatever_is_given(db: Db) -> Result<()> {
    tables(&db).await?;
    chain(&db).await?;
    let permit = relata::permit![twos: [title, parent_id, id]];
    let member = Params::new().with("title", "new").with("parent_id", 666);
    let values = Params::new().with("twos_attributes", vec![member]);
    One::find(&db, 1)
        .await?
        .update_from(&values, permit)
        .await?;
    assert_eq!(
        Two::all(&db).filter(|t| t.parent_id.eq(1)).count().await?,
        2
    );
    Ok(())
}

#[relata::test]
async fn a_name_by_itself_takes_no_list_and_no_map(db: Db) -> Result<()> {
    tables(&db).await?;
    let one = chain(&db).await?.remove(0);
    for shape in [Param::from(vec!["x"]), Params::new().with("x", 1).into()] {
        let values = Params::new().with("title", shape);
        one.assign(values, relata::permit![title]).await?;
        assert!(!one.is_changed());
    }
    let permit = relata::permit![title: [], twos: [title]];
    one.assign(Params::new().with("title", "x").with("twos", "y"), permit)
        .await?;
    assert!(!one.is_changed());
    Ok(())
}
