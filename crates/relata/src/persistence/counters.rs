//! Counter caches: a column of the parent that counts its children.
//!
//! Invariants: a counter is only ever changed by adding in SQL, so that no count is lost between tasks; it is never
//! part of the parent's own UPDATE; the parent object that the child leads to follows in memory, and goes back when
//! the transaction is rolled back.

use super::frame::{Frame, Task};
use super::locking;
use super::set_wise;
use super::snapshot::Before;
use super::write::stamp;
use crate::association::Association;
use crate::attribute::value::Value;
use crate::db::adapter::{Purpose, Statement};
use crate::db::{Db, Written};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Key;
use crate::pending::Pending;
use crate::record::{Life, Linked, Record, Version};
use crate::reflection::{Macro, ModelReflection, Resolved};
use crate::relation::{Relation, addable};
use crate::sql::expr::Node;
use crate::sql::statements::{self, Counting};

impl<M> Relation<M> {
    /// Adds to number columns of all rows of the relation, in the database: what others add meanwhile is kept, and null
    /// counts as 0. Records in memory keep what they hold. With `touch` the time of the last change is set too. Gives
    /// the number of rows. Rails: `update_counters`.
    ///
    /// `UPDATE "users" SET "posts_count" = COALESCE("users"."posts_count", 0) + ? WHERE "users"."id" = ?`
    ///
    /// Errors: `UnknownAttribute` with the nearest name; `Argument` for an attribute that is no number; what the database
    /// says.
    #[track_caller]
    pub fn update_counters<'a>(
        &self,
        counters: impl IntoIterator<Item = (&'a str, i64)>,
        touch: bool,
    ) -> Pending<u64> {
        let core = self.core().clone();
        let (model, root) = (core.select.model(), core.select.root);
        let plus = |(name, by)| {
            let column = model.attribute(name)?;
            addable(model, column, &Value::Int(by))?;
            let operand = Box::new(Node::Column(root, column));
            Ok((column, Node::Plus(operand, Value::Int(by))))
        };
        let sets: Result<Vec<_>> = counters.into_iter().map(plus).collect();
        Pending::new(async move {
            let mut sets = sets?;
            sets.extend(touched(model, core.db.now(), touch));
            set_wise::update_all(&core, sets).await
        })
    }

    /// Adds one to a number column of all rows of the relation. Gives the number of rows. Rails: `increment_counter`.
    ///
    /// `UPDATE "users" SET "posts_count" = COALESCE("users"."posts_count", 0) + ? WHERE "users"."id" = ?`
    ///
    /// Errors: as [`update_counters`](Self::update_counters), which adds more, and to several.
    #[track_caller]
    pub fn increment_counter(&self, name: &str) -> Pending<u64> {
        self.update_counters([(name, 1)], false)
    }

    /// As [`increment_counter`](Self::increment_counter), one less. Rails: `decrement_counter`.
    ///
    /// SQL: as [`increment_counter`](Self::increment_counter), with `- 1`.
    ///
    /// Errors: as [`update_counters`](Self::update_counters).
    #[track_caller]
    pub fn decrement_counter(&self, name: &str) -> Pending<u64> {
        self.update_counters([(name, -1)], false)
    }

    /// Counts the members of collections of one row again and writes what was found: one COUNT a collection, one UPDATE.
    /// A collection is named, or its counter's column. With `touch` the time of the last change is set too.
    /// Rails: `reset_counters`.
    ///
    /// Errors: `Argument` for a collection that is not there; what the database says.
    #[track_caller]
    pub fn reset_counters<'a>(
        &self,
        key: impl Key,
        names: impl IntoIterator<Item = &'a str>,
        touch: bool,
    ) -> Pending<()> {
        let core = self.core().clone();
        let model = core.select.model();
        let row = self.row_of(key.values());
        let counted: Result<Vec<_>> = row.and_then(|row| {
            let one = |name| counted_by(&row, name);
            names.into_iter().map(one).collect()
        });
        Pending::new(async move {
            let counted = counted?;
            let Some(owner) = counted.first().map(|one| one.owner().clone()) else {
                return Ok(());
            };
            let mut sets = Vec::with_capacity(counted.len());
            for association in counted {
                let rows = association.relation().count().await?;
                let rows = i64::try_from(rows).unwrap_or(i64::MAX);
                let counter = association.counter().map(|counter| counter.column);
                if let Some(column) = counting_column(&association).or(counter) {
                    sets.push((column, Node::Value(Value::Int(rows))));
                }
            }
            sets.extend(touched(model, core.db.now(), touch));
            let key = owner.saved_key().into_iter().map(Value::into_owned);
            let rows = Relation::unscoped(model, &core.db).with_rows(vec![key.collect()]);
            set_wise::update_all(rows.core(), sets).await.map(drop)
        })
    }

    /// A record that stands for the row with a key, which is not read.
    fn row_of(&self, key: Vec<Value<'static>>) -> Result<Record> {
        let model = self.core().select.model();
        crate::loading::check_key(model, &key)?;
        let row = Record::blank(model, self.db());
        for (&column, part) in model.primary_key().iter().zip(key) {
            row.set_value(column, part)?;
            let part = row.value(column).into_owned();
            row.fill(column, &part);
        }
        row.set_life(Life::Persisted);
        Ok(row)
    }
}

