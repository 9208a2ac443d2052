//! Faults: an adapter around another that makes the Nth statement fail, wait or lose its connection, to test what a
//! program does then.
//!
//! Invariant: costs one look at a flag when nothing is planned; a cut really closes the connection.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::adapter::{Adapter, Capabilities, Decode, Figures, Job, Ran, Session};
use super::transaction::Terms;
use super::turns::Held;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Dialect;

/// The faults planned for a database.
#[derive(Debug, Default)]
pub struct Faults {
    armed: AtomicBool,
    seen: AtomicU64,
    planned: Mutex<Vec<(u64, Fault)>>,
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    Fail(ErrorKind),
    Delay(Duration),
    Cut(Moment),
}

/// When the connection is lost.
#[derive(Debug, Clone, Copy)]
enum Moment {
    BeforeSending,
    BeforeTheAnswer,
}

impl Faults {
    fn plan(&self, nth: u64, fault: Fault) {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.armed.swap(true, Ordering::AcqRel) {
            self.seen.store(0, Ordering::Release);
        }
        planned.push((nth, fault));
    }

    /// The statement number `nth` from now, counted from 1, fails with an error of this kind and is not sent.
    /// BEGIN, COMMIT and savepoints count; ROLLBACK does not.
    pub fn fail_nth(&self, nth: u64, kind: ErrorKind) {
        self.plan(nth, Fault::Fail(kind));
    }

    /// The statement number `nth` from now is sent only after a time.
    pub fn delay_nth(&self, nth: u64, time: Duration) {
        self.plan(nth, Fault::Delay(time));
    }

    /// The connection is lost before the statement number `nth` from now is sent: it did not happen. A database in
    /// memory is lost with its connection.
    pub fn cut_nth(&self, nth: u64) {
        self.plan(nth, Fault::Cut(Moment::BeforeSending));
    }

    /// The connection is lost after the statement number `nth` from now was sent, and before its answer: it happened,
    /// and nobody is told. A COMMIT, or a write outside a transaction, gives `CommitOutcomeUnknown`.
    pub fn cut_answer_of_nth(&self, nth: u64) {
        self.plan(nth, Fault::Cut(Moment::BeforeTheAnswer));
    }

    /// Nothing fails any more. Gives the number of statements since the first fault was planned.
    pub fn clear(&self) -> u64 {
        self.planned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.armed.store(false, Ordering::Release);
        self.seen.load(Ordering::Acquire)
    }

    #[inline]
    fn next(&self) -> Option<Fault> {
        if !self.armed.load(Ordering::Acquire) {
            return None;
        }
        self.planned()
    }

    #[cold]
    fn planned(&self) -> Option<Fault> {
        let number = self.seen.fetch_add(1, Ordering::AcqRel) + 1;
        let planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        planned
            .iter()
            .find(|(nth, _)| *nth == number)
            .map(|(_, fault)| *fault)
    }
}

fn planned(kind: ErrorKind) -> Error {
    Error::new(kind, format!("a planned fault: {kind:?}"))
}

fn cut() -> Error {
    planned(ErrorKind::ConnectionNotEstablished)
}

/// The error of something that was sent and whose answer is lost.
fn unknown() -> Error {
    Error::new(
        ErrorKind::CommitOutcomeUnknown,
        "the connection was lost before the answer came: what was sent may have happened or not",
    )
    .with_source(cut())
}

/// An adapter with planned faults.
pub(super) struct Faulty<A> {
    adapter: Arc<A>,
    faults: Arc<Faults>,
}

impl<A: Adapter> Faulty<A> {
    pub(super) fn new(adapter: A, faults: Arc<Faults>) -> Self {
        Self {
            adapter: Arc::new(adapter),
            faults,
        }
    }

