//! The errors of a record: what its last validation found, and what was added since.
//!
//! Invariant: a problem names an attribute or association of the model, or the record as a whole (`base`).

#[cfg(feature = "serde")]
use std::collections::HashMap;
use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use super::enrolled::Part;
use super::touch::Deferred;

use crate::attribute::Shown;
use crate::attribute::value::Value;
use crate::error::{Error, ErrorKind};
use crate::messages::Source;
use crate::record::Record;
use crate::reflection::Resolved;

/// One rule that a record does not keep.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Problem {
    /// The attribute or association; `base` for the record as a whole, `posts[1].title` for one of a member's.
    pub attribute: String,
    /// The kind of the rule, as Rails names it: `blank`, `taken`, `too_long`.
    pub kind: &'static str,
    /// The message, to follow the attribute's name: `can't be blank`.
    pub message: String,
    /// What the rule says of it: `count`, `value`. With the kind, what Rails calls `details`.
    pub options: Vec<(&'static str, Value<'static>)>,
    sentence: String,
}

/// What is wrong with a record. Rails: `errors`.
///
/// It is the record's own list: what is added to it stands there until the record is validated again (by
/// [`save`](Record::save) or [`is_valid`](Record::is_valid)), which starts an empty one. A clone is the same list;
/// [`to_vec`](Self::to_vec) gives a copy that stays. Nothing here touches the database.
#[derive(Clone, Default)]
pub struct Errors(Arc<List>);

#[derive(Default)]
struct List {
    problems: Mutex<Vec<Problem>>,
    model: &'static str,
    texts: Source,
}

impl Errors {
    fn of(record: &Record) -> Self {
        Self(Arc::new(List {
            problems: Mutex::default(),
            model: record.reflection().name(),
            texts: record.db().messages().clone(),
        }))
    }

