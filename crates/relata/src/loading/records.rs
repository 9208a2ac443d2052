//! Loads associations into records that were read or built before.
//!
//! Invariant: what a record knows already is neither asked for again nor forgotten; unsaved members stay.

use super::preload::includes;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Model;
use crate::pending::Pending;
use crate::record::Record;
use crate::relation::{Include, Paths, Relation, columns_at, include_named, include_places};
use crate::sql::Place;

/// Loads associations into records, one query for each association that some of them do not know.
/// Rails: `ActiveRecord::Associations::Preloader.new(records:, associations:).call`.
#[track_caller]
pub fn preload<'m, M: Model, P: Paths>(
    records: impl IntoIterator<Item = &'m M>,
    paths: impl FnOnce(&'static M::Columns) -> P,
) -> Pending<()> {
    let records: Vec<Record> = records.into_iter().map(|one| (**one).clone()).collect();
    let places = paths(columns_at::<M>(Place::root(M::reflection()))).places();
    let tree = include_places(places);
    Pending::new(async move { load(records, tree).await })
}

/// Loads named associations, `author` or `comments.author`, into records of one model. The erased form of [`preload`].
///
/// The error for an unknown name, `AssociationNotFound`, comes when it is awaited; so does `Argument`, for records of
/// several models.
#[track_caller]
pub fn preload_named<'a>(
    records: &[Record],
    paths: impl IntoIterator<Item = &'a str>,
) -> Pending<()> {
    let records = records.to_vec();
    let tree = tree(&records, paths);
    Pending::new(async move { load(records, tree?).await })
}

fn tree<'a>(records: &[Record], paths: impl IntoIterator<Item = &'a str>) -> Result<Vec<Include>> {
    let mut tree = Vec::new();
    let Some(first) = records.first() else {
        return Ok(tree);
    };
    let model = first.reflection();
    if let Some(other) = records.iter().find(|record| record.reflection() != model) {
        let message = format!(
            "preload wants records of one model, and got {} beside {}",
            other.reflection().name(),
            model.name()
        );
        return Err(Error::new(ErrorKind::Argument, message).with_model(model.name()));
    }
    for path in paths {
        include_named(&mut tree, model, path)?;
    }
    Ok(tree)
}

async fn load(records: Vec<Record>, tree: Vec<Include>) -> Result<()> {
    let strict = records.first().and_then(|first| {
        Relation::of(first.reflection(), first.db())
            .core()
            .terms
            .strict
    });
    includes(&records, &tree, strict).await
}
