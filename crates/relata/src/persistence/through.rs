//! Writing what goes through others: the rows between are made, changed and removed, and never the targets, except that
//! new ones are saved.
//!
//! Invariant: a target is a member as often as rows between lead to it; what makes it one is saved with it, or neither is.

use std::collections::HashMap;

use super::acts::{give_key, is_soft, saved_member};
use super::collection::take_out;
use super::counters;
use super::destroy::destroy;
use super::frame::{Frame, Task};
use super::pipeline::{Pipeline, Verb};
use super::save::save;
use super::set_wise;
use super::unread::unread_if_rolled_back;
use crate::association::{Association, Removal};
use crate::attribute::value::Value;
use crate::db::adapter::Purpose;
use crate::error::Result;
use crate::hashing::Hashing;
use crate::loading;
use crate::record::{Linked, Record};
use crate::relation::Relation;
use crate::sql::Place;
use crate::sql::expr::Node;

/// Saves a record where that is needed, and the row that makes it a member. `between` are the rows in memory before the
/// first of several came.
pub(super) async fn join(
    association: &Association,
    between: &Between,
    member: &Record,
) -> Result<()> {
    association.check_not_nested()?;
    // One that was built with a new member waits for it.
    let waiting = match member.is_new_record() {
        true => between.last_of(association, member),
        false => None,
    };
    if member.is_new_record() || member.is_changed() {
        save(member).await?;
    }
    match waiting {
        Some(join) if join.is_persisted() => Ok(()),
        Some(join) => save(&join).await,
        None => save(&association.build_join(member)?).await,
    }
}

/// How rows between leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaving {
    Removed(Removal),
    /// Each is destroyed, with its callbacks.
    Destroyed,
}

impl Leaving {
    /// As `dependent` of the association says; by default the rows go.
    pub(super) fn of(association: &Association) -> Self {
        use crate::reflection::Dependent::{Destroy, Nullify};
        match association.reflection().dependent {
            Some(Destroy) => Self::Destroyed,
            Some(Nullify) => Self::Removed(Removal::Nullify),
            _ => Self::Removed(Removal::Delete),
        }
    }
}

/// Removes the rows that lead to these members, and says how many there were: all or none, where that takes several
/// statements.
pub(super) async fn part(
    association: &Association,
    members: &[Record],
    leaving: Leaving,
) -> Result<u64> {
    let through = association.changeable()?;
    let counts = through.source().declaration().counter_cache.is_some()
        || association.way()?.counter().is_some();
    if leaving != Leaving::Destroyed && !counts {
        return remove(association, members, leaving).await;
    }
    let db = association.owner().db().clone();
    db.transaction(async || remove(association, members, leaving).await)
        .await
}

async fn remove(association: &Association, members: &[Record], leaving: Leaving) -> Result<u64> {
    let through = association.changeable()?;
    let saved: Vec<Record> = members
        .iter()
        .filter(|member| !member.is_new_record())
        .cloned()
        .collect();
    let mut gone = 0;
    if !saved.is_empty() && association.has_key() && association.owner().is_persisted() {
        let rows = association.rows_of_joins(&saved)?;
        let joins = association.of_joins()?;
        gone = match leaving {
            Leaving::Destroyed if !through.middle().primary_key().is_empty() => {
                destroy_joins(&joins, &rows).await?
            }
            Leaving::Destroyed | Leaving::Removed(Removal::Delete) => {
                // The targets count first, then the owner, as in Rails.
                let gone = take_out(&joins, &rows, Removal::Delete).await?;
                count_out(association, &saved).await?;
                counters::forget(&joins, gone).await?;
                gone
            }
            Leaving::Removed(Removal::Nullify) => {
                let source = through.source();
                let key = source.owner_key.iter();
                let nulls = key.map(|&column| (column, Node::Value(Value::Null)));
                let gone = set_wise::update_all(rows.core(), nulls.collect()).await?;
                count_out(association, &saved).await?;
                gone
            }
        };
    }
    association.forget_joins(members, false)?;
    Ok(gone)
}

async fn destroy_joins(association: &Association, rows: &Relation) -> Result<u64> {
    let mut core = rows.core().clone();
    core.origin = None;
    let joins = loading::load(&core, Purpose::Load).await?;
    for join in &joins {
        // The owner in memory is the one that they are counted out of.
        association.own(join);
        destroy(join).await?;
    }
    Ok(joins.len() as u64)
}

