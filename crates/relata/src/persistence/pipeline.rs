//! The life of a record: what validating, saving and destroying do, step by step, as tables; and the one loop that
//! runs them.
//!
//! A step that needs another record first (a parent, a member, a dependent) opens a frame for it, and goes on when
//! that frame has ended. So a graph of any depth is a stack of frames, never a recursive future.
//!
//! Invariants: a record is in one frame of a verb at a time, and a row in one that destroys or touches it, whichever
//! objects stand for it, so that cycles end; hooks run in the order of declaration;
//! when a step fails, the frames above it are given up one by one, and each may turn the failure into its own.

use std::collections::{HashMap, HashSet};

use super::acts;
use super::enrolled::Enrolled;
use super::frame::{Frame, Task};
use super::keys::Keys;
use super::reentry::Call;
use crate::association::Association;
use crate::callback::{Body, Callback, Event};
use crate::error::{ErrorKind, Result};
use crate::hashing::Hashing;
use crate::record::Record;
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
pub(super) enum Step {
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
    /// DELETE of the rows between it and what it has and belongs to.
    Part,
    /// DELETE.
    Delete,
    /// UPDATE of the columns that a touch sets.
    Touch,
    /// Count the record in its parents, or out.
    Count(i64),
}

use Step::{
    Clear, Count, Delete, End, Enroll, Hooks, LetGo, Look, Part, PutOff, Touch, Valid, Write,
};

pub(super) const VALIDATE: &[Step] = &[
    Clear,
    Hooks(Event::BeforeValidation),
    Look,
    Hooks(Event::AfterValidation),
];

