//! Writing all rows of a relation at once, past records and their validations.
//!
//! Invariant: what these write is known to have been written, so that nothing unread in memory is taken for up to date.

use std::sync::Arc;

use super::destroy::destroy;
use super::touch::time;
use super::write::stamp;
use crate::attribute::value::Value;
use crate::db::adapter::{Discard, Job, Purpose, Statement};
use crate::db::{Db, Outcome, Telling, Written};
use crate::error::{Error, Result, Spot};
use crate::loading;
use crate::model::{FromRecord, Model};
use crate::pending::Pending;
use crate::record::Record;
use crate::relation::{Assignments, Core, Relation, columns_at};
use crate::sql::expr::Node;
use crate::sql::{Asks, Place, Writer};

impl<M: Model> Relation<M> {
    /// Sets columns of all rows of the relation, with one UPDATE: no validation, no time of change; records in memory
    /// keep what they hold. Gives the number of rows. Rails: `update_all`.
    ///
    /// `UPDATE "posts" SET "stars" = ? WHERE "posts"."title" = ?`
    ///
    /// ```
    /// # use relata::{Db, Model, model};
    /// # #[model] pub struct Post { id: i64, title: String, stars: i64 }
    /// # relata::run(async {
    /// # let db = Db::connect("sqlite::memory:").await?;
    /// # db.create_tables([Post::reflection()]).await?;
    /// # Post::create(&db, |p| p.set_title("x").set_stars(1)).await?;
    /// let rows = Post::all(&db)
    ///     .filter(|p| p.title.eq("x"))
    ///     .update_all(|p| (p.title.set("y"), p.stars.increment(2)))
    ///     .await?;
    /// assert_eq!(rows, 1);
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// Errors: `Argument` for a column of another model; what the database says.
    #[track_caller]
    pub fn update_all<A: Assignments>(
        &self,
        values: impl FnOnce(&'static M::Columns) -> A,
    ) -> Pending<u64> {
        let values = values(columns_at::<M>(self.select().root)).assignments();
        let sets = self.own(values);
        let core = self.core().clone();
        Pending::new(async move { update_all(&core, sets?).await })
    }
}

impl<M> Relation<M> {
    /// As `update_all`, with attributes by name. Rails: `update_all(title: "x")`.
    ///
    /// `UPDATE "posts" SET "title" = ? WHERE "posts"."stars" = ?`
    ///
    /// Errors: `UnknownAttribute` with the nearest name; `InvalidValue`; what the database says.
    #[track_caller]
    pub fn update_all_by<'a>(
        &self,
        values: impl IntoIterator<Item = (&'a str, Value<'static>)>,
    ) -> Pending<u64> {
        let sets = self.named_values(values);
        let core = self.core().clone();
        Pending::new(async move { update_all(&core, sets?).await })
    }

    /// Sets the time of the last change of all rows, with one UPDATE. Gives the number of rows. Rails: `touch_all`.
    ///
    /// `UPDATE "posts" SET "updated_at" = ? WHERE "posts"."stars" = ?`
    ///
    /// Errors: what the database says.
    #[track_caller]
    pub fn touch_all(&self) -> Pending<u64> {
        self.touch_all_columns([])
    }

    /// As [`touch_all`](Self::touch_all), with the times in the named attributes too. Rails: `touch_all(:read_at)`.
    ///
    /// SQL: `UPDATE "posts" SET "updated_at" = ?, "read_at" = ? WHERE ...`.
    ///
    /// Errors: `UnknownAttribute` with the nearest name; `Argument` for an attribute that holds no time; what the database
    /// says.
    #[track_caller]
    pub fn touch_all_columns<'a>(&self, also: impl IntoIterator<Item = &'a str>) -> Pending<u64> {
        let core = self.core().clone();
        let model = core.select.model();
        let also: Result<Vec<usize>> = also.into_iter().map(|name| time(model, name)).collect();
        Pending::new(async move {
            let (also, now) = (also?, core.db.now());
            let updated = model.stamps().updated.iter();
            let other = updated.filter(|column| !also.contains(column));
            let sets = also
                .iter()
                .chain(other)
                .map(|&column| (column, Node::Value(stamp(model, column, now))))
                .collect();
            update_all(&core, sets).await
        })
    }

    /// Deletes all rows of the relation, with one DELETE: what destroying their records would do beside is left out.
    /// Gives the number of rows. Rails: `delete_all`.
    ///
    /// `DELETE FROM "posts" WHERE "posts"."title" = ?`
    ///
    /// Errors: what the database says.
    #[track_caller]
    pub fn delete_all(&self) -> Pending<u64> {
        let core = self.core().clone();
        Pending::new(async move { delete_all(&core).await })
    }
}