    fn problems(&self) -> MutexGuard<'_, Vec<Problem>> {
        self.0
            .problems
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a problem with an attribute or association, or with the record as a whole: `base`. The next validation
    /// forgets it, so it does not keep the record from being saved, unless a validation adds it.
    /// Rails: `errors.add(:name, "message")`.
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
        self.push(attribute.into(), kind, Vec::new(), Some(&message.into()));
    }

    /// Adds a problem of a kind whose message is known: `blank`, `taken`, `invalid`, or one that your
    /// [`Messages`](crate::Messages) have. Rails: `errors.add(:name, :taken)`.
    ///
    /// ```
    /// # use relata::{Db, model};
    /// # #[model]
    /// # pub struct User { id: i64, name: String }
    /// let user = User::new(&Db::detached());
    /// user.errors().add_kind("name", "taken");
    /// assert!(user.errors().of_kind("name", "taken"));
    /// assert_eq!(user.errors().on("name"), ["has already been taken"]);
    /// ```
    pub fn add_kind(&self, attribute: impl Into<String>, kind: &'static str) {
        self.push(attribute.into(), kind, Vec::new(), None);
    }

    /// Adds a problem: its message is the one given, else the kind's, with the options put in.
    pub(super) fn push(
        &self,
        attribute: String,
        kind: &'static str,
        options: Vec<(&'static str, Value<'static>)>,
        message: Option<&str>,
    ) {
        let problem = self.problem(attribute, kind, options, message);
        let mut problems = self.problems();
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// Adds a problem also where it is there already: what refuses says so each time it is asked.
    pub(super) fn push_again(
        &self,
        attribute: String,
        kind: &'static str,
        options: Vec<(&'static str, Value<'static>)>,
    ) {
        let problem = self.problem(attribute, kind, options, None);
        self.problems().push(problem);
    }

    /// Adds a problem that is known not to be there, with its message.
    pub(super) fn push_new(&self, attribute: String, kind: &'static str, message: &str) {
        let problem = self.problem(attribute, kind, Vec::new(), Some(message));
        self.problems().push(problem);
    }

    fn problem(
        &self,
        attribute: String,
        kind: &'static str,
        options: Vec<(&'static str, Value<'static>)>,
        message: Option<&str>,
    ) -> Problem {
        let List { model, texts, .. } = &*self.0;
        let values: Vec<(&str, String)> = options
            .iter()
            .map(|(name, value)| (*name, shown(value)))
            .collect();
        let message = match message {
            Some(message) => texts.filled(model, &attribute, message, &values),
            None => texts.problem(model, &attribute, kind, &values),
        };
        Problem {
            sentence: texts.sentence(model, &attribute, &message),
            attribute,
            kind,
            message,
            options,
        }
    }

    /// Takes a member's problems over, under the association's name: `posts.title`. Rails: `NestedError`.
    /// Those of a member that is named by its place are not there yet.
    pub(super) fn take_nested(&self, prefix: &str, problems: Vec<Problem>, by_place: bool) {
        for problem in problems {
            let attribute = format!("{prefix}.{}", problem.attribute);
            let message = Some(problem.message.as_str());
            if by_place {
                let problem = self.problem(attribute, problem.kind, problem.options, message);
                self.problems().push(problem);
            } else {
                self.push(attribute, problem.kind, problem.options, message);
            }
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

    /// The problems as they are now, in the order they were found. With their kinds
    /// and options. Rails: `errors.objects`, `errors.details`.
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

    /// Whether an attribute has a problem of that kind. Rails: `of_kind?`.
    #[must_use]
    pub fn of_kind(&self, attribute: &str, kind: &str) -> bool {
        self.problems()
            .iter()
            .any(|problem| problem.attribute == attribute && problem.kind == kind)
    }

    /// The messages as sentences: `Title can't be blank`. Rails: `full_messages`.
    #[must_use]
    pub fn full_messages(&self) -> Vec<String> {
        self.problems().iter().map(Problem::full_message).collect()
    }

    /// The attributes that have problems, each once. Rails: `attribute_names`.
    #[must_use]
    pub fn attribute_names(&self) -> Vec<String> {
        let problems = self.problems();
        let mut met = HashSet::new();
        let names = problems.iter().map(|problem| &problem.attribute);
        names.filter(|name| met.insert(*name)).cloned().collect()
    }

    /// The problems by attribute, each with its code and message, for a client: `{"title": [{"code": "blank",
    /// "message": "can't be blank"}]}`. Rails: `errors.details` and `errors.messages` in one.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// By attribute, each problem with its code and message.
#[cfg(feature = "serde")]
impl serde::Serialize for Errors {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use crate::params::Params;
        let mut all: Vec<(String, Vec<Params>)> = Vec::new();
        let mut places = HashMap::new();
        for problem in self.to_vec() {
            let at = *places.entry(problem.attribute).or_insert_with_key(|name| {
                all.push((name.clone(), Vec::new()));
                all.len() - 1
            });
            let one = Params::new()
                .with("code", problem.kind)
                .with("message", problem.message);
            all[at].1.push(one);
        }
        serializer.collect_map(all)
    }
}

impl Problem {
    /// The message as a sentence: `Title can't be blank`. Rails: `full_message`.
    #[must_use]
    pub fn full_message(&self) -> String {
        self.sentence.clone()
    }
}

/// A value as a message shows it.
fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) | Value::Decimal(text) | Value::Json(text) => text.clone().into_owned(),
        Value::Null => String::new(),
        other => format!("{other:?}"),
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

/// Members by their places; none where values were passed over.
pub(super) type Assigned = Vec<Option<(usize, u32)>>;

/// What persistence keeps for a record.
#[derive(Default)]
pub(crate) struct Keeping {
    /// Made when somebody finds something or asks.
    errors: OnceLock<Errors>,
    /// What was typed a second time, by attribute.
    confirmations: Mutex<Vec<(String, Value<'static>)>>,
    /// Passwords that were set and not saved.
    #[cfg(feature = "password")]
    pub(super) secrets: super::password::Secrets,
    /// Its parts in open transactions.
    parts: Mutex<Vec<Weak<Part>>>,
    rolling_back: AtomicBool,
    /// The touch that waits for the commit.
    deferred: Mutex<Weak<Deferred>>,
    /// The association that destroyed it.
    destroyed_by: Mutex<Option<&'static Resolved>>,
    /// What a setter that gives no error could not do.
    refusal: Mutex<Option<Error>>,
    /// In which order members were given values, by association.
    orders: Mutex<Vec<(usize, Assigned)>>,
    /// Told when the turn to write the record is free.
    pub(crate) freed: tokio::sync::Notify,
}

impl Keeping {
    pub(super) fn enroll(&self, part: &Arc<Part>) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.retain(|known| known.strong_count() > 0);
        parts.push(Arc::downgrade(part));
    }

    pub(super) fn take_parts(&self) -> Vec<Weak<Part>> {
        std::mem::take(&mut self.parts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The touch that waits for the commit, or a new one; and whether it is new.
    pub(super) fn defer(&self, make: impl FnOnce() -> Deferred) -> (Arc<Deferred>, bool) {
        let mut known = self.deferred.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(deferred) = known.upgrade() {
            return (deferred, false);
        }
        let deferred = Arc::new(make());
        *known = Arc::downgrade(&deferred);
        (deferred, true)
    }

    pub(super) fn deferred(&self) -> Option<Arc<Deferred>> {
        let known = self.deferred.lock().unwrap_or_else(PoisonError::into_inner);
        known.upgrade()
    }

    pub(super) fn set_destroyed_by(&self, association: Option<&'static Resolved>) {
        *self
            .destroyed_by
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = association;
    }

    pub(super) fn destroyed_by(&self) -> Option<&'static Resolved> {
        *self
            .destroyed_by
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_order(&self, association: usize, places: Assigned) {
        let mut all = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(known, _)| *known != association);
        all.push((association, places));
    }

    pub(super) fn order(&self, association: usize) -> Assigned {
        let all = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let order = all.iter().find(|(known, _)| *known == association);
        order.map(|(_, order)| order.clone()).unwrap_or_default()
    }

    /// Notes whether a rollback is under way, and says whether one was.
    pub(super) fn set_rolling_back(&self, on: bool) -> bool {
        self.rolling_back.swap(on, Ordering::AcqRel)
    }

    pub(super) fn confirm(&self, attribute: &str, value: Value<'static>) {
        let mut all = self
            .confirmations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.retain(|(known, _)| known != attribute);
        all.push((attribute.to_owned(), value));
    }

    pub(super) fn confirmation(&self, attribute: &str) -> Option<Value<'static>> {
        let all = self
            .confirmations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let found = all.iter().find(|(known, _)| known == attribute);
        found.map(|(_, value)| value.clone())
    }
}

impl Record {
    pub(crate) fn keeping(&self) -> Option<&Keeping> {
        self.extension(Keeping::default)
    }

    /// What the last validation found, and what was added since. Never touches the database. Rails: `errors`.
    #[must_use]
    pub fn errors(&self) -> Errors {
        self.keeping()
            .map(|keeping| keeping.errors.get_or_init(|| Errors::of(self)).clone())
            .unwrap_or_default()
    }

    /// Whether there are errors, without making room for them.
    pub(crate) fn has_errors(&self) -> bool {
        self.existing_extension::<Keeping>()
            .and_then(|keeping| keeping.errors.get())
            .is_some_and(|errors| !errors.is_empty())
    }

    /// Forgets what was found before, without making room for it.
    pub(super) fn clear_errors(&self) {
        if self.has_errors() {
            self.errors().clear();
        }
    }

    /// Keeps why something could not be set, where the setter gives no error: the next save gives it, once.
    pub(crate) fn refuse_at_save(&self, error: Error) {
        if let Some(keeping) = self.keeping() {
            let mut known = keeping
                .refusal
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if !self.has_refusal() {
                *known = None;
            }
            // Without its record, which would keep itself alive.
            known.get_or_insert_with(|| error.without_record());
            self.set_refusal(true);
        }
    }

    /// Why something could not be set that was, if nobody was told yet.
    pub(super) fn take_refusal(&self) -> Option<Error> {
        let keeping = self.existing_extension::<Keeping>()?;
        let mut known = keeping
            .refusal
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let refusal = known.take().filter(|_| self.has_refusal());
        self.set_refusal(false);
        refusal.map(|error| error.with_record(self.clone()))
    }

    pub(crate) fn invalid(&self) -> Error {
        let values = [("errors", self.errors().to_string())];
        let model = self.reflection().name();
        let message = self
            .db()
            .messages()
            .problem(model, "base", "record_invalid", &values);
        Error::new(ErrorKind::RecordInvalid, message).with_record(self.clone())
    }
}

/// `'id'=1`
pub(super) fn key_of(record: &Record) -> String {
    let names = record.reflection().primary_key_names();
    let parts: Vec<String> = names
        .zip(record.saved_key())
        .map(|(name, value)| format!("'{name}'={:?}", Shown(&value)))
        .collect();
    parts.join(", ")
}

/// The error of a record whose row cannot be named.
pub(super) fn unknown_key(record: &Record) -> Error {
    let model = record.reflection();
    let mut key = model.query_constraints().iter();
    if let Some(&column) = key.find(|&&column| record.is_absent(column))
        && let Some(column) = model.columns().get(column)
    {
        return record.missing_attribute(column.name());
    }
    let message = format!(
        "Unknown primary key for table {} in model {}",
        model.table(),
        model.name()
    );
    Error::new(ErrorKind::UnknownPrimaryKey, message).with_record(record.clone())
}
