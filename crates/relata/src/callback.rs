//! What a model declares to be run in the life of its records: functions, and when.
//!
//! Invariant: data. A reflection keeps callbacks and never calls them; loading runs those of reading, persistence
//! all others.

use std::fmt;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::attribute::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::params::Params;
use crate::pending::Pending;
use crate::record::Record;

/// What a token of a record is for, how long it is good, and what it is bound to. Rails: `generates_token_for`.
///
/// A token is void once what the function gives has changed: bound to the digest of a password, it resets that once.
#[derive(Clone, Copy)]
pub struct TokenPurpose {
    name: &'static str,
    expires_in: Option<Duration>,
    bound: &'static (dyn Fn(&Record) -> Value<'static> + Send + Sync),
}

impl TokenPurpose {
    /// A purpose, and what its tokens are bound to. They do not expire.
    #[must_use]
    pub const fn new(
        name: &'static str,
        bound: &'static (dyn Fn(&Record) -> Value<'static> + Send + Sync),
    ) -> Self {
        Self {
            name,
            expires_in: None,
            bound,
        }
    }

    /// How long a token is good. Rails: `expires_in`.
    #[must_use]
    pub const fn expires_in(mut self, time: Duration) -> Self {
        self.expires_in = Some(time);
        self
    }

    /// The purpose's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How long a token is good.
    #[must_use]
    pub fn lifetime(&self) -> Option<Duration> {
        self.expires_in
    }

    /// What tokens of the record are bound to now.
    #[must_use]
    pub fn bound_to(&self, record: &Record) -> Value<'static> {
        (self.bound)(record)
    }
}

impl fmt::Debug for TokenPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "token for {}", self.name)
    }
}

/// When a callback runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[rustfmt::skip] // one event, one line: this is a table
pub enum Event {
    /// Before the validations. An error halts.
    BeforeValidation,
    /// After the validations, whatever they found.
    AfterValidation,
    /// Before INSERT or UPDATE, once the record is valid. An error halts.
    BeforeSave,
    /// Around all from `before_save` to the row being written.
    AroundSave,
    /// After INSERT or UPDATE, after `after_create` and `after_update`.
    AfterSave,
    /// Before INSERT. An error halts.
    BeforeCreate,
    /// Around INSERT.
    AroundCreate,
    /// After INSERT.
    AfterCreate,
    /// Before UPDATE, also when nothing changed. An error halts.
    BeforeUpdate,
    /// Around UPDATE.
    AroundUpdate,
    /// After UPDATE, also when nothing changed.
    AfterUpdate,
    /// Before DELETE. An error halts.
    BeforeDestroy,
    /// Around DELETE.
    AroundDestroy,
    /// After DELETE.
    AfterDestroy,
    /// After the record was touched.
    AfterTouch,
    /// After the outermost transaction was committed, once a record.
    AfterCommit,
    /// When the transaction was rolled back, once a record, before memory is restored.
    AfterRollback,
    /// When the record was read from the database.
    AfterFind,
    /// When the record was made in memory: new, or read.
    AfterInitialize,
}

impl Event {
    /// All events, in the order in which a record meets them.
    pub const ALL: [Self; 19] = [
        Self::AfterFind,
        Self::AfterInitialize,
        Self::BeforeValidation,
        Self::AfterValidation,
        Self::BeforeSave,
        Self::AroundSave,
        Self::BeforeCreate,
        Self::AroundCreate,
        Self::AfterCreate,
        Self::BeforeUpdate,
        Self::AroundUpdate,
        Self::AfterUpdate,
        Self::AfterSave,
        Self::BeforeDestroy,
        Self::AroundDestroy,
        Self::AfterDestroy,
        Self::AfterTouch,
        Self::AfterCommit,
        Self::AfterRollback,
    ];

    /// The event as Rails writes it: `before_save`.
    #[must_use]
    #[rustfmt::skip]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BeforeValidation => "before_validation",
            Self::AfterValidation => "after_validation",
            Self::BeforeSave => "before_save",
            Self::AroundSave => "around_save",
            Self::AfterSave => "after_save",
            Self::BeforeCreate => "before_create",
            Self::AroundCreate => "around_create",
            Self::AfterCreate => "after_create",
            Self::BeforeUpdate => "before_update",
            Self::AroundUpdate => "around_update",
            Self::AfterUpdate => "after_update",
            Self::BeforeDestroy => "before_destroy",
            Self::AroundDestroy => "around_destroy",
            Self::AfterDestroy => "after_destroy",
            Self::AfterTouch => "after_touch",
            Self::AfterCommit => "after_commit",
            Self::AfterRollback => "after_rollback",
            Self::AfterFind => "after_find",
            Self::AfterInitialize => "after_initialize",
        }
    }

    /// The event of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }

    /// Its place in a table of events. An `around` stands with its `before`: they run in one order.
    pub(crate) const fn row(self) -> usize {
        match self {
            Self::AroundSave => Self::BeforeSave.row(),
            Self::AroundCreate => Self::BeforeCreate.row(),
            Self::AroundUpdate => Self::BeforeUpdate.row(),
            Self::AroundDestroy => Self::BeforeDestroy.row(),
            other => other as usize,
        }
    }
}

