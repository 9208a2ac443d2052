//! Functions of the user that run inside themselves: a `before_save` that saves its record would never end.
//!
//! Invariant: a function runs for one record inside itself a few times, as one that stops by itself may, and never
//! without end. What calls no function pays nothing.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::record::Record;

/// How often a function may run for one record inside itself. Legal ones stop after once or twice.
const DEEPEST: usize = 16;

tokio::task_local! {
    static CALLS: Arc<Call>;
}

/// A function of the user that is running, and what it is called from.
pub(super) struct Call {
    record: (usize, u32),
    event: &'static str,
    name: &'static str,
    outer: Option<Arc<Call>>,
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
        let call = Self {
            record: record.identity(),
            event,
            name,
            outer: Self::current(),
        };
        if call.times() < DEEPEST {
            return Ok(Arc::new(call));
        }
        let model = record.reflection().name();
        let message = format!(
            "the {event} `{name}` of {model} ran inside itself {DEEPEST} times for the same record, and would never end: \
             what it does to the record runs it again. Set values there without saving, write them with \
             `update_columns`, or save only while something is left to do"
        );
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

    /// How often it is running already.
    fn times(&self) -> usize {
        let mut times = 0;
        let mut outer = self.outer.as_deref();
        while let Some(call) = outer {
            let same = call.record == self.record && call.event == self.event;
            times += usize::from(same && call.name == self.name);
            outer = call.outer.as_deref();
        }
        times
    }
}
