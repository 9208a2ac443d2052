//! Values for the members of an association: which member they are for, and what becomes of it.
//!
//! Invariant: values change a member of this very owner, or make a new one; an `id` of anybody else's is an error.

use std::collections::{HashMap, HashSet};
use std::iter::Enumerate;
use std::vec;

use super::assign::{Job, Step, Values, class_of};
use super::errors::{Assigned, Keeping};
use crate::association::{Association, Key};
use crate::attribute::{Value, start_of};
use crate::callback::{MemberLimit, RejectIf};
use crate::error::{Error, ErrorKind, Result};
use crate::loading;
use crate::params::{Param, Params, Permit};
use crate::record::Record;
use crate::reflection::{IndexErrors, ModelReflection, NestedAttributes};

/// Values for members that are left to look at.
pub(super) struct Members<'p> {
    association: Association,
    nested: NestedAttributes,
    left: Enumerate<vec::IntoIter<Param>>,
    /// The members that the values may be for.
    known: Box<Known>,
    permit: &'p Permit,
    path: String,
    depth: usize,
    /// The members so far, each at the place of its values.
    order: Vec<Option<Record>>,
}

impl<'p> Members<'p> {
    /// The values for the members of an association, as whatever shape they were given in.
    pub(super) async fn of(
        association: &Association,
        given: Param,
        permit: &'p Permit,
        path: &str,
        depth: usize,
    ) -> Result<Self> {
        let reflection = association.reflection();
        let Some(nested) = reflection.nested else {
            let model = association.owner().reflection();
            return Err(accepts_none(model, reflection.name()));
        };
        let left = if reflection.is_collection() {
            elements(association, nested, given)?
        } else if matches!(given, Param::Map(_)) {
            vec![given]
        } else {
            return Err(unshapely(association, "Hash", &given));
        };
        let known = if reflection.is_collection() {
            members_meant(association, &left, permit).await?
        } else {
            Known::of(loading::load_one(association).await?.into_iter().collect())
        };
        Ok(Self {
            association: association.clone(),
            nested,
            left: left.into_iter().enumerate(),
            known: Box::new(known),
            permit,
            path: path.to_owned(),
            depth,
            order: Vec::new(),
        })
    }

    /// Finds whom the next values are for.
    pub(super) fn next(mut self, stack: &mut Vec<Job<'p>>) -> Result<()> {
        let Some((at, given)) = self.left.next() else {
            if self.association.reflection().index_errors == Some(IndexErrors::Assigned) {
                stack.push(Job::Then(Step::Order(self.association, self.order)));
            }
            return Ok(());
        };
        let Param::Map(mut given) = given else {
            return Err(unshapely(&self.association, "Hash", &given));
        };
        // The key and the mark are never attributes of a member, whatever its columns are called.
        let seen = self.permit.seen(&given);
        let id = self.take(&mut given, "id")?.filter(|id| !id.is_blank());
        let destroys = self
            .take(&mut given, "_destroy")?
            .is_some_and(|mark| mark.is_true())
            && self.nested.allow_destroy;
        let whom = self.whom(id.as_ref())?;
        let passes = match (&whom, destroys) {
            (Whom::New, true) => false,
            (_, true) => true,
            _ => !self.rejects(&seen),
        };
        if !passes {
            self.order.push(None);
            stack.push(Job::Members(self));
            return Ok(());
        }
        let mut then = Vec::new();
        let association = self.association.clone();
        let record = match whom {
            Whom::Known(record) => record,
            Whom::Found(at) => {
                let record = self.known.records[at].clone();
                // It may be named twice.
                if self.known.joins(at) {
                    then.push(Step::Join(association, record.clone()));
                }
                record
            }
            Whom::New => {
                let class = class_of(association.resolved().target, &given, self.permit)?;
                let record = association.blank_target_of(class)?;
                // Who is told of it finds the values there, as where it is built.
                then.push(Step::Initialize(record.clone()));
                then.push(if association.reflection().is_collection() {
                    Step::Add(association, record.clone())
                } else {
                    Step::Put(association, record.clone())
                });
                record
            }
        };
        if destroys {
            then.push(Step::Mark(record.clone()));
        }
        self.order.push(Some(record.clone()));
        let path = self.path_of(at);
        let values = Values::of(&record, given, self.permit, path, self.depth)?;
        stack.push(Job::Members(self));
        stack.extend(then.into_iter().rev().map(Job::Then));
        stack.push(Job::Values(values));
        Ok(())
    }

