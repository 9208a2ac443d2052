//! An adapter over SQLite that pipelines, as far as the library can tell: a statement of a session is sent when it is
//! first polled, and its answer comes later. It writes down what was sent and answered, in that order.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use crate::db::adapter::{Adapter, Capabilities, Decode, Figures, Job, Ran, Session};
use crate::db::sqlite::Sqlite;
use crate::db::transaction::Terms;
use crate::db::turns::Held;
use crate::error::Result;
use crate::sql::Dialect;

/// What an adapter saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// A connection was taken.
    Connection,
    /// A statement was sent over a connection that somebody holds.
    Sent(String),
    /// Its answer was taken.
    Answered(String),
    /// A statement took a connection for itself.
    Alone(String),
}

thread_local! {
    // A test is one thread, and so is its runtime.
    static SEEN: RefCell<Vec<Seen>> = const { RefCell::new(Vec::new()) };
}

fn see(seen: Seen) {
    SEEN.with_borrow_mut(|all| all.push(seen));
}

/// What was seen on this thread since it was asked last.
pub(super) fn seen() -> Vec<Seen> {
    SEEN.take()
}

pub(in crate::db) struct Pipelined(Arc<Sqlite>);

pub(in crate::db) struct PipelinedSession(Arc<<Sqlite as Adapter>::Session>);

impl Adapter for Pipelined {
    type Session = PipelinedSession;

    const SCHEME: &'static str = "pipelined";

    async fn open(address: &str, deadline: Duration) -> Result<Self> {
        Ok(Self(Arc::new(Sqlite::open(address, deadline).await?)))
    }

    fn dialect(&self) -> Dialect {
        self.0.dialect()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            pipelines: true,
            ..self.0.capabilities()
        }
    }

    fn begin(&self, terms: Terms) -> &'static str {
        self.0.begin(terms)
    }

    async fn run<D: Decode + 'static>(self: &Arc<Self>, job: &mut Job<D>) -> Result<Ran> {
        see(Seen::Alone(job.statement.text.to_string()));
        self.0.run(job).await
    }

    async fn session(self: &Arc<Self>, reads_only: bool) -> Result<Arc<Self::Session>> {
        see(Seen::Connection);
        let session = self.0.session(reads_only).await?;
        Ok(Arc::new(PipelinedSession(session)))
    }

    fn figures(&self) -> Figures {
        self.0.figures()
    }
}

impl Session for PipelinedSession {
    fn note_holder(&self, held: &Arc<Held>) {
        self.0.note_holder(held);
    }

    async fn run<D: Decode + 'static>(self: &Arc<Self>, job: &mut Job<D>) -> Result<Ran> {
        let text = job.statement.text.to_string();
        see(Seen::Sent(text.clone()));
        // The way there and back.
        tokio::task::yield_now().await;
        let ran = self.0.run(job).await;
        see(Seen::Answered(text));
        ran
    }

    async fn command(self: &Arc<Self>, text: &str) -> Result<()> {
        self.0.command(text).await
    }

    async fn commit(self: &Arc<Self>) -> Result<()> {
        self.0.commit().await
    }

    fn undo(&self, texts: [&str; 2]) {
        self.0.undo(texts);
    }

    fn end(&self) -> bool {
        self.0.end()
    }

    async fn sever(&self) {
        self.0.sever().await;
    }
}
