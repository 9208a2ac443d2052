//! Writes the same models twice: for relata, and for Diesel with its tables, derives and joins.
//!
//! The models stand in a ring, each with 8 columns and three associations: it belongs to the one before, has many of
//! the one after, and has one of it. Invariant: a change to one side is made to the other.

use std::fmt::Write as _;
use std::path::Path;

/// The files of a generated package: path and text.
type Files = Vec<(String, String)>;

fn package(name: &str, dependencies: &str, models: &[(String, String)], library: &str) -> Files {
    let mut modules = String::new();
    for (module, _) in models {
        let _ = writeln!(modules, "pub mod {module};");
    }
    let manifest = format!(
        "[package]\nname = \"cost-{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}\n\n[workspace]\n"
    );
    let mut files = vec![
        ("Cargo.toml".to_string(), manifest),
        ("src/lib.rs".to_string(), format!("{library}{modules}")),
    ];
    files.extend(
        models
            .iter()
            .map(|(module, text)| (format!("src/{module}.rs"), text.clone())),
    );
    files
}

/// The number of a model, of the one before and of the one after it.
fn ring(count: usize) -> impl Iterator<Item = (String, String, String)> {
    let two = |number: usize| format!("{number:02}");
    (0..count).map(move |at| {
        (
            two(at),
            two((at + count - 1) % count),
            two((at + 1) % count),
        )
    })
}

/// Models of relata.
pub(super) fn relata(root: &Path, count: usize) -> Files {
    let models: Vec<_> = ring(count)
        .map(|(own, before, after)| {
            let text = format!(
                r#"use relata::model;
use crate::model{before}::Model{before};
use crate::model{after}::Model{after};

#[model]
pub struct Model{own} {{
    id: i64,
    name: String,
    summary: Option<String>,
    score: i64,
    rating: f64,
    active: bool,
    position: i32,
    model{before}_id: i64,
    #[belongs_to]
    model{before}: Model{before},
    #[has_many]
    model{after}s: Model{after},
    #[has_one]
    model{after}: Option<Model{after}>,
}}

pub async fn use_it(db: &relata::Db, parent: &Model{before}) -> relata::Result<usize> {{
    let one = Model{own}::create(db, |m| m.set_name("a").set_score(1).set_model{before}(parent)).await?;
    one.set_name("b");
    one.save().await?;
    let mut total = 0;
    for found in &Model{own}::all(db).filter(|m| m.name.eq("b")).order(|m| m.id.desc()).limit(10).await? {{
        total += found.name().len() + found.model{before}().await?.name().len();
        for child in &found.model{after}s().await? {{
            total += child.name().len();
        }}
    }}
    Ok(total)
}}
"#
            );
            (format!("model{own}"), text)
        })
        .collect();
    let library = root.join("crates/relata");
    package(
        "relata",
        &format!("relata = {{ path = \"{}\" }}", library.display()),
        &models,
        "",
    )
}

/// Models of Diesel 2.3, as its guides write them.
pub(super) fn diesel(count: usize) -> Files {
    let models: Vec<_> = ring(count)
        .map(|(own, before, after)| {
            let text = format!(
                r#"use diesel::prelude::*;
use crate::model{before}::Model{before};
use crate::model{after}::Model{after};
use crate::schema::{{model{own}s, model{after}s}};

#[derive(Debug, Clone, Queryable, Selectable, Identifiable, Associations, AsChangeset)]
#[diesel(table_name = model{own}s, belongs_to(Model{before}))]
pub struct Model{own} {{
    pub id: i64,
    pub name: String,
    pub summary: Option<String>,
    pub score: i64,
    pub rating: f64,
    pub active: bool,
    pub position: i32,
    pub model{before}_id: i64,
}}

#[derive(Debug, Default, Insertable)]
#[diesel(table_name = model{own}s)]
pub struct NewModel{own} {{
    pub name: String,
    pub summary: Option<String>,
    pub score: i64,
    pub rating: f64,
    pub active: bool,
    pub position: i32,
    pub model{before}_id: i64,
}}

pub fn use_it(db: &mut SqliteConnection, parent: &Model{before}) -> QueryResult<usize> {{
    let new = NewModel{own} {{ name: "a".into(), score: 1, model{before}_id: parent.id, ..Default::default() }};
    let mut one: Model{own} =
        diesel::insert_into(model{own}s::table).values(&new).returning(Model{own}::as_returning()).get_result(db)?;
    one.name = "b".into();
    diesel::update(model{own}s::table.find(one.id)).set(&one).execute(db)?;
    let found = model{own}s::table
        .filter(model{own}s::name.eq("b"))
        .order(model{own}s::id.desc())
        .limit(10)
        .inner_join(crate::schema::model{before}s::table)
        .select((Model{own}::as_select(), Model{before}::as_select()))
        .load::<(Model{own}, Model{before})>(db)?;
    let mut total = 0;
    for (found, parent) in &found {{
        total += found.name.len() + parent.name.len();
        let children: Vec<Model{after}> =
            Model{after}::belonging_to(found).order(model{after}s::id).select(Model{after}::as_select()).load(db)?;
        for child in &children {{
            total += child.name.len();
        }}
    }}
    Ok(total)
}}
"#
            );
            (format!("model{own}"), text)
        })
        .collect();
    let mut files = package(
        "diesel",
        "diesel = { version = \"2.3\", features = [\"sqlite\", \"returning_clauses_for_sqlite_3_35\"] }",
        &models,
        "pub mod schema;\n",
    );
    files.push(("src/schema.rs".to_string(), schema(count)));
    files
}

/// Tables and joins. A table joins its neighbours only: 50 tables in one query is not what anybody asks for.
fn schema(count: usize) -> String {
    let mut text = String::new();
    for (own, before, _) in ring(count) {
        let _ = write!(
            text,
            "diesel::table! {{
    model{own}s (id) {{
        id -> BigInt,
        name -> Text,
        summary -> Nullable<Text>,
        score -> BigInt,
        rating -> Double,
        active -> Bool,
        position -> Integer,
        model{before}_id -> BigInt,
    }}
}}
"
        );
    }
    for (own, before, _) in ring(count) {
        let _ = writeln!(
            text,
            "diesel::joinable!(model{own}s -> model{before}s (model{before}_id));"
        );
        let _ = writeln!(
            text,
            "diesel::allow_tables_to_appear_in_same_query!(model{own}s, model{before}s);"
        );
    }
    text
}
