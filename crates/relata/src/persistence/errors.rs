//! The errors of a record: what its last validation found.
//!
//! Invariant: a problem names an attribute or association of the model, or the record as a whole (`base`).

use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, ErrorKind};
use crate::record::Record;

/// One rule that a record does not keep.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The attribute or association.
    pub attribute: String,
    /// The kind of the rule, as Rails names it: `blank`, `required`, `invalid`.
    pub kind: &'static str,
    /// The message, to follow the attribute's name: `can't be blank`.
    pub message: String,
}

/// What is wrong with a record. Rails: `errors`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Errors(Vec<Problem>);

impl Errors {
    /// Adds a problem.
    pub fn add(
        &mut self,
        attribute: impl Into<String>,
        kind: &'static str,
        message: impl Into<String>,
    ) {
        let problem = Problem {
            attribute: attribute.into(),
            kind,
            message: message.into(),
        };
        if !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The problems, in the order they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// The messages about one attribute. Rails: `errors[:title]`.
    #[must_use]
    pub fn on(&self, attribute: &str) -> Vec<&str> {
        self.0
            .iter()
            .filter(|problem| problem.attribute == attribute)
            .map(|problem| problem.message.as_str())
            .collect()
    }

    /// The messages as sentences: `Title can't be blank`. Rails: `full_messages`.
    #[must_use]
    pub fn full_messages(&self) -> Vec<String> {
        let sentence = |problem: &Problem| match problem.attribute.as_str() {
            "base" => problem.message.clone(),
            attribute => format!(
                "{} {}",
                relata_inflect::humanize(attribute),
                problem.message
            ),
        };
        self.0.iter().map(sentence).collect()
    }

    /// The attributes that have problems, each once. Rails: `attribute_names`.
    #[must_use]
    pub fn attribute_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for problem in &self.0 {
            if !names.contains(&problem.attribute.as_str()) {
                names.push(&problem.attribute);
            }
        }
        names
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full_messages().join(", "))
    }
}

/// What persistence keeps for a record.
#[derive(Debug, Default)]
pub(crate) struct Keeping {
    errors: Mutex<Errors>,
    /// Held while the record is being written.
    pub(crate) gate: tokio::sync::Mutex<()>,
}

impl Record {
    pub(crate) fn keeping(&self) -> Option<&Keeping> {
        self.extension(Keeping::default)
    }

    /// What the last validation found. Never touches the database. Rails: `errors`.
    #[must_use]
    pub fn errors(&self) -> Errors {
        let keeping = self.existing_extension::<Keeping>();
        keeping
            .map(|keeping| {
                keeping
                    .errors
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone()
            })
            .unwrap_or_default()
    }

    pub(crate) fn set_errors(&self, errors: Errors) {
        if errors.is_empty() && self.existing_extension::<Keeping>().is_none() {
            return;
        }
        if let Some(keeping) = self.keeping() {
            *keeping
                .errors
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = errors;
        }
    }

    pub(crate) fn invalid(&self) -> Error {
        let message = format!("Validation failed: {}", self.errors());
        Error::new(ErrorKind::RecordInvalid, message).with_record(self.clone())
    }
}