    async fn run_faulty<D: Decode + 'static>(&self, fault: Fault, job: &mut Job<D>) -> Result<Ran> {
        match fault {
            Fault::Fail(kind) => Err(planned(kind)),
            Fault::Delay(time) => {
                tokio::time::sleep(time).await;
                self.adapter.run(job).await
            }
            Fault::Cut(moment) => self.run_cut(moment, job).await,
        }
    }

    /// A statement outside any transaction, on a session of its own, so that its connection can be cut.
    async fn run_cut<D: Decode + 'static>(&self, moment: Moment, job: &mut Job<D>) -> Result<Ran> {
        let writes = job.statement.writes;
        let session = self.adapter.session(!writes).await?;
        let ran = match moment {
            Moment::BeforeSending => {
                session.sever().await;
                session.run(job).await
            }
            Moment::BeforeTheAnswer => {
                let ran = session.run(job).await;
                session.sever().await;
                ran.and_then(|_| Err(if writes { unknown() } else { cut() }))
            }
        };
        session.end();
        ran
    }
}

impl<A: Adapter> Adapter for Faulty<A> {
    type Session = FaultySession<A::Session>;

    const SCHEME: &'static str = A::SCHEME;

    async fn open(address: &str, deadline: Duration) -> Result<Self> {
        Ok(Self::new(A::open(address, deadline).await?, Arc::default()))
    }

    fn dialect(&self) -> Dialect {
        self.adapter.dialect()
    }

    fn capabilities(&self) -> Capabilities {
        self.adapter.capabilities()
    }

    fn begin(&self, terms: Terms) -> &'static str {
        self.adapter.begin(terms)
    }

    async fn run<D: Decode + 'static>(self: &Arc<Self>, job: &mut Job<D>) -> Result<Ran> {
        match self.faults.next() {
            None => self.adapter.run(job).await,
            Some(fault) => Box::pin(self.run_faulty(fault, job)).await,
        }
    }

    async fn session(self: &Arc<Self>, reads_only: bool) -> Result<Arc<Self::Session>> {
        Ok(Arc::new(FaultySession {
            session: self.adapter.session(reads_only).await?,
            faults: Arc::clone(&self.faults),
        }))
    }

    fn figures(&self) -> Figures {
        self.adapter.figures()
    }
}

/// A session with planned faults.
pub(super) struct FaultySession<S> {
    session: Arc<S>,
    faults: Arc<Faults>,
}

impl<S: Session> FaultySession<S> {
    /// Fails, waits or cuts before something is sent. Whether its answer is to be cut.
    async fn before(&self) -> Result<bool> {
        match self.faults.next() {
            None => Ok(false),
            Some(fault) => Box::pin(self.meet(fault)).await,
        }
    }

    async fn meet(&self, fault: Fault) -> Result<bool> {
        match fault {
            Fault::Fail(kind) => Err(planned(kind)),
            Fault::Delay(time) => {
                tokio::time::sleep(time).await;
                Ok(false)
            }
            Fault::Cut(Moment::BeforeSending) => {
                self.session.sever().await;
                Err(cut())
            }
            Fault::Cut(Moment::BeforeTheAnswer) => Ok(true),
        }
    }
}

impl<S: Session> Session for FaultySession<S> {
    fn note_holder(&self, held: &Arc<Held>) {
        self.session.note_holder(held);
    }

    async fn run<D: Decode + 'static>(self: &Arc<Self>, job: &mut Job<D>) -> Result<Ran> {
        let cuts = self.before().await?;
        let ran = self.session.run(job).await;
        if cuts {
            self.session.sever().await;
            return ran.and(Err(cut()));
        }
        ran
    }

    async fn command(self: &Arc<Self>, text: &str) -> Result<()> {
        let cuts = self.before().await?;
        let ran = self.session.command(text).await;
        if cuts {
            self.session.sever().await;
            return ran.and(Err(cut()));
        }
        ran
    }

    async fn commit(self: &Arc<Self>) -> Result<()> {
        let cuts = self.before().await?;
        let committed = self.session.commit().await;
        if cuts {
            self.session.sever().await;
            return committed.and(Err(unknown()));
        }
        committed
    }

    fn undo(&self, texts: [&str; 2]) {
        self.session.undo(texts);
    }

    fn end(&self) -> bool {
        self.session.end()
    }

    async fn sever(&self) {
        self.session.sever().await;
    }
}
