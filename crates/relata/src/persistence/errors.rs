//! The errors of a record: what its last validation found, and what was added since.
//!
//! Invariant: a problem names an attribute or association of the model, or the record as a whole (`base`).

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::error::{Error, ErrorKind};
use crate::record::Record;

/// One rule that a record does not keep.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The attribute or association.
    pub attribute: String,
    /// The kind of the rule, as Rails names it: `blank`, `invalid`, `taken`.
    pub kind: &'static str,
    /// The message, to follow the attribute's name: `can't be blank`.
    pub message: String,
}

/// What is wrong with a record. Rails: `errors`.
///
/// It is the record's own list: what is added to it stands there until the record is validated again (by
/// [`save`](Record::save) or [`is_valid`](Record::is_valid)), which starts an empty one. A clone is the same list;
/// [`to_vec`](Self::to_vec) gives a copy that stays. Nothing here touches the database.
#[derive(Clone, Default)]
pub struct Errors(Arc<Mutex<Vec<Problem>>>);

impl Errors {
    fn problems(&self) -> MutexGuard<'_, Vec<Problem>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a problem with an attribute or association, or with the record as a whole: `base`. The next validation
    /// forgets it, so it does not keep the record from being saved. Rails: `errors.add`.
    ///
    /// ```
    /// # use relata::{Db, model};
    /// #[model]
    /// pub struct User {
    ///     id: i64,
    ///     name: String,
    /// }
    ///
    /// let user = User::new(&Db::detached());
    /// user.errors().add("name", "taken", "has already been taken");
    /// assert_eq!(user.errors().full_messages(), ["Name has already been taken"]);
    /// ```
    pub fn add(
        &self,
        attribute: impl Into<String>,
        kind: &'static str,
        message: impl Into<String>,
    ) {
        let problem = Problem::new(attribute, kind, message);
        let mut problems = self.problems();
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// Forgets all problems. Rails: `errors.clear`.
    pub fn clear(&self) {
        self.problems().clear();
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.problems().is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.problems().len()
    }

    /// The problems as they are now, in the order they were found. Rails: `errors.to_a`, of objects.
    #[must_use]
    pub fn to_vec(&self) -> Vec<Problem> {
        self.problems().clone()
    }

    /// The messages about one attribute. Rails: `errors[:title]`.
    #[must_use]
    pub fn on(&self, attribute: &str) -> Vec<String> {
        self.problems()
            .iter()
            .filter(|problem| problem.attribute == attribute)
            .map(|problem| problem.message.clone())
            .collect()
    }

    /// The messages as sentences: `Title can't be blank`. Rails: `full_messages`.
    #[must_use]
    pub fn full_messages(&self) -> Vec<String> {
        self.problems().iter().map(Problem::full_message).collect()
    }

    /// The attributes that have problems, each once. Rails: `attribute_names`.
    #[must_use]
    pub fn attribute_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for problem in self.problems().iter() {
            if !names.contains(&problem.attribute) {
                names.push(problem.attribute.clone());
            }
        }
        names
    }

    /// The problems by attribute, each with its code and message, for a client: `{"title": [{"code": "blank",
    /// "message": "can't be blank"}]}`. Rails: `errors.details` and `errors.messages` in one.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let mut all = serde_json::Map::new();
        for problem in self.to_vec() {
            let one = serde_json::json!({ "code": problem.kind, "message": problem.message });
            let of = all
                .entry(problem.attribute)
                .or_insert_with(|| serde_json::json!([]));
            if let Some(list) = of.as_array_mut() {
                list.push(one);
            }
        }
        serde_json::Value::Object(all)
    }
}

impl Problem {
    pub(super) fn new(
        attribute: impl Into<String>,
        kind: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            attribute: attribute.into(),
            kind,
            message: message.into(),
        }
    }

    /// The message as a sentence: `Title can't be blank`. Rails: `full_message`.
    #[must_use]
    pub fn full_message(&self) -> String {
        match self.attribute.as_str() {
            "base" => self.message.clone(),
            // The problems of a member are on `posts.title`.
            attribute => {
                let attribute = relata_inflect::humanize(&attribute.replace('.', "_"));
                format!("{attribute} {}", self.message)
            }
        }
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full_messages().join(", "))
    }
}

impl fmt::Debug for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.to_vec()).finish()
    }
}

/// What persistence keeps for a record.
#[derive(Debug, Default)]
pub(crate) struct Keeping {
    /// Made when somebody finds something or asks.
    errors: OnceLock<Errors>,
    /// Told when the turn to write the record is free.
    pub(crate) freed: tokio::sync::Notify,
}

impl Record {
    pub(crate) fn keeping(&self) -> Option<&Keeping> {
        self.extension(Keeping::default)
    }

    /// What the last validation found, and what was added since. Never touches the database. Rails: `errors`.
    #[must_use]
    pub fn errors(&self) -> Errors {
        self.keeping()
            .map(|keeping| keeping.errors.get_or_init(Errors::default).clone())
            .unwrap_or_default()
    }

    /// Whether there are errors, without making room for them.
    pub(crate) fn has_errors(&self) -> bool {
        self.existing_extension::<Keeping>()
            .and_then(|keeping| keeping.errors.get())
            .is_some_and(|errors| !errors.is_empty())
    }

    pub(crate) fn set_errors(&self, found: Vec<Problem>) {
        let kept = self.existing_extension::<Keeping>();
        if found.is_empty() && kept.is_none_or(|keeping| keeping.errors.get().is_none()) {
            return;
        }
        *self.errors().problems() = found;
    }

    pub(crate) fn invalid(&self) -> Error {
        let message = format!("Validation failed: {}", self.errors());
        Error::new(ErrorKind::RecordInvalid, message).with_record(self.clone())
    }
}

/// `'id'=1`
pub(super) fn key_of(record: &Record) -> String {
    let names = record.reflection().primary_key_names();
    let parts: Vec<String> = names
        .zip(record.saved_key())
        .map(|(name, value)| format!("'{name}'={value:?}"))
        .collect();
    parts.join(", ")
}

/// The error of a record whose row cannot be named.
pub(super) fn unknown_key(record: &Record) -> Error {
    let model = record.reflection();
    let message = format!(
        "Unknown primary key for table {} in model {}",
        model.table(),
        model.name()
    );
    Error::new(ErrorKind::UnknownPrimaryKey, message).with_record(record.clone())
}
