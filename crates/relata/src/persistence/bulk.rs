//! INSERT of many rows at once, and what becomes of those that are there already.
//!
//! Invariant: all rows set the same columns, for one statement has one list of them; more rows than one statement can
//! bind are several, in one transaction.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use super::set_wise::{about_value, execute};
use super::write::stamp;
use crate::association::Association;
use crate::attribute::AttributeType;
use crate::attribute::value::Value;
use crate::db::adapter::{Job, Purpose, Statement};
use crate::db::{Telling, Written};
use crate::error::{Error, ErrorKind, Result};
use crate::loading::{Columns, Tuples};
use crate::model::Model;
use crate::pending::Pending;
use crate::record::Record;
use crate::relation::{Relation, columns_at};
use crate::sql::expr::Node;
use crate::sql::set_wise::{Conflict, Insert};
use crate::sql::{Place, Writer};

/// An INSERT of many rows. Await it for the number of rows that were written.
#[must_use = "nothing is written until it is awaited"]
#[derive(Debug)]
pub struct InsertAll<M = Record> {
    relation: Relation,
    rows: Vec<Record>,
    upsert: bool,
    skip: bool,
    unique_by: Result<Vec<usize>>,
    update_only: Result<Option<Vec<usize>>>,
    model: PhantomData<fn() -> M>,
}

/// An INSERT of many rows that gives back values of them. Await it.
#[must_use = "nothing is written until it is awaited"]
#[derive(Debug)]
pub struct Inserted<C> {
    insert: InsertAll,
    columns: Result<Vec<usize>>,
    types: Vec<Option<AttributeType>>,
    values: PhantomData<fn() -> C>,
}

impl<M: Model> Relation<M> {
    /// Inserts these records' values with one statement, without validating them; times of creation and change are set.
    /// The records stay new: they only carry the values. All must set the same columns; of a relation with conditions,
    /// rows are what these say by equality. Rails: `insert_all!`, and `insert_all` with `skip_duplicates`.
    ///
    /// `INSERT INTO "posts" ("title", "stars") VALUES (?, ?), (?, ?)`
    ///
    /// ```
    /// # use relata::{Db, Model, model};
    /// # #[model] pub struct Tag { id: i64, #[column(unique)] name: String, uses: i64 }
    /// # relata::run(async {
    /// # let db = Db::connect("sqlite::memory:").await?;
    /// # db.create_tables([Tag::reflection()]).await?;
    /// let tags = ["rust", "sql"].map(|name| Tag::build(&db, |t| t.set_name(name).set_uses(1)));
    /// assert_eq!(Tag::all(&db).insert_all(&tags).await?, 2);
    /// assert_eq!(Tag::all(&db).insert_all(&tags).skip_duplicates().await?, 0);
    /// let ids = Tag::all(&db).upsert_all(&tags).unique_by(|t| t.name).returning(|t| t.id).await?;
    /// assert_eq!(ids, [1, 2]);
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// Errors: `Argument` when the rows set different columns; what the database says.
    pub fn insert_all<'m>(&self, rows: impl IntoIterator<Item = &'m M>) -> InsertAll<M> {
        let rows = rows.into_iter().map(|row| (**row).clone());
        insert(self.clone().erased(), rows.collect(), false)
    }

    /// As [`insert_all`](Self::insert_all); rows that are there already, by the primary key or what `unique_by` names, get
    /// the new values instead. Rails: `upsert_all`.
    ///
    /// `INSERT INTO ... ON CONFLICT ("id") DO UPDATE SET "title" = excluded."title"`
    ///
    /// Errors: as [`insert_all`](Self::insert_all).
    pub fn upsert_all<'m>(&self, rows: impl IntoIterator<Item = &'m M>) -> InsertAll<M> {
        let rows = rows.into_iter().map(|row| (**row).clone());
        insert(self.clone().erased(), rows.collect(), true)
    }
}

impl Relation {
    /// As `insert_all`, with records without types.
    pub fn insert_records(&self, rows: impl IntoIterator<Item = Record>) -> InsertAll {
        insert(self.clone(), rows.into_iter().collect(), false)
    }

