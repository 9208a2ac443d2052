//! Records with commit or rollback callbacks, in the transaction that wrote them.
//!
//! Invariants: the callbacks run once a record, in the order in which the records were first taken up, for what was
//! written and not undone, and of several objects of one row for the last; those of a rollback run before memory is put
//! back.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::errors::Keeping;
use super::reentry::Call;
use crate::association::Key;
use crate::callback::{Body, Callback, Event};
use crate::db::{Handover, Participant};
use crate::error::Result;
use crate::hashing::Hashing;
use crate::record::Record;
use crate::reflection::Hook;

/// A record's part in the open transaction.
pub(super) struct Enrolled(Arc<Part>);

pub(super) struct Part {
    record: Record,
    /// What was done to it: `create`, `update`, `destroy`.
    done: Done,
}

type Done = Arc<Mutex<Vec<&'static str>>>;

/// The objects of rows that a commit is told of.
type Rows = HashMap<(usize, Key), Object, Hashing>;

/// The object of a row that runs the callbacks, as far as those before it know.
struct Object {
    identity: (usize, u32),
    /// What was done to it.
    done: Vec<Done>,
}

impl Object {
    fn did(&self, doing: &str) -> bool {
        self.done.iter().any(|done| locked(done).contains(&doing))
    }
}

fn locked(done: &Done) -> std::sync::MutexGuard<'_, Vec<&'static str>> {
    done.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Enrolled {
    /// Joins the open transaction, if the record's model has callbacks for its end.
    pub(super) fn join(record: &Record) -> Option<Self> {
        let hooks = record.reflection().hooks();
        if hooks.at(Event::AfterCommit).is_empty() && hooks.at(Event::AfterRollback).is_empty() {
            return None;
        }
        let part = Arc::new(Part {
            record: record.clone(),
            done: Done::default(),
        });
        let db = record.db();
        db.enlist(|| Arc::clone(&part) as Arc<dyn Participant>);
        let committed = Arc::clone(&part);
        // A commit has a task of its own, which is inside what the record was written by all the same.
        let outer = Call::current();
        db.after_commit_hook(Box::new(move || {
            Box::pin(Call::inside(
                outer,
                async move { committed.committed().await },
            ))
        }));
        record.keeping()?.enroll(&part);
        Some(Self(part))
    }

    /// Notes that the row was written.
    pub(super) fn wrote(&self, doing: &'static str) {
        self.0.done().push(doing);
    }
}

impl Part {
    fn done(&self) -> std::sync::MutexGuard<'_, Vec<&'static str>> {
        locked(&self.done)
    }

    /// Takes over from another object of the same row, which runs nothing then; but one that destroyed it keeps it.
    fn take_over(&self, rows: &mut Rows) {
        let model = self.record.reflection();
        let Some(key) = Key::of(&self.record, model.primary_key()) else {
            return;
        };
        let mine = Object {
            identity: self.record.identity(),
            done: vec![Arc::clone(&self.done)],
        };
        let table = std::ptr::from_ref(model.base()).addr();
        match rows.entry((table, key)) {
            Entry::Vacant(entry) => {
                entry.insert(mine);
            }
            Entry::Occupied(mut entry) if entry.get().identity == mine.identity => {
                entry.get_mut().done.extend(mine.done);
            }
            Entry::Occupied(entry) if entry.get().did("destroy") && !mine.did("destroy") => {
                self.done().clear();
            }
            Entry::Occupied(mut entry) => {
                let earlier = entry.insert(mine);
                // Who made the row is told by the last that wrote it.
                if earlier.did("create") {
                    self.done().push("create");
                }
                earlier.done.iter().for_each(|done| locked(done).clear());
            }
        }
    }

    /// What was done to the record in all parts that are still open; they are over with this.
    fn take_all(&self) -> Vec<&'static str> {
        let Some(keeping) = self.record.existing_extension::<Keeping>() else {
            return Vec::new();
        };
        let parts = keeping.take_parts();
        let open = parts.iter().filter_map(Weak::upgrade);
        open.flat_map(|part| std::mem::take(&mut *part.done()))
            .collect()
    }

    async fn committed(&self) -> Result<()> {
        let done = decisive(self.take_all());
        for callback in callbacks(&self.record, Event::AfterCommit, &done) {
            let ran = match callback.body {
                Body::Now(run) => run(&self.record),
                Body::Later(run) => {
                    let call = Call::of(&self.record, callback.event.name(), callback.name)?;
                    call.run(run(&self.record)).await
                }
                Body::Around(_) => Ok(()),
            };
            ran.map_err(|error| match error.erased_record() {
                Some(_) => error,
                None => error.with_record(self.record.clone()),
            })?;
        }
        Ok(())
    }
}

impl Participant for Part {
    fn rolling_back(&self) {
        let done = std::mem::take(&mut *self.done());
        let first = self
            .record
            .existing_extension::<Keeping>()
            .is_some_and(|keeping| !done.is_empty() && !keeping.set_rolling_back(true));
        if !first {
            return;
        }
        for callback in callbacks(&self.record, Event::AfterRollback, &done) {
            if let Body::Now(run) = callback.body {
                // Nobody is there to be told: the transaction fails for a reason of its own.
                let _ = run(&self.record);
            }
        }
    }

    fn rolled_back(&self) {
        if let Some(keeping) = self.record.existing_extension::<Keeping>() {
            keeping.set_rolling_back(false);
        }
    }

    fn committed(&self, left: &mut Handover) {
        if self.done().is_empty() {
            return;
        }
        let rows = left.get_or_insert_with(|| Box::new(Rows::default()));
        if let Some(rows) = rows.downcast_mut::<Rows>() {
            self.take_over(rows);
        }
    }

    fn in_doubt(&self) {}
}

/// What a commit is told of all that was done to a record: that it is gone, else that it is there, else what it was.
fn decisive(done: Vec<&'static str>) -> Vec<&'static str> {
    match ["destroy", "create"].iter().find(|one| done.contains(one)) {
        Some(&one) => vec![one],
        None => done,
    }
}

/// What runs for the record at the end of a transaction that did this to it.
fn callbacks<'a>(
    record: &'a Record,
    event: Event,
    done: &'a [&'static str],
) -> impl Iterator<Item = &'static Callback> + 'a {
    let model = record.reflection();
    let callbacks = model
        .hooks()
        .at(event)
        .iter()
        .filter_map(|hook| match hook {
            Hook::Callback(position) => model.callback(*position),
            Hook::Association(..) => None,
        });
    callbacks.filter(move |callback| done.iter().any(|doing| callback.applies(record, doing)))
}