impl<M: FromRecord> Relation<M> {
    /// Loads the relation's records and destroys each, all or none. Gives the records. Rails: `destroy_all`.
    ///
    /// `SELECT "posts".* FROM "posts"`, then `DELETE FROM "posts" WHERE "posts"."id" = ?` for each.
    ///
    /// Errors: what destroying says.
    #[track_caller]
    pub fn destroy_all(&self) -> Pending<Vec<M>> {
        let core = self.core().clone();
        Pending::new(async move {
            let records = loading::load(&core, Purpose::Load).await?;
            destroy_each(&core.db, &records).await?;
            records.into_iter().map(M::cast).collect()
        })
    }
}

async fn destroy_each(db: &Db, records: &[Record]) -> Result<()> {
    if let [record] = records {
        return destroy(record).await;
    }
    if records.is_empty() {
        return Ok(());
    }
    db.transaction(async || {
        for record in records {
            destroy(record).await?;
        }
        Ok(())
    })
    .await
}

/// Sets columns of all rows, and counts their versions: who read them before finds out.
pub(super) async fn update_all(core: &Core, sets: Vec<(usize, Node)>) -> Result<u64> {
    write_all(core, counting(core, sets)).await
}

/// What is set, and the version one more.
pub(super) fn counting(core: &Core, mut sets: Vec<(usize, Node)>) -> Vec<(usize, Node)> {
    if let Some(version) = core.select.model().locking_position()
        && !sets.is_empty()
        && sets.iter().all(|(column, _)| *column != version)
    {
        let operand = Box::new(Node::Column(core.select.root, version));
        sets.push((version, Node::Plus(operand, Value::Int(1))));
    }
    sets
}

/// The UPDATE that sets columns of all rows, for who sends it.
pub(super) fn update_of(core: &Core, sets: Vec<(usize, Node)>) -> Result<Statement> {
    statement(core, |writer| writer.update_all(&core.select, &sets))
}

/// Sets columns of all rows.
pub(super) async fn write_all(core: &Core, sets: Vec<(usize, Node)>) -> Result<u64> {
    if sets.is_empty() {
        return Ok(0);
    }
    run(core, &sets, |writer| writer.update_all(&core.select, &sets)).await
}

pub(super) async fn delete_all(core: &Core) -> Result<u64> {
    run(core, &[], |writer| writer.delete_all(&core.select)).await
}

async fn run(
    core: &Core,
    sets: &[(usize, Node)],
    write: impl FnOnce(&mut Writer) -> Result<()>,
) -> Result<u64> {
    if core.select.asks == Asks::Nothing {
        return Ok(0);
    }
    let root = core.select.root;
    let written = Written::Table(core.select.model().table());
    let outcome = execute(&core.db, statement(core, write)?, written, |value| {
        let set = sets.iter().find(|(_, node)| node.holds(value));
        set.map(|(column, _)| (root, *column))
            .or_else(|| core.select.compared_with(value))
    });
    let outcome = outcome.await?;
    Ok(outcome.affected)
}

/// Runs a statement that writes many rows. An error about one of its values names the attribute that it is of.
pub(super) async fn execute(
    db: &Db,
    statement: Statement,
    written: Written,
    attribute: impl FnOnce(&Value<'static>) -> Option<(Place, usize)>,
) -> Result<Outcome> {
    let mut job = Job::new(statement, Telling::new(Discard, db, written));
    match db.fetch(&mut job).await {
        Ok(outcome) => Ok(outcome),
        Err(error) => Err(about_value(error, &job.into_binds(), attribute)),
    }
}

/// The error, with the attribute that is meant where it is only known which of the statement's values it is about.
#[cold]
pub(super) fn about_value(
    error: Error,
    binds: &[Value<'static>],
    attribute: impl FnOnce(&Value<'static>) -> Option<(Place, usize)>,
) -> Error {
    let Some(Spot::Bind(bind)) = error.spot() else {
        return error;
    };
    let found = binds.get(bind).and_then(attribute);
    let column =
        found.and_then(|(place, column)| Some((place, place.model().columns().get(column)?)));
    match column {
        Some((place, column)) => error.of_attribute(place.model().name(), column.name()),
        None => error,
    }
}

fn statement(core: &Core, write: impl FnOnce(&mut Writer) -> Result<()>) -> Result<Statement> {
    let mut writer = Writer::new(core.db.dialect());
    write(&mut writer)?;
    writer.check_database(core.db.identity())?;
    let (text, binds) = writer.finish();
    Ok(Statement {
        text: Arc::from(text),
        binds,
        reuse: true,
        writes: true,
        purpose: Purpose::Bulk,
        model: Some(core.select.model().name()),
    })
}
