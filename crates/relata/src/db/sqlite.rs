//! The SQLite adapter: connections to one database, many readers and one writer.
//!
//! Reads of a file run on the task, under a budget; what takes longer goes on, from the row it came to, on the blocking
//! pool. Writes of a file wait for the disk: they are made there. A file is in WAL mode. A database in memory has one
//! connection, which is the writer's, and everything runs on the task.
//!
//! Invariants: a connection is owned by this adapter, never by a caller's future: it is in its place, or in a lease
//! whose drop puts it back, also when that lease is on the blocking pool; one that is not idle when it comes back is
//! rolled back, and closed if that fails.

mod aside;
mod connection;
mod errors;
mod kept;
mod params;
mod session;
mod statement;

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aside::{Holds, aside, here};
use connection::{Connection, Location};

use super::adapter::{Adapter, Capabilities, Decode, Figures, Job, Ran, lost, turned_away};
use super::runtime;
use super::transaction::{Isolation, Terms};
use super::turns::{Turns, Waits};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Dialect;

/// Connections that read a file.
const READERS: usize = 16;

pub(super) struct Sqlite {
    location: Location,
    readers: Turns<Place>,
    writer: Turns<Place>,
    bind_limit: usize,
    deadline: Duration,
}

/// A connection's place. It is empty before the first use, and after a connection that could not be cleaned.
type Place = Option<Box<Connection>>;

/// Which of the places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Reads,
    Writes,
}

impl Sqlite {
    fn turns(&self, role: Role) -> &Turns<Place> {
        match role {
            Role::Reads => &self.readers,
            Role::Writes => &self.writer,
        }
    }

    fn is_file(&self) -> bool {
        matches!(self.location, Location::File(_))
    }

    fn role(&self, reads_only: bool) -> Role {
        if reads_only && self.is_file() {
            Role::Reads
        } else {
            Role::Writes
        }
    }

    /// Fills an empty place. Opening waits for the disk.
    #[cold]
    async fn reopen<H: Deref<Target = Self>>(&self, lease: &mut Lease<H>) -> Result<()> {
        let location = self.location.clone();
        if matches!(location, Location::Memory) {
            let message =
                "the connection of the database in memory is gone, and the database with it";
            return Err(Error::new(ErrorKind::ConnectionNotEstablished, message));
        }
        let writes = lease.role == Role::Writes;
        let opened = runtime::handle()?.spawn_blocking(move || Connection::open(&location, writes));
        lease.connection = Some(Box::new(opened.await.map_err(Error::other)??));
        Ok(())
    }
}

impl Adapter for Sqlite {
    type Session = session::Session;

    const SCHEME: &'static str = "sqlite";

    /// `:memory:`, `path` or `//path`. A file is made if it is not there.
    async fn open(address: &str, deadline: Duration) -> Result<Self> {
        let location = located(address)?;
        let opens = location.clone();
        let opened = tokio::task::spawn_blocking(move || Connection::open(&opens, true)).await;
        let mut writer = opened.map_err(Error::other)??;
        Ok(Self {
            bind_limit: writer.bind_limit(),
            readers: Turns::of(
                (0..READERS).map(|_| None),
                Waits {
                    what: "a reading connection",
                    deadline,
                    kind: ErrorKind::PoolExhausted,
                },
            ),
            writer: Turns::of(
                [Some(Box::new(writer))],
                Waits {
                    what: "the writer of the database",
                    deadline,
                    kind: ErrorKind::LockWaitTimeout,
                },
            ),
            location,
            deadline,
        })
    }

    fn dialect(&self) -> Dialect {
        Dialect::SQLITE
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            bind_limit: self.bind_limit,
            one_connection: !self.is_file(),
            isolation: &[Isolation::Serializable],
            // It answers on the call.
            pipelines: false,
        }
    }

    fn begin(&self, terms: Terms) -> &'static str {
        if terms.reads_only {
            "BEGIN"
        } else {
            // A transaction that begins by reading could not become a writer once another one wrote.
            "BEGIN IMMEDIATE"
        }
    }

    async fn run<D: Decode + 'static>(self: &Arc<Self>, job: &mut Job<D>) -> Result<Ran> {
        let writes = job.statement.writes;
        let role = self.role(!writes);
        let turns = self.turns(role);
        let connection = if job.hesitant {
            turns.try_take().ok_or_else(turned_away)?
        } else {
            turns.take().await?
        };
        let mut lease = Lease {
            home: &**self,
            role,
            connection,
        };
        if lease.connection.is_none() {
            Box::pin(self.reopen(&mut lease)).await?;
        }
        if (!writes || !self.is_file())
            && let Some(ran) = here(&mut lease, job, self.is_file(), self.deadline).await
        {
            return ran;
        }
        Box::pin(aside(lease.travelling(self), job, self.deadline)).await
    }

    async fn session(self: &Arc<Self>, reads_only: bool) -> Result<Arc<Self::Session>> {
        let role = self.role(reads_only);
        let mut lease = Lease {
            connection: self.turns(role).take().await?,
            home: Arc::clone(self),
            role,
        };
        if lease.connection.is_none() {
            self.reopen(&mut lease).await?;
        }
        Ok(session::Session::new(lease, self.deadline))
    }

    fn figures(&self) -> Figures {
        Figures {
            writers: self.writer.taken(),
            readers: self.readers.taken(),
            transaction: self.writer.held_since(),
        }
    }
}

/// Where the address of a URL says that the database is. What SQLite would take as another form (a database of one
/// connection, a URI with parameters) or as the name of a file that nobody means is refused.
fn located(address: &str) -> Result<Location> {
    let path = address.strip_prefix("//").unwrap_or(address);
    let has_parameters = path
        .split_once('?')
        .is_some_and(|(_, rest)| rest.contains('='));
    let problem = match path {
        ":memory:" => return Ok(Location::Memory),
        "" => "it names no file",
        _ if path.starts_with(':') => "no file is meant by a name that begins with a colon",
        _ if path.starts_with("file:") => "URIs of SQLite are not taken",
        _ if has_parameters => "parameters are not taken: `Options` has what can be chosen",
        _ => return Ok(Location::File(PathBuf::from(path))),
    };
    let message = format!(
        "cannot connect to `sqlite:{address}`: {problem}. Write sqlite::memory: for a database in memory, or sqlite:path \
         for a file"
    );
    Err(Error::new(ErrorKind::Configuration, message))
}

/// A connection that is out of its place, and goes back when this is dropped.
struct Lease<H: Deref<Target = Sqlite>> {
    home: H,
    role: Role,
    connection: Place,
}

impl Lease<&Sqlite> {
    /// The lease as one that can go to another thread.
    fn travelling(mut self, home: &Arc<Sqlite>) -> Lease<Arc<Sqlite>> {
        let connection = self.connection.take();
        let role = self.role;
        // What is left has nothing to give back.
        std::mem::forget(self);
        Lease {
            home: Arc::clone(home),
            role,
            connection,
        }
    }
}

impl<H: Deref<Target = Sqlite>> Holds for Lease<H> {
    fn connection(&mut self) -> Result<&mut Connection> {
        self.connection.as_deref_mut().ok_or_else(lost)
    }
}

impl<H: Deref<Target = Sqlite>> Drop for Lease<H> {
    fn drop(&mut self) {
        // One that cannot be cleaned is closed.
        drop(self.connection.take_if(|connection| !connection.clean()));
        self.home.turns(self.role).give(self.connection.take());
    }
}