/// The targets that count the rows which lead to them count one less, for the rows that went past their callbacks.
async fn count_out(association: &Association, targets: &[Record]) -> Result<()> {
    let through = association.changeable()?;
    let source = through.source();
    let Some(name) = source.declaration().counter_cache else {
        return Ok(());
    };
    let target = source.target;
    let column = target.attribute(name)?;
    let counter = Node::Column(Place::root(target), column);
    let keys = targets.iter().map(|target| {
        let key = target.saved_key().into_iter();
        key.map(Value::into_owned).collect()
    });
    let rows = Relation::unscoped(target, association.owner().db()).with_rows(keys.collect());
    let less = Node::Plus(Box::new(counter), Value::Int(-1));
    set_wise::update_all(rows.core(), vec![(column, less)])
        .await
        .map(drop)
}

/// Makes a record what a `has_one` of a saved owner leads to through another: the row between is changed, made, or, for
/// none, destroyed.
pub(super) async fn settle(
    association: &Association,
    target: Option<&Record>,
    saves: bool,
) -> Result<()> {
    association.check_not_nested()?;
    let joins = association.way()?;
    let current = loading::load_one(&joins).await?;
    match (current.filter(|join| !join.is_destroyed()), target) {
        (None, None) => {}
        (Some(join), None) => {
            association.changeable()?;
            // It stays in memory, as what it became.
            destroy(&join).await?;
        }
        (Some(join), Some(target)) => {
            association.source_of(&join)?.assign(Some(target))?;
            if join.is_persisted() {
                save(&join).await?;
            }
        }
        (None, Some(target)) => {
            let join = association.build_join(target)?;
            if saves {
                save(&join).await?;
                if joins.is_belongs_to() {
                    joins.assign(Some(&join))?;
                }
            }
        }
    }
    association.link(target);
    Ok(())
}

/// Members are saved, and the rows that make them members: new ones, all of a new owner.
pub(super) async fn save_members(
    pipeline: &mut Pipeline,
    frame: &mut Frame,
    association: &Association,
    outcome: Option<Result<()>>,
) -> Result<Option<Task>> {
    if association.check_not_nested().is_err() {
        return Ok(None);
    }
    if !association.reflection().is_collection() {
        return save_one(pipeline, frame, association, outcome).await;
    }
    let autosave = association.reflection().autosave == Some(true);
    let mut todo = match frame.todo.take() {
        None => {
            frame.between = Between::of(association)?;
            members_to_save(frame, association)
        }
        Some(todo) => todo,
    };
    // What became of the record that was saved, and whether that was a row between.
    let mut ended = outcome.map(|outcome| (outcome, std::mem::take(&mut frame.joining)));
    while let Some(member) = todo.last().cloned() {
        match ended.take() {
            Some((outcome, true)) => {
                outcome?;
                todo.pop();
                continue;
            }
            Some((outcome, false)) => {
                let failed = outcome.is_err();
                saved_member(frame, association, &member, outcome)?;
                if failed {
                    todo.pop();
                    continue;
                }
            }
            None => {
                let dirty = member.is_new_record() || member.is_changed();
                if dirty && !pipeline.is_active(&member, Verb::Save, frame) {
                    let options = frame.options().validate(!autosave);
                    frame.todo = Some(todo);
                    return Ok(Some(Task::new(Verb::Save, &member, options)));
                }
            }
        }
        if let Some(join) = join_to_save(association, &frame.between, &member, &todo)? {
            // A join that does not lead back to the owner takes its key here.
            let joins = association.way()?;
            if joins.inverse().is_none() && !joins.is_belongs_to() && !joins.is_keyed(&join) {
                give_key(&mut pipeline.keys, &joins, &join)?;
            }
            frame.joining = true;
            frame.todo = Some(todo);
            return Ok(Some(Task::new(
                Verb::Save,
                &join,
                frame.options().validate(true),
            )));
        }
        todo.pop();
    }
    Ok(None)
}

/// The rows between in memory, by the object that each leads to, as they were when the first member came: so that many
/// members do not look through all of them, one after the other.
#[derive(Default)]
pub(super) struct Between {
    joins: HashMap<(usize, u32), Vec<Record>, Hashing>,
    /// How often each object is a member.
    times: HashMap<(usize, u32), usize, Hashing>,
}

impl Between {
    /// None where the rows between cannot be changed.
    fn of(association: &Association) -> Result<Self> {
        let mut between = Self::default();
        if association.changeable().is_err() {
            return Ok(between);
        }
        between.note(association, association.of_joins()?.peek_target())?;
        for member in association.peek_many().records {
            *between.times.entry(member.identity()).or_default() += 1;
        }
        Ok(between)
    }

    /// What waits for members that are about to come: rows that are new, for members that are.
    pub(super) fn before(association: &Association, members: &[Record]) -> Result<Self> {
        let mut between = Self::default();
        if members.iter().any(Record::is_new_record) && association.changeable().is_ok() {
            let mut joins = association.of_joins()?.peek_target();
            joins.retain(Record::is_new_record);
            between.note(association, joins)?;
        }
        Ok(between)
    }

