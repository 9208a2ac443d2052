//! Validating a record: what must be there, its members, its rules, in the order of declaration.
//!
//! Invariant: a required `belongs_to` is looked up only when its key is null or was changed, so that saving a loaded
//! record costs no query for it.

use std::collections::HashSet;

use super::frame::{Frame, Places, Task};
use super::pipeline::{self, Pipeline, Verb};
use super::rules;
use super::save::SaveOptions;
use crate::association::{self, Association};
use crate::callback::Body;
use crate::error::{ErrorKind, Result};
use crate::hashing::Hashing;
use crate::loading;
use crate::pending::Pending;
use crate::record::{Linked, Record};
use crate::reflection::{IndexErrors, Looked};
use crate::validation::Rule;

impl Record {
    /// Runs the validations, and their callbacks. A required association whose key was set may be looked up with one
    /// query, and `uniqueness` asks one. Rails: `valid?`.
    ///
    /// SQL: `SELECT 1 AS one FROM "posts" WHERE "posts"."slug" = ? LIMIT 1` for `uniqueness`; `SELECT` of a
    /// required target that is not in memory.
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn is_valid(&self) -> Pending<bool> {
        let record = self.clone();
        Pending::new(async move { is_valid(&record, SaveOptions::default()).await })
    }

    /// Runs the validations of a context of your own, those without `on` among them; members in memory are validated
    /// in it too. Rails: `valid?(:publish)`.
    ///
    /// SQL: as [`is_valid`](Self::is_valid).
    ///
    /// Errors: [those of reading](crate::Pending#errors).
    #[track_caller]
    pub fn is_valid_in(&self, context: &str) -> Pending<bool> {
        let (record, options) = (self.clone(), SaveOptions::new().context(context));
        Pending::new(async move { is_valid(&record, options).await })
    }
}

impl Record {
    /// Whether saving would write this record or, over associations with `autosave`, one that is in memory: new, changed
    /// or marked for destruction. Never touches the database. Rails: `changed_for_autosave?`.
    #[must_use]
    pub fn is_changed_for_autosave(&self) -> bool {
        let mut seen: HashSet<(usize, u32), Hashing> = HashSet::default();
        let mut left = vec![self.clone()];
        while let Some(record) = left.pop() {
            if record.is_new_record() || record.is_marked_for_destruction() || record.is_changed() {
                return true;
            }
            #[cfg(feature = "password")]
            if super::password::is_pending(&record) {
                return true;
            }
            if !seen.insert(record.identity()) {
                continue;
            }
            for association in association::known(&record).flatten() {
                if association.reflection().autosave == Some(true) {
                    left.extend(association.peek_target());
                }
            }
        }
        false
    }
}

/// Whether the record is valid, by itself and with the members that are looked at with it.
pub(super) async fn is_valid(record: &Record, options: SaveOptions) -> Result<bool> {
    let task = Task::new(Verb::Validate, record, options);
    match pipeline::run(task).await.map(drop) {
        Ok(()) => Ok(!record.has_errors()),
        Err(error) if error.kind() == ErrorKind::Abort => Ok(false),
        Err(error) => Err(error),
    }
}

/// Looks at one thing after the other, up to the next member that must be validated first.
pub(super) async fn look(
    pipeline: &mut Pipeline,
    frame: &mut Frame,
    mut outcome: Option<Result<()>>,
) -> Result<Option<Task>> {
    let record = frame.record().clone();
    let model = record.reflection();
    while let Some(&looked) = model.hooks().looked().get(frame.hook) {
        match looked {
            Looked::Required(position) => required(&Association::at(&record, position)?).await?,
            Looked::Members(position) if !Association::is_known(&record, position) => {}
            Looked::Members(position) => {
                let association = Association::at(&record, position)?;
                let next = members(pipeline, frame, &association, outcome.take(), false)?;
                if next.is_some() {
                    return Ok(next);
                }
            }
            Looked::Rule(position) => {
                if let Some(rule) = model.validation(position)
                    && (frame.todo.is_some() || rule.applies(&record, frame.context()))
                {
                    match rule.rule {
                        Rule::Associated => {
                            let association = Association::of(&record, rule.attribute)?;
                            let next =
                                members(pipeline, frame, &association, outcome.take(), true)?;
                            if next.is_some() {
                                return Ok(next);
                            }
                        }
                        Rule::Custom(Body::Now(_) | Body::Later(_))
                        | Rule::Check(_)
                        | Rule::Uniqueness(_) => {
                            frame.asks_again = true;
                            rules::look(&record, rule).await?;
                        }
                        _ => rules::look(&record, rule).await?,
                    }
                }
            }
        }
        frame.hook += 1;
    }
    frame.hook = 0;
    Ok(None)
}

/// Whether validating the record looks at nothing but itself, and calls nothing of the user's.
pub(super) fn is_alone(record: &Record) -> bool {
    let model = record.reflection();
    model.hooks().looked().iter().all(|&looked| match looked {
        Looked::Required(_) => true,
        Looked::Members(position) => !Association::is_known(record, position),
        Looked::Rule(position) => !model.validation(position).is_some_and(|rule| {
            matches!(
                rule.rule,
                Rule::Associated | Rule::Custom(_) | Rule::Check(_)
            )
        }),
    })
}

