//! Loads associations into records that are there, told what else there is to know: what narrows them, and which records
//! are at hand already.
//!
//! Invariant: it runs nothing until it is called; what was given wrong is an error of the call.

use std::marker::PhantomData;

use super::includes::{Manner, includes};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{FromRecord, Model};
use crate::pending::Pending;
use crate::record::Record;
use crate::reflection::ModelReflection;
use crate::relation::{
    Include, Narrow, Path, Paths, Relation, columns_at, graft, include_named, include_places,
    narrowed, narrowed_named,
};
use crate::sql::Place;

/// Loads associations into records that were read or built before. Rails: `ActiveRecord::Associations::Preloader`.
///
/// ```
/// use relata::loading::Preloader;
/// # use relata::model;
/// # #[model] pub struct Person { id: i64, name: String }
/// # #[model] pub struct Post { id: i64, author_id: i64, #[belongs_to] author: Person }
/// # relata::run(async {
/// # let db = relata::Db::connect("sqlite::memory:").await?;
/// # db.create_tables([Person::reflection(), Post::reflection()]).await?;
/// # let ann = Person::create(&db, |p| p.set_name("Ann")).await?;
/// # Post::create(&db, |p| p.set_author(&ann)).await?;
/// let people = Person::all(&db).await?;
/// let posts = Post::all(&db).await?;
/// Preloader::of(&posts)
///     .associations(|p| p.author)
///     .available_records(&people)
///     .call()
///     .await?;
/// assert!(posts[0].author().await?.is(&people[0]));
/// # relata::Result::Ok(())
/// # })?;
/// # Ok::<(), relata::Error>(())
/// ```
#[must_use = "a preloader loads nothing until it is called"]
pub struct Preloader<M = Record> {
    records: Vec<Record>,
    tree: Result<Vec<Include>>,
    available: Vec<Record>,
    model: PhantomData<fn() -> M>,
}

impl<M> std::fmt::Debug for Preloader<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Preloader")
            .field("records", &self.records.len())
            .field("tree", &self.tree)
            .field("available", &self.available.len())
            .finish_non_exhaustive()
    }
}

impl<M: FromRecord> Preloader<M> {
    /// A preloader for these records, which must be of one model. Rails: `Preloader.new(records:)`.
    pub fn of<'m>(records: impl IntoIterator<Item = &'m M>) -> Self {
        Self {
            records: cloned(records),
            tree: Ok(Vec::new()),
            available: Vec::new(),
            model: PhantomData,
        }
    }
}

impl<M: Model> Preloader<M> {
    /// Adds associations, nested to any depth: `|p| (p.author, p.comments.author)`. Rails: `associations:`.
    pub fn associations<P: Paths>(self, paths: impl FnOnce(&'static M::Columns) -> P) -> Self {
        let places = paths(columns_at::<M>(Place::root(M::reflection()))).places();
        self.with(Ok(include_places(places)))
    }

    /// Adds one path, whose last association is narrowed and ordered; a limit counts for each owner.
    /// As [`Relation::preload_with`]. Rails: `scope:`.
    pub fn associations_with<T: Model>(
        self,
        path: impl FnOnce(&'static M::Columns) -> Path<T>,
        scope: impl Fn(Relation<T>) -> Relation<T> + Send + Sync + 'static,
    ) -> Self {
        let places = path(columns_at::<M>(Place::root(M::reflection()))).places();
        self.with(Ok(narrowed(places, &Narrow::typed(scope))))
    }
}

impl<M> Preloader<M> {
    /// Adds named associations, `author` or `comments.author`. The erased form of `associations`.
    ///
    /// The error for an unknown name, `AssociationNotFound`, is that of the call; so is `Argument`, for records of several
    /// models.
    pub fn associations_named<'a>(self, paths: impl IntoIterator<Item = &'a str>) -> Self {
        let mut tree = Vec::new();
        let added = one_model(&self.records).and_then(|model| {
            let mut paths = paths.into_iter().filter_map(|path| Some((model?, path)));
            paths.try_for_each(|(model, path)| include_named(&mut tree, model, path))
        });
        self.with(added.map(|()| tree))
    }

    /// Adds one named path, whose last association is narrowed and ordered; a limit counts for each owner. The erased form
    /// of `associations_with`.
    ///
    /// Errors: as for [`associations_named`](Self::associations_named).
    pub fn associations_named_with(
        self,
        path: &str,
        scope: impl Fn(Relation) -> Relation + Send + Sync + 'static,
    ) -> Self {
        let tree = one_model(&self.records).and_then(|model| match model {
            Some(model) => narrowed_named(model, path, &Narrow::new(scope)),
            None => Ok(Vec::new()),
        });
        self.with(tree)
    }

    /// Records at hand, of any models: owners get them without a query, at every level of the tree. They serve where their
    /// key is all that is asked for: a `belongs_to` or `has_one` without a scope that goes through no other association.
    /// What they do not serve is loaded. A default scope of their model is not asked, nor is it looked whether their rows
    /// are still there. Of several with one key the first is taken. Rails: `available_records:`.
    pub fn available_records<'a, T: FromRecord>(
        mut self,
        records: impl IntoIterator<Item = &'a T>,
    ) -> Self {
        self.available.extend(cloned(records));
        self
    }

    /// Loads what is not known yet, one query for each association that some records do not know.
    ///
    /// `SELECT "people".* FROM "people" WHERE "people"."id" IN (?, ?)`
    ///
    /// Errors: [those of reading](crate::Pending#errors); what is wrong with what was given.
    #[track_caller]
    pub fn call(self) -> Pending<()> {
        Pending::new(async move {
            let tree = self.tree?;
            let Some(first) = self.records.first() else {
                return Ok(());
            };
            let all = Relation::default_scoped(first.reflection(), first.db());
            let manner = Manner {
                available: &self.available,
                ..Manner::strict(all.core().terms.strict)
            };
            includes(&self.records, &tree, manner).await
        })
    }

    fn with(mut self, more: Result<Vec<Include>>) -> Self {
        self.tree = self.tree.and_then(|mut tree| {
            graft(&mut tree, &more?);
            Ok(tree)
        });
        self
    }
}

fn cloned<'a, T: FromRecord>(records: impl IntoIterator<Item = &'a T>) -> Vec<Record> {
    let records = records.into_iter();
    records.map(|one| one.as_record().clone()).collect()
}

/// The model of all records, if there are some.
fn one_model(records: &[Record]) -> Result<Option<&'static ModelReflection>> {
    let Some(first) = records.first() else {
        return Ok(None);
    };
    let model = first.reflection();
    match records.iter().find(|record| record.reflection() != model) {
        None => Ok(Some(model)),
        Some(other) => {
            let message = format!(
                "preload wants records of one model, and got {} beside {}",
                other.reflection().name(),
                model.name()
            );
            Err(Error::new(ErrorKind::Argument, message).with_model(model.name()))
        }
    }
}
