//! The life of a record: what validating, saving and destroying do, step by step, as tables; and the one loop that
//! runs them.
//!
//! A step that needs another record first (a parent, a member, a dependent) opens a frame for it, and goes on when
//! that frame has ended. So a graph of any depth is a stack of frames, never a recursive future.
//!
//! Invariants: a record is in one frame of a verb at a time, so that cycles end; hooks run in the order of declaration;
//! when a step fails, the frames above it are given up one by one, and each may turn the failure into its own.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use super::acts;
use super::enrolled::Enrolled;
use super::keys::Keys;
use super::save::SaveOptions;
use crate::association::Association;
use crate::callback::{Abort, Body, Callback, Event, Inside, Outside, RunAround};
use crate::error::{Error, ErrorKind, Result};
use crate::hashing::Hashing;
use crate::pending::Pending;
use crate::record::{Life, Record};
use crate::reflection::{Act, Hook};

/// What is done to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Verb {
    Validate,
    Save,
    Destroy,
    Touch,
}

/// One step of a verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Forget what earlier validations found.
    Clear,
    /// Join the transaction: commit and rollback callbacks.
    Enroll,
    /// Validate the record, in a frame of its own.
    Valid,
    /// Run the hooks of an event: callbacks, and what associations do, in the order of declaration.
    Hooks(Event),
    /// End what an `around` surrounds.
    End(Event),
    /// Look whether the rules are kept.
    Look,
    /// INSERT, or UPDATE of what changed; then what waited for the key.
    Write,
    /// Destroy the parents that were let go of: the row no longer refers to them.
    LetGo,
    /// Save the members that waited for this record too.
    PutOff,
    /// DELETE.
    Delete,
    /// UPDATE of the columns that a touch sets.
    Touch,
    /// Count the record in its parents, or out.
    Count(i64),
}

use Step::{Clear, Count, Delete, End, Enroll, Hooks, LetGo, Look, PutOff, Touch, Valid, Write};

const VALIDATE: &[Step] = &[
    Clear,
    Hooks(Event::BeforeValidation),
    Look,
    Hooks(Event::AfterValidation),
];

const CREATE: &[Step] = &[
    Enroll,
    Valid,
    Hooks(Event::BeforeSave),
    Hooks(Event::BeforeCreate),
    Write,
    Count(1),
    End(Event::AroundCreate),
    Hooks(Event::AfterCreate),
    PutOff,
    LetGo,
    End(Event::AroundSave),
    Hooks(Event::AfterSave),
];

const UPDATE: &[Step] = &[
    Enroll,
    Valid,
    Hooks(Event::BeforeSave),
    Hooks(Event::BeforeUpdate),
    Write,
    End(Event::AroundUpdate),
    Hooks(Event::AfterUpdate),
    LetGo,
    End(Event::AroundSave),
    Hooks(Event::AfterSave),
];

const DESTROY: &[Step] = &[
    Enroll,
    Hooks(Event::BeforeDestroy),
    Delete,
    Count(-1),
    End(Event::AroundDestroy),
    Hooks(Event::AfterDestroy),
];

const TOUCH: &[Step] = &[Enroll, Touch, Hooks(Event::AfterTouch)];

/// What is to be done to one record.
pub(super) struct Task {
    pub(super) record: Record,
    pub(super) verb: Verb,
    pub(super) options: SaveOptions,
    /// The columns that a touch sets.
    pub(super) columns: Vec<usize>,
}

impl Task {
    pub(super) fn new(verb: Verb, record: &Record, options: SaveOptions) -> Self {
        Self {
            record: record.clone(),
            verb,
            options,
            columns: Vec::new(),
        }
    }
}

/// A task on its way.
pub(super) struct Frame {
    pub(super) task: Task,
    steps: &'static [Step],
    step: usize,
    /// Which of the step's hooks, or of what it looks at, is at hand.
    pub(super) hook: usize,
    /// What the hook at hand still waits for, last first.
    pub(super) todo: Option<Vec<Record>>,
    /// Parents that are destroyed once the row no longer refers to them.
    pub(super) let_go: Vec<Record>,
    arounds: Vec<Around>,
    enrolled: Option<Enrolled>,
    /// Whether the DELETE found the row.
    pub(super) deleted: bool,
    /// What is being done, by Rails' name for the context.
    doing: &'static str,
    /// Functions of the user that had run when it began.
    calls: u64,
}