pub(super) const CREATE: &[Step] = &[
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

pub(super) const UPDATE: &[Step] = &[
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

pub(super) const DESTROY: &[Step] = &[
    Enroll,
    Hooks(Event::BeforeDestroy),
    Part,
    Delete,
    Count(-1),
    End(Event::AroundDestroy),
    Hooks(Event::AfterDestroy),
];

pub(super) const TOUCH: &[Step] = &[Enroll, Touch, Hooks(Event::AfterTouch)];

/// What happens next.
enum Next {
    /// The next step.
    On,
    /// Another record first; then this step again, with what became of it.
    First(Task),
}

/// Tasks that wait, the first before the next.
type Tasks = std::collections::VecDeque<Task>;

/// One run of the loop.
#[derive(Default)]
pub(super) struct Pipeline {
    /// Who is in a frame, kept once there is more than one.
    active: HashSet<((usize, u32), Verb), Hashing>,
    /// The rows that are being destroyed or touched: another object of one is not gone into. Kept as `active` is.
    rows: HashSet<(Record, Verb), Hashing>,
    /// Edges that close a cycle, by the record whose key they wait for.
    open: HashMap<(usize, u32), Vec<Association>, Hashing>,
    /// Members that wait for a record that is being saved, by that record.
    put_off: HashMap<(usize, u32), Tasks, Hashing>,
    /// The foreign keys that were filled in.
    pub(super) keys: Keys,
    /// Functions of the user that ran so far.
    calls: u64,
    /// New records whose save has ended: their callbacks ran, and a key that is known only now is written by itself.
    created: HashSet<(usize, u32), Hashing>,
    /// Records found valid, and how many functions of the user had run by then: until another runs, they are.
    valid: HashMap<(usize, u32), u64, Hashing>,
}

/// Does a task, and what it needs; says whether a DELETE, or the UPDATE of a touch, found the row.
pub(super) async fn run(task: Task) -> Result<bool> {
    let mut pipeline = Pipeline::default();
    let mut stack = vec![Frame::new(task, 0)];
    let (mut outcome, mut found) = (None, false);
    while let Some(frame) = stack.last_mut() {
        let next = pipeline.advance(frame, outcome.take()).await;
        match next {
            Ok(Some(task)) => {
                if pipeline.active.is_empty() {
                    pipeline.enter(&stack[0].task);
                }
                if pipeline.enter(&task) {
                    stack.push(Frame::new(task, pipeline.calls));
                } else {
                    outcome = Some(Ok(()));
                }
            }
            Ok(None) => {
                if let Some(ended) = stack.pop() {
                    pipeline.leave(&ended.task);
                    pipeline.ended(&ended);
                    found = ended.found;
                }
                outcome = Some(Ok(()));
            }
            Err(error) => {
                if let Some(failed) = stack.pop() {
                    pipeline.leave(&failed.task);
                    outcome = Some(Err(failed.give_up(error).await));
                }
            }
        }
    }
    outcome.unwrap_or(Ok(()))?;
    pipeline.keys.keep();
    Ok(found)
}

/// Whether nothing of a record is unsaved but keys of what it belongs to.
pub(super) fn lacks_keys_only(record: &Record) -> Result<bool> {
    let mut changed = record.changed_columns();
    let model = record.reflection();
    for (position, reflection) in model.reflections().iter().enumerate() {
        if reflection.is_belongs_to() && !changed.is_empty() {
            let resolved = model.resolve(position)?;
            changed.retain(|column| !resolved.owner_key.contains(column));
        }
    }
    Ok(changed.is_empty())
}

/// Writes the keys of a record whose save ended before they were known, and counts it in its new parents.
pub(super) async fn write_keys(record: &Record) -> Result<()> {
    if !record.is_changed() {
        return Ok(());
    }
    super::write::write(record, true).await?;
    super::counters::follow_all(record).await
}

fn identity(task: &Task) -> ((usize, u32), Verb) {
    (task.record.identity(), task.verb)
}

/// A task's row, where no two frames are to have it.
fn row(task: &Task) -> Option<(Record, Verb)> {
    matches!(task.verb, Verb::Destroy | Verb::Touch).then(|| (task.record.clone(), task.verb))
}

impl Pipeline {
    /// Notes that a frame begins; whether none of the same record and verb is there.
    fn enter(&mut self, task: &Task) -> bool {
        let row = row(task);
        if row.as_ref().is_some_and(|row| self.rows.contains(row)) {
            return false;
        }
        let entered = self.active.insert(identity(task));
        self.rows.extend(row.filter(|_| entered));
        entered
    }

    fn leave(&mut self, task: &Task) {
        self.active.remove(&identity(task));
        if !self.rows.is_empty()
            && let Some(row) = row(task)
        {
            self.rows.remove(&row);
        }
    }

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
                    match self.waiting(frame.record()).await? {
                        Some(task) => Next::First(task),
                        None => Next::On,
                    }
                }
                Step::Part => {
                    super::through::part_with(frame.record()).await?;
                    Next::On
                }
                Step::Delete => {
                    frame.found = super::destroy::delete(frame.record()).await?;
                    frame.wrote();
                    Next::On
                }
                Step::Touch => {
                    frame.found = super::touch::write(frame).await?;
                    // Where there is no time to set, nothing was written that a commit could be told of.
                    if !frame.task.columns.is_empty() {
                        frame.wrote();
                    }
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
            None if self.is_known_valid(record) => return Ok(Next::On),
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
            Body::Later(run) => {
                let record = frame.record();
                let call = Call::of(record, callback.event.name(), callback.name)?;
                call.run(run(record)).await
            }
            Body::Around(run) => frame.begin_around(callback.event, callback.name, run).await,
        }
    }

    async fn write(&mut self, frame: &mut Frame) -> Result<()> {
        let record = frame.record();
        super::write::write(record, frame.task.options.touch).await?;
        for association in self.open.remove(&record.identity()).into_iter().flatten() {
            let target = association.peek_target();
            acts::take_key(&mut self.keys, &association, target.first())?;
            write_keys(association.owner()).await?;
        }
        frame.wrote();
        Ok(())
    }

    /// The next member that waited for a record and is still to be saved.
    async fn waiting(&mut self, record: &Record) -> Result<Option<Task>> {
        loop {
            let waiting = self.put_off.get_mut(&record.identity());
            let Some(task) = waiting.and_then(Tasks::pop_front) else {
                return Ok(None);
            };
            if !self.is_created(&task.record) || !lacks_keys_only(&task.record)? {
                return Ok(Some(task));
            }
            write_keys(&task.record).await?;
        }
    }

    /// Whether this run has inserted the record, and its save has ended.
    pub(super) fn is_created(&self, record: &Record) -> bool {
        !self.created.is_empty() && self.created.contains(&record.identity())
    }

    /// Whether a record is being saved or destroyed in a frame below.
    pub(super) fn is_active(&self, record: &Record, verb: Verb, frame: &Frame) -> bool {
        self.active.contains(&(record.identity(), verb))
            || (frame.task.verb == verb && frame.record().is(record))
    }

    /// As [`is_active`](Self::is_active), of a record's row, for what destroys or touches.
    pub(super) fn is_row_active(&self, record: &Record, verb: Verb, frame: &Frame) -> bool {
        (frame.task.verb == verb && frame.record() == record)
            || (!self.rows.is_empty() && self.rows.contains(&(record.clone(), verb)))
    }

    /// Whether a record is being saved in a frame below.
    pub(super) fn is_saving(&self, record: &Record) -> bool {
        self.active.contains(&(record.identity(), Verb::Save))
    }

    /// A member that needs the key of a record that is being saved below: it is saved after that.
    pub(super) fn put_off(&mut self, task: Task, until: &Record) {
        let waiting = self.put_off.entry(until.identity()).or_default();
        waiting.push_back(task);
    }

    /// An edge whose target is being saved below: its key is copied once there is one.
    pub(super) fn close_later(&mut self, association: Association, parent: &Record) {
        let waiting = self.open.entry(parent.identity()).or_default();
        waiting.push(association);
    }

    /// Whether the record was found valid, and no function of the user has run since.
    pub(super) fn is_known_valid(&self, record: &Record) -> bool {
        self.valid.get(&record.identity()) == Some(&self.calls)
    }

    /// Notes that a function of the user runs.
    pub(super) fn called(&mut self) {
        self.calls += 1;
    }

    /// Notes that the record is valid, if no function of the user had a part in finding that out.
    fn ended(&mut self, frame: &Frame) {
        // The first one comes last: nothing asks for it any more.
        if frame.is_creating() && !self.active.is_empty() {
            self.created.insert(frame.record().identity());
        }
        let quiet = frame.calls == self.calls;
        if frame.task.verb == Verb::Validate && quiet && !frame.record().has_errors() {
            self.valid.insert(frame.record().identity(), self.calls);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::{CREATE, DESTROY, Step, TOUCH, UPDATE, VALIDATE};

    /// Which method does what. What is not here runs no callback.
    const METHODS: &[(&str, &str)] = &[
        ("`is_valid`, `is_valid_in`", "validate"),
        (
            "`save`, `save_with`, `update`, `create`, `push`, `replace`, `find_or_create_by`",
            "create or update",
        ),
        (
            "`update_attribute`, `toggle`",
            "create or update, without validating",
        ),
        (
            "`destroy`, `destroy_all`, a marked record of an association with `autosave`",
            "destroy",
        ),
        ("`touch`, `touch_columns`", "touch"),
        (
            "`delete`, `delete_all`, `update_columns`, `update_all`, `touch_all`, `increment`, `decrement`, `update_counters`, `insert_all`, `upsert_all`",
            "one statement, and nothing else",
        ),
        ("every finder", "`after_find`, then `after_initialize`"),
        ("`new`, `build`", "`after_initialize`"),
    ];

    fn step(step: Step) -> String {
        match step {
            Step::Clear => "forget the errors of before".into(),
            Step::Enroll => {
                "join the transaction: `after_commit` and `after_rollback` run at its end".into()
            }
            Step::Valid => "validate; an invalid record is not saved".into(),
            Step::Hooks(event) => match event.name().strip_prefix("before_") {
                Some(what) if what != "validation" => {
                    format!("`{}` and the beginning of `around_{what}`", event.name())
                }
                _ => format!("`{}`", event.name()),
            },
            Step::End(event) => format!("the end of `{}`", event.name()),
            Step::Look => {
                "required associations, members, and rules, in the order of declaration".into()
            }
            Step::Write => "INSERT, or UPDATE of what changed".into(),
            Step::LetGo => "destroy parents that were marked for it".into(),
            Step::PutOff => "save members that waited for this record".into(),
            Step::Part => "DELETE of the rows between it and what it has and belongs to".into(),
            Step::Delete => "DELETE".into(),
            Step::Touch => "UPDATE of the times".into(),
            Step::Count(1..) => "counters of parents: one more".into(),
            Step::Count(_) => "counters of parents: one less, if there was a row".into(),
        }
    }

    fn page() -> String {
        let mut page = String::from(
            "# The life of a record\n\nMade from the tables in `persistence/pipeline.rs` by their test. What associations do \
             by themselves runs among the callbacks of an event, at the place where they are declared: \
             `Post::reflection().explain_save()` and `explain_destroy()` print both for a model.\n",
        );
        let verbs = [
            ("Validate", VALIDATE),
            ("Create", CREATE),
            ("Update", UPDATE),
            ("Destroy", DESTROY),
            ("Touch", TOUCH),
        ];
        for (name, steps) in verbs {
            let _ = write!(page, "\n## {name}\n\n");
            for (at, one) in steps.iter().enumerate() {
                let _ = writeln!(page, "{}. {}", at + 1, step(*one));
            }
        }
        page.push_str("\n## Which method does which\n\n| method | does |\n|---|---|\n");
        for (methods, verb) in METHODS {
            let _ = writeln!(page, "| {methods} | {verb} |");
        }
        page
    }

    #[test]
    fn the_page_says_what_the_tables_say() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../docs/life-of-a-record.md"
        );
        if std::env::var_os("RELATA_BLESS").is_some() {
            std::fs::write(path, page()).unwrap();
        }
        // A packaged crate has no docs beside it.
        if let Ok(written) = std::fs::read_to_string(path) {
            assert_eq!(
                written,
                page(),
                "run the test with RELATA_BLESS=1 and read the difference"
            );
        }
    }
}