    /// As `upsert_all`, with records without types.
    pub fn upsert_records(&self, rows: impl IntoIterator<Item = Record>) -> InsertAll {
        insert(self.clone(), rows.into_iter().collect(), true)
    }
}

fn insert<M>(relation: Relation, rows: Vec<Record>, upsert: bool) -> InsertAll<M> {
    InsertAll {
        relation,
        rows,
        upsert,
        skip: false,
        unique_by: Ok(Vec::new()),
        update_only: Ok(None),
        model: PhantomData,
    }
}

impl<M> InsertAll<M> {
    /// Leaves out rows that a unique index refuses, in place of failing. Rails: `insert_all`.
    pub fn skip_duplicates(mut self) -> Self {
        self.skip = true;
        self
    }

    /// The unique index that decides whether a row is there, by its attributes' names. Rails: `unique_by`.
    ///
    /// The error for an unknown name comes when it is awaited.
    pub fn unique_by_named<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.unique_by = self.named(names);
        self
    }

    /// The only columns that a row which is there gets anew, by name. Rails: `update_only`.
    ///
    /// The error for an unknown name comes when it is awaited.
    pub fn update_only_named<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.update_only = self.named(names).map(Some);
        self
    }

    /// Gives the values of named attributes of the rows that were written. Rails: `returning`.
    ///
    /// The error for an unknown name comes when it is awaited.
    pub fn returning_named<'a>(
        self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Inserted<Vec<Value<'static>>> {
        let columns = self.named(names);
        let all = self.relation.reflection().columns();
        let types = columns
            .iter()
            .flatten()
            .map(|&column| all.get(column).map(|column| *column.attribute_type()))
            .collect();
        self.giving(columns, types)
    }

    fn named<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<Vec<usize>> {
        let model = self.relation.reflection();
        names
            .into_iter()
            .map(|name| model.attribute(name))
            .collect()
    }

    fn giving<C>(
        self,
        columns: Result<Vec<usize>>,
        types: Vec<Option<AttributeType>>,
    ) -> Inserted<C> {
        Inserted {
            insert: InsertAll {
                relation: self.relation,
                rows: self.rows,
                upsert: self.upsert,
                skip: self.skip,
                unique_by: self.unique_by,
                update_only: self.update_only,
                model: PhantomData,
            },
            columns,
            types,
            values: PhantomData,
        }
    }
}

