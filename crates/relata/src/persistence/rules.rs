//! The rules of validations, one by one: what is wrong with a value.
//!
//! Invariant: a rule only looks, and adds to the record's errors; the one that asks the database is
//! `uniqueness`, and presence, absence and length of an association that is not loaded.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::errors::Keeping;
use super::reentry::Call;
use super::uniqueness;
use crate::association::Association;
use crate::attribute::value::Value;
use crate::callback::Body;
use crate::error::{Error, ErrorKind, Result};
use crate::loading;
use crate::record::{FILTERED, Record};
use crate::validation::{Comparison, Length, Limit, Numericality, Rule, Validation};

type Details = Vec<(&'static str, Value<'static>)>;

/// Runs one validation that applies to the record.
pub(super) async fn look(record: &Record, validation: &Validation) -> Result<()> {
    match validation.rule {
        Rule::Custom(Body::Now(run)) => return run(record),
        Rule::Custom(Body::Later(run)) => {
            let call = Call::of(record, "validation", validation.attribute)?;
            return call.run(run(record)).await;
        }
        // Members are looked at where frames can be opened for them.
        Rule::Custom(Body::Around(_)) | Rule::Associated => return Ok(()),
        #[cfg(feature = "password")]
        Rule::Password => {
            return Box::pin(super::password::look(record, validation.attribute)).await;
        }
        #[cfg(not(feature = "password"))]
        Rule::Password => return Ok(()),
        _ => {}
    }
    let Some(column) = record.reflection().column_position(validation.attribute) else {
        let association = Association::of(record, validation.attribute)?;
        return look_at_association(record, &association, validation).await;
    };
    let value = record.value(column);
    if let Rule::Labels = validation.rule
        && let Some(text) = record.refused_label(column)
    {
        let found = Found { record, validation };
        return found.add("inclusion", found.of(&Value::from(text)));
    }
    if (validation.allow_null && value.is_null()) || (validation.allow_blank && is_blank(&value)) {
        return Ok(());
    }
    let found = Found { record, validation };
    match validation.rule {
        Rule::Presence if is_blank(&value) => found.add("blank", Vec::new()),
        Rule::Absence if !is_blank(&value) => found.add("present", Vec::new()),
        Rule::Length(length) => found.length(characters(&value), length),
        Rule::Numericality(what) => found.number(column, &value, what),
        Rule::Comparison(how, limit) => found.comparison(column, &value, how, limit),
        Rule::Format { form, without } if form(value.as_str().unwrap_or_default()) == without => {
            found.add("invalid", found.of(&value))
        }
        Rule::Inclusion(list) if !found.is_among(column, &value, list) => {
            found.add("inclusion", found.of(&value))
        }
        Rule::Labels if value.is_null() => found.add("inclusion", found.of(&value)),
        Rule::Exclusion(list) if found.is_among(column, &value, list) => {
            found.add("exclusion", found.of(&value))
        }
        Rule::Confirmation { case_sensitive } => found.confirmation(&value, case_sensitive),
        Rule::Acceptance if !is_accepted(&value) => found.add("accepted", Vec::new()),
        Rule::Uniqueness(what) if uniqueness::is_taken(record, column, &what).await? => {
            found.add("taken", found.of(&value))
        }
        Rule::Check(check) => match check(record) {
            Ok(()) => Ok(()),
            Err(message) => found.says("invalid", found.of(&value), Some(&message)),
        },
        _ => Ok(()),
    }
}

async fn look_at_association(
    record: &Record,
    association: &Association,
    validation: &Validation,
) -> Result<()> {
    let found = Found { record, validation };
    let kept = |member: &Record| !member.is_marked_for_destruction();
    loading::has_any(association).await?;
    let count = association.target().iter().filter(|one| kept(one)).count();
    match validation.rule {
        Rule::Presence if count == 0 => found.add("blank", Vec::new()),
        Rule::Absence if count > 0 => found.add("present", Vec::new()),
        Rule::Length(length) => found.length(count, length),
        Rule::Presence | Rule::Absence => Ok(()),
        _ => {
            let message = format!(
                "{association:?} is an association: it can be validated by presence, absence, length and associated, \
                 not by {}",
                validation.name()
            );
            Err(association.error(ErrorKind::Configuration, message))
        }
    }
}