/// Whether a callback or validation runs for a record.
pub type Condition = &'static (dyn Fn(&Record) -> bool + Send + Sync);

/// What a callback does, at once.
pub type Run = &'static (dyn Fn(&Record) -> Result<()> + Send + Sync);

/// What a callback does, when it may ask the database.
pub type RunLater = &'static (dyn Fn(&Record) -> Pending<()> + Send + Sync);

/// What an `around` callback does: it awaits [`Inside::run`] once, where Rails says `yield`.
pub type RunAround = &'static (dyn Fn(&Record, Inside) -> Pending<()> + Send + Sync);

/// What a `belongs_to` without target takes. Rails: `default`.
pub type DefaultTarget = &'static (dyn Fn(&Record) -> Pending<Option<Record>> + Send + Sync);

#[derive(Clone, Copy)]
pub(crate) enum Body {
    Now(Run),
    Later(RunLater),
    Around(RunAround),
}

/// One declared callback, built in a `const` by `#[callbacks]`, or for [`ModelBuilder`](crate::reflection::ModelBuilder).
#[derive(Clone, Copy)]
pub struct Callback {
    pub(crate) event: Event,
    pub(crate) name: &'static str,
    pub(crate) body: Body,
    pub(crate) on: &'static [&'static str],
    pub(crate) condition: Option<Condition>,
    /// How many associations of the model were declared before it.
    pub(crate) below: usize,
}

impl Callback {
    const fn with(event: Event, name: &'static str, body: Body) -> Self {
        Self {
            event,
            name,
            body,
            on: &[],
            condition: None,
            below: usize::MAX,
        }
    }

    /// A callback that waits for nothing. The name is for people.
    #[must_use]
    pub const fn new(event: Event, name: &'static str, run: Run) -> Self {
        Self::with(event, name, Body::Now(run))
    }

    /// A callback that may ask the database. Not for `after_find`, `after_initialize` and `after_rollback`: they run
    /// where nothing can be awaited, and a model with such a callback cannot be defined.
    #[must_use]
    pub const fn later(event: Event, name: &'static str, run: RunLater) -> Self {
        Self::with(event, name, Body::Later(run))
    }

    /// A callback around what the event surrounds. Rails: `around_save`.
    #[must_use]
    pub const fn around(event: Event, name: &'static str, run: RunAround) -> Self {
        Self::with(event, name, Body::Around(run))
    }

    /// Runs only in these contexts: `create`, `update`, `destroy`, or a validation's own. Rails: `on`.
    #[must_use]
    pub const fn on(mut self, contexts: &'static [&'static str]) -> Self {
        self.on = contexts;
        self
    }

    /// Runs only for these records. Rails: `if`.
    #[must_use]
    pub const fn only_if(mut self, condition: Condition) -> Self {
        self.condition = Some(condition);
        self
    }

    /// Stands below the first so many associations and above the others: it runs after the hooks of the former and
    /// before those of the latter. Without it a callback stands below all of them. Rails: the place of declaration.
    #[must_use]
    pub const fn below(mut self, associations: usize) -> Self {
        self.below = associations;
        self
    }

    /// When it runs.
    #[must_use]
    pub fn event(&self) -> Event {
        self.event
    }

    /// Its name, for people.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Why its event could not run it, if so: it would be left out without a word.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let surrounds = self.event.name().starts_with("around_");
        let waits = !matches!(
            self.event,
            Event::AfterFind | Event::AfterInitialize | Event::AfterRollback
        );
        match self.body {
            Body::Around(_) if !surrounds => {
                Some("surrounds nothing: make it with `Callback::new` or `Callback::later`")
            }
            Body::Now(_) | Body::Later(_) if surrounds => {
                Some("has to run what it surrounds: make it with `Callback::around`")
            }
            Body::Later(_) if !waits => {
                Some("runs where nothing can be awaited: make it with `Callback::new`")
            }
            _ => None,
        }
    }

    /// Whether it runs for this record, in this context.
    pub(crate) fn applies(&self, record: &Record, context: &str) -> bool {
        (self.on.is_empty() || self.on.contains(&context))
            && self.condition.is_none_or(|condition| condition(record))
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.event.name(), self.name)
    }
}

/// When a callback of a collection runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MemberEvent {
    /// Before a record becomes a member. [`Abort`] leaves it out.
    BeforeAdd,
    /// After it became one, saved already where the owner is.
    AfterAdd,
    /// Before records leave: for all of them before the first does. [`Abort`] keeps all.
    BeforeRemove,
    /// After they left.
    AfterRemove,
}