/// An `around` callback that waits for what it surrounds.
struct Around {
    event: Event,
    future: Mutex<Pending<()>>,
    finish: tokio::sync::oneshot::Sender<Result<()>>,
}

impl Around {
    /// Tells the callback what became of what it surrounds, and lets it end.
    async fn ends(self, inside: Result<()>) -> Result<()> {
        // Whoever does not wait for it need not hear it.
        let _ = self.finish.send(inside);
        let future = self.future.into_inner();
        future.unwrap_or_else(PoisonError::into_inner).await
    }
}

/// What happens next.
enum Next {
    /// The next step.
    On,
    /// Another record first; then this step again, with what became of it.
    First(Task),
}

impl Frame {
    fn new(task: Task, calls: u64) -> Self {
        let new = task.record.life() == Life::New;
        let (steps, doing) = match task.verb {
            Verb::Validate => (VALIDATE, if new { "create" } else { "update" }),
            Verb::Save if new => (CREATE, "create"),
            Verb::Save => (UPDATE, "update"),
            Verb::Destroy => (DESTROY, "destroy"),
            Verb::Touch => (TOUCH, "update"),
        };
        Self {
            task,
            steps,
            step: 0,
            hook: 0,
            todo: None,
            let_go: Vec::new(),
            arounds: Vec::new(),
            enrolled: None,
            deleted: false,
            doing,
            calls,
        }
    }

    pub(super) fn record(&self) -> &Record {
        &self.task.record
    }

    /// The context that `on` asks for: the validation's own, or what is being done.
    pub(super) fn context(&self) -> &str {
        match (&self.task.options.context, self.task.verb) {
            (Some(context), Verb::Validate) => context,
            _ => self.doing,
        }
    }

    /// The options for the records that it leads to.
    pub(super) fn options(&self) -> SaveOptions {
        self.task.options.clone()
    }

    /// Whether it inserts the record.
    pub(super) fn is_creating(&self) -> bool {
        self.steps == CREATE
    }

    /// Whether the whole graph is looked at, not only what changed.
    pub(super) fn has_own_context(&self) -> bool {
        self.task.options.context.is_some()
    }

    async fn begin_around(&mut self, event: Event, run: RunAround) -> Result<()> {
        let (inside, Outside { mut begun, finish }) = Inside::pair();
        let mut future = run(self.record(), inside);
        let ended = std::future::poll_fn(|context| {
            if let Poll::Ready(ended) = Pin::new(&mut future).poll(context) {
                return Poll::Ready(Some(ended));
            }
            match Pin::new(&mut begun).poll(context) {
                Poll::Ready(Ok(())) => Poll::Ready(None),
                _ => Poll::Pending,
            }
        });
        match ended.await {
            None => {
                self.arounds.push(Around {
                    event,
                    future: Mutex::new(future),
                    finish,
                });
                Ok(())
            }
            // It never ran what it surrounds.
            Some(ended) => ended.and(Err(Abort.into())),
        }
    }

    async fn end_arounds(&mut self, event: Event) -> Result<()> {
        while self
            .arounds
            .last()
            .is_some_and(|around| around.event == event)
        {
            if let Some(around) = self.arounds.pop() {
                around.ends(Ok(())).await?;
            }
        }
        Ok(())
    }

    /// Ends a frame whose step failed: what surrounds it hears of it, and the error becomes one of the verb's.
    async fn give_up(mut self, error: Error) -> Error {
        let error = match (error.kind(), self.task.verb) {
            (ErrorKind::Abort, Verb::Save) => acts::not_saved(self.record()).with_source(error),
            (ErrorKind::Abort, Verb::Destroy) => {
                acts::not_destroyed(self.record()).with_source(error)
            }
            _ => error,
        };
        while let Some(around) = self.arounds.pop() {
            // What it makes of that changes nothing any more.
            let _ = around.ends(Err(error.clone())).await;
        }
        error
    }
}

