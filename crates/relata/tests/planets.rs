//! One model made at run time, for tests that are about something else.

#![allow(dead_code)]

use std::path::PathBuf;
use std::sync::OnceLock;

use relata::attribute::{AttributeType, Kind};
use relata::reflection::{Column, ModelBuilder, ModelReflection};
use relata::{Db, Record, Relation, Result};

pub(crate) fn model() -> &'static ModelReflection {
    static MODEL: OnceLock<&'static ModelReflection> = OnceLock::new();
    MODEL.get_or_init(|| {
        ModelBuilder::new("Planet", "planets")
            .column(Column::new("id", AttributeType::plain(Kind::Int, false)))
            .column(Column::new("name", AttributeType::plain(Kind::Text, true)))
            .primary_key(["id"])
            .define()
            .unwrap()
    })
}

pub(crate) async fn create(db: &Db) -> Result<()> {
    db.create_tables([model()]).await
}

pub(crate) async fn planets(url: &str) -> Result<Db> {
    let db = Db::connect(url).await?;
    create(&db).await?;
    Ok(db)
}

pub(crate) fn planet(db: &Db, name: &str) -> Result<Record> {
    let planet = Record::new(model(), db);
    planet.set("name", name.to_owned())?;
    Ok(planet)
}

pub(crate) async fn save(db: &Db, name: &str) -> Result<()> {
    planet(db, name)?.save().await
}

pub(crate) async fn count(db: &Db) -> Result<u64> {
    Relation::of(model(), db).count().await
}

pub(crate) async fn names(db: &Db) -> Result<Vec<String>> {
    let all = Relation::of(model(), db).order_by("id")?.await?;
    all.iter()
        .map(|planet| Ok(planet.get("name")?.as_str().unwrap_or_default().to_owned()))
        .collect()
}

pub(crate) fn times(names: &[String], name: &str) -> usize {
    names.iter().filter(|other| *other == name).count()
}

/// A database file that is removed when this goes.
pub(crate) struct TempFile(PathBuf);

impl TempFile {
    pub(crate) fn new(name: &str) -> Self {
        let file =
            std::env::temp_dir().join(format!("relata-{name}-{}.sqlite", std::process::id()));
        let this = Self(file);
        this.remove();
        this
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite:{}", self.0.display())
    }

    fn remove(&self) {
        for ending in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{ending}", self.0.display()));
        }
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        self.remove();
    }
}
