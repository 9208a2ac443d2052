//! Functions of the user that run inside themselves: a `before_save` that saves its record would never end.
//!
//! Invariant: a function runs for one row inside itself a few times, as one that stops by itself may, and never without
//! end, whichever objects stand for the row; and no more run inside each other than a stack holds. What calls no function
//! pays nothing.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::record::Record;

/// How often functions may run inside themselves for a row. Legal ones stop after once or twice.
const DEEPEST: usize = 16;

/// How many functions may run inside each other: the stack of a thread of 2 MiB holds them, and a full one ends the
/// process. What is not optimised takes several times as much.
const LONGEST: usize = if cfg!(debug_assertions) { 32 } else { 128 };

tokio::task_local! {
    static CALLS: Arc<Call>;
}

/// A function of the user that is running, and what it is called from.
pub(super) struct Call {
    record: Record,
    event: &'static str,
    name: &'static str,
    outer: Option<Arc<Call>>,
    /// How many of those that it is inside of are one more time the same function for the same row, itself included.
    repeats: usize,
    /// How many it is inside of.
    depth: usize,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.event, self.name)
    }
}

impl Call {
    /// A function that is to run for a record.
    ///
    /// # Errors
    /// `Configuration` where it runs inside itself too often.
    pub(super) fn of(
        record: &Record,
        event: &'static str,
        name: &'static str,
    ) -> Result<Arc<Self>> {
        let outer = Self::current();
        let mut call = Self {
            record: record.clone(),
            event,
            name,
            repeats: outer.as_ref().map_or(0, |outer| outer.repeats),
            depth: outer.as_ref().map_or(0, |outer| outer.depth + 1),
            outer,
        };
        call.repeats += usize::from(call.is_inside_itself());
        if call.repeats < DEEPEST && call.depth < LONGEST {
            return Ok(Arc::new(call));
        }
        let model = record.reflection().name();
        let message = if call.repeats < DEEPEST {
            format!(
                "the {event} `{name}` of {model} would be one of more than {LONGEST} functions that run inside each other: \
                 rows that lead to each other in a circle have no end, and a stack has. Let `dependent` or `autosave` go \
                 from record to record, which takes no stack, or do it in a loop outside the callback"
            )
        } else {
            format!(
                "the {event} `{name}` of {model} ran inside itself {DEEPEST} times for the same record, and would never \
                 end: what it does to the record runs it again. Set values there without saving, write them with \
                 `update_columns`, or save only while something is left to do"
            )
        };
        Err(Error::new(ErrorKind::Configuration, message)
            .with_record(record.clone())
            .with_attribute(name))
    }

    /// The function that the running code is called from.
    pub(super) fn current() -> Option<Arc<Self>> {
        CALLS.try_with(Arc::clone).ok()
    }

    /// Runs what was begun inside a function, and goes on elsewhere: a commit has a task of its own.
    pub(super) async fn inside<F: Future>(outer: Option<Arc<Self>>, future: F) -> F::Output {
        match outer {
            Some(outer) => CALLS.scope(outer, future).await,
            None => future.await,
        }
    }

    /// Runs what the function gave.
    pub(super) fn run<F: Future>(self: Arc<Self>, future: F) -> impl Future<Output = F::Output> {
        CALLS.scope(self, future)
    }

    /// Whether it is running already.
    fn is_inside_itself(&self) -> bool {
        let mut outer = self.outer.as_deref();
        while let Some(call) = outer {
            // Another object of the row is no other record: what a function reads is read anew each time.
            let same = call.event == self.event && call.name == self.name;
            if same && call.record == self.record {
                return true;
            }
            outer = call.outer.as_deref();
        }
        false
    }
}
