//! Giving a record values from outside, through a list of what is permitted.
//!
//! All is worked out before anything is done: what is permitted, what each value is as its column's, which members are
//! meant. So what is refused leaves the record as it was. What comes after that is the database's, where members are
//! replaced at once, and that of `before_add`: those see the values that stood before them. Nesting is a stack of what is
//! left to look at, not recursion.
//!
//! Invariant: a value that the list does not name is never set, at any depth.

use std::borrow::Borrow;
use std::collections::HashSet;

#[cfg(feature = "password")]
use zeroize::Zeroizing;

use super::nested::{self, Members};
use super::save::save;
use crate::association::Association;
use crate::attribute::Value;
use crate::db::Db;
use crate::deprecation;
use crate::error::{Error, ErrorKind, Result};
use crate::params::{DEEPEST, Given, Param, Params, Permit, Permitted};
use crate::pending::Pending;
use crate::record::Record;
use crate::reflection::ModelReflection;
use crate::validation::Rule;

impl Record {
    /// Sets what was given and is permitted, in memory. A value is read as a form's where it is a text: `"12"` is a number
    /// to a number's column, and nothing at all is null to every column but a text's. What is not permitted is left out.
    /// Values for members (`comments_attributes`) go to associations that accept them; all of it is saved with the
    /// record. Members that are named by `id` and not in memory are read with one SELECT an association; keys of a
    /// collection (`tag_ids`) replace its members, which a saved record does at once. Rails: `assign_attributes` with
    /// `params.permit`.
    ///
    /// Errors: `RecordInvalid` for values that their columns cannot hold, each among the record's `errors`;
    /// `RecordNotFound` for an `id` that is no member's; `TooManyRecords`; `UnknownAttribute` for a name on the list that
    /// the model does not have; `ReadonlyAttribute` for one that a saved record keeps; `Argument` for what has another shape, and for what nests deeper than 32 levels: nothing was
    /// set then. What replacing members at once says, and an error of a `before_add`: what stands before them is set.
    #[track_caller]
    pub fn assign(&self, given: impl Into<Param>, permit: impl Borrow<Permit>) -> Pending<()> {
        let (record, given, permit) = (self.clone(), given.into(), permit.borrow().clone());
        Pending::new(async move { assign(&record, map(given)?, &permit).await })
    }

    /// Sets what was given and is permitted, as [`assign`](Self::assign), and saves the record, in one transaction where
    /// members are among it. Rails: `update!` with `params.permit`.
    ///
    /// SQL: as [`assign`](Self::assign), then what [`save`](Self::save) sends.
    ///
    /// Errors: as [`assign`](Self::assign); what saving says.
    #[track_caller]
    pub fn update_from(&self, given: impl Into<Param>, permit: impl Borrow<Permit>) -> Pending<()> {
        let (record, given, permit) = (self.clone(), given.into(), permit.borrow().clone());
        Pending::new(async move { update_from(&record, map(given)?, &permit).await })
    }
}

impl Association {
    /// Gives the members or the target values, as [`Record::assign`] does under the association's name.
    /// Rails: `comments_attributes=`.
    ///
    /// SQL: as [`Record::assign`].
    ///
    /// Errors: as [`Record::assign`]; `Argument` for an association that accepts none.
    #[track_caller]
    pub fn assign_attributes(
        &self,
        given: impl Into<Param>,
        permit: impl Borrow<Permit>,
    ) -> Pending<()> {
        let (association, given, permit) = (self.clone(), given.into(), permit.borrow().clone());
        Pending::new(async move {
            let owner = association.owner().clone();
            let mut plan = Plan::new(&owner);
            let members = Members::of(&association, given, &permit, "", 1).await?;
            plan.work_out(Job::Members(members)).await?;
            plan.carry_out().await
        })
    }
}

fn map(given: Param) -> Result<Params> {
    match given {
        Param::Map(map) => Ok(map),
        other => {
            let message = format!(
                "When assigning attributes, you must pass a hash as an argument, {} passed.",
                other.class()
            );
            Err(Error::new(ErrorKind::Argument, message))
        }
    }
}

async fn assign(record: &Record, given: Params, permit: &Permit) -> Result<()> {
    let mut plan = Plan::new(record);
    let values = Values::of(record, given, permit, String::new(), 0)?;
    plan.work_out(Job::Values(values)).await?;
    plan.carry_out().await
}

/// Whether values may be a member's: then all of it is one transaction.
fn reaches_members(given: &Params) -> bool {
    let reaches = |name: &str| name.ends_with("_attributes") || name.ends_with("_ids");
    given.names().any(reaches)
}

async fn update_from(record: &Record, given: Params, permit: &Permit) -> Result<()> {
    if !reaches_members(&given) {
        assign(record, given, permit).await?;
        return save(record).await;
    }
    let db = record.db().clone();
    db.transaction(async || {
        assign(record, given.clone(), permit).await?;
        save(record).await
    })
    .await
}

