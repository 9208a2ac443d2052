//! A relation of a scenario: relata's, with what the language adds to one.
//!
//! Invariant: what is asked of the database is asked by the relation inside; beside it stand the names by which later
//! conditions find a table, the methods that were added, and the records once they were read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use relata::reflection::ModelReflection;
use relata::{Association, Record, Relation};

use crate::form::Method;
use crate::stop::Ran;

/// A relation.
#[derive(Debug, Clone)]
pub struct Query {
    /// What is read.
    pub relation: Relation,
    /// The paths of the associations that were joined, as `comments.author`.
    pub joined: Vec<String>,
    /// The paths of the associations that are loaded with it.
    pub included: Vec<String>,
    /// The paths of the associations that are loaded in the same query.
    pub eager: Vec<String>,
    /// The modules that add methods.
    pub modules: Vec<Arc<str>>,
    /// The methods that an association adds.
    pub methods: Vec<Arc<Method>>,
    /// The collection that it was chained from.
    pub members_of: Option<Association>,
    /// It is that collection itself, not narrowed.
    pub is_whole: bool,
    /// The attributes that it is grouped by.
    pub groups: Vec<String>,
    /// What is wrong with an association to be loaded apart, and its path: Rails finds it once there is a record to load it
    /// for, whose class may have it.
    pub missing: Option<(relata::Error, String)>,
    /// The records, once they were read: a relation of Rails is an object that keeps them.
    loaded: Arc<Mutex<Option<Vec<Record>>>>,
}

impl Query {
    /// A relation without additions.
    #[must_use]
    pub fn of(relation: Relation) -> Self {
        Self {
            relation,
            joined: Vec::new(),
            included: Vec::new(),
            eager: Vec::new(),
            modules: Vec::new(),
            methods: Vec::new(),
            members_of: None,
            is_whole: false,
            groups: Vec::new(),
            missing: None,
            loaded: Arc::default(),
        }
    }

    /// The model that is read.
    #[must_use]
    pub fn model(&self) -> &'static ModelReflection {
        self.relation.reflection()
    }

    /// The same with another relation inside, which is not loaded.
    #[must_use]
    pub fn with(&self, relation: Relation) -> Self {
        Self {
            relation,
            is_whole: false,
            loaded: Arc::default(),
            ..self.clone()
        }
    }

    /// Whether rows that are the same are read once.
    #[must_use]
    pub fn is_distinct(&self) -> bool {
        self.relation.to_sql().split_whitespace().nth(1) == Some("DISTINCT")
    }

    /// The records, if they were read.
    #[must_use]
    pub fn loaded(&self) -> Option<Vec<Record>> {
        self.memory().clone()
    }

    /// The records, read once.
    ///
    /// # Errors
    /// What reading raises.
    pub async fn records(&self) -> Ran<Vec<Record>> {
        if let Some(records) = self.loaded() {
            return Ok(records);
        }
        let records = self.relation.load().await?;
        if let Some((missing, path)) = &self.missing {
            preload_by_class(missing, path, &records).await?;
        }
        *self.memory() = Some(records.clone());
        Ok(records)
    }

    /// Forgets the records.
    pub fn reset(&self) {
        *self.memory() = None;
    }

    fn memory(&self) -> MutexGuard<'_, Option<Vec<Record>>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same with its relation changed.
    #[must_use]
    pub fn map(&self, change: impl FnOnce(Relation) -> Relation) -> Self {
        self.with(change(self.relation.clone()))
    }

    /// The path of the association whose table goes by this name in a condition: the first that was joined and whose
    /// table is named so, the association of that name, one that was included, or the first whose table is named so.
    #[must_use]
    pub fn path_to(&self, name: &str) -> Option<String> {
        let model = self.model();
        let of_table =
            |path: &&String| target(model, path).is_some_and(|found| found.table() == name);
        let on_way = |path: &&String| ways(model, path).any(|found| found.table() == name);
        let all = begun(&self.joined).chain(begun(&self.included));
        let meets = |path: &String| of_table(&path) || on_way(&path);
        if let Some(joined) = all.into_iter().find(meets) {
            return Some(match on_way(&&joined) {
                true => format!("\"{name}\""),
                false => joined,
            });
        }
        if model.reflect_on_association(name).is_some() {
            return Some(name.to_owned());
        }
        let own = model.reflections().iter().map(|one| one.name().to_owned());
        let included = self.included.iter().cloned();
        included.chain(own).find(|path| of_table(&path))
    }
}

/// Loads an association that the model lacks for records whose own classes have it.
async fn preload_by_class(missing: &relata::Error, path: &str, records: &[Record]) -> Ran<()> {
    let top = path.split('.').next().unwrap_or_default();
    let lacks = |one: &&Record| one.reflection().reflect_on_association(top).is_none();
    if let Some(one) = records.iter().find(lacks) {
        return Err(missing.clone().with_record(one.clone()).into());
    }
    let mut classes: Vec<&'static ModelReflection> = Vec::new();
    for record in records {
        if !classes.contains(&record.reflection()) {
            classes.push(record.reflection());
        }
    }
    for class in classes {
        let own = records.iter().filter(|one| one.reflection() == class);
        let own: Vec<Record> = own.cloned().collect();
        relata::loading::Preloader::of(&own)
            .associations_named([path])
            .call()
            .await?;
    }
    Ok(())
}

/// Paths, each after those that it goes over: `comments`, `comments.author`.
fn begun(paths: &[String]) -> impl Iterator<Item = String> + '_ {
    paths.iter().flat_map(|path| {
        let ends = path.match_indices('.').map(|(at, _)| at);
        ends.chain([path.len()])
            .map(|end| path[..end].to_owned())
            .collect::<Vec<_>>()
    })
}

/// The models that the throughs of a path go over.
fn ways(
    model: &'static ModelReflection,
    path: &str,
) -> impl Iterator<Item = &'static ModelReflection> {
    let mut all = Vec::new();
    let mut above = Some(model);
    for name in path.split('.') {
        let Some(model) = above else { break };
        let mut through = model.reflect_on_association(name).and_then(|one| {
            let through = one.declaration().through()?;
            model.reflect_on_association(through)
        });
        while let Some(one) = through {
            all.extend(target(model, one.name()));
            let next = one.declaration().through();
            through = next.and_then(|next| model.reflect_on_association(next));
        }
        above = target(model, name);
    }
    all.into_iter()
}

/// The model that a path of associations leads to.
#[must_use]
pub fn target(model: &'static ModelReflection, path: &str) -> Option<&'static ModelReflection> {
    path.split('.').try_fold(model, |model, name| {
        // The name of a table on the way of a through.
        if let Some(table) = name.strip_prefix('"') {
            let table = table.trim_end_matches('"');
            let all = model.reflections().iter();
            let mut found = all.flat_map(|one| ways(model, one.name()));
            return found.find(|model| model.table() == table);
        }
        let position = model.association(name).ok()?;
        model.resolve(position).ok().map(|resolved| resolved.target)
    })
}