/// One run of the loop.
#[derive(Default)]
pub(super) struct Pipeline {
    /// Who is in a frame, kept once there is more than one.
    active: HashSet<((usize, u32), Verb), Hashing>,
    /// Edges that close a cycle, by the record whose key they wait for.
    open: HashMap<(usize, u32), Vec<Association>, Hashing>,
    /// Members that wait for a record that is being saved, by that record; last first.
    put_off: HashMap<(usize, u32), Vec<Task>, Hashing>,
    /// The foreign keys that were filled in.
    pub(super) keys: Keys,
    /// Functions of the user that ran so far.
    calls: u64,
    /// Records found valid, and how many functions of the user had run by then: until another runs, they are.
    valid: HashMap<(usize, u32), u64, Hashing>,
}

/// Does a task, and what it needs.
pub(super) async fn run(task: Task) -> Result<()> {
    let mut pipeline = Pipeline::default();
    let mut stack = vec![Frame::new(task, 0)];
    let mut outcome = None;
    while let Some(frame) = stack.last_mut() {
        let next = pipeline.advance(frame, outcome.take()).await;
        match next {
            Ok(Some(task)) => {
                if pipeline.active.is_empty() {
                    pipeline.active.insert(identity(&stack[0].task));
                }
                if pipeline.active.insert(identity(&task)) {
                    stack.push(Frame::new(task, pipeline.calls));
                } else {
                    outcome = Some(Ok(()));
                }
            }
            Ok(None) => {
                if let Some(ended) = stack.pop() {
                    pipeline.active.remove(&identity(&ended.task));
                    pipeline.ended(&ended);
                }
                outcome = Some(Ok(()));
            }
            Err(error) => {
                if let Some(failed) = stack.pop() {
                    pipeline.active.remove(&identity(&failed.task));
                    outcome = Some(Err(failed.give_up(error).await));
                }
            }
        }
    }
    outcome.unwrap_or(Ok(()))?;
    pipeline.keys.keep();
    Ok(())
}

fn identity(task: &Task) -> ((usize, u32), Verb) {
    (task.record.identity(), task.verb)
}

impl Pipeline {
    /// Runs the frame until it has ended (nothing), or needs a task done first.
    async fn advance(
        &mut self,
        frame: &mut Frame,
        mut outcome: Option<Result<()>>,
    ) -> Result<Option<Task>> {
        while let Some(&step) = frame.steps.get(frame.step) {
            let next = match step {
                Step::Clear => {
                    frame.record().clear_errors();
                    Next::On
                }
                Step::Enroll => {
                    frame.enrolled = Enrolled::join(frame.record());
                    Next::On
                }
                Step::Valid => self.valid(frame, outcome.take())?,
                Step::Hooks(event) => self.hooks(frame, event, outcome.take()).await?,
                Step::End(event) => {
                    frame.end_arounds(event).await?;
                    Next::On
                }
                Step::Look => match super::validate::look(self, frame, outcome.take()).await? {
                    Some(task) => Next::First(task),
                    None => Next::On,
                },
                Step::Write => {
                    self.write(frame).await?;
                    Next::On
                }
                Step::LetGo => {
                    outcome.take().unwrap_or(Ok(()))?;
                    match frame.let_go.pop() {
                        Some(parent) => {
                            Next::First(Task::new(Verb::Destroy, &parent, frame.options()))
                        }
                        None => Next::On,
                    }
                }
                Step::PutOff => {
                    outcome.take().unwrap_or(Ok(()))?;
                    let waiting = self.put_off.get_mut(&frame.record().identity());
                    match waiting.and_then(Vec::pop) {
                        Some(task) => Next::First(task),
                        None => Next::On,
                    }
                }
                Step::Delete => {
                    frame.deleted = super::destroy::delete(frame.record()).await?;
                    frame.wrote();
                    Next::On
                }
                Step::Touch => {
                    super::touch::write(frame).await?;
                    frame.wrote();
                    Next::On
                }
                Step::Count(by) => {
                    super::counters::count(frame, by).await?;
                    Next::On
                }
            };
            match next {
                Next::On => frame.step += 1,
                Next::First(task) => return Ok(Some(task)),
            }
        }
        Ok(None)
    }