/// Where a rule puts what it finds.
struct Found<'a> {
    record: &'a Record,
    validation: &'a Validation,
}

impl Found<'_> {
    fn add(&self, kind: &'static str, details: Details) -> Result<()> {
        self.says(kind, details, self.validation.message)
    }

    fn says(&self, kind: &'static str, details: Details, message: Option<&str>) -> Result<()> {
        self.about(self.validation.attribute.to_owned(), kind, details, message)
    }

    fn about(
        &self,
        attribute: String,
        kind: &'static str,
        details: Details,
        message: Option<&str>,
    ) -> Result<()> {
        let message = self.validation.message.or(message);
        let errors = self.record.errors();
        errors.push(attribute, kind, details, message);
        if !self.validation.strict {
            return Ok(());
        }
        let sentence = errors.full_messages().pop().unwrap_or_default();
        Err(Error::new(ErrorKind::StrictValidationFailed, sentence)
            .with_record(self.record.clone())
            .with_attribute(self.validation.attribute))
    }

    /// The value that is wrong.
    fn of(&self, value: &Value<'_>) -> Details {
        let value = told(self.record, self.validation.attribute, value);
        vec![("value", value)]
    }

    fn length(&self, count: usize, length: Length) -> Result<()> {
        let broken = [
            (length.is.filter(|is| count != *is), "wrong_length"),
            (length.min.filter(|min| count < *min), "too_short"),
            (length.max.filter(|max| count > *max), "too_long"),
        ];
        for (limit, kind) in broken {
            if let Some(limit) = limit {
                let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                self.add(kind, vec![("count", Value::Int(limit))])?;
            }
        }
        Ok(())
    }

    fn number(&self, column: usize, value: &Value<'_>, what: Numericality) -> Result<()> {
        let Some(number) = number(value) else {
            return self.add("not_a_number", self.of(value));
        };
        if what.only_integer && number.fract() != 0.0 {
            return self.add("not_an_integer", self.of(value));
        }
        let odd = number.rem_euclid(2.0) == 1.0;
        if what.odd && !odd {
            self.add("odd", self.of(value))?;
        }
        if what.even && number.rem_euclid(2.0) != 0.0 {
            self.add("even", self.of(value))?;
        }
        for (how, limit) in what.limits {
            self.comparison(column, value, *how, *limit)?;
        }
        Ok(())
    }

    fn comparison(
        &self,
        column: usize,
        value: &Value<'_>,
        how: Comparison,
        limit: Limit,
    ) -> Result<()> {
        let other = match limit {
            Limit::Other(name) => Some(name),
            _ => None,
        };
        let limit = self.limit(column, limit)?;
        if value.is_null() {
            return self.add("blank", Vec::new());
        }
        let order = order(value, &limit);
        let holds = match how {
            Comparison::GreaterThan => order == Some(Ordering::Greater),
            Comparison::GreaterThanOrEqualTo => order.is_some_and(Ordering::is_ge),
            Comparison::EqualTo => order == Some(Ordering::Equal),
            Comparison::LessThan => order == Some(Ordering::Less),
            Comparison::LessThanOrEqualTo => order.is_some_and(Ordering::is_le),
            Comparison::OtherThan => order != Some(Ordering::Equal),
        };
        if holds {
            return Ok(());
        }
        let mut details = self.of(value);
        let limit = match other {
            Some(other) => told(self.record, other, &limit),
            None => limit.into_owned(),
        };
        details.push(("count", limit));
        self.add(how.name(), details)
    }

    fn is_among(&self, column: usize, value: &Value<'_>, list: &[Limit]) -> bool {
        list.iter().any(|limit| {
            self.limit(column, *limit)
                .is_ok_and(|limit| limit == *value)
        })
    }

    /// The limit, as a value of the column's type.
    fn limit(&self, column: usize, limit: Limit) -> Result<Value<'_>> {
        let model = self.record.reflection();
        let value = match limit {
            Limit::Int(value) => Value::Int(value),
            Limit::Float(value) => Value::Float(value),
            Limit::Text(value) => Value::Text(Cow::Borrowed(value)),
            Limit::Bool(value) => Value::Bool(value),
            Limit::Other(name) => self.record.value(model.attribute(name)?),
            Limit::Computed(compute) => compute(self.record),
        };
        let kind = model
            .columns()
            .get(column)
            .map(|column| column.attribute_type().kind);
        match kind.map(|kind| kind.cast(value.clone())) {
            Some(Ok(cast)) => Ok(cast),
            _ => Ok(value),
        }
    }

    fn confirmation(&self, value: &Value<'_>, case_sensitive: bool) -> Result<()> {
        let attribute = self.validation.attribute;
        let Some(given) = self.record.confirmation(attribute) else {
            return Ok(());
        };
        let same = match (value.as_str(), given.as_str()) {
            (Some(one), Some(other)) if !case_sensitive => {
                one.to_lowercase() == other.to_lowercase()
            }
            _ => *value == given,
        };
        if same {
            return Ok(());
        }
        let (about, details) = unconfirmed(self.record, attribute);
        self.about(about, "confirmation", details, None)
    }
}