/// Looks at a record of which [`is_alone`] holds.
pub(super) async fn look_alone(record: &Record, options: &SaveOptions) -> Result<()> {
    let model = record.reflection();
    let doing = if record.is_new_record() {
        "create"
    } else {
        "update"
    };
    let context = options.context.as_deref().unwrap_or(doing);
    for &looked in model.hooks().looked() {
        match looked {
            // Apart, so that what asks nothing carries no place for it.
            Looked::Required(position) => {
                Box::pin(required(&Association::at(record, position)?)).await?;
            }
            Looked::Members(_) => {}
            Looked::Rule(position) => {
                if let Some(rule) = model.validation(position)
                    && rule.applies(record, context)
                {
                    Box::pin(rules::look(record, rule)).await?;
                }
            }
        }
    }
    Ok(())
}

/// Validates the members in memory that are to be looked at, each in a frame of its own, and takes over what is wrong.
fn members(
    pipeline: &mut Pipeline,
    frame: &mut Frame,
    association: &Association,
    outcome: Option<Result<()>>,
    all: bool,
) -> Result<Option<Task>> {
    let autosave = association.reflection().autosave == Some(true);
    let mut todo = match frame.todo.take() {
        None => {
            frame.places = None;
            members_to_look_at(frame, association, all)
        }
        Some(mut todo) => {
            if let (Some(member), Some(outcome)) = (todo.pop(), outcome) {
                let halted = match outcome {
                    Err(error) if error.kind() == ErrorKind::Abort => true,
                    outcome => {
                        outcome?;
                        false
                    }
                };
                judge(frame, association, &member, halted, all);
            }
            todo
        }
    };
    while let Some(member) = todo.last() {
        let gone = member.is_destroyed() || (autosave && member.is_marked_for_destruction());
        if gone || pipeline.is_active(member, Verb::Validate, frame) {
            todo.pop();
            continue;
        }
        let saving = pipeline.is_active(member, Verb::Save, frame);
        if let Some(valid) = pipeline.known.of(member, saving) {
            if !valid {
                judge(frame, association, &member.clone(), false, all);
            }
            todo.pop();
            continue;
        }
        let task = Task::new(Verb::Validate, member, frame.options());
        frame.todo = Some(todo);
        return Ok(Some(task));
    }
    Ok(None)
}

fn members_to_look_at(frame: &Frame, association: &Association, all: bool) -> Vec<Record> {
    let reflection = association.reflection();
    let autosave = reflection.autosave == Some(true);
    let all = all || frame.has_own_context();
    let mut members = association.peek_target();
    members.retain(|member| match reflection.is_collection() {
        true if all || frame.record().is_new_record() => true,
        true if autosave => member.is_changed_for_autosave(),
        true => member.is_new_record(),
        false => all || member.is_changed_for_autosave(),
    });
    members.reverse();
    members
}

/// What a member's problems are to its owner: its own with `autosave`, else that it is invalid.
fn judge(frame: &mut Frame, association: &Association, member: &Record, halted: bool, all: bool) {
    if !halted && !member.has_errors() {
        return;
    }
    let (owner, reflection) = (association.owner(), association.reflection());
    let mut errors = member.errors().to_vec();
    if !halted && !all && !frame.has_own_context() && !member.is_changed_for_autosave() {
        // A row that was bad before may be referred to; what changed below it may not.
        errors.retain(|problem| problem.attribute.contains('.'));
        if errors.is_empty() {
            return;
        }
    }
    if reflection.autosave != Some(true) || all {
        let name = reflection.name().to_owned();
        owner.errors().push(name, "invalid", Vec::new(), None);
        return;
    }
    let place = reflection.index_errors.and_then(|by| {
        let places = || Box::new(places(association, by));
        let places = frame.places.get_or_insert_with(places);
        places.get(&member.identity())
    });
    let prefix = match place {
        Some(place) => format!("{}[{place}]", reflection.name()),
        None => reflection.name().to_owned(),
    };
    owner.errors().take_nested(&prefix, errors, place.is_some());
}

/// Where each member stands, among all or in what was assigned last: the first place of one that stands there twice.
fn places(association: &Association, by: IndexErrors) -> Places {
    let order = match by {
        IndexErrors::Members => {
            let members = association.peek_target();
            members.iter().map(|one| Some(one.identity())).collect()
        }
        IndexErrors::Assigned => super::nested::order(association),
    };
    let mut places = Places::default();
    for (place, member) in order.into_iter().enumerate() {
        if let Some(member) = member {
            places.entry(member).or_insert(place);
        }
    }
    places
}

async fn required(association: &Association) -> Result<()> {
    if is_present(association).await? {
        return Ok(());
    }
    // Its kind is that of presence; only the words are others.
    let (owner, name) = (association.owner(), association.reflection().name());
    let texts = owner.db().messages();
    let message = texts.problem(owner.reflection().name(), name, "required", &[]);
    let errors = owner.errors();
    errors.push(name.to_owned(), "blank", Vec::new(), Some(&message));
    Ok(())
}

/// Whether a required association has its target, as far as that has to be looked at.
async fn is_present(association: &Association) -> Result<bool> {
    if !association.is_belongs_to() {
        return loading::has_any(association).await;
    }
    if let Linked::Known(target) = association.peek_one() {
        return Ok(target.is_some_and(|target| !target.is_marked_for_destruction()));
    }
    if !association.has_key() {
        return Ok(false);
    }
    let owner = association.owner();
    let key = &association.resolved().owner_columns;
    if owner.is_persisted() && !key.iter().any(|&column| owner.column_changed(column)) {
        return Ok(true);
    }
    has_target(association).await
}

/// Whether there is one that stays. A validation may look where strict loading refuses.
async fn has_target(association: &Association) -> Result<bool> {
    let marked = |target: Record| target.is_marked_for_destruction();
    Ok(loading::has_any(association).await? && !association.peek_target().into_iter().any(marked))
}