    /// Takes the key or the mark out of the values; nothing where it is not permitted.
    fn take(&self, given: &mut Params, name: &str) -> Result<Option<Param>> {
        let Some(param) = given.take(name) else {
            return Ok(None);
        };
        if self.permit.heeds(name) {
            return Ok(Some(param));
        }
        self.permit.leave_out(name)?;
        Ok(None)
    }

    fn whom(&self, id: Option<&Param>) -> Result<Whom> {
        let association = &self.association;
        let there = self.known.records.first();
        let collection = association.reflection().is_collection();
        if self.nested.update_only
            && !collection
            && let Some(there) = there
        {
            return Ok(Whom::Known(there.clone()));
        }
        if let Some(id) = id {
            let key = key(association, id.clone());
            let key = key.and_then(|key| Key::of_values(&key));
            return match key.and_then(|key| self.known.by_key.get(&key)) {
                Some(&at) => Ok(Whom::Found(at)),
                None => Err(not_found(association, &shown(id))),
            };
        }
        Ok(
            match there.filter(|there| !collection && there.is_new_record()) {
                Some(there) => Whom::Known(there.clone()),
                None => Whom::New,
            },
        )
    }

    fn rejects(&self, seen: &Params) -> bool {
        match self.nested.reject_if {
            None => false,
            Some(RejectIf::AllBlank) => seen
                .iter()
                .all(|(name, param)| name == "_destroy" || param.is_blank()),
            Some(RejectIf::When(holds)) => holds(self.association.owner(), seen),
        }
    }

    fn path_of(&self, at: usize) -> String {
        let reflection = self.association.reflection();
        match reflection.index_errors {
            Some(_) if reflection.is_collection() => {
                format!("{}{}[{at}].", self.path, reflection.name())
            }
            _ => format!("{}{}.", self.path, reflection.name()),
        }
    }
}

/// Whom values are for.
enum Whom {
    Known(Record),
    /// The one that was named.
    Found(usize),
    New,
}

/// Members that values may be for.
struct Known {
    records: Vec<Record>,
    /// Those with a row, by its key. What hashes it is not ours, for keys come from outside.
    by_key: HashMap<Key, usize>,
    /// Below it, memory holds them as members.
    held: usize,
    /// Of the others, those that are to be members in memory.
    joining: HashSet<usize>,
}

impl Known {
    /// Members that memory holds.
    fn of(records: Vec<Record>) -> Self {
        let mut known = Self {
            held: records.len(),
            records: Vec::new(),
            by_key: HashMap::new(),
            joining: HashSet::new(),
        };
        known.extend(records);
        known
    }

    fn extend(&mut self, records: Vec<Record>) {
        for record in records {
            if !record.is_new_record()
                && let Some(key) = Key::of_values(&key_of(&record))
            {
                self.by_key.entry(key).or_insert(self.records.len());
            }
            self.records.push(record);
        }
    }

    /// Whether memory does not hold that one, and was not told to yet.
    fn joins(&mut self, at: usize) -> bool {
        at >= self.held && self.joining.insert(at)
    }
}

/// What was given for a collection, one by one: a list, the values of a map of them, or one with an `id`.
fn elements(
    association: &Association,
    nested: NestedAttributes,
    given: Param,
) -> Result<Vec<Param>> {
    let elements = match given {
        Param::Map(map) if map.get("id").is_some() => vec![Param::Map(map)],
        Param::Map(map) => map.into_values().collect(),
        Param::List(list) => list,
        Param::Value(_) => return Err(unshapely(association, "Hash or Array", &given)),
    };
    let limit = nested.limit.map(|limit| match limit {
        MemberLimit::Number(number) => number,
        MemberLimit::Of(of) => of(association.owner()),
    });
    match limit {
        Some(limit) if elements.len() > limit => {
            let count = elements.len();
            let message =
                format!("Maximum {limit} records are allowed. Got {count} records instead.");
            Err(association.error(ErrorKind::TooManyRecords, message))
        }
        _ => Ok(elements),
    }
}

