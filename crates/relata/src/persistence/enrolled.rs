//! Records with commit or rollback callbacks, in the transaction that wrote them.
//!
//! Invariants: the callbacks run once a record, in the order in which the records were first taken up, for what was
//! written and not undone; those of a rollback run before memory is put back.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::errors::Keeping;
use super::reentry::Call;
use crate::callback::{Body, Callback, Event};
use crate::db::Participant;
use crate::error::Result;
use crate::record::Record;
use crate::reflection::Hook;

/// A record's part in the open transaction.
pub(super) struct Enrolled(Arc<Part>);

pub(super) struct Part {
    record: Record,
    /// What was done to it: `create`, `update`, `destroy`.
    done: Mutex<Vec<&'static str>>,
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
            done: Mutex::default(),
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
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn committed(&self) {}

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
