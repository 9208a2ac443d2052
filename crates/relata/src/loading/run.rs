//! Runs a relation: one statement, and one for each include.
//!
//! Invariant: the records of a statement are one batch, in the order the database gave them.

use std::sync::Arc;

use super::decode::Rows;
use super::preload;
use crate::association::Association;
use crate::attribute::value::Value;
use crate::callback::Event;
use crate::db::Db;
use crate::db::adapter::{Job, Purpose, Statement};
use crate::error::Result;
use crate::record::{Index, Links, Place, Record, Terms, Tie};
use crate::reflection::ModelReflection;
use crate::relation::Core;
use crate::sql::{Select, What, Writer, statements};

/// The statement that a select is.
pub(crate) fn statement(select: &Select, db: &Db, purpose: Purpose) -> Result<Statement> {
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

/// The records of a relation, with what it includes.
pub(crate) async fn load(core: &Core, purpose: Purpose) -> Result<Vec<Record>> {
    if core.select.none {
        return Ok(Vec::new());
    }
    if !core.eager.is_empty() || !core.includes.is_empty() {
        let (select, places) = core.with_joined_includes()?;
        if !places.is_empty() {
            return super::joined::load(core, select, places, purpose).await;
        }
    }
    let statement = statement(&core.select, &core.db, purpose)?;
    let partial = core.select.raw.is_some() || matches!(core.select.what, What::Columns(_));
    let mut job = Job::new(statement, Rows::new(core.select.model(), partial));
    core.db.fetch(&mut job).await?;
    let records = Record::adopt(job.decoded()?.finish(&core.db, core.terms)?);
    if let Some((owner, association)) = &core.origin {
        lead_back(owner, *association, &records)?;
    }
    found(core.select.model(), &records)?;
    preload::includes(&records, &core.includes, core.terms.strict).await?;
    preload::includes(&records, &core.preloads, core.terms.strict).await?;
    Ok(records)
}

/// Runs what the model declares for records that were read.
pub(super) fn found(model: &'static ModelReflection, records: &[Record]) -> Result<()> {
    let events = [Event::AfterFind, Event::AfterInitialize];
    if events
        .iter()
        .all(|event| model.hooks().at(*event).is_empty())
    {
        return Ok(());
    }
    for record in records {
        for event in events {
            record.announce(event)?;
        }
    }
    Ok(())
}

/// The row with that key, by a statement whose text is kept.
pub(crate) async fn fetch_by_key(
    model: &'static ModelReflection,
    db: &Db,
    key: &[Value<'static>],
) -> Result<Option<Record>> {
    let statement = Statement {
        text: statements::find(model, db.dialect()),
        binds: key.to_vec(),
        reuse: true,
        writes: false,
        purpose: Purpose::Load,
        model: Some(model.name()),
    };
    let mut job = Job::new(statement, Rows::new(model, false));
    db.fetch(&mut job).await?;
    let strict = model
        .is_strict_loading_by_default()
        .then_some(crate::record::StrictLoading::All);
    let terms = Terms {
        strict,
        ..Terms::default()
    };
    let records = Record::adopt(job.decoded()?.finish(db, terms)?);
    found(model, &records)?;
    Ok(records.into_iter().next_back())
}

/// Records that were read through an owner's collection lead back to that owner, where their key says so.
pub(super) fn lead_back(owner: &Record, association: usize, records: &[Record]) -> Result<()> {
    let association = Association::at(owner, association)?;
    let (Some(first), Some(inverse)) = (records.first(), association.inverse()) else {
        return Ok(());
    };
    let key = association.owner_key();
    let belongs = |record: &Record| {
        let columns = &association.resolved().target_key;
        columns
            .iter()
            .zip(&key)
            .all(|(&column, value)| record.value(column) == *value)
    };
    let mut missing = vec![0u64; records.len().div_ceil(64)].into_boxed_slice();
    for (row, _) in records
        .iter()
        .enumerate()
        .filter(|(_, record)| !belongs(record))
    {
        missing[row / 64] |= 1 << (row % 64);
    }
    let place = Place {
        batch: 0,
        row: u32::try_from(owner.row_number()).unwrap_or_default(),
    };
    let links = Links {
        targets: vec![owner.clone()],
        index: Index::One(vec![place; records.len()].into()),
        missing: Some(missing),
        generation: None,
    };
    first.publish(inverse, links, Tie::Depend);
    Ok(())
}
