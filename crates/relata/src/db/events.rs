//! Events: one for each statement, for logs, traces and tests.
//!
//! Invariant: when nobody listens, a statement costs one look at a flag; an event shows values only where the
//! options say so.

use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::adapter::Purpose;
use crate::attribute::value::Value;
use crate::error::ErrorKind;

/// One statement that ran, or failed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Event {
    /// The database's name among OpenTelemetry's.
    pub system: &'static str,
    /// The model it was for.
    pub model: Option<&'static str>,
    /// What it was for.
    pub purpose: Purpose,
    /// Its text, with placeholders.
    pub text: Arc<str>,
    /// Its values: their kinds only (`<text>`), unless the options show them.
    pub binds: Vec<String>,
    /// Rows it gave.
    pub rows: u64,
    /// Rows it changed.
    pub affected: u64,
    /// How long it took, waiting for a connection included.
    pub time: Duration,
    /// Where the user called what ran it.
    pub caller: Option<&'static Location<'static>>,
    /// The class of its error, if it failed.
    pub error: Option<ErrorKind>,
}

impl Event {
    /// `Post Load`, as Rails names statements in its log.
    #[must_use]
    pub fn name(&self) -> String {
        match self.model {
            Some(model) => format!("{model} {:?}", self.purpose),
            None => format!("{:?}", self.purpose),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({:.1}ms)  {}",
            self.name(),
            self.time.as_secs_f64() * 1_000.0,
            self.text
        )?;
        if !self.binds.is_empty() {
            write!(f, "  [{}]", self.binds.join(", "))?;
        }
        if let Some(error) = self.error {
            write!(f, "  !! {error:?}")?;
        }
        if let Some(caller) = self.caller {
            write!(f, "  \u{21b3} {}:{}", caller.file(), caller.line())?;
        }
        Ok(())
    }
}

type Subscriber = dyn Fn(&Event) + Send + Sync;

/// Who listens to a database.
#[derive(Default)]
pub(super) struct Listeners {
    some: AtomicBool,
    all: Mutex<Vec<Weak<Subscriber>>>,
    /// Subscribers that stay for the life of the database.
    kept: Mutex<Vec<Arc<Subscriber>>>,
}

impl Listeners {
    pub(super) fn are_there(&self) -> bool {
        self.some.load(Ordering::Relaxed) || is_traced()
    }

    fn all(&self) -> MutexGuard<'_, Vec<Weak<Subscriber>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, subscriber: &Arc<Subscriber>) {
        self.all().push(Arc::downgrade(subscriber));
        self.some.store(true, Ordering::Relaxed);
    }

    pub(super) fn keep(&self, subscriber: Arc<Subscriber>) {
        self.add(&subscriber);
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(subscriber);
    }

    pub(super) fn tell(&self, event: &Event) {
        #[cfg(feature = "tracing")]
        trace(event);
        let listening: Vec<Arc<Subscriber>> = {
            let mut all = self.all();
            all.retain(|subscriber| subscriber.strong_count() > 0);
            self.some.store(!all.is_empty(), Ordering::Relaxed);
            all.iter().filter_map(Weak::upgrade).collect()
        };
        for subscriber in listening {
            subscriber(event);
        }
    }
}

/// Whether somebody takes what [`trace`] gives.
#[cfg(feature = "tracing")]
fn is_traced() -> bool {
    tracing::event_enabled!(target: "relata::sql", tracing::Level::DEBUG)
}

#[cfg(not(feature = "tracing"))]
const fn is_traced() -> bool {
    false
}

/// OpenTelemetry's names for a statement.
#[cfg(feature = "tracing")]
fn trace(event: &Event) {
    // Names in quotes are taken only between braces.
    tracing::event!(target: "relata::sql", tracing::Level::DEBUG, {
        "db.system.name" = event.system,
        "db.query.text" = %event.text,
        "db.query.summary" = %event.name(),
        "db.operation.name" = event.text.split_whitespace().next(),
        "db.response.returned_rows" = event.rows,
        "db.client.operation.duration" = event.time.as_secs_f64(),
        "error.type" = event.error.map(|kind| format!("{kind:?}")),
        "code.file.path" = event.caller.map(|caller| caller.file()),
        "code.line.number" = event.caller.map(|caller| caller.line()),
    });
}

/// The values of an event: as they are, or their kinds.
pub(super) fn shown(binds: &[Value<'static>], values: bool) -> Vec<String> {
    let one = |bind: &Value<'static>| match bind.kind() {
        _ if values => format!("{bind:?}"),
        None => "NULL".to_owned(),
        Some(kind) => format!("<{}>", kind.name()),
    };
    binds.iter().map(one).collect()
}

/// The statements that run while this lives. For tests.
pub struct Capture {
    events: Arc<Mutex<Vec<Event>>>,
    _subscriber: Arc<Subscriber>,
}

impl Capture {
    pub(super) fn start(listeners: &Listeners) -> Self {
        let events: Arc<Mutex<Vec<Event>>> = Arc::default();
        let sink = Arc::clone(&events);
        let subscriber: Arc<Subscriber> = Arc::new(move |event: &Event| {
            sink.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(event.clone())
        });
        listeners.add(&subscriber);
        Self {
            events,
            _subscriber: subscriber,
        }
    }

    /// Everything so far, BEGIN and COMMIT included.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The texts so far, without BEGIN, COMMIT and the like.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let all = self.events();
        all.iter()
            .filter(|event| event.purpose != Purpose::Transaction)
            .map(|event| event.text.to_string())
            .collect()
    }

    /// How many statements so far, without BEGIN, COMMIT and the like.
    #[must_use]
    pub fn count(&self) -> usize {
        self.texts().len()
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Capture").field(&self.texts()).finish()
    }
}
