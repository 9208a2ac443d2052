//! Loads associations into records that were read or built before, and gives what they lead to.
//!
//! Invariant: what a record knows already is neither asked for again nor forgotten; unsaved members stay.

use super::load;
use super::preloader::Preloader;
use crate::association::Association;
use crate::db::adapter::Purpose;
use crate::error::Result;
use crate::model::Model;
use crate::pending::Pending;
use crate::record::Record;
use crate::relation::{Core, Path, Paths, Relation, columns_at, graft, include_places};
use crate::sql::Place;

/// Loads associations into records, one query for each association that some of them do not know.
/// Rails: `ActiveRecord::Associations::Preloader.new(records:, associations:).call`.
///
/// SQL: `SELECT ... WHERE "posts"."author_id" IN (?, ?)` for each; of a through one for the rows between too.
///
/// Errors: [those of reading](crate::Pending#errors).
#[track_caller]
pub fn preload<'m, M: Model, P: Paths>(
    records: impl IntoIterator<Item = &'m M>,
    paths: impl FnOnce(&'static M::Columns) -> P,
) -> Pending<()> {
    Preloader::of(records).associations(paths).call()
}

/// Loads named associations, `author` or `comments.author`, into records of one model. The erased form of [`preload`].
///
/// SQL: one `SELECT ... WHERE "posts"."author_id" IN (?, ?)` for each association on the path, two for a through.
///
/// Errors, when it is awaited: `AssociationNotFound` with the nearest name; `Argument` for records of several models; [those
/// of reading](crate::Pending#errors).
#[track_caller]
pub fn preload_named<'a>(
    records: &[Record],
    paths: impl IntoIterator<Item = &'a str>,
) -> Pending<()> {
    Preloader::of(records).associations_named(paths).call()
}

impl<M: Model> Relation<M> {
    /// What an association leads to from each record, in the records' order: with a collection all of its members, with
    /// no target nothing. The records themselves are not given. Rails: `extract_associated`.
    ///
    /// `SELECT "posts".* FROM "posts"`, then `SELECT "people".* FROM "people" WHERE "people"."id" IN (?, ?)`
    ///
    /// Errors: what the database says.
    #[track_caller]
    pub fn extract_associated<T: Model>(
        &self,
        path: impl FnOnce(&'static M::Columns) -> Path<T>,
    ) -> Pending<Vec<T>> {
        let mut places = path(columns_at::<M>(self.core().select.root)).places();
        let (core, place) = (self.core().clone(), places.pop());
        Pending::new(async move {
            let found = match place {
                Some(place) => extract(core, place).await?,
                None => Vec::new(),
            };
            found.into_iter().map(T::from_record).collect()
        })
    }
}

impl<M> Relation<M> {
    /// What a named association, `author` or `comments.author`, leads to from each record. The erased form of
    /// `extract_associated`.
    ///
    /// SQL: as [`preload_named`], for what is not loaded.
    ///
    /// Errors: `AssociationNotFound` with the nearest name, when it is awaited; what the database says.
    #[track_caller]
    pub fn extract_associated_named(&self, path: &str) -> Pending<Vec<Record>> {
        let (core, place) = (self.core().clone(), self.place_named(path));
        Pending::new(async move { extract(core, place?).await })
    }
}

async fn extract(mut core: Core, place: Place) -> Result<Vec<Record>> {
    graft(&mut core.preloads, &include_places(vec![place]));
    let mut records = load(&core, Purpose::Load).await?;
    for step in place.path().into_iter().filter_map(Place::step) {
        let targets = |record: &Record| Ok(Association::at(record, step)?.peek_target());
        let each: Result<Vec<_>> = records.iter().map(targets).collect();
        records = each?.concat();
    }
    Ok(records)
}