impl<M: Model> InsertAll<M> {
    /// The unique index that decides whether a row is there. Rails: `unique_by`.
    pub fn unique_by<C: Columns>(mut self, columns: impl FnOnce(&'static M::Columns) -> C) -> Self {
        self.unique_by = self
            .positions(&columns(self.columns()))
            .map(|found| found.0);
        self
    }

    /// The only columns that a row which is there gets anew. Rails: `update_only`.
    pub fn update_only<C: Columns>(
        mut self,
        columns: impl FnOnce(&'static M::Columns) -> C,
    ) -> Self {
        self.update_only = self
            .positions(&columns(self.columns()))
            .map(|found| Some(found.0));
        self
    }

    /// Gives the values of columns of the rows that were written. Rails: `returning`.
    pub fn returning<C: Columns>(
        self,
        columns: impl FnOnce(&'static M::Columns) -> C,
    ) -> Inserted<C> {
        match self.positions(&columns(self.columns())) {
            Ok((columns, types)) => self.giving(Ok(columns), types),
            Err(error) => self.giving(Err(error), Vec::new()),
        }
    }

    fn columns(&self) -> &'static M::Columns {
        columns_at::<M>(self.relation.select().root)
    }

    fn positions(
        &self,
        columns: &impl Columns,
    ) -> Result<(Vec<usize>, Vec<Option<AttributeType>>)> {
        let (root, model) = (self.relation.select().root, self.relation.reflection());
        columns
            .nodes()
            .into_iter()
            .map(|(expr, ty)| match expr.0 {
                Node::Column(place, column) if place == root => Ok((column, Some(ty))),
                _ => {
                    let message =
                        format!("only columns of {} itself can be named here", model.name());
                    Err(Error::new(ErrorKind::Argument, message).with_model(model.name()))
                }
            })
            .collect()
    }
}

impl<M> IntoFuture for InsertAll<M> {
    type Output = Result<u64>;
    type IntoFuture = Pending<u64>;

    #[track_caller]
    fn into_future(self) -> Pending<u64> {
        let insert = self.giving::<()>(Ok(Vec::new()), Vec::new()).insert;
        Pending::new(async move { Ok(run(insert, &[], Vec::new()).await?.0) })
    }
}

impl<C: Columns> IntoFuture for Inserted<C> {
    type Output = Result<Vec<C::Output>>;
    type IntoFuture = Pending<Vec<C::Output>>;

    #[track_caller]
    fn into_future(self) -> Pending<Vec<C::Output>> {
        let (insert, columns, types) = (self.insert, self.columns, self.types);
        Pending::new(async move {
            let (_, rows) = run(insert, &columns?, types).await?;
            let take = |row: Vec<Value<'static>>| C::take(&mut row.into_iter());
            Ok(rows.into_iter().filter_map(take).collect())
        })
    }
}

impl IntoFuture for Inserted<Vec<Value<'static>>> {
    type Output = Result<Vec<Vec<Value<'static>>>>;
    type IntoFuture = Pending<Vec<Vec<Value<'static>>>>;

    #[track_caller]
    fn into_future(self) -> Self::IntoFuture {
        let (insert, columns, types) = (self.insert, self.columns, self.types);
        Pending::new(async move { Ok(run(insert, &columns?, types).await?.1) })
    }
}

/// The rows written, and what they give back.
async fn run(
    insert: InsertAll,
    returning: &[usize],
    types: Vec<Option<AttributeType>>,
) -> Result<(u64, Vec<Vec<Value<'static>>>)> {
    let (columns, rows) = table(&insert.relation, &insert.rows)?;
    if rows.is_empty() {
        return Ok((0, Vec::new()));
    }
    let conflict = conflict(&insert, &columns)?;
    let (model, db) = (insert.relation.reflection(), insert.relation.db());
    let most = db.capabilities().map_or(1, |can| can.bind_limit);
    let at_once = (most / columns.len()).max(1);
    let written = Written::Table(model.table());
    let write = async || {
        let (mut affected, mut returned) = (0, Vec::new());
        for rows in rows.chunks(at_once) {
            let mut writer = Writer::new(db.dialect());
            writer.insert_all(&Insert {
                model,
                columns: &columns,
                rows,
                conflict: &conflict,
                returning,
            });
            let (text, binds) = writer.finish();
            let statement = Statement {
                text: Arc::from(text),
                binds,
                reuse: false,
                writes: true,
                purpose: Purpose::Bulk,
                model: Some(model.name()),
            };
            // Its column says which of a row's values it is.
            let attribute = |value: &Value<'static>| {
                let in_row = |row: &Vec<_>| row.iter().position(|own| value.is_same(own));
                let at = rows.iter().find_map(in_row)?;
                Some((Place::root(model), *columns.get(at)?))
            };
            if returning.is_empty() {
                affected += execute(db, statement, written, attribute).await?.affected;
                continue;
            }
            let mut job = Job::new(
                statement,
                Telling::new(Tuples::new(types.clone()), db, written),
            );
            if let Err(error) = db.fetch(&mut job).await {
                return Err(about_value(error, &job.into_binds(), attribute));
            }
            let given = std::mem::take(&mut job.decoder()?.decode.rows);
            affected += given.len() as u64;
            returned.extend(given);
        }
        Ok((affected, returned))
    };
    let written = if rows.len() > at_once {
        db.transaction(write).await?
    } else {
        write().await?
    };
    forget_members(&insert.relation)?;
    Ok(written)
}

/// A collection that got rows of which memory knows nothing is read again, unless it holds members that are not saved.
fn forget_members(relation: &Relation) -> Result<()> {
    if let Some((owner, position)) = &relation.core().origin {
        let association = Association::at(owner, *position)?;
        if !association.peek_target().iter().any(Record::is_new_record) {
            association.reset();
        }
    }
    Ok(())
}