fn touched(
    model: &'static ModelReflection,
    now: i64,
    touch: bool,
) -> impl Iterator<Item = (usize, Node)> {
    let columns = model.stamps().updated.iter().filter(move |_| touch);
    columns.map(move |&column| (column, Node::Value(stamp(model, column, now))))
}

/// The owner's column that counts the members of a collection: what the `belongs_to` over the same key counts in, whatever
/// the collection says.
fn counting_column(association: &Association) -> Option<usize> {
    let resolved = association.resolved();
    // The rows between are what is counted.
    let resolved = resolved
        .through
        .as_ref()
        .map_or(resolved, |through| through.over());
    let owner = association.owner().reflection();
    let target = resolved.target;
    let all = target.reflect_on_all_associations(Macro::BelongsTo);
    let counts = all.filter(|one| one.counter_cache().is_some() && one.leads_to(owner));
    let mut same_key = counts.filter(|one| {
        let key = target.foreign_key_of(one.name()).unwrap_or_default();
        let columns = resolved.target_columns.iter();
        let names = columns.filter_map(|&at| Some(target.columns().get(at)?.name()));
        names.eq(key.iter().copied())
    });
    owner.column_position(same_key.next()?.counter_cache()?)
}

/// The collection of that name, or whose counter has that name.
fn counted_by(row: &Record, name: &str) -> Result<Association> {
    let model = row.reflection();
    let collections = model.reflect_on_all_associations(Macro::HasMany);
    for reflection in collections {
        let association = Association::of(row, reflection.name())?;
        if reflection.name() == name || association.counter_column_name() == name {
            return Ok(association);
        }
    }
    let why = match model.association(name) {
        Ok(_) => {
            ": what it leads to is not counted. A `has_many` is, whose `belongs_to` has `counter_cache`"
        }
        Err(_) => "",
    };
    let message = format!("'{}' has no association called '{name}'{why}", model.name());
    Err(Error::new(ErrorKind::Argument, message)
        .with_model(model.name())
        .with_attribute(name))
}

/// Counts a record in the parents that count it, or out of them.
pub(super) async fn count(frame: &Frame, by: i64) -> Result<()> {
    let record = frame.record();
    if by < 0 && !frame.found {
        return Ok(());
    }
    for (position, reflection) in record.reflection().reflections().iter().enumerate() {
        if !reflection.is_belongs_to() || reflection.counter_cache.is_none() {
            continue;
        }
        let association = Association::at(record, position)?;
        if by > 0 || !is_going_with(&association) {
            count_in(&association, by).await?;
        }
    }
    Ok(())
}

/// Whether the record is destroyed by the very parent that would be told.
fn is_going_with(association: &Association) -> bool {
    let by = super::dependent::destroyed_by(association.owner());
    by.is_some_and(|by| by.target_columns == association.resolved().owner_columns)
}

/// The parent of a changed key counts the record in, the one before counts it out.
pub(super) async fn follow(association: &Association) -> Result<Option<Task>> {
    let record = association.owner();
    let (key, columns) = (
        &association.resolved().owner_key,
        &association.resolved().owner_columns,
    );
    if !columns.iter().any(|&column| record.was_changed(column)) {
        return Ok(None);
    }
    count_in(association, 1).await?;
    let before: Vec<Value<'static>> = key
        .iter()
        .map(|&column| record.value_of(column, Version::Before).into_owned())
        .collect();
    let resolved = association.resolved_at(Version::Before)?;
    add(association, resolved, -1, before).await?;
    Ok(None)
}

/// As [`follow`], for all parents that count the record.
pub(super) async fn follow_all(record: &Record) -> Result<()> {
    for (position, reflection) in record.reflection().reflections().iter().enumerate() {
        if reflection.is_belongs_to() && reflection.counter_cache.is_some() {
            follow(&Association::at(record, position)?).await?;
        }
    }
    Ok(())
}

/// Adds to the counter of the parent that the record leads to, in the database and in memory.
async fn count_in(association: &Association, by: i64) -> Result<()> {
    let parent = match association.known_one() {
        Linked::Known(Some(parent)) if parent.is_persisted() => Some(parent),
        _ => None,
    };
    let key = association.owner_key();
    add(association, association.resolved(), by, key).await?;
    if let Some(parent) = parent.filter(|_| association.has_key()) {
        add_in_memory(association, &parent, by)?;
    }
    Ok(())
}