/// A new record with these values, saved: of the class that they name, where the list has that.
#[track_caller]
pub(crate) fn create_from(
    model: &'static ModelReflection,
    db: &Db,
    given: Param,
    permit: &Permit,
) -> Pending<Record> {
    let (permit, db) = (permit.clone(), db.clone());
    Pending::new(async move {
        let given = map(given)?;
        let record = Record::begun(class_of(model, &given, &permit)?, &db);
        let created = async |given| {
            let assigned = assign(&record, given, &permit).await;
            // Also of one whose values were refused: it is shown to whoever gave them.
            if assigned.as_ref().err().is_none_or(Error::is_record_invalid) {
                let _ = record.clone().initialized();
            }
            assigned?;
            save(&record).await
        };
        if reaches_members(&given) {
            db.transaction(async || created(given.clone()).await)
                .await?;
        } else {
            created(given).await?;
        }
        Ok(record)
    })
}

/// Which class a new record of a model is, by what is given and permitted for the column that says so.
/// Rails: `subclass_from_attributes`.
pub(super) fn class_of(
    model: &'static ModelReflection,
    given: &Params,
    permit: &Permit,
) -> Result<&'static ModelReflection> {
    let column = model.is_inherited().then(|| model.type_column()).flatten();
    let column = column.and_then(|column| model.columns().get(column));
    let Some((name, param)) = column.and_then(|column| {
        let name = column.name();
        given.get(name).map(|param| (name, param))
    }) else {
        return Ok(model);
    };
    match param {
        Param::Value(Value::Text(class))
            if !class.is_empty()
                && matches!(permit.of_attribute(name, param), Permitted::Attribute) =>
        {
            model.subclass(class)
        }
        _ => Ok(model),
    }
}