/// What a confirmation that differs is an error of, and with which details.
pub(super) fn unconfirmed(record: &Record, attribute: &str) -> (String, Details) {
    let texts = record.db().messages();
    let name = texts.attribute_name(record.reflection().name(), attribute);
    let details = vec![("attribute", Value::from(name))];
    (format!("{attribute}_confirmation"), details)
}

impl Record {
    /// What the user typed a second time, for a `confirmation` validation of an attribute. It is kept beside the
    /// record and never saved. Never touches the database. Rails: `email_confirmation=`.
    pub fn set_confirmation(&self, attribute: &str, value: impl Into<Value<'static>>) -> &Self {
        let value = Some(value.into());
        #[cfg(feature = "password")]
        let value = value.and_then(|value| super::password::confirm(self, attribute, value));
        if let (Some(value), Some(keeping)) = (value, self.keeping()) {
            keeping.confirm(attribute, value);
        }
        self
    }

    pub(super) fn confirmation(&self, attribute: &str) -> Option<Value<'static>> {
        let keeping = self.existing_extension::<Keeping>()?;
        keeping.confirmation(attribute)
    }
}

/// The value of an attribute as an error may hold it: a secret column's stays out.
pub(super) fn told(record: &Record, attribute: &str, value: &Value<'_>) -> Value<'static> {
    let model = record.reflection();
    let column = model.column_position(attribute);
    let column = column.and_then(|column| model.columns().get(column));
    match column {
        Some(column) if column.is_secret() => Value::from(FILTERED),
        _ => value.clone().into_owned(),
    }
}

fn characters(value: &Value<'_>) -> usize {
    match value {
        Value::Bytes(bytes) => bytes.len(),
        value => value.as_str().map_or(0, |text| text.chars().count()),
    }
}

fn number(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Text(text) => text
            .trim()
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite()),
        value => value.as_f64(),
    }
}

/// How two values of a kind stand to each other.
fn order(one: &Value<'_>, other: &Value<'_>) -> Option<Ordering> {
    match (one, other) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Uint(a), Value::Uint(b)) => Some(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => match (number(one), number(other)) {
            (Some(a), Some(b)) => a.partial_cmp(&b),
            _ => Some(a.cmp(b)),
        },
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Timestamp(a), Value::Timestamp(b))
        | (Value::DateTime(a), Value::DateTime(b))
        | (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        _ => number(one)?.partial_cmp(&number(other)?),
    }
}

/// Null, false, or text of nothing but white space. Rails: `blank?`.
pub(super) fn is_blank(value: &Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.trim().is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::Bool(value) => !value,
        _ => false,
    }
}

fn is_accepted(value: &Value<'_>) -> bool {
    match value {
        Value::Null | Value::Bool(true) | Value::Int(1) => true,
        Value::Text(text) => matches!(&**text, "1" | "true"),
        _ => false,
    }
}