fn add_in_memory(association: &Association, parent: &Record, by: i64) -> Result<()> {
    let Some(name) = association.reflection().counter_cache else {
        return Ok(());
    };
    let model = parent.reflection();
    let column = model.attribute(name)?;
    let stamps = stamps_of(association, association.resolved());
    let filled = std::iter::once(column).chain(stamps.iter().copied());
    let mut before = Before::with(parent, filled);
    locking::follow(parent, &mut before)?;
    let count = parent.value(column).as_i64().unwrap_or_default() + by;
    parent.fill(column, &Value::Int(count));
    for column in stamps {
        parent.fill(column, &stamp(model, column, parent.db().now()));
    }
    before.enlist();
    Ok(())
}

async fn add(
    association: &Association,
    resolved: &'static Resolved,
    by: i64,
    key: Vec<Value<'static>>,
) -> Result<()> {
    let db = association.owner().db();
    let Some(name) = association.reflection().counter_cache else {
        return Ok(());
    };
    if key.iter().any(Value::is_null) || resolved.is_nowhere() {
        return Ok(());
    }
    let counting = Counting {
        counters: vec![(resolved.target.attribute(name)?, by)],
        stamps: stamps_of(association, resolved),
        key: resolved.target_key.to_vec(),
    };
    change(resolved.target, db, &counting, key).await.map(drop)
}

/// Counts members out that left a collection past their own callbacks, in the database and in the owner.
pub(super) async fn forget(association: &Association, members: u64) -> Result<()> {
    let (owner, members) = (
        association.owner(),
        i64::try_from(members).unwrap_or(i64::MAX),
    );
    let Some(counter) = association.counter().filter(|_| members > 0) else {
        return Ok(());
    };
    let model = owner.reflection();
    let counting = Counting {
        counters: vec![(counter.column, -members)],
        stamps: Vec::new(),
        key: model.query_constraints().to_vec(),
    };
    let key = owner.saved_key().into_iter().map(Value::into_owned);
    change(model, owner.db(), &counting, key.collect()).await?;
    add_to_owner(owner, counter.column, -members)
}

/// Counts a member in that came to a collection, in the owner's memory: one that does not lead back to it knows no owner
/// to tell.
pub(super) fn remember(association: &Association) -> Result<()> {
    if association.inverse().is_some() || association.is_through() {
        return Ok(());
    }
    match association.counter() {
        Some(counter) => add_to_owner(association.owner(), counter.column, 1),
        None => Ok(()),
    }
}

fn add_to_owner(owner: &Record, column: usize, by: i64) -> Result<()> {
    let mut before = Before::with(owner, [column]);
    locking::follow(owner, &mut before)?;
    let count = owner.value(column).as_i64().unwrap_or_default() + by;
    owner.fill(column, &Value::Int(count));
    before.enlist();
    Ok(())
}

/// With `touch` too, the counter's statement sets the timestamps.
fn stamps_of(association: &Association, resolved: &Resolved) -> Vec<usize> {
    match association.reflection().touch {
        Some(touch) => super::touch::columns(resolved.target, Some(touch)),
        None => Vec::new(),
    }
}

/// Adds to counters of the rows with a key, and says how many there were.
pub(super) async fn change(
    model: &'static ModelReflection,
    db: &Db,
    counting: &Counting,
    key: Vec<Value<'static>>,
) -> Result<u64> {
    let now = db.now();
    let stamps = counting.stamps.iter();
    let statement = Statement {
        text: statements::count(model, db.dialect(), counting),
        binds: stamps
            .map(|&column| stamp(model, column, now))
            .chain(key)
            .collect(),
        // The number is part of the text, as Rails writes it.
        reuse: counting
            .counters
            .iter()
            .all(|(_, by)| by.unsigned_abs() == 1),
        writes: true,
        purpose: Purpose::Update,
        model: Some(model.name()),
    };
    let written = Written::Table(model.table());
    let outcome = db.execute(statement, written).await?;
    Ok(outcome.affected)
}

/// The columns of a model that count: those that a `belongs_to` of one of its collections' models names.
pub(super) fn columns(model: &'static ModelReflection) -> &'static [usize] {
    model.counters(|| {
        let mut found = Vec::new();
        for association in model
            .reflections()
            .iter()
            .filter(|one| !one.is_belongs_to())
        {
            let Ok(child) = association.target.model() else {
                continue;
            };
            let counted = child
                .reflections()
                .iter()
                .filter(|one| one.is_belongs_to() && one.leads_to(model));
            found.extend(counted.filter_map(|one| model.column_position(one.counter_cache?)));
        }
        found
    })
}