/// The columns that are set, and each row's values for them.
fn table(
    relation: &Relation,
    records: &[Record],
) -> Result<(Vec<usize>, Vec<Vec<Value<'static>>>)> {
    if let Some((owner, position)) = &relation.core().origin {
        let association = Association::at(owner, *position)?;
        if association.is_through() {
            let message =
                "Bulk insert or upsert is currently not supported for has_many through association";
            return Err(association.error(ErrorKind::Argument, message.to_owned()));
        }
        // Their key would be null: rows of nobody. Rails inserts them.
        if !owner.is_persisted() && !association.has_key() {
            let message = "You cannot call insert_all unless the parent is saved".to_owned();
            return Err(association.error(ErrorKind::RecordNotSaved, message));
        }
    }
    let model = relation.reflection();
    // What the relation says is all of its scope.
    let told = Record::blank(model, relation.db()).with_defaults();
    let told = told.initialized();
    relation.give_values_to(&told)?;
    let (stamps, now) = (model.stamps(), relation.db().now());
    let value = |record: &Record, column: usize| -> Result<Option<Value<'static>>> {
        let value = record.value(column);
        if value.is_null() && !record.is_set_to_null(column) {
            let told = told.value(column);
            if !told.is_null() {
                return Ok(Some(told.into_owned()));
            }
            let stamped = stamps.created.contains(&column) || stamps.updated.contains(&column);
            return Ok(stamped.then(|| stamp(model, column, now)));
        }
        let ty = model
            .columns()
            .get(column)
            .map(|column| *column.attribute_type());
        let cast = ty.map_or(Ok(value.clone()), |ty| ty.cast(value));
        cast.map(|value| Some(value.into_owned()))
            .map_err(|problem| model.refused(column, &problem).with_record(record.clone()))
    };
    let mut columns: Option<Vec<usize>> = None;
    let mut rows = Vec::with_capacity(records.len());
    for record in records {
        let (mut set, mut row) = (Vec::new(), Vec::new());
        for column in 0..model.columns().len() {
            if let Some(value) = value(record, column)? {
                set.push(column);
                row.push(value);
            }
        }
        let wanted = columns.get_or_insert_with(|| set.clone());
        if *wanted != set || set.is_empty() {
            let message = format!(
                "All objects being inserted must have the same keys: one {} sets {:?}, another {:?}",
                model.name(),
                names(relation, wanted),
                names(relation, &set)
            );
            return Err(Error::new(ErrorKind::Argument, message).with_model(model.name()));
        }
        rows.push(row);
    }
    Ok((columns.unwrap_or_default(), rows))
}

fn names(relation: &Relation, columns: &[usize]) -> Vec<&'static str> {
    let all = relation.reflection().columns();
    columns
        .iter()
        .filter_map(|&column| all.get(column))
        .map(|column| column.name())
        .collect()
}

fn conflict(insert: &InsertAll, columns: &[usize]) -> Result<Conflict> {
    let target = insert.unique_by.clone()?;
    if !insert.upsert {
        return Ok(if insert.skip {
            Conflict::Skip(target)
        } else {
            Conflict::Fail
        });
    }
    let model = insert.relation.reflection();
    let target = if target.is_empty() {
        model.primary_key().to_vec()
    } else {
        target
    };
    let updated = match insert.update_only.clone()? {
        Some(only) => {
            let stamps = model.stamps().updated.iter().copied();
            only.into_iter()
                .chain(stamps.filter(|column| columns.contains(column)))
                .collect()
        }
        None => columns
            .iter()
            .copied()
            .filter(|column| {
                !target.contains(column)
                    && !model.primary_key().contains(column)
                    && !model.stamps().created.contains(column)
                    && !model.columns()[*column].is_readonly()
            })
            .collect::<Vec<_>>(),
    };
    Ok(if updated.is_empty() {
        Conflict::Skip(target)
    } else {
        Conflict::Update(target, updated)
    })
}