/// The members in memory, and those that are named and not in memory: one SELECT.
async fn members_meant(
    association: &Association,
    elements: &[Param],
    permit: &Permit,
) -> Result<Known> {
    let members = association.peek_many();
    let mut known = Known::of(members.records);
    if members.loaded || !association.can_query() || !permit.heeds("id") {
        return Ok(known);
    }
    let (mut missing, mut named) = (Vec::new(), HashSet::new());
    for element in elements {
        let Param::Map(map) = element else { continue };
        let id = map.get("id").filter(|id| !id.is_blank());
        if let Some(values) = id.and_then(|id| key(association, id.clone()))
            && let Some(key) = Key::of_values(&values)
            && !known.by_key.contains_key(&key)
            && named.insert(key)
        {
            missing.push(values);
        }
    }
    if !missing.is_empty() {
        known.extend(association.relation().with_primary_keys(missing).await?);
    }
    Ok(known)
}

/// A primary key of the association's target, from what was given; none for what cannot be one.
pub(super) fn key(association: &Association, given: Param) -> Option<Vec<Value<'static>>> {
    let target = association.resolved().target;
    let parts = match given {
        Param::List(parts) => parts,
        one => vec![one],
    };
    let columns = target.primary_key();
    if columns.is_empty() || columns.len() != parts.len() {
        return None;
    }
    columns
        .iter()
        .zip(parts)
        .map(|(&column, part)| {
            let ty = target.columns().get(column)?.attribute_type();
            let cast = ty.cast_given(part.value()?.clone()).ok()?;
            Some(cast.into_owned()).filter(|value| !value.is_null())
        })
        .collect()
}

fn key_of(member: &Record) -> Vec<Value<'static>> {
    let key = member.reflection().primary_key().iter();
    key.map(|&column| member.saved_value(column).into_owned())
        .collect()
}

/// An `id` as it is shown.
pub(super) fn shown(id: &Param) -> String {
    match id {
        Param::Value(value) => match value.as_str() {
            Some(text) => match start_of(text) {
                Some(start) => format!("{start}..."),
                None => text.to_owned(),
            },
            None => format!("{value:?}"),
        },
        Param::List(parts) => {
            let parts: Vec<String> = parts.iter().map(shown).collect();
            format!("[{}]", parts.join(", "))
        }
        Param::Map(_) => "{}".to_owned(),
    }
}

pub(super) fn not_found(association: &Association, id: &str) -> Error {
    let owner = association.owner();
    let mine = key_of(owner).into_iter().filter(|value| !value.is_null());
    let mine: Vec<String> = mine.map(|value| shown(&Param::Value(value))).collect();
    let message = format!(
        "Couldn't find {} with ID={id} for {} with ID={}",
        association.resolved().target.name(),
        owner.reflection().name(),
        mine.join("/")
    );
    association.error(ErrorKind::RecordNotFound, message)
}

fn unshapely(association: &Association, wanted: &str, given: &Param) -> Error {
    let message = format!(
        "{wanted} expected for `{}` attributes, got {}",
        association.reflection().name(),
        given.class()
    );
    association.error(ErrorKind::Argument, message)
}

pub(super) fn accepts_none(model: &ModelReflection, association: &str) -> Error {
    let message = format!(
        "{}.{association} takes no values for its members: declare \
         `#[accepts_nested_attributes_for({association})]` on {}",
        model.name(),
        model.name()
    );
    Error::new(ErrorKind::Argument, message)
        .with_model(model.name())
        .with_attribute(association)
}

/// Keeps in which order members were given, for their errors.
pub(super) fn keep_order(association: &Association, members: &[Option<Record>]) {
    if let Some(keeping) = association.owner().keeping() {
        let places = members
            .iter()
            .map(|member| member.as_ref().map(Record::identity));
        keeping.set_order(association.position(), places.collect());
    }
}

/// What was assigned last, in its order.
pub(super) fn order(association: &Association) -> Assigned {
    let keeping = association.owner().existing_extension::<Keeping>();
    keeping.map_or_else(Vec::new, |keeping| keeping.order(association.position()))
}