    /// The record is validated in a frame of its own, unless nothing ran since it was found valid.
    fn valid(&mut self, frame: &mut Frame, outcome: Option<Result<()>>) -> Result<Next> {
        let record = frame.record();
        if !frame.task.options.validate {
            return Ok(Next::On);
        }
        match outcome {
            None if self.valid.get(&record.identity()) == Some(&self.calls) => return Ok(Next::On),
            None => {
                let task = Task::new(Verb::Validate, record, frame.task.options.clone());
                return Ok(Next::First(task));
            }
            // A validation that a callback halted found nothing, and the record is not valid.
            Some(Err(error)) if error.kind() == ErrorKind::Abort => return Err(record.invalid()),
            Some(outcome) => outcome?,
        }
        if record.has_errors() {
            return Err(record.invalid());
        }
        Ok(Next::On)
    }

    async fn hooks(
        &mut self,
        frame: &mut Frame,
        event: Event,
        mut outcome: Option<Result<()>>,
    ) -> Result<Next> {
        let model = frame.record().reflection();
        while let Some(&hook) = model.hooks().at(event).get(frame.hook) {
            match hook {
                Hook::Callback(position) => {
                    if let Some(callback) = model.callback(position) {
                        self.call(frame, callback).await?;
                    }
                }
                // What memory was never told of has nothing to be saved.
                Hook::Association(position, Act::SaveParent | Act::SaveMembers)
                    if !Association::is_known(frame.record(), position) => {}
                Hook::Association(position, act) => {
                    let association = Association::at(frame.record(), position)?;
                    let first =
                        acts::perform(self, frame, event, &association, act, outcome.take());
                    if let Some(task) = first.await? {
                        return Ok(Next::First(task));
                    }
                }
            }
            frame.hook += 1;
        }
        frame.hook = 0;
        Ok(Next::On)
    }

    async fn call(&mut self, frame: &mut Frame, callback: &Callback) -> Result<()> {
        if !callback.applies(frame.record(), frame.context()) {
            return Ok(());
        }
        self.calls += 1;
        match callback.body {
            Body::Now(run) => run(frame.record()),
            Body::Later(run) => run(frame.record()).await,
            Body::Around(run) => frame.begin_around(callback.event, run).await,
        }
    }

    async fn write(&mut self, frame: &mut Frame) -> Result<()> {
        let record = frame.record();
        super::write::write(record, frame.task.options.touch).await?;
        for association in self.open.remove(&record.identity()).into_iter().flatten() {
            let target = association.peek_target();
            acts::take_key(&mut self.keys, &association, target.first())?;
            super::write::write(association.owner(), true).await?;
        }
        frame.wrote();
        Ok(())
    }

    /// Whether a record is being saved or destroyed in a frame below.
    pub(super) fn is_active(&self, record: &Record, verb: Verb, frame: &Frame) -> bool {
        self.active.contains(&(record.identity(), verb))
            || (frame.task.verb == verb && frame.record().is(record))
    }

    /// Whether a record is being saved in a frame below.
    pub(super) fn is_saving(&self, record: &Record) -> bool {
        self.active.contains(&(record.identity(), Verb::Save))
    }

    /// A member that needs the key of a record that is being saved below: it is saved after that.
    pub(super) fn put_off(&mut self, task: Task, until: &Record) {
        let waiting = self.put_off.entry(until.identity()).or_default();
        waiting.insert(0, task);
    }

    /// An edge whose target is being saved below: its key is copied once there is one.
    pub(super) fn close_later(&mut self, association: Association, parent: &Record) {
        let waiting = self.open.entry(parent.identity()).or_default();
        waiting.push(association);
    }

    /// Notes that a function of the user runs.
    pub(super) fn called(&mut self) {
        self.calls += 1;
    }

    /// Notes that the record is valid, if no function of the user had a part in finding that out.
    fn ended(&mut self, frame: &Frame) {
        let quiet = frame.calls == self.calls;
        if frame.task.verb == Verb::Validate && quiet && !frame.record().has_errors() {
            self.valid.insert(frame.record().identity(), self.calls);
        }
    }
}

impl Frame {
    fn wrote(&self) {
        if let Some(enrolled) = &self.enrolled {
            enrolled.wrote(self.doing);
        }
    }
}