impl MemberEvent {
    /// The event as Rails writes it: `before_add`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BeforeAdd => "before_add",
            Self::AfterAdd => "after_add",
            Self::BeforeRemove => "before_remove",
            Self::AfterRemove => "after_remove",
        }
    }
}

/// What a callback of a collection does, with the owner and the member.
pub type MemberRun = &'static (dyn Fn(&Record, &Record) -> Result<()> + Send + Sync);

/// A callback of a collection. Not called for what is loaded, nor by `delete_all`. Rails: `before_add` and the like.
#[derive(Clone, Copy)]
pub struct MemberCallback {
    pub(crate) event: MemberEvent,
    pub(crate) run: MemberRun,
}

impl MemberCallback {
    /// A callback for an event.
    #[must_use]
    pub const fn new(event: MemberEvent, run: MemberRun) -> Self {
        Self { event, run }
    }
}

impl fmt::Debug for MemberCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.event)
    }
}

/// Which values for a member `accepts_nested_attributes_for` passes over. Rails: `reject_if`.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum RejectIf {
    /// Those that are all blank, `_destroy` aside.
    AllBlank,
    /// Those for which this holds, of the owner, as it was before values were assigned to it, and the values for the member
    /// that are permitted.
    When(&'static (dyn Fn(&Record, &Params) -> bool + Send + Sync)),
}

/// Whether an owner that is still there counts as gone for a job of `dependent = destroy_async`.
/// Rails: `ensuring_owner_was`.
#[derive(Clone, Copy)]
pub struct EnsuringOwnerWas {
    pub(crate) name: &'static str,
    pub(crate) holds: &'static (dyn Fn(&Record) -> bool + Send + Sync),
}

impl EnsuringOwnerWas {
    /// A function of the owner, and how it is written.
    #[must_use]
    pub const fn new(
        name: &'static str,
        holds: &'static (dyn Fn(&Record) -> bool + Send + Sync),
    ) -> Self {
        Self { name, holds }
    }

    /// How it is written.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl fmt::Debug for EnsuringOwnerWas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// How many members `accepts_nested_attributes_for` takes at a time. Rails: `limit`.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum MemberLimit {
    /// That many.
    Number(usize),
    /// As many as this says of the owner, as it was before values were assigned to it.
    Of(&'static (dyn Fn(&Record) -> usize + Send + Sync)),
}

impl fmt::Debug for RejectIf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AllBlank => "all_blank",
            Self::When(_) => "code",
        })
    }
}

impl fmt::Debug for MemberLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Of(_) => f.write_str("code"),
        }
    }
}

/// What an `around` callback surrounds.
#[derive(Debug)]
pub struct Inside {
    begin: oneshot::Sender<()>,
    done: oneshot::Receiver<Result<()>>,
}

/// The other end of an [`Inside`]: who runs what is inside holds it.
pub(crate) struct Outside {
    pub(crate) begun: oneshot::Receiver<()>,
    pub(crate) finish: oneshot::Sender<Result<()>>,
}

impl Inside {
    pub(crate) fn pair() -> (Self, Outside) {
        let (begin, begun) = oneshot::channel();
        let (finish, done) = oneshot::channel();
        (Self { begin, done }, Outside { begun, finish })
    }

    /// Runs what the callback surrounds. A callback that never awaits it halts. Rails: `yield`.
    ///
    /// SQL: what the save or destroy inside sends.
    ///
    /// Errors: what failed inside.
    #[track_caller]
    pub fn run(self) -> Pending<()> {
        Pending::new(async move {
            let gone = || Error::new(ErrorKind::Abort, "what the callback surrounds was given up");
            self.begin.send(()).map_err(|()| gone())?;
            self.done.await.unwrap_or_else(|_| Err(gone()))
        })
    }
}

/// Halts a save or a destroy when a `before` callback gives it as its error. Rails: `throw :abort`.
///
/// ```
/// use relata::callback::Abort;
///
/// fn keep_the_last(count: u64) -> relata::Result<(), Abort> {
///     if count == 1 { Err(Abort) } else { Ok(()) }
/// }
/// assert!(keep_the_last(1).is_err());
///
/// fn or_as_any_error(count: u64) -> relata::Result<()> {
///     if count == 1 { Err(Abort.into()) } else { Ok(()) }
/// }
/// assert_eq!(or_as_any_error(1).unwrap_err().kind(), relata::ErrorKind::Abort);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abort;

impl fmt::Display for Abort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a callback halted what was being done")
    }
}

impl std::error::Error for Abort {}

#[expect(
    clippy::from_over_into,
    reason = "a second `From` for `Error` would make `?` in users' async blocks ambiguous"
)]
impl Into<Error> for Abort {
    fn into(self) -> Error {
        Error::new(ErrorKind::Abort, self.to_string())
    }
}