    fn note(&mut self, association: &Association, joins: Vec<Record>) -> Result<()> {
        for join in joins {
            if let Linked::Known(Some(target)) = association.source_of(&join)?.peek_one() {
                self.joins.entry(target.identity()).or_default().push(join);
            }
        }
        Ok(())
    }

    /// The last row that leads to a member.
    fn last_of(&self, association: &Association, member: &Record) -> Option<Record> {
        let mut joins = self.joins.get(&member.identity())?.iter().rev();
        let leads = |join: &&Record| association.is_join_of(join, member);
        joins.find(leads).cloned()
    }

    /// As [`join_to_save`] has it, where that is plain: the first that is new, or none where there are enough. Nothing where
    /// it has to be looked for.
    fn join_to_save(&self, association: &Association, member: &Record) -> Option<Option<Record>> {
        let id = member.identity();
        let leads = |join: &&Record| association.is_join_of(join, member);
        let joins = || self.joins.get(&id).into_iter().flatten().filter(leads);
        if let Some(join) = joins().find(|join| join.is_new_record()) {
            return Some(Some(join.clone()));
        }
        let enough = joins().count() >= *self.times.get(&id)?;
        enough.then_some(None)
    }
}

/// The row that is to make a member one, where there is none in memory for it yet. `left` are the members that come to it
/// still, itself among them.
fn join_to_save(
    association: &Association,
    between: &Between,
    member: &Record,
    left: &[Record],
) -> Result<Option<Record>> {
    if let Some(known) = between.join_to_save(association, member) {
        return Ok(known);
    }
    let joins = association.joins_of(member)?;
    if let Some(join) = joins.iter().find(|join| join.is_new_record()) {
        return Ok(Some(join.clone()));
    }
    let times = |all: &[Record]| all.iter().filter(|one| one.is(member)).count();
    let all = association.peek_many().records;
    // Those before it have theirs.
    let wanted = times(&all).saturating_sub(times(left)) + 1;
    if joins.len() >= wanted {
        return Ok(None);
    }
    association.build_join(member).map(Some)
}

/// The members that a save goes on to, last first.
fn members_to_save(frame: &Frame, association: &Association) -> Vec<Record> {
    let autosave = association.reflection().autosave == Some(true);
    let all = frame.is_creating();
    let mut members = association.peek_many().records;
    members.retain(|member| {
        !member.is_destroyed()
            && (all || member.is_new_record() || autosave && member.is_changed_for_autosave())
    });
    members.reverse();
    members
}

/// What a `has_one` was told to lead to is made so; with `autosave` its target is saved.
async fn save_one(
    pipeline: &Pipeline,
    frame: &mut Frame,
    association: &Association,
    outcome: Option<Result<()>>,
) -> Result<Option<Task>> {
    if let Some(outcome) = outcome {
        return match outcome {
            Err(error) if !is_soft(&error) => Err(error),
            Err(error) if association.reflection().autosave == Some(true) => {
                Err(frame.record().invalid().with_source(error))
            }
            _ => Ok(None),
        };
    }
    let target = association.peek_target().pop();
    if association.replaced() != Linked::Known(None) {
        // The row between is saved by a run of its own.
        Box::pin(settle(association, target.as_ref(), true)).await?;
        return Ok(None);
    }
    let autosave = association.reflection().autosave == Some(true);
    Ok(target
        .filter(|target| {
            autosave
                && target.is_changed_for_autosave()
                && !pipeline.is_active(target, Verb::Save, frame)
        })
        .map(|target| Task::new(Verb::Save, &target, frame.options().validate(false))))
}

/// Takes all members out: they are loaded, and the rows that lead to them leave. Says how many rows there were.
pub(super) async fn empty(association: &Association, leaving: Leaving) -> Result<u64> {
    let members = loading::load_to_replace(association).await?;
    let gone = part(association, &members, leaving).await?;
    association.forget(|_| true);
    association.complete();
    unread_if_rolled_back(association);
    if let Ok(joins) = association.way() {
        unread_if_rolled_back(&joins);
    }
    Ok(gone)
}

/// The rows between a record that is destroyed and what it has and belongs to go, one DELETE an association.
pub(super) async fn part_with(record: &Record) -> Result<()> {
    for &position in record.reflection().hooks().rows_between() {
        let rows = Association::at(record, position)?;
        if record.is_persisted() {
            set_wise::delete_all(rows.relation().core()).await?;
        }
        rows.reset();
    }
    Ok(())
}
