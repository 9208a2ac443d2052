//! Models for what goes through others, made at run time: users, memberships, clubs, towns, and tags of events.

use std::sync::OnceLock;

use relata::attribute::{AttributeType, Kind};
use relata::reflection::{Column, Declared, ModelBuilder, ModelReflection, Setting};
use relata::relation::Scope;
use relata::{Db, Raw, Record, Result};

pub(crate) type Model = &'static ModelReflection;

/// A model of columns that may all be null beside its key, `name` and keys that end in `_id`.
fn model(name: &str, columns: &[&str]) -> ModelBuilder {
    let table = relata_inflect_table(name);
    let mut builder = ModelBuilder::new(name, table)
        .column(Column::new("id", AttributeType::plain(Kind::Int, false)));
    for column in columns {
        let kind = if column.ends_with("_id") {
            Kind::Int
        } else {
            Kind::Text
        };
        let column: &'static str = (*column).to_owned().leak();
        builder = builder.column(Column::new(column, AttributeType::plain(kind, true)));
    }
    builder.primary_key(["id"])
}

fn relata_inflect_table(name: &str) -> String {
    format!("{}s", name.to_lowercase())
}

/// What one association is declared with.
pub(crate) struct Association(
    pub(crate) &'static str,
    pub(crate) &'static str,
    pub(crate) &'static [(&'static str, &'static str)],
    pub(crate) Option<&'static Scope>,
);

/// Models by name, with their columns and associations; targets are found by the name of the class.
pub(crate) fn define(models: &[(&str, &[&str], &[Association])]) -> Result<Vec<Model>> {
    let slots: Vec<_> = models
        .iter()
        .map(|(name, ..)| ModelBuilder::target(*name))
        .collect();
    let mut defined = Vec::new();
    for (name, columns, associations) in models {
        let mut builder = model(name, columns);
        for Association(kind, association, options, scope) in *associations {
            let mut declared = Declared::new(name, kind, association)?;
            if *kind == "belongs_to" {
                declared = declared.optional_by_default();
            }
            for (option, value) in *options {
                declared = declared.option(option, Setting::Text((*value).to_owned()))?;
            }
            if let Some(scope) = scope {
                declared = declared.scope(scope);
            }
            let class = declared.class_name();
            let at = models.iter().position(|(name, ..)| *name == class);
            let target = at.map_or(slots[0].0, |at| slots[at].0);
            builder = builder.association(declared.leading_to(target)?);
        }
        defined.push(builder.define()?);
    }
    for ((_, slot), model) in slots.iter().zip(&defined) {
        let _ = slot.set(model);
    }
    Ok(defined)
}

static NAMED_B: Scope = Scope::new(&|all| all.clone().filter_by("name", "B").unwrap_or(all));
static DISTINCT: Scope = Scope::new(&|all| all.distinct());
static BY_NAME: Scope = Scope::new(&|all| all.clone().order_by("name desc").unwrap_or(all));
static CHAIRS: Scope = Scope::new(&|all| all.clone().filter_by("role", "chair").unwrap_or(all));
static NEWEST: Scope = Scope::new(&|all| all.clone().order_by("id desc").unwrap_or(all));

/// User, Membership, Club, Town, Event.
pub(crate) fn clubs() -> &'static [Model] {
    static MODELS: OnceLock<Vec<Model>> = OnceLock::new();
    MODELS.get_or_init(|| {
        use Association as A;
        define(&[
            (
                "User",
                &["name", "club_id"],
                &[
                    A("has_many", "memberships", &[], None),
                    A("has_many", "clubs", &[("through", "memberships")], None),
                    A(
                        "has_many",
                        "chosen",
                        &[("through", "memberships"), ("source", "club")],
                        Some(&NAMED_B),
                    ),
                    A(
                        "has_many",
                        "once",
                        &[("through", "memberships"), ("source", "club")],
                        Some(&DISTINCT),
                    ),
                    A(
                        "has_many",
                        "sorted",
                        &[("through", "memberships"), ("source", "club")],
                        Some(&BY_NAME),
                    ),
                    A(
                        "has_many",
                        "chairs",
                        &[("class_name", "Membership")],
                        Some(&CHAIRS),
                    ),
                    A(
                        "has_many",
                        "chaired",
                        &[("through", "chairs"), ("source", "club")],
                        None,
                    ),
                    A(
                        "has_many",
                        "newest",
                        &[("class_name", "Membership")],
                        Some(&NEWEST),
                    ),
                    A(
                        "has_many",
                        "recent",
                        &[("through", "newest"), ("source", "club")],
                        None,
                    ),
                    A("has_many", "events", &[("through", "clubs")], None),
                    A(
                        "has_many",
                        "towns",
                        &[("through", "clubs"), ("source", "town")],
                        None,
                    ),
                    A("belongs_to", "club", &[], None),
                    A("has_one", "town", &[("through", "club")], None),
                    A(
                        "has_many",
                        "home_events",
                        &[("through", "club"), ("source", "events")],
                        None,
                    ),
                ],
            ),
            (
                "Membership",
                &["user_id", "club_id", "role"],
                &[
                    A("belongs_to", "user", &[], None),
                    A("belongs_to", "club", &[], None),
                ],
            ),
            (
                "Club",
                &["name", "town_id"],
                &[
                    A("belongs_to", "town", &[], None),
                    A("has_many", "events", &[], None),
                    A("has_many", "memberships", &[], None),
                    A("has_many", "users", &[("through", "memberships")], None),
                    A(
                        "has_many",
                        "fellow_clubs",
                        &[("through", "users"), ("source", "clubs")],
                        None,
                    ),
                ],
            ),
            ("Town", &["name"], &[A("has_many", "clubs", &[], None)]),
            (
                "Event",
                &["name", "club_id"],
                &[A("belongs_to", "club", &[], None)],
            ),
        ])
        .expect("the models are right")
    })
}

pub(crate) fn named(name: &str) -> Model {
    let found = clubs().iter().find(|model| model.name() == name);
    found.copied().expect("one of the models")
}

/// Ann is in A, B and B again; Bob in B; Cid in none. A and B are in Rome, C nowhere; each club has an event.
pub(crate) async fn fill(db: &Db) -> Result<()> {
    db.create_tables(clubs().iter().copied()).await?;
    for statement in [
        "INSERT INTO towns (id, name) VALUES (1, 'Rome')",
        "INSERT INTO clubs (id, name, town_id) VALUES (1, 'A', 1), (2, 'B', 1), (3, 'C', NULL)",
        "INSERT INTO users (id, name, club_id) VALUES (1, 'Ann', 1), (2, 'Bob', 1), (3, 'Cid', NULL)",
        "INSERT INTO memberships (id, user_id, club_id, role) VALUES (1, 1, 1, 'chair'), (2, 1, 2, NULL), \
         (3, 1, 2, NULL), (4, 2, 2, 'chair')",
        "INSERT INTO events (id, name, club_id) VALUES (1, 'e', 1), (2, 'f', 2), (3, 'g', 3)",
    ] {
        db.execute_sql(Raw::new(statement)).await?;
    }
    Ok(())
}

pub(crate) fn names(records: &[Record]) -> Vec<String> {
    let name = |record: &Record| match record.get("name") {
        Ok(name) => name.as_str().unwrap_or_default().to_owned(),
        Err(error) => error.to_string(),
    };
    records.iter().map(name).collect()
}