/// What is left to look at.
pub(super) enum Job<'p> {
    Values(Values<'p>),
    Members(Members<'p>),
    /// Done when what stands above it is.
    Then(Step),
}

/// One thing to do once all is known to be good.
pub(super) enum Step {
    Set(Record, String, Value<'static>),
    Confirm(Record, String, Value<'static>),
    #[cfg(feature = "json")]
    Store(crate::record::StoredAttribute, serde_json::Value),
    #[cfg(feature = "password")]
    Secret(Record, &'static str, Option<Zeroizing<String>>),
    #[cfg(feature = "password")]
    Challenge(Record, &'static str, Option<Zeroizing<String>>),
    /// A new member has all its values.
    Initialize(Record),
    /// A new member comes.
    Add(Association, Record),
    /// A new target comes.
    Put(Association, Record),
    /// A member that memory did not hold is a member of it.
    Join(Association, Record),
    Mark(Record),
    /// The members are these, whose keys were given.
    Members(Association, Vec<Record>),
    /// In which order members were given.
    Order(Association, Vec<Option<Record>>),
}

/// The values of one record.
pub(super) struct Values<'p> {
    record: Record,
    left: Given,
    permit: &'p Permit,
    /// What the record is called among the errors: `posts.`
    path: String,
    depth: usize,
}

/// What assigning comes to.
pub(super) struct Plan {
    root: Record,
    steps: Vec<Step>,
    /// Values that their columns cannot hold: the attribute, and what is wrong.
    refused: Vec<(String, String)>,
}

impl<'p> Values<'p> {
    pub(super) fn of(
        record: &Record,
        given: Params,
        permit: &'p Permit,
        path: String,
        depth: usize,
    ) -> Result<Self> {
        if depth > DEEPEST {
            let message = "the values nest deeper than 32 levels".to_owned();
            return Err(Error::new(ErrorKind::Argument, message).with_record(record.clone()));
        }
        check_list(record.reflection(), permit, depth > 0)?;
        Ok(Self {
            record: record.clone(),
            left: given.into_given(),
            permit,
            path,
            depth,
        })
    }
}

/// Refuses a list that names what the model does not have: nothing would ever be assigned to it.
fn check_list(model: &'static ModelReflection, permit: &Permit, member: bool) -> Result<()> {
    for (name, nested) in permit.listed() {
        if nested {
            let position = model.association(name)?;
            let accepts = model.reflections().get(position);
            if accepts.is_none_or(|one| one.nested.is_none()) {
                return Err(nested::accepts_none(model, name));
            }
        } else if !(member && matches!(name, "id" | "_destroy"))
            && Meaning::of(model, name).is_none()
        {
            model.attribute(name)?;
        }
    }
    Ok(())
}

/// What a name that was given stands for.
enum Meaning {
    Column,
    Confirmation(&'static str),
    /// A password, which is taken and never given.
    #[cfg(feature = "password")]
    Secret(&'static str),
    /// What is given as the password that the record has.
    #[cfg(feature = "password")]
    Challenge(&'static str),
    /// A value inside a document.
    #[cfg(feature = "json")]
    Stored,
    Keys(usize),
    Members(usize),
}

impl Meaning {
    fn of(model: &'static ModelReflection, name: &str) -> Option<Self> {
        if model.column_position(name).is_some() {
            return Some(Self::Column);
        }
        let position = |found: &dyn Fn(&crate::reflection::AssociationReflection) -> bool| {
            model.reflections().iter().position(found)
        };
        if let Some(association) = name.strip_suffix("_attributes") {
            return position(&|one| one.name == association && one.nested.is_some())
                .map(Self::Members);
        }
        if let Some(singular) = name.strip_suffix("_ids") {
            return position(&|one| {
                one.is_collection() && relata_inflect::singularize(one.name) == singular
            })
            .map(Self::Keys);
        }
        #[cfg(feature = "password")]
        if let Some(password) = password(model, name) {
            return Some(Self::Secret(password));
        }
        #[cfg(feature = "password")]
        if let Some(of) = name.strip_suffix("_challenge")
            && let Some(password) = password(model, of)
        {
            return Some(Self::Challenge(password));
        }
        #[cfg(feature = "json")]
        if model.store_accessors().any(|(_, one)| one.name() == name) {
            return Some(Self::Stored);
        }
        let attribute = name.strip_suffix("_confirmation")?;
        #[cfg(feature = "password")]
        if let Some(password) = password(model, attribute) {
            return Some(Self::Confirmation(password));
        }
        let mut rules = model.validations();
        rules
            .find(|one| one.attribute == attribute && matches!(one.rule, Rule::Confirmation { .. }))
            .map(|one| Self::Confirmation(one.attribute))
    }
}

/// Tells that members are given to an association, where it is not to be used any more.
fn tell_used(association: &Association, name: &str) -> Result<()> {
    match deprecation::is_any() {
        true => association.tell_used(&format!("{name}=")),
        false => Ok(()),
    }
}

/// The password of a model that has this name.
#[cfg(feature = "password")]
fn password(model: &ModelReflection, name: &str) -> Option<&'static str> {
    let mut all = model.secure_passwords().iter();
    all.find(|(_, one)| one.name == name)
        .map(|(_, one)| one.name)
}

impl Plan {
    fn new(root: &Record) -> Self {
        Self {
            root: root.clone(),
            steps: Vec::new(),
            refused: Vec::new(),
        }
    }

    async fn work_out(&mut self, first: Job<'_>) -> Result<()> {
        let mut stack = vec![first];
        while let Some(job) = stack.pop() {
            match job {
                Job::Then(step) => self.steps.push(step),
                Job::Members(members) => members.next(&mut stack)?,
                Job::Values(values) => self.look(values, &mut stack).await?,
            }
        }
        Ok(())
    }

    /// Looks at the values of a record, up to the next that are a member's.
    async fn look<'p>(&mut self, mut values: Values<'p>, stack: &mut Vec<Job<'p>>) -> Result<()> {
        let model = values.record.reflection();
        while let Some((name, given)) = values.left.next() {
            let meaning = Meaning::of(model, &name);
            if let Some(Meaning::Members(position)) = meaning {
                let association = Association::at(&values.record, position)?;
                let members = association.reflection().name();
                let Permitted::Nested(permit) = values.permit.of_members(members) else {
                    values.permit.leave_out(&name)?;
                    given.wiped();
                    continue;
                };
                tell_used(&association, &name)?;
                let depth = values.depth + 1;
                let members = Members::of(&association, given, permit, &values.path, depth).await?;
                stack.push(Job::Values(values));
                stack.push(Job::Members(members));
                return Ok(());
            }
            if !matches!(
                values.permit.of_attribute(&name, &given),
                Permitted::Attribute
            ) {
                values.permit.leave_out(&name)?;
                given.wiped();
                continue;
            }
            match meaning {
                Some(Meaning::Confirmation(attribute)) => {
                    let value = given.into_value().unwrap_or(Value::Null);
                    self.steps.push(Step::Confirm(
                        values.record.clone(),
                        attribute.to_owned(),
                        value,
                    ));
                }
                #[cfg(feature = "password")]
                Some(meaning @ (Meaning::Secret(of) | Meaning::Challenge(of))) => {
                    let text = match given.into_value() {
                        Some(Value::Text(text)) => Some(Zeroizing::new(text.into_owned())),
                        Some(Value::Null) => None,
                        _ => {
                            let name = format!("{}{name}", values.path);
                            self.refused.push((name, "is not a text".to_owned()));
                            continue;
                        }
                    };
                    let record = values.record.clone();
                    self.steps.push(match meaning {
                        Meaning::Challenge(_) => Step::Challenge(record, of, text),
                        _ => Step::Secret(record, of, text),
                    });
                }
                #[cfg(feature = "json")]
                Some(Meaning::Stored) => self.store(&values, &name, given)?,
                Some(Meaning::Keys(position)) => {
                    let association = Association::at(&values.record, position)?;
                    tell_used(&association, &name)?;
                    let keys = keys(&association, given)?;
                    let members = super::replace::found(&association, keys).await?;
                    self.steps.push(Step::Members(association, members));
                }
                _ => self.set(&values, &name, given)?,
            }
        }
        Ok(())
    }

    /// Reads a value as its accessor's type, to be set in its document.
    #[cfg(feature = "json")]
    fn store(&mut self, values: &Values<'_>, name: &str, given: Param) -> Result<()> {
        let attribute = values.record.store_accessor(name)?;
        values.record.may_set(attribute.position())?;
        match attribute.given(given.into()) {
            Ok(value) => self.steps.push(Step::Store(attribute, value)),
            Err(problem) => {
                let problem = match attribute.is_secret() {
                    true => "is not one of its type".to_owned(),
                    false => problem,
                };
                let name = format!("{}{name}", values.path);
                self.refused.push((name, problem));
            }
        }
        Ok(())
    }

    /// Casts a value to its column's type, to be set.
    fn set(&mut self, values: &Values<'_>, name: &str, given: Param) -> Result<()> {
        let model = values.record.reflection();
        let position = model
            .attribute(name)
            .map_err(|error| error.with_record(values.record.clone()))?;
        values.record.may_set(position)?;
        let Some(column) = model.columns().get(position) else {
            return Ok(());
        };
        let given = given.into_value();
        let label = match model.validates_labels(position) {
            true => given.clone(),
            false => None,
        };
        let cast = match given {
            Some(value) => column.attribute_type().cast_given(value),
            None => Err("is a list or a map, which its type is not".to_owned()),
        };
        match cast {
            // Its validation tells of it.
            Err(_) if let Some(value) = label => {
                let step = Step::Set(values.record.clone(), name.to_owned(), value);
                self.steps.push(step);
            }
            Ok(value) => {
                let step = Step::Set(values.record.clone(), name.to_owned(), value);
                self.steps.push(step);
            }
            Err(_) if column.is_secret() => {
                let problem = "is not one of its type".to_owned();
                self.refused
                    .push((format!("{}{name}", values.path), problem));
            }
            Err(problem) => self
                .refused
                .push((format!("{}{name}", values.path), problem)),
        }
        Ok(())
    }

    async fn carry_out(self) -> Result<()> {
        if !self.refused.is_empty() {
            let errors = self.root.errors();
            errors.clear();
            let mut told = HashSet::new();
            for refused in self.refused {
                if told.insert(refused.clone()) {
                    let (attribute, problem) = refused;
                    let message = format!("cannot be set: the value {problem}");
                    errors.push_new(attribute, "invalid", &message);
                }
            }
            return Err(self.root.invalid());
        }
        for step in self.steps {
            match step {
                Step::Set(record, name, value) => {
                    record.set(&name, value)?;
                }
                Step::Confirm(record, attribute, value) => {
                    record.set_confirmation(&attribute, value);
                }
                #[cfg(feature = "json")]
                Step::Store(attribute, value) => attribute.set(value)?,
                Step::Initialize(record) => _ = record.initialized(),
                Step::Add(association, member) => {
                    association.add(&member)?;
                }
                Step::Put(association, target) => association.put(Some(&target))?,
                Step::Join(association, member) => {
                    association.own(&member);
                    association.remember(&member);
                }
                #[cfg(feature = "password")]
                Step::Secret(record, password, text) => {
                    record.set_secret(password, text.as_ref().map(|text| text.as_str()))?;
                }
                #[cfg(feature = "password")]
                Step::Challenge(record, password, text) => {
                    record.set_challenge(password, text.as_ref().map(|text| text.as_str()))?;
                }
                Step::Mark(record) => record.mark_for_destruction(),
                Step::Members(association, members) => association.replace_many(members).await?,
                Step::Order(association, members) => nested::keep_order(&association, &members),
            }
        }
        Ok(())
    }
}

/// The keys that a list gives for the members of a collection; what is blank is none, as a form sends it.
fn keys(association: &Association, given: Param) -> Result<Vec<Vec<Value<'static>>>> {
    let Param::List(list) = given else {
        let message = format!(
            "Array expected for the keys of {association:?}, got {}",
            given.class()
        );
        return Err(association.error(ErrorKind::Argument, message));
    };
    let named = list.into_iter().filter(|one| !one.is_blank());
    named
        .map(|one| {
            let shown = nested::shown(&one);
            nested::key(association, one).ok_or_else(|| nested::not_found(association, &shown))
        })
        .collect()
}
