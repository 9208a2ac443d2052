//! One record on its way through a verb: which step it is at, what it waits for, what surrounds it.
//!
//! Invariant: who stands in a frame is told how it ended: `around` callbacks end after what they surround, whether it
//! succeeded or failed.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use super::acts;
use super::enrolled::Enrolled;
use super::pipeline::{CREATE, DESTROY, Step, TOUCH, UPDATE, VALIDATE, Verb};
use super::reentry::Call;
use super::save::SaveOptions;
use super::through::Between;
use crate::callback::{Abort, Event, Inside, Outside, RunAround};
use crate::error::{Error, ErrorKind, Result};
use crate::hashing::Hashing;
use crate::pending::Pending;
use crate::record::{Life, Record};
use crate::reflection::Hook;

/// What is to be done to one record.
pub(super) struct Task {
    pub(super) record: Record,
    pub(super) verb: Verb,
    pub(super) options: SaveOptions,
    /// The columns that a touch sets.
    pub(super) columns: Vec<usize>,
    /// Whether it is a touch that waited for the commit.
    pub(super) waited: bool,
}

impl Task {
    pub(super) fn new(verb: Verb, record: &Record, options: SaveOptions) -> Self {
        Self {
            record: record.clone(),
            verb,
            options,
            columns: Vec::new(),
            waited: false,
        }
    }
}

/// What identifies a member, and where it stands.
pub(super) type Places = HashMap<(usize, u32), usize, Hashing>;

/// A task on its way.
pub(super) struct Frame {
    pub(super) task: Task,
    pub(super) steps: &'static [Step],
    pub(super) step: usize,
    /// Which of the step's hooks, or of what it looks at, is at hand.
    pub(super) hook: usize,
    /// What the hook at hand still waits for, last first.
    pub(super) todo: Option<Vec<Record>>,
    /// Where each member of the association at hand stands, once an error of one has to say so.
    pub(super) places: Option<Box<Places>>,
    /// Whether what was done last of that is a row between, which makes the record a member.
    pub(super) joining: bool,
    /// The rows between that lead to what it still waits for.
    pub(super) between: Between,
    /// Parents that are destroyed once the row no longer refers to them.
    pub(super) let_go: Vec<Record>,
    arounds: Vec<Around>,
    pub(super) enrolled: Option<Enrolled>,
    /// Whether a DELETE, or the UPDATE of a touch, found the row.
    pub(super) found: bool,
    /// What is being done, by Rails' name for the context.
    pub(super) doing: &'static str,
    /// Whether functions of the user, or queries, had a part in it: the next time they may say otherwise.
    pub(super) asks_again: bool,
    /// How many changes of validated records there were when it began to validate.
    pub(super) began: u64,
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

impl Frame {
    pub(super) fn new(task: Task) -> Self {
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
            places: None,
            joining: false,
            between: Between::default(),
            let_go: Vec::new(),
            arounds: Vec::new(),
            enrolled: None,
            found: false,
            doing,
            asks_again: false,
            began: 0,
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

    pub(super) async fn begin_around(
        &mut self,
        event: Event,
        name: &'static str,
        run: RunAround,
    ) -> Result<()> {
        let call = Call::of(self.record(), event.name(), name)?;
        let (inside, Outside { mut begun, finish }) = Inside::pair();
        let mut future = Pending::new(call.run(run(self.record(), inside)));
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

    /// Whether something surrounds the event.
    pub(super) fn is_surrounded(&self, event: Event) -> bool {
        self.arounds
            .last()
            .is_some_and(|around| around.event == event)
    }

    pub(super) async fn end_arounds(&mut self, event: Event) -> Result<()> {
        while self.is_surrounded(event) {
            if let Some(around) = self.arounds.pop() {
                around.ends(Ok(())).await?;
            }
        }
        Ok(())
    }

    /// Ends a frame whose step failed: what surrounds it hears of it, and the error becomes one of the verb's.
    pub(super) async fn give_up(mut self, error: Error) -> Error {
        let error = match (error.kind(), self.task.verb) {
            (ErrorKind::Abort, Verb::Save) => acts::not_saved(self.record()).with_source(error),
            (ErrorKind::Abort, Verb::Destroy) => {
                acts::not_destroyed(self.record(), self.halted_by()).with_source(error)
            }
            _ => error,
        };
        while let Some(around) = self.arounds.pop() {
            // What it makes of that changes nothing any more.
            let _ = around.ends(Err(error.clone())).await;
        }
        error
    }

    /// What halted it: the callback or the association whose turn it was.
    fn halted_by(&self) -> Option<String> {
        let Some(Step::Hooks(event)) = self.steps.get(self.step) else {
            return None;
        };
        let model = self.record().reflection();
        match *model.hooks().at(*event).get(self.hook)? {
            Hook::Callback(position) => {
                let callback = model.callback(position)?;
                Some(format!("`{}` `{}` aborted", event.name(), callback.name))
            }
            Hook::Association(position, _) => {
                let name = model.reflections().get(position)?.name();
                Some(format!("`dependent` of {name} forbids it"))
            }
        }
    }

    pub(super) fn wrote(&self) {
        if let Some(enrolled) = &self.enrolled {
            enrolled.wrote(self.doing);
        }
    }
}
