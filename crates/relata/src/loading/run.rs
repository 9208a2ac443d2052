//! Runs a relation: one statement, and one for each include.
//!
//! Invariant: the records of a statement are one batch, in the order the database gave them.

use std::sync::Arc;

use super::apart::settled;
use super::decode::Rows;
use super::includes::{Manner, includes};
use super::preload;
use crate::attribute::value::Value;
use crate::callback::Event;
use crate::db::adapter::{Job, Purpose, Statement};
use crate::db::{Db, Writing};
use crate::deprecation::{self, Why};
use crate::error::{Error, Result, Spot};
use crate::record::{Record, Terms, Tie};
use crate::reflection::ModelReflection;
use crate::relation::Core;
use crate::sql::expr::Node;
use crate::sql::{Select, What, Writer, statements};

/// The statement that a select is.
pub(crate) fn statement(select: &Select, db: &Db, purpose: Purpose) -> Result<Statement> {
    if deprecation::is_any() {
        tell_joined(select, db)?;
    }
    let mut writer = Writer::new(db.dialect());
    writer.select(select)?;
    let (text, binds) = writer.finish();
    Ok(Statement {
        text: Arc::from(text),
        binds,
        reuse: select.raw.is_none(),
        writes: false,
        purpose,
        model: Some(select.model().name()),
    })
}

/// Tells of the deprecated associations that a select joins.
#[cold]
fn tell_joined(select: &Select, db: &Db) -> Result<()> {
    for join in select.all_joins() {
        if let Some((_, resolved)) = join.place.resolved()? {
            deprecation::used(db, resolved, Why::Joined)?;
        }
    }
    Ok(())
}

/// An error of running a select, with the attribute that it is about where only its spot in the statement is known.
#[cold]
pub(super) fn told(select: &Select, db: &Db, error: Error) -> Error {
    let found = match (error.spot(), &select.what) {
        (Some(Spot::Cell(cell)), What::Values(values)) => values.get(cell).and_then(Node::subject),
        (Some(Spot::Bind(bind)), _) => statement(select, db, Purpose::Load)
            .ok()
            .and_then(|written| select.compared_with(written.binds.get(bind)?)),
        _ => None,
    };
    let column =
        found.and_then(|(place, column)| Some((place, place.model().columns().get(column)?)));
    match column {
        Some((place, column)) => error.of_attribute(place.model().name(), column.name()),
        None => error,
    }
}

/// The records of a relation, with what it includes.
pub(crate) async fn load(core: &Core, purpose: Purpose) -> Result<Vec<Record>> {
    if !core.select.asks_rows() {
        return match Box::pin(settled(core)).await? {
            Some(core) => Box::pin(load(&core, purpose)).await,
            None => Ok(Vec::new()),
        };
    }
    if !core.eager.is_empty() || !core.includes.is_empty() {
        let (select, places) = core.with_joined_includes()?;
        if !places.is_empty() {
            return super::joined::load(core, select, places, purpose).await;
        }
    }
    let statement = statement(&core.select, &core.db, purpose)?;
    let partial = core.select.raw.is_some() || core.select.what.is_partial();
    let mut job = Job::new(statement, Rows::new(core.select.model(), partial));
    core.db
        .fetch(&mut job)
        .await
        .map_err(|error| told(&core.select, &core.db, error))?;
    let records = Record::adopt(job.decoder()?.finish(&core.db, core.terms)?);
    if let Some((owner, association)) = &core.origin {
        // Through a collection, and where their key says so.
        let resolved = owner.reflection().resolve(*association)?;
        preload::lead_to(owner, resolved, &records, Tie::Depend);
    }
    found(core.select.model(), &records)?;
    includes(&records, &core.includes, Manner::strict(core.terms.strict)).await?;
    includes(&records, &core.preloads, Manner::strict(core.terms.strict)).await?;
    Ok(records)
}

/// Runs what the model declares for records that were read.
#[inline]
pub(super) fn found(model: &'static ModelReflection, records: &[Record]) -> Result<()> {
    let silent = |model: &ModelReflection| {
        let hooks = model.hooks();
        hooks.at(Event::AfterFind).is_empty() && hooks.at(Event::AfterInitialize).is_empty()
    };
    if silent(model) && (!model.is_inherited() || model.descendants().into_iter().all(silent)) {
        return Ok(());
    }
    announced(records)
}

#[inline(never)]
fn announced(records: &[Record]) -> Result<()> {
    for record in records {
        record.announce(Event::AfterFind)?;
        record.announce(Event::AfterInitialize)?;
    }
    Ok(())
}

/// The row with that key, by a statement whose text is kept; the key comes back when there is none. Hesitant, it is turned
/// away where it would have to wait.
pub(crate) async fn fetch_by_key(
    model: &'static ModelReflection,
    db: &Db,
    key: Vec<Value<'static>>,
    hesitant: bool,
) -> Result<Result<Record, Vec<Value<'static>>>> {
    let statement = Statement {
        text: statements::find(model, db.dialect()),
        binds: key,
        reuse: true,
        writes: false,
        purpose: Purpose::Load,
        model: Some(model.name()),
    };
    let mut job = Job::new(statement, Rows::new(model, false)).hesitant(hesitant);
    db.fetch(&mut job).await?;
    let strict = model
        .is_strict_loading_by_default()
        .then_some(crate::record::StrictLoading::All);
    let terms = Terms {
        strict,
        ..Terms::default()
    };
    let Some(record) = Record::adopt_last(job.decoder()?.finish(db, terms)?) else {
        return Ok(Err(job.into_binds()));
    };
    found(model, std::slice::from_ref(&record))?;
    Ok(Ok(record))
}

/// The one row of a relation that includes nothing and whose lists are known. Hesitant, it is turned away where it would
/// have to wait; with the writer that was waited for before, it is read there.
pub(crate) async fn fetch_row(
    core: &Core,
    hesitant: bool,
    writer: Option<&Writing>,
) -> Result<Option<Record>> {
    if core.select.gives_nothing() {
        return Ok(None);
    }
    let statement = statement(&core.select, &core.db, Purpose::Load)?;
    let rows = Rows::new(core.select.model(), false);
    let mut job = Job::new(statement, rows).hesitant(hesitant);
    let fetched = match writer {
        None => core.db.fetch(&mut job).await,
        Some(writer) => core.db.fetch_with(writer, &mut job).await,
    };
    fetched.map_err(|error| told(&core.select, &core.db, error))?;
    let records = Record::adopt(job.decoder()?.finish(&core.db, core.terms)?);
    found(core.select.model(), &records)?;
    Ok(records.into_iter().next())
}
