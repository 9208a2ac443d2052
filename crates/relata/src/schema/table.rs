//! A table as the database knows it: its columns, its indexes, what its keys refer to.
//!
//! Invariant: what is read here is what the database says, in its own names; no model has a say.

use std::sync::Arc;

use crate::db::Db;
use crate::db::adapter::{Cell, Cells, Decode, Job, Names};
use crate::error::Result;
use crate::sql::schema;

/// A column of a table.
pub(super) struct TableColumn {
    pub(super) name: String,
    /// The type as it was declared.
    pub(super) ty: String,
    pub(super) not_null: bool,
    pub(super) key: bool,
    /// The default, as SQL.
    pub(super) default: Option<String>,
}

/// An index of whole columns and all rows.
pub(super) struct Index {
    pub(super) unique: bool,
    pub(super) columns: Vec<String>,
}

/// A foreign key: each column with the one it refers to, where that is said.
pub(super) struct ForeignKey {
    pub(super) table: String,
    pub(super) columns: Vec<(String, Option<String>)>,
}

/// A table.
#[derive(Default)]
pub(super) struct Table {
    pub(super) columns: Vec<TableColumn>,
    /// Where the database can be asked.
    pub(super) indexes: Option<Vec<Index>>,
    /// Where the database can be asked.
    pub(super) foreign_keys: Option<Vec<ForeignKey>>,
}

impl Table {
    /// Reads what the database knows of a table; without columns if there is none of that name. Up to three SELECTs.
    pub(super) async fn read(db: &Db, name: &str) -> Result<Self> {
        let dialect = db.dialect();
        let mut table = Self::default();
        for row in rows(db, name, dialect.columns_of()).await? {
            let [name, ty, not_null, key, default] = row;
            table.columns.push(TableColumn {
                name: name.unwrap_or_default(),
                ty: ty.unwrap_or_default(),
                not_null: flag(not_null),
                key: flag(key),
                default,
            });
        }
        if let Some(question) = dialect.indexes_of() {
            table.indexes = Some(indexes(rows(db, name, question).await?));
        }
        if let Some(question) = dialect.foreign_keys_of() {
            table.foreign_keys = Some(foreign_keys(rows(db, name, question).await?));
        }
        Ok(table)
    }
}

impl Table {
    /// Whether there is a table of that name. One SELECT.
    pub(super) async fn is_there(db: &Db, name: &str) -> Result<bool> {
        let columns: Vec<[Option<String>; 5]> = rows(db, name, db.dialect().columns_of()).await?;
        Ok(!columns.is_empty())
    }
}

fn indexes(rows: Vec<[Option<String>; 3]>) -> Vec<Index> {
    let mut found: Vec<Index> = Vec::new();
    let mut last = None;
    for [index, unique, column] in rows {
        // An expression has no name, and is no column.
        let column = column.unwrap_or_default();
        match found.last_mut().filter(|_| last == index) {
            Some(index) => index.columns.push(column),
            None => found.push(Index {
                unique: flag(unique),
                columns: vec![column],
            }),
        }
        last = index;
    }
    found
}

fn foreign_keys(rows: Vec<[Option<String>; 4]>) -> Vec<ForeignKey> {
    let mut found: Vec<ForeignKey> = Vec::new();
    let mut last = None;
    for [key, table, from, to] in rows {
        let column = (from.unwrap_or_default(), to);
        match found.last_mut().filter(|_| last == key) {
            Some(key) => key.columns.push(column),
            None => found.push(ForeignKey {
                table: table.unwrap_or_default(),
                columns: vec![column],
            }),
        }
        last = key;
    }
    found
}

fn flag(word: Option<String>) -> bool {
    word.is_some_and(|word| word != "0")
}

/// Rows of words: what a database says of itself are names and small numbers.
struct Words<const N: usize>(Vec<[Option<String>; N]>);

impl<const N: usize> Decode for Words<N> {
    fn columns(&mut self, _names: &Names) -> Result<()> {
        Ok(())
    }

    fn restart(&mut self) {
        self.0.clear();
    }

    fn row<C: Cells>(&mut self, cells: &C) -> Result<()> {
        self.0
            .push(std::array::from_fn(|position| match cells.cell(position) {
                Cell::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
                Cell::Int(number) => Some(number.to_string()),
                Cell::Bool(yes) => Some(u8::from(yes).to_string()),
                _ => None,
            }));
        Ok(())
    }
}

async fn rows<const N: usize>(
    db: &Db,
    table: &str,
    question: (&'static str, &'static str),
) -> Result<Vec<[Option<String>; N]>> {
    let text = schema::about(table, db.dialect(), question);
    let words = Words(Vec::new());
    let mut job = Job::new(super::statement(Arc::from(text), false), words);
    db.fetch(&mut job).await?;
    Ok(job.decoded()?.0)
}
